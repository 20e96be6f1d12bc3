// SPDX-License-Identifier: Apache-2.0
// client = 'native' against brokers that do on purpose what real ones do seldom: leaders
// that move, epochs, logs that were cut back, answers that are cut, late or lie. Two
// brokers of one cluster share a log of one partition, made of a batch that a real one
// had (wire_captures.h), three records each.
// test: takes 35
// test: waits
#include "test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire_captures.h"

#include "base/hash.h"
#include "core/env.h"
#include "wire/api.h"
#include "wire/lookup.h"
#include "wire/stream.h"

enum {
    BROKERS = 2,
    BATCHES = 5,
    BATCH_RECORDS = 3,
    CRC_AT = 17,
    CHECKED_AT = 21,
    PATIENCE_MS = 10000,
};

// What the cluster does. The mutex is the test's from open_fake on, but for the calls
// that wait for brokers (poll_stream, close_stream): only in these they answer.
struct fake {
    pthread_mutex_t mutex;
    int listener[BROKERS], port[BROKERS];
    pthread_t thread[BROKERS];
    bool is_ended;
    struct buf log; // batches
    int64_t begin, end;
    int16_t fetch_version; // the latest that it takes
    int leader;            // 0 or 1; -1: none
    int32_t epoch;
    int16_t fetch_code, topic_code;
    int n_codes;      // so many fetches are answered by that code; -1: all
    int move_after;   // fetches until the leader moves; 0: never
    uint8_t topic_id; // its first byte, as Metadata tells it
    uint8_t held_id;  // of the topic that the brokers have
    int64_t truncated_to;
    int n_cuts;         // so many answers tell it; -1: all
    bool minds_epochs;  // tells of it only who says what was read, as real ones do
    int32_t last_epoch; // as the last fetch said
    uint8_t wanted_id;  // the first byte of the id that the last fetch said; 0: a name
    int64_t
        epoch_end; // of what was read, as OffsetForLeaderEpoch says; -2: it is not asked
    int32_t told_epoch; // which it names then
    int n_ends;         // so often it was asked
    bool is_end_held;   // its answer, which is the one of when it was asked
    int n_lows;         // ListOffsets that came
    int silent_low;     // the broker that does not answer them; -1: none
    int n_metadata[BROKERS];
    int ending_broker;  // ends a connection that asks for Metadata; -1: none
    size_t n_strangers; // brokers that Metadata names beside ours
    int64_t refresh_ms; // of the client
    int n_flips;        // answers with batches in which bits are changed; -1: all
    size_t flip_at;     // of the log
    uint8_t flip;       // those bits
    bool is_counting;   // in each answer to others
    int32_t throttle_ms;
    int cut_answer_at;  // bytes of the next fetch answer, then the connection ends; -1
    int cut_tail;       // bytes that the last batch of each answer lacks
    size_t most;        // batches of an answer; 0: all
    int16_t whole_code; // of a fetch, which then says nothing of partitions
    bool is_missing;    // it says nothing of them, and no error
    bool is_silent;     // fetches are not answered
    bool is_ending;     // they end the connection
    int wrong_correlation, wrong_broker, wrong_partition, wrong_tag;
    int n_wrong_epochs;   // answers to Metadata with an epoch that there is not
    int32_t wrong_leader; // and of that broker
    int64_t high;         // the end that fetches tell; -1: the true one
    int n_high;           // so many of them; -1: all
    bool checks_epochs;   // that of a fetch, as brokers do
    const char *greeting; // bytes in the place of the first answer
    size_t n_greeting;
    int n_fetches;
    int64_t fetched_ms[64]; // when they came
};

static struct fake fake;

static int64_t now_ms(void)
{
    return env_system()->ops->monotonic_ms(env_system());
}

static bool read_all(int fd, void *to, size_t n)
{
    return recv(fd, to, n, MSG_WAITALL) == (ssize_t)n;
}

// ---- answers

static void put_versions(struct buf *out)
{
    const int16_t apis[][3] = {
        {1, 0, fake.fetch_version}, {2, 0, 5}, {3, 0, 12}, {18, 0, 3}, {23, 0, 3}};
    size_t n = ARRAY_LEN(apis) - (fake.epoch_end == -2);
    wire_out_i16(out, 0);
    wire_out_array(out, false, n);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < 3; k++)
            wire_out_i16(out, apis[i][k]);
}

static void put_strangers(struct buf *out)
{
    for (size_t i = 0; i < fake.n_strangers; i++) {
        wire_out_i32(out, 100 + (int32_t)i);
        wire_out_string(out, true, STR_LITERAL("h"));
        wire_out_i32(out, 1);
        wire_out_string(out, true, (struct str){0});
        wire_out_no_tags(out, true);
    }
}

static void put_metadata(struct buf *out)
{
    char id[16] = {(char)fake.topic_id};
    wire_out_no_tags(out, true);
    wire_out_i32(out, 0);
    wire_out_array(out, true, BROKERS + fake.n_strangers);
    for (int i = 0; i < BROKERS; i++) {
        wire_out_i32(out, fake.wrong_broker ? -5 : i);
        wire_out_string(out, true, STR_LITERAL("127.0.0.1"));
        wire_out_i32(out, fake.port[i]);
        wire_out_string(out, true, (struct str){0});
        wire_out_no_tags(out, true);
    }
    put_strangers(out);
    wire_out_string(out, true, STR_LITERAL("cluster"));
    wire_out_i32(out, 0);
    wire_out_array(out, true, 1);
    wire_out_i16(out, fake.topic_code);
    wire_out_string(out, true, STR_LITERAL("t"));
    buf_append(out, id, sizeof(id));
    wire_out_i8(out, 0);
    wire_out_array(out, true, 1);
    wire_out_i16(out, 0);
    wire_out_i32(out, fake.wrong_partition ? 7 : 0);
    bool is_wrong = fake.n_wrong_epochs > 0;
    fake.n_wrong_epochs -= is_wrong;
    wire_out_i32(out, is_wrong ? fake.wrong_leader : fake.leader);
    wire_out_i32(out, is_wrong ? fake.epoch + (1 << 24) : fake.epoch);
    for (int i = 0; i < 3; i++)
        wire_out_array(out, true, 0);
    wire_out_no_tags(out, true);
    wire_out_i32(out, 0);
    wire_out_no_tags(out, true);
    wire_out_no_tags(out, true);
}

static void put_low(struct buf *out)
{
    fake.n_lows++;
    wire_out_i32(out, 0);
    wire_out_array(out, false, 1);
    wire_out_string(out, false, STR_LITERAL("t"));
    wire_out_array(out, false, 1);
    wire_out_i32(out, 0);
    wire_out_i16(out, 0);
    wire_out_i64(out, -1);
    wire_out_i64(out, fake.begin);
    wire_out_i32(out, fake.epoch);
}

static void put_epoch_end(struct buf *out)
{
    fake.n_ends++;
    wire_out_i32(out, 0);
    wire_out_array(out, false, 1);
    wire_out_string(out, false, STR_LITERAL("t"));
    wire_out_array(out, false, 1);
    wire_out_i16(out, 0);
    wire_out_i32(out, 0);
    wire_out_i32(out, fake.told_epoch);
    wire_out_i64(out, fake.epoch_end);
}

// Whole batches from that of the offset on.
static struct str records_at(int64_t offset)
{
    size_t batch = fake.log.n / BATCHES;
    size_t at = (size_t)(offset / BATCH_RECORDS) * batch;
    if (at >= fake.log.n)
        return (struct str){fake.log.p, 0};
    size_t n = fake.log.n - at;
    if (fake.most > 0 && n > fake.most * batch)
        n = fake.most * batch;
    return (struct str){fake.log.p + at, n - (size_t)fake.cut_tail};
}

static bool is_cut_back(void)
{
    return fake.truncated_to >= 0 && fake.n_cuts != 0 &&
           (!fake.minds_epochs || fake.last_epoch >= 0);
}

