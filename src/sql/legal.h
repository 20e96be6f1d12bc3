// SPDX-License-Identifier: Apache-2.0
// Which queries over the stream are legal: those whose result over any splitting of the
// stream is the sum of the parts. The rule stands in docs/sql.md, "Legal queries".
#ifndef SQL_LEGAL_H
#define SQL_LEGAL_H

#include "sql/ast.h"
#include "sql/report.h"

// A bound query that reads the stream, with the views that it reads.
void legal_stream_query(struct report *report, struct query *query);
// A bound query over tables only: it is computed once, so it may not ask for the time.
void legal_table_query(struct report *report, struct query *query);

#endif
