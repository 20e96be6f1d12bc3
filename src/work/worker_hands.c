// SPDX-License-Identifier: Apache-2.0
// A worker with hands (hand.h): what it orders and what they tell.
#include <assert.h>
#include <stdlib.h>

#include "base/log.h"
#include "work/progress.h"
#include "work/worker_inside.h"

static bool has_hands(const struct worker *worker)
{
    return worker->hands.n > 0;
}

void worker_hands_open(struct worker *worker)
{
    worker->hands.items = worker->parts.hands;
    worker->hands.n = worker->parts.n_hands;
    assert(worker->hands.n <= HANDS_MAX);
    for (size_t i = 0; i < worker->hands.n; i++)
        worker->hands.is_resting[i] = true;
}

// The order.

// Until where the partitions that are ordered are to be read.
static void put_ends(const struct worker *worker, const struct progress *positions,
                     size_t n, int64_t *ret)
{
    for (size_t i = 0; i < n; i++)
        ret[i] = goal_end(&worker->goal, positions[i].partition);
}

// Those of one hand: each n-th.
static size_t deal(const struct worker *worker, size_t hand, struct progress *ret)
{
    const struct membership *ours = &worker->membership;
    size_t n = 0;
    for (size_t i = hand; i < ours->n; i += worker->hands.n)
        ret[n++] = ours->positions[i];
    return n;
}

void worker_hands_start(struct worker *worker)
{
    struct hands *hands = &worker->hands;
    const struct membership *ours = &worker->membership;
    AUTO(arena_release) struct arena arena = {0};
    struct progress *positions = arena_array(&arena, ours->n, sizeof(*positions));
    int64_t *ends = arena_array(&arena, ours->n, sizeof(*ends));
    hands->is_off = hands->is_closing = false;
    hands->has_goal = goal_is_known(&worker->goal);
    draft_free(hands->whole);
    hands->whole = draft_new(ours->positions, ours->n, str_of(ours->writer),
                             worker->parts.job->dimension);
    for (size_t i = 0; i < hands->n; i++) {
        size_t n = deal(worker, i, positions);
        hands->is_resting[i] = hands->is_read[i] = n == 0;
        put_ends(worker, positions, n, ends);
        if (n > 0)
            hand_read(hands->items[i], ours->generation, positions, ends, n,
                      ours->writer);
    }
}

// It has become known meanwhile.
static void tell_goal(struct worker *worker)
{
    struct hands *hands = &worker->hands;
    AUTO(arena_release) struct arena arena = {0};
    struct progress *positions =
        arena_array(&arena, worker->membership.n, sizeof(*positions));
    int64_t *ends = arena_array(&arena, worker->membership.n, sizeof(*ends));
    hands->has_goal = true;
    for (size_t i = 0; i < hands->n; i++) {
        size_t n = deal(worker, i, positions);
        put_ends(worker, positions, n, ends);
        if (n > 0)
            hand_goal(hands->items[i], ends, n);
    }
}

void worker_hands_close(struct worker *worker)
{
    struct hands *hands = &worker->hands;
    if (hands->is_closing)
        return;
    hands->is_closing = true;
    for (size_t i = 0; i < hands->n; i++)
        if (!hands->is_resting[i])
            hand_close(hands->items[i]);
}

void worker_hands_drop(struct worker *worker)
{
    struct hands *hands = &worker->hands;
    for (size_t i = 0; i < hands->n; i++) {
        hand_rest(hands->items[i], worker->membership.generation);
        hands->is_resting[i] = true;
    }
    hands->is_off = true;
    draft_free(hands->whole);
    hands->whole = NULL;
}

void worker_hands_end(struct worker *worker)
{
    for (size_t i = 0; i < worker->hands.n; i++)
        hand_end(worker->hands.items[i]);
}

bool worker_hands_rest(const struct worker *worker)
{
    for (size_t i = 0; i < worker->hands.n; i++)
        if (!worker->hands.is_resting[i])
            return false;
    return true;
}

bool worker_hands_have_read(const struct worker *worker)
{
    for (size_t i = 0; i < worker->hands.n; i++)
        if (!worker->hands.is_read[i])
            return false;
    return true;
}