// In the records that were put last.
static void flip_bits(struct buf *out, struct str records)
{
    size_t from = (size_t)(records.p - fake.log.p);
    if (fake.n_flips == 0 || records.n == 0 || fake.flip_at < from)
        return;
    fake.n_flips -= fake.n_flips > 0;
    char *at = out->p + out->n - records.n + (fake.flip_at - from);
    *at = (char)((uint8_t)*at ^ fake.flip);
    fake.flip = fake.is_counting ? fake.flip % 100 + 1 : fake.flip;
}

static void put_partition(struct buf *out, int16_t version, int16_t code, int64_t offset)
{
    bool flexible = version >= 12;
    struct str records =
        code == 0 && !is_cut_back() ? records_at(offset) : (struct str){"", 0};
    wire_out_i32(out, 0);
    wire_out_i16(out, code);
    bool is_high = fake.n_high != 0;
    fake.n_high -= fake.n_high > 0;
    wire_out_i64(out, is_high ? fake.high : fake.end);
    wire_out_i64(out, fake.end);
    if (version >= 5)
        wire_out_i64(out, fake.begin);
    wire_out_array(out, flexible, 0);
    if (version >= 11)
        wire_out_i32(out, -1);
    if (flexible)
        wire_out_uvarint(out, (uint32_t)records.n + 1);
    else
        wire_out_i32(out, (int32_t)records.n);
    buf_str(out, records);
    flip_bits(out, records);
    if (flexible && is_cut_back()) {
        fake.n_cuts -= fake.n_cuts > 0;
        wire_out_uvarint(out, 1);
        wire_out_uvarint(out, 0);
        wire_out_uvarint(out, fake.wrong_tag ? 4 : 13);
        wire_out_i32(out, fake.epoch);
        if (!fake.wrong_tag) {
            wire_out_i64(out, fake.truncated_to);
            wire_out_no_tags(out, true);
        }
    } else {
        wire_out_no_tags(out, flexible);
    }
    wire_out_no_tags(out, flexible);
}

static int16_t code_of(int broker, int64_t offset)
{
    if (fake.wanted_id != 0 && fake.wanted_id != fake.held_id)
        return WIRE_UNKNOWN_TOPIC_ID;
    if (fake.n_codes != 0) {
        fake.n_codes -= fake.n_codes > 0;
        return fake.fetch_code;
    }
    if (fake.move_after > 0 && --fake.move_after == 0) {
        fake.leader = 1 - fake.leader;
        fake.epoch++;
    }
    if (broker != fake.leader)
        return WIRE_NOT_LEADER_OR_FOLLOWER;
    return offset < fake.begin || offset > fake.end ? WIRE_OFFSET_OUT_OF_RANGE : 0;
}

// FetchRequest.json: where the offset of the one partition stands, and the epochs of its
// leader and of what was read before it.
static int64_t wanted_offset(struct str request, int16_t version, int32_t *ret_epoch)
{
    struct wire_in in = wire_in_of(request);
    bool flexible = version >= 12;
    wire_in_take(&in, 17);
    wire_in_take(&in, version >= 7 ? 8 : 0);
    wire_in_array(&in, flexible, 1);
    fake.wanted_id = 0;
    if (version >= 13)
        fake.wanted_id = (uint8_t)wire_in_take(&in, 16).p[0];
    else
        wire_in_string(&in, flexible);
    wire_in_array(&in, flexible, 1);
    wire_in_i32(&in);
    *ret_epoch = version >= 9 ? wire_in_i32(&in) : -1;
    int64_t offset = wire_in_i64(&in);
    fake.last_epoch = version >= 12 ? wire_in_i32(&in) : -1;
    return offset;
}

static void put_fetch(struct buf *out, int broker, int16_t version, struct str request)
{
    bool flexible = version >= 12;
    int32_t epoch;
    int64_t offset = wanted_offset(request, version, &epoch);
    if (fake.n_fetches < (int)ARRAY_LEN(fake.fetched_ms))
        fake.fetched_ms[fake.n_fetches] = now_ms();
    fake.n_fetches++;
    wire_out_no_tags(out, flexible); // of the header
    wire_out_i32(out, fake.throttle_ms);
    if (version >= 7) {
        wire_out_i16(out, fake.whole_code);
        wire_out_i32(out, 0);
    }
    if (fake.whole_code != 0 || fake.is_missing) {
        wire_out_array(out, flexible, 0);
        wire_out_no_tags(out, flexible);
        return;
    }
    wire_out_array(out, flexible, 1);
    const char id[16] = {(char)fake.wanted_id};
    if (version >= 13)
        buf_append(out, id, sizeof(id));
    else
        wire_out_string(out, flexible, STR_LITERAL("t"));
    wire_out_array(out, flexible, 1);
    int16_t code = code_of(broker, offset);
    if (fake.checks_epochs && code == 0 && epoch >= 0 && epoch != fake.epoch)
        code = epoch > fake.epoch ? WIRE_UNKNOWN_LEADER_EPOCH : WIRE_FENCED_LEADER_EPOCH;
    put_partition(out, version, code, offset);
    wire_out_no_tags(out, flexible);
}

// The mutex is others' meanwhile.
static void wait_a_moment(void)
{
    pthread_mutex_unlock(&fake.mutex);
    usleep(2000);
    pthread_mutex_lock(&fake.mutex);
}

// The answer to one request; false: the connection ends.
static bool answer(int fd, int broker, struct str request)
{
    struct wire_in in = wire_in_of(request);
    struct buf out = {0};
    int16_t api = wire_in_i16(&in), version = wire_in_i16(&in);
    int32_t correlation = wire_in_i32(&in);
    wire_in_string(&in, false);
    wire_in_skip_tags(&in, (api == 1 && version >= 12) || (api == 3 && version >= 9));
    struct str rest = {(const char *)in.p, wire_in_left(&in)};
    wire_out_i32(&out, 0);
    wire_out_i32(&out, correlation + (api == 3 ? fake.wrong_correlation : 0));
    if (api == 18)
        put_versions(&out);
    else if (api == 3)
        put_metadata(&out);
    else if (api == 2)
        put_low(&out);
    else if (api == 23)
        put_epoch_end(&out);
    else
        put_fetch(&out, broker, version, rest);
    wire_request_end(&out, 0);
    size_t n = out.n;
    bool is_cut = api == 1 && fake.cut_answer_at >= 0;
    if (is_cut)
        n = (size_t)fake.cut_answer_at < n ? (size_t)fake.cut_answer_at : n;
    if (is_cut)
        fake.cut_answer_at = -1;
    fake.n_metadata[broker] += api == 3;
    if ((api == 1 && fake.is_ending) || (api == 3 && broker == fake.ending_broker)) {
        buf_release(&out);
        return false;
    }
    bool is_silent =
        (api == 1 && fake.is_silent) || (api == 2 && broker == fake.silent_low);
    bool is_long_poll = api == 1 && n < 100;
    while (api == 23 && fake.is_end_held && !fake.is_ended)
        wait_a_moment();
    pthread_mutex_unlock(&fake.mutex);
    if (is_long_poll)
        usleep(20000);
    bool is_sent = is_silent || send(fd, out.p, n, MSG_NOSIGNAL) == (ssize_t)n;
    buf_release(&out);
    pthread_mutex_lock(&fake.mutex);
    return is_sent && !is_cut;
}

static void serve(int fd, int broker)
{
    uint8_t size[4];
    bool is_good = true;
    while (is_good && read_all(fd, size, sizeof(size))) {
        uint32_t n = (uint32_t)size[0] << 24 | (uint32_t)size[1] << 16 |
                     (uint32_t)size[2] << 8 | size[3];
        char *request = mem_alloc(n + 1);
        is_good = read_all(fd, request, n);
        pthread_mutex_lock(&fake.mutex);
        if (fake.greeting != NULL) {
            send(fd, fake.greeting, fake.n_greeting, MSG_NOSIGNAL);
            is_good = false;
        }
        is_good =
            is_good && !fake.is_ended && answer(fd, broker, (struct str){request, n});
        pthread_mutex_unlock(&fake.mutex);
        free(request);
    }
    shutdown(fd, SHUT_WR);
    while (recv(fd, size, sizeof(size), 0) > 0)
        ;
    close(fd);
}

struct client {
    int fd, broker;
    pthread_t thread;
    _Atomic bool has_ended;
    struct client *next;
};

