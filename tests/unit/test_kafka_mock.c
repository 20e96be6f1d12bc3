// SPDX-License-Identifier: Apache-2.0
// test: takes 40
// test: waits
// test: not-tsan it does not see the threads that librdkafka begins, and crashes in them
// test: slow
#include "kafka_help.h"

#include <librdkafka/rdkafka_mock.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "kafka/admin.h"
#include "kafka/embedded.h"

static struct kafka_embedded *embedded;

static int open_broker(UNUSED void **state)
{
    struct err err;
    assert_ok(kafka_embedded_open(&embedded, &err), &err);
    return 0;
}

static int close_broker(UNUSED void **state)
{
    kafka_embedded_close(embedded);
    return 0;
}

static void make_topic(const char *topic, int32_t partitions)
{
    struct err err;
    assert_ok(kafka_embedded_create_topic(embedded, topic, partitions, &err), &err);
}

// Without a group: joining one takes 3 s here.
static struct kafka_config config_of(const char *topic)
{
    return (struct kafka_config){
        .brokers = kafka_embedded_brokers(embedded),
        .topic = topic,
        .group = "test",
        .membership = KAFKA_NONE,
    };
}

// ---- options

static void check_property(const char *name, const char *value, const char *expected)
{
    const struct kafka_property property = {name, value};
    struct kafka_config config = {
        .brokers = "localhost", .properties = &property, .n_properties = 1};
    struct err err;
    assert_status(kafka_config_check(&config, &err), ST_USAGE);
    assert_string_equal(err.text, expected);
}

static void test_options_that_are_wrong_are_named(UNUSED void **state)
{
    check_property("securty.protocol", "SSL",
                   "option 'kafka.securty.protocol': the Kafka client has no "
                   "'securty.protocol'; did you mean 'kafka.security.protocol'?");
    check_property("zzz", "1", "option 'kafka.zzz': the Kafka client has no 'zzz'");
    check_property("auto.offset.reset", "latest",
                   "option 'kafka.auto.offset.reset' cannot be set: an offset that left "
                   "the topic is never skipped; see on_gap");
    check_property("group.id", "g",
                   "option 'kafka.group.id' cannot be set: use the option group");
    check_property("security.protocol", "TLS",
                   "option 'kafka.security.protocol': Invalid value \"TLS\" for "
                   "configuration property \"security.protocol\"");
    check_property("ssl.ca.location", "/nowhere/ca.pem",
                   "option 'kafka.ssl.ca.location': /nowhere/ca.pem: No such file or "
                   "directory");
}

static void test_options_that_are_ours_say_why(UNUSED void **state)
{
    static const struct {
        const char *name, *text;
    } cases[] = {
        {"bootstrap.servers",
         "option 'kafka.bootstrap.servers' cannot be set: use the option brokers"},
        {"metadata.broker.list",
         "option 'kafka.metadata.broker.list' cannot be set: use the option brokers"},
        {"check.crcs",
         "option 'kafka.check.crcs' cannot be set: records are always checked"},
        {"enable.auto.commit", "option 'kafka.enable.auto.commit' cannot be set: "
                               "progress is kept with the result"},
        {"enable.auto.offset.store", "option 'kafka.enable.auto.offset.store' cannot be "
                                     "set: progress is kept with the result"},
        {"enable.idempotence", "option 'kafka.enable.idempotence' cannot be set: records "
                               "are always published idempotently"},
        {"enable.partition.eof", "option 'kafka.enable.partition.eof' cannot be set: the "
                                 "end of a partition must be seen"},
        {"group.instance.id", "option 'kafka.group.instance.id' cannot be set: a worker "
                              "leaves the group when it ends"},
        {"isolation.level",
         "option 'kafka.isolation.level' cannot be set: only committed records are read"},
        {"max.poll.interval.ms", "option 'kafka.max.poll.interval.ms' cannot be set: it "
                                 "follows from session.timeout"},
        {"partition.assignment.strategy",
         "option 'kafka.partition.assignment.strategy' cannot be set: all workers of a "
         "group must agree on it"},
        {"partitioner", "option 'kafka.partitioner' cannot be set: keys go where Java's "
                        "clients put them"},
        {"queued.max.messages.kbytes", "option 'kafka.queued.max.messages.kbytes' cannot "
                                       "be set: use SET source.buffer"},
        {"queued.min.messages",
         "option 'kafka.queued.min.messages' cannot be set: use SET source.buffer"},
        {"session.timeout.ms", "option 'kafka.session.timeout.ms' cannot be set: use the "
                               "option session.timeout"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check_property(cases[i].name, "1", cases[i].text);
}

// client = 'native'
static void test_what_the_native_client_lacks_is_named(UNUSED void **state)
{
    static const struct {
        struct kafka_property property;
        const char *says;
    } lacks[] = {
        {{"fetch.min.bytes", "1"},
         "option 'kafka.fetch.min.bytes' is not one of client = 'native'; write client = "
         "'librdkafka', or see the documentation on security for those that it takes"},
        {{"ssl.engine.location", "/k"},
         "option 'kafka.ssl.engine.location' is not one of client = 'native'; write "
         "client = 'librdkafka', or see the documentation on security for those that it "
         "takes"},
        {{"security.protocol", "TLS"}, "option 'kafka.security.protocol': 'TLS'"},
    };
    static const struct kafka_property had[] = {
        {"security.protocol", "Plaintext"},
        {"client.id", "me"},
        {"topic.metadata.refresh.interval.ms", "1000"}};
    static const struct kafka_property other[] = {{"security.protocol", "SASL_SSL"},
                                                  {"sasl.mechanism", "DIGEST-MD5"}};
    struct kafka_config config = {
        .topic = "t", .group = "g", .properties = had, .n_properties = ARRAY_LEN(had)};
    struct err err;
    assert_ok(kafka_native_check(&config, &err), &err);
    for (size_t i = 0; i < ARRAY_LEN(lacks); i++) {
        config.properties = &lacks[i].property;
        config.n_properties = 1;
        assert_status(kafka_native_check(&config, &err), ST_USAGE);
        assert_string_equal(err.text, lacks[i].says);
    }
    config.properties = other;
    config.n_properties = ARRAY_LEN(other);
    assert_status(kafka_native_check(&config, &err), ST_USAGE);
    assert_string_equal(
        err.text,
        "option 'kafka.sasl.mechanism': client = 'native' has PLAIN, "
        "SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER and GSSAPI, not 'DIGEST-MD5'");
}

static void test_options_that_are_right_pass(UNUSED void **state)
{
    const struct kafka_property properties[] = {
        {"security.protocol", "SASL_SSL"}, {"sasl.username", "u"}, {"debug", "broker"}};
    struct kafka_config config = {
        .brokers = "localhost", .properties = properties, .n_properties = 3};
    struct err err;
    assert_ok(kafka_config_check(&config, &err), &err);
}

static void test_options_refused_as_a_whole(UNUSED void **state)
{
    const struct kafka_property properties[] = {{"security.protocol", "SASL_PLAINTEXT"},
                                                {"sasl.mechanism", "SHA"}};
    struct kafka_config config = config_of("any");
    config.properties = properties;
    config.n_properties = 2;
    struct topic *asked;
    struct err err;
    assert_status(kafka_topic_open(&config, &asked, &err), ST_USAGE);
    assert_string_equal(err.text, "the Kafka client refuses its options: "
                                  "Unsupported SASL mechanism: SHA");
}

// ---- brokers that are not there

// A port that was free a moment ago.
static int closed_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    close(fd);
    return ntohs(address.sin_port);
}

static void test_absent_brokers_are_named_in_bounded_time(UNUSED void **state)
{
    char brokers[32], expected[256];
    snprintf(brokers, sizeof(brokers), "127.0.0.1:%d", closed_port());
    snprintf(expected, sizeof(expected),
             "brokers %s cannot be reached: %s/bootstrap: Connect to ipv4#%s failed: "
             "Connection refused",
             brokers, brokers, brokers);
    struct kafka_config config = config_of("any");
    config.brokers = brokers;
    config.timeout_ms = 1500;
    struct topic *asked;
    struct kafka_admin *admin;
    struct kafka_topic topic;
    struct err err;
    int64_t began = now_ms();
    assert_status(kafka_topic_open(&config, &asked, &err), ST_RETRY);
    assert_string_equal(err.text, expected);
    assert_true(now_ms() - began < 30000);
    assert_ok(kafka_admin_open(&config, &admin, &err), &err);
    assert_status(kafka_admin_describe(admin, "any", &topic, &err), ST_RETRY);
    assert_string_equal(err.text, expected);
    kafka_admin_close(admin);
}

// Takes connections on a free port.
static int listening(char *ret_address, size_t size)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, n), 0);
    assert_int_equal(listen(fd, 10), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &n), 0);
    snprintf(ret_address, size, "127.0.0.1:%d", ntohs(address.sin_port));
    return fd;
}

