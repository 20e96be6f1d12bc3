// SPDX-License-Identifier: Apache-2.0
#include "job/tables.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/cores.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/text.h"
#include "core/env.h"
#include "gtfs/manifest.h"
#include "gtfs/swap.h"
#include "job/sink.h"
#include "job/staged_check.h"
#include "job/table_load.h"

enum {
    CHECK_TRIES = 5,
    CHECK_PAUSE_MS = 1000,
    EXTRACT_MS = 60000 // a file that is older was not written by an extract at work
};

static bool is_data_file(const struct file_info *file)
{
    return !file->is_directory && file->name.p[0] != '_' && file->name.p[0] != '.';
}

enum status tables_find_file(struct storage *storage, const struct table *table,
                             struct arena *arena, struct file_info *ret, struct err *err)
{
    struct file_list list = {0};
    enum status status = storage->ops->list(storage, str_of(""), arena, &list, err);
    if (status != ST_OK && status != ST_NOT_FOUND)
        return status;
    size_t n_found = 0;
    for (size_t i = 0; i < list.n; i++)
        if (is_data_file(&list.items[i]) && n_found++ == 0)
            *ret = list.items[i];
    if (n_found == 1)
        return ST_OK;
    if (n_found == 0)
        return err_set(err, ST_NOT_FOUND,
                       "table %.*s: there is no file in %s; stage it by tramline "
                       "extract, or WITH (optional = true) if it may be missing",
                       STR_ARGS(table->name), storage->url);
    return err_set(err, ST_DATA,
                   "table %.*s: %zu files in %s, but a table is one file; remove the "
                   "others, or run tramline extract",
                   STR_ARGS(table->name), n_found, storage->url);
}

struct csv_table_options table_feed_options(const struct table *table)
{
    bool is_own = format_of(&table->format)->is_of_feeds;
    return (struct csv_table_options){
        .header = !is_own || options_number(&table->format, "header"),
        .skip_errors = options_is(&table->options, "on_error", "skip"),
        .trim = is_own && options_number(&table->format, "trim"),
        .may_be_empty = options_number(&table->options, "optional"),
    };
}

enum status table_rows_open(struct storage *storage, const struct table *table,
                            struct rows **ret, struct err *err)
{
    AUTO(arena_release) struct arena arena = {0};
    struct file_info file;
    TRY(tables_find_file(storage, table, &arena, &file, err));
    const struct format_table as_format = plan_format_table(table);
    const struct rows_request request = {
        .skip_errors = options_is(&table->options, "on_error", "skip"),
        .may_be_empty = options_number(&table->options, "optional"),
    };
    return format_of(&table->format)
        ->files->open_rows(&as_format, &request, storage, file.name, ret, err);
}

enum status table_check(const struct table *table, struct err *err)
{
    const struct format_table as_format = plan_format_table(table);
    return format_of(&table->format)->files->check(&as_format, err);
}

void table_tell_rows(const struct table *table, const struct rows_stats *stats)
{
    if (stats->n_tails)
        log_warn("table %.*s: %s empty fields past the last column; they were "
                 "passed over",
                 STR_ARGS(table->name),
                 text_counted((int64_t)stats->n_tails, "row has", "rows have"));
    if (stats->n_short)
        log_warn("table %.*s: %s; missing columns are NULL", STR_ARGS(table->name),
                 text_counted((int64_t)stats->n_short, "short row", "short rows"));
    if (stats->n_skipped)
        log_warn("table %.*s: %s left out, the first of them:", STR_ARGS(table->name),
                 text_counted((int64_t)stats->n_skipped, "row", "rows"));
    for (size_t i = 0; i < stats->n_messages; i++)
        log_warn("  %s", stats->messages[i]);
}

bool tables_run_natively(const struct plan *plan)
{
    return plan->native != NULL && !options_is(&plan->settings, "executor", "sqlite");
}

enum status tables_load_views(struct tables *tables, struct err *err)
{
    return table_store_load_views(tables->store, err);
}

static bool is_out_of_time(const struct pipeline *pipeline)
{
    int64_t now_ms = env_system()->ops->monotonic_ms(env_system());
    return deadline_is_over(pipeline->deadline, now_ms);
}

static bool goes_on(void *arg)
{
    return !is_out_of_time(arg);
}

