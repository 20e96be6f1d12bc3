// SPDX-License-Identifier: Apache-2.0
// How far reading is behind the topic: asks for one partition's end now and then, so that
// each is asked about every 10 s. With a status server it is about the whole job: each
// partition that the log knows is asked twice a second, also those of other workers,
// and what is not read there is looked at for its age.
#ifndef WORK_LAG_H
#define WORK_LAG_H

#include "commit/engine_status.h"
#include "core/env.h"
#include "work/message.h"

struct lag {
    int64_t *records; // by place in the unit's spans
    int64_t *ms;
    size_t n;
    size_t at;       // whose turn it is: of ours, then of those that the log knows
    int64_t next_ms; // monotonic, of the next question
    bool *is_silent; // of ours: its last question had no answer
    size_t n_silent;
    struct stream_start *known; // of all partitions that the log knows: where it stands
    size_t n_known;
};

// Whom and what to ask about.
struct lag_question {
    const struct unit *unit; // open, or NULL: none are ours
    bool is_whole;           // also those of others
    bool is_read;            // nothing of ours is read and not committed
    int64_t generation;
};

// Ours are these from now on.
void lag_reset(struct lag *lag, const struct progress *ours, size_t n,
               struct engine_status *status);
// What the log has.
void lag_learn(struct lag *lag, const struct progress *log, size_t n,
               struct engine_status *status);
// The question when it is time for one, else NULL.
struct message *lag_ask(struct lag *lag, struct env *env,
                        const struct lag_question *question);
// Its answer, `unit` being open or NULL. A partition that does not answer is asked again
// later; that it does not is said each time.
void lag_told(struct lag *lag, const struct message *message, struct str topic,
              struct env *env, const struct unit *unit, struct engine_status *status);
void lag_release(struct lag *lag);

#endif
