// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "base/log.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/row_printer.h"
#include "job/pipeline.h"
#include "log/log_back.h"

enum {
    ENTRIES_SHOWN = 50,
    HASH_SHOWN = 12,          // digits of a hash, in a table
    CLOCKS_APART_MS = 3600000 // entries are not in the order of their makers' clocks
};

// What a line has; its texts live as long as the entry.
enum {
    COLUMN_ENTRY,
    COLUMN_KIND,
    COLUMN_TIME,
    COLUMN_WORKER,
    COLUMN_RECORDS,
    COLUMN_ROWS,
    COLUMN_MATCH,
    COLUMN_REJECTS,
    COLUMN_FILES,
    COLUMN_SECONDS,
    COLUMN_TOPIC_ID,
    COLUMN_TABLES,
    COLUMN_SCRIPT,
    N_COLUMNS
};

#define NAME(text) {text, sizeof(text) - 1}
static const struct column columns[N_COLUMNS] = {
    [COLUMN_ENTRY] = {NAME("entry"), TYPE_BIGINT, false},
    [COLUMN_KIND] = {NAME("kind"), TYPE_TEXT, false},
    [COLUMN_TIME] = {NAME("time"), TYPE_TEXT, false},
    [COLUMN_WORKER] = {NAME("worker"), TYPE_TEXT, false},
    [COLUMN_RECORDS] = {NAME("records"), TYPE_BIGINT, false},
    [COLUMN_ROWS] = {NAME("rows"), TYPE_BIGINT, false},
    [COLUMN_MATCH] = {NAME("match"), TYPE_REAL, true},
    [COLUMN_REJECTS] = {NAME("rejects"), TYPE_BIGINT, false},
    [COLUMN_FILES] = {NAME("files"), TYPE_BIGINT, false},
    [COLUMN_SECONDS] = {NAME("seconds"), TYPE_REAL, true},
    [COLUMN_TOPIC_ID] = {NAME("topic_id"), TYPE_TEXT, true},
    [COLUMN_TABLES] = {NAME("tables"), TYPE_TEXT, false},
    [COLUMN_SCRIPT] = {NAME("script"), TYPE_TEXT, false},
};

static const struct schema schema = {(struct column *)columns, N_COLUMNS};

struct history {
    enum row_style style;
    struct row_printer printer;
    bool is_open; // the printer
    int64_t left; // lines still to print
    int64_t since_ms;
    bool all; // also what is not a commit
};

static struct value value_real(double r)
{
    return (struct value){.r = r, .kind = VALUE_REAL};
}

static struct value hash_value(const struct history *history, struct str hash)
{
    if (history->style == ROWS_ALIGNED && hash.n > HASH_SHOWN)
        hash.n = HASH_SHOWN;
    return value_text(hash);
}

static void set_counts(const struct entry *entry, struct value *row)
{
    const struct replay *replay = &entry->replay;
    int64_t read = replay->records, ignored = replay->ignored;
    int64_t rejected = replay->rejected;
    for (size_t i = 0; i < entry->n_spans; i++) {
        read += entry->spans[i].data;
        ignored += entry->spans[i].ignored;
        rejected += entry->spans[i].rejected;
    }
    int64_t wanted = read - ignored - rejected;
    row[COLUMN_RECORDS] = value_int(read);
    row[COLUMN_REJECTS] = value_int(rejected);
    // A tenth of a percent, downwards: 100 is all of them.
    if (wanted > 0)
        row[COLUMN_MATCH] = value_real(
            (double)(int64_t)((double)entry->matched * 1000 / (double)wanted) / 10);
}

static void open_printer(struct history *history)
{
    if (!history->is_open)
        row_printer_open(&history->printer, history->style, &schema);
    history->is_open = true;
}

