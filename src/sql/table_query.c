// SPDX-License-Identifier: Apache-2.0
// The order in which scans are joined, and the programs of each join. A condition is
// computed as soon as all that it reads is there.
#include "sql/table_query.h"

#include <stdlib.h>

#include "sql/bind.h"
#include "sql/compile.h"
#include "sql/print.h"
#include "sql/reads.h"
#include "sql/table_maker.h"

// Order.

struct order_of_scans {
    size_t scans[SCANS_MAX];
    size_t n;
    uint32_t placed; // bits
};

static uint32_t reads_of_all(const struct table_maker *maker, const struct exprs *exprs)
{
    uint32_t reads = 0;
    for (size_t i = 0; i < exprs->n; i++)
        reads |= table_reads(maker, exprs->items[i]);
    return reads;
}

// Whether it can be joined by an equality with what is placed.
static bool is_next(const struct table_maker *maker, size_t at, uint32_t placed)
{
    const struct scan *scan = &maker->scans[at];
    const struct expr *a, *b;
    if (scan->left)
        return ((reads_of_all(maker, &scan->match) | reads_of_all(maker, &scan->keys)) &
                ~placed) == 0;
    for (size_t i = 0; i < maker->conditions.n; i++)
        if (table_is_link(maker, maker->conditions.items[i], placed, 1u << at, &a, &b))
            return true;
    return false;
}

static size_t next_scan(const struct table_maker *maker, uint32_t placed)
{
    for (size_t i = 0; i < maker->n_scans; i++)
        if ((placed >> i & 1) == 0 && is_next(maker, i, placed))
            return i;
    size_t i = 0;
    while ((placed >> i & 1) != 0 || maker->scans[i].left)
        i++;
    return i;
}

// The first is that of the first output, the key: then its rows come one after another.
static size_t first_scan(const struct table_maker *maker)
{
    const struct expr *key = maker->outputs.n > 0 ? maker->outputs.items[0] : NULL;
    if (key == NULL || key->kind != EXPR_COLUMN)
        return 0;
    size_t scan = table_copy_of(maker, key->leaf)->scan;
    return maker->scans[scan].left ? 0 : scan;
}

static void place(struct order_of_scans *order, size_t scan)
{
    order->scans[order->n++] = scan;
    order->placed |= 1u << scan;
}

static void set_offsets(struct table_maker *maker, const struct order_of_scans *order)
{
    size_t offset = 0;
    for (size_t i = 0; i < order->n; i++) {
        struct scan *scan = &maker->scans[order->scans[i]];
        scan->offset = offset;
        offset += scan->columns.n;
    }
}

static void order_scans(struct table_maker *maker, struct order_of_scans *order)
{
    *order = (struct order_of_scans){0};
    place(order, first_scan(maker));
    while (order->n < maker->n_scans)
        place(order, next_scan(maker, order->placed));
    set_offsets(maker, order);
}

// Conditions.

// Moves the conditions that read nothing but these scans.
static void take_conditions(struct table_maker *maker, uint32_t scans, struct exprs *ret)
{
    size_t n = 0;
    for (size_t i = 0; i < maker->conditions.n; i++) {
        const struct expr *condition = maker->conditions.items[i];
        if ((table_reads(maker, condition) & ~scans) == 0)
            exprs_add(ret, condition);
        else
            maker->conditions.items[n++] = condition;
    }
    maker->conditions.n = n;
}

// Moves the equalities of an inner join to its keys.
static void take_keys(struct table_maker *maker, size_t at, uint32_t placed)
{
    struct scan *scan = &maker->scans[at];
    const struct expr *key, *source_key;
    size_t n = 0;
    for (size_t i = 0; i < maker->conditions.n; i++) {
        const struct expr *condition = maker->conditions.items[i];
        if (table_is_link(maker, condition, placed, 1u << at, &key, &source_key)) {
            exprs_add(&scan->keys, key);
            exprs_add(&scan->source_keys, source_key);
        } else {
            maker->conditions.items[n++] = condition;
        }
    }
    maker->conditions.n = n;
}

// What is joined by no equality is joined by a constant.
static void need_key(struct table_maker *maker, struct scan *scan)
{
    if (scan->keys.n > 0)
        return;
    struct expr *one = expr_one(maker->plan);
    exprs_add(&scan->keys, one);
    exprs_add(&scan->source_keys, one);
}

// SQLite may compute a condition of other rows, or in another order: where it may fail
// that can be seen.
static void check_failures(struct table_maker *maker, bool is_whole)
{
    size_t n = maker->conditions.n;
    for (size_t i = 0; i < n; i++)
        if (compile_can_fail(maker->conditions.items[i]) && (maker->n_scans > 1 || n > 1))
            table_refuse(maker, "A condition beside others may fail.");
    for (size_t i = 0; i < maker->outputs.n && !is_whole; i++)
        if (compile_can_fail(maker->outputs.items[i]))
            table_refuse(maker, "An expression of a left joined view may fail.");
}