static void test_a_port_without_a_broker_is_named(UNUSED void **state)
{
    char brokers[32], expected[256];
    int fd = listening(brokers, sizeof(brokers)); // says nothing
    snprintf(expected, sizeof(expected),
             "brokers %s cannot be reached: no answer within 1000 ms; is that a Kafka "
             "broker's port?",
             brokers);
    struct kafka_config config = config_of("any");
    config.brokers = brokers;
    config.timeout_ms = 1000;
    struct topic *asked;
    struct err err;
    assert_status(kafka_topic_open(&config, &asked, &err), ST_RETRY);
    assert_string_equal(err.text, expected);
    close(fd);
}

static void *answer_as_http(void *arg)
{
    int fd = *(int *)arg;
    static const char answer[] = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
    for (int client; (client = accept(fd, NULL, NULL)) >= 0; close(client)) {
        char request[512];
        if (recv(client, request, sizeof(request), 0) > 0)
            (void)!send(client, answer, sizeof(answer) - 1, MSG_NOSIGNAL);
    }
    return NULL;
}

static void test_a_port_of_http_is_told_at_once(UNUSED void **state)
{
    char brokers[32], expected[256];
    int fd = listening(brokers, sizeof(brokers));
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, answer_as_http, &fd), 0);
    snprintf(expected, sizeof(expected),
             "brokers %s cannot be reached: an HTTP server answers there; give the port "
             "of a Kafka broker",
             brokers);
    struct kafka_config config = config_of("any");
    config.brokers = brokers;
    config.timeout_ms = 100000;
    struct topic *asked;
    struct err err;
    int64_t began = now_ms();
    assert_status(kafka_topic_open(&config, &asked, &err), ST_FAIL);
    assert_string_equal(err.text, expected);
    assert_true(now_ms() - began < 50000); // not a matter of patience
    shutdown(fd, SHUT_RDWR);
    pthread_join(thread, NULL);
    close(fd);
}

static void test_a_name_that_is_none_is_told(UNUSED void **state)
{
    char name[601] = "", expected[1024];
    memset(name, 'x', sizeof(name) - 1);
    snprintf(
        expected, sizeof(expected),
        "topic '%s': not a name for a topic; a name has at most 249 letters, digits, "
        "'.', '_' and '-'",
        name);
    struct kafka_config config = config_of(name);
    struct topic *asked;
    struct kafka_admin *admin;
    struct kafka_topic topic;
    struct err err;
    assert_status(kafka_topic_open(&config, &asked, &err), ST_USAGE);
    assert_string_equal(err.text, expected);
    assert_ok(kafka_admin_open(&config, &admin, &err), &err);
    assert_status(kafka_admin_describe(admin, name, &topic, &err), ST_USAGE);
    assert_string_equal(err.text, expected);
    kafka_admin_close(admin);
}

