// SPDX-License-Identifier: Apache-2.0
// test: runs-in c_real
// Against real brokers, which TRAMLINE_BROKERS names.
#include "kafka_real.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

// ---- admin

static void test_missing_topic_says_how_to_make_it(UNUSED void **state)
{
    struct kafka_config config = {.brokers = brokers, .topic = "nowhere", .group = "g"};
    struct topic *asked;
    struct kafka_producer *producer;
    struct kafka_topic topic;
    struct err err;
    char expected[256];
    snprintf(expected, sizeof(expected),
             "topic 'nowhere' is not on the brokers %s; make it with tramline init",
             brokers);
    assert_status(kafka_topic_open(&config, &asked, &err), ST_NOT_FOUND);
    assert_string_equal(err.text, expected);
    assert_status(kafka_producer_open(&config, &producer, &err), ST_NOT_FOUND);
    assert_string_equal(err.text, expected);
    assert_status(kafka_admin_describe(admin, "nowhere", &topic, &err), ST_NOT_FOUND);
    assert_string_equal(err.text, expected);
}

static void test_topics_are_made_and_described(UNUSED void **state)
{
    char name[64], expected[256];
    struct kafka_topic topic;
    struct err err;
    make_topic(name, 3);
    assert_ok(kafka_admin_describe(admin, name, &topic, &err), &err);
    assert_true(topic.partitions == 3 && topic.replication == 1);
    assert_status(kafka_admin_create(admin, name, topic, &err), ST_EXISTS);
    snprintf(expected, sizeof(expected), "topic '%s' on %s: Topic '%s' already exists.",
             name, brokers, name);
    assert_string_equal(err.text, expected);
    grow_topic(name, 5);
    assert_ok(kafka_admin_describe(admin, name, &topic, &err), &err);
    assert_int_equal(topic.partitions, 5);
    drop_topic(name);
    assert_status(kafka_admin_describe(admin, name, &topic, &err), ST_NOT_FOUND);
}

static void test_topic_that_cannot_be_made_says_why(UNUSED void **state)
{
    struct err err;
    struct kafka_topic wanted = {1, 3};
    assert_status(kafka_admin_create(admin, "tramline-wide", wanted, &err), ST_USAGE);
    char expected[256];
    snprintf(expected, sizeof(expected),
             "topic 'tramline-wide' on %s: Unable to replicate the partition 3 time(s): "
             "The target replication factor of 3 cannot be reached because only 1 "
             "broker(s) are registered.",
             brokers);
    assert_string_equal(err.text, expected);
    assert_status(kafka_admin_create(admin, "a b", (struct kafka_topic){1, 1}, &err),
                  ST_USAGE);
}

static void test_members_of_a_group_are_told(UNUSED void **state)
{
    char name[64];
    struct kafka_config config = make_topic(name, 1);
    struct buf names = {0};
    size_t n = 9;
    struct err err;
    assert_ok(kafka_admin_members(admin, name, &n, &names, &err), &err);
    assert_int_equal(n, 0);
    config.membership = KAFKA_GROUP;
    struct stream *stream = open_stream(&config);
    begin(stream, 0);
    assert_ok(kafka_admin_members(admin, name, &n, &names, &err), &err);
    assert_int_equal(n, 1);
    assert_str(buf_as_str(&names), "tramline at 127.0.0.1");
    close_stream(stream);
    assert_ok(kafka_admin_members(admin, name, &n, &names, &err), &err);
    assert_int_equal(n, 0);
    buf_release(&names);
    drop_topic(name);
}

static void test_wrong_protocol_names_the_options(UNUSED void **state)
{
    const struct kafka_property tls = {"security.protocol", "ssl"};
    struct kafka_config config = {.brokers = brokers,
                                  .topic = "any",
                                  .group = "g",
                                  .timeout_ms = 10000,
                                  .properties = &tls,
                                  .n_properties = 1};
    struct topic *asked;
    struct err err;
    enum status rc = kafka_topic_open(&config, &asked, &err);
    // After it comes what OpenSSL says, or that the broker left, which may be by chance.
    const char *reason = strstr(err.text, "SSL handshake failed: ");
    const char *left = strstr(err.text, "Disconnected");
    assert_status(rc, left ? ST_RETRY : ST_FAIL);
    reason = reason ? reason : left;
    assert_non_null(reason);
    char expected[512];
    snprintf(expected, sizeof(expected),
             "brokers %s cannot be reached: ssl://%s/bootstrap: %.*s; see the options "
             "kafka.security.protocol, kafka.ssl.* and kafka.sasl.*",
             brokers, brokers, (int)strcspn(reason, ";"), reason);
    assert_string_equal(err.text, expected);
}