// Programs.

static uint32_t joined_input(void *arg, const struct from *leaf, size_t column)
{
    struct table_maker *maker = arg;
    struct scan *scan = &maker->scans[table_copy_of(maker, leaf)->scan];
    struct expr key = {.kind = EXPR_COLUMN, .leaf = leaf, .column = column};
    return (uint32_t)(scan->offset + exprs_place(&scan->columns, &key));
}

static uint32_t source_input(void *arg, const struct from *leaf, size_t column)
{
    struct table_maker *maker = arg;
    const struct scan *scan = &maker->scans[table_copy_of(maker, leaf)->scan];
    return joined_input(arg, leaf, column) - (uint32_t)scan->offset;
}

static void compile_all(struct compiler *compiler, unsigned part,
                        const struct exprs *exprs)
{
    for (size_t i = 0; i < exprs->n; i++)
        compile_value(compiler, part, exprs->items[i]);
}

static const struct program *joined_program(struct table_maker *maker,
                                            const struct exprs *filter,
                                            const struct scan *scan)
{
    struct compiler compiler;
    compiler_init(&compiler, &maker->plan->arena, joined_input, maker);
    compile_condition(&compiler, PART_FILTER, filter->items, filter->n);
    if (scan == NULL) {
        compile_all(&compiler, PART_OUTPUTS, &maker->outputs);
    } else {
        compile_condition(&compiler, part_match(0), scan->match.items, scan->match.n);
        compile_all(&compiler, part_keys(0), &scan->keys);
    }
    return compiler_finish(&compiler);
}

static const struct program *source_program(struct table_maker *maker,
                                            const struct scan *scan)
{
    struct compiler compiler;
    compiler_init(&compiler, &maker->plan->arena, source_input, maker);
    compile_condition(&compiler, PART_FILTER, scan->filter.items, scan->filter.n);
    compile_all(&compiler, part_keys(0), &scan->source_keys);
    return compiler_finish(&compiler);
}

// Sources.

// The columns that are read, of the leaves as the script has them.
static const struct expr *const *scanned(struct table_maker *maker,
                                         const struct scan *scan)
{
    const struct expr **columns =
        arena_array(&maker->plan->arena, scan->columns.n + 1, sizeof(*columns));
    for (size_t i = 0; i < scan->columns.n; i++) {
        const struct expr *column = scan->columns.items[i];
        columns[i] = table_column(maker->plan, table_copy_of(maker, column->leaf)->leaf,
                                  column->column);
    }
    return columns;
}

static void set_schema(struct table_maker *maker, const struct scan *scan,
                       struct schema *ret)
{
    ret->n = scan->columns.n;
    ret->columns = arena_array(&maker->plan->arena, ret->n + 1, sizeof(*ret->columns));
    for (size_t i = 0; i < ret->n; i++) {
        const struct expr *column = scan->columns.items[i];
        ret->columns[i] = column->leaf->schema.columns[column->column];
        ret->columns[i].nullable = true;
    }
}

static void set_sql(struct table_maker *maker, const struct scan *scan,
                    struct table_source *ret)
{
    struct arena *arena = &maker->plan->arena;
    AUTO(buf_release) struct buf sql = {0};
    struct printer printer = {.out = &sql};
    const struct expr *const *columns = scanned(maker, scan);
    buf_text(&sql, "SELECT ");
    for (size_t i = 0; i < scan->columns.n; i++) {
        buf_text(&sql, i ? ", " : "");
        print_column(&printer, columns[i]->leaf, columns[i]->column);
    }
    buf_text(&sql, " FROM ");
    print_from(&printer, scan->from);
    ret->sql = arena_str(arena, buf_as_str(&sql));
    ret->sql_why = scan->sql_why;
    ret->reads = from_reads(arena, scan->from, NULL, &ret->n_reads);
}

static void set_table(struct table_maker *maker, const struct scan *scan,
                      struct table_source *ret)
{
    size_t n = scan->columns.n;
    size_t *columns = arena_array(&maker->plan->arena, n + 1, sizeof(*columns));
    for (size_t i = 0; i < n; i++)
        columns[i] = scan->columns.items[i]->column;
    ret->table = plan_table(maker->plan, scan->from->relation->name);
    ret->columns = columns;
}

static const struct table_query *make_whole(struct table_maker *maker,
                                            const struct schema *schema, bool is_whole);
static void maker_release(struct table_maker *maker);