static void test_no_descriptor_left_is_told(UNUSED void **state)
{
    make_topic("nofile", 1);
    struct kafka_config config = config_of("nofile");
    struct topic *topic;
    struct asker *asker = asker_open();
    struct stream *stream;
    struct err err;
    struct rlimit limit, none;
    assert_ok(kafka_topic_open(&config, &topic, &err), &err);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = (struct rlimit){3, limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    enum status rc = kafka_stream_open(&config, topic, asker, &stream, &err);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_status(rc, ST_FAIL);
    assert_string_equal(err.text,
                        "topic 'nofile': no file descriptor: Too many open files; "
                        "raise the limit of open files (ulimit -n)");
    topic->ops->close(topic);
    asker_close(asker);
}

static void test_a_deadline_ends_waiting(UNUSED void **state)
{
    struct deadline deadline;
    struct kafka_config config = config_of("any");
    deadline_end(&deadline);
    config.deadline = &deadline;
    struct topic *asked;
    struct kafka_admin *admin;
    struct err err;
    char expected[256];
    snprintf(expected, sizeof(expected),
             "brokers %s: no answer in the time that was left", config.brokers);
    assert_status(kafka_topic_open(&config, &asked, &err), ST_RETRY);
    assert_string_equal(err.text, expected);
    assert_ok(kafka_admin_open(&config, &admin, &err), &err);
    assert_status(kafka_admin_create(admin, "any", (struct kafka_topic){1, 1}, &err),
                  ST_RETRY);
    assert_string_equal(err.text, expected);
    kafka_admin_close(admin);
}

// The queue has room for one record, which stays there for a while.
static void test_a_deadline_ends_producing(UNUSED void **state)
{
    const struct kafka_property slow[] = {{"queue.buffering.max.messages", "1"},
                                          {"linger.ms", "500"}};
    const char *expected = "topic 'stopped': not all records were acknowledged in the "
                           "time that was left";
    struct deadline deadline = {0};
    struct kafka_config config = config_of("stopped");
    struct kafka_delivery delivery;
    struct err err;
    make_topic("stopped", 1);
    config.deadline = &deadline;
    config.properties = slow;
    config.n_properties = ARRAY_LEN(slow);
    struct kafka_producer *producer = open_producer(&config);
    deadline_end(&deadline);
    assert_ok(produce_pair(producer, str_of("k"), str_of("v"), &err), &err);
    assert_status(produce_pair(producer, str_of("k"), str_of("v"), &err), ST_RETRY);
    assert_string_equal(err.text, expected);
    assert_status(kafka_producer_flush(producer, &deadline, &delivery, &err), ST_RETRY);
    assert_string_equal(err.text, expected);
    assert_int_equal(delivery.n_waiting, 1);
    assert_ok(kafka_producer_flush(producer, NULL, &delivery, &err), &err);
    assert_int_equal(delivery.n_acknowledged, 1);
    kafka_producer_close(producer);
}

static void test_a_record_too_large_is_told(UNUSED void **state)
{
    enum {
        N = 1100000 // message.max.bytes is 1,000,000
    };
    make_topic("large", 1);
    struct kafka_config config = config_of("large");
    struct kafka_producer *producer = open_producer(&config);
    struct kafka_delivery delivery;
    struct err err;
    char *bytes = mem_zalloc(N);
    assert_status(produce_pair(producer, str_of("k"), (struct str){bytes, N}, &err),
                  ST_LIMIT);
    assert_string_equal(err.text, "topic 'large': a record of 1100001 bytes was refused: "
                                  "Broker: Message size too large");
    assert_ok(produce_pair(producer, str_of("k"), str_of("v"), &err), &err);
    assert_ok(kafka_producer_flush(producer, NULL, &delivery, &err),
              &err); // it can go on
    assert_int_equal(delivery.n_acknowledged, 1);
    free(bytes);
    kafka_producer_close(producer);
}

// ---- reading

static void test_all_partitions_come_at_once_without_a_group(UNUSED void **state)
{
    make_topic("alone", 3);
    struct kafka_config config = config_of("alone");
    struct stream *stream = open_stream(&config);
    struct stream_event assign = poll_for(stream, STREAM_ASSIGN);
    assert_int_equal(assign.n_partitions, 3);
    for (int32_t i = 0; i < 3; i++)
        assert_int_equal(assign.partitions[i], i);
    assert_true(topic_of(stream)->cluster.n > 0);
    assert_str(topic_of(stream)->name, "alone");
    close_stream(stream);
}

static void check_bytes(struct str s, const char *expected)
{
    if (expected == NULL)
        assert_null(s.p);
    else
        assert_non_null(s.p);
    if (expected != NULL)
        assert_str(s, expected);
}

static void test_no_key_and_empty_key_stay_apart(UNUSED void **state)
{
    static const struct {
        const char *key, *value;
    } sent[] = {{NULL, ""}, {"", NULL}, {"key", "value"}};
    make_topic("nulls", 1);
    struct kafka_config config = config_of("nulls");
    const char *none[] = {NULL};
    rd_kafka_t *rk = raw_producer(config.brokers, none);
    for (int i = 0; i < 3; i++)
        raw_produce(rk, "nulls", 0, sent[i].key, sent[i].value, 1700000000001 + i);
    raw_close(rk);
    struct stream *stream = open_stream(&config);
    begin(stream, 0);
    for (int64_t n = 0; n < 3;) {
        struct stream_event event = poll_for(stream, STREAM_RUN);
        assert_int_equal(event.run.first, n);
        for (size_t i = 0; i < event.run.n; i++, n++) {
            const struct record *record = &event.run.records[i];
            check_bytes(record->key, sent[n].key);
            check_bytes(record->value, sent[n].value);
            assert_int_equal(record->offset, n);
            assert_int_equal(record->time_ms, 1700000000001 + n);
        }
        assert_int_equal(event.run.next, n);
    }
    close_stream(stream);
}

static void test_headers_are_json_with_base64(UNUSED void **state)
{
    static const char *const expected[] = {"", "[{\"key\":\"a\\\"b\",\"value\":\"/wAB\"},"
                                               "{\"key\":\"empty\",\"value\":\"\"},"
                                               "{\"key\":\"none\",\"value\":null}]"};
    make_topic("headers", 1);
    struct kafka_config config = config_of("headers");
    const char *none[] = {NULL};
    rd_kafka_t *rk = raw_producer(config.brokers, none);
    raw_produce(rk, "headers", 0, NULL, "without", 0);
    rd_kafka_headers_t *headers = rd_kafka_headers_new(3);
    rd_kafka_header_add(headers, "a\"b", -1, "\xFF\x00\x01", 3);
    rd_kafka_header_add(headers, "empty", -1, "", 0);
    rd_kafka_header_add(headers, "none", -1, NULL, 0);
    raw_produce_headers(rk, "headers", headers);
    raw_close(rk);
    struct stream *stream = open_stream(&config);
    begin(stream, 0);
    for (size_t n = 0; n < 2;) {
        struct stream_event event = poll_for(stream, STREAM_RUN);
        for (size_t i = 0; i < event.run.n; i++, n++) {
            struct buf json = {0};
            stream->ops->headers(stream, i, &json);
            assert_str(buf_as_str(&json), expected[n]);
            buf_release(&json);
        }
    }
    close_stream(stream);
}

// Reads 20 runs, with so long a time for both partitions to arrive before the first; true
// when they took turns.
static bool take_turns(struct stream *stream, int arrival_ms)
{
    const struct stream_start starts[] = {{.partition = 0, .offset = 0},
                                          {.partition = 1, .offset = 0}};
    struct err err;
    bool took_turns = true;
    int32_t last = -1;
    assert_ok(stream->ops->start(stream, starts, 2, &err), &err);
    stream->ops->hold(stream, true);
    poll_nothing(stream, arrival_ms);
    stream->ops->hold(stream, false);
    for (int i = 0; i < 20; i++) {
        struct stream_event event = poll_for(stream, STREAM_RUN);
        assert_in_range(event.run.n, 1, 10);
        took_turns &= event.run.partition != last;
        last = event.run.partition;
    }
    return took_turns;
}

static void test_partitions_take_turns(UNUSED void **state)
{
    make_topic("turns", 2);
    struct kafka_config config = config_of("turns");
    config.run_records = 10;
    const char *none[] = {NULL};
    rd_kafka_t *rk = raw_producer(config.brokers, none);
    for (int i = 0; i < 400; i++)
        raw_produce(rk, "turns", i % 2, NULL, "value", 0);
    raw_close(rk);
    struct stream *stream = open_stream(&config);
    begin(stream, 0);
    int arrival_ms = 100;
    while (!take_turns(stream, arrival_ms) && arrival_ms < PATIENCE_MS)
        arrival_ms *= 2;
    assert_true(arrival_ms < PATIENCE_MS);
    close_stream(stream);
}

static void test_start_again_reads_from_there_only(UNUSED void **state)
{
    make_topic("again", 1);
    struct kafka_config config = config_of("again");
    config.run_records = 7;
    produce(&config, 1000);
    struct stream *stream = open_stream(&config);
    begin(stream, 0);
    size_t n_read = 0; // since the last start
    for (int64_t offset = 900; offset >= 0; offset -= 300) {
        poll_for(stream, STREAM_RUN);
        const struct stream_start start = {.partition = 0, .offset = offset};
        struct err err;
        assert_ok(stream->ops->start(stream, &start, 1, &err), &err);
        struct stream_event event = poll_for(stream, STREAM_RUN);
        assert_int_equal(event.run.first, offset);
        assert_int_equal(event.run.records[0].offset, offset);
        assert_in_range(event.run.n, 1, 7);
        n_read = event.run.n;
    }
    assert_int_equal(read_records(stream, 1000 - n_read), 0);
    stop(stream);
    poll_nothing(stream, 300);
    close_stream(stream);
}

static void test_hold_gives_no_run(UNUSED void **state)
{
    make_topic("hold", 1);
    struct kafka_config config = config_of("hold");
    produce(&config, 10);
    struct stream *stream = open_stream(&config);
    begin(stream, 0);
    stream->ops->hold(stream, true);
    poll_nothing(stream, 500);
    stream->ops->hold(stream, false);
    assert_int_equal(read_records(stream, 10), 0);
    close_stream(stream);
}

static void *wake_after_a_moment(void *stream)
{
    env_system()->ops->sleep_ms(env_system(), 100);
    ((struct stream *)stream)->ops->wake(stream);
    return NULL;
}

static void test_a_wake_ends_a_poll(UNUSED void **state)
{
    make_topic("wake", 1);
    struct kafka_config config = config_of("wake");
    struct stream *stream = open_stream(&config);
    struct stream_event event;
    struct err err;
    begin(stream, 0);
    int64_t began = now_ms();
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, wake_after_a_moment, stream), 0);
    assert_ok(stream->ops->poll(stream, 60000, &event, &err), &err);
    pthread_join(thread, NULL);
    assert_int_equal(event.kind, STREAM_IDLE);
    assert_true(now_ms() - began < 50000);
    close_stream(stream);
}

