// SPDX-License-Identifier: Apache-2.0
#include "sql/probe.h"

#include <stdlib.h>

#include "sql/catalog.h"
#include "sql/native.h"
#include "sql/native_maker.h"
#include "sql/print.h"
#include "sql/walk.h"

enum {
    GROUPS_MAX = JOINS_MAX,
    READS_LATER = 1 << 30 // tables that were not joined yet
};

// Tables that are looked up together.
struct group {
    const struct from *parts[GROUPS_MAX]; // joined in this order
    const struct from *joins[GROUPS_MAX]; // the join of each part; of the first: none
    size_t n_parts;
    struct exprs conditions[GROUPS_MAX]; // of each part
    struct exprs filter;                 // what WHERE says of its tables, and the stream
    struct exprs keys;                   // what the stream gives
    int needs;                           // groups before it that its conditions read
    bool left;
};

struct prober {
    struct plan *plan;
    const struct from *from, *stream; // of the SELECT
    struct group groups[GROUPS_MAX];
    size_t n_groups;
    const struct from *new_tables;
    struct exprs filter; // of the stream's rows
    struct probe *probes;
    size_t n, capacity;
};

// What an expression reads: READS_STREAM, and a bit for each group.

struct question {
    const struct prober *prober;
    int reads;
};

static void ask_expr(struct expr *expr, void *arg);

static void ask_query(struct query *query, struct question *question);

static void ask_leaf(struct from *leaf, void *arg)
{
    if (leaf->query != NULL)
        ask_query(leaf->query, arg);
}

static void ask_query(struct query *query, struct question *question)
{
    for (size_t i = 0; i < query->n_ctes; i++)
        ask_query(query->ctes[i].query, question);
    if (query->set_op != SET_NONE) {
        ask_query(query->left, question);
        ask_query(query->right, question);
        return;
    }
    from_each_leaf(query->from, ask_leaf, question);
    query_each_expr(query, ask_expr, question);
}

static int reads_of_leaf(const struct prober *prober, const struct from *leaf)
{
    if (leaf == prober->stream)
        return READS_STREAM;
    for (size_t g = 0; g < prober->n_groups; g++)
        for (size_t i = 0; i < prober->groups[g].n_parts; i++)
            if (native_has_leaf(prober->groups[g].parts[i], leaf))
                return reads_join(g);
    if (prober->new_tables != NULL && native_has_leaf(prober->new_tables, leaf))
        return reads_join(prober->n_groups);
    return native_has_leaf(prober->from, leaf) ? READS_LATER : 0; // 0: of a subquery
}

static void ask_expr(struct expr *expr, void *arg)
{
    struct question *question = arg;
    if (expr->kind == EXPR_COLUMN)
        question->reads |= reads_of_leaf(question->prober, expr->leaf);
    if (expr->query != NULL)
        ask_query(expr->query, question);
    expr_each(expr, ask_expr, question);
}

static int reads_of(const struct prober *prober, const struct expr *expr)
{
    struct question question = {.prober = prober};
    ask_expr((struct expr *)(uintptr_t)expr, &question); // reads only
    return question.reads;
}

// Groups.

static void release_groups(struct prober *prober)
{
    for (size_t g = 0; g < prober->n_groups; g++) {
        for (size_t i = 0; i < prober->groups[g].n_parts; i++)
            free(prober->groups[g].conditions[i].items);
        free(prober->groups[g].filter.items);
        free(prober->groups[g].keys.items);
    }
    free(prober->filter.items);
    prober->filter = (struct exprs){0};
    prober->n_groups = 0;
}

