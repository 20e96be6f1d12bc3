// SPDX-License-Identifier: Apache-2.0
// A survey as JSON. Names are those of /status.json where both have a thing.
#include <inttypes.h>

#include "base/text.h"
#include "job/survey.h"

static void put_text(struct buf *out, const char *name, struct str text)
{
    buf_printf(out, "\"%s\":", name);
    text_json(out, text);
}

// What is unknown is null.
static void put_number(struct buf *out, const char *name, int64_t number)
{
    if (number < 0)
        buf_printf(out, ",\"%s\":null", name);
    else
        buf_printf(out, ",\"%s\":%" PRId64, name, number);
}

static void put_seconds(struct buf *out, const char *name, int64_t ms)
{
    if (ms < 0)
        buf_printf(out, ",\"%s\":null", name);
    else
        buf_printf(out, ",\"%s\":%" PRId64 ".%03" PRId64, name, ms / 1000, ms % 1000);
}

static void put_job(const struct survey *survey, struct buf *out)
{
    const struct {
        const char *name;
        struct str text;
    } fields[] = {
        {"name", survey->job.name},       {"topic", survey->job.topic},
        {"cluster", survey->job.cluster}, {"group", survey->job.group},
        {"result", survey->result},       {"tables", survey->tables},
        {"script", survey->script},
    };
    buf_text(out, ",\"job\":{");
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        buf_text(out, i > 0 ? "," : "");
        put_text(out, fields[i].name, fields[i].text);
    }
    buf_char(out, '}');
}

static void put_commit(const struct survey *survey, struct buf *out)
{
    const struct survey_commit *commit = &survey->commit;
    if (commit->number < 0) {
        buf_text(out, ",\"commit\":null");
        return;
    }
    buf_text(out, ",\"commit\":{");
    put_text(out, "worker", commit->worker);
    put_number(out, "entry", commit->number);
    put_number(out, "time_ms", commit->time_ms);
    put_number(out, "records", commit->records);
    put_number(out, "rows", commit->rows);
    put_number(out, "matched", commit->matched);
    put_number(out, "unmatched",
               commit->wanted > commit->matched ? commit->wanted - commit->matched : 0);
    put_number(out, "rejected", commit->rejected);
    buf_char(out, '}');
}

static void put_partition(const struct survey_partition *partition, struct buf *out)
{
    buf_printf(out, "{\"partition\":%" PRId32, partition->partition);
    put_number(out, "committed", partition->committed);
    put_number(out, "end", partition->end);
    put_number(out, "lag_records", partition->lag_records);
    put_seconds(out, "lag_seconds", partition->lag_ms);
    put_number(out, "committed_record_ms", partition->record_ms);
    put_number(out, "commit_ms", partition->commit_ms);
    buf_text(out, ",\"owner\":");
    if (partition->owner.n > 0)
        text_json(out, partition->owner);
    else
        buf_text(out, "null");
    buf_char(out, '}');
}

void survey_json(const struct survey *survey, struct buf *ret)
{
    buf_printf(ret, "{\"version\":%d", SURVEY_VERSION);
    put_number(ret, "time_ms", survey->time_ms);
    put_job(survey, ret);
    buf_char(ret, ',');
    verdict_json(&survey->verdict, ret);
    buf_printf(ret, ",\"lag\":{\"records\":");
    if (survey->lag_records < 0)
        buf_text(ret, "null");
    else
        buf_printf(ret, "%" PRId64, survey->lag_records);
    put_seconds(ret, "seconds", survey->lag_ms);
    buf_char(ret, '}');
    put_number(ret, "next_entry", survey->next_entry);
    put_commit(survey, ret);
    buf_text(ret, ",\"partitions\":[");
    for (size_t i = 0; i < survey->n_partitions; i++) {
        buf_text(ret, i > 0 ? "," : "");
        put_partition(&survey->partitions[i], ret);
    }
    buf_text(ret, "]}\n");
}
