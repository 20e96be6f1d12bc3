// SPDX-License-Identifier: Apache-2.0
// Orders that were given out and are not committed: which are under way, which are to be
// given out again, and units that wait for their turn.
//
// Threads: one.
#ifndef WORK_ORDER_BOOK_H
#define WORK_ORDER_BOOK_H

#include "log/log_state.h"
#include "log/order.h"

enum {
    ORDERS_MAX = 1024 // under way at a time
};

// Of one claim; an order's number is its claim's, times this, and a count: so none is
// used twice, whoever coordinates.
#define ORDERS_OF_A_CLAIM INT64_C(1000000)

struct order_slot {
    struct order order;
    int64_t trigger;  // whose orders become one entry
    int n_given;      // times
    int64_t given_ms; // monotonic, the last time; until then not yet
    bool is_due;      // to be given out, at given_ms
    bool is_made;
    struct unit unit; // if it is
};

struct order_book {
    struct order_slot *slots[ORDERS_MAX]; // in the order of their numbers
    size_t n;
    int64_t last;    // number given
    int64_t trigger; // number given
};

// A new one of the newest trigger, with a number; the caller fills in the rest.
struct order_slot *order_book_add(struct order_book *book, int64_t now_ms);
struct order_slot *order_book_find(const struct order_book *book, int64_t number); // NULL
void order_book_remove(struct order_book *book, struct order_slot *slot);
void order_book_clear(struct order_book *book); // none is under way any more
void order_book_begin(struct order_book *book, int64_t claim); // that entry's orders
// Whether an order of that partition is in it.
bool order_book_has(const struct order_book *book, int32_t partition);
// Units whose turn it is and that become one entry: of one trigger, when all of it is
// made, or, at the end, as many as are. How many; 0: none of those that are made.
size_t order_book_ready(const struct order_book *book, const struct log_state *state,
                        bool is_end, struct order_slot *ret[ORDERS_MAX]);
// Whether the unit follows on the log, in each of its partitions.
bool order_is_next(const struct unit *unit, const struct log_state *state);
// Whether a unit is what the order says. ST_DATA.
enum status order_check_unit(const struct order *order, const struct unit *unit,
                             bool ends_anywhere, struct err *err);

#endif
