// SPDX-License-Identifier: Apache-2.0
// A survey as JSON. Names are those of /status.json where both have a thing.
#include "base/json_put.h"
#include "job/survey.h"

static void put_job(const struct survey *survey, struct buf *out)
{
    json_put_open(out, "job", '{');
    json_put_text(out, "name", survey->job.name);
    json_put_text(out, "topic", survey->job.topic);
    json_put_text(out, "cluster", survey->job.cluster);
    json_put_text(out, "group", survey->job.group);
    json_put_text(out, "result", survey->result);
    json_put_text(out, "tables", survey->tables);
    json_put_text(out, "script", survey->script);
    json_put_close(out, '}');
}

static void put_commit(const struct survey *survey, struct buf *out)
{
    const struct survey_commit *commit = &survey->commit;
    if (commit->number < 0) {
        json_put_null(out, "commit");
        return;
    }
    int64_t missed = commit->wanted - commit->matched;
    json_put_open(out, "commit", '{');
    json_put_text(out, "worker", commit->worker);
    json_put_number(out, "entry", commit->number);
    json_put_known(out, "time_ms", commit->time_ms);
    json_put_number(out, "records", commit->records);
    json_put_number(out, "rows", commit->rows);
    json_put_number(out, "matched", commit->matched);
    json_put_number(out, "unmatched", missed > 0 ? missed : 0);
    json_put_number(out, "rejected", commit->rejected);
    json_put_close(out, '}');
}

static void put_partition(const struct survey_partition *partition, struct buf *out)
{
    struct str owner = partition->owner;
    json_put_open(out, NULL, '{');
    json_put_number(out, "partition", partition->partition);
    json_put_known(out, "committed", partition->committed);
    json_put_known(out, "end", partition->end);
    json_put_known(out, "lag_records", partition->lag_records);
    json_put_seconds(out, "lag_seconds", partition->lag_ms);
    json_put_known(out, "committed_record_ms", partition->record_ms);
    json_put_known(out, "commit_ms", partition->commit_ms);
    json_put_text_or_null(out, "owner", owner.n > 0 ? owner : (struct str){0});
    json_put_close(out, '}');
}

void survey_json(const struct survey *survey, struct buf *ret)
{
    json_put_open(ret, NULL, '{');
    json_put_number(ret, "version", SURVEY_VERSION);
    json_put_known(ret, "time_ms", survey->time_ms);
    put_job(survey, ret);
    verdict_json(&survey->verdict, ret);
    json_put_open(ret, "lag", '{');
    json_put_known(ret, "records", survey->lag_records);
    json_put_seconds(ret, "seconds", survey->lag_ms);
    json_put_close(ret, '}');
    json_put_known(ret, "next_entry", survey->next_entry);
    put_commit(survey, ret);
    json_put_open(ret, "partitions", '[');
    for (size_t i = 0; i < survey->n_partitions; i++)
        put_partition(&survey->partitions[i], ret);
    json_put_close(ret, ']');
    json_put_close(ret, '}');
    buf_char(ret, '\n');
}
