// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "base/log.h"
#include "work/coordinator_inside.h"

enum {
    LOOK_MS = 1000,    // between two looks at log and topic
    ASK_MS = 500,      // for the ends of partitions; the others are asked next time
    TELL_MS = 10000,   // between two words of progress
    REJOIN_MS = 30000, // from a claim to one for partitions that were left out of it
    OFFSET_BYTES = 64, // where offsets are places in a file: a record's
    RANGES_MAX = 3000  // of an order: its answer fits into ORDER_LINE_MAX
};

static bool is_once(const struct coordinator *coordinator)
{
    return coordinator->parts.job->settings.once;
}

// Up to where it may be ordered.
static int64_t end_of(const struct coordinator *coordinator, const struct coordinated *at)
{
    return is_once(coordinator) && at->goal < at->high ? at->goal : at->high;
}

bool coordinator_is_done(const struct coordinator *coordinator)
{
    const struct log_state *state = committer_state(coordinator->committer);
    for (size_t i = 0; i < coordinator->n_partitions; i++) {
        const struct log_partition *at = log_state_find(state, (int32_t)i);
        if (at == NULL || at->next < coordinator->partitions[i].goal)
            return false;
    }
    return is_once(coordinator);
}

// Of a file the next order can only begin where the one before has ended.
static int64_t room_of(const struct coordinator *coordinator,
                       const struct coordinated *at)
{
    bool waits = !coordinator->parts.topic->ends_anywhere &&
                 order_book_has(&coordinator->book, at->partition);
    int64_t room = end_of(coordinator, at) - at->planned;
    return waits || room < 0 ? 0 : room;
}

static int64_t backlog(const struct coordinator *coordinator)
{
    int64_t n = 0;
    for (size_t i = 0; i < coordinator->n_partitions; i++)
        n += room_of(coordinator, &coordinator->partitions[i]);
    return n;
}

static int compare_ranges(const void *a, const void *b)
{
    int32_t x = ((const struct order_range *)a)->partition;
    int32_t y = ((const struct order_range *)b)->partition;
    return (x > y) - (x < y);
}

static void add_ranges(struct coordinator *coordinator, struct order *order, int64_t left)
{
    size_t n = coordinator->n_partitions, i;
    order->ranges = arena_array(&order->arena, n, sizeof(*order->ranges));
    for (i = 0; i < n && left > 0 && order->n_ranges < RANGES_MAX; i++) {
        struct coordinated *at = &coordinator->partitions[(coordinator->first + i) % n];
        int64_t room = room_of(coordinator, at);
        int64_t taken = room < left ? room : left;
        if (taken == 0)
            continue;
        order->ranges[order->n_ranges++] =
            (struct order_range){at->partition, at->planned, at->planned + taken};
        at->planned += taken;
        left -= taken;
    }
    coordinator->first += i;
    qsort(order->ranges, order->n_ranges, sizeof(*order->ranges), compare_ranges);
}

static void make_order(struct coordinator *coordinator, int64_t offsets)
{
    const struct coordinator_parts *parts = &coordinator->parts;
    int64_t now_ms = coordinator_ms(coordinator);
    struct order_slot *slot = order_book_add(&coordinator->book, now_ms);
    struct order *order = &slot->order;
    struct arena *arena = &order->arena;
    order->cluster = arena_str(arena, parts->job->identity.cluster);
    order->topic = arena_str(arena, parts->job->identity.topic);
    order->plan = arena_str(arena, parts->job->plan);
    order->schema = arena_str(arena, parts->job->schema);
    order->writer = arena_str(arena, str_of(committer_writer(coordinator->committer)));
    // What is planned is of the book only once it is filled.
    coordinator->book.n--;
    add_ranges(coordinator, order, offsets);
    coordinator->book.n++;
    coordinator->ordered_ms = now_ms;
}

// Offsets of an order; in a file they are places, so many for each record.
static int64_t in_offsets(const struct coordinator *coordinator, int64_t records)
{
    if (coordinator->parts.topic->ends_anywhere)
        return records;
    return records < INT64_MAX / OFFSET_BYTES ? records * OFFSET_BYTES : INT64_MAX;
}

// Of a full order: as many as make a file of commit.bytes, going by the last ones.
static int64_t full_order(const struct coordinator *coordinator)
{
    const struct coordinator_parts *parts = &coordinator->parts;
    int64_t full = in_offsets(coordinator, parts->order_offsets);
    int64_t bytes = parts->job->settings.commit_bytes;
    if (coordinator->bytes == 0 || coordinator->offsets == 0 || bytes <= 0 ||
        coordinator->slots == 0)
        return full;
    double n = (double)bytes * (double)coordinator->offsets / (double)coordinator->bytes;
    if (n < 1)
        return 1;
    return n < (double)full ? (int64_t)n : full;
}

static int64_t divide_up(int64_t a, int64_t b)
{
    return a / b + (a % b > 0);
}

