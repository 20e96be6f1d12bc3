// SPDX-License-Identifier: Apache-2.0
// Makes units of records that another process has read, and that an engine elsewhere has
// enriched: what comes between `tramline work --part read` and the log.
//
// Lines of an order, in this order:
//
//     {"kind":"order",...}            as the coordinator gave it
//     r, i or b, a tab, a record      for each record, by its partition and offset: the
//                                     engine takes it for a row, for none, for bad
//     +, tab, partition, tab, offset, NUL, fields
//                                     behind it each of its rows (told_row.h); one
//                                     that holds LFs is several lines
//     {"kind":"unit",...}             what was read, or {"kind":"error",...}
//
// Each order is answered by one line: its unit, or an error. What was read is as the
// reader says, and the records that came must be those: none is lost on the way, and
// none comes twice.
//
// Threads: one. Errors: as make_units; input that ends within an order is ST_RETRY.
#ifndef WORK_WRITE_UNITS_H
#define WORK_WRITE_UNITS_H

#include "work/make_unit.h"
#include "work/told_records.h"

struct write_parts {
    struct maker *maker; // its decoder, executor and stream are those of `told`
    struct told_records *told;
    struct lines *lines;
    struct str (*code_of)(struct str text, char room[16]); // as make_units
    int64_t now_ms;                                        // that SQL's now() was given
};

enum status write_units(const struct write_parts *parts, struct err *err);

#endif
