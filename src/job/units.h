// SPDX-License-Identifier: Apache-2.0
// Units made in one process and committed in another (docs/units.md): both ends over
// standard input and output, which carry the protocol and nothing else.
#ifndef JOB_UNITS_H
#define JOB_UNITS_H

#include "job/run_parts.h"

// Makes units to order until no line comes any more, or a signal. `code_of` names an
// error by its text.
enum status units_work(const struct run_parts *parts,
                       struct str (*code_of)(struct str text, char room[16]),
                       struct err *err);

// The same in parts, as docs/units.md says: what is read, told line by line; and what an
// engine elsewhere made of it, written. `now_ms`: of SQL's now().
enum status units_read(const struct run_parts *parts,
                       struct str (*code_of)(struct str text, char room[16]),
                       struct err *err);
enum status units_write(const struct run_parts *parts,
                        struct str (*code_of)(struct str text, char room[16]),
                        int64_t now_ms, struct err *err);

struct units_limits {
    int64_t order_offsets, order_least, n_slots, n_orders, order_ms; // work/coordinator.h
};

// Gives out orders and commits what comes of them.
enum status units_coordinate(const struct run_parts *parts,
                             const struct units_limits *limits, struct err *err);

#endif
