// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "cli/cat_stream.h"
#include "cli/commands.h"
#include "cli/row_printer.h"
#include "cli/term.h"
#include "job/pipeline.h"
#include "job/result.h"
#include "job/tables.h"

struct cat {
    struct pipeline *pipeline;
    struct look_from from; // of the stream
    struct storage *storage;
    struct result_reader *reader; // of the result
    struct row_printer printer;
    int64_t left; // rows still to print
};

static enum status print_rows(struct cat *cat, struct rows *rows, struct err *err)
{
    struct batch batch;
    batch_init(&batch, rows->schema->n);
    enum status status;
    do {
        status = rows->ops->next(rows, &batch, err);
        for (size_t i = 0; status == ST_OK && i < batch.n_rows && cat->left > 0; i++) {
            row_printer_row(&cat->printer, batch_row(&batch, i));
            cat->left--;
        }
    } while (status == ST_OK && batch.n_rows && cat->left > 0);
    batch_release(&batch);
    return status;
}

static enum status print_file(void *context, struct str path, struct err *err)
{
    struct cat *cat = context;
    struct rows *rows;
    TRY(result_reader_open(cat->reader, path, &rows, err));
    enum status status = print_rows(cat, rows, err);
    rows->ops->close(rows);
    return status == ST_OK && cat->left == 0 ? ST_STOP : status;
}

// Dead letters are JSON lines already.
static enum status print_letters(void *context, struct str path, struct err *err)
{
    struct cat *cat = context;
    struct storage_reader reader;
    storage_reader_init(&reader, cat->storage, path, 1 << 20);
    char piece[4096];
    size_t n = 1;
    enum status status = ST_OK;
    while (status == ST_OK && n && cat->left > 0) {
        status = reader.reader.read(&reader.reader, piece, sizeof(piece), &n, err);
        size_t n_put = 0;
        for (; status == ST_OK && n_put < n && cat->left > 0; n_put++)
            cat->left -= piece[n_put] == '\n';
        term_put_lines((struct str){piece, n_put});
    }
    storage_reader_release(&reader);
    return status == ST_OK && cat->left == 0 ? ST_STOP : status;
}

static enum status cat_result(const struct args *args, struct cat *cat, struct err *err)
{
    const struct plan *plan = cat->pipeline->plan;
    TRY(pipeline_storage(cat->pipeline, &plan->sink->options, &cat->storage, err));
    enum status status;
    if (args_has(args, "--dead")) {
        status = result_files(cat->storage, true, print_letters, cat, err);
    } else {
        cat->reader = result_reader_new(plan, cat->storage);
        row_printer_open(&cat->printer, row_style_of(args), &plan->output);
        status = result_files(cat->storage, false, print_file, cat, err);
        row_printer_close(&cat->printer);
        result_reader_free(cat->reader);
    }
    cat->storage->ops->close(cat->storage);
    return status;
}

static enum status cat_table(const struct args *args, struct cat *cat,
                             const struct table *table, struct err *err)
{
    TRY(pipeline_storage(cat->pipeline, &table->options, &cat->storage, err));
    struct rows *rows;
    enum status status = table_rows_open(cat->storage, table, &rows, err);
    if (status == ST_OK) {
        row_printer_open(&cat->printer, row_style_of(args), &table->schema);
        status = print_rows(cat, rows, err);
        row_printer_close(&cat->printer);
        rows->ops->close(rows);
    }
    cat->storage->ops->close(cat->storage);
    return status;
}

static enum status cat_view(const struct args *args, struct cat *cat,
                            const struct view *view, struct err *err)
{
    struct tables tables;
    TRY(tables_load(cat->pipeline, view, true, &tables, err));
    struct rows *rows;
    enum status status = table_store_view(tables.store, view, &rows, err);
    if (status == ST_OK) {
        row_printer_open(&cat->printer, row_style_of(args), &view->schema);
        status = print_rows(cat, rows, err);
        row_printer_close(&cat->printer);
        rows->ops->close(rows);
    }
    tables_release(&tables);
    return status == ST_OK ? ST_OK
                           : err_context(err, status, "view %.*s", STR_ARGS(view->name));
}

static enum status unknown_table(const struct plan *plan, struct str name,
                                 struct err *err)
{
    const char *names[256];
    size_t n = 0;
    for (size_t i = 0; i < plan->n_tables && n < ARRAY_LEN(names); i++)
        names[n++] = plan->tables[i].name.p;
    for (size_t i = 0; i < plan->n_views && n < ARRAY_LEN(names); i++)
        if (!plan->views[i].hidden)
            names[n++] = plan->views[i].name.p;
    const char *nearest = str_nearest(name, names, n);
    return err_set(err, ST_USAGE, "the script has no table '%.*s'%s%s%s", STR_ARGS(name),
                   nearest ? "; did you mean " : "; tramline explain lists them",
                   nearest ? nearest : "", nearest ? "?" : "");
}

static enum status cat_named(const struct args *args, struct cat *cat, struct str name,
                             struct err *err)
{
    const struct plan *plan = cat->pipeline->plan;
    const struct table *table = plan_table(plan, name);
    if (args_has(args, "--dead") && (table == NULL || table->kind != TABLE_SINK))
        return err_set(err, ST_USAGE,
                       "--dead shows the dead letters of the result; name "
                       "the table that the script inserts into");
    if (args_has(args, "--dead") &&
        (args_has(args, "--table") || args_has(args, "--csv")))
        return err_set(err, ST_USAGE,
                       "dead letters are JSON lines; leave out %s, or --dead",
                       args_has(args, "--table") ? "--table" : "--csv");
    if (table != NULL && table->kind == TABLE_STREAM)
        return cat_stream(cat->pipeline, &cat->from, cat->left, row_style_of(args), err);
    if (args_has(args, "--from"))
        return err_set(err, ST_USAGE, "--from is for the stream; %.*s is read whole",
                       STR_ARGS(name));
    if (table != NULL)
        return table->kind == TABLE_SINK ? cat_result(args, cat, err)
                                         : cat_table(args, cat, table, err);
    for (size_t i = 0; i < plan->n_views; i++)
        if (str_eq(plan->views[i].name, name))
            return cat_view(args, cat, &plan->views[i], err);
    return unknown_table(plan, name, err);
}

static enum status run(const struct args *args, struct err *err)
{
    struct pipeline pipeline;
    struct cat cat = {.pipeline = &pipeline};
    TRY(args_number(args, "--limit", 0, INT64_MAX, &cat.left, err));
    TRY(look_from_parse(args_text(args, "--from", "earliest"), &cat.from, err));
    TRY(args_script(args, 0, &pipeline, err));
    // No stop flag: it only reads, so a signal may end it where it is.
    enum status status = cat_named(args, &cat, str_of(args->positional[1]), err);
    pipeline_release(&pipeline);
    return status;
}

static const struct flag flags[] = {
    {"--limit", "N", "so many rows, then stop"},
    {"--from", "PLACE",
     "of the stream: earliest (the default), latest, an offset, PARTITION:OFFSET or a "
     "time"},
    {"--dead", NULL, "the dead letters of the result, as JSON lines"},
    {"--json", NULL, "rows as JSON lines"},
    {"--csv", NULL, "rows as CSV (the default where stdout is not a terminal)"},
    {"--table", NULL, "rows in aligned columns (the default on a terminal)"},
};

const struct command command_cat = {
    .name = "cat",
    .arguments = "PIPELINE.sql TABLE",
    .about = "Show rows of a table, a view or the result, or records of the stream",
    .flags = flags,
    .n_flags = ARRAY_LEN(flags),
    .n_arguments = 2,
    .run = run,
};
