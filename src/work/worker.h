// SPDX-License-Identifier: Apache-2.0
// Reads the stream and makes units of work: records in, finished files and next offsets
// out. Publishes nothing; its committer does.
//
// How: on an assignment it asks the committer where the log stands, checks with the topic
// that this still makes sense, has the committer claim the partitions, and reads on from
// there. Runs are decoded, enriched and encoded into spool files; a unit ends by
// commit.interval, .bytes or .rows, by a revoke or a stop, or at the end of a run --once.
// With one unit more than the mail's `ahead` under way it holds the stream and only keeps
// its membership.
//
// Threads: one, which also owns stream, decoder, executor, writer and spool; with hands
// the stream alone, and each hand has its own of all (hand.h). Only
// worker_stop() may be called from elsewhere. From open to free the topic has the
// worker's deadline.
// Errors: a final one ends it; worker_result() has the text. Nothing is lost by that:
// what is not committed is read again.
#ifndef WORK_WORKER_H
#define WORK_WORKER_H

#include "base/asker.h"
#include "commit/engine_status.h"
#include "core/codec.h"
#include "core/env.h"
#include "core/file_writer.h"
#include "core/spool.h"
#include "core/stream.h"
#include "core/topic.h"
#include "log/job.h"
#include "table/executor.h"
#include "work/mailbox.h"

struct worker;
struct hand;

// All borrowed; they outlive the worker.
struct worker_parts {
    const struct job *job;
    struct stream *stream;
    struct topic *topic; // what the stream reads
    struct asker *asker; // of questions to the topic
    struct decoder *decoder;
    struct executor *executor;
    struct file_writer *writer;
    struct spool *spool;
    struct env *env;
    struct mail *mail;
    struct engine_status *status;
    struct hand **hands; // read for it (hand.h); with one or more it reads nothing itself
    size_t n_hands;
    struct shares *shares; // of all hands; NULL: there are none
};

struct worker *worker_open(const struct worker_parts *parts);
// Does one bounded piece: a run, an event, an answer. Waits only inside stream's poll,
// at most a second.
struct wait worker_step(struct worker *worker);
// Asks it to commit what it has and end, within so many ms; 0: however long that takes.
// What the topic is being asked for is not waited for, and committer and topic get that
// deadline. May be called again with less time, also when worker or committer has ended.
// Any thread, one at a time.
void worker_stop(struct worker *worker, int64_t within_ms);
// After WAIT_DONE: ST_OK, or why it ended.
enum status worker_result(const struct worker *worker, struct err *ret);
void worker_free(struct worker *worker);

#endif
