// SPDX-License-Identifier: Apache-2.0
#include "job/survey.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/text.h"
#include "job/plan_job.h"
#include "job/stream.h"
#include "job/tables.h"
#include "log/commit_log.h"
#include "log/log_back.h"

enum {
    ENTRIES_BACK = 200, // in which owners and commits are looked for
    MARKERS_MAX = 4,    // offsets without a record before the first that waits
    LATE_MS = 60000     // beyond what two commit intervals explain
};

static int64_t wall_ms(void)
{
    return env_system()->ops->wall_ms(env_system());
}

enum status surveyor_open(struct pipeline *pipeline, struct surveyor *ret,
                          struct err *err)
{
    *ret = (struct surveyor){.pipeline = pipeline};
    TRY(pipeline_need_insert(pipeline, err));
    return pipeline_storage(pipeline, &pipeline->plan->sink->options, &ret->storage, err);
}

static void close_topic(struct surveyor *surveyor)
{
    if (surveyor->topic != NULL)
        surveyor->topic->ops->close(surveyor->topic);
    surveyor->topic = NULL;
}

void surveyor_close(struct surveyor *surveyor)
{
    close_topic(surveyor);
    if (surveyor->storage != NULL)
        surveyor->storage->ops->close(surveyor->storage);
    log_state_release(&surveyor->state);
    *surveyor = (struct surveyor){0};
}

void survey_release(struct survey *survey)
{
    arena_release(&survey->arena);
    *survey = (struct survey){0};
}

// The log.

static void take_state(const struct log_state *state, struct survey *survey)
{
    survey->next_entry = state->next;
    survey->job = (struct job_identity){
        .cluster = arena_str(&survey->arena, state->job.cluster),
        .topic = arena_str(&survey->arena, state->job.topic),
        .group = arena_str(&survey->arena, state->job.group),
        .name = arena_str(&survey->arena, state->job.name),
    };
    survey->partitions =
        arena_array(&survey->arena, state->n_partitions, sizeof(*survey->partitions));
    survey->n_partitions = state->n_partitions;
    for (size_t i = 0; i < state->n_partitions; i++)
        survey->partitions[i] = (struct survey_partition){
            .partition = state->partitions[i].partition,
            .committed = state->partitions[i].next,
            .end = -1,
            .lag_records = -1,
            .lag_ms = -1,
            .record_ms = state->partitions[i].last.offset < 0
                             ? -1
                             : state->partitions[i].last.time_ms,
            .commit_ms = -1,
        };
}

static void take_commit(struct survey *survey, const struct entry *entry)
{
    struct survey_commit *commit = &survey->commit;
    *commit = (struct survey_commit){
        .number = entry->number,
        .time_ms = entry->time_ms,
        .worker = arena_str(&survey->arena, entry->worker),
        .rows = entry->rows,
        .matched = entry->matched,
    };
    int64_t ignored = 0;
    for (size_t i = 0; i < entry->n_spans; i++) {
        commit->records += entry->spans[i].data;
        commit->rejected += entry->spans[i].rejected;
        ignored += entry->spans[i].ignored;
    }
    commit->wanted = commit->records - commit->rejected - ignored;
}

struct way_back {
    struct survey *survey;
    const struct log_state *state;
    size_t n_seen;
};

static bool names(const struct entry *entry, int32_t partition)
{
    for (size_t i = 0; i < entry->n_spans; i++)
        if (entry->spans[i].partition == partition)
            return true;
    return false;
}

// Of one partition; whether there is nothing more to find.
static bool take_entry(struct way_back *way, size_t i, const struct entry *entry)
{
    struct survey_partition *partition = &way->survey->partitions[i];
    struct str owner = str_of(way->state->partitions[i].writer);
    if (partition->owner.n == 0 && owner.n > 0 && str_eq(entry->writer, owner))
        partition->owner = arena_str(&way->survey->arena, entry->worker);
    if (partition->commit_ms < 0 && entry->kind == ENTRY_COMMIT &&
        names(entry, partition->partition))
        partition->commit_ms = entry->time_ms;
    return partition->commit_ms >= 0 && (owner.n == 0 || partition->owner.n > 0);
}

static enum status look_back(void *context, const struct entry *entry,
                             UNUSED struct err *err)
{
    struct way_back *way = context;
    struct survey *survey = way->survey;
    bool is_done = true;
    if (way->n_seen++ == 0) {
        survey->tables = arena_str(&survey->arena, entry->dimension);
        survey->script = arena_str(&survey->arena, entry->plan);
    }
    if (survey->commit.number < 0 && entry->kind == ENTRY_COMMIT)
        take_commit(survey, entry);
    for (size_t i = 0; i < survey->n_partitions; i++)
        is_done &= take_entry(way, i, entry);
    bool is_known = is_done && survey->commit.number >= 0;
    return is_known || way->n_seen == ENTRIES_BACK ? ST_STOP : ST_OK;
}

