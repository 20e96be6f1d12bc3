// SPDX-License-Identifier: Apache-2.0
// How far reading is behind the topic: asks the source for one partition's end now and
// then, so that each is asked about every 10 s.
#ifndef ENGINE_LAG_H
#define ENGINE_LAG_H

#include "core/env.h"
#include "core/source.h"
#include "engine/engine_status.h"
#include "engine/unit.h"

struct lag {
    int64_t *records; // by place in the unit's spans
    int64_t *ms;
    size_t n;
    size_t at;       // whose turn it is
    int64_t next_ms; // monotonic, of the next question
    bool is_silent;  // the last question had no answer
};

void lag_reset(struct lag *lag, size_t n, struct engine_status *status);
// Asks when it is time. A source that does not answer is asked again later; that it does
// not is said each time.
void lag_step(struct lag *lag, struct source *source, struct env *env,
              const struct unit *unit, struct engine_status *status);
void lag_release(struct lag *lag);

#endif
