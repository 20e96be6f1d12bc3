// SPDX-License-Identifier: Apache-2.0
#include "avro/resolve.h"

#include <stdlib.h>

static enum status compile(struct avro_compiler *c, const struct avro_type *writer,
                           struct avro_want want);

static const struct avro_want nothing = {NULL, NULL};

static bool is_nothing(struct avro_want want)
{
    return want.type == NULL && want.node == NULL;
}

static uint32_t here(const struct avro_compiler *c)
{
    return (uint32_t)c->plan->n_ops;
}

// Where compiling stood, to return to.
struct mark {
    size_t n_ops, n_pairs, path;
};

static struct mark mark_of(const struct avro_compiler *c)
{
    return (struct mark){c->plan->n_ops, c->n_pairs, c->path.n};
}

// Ops since the mark go, and so do the routines among them.
static void roll_back(struct avro_compiler *c, struct mark mark)
{
    pairs_cut(c, mark.n_pairs);
    c->plan->n_ops = mark.n_ops;
    path_leave(c, mark.path);
}

// An op for a leaf; two reads of fixed size past each other become one.
static enum status emit_leaf(struct avro_compiler *c, struct avro_op op, uint32_t floor)
{
    struct avro_plan *plan = c->plan;
    if (op.code == OP_SKIP_FIXED && op.null_branch == NULL_NONE && op.arg == 0)
        return ST_OK;
    struct avro_op *last = plan->n_ops > floor ? &plan->ops[plan->n_ops - 1] : NULL;
    if (last != NULL && op.code == OP_SKIP_FIXED && last->code == OP_SKIP_FIXED &&
        op.null_branch == NULL_NONE && last->null_branch == NULL_NONE &&
        op.arg < AVRO_FIXED_MAX && last->arg < AVRO_FIXED_MAX) {
        last->arg += op.arg;
        return ST_OK;
    }
    return emit(c, op, NULL);
}

// NULL for all columns at or below the node: rows begin as NULLs.
static enum status compile_null(struct avro_compiler *c, const struct avro_type *writer,
                                struct avro_want want)
{
    if (want.type != NULL && want.type->kind != AVRO_NULL)
        return mismatch(c, writer, want);
    int column = want.node ? avro_node_not_null(c->reader, want.node) : -1;
    if (column < 0)
        return ST_OK;
    return compile_error(c, "null in column '%s', which is NOT NULL",
                         c->reader->columns.columns[column].name.p);
}

static bool is_leaf(const struct avro_type *type)
{
    return type->kind != AVRO_NULL && type->kind != AVRO_RECORD &&
           type->kind != AVRO_ARRAY && type->kind != AVRO_MAP && type->kind != AVRO_UNION;
}

static struct avro_want want_of_branch(const struct avro_type *writer,
                                       struct avro_want want)
{
    if (want.type != NULL && want.type->kind == AVRO_UNION)
        want.type = pick_branch(writer, want.type);
    return want;
}

static bool has_branch_for(const struct avro_type *writer, struct avro_want want)
{
    return want.type == NULL || want.type->kind != AVRO_UNION ||
           pick_branch(writer, want.type) != NULL;
}

// A writer's union of null and a leaf is one op. *ret: it was, and stands there.
static enum status compile_nullable(struct avro_compiler *c,
                                    const struct avro_type *writer, struct avro_want want,
                                    bool *ret)
{
    static const struct avro_type null_type = {.kind = AVRO_NULL};
    size_t null_branch = 0;
    const struct avro_type *value = avro_nullable(writer, &null_branch);
    *ret = false;
    if (value == NULL || !is_leaf(value) || !has_branch_for(value, want) ||
        !has_branch_for(&null_type, want))
        return ST_OK;
    struct avro_want null_want = want_of_branch(&null_type, want);
    if (null_want.type != NULL && null_want.type->kind != AVRO_NULL)
        return ST_OK;
    struct avro_op op;
    if (leaf_op(c, value, want_of_branch(value, want), &op) != ST_OK)
        return ST_OK; // the long way finds it again, and what to do
    bool refused = want.node && avro_node_not_null(c->reader, want.node) >= 0;
    op.null_branch = (uint8_t)(null_branch | (refused ? NULL_REFUSED : 0));
    *ret = true;
    return emit(c, op, NULL);
}

