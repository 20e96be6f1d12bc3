// SPDX-License-Identifier: Apache-2.0
#include "job/diff.h"

#include <assert.h>
#include <inttypes.h>

#include "base/json_put.h"
#include "base/text.h"
#include "job/plan_job.h"
#include "job/stream.h"
#include "job/tables.h"
#include "log/commit_log.h"
#include "log/log_read.h"

enum {
    VERSION_SHOWN = 12 // digits of a version of the tables
};

void diff_release(struct diff *diff)
{
    log_state_release(&diff->state);
    arena_release(&diff->arena);
    *diff = (struct diff){0};
}

bool diff_is_same(const struct diff *diff)
{
    return diff->entry >= 0 && !diff->is_refused &&
           script_difference_is_none(&diff->difference);
}

static void add_effect(struct diff *diff, const char *code, const char *text)
{
    assert(diff->n_effects < DIFF_EFFECTS);
    diff->effects[diff->n_effects++] =
        (struct diff_effect){code, arena_cstr(&diff->arena, str_of(text))};
}

// Who the job would be; without an answer of the brokers as if they were those of before.
static struct job_identity identify(struct pipeline *pipeline,
                                    const struct deadline *deadline, struct diff *diff)
{
    const struct options *stream = &pipeline->plan->stream->options;
    struct job_identity identity = {
        .cluster = diff->state.job.cluster,
        .topic = options_text(stream, connector_of(stream)->place),
        .group = str_of(pipeline->group),
        .name = str_of(pipeline->job_name),
    };
    struct topic *topic;
    struct err err;
    pipeline->deadline = deadline;
    if (stream_topic_open(pipeline, &topic, &err) == ST_OK) {
        topic->deadline = deadline;
        identity.cluster = arena_str(&diff->arena, topic->cluster);
        identity.topic = arena_str(&diff->arena, topic->name);
        topic->ops->close(topic);
    } else {
        add_effect(
            diff, "topic",
            arena_printf(&diff->arena,
                         "not known whether its topic is the one that was read: %s",
                         err.text));
    }
    return identity;
}

static struct str short_version(struct str version)
{
    if (version.n > VERSION_SHOWN)
        version.n = VERSION_SHOWN;
    return version;
}

// The version that the newest entry ran with against what is staged.
static void add_tables(struct pipeline *pipeline, struct storage *storage,
                       struct diff *diff)
{
    char version[65];
    struct err err;
    struct entry newest;
    AUTO(arena_release) struct arena arena = {0};
    if (tables_version(pipeline, version, &err) != ST_OK) {
        add_effect(
            diff, "tables",
            arena_printf(&diff->arena, "not known which tables it reads: %s", err.text));
        return;
    }
    if (log_read(storage, diff->state.next - 1, &arena, &newest, &err) != ST_OK ||
        str_is(newest.dimension, version))
        return;
    struct str was = short_version(newest.dimension);
    struct str is = short_version(str_of(version));
    add_effect(diff, "tables",
               arena_printf(&diff->arena,
                            "reads another version of the tables: %.*s, not %.*s",
                            STR_ARGS(is), STR_ARGS(was)));
}

static bool has_option(const struct diff *diff, const char *name)
{
    for (size_t i = 0; i < diff->difference.n_options; i++)
        if (str_is(diff->difference.options[i].name, name))
            return true;
    return false;
}

static void add_changes(const struct job *job, struct diff *diff)
{
    const struct log_state *state = &diff->state;
    if (diff->difference.n_columns > 0)
        add_effect(diff, "columns",
                   "new files have the new columns; those that are there stay as they "
                   "are");
    if (state->format.name.n > 0 && !file_format_eq(&state->format, &job->format))
        add_effect(diff, "format",
                   "new files are in another format than those that are there");
    if (diff->difference.query_differs)
        add_effect(diff, "query",
                   "records that are not committed go through the new query; rows that "
                   "are there stay as they are");
    if (has_option(diff, "start"))
        add_effect(diff, "start",
                   "option 'start' has no effect: the log says where each partition "
                   "goes on");
}

static void judge(const struct job *job, const char *url, struct diff *diff)
{
    struct err err;
    diff->is_refused = log_state_check_job(&diff->state, job, url, &err) != ST_OK;
    if (diff->is_refused)
        add_effect(diff, "refused", err.text);
    else
        add_changes(job, diff);
}

// Which entry told the script, while it is still there.
static void find_entry(struct storage *storage, struct diff *diff)
{
    AUTO(arena_release) struct arena arena = {0};
    struct entry entry;
    struct err ignored;
    bool has_plan = diff->state.script.plan.n > 0;
    diff->entry = has_plan ? diff->state.script.entry : diff->state.next - 1;
    if (log_read(storage, diff->entry, &arena, &entry, &ignored) != ST_OK)
        return;
    diff->time_ms = entry.time_ms;
    diff->worker = arena_str(&diff->arena, entry.worker);
}

