// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "base/log.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/json_print.h"
#include "cli/term.h"
#include "core/env.h"
#include "csv/table.h"
#include "gtfs/dates.h"
#include "gtfs/extract.h"
#include "gtfs/swap.h"
#include "job/pipeline.h"
#include "job/sink.h"
#include "job/stop.h"
#include "job/tables.h"

struct shown {
    struct feed_progress progress;
    struct progress_bar bar;
    char what[64]; // a copy: the name lives for one member only
};

static void show_bytes(struct feed_progress *base, const char *what, int64_t done,
                       int64_t total)
{
    struct shown *shown = (struct shown *)base;
    if (strncmp(shown->what, what, sizeof(shown->what) - 1) != 0) {
        snprintf(shown->what, sizeof(shown->what), "%s", what);
        progress_begin(&shown->bar, shown->what, NULL);
    }
    progress_show(&shown->bar, done, total);
}

static bool is_dimension(const struct table *table)
{
    return table->kind == TABLE_DIMENSION;
}

// For a table that the script wants in another format than the feed's.
struct conversion {
    const struct table *table;
    struct storage *storage; // borrowed
};

static enum status convert(void *context, struct str from, struct str to,
                           struct feed_file *ret, struct err *err)
{
    const struct conversion *conversion = context;
    const struct table *table = conversion->table;
    struct csv_table_options options = table_feed_options(table);
    struct rows *rows;
    struct sink_file made;
    enum status status =
        csv_table_open(conversion->storage, from, &table->schema, &options, &rows, err);
    if (status == ST_OK) {
        status = sink_write_file(conversion->storage, table, rows, to, &made, err);
        rows->ops->close(rows);
    }
    if (status != ST_OK)
        return err_context(err, status, "table %.*s, from %.*s.txt to %s",
                           STR_ARGS(table->name), STR_ARGS(table->name),
                           format_of(&table->format)->title);
    *ret = (struct feed_file){made.size, made.checksum};
    return ST_OK;
}

static int64_t count_rows(struct rows *rows)
{
    struct batch batch;
    struct err ignored;
    batch_init(&batch, rows->schema->n);
    int64_t n = 0;
    enum status status;
    do {
        status = rows->ops->next(rows, &batch, &ignored);
        n += (int64_t)batch.n_rows;
    } while (status == ST_OK && batch.n_rows > 0);
    batch_release(&batch);
    return status == ST_OK ? n : -1;
}

// Of the staged table; -1 when that cannot be told, as of one that nobody can read.
static int64_t rows_before(const struct table *table, struct storage *storage,
                           const struct feed_manifest *staged)
{
    const struct feed_table *known = feed_manifest_find(staged, table->name);
    if (known != NULL && known->n_rows >= 0)
        return known->n_rows;
    struct rows *rows;
    struct err ignored;
    if (table_rows_open(storage, table, &rows, &ignored) != ST_OK)
        return -1;
    int64_t n = count_rows(rows);
    rows->ops->close(rows);
    return n;
}

// All that a command on staged tables has open.
struct staged {
    struct pipeline pipeline;
    struct storage *root;
    struct extract_table *tables;
    struct feed_place *places; // the same
    size_t n;
};

static void add_table(struct staged *staged, const struct table *table,
                      struct storage *storage)
{
    struct extract_table *to = &staged->tables[staged->n];
    staged->places[staged->n++] = (struct feed_place){table->name.p, storage};
    *to = (struct extract_table){
        .name = table->name.p,
        .storage = storage,
        .schema = &table->schema,
        .optional = options_number(&table->options, "optional"),
        .reading = table_feed_options(table),
    };
    const struct format *format = format_of(&table->format);
    to->extension = format->files->extension;
    if (format->is_of_feeds)
        return;
    struct conversion *conversion =
        arena_alloc(&staged->pipeline.arena, sizeof(*conversion));
    *conversion = (struct conversion){table, storage};
    to->convert = convert;
    to->context = conversion;
}

static enum status open_tables(struct staged *staged, struct err *err)
{
    struct pipeline *pipeline = &staged->pipeline;
    const struct plan *plan = pipeline->plan;
    staged->tables =
        arena_array(&pipeline->arena, plan->n_tables + 1, sizeof(*staged->tables));
    staged->places =
        arena_array(&pipeline->arena, plan->n_tables + 1, sizeof(*staged->places));
    for (size_t i = 0; i < plan->n_tables; i++) {
        struct storage *storage;
        if (!is_dimension(&plan->tables[i]))
            continue;
        TRY(pipeline_storage(pipeline, &plan->tables[i].options, &storage, err));
        add_table(staged, &plan->tables[i], storage);
    }
    if (staged->n == 0)
        return err_set(err, ST_USAGE,
                       "the script has no tables to stage; a table is "
                       "CREATE TABLE ... WITH (connector = 'filesystem', "
                       "...) that is not the result");
    return pipeline_feed_root(pipeline, &staged->root, err);
}

