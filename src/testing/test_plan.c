// SPDX-License-Identifier: Apache-2.0
#include "testing/test_plan.h"

#include <ctype.h>
#include <stdlib.h>

#include "job/pipeline.h"

enum {
    VARIABLES_MAX = 1000, // of a script that have no value
};

#define NO_VALUE "no-value-of-"

struct variables {
    struct variable *items;
    size_t n, capacity;
    struct arena arena;
};

static void variables_release(struct variables *variables)
{
    free(variables->items);
    arena_release(&variables->arena);
}

static void add(struct variables *variables, struct variable variable)
{
    MEM_GROW(variables->items, variables->n, variables->capacity);
    variables->items[variables->n++] = variable;
}

static bool has_value(const struct variables *variables, struct str name,
                      struct arena *arena)
{
    for (size_t i = 0; i < variables->n; i++)
        if (str_eq(variables->items[i].name, name))
            return true;
    return getenv(arena_cstr(arena, name)) != NULL;
}

static void add_all(struct variables *ret, const struct test_script *script,
                    const struct test_case *test)
{
    for (size_t i = 0; test != NULL && i < test->n_variables; i++)
        add(ret, test->variables[i]);
    for (size_t i = 0; i < script->n_variables; i++)
        add(ret, script->variables[i]);
    struct str rest = script->text;
    size_t n_given = ret->n;
    for (struct str name; (name = pipeline_next_variable(&rest)).p != NULL;)
        if (name.n > 0 && ret->n - n_given < VARIABLES_MAX &&
            !has_value(ret, name, &ret->arena))
            add(ret, (struct variable){name,
                                       str_of(arena_printf(&ret->arena, NO_VALUE "%.*s",
                                                           STR_ARGS(name))),
                                       false});
}

static struct str find_no_value(struct str sql)
{
    const char *found = sql.n ? memmem(sql.p, sql.n, NO_VALUE, strlen(NO_VALUE)) : NULL;
    if (found == NULL)
        return (struct str){0};
    struct str name = {found + strlen(NO_VALUE), 0};
    while (name.p + name.n < sql.p + sql.n &&
           (name.p[name.n] == '_' || isalnum((unsigned char)name.p[name.n])))
        name.n++;
    return name;
}

static enum status check_used(const struct plan *plan, struct err *err)
{
    struct str name = find_no_value(plan->insert_sql);
    for (size_t i = 0; i < plan->n_views && name.p == NULL; i++)
        name = find_no_value(plan->views[i].sql);
    if (name.p == NULL)
        return ST_OK;
    return err_set(err, ST_USAGE,
                   "a query of the script uses ${%.*s}, which has no value; give it by "
                   "'set %.*s = ...' in the test or --set %.*s=...",
                   STR_ARGS(name), STR_ARGS(name), STR_ARGS(name));
}

enum status test_plan_open(const struct test_script *from, const struct test_case *test,
                           struct plan **ret, struct buf *report, struct err *err)
{
    AUTO(variables_release) struct variables variables = {0};
    add_all(&variables, from, test);
    const struct script script = {
        .name = str_of(from->path),
        .text = from->text,
        .variables = variables.items,
        .n_variables = variables.n,
        .reads_files = true,
        .width = from->width,
    };
    if (plan_parse(&script, ret, report) != ST_OK)
        return err_set(err, ST_USAGE, "%s has errors; nothing was tested", from->path);
    enum status rc = check_used(*ret, err);
    if (rc != ST_OK)
        plan_free(*ret);
    return rc;
}
