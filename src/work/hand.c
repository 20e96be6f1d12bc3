// SPDX-License-Identifier: Apache-2.0
#include "work/hand.h"

#include <assert.h>
#include <stdlib.h>

#include "base/lock.h"
#include "base/log.h"
#include "base/queue.h"
#include "work/message.h"
#include "work/reading.h"

enum {
    IDLE_MS = 500, // a wait for orders
    LOOK_MS = 500  // between two looks at where it stands
};

enum wish {
    WISH_REST,
    WISH_READ,
    WISH_CLOSE,
    WISH_END
};

enum hand_phase {
    HAND_RESTS,
    HAND_READS,
    HAND_IS_CUT, // within a run: waits for the order to close
    HAND_CLOSES,
    HAND_HAS_ENDED
};

struct order {
    int64_t generation;
    int64_t n_begun; // orders to read so far
    enum wish wish;
    struct progress *positions;
    int64_t *ends; // INT64_MAX: not known
    size_t n, capacity;
    char writer[UUID_TEXT];
};

struct hand {
    struct hand_parts parts;
    struct queue *bell; // empty; for its sleep and wake

    // Between the worker and the hand.
    struct lock lock;
    struct order order;
    struct hand_place *places;
    size_t n_places;
    int64_t places_generation;
    _Atomic int64_t n_orders;
    _Atomic int n_units;  // handed over, not answered
    _Atomic bool is_away; // told, and not heard yet
    _Atomic int64_t stepped_ms;

    // The hand's own.
    struct reading reading;
    enum hand_phase phase;
    int64_t n_taken, n_begun, generation;
    int64_t *ends; // by place among the unit's spans
    bool is_started;
    bool is_to_stop; // the stream
    bool has_failed; // and has told it: until the next order its stream is left alone
    bool is_read;    // told
    int64_t look_at_ms;
};

static int64_t clock_ms(const struct hand *hand)
{
    struct env *env = hand->parts.builder.env;
    return env->ops->monotonic_ms(env);
}

struct hand *hand_open(const struct hand_parts *parts)
{
    struct hand *hand = mem_zalloc(sizeof(*hand));
    struct unit_builder_parts builder = parts->builder;
    hand->parts = *parts;
    hand->bell = queue_open(1);
    hand->generation = hand->order.generation = hand->places_generation = -1;
    builder.hand = parts->number - 1;
    builder.stepped_ms = &hand->stepped_ms;
    reading_init(&hand->reading, &builder);
    return hand;
}

void hand_free(struct hand *hand)
{
    if (hand == NULL)
        return;
    reading_release(&hand->reading);
    free(hand->order.positions);
    free(hand->order.ends);
    free(hand->places);
    free(hand->ends);
    queue_free(hand->bell);
    free(hand);
}

// Orders, on the worker's thread.

static void wake(struct hand *hand)
{
    struct stream *stream = hand->parts.builder.stream;
    stream->ops->wake(stream);
    queue_wake(hand->bell);
}

static void give(struct hand *hand)
{
    atomic_fetch_add(&hand->n_orders, 1);
    lock_give(&hand->lock);
    wake(hand);
}

void hand_read(struct hand *hand, int64_t generation, const struct progress *positions,
               const int64_t *ends, size_t n, const char *writer)
{
    struct order *order = &hand->order;
    lock_take(&hand->lock);
    order->generation = generation;
    order->wish = WISH_READ;
    order->n_begun++;
    order->positions = mem_resize(order->positions, n + 1, sizeof(*positions));
    order->ends = mem_resize(order->ends, n + 1, sizeof(*ends));
    order->n = n;
    for (size_t i = 0; i < n; i++) {
        order->positions[i] = positions[i];
        order->ends[i] = ends[i];
    }
    memcpy(order->writer, writer, UUID_TEXT);
    give(hand);
}

void hand_goal(struct hand *hand, const int64_t *ends, size_t n)
{
    lock_take(&hand->lock);
    for (size_t i = 0; i < n && i < hand->order.n; i++)
        hand->order.ends[i] = ends[i];
    give(hand);
}

static void wish(struct hand *hand, enum wish wish, int64_t generation)
{
    lock_take(&hand->lock);
    hand->order.wish = wish;
    hand->order.generation = generation;
    give(hand);
}

