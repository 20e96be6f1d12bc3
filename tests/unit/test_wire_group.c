// SPDX-License-Identifier: Apache-2.0
// A member of client = 'native' in a group whose coordinator does on purpose what real
// ones do seldom. Two brokers, of which one is the coordinator; the group has one member.
// Requests and answers are written here by the message definitions of the protocol.
// test: takes 25
// test: waits
#include "test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/env.h"
#include "wire/api.h"
#include "wire/stream.h"

enum {
    BROKERS = 2,
    PATIENCE_MS = 10000,
    SESSION_MS = 1500,
    CALLS_MAX = 400,
    METADATA = 3,
    FIND = 10,
    JOIN = 11,
    BEAT = 12,
    LEAVE = 13,
    SYNC = 14,
    COMMIT = 8,
    DEAD = 5, // a broker's number
    DESCRIBE = 15,
    APIS = 19,
};

// A request of a member as it came.
struct call {
    int api, broker;
    char member[32], instance[32];
    int32_t generation;
};

// What the cluster does; changed under the mutex only.
struct fake {
    pthread_mutex_t mutex;
    int listener[BROKERS], port[BROKERS];
    pthread_t thread[BROKERS];
    bool is_ended;
    int coordinator, n_partitions;
    int16_t most[APIS]; // the latest version that it takes; 0: its own latest
    int16_t code[APIS]; // of the next answers
    int n_codes[APIS];  // so many of them; -1: all
    int n_silent[APIS]; // so many are not answered
    int cut_at[APIS];   // bytes of the next answer, then the connection ends; -1
    bool wants_id;      // a dynamic member is given one first
    int32_t generation;
    int n_ids, n_wrong; // ids that were given; answers that are garbage
    int n_unreadable;   // assignments that nobody can read; -1: all
    int n_empty;        // that have no byte
    int n_described;    // members of the group, as it says
    int n_looks;        // how often it was asked
    bool is_preparing;  // a rebalance, as it says
    int n_dead;         // so often the coordinator is said to be where nobody is
    int n_commits;
    struct call calls[CALLS_MAX];
    int n_calls;
};

static struct fake fake;

static int64_t now_ms(void)
{
    return env_system()->ops->monotonic_ms(env_system());
}

static int16_t most_of(int api)
{
    static const int16_t most[APIS] = {
        [1] = 12,   [2] = 5,     [METADATA] = 12, [8] = 2,        [FIND] = 2, [JOIN] = 9,
        [BEAT] = 4, [LEAVE] = 5, [SYNC] = 5,      [DESCRIBE] = 4, [18] = 3};
    return fake.most[api] ? fake.most[api] : most[api];
}

static int16_t code_of(int api)
{
    if (fake.n_codes[api] == 0)
        return 0;
    fake.n_codes[api] -= fake.n_codes[api] > 0;
    return fake.code[api];
}

// ---- answers

static void put_versions(struct buf *out)
{
    static const int16_t apis[] = {1,    2,     METADATA, 8,        FIND, JOIN,
                                   BEAT, LEAVE, SYNC,     DESCRIBE, 18};
    wire_out_i16(out, 0);
    wire_out_array(out, false, ARRAY_LEN(apis));
    for (size_t i = 0; i < ARRAY_LEN(apis); i++) {
        wire_out_i16(out, apis[i]);
        wire_out_i16(out, 0);
        wire_out_i16(out, most_of(apis[i]));
    }
}

static void put_metadata(struct buf *out)
{
    const char id[16] = {1};
    wire_out_i32(out, 0);
    wire_out_array(out, true, BROKERS);
    for (int i = 0; i < BROKERS; i++) {
        wire_out_i32(out, i);
        wire_out_string(out, true, STR_LITERAL("127.0.0.1"));
        wire_out_i32(out, fake.port[i]);
        wire_out_string(out, true, (struct str){0});
        wire_out_no_tags(out, true);
    }
    wire_out_string(out, true, STR_LITERAL("cluster"));
    wire_out_i32(out, 0);
    wire_out_array(out, true, 1);
    wire_out_i16(out, 0);
    wire_out_string(out, true, STR_LITERAL("t"));
    buf_append(out, id, sizeof(id));
    wire_out_i8(out, 0);
    wire_out_array(out, true, (size_t)fake.n_partitions);
    for (int32_t p = 0; p < fake.n_partitions; p++) {
        wire_out_i16(out, 0);
        wire_out_i32(out, p);
        wire_out_i32(out, 7); // a leader that is not there: nothing is fetched
        wire_out_i32(out, 1);
        for (int i = 0; i < 3; i++)
            wire_out_array(out, true, 0);
        wire_out_no_tags(out, true);
    }
    wire_out_i32(out, 0);
    wire_out_no_tags(out, true);
    wire_out_no_tags(out, true);
}