// One branch and the jump behind the union. One that cannot be read rejects its datums.
static enum status compile_branch(struct avro_compiler *c, const struct avro_type *branch,
                                  struct avro_want want, bool *ret_readable)
{
    struct mark mark = mark_of(c);
    enum status rc = compile(c, branch, want);
    *ret_readable = rc == ST_OK;
    if (rc == ST_OK)
        return emit(c, (struct avro_op){.code = OP_JUMP}, NULL);
    if (c->is_spent)
        return rc;
    roll_back(c, mark);
    return emit_reject(c);
}

// Jumps of the branches that begin at their targets lead here.
static void end_union(struct avro_compiler *c, uint32_t targets, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t end = i + 1 < n ? c->plan->targets[targets + 2 + i] : here(c);
        struct avro_op *last = &c->plan->ops[end - 1];
        if (last->code == OP_JUMP)
            last->arg = here(c);
    }
}

static enum status compile_union(struct avro_compiler *c, const struct avro_type *writer,
                                 struct avro_want want)
{
    bool done;
    TRY(compile_nullable(c, writer, want, &done));
    if (done)
        return ST_OK;
    uint32_t targets = add_targets(c, writer->n);
    TRY(emit(c, (struct avro_op){.code = OP_UNION, .arg = targets}, NULL));
    size_t n_readable = 0;
    const char *reason = NULL;
    for (size_t i = 0; i < writer->n; i++) {
        bool readable;
        c->plan->targets[targets + 1 + i] = here(c);
        TRY(compile_branch(c, writer->branches[i], want, &readable));
        n_readable += readable;
        // Of a nullable type the reason of the other branch says more.
        if (!readable && (reason == NULL || writer->branches[i]->kind != AVRO_NULL))
            reason = c->plan->reasons[c->plan->n_reasons - 1];
    }
    end_union(c, targets, writer->n);
    return n_readable > 0 ? ST_OK : err_set(c->err, ST_DATA, "%s", reason);
}

// The loop of an array or map whose body is compiled by compile().
static enum status compile_blocks(struct avro_compiler *c, const struct avro_type *writer,
                                  struct avro_want want)
{
    const struct avro_type *items = writer->items;
    struct avro_want item_want = {want.type ? want.type->items : NULL, NULL};
    bool empty = writer->kind == AVRO_ARRAY && items->min_bytes == 0;
    uint32_t head;
    uint8_t code = empty                   ? OP_BLOCKS_EMPTY
                   : is_nothing(item_want) ? OP_BLOCKS_LEAP
                                           : OP_BLOCKS;
    TRY(emit(c, (struct avro_op){.code = code}, &head));
    if (writer->kind == AVRO_MAP)
        TRY(emit(c, (struct avro_op){.code = OP_SKIP_BYTES, .null_branch = NULL_NONE},
                 NULL));
    size_t path = path_enter(c, (struct str){0}, "[]");
    TRY(compile(c, items, item_want));
    if (!empty)
        TRY(emit(c, (struct avro_op){.code = OP_AGAIN, .arg = head}, NULL));
    path_leave(c, path);
    c->plan->ops[head].arg = here(c);
    return ST_OK;
}

static enum status compile_items(struct avro_compiler *c, const struct avro_type *writer,
                                 struct avro_want want)
{
    if (want.node != NULL) {
        if (want.type == NULL)
            return mismatch(c, writer, want);
        return compile_error(c, "the schema's %s has no value in a column",
                             avro_kind_name(writer->kind));
    }
    if (want.type != NULL && !types_match(writer, want.type))
        return mismatch(c, writer, want);
    return compile_blocks(c, writer, want);
}

