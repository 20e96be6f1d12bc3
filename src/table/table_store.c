// SPDX-License-Identifier: Apache-2.0
#include "table/table_store.h"

#include <stdlib.h>

#include "table/query_rows.h"
#include "table/sqlite_executor.h"
#include "table/woven_rows.h"

struct table_store *table_store_open(const struct plan *plan,
                                     const struct table_store_options *options)
{
    struct table_store *store = mem_zalloc(sizeof(*store));
    store->plan = plan;
    store->options = *options;
    store->tables = mem_array(plan->n_tables, sizeof(*store->tables));
    store->views = mem_array(plan->n_views, sizeof(*store->views));
    for (size_t i = 0; i < plan->n_tables; i++) {
        size_t n = plan->tables[i].schema.n;
        store->tables[i].wanted = mem_array(n, sizeof(bool));
        store->tables[i].places = mem_array(n, sizeof(size_t));
    }
    return store;
}

void table_store_release_columns(struct table_store *store)
{
    for (size_t i = 0; i < store->plan->n_tables; i++)
        columns_release(&store->tables[i].columns);
    store->n_bytes = 0;
}

void table_store_close(struct table_store *store)
{
    if (store == NULL)
        return;
    table_store_release_columns(store);
    for (size_t i = 0; i < store->plan->n_tables; i++) {
        free(store->tables[i].wanted);
        free(store->tables[i].places);
    }
    sqlite_host_close(store->host);
    free(store->tables);
    free(store->views);
    free(store);
}

// What is wanted.

static struct stored_table *stored(struct table_store *store, const struct table *table)
{
    return &store->tables[table - store->plan->tables];
}

static void want_in_sqlite(struct table_store *store, struct str name)
{
    const struct plan *plan = store->plan;
    const struct table *table = plan_table(plan, name);
    store->needs_sqlite = true;
    if (table != NULL)
        stored(store, table)->in_sqlite = true;
    for (size_t i = 0; table == NULL && i < plan->n_views; i++) {
        const struct view *view = &plan->views[i];
        if (!str_eq(view->name, name) || store->views[i])
            continue;
        store->views[i] = true;
        for (size_t k = 0; k < view->n_reads; k++)
            want_in_sqlite(store, view->reads[k]);
    }
}

static void want_all(struct table_store *store, const struct str *names, size_t n)
{
    store->needs_sqlite = true; // also for rows of no table
    for (size_t i = 0; i < n; i++)
        want_in_sqlite(store, names[i]);
}

static void want_query(struct table_store *store, const struct table_query *query);

static void want_source(struct table_store *store, const struct table_source *source)
{
    if (source->query != NULL)
        want_query(store, source->query);
    else if (source->table == NULL)
        want_all(store, source->reads, source->n_reads);
    else
        for (size_t i = 0; i < source->schema.n; i++)
            stored(store, source->table)->wanted[source->columns[i]] = true;
    if (source->table != NULL)
        stored(store, source->table)->is_wanted = true;
}

static void want_query(struct table_store *store, const struct table_query *query)
{
    want_source(store, &query->source);
    for (size_t i = 0; i < query->n_joins; i++)
        want_source(store, &query->joins[i].source);
}

void table_store_want_view(struct table_store *store, const struct view *view)
{
    if (view->query != NULL)
        want_query(store, view->query);
    else
        want_in_sqlite(store, view->name);
}

static void want_branch(struct table_store *store, const struct native_branch *branch)
{
    for (size_t i = 0; i < native_n_steps(branch); i++) {
        const struct native_step *step = &branch->steps->items[i];
        want_branch(store, &step->table);
        if (step->asked != NULL)
            want_all(store, step->asked->reads, step->asked->n_reads);
    }
    for (size_t i = 0; i < branch->n_joins; i++) {
        const struct native_join *join = &branch->joins[i];
        if (join->query != NULL)
            want_query(store, join->query);
        else
            want_all(store, join->reads, join->n_reads);
    }
}

void table_store_want_insert(struct table_store *store, bool native)
{
    const struct plan *plan = store->plan;
    store->runs_insert = store->runs_insert || !native || native_asks(plan->native);
    if (!native)
        want_all(store, plan->insert_reads, plan->n_insert_reads);
    for (size_t i = 0; native && i < plan->native->n_branches; i++)
        want_branch(store, &plan->native->branches[i]);
}

bool table_store_needs_sqlite(const struct table_store *store)
{
    return store->needs_sqlite;
}

// Limits.

size_t table_store_bytes(const struct table_store *store)
{
    return store->n_bytes + (size_t)sqlite_host_memory();
}