static void print_entry(struct history *history, const struct entry *entry)
{
    char time[TEXT_TIME_MAX];
    struct value row[N_COLUMNS] = {0};
    row[COLUMN_ENTRY] = value_int(entry->number);
    row[COLUMN_KIND] = value_text(str_of(entry_kind_name(entry->kind)));
    row[COLUMN_TIME] = value_text(text_time(entry->time_ms, time));
    row[COLUMN_WORKER] = value_text(entry->worker);
    set_counts(entry, row);
    row[COLUMN_ROWS] = value_int(entry->rows);
    row[COLUMN_FILES] = value_int((int64_t)entry->n_files);
    if (entry->first_batch_ms > 0)
        row[COLUMN_SECONDS] =
            value_real((double)(entry->time_ms - entry->first_batch_ms) / 1000);
    row[COLUMN_TABLES] = hash_value(history, entry->dimension);
    row[COLUMN_SCRIPT] = hash_value(history, entry->plan);
    if (entry->topic_id.n > 0)
        row[COLUMN_TOPIC_ID] = value_text(entry->topic_id);
    open_printer(history);
    row_printer_row(&history->printer, row);
}

static enum status tell_entry(void *context, const struct entry *entry,
                              UNUSED struct err *err)
{
    struct history *history = context;
    bool brings = entry->kind != ENTRY_JOB && entry->kind != ENTRY_CLAIM;
    if (entry->time_ms < history->since_ms - CLOCKS_APART_MS)
        return ST_STOP;
    if ((!brings && !history->all) || entry->time_ms < history->since_ms)
        return ST_OK;
    print_entry(history, entry);
    return --history->left == 0 ? ST_STOP : ST_OK;
}

static enum status print_history(const struct args *args, struct storage *storage,
                                 struct history *history, struct err *err)
{
    int64_t first = 0;
    history->all = args_has(args, "--all");
    history->style = row_style(args_has(args, "--json"), args_has(args, "--csv"),
                               args_has(args, "--table"));
    enum status status = log_back(storage, tell_entry, history, &first, err);
    if (status == ST_OK)
        open_printer(history); // its header, where there is no line
    if (history->is_open)
        row_printer_close(&history->printer);
    if (status == ST_OK && first > 0 && history->left > 0 && history->since_ms == 0)
        log_info("the log begins at entry %lld: those before it were removed, or are "
                 "missing; tramline verify tells which",
                 (long long)first);
    return status;
}

static enum status run(const struct args *args, struct err *err)
{
    struct pipeline pipeline;
    struct history history = {0};
    TRY(args_time(args, "--since", &history.since_ms, err));
    int64_t otherwise = history.since_ms ? INT64_MAX : ENTRIES_SHOWN;
    TRY(args_number(args, "--limit", 1, otherwise, &history.left, err));
    TRY(args_script(args, 0, &pipeline, err));
    // No stop flag: it only reads, so a signal may end it where it is.
    struct storage *storage = NULL;
    enum status status = pipeline_need_insert(&pipeline, err);
    if (status == ST_OK)
        status =
            pipeline_storage(&pipeline, &pipeline.plan->sink->options, &storage, err);
    if (status == ST_OK) {
        status = print_history(args, storage, &history, err);
        storage->ops->close(storage);
    }
    pipeline_release(&pipeline);
    return status;
}

static const struct flag flags[] = {
    {"--limit", "N", "so many, the newest (default 50; with --since all)"},
    {"--since", "TIME", "none older than a timestamp, or than 90min, 12h, 7d"},
    {"--all", NULL, "also the entries that are not commits: of the job, claims"},
    {"--json", NULL, "as JSON lines, with the hashes in full"},
    {"--csv", NULL, "as CSV (the default where stdout is not a terminal)"},
    {"--table", NULL, "in aligned columns (the default on a terminal)"},
};

const struct command command_history = {
    .name = "history",
    .arguments = "PIPELINE.sql",
    .about = "List the commits of a job, the newest first",
    .more = "From the log alone, also while nothing runs. match: percent of the records "
            "that could be\nread; seconds: from the first batch to the commit; tables, "
            "script: hashes; topic_id: "
            "Kafka's, where the client knew it.",
    .flags = flags,
    .n_flags = ARRAY_LEN(flags),
    .n_arguments = 1,
    .run = run,
};