static void test_a_partition_held_back_goes_on_where_it_stood(UNUSED void **state)
{
    make_topic("held", 2);
    struct kafka_config config = config_of("held");
    config.run_records = 4;
    const char *none[] = {NULL};
    rd_kafka_t *rk = raw_producer(config.brokers, none);
    for (int i = 0; i < 10; i++)
        for (int32_t partition = 0; partition < 2; partition++)
            raw_produce(rk, "held", partition, NULL, "x", 0);
    raw_close(rk);
    struct stream *stream = open_stream(&config);
    begin(stream, 0);
    struct stream_event event = poll_for(stream, STREAM_RUN);
    int32_t held = event.run.partition;
    size_t n_used = event.run.n / 2;
    stream->ops->hold_back(stream, held, n_used);
    for (int64_t next = 0; next < 10; next = event.run.next) {
        event = poll_for(stream, STREAM_RUN);
        assert_int_equal(event.run.partition, 1 - held);
        assert_int_equal(event.run.first, next);
    }
    poll_nothing(stream, 300);
    stream->ops->release(stream, held);
    event = poll_for(stream, STREAM_RUN);
    assert_int_equal(event.run.first, n_used);
    assert_int_equal(event.run.records[0].offset, n_used);
    stream->ops->hold_back(stream, held, 0); // nothing of it was used
    stream->ops->release(stream, held);
    for (int64_t next = (int64_t)n_used; next < 10; next = event.run.next) {
        event = poll_for(stream, STREAM_RUN);
        assert_int_equal(event.run.partition, held);
        assert_int_equal(event.run.first, next);
        assert_int_equal(event.run.n, event.run.next - next);
    }
    close_stream(stream);
}

static void test_what_is_held_back_goes_with_a_stop(UNUSED void **state)
{
    make_topic("held-stop", 1);
    struct kafka_config config = config_of("held-stop");
    produce(&config, 10);
    struct stream *stream = open_stream(&config);
    begin(stream, 0);
    poll_for(stream, STREAM_RUN);
    stream->ops->hold_back(stream, 0, 0);
    const struct stream_start start = {.partition = 0, .offset = 4};
    struct err err;
    assert_ok(stream->ops->start(stream, &start, 1, &err), &err);
    assert_int_equal(poll_for(stream, STREAM_RUN).run.first, 4);
    stream->ops->hold_back(stream, 0, 0);
    close_stream(stream);
}

static void test_idle_says_whether_there_is_more(UNUSED void **state)
{
    make_topic("more", 2);
    struct kafka_config config = config_of("more");
    produce(&config, 10);
    struct stream *stream = open_stream(&config);
    struct stream_event event;
    struct err err;
    begin(stream, 0);
    for (size_t n_left = 10; n_left > 0;) { // some may be there at once
        assert_ok(stream->ops->poll(stream, 0, &event, &err), &err);
        n_left -= event.kind == STREAM_RUN ? event.run.n : 0;
        assert_true(event.kind == STREAM_RUN ||
                    (event.kind == STREAM_IDLE && event.is_behind));
    }
    assert_ok(stream->ops->poll(stream, 1000, &event, &err), &err);
    assert_true(event.kind == STREAM_IDLE && !event.is_behind);
    close_stream(stream);
}

static void test_offset_that_left_is_a_gap(UNUSED void **state)
{
    make_topic("gap", 1); // keeps 5 MB
    struct kafka_config config = config_of("gap");
    const char *slow[] = {"batch.num.messages", "10", NULL};
    rd_kafka_t *rk = raw_producer(config.brokers, slow);
    char value[10001] = "";
    memset(value, 'x', sizeof(value) - 1);
    for (int i = 0; i < 1000; i++)
        raw_produce(rk, "gap", 0, NULL, value, 0);
    raw_close(rk);
    struct stream *stream = open_stream(&config);
    struct topic *topic = topic_of(stream);
    struct topic_range range;
    struct err err;
    assert_ok(topic->ops->range(topic, 0, &range, &err), &err);
    assert_true(range.low > 0 && range.high == 1000);
    begin(stream, 3);
    struct stream_event event = poll_for(stream, STREAM_GAP);
    assert_int_equal(event.gap.wanted, 3);
    assert_int_equal(event.gap.low, range.low);
    poll_nothing(stream, 300);
    const struct stream_start start = {.partition = 0, .offset = range.low};
    assert_ok(stream->ops->start(stream, &start, 1, &err), &err);
    assert_int_equal(read_records(stream, (size_t)(1000 - range.low)), 0);
    close_stream(stream);
}

static void test_fetch_reads_one_record_again(UNUSED void **state)
{
    make_topic("fetch", 1);
    struct kafka_config config = config_of("fetch");
    produce(&config, 5000);
    struct stream *stream = open_stream(&config);
    struct topic *topic = topic_of(stream);
    struct record record;
    struct err err;
    for (int64_t offset = 4999; offset >= 0; offset -= 1249) {
        char key[24];
        snprintf(key, sizeof(key), "k%d", (int)offset);
        assert_ok(topic->ops->fetch(topic, 0, offset, &record, &err), &err);
        assert_int_equal(record.offset, offset);
        assert_str(record.key, key);
    }
    assert_status(topic->ops->fetch(topic, 0, 5000, &record, &err), ST_NOT_FOUND);
    assert_string_equal(err.text,
                        "topic 'fetch', partition 0: there is no record at offset 5000");
    assert_status(topic->ops->fetch(topic, 0, 5001, &record, &err), ST_NOT_FOUND);
    close_stream(stream);
}

static void test_record_batches_of_one_key_keep_order(UNUSED void **state)
{
    make_topic("order", 4);
    struct kafka_config config = config_of("order");
    struct kafka_producer *producer = open_producer(&config);
    struct kafka_delivery delivery;
    struct err err;
    for (int i = 0; i < 3000; i++) {
        char value[16];
        snprintf(value, sizeof(value), "%d", i);
        assert_ok(produce_pair(producer, str_of("same"), str_of(value), &err), &err);
    }
    assert_ok(kafka_producer_flush(producer, NULL, &delivery, &err), &err);
    assert_true(delivery.n_acknowledged == 3000 && delivery.n_failed == 0 &&
                delivery.n_waiting == 0);
    kafka_producer_close(producer);
    struct stream *stream = open_stream(&config);
    begin(stream, 0);
    for (int64_t n = 0; n < 3000;) {
        struct stream_event event = poll_for(stream, STREAM_RUN);
        for (size_t i = 0; i < event.run.n; i++) {
            int64_t value;
            assert_true(str_to_i64(event.run.records[i].value, &value));
            assert_int_equal(value, n++);
        }
    }
    close_stream(stream);
}