static enum status look_at_log(struct surveyor *surveyor, struct survey *survey,
                               struct err *err)
{
    struct log_state *state = &surveyor->state;
    struct way_back way = {.survey = survey, .state = state};
    int64_t first;
    TRY(log_recover(surveyor->storage, state, err));
    if (state->next == 0)
        return log_none(surveyor->storage, err);
    take_state(state, survey);
    return log_back(surveyor->storage, look_back, &way, &first, err);
}

// The topic.

// The time of the first record that is not committed; -1: unknown.
static int64_t first_waiting_ms(struct topic *topic,
                                const struct survey_partition *partition)
{
    for (int i = 0; i < MARKERS_MAX && partition->committed + i < partition->end; i++) {
        struct record record;
        struct err ignored;
        enum status rc = topic->ops->fetch(topic, partition->partition,
                                           partition->committed + i, &record, &ignored);
        if (rc == ST_OK)
            return record.time_ms;
        if (rc != ST_NOT_FOUND)
            break;
    }
    return -1;
}

static void measure(struct topic *topic, int64_t now_ms,
                    struct survey_partition *partition)
{
    bool waits = partition->end > partition->committed;
    partition->lag_records = waits ? partition->end - partition->committed : 0;
    partition->lag_ms = 0;
    if (!waits)
        return;
    int64_t time_ms = first_waiting_ms(topic, partition);
    if (time_ms < 0)
        partition->lag_ms = -1;
    else if (now_ms > time_ms)
        partition->lag_ms = now_ms - time_ms;
}

static enum status look_at_partition(struct topic *topic, int64_t now_ms,
                                     struct survey_partition *partition, struct err *err)
{
    struct topic_range range;
    TRY(topic->ops->range(topic, partition->partition, &range, err));
    partition->end = range.high;
    if (partition->committed < 0) // it appeared since, and begins where it begins
        partition->committed = range.low;
    measure(topic, now_ms, partition);
    return ST_OK;
}

// Those that the log does not name appeared since the last claim.
static void add_partitions(struct survey *survey, int32_t n)
{
    struct survey_partition *all =
        arena_array(&survey->arena, survey->n_partitions + (size_t)n, sizeof(*all));
    size_t n_all = 0, at = 0;
    for (int32_t p = 0; p < n; p++) {
        bool is_known =
            at < survey->n_partitions && survey->partitions[at].partition == p;
        all[n_all++] = is_known ? survey->partitions[at++]
                                : (struct survey_partition){.partition = p,
                                                            .committed = -1,
                                                            .end = -1,
                                                            .lag_records = -1,
                                                            .lag_ms = -1,
                                                            .record_ms = -1,
                                                            .commit_ms = -1};
    }
    while (at < survey->n_partitions)
        all[n_all++] = survey->partitions[at++];
    survey->partitions = all;
    survey->n_partitions = n_all;
}

static void add_lag(struct survey *survey)
{
    for (size_t i = 0; i < survey->n_partitions; i++) {
        const struct survey_partition *partition = &survey->partitions[i];
        if (partition->lag_records < 0 || survey->lag_records < 0)
            survey->lag_records = -1;
        else
            survey->lag_records += partition->lag_records;
        if (partition->lag_ms < 0 || survey->lag_ms < 0)
            survey->lag_ms = -1;
        else if (partition->lag_ms > survey->lag_ms)
            survey->lag_ms = partition->lag_ms;
    }
}

static enum status check_job(struct surveyor *surveyor, struct err *err)
{
    AUTO(arena_release) struct arena arena = {0};
    const struct job_identity identity =
        plan_job_identity(surveyor->pipeline, surveyor->topic);
    const struct job job = plan_job(surveyor->pipeline, &identity, &arena);
    return log_state_check_job(&surveyor->state, &job, surveyor->storage->url, err);
}

static enum status look_at_partitions(struct surveyor *surveyor, struct survey *survey,
                                      struct err *err)
{
    struct topic *topic = surveyor->topic;
    enum status worst = ST_OK;
    int32_t n;
    TRY(topic->ops->count(topic, &n, err));
    add_partitions(survey, n);
    for (size_t i = 0; i < survey->n_partitions; i++) {
        struct err why;
        enum status rc =
            look_at_partition(topic, survey->time_ms, &survey->partitions[i], &why);
        if (rc != ST_OK && worst == ST_OK)
            worst = err_set(err, rc, "%s", why.text);
    }
    return worst;
}

static enum status look_at_topic(struct surveyor *surveyor, struct survey *survey,
                                 struct err *err)
{
    if (surveyor->topic == NULL)
        TRY(stream_topic_open(surveyor->pipeline, &surveyor->topic, err));
    surveyor->topic->deadline = surveyor->deadline;
    enum status rc = check_job(surveyor, err);
    if (rc == ST_OK)
        return look_at_partitions(surveyor, survey, err);
    verdict_add(&survey->verdict, VERDICT_BAD, "refused", "run would refuse to start: %s",
                err->text);
    return ST_OK;
}

// The verdict.

static const char *seconds(int64_t ms)
{
    return text_seconds(ms > 0 ? ms : 0);
}

