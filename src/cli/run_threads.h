// SPDX-License-Identifier: Apache-2.0
// Runs worker, committer and prober, each on a thread of its own, and watches: numbers
// for people now and then, a look at the staged tables, the stop.
#ifndef CLI_RUN_THREADS_H
#define CLI_RUN_THREADS_H

#include "cli/pipeline.h"
#include "csv/field.h"
#include "work/commit_service.h"
#include "work/prober.h"
#include "work/worker.h"

struct run_threads_parts {
    const struct pipeline *pipeline;
    const struct job *job; // job->dimension: version of the tables that were read
    struct source *source;
    struct decoder *decoder;
    struct executor *executor;
    struct encoder *encoder;
    struct spool *spool;
    struct storage *storage;
    const struct csv_padded *padded; // keys of the stream; NULL: nobody counts them
    bool json;
};

enum status run_threads(const struct run_threads_parts *parts, struct err *err);

#endif