static void put_coordinator(struct buf *out)
{
    int16_t code = code_of(FIND);
    wire_out_i32(out, 0);
    wire_out_i16(out, code);
    wire_out_string(out, false, (struct str){0});
    bool is_dead = fake.n_dead > 0;
    fake.n_dead -= is_dead;
    wire_out_i32(out, code != 0 ? -1 : is_dead ? DEAD : fake.coordinator);
    wire_out_string(out, false, code == 0 ? STR_LITERAL("127.0.0.1") : STR_LITERAL(""));
    wire_out_i32(out, code != 0 ? -1 : is_dead ? 1 : fake.port[fake.coordinator]);
}

static void put_committed(struct buf *out)
{
    fake.n_commits++;
    wire_out_array(out, false, 0);
}

// The subscription's bytes are the member's own, which the leader is given back.
static void put_join(struct buf *out, int16_t version, const struct call *call,
                     struct str subscription)
{
    bool flexible = version >= 6;
    char id[32];
    int16_t code = code_of(JOIN);
    bool is_new = call->member[0] == '\0';
    if (code == 0 && is_new && fake.wants_id)
        code = WIRE_MEMBER_ID_REQUIRED;
    snprintf(id, sizeof(id), "%s", call->member);
    if (is_new && (code == 0 || code == WIRE_MEMBER_ID_REQUIRED))
        snprintf(id, sizeof(id), "id-%d", ++fake.n_ids);
    wire_out_i32(out, 0);
    wire_out_i16(out, code);
    wire_out_i32(out, code == 0 ? ++fake.generation : -1);
    if (version >= 7)
        wire_out_string(out, flexible, STR_LITERAL("consumer"));
    wire_out_string(out, flexible, STR_LITERAL("range"));
    wire_out_string(out, flexible, code == 0 ? str_of(id) : STR_LITERAL(""));
    if (version >= 9)
        wire_out_i8(out, 0);
    wire_out_string(out, flexible, str_of(id));
    wire_out_array(out, flexible, code == 0);
    if (code == 0) {
        wire_out_string(out, flexible, str_of(id));
        if (version >= 5)
            wire_out_string(out, flexible, (struct str){0});
        wire_out_bytes(out, flexible, subscription);
        wire_out_no_tags(out, flexible);
    }
    wire_out_no_tags(out, flexible);
}

static void put_sync(struct buf *out, int16_t version, struct str assignment)
{
    bool flexible = version >= 4;
    if (fake.n_unreadable != 0)
        assignment = STR_LITERAL("?");
    fake.n_unreadable -= fake.n_unreadable > 0;
    if (fake.n_empty > 0)
        assignment = STR_LITERAL("");
    fake.n_empty -= fake.n_empty > 0;
    wire_out_i32(out, 0);
    wire_out_i16(out, code_of(SYNC));
    if (version >= 5) {
        wire_out_string(out, flexible, STR_LITERAL("consumer"));
        wire_out_string(out, flexible, STR_LITERAL("range"));
    }
    wire_out_bytes(out, flexible, assignment);
    wire_out_no_tags(out, flexible);
}

static void put_described(struct buf *out, int16_t version)
{
    fake.n_looks++;
    wire_out_i32(out, 0);
    wire_out_array(out, false, 1);
    wire_out_i16(out, code_of(DESCRIBE));
    wire_out_string(out, false, STR_LITERAL("g"));
    wire_out_string(out, false,
                    fake.is_preparing ? STR_LITERAL("PreparingRebalance")
                                      : STR_LITERAL("Stable"));
    wire_out_string(out, false, STR_LITERAL("consumer"));
    wire_out_string(out, false, STR_LITERAL("range"));
    wire_out_array(out, false, (size_t)fake.n_described);
    for (int i = 0; i < fake.n_described; i++) {
        wire_out_string(out, false, STR_LITERAL("id"));
        if (version >= 4)
            wire_out_string(out, false, (struct str){0});
        wire_out_string(out, false, STR_LITERAL("client"));
        wire_out_string(out, false, STR_LITERAL("/127.0.0.1"));
        wire_out_bytes(out, false, STR_LITERAL(""));
        wire_out_bytes(out, false, STR_LITERAL(""));
    }
    if (version >= 3)
        wire_out_i32(out, 0);
}

static void put_code(struct buf *out, int api, int16_t version)
{
    wire_out_i32(out, 0);
    wire_out_i16(out, code_of(api));
    if (api == LEAVE && version >= 3)
        wire_out_array(out, version >= 4, 0);
    wire_out_no_tags(out, version >= 4);
}

// ---- requests

static void take_text(char text[32], struct str from)
{
    snprintf(text, 32, "%.*s", (int)from.n, from.p ? from.p : "");
}