// ---- offsets

// 0-4 committed, 5 marker, 6-12 aborted, 13 marker.
static void test_aborted_tail_is_passed(UNUSED void **state)
{
    char name[64];
    struct kafka_config config = make_topic(name, 1);
    rd_kafka_t *rk = transactional(name);
    transaction(rk, name, 5, true);
    transaction(rk, name, 7, false);
    struct stream *stream = open_stream(&config);
    struct topic *topic = topic_of(stream);
    begin(stream, 0);
    size_t n_records = 0;
    for (int64_t next = 0; next < 14;) {
        struct stream_event event = poll_for(stream, STREAM_RUN);
        assert_int_equal(event.run.first, next);
        for (size_t i = 0; i < event.run.n; i++)
            assert_str(event.run.records[i].value, "good");
        n_records += event.run.n;
        next = event.run.next;
        assert_true(next <= 14);
    }
    assert_int_equal(n_records, 5);
    poll_nothing(stream, 600);
    struct record record;
    struct err err;
    assert_ok(topic->ops->fetch(topic, 0, 4, &record, &err), &err);
    assert_str(record.value, "good");
    assert_status(topic->ops->fetch(topic, 0, 5, &record, &err), ST_NOT_FOUND);
    assert_status(topic->ops->fetch(topic, 0, 7, &record, &err), ST_NOT_FOUND);
    assert_status(topic->ops->fetch(topic, 0, 13, &record, &err), ST_NOT_FOUND);
    close_stream(stream);
    rd_kafka_destroy(rk);
    drop_topic(name);
}

static void test_open_transaction_is_the_end(UNUSED void **state)
{
    char name[64];
    struct kafka_config config = make_topic(name, 1);
    rd_kafka_t *rk = transactional(name);
    transaction(rk, name, 2, true);
    assert_null(rd_kafka_begin_transaction(rk));
    raw_produce(rk, name, 0, NULL, "not yet", 0);
    assert_int_equal(rd_kafka_flush(rk, PATIENCE_MS), 0);
    struct stream *stream = open_stream(&config);
    struct topic *topic = topic_of(stream);
    struct topic_range range;
    struct err err;
    assert_ok(topic->ops->range(topic, 0, &range, &err), &err);
    assert_true(range.low == 0 && range.high == 3);
    begin(stream, 0);
    size_t n = 0;
    for (int64_t next = 0; next < 3;) { // two records and their marker
        struct stream_event event = poll_for(stream, STREAM_RUN);
        assert_int_equal(event.run.first, next);
        n += event.run.n;
        next = event.run.next;
    }
    assert_int_equal(n, 2);
    poll_nothing(stream, 600);
    assert_null(rd_kafka_commit_transaction(rk, PATIENCE_MS));
    struct stream_event event = poll_for(stream, STREAM_RUN);
    assert_int_equal(event.run.first, 3);
    assert_str(event.run.records[0].value, "not yet");
    close_stream(stream);
    rd_kafka_destroy(rk);
    drop_topic(name);
}

static void test_offset_that_left_is_a_gap(UNUSED void **state)
{
    char name[64];
    struct kafka_config config = make_topic(name, 1);
    produce(&config, 100);
    delete_records(name, 40);
    struct stream *stream = open_stream(&config);
    struct topic *topic = topic_of(stream);
    begin(stream, 10);
    struct stream_event event = poll_for(stream, STREAM_GAP);
    assert_true(event.gap.partition == 0 && event.gap.wanted == 10 &&
                event.gap.low == 40);
    const struct stream_start low = {.partition = 0, .offset = 40},
                              far = {.partition = 0, .offset = 500};
    struct err err;
    assert_ok(stream->ops->start(stream, &low, 1, &err), &err);
    read_records(stream, 60);
    assert_ok(stream->ops->start(stream, &far, 1, &err), &err);
    event = poll_for(stream, STREAM_GAP);
    assert_true(event.gap.wanted == 500 && event.gap.low == 40);
    struct record record;
    assert_status(topic->ops->fetch(topic, 0, 39, &record, &err), ST_NOT_FOUND);
    assert_status(topic->ops->fetch(topic, 0, 500, &record, &err), ST_NOT_FOUND);
    close_stream(stream);
    drop_topic(name);
}

