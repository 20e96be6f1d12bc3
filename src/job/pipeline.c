// SPDX-License-Identifier: Apache-2.0
#include "job/pipeline.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/text_file.h"
#include "core/env.h"
#include "job/clear_text.h"
#include "job/script_checks.h"

enum {
    RETRY_TELL_MS = 10000,
    HURRIED_MS = 1000 // another data node may answer
};

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

// The URL of the result, without its name nodes' order mattering.
static struct str result_path(struct pipeline *pipeline)
{
    struct str url = options_text(&pipeline->plan->sink->options, "path");
    struct storage_url parsed;
    if (storage_url_parse(url, &pipeline->arena, &parsed, NULL) != ST_OK)
        return url;
    return str_of(parsed.path);
}

// "tramline.<last part of the sink's path>.<topic>.<8 digits>": the digits tell paths
// apart that end alike. Name nodes are left out: a pair may be listed in any order.
static const char *default_name(struct pipeline *pipeline)
{
    const struct plan *plan = pipeline->plan;
    struct str result = result_path(pipeline);
    const struct options *options = &plan->stream->options;
    struct str topic = options_text(options, connector_of(options)->place);
    char *both =
        arena_printf(&pipeline->arena, "%.*s\n%.*s", STR_ARGS(result), STR_ARGS(topic));
    char digest[SHA256_HEX];
    sha256_hex(both, strlen(both), digest);
    const char *end = last_part(arena_cstr(&pipeline->arena, result));
    return arena_printf(&pipeline->arena, "tramline.%s.%s.%.8s", end, last_part(topic.p),
                        digest);
}

static void name_job(struct pipeline *pipeline)
{
    const struct plan *plan = pipeline->plan;
    if (plan->stream == NULL)
        return;
    struct str name = options_text(&plan->settings, "job.name");
    const char *made = default_name(pipeline);
    pipeline->job_name = name.p ? name.p : made;
    struct str group = {0};
    if (options_have(&plan->stream->options, "group"))
        group = options_text(&plan->stream->options, "group");
    pipeline->group = group.p ? group.p : made;
}

struct str pipeline_next_variable(struct str *rest)
{
    const char *at = rest->n ? memmem(rest->p, rest->n, "${", 2) : NULL;
    if (at == NULL)
        return (struct str){0};
    *rest = (struct str){at + 2, rest->n - (size_t)(at + 2 - rest->p)};
    return str_cut(rest, '}');
}

static bool uses_variable(struct str script, struct str name)
{
    for (struct str used; (used = pipeline_next_variable(&script)).p != NULL;)
        if (str_eq(used, name))
            return true;
    return false;
}

static const char *nearest_variable(struct str script, struct str name,
                                    struct arena *arena)
{
    const char *names[128];
    size_t n = 0;
    for (struct str used;
         n < ARRAY_LEN(names) && (used = pipeline_next_variable(&script)).p;)
        names[n++] = arena_cstr(arena, used);
    return str_nearest(name, names, n);
}

// A name that was mistyped would go unseen where the environment has the right one.
static void tell_unused(const struct pipeline_script *from, struct str script)
{
    AUTO(arena_release) struct arena arena = {0};
    for (size_t i = 0; i < from->n_variables; i++) {
        const struct variable *variable = &from->variables[i];
        if (uses_variable(script, variable->name))
            continue;
        const char *near = nearest_variable(script, variable->name, &arena);
        log_warn("%s %.*s: the script has no ${%.*s}%s%s%s",
                 variable->from_set ? "--set" : "--set-file", STR_ARGS(variable->name),
                 STR_ARGS(variable->name), near ? "; did you mean " : "",
                 near ? near : "", near ? "?" : "");
    }
}

// A script that only stages tables has no stream.
static enum status check_stream(const struct pipeline *pipeline, struct err *err)
{
    if (pipeline->plan->stream == NULL)
        return ST_OK;
    const struct stream_request request = pipeline_stream(pipeline);
    return connector_of(request.options)->stream->check(&request, err);
}

enum status pipeline_open(const struct pipeline_script *from, struct pipeline *ret,
                          struct err *err)
{
    bool is_input = strcmp(from->path, "-") == 0;
    *ret = (struct pipeline){0};
    AUTO(buf_release) struct buf text = {0};
    TRY(text_input_read(is_input ? "/dev/stdin" : from->path, &text, err));
    struct script script = {
        .name = str_of(is_input ? "standard input" : from->path),
        .text = buf_as_str(&text),
        .variables = from->variables,
        .n_variables = from->n_variables,
        .reads_files = true,
        .for_spark = from->for_spark,
        .width = from->width,
        .checks = &script_checks,
        .on_error = from->on_error,
    };
    tell_unused(from, script.text);
    AUTO(buf_release) struct buf report = {0};
    if (plan_parse(&script, &ret->plan, &report) != ST_OK) {
        fwrite(report.p, 1, report.n, stderr);
        return err_set(err, ST_USAGE, "%.*s has errors; nothing was done",
                       STR_ARGS(script.name));
    }
    clear_text_tell_script(ret->plan);
    name_job(ret);
    TRY(check_stream(ret, err));
    ret->script = arena_cstr(&ret->arena, script.name);
    ret->told_ms = arena_alloc(&ret->arena, sizeof(*ret->told_ms));
    atomic_init(ret->told_ms, -RETRY_TELL_MS);
    return ST_OK;
}