// *ret_bytes: a member's subscription, or the assignment of the only member.
static struct call read_call(struct wire_in *in, int api, int16_t version, int broker,
                             struct str *ret_bytes)
{
    struct call call = {.api = api, .broker = broker, .generation = -1};
    bool flexible = version >= (api == JOIN ? 6 : 4);
    int with_instance = api == JOIN ? 5 : 3;
    wire_in_string(in, flexible); // the group
    if (api == JOIN)
        wire_in_take(in, 8);
    else if (api != LEAVE)
        call.generation = wire_in_i32(in);
    else if (version >= 3)
        wire_in_array(in, flexible, 1);
    take_text(call.member, wire_in_string(in, flexible));
    if (version >= with_instance)
        take_text(call.instance, wire_in_string(in, flexible));
    if (api == JOIN) {
        wire_in_string(in, flexible);
        wire_in_array(in, flexible, 1);
        wire_in_string(in, flexible);
        *ret_bytes = wire_in_bytes(in, flexible);
    } else if (api == SYNC) {
        if (version >= 5) {
            wire_in_string(in, flexible);
            wire_in_string(in, flexible);
        }
        if (wire_in_array(in, flexible, 1) > 0) {
            wire_in_string(in, flexible);
            *ret_bytes = wire_in_bytes(in, flexible);
        }
    }
    return call;
}

static void put_answer(struct buf *out, int api, int16_t version, int broker,
                       struct wire_in *in)
{
    struct str bytes = STR_LITERAL("");
    if (api == 18) {
        put_versions(out);
    } else if (api == METADATA) {
        wire_out_no_tags(out, true);
        put_metadata(out);
    } else if (api == FIND) {
        put_coordinator(out);
    } else if (api == COMMIT) {
        put_committed(out);
    } else if (api == DESCRIBE) {
        put_described(out, version);
    } else if (api >= JOIN && api <= SYNC) {
        struct call call = read_call(in, api, version, broker, &bytes);
        if (fake.n_calls < CALLS_MAX)
            fake.calls[fake.n_calls++] = call;
        wire_out_no_tags(out, version >= (api == JOIN ? 6 : 4));
        if (broker != fake.coordinator) {
            fake.code[api] = WIRE_NOT_COORDINATOR;
            fake.n_codes[api] = 1;
        }
        if (api == JOIN)
            put_join(out, version, &call, bytes);
        else if (api == SYNC)
            put_sync(out, version, bytes);
        else
            put_code(out, api, version);
    }
}

// The answer to one request; false: the connection ends.
static bool answer(int fd, int broker, struct str request)
{
    struct wire_in in = wire_in_of(request);
    struct buf out = {0};
    int16_t api = wire_in_i16(&in), version = wire_in_i16(&in);
    int32_t correlation = wire_in_i32(&in);
    int16_t flexible = api == METADATA ? 9 : api == JOIN ? 6 : api == FIND ? 3 : 4;
    wire_in_string(&in, false);
    bool has_tags =
        (api == METADATA || (api >= FIND && api <= SYNC)) && version >= flexible;
    wire_in_skip_tags(&in, has_tags);
    wire_out_i32(&out, 0);
    wire_out_i32(&out, correlation);
    put_answer(&out, api, version, broker, &in);
    wire_request_end(&out, 0);
    if (fake.n_wrong > 0 && api >= JOIN && api <= SYNC) {
        fake.n_wrong--;
        for (size_t i = 8; i < out.n; i++)
            out.p[i] = (char)(out.p[i] ^ 0x5a);
    }
    bool is_silent = fake.n_silent[api] != 0;
    fake.n_silent[api] -= fake.n_silent[api] > 0;
    size_t n = out.n;
    bool is_cut = fake.cut_at[api] >= 0;
    if (is_cut)
        n = (size_t)fake.cut_at[api] < n ? (size_t)fake.cut_at[api] : n;
    fake.cut_at[api] = -1;
    bool is_sent = is_silent || send(fd, out.p, n, MSG_NOSIGNAL) == (ssize_t)n;
    buf_release(&out);
    return is_sent && !is_cut;
}

static bool read_all(int fd, void *to, size_t n)
{
    return recv(fd, to, n, MSG_WAITALL) == (ssize_t)n;
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

static int open_fake(UNUSED void **state)
{
    fake = (struct fake){.mutex = PTHREAD_MUTEX_INITIALIZER, .n_partitions = 3};
    for (int i = 0; i < APIS; i++)
        fake.cut_at[i] = -1;
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
    for (int i = 0; i < BROKERS; i++) {
        shutdown(fake.listener[i], SHUT_RDWR);
        pthread_join(fake.thread[i], NULL);
        close(fake.listener[i]);
    }
    return 0;
}

// ---- a member

static char addresses[64];

static struct wire_config config_of(void)
{
    snprintf(addresses, sizeof(addresses), "127.0.0.1:%d", fake.port[0]);
    return (struct wire_config){.brokers = addresses,
                                .topic = "t",
                                .group = "g",
                                .is_member = true,
                                .session_ms = SESSION_MS,
                                .max_poll_ms = 60000,
                                .client_id = "test",
                                .buffer_bytes = 1 << 20,
                                .run_records = 100,
                                .timeout_ms = 5000,
                                .refresh_ms = 200};
}

static struct stream *open_with(const struct wire_config *config)
{
    struct stream *stream;
    struct err err;
    assert_ok(wire_stream_open(config, &stream, &err), &err);
    return stream;
}

// Of the group: that the partition has no leader is told, too.
static bool is_quiet(const struct stream_event *event)
{
    return event->kind == STREAM_IDLE || event->kind == STREAM_TROUBLE;
}

static enum status poll_event(struct stream *stream, struct stream_event *ret,
                              struct err *err)
{
    enum status rc = ST_OK;
    int64_t end = now_ms() + PATIENCE_MS;
    do {
        rc = stream->ops->poll(stream, 50, ret, err);
    } while (rc == ST_OK && is_quiet(ret) && now_ms() < end);
    return rc;
}

static struct stream_event poll_for(struct stream *stream, enum stream_event_kind kind)
{
    struct stream_event event;
    struct err err;
    assert_ok(poll_event(stream, &event, &err), &err);
    if (event.kind != kind)
        for (int i = 0; i < fake.n_calls; i++)
            print_message("call %d to %d by '%s', generation %d\n", fake.calls[i].api,
                          fake.calls[i].broker, fake.calls[i].member,
                          (int)fake.calls[i].generation);
    assert_int_equal(event.kind, kind);
    return event;
}

static void begin_with(struct stream *stream, struct stream_event event, size_t n)
{
    struct stream_start starts[8] = {{0}};
    struct err err;
    assert_int_equal(event.kind, STREAM_ASSIGN);
    assert_int_equal(event.n_partitions, n);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(event.partitions[i], i);
        starts[i] = (struct stream_start){.partition = event.partitions[i], .offset = 0};
    }
    assert_ok(stream->ops->start(stream, starts, n, &err), &err);
}

