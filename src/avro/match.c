// SPDX-License-Identifier: Apache-2.0
#include "avro/logical.h"
#include "avro/resolve.h"

static bool has_name(const struct avro_type *reader, struct str full_name)
{
    if (str_eq(reader->name, full_name))
        return true;
    for (size_t i = 0; i < reader->n_aliases; i++)
        if (str_eq(reader->aliases[i], full_name))
            return true;
    return false;
}

static bool names_match(const struct avro_type *writer, const struct avro_type *reader)
{
    struct str name = avro_base_name(writer->name);
    if (str_eq(avro_base_name(reader->name), name))
        return true;
    for (size_t i = 0; i < reader->n_aliases; i++)
        if (str_eq(avro_base_name(reader->aliases[i]), name))
            return true;
    return false;
}

static bool is_promotion(enum avro_kind writer, enum avro_kind reader)
{
    switch (writer) {
    case AVRO_INT:
        return reader == AVRO_LONG || reader == AVRO_FLOAT || reader == AVRO_DOUBLE;
    case AVRO_LONG:
        return reader == AVRO_FLOAT || reader == AVRO_DOUBLE;
    case AVRO_FLOAT:
        return reader == AVRO_DOUBLE;
    case AVRO_STRING:
        return reader == AVRO_BYTES;
    case AVRO_BYTES:
        return reader == AVRO_STRING;
    default:
        return false;
    }
}

// Numbers that mean the same moment or amount.
static bool logicals_match(const struct avro_type *writer, const struct avro_type *reader)
{
    if (writer->logical == LOGICAL_NONE || reader->logical == LOGICAL_NONE)
        return true;
    if (writer->logical != reader->logical)
        return false;
    return writer->logical != LOGICAL_DECIMAL ||
           (writer->scale == reader->scale && writer->precision == reader->precision);
}

bool types_match(const struct avro_type *writer, const struct avro_type *reader)
{
    if (writer->kind == AVRO_UNION || reader->kind == AVRO_UNION)
        return true;
    if (!logicals_match(writer, reader))
        return false;
    if (writer->kind != reader->kind)
        return is_promotion(writer->kind, reader->kind);
    switch (writer->kind) {
    case AVRO_ARRAY:
    case AVRO_MAP:
        return types_match(writer->items, reader->items);
    case AVRO_FIXED:
        return writer->size == reader->size && names_match(writer, reader);
    case AVRO_RECORD:
    case AVRO_ENUM:
        return names_match(writer, reader);
    default:
        return true;
    }
}

const struct avro_type *pick_branch(const struct avro_type *writer,
                                    const struct avro_type *reader)
{
    // Of two types that differ by their namespace only, the one that is meant.
    for (size_t i = 0; i < reader->n && avro_kind_is_named(writer->kind); i++) {
        const struct avro_type *branch = reader->branches[i];
        if (branch->kind == writer->kind && has_name(branch, writer->name) &&
            types_match(writer, branch))
            return branch;
    }
    for (size_t i = 0; i < reader->n; i++)
        if (types_match(writer, reader->branches[i]))
            return reader->branches[i];
    return NULL;
}

static enum type column_type(const struct avro_compiler *c, const struct avro_node *node)
{
    return c->reader->columns.columns[node->column].type;
}

static void describe_want(const struct avro_compiler *c, struct avro_want want,
                          struct buf *buf)
{
    if (want.type != NULL)
        avro_type_describe(want.type, buf);
    else if (want.node->column >= 0)
        buf_text(buf, type_name(column_type(c, want.node)));
    else
        buf_text(buf, "a record");
}

// What could be done about it.
static void add_way_out(const struct avro_compiler *c, const struct avro_type *writer,
                        struct avro_want want, struct buf *text)
{
    bool is_column = want.type == NULL && want.node->column >= 0;
    enum type natural = avro_natural_type(writer);
    if (is_column && natural == column_type(c, want.node))
        return; // a decimal without a text
    if (is_column && natural != TYPE_UNKNOWN)
        buf_printf(text, "; declare the column %s", type_name(natural));
    else if (is_column && writer->kind == AVRO_RECORD)
        buf_text(text, "; name its fields, as \"a.b\"");
    else if (want.type != NULL && want.type->kind == writer->kind &&
             avro_kind_is_named(writer->kind) && !names_match(writer, want.type))
        buf_text(text, "; give it the writer's name, or that as an alias");
}

