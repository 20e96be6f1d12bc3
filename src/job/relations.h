// SPDX-License-Identifier: Apache-2.0
// The tables' side of a query that an engine elsewhere runs over the stream: each
// relation that the stream meets as a file of rows, JSON objects c0, c1, ... a line, NULL
// left out.
#ifndef JOB_RELATIONS_H
#define JOB_RELATIONS_H

#include "job/tables.h"

// Whether the staged tables are of that version, and nothing has to be written.
enum status relations_are_known(const struct pipeline *pipeline, const char *version,
                                bool *ret, struct err *err);
// Loads the tables, writes views that are kept, and the relations into `directory`.
// Appends what is to be known of it as one line of JSON (docs/units.md, "In parts"). The
// script was read for Spark.
enum status relations_write(struct pipeline *pipeline, const char *directory,
                            struct buf *ret, struct err *err);

#endif