static void test_times_find_offsets(UNUSED void **state)
{
    char name[64];
    struct kafka_config config = make_topic(name, 1);
    const char *none[] = {NULL};
    rd_kafka_t *rk = raw_producer(brokers, none);
    int64_t began_ms = env_system()->ops->wall_ms(env_system()) - 3600000;
    for (int i = 0; i < 10; i++)
        raw_produce(rk, name, 0, NULL, "value", began_ms + i * 1000);
    raw_close(rk);
    struct stream *stream = open_stream(&config);
    struct topic *topic = topic_of(stream);
    struct err err;
    int64_t offset;
    const int64_t at[][2] = {{-5000, 0}, {0, 0},    {1, 1},
                             {5000, 5},  {9000, 9}, {9001, 10}};
    for (size_t i = 0; i < ARRAY_LEN(at); i++) {
        assert_ok(topic->ops->offset_at(topic, 0, began_ms + at[i][0], &offset, &err),
                  &err);
        assert_int_equal(offset, at[i][1]);
    }
    begin(stream, 5);
    struct stream_event event = poll_for(stream, STREAM_RUN);
    assert_int_equal(event.run.records[0].time_ms, began_ms + 5000);
    close_stream(stream);
    drop_topic(name);
}

// ---- membership

// Both poll until each had an assignment of two; A is told to give all away first.
static void test_two_members_share_the_partitions(UNUSED void **state)
{
    char name[64];
    struct kafka_config config = make_topic(name, 4);
    config.membership = KAFKA_GROUP;
    produce(&config, 100);
    struct stream *a = open_stream(&config);
    assert_int_equal(begin(a, 0), 4);
    read_records(a, 100);
    struct stream *b = open_stream(&config);
    struct stream_event event;
    struct err err;
    bool seen[4] = {false};
    size_t n_seen = 0;
    bool is_revoked = false;
    for (int64_t deadline = now_ms() + PATIENCE_MS; n_seen < 4 && now_ms() < deadline;) {
        struct stream *each[] = {a, b};
        for (int i = 0; i < 2; i++) {
            assert_ok(each[i]->ops->poll(each[i], 50, &event, &err), &err);
            if (event.kind == STREAM_REVOKE) {
                assert_ptr_equal(each[i], a);
                is_revoked = true;
                poll_nothing(a, 100); // until the answer
                stop(a);
            } else if (event.kind == STREAM_ASSIGN) {
                assert_int_equal(event.n_partitions, 2);
                assert_true(is_revoked);
                for (size_t p = 0; p < 2; p++, n_seen++) {
                    assert_false(seen[event.partitions[p]]);
                    seen[event.partitions[p]] = true;
                }
                start_at(each[i], &event, 0);
            }
        }
    }
    assert_int_equal(n_seen, 4);
    close_stream(b);
    while ((event = poll_event(a)).kind == STREAM_RUN)
        ;
    assert_int_equal(event.kind, STREAM_REVOKE);
    stop(a);
    assert_int_equal(begin(a, 0), 4);
    read_records(a, 100);
    close_stream(a);
    drop_topic(name);
}

// A worker of its own process that reads until it is killed.
static pid_t start_worker(const struct kafka_config *config)
{
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct stream *stream = open_stream(config);
        begin(stream, 0);
        read_records(stream, 100);
        assert_int_equal(write(ready[1], "x", 1), 1);
        for (;;)
            poll_nothing(stream, 100);
    }
    char x;
    close(ready[1]);
    assert_int_equal(read(ready[0], &x, 1), 1);
    close(ready[0]);
    return pid;
}

