// SPDX-License-Identifier: Apache-2.0
// test: runs-in c_real
// client = 'native' beside client = 'librdkafka' over the same topics of real brokers:
// the same records, and the same offsets passed.
#include "kafka_real.h"

#include <assert.h>

#include "base/hash.h"

// Brokers of before 2.1 have no zstd: TEST_NO_ZSTD.
static const char *codec(int i)
{
    static const char *const names[] = {"none", "gzip", "snappy", "lz4", "zstd"};
    return names[i % (getenv("TEST_NO_ZSTD") ? 4 : 5)];
}

// What a client has given of a partition: a text a record.
struct reading {
    struct buf text;
    int64_t next;
    size_t n;
    bool is_joined; // runs follow each other
};

// Lines of a record: long values by their hash.
static void put_bytes(struct buf *out, struct str bytes)
{
    char hex[SHA256_HEX];
    if (bytes.p == NULL) {
        buf_text(out, " NULL");
        return;
    }
    sha256_hex(bytes.p, bytes.n, hex);
    buf_printf(out, " %zu:%.12s", bytes.n, hex);
}

static void put_run(struct reading *reading, struct stream *stream, const struct run *run)
{
    reading->is_joined &= run->first == reading->next && run->next > run->first;
    for (size_t i = 0; i < run->n; i++) {
        const struct record *record = &run->records[i];
        buf_printf(&reading->text, "%lld %lld", (long long)record->offset,
                   (long long)record->time_ms);
        put_bytes(&reading->text, record->key);
        put_bytes(&reading->text, record->value);
        put_bytes(&reading->text, record->value_schema);
        buf_char(&reading->text, ' ');
        stream->ops->headers(stream, i, &reading->text);
        buf_char(&reading->text, '\n');
        reading->is_joined &= record->offset >= run->first && record->offset < run->next;
    }
    reading->next = run->next;
    reading->n += run->n;
}

// All of the partitions, each up to its end.
static void read_all(const struct kafka_config *config, bool natively,
                     const int64_t *starts, const int64_t *ends, struct reading *ret,
                     int32_t n)
{
    is_native = natively;
    struct stream *stream = open_stream(config);
    is_native = false;
    struct stream_event event = poll_for(stream, STREAM_ASSIGN);
    struct stream_start *from = mem_array((size_t)n, sizeof(*from));
    struct err err;
    bool is_done = false;
    for (int32_t i = 0; i < n; i++) {
        from[i] = (struct stream_start){.partition = i, .offset = starts[i]};
        ret[i] = (struct reading){.next = starts[i], .is_joined = true};
    }
    assert_ok(stream->ops->start(stream, from, (size_t)n, &err), &err);
    while (!is_done) {
        event = poll_for(stream, STREAM_RUN);
        put_run(&ret[event.run.partition], stream, &event.run);
        is_done = true;
        for (int32_t i = 0; i < n; i++)
            is_done &= ret[i].next >= ends[i];
    }
    free(from);
    close_stream(stream);
}

static void compare(const struct kafka_config *config, const int64_t *starts, int32_t n)
{
    struct reading by[2][8];
    int64_t ends[8];
    struct err err;
    assert(n <= 8);
    struct stream *stream = open_stream(config);
    for (int32_t i = 0; i < n; i++) {
        struct topic_range range;
        struct topic *topic = topic_of(stream);
        assert_ok(topic->ops->range(topic, i, &range, &err), &err);
        ends[i] = range.high;
    }
    close_stream(stream);
    read_all(config, false, starts, ends, by[0], n);
    read_all(config, true, starts, ends, by[1], n);
    for (int32_t i = 0; i < n; i++) {
        assert_true(by[0][i].is_joined && by[1][i].is_joined);
        assert_int_equal(by[0][i].n, by[1][i].n);
        assert_int_equal(by[0][i].next, by[1][i].next);
        assert_string_equal(buf_cstr(&by[0][i].text), buf_cstr(&by[1][i].text));
        buf_release(&by[0][i].text);
        buf_release(&by[1][i].text);
    }
}

// ---- topics made by chance

