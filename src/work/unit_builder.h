// SPDX-License-Identifier: Apache-2.0
// Runs in, a unit out: the data's way through a worker. Knows of no mail and no
// membership, so that a process that has neither may make units.
//
// A micro-batch is what one poll gave, at most batch.records of it: decoded, enriched in
// slices of the row buffer, encoded into the unit's data file; what could not be read
// goes to its dead letters. One thread.
#ifndef WORK_UNIT_BUILDER_H
#define WORK_UNIT_BUILDER_H

#include "commit/engine_status.h"
#include "core/codec.h"
#include "core/env.h"
#include "core/file_writer.h"
#include "core/spool_writer.h"
#include "core/topic.h"
#include "log/job.h"
#include "table/executor.h"
#include "work/draft.h"
#include "work/shares.h"

// All borrowed; they outlive the builder.
struct unit_builder_parts {
    const struct job *job;
    const struct topic *topic; // its names
    struct stream *stream;     // for the headers of the run that it gave last
    struct decoder *decoder;
    struct executor *executor;
    struct file_writer *writer;
    struct spool *spool;
    struct env *env;
    struct engine_status *status;
    // Of several that build at once (hand.h).
    int hand;                    // from 0
    struct shares *shares;       // NULL: its own
    _Atomic int64_t *stepped_ms; // its sign of life; NULL: the board's
};

struct unit_builder {
    struct unit_builder_parts parts;
    struct draft *draft; // of the open unit, or NULL
    bool is_cut;         // the executor was asked to stop within a run
    int64_t opened_ms;   // monotonic, of the unit's first offsets
    struct spool_writer data, dead;
    struct batch batch;
    struct buf rows;
    struct buf json;
    struct shares own_shares;
    struct shares *shares;
    struct board_batch shown; // of the batch, for the board
};

void unit_builder_init(struct unit_builder *builder,
                       const struct unit_builder_parts *parts);
void unit_builder_begin(struct unit_builder *builder,
                        struct draft *draft); // empty; takes it over
// Takes a run into the open unit. ST_RETRY: what its decoder waits for is not there; the
// *ret_n_used records before are taken. ST_OK with fewer than all: the program is asked
// to stop; they are to be read again.
enum status unit_builder_run(struct unit_builder *builder, const struct run *run,
                             size_t *ret_n_used, struct err *err);
// The words for a gap that on_gap = 'fail' does not pass over. ST_DATA.
enum status unit_builder_refuse_gap(struct str topic, const struct stream_gap *gap,
                                    struct err *err);
// With on_gap = 'record': notes that the offsets up to `low` have left the topic.
enum status unit_builder_gap(struct unit_builder *builder, const struct stream_gap *gap,
                             struct err *err);
// All that a run --once wants is read: too many bad records, or too few that match,
// however few there were, are ST_DATA, before the last unit is handed over.
enum status unit_builder_check_end(struct unit_builder *builder, struct err *err);
bool unit_builder_is_due(const struct unit_builder *builder,
                         int64_t now_ms); // by the settings
// Hands the unit over, finished; none is open after it.
enum status unit_builder_finish(struct unit_builder *builder, struct draft **ret,
                                struct err *err);
void unit_builder_drop(struct unit_builder *builder); // the open unit, if there is one
void unit_builder_release(struct unit_builder *builder);

#endif