static void tell_rows(const struct table *table, int64_t n)
{
    log_info("table %.*s: %s", STR_ARGS(table->name), text_counted(n, "row", "rows"));
    if (n == 0 && !options_number(&table->options, "optional"))
        log_warn("table %.*s has no rows, so that nothing matches it; if that is meant, "
                 "say WITH (optional = true)",
                 STR_ARGS(table->name));
}

static void want(const struct pipeline *pipeline, struct table_store *store,
                 const struct view *view)
{
    const struct plan *plan = store->plan;
    bool is_native = tables_run_natively(plan) && !pipeline->gives_relations;
    if (view != NULL) {
        table_store_want_view(store, view);
        return;
    }
    if (plan->sink != NULL)
        table_store_want_insert(store, is_native);
    for (size_t i = 0; i < plan->n_views; i++)
        if (plan->views[i].materialized)
            table_store_want_view(store, &plan->views[i]);
}

void tables_begin(const struct pipeline *pipeline, const struct view *view,
                  struct tables *ret)
{
    const struct plan *plan = pipeline->plan;
    const struct table_store_options options = {
        .limit_bytes = (size_t)options_number(&plan->settings, "dimension.memory"),
        .go_on = goes_on,
        .go_on_arg = (void *)(uintptr_t)pipeline,
    };
    ret->store = table_store_open(plan, &options);
    ret->n_rows = mem_array(plan->n_tables, sizeof(*ret->n_rows));
    ret->dates = mem_array(plan->n_tables, sizeof(*ret->dates));
    want(pipeline, ret->store, view);
}

static struct table_load load_of(const struct pipeline *pipeline, struct tables *tables,
                                 size_t index)
{
    return (struct table_load){.pipeline = pipeline,
                               .table = &pipeline->plan->tables[index],
                               .store = tables->store,
                               .dates = &tables->dates[index]};
}

static enum status end_load(struct tables *tables, struct table_load *load,
                            struct err *err)
{
    TRY(table_load_end(load, err));
    tables->n_rows[load->table - load->pipeline->plan->tables] = (int64_t)load->n;
    return ST_OK;
}

enum status tables_load_one(const struct pipeline *pipeline, struct tables *tables,
                            size_t index, struct err *err)
{
    struct table_load load = load_of(pipeline, tables, index);
    table_load_read(&load);
    return end_load(tables, &load, err);
}

// Those of a script, in its order.
static struct table_load *loads_of(const struct pipeline *pipeline, struct tables *tables,
                                   size_t *ret_n)
{
    const struct plan *plan = pipeline->plan;
    struct table_load *loads = mem_array(plan->n_tables, sizeof(*loads));
    *ret_n = 0;
    for (size_t i = 0; i < plan->n_tables; i++)
        if (plan->tables[i].kind == TABLE_DIMENSION)
            loads[(*ret_n)++] = load_of(pipeline, tables, i);
    return loads;
}

// One whose limit is passed by all of them together is left to the other way, where each
// knows what those before it take.
static bool read_beside(const struct tables *tables, struct table_load *loads, size_t n)
{
    bool is_good = cores_available() > 1 && n > 1;
    for (size_t i = 0; i < n; i++)
        is_good = is_good && table_store_is_apart(tables->store, loads[i].table);
    if (!is_good)
        return false;
    table_loads_read(loads, n);
    is_good = table_store_check(tables->store, 0, NULL) == ST_OK;
    for (size_t i = 0; i < n; i++)
        is_good = is_good && loads[i].rc != ST_LIMIT;
    for (size_t i = 0; i < n && !is_good; i++)
        table_load_close(&loads[i]);
    if (!is_good)
        table_store_release_columns(tables->store);
    return is_good;
}

static enum status load_all(struct tables *tables, struct table_load *loads, size_t n,
                            bool quiet, struct err *err)
{
    bool is_read = read_beside(tables, loads, n);
    for (size_t i = 0; i < n; i++) {
        if (!is_read)
            table_load_read(&loads[i]);
        TRY(end_load(tables, &loads[i], err));
        if (!quiet)
            tell_rows(loads[i].table, (int64_t)loads[i].n);
    }
    return ST_OK;
}