enum status mismatch(struct avro_compiler *c, const struct avro_type *writer,
                     struct avro_want want)
{
    struct buf has = BUF_INIT(ERR_TEXT_MAX);
    struct buf wants = BUF_INIT(ERR_TEXT_MAX);
    avro_type_describe(writer, &has);
    describe_want(c, want, &wants);
    struct buf way_out = {0};
    add_way_out(c, writer, want, &way_out);
    enum status rc = compile_error(c, "the writer's %s cannot be read as %s%s",
                                   buf_cstr(&has), buf_cstr(&wants), buf_cstr(&way_out));
    buf_release(&has);
    buf_release(&wants);
    buf_release(&way_out);
    return rc;
}

// The reader's type has no value in the column's type.
static enum status no_value(struct avro_compiler *c, const struct avro_type *writer,
                            struct avro_want want)
{
    if (want.type == NULL)
        return mismatch(c, writer, want);
    struct buf has = BUF_INIT(ERR_TEXT_MAX);
    avro_type_describe(want.type, &has);
    enum type natural = avro_natural_type(want.type);
    const char *column = type_name(column_type(c, want.node));
    enum status rc =
        natural == column_type(c, want.node) // a decimal without a text
            ? compile_error(c, "the schema's %s has no value in a column", buf_cstr(&has))
            : compile_error(c,
                            "the schema's %s does not fit a column of %s; declare it %s",
                            buf_cstr(&has), column, type_name(natural));
    buf_release(&has);
    return rc;
}

static struct avro_op skip_op(const struct avro_type *writer)
{
    struct avro_op op = {.code = OP_SKIP_FIXED, .null_branch = NULL_NONE};
    switch (writer->kind) {
    case AVRO_INT:
    case AVRO_LONG:
    case AVRO_ENUM:
        op.code = OP_SKIP_LONG;
        break;
    case AVRO_BYTES:
    case AVRO_STRING:
        op.code = OP_SKIP_BYTES;
        break;
    default:
        op.arg = writer->min_bytes; // boolean, float, double, fixed
    }
    return op;
}

static enum status enum_op(struct avro_compiler *c, const struct avro_type *writer,
                           struct avro_want want, struct avro_op *op)
{
    struct arena *arena = &c->plan->arena;
    const struct avro_type *reader = want.type ? want.type : writer;
    op->code = want.node ? OP_ENUM : OP_CHECK_ENUM;
    const struct avro_resolved_pair *known = pair_find(c, writer, reader);
    if (known != NULL) {
        op->arg = known->arg;
        return ST_OK;
    }
    TRY(spend(c, writer->n));
    struct str *symbols = arena_array(arena, writer->n, sizeof(*symbols));
    struct str *values = arena_array(arena, writer->n, sizeof(*values));
    size_t n_readable = 0;
    for (size_t i = 0; i < writer->n; i++) {
        symbols[i] = arena_str(arena, writer->symbols[i]);
        int symbol = avro_symbol_find(reader, writer->symbols[i]);
        if (symbol < 0)
            symbol = reader->default_symbol;
        if (symbol >= 0)
            values[i] = arena_str(arena, reader->symbols[symbol]);
        n_readable += symbol >= 0;
    }
    if (n_readable == 0)
        return compile_error(c,
                             "enum '%.*s' of the reader has none of the writer's "
                             "symbols, and no default",
                             STR_ARGS(reader->name));
    op->arg = add_enum(c, (struct avro_enum_map){
                              .writer_name = arena_str(arena, writer->name),
                              .reader_name = arena_str(arena, reader->name),
                              .symbols = symbols,
                              .values = values,
                              .n = writer->n,
                          });
    struct avro_resolved_pair *pair = pair_add(c, writer, reader);
    pair->what = PAIR_ENUM;
    pair->arg = op->arg;
    return ST_OK;
}