static void *serve_client(void *arg)
{
    struct client *client = arg;
    serve(client->fd, client->broker);
    atomic_store(&client->has_ended, true);
    return NULL;
}

// Those that have ended, or all; those that are left.
static struct client *join_clients(struct client *first, bool all)
{
    struct client **at = &first;
    while (*at != NULL) {
        struct client *client = *at;
        if (!all && !atomic_load(&client->has_ended)) {
            at = &client->next;
            continue;
        }
        pthread_join(client->thread, NULL);
        *at = client->next;
        free(client);
    }
    return first;
}

static void *accept_all(void *arg)
{
    int fd, broker = (int)(intptr_t)arg;
    struct client *clients = NULL;
    while ((fd = accept(fake.listener[broker], NULL, NULL)) >= 0) {
        struct client *client = mem_zalloc(sizeof(*client));
        client->fd = fd;
        client->broker = broker;
        client->next = join_clients(clients, false);
        clients = client;
        pthread_create(&client->thread, NULL, serve_client, client);
    }
    join_clients(clients, true);
    return NULL;
}

// ---- the cluster, and a stream of it

static void put_log(const char *hex)
{
    buf_clear(&fake.log);
    for (int64_t i = 0; i < BATCHES; i++) {
        wire_out_i64(&fake.log, i * BATCH_RECORDS); // the checksum does not count it
        for (const char *p = hex + 16; *p != '\0'; p += 2) {
            unsigned byte;
            sscanf(p, "%2x", &byte);
            buf_char(&fake.log, (char)byte);
        }
    }
}

static int open_fake(UNUSED void **state)
{
    fake = (struct fake){.mutex = PTHREAD_MUTEX_INITIALIZER,
                         .end = (int64_t)BATCHES * BATCH_RECORDS,
                         .fetch_version = 12,
                         .epoch = 3,
                         .topic_id = 1,
                         .held_id = 1,
                         .truncated_to = -1,
                         .n_cuts = -1,
                         .epoch_end = -2,
                         .silent_low = -1,
                         .ending_broker = -1,
                         .refresh_ms = 60000,
                         .high = -1,
                         .cut_answer_at = -1};
    pthread_mutex_lock(&fake.mutex);
    put_log(captured_batch_none);
    for (int i = 0; i < BROKERS; i++) {
        struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t size = sizeof(address);
        fake.listener[i] = socket(AF_INET, SOCK_STREAM, 0);
        bind(fake.listener[i], (struct sockaddr *)&address, size);
        listen(fake.listener[i], 16);
        getsockname(fake.listener[i], (struct sockaddr *)&address, &size);
        fake.port[i] = ntohs(address.sin_port);
        pthread_create(&fake.thread[i], NULL, accept_all, (void *)(intptr_t)i);
    }
    return 0;
}

static int close_fake(UNUSED void **state)
{
    fake.is_ended = true;
    pthread_mutex_unlock(&fake.mutex);
    for (int i = 0; i < BROKERS; i++) {
        shutdown(fake.listener[i], SHUT_RDWR);
        pthread_join(fake.thread[i], NULL);
        close(fake.listener[i]);
    }
    buf_release(&fake.log);
    return 0;
}

static enum status poll_stream(struct stream *stream, int ms, struct stream_event *ret,
                               struct err *err)
{
    pthread_mutex_unlock(&fake.mutex);
    enum status rc = stream->ops->poll(stream, ms, ret, err);
    pthread_mutex_lock(&fake.mutex);
    return rc;
}

static void close_stream(struct stream *stream)
{
    pthread_mutex_unlock(&fake.mutex);
    stream->ops->close(stream);
    pthread_mutex_lock(&fake.mutex);
}

static char addresses[64];

static struct wire_config config_of(void)
{
    snprintf(addresses, sizeof(addresses), "127.0.0.1:%d", fake.port[0]);
    return (struct wire_config){.brokers = addresses,
                                .topic = "t",
                                .group = "g",
                                .client_id = "test",
                                .n_partitions = 1,
                                .buffer_bytes = 1 << 20,
                                .run_records = 100,
                                .timeout_ms = 2000,
                                .refresh_ms = fake.refresh_ms};
}

static struct stream *open_with(const struct wire_config *config, int64_t offset)
{
    const struct stream_start start = {.partition = 0, .offset = offset};
    struct stream *stream;
    struct stream_event event;
    struct err err;
    assert_ok(wire_stream_open(config, &stream, &err), &err);
    assert_ok(poll_stream(stream, 0, &event, &err), &err);
    assert_int_equal(event.kind, STREAM_ASSIGN);
    assert_ok(stream->ops->start(stream, &start, 1, &err), &err);
    return stream;
}

static struct stream *open_at(int64_t offset)
{
    const struct wire_config config = config_of();
    return open_with(&config, offset);
}

// Polls for something else than IDLE.
static enum status poll_event(struct stream *stream, struct stream_event *ret,
                              struct err *err)
{
    enum status rc = ST_OK;
    int64_t end = now_ms() + PATIENCE_MS;
    do {
        rc = poll_stream(stream, 100, ret, err);
    } while (rc == ST_OK && ret->kind == STREAM_IDLE && now_ms() < end);
    return rc;
}

// All from `next` on to the end, each record once; trouble on the way is looked over.
static void read_to_end(struct stream *stream, int64_t next)
{
    struct stream_event event;
    struct err err;
    while (next < fake.end) {
        assert_ok(poll_event(stream, &event, &err), &err);
        if (event.kind == STREAM_TROUBLE)
            continue;
        assert_int_equal(event.kind, STREAM_RUN);
        assert_int_equal(event.run.first, next);
        assert_int_equal(event.run.n, event.run.next - event.run.first);
        for (size_t i = 0; i < event.run.n; i++)
            assert_int_equal(event.run.records[i].offset, next + (int64_t)i);
        next = event.run.next;
    }
    assert_int_equal(next, fake.end);
}

static void check_error(int64_t offset, enum status expected, const char *format)
{
    struct stream *stream = open_at(offset);
    struct stream_event event;
    struct err err = {0};
    char text[1024];
    enum status rc = ST_OK;
    for (int64_t end = now_ms() + PATIENCE_MS; rc == ST_OK && now_ms() < end;)
        rc = poll_event(stream, &event, &err);
    // %d: the first broker's port.
    const char *port = strstr(format, "%d");
    if (port == NULL)
        snprintf(text, sizeof(text), "%s", format);
    else
        snprintf(text, sizeof(text), "%.*s%d%s", (int)(port - format), format,
                 fake.port[0], port + 2);
    assert_status(rc, expected);
    assert_string_equal(err.text, text);
    close_stream(stream);
}

// ---- cases

static void test_all_versions_of_fetch(UNUSED void **state)
{
    for (int16_t version = 4; version <= 12; version++) {
        fake.fetch_version = version;
        struct stream *stream = open_at(1);
        read_to_end(stream, 1);
        close_stream(stream);
    }
}

static void test_a_leader_that_moves_is_followed(UNUSED void **state)
{
    fake.cut_tail = (int)(4 * fake.log.n / BATCHES); // a batch an answer
    for (int i = 1; i < 5; i++) {
        fake.move_after = i;
        fake.cut_tail = 0;
        struct stream *stream = open_at(0);
        read_to_end(stream, 0);
        close_stream(stream);
    }
}

static void test_errors_that_pass_are_tried_again(UNUSED void **state)
{
    static const int16_t codes[] = {3, 5, 6, 7, 9, 56, 74, 75, 78, -1};
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        fake.fetch_code = codes[i];
        fake.n_codes = 3;
        struct stream *stream = open_at(0);
        read_to_end(stream, 0);
        close_stream(stream);
    }
}

static void test_errors_that_stay_are_told_once(UNUSED void **state)
{
    struct stream_event event;
    struct err err;
    fake.fetch_code = 56;
    fake.n_codes = -1;
    struct stream *stream = open_at(4);
    assert_ok(poll_event(stream, &event, &err), &err);
    assert_int_equal(event.kind, STREAM_TROUBLE);
    assert_int_equal(event.trouble.partition, 0);
    assert_string_equal(event.trouble.reason,
                        "topic 't', partition 0, offset 4: KAFKA_STORAGE_ERROR");
    assert_ok(poll_stream(stream, 1500, &event, &err), &err);
    assert_int_equal(event.kind, STREAM_IDLE);
    fake.n_codes = 0;
    read_to_end(stream, 4);
    close_stream(stream);
}