// The reader's field that a writer's is read as: by name, else by alias of one whose
// name the writer does not have.
static const struct avro_field *reader_field(struct avro_compiler *c,
                                             const struct avro_type *writer,
                                             const struct avro_type *reader,
                                             struct str name)
{
    const struct avro_field *field = avro_field_find(reader, name);
    c->n_steps += field == NULL ? reader->n : 0;
    for (size_t i = 0; field == NULL && i < reader->n; i++) {
        const struct avro_field *candidate = &reader->fields[i];
        if (avro_field_find(writer, candidate->name) != NULL)
            continue;
        // Its first alias that the writer has is the one that counts.
        for (size_t a = 0; a < candidate->n_aliases; a++) {
            if (avro_field_find(writer, candidate->aliases[a]) == NULL)
                continue;
            if (str_eq(candidate->aliases[a], name))
                field = candidate;
            break;
        }
    }
    return field;
}

static enum status add_constants(struct avro_compiler *c, const struct avro_node *node,
                                 const struct value *row)
{
    for (size_t i = 0; i < node->n_children; i++)
        TRY(add_constants(c, &node->children[i], row));
    if (node->column < 0 || row[node->column].kind == VALUE_NULL)
        return ST_OK;
    struct avro_op op = {
        .code = OP_CONSTANT,
        .column = (uint16_t)node->column,
        .arg = add_constant(c, row[node->column]),
    };
    return emit(c, op, NULL);
}

// Reads a default, which is a datum of the reader's own type, at compile time.
static enum status run_default(struct avro_compiler *c, const struct avro_field *field,
                               const struct avro_node *node, struct value *row,
                               struct arena *arena)
{
    struct mark mark = mark_of(c);
    uint32_t pc = here(c);
    TRY(compile(c, field->type, (struct avro_want){field->type, node}));
    TRY(emit(c, (struct avro_op){.code = OP_END}, NULL));
    struct wire wire = wire_of(field->default_bytes);
    struct avro_fault fault;
    enum status rc = ST_OK;
    if (!avro_plan_run(c->plan, pc, &wire, row, arena, &fault)) {
        struct buf reason = {0};
        avro_fault_format(c->plan, &fault, &reason);
        rc = err_set(c->err, ST_DATA, "default cannot be read: %.*s",
                     STR_ARGS(buf_as_str(&reason)));
        buf_release(&reason);
    }
    roll_back(c, mark);
    return rc;
}

static enum status compile_default(struct avro_compiler *c,
                                   const struct avro_type *writer,
                                   const struct avro_field *field,
                                   const struct avro_node *node)
{
    if (!field->has_default)
        return compile_error(c,
                             "record '%.*s' of the writer has no such field, and the "
                             "reader's has no default",
                             STR_ARGS(writer->name));
    if (node == NULL)
        return ST_OK;
    struct arena arena = {0};
    struct value *row = mem_array(c->reader->columns.n, sizeof(*row));
    enum status rc = run_default(c, field, node, row, &arena);
    if (rc == ST_OK)
        rc = add_constants(c, node, row);
    free(row);
    arena_release(&arena);
    return rc;
}

static enum status compile_missing(struct avro_compiler *c,
                                   const struct avro_type *writer, struct avro_want want)
{
    const struct avro_type *reader = want.type;
    TRY(spend(c, reader->n));
    for (size_t i = 0; i < reader->n; i++) {
        const struct avro_field *field = &reader->fields[i];
        bool there = avro_field_find(writer, field->name) != NULL;
        for (size_t a = 0; !there && a < field->n_aliases; a++) {
            const struct avro_field *aliased = avro_field_find(writer, field->aliases[a]);
            there = aliased && reader_field(c, writer, reader, aliased->name) == field;
        }
        if (there)
            continue;
        size_t path = path_enter(c, field->name, "");
        TRY(compile_default(c, writer, field,
                            want.node ? avro_node_find(want.node, field->name) : NULL));
        path_leave(c, path);
    }
    return ST_OK;
}