static void begin(struct stream *stream, size_t n)
{
    begin_with(stream, poll_for(stream, STREAM_ASSIGN), n);
}

static void give(struct stream *stream)
{
    struct err err;
    assert_ok(stream->ops->stop(stream, &err), &err);
}

static void lock(void)
{
    pthread_mutex_lock(&fake.mutex);
}

static void unlock(void)
{
    pthread_mutex_unlock(&fake.mutex);
}

static void answer_with(int api, int16_t code, int n)
{
    lock();
    fake.code[api] = code;
    fake.n_codes[api] = n;
    unlock();
}

static int n_calls_of(int api)
{
    int n = 0;
    lock();
    for (int i = 0; i < fake.n_calls; i++)
        n += fake.calls[i].api == api;
    unlock();
    return n;
}

// The n-th, or the last for -1.
static struct call call_of(int api, int which)
{
    struct call found = {.api = -1};
    int n = 0;
    lock();
    for (int i = 0; i < fake.n_calls; i++)
        if (fake.calls[i].api == api && (which < 0 || n++ == which))
            found = fake.calls[i];
    unlock();
    assert_int_equal(found.api, api);
    return found;
}

// Nothing but IDLE until so many more of them have come.
static void poll_until(struct stream *stream, int api, int n_more)
{
    int wanted = n_calls_of(api) + n_more;
    struct stream_event event;
    struct err err;
    for (int64_t end = now_ms() + PATIENCE_MS;
         n_calls_of(api) < wanted && now_ms() < end;) {
        assert_ok(stream->ops->poll(stream, 20, &event, &err), &err);
        assert_true(is_quiet(&event));
    }
    assert_true(n_calls_of(api) >= wanted);
}

// ---- cases

// Of a group that it is no member of: the coordinator has died, and another is found.
static void test_what_was_read_is_told_to_the_next_coordinator(UNUSED void **state)
{
    struct wire_config config = config_of();
    const struct stream_start start = {.partition = 0, .offset = 5};
    struct stream_event event;
    struct err err;
    config.is_member = false;
    config.n_partitions = 1;
    lock();
    fake.n_dead = 2;
    unlock();
    struct stream *stream = open_with(&config);
    begin(stream, 1);
    stream->ops->report(stream, &start, 1);
    int n_commits = 0;
    for (int64_t end = now_ms() + PATIENCE_MS; n_commits == 0 && now_ms() < end;) {
        assert_ok(stream->ops->poll(stream, 20, &event, &err), &err);
        lock();
        n_commits = fake.n_commits;
        unlock();
    }
    assert_int_equal(n_commits, 1);
    stream->ops->close(stream);
}

static void test_all_versions_of_the_protocol(UNUSED void **state)
{
    for (int16_t version = 2; version <= 9; version++) {
        struct wire_config config = config_of();
        config.instance = "i";
        lock();
        fake.most[JOIN] = version;
        fake.most[BEAT] = version / 2;
        fake.most[SYNC] = fake.most[LEAVE] = version < 6 ? version : 5;
        fake.n_calls = 0;
        unlock();
        struct stream *stream = open_with(&config);
        begin(stream, 3);
        poll_until(stream, BEAT, 1);
        stream->ops->close(stream);
        bool is_static = version >= 5;
        assert_string_equal(call_of(JOIN, 0).instance, is_static ? "i" : "");
        assert_string_equal(call_of(LEAVE, 0).instance, is_static ? "i" : "");
        assert_string_equal(call_of(LEAVE, 0).member, call_of(SYNC, 0).member);
    }
}

