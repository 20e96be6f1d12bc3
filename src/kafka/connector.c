// SPDX-License-Identifier: Apache-2.0
#include "kafka/connector.h"

#include <ctype.h>

#include "core/stream_start.h"
#include "kafka/native.h"
#include "kafka/stream.h"
#include "kafka/topic.h"

enum {
    RUN_RECORDS = 4096, // of one run, unless a batch has fewer
    TOPIC_NAME_MAX = 249
};

static const struct option_def kafka_options[] = {
    {"brokers", OPTION_TEXT, NULL, 0, 0, NULL, OPTION_REQUIRED,
     "Kafka bootstrap servers: host:port, by commas"},
    {"topic", OPTION_TEXT, NULL, 0, 0, NULL, OPTION_REQUIRED, "Kafka topic"},
    {"format", OPTION_FORMAT, NULL, 0, 0, NULL, OPTION_REQUIRED,
     "format of the records' values"},
    {"start", OPTION_TEXT, "earliest", 0, 0, NULL, 0,
     "where to begin while the log knows nothing of the topic: earliest, latest, or a "
     "timestamp such as 2026-11-22T05:00:00Z"},
    {"group", OPTION_TEXT, NULL, 0, 0, NULL, 0,
     "consumer group; default: made of the sink's path and the topic"},
    {"partitions", OPTION_INT, "4", 1, 10000, NULL, 0,
     "partitions of a topic that init makes"},
    {"replication", OPTION_INT, "1", 1, 100, NULL, 0,
     "copies of each partition of a topic that init makes"},
    {"key", OPTION_TEXT, NULL, 0, 0, NULL, 0,
     "column that produce takes as the record's key; default: the join column"},
    {"session.timeout", OPTION_DURATION, "6s", 6 * OPTION_SEC, 1800 * OPTION_SEC, NULL, 0,
     "a worker not heard of for so long loses its partitions"},
    {"client", OPTION_CHOICE, "native", 0, 0, "native|librdkafka", 0,
     "what reads the topic; native: record batches in place, over connections of its "
     "own"},
};

// Values.

static enum status check_start(struct str value, struct err *err)
{
    enum start start;
    int64_t ms;
    return stream_start_parse(value, &start, &ms, err);
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
                           "option 'brokers': '%.*s' is not an address; write host:port, "
                           "several by commas, with a port from 1 to 65535",
                           STR_ARGS(broker));
    } while (rest.p != NULL);
    return ST_OK;
}

static enum status check(const char *option, struct str value, struct err *err)
{
    static const struct {
        const char *option;
        enum status (*check)(struct str value, struct err *err);
    } checks[] = {
        {"brokers", check_brokers},
        {"topic", check_topic},
        {"start", check_start},
    };
    for (size_t i = 0; i < ARRAY_LEN(checks); i++)
        if (strcmp(option, checks[i].option) == 0)
            return checks[i].check(value, err);
    return ST_OK;
}

// The stream.

static const struct kafka_property *properties_of(const struct stream_request *request,
                                                  struct arena *arena)
{
    struct kafka_property *properties =
        arena_array(arena, request->n_client_options, sizeof(*properties));
    for (size_t i = 0; i < request->n_client_options; i++) {
        const struct client_option *option = &request->client_options[i];
        properties[i].name = arena_cstr(arena, option->name);
        properties[i].value = arena_cstr(arena, option->value);
    }
    return properties;
}

struct kafka_config kafka_config_of(const struct stream_request *request,
                                    struct arena *arena)
{
    const struct options *options = request->options;
    int64_t batch = request->batch_records;
    return (struct kafka_config){
        .brokers = options_text(options, "brokers").p,
        .topic = options_text(options, "topic").p,
        .properties = properties_of(request, arena),
        .n_properties = request->n_client_options,
        .is_native = options_is(options, "client", "native"),
        .deadline = request->deadline,
        .group = request->group,
        .instance = request->instance,
        .member = request->member,
        .members = request->members,
        .membership = request->is_alone ? KAFKA_NONE : KAFKA_GROUP,
        .buffer_bytes = request->buffer_bytes,
        .run_records = (int32_t)(batch < RUN_RECORDS ? batch : RUN_RECORDS),
        .session_timeout_ms = (int)options_number(options, "session.timeout"),
        .value_schema = request->format->schemas != NULL,
        .no_ends = request->no_ends,
    };
}

static enum status open_topic(const struct stream_request *request, struct topic **ret,
                              struct err *err)
{
    AUTO(arena_release) struct arena arena = {0};
    const struct kafka_config config = kafka_config_of(request, &arena);
    return kafka_topic_open(&config, ret, err);
}

static enum status open_stream(const struct stream_request *request, struct topic *topic,
                               struct asker *asker, struct stream **ret, struct err *err)
{
    AUTO(arena_release) struct arena arena = {0};
    const struct kafka_config config = kafka_config_of(request, &arena);
    if (config.is_native)
        return kafka_native_open(&config, topic, ret, err);
    return kafka_stream_open(&config, topic, asker, ret, err);
}

static enum status look(UNUSED const struct stream_request *request,
                        UNUSED struct topic *topic, struct stream **ret,
                        UNUSED struct err *err)
{
    *ret = NULL;
    return ST_OK;
}

static enum status check_stream(const struct stream_request *request, struct err *err)
{
    AUTO(arena_release) struct arena arena = {0};
    const struct kafka_config config = kafka_config_of(request, &arena);
    if (config.is_native)
        return kafka_native_check(&config, err);
    return kafka_config_check_sasl(&config, err);
}

static const struct connector_stream kafka_stream = {
    .open_topic = open_topic,
    .open = open_stream,
    .look = look,
    .check = check_stream,
};

static bool takes(const struct format *format)
{
    return format->records != NULL;
}

const struct connector kafka_connector = {
    .options =
        {
            .name = "kafka",
            .about = "A stream from a Kafka topic",
            .defs = kafka_options,
            .n = ARRAY_LEN(kafka_options),
            .check = check,
        },
    .place = "topic",
    .takes = takes,
    .stream = &kafka_stream,
    .admin = &kafka_connector_admin,
    .client = &kafka_connector_client,
};
