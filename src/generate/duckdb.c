// SPDX-License-Identifier: Apache-2.0
#include "generate/generate.h"

// In quotes, which are written twice within.
static void put_quoted(struct str text, char quote, struct buf *ret)
{
    buf_char(ret, quote);
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == quote)
            buf_char(ret, quote);
        buf_char(ret, text.p[i]);
    }
    buf_char(ret, quote);
}

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
    case TYPE_BYTES:
        return "BLOB";
    default:
        return "VARCHAR";
    }
}

static void put_columns(const struct schema *schema, struct buf *ret)
{
    for (size_t i = 0; i < schema->n; i++) {
        buf_text(ret, i ? ",\n      " : "\n      ");
        put_quoted(schema->columns[i].name, '\'', ret);
        buf_printf(ret, ": '%s'", type_of(schema->columns[i].type));
    }
}

static void put_csv(const struct generate_view *view, struct buf *ret)
{
    buf_printf(
        ret,
        ", auto_detect = false,\n"
        "    header = %s, delim = ',', quote = '\"', escape = '\"', nullstr = '',\n"
        "    allow_quoted_nulls = false, strict_mode = true, hive_partitioning = "
        "false, columns = {",
        view->has_header ? "true" : "false");
    put_columns(view->schema, ret);
    buf_text(ret, "\n    }");
}

// A file is named after the entry of the log that brought it and appears whole, so that
// files are the result. Other names than part-* are none of it.
void generate_duckdb(const struct generate_view *view, struct buf *ret)
{
    struct str directory = view->directory;
    buf_text(ret, "-- The result, for DuckDB: duckdb -init THIS_FILE\n");
    if (!view->is_local) {
        buf_text(ret, "-- DuckDB reads local files: hdfs dfs -get ");
        buf_str(ret, directory);
        buf_text(ret, " .\n");
        size_t slash = directory.n;
        while (slash > 0 && directory.p[slash - 1] != '/')
            slash--;
        directory = (struct str){directory.p + slash, directory.n - slash};
    }
    if (view->is_avro)
        buf_text(ret, "INSTALL avro FROM community;\nLOAD avro;\n");
    buf_text(ret, "CREATE OR REPLACE VIEW ");
    put_quoted(view->name, '"', ret);
    buf_printf(ret, " AS\n  SELECT * FROM %s(", view->is_avro ? "read_avro" : "read_csv");
    AUTO(buf_release) struct buf files = {0};
    buf_str(&files, directory);
    buf_printf(&files, "%s/part-*.%s", view->by_day ? "/day=*" : "",
               view->is_avro ? "avro" : "csv");
    put_quoted(buf_as_str(&files), '\'', ret);
    if (!view->is_avro)
        put_csv(view, ret);
    buf_text(ret, ");\n");
}
