// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "base/text.h"
#include "sql/build.h"
#include "sql/legal.h"
#include "sql/native.h"
#include "sql/print.h"
#include "sql/probe.h"
#include "sql/reads.h"
#include "sql/spark.h"

static void unknown_sink(struct builder *builder, const struct statement *statement)
{
    if (builder->binder.incomplete)
        return;
    const struct statements *statements = builder->statements;
    for (size_t i = 0; i < statements->n; i++) {
        const struct statement *s = &statements->items[i];
        if (s->kind != STATEMENT_TABLE || !str_eq(s->name, statement->name))
            continue;
        report_error(builder->report, statement->name_at,
                     "'%.*s' is made below, on line %zu", STR_ARGS(s->name),
                     report_line(builder->report, s->at));
        report_hint(builder->report, "move it above this statement");
        return;
    }
    report_error(builder->report, statement->name_at, "unknown table '%.*s'",
                 STR_ARGS(statement->name));
    const char **names = mem_array(builder->n_tables + 1, sizeof(*names));
    for (size_t i = 0; i < builder->n_tables; i++)
        names[i] = builder->tables[i].name.p;
    const char *near = str_nearest(statement->name, names, builder->n_tables);
    free(names);
    if (near != NULL)
        report_hint(builder->report, "did you mean '%s'?", near);
    else
        report_hint(
            builder->report,
            "write CREATE TABLE %.*s () WITH (connector = 'filesystem', ...) above",
            STR_ARGS(statement->name));
}

static bool check_sink(struct builder *builder, const struct statement *statement)
{
    const struct relation *sink = catalog_find(&builder->catalog, statement->name);
    if (sink == NULL) {
        unknown_sink(builder, statement);
        return false;
    }
    if (sink->query == NULL)
        return true;
    report_error(builder->report, statement->name_at,
                 "INSERT writes '%.*s', which is a view", STR_ARGS(statement->name));
    report_hint(builder->report,
                "write CREATE TABLE other () WITH (connector = 'filesystem', ...)");
    return false;
}

static struct table *find_table(struct builder *builder, struct str name)
{
    for (size_t i = 0; i < builder->n_tables; i++)
        if (str_eq(builder->tables[i].name, name))
            return &builder->tables[i];
    return NULL;
}

static const struct table *stream_of(const struct builder *builder)
{
    for (size_t i = 0; i < builder->n_tables; i++)
        if (builder->tables[i].kind == TABLE_STREAM)
            return &builder->tables[i];
    return NULL;
}

static void no_stream(struct builder *builder, const struct statement *statement)
{
    const struct table *sink = find_table(builder, statement->name);
    if (sink != NULL && sink->options.group != NULL &&
        connector_of(&sink->options)->stream != NULL)
        return; // reported where it is made
    const struct table *stream = stream_of(builder);
    report_error(builder->report, statement->name_at,
                 "this INSERT does not read a stream");
    if (stream != NULL)
        report_hint(builder->report, "write FROM %.*s", STR_ARGS(stream->name));
    else
        report_hint(builder->report,
                    "write CREATE TABLE ... WITH (connector = '%s', ...) "
                    "above, and read it",
                    connector_of_topics()->options.name);
}

// The sink's columns.

static size_t output_place(const struct query *query, size_t i)
{
    while (query->set_op != SET_NONE)
        query = query->left;
    return query->outputs[i].at;
}

static void check_column(struct builder *builder, const struct table *sink, size_t i)
{
    const struct query *query = builder->insert_query;
    const struct column *want = &sink->schema.columns[i];
    const struct column *given = &query->schema.columns[i];
    if (!str_eq(want->name, given->name)) {
        report_error(builder->report, output_place(query, i),
                     "column %zu of '%.*s' is '%.*s', not '%.*s'", i + 1,
                     STR_ARGS(sink->name), STR_ARGS(want->name), STR_ARGS(given->name));
        report_hint(builder->report, "write ... AS %.*s, or declare the table with ()",
                    STR_ARGS(want->name));
    } else if (want->type != given->type) {
        report_error(builder->report, output_place(query, i),
                     "column '%.*s' of '%.*s' is %s, not %s", STR_ARGS(want->name),
                     STR_ARGS(sink->name), type_name(want->type), type_name(given->type));
        report_hint(builder->report, "write CAST(... AS %s) AS %.*s",
                    type_name(want->type), STR_ARGS(want->name));
    }
}

static void settle_output(struct builder *builder, struct table *sink)
{
    const struct query *query = builder->insert_query;
    size_t n_before = builder->report->n;
    if (sink->schema.n == 0) {
        sink->schema = query->schema;
        build_check_types(builder, builder->insert->name_at, &sink->format,
                          &sink->schema);
    } else if (sink->schema.n != query->schema.n) {
        report_error(builder->report, builder->insert->name_at,
                     "'%.*s' has %s, the SELECT gives %zu", STR_ARGS(sink->name),
                     text_counted((int64_t)sink->schema.n, "column", "columns"),
                     query->schema.n);
        report_hint(builder->report, "select as many, or declare the table with ()");
    } else {
        for (size_t i = 0; i < sink->schema.n; i++)
            check_column(builder, sink, i);
    }
    builder->plan->output = sink->schema;
    if (builder->report->n == n_before && !builder->sink_is_wrong)
        build_check_outside(builder, builder->insert->name_at, sink);
}

