// SPDX-License-Identifier: Apache-2.0
// Pauses between tries: 200 ms, doubling to 3 s, each by chance between half of it and
// all of it, so that many workers do not come at once. Zero is a valid start. Any thread.
#ifndef HTTP_BACKOFF_H
#define HTTP_BACKOFF_H

#include "core/deadline.h"
#include "core/env.h"

struct http_backoff {
    int64_t last_ms; // 0: no pause yet
};

// Sleeps until the next try, `most_ms` at most. False: the deadline ended it.
bool http_backoff_pause(struct http_backoff *backoff, struct env *env, int64_t most_ms,
                        const struct deadline *deadline);

#endif