static void test_a_static_member_leaves(UNUSED void **state)
{
    struct wire_config config = config_of();
    config.instance = "w-1";
    struct stream *stream = open_with(&config);
    begin(stream, 3);
    stream->ops->close(stream);
    assert_string_equal(call_of(LEAVE, 0).instance, "w-1");
    assert_string_equal(call_of(LEAVE, 0).member, "id-1");
    assert_int_equal(n_calls_of(LEAVE), 1);
}

// Also one that waits for its JoinGroup, whose connection is not waited for.
static void test_a_member_that_is_joining_leaves(UNUSED void **state)
{
    struct wire_config config = config_of();
    config.instance = "w-1";
    fake.n_silent[JOIN] = -1;
    struct stream *stream = open_with(&config);
    poll_until(stream, JOIN, 1);
    int64_t before = now_ms();
    stream->ops->close(stream);
    assert_true(now_ms() - before < PATIENCE_MS);
    assert_string_equal(call_of(LEAVE, 0).instance, "w-1");
    assert_string_equal(call_of(LEAVE, 0).member, "");
}

static void test_an_id_that_is_required_is_taken(UNUSED void **state)
{
    struct wire_config config = config_of();
    fake.wants_id = true;
    struct stream *stream = open_with(&config);
    begin(stream, 3);
    assert_string_equal(call_of(JOIN, 0).member, "");
    assert_string_equal(call_of(JOIN, 1).member, "id-1");
    assert_int_equal(n_calls_of(JOIN), 2);
    stream->ops->close(stream);
}

static void test_a_rebalance_asks_for_all_back(UNUSED void **state)
{
    struct wire_config config = config_of();
    struct stream *stream = open_with(&config);
    begin(stream, 3);
    answer_with(BEAT, WIRE_REBALANCE_IN_PROGRESS, -1);
    poll_for(stream, STREAM_REVOKE);
    int n_joins = n_calls_of(JOIN);
    poll_until(stream, BEAT, 2); // until that is answered it is kept alive
    assert_int_equal(n_calls_of(JOIN), n_joins);
    answer_with(BEAT, 0, 0);
    give(stream);
    begin(stream, 3);
    assert_string_equal(call_of(JOIN, -1).member, "id-1");
    stream->ops->close(stream);
}

static void check_loss(int16_t code, const char *joins_as)
{
    struct wire_config config = config_of();
    struct stream *stream = open_with(&config);
    begin(stream, 3);
    answer_with(BEAT, code, 1);
    poll_for(stream, STREAM_LOST);
    give(stream);
    begin(stream, 3);
    assert_string_equal(call_of(JOIN, -1).member, joins_as);
    stream->ops->close(stream);
}

static void test_an_illegal_generation_is_a_loss(UNUSED void **state)
{
    check_loss(WIRE_ILLEGAL_GENERATION, "id-1");
}

static void test_an_unknown_member_joins_anew(UNUSED void **state)
{
    check_loss(WIRE_UNKNOWN_MEMBER_ID, "");
}

static void test_a_loss_follows_a_revocation(UNUSED void **state)
{
    struct wire_config config = config_of();
    struct stream *stream = open_with(&config);
    begin(stream, 3);
    answer_with(BEAT, WIRE_REBALANCE_IN_PROGRESS, 1);
    poll_for(stream, STREAM_REVOKE);
    answer_with(BEAT, WIRE_UNKNOWN_MEMBER_ID, 1);
    poll_for(stream, STREAM_LOST);
    give(stream);
    begin(stream, 3);
    stream->ops->close(stream);
}

static void test_a_coordinator_that_moves_is_followed(UNUSED void **state)
{
    struct wire_config config = config_of();
    struct stream *stream = open_with(&config);
    begin(stream, 3);
    for (int i = 1; i <= 4; i++) {
        lock();
        fake.coordinator = i % BROKERS;
        unlock();
        poll_until(stream, BEAT, 3); // and nothing is heard of it
        assert_int_equal(call_of(BEAT, -1).broker, i % BROKERS);
    }
    assert_int_equal(n_calls_of(JOIN), 1);
    stream->ops->close(stream);
    assert_int_equal(call_of(LEAVE, -1).broker, 0);
}

// Each of these is over after a while.
static void test_what_passes_is_waited_for(UNUSED void **state)
{
    static const struct {
        int api;
        int16_t code;
    } cases[] = {
        {FIND, WIRE_COORDINATOR_NOT_AVAILABLE}, {JOIN, WIRE_COORDINATOR_LOADS},
        {JOIN, WIRE_COORDINATOR_NOT_AVAILABLE}, {JOIN, WIRE_NOT_COORDINATOR},
        {JOIN, WIRE_UNKNOWN_MEMBER_ID},         {JOIN, WIRE_REBALANCE_IN_PROGRESS},
        {SYNC, WIRE_COORDINATOR_LOADS},         {SYNC, WIRE_NOT_COORDINATOR},
        {SYNC, WIRE_REBALANCE_IN_PROGRESS},     {SYNC, WIRE_ILLEGAL_GENERATION},
        {SYNC, WIRE_UNKNOWN_MEMBER_ID},         {JOIN, -1},
    };
    struct wire_config config = config_of();
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        answer_with(cases[i].api, cases[i].code, 2);
        struct stream *stream = open_with(&config);
        begin(stream, 3);
        assert_int_equal(fake.n_codes[cases[i].api], 0);
        stream->ops->close(stream);
    }
}

