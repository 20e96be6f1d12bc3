// SPDX-License-Identifier: Apache-2.0
// The lines by which units are made in other processes: an order says of which offsets,
// its answer is the unit, or why there is none. docs/units.md has their fields.
//
// A line is one JSON object with its LF, ORDER_LINE_MAX bytes at most, and says its
// version and its kind. Fields that a reader does not know are ignored.
#ifndef LOG_ORDER_H
#define LOG_ORDER_H

#include "log/unit.h"

enum {
    ORDER_VERSION = 1,
    ORDER_LINE_MAX = 1 << 20,
    ORDER_VALUES_MAX = 100000 // of a line, as JSON has them
};

// [first, next) of a partition; either may lie where no record is.
struct order_range {
    int32_t partition;
    int64_t first, next;
};

struct order {
    struct arena arena; // of all that it points to
    int64_t number;
    struct str cluster, topic, plan, schema; // of the job: whoever takes it has the same
    struct str writer;                       // of the claim
    struct order_range *ranges;              // rising, none is empty
    size_t n_ranges;
};

void order_release(struct order *order);
void order_encode(const struct order *order, struct buf *ret);
// ST_DATA, and nothing to release, when it is none; ret->number is set where it has one,
// else -1.
enum status order_decode(struct str line, struct order *ret, struct err *err);

enum answer_kind {
    ANSWER_UNIT,  // .unit
    ANSWER_ERROR, // .code, .text; .may_retry: the same order may do another time
    ANSWER_LOST,  // nobody works on it any more
    ANSWER_SLOTS, // .number: how many orders can be worked on at a time
    ANSWER_ALIVE, // the driver is; when it does not say so within .number ms, it is not
};

struct answer {
    struct arena arena;
    enum answer_kind kind;
    int64_t order; // -1: an error of a line that is no order
    struct unit unit;
    bool may_retry;
    struct str code, text; // code: empty where there is none
    int64_t exit_code;     // of an error that is final: that of the worker, or 0
    int64_t number;
};

void answer_release(struct answer *answer);
void answer_encode(const struct answer *answer, struct buf *ret);
// ST_DATA, and nothing to release, when it is none.
enum status answer_decode(struct str line, struct answer *ret, struct err *err);

// What the coordinator says beside orders: that those given since the last such line are
// one trigger, what an order came to, and the end.
struct order_trigger {
    int64_t trigger, orders;
    struct str label; // for people
};
void order_trigger_encode(const struct order_trigger *trigger, struct buf *ret);
struct order_done {
    int64_t order, entry, records, rows;
};
void order_done_encode(const struct order_done *done, struct buf *ret);
// How far it is.
struct order_progress {
    int64_t entry;     // the last one
    int64_t committed; // offsets, of all partitions
    int64_t lag;       // offsets that are there and not committed
};
void order_progress_encode(const struct order_progress *progress, struct buf *ret);
void orders_end_encode(const char *why, struct buf *ret); // NULL: all is committed

#endif
