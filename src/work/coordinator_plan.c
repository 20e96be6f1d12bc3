// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "base/log.h"
#include "work/coordinator_inside.h"

enum {
    LOOK_MS = 1000,    // between two looks at log and topic
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
    int64_t full = in_offsets(coordinator, parts->order_offsets);
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

// Of a partition that does not answer what was seen last holds.
static enum status look_at_ends(struct coordinator *coordinator, struct err *err)
{
    struct topic *topic = coordinator->parts.topic;
    int32_t n;
    for (size_t i = 0; i < coordinator->n_partitions; i++) {
        struct topic_range range;
        enum status rc = topic->ops->range(topic, (int32_t)i, &range, err);
        if (rc == ST_OK)
            coordinator->partitions[i].high = range.high;
        else if (rc != ST_RETRY)
            return rc;
    }
    enum status rc = topic->ops->count(topic, &n, err);
    coordinator->has_new |= rc == ST_OK && (size_t)n > coordinator->n_partitions;
    return rc == ST_RETRY ? ST_OK : rc;
}

enum status coordinator_plan(struct coordinator *coordinator, struct err *err)
{
    int64_t now_ms = coordinator_ms(coordinator);
    if (now_ms - coordinator->looked_ms >= LOOK_MS) {
        coordinator->looked_ms = now_ms;
        TRY(committer_recover(coordinator->committer, err));
        TRY(coordinator_check_claim(coordinator, err));
        TRY(look_at_ends(coordinator, err));
    }
    if (!coordinator->has_new) {
        make_orders(coordinator);
        return ST_OK;
    }
    if (coordinator->book.n > 0)
        return ST_OK; // they are committed first
    log_info("topic '%.*s' has more partitions: all are claimed again",
             STR_ARGS(coordinator->parts.topic->name));
    return coordinator_claim(coordinator, err);
}
