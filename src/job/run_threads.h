// SPDX-License-Identifier: Apache-2.0
// Runs worker, uploader and committer, each on a thread of its own, and watches: numbers
// for people now and then, a look at the staged tables, the stop.
#ifndef JOB_RUN_THREADS_H
#define JOB_RUN_THREADS_H

#include "job/run_parts.h"

struct run_shown {
    bool as_json; // numbers as JSON lines on stdout
    bool often;   // there is somebody who watches
};

enum status run_threads(const struct run_parts *parts, struct run_shown shown,
                        struct err *err);

#endif