// Neither is asked again and again without a pause.
static void test_answers_without_partitions_are_told(UNUSED void **state)
{
    struct stream_event event;
    struct err err;
    for (int i = 0; i < 2; i++) {
        fake.n_fetches = 0;
        fake.whole_code = i ? 0 : 7;
        fake.is_missing = i;
        struct stream *stream = open_at(4);
        int64_t begin = now_ms();
        assert_ok(poll_event(stream, &event, &err), &err);
        assert_int_equal(event.kind, STREAM_TROUBLE);
        assert_string_equal(event.trouble.reason,
                            i ? "topic 't', partition 0, offset 4: "
                                "UNKNOWN_TOPIC_OR_PARTITION"
                              : "topic 't', partition 0, offset 4: REQUEST_TIMED_OUT");
        assert_ok(poll_stream(stream, 1000, &event, &err), &err);
        assert_true(fake.n_fetches <= 5 + (now_ms() - begin) / 500);
        fake.whole_code = 0;
        fake.is_missing = false;
        read_to_end(stream, 4);
        close_stream(stream);
    }
}

static void test_errors_that_are_final(UNUSED void **state)
{
    fake.n_codes = -1;
    fake.fetch_code = WIRE_TOPIC_AUTHORIZATION_FAILED;
    check_error(4, ST_FAIL,
                "topic 't', partition 0, offset 4: the broker says "
                "TOPIC_AUTHORIZATION_FAILED");
    fake.fetch_code = WIRE_UNSUPPORTED_COMPRESSION_TYPE;
    check_error(4, ST_FAIL,
                "topic 't', partition 0, offset 4: the broker says "
                "UNSUPPORTED_COMPRESSION_TYPE");
}

static void test_a_log_that_was_cut_back_is_told(UNUSED void **state)
{
    fake.truncated_to = 5;
    check_error(9, ST_DATA,
                "broker 127.0.0.1:%d: topic 't', partition 0, offset 9: the log was cut "
                "back to offset 5 after it was read (an unclean election of a leader); "
                "give the result another path, or start over with tramline init --reset");
    fake.wrong_tag = 1;
    check_error(9, ST_DATA,
                "broker 127.0.0.1:%d: Fetch: a tagged field is cut at byte 57 of 59");
}

// Said once, and not again after a look at the topic, it is no word of the leader's.
static void test_a_cut_that_is_not_said_again_is_none(UNUSED void **state)
{
    struct stream_event event;
    struct err err;
    fake.truncated_to = 5;
    struct stream *stream = open_at(9);
    for (int i = 0; i < 2; i++) {
        fake.n_cuts = 1;
        if (i == 0)
            read_to_end(stream, 9);
        for (int64_t end = now_ms() + 1000; now_ms() < end;)
            assert_ok(poll_stream(stream, 100, &event, &err), &err);
        assert_int_equal(fake.n_cuts, 0);
    }
    close_stream(stream);
}

// A broker whose Fetch does not tell it is asked, once for each epoch of the leader; the
// batches are of epoch 0.
static void test_an_older_broker_is_asked_whether_its_log_was_cut(UNUSED void **state)
{
    fake.fetch_version = 11;
    fake.epoch_end = fake.end;
    struct stream *stream = open_at(0);
    struct stream_event event;
    struct err err;
    read_to_end(stream, 0);
    assert_ok(poll_stream(stream, 300, &event, &err), &err);
    assert_int_equal(fake.n_ends, 1);
    close_stream(stream);
    fake.epoch_end = 5;
    char expected[512];
    stream = open_at(0);
    enum status rc = ST_OK;
    for (int64_t end = now_ms() + PATIENCE_MS; rc == ST_OK && now_ms() < end;)
        rc = poll_event(stream, &event, &err);
    assert_status(rc, ST_DATA);
    snprintf(expected, sizeof(expected),
             "broker 127.0.0.1:%d: topic 't', partition 0, offset 15: the log was cut "
             "back to offset 5 after it was read (an unclean election of a leader); give "
             "the result another path, or start over with tramline init --reset",
             fake.port[0]);
    assert_string_equal(err.text, expected);
    close_stream(stream);
}

// Whoever leads now has never heard of the epoch of what was read.
static void test_an_epoch_that_the_leader_does_not_know_is_told(UNUSED void **state)
{
    fake.fetch_version = 11;
    fake.epoch_end = -1;
    check_error(
        12, ST_DATA,
        "broker 127.0.0.1:%d: topic 't', partition 0, offset 15: what was read "
        "before is of epoch 0, of which its leader knows nothing: the log was cut "
        "back or the topic recreated; give the result another path, or start over "
        "with tramline init --reset");
    assert_true(fake.n_ends >= 2); // and once more, after a look at the topic
}

// All runs up to the end tell that epoch.
static void read_epoch(struct stream *stream, int64_t next, int32_t epoch)
{
    struct stream_event event;
    struct err err;
    while (next < fake.end) {
        assert_ok(poll_event(stream, &event, &err), &err);
        assert_int_equal(event.kind, STREAM_RUN);
        for (int64_t i = next + 1; i <= event.run.next; i++)
            assert_int_equal(run_epoch_at(event.run.epochs, event.run.n_epochs, i, -1),
                             epoch);
        next = event.run.next;
    }
}

// Until that many answers to Metadata are on their way, of which the last was asked for
// when the one before was read.
static void poll_for_metadata(struct stream *stream, int broker, int n_more)
{
    struct stream_event event;
    struct err err;
    int wanted = fake.n_metadata[broker] + n_more;
    for (int64_t end = now_ms() + PATIENCE_MS; now_ms() < end;)
        if (fake.n_metadata[broker] < wanted)
            (void)poll_stream(stream, 20, &event, &err);
        else
            return;
    fail_msg("broker %d was not asked for Metadata", broker);
}

// The epoch of what was read may be one that the leader never had, though its log is long
// enough; or what it says of it.
static void test_an_epoch_before_it_is_not_the_epoch(UNUSED void **state)
{
    fake.fetch_version = 11;
    for (size_t i = 0; i < BATCHES; i++)
        fake.log.p[i * fake.log.n / BATCHES + 15] = 2;
    fake.epoch_end = fake.end;
    fake.told_epoch = 2;
    struct stream *stream = open_at(0);
    read_epoch(stream, 0, 2);
    close_stream(stream);
    fake.told_epoch = 1;
    check_error(
        12, ST_DATA,
        "broker 127.0.0.1:%d: topic 't', partition 0, offset 15: what was read "
        "before is of epoch 2, of which its leader knows nothing: the log was cut "
        "back or the topic recreated; give the result another path, or start over "
        "with tramline init --reset");
    fake.fetch_version = 12;
    fake.minds_epochs = true;
    fake.truncated_to = 20; // where the epoch before it ended, of the leader's log
    check_error(
        12, ST_DATA,
        "broker 127.0.0.1:%d: topic 't', partition 0, offset 15: what was read "
        "before is of epoch 2, of which its leader knows nothing: the log was cut "
        "back or the topic recreated; give the result another path, or start over "
        "with tramline init --reset");
}

// What a leader says of its log is nothing of the next one's.
static void test_each_leader_is_asked_whether_its_log_was_cut(UNUSED void **state)
{
    struct stream_event event;
    struct err err;
    fake.refresh_ms = 50;
    fake.fetch_version = 11;
    fake.epoch_end = fake.end;
    fake.is_end_held = true;
    struct stream *stream = open_at(0);
    read_to_end(stream, 0);
    while (fake.n_ends == 0)
        assert_ok(poll_stream(stream, 10, &event, &err), &err);
    fake.leader = 1;
    fake.epoch++;
    fake.epoch_end = 5; // of this one
    poll_for_metadata(stream, 0, 3);
    fake.is_end_held = false;
    enum status rc = ST_OK;
    for (int64_t end = now_ms() + PATIENCE_MS; rc == ST_OK && now_ms() < end;)
        rc = poll_event(stream, &event, &err);
    assert_status(rc, ST_DATA);
    assert_non_null(strstr(err.text, "offset 15: the log was cut back to offset 5"));
    close_stream(stream);
}

