// SPDX-License-Identifier: Apache-2.0
// Looks at a job again and again, on a thread of its own, so that whoever shows it never
// waits: a job's log and topic (survey.h), or the /status.json of one that runs.
//
// Threads: one owner. Errors of a look are its outcome; the next one is tried as well.
#ifndef JOB_LOOKOUT_H
#define JOB_LOOKOUT_H

#include "job/pipeline.h"

enum {
    LOOKOUT_MS = 30000,         // longest look
    LOOKOUT_JSON_MAX = 16 << 20 // bytes of one
};

struct lookout;

// Of a pipeline, which is borrowed and nobody else's meanwhile, or where that is NULL of
// the server at an http:// or https:// address. ST_USAGE: it is not an address.
enum status lookout_open(struct pipeline *pipeline, const char *url, int64_t every_ms,
                         struct lookout **ret, struct err *err);
// Readable when there is a look that was not taken.
int lookout_fd(const struct lookout *lookout);
// The newest look that was not taken: its JSON into `ret`, or why there is none as status
// and text. ST_STOP: there is no new one.
enum status lookout_take(struct lookout *lookout, struct buf *ret, struct err *err);
void lookout_close(
    struct lookout *lookout); // waits for a look, which ends within seconds

#endif
