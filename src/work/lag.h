// SPDX-License-Identifier: Apache-2.0
// How far reading is behind the topic: asks for one partition's end now and then, so that
// each is asked about every 10 s.
#ifndef WORK_LAG_H
#define WORK_LAG_H

#include "commit/engine_status.h"
#include "core/env.h"
#include "work/message.h"

struct lag {
    int64_t *records; // by place in the unit's spans
    int64_t *ms;
    size_t n;
    size_t at;       // whose turn it is
    int64_t next_ms; // monotonic, of the next question
    bool *is_silent; // its last question had no answer
    size_t n_silent;
};

void lag_reset(struct lag *lag, size_t n, struct engine_status *status);
// The question when it is time for one, else NULL.
struct message *lag_ask(struct lag *lag, struct env *env, const struct unit *unit,
                        int64_t generation);
// Its answer, `unit` being open. A partition that does not answer is asked again later;
// that it does not is said each time.
void lag_told(struct lag *lag, const struct message *message, struct str topic,
              struct env *env, const struct unit *unit, struct engine_status *status);
void lag_release(struct lag *lag);

#endif
