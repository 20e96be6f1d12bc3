// SPDX-License-Identifier: Apache-2.0
#include "work/held.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "log/partitions.h"

enum {
    LONG_PAUSE_MS = 6400 // one of retry.h's
};

static size_t place_of(const struct held *held, int32_t partition)
{
    return partitions_place(held->items, held->n, sizeof(*held->items), partition);
}

static struct held_partition *find(const struct held *held, int32_t partition)
{
    size_t i = place_of(held, partition);
    bool found = i < held->n && held->items[i].number == partition;
    return found ? &held->items[i] : NULL;
}

static struct held_partition *add(struct held *held, int32_t partition)
{
    MEM_GROW(held->items, held->n, held->capacity);
    struct held_partition *item = &held->items[place_of(held, partition)];
    size_t n_after = held->n++ - (size_t)(item - held->items);
    memmove(item + 1, item, n_after * sizeof(*item));
    *item = (struct held_partition){.number = partition};
    return item;
}

bool held_add(struct held *held, int32_t partition, bool has_moved, int64_t now_ms,
              int64_t limit_ms, bool *ret_is_said)
{
    struct held_partition *item = find(held, partition);
    if (item == NULL)
        item = add(held, partition);
    item->is_tried = false;
    if (has_moved)
        retry_reset(&item->retry);
    int64_t before_ms = item->retry.delay_ms;
    bool goes_on = retry_again(&item->retry, now_ms, now_ms, limit_ms, &item->until_ms);
    *ret_is_said = before_ms == 0 || before_ms == LONG_PAUSE_MS;
    return goes_on;
}

int32_t held_take_due(struct held *held, int64_t now_ms, size_t *at)
{
    while (*at < held->n) {
        struct held_partition *item = &held->items[(*at)++];
        if (item->is_tried || item->until_ms > now_ms)
            continue;
        item->is_tried = true;
        return item->number;
    }
    return -1;
}

bool held_drop(struct held *held, int32_t partition)
{
    struct held_partition *item = find(held, partition);
    if (item == NULL)
        return false;
    size_t n_after = --held->n - (size_t)(item - held->items);
    memmove(item, item + 1, n_after * sizeof(*item));
    return true;
}

int64_t held_next_ms(const struct held *held)
{
    int64_t next_ms = INT64_MAX;
    for (size_t i = 0; i < held->n; i++)
        if (!held->items[i].is_tried && held->items[i].until_ms < next_ms)
            next_ms = held->items[i].until_ms;
    return next_ms;
}

void held_clear(struct held *held)
{
    held->n = 0;
}

void held_release(struct held *held)
{
    free(held->items);
    *held = (struct held){0};
}