enum status table_store_check(const struct table_store *store, size_t n_bytes,
                              struct err *err)
{
    size_t limit = store->options.limit_bytes;
    if (limit == 0 || table_store_bytes(store) + n_bytes <= limit)
        return ST_OK;
    return err_set(err, ST_LIMIT,
                   "the tables take more than %zu MB of memory; raise SET "
                   "dimension.memory, or stage fewer rows",
                   limit >> 20);
}

// What SQLite's limit of memory ended, with the way out.
static enum status way_out(enum status rc, struct err *err)
{
    if (rc != ST_LIMIT || err == NULL)
        return rc;
    return err_set(err, rc, "%s; raise SET dimension.memory, or stage fewer rows",
                   err->text);
}

enum status table_store_go_on(const struct table_store *store, struct err *err)
{
    const struct table_store_options *options = &store->options;
    if (options->go_on == NULL || options->go_on(options->go_on_arg))
        return ST_OK;
    return err_set(err, ST_STOP, "the query: interrupted");
}

// SQLite.

// What columns leave to it.
static void limit_sqlite(struct table_store *store)
{
    size_t limit = store->options.limit_bytes;
    if (limit > 0)
        sqlite_host_limit_memory(
            store->host, store->n_bytes < limit ? (int64_t)(limit - store->n_bytes) : 1);
}

enum status table_store_host(struct table_store *store, struct sqlite_host **ret,
                             struct err *err)
{
    if (store->host == NULL) {
        TRY(sqlite_host_open(&store->host, err));
        sqlite_host_on_progress(store->host, store->options.go_on,
                                store->options.go_on_arg);
    }
    limit_sqlite(store);
    *ret = store->host;
    return ST_OK;
}

static enum status load_sqlite(struct table_store *store, const struct table *table,
                               struct rows *rows, uint64_t *ret_n, struct err *err)
{
    struct sqlite_host *host;
    TRY(table_store_host(store, &host, err));
    return way_out(sqlite_host_load(host, table->name, &table->schema, rows, ret_n, err),
                   err);
}

static enum status load_view(struct table_store *store, const struct view *view,
                             struct err *err)
{
    struct sqlite_host *host;
    enum sqlite_view how =
        store->runs_insert ? sqlite_executor_view(store->plan, view) : SQLITE_VIEW;
    TRY(table_store_host(store, &host, err));
    return way_out(sqlite_host_view(host, view, how, err), err);
}

enum status table_store_load_views(struct table_store *store, struct err *err)
{
    for (size_t i = 0; i < store->plan->n_views; i++)
        if (store->views[i])
            TRY(load_view(store, &store->plan->views[i], err));
    return ST_OK;
}

// Columns.

static void begin_columns(struct stored_table *stored, const struct schema *schema)
{
    size_t *wanted = mem_array(schema->n, sizeof(*wanted));
    size_t n = 0;
    for (size_t i = 0; i < schema->n; i++) {
        stored->places[i] = n;
        if (stored->wanted[i] || stored->in_sqlite)
            wanted[n++] = i;
    }
    columns_init(&stored->columns, schema, wanted, n);
    free(wanted);
}

// *counted: what of the columns is among the store's bytes, so that tables which are
// loaded side by side keep within the limit together.
static enum status add_batch(struct table_store *store, struct columns *columns,
                             const struct schema *schema, const struct batch *batch,
                             size_t *counted, struct err *err)
{
    for (size_t i = 0; i < batch->n_rows; i++) {
        TRY(batch_check_row(schema, batch_row(batch, i), err));
        if (!columns_add(columns, batch_row(batch, i)))
            return err_set(err, ST_LIMIT,
                           "more than 4,294,967,294 rows or 16 GiB of "
                           "values; stage fewer rows");
    }
    size_t n_bytes = columns_bytes(columns);
    TRY(table_store_check(store, n_bytes - *counted, err));
    store->n_bytes += n_bytes - *counted;
    *counted = n_bytes;
    return ST_OK;
}

static enum status add_rows(struct table_store *store, struct columns *columns,
                            const struct schema *schema, struct rows *rows,
                            size_t *counted, struct err *err)
{
    AUTO(batch_release) struct batch batch;
    batch_init(&batch, schema->n);
    do {
        TRY(table_store_go_on(store, err));
        TRY(rows->ops->next(rows, &batch, err));
        size_t row = columns->n_rows + 1;
        enum status rc = add_batch(store, columns, schema, &batch, counted, err);
        if (rc != ST_OK)
            return err_context(err, rc, "row %zu or later", row);
    } while (batch.n_rows > 0);
    return ST_OK;
}