static void
test_partitions_of_a_killed_member_come_within_ten_seconds(UNUSED void **state)
{
    char name[64];
    struct kafka_config config = make_topic(name, 4);
    config.membership = KAFKA_GROUP;
    config.session_timeout_ms = 0; // the default
    produce(&config, 100);
    pid_t pid = start_worker(&config);
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    int64_t began = now_ms();
    struct stream *stream = open_stream(&config);
    assert_int_equal(begin(stream, 0), 4);
    read_records(stream, 100);
    assert_true(now_ms() - began < 10000);
    close_stream(stream);
    drop_topic(name);
}

static size_t n_members(const char *group)
{
    struct buf names = {0};
    struct err err;
    size_t n;
    assert_ok(kafka_admin_members(admin, group, &n, &names, &err), &err);
    buf_release(&names);
    return n;
}

// In each of these states the brokers would keep partitions for it.
static void test_who_closes_has_left_whatever_it_was_about_to_do(UNUSED void **state)
{
    char name[64];
    struct kafka_config config = make_topic(name, 4);
    config.membership = KAFKA_GROUP;
    struct stream *stream = open_stream(&config); // about to join
    close_stream(stream);
    assert_int_equal(n_members(name), 0);
    stream = open_stream(&config);
    poll_for(stream, STREAM_ASSIGN); // not answered
    close_stream(stream);
    assert_int_equal(n_members(name), 0);
    stream = open_stream(&config);
    begin(stream, 0); // reading
    struct stream *other = open_stream(&config);
    poll_for(stream, STREAM_REVOKE); // not answered
    close_stream(stream);
    assert_int_equal(begin(other, 0), 4);
    assert_int_equal(n_members(name), 1);
    close_stream(other);
    assert_int_equal(n_members(name), 0);
    drop_topic(name);
}

static void grow_while_reading(enum kafka_membership membership)
{
    char name[64];
    struct kafka_config config = make_topic(name, 2);
    const struct kafka_property often = {"topic.metadata.refresh.interval.ms", "500"};
    config.properties = &often;
    config.n_properties = 1;
    config.membership = membership;
    struct stream *stream = open_stream(&config);
    struct topic *topic = topic_of(stream);
    assert_int_equal(begin(stream, 0), 2);
    struct err err;
    grow_topic(name, 5);
    poll_for(stream, STREAM_REVOKE);
    stop(stream);
    assert_int_equal(begin(stream, 0), 5);
    produce(&config, 100);
    read_records(stream, 100);
    int32_t n;
    assert_ok(topic->ops->count(topic, &n, &err), &err);
    assert_int_equal(n, 5);
    close_stream(stream);
    drop_topic(name);
}

static void test_new_partitions_are_found_in_a_group(UNUSED void **state)
{
    grow_while_reading(KAFKA_GROUP);
}

static void test_new_partitions_are_found_without_a_group(UNUSED void **state)
{
    grow_while_reading(KAFKA_NONE);
}

static void test_report_is_seen_by_lag_tools(UNUSED void **state)
{
    char name[64];
    struct kafka_config config = make_topic(name, 2);
    config.membership = KAFKA_GROUP;
    produce(&config, 10);
    struct stream *stream = open_stream(&config);
    begin(stream, 0);
    read_records(stream, 10);
    const struct stream_start next[] = {{.partition = 0, .offset = 3},
                                        {.partition = 1, .offset = 4}};
    stream->ops->report(stream, next, 2);
    close_stream(stream);
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", brokers, NULL, 0);
    rd_kafka_conf_set(conf, "group.id", name, NULL, 0);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, NULL, 0);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(2);
    rd_kafka_topic_partition_list_add_range(list, name, 0, 1);
    assert_int_equal(rd_kafka_committed(rk, list, PATIENCE_MS), 0);
    assert_int_equal(list->elems[0].offset, 3);
    assert_int_equal(list->elems[1].offset, 4);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(rk);
    drop_topic(name);
}

// ---- limits

static int64_t resident_bytes(void)
{
    long long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    assert_int_equal(fscanf(file, "%*d %lld", &pages), 1);
    fclose(file);
    return pages * sysconf(_SC_PAGESIZE);
}

