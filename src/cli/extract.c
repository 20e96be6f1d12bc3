// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "cli/commands.h"
#include "cli/pipeline.h"
#include "cli/sink.h"
#include "cli/tables.h"
#include "cli/term.h"
#include "core/env.h"
#include "csv/table.h"
#include "gtfs/extract.h"

struct shown {
    struct feed_progress progress;
    struct progress bar;
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

// For a table that the script wants as Avro: of the feed's CSV a container file.
struct conversion {
    const struct table *table;
    struct storage *storage; // borrowed
};

static enum status convert(void *context, struct str from, struct str to,
                           struct feed_file *ret, struct err *err)
{
    const struct conversion *conversion = context;
    const struct table *table = conversion->table;
    struct csv_table_options options = {
        .header = true,
        .skip_errors = options_is(&table->options, "on_error", "skip"),
    };
    struct rows *rows;
    struct sink_file made;
    enum status status =
        csv_table_open(conversion->storage, from, &table->schema, &options, &rows, err);
    if (status == ST_OK) {
        status = sink_write_file(conversion->storage, table, rows, to, &made, err);
        table_tell_csv(table, rows);
        rows->ops->close(rows);
    }
    if (status != ST_OK)
        return err_context(err, status, "table %.*s, from %.*s.txt to Avro",
                           STR_ARGS(table->name), STR_ARGS(table->name));
    *ret = (struct feed_file){made.size, made.checksum};
    return ST_OK;
}

static enum status open_tables(struct pipeline *pipeline, struct extract_table *tables,
                               size_t *ret_n, struct err *err)
{
    struct arena *arena = &pipeline->arena;
    const struct plan *plan = pipeline->plan;
    for (size_t i = 0; i < plan->n_tables; i++) {
        const struct table *table = &plan->tables[i];
        if (!is_dimension(table))
            continue;
        bool header = pipeline_is_avro(table) || options_number(&table->format, "header");
        struct extract_table *to = &tables[*ret_n];
        *to = (struct extract_table){
            .name = table->name.p,
            .schema = &table->schema,
            .optional = options_number(&table->options, "optional"),
            .header = header,
        };
        TRY(pipeline_storage(pipeline, &table->options, &to->storage, err));
        ++*ret_n;
        if (pipeline_is_avro(table)) {
            struct conversion *conversion = arena_alloc(arena, sizeof(*conversion));
            *conversion = (struct conversion){table, to->storage};
            to->extension = "avro";
            to->convert = convert;
            to->context = conversion;
        }
    }
    if (*ret_n == 0)
        return err_set(err, ST_USAGE,
                       "the script has no tables to stage; a table is "
                       "CREATE TABLE ... WITH (connector = 'filesystem', "
                       "...) that is not the result");
    return ST_OK;
}

static void print_manifest(const struct feed_manifest *manifest)
{
    for (size_t i = 0; i < manifest->n_tables; i++) {
        const struct feed_table *table = &manifest->tables[i];
        printf("%-16.*s %10s  %.*s\n", STR_ARGS(table->name),
               table->present ? term_bytes(table->size) : "not there",
               STR_ARGS(table->path));
    }
}

static enum status extract(struct pipeline *pipeline, struct feed *feed,
                           struct extract_table *tables, struct progress *bar,
                           struct err *err)
{
    size_t n = 0;
    struct storage *root = NULL;
    struct feed_manifest manifest = {0};
    enum status status = open_tables(pipeline, tables, &n, err);
    if (status == ST_OK)
        status = pipeline_feed_root(pipeline, &root, err);
    if (status == ST_OK)
        status = gtfs_extract(feed, tables, n, root, env_system(), &manifest, err);
    progress_end(bar);
    if (status == ST_OK)
        print_manifest(&manifest);
    feed_manifest_release(&manifest);
    if (root != NULL)
        root->ops->close(root);
    for (size_t i = 0; i < pipeline->plan->n_tables; i++)
        if (tables[i].storage != NULL)
            tables[i].storage->ops->close(tables[i].storage);
    return status;
}

static enum status run(const struct args *args, struct err *err)
{
    struct pipeline pipeline;
    TRY(pipeline_open(args, args->positional[1], &pipeline, err));
    pipeline.stop = cli_stop_flag(NULL);
    struct extract_table *tables =
        arena_array(&pipeline.arena, pipeline.plan->n_tables + 1, sizeof(*tables));
    struct shown shown = {.progress = {show_bytes}};
    struct feed_options options = {.progress = &shown.progress};
    struct feed *feed;
    enum status status = feed_open(args->positional[0], &options, &feed, err);
    if (status == ST_OK) {
        status = extract(&pipeline, feed, tables, &shown.bar, err);
        feed_close(feed);
    }
    pipeline_release(&pipeline);
    return status;
}

const struct command command_extract = {
    .name = "extract",
    .arguments = "FEED PIPELINE.sql",
    .about = "Stage the tables that a script reads from a GTFS feed",
    .more = "FEED is a zip, a directory or an http(s) URL. Each table is replaced by one "
            "rename;\n_feed.json, written last, tells running jobs of the change.",
    .n_arguments = 2,
    .run = run,
};
