// SPDX-License-Identifier: Apache-2.0
#include "sql/plan.h"

#include <stdlib.h>

#include "base/hash.h"
#include "sql/build.h"
#include "sql/parse.h"
#include "sql/script_text.h"
#include "sql/variables.h"

static void hash_text(struct buf *buf, struct str s)
{
    buf_printf(buf, "%zu:", s.n);
    buf_str(buf, s);
}

// What the plan means, as text: any change of it changes the hash.
static void make_hash(struct plan *plan)
{
    AUTO(buf_release) struct buf buf = {0};
    for (size_t i = 0; i < plan->n_tables; i++) {
        hash_text(&buf, plan->tables[i].name);
        schema_format(&plan->tables[i].schema, &buf);
    }
    for (size_t i = 0; i < plan->n_views; i++) {
        hash_text(&buf, plan->views[i].name);
        schema_format(&plan->views[i].schema, &buf);
        hash_text(&buf, plan->views[i].sql);
    }
    hash_text(&buf, plan->insert_sql);
    schema_format(&plan->output, &buf);
    sha256_hex(buf.p, buf.n, plan->hash);
}

static struct report make_report(const struct script *script, struct plan *plan)
{
    struct str text = script->text;
    if (str_starts_with(text, "\xEF\xBB\xBF"))
        text = (struct str){text.p + 3, text.n - 3};
    return (struct report){
        .name = script->name,
        .text = {arena_cstr(&plan->arena, text), text.n},
        .arena = &plan->arena,
        .width = script->width,
    };
}

enum status plan_parse(const struct script *script, struct plan **ret, struct buf *report)
{
    struct plan *plan = mem_zalloc(sizeof(*plan));
    struct report errors = make_report(script, plan);
    struct statements statements;
    parse_script(script, &errors, &statements);
    build_plan(&errors, script, &statements, plan);
    if (errors.n == 0) {
        make_hash(plan);
        plan->variables = variables_used(errors.text, &plan->arena, &plan->n_variables);
        plan->text = script_text(script, errors.text, &statements, plan);
    }
    bool good = errors.n == 0;
    if (good)
        *ret = plan;
    else if (script->on_error != NULL)
        report_each(&errors, script->on_error);
    else
        report_print(&errors, report);
    report_release(&errors);
    if (!good)
        plan_free(plan);
    return good ? ST_OK : ST_USAGE;
}

void plan_free(struct plan *plan)
{
    if (plan == NULL)
        return;
    struct arena arena = plan->arena;
    arena_release(&arena);
    free(plan);
}

const struct table *plan_table(const struct plan *plan, struct str name)
{
    for (size_t i = 0; i < plan->n_tables; i++)
        if (str_eq(plan->tables[i].name, name))
            return &plan->tables[i];
    return NULL;
}

struct str view_shown_name(const struct view *view)
{
    struct str rest = view->name;
    return view->hidden ? str_cut(&rest, '#') : view->name;
}

const char *view_kind(const struct view *view)
{
    return view->hidden ? "subquery" : view->materialized ? "materialized view" : "view";
}

struct format_table plan_format_table(const struct table *table)
{
    return (struct format_table){table->name, &table->schema, &table->format};
}

struct table plan_table_of_view(const struct view *view)
{
    return (struct table){
        .name = view->name,
        .kind = TABLE_SINK,
        .schema = view->schema,
        .options = view->options,
        .format = view->format,
    };
}

bool native_asks(const struct native_plan *native)
{
    for (size_t b = 0; b < native->n_branches; b++)
        for (size_t i = 0; i < native_n_steps(&native->branches[b]); i++)
            if (native->branches[b].steps->items[i].asked != NULL)
                return true;
    return false;
}