static enum status compare(struct pipeline *pipeline, const struct deadline *deadline,
                           struct storage *storage, struct diff *diff, struct err *err)
{
    diff->result = arena_str(&diff->arena, str_of(storage->url));
    TRY(log_recover(storage, &diff->state, err));
    diff->script = plan_job_script(pipeline->plan, &diff->arena);
    if (diff->state.next == 0) {
        add_effect(diff, "begins", "begins: there is no log, so nothing ran yet");
        return ST_OK;
    }
    find_entry(storage, diff);
    const struct job_identity identity = identify(pipeline, deadline, diff);
    const struct job job = plan_job(pipeline, &identity, &diff->arena);
    diff->difference = script_difference(&diff->state, &job, &diff->arena);
    judge(&job, storage->url, diff);
    add_tables(pipeline, storage, diff);
    if (diff->n_effects == 0)
        add_effect(diff, "same", "goes on as before");
    return ST_OK;
}

enum status diff_script(struct pipeline *pipeline, const struct deadline *deadline,
                        struct diff *ret, struct err *err)
{
    struct storage *storage;
    *ret = (struct diff){.entry = -1, .time_ms = -1};
    TRY(pipeline_need_insert(pipeline, err));
    TRY(pipeline_storage(pipeline, &pipeline->plan->sink->options, &storage, err));
    enum status rc = compare(pipeline, deadline, storage, ret, err);
    storage->ops->close(storage);
    return rc;
}

// As JSON.

// Empty is none.
static void put_given(struct buf *out, const char *name, struct str text)
{
    json_put_text_or_null(out, name, text.n ? text : (struct str){0});
}

static void put_columns(const struct script_difference *difference, struct buf *out)
{
    json_put_open(out, "columns", '[');
    for (size_t i = 0; i < difference->n_columns; i++) {
        const struct column_change *column = &difference->columns[i];
        json_put_open(out, NULL, '{');
        json_put_text(out, "change", str_of(column_fate_name(column->fate)));
        json_put_text(out, "column", column->name);
        json_put_text_or_null(out, "was", column->was);
        json_put_text_or_null(out, "is", column->is);
        json_put_close(out, '}');
    }
    json_put_close(out, ']');
}

static void put_query(const struct diff *diff, struct buf *out)
{
    json_put_open(out, "query", '{');
    json_put_bool(out, "is_same", !diff->difference.query_differs);
    put_given(out, "was", diff->state.script.query);
    put_given(out, "is", diff->script.query);
    json_put_close(out, '}');
}

static void put_option(const struct option_change *option, struct buf *out)
{
    struct str secret = {0};
    json_put_open(out, NULL, '{');
    put_given(out, "table", option->table);
    json_put_text(out, "option", option->name);
    json_put_text_or_null(out, "was", option->is_secret ? secret : option->was);
    json_put_text_or_null(out, "is", option->is_secret ? secret : option->is);
    json_put_bool(out, "was_given", option->was_given);
    json_put_bool(out, "is_given", option->is_given);
    json_put_bool(out, "is_secret", option->is_secret);
    json_put_close(out, '}');
}

static void put_options(const struct script_difference *difference, struct buf *out)
{
    json_put_open(out, "options", '[');
    for (size_t i = 0; i < difference->n_options; i++)
        put_option(&difference->options[i], out);
    json_put_close(out, ']');
}

static void put_effects(const struct diff *diff, struct buf *out)
{
    json_put_open(out, "next_start", '[');
    for (size_t i = 0; i < diff->n_effects; i++) {
        json_put_open(out, NULL, '{');
        json_put_text(out, "code", str_of(diff->effects[i].code));
        json_put_text(out, "text", str_of(diff->effects[i].text));
        json_put_close(out, '}');
    }
    json_put_close(out, ']');
}

void diff_json(const struct diff *diff, struct buf *ret)
{
    json_put_open(ret, NULL, '{');
    json_put_number(ret, "version", DIFF_VERSION);
    json_put_bool(ret, "is_same", diff_is_same(diff));
    json_put_bool(ret, "is_refused", diff->is_refused);
    json_put_text(ret, "result", diff->result);
    json_put_known(ret, "entry", diff->entry);
    json_put_known(ret, "time_ms", diff->time_ms);
    put_given(ret, "worker", diff->worker);
    json_put_bool(ret, "is_known", diff->difference.is_known || diff->entry < 0);
    put_columns(&diff->difference, ret);
    put_query(diff, ret);
    put_options(&diff->difference, ret);
    put_effects(diff, ret);
    json_put_close(ret, '}');
    buf_char(ret, '\n');
}
