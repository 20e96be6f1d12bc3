// SPDX-License-Identifier: Apache-2.0
// When a worker does what: all its timers, and how long it may wait for the stream. Pure:
// times in (monotonic, in ms), times out.
//
// A micro-batch begins with the first run that comes and takes all that is there, also
// what is on its way while the stream has more; then nothing is read until
// batch.interval after it began, so that what arrives meanwhile comes as one.
#ifndef WORK_PACER_H
#define WORK_PACER_H

#include "commit/retry.h"
#include "core/stream.h"

#define PACER_NEVER INT64_MAX

enum {
    PACER_ANSWER_MS = 50 // how often membership is looked after while answers are awaited
};

enum timer {
    // These end a wait.
    TIMER_READ,   // nothing is read before it; its pauses are those of stream and topic
    TIMER_HELD,   // a partition that is held back is tried again
    TIMER_UNIT,   // the open unit is to be committed
    TIMER_ANSWER, // mail is looked at, which does not end a wait for the stream
    // These are looked at when a wait is over.
    TIMER_GOAL,     // --once: where the topic ends is asked
    TIMER_ONCE,     // --once: has waited for too long
    TIMER_TAIL,     // --once: the log is read for what others commit
    TIMER_WATCH,    // the same, for the lag of the whole job
    TIMER_LATE,     // late partitions are asked
    TIMER_LAG_LOOK, // what the stream tells
    TIMER_LAG_ASK,  // and where it does not, the topic
    TIMER_RETURN,   // partitions that go away are let go
    TIMER_IDLE,     // that there are no partitions is said
    TIMERS_N
};

struct pacer {
    struct {
        int64_t at_ms; // 0: at once
        struct retry retry;
    } timers[TIMERS_N];
    struct {
        int64_t began_ms;
        bool is_open;   // it takes more of what is there
        bool is_behind; // the last poll found nothing at hand, though there is more
    } batch;
};

void pacer_init(struct pacer *pacer); // HELD, UNIT and ANSWER never, the others at once
void pacer_set(struct pacer *pacer, enum timer timer, int64_t at_ms);
bool pacer_is_due(const struct pacer *pacer, enum timer timer, int64_t now_ms);
// What the timer is for failed: when to try again, after a pause that grows from failure
// to failure. The timer stays as it is.
int64_t pacer_again(struct pacer *pacer, enum timer timer, int64_t now_ms);
bool pacer_is_first(const struct pacer *pacer, enum timer timer); // that was the first
void pacer_went_well(struct pacer *pacer, enum timer timer);
// When next: how long until the first timer that ends a wait, a second at most.
int64_t pacer_next_ms(const struct pacer *pacer, int64_t now_ms);
// A nap of so long, a second at most: until when.
int64_t pacer_nap_until(int64_t now_ms, int64_t ms);

// How long a poll for runs waits: until the next timer for a micro-batch to begin, and
// hardly inside of one.
int64_t pacer_poll_ms(const struct pacer *pacer, int64_t now_ms);
// What that poll came to; sets TIMER_READ when the micro-batch is over.
void pacer_polled(struct pacer *pacer, const struct stream_event *event, int64_t now_ms,
                  int64_t interval_ms);
void pacer_begin(struct pacer *pacer); // reading begins: at once, with a new micro-batch

#endif