static void staged_release(struct staged *staged)
{
    for (size_t i = 0; i < staged->n; i++)
        staged->tables[i].storage->ops->close(staged->tables[i].storage);
    if (staged->root != NULL)
        staged->root->ops->close(staged->root);
    pipeline_release(&staged->pipeline);
}

// One that was cut off is finished first, whatever is wanted now.
static enum status finish_other(struct staged *staged, struct err *err)
{
    bool found;
    TRY(feed_swap_finish(staged->root, staged->places, staged->n, env_system(), &found,
                         err));
    if (found)
        log_info("an extract that was cut off is finished");
    return ST_OK;
}

static enum status count_before(struct staged *staged, struct err *err)
{
    struct feed_manifest manifest = {0};
    enum status status = feed_manifest_read(staged->root, &manifest, err);
    if (status != ST_OK && status != ST_NOT_FOUND && status != ST_DATA)
        return status;
    for (size_t i = 0; i < staged->n; i++) {
        struct extract_table *table = &staged->tables[i];
        table->n_rows_before =
            rows_before(plan_table(staged->pipeline.plan, str_of(table->name)),
                        table->storage, &manifest);
    }
    feed_manifest_release(&manifest);
    return ST_OK;
}

static void tell_read(void *context, const struct extract_table *table,
                      const struct rows *rows)
{
    const struct staged *staged = context;
    const struct rows_stats *stats = csv_table_stats(rows);
    if (stats->absent != NULL)
        log_warn("%s.txt has no %s: NULL in every row", table->name, stats->absent);
    if (stats->is_empty)
        log_info("%s.txt is empty; so the table has no rows", table->name);
    table_tell_rows(plan_table(staged->pipeline.plan, str_of(table->name)), stats);
}

static void print_tables(const struct staged *staged,
                         const struct feed_manifest *manifest)
{
    for (size_t i = 0; i < manifest->n_tables; i++) {
        const struct feed_table *table = &manifest->tables[i];
        int64_t before = staged->tables[i].n_rows_before;
        char rows[64];
        int n = snprintf(rows, sizeof(rows), "%s",
                         text_counted(table->n_rows, "row", "rows"));
        if (before >= 0)
            snprintf(rows + n, sizeof(rows) - (size_t)n, ", before %s",
                     text_count(before));
        printf("%-16.*s %10s  %-24s  ", STR_ARGS(table->name),
               table->present ? text_bytes(table->size) : "not there", rows);
        term_put(table->path);
        putchar('\n');
    }
}

static void print_dates(const struct feed_dates *dates)
{
    AUTO(buf_release) struct buf text = {0};
    feed_dates_format(dates, &text);
    printf("%-16s %s\n", "dates", buf_cstr(&text));
    fflush(stdout);
}

static void warn_of_dates(const struct feed_dates *dates)
{
    AUTO(buf_release) struct buf text = {0};
    feed_dates_warn(dates, env_system()->ops->wall_ms(env_system()), &text);
    if (text.n)
        log_warn("%s", buf_cstr(&text));
}

// As JSON.

static void put_tables(const struct staged *staged, const struct feed_manifest *manifest,
                       struct buf *out)
{
    json_put_open(out, "tables", '[');
    for (size_t i = 0; i < manifest->n_tables; i++) {
        const struct feed_table *table = &manifest->tables[i];
        json_put_open(out, NULL, '{');
        json_put_text(out, "name", table->name);
        json_put_bool(out, "present", table->present);
        json_put_text(out, "path", table->path);
        json_put_number(out, "bytes", table->size);
        json_put_number(out, "rows", table->n_rows);
        json_put_known(out, "rows_before", staged->tables[i].n_rows_before);
        json_put_close(out, '}');
    }
    json_put_close(out, ']');
}

static void put_dates(const struct feed_dates *dates, struct buf *out)
{
    json_put_open(out, "dates", '{');
    json_put_known(out, "service_from", dates->service_from ? dates->service_from : -1);
    json_put_known(out, "service_to", dates->service_to ? dates->service_to : -1);
    json_put_known(out, "info_from", dates->info_from ? dates->info_from : -1);
    json_put_known(out, "info_to", dates->info_to ? dates->info_to : -1);
    json_put_close(out, '}');
}