// A wanted field that the record has not is NULL. One of a name that differs only in case
// is never meant to be that.
static enum status unknown_field(struct avro_compiler *c, const struct avro_type *record,
                                 const struct avro_node *node)
{
    const char *nearest = avro_field_nearest(record, node->name);
    size_t path = path_enter(c, node->name, "");
    enum status rc = ST_OK;
    if (nearest != NULL && str_eq_nocase(node->name, str_of(nearest)))
        rc = compile_error(c, "record '%.*s' has '%s': write the column quoted, \"%s\"",
                           STR_ARGS(record->name), nearest, nearest);
    else if (avro_node_not_null(c->reader, node) >= 0)
        rc = compile_error(c,
                           "record '%.*s' has no such field, and the column is NOT NULL"
                           "%s%s%s",
                           STR_ARGS(record->name), nearest ? "; did you mean '" : "",
                           nearest ? nearest : "", nearest ? "'?" : "");
    path_leave(c, path);
    return rc;
}

static enum status check_children(struct avro_compiler *c, const struct avro_type *writer,
                                  struct avro_want want)
{
    const struct avro_type *record = want.type ? want.type : writer;
    for (size_t i = 0; want.node != NULL && i < want.node->n_children; i++) {
        const struct avro_node *child = &want.node->children[i];
        if (avro_field_find(record, child->name) == NULL)
            TRY(unknown_field(c, record, child));
    }
    return ST_OK;
}

static struct avro_want field_want(struct avro_compiler *c,
                                   const struct avro_type *writer, struct avro_want want,
                                   struct str name)
{
    struct avro_want ret = nothing;
    const struct avro_field *field = NULL;
    if (want.type != NULL) {
        field = reader_field(c, writer, want.type, name);
        if (field == NULL)
            return nothing;
        ret.type = field->type;
    }
    if (want.node != NULL)
        ret.node = avro_node_find(want.node, field ? field->name : name);
    return ret;
}

static enum status compile_fields(struct avro_compiler *c, const struct avro_type *writer,
                                  struct avro_want want)
{
    uint32_t floor = here(c);
    for (size_t i = 0; i < writer->n; i++) {
        const struct avro_field *field = &writer->fields[i];
        struct avro_want wanted = field_want(c, writer, want, field->name);
        size_t path = path_enter(c, field->name, "");
        if (is_leaf(field->type) && is_nothing(wanted)) {
            struct avro_op op;
            TRY(spend(c, RESOLVE_STEPS_OF_TYPE));
            TRY(leaf_op(c, field->type, wanted, &op));
            TRY(emit_leaf(c, op, floor));
        } else {
            TRY(compile(c, field->type, wanted));
            floor = here(c); // jumps may lead here
        }
        path_leave(c, path);
    }
    if (want.type != NULL)
        TRY(compile_missing(c, writer, want));
    return check_children(c, writer, want);
}

static enum status emit_call(struct avro_compiler *c,
                             const struct avro_resolved_pair *pair)
{
    if (pair->what == PAIR_FAILED)
        return err_set(c->err, ST_DATA, "%s", c->plan->reasons[pair->arg]);
    if (pair->what == PAIR_EMPTY)
        return ST_OK;
    return emit(c, (struct avro_op){.code = OP_CALL, .arg = pair->arg}, NULL);
}

// A record without columns: call, jump over the body, body, return.
static enum status compile_routine(struct avro_compiler *c,
                                   const struct avro_type *writer, struct avro_want want)
{
    const struct avro_resolved_pair *known = pair_find(c, writer, want.type);
    if (known != NULL)
        return emit_call(c, known);
    uint32_t call;
    struct mark mark = mark_of(c);
    TRY(emit(c, (struct avro_op){.code = OP_CALL}, &call));
    TRY(emit(c, (struct avro_op){.code = OP_JUMP}, NULL));
    c->plan->ops[call].arg = call + 2;
    struct avro_resolved_pair *pair = pair_add(c, writer, want.type);
    pair->what = writer->min_bytes == 0 ? PAIR_EMPTY : PAIR_ROUTINE;
    pair->arg = call + 2;
    enum status rc = compile_fields(c, writer, want);
    if (rc == ST_OK)
        rc = emit(c, (struct avro_op){.code = OP_RETURN}, NULL);
    if (rc != ST_OK) {
        pair = &c->pairs[mark.n_pairs];
        pair->what = PAIR_FAILED;
        pair->arg = add_reason(c, c->err->text);
        roll_back(c, mark);
        return rc;
    }
    c->plan->ops[call + 1].arg = here(c);
    return ST_OK;
}

