// SPDX-License-Identifier: Apache-2.0
#include "engine/held.h"

#include <stdlib.h>

#include "base/mem.h"

enum {
    LONG_PAUSE_MS = 6400 // one of retry.h's
};

static struct held_partition *find(const struct held *held, int32_t partition)
{
    for (size_t i = 0; i < held->n; i++)
        if (held->items[i].number == partition)
            return &held->items[i];
    return NULL;
}

bool held_add(struct held *held, int32_t partition, bool has_moved, int64_t now_ms,
              int64_t limit_ms, bool *ret_is_said)
{
    struct held_partition *item = find(held, partition);
    if (item == NULL) {
        MEM_GROW(held->items, held->n, held->capacity);
        item = &held->items[held->n++];
        *item = (struct held_partition){.number = partition};
    }
    item->is_tried = false;
    if (has_moved)
        retry_reset(&item->retry);
    int64_t before_ms = item->retry.delay_ms;
    bool goes_on = retry_again(&item->retry, now_ms, now_ms, limit_ms, &item->until_ms);
    *ret_is_said = before_ms == 0 || before_ms == LONG_PAUSE_MS;
    return goes_on;
}

int32_t held_take_due(struct held *held, int64_t now_ms)
{
    for (size_t i = 0; i < held->n; i++) {
        struct held_partition *item = &held->items[i];
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
    *item = held->items[--held->n];
    return true;
}

int64_t held_until_due(const struct held *held, int64_t now_ms, int64_t most_ms)
{
    for (size_t i = 0; i < held->n; i++) {
        const struct held_partition *item = &held->items[i];
        int64_t ms = item->until_ms > now_ms ? item->until_ms - now_ms : 0;
        if (!item->is_tried && ms < most_ms)
            most_ms = ms;
    }
    return most_ms;
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