void hand_close(struct hand *hand)
{
    wish(hand, WISH_CLOSE, hand->order.generation);
}

void hand_rest(struct hand *hand, int64_t generation)
{
    wish(hand, WISH_REST, generation);
}

void hand_end(struct hand *hand)
{
    wish(hand, WISH_END, hand->order.generation);
}

void hand_answered(struct hand *hand)
{
    atomic_fetch_sub(&hand->n_units, 1);
    wake(hand);
}

void hand_heard(struct hand *hand)
{
    atomic_store(&hand->is_away, false);
}

bool hand_is_ordered(const struct hand *hand)
{
    return atomic_load(&hand->n_orders) != hand->n_taken;
}

int64_t hand_stepped_ms(const struct hand *hand)
{
    return atomic_load_explicit(&hand->stepped_ms, memory_order_relaxed);
}

size_t hand_look(struct hand *hand, int64_t generation, struct hand_place *ret, size_t n)
{
    lock_take(&hand->lock);
    if (hand->places_generation != generation || hand->n_places > n)
        n = 0;
    else
        n = hand->n_places;
    for (size_t i = 0; i < n; i++)
        ret[i] = hand->places[i];
    lock_give(&hand->lock);
    return n;
}

// All that follows is on the hand's thread.

static void tell(struct hand *hand, struct message *message)
{
    message->hand = hand->parts.number;
    bool sent = mailbox_try_push(&hand->parts.mail->to_worker, message);
    assert(sent); // a mailbox holds all that can be under way
    hand->parts.lead->ops->wake(hand->parts.lead);
}

static void tell_kind(struct hand *hand, enum message_kind kind, const struct err *err)
{
    struct message *message = message_new(kind, hand->generation);
    if (err != NULL)
        message->err = *err;
    tell(hand, message);
}

static struct draft *draft_of(const struct hand *hand)
{
    return hand->reading.builder.draft;
}

static void drop(struct hand *hand)
{
    unit_builder_drop(&hand->reading.builder);
    held_clear(&hand->reading.held);
    reading_set_waiting(&hand->reading, false);
    hand->is_to_stop |= hand->is_started;
    hand->is_started = false;
    hand->phase = HAND_RESTS;
}

static void begin(struct hand *hand, const struct order *order)
{
    struct reading *reading = &hand->reading;
    const struct job *job = hand->parts.builder.job;
    unit_builder_begin(
        &reading->builder,
        draft_new(order->positions, order->n, str_of(order->writer), job->dimension));
    pacer_went_well(&reading->pacer, TIMER_READ);
    pacer_begin(&reading->pacer);
    hand->is_read = false;
    hand->look_at_ms = 0;
    hand->phase = HAND_READS;
}

static void take_ends(struct hand *hand, const struct order *order)
{
    hand->ends = mem_resize(hand->ends, order->n + 1, sizeof(*hand->ends));
    for (size_t i = 0; i < order->n; i++)
        hand->ends[i] = order->ends[i];
}

static void take_order(struct hand *hand)
{
    const struct order *order = &hand->order;
    lock_take(&hand->lock);
    hand->n_taken = atomic_load(&hand->n_orders);
    bool is_new = order->n_begun != hand->n_begun;
    hand->n_begun = order->n_begun;
    hand->generation = order->generation;
    hand->has_failed = false;
    if (is_new || order->wish == WISH_REST || order->wish == WISH_END)
        drop(hand);
    take_ends(hand, order);
    if (order->wish == WISH_END)
        hand->phase = HAND_HAS_ENDED;
    else if (order->wish == WISH_CLOSE)
        hand->phase = HAND_CLOSES;
    else if (order->wish == WISH_READ && is_new)
        begin(hand, order);
    lock_give(&hand->lock);
}

// Units.

static bool has_room(const struct hand *hand)
{
    return atomic_load(&hand->n_units) < hand->parts.room;
}

static enum status hand_over(struct hand *hand, struct err *err)
{
    struct draft *draft;
    TRY(unit_builder_finish(&hand->reading.builder, &draft, err));
    struct message *message = message_new(TELL_MADE, hand->generation);
    message->draft = draft;
    atomic_fetch_add(&hand->n_units, 1);
    tell(hand, message);
    return ST_OK;
}