// What they tell.

static void take_unit(struct worker *worker, struct message *made)
{
    struct hand *hand = worker->hands.items[made->hand - 1];
    if (worker->hands.is_off || made->generation != worker->membership.generation) {
        hand_answered(hand);
        return;
    }
    struct message *message = message_new(ASK_UNIT, made->generation);
    message->hand = made->hand;
    message->draft = made->draft;
    made->draft = NULL;
    worker_send(worker, message);
    worker->n_units++;
}

static void take_away(struct worker *worker, const struct message *message)
{
    goal_waits(&worker->goal, message->err.text);
    if (!worker->lag.is_away)
        log_warn("%s; waiting", message->err.text);
    lag_away(&worker->lag);
}

bool worker_hands_take(struct worker *worker, struct message *message)
{
    bool is_of_now = message->generation == worker->membership.generation;
    size_t i = (size_t)message->hand - 1;
    switch (message->kind) {
    case TELL_MADE:
        take_unit(worker, message);
        return true;
    case TELL_RESTS:
        if (is_of_now)
            worker->hands.is_resting[i] = true;
        return true;
    case TELL_READ:
        if (is_of_now)
            worker->hands.is_read[i] = true;
        return true;
    case TELL_AWAY:
        hand_heard(worker->hands.items[i]);
        take_away(worker, message);
        return true;
    case TELL_CUT: // it was asked to stop, and will be told how fast
        if (atomic_load(&worker->stop_at_ms) == 0)
            worker_stop(worker, 0);
        return true;
    default:
        return false;
    }
}

void worker_hands_answered(struct worker *worker, const struct message *message)
{
    if (has_hands(worker))
        hand_answered(worker->hands.items[message->hand - 1]);
}

// Where they stand.

static void take_place(struct hands *hands, const struct hand_place *place)
{
    struct span *span = draft_span(hands->whole, place->partition);
    assert(span != NULL);
    span->next = place->next;
    hands->ahead[span - hands->whole->unit.spans] = place->ahead;
}

static void look(struct worker *worker)
{
    struct hands *hands = &worker->hands;
    size_t n = hands->whole->unit.n_spans;
    AUTO(arena_release) struct arena arena = {0};
    struct hand_place *places = arena_array(&arena, n, sizeof(*places));
    hands->ahead = mem_resize(hands->ahead, n + 1, sizeof(*hands->ahead));
    for (size_t i = 0; i < n; i++)
        hands->ahead[i] = (struct stream_ahead){-1, -1};
    for (size_t i = 0; i < hands->n; i++) {
        size_t n_told =
            hand_look(hands->items[i], worker->membership.generation, places, n);
        for (size_t j = 0; j < n_told; j++)
            take_place(hands, &places[j]);
    }
}

void worker_hands_ahead(void *context, int32_t partition, struct stream_ahead *ret)
{
    struct worker *worker = context;
    struct hands *hands = &worker->hands;
    const struct span *span = draft_span(hands->whole, partition);
    *ret = hands->ahead[span - hands->whole->unit.spans];
}

void worker_hands_step(struct worker *worker)
{
    struct hands *hands = &worker->hands;
    if (!has_hands(worker) || hands->whole == NULL)
        return;
    int64_t n_read = atomic_load(&worker->parts.status->n_read);
    if (n_read != hands->n_read)
        lag_sign(&worker->lag);
    hands->n_read = n_read;
    if (!hands->has_goal && goal_is_known(&worker->goal))
        tell_goal(worker);
    if (pacer_is_due(&worker->reading.pacer, TIMER_LAG_LOOK, worker_clock_ms(worker)))
        look(worker);
}

int64_t worker_hands_stepped_ms(const struct worker *worker)
{
    int64_t ms = worker_clock_ms(worker);
    for (size_t i = 0; i < worker->hands.n; i++) {
        int64_t stepped_ms = hand_stepped_ms(worker->hands.items[i]);
        if (stepped_ms != 0 && stepped_ms < ms)
            ms = stepped_ms;
    }
    return ms;
}

void worker_hands_release(struct worker *worker)
{
    draft_free(worker->hands.whole);
    free(worker->hands.ahead);
}