// Orders that are worked on at a time are one trigger: as much for each, up to full ones,
// but none that is not worth its while.
static bool make_trigger(struct coordinator *coordinator, int64_t n, bool is_time)
{
    const struct coordinator_parts *parts = &coordinator->parts;
    struct order_book *book = &coordinator->book;
    int64_t slots = coordinator->slots > 0 ? coordinator->slots : 1;
    if (slots > parts->n_orders)
        slots = parts->n_orders;
    int64_t full = full_order(coordinator);
    int64_t least = in_offsets(coordinator, parts->order_least);
    bool is_full = full <= n / slots;
    if (n == 0 || (int64_t)book->n + slots > parts->n_orders || (!is_full && !is_time))
        return false;
    int64_t share = divide_up(n, slots);
    share = share < least ? least : share;
    share = share > full ? full : share;
    book->trigger++;
    for (int64_t i = 0; i < slots && backlog(coordinator) > 0; i++)
        make_order(coordinator, share);
    return true;
}

// A full trigger at once; what is less, when it is time for a commit.
static void make_orders(struct coordinator *coordinator)
{
    const struct coordinator_parts *parts = &coordinator->parts;
    bool is_time =
        is_once(coordinator) || coordinator_ms(coordinator) - coordinator->ordered_ms >=
                                    parts->job->settings.commit_interval_ms;
    while (make_trigger(coordinator, backlog(coordinator), is_time))
        continue;
}

// A leader may give an end and no record, so that the next claim leaves the partition out
// again: no claim soon after another.
static bool may_rejoin(const struct coordinator *coordinator)
{
    return coordinator_ms(coordinator) - coordinator->claimed_ms >= REJOIN_MS;
}

// Of a partition that does not answer what was seen last holds.
static enum status look_at_end(struct coordinator *coordinator, struct coordinated *at,
                               struct err *err)
{
    struct topic *topic = coordinator->parts.topic;
    struct topic_range range;
    enum status rc = topic->ops->range(topic, at->partition, &range, err);
    if (rc == ST_OK && !at->is_away)
        at->high = range.high;
    if (rc == ST_OK)
        coordinator_show_end(coordinator, at);
    coordinator->has_new |= rc == ST_OK && at->is_away && may_rejoin(coordinator);
    return rc == ST_RETRY ? ST_OK : rc;
}

// In turn, as many as there is time for.
static enum status look_at_ends(struct coordinator *coordinator, struct err *err)
{
    struct topic *topic = coordinator->parts.topic;
    int64_t until_ms = coordinator_ms(coordinator) + ASK_MS;
    size_t n = coordinator->n_partitions, i = 0;
    int32_t count;
    for (; i < n && (i == 0 || coordinator_ms(coordinator) < until_ms); i++)
        TRY(look_at_end(coordinator,
                        &coordinator->partitions[(coordinator->asked + i) % n], err));
    coordinator->asked = (coordinator->asked + i) % n;
    enum status rc = topic->ops->count(topic, &count, err);
    coordinator->has_new |= rc == ST_OK && (size_t)count > n;
    return rc == ST_RETRY ? ST_OK : rc;
}

// A driver with slots shows it.
enum status coordinator_tell_progress(struct coordinator *coordinator, struct err *err)
{
    const struct log_state *state = committer_state(coordinator->committer);
    AUTO(buf_release) struct buf line = {0};
    struct order_progress progress = {.entry = state->next - 1};
    if (coordinator->slots == 0)
        return ST_OK;
    for (size_t i = 0; i < state->n_partitions; i++)
        progress.committed += state->partitions[i].next;
    for (size_t i = 0; i < coordinator->n_partitions; i++) {
        const struct coordinated *at = &coordinator->partitions[i];
        const struct log_partition *known = log_state_find(state, at->partition);
        if (known != NULL && at->high > known->next)
            progress.lag += at->high - known->next;
    }
    coordinator->told_ms = coordinator_ms(coordinator);
    coordinator->told_entry = progress.entry;
    order_progress_encode(&progress, &line);
    return coordinator_tell(coordinator, buf_as_str(&line), err);
}

static enum status tell_progress_if_due(struct coordinator *coordinator, struct err *err)
{
    const struct log_state *state = committer_state(coordinator->committer);
    bool is_due = coordinator_ms(coordinator) - coordinator->told_ms >= TELL_MS;
    return is_due && coordinator->told_entry != state->next - 1
               ? coordinator_tell_progress(coordinator, err)
               : ST_OK;
}

enum status coordinator_plan(struct coordinator *coordinator, struct err *err)
{
    int64_t now_ms = coordinator_ms(coordinator);
    if (now_ms - coordinator->looked_ms >= LOOK_MS) {
        coordinator->looked_ms = now_ms;
        TRY(committer_recover(coordinator->committer, err));
        TRY(coordinator_check_claim(coordinator, err));
        TRY(look_at_ends(coordinator, err));
        TRY(tell_progress_if_due(coordinator, err));
    }
    if (!coordinator->has_new) {
        make_orders(coordinator);
        return ST_OK;
    }
    if (coordinator->book.n > 0)
        return ST_OK; // they are committed first
    log_info("topic '%.*s' has other partitions that answer: all are claimed again",
             STR_ARGS(coordinator->parts.topic->name));
    return coordinator_claim(coordinator, err);
}