static void test_heartbeats_outlive_what_passes(UNUSED void **state)
{
    static const int16_t codes[] = {WIRE_COORDINATOR_LOADS, WIRE_NOT_COORDINATOR,
                                    WIRE_COORDINATOR_NOT_AVAILABLE, -1};
    struct wire_config config = config_of();
    struct stream *stream = open_with(&config);
    begin(stream, 3);
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        answer_with(BEAT, codes[i], 1);
        poll_until(stream, BEAT, 3);
    }
    stream->ops->close(stream);
}

// It is said once, and tried on.
static void test_what_does_not_pass_is_told_once(UNUSED void **state)
{
    struct wire_config config = config_of();
    answer_with(FIND, WIRE_COORDINATOR_NOT_AVAILABLE, -1);
    struct stream *stream = open_with(&config);
    struct stream_event event;
    struct err err;
    assert_status(poll_event(stream, &event, &err), ST_RETRY);
    assert_string_equal(err.text, "topic 't', group 'g': COORDINATOR_NOT_AVAILABLE");
    assert_ok(stream->ops->poll(stream, 1000, &event, &err), &err);
    assert_true(is_quiet(&event));
    answer_with(FIND, 0, 0);
    begin(stream, 3);
    stream->ops->close(stream);
}

// Each JoinGroup before it goes well, which does not hide it.
static void test_a_sync_that_does_not_pass_is_told(UNUSED void **state)
{
    struct wire_config config = config_of();
    answer_with(SYNC, WIRE_COORDINATOR_LOADS, -1);
    struct stream *stream = open_with(&config);
    struct stream_event event;
    struct err err;
    assert_status(poll_event(stream, &event, &err), ST_RETRY);
    assert_string_equal(err.text, "topic 't', group 'g': COORDINATOR_LOAD_IN_PROGRESS");
    answer_with(SYNC, 0, 0);
    begin(stream, 3);
    stream->ops->close(stream);
}

// Nobody shares out, as where the leader does not know that it is one.
static void test_a_sync_that_is_not_answered_ends(UNUSED void **state)
{
    struct wire_config config = config_of();
    lock();
    fake.n_silent[SYNC] = 1;
    unlock();
    struct stream *stream = open_with(&config);
    struct stream_event event;
    struct err err;
    assert_status(poll_event(stream, &event, &err), ST_RETRY);
    assert_string_equal(err.text, "topic 't', group 'g': its leader has not shared out "
                                  "within 7500 ms; joining again");
    begin(stream, 3);
    stream->ops->close(stream);
}

// As one that leads and was not told gets it; what is given twice is believed.
static void test_an_empty_share_is_asked_for_again(UNUSED void **state)
{
    struct wire_config config = config_of();
    fake.n_empty = 1;
    struct stream *stream = open_with(&config);
    begin(stream, 3);
    assert_int_equal(n_calls_of(SYNC), 2);
    stream->ops->close(stream);
    fake.n_empty = 2;
    stream = open_with(&config);
    begin(stream, 0);
    stream->ops->close(stream);
}

// Where it is not the first thing that was tried again.
static void test_an_empty_share_is_told(UNUSED void **state)
{
    struct wire_config config = config_of();
    fake.n_empty = 5; // that come with an error, too
    answer_with(SYNC, WIRE_COORDINATOR_LOADS, 4);
    struct stream *stream = open_with(&config);
    struct stream_event event;
    struct err err;
    assert_status(poll_event(stream, &event, &err), ST_RETRY);
    assert_string_equal(err.text, "topic 't', group 'g': its leader has given no share");
    begin(stream, 3);
    stream->ops->close(stream);
}

static void test_an_assignment_that_nobody_can_read_is_final(UNUSED void **state)
{
    struct wire_config config = config_of();
    config.instance = "w-1";
    fake.n_unreadable = 3;
    struct stream *stream = open_with(&config);
    begin(stream, 3);
    lock();
    fake.n_unreadable = -1;
    unlock();
    answer_with(BEAT, WIRE_ILLEGAL_GENERATION, 1);
    poll_for(stream, STREAM_LOST);
    give(stream);
    int n_joins = n_calls_of(JOIN);
    struct stream_event event;
    struct err err;
    enum status rc = poll_event(stream, &event, &err);
    if (rc == ST_RETRY) // told before
        rc = poll_event(stream, &event, &err);
    assert_status(rc, ST_FAIL);
    assert_string_equal(
        err.text,
        "topic 't', group 'g': what the group's leader gives: more is announced "
        "than there is at byte 0 of 1; give the job a group of its own by the "
        "option group");
    assert_int_equal(n_calls_of(JOIN) - n_joins, 5);
    stream->ops->close(stream); // by its own error, and the others hear of it at once
    assert_int_equal(n_calls_of(LEAVE), 1);
    assert_string_equal(call_of(LEAVE, 0).member, "id-1");
}

