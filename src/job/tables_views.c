// SPDX-License-Identifier: Apache-2.0
#include "job/tables_views.h"

#include "base/log.h"
#include "base/text.h"
#include "base/thread.h"
#include "job/sink.h"

static enum status write_view(const struct pipeline *pipeline, struct tables *tables,
                              const struct view *view, struct err *err)
{
    const struct table table = plan_table_of_view(view);
    AUTO(storage_auto_close) struct storage *storage = NULL;
    TRY(pipeline_storage(pipeline, &view->options, &storage, err));
    AUTO(rows_auto_close) struct rows *rows = NULL;
    TRY(table_store_view(tables->store, view, &rows, err));
    struct sink_table written = {0};
    TRY(sink_write_table(storage, &table, rows, &written, err));
    log_info("materialized view %.*s: %s in %s%s", STR_ARGS(view->name),
             text_counted(written.n_rows, "row", "rows"), storage->url,
             written.was_there ? ", as they stand there" : "");
    return ST_OK;
}

static enum status write_views(const struct pipeline *pipeline, struct tables *tables,
                               struct err *err)
{
    const struct plan *plan = pipeline->plan;
    for (size_t i = 0; i < plan->n_views; i++) {
        if (!plan->views[i].materialized)
            continue;
        enum status rc = write_view(pipeline, tables, &plan->views[i], err);
        if (rc != ST_OK)
            return err_context(err, rc, "materialized view %.*s",
                               STR_ARGS(plan->views[i].name));
    }
    return ST_OK;
}

static enum status try_view(struct tables *tables, const struct view *view,
                            int64_t *ret_n, struct err *err)
{
    const struct table table = plan_table_of_view(view);
    AUTO(rows_auto_close) struct rows *rows = NULL;
    TRY(table_store_view(tables->store, view, &rows, err));
    return sink_try_table(&table, rows, ret_n, err);
}

enum status tables_try_view(struct tables *tables, const struct view *view,
                            int64_t *ret_n, struct err *err)
{
    enum status rc = try_view(tables, view, ret_n, err);
    return rc == ST_OK
               ? ST_OK
               : err_context(err, rc, "materialized view %.*s", STR_ARGS(view->name));
}

static bool has_materialized(const struct plan *plan)
{
    for (size_t i = 0; i < plan->n_views; i++)
        if (plan->views[i].materialized)
            return true;
    return false;
}

// A worker that began before an extract may come to this after one that began behind it,
// and put its view of the old tables over that of the new ones. So it looks once more
// afterwards: who writes last has seen the tables that are staged.
static enum status write_and_look(const struct pipeline *pipeline, struct tables *tables,
                                  bool *ret_same, struct err *err)
{
    char now[65];
    TRY(write_views(pipeline, tables, err));
    TRY(tables_version(pipeline, now, err));
    *ret_same = strcmp(now, tables->version) == 0;
    return ST_OK;
}

static enum status load_again(const struct pipeline *pipeline, struct tables *tables,
                              struct err *err)
{
    log_warn("the staged tables changed while views of them were written; reading "
             "them again");
    tables_release(tables);
    return tables_load(pipeline, NULL, false, tables, err);
}

enum status tables_write_views(const struct pipeline *pipeline, struct tables *tables,
                               struct err *err)
{
    if (!has_materialized(pipeline->plan))
        return ST_OK;
    for (int i = 0; i < TABLES_LOAD_TRIES; i++) {
        bool is_same;
        TRY(write_and_look(pipeline, tables, &is_same, err));
        if (is_same)
            return ST_OK;
        TRY(load_again(pipeline, tables, err));
    }
    return tables_changed_again(err);
}

// Beside the dimensions, on a thread of its own.
struct writing {
    const struct pipeline *pipeline;
    struct tables *tables;
    bool is_same;
    enum status rc;
    struct err err;
};

static void *write_thread(void *arg)
{
    struct writing *writing = arg;
    writing->rc = write_and_look(writing->pipeline, writing->tables, &writing->is_same,
                                 &writing->err);
    return NULL;
}

// SQLite's database is one thread's alone.
static bool may_be_beside(const struct pipeline *pipeline, const struct tables *tables)
{
    const struct plan *plan = pipeline->plan;
    return has_materialized(plan) && tables_run_natively(plan) &&
           !native_asks(plan->native) && !table_store_needs_sqlite(tables->store);
}

static void tell_limit(enum status rc)
{
    if (rc == ST_LIMIT)
        log_info("the tables are too large to be joined while views of them are written: "
                 "the views first");
}

// *ret_done: both are; else the tables have changed, or were too large for both at once.
static enum status write_beside(const struct pipeline *pipeline, struct tables *tables,
                                struct row_format *row_format, bool *ret_done,
                                struct err *err)
{
    struct writing writing = {.pipeline = pipeline, .tables = tables};
    size_t n_bytes = tables->store->n_bytes;
    pthread_t thread;
    thread_start(&thread, write_thread, &writing);
    enum status rc = tables_build_dimensions(pipeline, tables, row_format, err);
    tell_limit(rc);
    pthread_join(thread, NULL);
    *ret_done = rc == ST_OK && writing.rc == ST_OK && writing.is_same;
    if (*ret_done)
        return ST_OK;
    dimensions_release(&tables->dimensions);
    tables->store->n_bytes = n_bytes;
    if (rc != ST_LIMIT)
        tell_limit(writing.rc);
    if (rc == ST_LIMIT || writing.rc == ST_LIMIT)
        return ST_OK; // one after the other they may not be
    if (rc == ST_OK && writing.rc == ST_OK)
        return load_again(pipeline, tables, err);
    if (writing.rc == ST_OK)
        return rc;
    if (err != NULL) // one after the other it would have come first
        *err = writing.err;
    return writing.rc;
}

enum status tables_views_and_executor(const struct pipeline *pipeline,
                                      struct tables *tables,
                                      struct row_format *row_format,
                                      struct executor **ret, struct err *err)
{
    bool is_done = false;
    TRY(tables_executor_check(pipeline->plan, err));
    if (may_be_beside(pipeline, tables))
        TRY(write_beside(pipeline, tables, row_format, &is_done, err));
    if (!is_done)
        TRY(tables_write_views(pipeline, tables, err));
    return tables_executor(pipeline, tables, row_format, ret, err);
}