static enum status load_once(const struct pipeline *pipeline, const struct view *view,
                             bool quiet, struct tables *ret, struct err *err)
{
    size_t n;
    tables_begin(pipeline, view, ret);
    struct table_load *loads = loads_of(pipeline, ret, &n);
    enum status rc = load_all(ret, loads, n, quiet, err);
    for (size_t i = 0; i < n; i++)
        table_load_close(&loads[i]);
    free(loads);
    return rc == ST_OK ? tables_load_views(ret, err) : rc;
}

static enum status cut_off(const struct storage *root, struct err *err)
{
    return err_set(
        err, ST_DATA,
        "%s/" FEED_SWAP_NAME
        ": an extract was cut off while it replaced the tables, which may be of "
        "two feeds; run tramline extract again, or tramline extract --rollback",
        root->url);
}

enum status tables_wait_for_extract(const struct pipeline *pipeline, struct err *err)
{
    AUTO(storage_auto_close) struct storage *root = NULL;
    struct env *env = env_system();
    TRY(pipeline_feed_root(pipeline, &root, err));
    for (int64_t ms = 0; root != NULL && ms < EXTRACT_MS; ms += CHECK_PAUSE_MS) {
        struct file_info swap;
        enum status rc = root->ops->stat(root, str_of(FEED_SWAP_NAME), &swap, err);
        if (rc == ST_NOT_FOUND)
            return ST_OK;
        TRY(rc);
        if (is_out_of_time(pipeline))
            return err_set(err, ST_STOP, "asked to stop");
        if (swap.modified_ms < env->ops->wall_ms(env) - EXTRACT_MS)
            break;
        if (ms == 0)
            log_info("an extract is replacing the tables; waiting for its end");
        env->ops->sleep_ms(env, CHECK_PAUSE_MS);
    }
    return root == NULL ? ST_OK : cut_off(root, err);
}

// The version of the tables as one extract has left them. One may be replacing them just
// now, which takes a moment. Tables that were changed without extract are no reason not
// to go on.
static enum status settled_version(const struct pipeline *pipeline, char ret[65],
                                   struct err *err)
{
    struct staged_difference differs = {0};
    for (int i = 0; i < CHECK_TRIES; i++) {
        if (i > 0)
            env_system()->ops->sleep_ms(env_system(), CHECK_PAUSE_MS);
        if (is_out_of_time(pipeline))
            return err_set(err, ST_STOP, "asked to stop");
        TRY(tables_wait_for_extract(pipeline, err));
        TRY(tables_version(pipeline, ret, err));
        TRY(staged_check(pipeline, &differs, err));
        if (differs.table == NULL)
            return ST_OK;
        if (differs.modified_ms < env_system()->ops->wall_ms(env_system()) - EXTRACT_MS)
            break; // not by an extract that is at work
    }
    log_warn(
        "table %.*s is not as tramline extract left it: if tables of two feeds may be "
        "mixed, run extract again; if this is meant, remove _feed.json",
        STR_ARGS(differs.table->name));
    return ST_OK;
}

enum status tables_changed_again(struct err *err)
{
    return err_set(err, ST_FAIL,
                   "the staged tables changed %d times while they were "
                   "read; is tramline extract running in a loop?",
                   TABLES_LOAD_TRIES);
}

enum status tables_load(const struct pipeline *pipeline, const struct view *view,
                        bool quiet, struct tables *ret, struct err *err)
{
    *ret = (struct tables){0};
    for (int i = 0; i < TABLES_LOAD_TRIES; i++) {
        char before[65];
        TRY(settled_version(pipeline, before, err));
        enum status status = load_once(pipeline, view, quiet, ret, err);
        if (status != ST_OK) {
            tables_release(ret);
            return status;
        }
        TRY(tables_version(pipeline, ret->version, err));
        if (strcmp(before, ret->version) == 0)
            return ST_OK;
        log_warn("the staged tables changed while they were read; reading them again");
        tables_release(ret);
    }
    return tables_changed_again(err);
}

enum status tables_build_dimensions(const struct pipeline *pipeline,
                                    struct tables *tables, struct row_format *row_format,
                                    struct err *err)
{
    const struct dimension_options options = {
        .limit_bytes =
            (size_t)options_number(&pipeline->plan->settings, "dimension.memory"),
        .version = str_of(tables->version),
        .counts = options_given(&pipeline->plan->settings, "status.listen"),
    };
    return dimensions_build(pipeline->plan->native, tables->store, row_format, &options,
                            &tables->dimensions, err);
}