// What is joined before it meets the rest.
static void set_query(struct table_maker *maker, const struct scan *scan,
                      struct table_source *ret)
{
    struct table_maker inside = {.plan = maker->plan, .work = maker->work};
    struct binding *scope = NULL;
    const struct expr *const *columns = scanned(maker, scan);
    table_take_from(&inside, scan->from, &scope);
    for (size_t i = 0; i < scan->columns.n && inside.why == NULL; i++)
        exprs_add(&inside.outputs, table_resolve(&inside, scope, columns[i]));
    ret->query = make_whole(&inside, &ret->schema, false);
    if (inside.why != NULL)
        table_refuse(maker, inside.why);
    maker->work = inside.work;
    maker_release(&inside);
}

static void make_source(struct table_maker *maker, const struct scan *scan,
                        struct table_source *ret)
{
    set_schema(maker, scan, &ret->schema);
    if (scan->kind == SCAN_TABLE)
        set_table(maker, scan, ret);
    else if (scan->kind == SCAN_SQL)
        set_sql(maker, scan, ret);
    else
        set_query(maker, scan, ret);
}

// The whole.

static void make_join(struct table_maker *maker, size_t at, uint32_t placed,
                      struct table_join *ret)
{
    struct scan *scan = &maker->scans[at];
    struct exprs filter = {0};
    take_conditions(maker, placed, &filter);
    if (!scan->left) {
        take_conditions(maker, 1u << at, &scan->filter);
        take_keys(maker, at, placed);
    }
    need_key(maker, scan);
    ret->left = scan->left;
    ret->n_keys = scan->keys.n;
    ret->program = joined_program(maker, &filter, scan);
    ret->source_program = source_program(maker, scan);
    make_source(maker, scan, &ret->source);
    free(filter.items);
}

static void make_joins(struct table_maker *maker, struct table_query *query)
{
    struct order_of_scans order;
    order_scans(maker, &order);
    struct table_join *joins = arena_array(&maker->plan->arena, order.n, sizeof(*joins));
    uint32_t placed = 1u << order.scans[0];
    make_source(maker, &maker->scans[order.scans[0]], &query->source);
    for (size_t i = 1; i < order.n; i++) {
        make_join(maker, order.scans[i], placed, &joins[i - 1]);
        placed |= 1u << order.scans[i];
    }
    query->joins = joins;
    query->n_joins = order.n - 1;
    query->program = joined_program(maker, &maker->conditions, NULL);
}

// `is_whole`: no part of another query.
static const struct table_query *make_whole(struct table_maker *maker,
                                            const struct schema *schema, bool is_whole)
{
    if (maker->why == NULL)
        check_failures(maker, is_whole);
    if (maker->why == NULL && maker->n_scans == 1 && maker->scans[0].kind == SCAN_SQL)
        table_refuse(maker, maker->scans[0].sql_why);
    if (maker->why != NULL)
        return NULL;
    struct table_query *query = arena_zalloc(&maker->plan->arena, sizeof(*query));
    query->schema = *schema;
    make_joins(maker, query);
    return maker->why == NULL ? query : NULL;
}

static void maker_release(struct table_maker *maker)
{
    for (size_t i = 0; i < maker->n_scans; i++) {
        struct scan *scan = &maker->scans[i];
        free(scan->filter.items);
        free(scan->match.items);
        free(scan->keys.items);
        free(scan->source_keys.items);
        free(scan->columns.items);
    }
    free(maker->copies);
    free(maker->conditions.items);
    free(maker->outputs.items);
}

const struct table_query *table_query_make(struct plan *plan, const struct query *query,
                                           const struct schema *schema,
                                           const char **ret_why)
{
    struct table_maker maker = {.plan = plan};
    struct binding *scope = NULL;
    table_take_query(&maker, query, &scope);
    for (size_t i = 0; maker.why == NULL && i < query->n_outputs; i++)
        exprs_add(&maker.outputs, table_resolve(&maker, scope, query->outputs[i].expr));
    const struct table_query *made = make_whole(&maker, schema, true);
    *ret_why = maker.why;
    maker_release(&maker);
    return made;
}

const struct table_query *table_query_of_from(struct plan *plan, const struct from *from,
                                              const struct exprs *columns,
                                              const struct exprs *conditions,
                                              const struct schema *schema,
                                              const char **ret_why)
{
    struct table_maker maker = {.plan = plan};
    struct binding *scope = NULL;
    table_take_from(&maker, from, &scope);
    for (size_t i = 0; i < conditions->n; i++)
        table_add_condition(&maker, scope, conditions->items[i]);
    for (size_t i = 0; maker.why == NULL && i < columns->n; i++)
        exprs_add(&maker.outputs, table_resolve(&maker, scope, columns->items[i]));
    const struct table_query *made = make_whole(&maker, schema, true);
    *ret_why = maker.why;
    maker_release(&maker);
    return made;
}