void pipeline_release(struct pipeline *pipeline)
{
    plan_free(pipeline->plan);
    arena_release(&pipeline->arena);
    *pipeline = (struct pipeline){0};
}

enum status pipeline_need_insert(const struct pipeline *pipeline, struct err *err)
{
    if (pipeline->plan->sink != NULL)
        return ST_OK;
    return err_set(err, ST_USAGE,
                   "the script has no INSERT, so there is no result; add "
                   "INSERT INTO <sink> SELECT ... FROM <stream> ...");
}

// A storage does not answer: said at once and every ten seconds, whichever it is.
static void tell_retry(void *context, const struct err *why, int64_t left_ms)
{
    _Atomic int64_t *told_ms = context;
    int64_t now_ms = env_system()->ops->monotonic_ms(env_system());
    int64_t last_ms = atomic_load(told_ms);
    if (now_ms - last_ms < RETRY_TELL_MS ||
        !atomic_compare_exchange_strong(told_ms, &last_ms, now_ms))
        return;
    log_warn("%s; trying again for %lld s more (SET storage.retry)", why->text,
             (long long)(left_ms + 999) / 1000);
}

struct storage_config pipeline_storage_config(const struct pipeline *pipeline,
                                              const struct options *options)
{
    const struct options *set = &pipeline->plan->settings;
    int64_t retry_ms = options_number(set, "storage.retry");
    return (struct storage_config){
        .user = options_text(options, "user").p,
        .auth = options_is(options, "auth", "kerberos") ? STORAGE_AUTH_KERBEROS
                                                        : STORAGE_AUTH_SIMPLE,
        .ca_file = options_text(options, "ca.file").p,
        .token_file = options_text(set, "storage.token_file").p,
        .tokens = pipeline->tokens,
        .timeout_ms = options_number(set, "storage.timeout"),
        .retry_ms = pipeline->is_hurried && retry_ms > HURRIED_MS ? HURRIED_MS : retry_ms,
        .on_retry = pipeline->is_hurried ? NULL : tell_retry,
        .context = pipeline->told_ms,
        .deadline = pipeline->deadline,
    };
}

static enum status open_url(const struct pipeline *pipeline,
                            const struct options *options, struct str url,
                            struct storage **ret, struct err *err)
{
    struct storage_config config = pipeline_storage_config(pipeline, options);
    return storage_open(url, &config, ret, err);
}

enum status pipeline_storage(const struct pipeline *pipeline,
                             const struct options *options, struct storage **ret,
                             struct err *err)
{
    return open_url(pipeline, options, options_text(options, "path"), ret, err);
}

static const struct table *first_dimension(const struct plan *plan)
{
    for (size_t i = 0; i < plan->n_tables; i++)
        if (plan->tables[i].kind == TABLE_DIMENSION)
            return &plan->tables[i];
    return NULL;
}

enum status pipeline_feed_root(const struct pipeline *pipeline, struct storage **ret,
                               struct err *err)
{
    const struct table *table = first_dimension(pipeline->plan);
    *ret = NULL;
    if (table == NULL)
        return ST_OK;
    struct str url = options_text(&table->options, "path");
    while (url.n > 1 && url.p[url.n - 1] == '/')
        url.n--;
    size_t n = url.n;
    while (n > 1 && url.p[n - 1] != '/')
        n--;
    bool has_parent = n > 1 && !(n >= 3 && memcmp(url.p + n - 3, "://", 3) == 0);
    struct str parent = has_parent ? (struct str){url.p, n - 1} : STR_LITERAL(".");
    if (n == 1 && url.p[0] == '/')
        parent = STR_LITERAL("/");
    return open_url(pipeline, &table->options, parent, ret, err);
}

enum status pipeline_feed(const struct pipeline *pipeline, const char *location,
                          struct feed_progress *progress, struct feed **ret,
                          struct err *err)
{
    const struct options *set = &pipeline->plan->settings;
    struct feed_options options = {
        .download_ms = options_number(set, "feed.timeout"),
        .member_bytes = options_number(set, "feed.member_size"),
        .member_ratio = options_number(set, "feed.member_ratio"),
        .deadline = pipeline->deadline,
        .progress = progress,
    };
    clear_text_tell_feed(location);
    return feed_open(location, &options, ret, err);
}