// A leader that was asked where the partition begins, and is none any more, owes nothing.
static void test_the_next_leader_is_asked_where_a_partition_begins(UNUSED void **state)
{
    struct stream_event event;
    struct err err;
    fake.refresh_ms = 50;
    fake.begin = 6;
    fake.silent_low = 0;
    struct stream *stream = open_at(2);
    while (fake.n_lows == 0)
        assert_ok(poll_stream(stream, 10, &event, &err), &err);
    fake.leader = 1;
    fake.epoch++;
    assert_ok(poll_event(stream, &event, &err), &err);
    assert_int_equal(event.kind, STREAM_GAP);
    assert_true(event.gap.wanted == 2 && event.gap.low == 6);
    close_stream(stream);
}

// What was asked over a connection is not waited for on the next one, which Metadata
// opened while nothing was read.
static void test_what_was_asked_ends_with_its_connection(UNUSED void **state)
{
    struct stream_event event;
    struct err err;
    fake.refresh_ms = 50;
    fake.leader = 1;
    fake.is_silent = true;
    struct stream *stream = open_at(0);
    while (fake.n_fetches == 0)
        assert_ok(poll_stream(stream, 10, &event, &err), &err);
    assert_ok(stream->ops->stop(stream, &err), &err);
    fake.ending_broker = 0;          // only the leader's answers are left,
    poll_for_metadata(stream, 1, 3); // of which the first is taken for a Fetch's
    fake.is_silent = false;
    const struct stream_start start = {.partition = 0, .offset = 0};
    assert_ok(stream->ops->start(stream, &start, 1, &err), &err);
    read_to_end(stream, 0);
    close_stream(stream);
}

static void test_a_gap_is_told_behind_what_was_read(UNUSED void **state)
{
    struct stream_event event;
    struct err err;
    fake.begin = 6;
    struct stream *stream = open_at(2);
    assert_ok(poll_event(stream, &event, &err), &err);
    assert_int_equal(event.kind, STREAM_GAP);
    assert_true(event.gap.partition == 0 && event.gap.wanted == 2 && event.gap.low == 6);
    assert_ok(poll_stream(stream, 500, &event, &err), &err);
    assert_int_equal(event.kind, STREAM_IDLE); // until it is started again
    const struct stream_start start = {.partition = 0, .offset = 6};
    assert_ok(stream->ops->start(stream, &start, 1, &err), &err);
    read_to_end(stream, 6);
    close_stream(stream);
}

// A broker that does not lead the partition may say so of an offset that is there.
static void test_an_offset_that_is_there_is_asked_for_again(UNUSED void **state)
{
    struct stream_event event;
    struct err err;
    fake.fetch_code = WIRE_OFFSET_OUT_OF_RANGE;
    for (fake.begin = 0; fake.begin <= 4; fake.begin += 4) {
        fake.n_codes = 4;
        struct stream *stream = open_at(4);
        read_to_end(stream, 4);
        close_stream(stream);
    }
    fake.begin = 4;
    fake.n_codes = -1;
    struct stream *stream = open_at(4);
    assert_ok(poll_event(stream, &event, &err), &err);
    assert_int_equal(event.kind, STREAM_GAP);
    assert_true(event.gap.wanted == 4 && event.gap.low == 4);
    close_stream(stream);
}

static void test_a_cut_tail_is_asked_for_again(UNUSED void **state)
{
    fake.cut_tail = 10;
    fake.end = (BATCHES - 1) * BATCH_RECORDS; // of which the fifth is never whole
    struct stream *stream = open_at(0);
    read_to_end(stream, 0);
    close_stream(stream);
}

static void test_an_answer_cut_at_any_byte_is_asked_for_again(UNUSED void **state)
{
    for (int at = 0; at < 1000; at += at < 100 ? 9 : 130) {
        fake.cut_answer_at = at;
        struct stream *stream = open_at(0);
        read_to_end(stream, 0);
        close_stream(stream);
    }
}

static void test_throttling_is_kept_to(UNUSED void **state)
{
    fake.throttle_ms = 300;
    struct stream *stream = open_at(0);
    read_to_end(stream, 0);
    struct stream_event event;
    struct err err;
    assert_ok(poll_stream(stream, 1000, &event, &err), &err);
    assert_in_range(fake.n_fetches, 3, 4);
    for (int i = 1; i < fake.n_fetches; i++)
        assert_in_range(fake.fetched_ms[i] - fake.fetched_ms[i - 1], 290, 600);
    close_stream(stream);
}

// Of which brokers leave nothing in an answer.
static void test_a_quota_with_nothing_left_is_no_error(UNUSED void **state)
{
    struct stream_event event;
    struct err err;
    struct wire_config config = config_of();
    config.timeout_ms = 300;
    fake.throttle_ms = 1;
    fake.is_missing = true;
    int64_t begin_ms = now_ms();
    struct stream *stream = open_with(&config, 4);
    while (fake.n_fetches < 10) {
        assert_ok(poll_stream(stream, 20, &event, &err), &err);
        assert_int_equal(event.kind, STREAM_IDLE);
    }
    assert_ok(poll_event(stream, &event, &err), &err);
    assert_int_equal(event.kind, STREAM_TROUBLE); // it goes on
    assert_true(now_ms() - begin_ms >= 6 * config.timeout_ms);
    assert_string_equal(event.trouble.reason,
                        "topic 't', partition 0, offset 4: THROTTLING_QUOTA_EXCEEDED");
    fake.is_missing = false;
    read_to_end(stream, 4);
    assert_int_equal(fake.n_metadata[0], 1);
    close_stream(stream);
}

static void test_a_broker_without_progress_is_told(UNUSED void **state)
{
    fake.cut_tail = 10;
    fake.end = BATCHES * BATCH_RECORDS;
    check_error(BATCHES * BATCH_RECORDS - 1, ST_DATA,
                "broker 127.0.0.1:%d: topic 't', partition 0, offset 14: the broker's "
                "answers have no batch of that offset");
}

// The second is asked for before the first is read, and no third.
static void test_two_answers_wait_at_most(UNUSED void **state)
{
    struct stream_event event;
    struct err err;
    fake.most = 2;
    struct stream *stream = open_at(0);
    stream->ops->hold(stream, true);
    for (int64_t end = now_ms() + 500; now_ms() < end;)
        assert_ok(poll_stream(stream, 50, &event, &err), &err);
    assert_int_equal(fake.n_fetches, 2);
    stream->ops->hold(stream, false);
    read_to_end(stream, 0);
    assert_true(fake.n_fetches >= 3);
    close_stream(stream);
}

static void change_log(size_t batch, size_t at, int byte)
{
    fake.log.p[batch * fake.log.n / BATCHES + at] = (char)byte;
}

static void test_bad_bytes_are_told_with_their_place(UNUSED void **state)
{
    change_log(2, 100, 'x');
    check_error(0, ST_DATA,
                "topic 't', partition 0: the batch at offset 6: its bytes do not match "
                "their checksum");
    put_log(captured_batch_none);
    change_log(2, 16, 1);
    check_error(0, ST_DATA,
                "topic 't', partition 0: the batch at offset 6 has format 1, of before "
                "Kafka 0.11; client = 'librdkafka' reads it");
    put_log(captured_batch_none);
    change_log(2, 7, 5);
    check_error(0, ST_DATA,
                "topic 't', partition 0: the batch at offset 5 comes behind offset 5");
    put_log(captured_batch_none);
    change_log(4, 8, 1); // its length: 16 MB more than there is
    check_error(12, ST_LIMIT,
                "broker 127.0.0.1:%d: topic 't', partition 0, offset 12: a batch of "
                "16777397 bytes is larger than source.buffer, 1048576 bytes");
}

