// SPDX-License-Identifier: Apache-2.0
// docs/csv.md as Spark SQL: a record's bytes to the stream's columns.
//
// Not Spark's from_csv, which takes what is no row and changes bytes. One SELECT stands
// in another, each with what the next needs: text, then line, then fields, then contents,
// then values. Loops in regular expressions are possessive: others need the JVM's stack
// for each turn. `^.f2` is field 2 as it stands, `^.r2` without its quotes, `^.v2` its
// value.
#include "sql/print_spark.h"
#include "sql/spark.h"

enum {
    RECORD_BYTES_MAX = 16 << 20, // as csv/scanner.h
    REAL_BYTES_MAX = 399
};

// Bytes, each as a character, that are UTF-8 without NUL.
#define UTF8                                           \
    "\\A(?:[\\x01-\\x7F]++|[\\xC2-\\xDF][\\x80-\\xBF]" \
    "|\\xE0[\\xA0-\\xBF][\\x80-\\xBF]"                 \
    "|[\\xE1-\\xEC\\xEE\\xEF][\\x80-\\xBF]{2}"         \
    "|\\xED[\\x80-\\x9F][\\x80-\\xBF]"                 \
    "|\\xF0[\\x90-\\xBF][\\x80-\\xBF]{2}"              \
    "|[\\xF1-\\xF3][\\x80-\\xBF]{3}"                   \
    "|\\xF4[\\x80-\\x8F][\\x80-\\xBF]{2})*+\\z"
#define FIELD                                    \
    "(?>\"(?:[^\"]++|\"\")*+\"[ \\t]*+(?=,|\\z)" \
    "|[^,\"\\r\\n][^,\\r\\n]*+|(?=,|\\z))"
#define SPACE       " \\t\\x0B\\x0C"
#define INTEGER     "\\A[+-]?[0-9]+\\z"
#define REAL_NUMBER "\\A[+-]?(?:[0-9]+\\.?[0-9]*|\\.[0-9]+)(?:[eE][+-]?[0-9]+)?\\z"

static void literal(struct buf *out, const char *text)
{
    spark_print_text(out, str_of(text));
}

// The bytes as text, and whether they are text.
static void print_text_of_record(struct buf *out)
{
    buf_text(out, "SELECT `" SPARK_ROW "`, value IS NULL AS `^.absent`, "
                  "CAST(value AS STRING) AS `^.s`, (CAST(value AS STRING)");
    spark_print_regexp(out, "\\A[\\x01-\\x7F]*+\\z");
    buf_text(out, " OR decode(value, 'ISO-8859-1')");
    spark_print_regexp(out, UTF8);
    buf_text(out, ") AS `^.is_text` FROM `" SPARK_RECORDS "`");
}

// Without a byte order mark.
static void print_marked(struct buf *out)
{
    buf_text(out, "SELECT `" SPARK_ROW "`, `^.absent`, `^.is_text`, CASE WHEN "
                  "startswith(`^.s`, '\\uFEFF') THEN substring(`^.s`, 2) ELSE `^.s` END "
                  "AS `^.s` FROM (");
    print_text_of_record(out);
    buf_text(out, ")");
}

// Without its line end.
static void print_line(struct buf *out)
{
    buf_printf(out,
               "SELECT `" SPARK_ROW "`, `^.absent`, `^.is_text` AND octet_length(`^.s`) "
               "<= %d AS `^.is_text`, CASE WHEN endswith(`^.s`, '\\r\\n') THEN "
               "substring(`^.s`, 1, char_length(`^.s`) - 2) WHEN endswith(`^.s`, '\\n') "
               "OR endswith(`^.s`, '\\r') THEN substring(`^.s`, 1, char_length(`^.s`) - "
               "1) ELSE `^.s` END AS `^.line` FROM (",
               RECORD_BYTES_MAX);
    print_marked(out);
    buf_text(out, ")");
}

// The fields, or NULL.
static void print_split(struct buf *out)
{
    buf_text(out, "SELECT `" SPARK_ROW "`, `^.absent`, CASE WHEN NOT `^.is_text` THEN "
                  "NULL WHEN NOT contains(`^.line`, '\"') THEN CASE WHEN NOT "
                  "contains(`^.line`, '\\r') AND NOT contains(`^.line`, '\\n') THEN "
                  "split(`^.line`, ',', -1) END WHEN `^.line`");
    spark_print_regexp(out, "\\A" FIELD "(?:," FIELD ")*+\\z");
    buf_text(out, " THEN regexp_extract_all(concat(',', `^.line`), ");
    literal(out, "\\G,(" FIELD ")");
    buf_text(out, ", 1) END AS `^.all` FROM (");
    print_line(out);
    buf_text(out, ")");
}

// As many as there are columns, or NULL; what is empty behind them is passed.
static void print_fields(struct buf *out, const struct schema *schema)
{
    buf_printf(out,
               "SELECT `" SPARK_ROW "`, `^.absent`, CASE WHEN size(`^.all`) = %zu THEN "
               "`^.all` WHEN size(`^.all`) > %zu AND concat_ws('', slice(`^.all`, %zu, "
               "size(`^.all`) - %zu))",
               schema->n, schema->n, schema->n + 1, schema->n);
    spark_print_regexp(out, "\\A[" SPACE "]*+\\z");
    buf_text(out, " THEN `^.all` END AS `^.all` FROM (");
    print_split(out);
    buf_text(out, ")");
}

static void print_each_field(struct buf *out, const struct schema *schema)
{
    buf_text(out,
             "SELECT `" SPARK_ROW "`, `^.absent`, `^.all` IS NOT NULL AS `^.is_line`");
    for (size_t i = 0; i < schema->n; i++)
        buf_printf(out, ", get(`^.all`, %zu) AS `^.f%zu`", i, i);
    buf_text(out, " FROM (");
    print_fields(out, schema);
    buf_text(out, ")");
}

