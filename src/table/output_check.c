// SPDX-License-Identifier: Apache-2.0
#include "table/output_check.h"

#include "base/text.h"

#include <math.h>

enum output_fault output_check(const struct column *column, struct value value)
{
    if (value.kind == VALUE_NULL)
        return column->nullable ? OUTPUT_FITS : OUTPUT_NULL;
    if (value.kind != type_kind(column->type))
        return OUTPUT_TYPE;
    if (column->type == TYPE_INT && (value.i < INT32_MIN || value.i > INT32_MAX))
        return OUTPUT_RANGE;
    if (column->type == TYPE_REAL && !isfinite(value.r))
        return OUTPUT_RANGE;
    return OUTPUT_FITS;
}

bool output_always_fits(const struct column *to, const struct column *from)
{
    bool same =
        to->type == from->type || (to->type == TYPE_BIGINT && from->type == TYPE_INT);
    return same && (to->nullable || !from->nullable);
}

void output_why(const struct column *column, enum output_fault fault, struct buf *reason)
{
    static const char *const what[] = {
        [OUTPUT_FITS] = "fine",
        [OUTPUT_NULL] = "NULL",
        [OUTPUT_RANGE] = "out of range",
        [OUTPUT_TYPE] = "of another type",
    };
    buf_printf(reason, "column '%.*s' is %s, not %s%s", STR_ARGS(column->name),
               what[fault], type_name(column->type),
               fault == OUTPUT_NULL ? " NOT NULL" : "");
}

enum status output_too_big(const struct plan *plan, const struct value *row,
                           size_t n_rows, size_t limit_bytes, struct err *err)
{
    int column = schema_find(&plan->stream->schema, plan->join_column);
    struct buf key = {0};
    if (column >= 0) {
        buf_printf(&key, " with %.*s = ", STR_ARGS(plan->join_column));
        value_format(row[column], &key);
    }
    enum status rc =
        err_set(err, ST_LIMIT,
                "the record%.*s gives %s: more than fit the row buffer "
                "of %zu bytes",
                STR_ARGS(key), text_counted((int64_t)n_rows, "row", "rows"), limit_bytes);
    buf_release(&key);
    return rc;
}