// `dates`: NULL for tables that came back.
static void print_json(const struct staged *staged, const struct feed_manifest *manifest,
                       const struct feed_dates *dates)
{
    AUTO(buf_release) struct buf json = {0};
    json_put_open(&json, NULL, '{');
    json_put_text_or_null(&json, "source", manifest->source);
    json_put_text_or_null(&json, "version",
                          str_of(manifest->version[0] ? manifest->version : NULL));
    json_put_bool(&json, "rolled_back", dates == NULL);
    if (dates != NULL) {
        put_tables(staged, manifest, &json);
        put_dates(dates, &json);
    }
    json_put_close(&json, '}');
    json_print(&json);
}

static void tell(const struct args *args, const struct staged *staged,
                 const struct feed_manifest *manifest, struct feed *feed)
{
    struct feed_dates dates;
    feed_dates_read(feed, &dates);
    if (args_has(args, "--json")) {
        print_json(staged, manifest, &dates);
    } else {
        print_tables(staged, manifest);
        print_dates(&dates);
    }
    warn_of_dates(&dates);
}

static enum status extract(const struct args *args, struct staged *staged,
                           struct feed *feed, struct progress_bar *bar, struct err *err)
{
    struct extract_settings settings = {
        .max_shrink =
            (int)options_number(&staged->pipeline.plan->settings, "extract.max_shrink"),
        .force = args_has(args, "--force"),
        .read = tell_read,
        .context = staged,
    };
    struct feed_manifest manifest = {0};
    enum status status = finish_other(staged, err);
    if (status == ST_OK)
        status = count_before(staged, err);
    if (status == ST_OK)
        status = gtfs_extract(feed, staged->tables, staged->n, &settings, staged->root,
                              env_system(), &manifest, err);
    progress_end(bar);
    if (status == ST_OK)
        tell(args, staged, &manifest, feed);
    feed_manifest_release(&manifest);
    return status;
}

static enum status extract_feed(const struct args *args, struct staged *staged,
                                struct err *err)
{
    TRY(open_tables(staged, err));
    struct shown shown = {.progress = {show_bytes}};
    struct feed *feed;
    TRY(pipeline_feed(&staged->pipeline, args->positional[0], &shown.progress, &feed,
                      err));
    enum status status = extract(args, staged, feed, &shown.bar, err);
    feed_close(feed);
    return status;
}

static enum status go_back(const struct args *args, struct staged *staged,
                           struct err *err)
{
    struct arena *arena = &staged->pipeline.arena;
    const char **to = arena_array(arena, staged->n, sizeof(*to));
    for (size_t i = 0; i < staged->n; i++) {
        AUTO(mem_auto_free) char *name = extract_file_name(&staged->tables[i]);
        to[i] = arena_cstr(arena, str_of(name));
    }
    TRY(finish_other(staged, err));
    TRY(feed_swap_back(staged->root, staged->places, staged->n, to, env_system(), err));
    struct feed_manifest manifest = {0};
    enum status status = feed_manifest_read(staged->root, &manifest, err);
    if ((status == ST_OK || status == ST_NOT_FOUND) && args_has(args, "--json"))
        print_json(staged, &manifest, NULL);
    else if (status == ST_OK)
        printf("the tables are those of %.*s again\n", STR_ARGS(manifest.source));
    else if (status == ST_NOT_FOUND)
        printf("the tables are those of before, which no extract had staged\n");
    feed_manifest_release(&manifest);
    return status == ST_NOT_FOUND ? ST_OK : status;
}

static enum status run(const struct args *args, struct err *err)
{
    bool back = args_has(args, "--rollback");
    struct staged staged = {0};
    TRY(args_script(args, back ? 0 : 1, &staged.pipeline, err));
    enum status status = stop_catch(err);
    staged.pipeline.deadline = stop_waits();
    if (status == ST_OK && back) {
        status = open_tables(&staged, err);
        if (status == ST_OK)
            status = go_back(args, &staged, err);
    } else if (status == ST_OK) {
        status = extract_feed(args, &staged, err);
    }
    staged_release(&staged);
    return status;
}

static const struct flag flags[] = {
    {"--force", NULL, "also a table without rows, or one that lost most of its rows"},
    {"--rollback", NULL, "no FEED: bring back the tables as they were before"},
    {"--json", NULL, "the tables as they are staged now as one JSON object"},
};

const struct command command_extract = {
    .name = "extract",
    .arguments = "FEED PIPELINE.sql",
    .about = "Stage the tables that a script reads from a GTFS feed",
    .more = "FEED is a zip, a directory or an http(s) URL. Every row is read before any "
            "table is\nreplaced; then all are or none. _feed.json, written last, tells "
            "running jobs of the change.\nWhat was there is kept for --rollback.",
    .flags = flags,
    .n_flags = ARRAY_LEN(flags),
    .n_arguments = 2,
    .instead_of_first = "--rollback",
    .run = run,
};
