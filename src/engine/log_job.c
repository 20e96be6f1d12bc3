// SPDX-License-Identifier: Apache-2.0
#include "engine/log_state.h"
#include "engine/schema_difference.h"

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
    if (str_eq(before, after))
        return true;
    if (after.n < before.n || memcmp(after.p, before.p, before.n) != 0)
        return false;
    struct str added = {after.p + before.n, after.n - before.n};
    return str_starts_with(added, ", ") &&
           memmem(added.p, added.n, " NOT NULL", strlen(" NOT NULL")) == NULL;
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

enum status log_state_check_job(const struct log_state *state, const struct job *job,
                                const char *url, struct err *err)
{
    if (state->next == 0)
        return ST_OK;
    if (!is_same_job(&state->job, &job->identity))
        return refuse_job(&state->job, &job->identity, url, err);
    if (job->settings.schema_change == SCHEMA_CHANGE_APPEND &&
        !is_appended(state->schema, job->schema))
        return refuse_schema(state->schema, job->schema, url, err);
    return ST_OK;
}
