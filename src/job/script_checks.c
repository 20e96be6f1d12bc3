// SPDX-License-Identifier: Apache-2.0
#include "job/script_checks.h"

#include <ctype.h>
#include <stdio.h>
#include <time.h>

#include "base/file.h"
#include "job/pipeline.h"
#include "job/sink.h"
#include "job/stream.h"
#include "job/tables.h"
#include "status/listen.h"
#include "storage/overlap.h"

enum {
    JOB_NAME_MAX = 200, // with "slot-63.lock" and the like a file's name
    TOPIC_NAME_MAX = 249
};

// Values.

bool start_timestamp(struct str text, int64_t *ret)
{
    char copy[64];
    struct tm tm = {0};
    int hours = 0, minutes = 0, end = 0;
    char sign = '+';
    snprintf(copy, sizeof(copy), "%.*s", STR_ARGS(text));
    const char *rest = strptime(copy, "%Y-%m-%dT%H:%M:%S", &tm);
    if (rest == NULL)
        return false;
    bool good = strcmp(rest, "Z") == 0 ||
                (sscanf(rest, "%c%2d:%2d%n", &sign, &hours, &minutes, &end) == 3 &&
                 rest[end] == '\0');
    if (!good || (sign != '+' && sign != '-') || hours > 23 || minutes > 59)
        return false;
    int64_t offset = (int64_t)(hours * 60 + minutes) * 60;
    *ret = ((int64_t)timegm(&tm) - (sign == '+' ? offset : -offset)) * 1000;
    return true;
}

static enum status check_start(struct str value, struct err *err)
{
    int64_t ms;
    if (str_is(value, "earliest") || str_is(value, "latest") ||
        start_timestamp(value, &ms))
        return ST_OK;
    return err_set(err, ST_USAGE,
                   "option 'start' takes earliest, latest or a timestamp such as "
                   "2026-11-22T05:00:00Z, not '%.*s'",
                   STR_ARGS(value));
}

// It names a directory below the spool and the members of the consumer group.
static enum status check_job_name(struct str value, struct err *err)
{
    bool good = !str_is(value, ".") && !str_is(value, "..") && value.n <= JOB_NAME_MAX;
    for (size_t i = 0; i < value.n; i++)
        good &= value.p[i] != '/' && !iscntrl((unsigned char)value.p[i]);
    if (good)
        return ST_OK;
    return err_set(err, ST_USAGE,
                   "option 'job.name' takes at most %d bytes without '/', as it names a "
                   "directory, not '%.*s'",
                   JOB_NAME_MAX, STR_ARGS(value));
}

static enum status check_topic(struct str value, struct err *err)
{
    bool good = !str_is(value, ".") && !str_is(value, "..") && value.n <= TOPIC_NAME_MAX;
    for (size_t i = 0; i < value.n; i++)
        good &= isalnum((unsigned char)value.p[i]) || strchr("._-", value.p[i]) != NULL;
    if (good)
        return ST_OK;
    return err_set(
        err, ST_USAGE,
        "option 'topic' takes at most %d of the characters a-z, A-Z, 0-9, '.', "
        "'_' and '-', not '%.*s'",
        TOPIC_NAME_MAX, STR_ARGS(value));
}

// "host", "host:port" or "[::1]:port", each perhaps behind "PLAINTEXT://".
static bool is_broker(struct str broker)
{
    const char *scheme = broker.n ? memmem(broker.p, broker.n, "://", 3) : NULL;
    if (scheme != NULL)
        broker = (struct str){scheme + 3, broker.n - (size_t)(scheme + 3 - broker.p)};
    size_t host = broker.n;
    for (size_t i = broker.n; i > 0 && broker.p[i - 1] != ']'; i--)
        if (broker.p[i - 1] == ':')
            host = i - 1;
    for (size_t i = 0; i < host; i++)
        if (isspace((unsigned char)broker.p[i]) || broker.p[i] == '/')
            return false;
    if (host == 0 || host == broker.n)
        return host > 0;
    struct str text = {broker.p + host + 1, broker.n - host - 1};
    int64_t port;
    return text.n > 0 && isdigit((unsigned char)text.p[0]) && str_to_i64(text, &port) &&
           port >= 1 && port <= 65535;
}

