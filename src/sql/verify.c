// SPDX-License-Identifier: Apache-2.0
#include "sql/verify.h"

#include "sql/sqlite_host.h"

// A table without rows.
static enum status no_rows(struct rows *rows, struct batch *batch, struct err *err)
{
    (void)rows;
    (void)err;
    batch_clear(batch);
    return ST_OK;
}

static void close_nothing(struct rows *rows)
{
    (void)rows;
}

static const struct rows_ops empty_ops = {.next = no_rows, .close = close_nothing};

static enum status make_table(struct sqlite_host *host, const struct table *table,
                              struct err *err)
{
    struct rows empty = {.ops = &empty_ops, .schema = &table->schema};
    if (table->kind == TABLE_STREAM)
        return sqlite_host_stream(host, table->name, &table->schema, err);
    if (table->kind == TABLE_SINK)
        return ST_OK;
    return sqlite_host_load(host, table->name, &table->schema, &empty, NULL, err);
}

static enum status prepare(struct sqlite_host *host, struct str sql,
                           const struct schema *schema, struct err *err)
{
    struct rows *rows;
    TRY(sqlite_host_query(host, sql, schema, &rows, err));
    rows->ops->close(rows);
    return ST_OK;
}

// A view by itself, those that it reads as tables: SQLite puts the text of views in, so
// that a chain of them would cost the cube of its length.
static enum status check_view(struct sqlite_host *host, const struct view *view,
                              struct err *err)
{
    struct rows empty = {.ops = &empty_ops, .schema = &view->schema};
    TRY(prepare(host, view->sql, &view->schema, err));
    return sqlite_host_load(host, view->name, &view->schema, &empty, NULL, err);
}

// The query as it runs, with all views in it.
static enum status check_whole(const struct plan *plan, struct err *err)
{
    struct sqlite_host *host;
    TRY(sqlite_host_open(&host, err));
    enum status rc = ST_OK;
    for (size_t i = 0; rc == ST_OK && i < plan->n_tables; i++)
        rc = make_table(host, &plan->tables[i], err);
    for (size_t i = 0; rc == ST_OK && i < plan->n_views; i++)
        rc = sqlite_host_view(host, &plan->views[i], SQLITE_VIEW, err);
    if (rc == ST_OK)
        rc = prepare(host, plan->insert_sql, &plan->output, err);
    sqlite_host_close(host);
    return rc;
}

static void refused(struct report *report, size_t at, const struct err *err)
{
    // Up to 3.45 its parser holds about 100 open parentheses and words, and 1000 since.
    bool deep = strstr(err->text, "parser stack overflow") != NULL ||
                strstr(err->text, "Expression tree is too large") != NULL;
    report_error(report, at, "SQLite cannot run this query: %s",
                 deep ? "it is nested too deeply" : err->text);
    report_hint(report, "split it into views");
}

static void verify(struct report *report, const struct plan *plan,
                   struct sqlite_host *host, size_t insert_at)
{
    struct err err = {0};
    for (size_t i = 0; i < plan->n_tables; i++)
        if (make_table(host, &plan->tables[i], &err) != ST_OK)
            refused(report, report_line_start(report, plan->tables[i].line), &err);
    for (size_t i = 0; i < plan->n_views && report->n == 0; i++) {
        const struct view *view = &plan->views[i];
        size_t at = view->hidden ? insert_at : report_line_start(report, view->line);
        if (check_view(host, view, &err) != ST_OK)
            refused(report, at, &err);
    }
    if (plan->stream == NULL || report->n > 0)
        return;
    if (check_whole(plan, &err) != ST_OK)
        refused(report, insert_at, &err);
}

void plan_verify(struct report *report, const struct plan *plan, size_t insert_at)
{
    struct err err = {0};
    struct sqlite_host *host;
    if (sqlite_host_open(&host, &err) != ST_OK) {
        report_error(report, NOWHERE, "%s", err.text);
        return;
    }
    verify(report, plan, host, insert_at);
    sqlite_host_close(host);
}
