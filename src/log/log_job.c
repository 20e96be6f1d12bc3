// SPDX-License-Identifier: Apache-2.0
#include "core/schema.h"
#include "log/log_state.h"
#include "log/schema_difference.h"

static bool is_same_job(const struct job_identity *a, const struct job_identity *b)
{
    return str_eq(a->cluster, b->cluster) && str_eq(a->topic, b->topic) &&
           str_eq(a->group, b->group);
}

static enum status refuse_job(const struct job_identity *theirs,
                              const struct job_identity *ours, const char *url,
                              struct err *err)
{
    return err_set(err, ST_USAGE,
                   "%s belongs to job '%.*s' (topic '%.*s' of cluster '%.*s', group "
                   "'%.*s'); this is job '%.*s' (topic '%.*s' of cluster '%.*s', group "
                   "'%.*s'): give the result another path, or start over with tramline "
                   "init --reset",
                   url, STR_ARGS(theirs->name), STR_ARGS(theirs->topic),
                   STR_ARGS(theirs->cluster), STR_ARGS(theirs->group),
                   STR_ARGS(ours->name), STR_ARGS(ours->topic), STR_ARGS(ours->cluster),
                   STR_ARGS(ours->group));
}

// Whether only nullable columns come after those that were there.
static bool is_appended(struct str before, struct str after)
{
    struct str name, type, old_name, old_type;
    if (str_eq(before, after))
        return true;
    while (schema_cut(&before, &old_name, &old_type))
        if (!schema_cut(&after, &name, &type) || !str_eq(name, old_name) ||
            !str_eq(type, old_type))
            return false;
    while (schema_cut(&after, &name, &type))
        if (str_ends_with(type, " NOT NULL"))
            return false;
    return true;
}

static enum status refuse_schema(struct str before, struct str after, const char *url,
                                 struct err *err)
{
    AUTO(buf_release) struct buf difference = {0};
    schema_difference(before, after, &difference);
    return err_set(
        err, ST_USAGE,
        "%s has rows with other columns than the query gives: %s; only columns "
        "that may be NULL can be added at the end, unless SET schema_change = "
        "'allow'",
        url, buf_cstr(&difference));
}

// Hive and Spark read a directory in one format.
static enum status refuse_format(const struct file_format *before,
                                 const struct file_format *after, const char *url,
                                 struct err *err)
{
    AUTO(buf_release) struct buf old = {0};
    AUTO(buf_release) struct buf now = {0};
    file_format_describe(before, &old);
    file_format_describe(after, &now);
    return err_set(err, ST_USAGE,
                   "%s has files in format %s, the script says %s: most readers take a "
                   "directory in one format only, so give the result another path, or "
                   "SET schema_change = 'allow'",
                   url, buf_cstr(&old), buf_cstr(&now));
}

// Entries of older programs do not tell their format.
static bool is_same_format(const struct file_format *before,
                           const struct file_format *after)
{
    return before->name.n == 0 || file_format_eq(before, after);
}

enum status log_state_check_job(const struct log_state *state, const struct job *job,
                                const char *url, struct err *err)
{
    if (state->next == 0)
        return ST_OK;
    if (!is_same_job(&state->job, &job->identity))
        return refuse_job(&state->job, &job->identity, url, err);
    if (job->settings.schema_change == SCHEMA_CHANGE_ALLOW)
        return ST_OK;
    if (!is_appended(state->schema, job->schema))
        return refuse_schema(state->schema, job->schema, url, err);
    if (!is_same_format(&state->format, &job->format))
        return refuse_format(&state->format, &job->format, url, err);
    return ST_OK;
}