static void judge_lag(const struct surveyor *surveyor, struct survey *survey)
{
    const struct options *set = &surveyor->pipeline->plan->settings;
    int64_t late_ms = 2 * options_number(set, "commit.interval") + LATE_MS;
    int64_t age_ms = survey->time_ms - survey->commit.time_ms;
    bool waits = false, is_old = survey->commit.number < 0 || age_ms > late_ms;
    int64_t most_ms = 0;
    for (size_t i = 0; i < survey->n_partitions; i++) {
        waits |= survey->partitions[i].lag_records > 0;
        if (survey->partitions[i].lag_ms > most_ms)
            most_ms = survey->partitions[i].lag_ms;
    }
    if (waits && survey->commit.number < 0)
        verdict_add(
            &survey->verdict, VERDICT_BAD, "stalled",
            "records wait, and the newest entries of the log have no commit: does "
            "a worker run?");
    else if (waits && is_old)
        verdict_add(&survey->verdict, VERDICT_BAD, "stalled",
                    "records wait, and the newest commit is %s old: does a worker run?",
                    seconds(age_ms));
    if (most_ms > late_ms)
        verdict_add(&survey->verdict, VERDICT_WARN, "behind",
                    "the oldest record that waits is %s old", seconds(most_ms));
}

// A topic that was recreated with fewer records, a file that was cut: what `run` refuses.
static void judge_ends(struct survey *survey)
{
    for (size_t i = 0; i < survey->n_partitions; i++) {
        const struct survey_partition *partition = &survey->partitions[i];
        if (partition->end < 0 || partition->end >= partition->committed)
            continue;
        verdict_add(&survey->verdict, VERDICT_BAD, "refused",
                    "partition %d ends at offset %lld, but the log has read it up to "
                    "%lld: was the topic recreated?",
                    (int)partition->partition, (long long)partition->end,
                    (long long)partition->committed);
        return;
    }
}

static void judge_partitions(struct survey *survey)
{
    size_t n = 0;
    for (size_t i = 0; i < survey->n_partitions; i++)
        n += survey->partitions[i].owner.n == 0 && survey->partitions[i].lag_records > 0;
    if (n > 0)
        verdict_add(&survey->verdict, VERDICT_WARN, "unclaimed",
                    "%s with records that wait %s no owner among the newest entries of "
                    "the log",
                    text_counted((int64_t)n, "partition", "partitions"),
                    n == 1 ? "has" : "have");
}

static void judge_commit(struct survey *survey)
{
    const struct survey_commit *commit = &survey->commit;
    if (commit->number < 0 || commit->records < VERDICT_RECORDS_MIN)
        return;
    int64_t unmatched = commit->wanted - commit->matched;
    if (verdict_exceeds(unmatched, commit->wanted, VERDICT_UNMATCHED_PERCENT))
        verdict_add(&survey->verdict, VERDICT_WARN, "unmatched",
                    "%" PRId64 " of %" PRId64
                    " records of the newest commit gave no row: "
                    "they match none of a table, or WHERE drops them",
                    unmatched, commit->wanted);
    if (verdict_exceeds(commit->rejected, commit->records, VERDICT_REJECTS_PERCENT))
        verdict_add(&survey->verdict, VERDICT_WARN, "rejects",
                    "%" PRId64 " of %" PRId64 " records of the newest commit are dead "
                    "letters",
                    commit->rejected, commit->records);
}

// What run would begin with now.
static void judge_script(const struct surveyor *surveyor, struct survey *survey)
{
    char version[65];
    struct err why;
    if (!str_is(survey->script, surveyor->pipeline->plan->hash))
        verdict_add(&survey->verdict, VERDICT_WARN, "script",
                    "the log last ran with another script; tramline history shows since "
                    "when");
    if (tables_version(surveyor->pipeline, version, &why) != ST_OK)
        verdict_add(&survey->verdict, VERDICT_WARN, "tables", "the staged tables: %s",
                    why.text);
    else if (!str_is(survey->tables, version))
        verdict_add(
            &survey->verdict, VERDICT_WARN, "tables",
            "the staged tables are not those of the newest entry: a job that runs "
            "has older ones until it is restarted");
}

enum status surveyor_look(struct surveyor *surveyor, struct survey *ret, struct err *err)
{
    *ret = (struct survey){.time_ms = wall_ms(), .commit.number = -1};
    ret->result = str_of(surveyor->storage->url);
    TRY(look_at_log(surveyor, ret, err));
    struct err why;
    if (look_at_topic(surveyor, ret, &why) != ST_OK)
        verdict_add(&ret->verdict, VERDICT_BAD, "topic", "%s", why.text);
    if (surveyor->topic != NULL && !surveyor->topic->is_shared)
        close_topic(surveyor); // a file is as long as when it was opened
    add_lag(ret);
    judge_lag(surveyor, ret);
    judge_ends(ret);
    judge_partitions(ret);
    judge_commit(ret);
    judge_script(surveyor, ret);
    return ST_OK;
}