static void test_a_member_that_is_fenced_leaves_its_place(UNUSED void **state)
{
    struct wire_config config = config_of();
    config.instance = "w-1";
    struct stream *stream = open_with(&config);
    begin(stream, 3);
    answer_with(BEAT, WIRE_FENCED_INSTANCE_ID, 1);
    struct stream_event event;
    struct err err;
    assert_status(poll_event(stream, &event, &err), ST_FAIL);
    stream->ops->close(stream); // to whoever has it now
    assert_int_equal(n_calls_of(LEAVE), 0);
}

static void check_final(int api, int16_t code, const char *text)
{
    struct wire_config config = config_of();
    char expected[512];
    config.instance = "w-1";
    answer_with(api, code, -1);
    struct stream *stream = open_with(&config);
    struct stream_event event = {.kind = STREAM_IDLE};
    struct err err;
    enum status rc = poll_event(stream, &event, &err);
    if (rc == ST_OK) { // a heartbeat comes after the assignment
        assert_int_equal(event.kind, STREAM_ASSIGN);
        rc = poll_event(stream, &event, &err);
    }
    snprintf(expected, sizeof(expected), "topic 't', group 'g': %s", text);
    assert_status(rc, ST_FAIL);
    assert_string_equal(err.text, expected);
    stream->ops->close(stream);
    answer_with(api, 0, 0);
}

static void test_what_is_final_says_the_way_out(UNUSED void **state)
{
    const char *fenced = "another worker has joined as 'w-1' (FENCED_INSTANCE_ID); give "
                         "each worker its own --instance";
    const char *not_let = "it may not be joined (GROUP_AUTHORIZATION_FAILED); this user "
                          "needs the right READ on the group";
    check_final(BEAT, WIRE_FENCED_INSTANCE_ID, fenced);
    check_final(SYNC, WIRE_FENCED_INSTANCE_ID, fenced);
    check_final(JOIN, WIRE_FENCED_INSTANCE_ID, fenced);
    check_final(FIND, WIRE_GROUP_AUTHORIZATION_FAILED, not_let);
    check_final(JOIN, WIRE_GROUP_AUTHORIZATION_FAILED, not_let);
    check_final(JOIN, WIRE_GROUP_MAX_SIZE_REACHED,
                "it is full (GROUP_MAX_SIZE_REACHED); start fewer workers, or raise the "
                "brokers' group.max.size");
    check_final(JOIN, WIRE_INCONSISTENT_GROUP_PROTOCOL,
                "its members do not share out by the strategy 'range' "
                "(INCONSISTENT_GROUP_PROTOCOL); give the job a group of its own by the "
                "option group");
    check_final(JOIN, WIRE_INVALID_SESSION_TIMEOUT,
                "INVALID_SESSION_TIMEOUT; set the option session.timeout between the "
                "brokers' group.min.session.timeout.ms and "
                "group.max.session.timeout.ms");
    check_final(JOIN, WIRE_INVALID_GROUP_ID, "it cannot be joined: INVALID_GROUP_ID");
}

static void test_a_coordinator_that_is_too_old_is_told(UNUSED void **state)
{
    struct wire_config config = config_of();
    fake.most[JOIN] = 1;
    struct stream *stream = open_with(&config);
    struct stream_event event;
    struct err err;
    assert_status(poll_event(stream, &event, &err), ST_FAIL);
    assert_string_equal(err.text,
                        "topic 't', group 'g': its coordinator has no version of "
                        "JoinGroup, SyncGroup, Heartbeat or LeaveGroup that is known "
                        "here; see client = 'librdkafka'");
    stream->ops->close(stream);
}

// Nothing is heard of the coordinator for as long as a session lasts.
static void test_a_silent_coordinator_is_a_loss(UNUSED void **state)
{
    struct wire_config config = config_of();
    struct stream *stream = open_with(&config);
    begin(stream, 3);
    lock();
    fake.n_silent[BEAT] = 1;
    unlock();
    poll_for(stream, STREAM_LOST);
    give(stream);
    begin(stream, 3); // once the connection's own time is over
    stream->ops->close(stream);
}

// The owner does not poll, and the member stays one; what it would hear then it hears
// later.
static void test_heartbeats_go_on_while_the_owner_works(UNUSED void **state)
{
    struct wire_config config = config_of();
    struct stream *stream = open_with(&config);
    begin(stream, 3);
    int n = n_calls_of(BEAT);
    usleep(2 * SESSION_MS * 1000);
    assert_true(n_calls_of(BEAT) >= n + 2);
    poll_until(stream, BEAT, 1);
    stream->ops->close(stream);
}

static void test_a_hung_owner_gives_its_partitions_up(UNUSED void **state)
{
    struct wire_config config = config_of();
    config.max_poll_ms = 500;
    config.instance = "w-1";
    struct stream *stream = open_with(&config);
    begin(stream, 3);
    for (int64_t end = now_ms() + PATIENCE_MS; n_calls_of(LEAVE) == 0 && now_ms() < end;)
        usleep(20000);
    assert_string_equal(call_of(LEAVE, 0).instance, "w-1");
    int n_joins = n_calls_of(JOIN);
    usleep(300000);
    assert_int_equal(n_calls_of(JOIN), n_joins); // it waits for the owner
    struct stream_event event;
    struct err err;
    assert_status(poll_event(stream, &event, &err), ST_RETRY);
    int seconds;
    assert_int_equal(sscanf(err.text,
                            "topic 't', group 'g': the worker was busy for %d s and has "
                            "left the group",
                            &seconds),
                     1);
    poll_for(stream, STREAM_LOST);
    give(stream);
    begin(stream, 3);
    stream->ops->close(stream);
}

