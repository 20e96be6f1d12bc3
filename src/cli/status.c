// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <stdio.h>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/row_printer.h"
#include "cli/term.h"
#include "core/env.h"
#include "job/survey.h"

enum {
    HASH_SHOWN = 12,
    TOPIC_MS = 30000, // for all that the topic is asked
    N_COLUMNS = 7
};

#define NAME(text) {text, sizeof(text) - 1}
static const struct column columns[N_COLUMNS] = {
    {NAME("partition"), TYPE_INT, false}, {NAME("committed"), TYPE_BIGINT, true},
    {NAME("end"), TYPE_BIGINT, true},     {NAME("lag"), TYPE_BIGINT, true},
    {NAME("seconds"), TYPE_REAL, true},   {NAME("commit"), TYPE_TEXT, true},
    {NAME("owner"), TYPE_TEXT, true},
};

static struct value known(int64_t number)
{
    return number < 0 ? (struct value){0} : value_int(number);
}

static void print_partitions(const struct survey *survey)
{
    const struct schema schema = {(struct column *)columns, N_COLUMNS};
    struct row_printer printer;
    row_printer_open(&printer, ROWS_ALIGNED, &schema);
    for (size_t i = 0; i < survey->n_partitions; i++) {
        const struct survey_partition *partition = &survey->partitions[i];
        char time[TEXT_TIME_MAX];
        struct value row[N_COLUMNS] = {
            value_int(partition->partition),
            known(partition->committed),
            known(partition->end),
            known(partition->lag_records),
        };
        if (partition->lag_ms >= 0)
            row[4] = (struct value){.r = (double)(partition->lag_ms / 100) / 10,
                                    .kind = VALUE_REAL};
        if (partition->commit_ms >= 0)
            row[5] = value_text(text_time(partition->commit_ms, time));
        if (partition->owner.n > 0)
            row[6] = value_text(partition->owner);
        row_printer_row(&printer, row);
    }
    row_printer_close(&printer);
}

static void print_hash(const char *what, struct str hash)
{
    if (hash.n > HASH_SHOWN)
        hash.n = HASH_SHOWN;
    printf("%s ", what);
    term_put(hash);
}

static void print_commit(const struct survey *survey)
{
    const struct survey_commit *commit = &survey->commit;
    if (commit->number < 0) {
        printf("commit   none among the newest entries\n");
        return;
    }
    int64_t age_ms = survey->time_ms - commit->time_ms;
    printf("commit   entry %" PRId64 ", %s ago by ", commit->number,
           text_seconds(age_ms > 0 ? age_ms : 0));
    term_put(commit->worker);
    printf(": %s, %s", text_counted(commit->records, "record", "records"),
           text_counted(commit->rows, "row", "rows"));
    if (commit->wanted > 0) {
        int64_t tenths =
            (int64_t)((double)commit->matched * 1000 / (double)commit->wanted);
        printf(", matched %" PRId64 ".%" PRId64 " %%", tenths / 10, tenths % 10);
    }
    printf(", %s; ", text_counted(commit->rejected, "dead letter", "dead letters"));
    print_hash("tables", survey->tables);
    printf(", ");
    print_hash("script", survey->script);
    putchar('\n');
}

static void print_text(const struct survey *survey)
{
    printf("job      ");
    term_put(survey->job.name);
    printf(": topic ");
    term_put(survey->job.topic);
    printf(" to ");
    term_put(survey->result);
    printf("\nverdict  %s\n", verdict_names[survey->verdict.level]);
    for (size_t i = 0; i < survey->verdict.n; i++) {
        printf("  %-6s ", verdict_names[survey->verdict.reasons[i].level]);
        term_put(str_of(survey->verdict.reasons[i].text));
        putchar('\n');
    }
    printf("lag      %s", survey->lag_records < 0
                              ? "not known"
                              : text_counted(survey->lag_records, "record", "records"));
    if (survey->lag_ms >= 0)
        printf(", %s", text_seconds(survey->lag_ms));
    printf("\n");
    print_commit(survey);
    printf("\n");
    print_partitions(survey);
}

static enum status print_survey(const struct args *args, struct surveyor *surveyor,
                                struct err *err)
{
    AUTO(survey_release) struct survey survey = {0};
    TRY(surveyor_look(surveyor, &survey, err));
    if (!args_has(args, "--json")) {
        print_text(&survey);
        return ST_OK;
    }
    AUTO(buf_release) struct buf json = {0};
    survey_json(&survey, &json);
    fwrite(json.p, 1, json.n, stdout);
    return ST_OK;
}

static enum status run(const struct args *args, struct err *err)
{
    struct pipeline pipeline;
    struct surveyor surveyor;
    TRY(args_script(args, 0, &pipeline, err));
    // No stop flag: it only reads, so a signal may end it where it is.
    struct deadline deadline = {0};
    enum status status = surveyor_open(&pipeline, &surveyor, err);
    surveyor.deadline = &deadline;
    deadline_set(&deadline, env_system()->ops->monotonic_ms(env_system()) + TOPIC_MS);
    if (status == ST_OK)
        status = print_survey(args, &surveyor, err);
    surveyor_close(&surveyor);
    pipeline_release(&pipeline);
    return status;
}

static const struct flag flags[] = {
    {"--json", NULL, "as one JSON object, with the names of /status.json"},
};

const struct command command_status = {
    .name = "status",
    .arguments = "PIPELINE.sql",
    .about = "Say how a job stands, by its log and its topic",
    .more = "Also while nothing runs: what is committed, how many records wait and for "
            "how long, who\nclaimed which partition, and what is wrong. Joins no group, "
            "changes nothing.",
    .flags = flags,
    .n_flags = ARRAY_LEN(flags),
    .n_arguments = 1,
    .run = run,
};