enum status tables_executor_check(const struct plan *plan, struct err *err)
{
    if (!options_is(&plan->settings, "executor", "native") || plan->native != NULL)
        return ST_OK;
    return err_set(err, ST_USAGE,
                   "SET executor = 'native' cannot run this query: %.*s Leave it 'auto'.",
                   STR_ARGS(plan->native_why));
}

static enum status ask_sqlite(struct tables *tables, struct executor **executor,
                              struct err *err)
{
    struct sqlite_host *host;
    table_store_release_columns(tables->store);
    enum status rc = table_store_host(tables->store, &host, err);
    if (rc == ST_OK)
        rc = native_executor_use_sqlite(*executor, host, err);
    if (rc == ST_OK)
        return ST_OK;
    (*executor)->ops->close(*executor);
    *executor = NULL;
    return rc;
}

enum status tables_executor(const struct pipeline *pipeline, struct tables *tables,
                            struct row_format *row_format, struct executor **ret,
                            struct err *err)
{
    const struct plan *plan = pipeline->plan;
    TRY(tables_executor_check(plan, err));
    if (!tables_run_natively(plan)) {
        struct sqlite_host *host;
        TRY(table_store_host(tables->store, &host, err));
        TRY(sqlite_executor_open(plan, host, row_format, ret, err));
        if (options_given(&plan->settings, "status.listen"))
            sqlite_executor_count(*ret);
        return ST_OK;
    }
    if (tables->dimensions.items == NULL)
        TRY(tables_build_dimensions(pipeline, tables, row_format, err));
    *ret = native_executor_open(plan, &tables->dimensions, row_format);
    native_executor_on_progress(*ret, goes_on, (void *)(uintptr_t)pipeline);
    if (native_asks(plan->native))
        return ask_sqlite(tables, ret, err);
    table_store_close(tables->store); // its memory is not needed any more
    tables->store = NULL;
    return ST_OK;
}

// Names, sizes and times of the files: for tables that extract did not stage.
static enum status version_of_files(const struct pipeline *pipeline, struct buf *text,
                                    struct err *err)
{
    const struct plan *plan = pipeline->plan;
    for (size_t i = 0; i < plan->n_tables; i++) {
        const struct table *table = &plan->tables[i];
        if (table->kind != TABLE_DIMENSION)
            continue;
        AUTO(storage_auto_close) struct storage *storage = NULL;
        TRY(pipeline_storage(pipeline, &table->options, &storage, err));
        AUTO(arena_release) struct arena arena = {0};
        struct file_list list = {0};
        enum status status = storage->ops->list(storage, str_of(""), &arena, &list, err);
        if (status != ST_OK && status != ST_NOT_FOUND)
            return status;
        buf_printf(text, "%.*s\n", STR_ARGS(table->name));
        for (size_t f = 0; f < list.n; f++)
            if (is_data_file(&list.items[f]))
                buf_printf(text, "%.*s %lld %lld\n", STR_ARGS(list.items[f].name),
                           (long long)list.items[f].size,
                           (long long)list.items[f].modified_ms);
    }
    return ST_OK;
}

enum status tables_version(const struct pipeline *pipeline, char ret[65], struct err *err)
{
    AUTO(buf_release) struct buf text = {0};
    AUTO(storage_auto_close) struct storage *root = NULL;
    enum status status = pipeline_feed_root(pipeline, &root, err);
    struct feed_manifest manifest = {0};
    if (status == ST_OK && root != NULL) {
        status = feed_manifest_read(root, &manifest, err);
        buf_text(&text, manifest.version);
        feed_manifest_release(&manifest);
    }
    if (status != ST_OK && status != ST_NOT_FOUND)
        return status;
    TRY(version_of_files(pipeline, &text, err));
    sha256_hex(text.p, text.n, ret);
    return ST_OK;
}

void tables_release(struct tables *tables)
{
    dimensions_release(&tables->dimensions);
    table_store_close(tables->store);
    free(tables->n_rows);
    free(tables->dates);
    *tables = (struct tables){0};
}
