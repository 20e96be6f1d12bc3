// SPDX-License-Identifier: Apache-2.0
// The data's way through a worker: runs in, a unit of work out.
//
// A micro-batch is what one poll gave, at most batch.records of it: decoded, enriched in
// slices of the row buffer, encoded into the unit's data file; what could not be read
// goes to its dead letters. One thread.
#ifndef WORK_INTAKE_H
#define WORK_INTAKE_H

#include "work/share_window.h"
#include "work/spool_writer.h"
#include "work/worker.h"

struct intake {
    const struct worker_parts *parts; // borrowed
    struct draft *draft;              // of the open unit, or NULL
    bool is_cut;                      // the executor was asked to stop within a run
    int64_t opened_ms;                // monotonic, of the unit's first offsets
    struct spool_writer data, dead;
    struct batch batch;
    struct buf rows;
    struct buf json;
    struct share_window bad;       // of all that are not ignored
    struct share_window unmatched; // of those that could be read; only with match.min
    bool is_match_low;             // and that was said
    int32_t last_partition;        // where the last bad record is
    int64_t last_offset;
    struct buf last_reason;
    struct board_batch shown; // of the batch, for the board
};

void intake_init(struct intake *intake, const struct worker_parts *parts);
void intake_begin(struct intake *intake, struct draft *draft); // empty; takes it over
// Takes a run into the open unit. ST_RETRY: what its decoder waits for is not there; the
// *ret_n_used records before are taken. ST_OK with fewer than all: the program is asked
// to stop; they are to be read again.
enum status intake_run(struct intake *intake, const struct run *run, size_t *ret_n_used,
                       struct err *err);
// The words for a gap that on_gap = 'fail' does not pass over. ST_DATA.
enum status intake_refuse_gap(struct str topic, const struct stream_gap *gap,
                              struct err *err);
// With on_gap = 'record': notes that the offsets up to `low` have left the topic.
enum status intake_gap(struct intake *intake, const struct stream_gap *gap,
                       struct err *err);
// All that a run --once wants is read: too many bad records, or too few that match,
// however few there were, are ST_DATA, before the last unit is handed over.
enum status intake_check_end(struct intake *intake, struct err *err);
bool intake_is_due(const struct intake *intake, int64_t now_ms); // by the settings
// Hands the unit over, finished; none is open after it.
enum status intake_finish(struct intake *intake, struct draft **ret, struct err *err);
void intake_drop(struct intake *intake); // the open unit, if there is one
void intake_release(struct intake *intake);

#endif