struct stream_request pipeline_stream(const struct pipeline *pipeline)
{
    const struct table *stream = pipeline->plan->stream;
    const struct options *set = &pipeline->plan->settings;
    return (struct stream_request){
        .table = plan_format_table(stream),
        .format = format_of(&stream->format),
        .options = &stream->options,
        .client_options = stream->client_options,
        .n_client_options = stream->n_client_options,
        .deadline = pipeline->deadline,
        .group = pipeline->group,
        .instance = pipeline->instance,
        .member = pipeline->member,
        .members = pipeline->members,
        .is_alone = pipeline->is_look || pipeline->is_alone ||
                    options_is(set, "membership", "none"),
        .no_ends = pipeline->is_look || pipeline->is_alone,
        .buffer_bytes = options_number(set, "source.buffer"),
        .batch_records = options_number(set, "batch.records"),
    };
}

bool pipeline_is_shared(const struct pipeline *pipeline)
{
    const struct plan *plan = pipeline->plan;
    return connector_of(&plan->stream->options)->admin != NULL &&
           options_is(&plan->settings, "membership", "group");
}

void pipeline_registry_config(const struct pipeline *pipeline,
                              const struct options *format, struct registry_config *ret)
{
    *ret = (struct registry_config){
        .urls = options_text(format, "registry"),
        .user = options_text(format, "registry.user"),
        .password = options_text(format, "registry.password"),
        .token = options_text(format, "registry.token"),
        .ca_file = options_text(format, "registry.ca_file"),
        .timeout_ms = options_number(format, "registry.timeout"),
        .unknown_wait_ms = options_number(format, "registry.unknown"),
        .deadline = pipeline->deadline,
    };
}

enum status pipeline_registry(const struct pipeline *pipeline,
                              const struct options *format, struct registry **ret,
                              struct err *err)
{
    struct registry_config config;
    pipeline_registry_config(pipeline, format, &config);
    config.unknown_wait_ms = 0; // nothing is lost by saying so at once
    return registry_open(&config, ret, err);
}

static int make_directory(const char *path)
{
    return mkdir(path, 0700) == 0 || errno == EEXIST ? 0 : -1;
}

// Whether make_directory would do. Fails with errno otherwise; 1: it is not there, so
// nothing below is.
static int try_directory(const char *path)
{
    if (access(path, F_OK) == 0) // a file is told by what is wanted in it
        return 0;
    if (errno != ENOENT)
        return -1;
    AUTO(mem_auto_free) char *parent = mem_strdup(path);
    char *slash = strrchr(parent, '/');
    if (slash != NULL)
        slash[slash == parent] = '\0';
    return access(slash ? parent : ".", W_OK | X_OK) == 0 ? 1 : -1;
}

// Each directory of an absolute path from the top; `act` ends it with 1.
static enum status each_directory(char *path, int (*act)(const char *path),
                                  struct err *err)
{
    int rc = 0;
    for (char *p = path + 1; rc == 0; p++) {
        if (*p != '/' && *p != '\0')
            continue;
        char kept = *p;
        *p = '\0';
        rc = act(path);
        if (rc < 0)
            return err_set(err, ST_FAIL,
                           "cannot make the directory %s: %s; give another "
                           "by SET spool = '...'",
                           path, strerror(errno));
        *p = kept;
        if (kept == '\0')
            return ST_OK;
    }
    return ST_OK;
}

static char *spool_path(struct pipeline *pipeline)
{
    struct arena *arena = &pipeline->arena;
    const char *root = options_text(&pipeline->plan->settings, "spool").p;
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    if (root == NULL && state != NULL && state[0] == '/')
        root = arena_printf(arena, "%s/tramline", state);
    else if (root == NULL && home != NULL && home[0] == '/')
        root = arena_printf(arena, "%s/.local/state/tramline", home);
    else if (root == NULL)
        root = arena_printf(arena, "/var/tmp/tramline-%u", (unsigned)getuid());
    return arena_printf(arena, "%s/%s", root, pipeline->job_name);
}

enum status pipeline_spool_path(struct pipeline *pipeline, const char **ret,
                                struct err *err)
{
    char *path = spool_path(pipeline);
    TRY(each_directory(path, make_directory, err));
    *ret = path;
    return ST_OK;
}

enum status pipeline_spool_check(struct pipeline *pipeline, const char **ret,
                                 struct err *err)
{
    char *path = spool_path(pipeline);
    *ret = path;
    return each_directory(path, try_directory, err);
}