// An epoch above which no leader comes is not believed for ever, and there is a word.
static void test_an_epoch_that_never_was_is_forgotten(UNUSED void **state)
{
    for (fake.wrong_leader = 0; fake.wrong_leader <= BROKERS; fake.wrong_leader++) {
        struct stream_event event;
        struct err err;
        fake.checks_epochs = true;
        fake.n_wrong_epochs = 1;
        struct stream *stream = open_at(0);
        assert_ok(poll_event(stream, &event, &err), &err);
        assert_int_equal(event.kind, STREAM_TROUBLE);
        read_to_end(stream, 0);
        close_stream(stream);
    }
}

// No checksum covers a batch's epoch and its base offset.
static void test_batches_that_cannot_be_are_told(UNUSED void **state)
{
    change_log(2, 12, 1); // 1 << 24
    check_error(0, ST_DATA,
                "topic 't', partition 0: the batch at offset 6 is of epoch 16777216, and "
                "its leader is of epoch 3");
    put_log(captured_batch_none);
    change_log(3, 4, 1); // 1 << 24, beyond the end
    check_error(0, ST_DATA,
                "broker 127.0.0.1:%d: topic 't', partition 0, offset 9: the broker sends "
                "batches behind the partition's end, offset 15");
}

// One bit, in any batch, below or above the others' and not beyond the leader's.
static void test_an_epoch_changed_on_its_way_is_not_believed(UNUSED void **state)
{
    for (size_t i = 0; i < BATCHES; i++)
        fake.log.p[i * fake.log.n / BATCHES + 15] = 2;
    for (size_t i = 0; i < BATCHES; i++)
        for (fake.flip = 1; fake.flip <= 8; fake.flip = (uint8_t)(fake.flip * 2)) {
            fake.flip_at = i * fake.log.n / BATCHES + 15;
            fake.n_flips = 1;
            struct stream *stream = open_at(1);
            read_epoch(stream, 1, 2);
            close_stream(stream);
            assert_int_equal(fake.n_flips, 0);
        }
}

// Nor is a broker asked for ever that tells another one with each answer.
static void test_an_epoch_that_is_never_the_same_is_told(UNUSED void **state)
{
    fake.epoch = 1000;
    fake.flip_at = fake.log.n / BATCHES + 15;
    fake.flip = 1;
    fake.n_flips = -1;
    fake.is_counting = true;
    check_error(0, ST_DATA,
                "broker 127.0.0.1:%d: topic 't', partition 0, offset 3: the broker tells "
                "another epoch of the next batch with each answer");
}

// One that is said twice is one: the leader changed.
static void test_an_epoch_that_is_said_again_is_believed(UNUSED void **state)
{
    fake.epoch = 3;
    fake.log.p[(BATCHES - 1) * fake.log.n / BATCHES + 15] = 3;
    struct stream *stream = open_at(12);
    read_epoch(stream, 12, 3);
    struct stream_event event;
    struct err err;
    while (fake.last_epoch != 3)
        assert_ok(poll_stream(stream, 10, &event, &err), &err);
    close_stream(stream);
}

// The end is looked up before the batches are, which may be newer.
static void test_an_end_that_moves_is_no_error(UNUSED void **state)
{
    for (fake.high = 0; fake.high < fake.end; fake.high++) {
        fake.n_high = 3;
        struct stream *stream = open_at(0);
        read_to_end(stream, 0);
        close_stream(stream);
    }
    fake.high = -1; // not told
    fake.n_high = -1;
    struct stream *stream = open_at(0);
    read_to_end(stream, 0);
    close_stream(stream);
}

static void test_compressed_batches(UNUSED void **state)
{
    static const char *const logs[] = {captured_batch_gzip, captured_batch_snappy,
                                       captured_batch_zstd};
    for (size_t i = 0; i < ARRAY_LEN(logs); i++) {
        put_log(logs[i]);
        struct stream *stream = open_at(0);
        read_to_end(stream, 0);
        close_stream(stream);
    }
}

static void test_held_partitions_wait(UNUSED void **state)
{
    struct stream_event event;
    struct err err;
    struct stream *stream = open_at(1);
    assert_ok(poll_event(stream, &event, &err), &err);
    assert_true(event.kind == STREAM_RUN && event.run.n > 3);
    stream->ops->hold_back(stream, 0, 3); // of 1, 2 and 3
    assert_ok(poll_stream(stream, 300, &event, &err), &err);
    assert_int_equal(event.kind, STREAM_IDLE);
    stream->ops->release(stream, 0);
    assert_ok(poll_event(stream, &event, &err), &err);
    assert_true(event.kind == STREAM_RUN && event.run.first == 4);
    stream->ops->hold_back(stream, 0, 0);
    stream->ops->release(stream, 0);
    read_to_end(stream, 4);
    close_stream(stream);
}

// Of the batch that has this offset: 0, 1, 1, 2, 2.
static int32_t epoch_of(int64_t offset)
{
    return (int32_t)(offset / BATCH_RECORDS + 1) / 2;
}

// The leader is of a later one.
static void put_epochs(void)
{
    fake.epoch = BATCHES - 1;
    for (size_t i = 0; i < BATCHES; i++)
        fake.log.p[i * fake.log.n / BATCHES + 15] =
            (char)epoch_of((int64_t)i * BATCH_RECORDS);
}

// Of the first n_used records from `from` on; read on behind them.
static struct stream *hold_back_and_release(int64_t from, size_t n_used)
{
    struct stream_event event;
    struct err err;
    struct stream *stream = open_at(from);
    assert_ok(poll_event(stream, &event, &err), &err);
    assert_true(event.kind == STREAM_RUN && event.run.n > n_used);
    stream->ops->hold_back(stream, 0, n_used);
    assert_ok(poll_stream(stream, 300, &event, &err), &err);
    stream->ops->release(stream, 0);
    return stream;
}

// Where it goes on it says of which epoch the batch before is.
static void test_held_partitions_know_their_epoch(UNUSED void **state)
{
    static const struct {
        int64_t from;
        size_t n_used;
        int32_t epoch;
    } cases[] = {{0, 1, 0}, {0, 3, 0}, {0, 4, 1}, {4, 2, 1},
                 {4, 5, 1}, {4, 6, 2}, {4, 0, 1}, {0, 0, -1}};
    put_epochs();
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct stream *stream = hold_back_and_release(cases[i].from, cases[i].n_used);
        struct stream_event event;
        struct err err;
        fake.n_fetches = 0;
        fake.is_silent = true;
        while (fake.n_fetches == 0)
            assert_ok(poll_stream(stream, 10, &event, &err), &err);
        assert_int_equal(fake.last_epoch, cases[i].epoch);
        fake.is_silent = false;
        close_stream(stream);
    }
}

static void test_a_log_cut_back_while_a_partition_is_held_is_told(UNUSED void **state)
{
    struct stream_event event;
    struct err err;
    fake.minds_epochs = true;
    struct stream *stream = open_at(1);
    assert_ok(poll_event(stream, &event, &err), &err);
    stream->ops->hold_back(stream, 0, 3); // of 1, 2 and 3
    fake.truncated_to = 2;
    stream->ops->release(stream, 0);
    enum status rc = ST_OK;
    for (int64_t end = now_ms() + PATIENCE_MS; rc == ST_OK && now_ms() < end;)
        rc = poll_event(stream, &event, &err);
    assert_status(rc, ST_DATA);
    assert_non_null(strstr(err.text, "topic 't', partition 0, offset 4: the log was cut "
                                     "back to offset 2 after it was read"));
    close_stream(stream);
}

static void test_runs_tell_epochs(UNUSED void **state)
{
    struct stream_event event;
    struct err err;
    put_epochs();
    struct stream *stream = open_at(4);
    assert_ok(poll_event(stream, &event, &err), &err);
    const struct run *run = &event.run;
    assert_true(run->first == 4 && run->next > 6);
    for (int64_t next = 5; next <= run->next; next++)
        assert_int_equal(run_epoch_at(run->epochs, run->n_epochs, next, -1),
                         epoch_of(next - 1));
    close_stream(stream);
}