enum status table_store_add_rows(struct table_store *store, struct columns *columns,
                                 const struct schema *schema, struct rows *rows,
                                 struct err *err)
{
    size_t counted = 0;
    enum status rc = add_rows(store, columns, schema, rows, &counted, err);
    store->n_bytes -= counted; // the caller's to count
    return rc;
}

static enum status load_columns(struct table_store *store, const struct table *table,
                                struct rows *rows, uint64_t *ret_n, struct err *err)
{
    struct stored_table *kept = stored(store, table);
    begin_columns(kept, &table->schema);
    enum status rc =
        table_store_add_rows(store, &kept->columns, &table->schema, rows, err);
    if (rc != ST_OK)
        return err_context(err, rc, "table '%.*s'", STR_ARGS(table->name));
    columns_finish(&kept->columns);
    store->n_bytes += columns_bytes(&kept->columns);
    *ret_n = kept->columns.n_rows;
    return ST_OK;
}

// A table that both want is read once.
static enum status copy_to_sqlite(struct table_store *store, const struct table *table,
                                  struct err *err)
{
    const struct columns *columns = &stored(store, table)->columns;
    struct rows *rows = columns_rows_open(columns, &table->schema, NULL);
    enum status rc = load_sqlite(store, table, rows, NULL, err);
    rows->ops->close(rows);
    return rc;
}

bool table_store_is_apart(const struct table_store *store, const struct table *table)
{
    return !store->tables[table - store->plan->tables].in_sqlite;
}

enum status table_store_load(struct table_store *store, const struct table *table,
                             struct rows *rows, uint64_t *ret_n, struct err *err)
{
    const struct stored_table *kept = stored(store, table);
    if (kept->in_sqlite && !kept->is_wanted)
        return load_sqlite(store, table, rows, ret_n, err);
    TRY(load_columns(store, table, rows, ret_n, err));
    return kept->in_sqlite ? copy_to_sqlite(store, table, err) : ST_OK;
}

// Queries.

// SQLite's rows, whose limit of memory is that of the tables.
struct sql_rows {
    struct rows rows; // first: rows are some
    struct rows *sqlite;
};

static enum status sql_next(struct rows *rows, struct batch *batch, struct err *err)
{
    struct rows *sqlite = ((struct sql_rows *)rows)->sqlite;
    return way_out(sqlite->ops->next(sqlite, batch, err), err);
}

static void sql_close(struct rows *rows)
{
    struct rows *sqlite = ((struct sql_rows *)rows)->sqlite;
    sqlite->ops->close(sqlite);
    free(rows);
}

static const struct rows_ops sql_ops = {.next = sql_next, .close = sql_close};

// Also what reads no table at all.
enum status table_store_sql(struct table_store *store, struct str sql,
                            const struct schema *schema, struct rows **ret,
                            struct err *err)
{
    struct sqlite_host *host;
    struct rows *sqlite;
    TRY(table_store_host(store, &host, err));
    TRY(sqlite_host_query(host, sql, schema, &sqlite, err));
    struct sql_rows *rows = mem_zalloc(sizeof(*rows));
    *rows =
        (struct sql_rows){.rows = {.ops = &sql_ops, .schema = schema}, .sqlite = sqlite};
    *ret = &rows->rows;
    return ST_OK;
}

enum status table_store_view(struct table_store *store, const struct view *view,
                             struct rows **ret, struct err *err)
{
    if (view->query != NULL)
        return woven_rows_open(store, view->query, ret, err);
    return table_store_sql(store, view->sql, &view->schema, ret, err);
}

enum status table_store_join(struct table_store *store, const struct native_join *join,
                             struct rows **ret, struct err *err)
{
    if (join->query != NULL)
        return query_rows_open(store, join->query, ret, err);
    return table_store_sql(store, join->sql, &join->read_schema, ret, err);
}

static bool reads(const struct native_join *join, const struct view *view)
{
    for (size_t i = 0; i < join->n_reads; i++)
        if (str_eq(join->reads[i], view->name))
            return true;
    return false;
}

enum status table_store_at_views(const struct table_store *store,
                                 const struct native_join *join, enum status rc,
                                 struct err *err)
{
    AUTO(buf_release) struct buf views = {0};
    for (size_t i = 0; i < store->plan->n_views; i++) {
        const struct view *view = &store->plan->views[i];
        if (reads(join, view))
            buf_printf(&views, "%s%s '%.*s'", views.n > 0 ? ", " : "", view_kind(view),
                       STR_ARGS(view_shown_name(view)));
    }
    return views.n > 0 ? err_context(err, rc, "%.*s", STR_ARGS(views)) : rc;
}