static enum status next_unit(struct hand *hand, struct err *err)
{
    struct draft *next = draft_after(draft_of(hand));
    enum status rc = hand_over(hand, err);
    if (rc == ST_OK)
        unit_builder_begin(&hand->reading.builder, next);
    else
        draft_free(next);
    return rc;
}

// The stream.

static enum status take_run(struct hand *hand, const struct run *run, struct err *err)
{
    TRY(reading_take_run(&hand->reading, run, err));
    if (!hand->reading.builder.is_cut)
        return ST_OK;
    hand->phase = HAND_IS_CUT;
    tell_kind(hand, TELL_CUT, NULL);
    return ST_OK;
}

static enum status take_event(struct hand *hand, const struct stream_event *event,
                              struct err *err)
{
    switch (event->kind) {
    case STREAM_IDLE:
        return ST_OK;
    case STREAM_RUN:
        assert(hand->phase == HAND_READS);
        return take_run(hand, &event->run, err);
    case STREAM_ASSIGN: // all partitions, since nobody shares them out
        hand->is_started = false;
        return ST_OK;
    case STREAM_REVOKE:
    case STREAM_LOST:
        hand->is_to_stop = true;
        hand->is_started = false;
        return ST_OK;
    case STREAM_GAP:
        if (hand->phase != HAND_READS)
            return ST_OK;
        hand->is_started = false;
        return reading_take_gap(&hand->reading, &event->gap, err);
    case STREAM_TROUBLE:
        log_warn("%s; the other partitions go on", event->trouble.reason);
        return ST_OK;
    }
    return ST_OK;
}

static enum status poll_held(struct hand *hand, int64_t timeout_ms, struct err *err)
{
    struct stream_event event;
    TRY(reading_poll_held(&hand->reading, timeout_ms, &event, err));
    return take_event(hand, &event, err);
}

static enum status stop(struct hand *hand, struct err *err)
{
    struct stream *stream = hand->parts.builder.stream;
    TRY(stream->ops->stop(stream, err));
    hand->is_to_stop = false;
    return ST_OK;
}

// Where the unit stands.
static enum status start(struct hand *hand, struct err *err)
{
    AUTO(arena_release) struct arena arena = {0};
    struct stream *stream = hand->parts.builder.stream;
    const struct unit *unit = &draft_of(hand)->unit;
    struct stream_start *starts =
        arena_array(&arena, unit->n_spans, sizeof(struct stream_start));
    for (size_t i = 0; i < unit->n_spans; i++)
        starts[i] = (struct stream_start){unit->spans[i].partition, unit->spans[i].next,
                                          unit->spans[i].epoch};
    TRY(stream->ops->start(stream, starts, unit->n_spans, err));
    held_clear(&hand->reading.held);
    pacer_begin(&hand->reading.pacer);
    hand->is_started = true;
    return ST_OK;
}

// Where it stands, for the worker.
static void show(struct hand *hand)
{
    struct stream *stream = hand->parts.builder.stream;
    const struct unit *unit = &draft_of(hand)->unit;
    if (clock_ms(hand) < hand->look_at_ms)
        return;
    hand->look_at_ms = clock_ms(hand) + LOOK_MS;
    lock_take(&hand->lock);
    hand->places = mem_resize(hand->places, unit->n_spans + 1, sizeof(*hand->places));
    hand->n_places = unit->n_spans;
    hand->places_generation = hand->generation;
    for (size_t i = 0; i < unit->n_spans; i++) {
        struct hand_place *place = &hand->places[i];
        *place = (struct hand_place){unit->spans[i].partition, unit->spans[i].next, {0}};
        stream->ops->ahead(stream, place->partition, &place->ahead);
    }
    lock_give(&hand->lock);
}

// Steps.

static bool is_read(const struct hand *hand)
{
    const struct unit *unit = &draft_of(hand)->unit;
    for (size_t i = 0; i < unit->n_spans; i++)
        if (unit->spans[i].next < hand->ends[i])
            return false;
    return hand->parts.builder.job->settings.once;
}

// The last unit waits until all hands have read so far: then it is judged whether too
// many records were bad.
static enum status rest_at_end(struct hand *hand, struct err *err)
{
    if (!hand->is_read)
        tell_kind(hand, TELL_READ, NULL);
    hand->is_read = true;
    return poll_held(hand, IDLE_MS, err);
}