// The epoch that an owner knows from before is the one that the first fetch says.
static void test_a_start_knows_its_epoch(UNUSED void **state)
{
    const struct wire_config config = config_of();
    const struct stream_start start = {0, 6, leader_epoch_of(2)};
    struct stream *stream;
    struct stream_event event;
    struct err err;
    fake.minds_epochs = true;
    fake.truncated_to = 4;
    assert_ok(wire_stream_open(&config, &stream, &err), &err);
    assert_ok(poll_stream(stream, 0, &event, &err), &err);
    assert_ok(stream->ops->start(stream, &start, 1, &err), &err);
    enum status rc = ST_OK;
    for (int64_t end = now_ms() + PATIENCE_MS; rc == ST_OK && now_ms() < end;)
        rc = poll_event(stream, &event, &err);
    assert_status(rc, ST_DATA);
    assert_int_equal(fake.last_epoch, 2);
    assert_non_null(strstr(err.text, "offset 6: the log was cut back to offset 4"));
    close_stream(stream);
}

// The id of a topic is its 16 bytes in the base 64 for addresses, as Kafka's tools have
// it: the first byte is 1, the others are 0.
static void test_records_are_asked_for_by_the_topics_id(UNUSED void **state)
{
    struct stream_event event;
    struct err err;
    fake.fetch_version = 13;
    struct stream *stream = open_at(0);
    assert_ok(poll_event(stream, &event, &err), &err);
    assert_int_equal(event.kind, STREAM_RUN);
    assert_str(event.run.topic_id, "AQAAAAAAAAAAAAAAAAAAAA");
    close_stream(stream);
    fake.fetch_version = 12;
    stream = open_at(0);
    assert_ok(poll_event(stream, &event, &err), &err);
    assert_int_equal(event.run.topic_id.n, 0);
    close_stream(stream);
    fake.fetch_version = 13;
    fake.topic_id = 0; // brokers on their way to ids tell none
    stream = open_at(0);
    assert_ok(poll_event(stream, &event, &err), &err);
    assert_int_equal(event.run.topic_id.n, 0);
    close_stream(stream);
}

// Nothing of it is read, also while Metadata tells the id of before.
static void test_another_topic_under_the_name_is_not_read(UNUSED void **state)
{
    struct stream_event event;
    struct err err;
    fake.fetch_version = 13;
    fake.held_id = 2;
    struct stream *stream = open_at(0);
    for (int64_t end = now_ms() + 500; now_ms() < end;) {
        assert_ok(poll_stream(stream, 100, &event, &err), &err);
        assert_int_not_equal(event.kind, STREAM_RUN);
    }
    fake.topic_id = 2;
    enum status rc = ST_OK;
    for (int64_t end = now_ms() + PATIENCE_MS; rc == ST_OK && now_ms() < end;) {
        rc = poll_event(stream, &event, &err);
        assert_true(rc != ST_OK || event.kind == STREAM_TROUBLE);
    }
    assert_status(rc, ST_DATA);
    assert_string_equal(err.text, "topic 't' was recreated while it was read; "
                                  "give the result another path, or start over with "
                                  "tramline init --reset");
    close_stream(stream);
}

static void test_the_topic_of_before_is_wanted(UNUSED void **state)
{
    struct stream *stream = open_at(0);
    struct stream_event event;
    struct err err;
    read_to_end(stream, 0);
    fake.topic_id = 2;
    fake.fetch_code = WIRE_UNKNOWN_LEADER_EPOCH; // makes it look
    fake.n_codes = 1;
    assert_status(poll_event(stream, &event, &err), ST_DATA);
    assert_string_equal(err.text, "topic 't' was recreated while it was read; "
                                  "give the result another path, or start over with "
                                  "tramline init --reset");
    close_stream(stream);
    stream = open_at(0);
    read_to_end(stream, 0);
    fake.topic_id = 3;
    fake.truncated_to = 5; // as it looks from an offset of before
    assert_status(poll_event(stream, &event, &err), ST_DATA);
    assert_string_equal(err.text, "topic 't' was recreated while it was read; "
                                  "give the result another path, or start over with "
                                  "tramline init --reset");
    close_stream(stream);
    fake.truncated_to = -1;
    fake.n_codes = 0;
    char expected[128];
    fake.topic_code = WIRE_UNKNOWN_TOPIC_OR_PARTITION;
    stream = open_at(0);
    assert_status(poll_event(stream, &event, &err), ST_NOT_FOUND);
    snprintf(expected, sizeof(expected), "topic 't' is not on the brokers %s", addresses);
    assert_string_equal(err.text, expected);
    close_stream(stream);
    fake.topic_code = WIRE_TOPIC_AUTHORIZATION_FAILED;
    check_error(0, ST_FAIL, "topic 't' cannot be read: TOPIC_AUTHORIZATION_FAILED");
}

static void test_metadata_that_lies(UNUSED void **state)
{
    fake.wrong_partition = 1;
    check_error(0, ST_DATA,
                "broker 127.0.0.1:%d: topic 't': Metadata: a partition is not right");
    fake.wrong_partition = 0;
    fake.wrong_broker = 1;
    check_error(0, ST_DATA,
                "broker 127.0.0.1:%d: topic 't': Metadata: a broker is not right");
    fake.wrong_broker = 0;
    fake.n_strangers = 10000;
    check_error(0, ST_LIMIT,
                "broker 127.0.0.1:%d: topic 't': Metadata: more than 10000 brokers");
}

static void check_unreachable(const char *reason, bool is_final)
{
    char text[512];
    snprintf(text, sizeof(text),
             "brokers 127.0.0.1:%d cannot be reached: 127.0.0.1:%d: %s", fake.port[0],
             fake.port[0], reason);
    struct stream *stream = open_at(0);
    struct stream_event event;
    struct err err = {0};
    assert_status(poll_event(stream, &event, &err), is_final ? ST_FAIL : ST_RETRY);
    assert_string_equal(err.text, text);
    if (is_final) {
        close_stream(stream);
        return;
    }
    assert_ok(poll_stream(stream, 300, &event, &err), &err); // told once
    fake.greeting = NULL;
    fake.wrong_correlation = 0;
    fake.fetch_version = 12;
    read_to_end(stream, 0); // and gone on with, once it can be
    close_stream(stream);
}

static void greet_by(const char *bytes, size_t n)
{
    fake.greeting = bytes;
    fake.n_greeting = n;
}

static void test_what_is_no_broker_is_named(UNUSED void **state)
{
    greet_by("HTTP/1.1 400 Bad Request\r\n\r\n", 28);
    check_unreachable("an HTTP server answers there; give the port of a Kafka broker",
                      true);
    greet_by("\x15\x03\x03\x00\x02\x02\x46", 7);
    check_unreachable("TLS is wanted there; see the options kafka.security.protocol, "
                      "kafka.ssl.* and kafka.sasl.*",
                      true);
    greet_by("", 0);
    check_unreachable("the connection was ended before anything was answered; see the "
                      "options kafka.security.protocol, kafka.ssl.* and kafka.sasl.*",
                      false);
    greet_by("\x00\x00\x00\x02  ", 6);
    check_unreachable("the size of its answer is not right", false);
    greet_by("\xff\xff\xff\xff", 4);
    check_unreachable("the size of its answer is not right", false);
    greet_by("\x7f\x00\x00\x00", 4);
    check_unreachable("the size of its answer is not right", false);
    fake.wrong_correlation = 1;
    check_unreachable("its answer is to another request", false);
    fake.fetch_version = 3;
    check_unreachable("it takes no version of Fetch or Metadata that is known here; see "
                      "client = 'librdkafka'",
                      false);
}

static void test_nobody_there_is_told(UNUSED void **state)
{
    struct wire_config config = config_of();
    struct stream *stream;
    struct stream_event event;
    struct err err;
    close_fake(NULL);
    pthread_mutex_lock(&fake.mutex);
    char expected[256];
    snprintf(expected, sizeof(expected),
             "brokers %s cannot be reached: %s: Connection refused", addresses,
             addresses);
    assert_ok(wire_stream_open(&config, &stream, &err), &err);
    assert_ok(poll_stream(stream, 0, &event, &err), &err);
    assert_status(poll_event(stream, &event, &err), ST_RETRY);
    assert_string_equal(err.text, expected);
    assert_ok(poll_stream(stream, 1000, &event, &err), &err);
    close_stream(stream);
    pthread_mutex_unlock(&fake.mutex);
    open_fake(NULL);
}

