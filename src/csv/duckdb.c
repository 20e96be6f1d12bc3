// SPDX-License-Identifier: Apache-2.0
// How DuckDB reads the files that we write: with our types, never by a guess.
#include "csv/duckdb.h"

#include "base/text.h"

static const char *type_of(enum type type)
{
    switch (type) {
    case TYPE_INT:
        return "INTEGER";
    case TYPE_BIGINT:
        return "BIGINT";
    case TYPE_REAL:
        return "DOUBLE";
    case TYPE_BOOLEAN:
        return "BOOLEAN";
    default:
        return "VARCHAR";
    }
}

static void put_columns(const struct schema *schema, struct buf *ret)
{
    for (size_t i = 0; i < schema->n; i++) {
        buf_text(ret, i ? ",\n      " : "\n      ");
        text_quoted(ret, schema->columns[i].name, '\'');
        buf_printf(ret, ": '%s'", type_of(schema->columns[i].type));
    }
}

void csv_duckdb(const struct format_table *table, struct str files, struct buf *ret)
{
    buf_text(ret, "read_csv(");
    text_quoted(ret, files, '\'');
    buf_printf(
        ret,
        ", auto_detect = false,\n"
        "    header = %s, delim = ',', quote = '\"', escape = '\"', nullstr = '',\n"
        "    allow_quoted_nulls = false, strict_mode = true, hive_partitioning = "
        "false, columns = {",
        options_number(table->options, "header") ? "true" : "false");
    put_columns(table->columns, ret);
    buf_text(ret, "\n    })");
}
