// SPDX-License-Identifier: Apache-2.0
#include "job/table_load.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/text.h"
#include "base/thread.h"
#include "job/tables.h"

static void tell_absent(const struct table *table, const struct rows_stats *stats)
{
    if (stats->absent != NULL)
        log_warn("table %.*s: the header has no %s: NULL in every row",
                 STR_ARGS(table->name), stats->absent);
}

// An optional table whose file is missing.
static enum status no_rows(UNUSED struct rows *rows, struct batch *batch,
                           UNUSED struct err *err)
{
    batch_clear(batch);
    return ST_OK;
}

static void no_close(UNUSED struct rows *rows)
{
}

static const struct rows_ops empty_ops = {.next = no_rows, .close = no_close};

static bool has_text(const struct table *table, struct str name)
{
    int column = schema_find(&table->schema, name);
    return column >= 0 && table->schema.columns[column].type == TYPE_TEXT;
}

// Whether another table has a column of this name, as tables have that are joined by it.
static bool is_shared(const struct plan *plan, const struct table *table, struct str name)
{
    bool is = false;
    for (size_t i = 0; i < plan->n_tables; i++)
        is = is || (&plan->tables[i] != table && has_text(&plan->tables[i], name));
    return is;
}

// Keys that nothing matches, as it seems to who looks at them.
static void tell_padded(const struct plan *plan, const struct table *table,
                        const struct rows_stats *stats)
{
    for (size_t i = 0; i < table->schema.n && stats->padded != NULL; i++) {
        struct str name = table->schema.columns[i].name;
        const struct padded_texts *padded = &stats->padded[i];
        if (padded->n == 0 || !is_shared(plan, table, name))
            continue;
        log_warn(
            "table %.*s: %s of %.*s with blanks at the ends, the first %s: they match "
            "only one with the same blanks; trim = true takes them off",
            STR_ARGS(table->name), text_counted((int64_t)padded->n, "value", "values"),
            STR_ARGS(name), padded->first);
    }
}

// Rows on their way into the store, of which the dates are noted.
struct dated_rows {
    struct rows rows; // first member
    struct rows *inner;
    struct expiry *dates;
};

static enum status next_dated(struct rows *rows, struct batch *batch, struct err *err)
{
    struct dated_rows *dated = (struct dated_rows *)rows;
    TRY(dated->inner->ops->next(dated->inner, batch, err));
    expiry_take(dated->dates, batch);
    return ST_OK;
}

static const struct rows_ops dated_ops = {.next = next_dated, .close = no_close};

static enum status read_rows(struct table_load *load, struct err *err)
{
    const struct table *table = load->table;
    expiry_init(load->dates, &table->schema);
    TRY(pipeline_storage(load->pipeline, &table->options, &load->storage, err));
    enum status rc = table_rows_open(load->storage, table, &load->rows, err);
    if (rc == ST_NOT_FOUND && options_number(&table->options, "optional")) {
        struct rows empty = {.ops = &empty_ops, .schema = &table->schema};
        return table_store_load(load->store, table, &empty, &load->n, err);
    }
    TRY(rc);
    struct dated_rows dated = {
        {.ops = &dated_ops, .schema = load->rows->schema}, load->rows, load->dates};
    return table_store_load(load->store, table, &dated.rows, &load->n, err);
}

void table_load_read(struct table_load *load)
{
    load->rc = read_rows(load, &load->err);
}

static void tell(const struct table_load *load)
{
    const struct table *table = load->table;
    const struct rows_stats *stats = format_of(&table->format)->files->stats(load->rows);
    tell_absent(table, stats);
    table_tell_rows(table, stats);
    if (load->rc == ST_OK)
        tell_padded(load->pipeline->plan, table, stats);
}

void table_load_close(struct table_load *load)
{
    if (load->rows != NULL)
        load->rows->ops->close(load->rows);
    if (load->storage != NULL)
        load->storage->ops->close(load->storage);
    load->rows = NULL;
    load->storage = NULL;
}

enum status table_load_end(struct table_load *load, struct err *err)
{
    if (load->rows != NULL)
        tell(load);
    table_load_close(load);
    if (load->rc != ST_OK && err != NULL)
        *err = load->err;
    return load->rc;
}

// What several threads take from.
struct row_of_loads {
    struct table_load *loads;
    size_t n;
    atomic_size_t next;
    atomic_bool has_failed; // none is begun any more: those behind it are not wanted
};

static void *read_thread(void *arg)
{
    struct row_of_loads *row = arg;
    size_t i;
    while (!atomic_load(&row->has_failed) &&
           (i = atomic_fetch_add(&row->next, 1)) < row->n) {
        table_load_read(&row->loads[i]);
        if (row->loads[i].rc != ST_OK)
            atomic_store(&row->has_failed, true);
    }
    return NULL;
}

void table_loads_read(struct table_load *loads, size_t n)
{
    struct row_of_loads row = {.loads = loads, .n = n};
    pthread_t threads[TABLE_READERS_MAX];
    size_t n_threads = n < TABLE_READERS_MAX ? n : TABLE_READERS_MAX;
    for (size_t i = 0; i < n_threads; i++)
        thread_start(&threads[i], read_thread, &row);
    for (size_t i = 0; i < n_threads; i++)
        pthread_join(threads[i], NULL);
}