static unsigned chance(unsigned n)
{
    static uint64_t state;
    if (state == 0) {
        const char *seed = getenv("TEST_SEED");
        state = seed ? strtoull(seed, NULL, 10) : (uint64_t)now_ms();
        print_message("TEST_SEED=%llu\n", (unsigned long long)state);
    }
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (unsigned)(state >> 33) % n;
}

static int64_t wall_ms(void)
{
    return env_system()->ops->wall_ms(env_system());
}

static rd_kafka_headers_t *some_headers(void)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_new(4);
    for (unsigned n = chance(4); n > 0; n--) {
        static const char *const names[] = {"", "a", "__value_schema_id", "h\xc3\xa9"};
        char value[200];
        size_t size = chance(sizeof(value));
        memset(value, (int)('a' + chance(26)), size);
        rd_kafka_header_add(headers, names[chance(4)], -1, chance(5) ? value : NULL,
                            (ssize_t)size);
    }
    return headers;
}

static void produce_one(rd_kafka_t *rk, const char *topic, int32_t partition,
                        size_t value_bytes)
{
    char key[16];
    char *value = mem_alloc(value_bytes + 1);
    for (size_t i = 0; i < value_bytes; i++)
        value[i] = (char)(i % 7 ? 'x' : chance(256));
    int n = snprintf(key, sizeof(key), "%u", chance(1000));
    rd_kafka_vu_t parts[] = {
        {.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = topic},
        {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = partition},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
        {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {chance(4) ? key : NULL, (size_t)n}},
        {.vtype = RD_KAFKA_VTYPE_VALUE,
         .u.mem = {chance(10) ? value : NULL, value_bytes}},
        {.vtype = RD_KAFKA_VTYPE_TIMESTAMP, .u.i64 = wall_ms() - chance(1000000)},
        {.vtype = RD_KAFKA_VTYPE_HEADERS},
    };
    bool has_headers = chance(3) == 0;
    if (has_headers)
        parts[6].u.headers = some_headers();
    rd_kafka_error_t *error =
        rd_kafka_produceva(rk, parts, ARRAY_LEN(parts) - (has_headers ? 0 : 1));
    if (error != NULL)
        fail_msg("%s", rd_kafka_error_string(error));
    free(value);
}

static rd_kafka_t *producer_of(const char *codec, const char *id)
{
    const char *properties[] = {"compression.codec",
                                codec,
                                "message.max.bytes",
                                "8000000",
                                "linger.ms",
                                "20",
                                "batch.num.messages",
                                "10000",
                                "batch.size",
                                "8000000",
                                id ? "transactional.id" : NULL,
                                id,
                                NULL};
    rd_kafka_t *rk = raw_producer(brokers, properties);
    if (id != NULL)
        assert_null(rd_kafka_init_transactions(rk, PATIENCE_MS));
    return rk;
}

// One after the other, some in transactions of which some are aborted.
static void produce_by_chance(const char *topic, int32_t n_partitions, int n_rounds)
{
    enum {
        PRODUCERS = 8
    };
    rd_kafka_t *producers[PRODUCERS];
    for (int i = 0; i < PRODUCERS; i++) {
        char id[80];
        snprintf(id, sizeof(id), "%s-%d", topic, i);
        producers[i] = producer_of(codec(i), i % 2 ? id : NULL);
    }
    for (int round = 0; round < n_rounds; round++) {
        int at = (int)chance(PRODUCERS);
        rd_kafka_t *rk = producers[at];
        static const unsigned sizes[] = {1, 3, 20, 300, 2000};
        unsigned n = 1 + chance(sizes[chance(5)]);
        if (at % 2)
            assert_null(rd_kafka_begin_transaction(rk));
        int32_t partition = (int32_t)chance((unsigned)n_partitions);
        for (unsigned i = 0; i < n; i++)
            produce_one(rk, topic, chance(20) ? partition : 0,
                        chance(3) ? chance(50) : chance(2000));
        assert_int_equal(rd_kafka_flush(rk, PATIENCE_MS), 0);
        if (at % 2)
            assert_null(chance(2) ? rd_kafka_commit_transaction(rk, PATIENCE_MS)
                                  : rd_kafka_abort_transaction(rk, PATIENCE_MS));
    }
    for (int i = 0; i < PRODUCERS; i++)
        raw_close(producers[i]);
}