// Values that no codec makes smaller.
static void produce_noise(const struct kafka_config *config, int n)
{
    struct kafka_producer *producer = open_producer(config);
    struct kafka_delivery delivery;
    struct err err;
    char value[1000];
    for (int i = 0; i < n; i++) {
        for (size_t k = 0; k < sizeof(value); k += 200)
            env_system()->ops->random(env_system(), value + k, 200);
        assert_ok(produce_pair(producer, (struct str){(char *)&i, sizeof(i)},
                               (struct str){value, sizeof(value)}, &err),
                  &err);
    }
    assert_ok(kafka_producer_flush(producer, NULL, &delivery, &err), &err);
    kafka_producer_close(producer);
}

// 120 MB of records stand ready; a buffer of 32 MB does not take them all. A session of
// 6 s is outlived.
static void test_hold_keeps_membership_and_bounds_memory(UNUSED void **state)
{
    char name[64];
    struct kafka_config config = make_topic(name, 2);
    config.membership = KAFKA_GROUP;
    config.buffer_bytes = 32 << 20;
    const int n = 120000;
    produce_noise(&config, n);
    struct stream *stream = open_stream(&config);
    int64_t before = resident_bytes();
    begin(stream, 0);
    stream->ops->hold(stream, true);
    for (int i = 0; i < 4; i++)
        poll_nothing(stream, 2000);
    int64_t grown = resident_bytes() - before;
    print_message("held: %lld MB more\n", (long long)grown >> 20);
    assert_in_range(grown, 1, 48 << 20);
    stream->ops->hold(stream, false);
    read_records(stream, (size_t)n);
    close_stream(stream);
    drop_topic(name);
}

static int64_t cpu_ms(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 +
           (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000;
}

// Polls some streams in turn until each had an event, or for ms; how many had one.
static size_t poll_all(struct stream **streams, struct stream_event *events, size_t n,
                       int64_t ms)
{
    int64_t deadline = now_ms() + ms;
    size_t n_told = 0;
    struct err err;
    memset(events, 0, n * sizeof(*events));
    while (n_told < n && now_ms() < deadline) {
        for (size_t i = 0; i < n; i++) {
            if (events[i].kind != STREAM_IDLE)
                continue;
            assert_ok(streams[i]->ops->poll(streams[i], 20, &events[i], &err), &err);
            n_told += events[i].kind != STREAM_IDLE;
        }
    }
    return n_told;
}

// Answers what it is told; true: it was given partitions.
static bool poll_as_owner(struct stream *stream)
{
    struct stream_event event;
    struct err err;
    assert_ok(stream->ops->poll(stream, 20, &event, &err), &err);
    if (event.kind == STREAM_ASSIGN)
        start_at(stream, &event, 0);
    else if (event.kind != STREAM_IDLE)
        stop(stream);
    return event.kind == STREAM_ASSIGN;
}

// Who comes first has nothing until the last one is there; then each has its share, and
// nobody anything else.
static void test_members_begin_together(UNUSED void **state)
{
    char name[64];
    struct kafka_config config = make_topic(name, 6);
    config.membership = KAFKA_GROUP;
    config.members = 3;
    config.instance = "a.1";
    struct stream *streams[3];
    struct stream_event events[3];
    for (size_t i = 0; i < 3; i++) {
        streams[i] = open_stream(&config);
        assert_int_equal(poll_all(streams, events, i + 1, i < 2 ? 2000 : PATIENCE_MS),
                         i < 2 ? 0 : 3);
    }
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(events[i].kind, STREAM_ASSIGN);
        assert_int_equal(events[i].n_partitions, 2);
        start_at(streams[i], &events[i], 0);
    }
    assert_int_equal(poll_all(streams, events, 3, 1500), 0);
    struct buf names = {0};
    size_t n;
    struct err err;
    assert_ok(kafka_admin_members(admin, name, &n, &names, &err), &err);
    assert_str(buf_as_str(&names), "tramline/a.1 at 127.0.0.1, tramline/a.1 at "
                                   "127.0.0.1, tramline/a.1 at 127.0.0.1");
    // One that comes back finds the others there: it waits for nobody.
    close_stream(streams[2]);
    streams[2] = open_stream(&config);
    int64_t before = now_ms();
    while (!poll_as_owner(streams[2]) && now_ms() - before < PATIENCE_MS) {
        poll_as_owner(streams[0]);
        poll_as_owner(streams[1]);
    }
    assert_true(now_ms() - before < 8000);
    buf_release(&names);
    for (size_t i = 0; i < 3; i++)
        close_stream(streams[i]);
    drop_topic(name);
}