// Hashes as in Kafka's own test of Utils.murmur2 (UtilsTest.java).
static void test_keys_go_where_java_puts_them(UNUSED void **state)
{
    static const struct {
        const char *key;
        int32_t hash;
    } known[] = {
        {"21", -973932308},
        {"foobar", -790332482},
        {"a-little-bit-long-string", -985981536},
        {"a-little-bit-longer-string", -1486304829},
        {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
        {"abc", 479470107},
    };
    make_topic("java", 7);
    struct kafka_config config = config_of("java");
    struct kafka_producer *producer = open_producer(&config);
    struct kafka_delivery delivery;
    struct err err;
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        assert_ok(produce_pair(producer, str_of(known[i].key), str_of("v"), &err), &err);
    assert_ok(kafka_producer_flush(producer, NULL, &delivery, &err), &err);
    kafka_producer_close(producer);
    struct stream *stream = open_stream(&config);
    begin(stream, 0);
    for (size_t n = 0; n < ARRAY_LEN(known);) {
        struct stream_event event = poll_for(stream, STREAM_RUN);
        for (size_t i = 0; i < event.run.n; i++, n++)
            for (size_t k = 0; k < ARRAY_LEN(known); k++)
                if (str_is(event.run.records[i].key, known[k].key))
                    assert_int_equal(event.run.partition,
                                     (known[k].hash & 0x7FFFFFFF) % 7);
    }
    close_stream(stream);
}

static void test_group_gives_all_to_a_single_member(UNUSED void **state)
{
    make_topic("group", 2);
    struct kafka_config config = config_of("group");
    config.membership = KAFKA_GROUP;
    produce(&config, 100);
    struct stream *stream = open_stream(&config);
    assert_int_equal(begin(stream, 0), 2);
    read_records(stream, 100);
    const struct stream_start next[] = {{.partition = 0, .offset = 50},
                                        {.partition = 1, .offset = 50}};
    stream->ops->report(stream, next, 2);
    close_stream(stream);
}

// ---- when things go wrong

enum { // Kafka protocol: API keys
    API_FETCH = 1,
    API_HEARTBEAT = 12,
};

// A cluster of which the test says what it answers.
static rd_kafka_t *scripted_brokers(const char *n, rd_kafka_mock_cluster_t **ret)
{
    const char *properties[] = {"test.mock.num.brokers", n, "log_level", "0", NULL};
    rd_kafka_t *rk = raw_producer("", properties);
    *ret = rd_kafka_handle_mock_cluster(rk);
    // In later ones the mock of librdkafka 2.8 says who leads, and dies if nobody does.
    assert_int_equal(rd_kafka_mock_set_apiversion(*ret, API_FETCH, 4, 11), 0);
    return rk;
}

static rd_kafka_t *scripted_cluster(rd_kafka_mock_cluster_t **ret)
{
    return scripted_brokers("1", ret);
}

static struct kafka_config scripted_config(rd_kafka_mock_cluster_t *cluster,
                                           const char *topic, int32_t partitions)
{
    struct kafka_config config = config_of(topic);
    config.brokers = rd_kafka_mock_cluster_bootstraps(cluster);
    config.timeout_ms = 2000;
    config.session_timeout_ms = 6000;
    assert_int_equal(rd_kafka_mock_topic_create(cluster, topic, partitions, 1), 0);
    return config;
}

// Polls through runs and silence until poll fails.
static enum status poll_failure(struct stream *stream, struct err *err)
{
    struct stream_event event;
    enum status rc = ST_OK;
    for (int64_t end = now_ms() + PATIENCE_MS; rc == ST_OK && now_ms() < end;)
        rc = stream->ops->poll(stream, 100, &event, err);
    return rc;
}

static void test_a_group_that_refuses_us_is_named(UNUSED void **state)
{
    rd_kafka_mock_cluster_t *cluster;
    rd_kafka_t *rk = scripted_cluster(&cluster);
    struct kafka_config config = scripted_config(cluster, "denied", 1);
    config.membership = KAFKA_GROUP;
    rd_kafka_mock_push_request_errors(cluster, 10, 1, // FindCoordinator
                                      RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED);
    struct stream *stream = open_stream(&config);
    struct err err = {0};
    assert_status(poll_failure(stream, &err), ST_FAIL);
    assert_string_equal(err.text,
                        "topic 'denied', group 'test': FindCoordinator response "
                        "error: Broker: Group authorization failed");
    close_stream(stream);
    rd_kafka_destroy(rk);
}

static void test_members_of_a_group_that_refuses_us(UNUSED void **state)
{
    rd_kafka_mock_cluster_t *cluster;
    rd_kafka_t *rk = scripted_cluster(&cluster);
    struct kafka_config config = scripted_config(cluster, "closed", 1);
    struct kafka_admin *admin;
    struct buf names = {0};
    size_t n;
    struct err err;
    char expected[200];
    rd_kafka_mock_push_request_errors(cluster, 10, 1, // FindCoordinator
                                      RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED);
    assert_ok(kafka_admin_open(&config, &admin, &err), &err);
    assert_status(kafka_admin_members(admin, "theirs", &n, &names, &err), ST_FAIL);
    snprintf(expected, sizeof(expected),
             "group 'theirs' on %s: Broker: Group authorization failed", config.brokers);
    assert_string_equal(err.text, expected);
    kafka_admin_close(admin);
    rd_kafka_destroy(rk);
}

static void
test_a_session_that_brokers_do_not_take_leads_to_the_option(UNUSED void **state)
{
    rd_kafka_mock_cluster_t *cluster;
    rd_kafka_t *rk = scripted_cluster(&cluster);
    struct kafka_config config = scripted_config(cluster, "strict", 1);
    config.membership = KAFKA_GROUP;
    rd_kafka_mock_push_request_errors(cluster, 11, 1, // JoinGroup
                                      RD_KAFKA_RESP_ERR_INVALID_SESSION_TIMEOUT);
    struct stream *stream = open_stream(&config);
    struct err err = {0};
    assert_status(poll_failure(stream, &err), ST_FAIL);
    assert_string_equal(
        err.text,
        "topic 'strict', group 'test': JoinGroup failed: Broker: Invalid session "
        "timeout; set the option session.timeout between the brokers' "
        "group.min.session.timeout.ms and group.max.session.timeout.ms");
    close_stream(stream);
    rd_kafka_destroy(rk);
}

static void test_brokers_that_go_away_are_told_once(UNUSED void **state)
{
    rd_kafka_mock_cluster_t *cluster;
    rd_kafka_t *rk = scripted_cluster(&cluster);
    struct kafka_config config = scripted_config(cluster, "away", 1);
    produce(&config, 10);
    struct stream *stream = open_stream(&config);
    begin(stream, 0);
    read_records(stream, 10);
    rd_kafka_mock_broker_set_down(cluster, 1);
    struct err err;
    assert_status(poll_failure(stream, &err), ST_RETRY);
    char expected[128];
    int n = snprintf(expected, sizeof(expected),
                     "brokers %s cannot be reached: ", config.brokers);
    assert_memory_equal(err.text, expected, (size_t)n);
    for (int i = 0; i < 5; i++)
        poll_nothing(stream, 200);
    rd_kafka_mock_broker_set_up(cluster, 1);
    produce(&config, 10);
    read_records(stream, 10);
    close_stream(stream);
    rd_kafka_destroy(rk);
}

// From librdkafka 2.3 on the client also tells the offset, as if another than ours.
static void assert_fetch_failed(const char *said, const char *expected)
{
    static const char offset[] = " at offset 0 (leader epoch -1)";
    char text[512];
    snprintf(text, sizeof(text), "%s", said);
    char *at = strstr(text, offset);
    if (at != NULL)
        memmove(at, at + strlen(offset), strlen(at + strlen(offset)) + 1);
    assert_string_equal(text, expected);
}

static void test_fetch_that_fails_is_repeated(UNUSED void **state)
{
    rd_kafka_mock_cluster_t *cluster;
    rd_kafka_t *rk = scripted_cluster(&cluster);
    struct kafka_config config = scripted_config(cluster, "hiccup", 1);
    produce(&config, 10);
    struct stream *stream = open_stream(&config);
    rd_kafka_mock_push_request_errors(cluster, API_FETCH, 1, RD_KAFKA_RESP_ERR_UNKNOWN);
    begin(stream, 0);
    struct stream_event event = poll_for(stream, STREAM_TROUBLE);
    assert_int_equal(event.trouble.partition, 0);
    assert_fetch_failed(event.trouble.reason,
                        "topic 'hiccup', partition 0, offset 0: Fetch from broker "
                        "1 failed: Unknown broker error");
    read_records(stream, 10);
    close_stream(stream);
    rd_kafka_destroy(rk);
}

// ---- trouble of one partition

// At once where a broker leads it; librdkafka takes its time to connect again.
static void assert_can_be_asked(struct topic *topic, int32_t partition, int64_t high)
{
    struct topic_range range;
    struct record record;
    int64_t offset;
    struct err err;
    enum status rc = ST_RETRY;
    for (int64_t end = now_ms() + PATIENCE_MS; rc == ST_RETRY && now_ms() < end;) {
        rc = topic->ops->range(topic, partition, &range, &err);
        if (rc == ST_OK)
            rc = topic->ops->offset_at(topic, partition, 0, &offset, &err);
        if (rc == ST_OK) // by a connection of its own
            rc = topic->ops->fetch(topic, partition, high - 1, &record, &err);
    }
    assert_ok(rc, &err);
    assert_int_equal(range.high, high);
    assert_int_equal(record.offset, high - 1);
}

static void assert_cannot_be_asked(struct topic *topic, int32_t partition,
                                   enum status status, const char *text)
{
    struct topic_range range;
    struct record record;
    int64_t offset;
    struct err err;
    assert_status(topic->ops->range(topic, partition, &range, &err), status);
    assert_string_equal(err.text, text);
    assert_status(topic->ops->offset_at(topic, partition, 0, &offset, &err), status);
    assert_string_equal(err.text, text);
    assert_status(topic->ops->fetch(topic, partition, 0, &record, &err), status);
    assert_string_equal(err.text, text);
}

static void produce_to(rd_kafka_mock_cluster_t *cluster, const char *topic,
                       int32_t partition, int n)
{
    const char *properties[] = {NULL};
    rd_kafka_t *rk = raw_producer(rd_kafka_mock_cluster_bootstraps(cluster), properties);
    for (int i = 0; i < n; i++)
        raw_produce(rk, topic, partition, NULL, "v", 0);
    raw_close(rk);
}

static void test_partition_without_a_leader_holds_back_only_itself(UNUSED void **state)
{
    rd_kafka_mock_cluster_t *cluster;
    rd_kafka_t *rk = scripted_cluster(&cluster);
    struct kafka_config config = scripted_config(cluster, "headless", 2);
    produce_to(cluster, "headless", 0, 10);
    produce_to(cluster, "headless", 1, 10);
    struct stream *stream = open_stream(&config);
    struct topic *topic = topic_of(stream);
    begin(stream, 0);
    read_records(stream, 20);
    rd_kafka_mock_partition_set_leader(cluster, "headless", 1, -1);
    int64_t began = now_ms();
    assert_cannot_be_asked(topic, 1, ST_RETRY,
                           "topic 'headless', partition 1: no broker leads it now");
    assert_true(now_ms() - began < 3 * 2000); // each below the client's time
    produce_to(cluster, "headless", 0, 10);
    read_records(stream, 10);
    assert_can_be_asked(topic, 0, 20);
    poll_nothing(stream, 500);
    rd_kafka_mock_partition_set_leader(cluster, "headless", 1, 1);
    assert_can_be_asked(topic, 1, 10);
    produce_to(cluster, "headless", 1, 10);
    read_records(stream, 10);
    close_stream(stream);
    rd_kafka_destroy(rk);
}

// The first to start: librdkafka has never seen a leader of it.
static void test_partition_that_never_had_a_leader_is_waited_for(UNUSED void **state)
{
    rd_kafka_mock_cluster_t *cluster;
    rd_kafka_t *rk = scripted_cluster(&cluster);
    struct kafka_config config = scripted_config(cluster, "unborn", 2);
    produce_to(cluster, "unborn", 0, 10);
    produce_to(cluster, "unborn", 1, 10);
    rd_kafka_mock_partition_set_leader(cluster, "unborn", 1, -1);
    struct stream *stream = open_stream(&config);
    struct topic *topic = topic_of(stream);
    assert_cannot_be_asked(topic, 1, ST_RETRY,
                           "topic 'unborn', partition 1: no broker leads it now");
    begin(stream, 0);
    read_records(stream, 10);
    rd_kafka_mock_partition_set_leader(cluster, "unborn", 1, 1);
    read_records(stream, 10);
    close_stream(stream);
    rd_kafka_destroy(rk);
}

static void test_leader_that_does_not_answer_is_named(UNUSED void **state)
{
    rd_kafka_mock_cluster_t *cluster;
    rd_kafka_t *rk = scripted_brokers("2", &cluster);
    struct kafka_config config = scripted_config(cluster, "mute", 2);
    for (int32_t i = 0; i < 2; i++)
        rd_kafka_mock_partition_set_leader(cluster, "mute", i, i + 1);
    produce_to(cluster, "mute", 0, 10);
    produce_to(cluster, "mute", 1, 10);
    struct stream *stream = open_stream(&config);
    struct topic *topic = topic_of(stream);
    begin(stream, 0);
    read_records(stream, 20);
    rd_kafka_mock_broker_set_down(cluster, 2);
    assert_cannot_be_asked(
        topic, 1, ST_RETRY,
        "topic 'mute', partition 1: broker 2, which leads it, gives no answer");
    assert_can_be_asked(topic, 0, 10);
    produce_to(cluster, "mute", 0, 10);
    read_records(stream, 10);
    rd_kafka_mock_broker_set_up(cluster, 2);
    produce_to(cluster, "mute", 1, 10);
    read_records(stream, 10);
    assert_can_be_asked(topic, 1, 20);
    close_stream(stream);
    rd_kafka_destroy(rk);
}

static void test_partition_that_is_not_there_any_more_is_final(UNUSED void **state)
{
    rd_kafka_mock_cluster_t *cluster;
    rd_kafka_t *rk = scripted_cluster(&cluster);
    struct kafka_config config = scripted_config(cluster, "shrunk", 1);
    struct stream *stream = open_stream(&config);
    struct topic *topic = topic_of(stream);
    assert_cannot_be_asked(topic, 3, ST_DATA,
                           "topic 'shrunk', partition 3: there are only 1 partition "
                           "now: the topic was recreated; give the result another path, "
                           "or start over with tramline init --reset");
    // Too soon to say: not all brokers hear of a new partition at once.
    struct deadline deadline;
    struct topic_range range;
    struct err err;
    deadline_set(&deadline, now_ms() + 700);
    topic->deadline = &deadline;
    assert_status(topic->ops->range(topic, 3, &range, &err), ST_RETRY);
    char expected[128];
    snprintf(expected, sizeof(expected),
             "brokers %s: no answer in the time that was left", config.brokers);
    assert_string_equal(err.text, expected);
    close_stream(stream);
    rd_kafka_destroy(rk);
}

static void test_reading_that_is_forbidden_is_final(UNUSED void **state)
{
    rd_kafka_mock_cluster_t *cluster;
    rd_kafka_t *rk = scripted_cluster(&cluster);
    struct kafka_config config = scripted_config(cluster, "secret", 1);
    produce(&config, 10);
    struct stream *stream = open_stream(&config);
    rd_kafka_mock_push_request_errors(cluster, API_FETCH, 1,
                                      RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    begin(stream, 0);
    for (int i = 0; i < 2; i++) { // and stays so
        struct err err;
        assert_status(poll_failure(stream, &err), ST_FAIL);
        assert_fetch_failed(err.text,
                            "topic 'secret', partition 0, offset 0: Fetch from broker 1 "
                            "failed: Broker: Topic authorization failed");
    }
    close_stream(stream);
    rd_kafka_destroy(rk);
}

static void test_lost_membership_is_told_and_regained(UNUSED void **state)
{
    rd_kafka_mock_cluster_t *cluster;
    rd_kafka_t *rk = scripted_cluster(&cluster);
    struct kafka_config config = scripted_config(cluster, "lost", 2);
    config.membership = KAFKA_GROUP;
    produce(&config, 10);
    struct stream *stream = open_stream(&config);
    begin(stream, 0);
    read_records(stream, 10);
    rd_kafka_mock_push_request_errors(cluster, API_HEARTBEAT, 1,
                                      RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID);
    poll_for(stream, STREAM_LOST);
    poll_nothing(stream, 300);
    stop(stream);
    assert_int_equal(begin(stream, 0), 2);
    read_records(stream, 10);
    close_stream(stream);
    rd_kafka_destroy(rk);
}

// ---- where partitions end, as is learnt with the data

static struct stream_ahead ahead_of(struct stream *stream, int32_t partition)
{
    struct stream_ahead ahead;
    stream->ops->ahead(stream, partition, &ahead);
    return ahead;
}

// Polls, held, until that is known; -1: until it is not known any more.
static void wait_for_end(struct stream *stream, int32_t partition, int64_t end)
{
    struct stream_event event;
    struct err err; // that brokers are away is told by the way
    int64_t deadline = now_ms() + PATIENCE_MS;
    stream->ops->hold(stream, true);
    while (ahead_of(stream, partition).end != end && now_ms() < deadline)
        (void)stream->ops->poll(stream, 50, &event, &err);
    assert_int_equal(ahead_of(stream, partition).end, end);
    stream->ops->hold(stream, false);
}

static void test_ends_come_with_the_data(UNUSED void **state)
{
    rd_kafka_mock_cluster_t *cluster;
    rd_kafka_t *rk = scripted_cluster(&cluster);
    struct kafka_config config = scripted_config(cluster, "ends", 3);
    produce_to(cluster, "ends", 0, 10);
    produce_to(cluster, "ends", 2, 3);
    struct stream *stream = open_stream(&config);
    assert_int_equal(ahead_of(stream, 0).end, -1);
    assert_int_equal(begin(stream, 0), 3);
    read_records(stream, 13);
    wait_for_end(stream, 0, 10);
    wait_for_end(stream, 1, 0);
    wait_for_end(stream, 2, 3);
    assert_int_equal(ahead_of(stream, 0).unread_ms, -1);
    produce_to(cluster, "ends", 0, 2);
    wait_for_end(stream, 0, 12);
    assert_true(ahead_of(stream, 0).unread_ms >= 0);
    assert_int_equal(ahead_of(stream, 2).unread_ms, -1);
    read_records(stream, 2);
    assert_int_equal(ahead_of(stream, 0).unread_ms, -1);
    assert_int_equal(ahead_of(stream, 7).end, -1);
    stop(stream);
    assert_int_equal(ahead_of(stream, 0).end, -1);
    close_stream(stream);
    rd_kafka_destroy(rk);
}

// So does that its broker is there again.
static void test_an_end_is_known_while_its_broker_answers(UNUSED void **state)
{
    rd_kafka_mock_cluster_t *cluster;
    rd_kafka_t *rk = scripted_brokers("2", &cluster);
    struct kafka_config config = scripted_config(cluster, "mutes", 2);
    for (int32_t i = 0; i < 2; i++)
        rd_kafka_mock_partition_set_leader(cluster, "mutes", i, i + 1);
    produce_to(cluster, "mutes", 0, 10);
    produce_to(cluster, "mutes", 1, 10);
    struct stream *stream = open_stream(&config);
    begin(stream, 0);
    read_records(stream, 20);
    wait_for_end(stream, 0, 10);
    wait_for_end(stream, 1, 10);
    rd_kafka_mock_broker_set_down(cluster, 2);
    wait_for_end(stream, 1, -1);
    wait_for_end(stream, 0, 10);
    rd_kafka_mock_broker_set_up(cluster, 2);
    wait_for_end(stream, 1, 10);
    // One that is slow says nothing for that time.
    rd_kafka_mock_broker_set_rtt(cluster, 2, 6000);
    wait_for_end(stream, 1, -1);
    rd_kafka_mock_broker_set_rtt(cluster, 2, 0);
    wait_for_end(stream, 1, 10);
    rd_kafka_mock_partition_set_leader(cluster, "mutes", 0, -1);
    wait_for_end(stream, 0, -1);
    close_stream(stream);
    rd_kafka_destroy(rk);
}

// They would pile up where nobody polls for long.
static void test_ends_that_nobody_wants_are_not_told(UNUSED void **state)
{
    rd_kafka_mock_cluster_t *cluster;
    rd_kafka_t *rk = scripted_cluster(&cluster);
    struct kafka_config config = scripted_config(cluster, "unwatched", 1);
    config.no_ends = true;
    produce_to(cluster, "unwatched", 0, 10);
    struct stream *stream = open_stream(&config);
    assert_int_equal(begin(stream, 0), 1);
    read_records(stream, 10);
    stream->ops->hold(stream, true);
    for (int64_t until_ms = now_ms() + 1500; now_ms() < until_ms;) {
        struct stream_event event;
        struct err err = {0};
        assert_ok(stream->ops->poll(stream, 100, &event, &err), &err);
        assert_int_equal(ahead_of(stream, 0).end, -1);
    }
    stop(stream);
    close_stream(stream);
    rd_kafka_destroy(rk);
}

// A partition of which enough is at hand is not fetched: where it ends may have changed.
static void test_an_end_behind_a_full_queue_is_not_known(UNUSED void **state)
{
    enum {
        N = 3000 // more than librdkafka's least
    };
    rd_kafka_mock_cluster_t *cluster;
    rd_kafka_t *rk = scripted_cluster(&cluster);
    struct kafka_config config = scripted_config(cluster, "full", 1);
    config.buffer_bytes = 1 << 20;
    produce_to(cluster, "full", 0, N);
    struct stream *stream = open_stream(&config);
    begin(stream, 0);
    int64_t until = now_ms() + 2000;
    while (now_ms() < until) {
        stream->ops->hold(stream, true);
        poll_nothing(stream, 100);
        assert_true(ahead_of(stream, 0).end == -1 || ahead_of(stream, 0).unread_ms >= 0);
    }
    assert_int_equal(ahead_of(stream, 0).end, -1);
    assert_true(ahead_of(stream, 0).unread_ms >= 0);
    stream->ops->hold(stream, false);
    read_records(stream, N);
    wait_for_end(stream, 0, N);
    close_stream(stream);
    rd_kafka_destroy(rk);
}

// A look takes nothing away, whatever is held back meanwhile.
static void test_looking_ahead_loses_nothing(UNUSED void **state)
{
    make_topic("looked", 2);
    struct kafka_config config = config_of("looked");
    config.run_records = 7;
    int64_t next[2] = {0, 0};
    struct stream_event event;
    struct err err;
    rd_kafka_t *rk = raw_producer(config.brokers, (const char *[]){NULL});
    for (int i = 0; i < 100; i++)
        raw_produce(rk, "looked", i % 2, NULL, "v", 1000 + i);
    raw_close(rk);
    struct stream *stream = open_stream(&config);
    begin(stream, 0);
    for (int n = 0; next[0] + next[1] < 100; n++) {
        event = poll_for(stream, STREAM_RUN);
        int32_t p = event.run.partition;
        assert_int_equal(event.run.first, next[p]);
        (void)ahead_of(stream, n % 2);
        bool is_held = n % 3 == 0 && event.run.n > 1;
        next[p] = is_held ? event.run.records[1].offset : event.run.next;
        if (is_held)
            stream->ops->hold_back(stream, p, 1);
        for (int32_t q = 0; q < 2; q++) {
            struct stream_ahead ahead = ahead_of(stream, q);
            assert_true(ahead.unread_ms == -1 ||
                        ahead.unread_ms == 1000 + 2 * next[q] + q);
        }
        if (is_held)
            stream->ops->release(stream, p);
    }
    assert_ok(stream->ops->poll(stream, 300, &event, &err), &err);
    assert_int_equal(event.kind, STREAM_IDLE);
    close_stream(stream);
}

static void test_records_that_are_not_stored_are_counted(UNUSED void **state)
{
    rd_kafka_mock_cluster_t *cluster;
    rd_kafka_t *rk = scripted_cluster(&cluster);
    struct kafka_config config = scripted_config(cluster, "unstored", 1);
    const struct kafka_property impatient = {"message.timeout.ms", "1000"};
    config.properties = &impatient;
    config.n_properties = 1;
    struct kafka_producer *producer = open_producer(&config);
    rd_kafka_mock_broker_set_down(cluster, 1);
    struct kafka_delivery delivery;
    struct err err;
    for (int i = 0; i < 3; i++)
        assert_ok(produce_pair(producer, str_of("k"), str_of("v"), &err), &err);
    assert_status(kafka_producer_flush(producer, NULL, &delivery, &err), ST_FAIL);
    assert_string_equal(err.text,
                        "topic 'unstored': a record was not stored: Local: Message "
                        "timed out (3 records failed)");
    assert_true(delivery.n_acknowledged == 0 && delivery.n_failed == 3 &&
                delivery.n_waiting == 0);
    kafka_producer_close(producer);
    rd_kafka_destroy(rk);
}

// Brokers that are away: before the deadline the queue is dropped, and counted.
static void test_a_queue_is_dropped_before_the_deadline(UNUSED void **state)
{
    rd_kafka_mock_cluster_t *cluster;
    rd_kafka_t *rk = scripted_cluster(&cluster);
    struct kafka_config config = scripted_config(cluster, "dropped", 1);
    struct kafka_producer *producer = open_producer(&config);
    struct kafka_delivery delivery;
    struct deadline deadline = {0};
    struct err err;
    assert_ok(produce_pair(producer, str_of("k"), str_of("v"), &err), &err);
    assert_ok(kafka_producer_flush(producer, NULL, &delivery, &err), &err);
    rd_kafka_mock_broker_set_down(cluster, 1);
    for (int i = 0; i < 1000; i++)
        assert_ok(produce_pair(producer, str_of("k"), str_of("v"), &err), &err);
    deadline_set(&deadline, now_ms() + 4000);
    assert_status(kafka_producer_flush(producer, &deadline, &delivery, &err), ST_RETRY);
    assert_string_equal(err.text, "topic 'dropped': not all records were acknowledged in "
                                  "the time that was left");
    assert_true(now_ms() < deadline.at_ms);
    assert_int_equal(delivery.n_acknowledged, 1);
    assert_int_equal(delivery.n_unsent, 1000);
    assert_int_equal(delivery.n_failed + delivery.n_waiting, 0);
    kafka_producer_close(producer);
    rd_kafka_destroy(rk);
}

static void test_topic_made_twice_is_told(UNUSED void **state)
{
    struct err err;
    make_topic("twice", 1);
    assert_status(kafka_embedded_create_topic(embedded, "twice", 1, &err), ST_EXISTS);
    assert_string_equal(err.text, "topic 'twice' is there already");
}

// A broker of its own: topics are those of the case by librdkafka.
static int set_native(void **state)
{
    close_broker(state);
    is_native = true;
    return open_broker(state);
}

static int set_librdkafka(UNUSED void **state)
{
    is_native = false;
    return 0;
}

// By client = 'native'.
#define NATIVE(test) {#test "_natively", test, set_native, set_librdkafka, NULL}
#define CASE(test)   cmocka_unit_test(test)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_options_that_are_wrong_are_named),
        CASE(test_options_that_are_right_pass),
        CASE(test_options_that_are_ours_say_why),
        CASE(test_what_the_native_client_lacks_is_named),
        CASE(test_options_refused_as_a_whole),

        CASE(test_absent_brokers_are_named_in_bounded_time),
        CASE(test_a_port_without_a_broker_is_named),
        CASE(test_a_port_of_http_is_told_at_once),
        CASE(test_a_name_that_is_none_is_told),
        CASE(test_no_descriptor_left_is_told),
        CASE(test_a_deadline_ends_waiting),
        CASE(test_a_deadline_ends_producing),
        CASE(test_a_record_too_large_is_told),
        CASE(test_all_partitions_come_at_once_without_a_group),
        NATIVE(test_all_partitions_come_at_once_without_a_group),
        CASE(test_no_key_and_empty_key_stay_apart),
        NATIVE(test_no_key_and_empty_key_stay_apart),
        CASE(test_headers_are_json_with_base64),
        NATIVE(test_headers_are_json_with_base64),
        CASE(test_partitions_take_turns),
        CASE(test_start_again_reads_from_there_only),
        NATIVE(test_start_again_reads_from_there_only),
        CASE(test_hold_gives_no_run),
        NATIVE(test_hold_gives_no_run),
        CASE(test_a_wake_ends_a_poll),
        NATIVE(test_a_wake_ends_a_poll),
        CASE(test_a_partition_held_back_goes_on_where_it_stood),
        NATIVE(test_a_partition_held_back_goes_on_where_it_stood),
        CASE(test_what_is_held_back_goes_with_a_stop),
        NATIVE(test_what_is_held_back_goes_with_a_stop),
        CASE(test_idle_says_whether_there_is_more),
        NATIVE(test_idle_says_whether_there_is_more),
        CASE(test_offset_that_left_is_a_gap),
        CASE(test_fetch_reads_one_record_again),
        CASE(test_record_batches_of_one_key_keep_order),
        CASE(test_keys_go_where_java_puts_them),
        CASE(test_group_gives_all_to_a_single_member),
        CASE(test_a_group_that_refuses_us_is_named),
        CASE(test_members_of_a_group_that_refuses_us),
        CASE(test_a_session_that_brokers_do_not_take_leads_to_the_option),
        CASE(test_brokers_that_go_away_are_told_once),
        CASE(test_fetch_that_fails_is_repeated),
        CASE(test_partition_without_a_leader_holds_back_only_itself),
        CASE(test_partition_that_never_had_a_leader_is_waited_for),
        CASE(test_leader_that_does_not_answer_is_named),
        CASE(test_partition_that_is_not_there_any_more_is_final),
        CASE(test_reading_that_is_forbidden_is_final),
        CASE(test_lost_membership_is_told_and_regained),
        CASE(test_ends_come_with_the_data),
        CASE(test_ends_that_nobody_wants_are_not_told),
        CASE(test_an_end_is_known_while_its_broker_answers),
        NATIVE(test_an_end_is_known_while_its_broker_answers),
        CASE(test_an_end_behind_a_full_queue_is_not_known),
        CASE(test_looking_ahead_loses_nothing),
        NATIVE(test_looking_ahead_loses_nothing),
        CASE(test_a_queue_is_dropped_before_the_deadline),
        CASE(test_records_that_are_not_stored_are_counted),
        CASE(test_topic_made_twice_is_told),
    };
    test_begin();
    return cmocka_run_group_tests(tests, open_broker, close_broker);
}