// Moves what WHERE says of a join: equalities of its tables and the other side.
static void move_links(const struct prober *prober, struct exprs *where,
                       struct exprs *ret)
{
    int own = reads_join(prober->n_groups);
    size_t n = 0;
    for (size_t i = 0; i < where->n; i++) {
        const struct expr *condition = where->items[i];
        bool is_equality = native_is_equality(condition);
        int a = is_equality ? reads_of(prober, condition->args[0]) : 0;
        int b = is_equality ? reads_of(prober, condition->args[1]) : 0;
        int other = a == own ? b : a;
        if ((a == own || b == own) && other != 0 && (other & (own | READS_LATER)) == 0)
            exprs_add(ret, condition);
        else
            where->items[n++] = condition;
    }
    where->n = n;
}

static void note_keys(const struct prober *prober, const struct exprs *conditions,
                      struct exprs *keys)
{
    for (size_t i = 0; i < conditions->n; i++) {
        const struct expr *condition = conditions->items[i];
        for (size_t side = 0; native_is_equality(condition) && side < 2; side++)
            if (reads_of(prober, condition->args[side]) == READS_STREAM &&
                reads_of(prober, condition->args[1 - side]) != READS_STREAM &&
                condition->args[side]->type != TYPE_UNKNOWN && keys->n < KEYS_MAX)
                exprs_add(keys, condition->args[side]);
    }
}

// The one group that this is; NULL: it is none, or several.
static struct group *group_beside(struct prober *prober, int reads)
{
    for (size_t g = 0; g < prober->n_groups; g++)
        if (reads == reads_join(g))
            return &prober->groups[g];
    return NULL;
}

// Moves what an inner join's ON says of the stream alone: no record is asked for
// that it is not true of.
static void move_filter(struct prober *prober, struct exprs *conditions)
{
    size_t n = 0;
    for (size_t i = 0; i < conditions->n; i++) {
        int reads = reads_of(prober, conditions->items[i]);
        if (reads == READS_STREAM || reads == 0)
            exprs_add(&prober->filter, conditions->items[i]);
        else
            conditions->items[n++] = conditions->items[i];
    }
    conditions->n = n;
}

static void add_tables(struct prober *prober, const struct from *join,
                       const struct from *tables, struct exprs *where)
{
    bool inner = join->join == JOIN_INNER;
    struct exprs conditions = {0};
    prober->new_tables = tables;
    if (join->on != NULL)
        native_split_and(&conditions, join->on);
    if (inner) {
        move_links(prober, where, &conditions);
        move_filter(prober, &conditions);
    }
    int own = reads_join(prober->n_groups), reads = 0;
    for (size_t i = 0; i < conditions.n; i++)
        reads |= reads_of(prober, conditions.items[i]);
    struct group *group = group_beside(prober, reads & ~own & ~READS_STREAM);
    for (size_t g = prober->n_groups; g-- > 0;)
        if ((reads & reads_join(g)) != 0)
            reads |= prober->groups[g].needs;
    if (group == NULL) {
        group = &prober->groups[prober->n_groups];
        *group = (struct group){.left = !inner, .needs = reads & ~own & ~READS_STREAM};
    }
    note_keys(prober, &conditions, &group->keys);
    prober->n_groups += group == &prober->groups[prober->n_groups];
    group->left = group->left && !inner;
    group->joins[group->n_parts] = join;
    group->conditions[group->n_parts] = conditions;
    group->parts[group->n_parts++] = tables;
    prober->new_tables = NULL;
}

static size_t n_joins_of(const struct from *from)
{
    return from->kind == FROM_JOIN ? 1 + n_joins_of(from->left) + n_joins_of(from->right)
                                   : 0;
}

static void take_from(struct prober *prober, const struct from *from, struct exprs *where)
{
    if (from->kind != FROM_JOIN) {
        prober->stream = from;
        return;
    }
    bool on_left = from->left->reads_stream;
    take_from(prober, on_left ? from->left : from->right, where);
    add_tables(prober, from, on_left ? from->right : from->left, where);
}

static void take_where(struct prober *prober, const struct exprs *where)
{
    for (size_t i = 0; i < where->n; i++) {
        const struct expr *condition = where->items[i];
        int reads = reads_of(prober, condition);
        struct group *group = group_beside(prober, reads & ~READS_STREAM);
        if (reads == READS_STREAM || reads == 0)
            exprs_add(&prober->filter, condition);
        else if (group != NULL)
            exprs_add(&group->filter, condition);
    }
}

