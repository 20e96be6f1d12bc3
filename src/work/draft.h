// SPDX-License-Identifier: Apache-2.0
// A unit in the making, or finished and not uploaded yet: beside the value its files,
// which are still in the spool.
#ifndef WORK_DRAFT_H
#define WORK_DRAFT_H

#include "core/spool.h"
#include "core/stream.h"
#include "log/log_entry.h"

enum {
    DRAFT_FILES_MAX = 2 // one of data, one of dead letters
};

struct draft {
    struct unit unit; // one span for each claimed partition, empty ones too
    bool is_moved;    // an offset was passed
    bool has_topic;   // draft_note_topic was called
    struct spool_file *spools[DRAFT_FILES_MAX]; // of the unit's files; NULL: uploaded
};

// Begins at `next` of each partition.
struct draft *draft_new(const struct progress *partitions, size_t n, struct str writer,
                        struct str dimension);
struct draft *draft_after(const struct draft *draft); // at its ends
// What comes next is of the topic with that id, n == 0: it is not known. The unit has it
// as long as all was of the same. ST_DATA: it is another one.
enum status draft_note_topic(struct draft *draft, struct str topic_id, struct err *err);
void draft_move(struct draft *draft, struct span *span, int64_t next);
// The run's records [from, next) are taken, and the offsets behind them that have none:
// the span ends where the next record begins, with what the run tells of all of them.
void draft_advance(struct draft *draft, struct span *span, const struct run *run,
                   size_t from, size_t next);
bool draft_is_empty(const struct draft *draft);                  // no offset was passed
struct span *draft_span(struct draft *draft, int32_t partition); // NULL: not of it
// The file's name in tmp is not known yet; takes the spool's file over.
void draft_add_file(struct draft *draft, const struct entry_file *file,
                    struct spool_file *spool);
void draft_discard_spool(struct draft *draft, size_t file); // uploaded
void draft_free(struct draft *draft);

#endif
