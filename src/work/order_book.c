// SPDX-License-Identifier: Apache-2.0
#include "work/order_book.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"
#include "work/merge_units.h"

struct order_slot *order_book_add(struct order_book *book, int64_t now_ms)
{
    assert(book->n < ORDERS_MAX);
    struct order_slot *slot = mem_zalloc(sizeof(*slot));
    slot->order.number = ++book->last;
    slot->trigger = book->trigger;
    slot->is_due = true;
    slot->given_ms = now_ms;
    book->slots[book->n++] = slot;
    return slot;
}

struct order_slot *order_book_find(const struct order_book *book, int64_t number)
{
    for (size_t i = 0; i < book->n; i++)
        if (book->slots[i]->order.number == number)
            return book->slots[i];
    return NULL;
}

static void free_slot(struct order_slot *slot)
{
    order_release(&slot->order);
    if (slot->is_made)
        unit_release(&slot->unit);
    free(slot);
}

void order_book_remove(struct order_book *book, struct order_slot *slot)
{
    size_t at = 0;
    while (book->slots[at] != slot)
        at++;
    book->n--;
    memmove(&book->slots[at], &book->slots[at + 1], (book->n - at) * sizeof(slot));
    free_slot(slot);
}

void order_book_clear(struct order_book *book)
{
    while (book->n > 0)
        free_slot(book->slots[--book->n]);
}

void order_book_begin(struct order_book *book, int64_t claim)
{
    order_book_clear(book);
    book->last = claim * ORDERS_OF_A_CLAIM;
}

bool order_book_has(const struct order_book *book, int32_t partition)
{
    for (size_t i = 0; i < book->n; i++)
        for (size_t j = 0; j < book->slots[i]->order.n_ranges; j++)
            if (book->slots[i]->order.ranges[j].partition == partition)
                return true;
    return false;
}

// Whether the unit follows on one of the group, or on the log, in each of its partitions.
static bool follows(struct order_slot *const *group, size_t n, const struct unit *unit,
                    const struct log_state *state)
{
    for (size_t i = 0; i < unit->n_spans; i++) {
        const struct span *span = &unit->spans[i];
        const struct log_partition *at = log_state_find(state, span->partition);
        int64_t next = at != NULL ? at->next : -1;
        for (size_t j = 0; j < n; j++) {
            const struct span *before = unit_span(&group[j]->unit, span->partition);
            next = before != NULL ? before->next : next;
        }
        if (next != span->first)
            return false;
    }
    return true;
}

static bool is_whole(const struct order_book *book, int64_t trigger)
{
    for (size_t i = 0; i < book->n; i++)
        if (book->slots[i]->trigger == trigger && !book->slots[i]->is_made)
            return false;
    return true;
}

// Those behind slot `head` that go into its entry.
static size_t gather(const struct order_book *book, size_t head,
                     const struct log_state *state, struct order_slot *ret[ORDERS_MAX])
{
    const struct unit *first = &book->slots[head]->unit;
    bool has_dead = unit_has_dead(first);
    size_t n = 0;
    ret[n++] = book->slots[head];
    for (size_t i = head + 1; i < book->n; i++) {
        struct order_slot *slot = book->slots[i];
        if (slot->trigger != ret[0]->trigger || !slot->is_made ||
            !units_fit(first, has_dead, &slot->unit) ||
            !follows(ret, n, &slot->unit, state))
            continue;
        has_dead |= unit_has_dead(&slot->unit);
        ret[n++] = slot;
    }
    return n;
}

size_t order_book_ready(const struct order_book *book, const struct log_state *state,
                        bool is_end, struct order_slot *ret[ORDERS_MAX])
{
    for (size_t i = 0; i < book->n; i++) {
        const struct order_slot *slot = book->slots[i];
        if (slot->is_made && order_is_next(&slot->unit, state) &&
            (is_end || is_whole(book, slot->trigger)))
            return gather(book, i, state, ret);
    }
    return 0;
}

static bool fits(const struct order *order, const struct unit *unit, bool ends_anywhere)
{
    bool same = str_eq(order->writer, unit->writer) && order->n_ranges == unit->n_spans;
    for (size_t i = 0; same && i < unit->n_spans; i++) {
        const struct order_range *range = &order->ranges[i];
        const struct span *span = &unit->spans[i];
        same = span->partition == range->partition && span->first == range->first &&
               (ends_anywhere ? span->next == range->next : span->next >= range->next);
    }
    return same;
}

enum status order_check_unit(const struct order *order, const struct unit *unit,
                             bool ends_anywhere, struct err *err)
{
    if (fits(order, unit, ends_anywhere))
        return ST_OK;
    return err_set(err, ST_DATA,
                   "the unit for order %" PRId64
                   " is of another writer or other offsets than were ordered",
                   order->number);
}
