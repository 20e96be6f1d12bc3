// SPDX-License-Identifier: Apache-2.0
#include "sql/print_spark.h"

#include "sql/catalog.h"
#include "sql/print.h"
#include "sql/spark.h"

// The names of spark.h begin with ^, and no other does.
void spark_print_name(struct buf *out, struct str name)
{
    buf_text(out, str_starts_with(name, "^") ? "`^" : "`");
    for (size_t i = 0; i < name.n; i++) {
        if (name.p[i] == '`')
            buf_char(out, '`');
        buf_char(out, name.p[i]);
    }
    buf_char(out, '`');
}

// By its two halves: behind such a character Spark 4.1 looks for :now one place off.
static void print_beyond_16_bits(struct buf *out, const char *text)
{
    const uint8_t *p = (const uint8_t *)text;
    unsigned code =
        (p[0] & 7U) << 18 | (p[1] & 63U) << 12 | (p[2] & 63U) << 6 | (p[3] & 63U);
    code -= 0x10000;
    buf_printf(out, "\\u%04X\\u%04X", 0xD800 + (code >> 10), 0xDC00 + (code & 0x3FF));
}

void spark_print_text(struct buf *out, struct str text)
{
    buf_char(out, '\'');
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c == '\'' || c == '\\')
            buf_char(out, '\\');
        if (c == '\n')
            buf_text(out, "\\n");
        else if (c == '\r')
            buf_text(out, "\\r");
        else if (c == '$')
            buf_text(out, "\\u0024");
        else if ((unsigned char)c >= 0xF0 && i + 3 < text.n) {
            print_beyond_16_bits(out, text.p + i);
            i += 3;
        } else
            buf_char(out, c);
    }
    buf_char(out, '\'');
}

void spark_print_regexp(struct buf *out, const char *text)
{
    buf_text(out, " RLIKE ");
    spark_print_text(out, str_of(text));
}

const char *spark_type(enum type type)
{
    static const char *const names[] = {
        [TYPE_UNKNOWN] = "STRING", [TYPE_TEXT] = "STRING", [TYPE_INT] = "INT",
        [TYPE_BIGINT] = "BIGINT",  [TYPE_REAL] = "DOUBLE", [TYPE_BOOLEAN] = "BOOLEAN",
        [TYPE_BYTES] = "BINARY",
    };
    return names[type];
}

static void print_leaf(struct buf *out, const struct from *leaf)
{
    const struct query *query = print_in_place(leaf);
    const struct relation *relation =
        leaf->cte != NULL ? leaf->cte->hoisted : leaf->relation;
    if (query != NULL) {
        buf_char(out, '(');
        spark_print_query(out, query);
        buf_char(out, ')');
    } else {
        spark_print_name(out, relation->name);
    }
    buf_text(out, " AS ");
    spark_print_name(out, leaf->label);
}

static void print_from_item(struct buf *out, const struct from *from);

static void print_joined(struct buf *out, const struct from *from)
{
    bool nested = from->kind == FROM_JOIN;
    buf_text(out, nested ? "(" : "");
    print_from_item(out, from);
    buf_text(out, nested ? ")" : "");
}

static void print_from_item(struct buf *out, const struct from *from)
{
    if (from->kind != FROM_JOIN) {
        print_leaf(out, from);
        return;
    }
    bool swapped = from->join == JOIN_RIGHT;
    print_from_item(out, swapped ? from->right : from->left);
    buf_text(out, from->join == JOIN_INNER ? " JOIN " : " LEFT JOIN ");
    print_joined(out, swapped ? from->left : from->right);
    buf_text(out, " ON ");
    if (from->on != NULL)
        spark_print_expr(out, from->on);
    else
        buf_text(out, "true");
}

static const struct from *stream_leaf(const struct from *from)
{
    while (from->kind == FROM_JOIN)
        from = from->left->reads_stream ? from->left : from->right;
    return from;
}

static void print_outputs(struct buf *out, const struct query *query)
{
    for (size_t i = 0; i < query->n_outputs; i++) {
        const struct expr *expr = query->outputs[i].expr;
        enum type type = query->schema.columns[i].type;
        bool is_of_type = expr->type == type;
        buf_text(out, is_of_type ? "" : "CAST(");
        spark_print_expr(out, expr);
        if (!is_of_type)
            buf_printf(out, " AS %s)", spark_type(type));
        buf_text(out, " AS ");
        spark_print_name(out, query->outputs[i].name);
        buf_text(out, ", ");
    }
    spark_print_name(out, stream_leaf(query->from)->label);
    buf_text(out, ".`" SPARK_ROW "` AS `" SPARK_ROW "`");
}

static void print_select(struct buf *out, const struct query *query)
{
    buf_text(out, "SELECT ");
    print_outputs(out, query);
    buf_text(out, " FROM ");
    print_from_item(out, query->from);
    if (query->where != NULL) {
        buf_text(out, " WHERE ");
        spark_print_expr(out, query->where);
    }
}

void spark_print_query(struct buf *out, const struct query *query)
{
    if (query->set_op == SET_NONE) {
        print_select(out, query);
        return;
    }
    spark_print_query(out, query->left);
    buf_text(out, " UNION ALL ");
    bool nested = query->right->set_op != SET_NONE;
    buf_text(out, nested ? "(" : "");
    spark_print_query(out, query->right);
    buf_text(out, nested ? ")" : "");
}