static enum status check_brokers(struct str value, struct err *err)
{
    struct str rest = value;
    do {
        struct str broker = str_trim(str_cut(&rest, ','));
        if (!is_broker(broker))
            return err_set(err, ST_USAGE,
                           "option 'brokers': '%.*s' is no address; write host:port, "
                           "several by commas, with a port from 1 to 65535",
                           STR_ARGS(broker));
    } while (rest.p != NULL);
    return ST_OK;
}

static enum status check_path(struct str value, struct err *err)
{
    AUTO(arena_release) struct arena arena = {0};
    struct storage_url url;
    TRY(storage_url_parse(value, &arena, &url, err));
    if (url.path[0] != '\0')
        return ST_OK;
    return err_set(
        err, ST_USAGE,
        "'%.*s' is the root of its storage, where all is that others keep; give "
        "a directory below it",
        STR_ARGS(value));
}

// Whether it is there is told when it is used; a pipe would be waited for then.
static enum status check_file(struct str value, struct err *err)
{
    AUTO(mem_auto_free) char *path = mem_strndup(value.p, value.n);
    struct stat info;
    const char *why = stat(path, &info) == 0 ? file_is_no_file(&info) : NULL;
    return why == NULL ? ST_OK : err_set(err, ST_USAGE, "%s is %s", path, why);
}

// Opening a registry checks its addresses and asks nothing.
static enum status check_registry(struct str value, struct err *err)
{
    const struct registry_config config = {.urls = value};
    struct registry *registry;
    TRY(registry_open(&config, &registry, err));
    registry_close(registry);
    return ST_OK;
}

static enum status check_client_option(const char *name, struct str value,
                                       struct err *err)
{
    AUTO(arena_release) struct arena arena = {0};
    const struct kafka_property property = {name, arena_cstr(&arena, value)};
    const struct kafka_config config = {
        .brokers = "",
        .properties = &property,
        .n_properties = 1,
    };
    return kafka_config_check(&config, err);
}

static enum status check_value(const char *group, const char *option, struct str value,
                               struct err *err)
{
    static const struct {
        const char *group, *option;
        enum status (*check)(struct str value, struct err *err);
    } checks[] = {
        {"SET", "job.name", check_job_name},   {"filesystem", "path", check_path},
        {"kafka", "brokers", check_brokers},   {"kafka", "topic", check_topic},
        {"kafka", "start", check_start},       {"avro", "registry", check_registry},
        {"filesystem", "ca.file", check_file}, {"avro", "registry.ca_file", check_file},
        {"file", "path", check_file},          {"SET", "status.listen", listen_check},
    };
    if (strcmp(group, "kafka.") == 0)
        return check_client_option(option, value, err);
    for (size_t i = 0; i < ARRAY_LEN(checks); i++)
        if (strcmp(group, checks[i].group) == 0 && strcmp(option, checks[i].option) == 0)
            return checks[i].check(value, err);
    return ST_OK;
}

// Tables.

static enum status check_table(const struct table *table, struct err *err)
{
    switch (table->kind) {
    case TABLE_SINK:
        return sink_check(table, err);
    case TABLE_STREAM:
        return stream_check(table, err);
    case TABLE_DIMENSION:
        return table_check(table, err);
    }
    return ST_OK;
}

// Places.

// False for what is no place, or a storage's root: that is told by itself. A stream's
// file is a local path, whatever it looks like.
static bool place_of(const struct options *options, struct arena *arena,
                     struct storage_url *ret)
{
    struct str path = options_text(options, "path");
    bool is_file = strcmp(options->group->name, "file") == 0;
    if (is_file && path.n && path.p[0] != '/')
        path = str_of(arena_printf(arena, "./%.*s", STR_ARGS(path)));
    return storage_url_parse(path, arena, ret, NULL) == ST_OK && ret->path[0] != '\0';
}

static const void *find_place(const struct options *options, struct arena *arena)
{
    struct storage_url *url = arena_zalloc(arena, sizeof(*url));
    if (!place_of(options, arena, url))
        return NULL;
    storage_overlap_prepare(url, arena);
    return url;
}

static const char *compare_places(const void *a, const void *b)
{
    static const char *const words[] = {
        [STORAGE_APART] = NULL,
        [STORAGE_SAME] = "is",
        [STORAGE_HOLDS] = "holds",
        [STORAGE_INSIDE] = "is inside",
    };
    return words[storage_overlap(a, b)];
}

const struct script_checks script_checks = {
    .value = check_value,
    .table = check_table,
    .place = find_place,
    .compare_places = compare_places,
};
