// SPDX-License-Identifier: Apache-2.0
// One file on its way into the spool: appended to in pieces, its checksum computed
// beside. Zero is a file that is not there yet. One thread.
#ifndef WORK_SPOOL_WRITER_H
#define WORK_SPOOL_WRITER_H

#include "work/draft.h"

struct spool_writer {
    struct spool_file *file; // NULL: not begun
    struct checksummer *sum;
    struct buf out; // not in the file yet
    int64_t bytes;  // in the file
    int64_t rows;   // counted by the caller
};

enum status spool_writer_begin(struct spool_writer *writer, struct spool *spool,
                               struct err *err);
// Moves `out` into the file once it is worth a write.
enum status spool_writer_flush(struct spool_writer *writer, struct err *err);
// Puts bytes over the front of what was written; FRONT_BYTES of core/codec.h.
enum status spool_writer_overwrite(struct spool_writer *writer, struct str front,
                                   struct err *err);
// All of `out` is in the file; hands it over to the draft and begins again.
enum status spool_writer_finish(struct spool_writer *writer, enum file_kind kind,
                                struct draft *ret, struct err *err);
int64_t spool_writer_bytes(const struct spool_writer *writer); // with `out`
void spool_writer_drop(struct spool_writer *writer);           // the file is gone
void spool_writer_release(struct spool_writer *writer);

#endif