static void test_topics_made_by_chance_are_the_same(UNUSED void **state)
{
    enum {
        PARTITIONS = 3
    };
    char name[64];
    struct kafka_config config = make_topic(name, PARTITIONS);
    const int64_t begin[PARTITIONS] = {0};
    config.value_schema = true;
    produce_by_chance(name, PARTITIONS, 60);
    compare(&config, begin, PARTITIONS);
    const int64_t middle[PARTITIONS] = {(int64_t)chance(40), (int64_t)chance(40), 1};
    config.run_records = 1 + (int32_t)chance(100); // runs end within batches
    compare(&config, middle, PARTITIONS);
    config.buffer_bytes = 16 << 20;
    compare(&config, begin, PARTITIONS);
    drop_topic(name);
}

// ---- large batches

static void set_topic(const char *name, const char *option, const char *value)
{
    rd_kafka_t *rk = raw_producer(brokers, no_properties);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_ConfigResource_t *resource =
        rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, name);
    rd_kafka_ConfigResource_set_config(resource, option, value);
    rd_kafka_AlterConfigs(rk, &resource, 1, NULL, queue);
    end_request(rk, queue);
    rd_kafka_ConfigResource_destroy(resource);
}

// Records of 5 MB, which a batch of its own has each, between small ones.
static void test_batches_beyond_all_limits_are_the_same(UNUSED void **state)
{
    char name[64];
    struct kafka_config config = make_topic(name, 2);
    const int64_t begin[2] = {0};
    set_topic(name, "max.message.bytes", "9000000");
    for (int i = 0; i < 5; i++) {
        rd_kafka_t *rk = producer_of(codec(i), NULL);
        for (int32_t k = 0; k < 4; k++) {
            produce_one(rk, name, k % 2, 5000000);
            produce_one(rk, name, k % 2, 10);
        }
        for (int k = 0; k < 10000; k++)
            produce_one(rk, name, 0, 90);
        raw_close(rk);
    }
    config.buffer_bytes = 32 << 20;
    compare(&config, begin, 2);
    drop_topic(name);
}

// What is larger than the whole buffer is said.
static void test_a_batch_larger_than_the_buffer_is_refused(UNUSED void **state)
{
    char name[64], expected[256];
    struct kafka_config config = make_topic(name, 1);
    set_topic(name, "max.message.bytes", "9000000");
    rd_kafka_t *rk = producer_of("none", NULL);
    produce_one(rk, name, 0, 10);
    raw_close(rk);
    rk = producer_of("none", NULL);
    raw_produce(rk, name, 0, NULL, NULL, 0);
    raw_close(rk);
    rk = producer_of("none", NULL);
    char *value = mem_zalloc(5000001);
    memset(value, 'x', 5000000);
    raw_produce(rk, name, 0, NULL, value, 0);
    raw_close(rk);
    free(value);
    config.buffer_bytes = 2 << 20;
    is_native = true;
    struct stream *stream = open_stream(&config);
    is_native = false;
    begin(stream, 0);
    struct stream_event event;
    struct err err;
    enum status rc;
    int64_t next = 0;
    do {
        rc = stream->ops->poll(stream, 200, &event, &err);
        if (rc == ST_OK && event.kind == STREAM_RUN)
            next = event.run.next;
    } while (rc == ST_OK);
    assert_int_equal(next, 2);
    assert_status(rc, ST_LIMIT);
    snprintf(expected, sizeof(expected),
             "topic '%s', broker 127.0.0.1:%d: an answer of %zu bytes is larger than "
             "source.buffer, 2097152 bytes",
             name, atoi(strrchr(brokers, ':') + 1),
             (size_t)5000149); // with the topic's id, 16 bytes, in the place of its name
    assert_string_equal(err.text, expected);
    close_stream(stream);
    drop_topic(name);
}

#define CASE(test) cmocka_unit_test(test)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_topics_made_by_chance_are_the_same),
        CASE(test_batches_beyond_all_limits_are_the_same),
        CASE(test_a_batch_larger_than_the_buffer_is_refused),
    };
    if (!open_admin())
        return 1;
    test_begin();
    int n_failed = cmocka_run_group_tests(tests, NULL, NULL);
    kafka_admin_close(admin);
    return n_failed;
}
