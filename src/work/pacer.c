// SPDX-License-Identifier: Apache-2.0
#include "work/pacer.h"

enum {
    PAUSE_MS = 1000, // longest wait
    BEHIND_MS = 20   // for records that are on their way
};

void pacer_init(struct pacer *pacer)
{
    *pacer = (struct pacer){0};
    pacer_set(pacer, TIMER_HELD, PACER_NEVER);
    pacer_set(pacer, TIMER_UNIT, PACER_NEVER);
    pacer_set(pacer, TIMER_ANSWER, PACER_NEVER);
}

void pacer_set(struct pacer *pacer, enum timer timer, int64_t at_ms)
{
    pacer->timers[timer].at_ms = at_ms;
}

bool pacer_is_due(const struct pacer *pacer, enum timer timer, int64_t now_ms)
{
    return now_ms >= pacer->timers[timer].at_ms;
}

int64_t pacer_again(struct pacer *pacer, enum timer timer, int64_t now_ms)
{
    int64_t until_ms = now_ms;
    (void)retry_again(&pacer->timers[timer].retry, now_ms, now_ms, INT64_MAX, &until_ms);
    return until_ms;
}

bool pacer_is_first(const struct pacer *pacer, enum timer timer)
{
    return pacer->timers[timer].retry.delay_ms == RETRY_FIRST_MS;
}

void pacer_went_well(struct pacer *pacer, enum timer timer)
{
    retry_reset(&pacer->timers[timer].retry);
}

static int64_t earlier(const struct pacer *pacer, enum timer timer, int64_t ms)
{
    int64_t at_ms = pacer->timers[timer].at_ms;
    return at_ms < ms ? at_ms : ms;
}

// While nothing is read nothing that is held back is tried.
int64_t pacer_next_ms(const struct pacer *pacer, int64_t now_ms)
{
    bool reads = pacer_is_due(pacer, TIMER_READ, now_ms);
    int64_t at_ms = earlier(pacer, reads ? TIMER_HELD : TIMER_READ, now_ms + PAUSE_MS);
    at_ms = earlier(pacer, TIMER_UNIT, at_ms);
    at_ms = earlier(pacer, TIMER_ANSWER, at_ms);
    return at_ms > now_ms ? at_ms - now_ms : 0;
}

int64_t pacer_nap_until(int64_t now_ms, int64_t ms)
{
    return now_ms + (ms < PAUSE_MS ? ms : PAUSE_MS);
}

int64_t pacer_poll_ms(const struct pacer *pacer, int64_t now_ms)
{
    if (!pacer->batch.is_open)
        return pacer_next_ms(pacer, now_ms);
    return pacer->batch.is_behind ? BEHIND_MS : 0;
}

void pacer_polled(struct pacer *pacer, const struct stream_event *event, int64_t now_ms,
                  int64_t interval_ms)
{
    bool is_idle = event->kind == STREAM_IDLE, was_open = pacer->batch.is_open;
    pacer->batch.is_behind = is_idle && event->is_behind;
    if (was_open && is_idle && !event->is_behind) {
        pacer->batch.is_open = false;
        pacer_set(pacer, TIMER_READ, pacer->batch.began_ms + interval_ms);
    } else if (!was_open && event->kind == STREAM_RUN) {
        pacer->batch.is_open = true;
        pacer->batch.began_ms = now_ms;
    }
}

void pacer_begin(struct pacer *pacer)
{
    pacer->batch.is_open = false;
    pacer_set(pacer, TIMER_READ, 0);
}