static enum status compile_record(struct avro_compiler *c, const struct avro_type *writer,
                                  struct avro_want want)
{
    if (want.type != NULL && !types_match(writer, want.type))
        return mismatch(c, writer, want);
    if (want.node != NULL && want.node->column >= 0)
        return want.type == NULL
                   ? mismatch(c, writer, want)
                   : compile_error(c, "the schema's record has no value in a column; "
                                      "name its fields, as \"a.b\"");
    return want.node == NULL ? compile_routine(c, writer, want)
                             : compile_fields(c, writer, want);
}

static enum status compile_kind(struct avro_compiler *c, const struct avro_type *writer,
                                struct avro_want want)
{
    struct avro_op op;
    if (writer->kind == AVRO_UNION)
        return compile_union(c, writer, want);
    if (!has_branch_for(writer, want))
        return mismatch(c, writer, want);
    want = want_of_branch(writer, want);
    switch (writer->kind) {
    case AVRO_NULL:
        return compile_null(c, writer, want);
    case AVRO_RECORD:
        return compile_record(c, writer, want);
    case AVRO_ARRAY:
    case AVRO_MAP:
        return compile_items(c, writer, want);
    default:
        TRY(leaf_op(c, writer, want, &op));
        return emit(c, op, NULL);
    }
}

static enum status compile(struct avro_compiler *c, const struct avro_type *writer,
                           struct avro_want want)
{
    if (c->depth == RESOLVE_DEPTH_MAX)
        return compile_error(c, "types stand in each other more than %d deep",
                             RESOLVE_DEPTH_MAX);
    size_t n_branches =
        want.type != NULL && want.type->kind == AVRO_UNION ? want.type->n : 0;
    TRY(spend(c, RESOLVE_STEPS_OF_TYPE + n_branches));
    uint32_t begin = here(c);
    c->depth++;
    enum status rc = compile_kind(c, writer, want);
    c->depth--;
    // It was only to be seen that they match: there is nothing to read.
    if (rc == ST_OK && writer->min_bytes == 0 && want.node == NULL)
        c->plan->n_ops = begin;
    return rc;
}

static enum status compile_plan(struct avro_compiler *c, const struct avro_schema *writer)
{
    struct avro_want want = {c->reader->schema ? c->reader->schema->root : NULL,
                             &c->reader->root};
    TRY(compile(c, writer->root, want));
    TRY(emit(c, (struct avro_op){.code = OP_END}, NULL));
    c->plan->skip_pc = here(c);
    TRY(compile(c, writer->root, nothing));
    TRY(emit(c, (struct avro_op){.code = OP_END}, NULL));
    c->plan->n_bytes = c->plan->arena.n_bytes + c->ops_capacity * sizeof(*c->plan->ops) +
                       c->paths_capacity * sizeof(*c->plan->paths);
    return ST_OK;
}

enum status avro_plan_open(const struct avro_schema *writer,
                           const struct avro_reader *reader, struct avro_plan **ret,
                           struct err *err)
{
    struct err own;
    struct avro_compiler compiler = {
        .plan = mem_zalloc(sizeof(struct avro_plan)),
        .reader = reader,
        .err = err ? err : &own, // its text is used on the way
    };
    enum status rc = compile_plan(&compiler, writer);
    free(compiler.pairs);
    buf_release(&compiler.path);
    if (rc == ST_OK)
        *ret = compiler.plan;
    else
        avro_plan_free(compiler.plan);
    return rc;
}