static bool text_op(struct avro_compiler *c, const struct avro_type *writer,
                    const struct avro_type *reader, struct avro_op *op)
{
    bool is_text = reader->kind == AVRO_STRING || reader->kind == AVRO_BYTES;
    op->code = OP_TEXT;
    if (reader->logical == LOGICAL_NONE || reader->logical == LOGICAL_UUID)
        return is_text;
    if (reader->logical == LOGICAL_DECIMAL && reader->precision > DECIMAL_DIGITS_MAX)
        return false;
    enum avro_kind kind = writer->kind == AVRO_STRING ? AVRO_BYTES : writer->kind;
    op->code = OP_LOGICAL;
    op->arg = add_form(c, (struct avro_form){
                              .kind = kind,
                              .logical = reader->logical,
                              .scale = reader->scale,
                              .size = writer->size,
                          });
    return true;
}

static bool real_op(const struct avro_type *writer, const struct avro_type *reader,
                    struct avro_op *op)
{
    static const uint8_t codes[] = {
        [AVRO_INT] = OP_INT_REAL,
        [AVRO_LONG] = OP_LONG_REAL,
        [AVRO_FLOAT] = OP_FLOAT,
        [AVRO_DOUBLE] = OP_DOUBLE,
    };
    if (writer->kind < AVRO_INT || writer->kind > AVRO_DOUBLE)
        return false;
    op->code = codes[writer->kind];
    op->arg = reader->kind == AVRO_FLOAT;
    return true;
}

static bool integer_op(const struct avro_type *writer, const struct avro_type *reader,
                       enum type column, struct avro_op *op)
{
    op->code = writer->kind == AVRO_INT ? OP_INT : OP_LONG;
    return reader->kind == AVRO_INT ||
           (reader->kind == AVRO_LONG && column == TYPE_BIGINT);
}

static bool bytes_op(const struct avro_type *reader, struct avro_op *op)
{
    op->code = reader->kind == AVRO_FIXED ? OP_FIXED : OP_BYTES;
    op->arg = reader->size;
    return reader->kind == AVRO_FIXED || reader->kind == AVRO_BYTES ||
           reader->kind == AVRO_STRING;
}

// False when values of the reader's type have no form in the column's.
static bool column_op(struct avro_compiler *c, const struct avro_type *writer,
                      const struct avro_type *reader, enum type column,
                      struct avro_op *op)
{
    switch (column) {
    case TYPE_TEXT:
        return text_op(c, writer, reader, op);
    case TYPE_INT:
    case TYPE_BIGINT:
        return integer_op(writer, reader, column, op);
    case TYPE_REAL:
        return real_op(writer, reader, op);
    case TYPE_BOOLEAN:
        op->code = OP_BOOLEAN;
        return reader->kind == AVRO_BOOLEAN;
    case TYPE_BYTES:
        return bytes_op(reader, op);
    case TYPE_UNKNOWN:
        break;
    }
    return false;
}

enum status leaf_op(struct avro_compiler *c, const struct avro_type *writer,
                    struct avro_want want, struct avro_op *ret)
{
    if (want.type != NULL && !types_match(writer, want.type))
        return mismatch(c, writer, want);
    *ret = skip_op(writer);
    if (want.node == NULL)
        return want.type != NULL && writer->kind == AVRO_ENUM
                   ? enum_op(c, writer, want, ret)
                   : ST_OK;
    if (want.node->column < 0 || want.node->n_children != 0)
        return want.type == NULL ? mismatch(c, writer, want)
                                 : compile_error(c, "the schema has no record here");
    ret->column = (uint16_t)want.node->column;
    enum type column = column_type(c, want.node);
    if (writer->kind == AVRO_ENUM && column == TYPE_TEXT)
        return enum_op(c, writer, want, ret);
    const struct avro_type *reader = want.type ? want.type : writer;
    return column_op(c, writer, reader, column, ret) ? ST_OK : no_value(c, writer, want);
}