// What stands between quotes, or all of it.
static void print_contents(struct buf *out, const struct schema *schema)
{
    buf_text(out, "SELECT `" SPARK_ROW "`, `^.absent`, `^.is_line`");
    for (size_t i = 0; i < schema->n; i++) {
        buf_printf(out,
                   ", `^.f%zu`, CASE WHEN startswith(`^.f%zu`, '\"') THEN "
                   "regexp_extract(`^.f%zu`, ",
                   i, i, i);
        literal(out, "(?s)\\A\"(.*)\"[ \\t]*+\\z");
        buf_printf(out, ", 1) ELSE `^.f%zu` END AS `^.r%zu`", i, i);
    }
    buf_text(out, " FROM (");
    print_each_field(out, schema);
    buf_text(out, ")");
}

static void print_trimmed(struct buf *out, size_t i)
{
    buf_printf(out, "trim(BOTH ' \\t\\n\\u000B\\u000C\\r' FROM `^.r%zu`)", i);
}

static void print_content(struct buf *out, size_t i, bool trim)
{
    if (trim)
        buf_printf(out, "trim(BOTH ' \\t' FROM `^.r%zu`)", i);
    else
        buf_printf(out, "`^.r%zu`", i);
}

// Of the text; it is bad where the value is NULL and the field is not empty.
static void print_value(struct buf *out, enum type type, size_t i, bool trim)
{
    switch (type) {
    case TYPE_INT:
    case TYPE_BIGINT:
        buf_text(out, "CASE WHEN ");
        print_trimmed(out, i);
        spark_print_regexp(out, INTEGER);
        buf_text(out, " THEN try_cast(");
        print_trimmed(out, i);
        buf_printf(out, " AS %s) END", spark_type(type));
        break;
    case TYPE_REAL:
        buf_text(out, "CASE WHEN ");
        print_trimmed(out, i);
        spark_print_regexp(out, REAL_NUMBER);
        buf_text(out, " AND char_length(");
        print_trimmed(out, i);
        buf_printf(out, ") <= %d AND abs(try_cast(", REAL_BYTES_MAX);
        print_trimmed(out, i);
        buf_text(out, " AS DOUBLE)) <= CAST('1.7976931348623157e308' AS DOUBLE) THEN "
                      "try_cast(");
        print_trimmed(out, i);
        buf_text(out, " AS DOUBLE) END");
        break;
    case TYPE_BOOLEAN:
        buf_text(out, "CASE WHEN ");
        print_trimmed(out, i);
        buf_text(out, " IN ('true', 't', '1') THEN true WHEN ");
        print_trimmed(out, i);
        buf_text(out, " IN ('false', 'f', '0') THEN false END");
        break;
    default:
        buf_printf(out, "CASE WHEN startswith(`^.f%zu`, '\"') THEN replace(", i);
        print_content(out, i, trim);
        buf_text(out, ", '\"\"', '\"') WHEN ");
        print_content(out, i, trim);
        buf_text(out, " <> '' THEN ");
        print_content(out, i, trim);
        buf_text(out, " END");
        break;
    }
}

static void print_is_header(struct buf *out, const struct schema *schema)
{
    for (size_t i = 0; i < schema->n; i++) {
        buf_text(out, i > 0 ? " AND " : "");
        print_trimmed(out, i);
        buf_text(out, " = ");
        spark_print_text(out, schema->columns[i].name);
    }
}

static void print_values(struct buf *out, const struct table *stream)
{
    const struct schema *schema = &stream->schema;
    bool trim = options_number(&stream->format, "trim");
    buf_text(out, "SELECT `" SPARK_ROW "`, `^.absent`, `^.is_line`, ");
    print_is_header(out, schema);
    buf_text(out, " AS `^.is_header`");
    for (size_t i = 0; i < schema->n; i++) {
        buf_printf(out, ", `^.r%zu`, ", i);
        print_value(out, schema->columns[i].type, i, trim);
        buf_printf(out, " AS `^.v%zu`", i);
    }
    buf_text(out, " FROM (");
    print_contents(out, schema);
    buf_text(out, ")");
}

// A column of TEXT has no value only where it is NULL.
static bool may_be_bad(const struct column *column)
{
    return column->type != TYPE_TEXT || !column->nullable;
}

static void print_is_bad(struct buf *out, const struct schema *schema)
{
    for (size_t i = 0; i < schema->n; i++) {
        const struct column *column = &schema->columns[i];
        if (!may_be_bad(column))
            continue;
        buf_printf(out, " WHEN `^.v%zu` IS NULL", i);
        if (column->nullable) {
            buf_text(out, " AND ");
            print_trimmed(out, i);
            buf_text(out, " <> ''");
        }
        buf_text(out, " THEN 'bad'");
    }
}

void spark_print_decode(struct buf *out, const struct table *stream)
{
    const struct schema *schema = &stream->schema;
    buf_text(out, "SELECT `" SPARK_ROW "`, CASE WHEN `^.absent` THEN 'ignored' WHEN NOT "
                  "`^.is_line` THEN 'bad' WHEN `^.is_header` THEN 'ignored'");
    print_is_bad(out, schema);
    buf_text(out, " ELSE 'row' END AS `" SPARK_KIND "`");
    for (size_t i = 0; i < schema->n; i++) {
        buf_printf(out, ", `^.v%zu` AS ", i);
        spark_print_name(out, schema->columns[i].name);
    }
    buf_text(out, " FROM (");
    print_values(out, stream);
    buf_text(out, ")");
}
