// SPDX-License-Identifier: Apache-2.0
// A unit of work: what was read, and the finished files that came of it. Made by a
// worker; a value once its files are uploaded, for the committer needs their names alone.
#ifndef COMMIT_UNIT_H
#define COMMIT_UNIT_H

#include "core/spool.h"
#include "log/paths.h"

struct unit_file {
    enum file_kind kind;
    struct spool_file *spool; // owned; what is to be uploaded
    struct path tmp;          // where it was uploaded to
    const char *extension;    // borrowed from the encoder
    int64_t rows, bytes;
    struct checksum checksum;
};

struct unit {
    struct span *spans; // one for each claimed partition, rising; empty ones too
    size_t n_spans;
    bool is_moved; // an offset was passed
    struct unit_file files[ENTRY_FILES_MAX];
    size_t n_files;
    int64_t rows, matched;
    int64_t first_batch_ms, last_batch_ms; // wall time, 0: no batch
};

// A unit that begins at `next` of each partition.
struct unit *unit_new(const struct progress *partitions, size_t n);
struct unit *unit_after(const struct unit *unit); // at its ends
void unit_move(struct unit *unit, struct span *span, int64_t next);
bool unit_is_empty(const struct unit *unit);                  // no offset was passed
struct span *unit_span(struct unit *unit, int32_t partition); // NULL: not of this unit
void unit_free(struct unit *unit);                            // discards its files

#endif
