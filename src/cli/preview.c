// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <stdio.h>

#include "base/log.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/row_printer.h"
#include "cli/term.h"
#include "job/look.h"
#include "job/plain_rows.h"
#include "job/tables.h"

enum {
    ROWS_SHOWN = 20,           // unless --limit says otherwise
    REJECTS_SHOWN = 20,        // then they are counted
    ROWS_BYTES = 256 << 10,    // of a slice
    ROWS_BYTES_MAX = 256 << 20 // of the rows of one record, as in a job
};

struct preview {
    struct pipeline *pipeline;
    struct tables tables;
    struct row_format *row_format;
    struct executor *executor;
    struct plain_rows plain;
    struct row_printer printer;
    struct buf rows;
    int64_t left; // rows still to print
    int64_t n_records, n_rejected, n_matched, n_rows;
};

static enum status open_query(struct preview *preview, struct err *err)
{
    const struct plan *plan = preview->pipeline->plan;
    TRY(tables_load(preview->pipeline, NULL, true, &preview->tables, err));
    TRY(plain_row_format_open(plan, &preview->row_format, err));
    return tables_executor(preview->pipeline, &preview->tables, preview->row_format,
                           &preview->executor, err);
}

static void preview_release(struct preview *preview)
{
    if (preview->executor != NULL)
        preview->executor->ops->close(preview->executor);
    tables_release(&preview->tables);
    if (preview->row_format != NULL)
        preview->row_format->ops->close(preview->row_format);
    buf_release(&preview->rows);
}

// Enriches from `row` on; the rows of one record may need a larger buffer.
static enum status run_slice(struct preview *preview, struct batch *batch, size_t *row,
                             struct executor_result *ret, struct err *err)
{
    struct executor *executor = preview->executor;
    enum status rc = ST_LIMIT;
    size_t next = *row;
    for (size_t limit = ROWS_BYTES; rc == ST_LIMIT && limit <= ROWS_BYTES_MAX;
         limit *= 4) {
        buf_clear(&preview->rows);
        buf_set_limit(&preview->rows, limit);
        rc = executor->ops->run(executor, batch, *row, &preview->rows, &next, ret, err);
    }
    if (rc == ST_LIMIT) {
        batch_reject(batch, batch->records[*row], str_of(err->text));
        buf_clear(&preview->rows);
        *ret = (struct executor_result){0};
        next = *row + 1;
        rc = ST_OK;
    }
    *row = next;
    return rc;
}

static void print_rows(struct preview *preview, struct arena *arena)
{
    struct str bytes = buf_as_str(&preview->rows);
    while (preview->left > 0 && plain_rows_next(&preview->plain, &bytes, arena)) {
        row_printer_row(&preview->printer, preview->plain.values);
        preview->n_rows++;
        preview->left--;
    }
}

// Of the records before `end`.
static void tell_rejects(struct preview *preview, const struct run *run,
                         const struct batch *batch, size_t end)
{
    for (size_t i = 0; i < batch->n_rejects; i++) {
        const struct reject *reject = &batch->rejects[i];
        if (reject->record < end && preview->n_rejected++ < REJECTS_SHOWN)
            log_warn("partition %" PRId32 " offset %" PRId64 " is rejected: %.*s",
                     run->partition, run->records[reject->record].offset,
                     STR_ARGS(reject->reason));
    }
}

static enum status take(void *context, const struct run *run, size_t from, size_t next,
                        struct batch *batch, struct err *err)
{
    struct preview *preview = context;
    size_t n_rows = batch->n_rows, end = next;
    // One by one, so that nothing is said of records beyond the last row that is shown.
    for (size_t row = 0; row < n_rows && preview->left > 0;) {
        struct executor_result result = {0};
        batch->n_rows = row + 1;
        TRY(run_slice(preview, batch, &row, &result, err));
        preview->n_matched += (int64_t)result.n_matched;
        print_rows(preview, &batch->arena);
        if (preview->left == 0)
            end = (size_t)batch->records[row - 1] + 1;
    }
    batch->n_rows = n_rows;
    preview->n_records += (int64_t)(end - from);
    tell_rejects(preview, run, batch, end);
    return preview->left == 0 ? ST_STOP : ST_OK;
}

static void tell_sum(const struct preview *preview)
{
    log_info("read %s: %s matched, %s rejected; %s; nothing was committed",
             text_counted(preview->n_records, "record", "records"),
             text_count(preview->n_matched), text_count(preview->n_rejected),
             text_counted(preview->n_rows, "row", "rows"));
}

static enum status look(const struct args *args, struct preview *preview,
                        const struct look_from *from, struct err *err)
{
    struct pipeline *pipeline = preview->pipeline;
    TRY(pipeline_need_insert(pipeline, err));
    TRY(open_query(preview, err));
    if (from->kind == LOOK_LATEST)
        log_info("waiting for new records; a signal ends it");
    plain_rows_init(&preview->plain, &pipeline->plan->output);
    row_printer_open(&preview->printer, row_style_of(args), &preview->plain.schema);
    enum status rc = look_at_stream(pipeline, from, take, preview, err);
    row_printer_close(&preview->printer);
    plain_rows_release(&preview->plain);
    TRY(rc);
    tell_sum(preview);
    return ST_OK;
}

static enum status run(const struct args *args, struct err *err)
{
    struct pipeline pipeline;
    struct look_from from;
    struct preview preview = {.pipeline = &pipeline};
    TRY(args_number(args, "--limit", 1, ROWS_SHOWN, &preview.left, err));
    TRY(look_from_parse(args_text(args, "--from", "earliest"), &from, err));
    TRY(args_script(args, 0, &pipeline, err));
    // No stop flag: it only reads, so a signal may end it where it is.
    enum status rc = look(args, &preview, &from, err);
    preview_release(&preview);
    pipeline_release(&pipeline);
    return rc;
}

static const struct flag flags[] = {
    {"--limit", "N", "so many rows, then stop (default 20)"},
    {"--from", "PLACE",
     "earliest (the default), latest, an offset, PARTITION:OFFSET or a time"},
    {"--json", NULL, "rows as JSON lines"},
    {"--csv", NULL, "rows as CSV (the default where stdout is not a terminal)"},
    {"--table", NULL, "rows in aligned columns (the default on a terminal)"},
};

const struct command command_preview = {
    .name = "preview",
    .arguments = "PIPELINE.sql",
    .about = "Run the query over records of the stream and show rows; commit nothing",
    .more =
        "Joins no group and writes no file. It reads up to what the stream has when it\n"
        "begins; from the latest on it waits for new records.",
    .flags = flags,
    .n_flags = ARRAY_LEN(flags),
    .n_arguments = 1,
    .run = run,
};
