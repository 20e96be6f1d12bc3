// SPDX-License-Identifier: Apache-2.0
// Materialized views: made of the tables that were read, and written as files.
//
// Most of a start is waiting for HDFS until a view's file is there, so that the joined
// tables are built meanwhile. One thread; tables_views_and_executor has one more.
#ifndef JOB_TABLES_VIEWS_H
#define JOB_TABLES_VIEWS_H

#include "job/tables.h"

// Makes the rows of a materialized view as tables_write_views does, and writes none.
enum status tables_try_view(struct tables *tables, const struct view *view,
                            int64_t *ret_n, struct err *err);
// Writes each materialized view to its path as one file, replaced by one rename; one that
// has those bytes already is left. Loads the tables again where an extract has replaced
// them meanwhile.
enum status tables_write_views(const struct pipeline *pipeline, struct tables *tables,
                               struct err *err);
// The same, and tables_executor beside it where neither needs SQLite.
enum status tables_views_and_executor(const struct pipeline *pipeline,
                                      struct tables *tables,
                                      struct row_format *row_format,
                                      struct executor **ret, struct err *err);

#endif
