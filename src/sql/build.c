// SPDX-License-Identifier: Apache-2.0
#include "sql/build.h"

#include <stdlib.h>

#include "sql/options.h"
#include "sql/verify.h"

static void build_statement(struct builder *builder, const struct statement *statement)
{
    builder->binder.at = statement->at;
    switch (statement->kind) {
    case STATEMENT_SET:
        options_take_set(builder->report, builder->script->checks,
                         &builder->plan->settings, statement);
        break;
    case STATEMENT_TABLE:
        build_table(builder, statement);
        break;
    case STATEMENT_VIEW:
        build_view(builder, statement);
        break;
    case STATEMENT_INSERT:
        build_insert(builder, statement);
        break;
    }
}

static struct str first_sink(const struct statements *statements)
{
    for (size_t i = 0; i < statements->n; i++)
        if (statements->items[i].kind == STATEMENT_INSERT)
            return statements->items[i].name;
    return (struct str){0};
}

// Whether what INSERT writes is some CREATE TABLE; true without an INSERT.
static bool makes_sink(const struct statements *statements, struct str sink)
{
    for (size_t i = 0; i < statements->n; i++)
        if (statements->items[i].kind == STATEMENT_TABLE &&
            str_eq(statements->items[i].name, sink))
            return true;
    return sink.n == 0;
}

static void hand_over(struct builder *builder)
{
    struct plan *plan = builder->plan;
    struct view *views =
        arena_array(builder->report->arena, builder->n_views + 1, sizeof(*views));
    if (builder->n_views > 0)
        memcpy(views, builder->views, builder->n_views * sizeof(*views));
    plan->views = views;
    plan->n_views = builder->n_views;
}

void build_plan(struct report *report, const struct script *script,
                const struct statements *statements, struct plan *plan)
{
    struct builder builder = {
        .report = report,
        .script = script,
        .plan = plan,
        .statements = statements,
        .catalog = {.statements = statements},
        .sink_name = first_sink(statements),
        .sink_is_made = makes_sink(statements, first_sink(statements)),
        .tables = arena_array(report->arena, statements->n + 1, sizeof(struct table)),
        .paths = arena_array(report->arena, statements->n + 1, sizeof(struct named_path)),
    };
    builder.binder = (struct binder){
        .report = report,
        .arena = report->arena,
        .catalog = &builder.catalog,
        .incomplete = statements->incomplete,
    };
    plan->tables = builder.tables;
    options_init(&plan->settings, &set_option_group, report->arena);
    for (size_t i = 0; i < statements->n; i++)
        build_statement(&builder, &statements->items[i]);
    if (report->n == 0 && builder.insert_query != NULL)
        build_insert_plan(&builder);
    hand_over(&builder);
    if (report->n == 0)
        plan_verify(report, plan, builder.insert ? builder.insert->at : 0);
    catalog_release(&builder.catalog);
    free(builder.views);
}