// SQL.

static void print_conditions(struct printer *printer, const struct exprs *conditions,
                             const char **before)
{
    for (size_t i = 0; i < conditions->n; i++) {
        buf_text(printer->out, *before);
        print_expr(printer, conditions->items[i]);
        *before = " AND ";
    }
}

static void print_group(struct printer *printer, const struct group *group,
                        const char *before)
{
    buf_text(printer->out, before);
    print_from(printer, group->parts[0]);
    for (size_t i = 1; i < group->n_parts; i++) {
        bool inner = group->joins[i]->join == JOIN_INNER;
        const char *on = "";
        bool nested = group->parts[i]->kind == FROM_JOIN;
        buf_text(printer->out, inner ? " JOIN " : " LEFT JOIN ");
        buf_text(printer->out, nested ? "(" : "");
        print_from(printer, group->parts[i]);
        buf_text(printer->out, nested ? ") ON " : " ON ");
        print_conditions(printer, &group->conditions[i], &on);
        buf_text(printer->out, group->conditions[i].n == 0 ? "1" : "");
    }
}

// The conditions of a look-up, and of those before it that it reads.
static void print_look_up(const struct prober *prober, struct printer *printer, size_t g,
                          const char **before)
{
    const struct group *group = &prober->groups[g];
    print_conditions(printer, &group->conditions[0], before);
    for (size_t i = 0; i < g; i++)
        if ((group->needs & reads_join(i)) != 0)
            print_conditions(printer, &prober->groups[i].conditions[0], before);
}

static void print_tables(const struct prober *prober, struct printer *printer, size_t g,
                         const char *before)
{
    const struct group *group = &prober->groups[g];
    print_group(printer, group, before);
    for (size_t i = 0; i < g; i++)
        if ((group->needs & reads_join(i)) != 0)
            print_group(printer, &prober->groups[i], ", ");
}

// How many rows match.
static void print_matches(const struct prober *prober, struct printer *printer, size_t g)
{
    const char *where = " WHERE ";
    print_tables(prober, printer, g, ", (SELECT count(*) FROM ");
    print_look_up(prober, printer, g, &where);
    buf_text(printer->out, ")");
}

// How many rows the join gives that WHERE leaves; a left join's one of NULLs is one.
static void print_left(const struct prober *prober, struct printer *printer, size_t g)
{
    const struct group *group = &prober->groups[g];
    const char *where = " WHERE ", *on = " ON ";
    bool nested =
        group->n_parts > 1 || group->needs != 0 || group->parts[0]->kind == FROM_JOIN;
    if (group->left) {
        buf_text(printer->out, ", (SELECT count(*) FROM ");
        buf_text(printer->out, "(SELECT 1)");
        print_tables(prober, printer, g, nested ? " LEFT JOIN (" : " LEFT JOIN ");
        buf_text(printer->out, nested ? ")" : "");
        print_look_up(prober, printer, g, &on);
    } else {
        print_tables(prober, printer, g, ", (SELECT count(*) FROM ");
        print_look_up(prober, printer, g, &where);
    }
    print_conditions(printer, &group->filter, &where);
    buf_text(printer->out, ")");
}

static struct str print_probe(const struct prober *prober)
{
    AUTO(buf_release) struct buf sql = {0};
    struct printer printer = {.out = &sql, .traced = true};
    const char *where = " WHERE ";
    buf_text(&sql, "SELECT ");
    print_name(&printer, prober->stream->label);
    buf_text(&sql, ".\"" STREAM_ROW_COLUMN "\"");
    for (size_t g = 0; g < prober->n_groups; g++) {
        print_matches(prober, &printer, g);
        print_left(prober, &printer, g);
        for (size_t k = 0; k < prober->groups[g].keys.n; k++) {
            buf_text(&sql, ", ");
            print_expr(&printer, prober->groups[g].keys.items[k]);
        }
    }
    buf_text(&sql, " FROM ");
    print_from(&printer, prober->stream);
    print_conditions(&printer, &prober->filter, &where);
    return arena_str(&prober->plan->arena, buf_as_str(&sql));
}

