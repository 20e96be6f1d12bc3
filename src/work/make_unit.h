// SPDX-License-Identifier: Apache-2.0
// Makes one unit to order, in a process that has neither mail nor a group: reads the
// ranges that the order names, cuts at their ends, and uploads the files. Who commits it
// is another's affair.
//
// A range may begin and end where no record is (compacted, aborted, markers). Where a
// stream cannot end anywhere (a file), it ends at the first record at or behind `next`.
//
// Threads: one. Errors: ST_RETRY, the same order may do another time (brokers, storage
// or registry away for too long); ST_STOP, by the deadline; the rest is final for that
// order. After any of them the next order may be made.
#ifndef WORK_MAKE_UNIT_H
#define WORK_MAKE_UNIT_H

#include "commit/patience.h"
#include "core/lines.h"
#include "log/order.h"
#include "work/unit_builder.h"

// All borrowed.
struct maker_parts {
    struct unit_builder_parts builder;
    struct storage *storage; // its root is the result directory
    struct waiter *waiter;
    const struct deadline *deadline;
    int64_t patience_ms;  // longest time in which an order may come no further
    int64_t *shown_order; // where the number of the order stands; NULL: nowhere
};

// Does not move once it is opened.
struct maker {
    struct maker_parts parts;
    struct unit_builder builder;
    struct patience patience;
};

void maker_open(struct maker *maker, const struct maker_parts *parts);
enum status make_unit(struct maker *maker, const struct order *order, struct unit *ret,
                      struct err *err);
// Answers one order after another, until no line comes any more or the deadline. A line
// that is none is answered with an error, too. `code_of` may be NULL: it names an error
// by its text.
enum status make_units(struct maker *maker, struct lines *lines,
                       struct str (*code_of)(struct str text, char room[16]),
                       struct err *err);
void maker_release(struct maker *maker);

// The pieces of it, for one who has the records from elsewhere (work/write_units.h).

// Is it an order of this job?
enum status maker_check(const struct maker *maker, const struct order *order,
                        struct err *err);
void maker_begin(struct maker *maker, const struct order *order);
// Ends the builder's unit and uploads its files.
enum status maker_finish(struct maker *maker, struct unit *ret, struct err *err);
enum status answer_error(struct lines *lines, int64_t order, enum status rc,
                         struct str (*code_of)(struct str text, char room[16]),
                         const struct err *why, struct err *err);
// Releases the unit.
enum status answer_unit(struct lines *lines, int64_t order, struct unit *unit,
                        struct err *err);

#endif