void build_insert(struct builder *builder, const struct statement *statement)
{
    if (builder->insert != NULL) {
        report_error(builder->report, statement->at,
                     "a second INSERT; the first is on line %zu",
                     report_line(builder->report, builder->insert->at));
        report_hint(builder->report, "a script has one INSERT: write a script for each");
        return;
    }
    builder->insert = statement;
    bool good = check_sink(builder, statement);
    struct query *query = statement->query;
    bind_query(&builder->binder, query, NAMES_NEEDED);
    if (query->failed)
        return;
    if (!query->reads_stream)
        no_stream(builder, statement);
    else
        legal_stream_query(builder->report, query);
    if (!good || !query->reads_stream)
        return;
    builder->insert_query = query;
    settle_output(builder, find_table(builder, statement->name));
}

// Subqueries over tables become views: they are computed once, not with each batch.

static void hoist_query(struct builder *builder, struct query *query);

static bool is_made(const struct builder *builder, struct str name)
{
    for (size_t i = 0; i < builder->n_views; i++)
        if (str_eq(builder->views[i].name, name))
            return true;
    return catalog_find(&builder->catalog, name) != NULL;
}

static struct str hidden_name(const struct builder *builder, struct str alias)
{
    struct str name;
    size_t n = builder->n_views;
    do {
        name = str_of(
            arena_printf(builder->report->arena, "%.*s#%zu", STR_ARGS(alias), ++n));
    } while (is_made(builder, name));
    return name;
}

static struct relation *make_hidden(struct builder *builder, struct str name,
                                    struct query *query, const struct schema *schema)
{
    struct arena *arena = builder->report->arena;
    struct relation *relation = arena_zalloc(arena, sizeof(*relation));
    relation->hidden = true;
    relation->query = query;
    relation->schema = *schema;
    relation->name = hidden_name(builder, name);
    build_add_view(builder, relation->name, query, schema)->hidden = true;
    return relation;
}

static void hoist_leaf(struct from *leaf, void *arg)
{
    struct builder *builder = arg;
    if (!leaf->reads_stream) {
        if (leaf->kind == FROM_QUERY && leaf->relation == NULL)
            leaf->relation =
                make_hidden(builder, leaf->alias, leaf->query, &leaf->schema);
        return;
    }
    if (leaf->relation != NULL && leaf->relation->query != NULL)
        hoist_query(builder, leaf->relation->query);
    if (leaf->kind == FROM_QUERY)
        hoist_query(builder, leaf->query);
}

static void hoist_query(struct builder *builder, struct query *query)
{
    for (size_t i = 0; i < query->n_ctes; i++) {
        struct cte *cte = &query->ctes[i];
        if (cte->query->reads_stream)
            hoist_query(builder, cte->query);
        else if (cte->used && cte->hoisted == NULL)
            cte->hoisted = make_hidden(builder, cte->name, cte->query, &cte->schema);
    }
    if (query->set_op != SET_NONE) {
        hoist_query(builder, query->left);
        hoist_query(builder, query->right);
        return;
    }
    from_each_leaf(query->from, hoist_leaf, builder);
}

static struct str printed(struct builder *builder, bool traced)
{
    AUTO(buf_release) struct buf sql = {0};
    struct printer printer = {.out = &sql, .traced = traced};
    print_query(&printer, builder->insert_query);
    return arena_str(builder->report->arena, buf_as_str(&sql));
}

static void note_reads(struct builder *builder)
{
    struct plan *plan = builder->plan;
    plan->insert_reads =
        query_reads(&plan->arena, builder->insert_query, &plan->n_insert_reads);
    for (size_t i = 0; i < plan->n_insert_reads; i++)
        for (size_t v = 0; v < builder->n_views; v++)
            if (str_eq(builder->views[v].name, plan->insert_reads[i]))
                builder->views[v].read_by_insert = true;
}

void build_insert_plan(struct builder *builder)
{
    struct plan *plan = builder->plan;
    struct table *sink = find_table(builder, builder->insert->name);
    plan->sink = sink;
    plan->stream = stream_of(builder);
    hoist_query(builder, builder->insert_query);
    plan->insert_sql = printed(builder, false);
    plan->traced_sql = printed(builder, true);
    note_reads(builder);
    native_lookups_make(plan, builder->insert_query);
    probes_make(plan, builder->insert_query);
    native_plan_make(plan, builder->insert_query);
    if (builder->script->for_spark)
        spark_make(builder->report, plan, builder->insert_query,
                   builder->insert->name_at);
}
