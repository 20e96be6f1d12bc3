// SPDX-License-Identifier: Apache-2.0
// Which tables and views of the plan a query reads. Inside src/sql.
#ifndef SQL_READS_H
#define SQL_READS_H

#include "sql/ast.h"

// Their names, each once, in the order in which the query first names them; what is no
// relation of the plan (subqueries, WITH, views over the stream) is looked through. The
// array is made in `arena`.
const struct str *query_reads(struct arena *arena, struct query *query, size_t *ret_n);
// The same of a FROM and a WHERE, which may be NULL.
const struct str *from_reads(struct arena *arena, const struct from *from,
                             const struct expr *where, size_t *ret_n);

#endif
