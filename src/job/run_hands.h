// SPDX-License-Identifier: Apache-2.0
// What the hands of a run's worker have for their own (SET workers): each a stream that
// is no member of the group, a decoder, an executor over the shared tables, a writer and
// a spool. One thread opens and closes.
#ifndef JOB_RUN_HANDS_H
#define JOB_RUN_HANDS_H

#include "core/spool.h"
#include "job/stream.h"
#include "job/tables.h"
#include "work/shares.h"

struct run_hand {
    struct stream_parts stream; // topic and asker are the worker's
    struct file_writer *writer;
    struct executor *executor;
    struct spool *spool;
};

struct run_hands {
    struct run_hand *items;
    size_t n; // 0: the worker reads by itself
    struct shares *shares;
};

// ST_USAGE: several are wanted of a query that SQLite runs or is asked by.
enum status run_hands_check(const struct plan *plan, struct err *err);
// As many as SET workers says of that stream. `ret` is to be released also when it
// fails.
enum status run_hands_open(struct pipeline *pipeline, const struct stream_parts *stream,
                           struct tables *tables, struct run_hands *ret, struct err *err);
// Before the topic is closed, and after the asker.
void run_hands_release(struct run_hands *hands);

#endif
