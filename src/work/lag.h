// SPDX-License-Identifier: Apache-2.0
// How far reading is behind the topic. Where a partition of ours ends the stream tells
// (stream.h, ahead), twice a second; only while it does not the topic is asked, for one
// partition's end now and then, so that each is asked about every 10 s. With a status
// server it is about the whole job: those that the log knows and that are not ours are
// asked twice a second, and what is not read there is looked at for its age.
#ifndef WORK_LAG_H
#define WORK_LAG_H

#include "commit/engine_status.h"
#include "core/env.h"
#include "work/message.h"
#include "work/pacer.h"

struct lag_partition {
    bool is_told;             // by the stream, at the last look
    bool is_silent;           // its last question had no answer
    struct board_mark unread; // the next record, where it is at hand
};

// All borrowed.
struct lag_parts {
    struct stream *stream;
    const struct topic *topic; // its name
    struct env *env;
    struct engine_status *status;
    struct pacer *pacer; // its TIMER_LAG_...
    bool is_whole;       // also those of others
    // Asked in the stream's place; NULL: nobody is.
    void (*ahead)(void *context, int32_t partition, struct stream_ahead *ret);
    void *context;
};

struct lag {
    struct lag_parts parts;
    struct lag_partition *ours; // by place in the unit's spans
    size_t n, n_told, n_silent;
    bool is_away; // the stream said that its brokers are, and nothing came since
    size_t at;    // whose turn it is: of ours, then of those that the log knows
    struct stream_start *known; // of all partitions that the log knows: where it stands
    size_t n_known;
};

void lag_init(struct lag *lag, const struct lag_parts *parts);
// Ours are these from now on.
void lag_reset(struct lag *lag, const struct progress *ours, size_t n);
// What the log has.
void lag_learn(struct lag *lag, const struct progress *log, size_t n);
// The stream says that its brokers are away; something has come from them. The first
// sign, of whatever kind, after they were away or silent is said.
void lag_away(struct lag *lag);
void lag_sign(struct lag *lag);
// Looks at what the stream tells. `unit`, here and below: the open one, or NULL: none are
// ours.
void lag_look(struct lag *lag, const struct unit *unit);
// The question when it is time for one, else NULL.
struct message *lag_ask(struct lag *lag, const struct unit *unit, int64_t generation);
// Its answer. A partition that does not answer is asked again later; that it does not is
// said each time.
void lag_told(struct lag *lag, const struct message *message, const struct unit *unit);
void lag_release(struct lag *lag);

#endif