// A listener that takes connections, and says nothing; or none: no answer to a SYN.
static int listen_silently(bool takes, int *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    bind(fd, (struct sockaddr *)&address, size);
    listen(fd, takes ? 16 : 0);
    getsockname(fd, (struct sockaddr *)&address, &size);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

// Nor is a machine that is off waited for as long as an answer may take.
static void test_a_silent_broker_is_not_waited_for_alone(UNUSED void **state)
{
    struct wire_config config = config_of();
    struct err err;
    char two[64];
    int port, fd = listen_silently(true, &port);
    snprintf(two, sizeof(two), "127.0.0.1:%d,127.0.0.1:%d", port, fake.port[0]);
    config.brokers = two;
    config.timeout_ms = 10 * PATIENCE_MS;
    struct stream *stream = open_with(&config, 0);
    read_to_end(stream, 0);
    close_stream(stream);

    const struct wire_asking_config asking = {.brokers = two,
                                              .topic = "t",
                                              .client_id = "test",
                                              .timeout_ms = 5000,
                                              .most_bytes = 1 << 20};
    struct wire_lookup lookup;
    struct wire_shape shape;
    assert_ok(wire_lookup_open(&lookup, &asking, &err), &err);
    pthread_mutex_unlock(&fake.mutex);
    enum status rc = wire_lookup_shape(&lookup, &shape, &err);
    pthread_mutex_lock(&fake.mutex);
    assert_ok(rc, &err);
    assert_int_equal(shape.partitions, 1);
    wire_lookup_close(&lookup);
    close(fd);
}

// Connects until nobody would answer another one.
static size_t fill(int port, int *fds, size_t n)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    for (size_t i = 0; i < n; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        connect(fds[i], (struct sockaddr *)&address, sizeof(address));
        struct pollfd fd = {.fd = fds[i], .events = POLLOUT};
        if (poll(&fd, 1, 100) == 0)
            return i + 1;
    }
    fail_msg("each connection was answered");
    return 0;
}

static struct addrinfo *address_of(int port)
{
    char text[12];
    const struct addrinfo hints = {
        .ai_family = AF_INET, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST};
    struct addrinfo *found;
    snprintf(text, sizeof(text), "%d", port);
    assert_int_equal(getaddrinfo("127.0.0.1", text, &hints, &found), 0);
    return found;
}

// A name may have an address at which nothing is any more.
static void test_an_address_that_says_nothing_has_half_of_the_time(UNUSED void **state)
{
    int fds[16], port, fd = listen_silently(false, &port);
    size_t n = fill(port, fds, ARRAY_LEN(fds));
    const struct wire_client client = {
        .id = STR_LITERAL("c"), .timeout_ms = 1000, .wake_fd = -1, .most_bytes = 1 << 20};
    struct wire_connection c;
    wire_connection_init(&c, &client, STR_LITERAL("127.0.0.1"), port);
    wire_connection_open(&c, 5000);
    assert_int_equal(c.state, WIRE_CONNECTING);
    c.found->ai_next = address_of(fake.port[0]);
    wire_connection_work(&c, 5499, 1 << 20);
    assert_ptr_equal(c.address, c.found);
    int64_t until_ms = 9000;
    wire_connection_wait(&c, &until_ms);
    assert_int_equal(until_ms, 5500);
    wire_connection_work(&c, 5500, 1 << 20);
    assert_ptr_equal(c.address, c.found->ai_next);
    pthread_mutex_unlock(&fake.mutex);
    for (int i = 0; i < PATIENCE_MS && c.state != WIRE_READY; i++) {
        usleep(1000);
        wire_connection_work(&c, 5999, 1 << 20);
    }
    pthread_mutex_lock(&fake.mutex);
    assert_int_equal(c.state, WIRE_READY);
    wire_connection_release(&c);
    for (size_t i = 0; i < n; i++)
        close(fds[i]);
    close(fd);
}

// A leader that is there and says nothing: told, and waited for no longer than that.
static void test_a_silent_leader_is_told(UNUSED void **state)
{
    struct stream_event event;
    struct err err;
    fake.is_silent = true;
    struct stream *stream = open_at(0);
    int64_t begin = now_ms();
    do {
        assert_ok(poll_event(stream, &event, &err), &err);
    } while (event.kind != STREAM_TROUBLE && now_ms() - begin < 2 * PATIENCE_MS);
    assert_int_equal(event.kind, STREAM_TROUBLE);
    char expected[256];
    snprintf(expected, sizeof(expected),
             "topic 't', partition 0, offset 0: 127.0.0.1:%d: no answer within 2000 ms",
             fake.port[0]);
    assert_string_equal(event.trouble.reason, expected);
    fake.is_silent = false;
    read_to_end(stream, 0);
    close_stream(stream);
}

static void test_a_leader_that_ends_connections_is_told(UNUSED void **state)
{
    struct stream_event event;
    struct err err;
    struct stream *stream = open_at(0);
    read_to_end(stream, 0);
    fake.is_ending = true;
    assert_ok(poll_event(stream, &event, &err), &err);
    assert_int_equal(event.kind, STREAM_TROUBLE);
    char expected[256];
    snprintf(expected, sizeof(expected),
             "topic 't', partition 0, offset 15: 127.0.0.1:%d: the broker ended the "
             "connection",
             fake.port[0]);
    assert_string_equal(event.trouble.reason, expected);
    fake.is_ending = false;
    const struct stream_start start = {.partition = 0, .offset = 3};
    assert_ok(stream->ops->start(stream, &start, 1, &err), &err);
    read_to_end(stream, 3);
    close_stream(stream);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, open_fake, close_fake)

TEST_MAIN(
    CASE(test_all_versions_of_fetch), CASE(test_a_leader_that_moves_is_followed),
    CASE(test_errors_that_pass_are_tried_again),
    CASE(test_errors_that_stay_are_told_once),
    CASE(test_answers_without_partitions_are_told), CASE(test_errors_that_are_final),
    CASE(test_a_log_that_was_cut_back_is_told),
    CASE(test_a_cut_that_is_not_said_again_is_none),
    CASE(test_an_older_broker_is_asked_whether_its_log_was_cut),
    CASE(test_an_epoch_that_the_leader_does_not_know_is_told),
    CASE(test_an_epoch_before_it_is_not_the_epoch),
    CASE(test_each_leader_is_asked_whether_its_log_was_cut),
    CASE(test_the_next_leader_is_asked_where_a_partition_begins),
    CASE(test_what_was_asked_ends_with_its_connection),
    CASE(test_a_gap_is_told_behind_what_was_read),
    CASE(test_an_offset_that_is_there_is_asked_for_again),
    CASE(test_an_epoch_that_never_was_is_forgotten),
    CASE(test_batches_that_cannot_be_are_told),
    CASE(test_an_epoch_changed_on_its_way_is_not_believed),
    CASE(test_an_epoch_that_is_never_the_same_is_told),
    CASE(test_an_epoch_that_is_said_again_is_believed),
    CASE(test_an_end_that_moves_is_no_error), CASE(test_a_cut_tail_is_asked_for_again),
    CASE(test_an_answer_cut_at_any_byte_is_asked_for_again),
    CASE(test_throttling_is_kept_to), CASE(test_a_quota_with_nothing_left_is_no_error),
    CASE(test_two_answers_wait_at_most), CASE(test_a_broker_without_progress_is_told),
    CASE(test_bad_bytes_are_told_with_their_place), CASE(test_compressed_batches),
    CASE(test_held_partitions_wait), CASE(test_held_partitions_know_their_epoch),
    CASE(test_a_log_cut_back_while_a_partition_is_held_is_told),
    CASE(test_runs_tell_epochs), CASE(test_a_start_knows_its_epoch),
    CASE(test_records_are_asked_for_by_the_topics_id),
    CASE(test_another_topic_under_the_name_is_not_read),
    CASE(test_the_topic_of_before_is_wanted), CASE(test_metadata_that_lies),
    CASE(test_what_is_no_broker_is_named), CASE(test_nobody_there_is_told),
    CASE(test_a_silent_broker_is_not_waited_for_alone),
    CASE(test_an_address_that_says_nothing_has_half_of_the_time),
    CASE(test_a_silent_leader_is_told), CASE(test_a_leader_that_ends_connections_is_told))
