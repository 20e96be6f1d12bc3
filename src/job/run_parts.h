// SPDX-License-Identifier: Apache-2.0
// A plan assembled into what runs it: its place on this machine, spool, storage, stream,
// tables and executor. One thread opens and closes; what runs has threads of its own
// (run_threads.h).
#ifndef JOB_RUN_PARTS_H
#define JOB_RUN_PARTS_H

#include "commit/engine_status.h"
#include "commit/prepared_claim.h"
#include "core/spool.h"
#include "job/pipeline.h"
#include "job/run_hands.h"
#include "job/slot.h"
#include "job/stream.h"
#include "job/tables.h"
#include "log/job.h"
#include "status/server.h"
#include "work/mailbox.h"

// In the order in which they are opened.
struct run_parts {
    struct pipeline *pipeline; // borrowed
    struct engine_status *status;
    struct status_server *server; // NULL: none is wanted
    struct slot slot;
    struct spool *spool;
    struct storage *storage;               // the committer's
    struct storage *uploads;               // the same place, the uploader's
    struct storage *lanes[MAIL_LANES_MAX]; // and its lanes'; NULL: there is none
    struct stream_parts stream;
    struct stream_parts teller; // a coordinator's; empty: there is none
    struct file_writer *writer;
    struct tables tables;
    struct executor *executor;
    struct run_hands hands;          // they read in the worker's place, if there are any
    struct prepared_claim *prepared; // for the committer; NULL: nothing is prepared
    struct job job; // job.dimension: version of the tables that were read
    struct buf schema_text;
};

// `ret` is to be released also when it fails.
enum status run_parts_open_aside(struct pipeline *pipeline, struct run_parts *ret,
                                 struct err *err); // by stream_open_aside
// To make units: reads what it is told, as no member of the group.
enum status run_parts_open_maker(struct pipeline *pipeline, struct run_parts *ret,
                                 struct err *err);
// The same in parts, where an engine elsewhere stands between reading and writing:
// neither has tables, whose version is `dimension`.
enum status run_parts_open_reader(struct pipeline *pipeline, const char *dimension,
                                  struct run_parts *ret, struct err *err);
enum status run_parts_open_writer(struct pipeline *pipeline, const char *dimension,
                                  struct run_parts *ret, struct err *err);
// To commit what others make: the topic alone of the stream, no tables, no executor.
enum status run_parts_open_coordinator(struct pipeline *pipeline, bool once,
                                       struct run_parts *ret, struct err *err);
enum status run_parts_open(struct pipeline *pipeline, bool once, struct run_parts *ret,
                           struct err *err);
void run_parts_release(struct run_parts *parts);

#endif