static enum status step_read(struct hand *hand, struct err *err)
{
    struct reading *reading = &hand->reading;
    int64_t now_ms = clock_ms(hand);
    show(hand);
    if (unit_builder_is_due(&reading->builder, now_ms))
        return has_room(hand) ? next_unit(hand, err)
                              : poll_held(hand, PACER_ANSWER_MS, err);
    if (is_read(hand))
        return rest_at_end(hand, err);
    reading_pace(reading);
    if (!pacer_is_due(&reading->pacer, TIMER_READ, now_ms))
        return poll_held(hand, pacer_next_ms(&reading->pacer, now_ms), err);
    if (!hand->is_started)
        return start(hand, err);
    struct stream_event event;
    TRY(reading_poll(reading, &event, err));
    return take_event(hand, &event, err);
}

static enum status step_close(struct hand *hand, struct err *err)
{
    const struct draft *draft = draft_of(hand);
    if (draft != NULL && !draft_is_empty(draft))
        return has_room(hand) ? hand_over(hand, err)
                              : poll_held(hand, PACER_ANSWER_MS, err);
    drop(hand);
    tell_kind(hand, TELL_RESTS, NULL);
    return ST_OK;
}

static enum status step_phase(struct hand *hand, struct err *err)
{
    if (hand->is_to_stop)
        TRY(stop(hand, err));
    switch (hand->phase) {
    case HAND_RESTS:
    case HAND_IS_CUT:
        return poll_held(hand, IDLE_MS, err);
    case HAND_READS:
        return step_read(hand, err);
    case HAND_CLOSES:
        return step_close(hand, err);
    case HAND_HAS_ENDED:
        break;
    }
    return ST_OK;
}

// One that comes and goes does not fill the worker's mailbox.
static void tell_away(struct hand *hand, const struct err *err)
{
    if (!atomic_exchange(&hand->is_away, true))
        tell_kind(hand, TELL_AWAY, err);
}

// Brokers or registry are away: wait for them, as long as it takes.
static struct wait after_retry(struct hand *hand, const struct err *err)
{
    struct reading *reading = &hand->reading;
    int64_t until_ms = pacer_again(&reading->pacer, TIMER_READ, clock_ms(hand));
    if (pacer_is_first(&reading->pacer, TIMER_READ))
        tell_away(hand, err);
    if (hand->phase == HAND_READS) {
        reading_show_waiting(reading, err->text);
        reading_set_waiting(reading, true);
    }
    pacer_set(&reading->pacer, TIMER_READ, until_ms);
    return (struct wait){WAIT_TIME,
                         pacer_nap_until(clock_ms(hand), until_ms - clock_ms(hand))};
}

static struct wait after_error(struct hand *hand, struct err *err, enum status rc)
{
    err->status = rc;
    if (rc == ST_RETRY)
        return after_retry(hand, err);
    if (rc == ST_LIMIT) // of what the stream has for its answers
        (void)err_set(err, rc,
                      "%s; of source.buffer each of %d threads (SET workers) has a share",
                      err->text, hand->parts.of);
    drop(hand);
    tell_kind(hand, TELL_FAILED, err);
    hand->has_failed = true;
    return (struct wait){WAIT_NOTHING, 0};
}

struct wait hand_step(struct hand *hand)
{
    struct err err = {0};
    atomic_store_explicit(&hand->stepped_ms, clock_ms(hand), memory_order_relaxed);
    if (hand_is_ordered(hand))
        take_order(hand);
    if (hand->phase == HAND_HAS_ENDED)
        return (struct wait){WAIT_DONE, 0};
    if (hand->has_failed)
        return (struct wait){WAIT_TIME, clock_ms(hand) + IDLE_MS};
    enum status rc = step_phase(hand, &err);
    return rc == ST_OK ? (struct wait){WAIT_NOTHING, 0} : after_error(hand, &err, rc);
}

void hand_wait(struct hand *hand, struct wait wait)
{
    int64_t left_ms = wait.until_ms - clock_ms(hand);
    if (wait.kind == WAIT_TIME && left_ms > 0 && !hand_is_ordered(hand))
        queue_sleep(hand->bell, left_ms);
}