static void test_member_that_stays_alone_begins_after_ten_seconds(UNUSED void **state)
{
    char name[64];
    struct kafka_config config = make_topic(name, 2);
    config.membership = KAFKA_GROUP;
    config.members = 2;
    int64_t before = now_ms();
    struct stream *stream = open_stream(&config);
    assert_int_equal(begin(stream, 0), 2);
    int64_t waited = now_ms() - before;
    print_message("waited %lld ms\n", (long long)waited);
    assert_true(waited >= 10000 && waited < 14000);
    produce(&config, 10);
    assert_int_equal(read_records(stream, 10), 0);
    close_stream(stream);
    drop_topic(name);
}

static void test_idle_source_sleeps(UNUSED void **state)
{
    char name[64];
    struct kafka_config config = make_topic(name, 8);
    config.membership = KAFKA_GROUP;
    struct stream *stream = open_stream(&config);
    begin(stream, 0);
    poll_nothing(stream, 1000);
    int64_t before = cpu_ms();
    poll_nothing(stream, 5000);
    int64_t used = cpu_ms() - before;
    print_message("idle: %lld ms of CPU in 5 s\n", (long long)used);
    assert_true(used <= 500); // 30 to 70 with both clients; one that spins takes 5,000
    close_stream(stream);
    drop_topic(name);
}

#define CASE(test) cmocka_unit_test(test)

static int set_native(UNUSED void **state)
{
    is_native = true;
    return 0;
}

static int set_librdkafka(UNUSED void **state)
{
    is_native = false;
    return 0;
}

// By client = 'native'.
#define NATIVE(test) {#test "_natively", test, set_native, set_librdkafka, NULL}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_missing_topic_says_how_to_make_it),
        CASE(test_topics_are_made_and_described),
        CASE(test_topic_that_cannot_be_made_says_why),
        CASE(test_members_of_a_group_are_told),
        CASE(test_wrong_protocol_names_the_options),
        CASE(test_aborted_tail_is_passed),
        NATIVE(test_aborted_tail_is_passed),
        CASE(test_open_transaction_is_the_end),
        NATIVE(test_open_transaction_is_the_end),
        CASE(test_offset_that_left_is_a_gap),
        NATIVE(test_offset_that_left_is_a_gap),
        CASE(test_times_find_offsets),
        CASE(test_two_members_share_the_partitions),
        NATIVE(test_two_members_share_the_partitions),
        CASE(test_members_begin_together),
        NATIVE(test_members_begin_together),
        CASE(test_member_that_stays_alone_begins_after_ten_seconds),
        NATIVE(test_member_that_stays_alone_begins_after_ten_seconds),
        CASE(test_partitions_of_a_killed_member_come_within_ten_seconds),
        NATIVE(test_partitions_of_a_killed_member_come_within_ten_seconds),
        CASE(test_who_closes_has_left_whatever_it_was_about_to_do),
        NATIVE(test_who_closes_has_left_whatever_it_was_about_to_do),
        CASE(test_new_partitions_are_found_in_a_group),
        NATIVE(test_new_partitions_are_found_in_a_group),
        CASE(test_new_partitions_are_found_without_a_group),
        NATIVE(test_new_partitions_are_found_without_a_group),
        CASE(test_report_is_seen_by_lag_tools),
        NATIVE(test_report_is_seen_by_lag_tools),
        CASE(test_hold_keeps_membership_and_bounds_memory),
        NATIVE(test_hold_keeps_membership_and_bounds_memory),
        CASE(test_idle_source_sleeps),
        NATIVE(test_idle_source_sleeps),
    };
    if (!open_admin())
        return 1;
    test_begin();
    int n_failed = cmocka_run_group_tests(tests, NULL, NULL);
    kafka_admin_close(admin);
    return n_failed;
}