static void put_name(struct from *leaf, void *arg)
{
    struct buf *name = arg;
    const struct relation *relation = leaf->cte ? leaf->cte->hoisted : leaf->relation;
    struct str shown = relation != NULL ? relation->name : leaf->alias, rest = shown;
    if (relation != NULL && relation->hidden)
        shown = str_cut(&rest, '#'); // view_shown_name
    buf_text(name, name->n > 0 ? "+" : "");
    buf_str(name, shown);
}

static struct str name_of(const struct prober *prober, const struct group *group)
{
    AUTO(buf_release) struct buf name = {0};
    for (size_t i = 0; i < group->n_parts; i++)
        from_each_leaf((struct from *)(uintptr_t)group->parts[i], put_name, &name);
    return arena_str(&prober->plan->arena, buf_as_str(&name));
}

static void add_column(struct schema *schema, enum type type)
{
    schema->columns[schema->n++] =
        (struct column){.name = STR_LITERAL("n"), .type = type, .nullable = true};
}

static void add_probe(struct prober *prober)
{
    struct arena *arena = &prober->plan->arena;
    size_t n_columns = 1;
    for (size_t g = 0; g < prober->n_groups; g++)
        n_columns += 2 + prober->groups[g].keys.n;
    struct probe_table *tables = arena_array(arena, prober->n_groups, sizeof(*tables));
    struct probe probe = {
        .sql = print_probe(prober),
        .schema = {.columns = arena_array(arena, n_columns, sizeof(struct column))},
        .tables = tables,
        .n_tables = prober->n_groups,
    };
    add_column(&probe.schema, TYPE_BIGINT);
    for (size_t g = 0; g < prober->n_groups; g++) {
        const struct group *group = &prober->groups[g];
        tables[g] = (struct probe_table){
            .name = name_of(prober, group),
            .left = group->left,
            .column = probe.schema.n,
            .n_keys = group->keys.n,
        };
        add_column(&probe.schema, TYPE_BIGINT);
        add_column(&probe.schema, TYPE_BIGINT);
        for (size_t k = 0; k < group->keys.n; k++)
            add_column(&probe.schema, group->keys.items[k]->type);
    }
    MEM_GROW(prober->probes, prober->n, prober->capacity);
    prober->probes[prober->n++] = probe;
}

static void take_query(struct prober *prober, const struct query *query);

static void take_select(struct prober *prober, const struct query *query)
{
    struct exprs where = {0};
    if (query->where != NULL)
        native_split_and(&where, query->where);
    prober->from = query->from;
    take_from(prober, query->from, &where);
    take_where(prober, &where);
    free(where.items);
    const struct query *inner = print_in_place(prober->stream);
    if (prober->n_groups > 0)
        add_probe(prober);
    release_groups(prober);
    if (inner != NULL)
        take_query(prober, inner);
}

static void take_query(struct prober *prober, const struct query *query)
{
    if (query->set_op != SET_NONE) {
        take_query(prober, query->left);
        take_query(prober, query->right);
    } else if (n_joins_of(query->from) <= GROUPS_MAX) {
        take_select(prober, query);
    }
}

void probes_make(struct plan *plan, const struct query *query)
{
    struct prober prober = {.plan = plan};
    take_query(&prober, query);
    struct probe *probes = arena_array(&plan->arena, prober.n + 1, sizeof(*probes));
    if (prober.n > 0)
        memcpy(probes, prober.probes, prober.n * sizeof(*probes));
    free(prober.probes);
    plan->probes = probes;
    plan->n_probes = prober.n;
}