static void test_added_partitions_are_shared_out(UNUSED void **state)
{
    struct wire_config config = config_of();
    struct stream *stream = open_with(&config);
    begin(stream, 3);
    lock();
    fake.n_partitions = 5;
    unlock();
    poll_for(stream, STREAM_REVOKE);
    give(stream);
    begin(stream, 5);
    stream->ops->close(stream);
}

static void test_members_are_waited_for(UNUSED void **state)
{
    struct wire_config config = config_of();
    config.members = 2;
    fake.n_described = 1;
    struct stream *stream = open_with(&config);
    poll_until(stream, BEAT, 2);
    lock();
    fake.n_described = 2;
    unlock();
    begin(stream, 3);
    stream->ops->close(stream);
}

// One that joins after us is heard of by a heartbeat.
static void test_a_member_that_comes_is_heard_of_at_once(UNUSED void **state)
{
    struct wire_config config = config_of();
    config.members = 2;
    fake.is_preparing = true;
    struct stream *stream = open_with(&config);
    poll_until(stream, BEAT, 6);
    lock();
    int n_looks = fake.n_looks;
    unlock();
    assert_true(n_calls_of(BEAT) >= n_looks - 1);
    answer_with(BEAT, WIRE_REBALANCE_IN_PROGRESS, 1);
    poll_until(stream, JOIN, 2 - n_calls_of(JOIN));
    lock();
    fake.n_described = 2;
    fake.is_preparing = false;
    unlock();
    begin(stream, 3);
    stream->ops->close(stream);
}

// The end of a connection at each byte of an answer.
static void test_answers_that_are_cut_are_asked_for_again(UNUSED void **state)
{
    static const int apis[] = {FIND, JOIN, SYNC, METADATA, BEAT};
    struct wire_config config = config_of();
    for (size_t i = 0; i < ARRAY_LEN(apis); i++)
        for (int at = 0; at < 80; at += 9) {
            lock();
            fake.cut_at[apis[i]] = at;
            fake.n_calls = 0;
            unlock();
            struct stream *stream = open_with(&config);
            struct stream_event event;
            struct err err;
            while (poll_event(stream, &event, &err) != ST_OK)
                assert_int_equal(err.status, ST_RETRY); // Metadata, of the only broker
            begin_with(stream, event, 3);
            if (apis[i] == BEAT)
                poll_until(stream, BEAT, 2);
            stream->ops->close(stream);
        }
}

static void test_answers_that_are_garbage_are_asked_for_again(UNUSED void **state)
{
    struct wire_config config = config_of();
    for (int n = 1; n < 4; n++) {
        lock();
        fake.n_wrong = n;
        unlock();
        struct stream *stream = open_with(&config);
        begin(stream, 3);
        stream->ops->close(stream);
    }
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, open_fake, close_fake)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_all_versions_of_the_protocol),
        CASE(test_a_static_member_leaves),
        CASE(test_a_member_that_is_joining_leaves),
        CASE(test_an_id_that_is_required_is_taken),
        CASE(test_a_rebalance_asks_for_all_back),
        CASE(test_an_illegal_generation_is_a_loss),
        CASE(test_an_unknown_member_joins_anew),
        CASE(test_a_loss_follows_a_revocation),
        CASE(test_a_coordinator_that_moves_is_followed),
        CASE(test_what_passes_is_waited_for),
        CASE(test_heartbeats_outlive_what_passes),
        CASE(test_what_does_not_pass_is_told_once),
        CASE(test_a_sync_that_does_not_pass_is_told),
        CASE(test_a_sync_that_is_not_answered_ends),
        CASE(test_an_empty_share_is_asked_for_again),
        CASE(test_an_empty_share_is_told),
        CASE(test_an_assignment_that_nobody_can_read_is_final),
        CASE(test_a_member_that_is_fenced_leaves_its_place),
        CASE(test_what_is_final_says_the_way_out),
        CASE(test_a_coordinator_that_is_too_old_is_told),
        CASE(test_a_silent_coordinator_is_a_loss),
        CASE(test_heartbeats_go_on_while_the_owner_works),
        CASE(test_a_hung_owner_gives_its_partitions_up),
        CASE(test_added_partitions_are_shared_out),
        CASE(test_members_are_waited_for),
        CASE(test_a_member_that_comes_is_heard_of_at_once),
        CASE(test_answers_that_are_cut_are_asked_for_again),
        CASE(test_answers_that_are_garbage_are_asked_for_again),
        CASE(test_what_was_read_is_told_to_the_next_coordinator),
    };
    test_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
