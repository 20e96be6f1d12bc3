// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "base/json_put.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/json_print.h"
#include "cli/term.h"
#include "job/pipeline.h"
#include "job/result.h"
#include "log/log_back.h"
#include "log/verify.h"

struct counting {
    const struct plan *plan;
    struct storage *storage;
    struct progress_bar bar;
};

static enum status count_rows(void *context, const struct verify_file *file, int64_t *ret,
                              struct err *err)
{
    struct counting *counting = context;
    struct rows *rows;
    TRY(result_rows_open(counting->plan, counting->storage, file, &rows, err));
    struct batch batch;
    batch_init(&batch, rows->schema->n);
    enum status status;
    *ret = 0;
    do {
        status = rows->ops->next(rows, &batch, err);
        *ret += (int64_t)batch.n_rows;
    } while (status == ST_OK && batch.n_rows);
    batch_release(&batch);
    rows->ops->close(rows);
    return status;
}

static void show(void *context, int64_t n_done, int64_t n_total)
{
    struct counting *counting = context;
    progress_show(&counting->bar, n_done, n_total);
}

static void print_number(const char *name, int64_t n)
{
    printf("  %-12s %16s\n", name, text_count(n));
}

static void print_text(const struct verify_report *report)
{
    printf("log\n");
    print_number("entries", report->n_entries);
    print_number("claims", report->n_claims);
    print_number("commits", report->n_commits);
    print_number("replays", report->n_replays);
    if (report->topic_id.n > 0)
        printf("  %-12s %s\n", "topic id", report->topic_id.p);
    printf("files\n");
    print_number("data", report->n_data_files);
    print_number("dead letters", report->n_dead_files);
    print_number("bytes", report->bytes);
    print_number("rows", report->rows);
    printf("records\n");
    print_number("read", report->records);
    print_number("matched", report->matched);
    print_number("ignored", report->ignored);
    print_number("rejected", report->rejected);
    print_number("replayed", report->replayed);
    print_number("failed again", report->again);
    print_number("skipped", report->skipped);
    if (report->control + report->aborted + report->hole > 0) {
        print_number("- control", report->control);
        print_number("- aborted", report->aborted);
        print_number("- hole", report->hole);
    }
    print_number("gap", report->gap);
    printf("partitions\n");
    for (size_t i = 0; i < report->n_partitions; i++)
        printf("  %-6d %16s .. %s\n", report->partitions[i].partition,
               text_count(report->partitions[i].first),
               text_count(report->partitions[i].next));
    for (size_t i = 0; i < report->n_findings; i++) {
        printf("%s: ", report->findings[i].kind == FINDING_ERROR ? "ERROR" : "note");
        term_put(report->findings[i].text);
        putchar('\n');
    }
    printf(report->n_errors ? "the result is NOT what the log says: %zu errors\n"
                            : "no gap, no duplicate: every record that the log names is "
                              "in the result once\n",
           report->n_errors);
}

static void put_partitions(const struct verify_report *report, struct buf *out)
{
    json_put_open(out, "partitions", '[');
    for (size_t i = 0; i < report->n_partitions; i++) {
        json_put_open(out, NULL, '{');
        json_put_number(out, "partition", report->partitions[i].partition);
        json_put_number(out, "first", report->partitions[i].first);
        json_put_number(out, "next", report->partitions[i].next);
        json_put_known(out, "epoch", leader_epoch_number(report->partitions[i].epoch));
        json_put_close(out, '}');
    }
    json_put_close(out, ']');
}

static void put_findings(const struct verify_report *report, struct buf *out)
{
    json_put_open(out, "findings", '[');
    for (size_t i = 0; i < report->n_findings; i++) {
        const struct finding *finding = &report->findings[i];
        AUTO(buf_release) struct buf visible = {0};
        text_put_visible(&visible, finding->text);
        json_put_open(out, NULL, '{');
        json_put_text(out, "kind",
                      str_of(finding->kind == FINDING_ERROR ? "error" : "note"));
        json_put_text(out, "text", buf_as_str(&visible));
        json_put_close(out, '}');
    }
    json_put_close(out, ']');
}

static void print_json(const struct verify_report *report)
{
    const struct {
        const char *name;
        int64_t n;
    } numbers[] = {
        {"entries", report->n_entries},
        {"claims", report->n_claims},
        {"commits", report->n_commits},
        {"replays", report->n_replays},
        {"data_files", report->n_data_files},
        {"dead_files", report->n_dead_files},
        {"bytes", report->bytes},
        {"rows", report->rows},
        {"records", report->records},
        {"matched", report->matched},
        {"ignored", report->ignored},
        {"rejected", report->rejected},
        {"replayed", report->replayed},
        {"failed_again", report->again},
        {"skipped", report->skipped},
        {"control", report->control},
        {"aborted", report->aborted},
        {"hole", report->hole},
        {"gap", report->gap},
        {"errors", (int64_t)report->n_errors},
    };
    AUTO(buf_release) struct buf json = {0};
    json_put_open(&json, NULL, '{');
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        json_put_number(&json, numbers[i].name, numbers[i].n);
    json_put_text_or_null(&json, "topic_id", report->topic_id);
    put_partitions(report, &json);
    put_findings(report, &json);
    json_put_close(&json, '}');
    json_print(&json);
}

static enum status verify(const struct args *args, const struct pipeline *pipeline,
                          struct storage *storage, struct err *err)
{
    struct counting counting = {.plan = pipeline->plan, .storage = storage};
    progress_begin(&counting.bar, "verify", "entries and files");
    struct verify_options options = {
        .checksums = true,
        .bytes = args_has(args, "--deep"),
        .count_rows = args_has(args, "--deep") ? count_rows : NULL,
        .context = &counting,
        .progress = show,
    };
    struct verify_report report = {0};
    enum status status = verify_run(storage, &options, &report, err);
    progress_end(&counting.bar);
    if (status == ST_NOT_FOUND)
        status = log_none(storage, err);
    if (status == ST_OK) {
        if (args_has(args, "--json"))
            print_json(&report);
        else
            print_text(&report);
        if (report.n_errors)
            status = err_set(err, ST_DATA, "the result in %s has %s", storage->url,
                             text_counted((int64_t)report.n_errors, "error", "errors"));
    }
    verify_report_release(&report);
    return status;
}

static enum status run(const struct args *args, struct err *err)
{
    struct pipeline pipeline;
    TRY(args_script(args, 0, &pipeline, err));
    // No stop flag: it only reads, so a signal may end it where it is.
    struct storage *storage = NULL;
    enum status status = pipeline_need_insert(&pipeline, err);
    if (status == ST_OK)
        status =
            pipeline_storage(&pipeline, &pipeline.plan->sink->options, &storage, err);
    if (status == ST_OK) {
        status = verify(args, &pipeline, storage, err);
        storage->ops->close(storage);
    }
    pipeline_release(&pipeline);
    return status;
}

static const struct flag flags[] = {
    {"--deep", NULL, "also read all files: their bytes are compared, their rows counted"},
    {"--json", NULL, "the report as JSON"},
};

const struct command command_verify = {
    .name = "verify",
    .arguments = "PIPELINE.sql",
    .about = "Prove from log and files that the result has no gap and no duplicate",
    .more = "Reads only; safe beside running workers.",
    .flags = flags,
    .n_flags = ARRAY_LEN(flags),
    .n_arguments = 1,
    .run = run,
};
