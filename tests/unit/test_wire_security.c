// SPDX-License-Identifier: Apache-2.0
// How connections of client = 'native' are secured, against what a real broker does not
// do: messages that lie, logins that are silent, dripping or cut at any step. The good
// and the wrong ways against a real one: tests/e2e/test_native_security.py.
// test: takes 10
// test: waits
#include "test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "core/env.h"
#include "wire/connection.h"
#include "wire/kerberos.h"
#include "wire/login.h"
#include "wire/scram.h"
#include "wire/tls.h"
#include "wire/token.h"

// ---- SCRAM

// RFC 7677, 3: the user "user" with the password "pencil". The numbers for SHA-512 are
// by Python's hashlib and hmac.
#define NONCE        "rOprNGfwEbeRWgbNEkqO"
#define SERVER_NONCE NONCE "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
#define SALT         "W22ZaJ0SNY7soEsUEjb6gQ=="
#define CHALLENGE    "r=" SERVER_NONCE ",s=" SALT ",i=4096"

struct vector {
    bool is_512;
    const char *user, *password, *first, *proof, *signature;
};

static void begin(struct wire_scram *scram, const struct vector *vector)
{
    AUTO(buf_release) struct buf out = {0};
    wire_scram_init(scram, vector->is_512, NONCE);
    wire_scram_first(scram, str_of(vector->user), &out);
    assert_str(buf_as_str(&out), vector->first);
}

static const struct vector example = {false,
                                      "user",
                                      "pencil",
                                      "n,,n=user,r=" NONCE,
                                      "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
                                      "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="};

static void test_scram_of_the_rfc(void **state)
{
    (void)state;
    const struct vector vectors[] = {
        example,
        {true, "user", "pencil", "n,,n=user,r=" NONCE,
         "gMGXRcevScNtxZ6/8lQYpGtnsNAc3mGcmNomv+xnoOMw+3R2xNJdMNnzMlTN"
         "8PPC6wdp6dybEmDYXYTxwnYPJQ==",
         "ZQnYEgWQMFmmsM8aQMF0nDDCy/AgCzkwk8CmMZYcMg0vSVlKDanekLtifDSe"
         "VGT4+5ZxXnJq199RVG2rR7N7Zw=="},
        {true, "x,y=z", "a,b=c~ ", "n,,n=x=2Cy=3Dz,r=" NONCE,
         "gyabsljD7X3W43EUxl5BnTQ3moI/uFnzyT46Mn7IrB/LitUpC72lEnpDK2uk"
         "ymLXV03hoF7NTEhkujd/L8N/Dg==",
         "0qnLpA3bfXC8wpYNs9uA14vMR9V2WqEKP2KmkS0KaMi83/58s016kA2xxh46"
         "7dwM4HFeTOaNr3lUGllVRAtMwA=="},
    };
    for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
        AUTO(buf_release) struct buf out = {0}, wanted = {0}, last = {0};
        struct wire_scram scram;
        struct err err;
        begin(&scram, &vectors[i]);
        assert_ok(wire_scram_final(&scram, str_of(vectors[i].password),
                                   STR_LITERAL(CHALLENGE), &out, &err),
                  &err);
        buf_text(&wanted, "c=biws,r=" SERVER_NONCE ",p=");
        buf_text(&wanted, vectors[i].proof);
        assert_str(buf_as_str(&out), buf_cstr(&wanted));
        buf_printf(&last, "v=%s", vectors[i].signature);
        assert_ok(wire_scram_check(&scram, buf_as_str(&last), &err), &err);
        buf_text(&last, ",extension=1");
        assert_ok(wire_scram_check(&scram, buf_as_str(&last), &err), &err);
        wire_scram_release(&scram);
    }
}

static void test_scram_challenges_that_are_not_right(void **state)
{
    (void)state;
    static const struct {
        const char *message, *says;
    } wrong[] = {
        {"", "SCRAM: the length in the broker's answer is not right"},
        {"r=" NONCE ",s=" SALT ",i=4096", "SCRAM: the broker's nonce does not go on from "
                                          "ours: it answers to somebody else"},
        {"r=other" NONCE "abc,s=" SALT ",i=4096",
         "SCRAM: the broker's nonce does not go on from ours: it answers to somebody "
         "else"},
        {"r=" NONCE "\x01,s=" SALT ",i=4096", "SCRAM: the broker's nonce does not go on "
                                              "from ours: it answers to somebody else"},
        {"m=x," CHALLENGE, "SCRAM: the nonce in the broker's answer is not right"},
        {"r=" SERVER_NONCE, "SCRAM: the salt in the broker's answer is not right"},
        {"r=" SERVER_NONCE ",s=,i=4096",
         "SCRAM: the salt in the broker's answer is not right"},
        {"r=" SERVER_NONCE ",s=W22,i=4096",
         "SCRAM: the salt in the broker's answer is not right"},
        {"r=" SERVER_NONCE ",i=4096,s=" SALT,
         "SCRAM: the salt in the broker's answer is not right"},
        {"r=" SERVER_NONCE ",s=" SALT,
         "SCRAM: the number of iterations in the broker's answer is not right"},
        {"r=" SERVER_NONCE ",s=" SALT ",i=4k",
         "SCRAM: the number of iterations in the broker's answer is not right"},
        {"r=" SERVER_NONCE ",s=" SALT ",i=4095",
         "SCRAM: the broker wants 4095 iterations; from 4096 to 262144 are done"},
        {"r=" SERVER_NONCE ",s=" SALT ",i=-1", "wants -1 iterations"},
        {"r=" SERVER_NONCE ",s=" SALT ",i=262145", "wants 262145 iterations"},
        {"r=" SERVER_NONCE ",s=" SALT ",i=9223372036854775807", "iterations"},
        {"r=" SERVER_NONCE ",s=" SALT ",i=99999999999999999999", "iterations"},
    };
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        AUTO(buf_release) struct buf out = {0};
        struct wire_scram scram;
        struct err err;
        begin(&scram, &example);
        assert_status(wire_scram_final(&scram, STR_LITERAL("pencil"),
                                       str_of(wrong[i].message), &out, &err),
                      ST_FAIL);
        if (strstr(err.text, wrong[i].says) == NULL)
            fail_msg("%s: %s", wrong[i].message, err.text);
        assert_int_equal(out.n, 0);
        wire_scram_release(&scram);
    }
}

static void test_scram_servers_that_lie(void **state)
{
    (void)state;
    static const struct {
        const char *message, *says;
    } wrong[] = {
        {"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95H4=",
         "SCRAM: the broker's signature is wrong: it does not know the password, and is "
         "not the broker that it says it is"},
        {"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl9",
         "SCRAM: the broker's signature is wrong: it does not know the password, and is "
         "not the broker that it says it is"},
        {"v=AAAA", "SCRAM: the broker's signature is wrong: it does not know the "
                   "password, and is not the broker that it says it is"},
        {"v=", "SCRAM: the broker's signature is wrong: it does not know the password, "
               "and is not the broker that it says it is"},
        {"v=?", "SCRAM: the signature in the broker's answer is not right"},
        {"", "SCRAM: the signature in the broker's answer is not right"},
        {"e=invalid-proof", "SCRAM: the broker says invalid-proof"},
        {"e=\x1b[31m", "the broker says \\x1b[31m"},
    };
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        AUTO(buf_release) struct buf out = {0};
        struct wire_scram scram;
        struct err err;
        begin(&scram, &example);
        assert_ok(wire_scram_final(&scram, STR_LITERAL("pencil"), STR_LITERAL(CHALLENGE),
                                   &out, &err),
                  &err);
        assert_status(wire_scram_check(&scram, str_of(wrong[i].message), &err), ST_FAIL);
        if (strstr(err.text, wrong[i].says) == NULL)
            fail_msg("%s: %s", wrong[i].message, err.text);
        wire_scram_release(&scram);
    }
}

static void test_nonces_are_of_chance(void **state)
{
    (void)state;
    struct wire_scram one, other;
    wire_scram_init(&one, false, NULL);
    wire_scram_init(&other, false, NULL);
    assert_int_equal(strlen(one.nonce), WIRE_SCRAM_NONCE);
    assert_string_not_equal(one.nonce, other.nonce);
    wire_scram_release(&one);
    wire_scram_release(&other);
}

// ---- a broker that logs in

enum step {
    AT_CONNECT, // nothing is answered
    AT_VERSIONS,
    AT_MECHANISM,
    AT_MESSAGE,
    NEVER,
};

enum what {
    SILENT,
    DRIPS,
    CUTS,
    HUGE_SIZE,
};

struct fake {
    int listener, port;
    pthread_t thread;
    atomic_int step; // enum step; one that is told to end may still look at it
    atomic_int what; // enum what
    int16_t mechanism_code, message_code;
    const char *text; // of an error
    const char *bytes;
    int64_t lifetime_ms;
    bool is_old; // of before Kafka 1.0
    atomic_bool is_ended;
    atomic_int n_logins;
    char seen[256]; // the last message
    size_t n_seen;
};

static struct fake fake;

static int64_t now_ms(void)
{
    return env_system()->ops->monotonic_ms(env_system());
}

// Until the client has gone.
static void dawdle(int fd, struct str answer)
{
    char c;
    for (size_t i = 0; !fake.is_ended && recv(fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) != 0;
         i++) {
        usleep(50000);
        c = i < answer.n ? answer.p[i] : 0;
        if (fake.what == DRIPS && send(fd, &c, 1, MSG_NOSIGNAL) != 1)
            return;
    }
}

static void misbehave(int fd, struct str answer)
{
    if (fake.what == SILENT || fake.what == DRIPS)
        dawdle(fd, answer);
    if (fake.what == CUTS)
        send(fd, answer.p, answer.n / 2, MSG_NOSIGNAL);
    if (fake.what == HUGE_SIZE)
        send(fd, "\x00\x40\x00\x00\x00\x00\x00\x00", 8, MSG_NOSIGNAL);
}

static void put_versions(struct buf *out)
{
    const int16_t apis[][3] = {{1, 4, 12}, {3, 0, 12}, {17, 0, 1}, {36, 0, 2}};
    wire_out_i16(out, 0);
    size_t n = fake.is_old ? 2 : ARRAY_LEN(apis);
    wire_out_array(out, false, n);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < 3; k++)
            wire_out_i16(out, apis[i][k]);
}

static void put_answer(struct buf *out, int16_t api, struct wire_in *in)
{
    if (api == 18) {
        put_versions(out);
    } else if (api == 17) {
        wire_out_i16(out, fake.mechanism_code);
        wire_out_array(out, false, 2);
        wire_out_string(out, false, STR_LITERAL("PLAIN"));
        wire_out_string(out, false, STR_LITERAL("GSS\x1b"));
    } else if (api == 36) {
        struct str message = wire_in_bytes(in, false);
        fake.n_seen = message.n < sizeof(fake.seen) ? message.n : sizeof(fake.seen);
        memcpy(fake.seen, message.p, fake.n_seen);
        fake.n_logins++;
        wire_out_i16(out, fake.message_code);
        wire_out_string(out, false, str_of(fake.text));
        wire_out_i32(out, (int32_t)strlen(fake.bytes));
        buf_text(out, fake.bytes);
        wire_out_i64(out, fake.lifetime_ms);
    } else { // Metadata: nobody reads it
        wire_out_i32(out, 0);
    }
}

static void serve(int fd)
{
    uint8_t size[4];
    if (fake.step == AT_CONNECT) {
        char hello[4096];
        if (recv(fd, hello, sizeof(hello), 0) > 0)
            misbehave(fd, STR_LITERAL("\x16\x03\x03\x40\x00"));
        return;
    }
    while (recv(fd, size, 4, MSG_WAITALL) == 4) {
        AUTO(buf_release) struct buf request = {0}, out = {0};
        size_t n = (size_t)size[2] << 8 | size[3];
        if (recv(fd, buf_room(&request, n), n, MSG_WAITALL) != (ssize_t)n)
            return;
        struct wire_in in = wire_in_of((struct str){request.p, n});
        int16_t api = wire_in_i16(&in);
        wire_in_i16(&in);
        wire_out_i32(&out, 0);
        wire_out_i32(&out, wire_in_i32(&in));
        wire_in_string(&in, false);
        put_answer(&out, api, &in);
        wire_request_end(&out, 0);
        int step = api == 18 ? AT_VERSIONS : api == 17 ? AT_MECHANISM : AT_MESSAGE;
        if (step == fake.step) {
            misbehave(fd, buf_as_str(&out));
            return;
        }
        send(fd, out.p, out.n, MSG_NOSIGNAL);
    }
}

static void *accept_all(void *arg)
{
    int fd;
    (void)arg;
    while ((fd = accept(fake.listener, NULL, NULL)) >= 0) {
        serve(fd);
        close(fd);
    }
    return NULL;
}

static int open_fake(void **state)
{
    (void)state;
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    fake = (struct fake){.step = NEVER, .bytes = ""};
    fake.listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(fake.listener, (struct sockaddr *)&address, size) != 0 ||
        listen(fake.listener, 8) != 0 ||
        getsockname(fake.listener, (struct sockaddr *)&address, &size) != 0)
        return -1;
    fake.port = ntohs(address.sin_port);
    return pthread_create(&fake.thread, NULL, accept_all, NULL);
}

static int close_fake(void **state)
{
    (void)state;
    fake.is_ended = true;
    shutdown(fake.listener, SHUT_RDWR);
    pthread_join(fake.thread, NULL);
    close(fake.listener);
    return 0;
}

// ---- a connection to it

struct client {
    struct wire_client client;
    struct wire_security *security;
    struct wire_connection connection;
};

static void open_client(struct client *client, const struct wire_security_config *config,
                        int timeout_ms)
{
    struct err err;
    assert_ok(wire_security_open(config, &client->security, &err), &err);
    client->client = (struct wire_client){
        .id = STR_LITERAL("test"),
        .timeout_ms = timeout_ms,
        .wake_fd = eventfd(0, EFD_NONBLOCK),
        .most_bytes = 1 << 20,
        .security = client->security,
    };
    wire_connection_init(&client->connection, &client->client, STR_LITERAL("127.0.0.1"),
                         fake.port);
    wire_connection_open(&client->connection, now_ms());
}

static void close_client(struct client *client)
{
    wire_connection_release(&client->connection);
    wire_security_close(client->security);
    close(client->client.wake_fd);
}

// Until it is in that state, or closed.
static void work_until(struct client *client, enum wire_connection_state state)
{
    int64_t end = now_ms() + 20000;
    do {
        int64_t until = end;
        wire_connection_work(&client->connection, now_ms(), 1 << 20);
        if (client->connection.state == state || client->connection.state == WIRE_CLOSED)
            return;
        struct pollfd fd = wire_connection_wait(&client->connection, &until);
        int64_t left = until - now_ms();
        poll(&fd, 1, left < 0 ? 0 : left < 50 ? (int)left : 50);
    } while (now_ms() < end);
    fail_msg("state %d after 20 s", client->connection.state);
}

static const struct wire_security_config plain = {
    .mechanism = WIRE_PLAIN, .user = "alice", .password = "secret"};
static const struct wire_security_config tls = {.has_tls = true, .ca = "/dev"};

static void fails(const struct wire_security_config *config, const char *says,
                  bool is_refused)
{
    struct client client;
    open_client(&client, config, 300);
    work_until(&client, WIRE_READY);
    assert_int_equal(client.connection.state, WIRE_CLOSED);
    if (strstr(client.connection.problem, says) == NULL)
        fail_msg("\"%s\" is not in: %s", says, client.connection.problem);
    if (strstr(client.connection.problem, "secret") != NULL)
        fail_msg("a secret: %s", client.connection.problem);
    assert_int_equal(client.connection.is_refused, is_refused);
    close_client(&client);
}

static void test_a_login(void **state)
{
    (void)state;
    struct client client;
    open_client(&client, &plain, 5000);
    work_until(&client, WIRE_READY);
    assert_int_equal(client.connection.state, WIRE_READY);
    assert_memory_equal(fake.seen, "\0alice\0secret", fake.n_seen);
    assert_int_equal(fake.n_seen, 13);
    assert_true(wire_connection_can_call(&client.connection));
    for (size_t i = 0; i + 6 < client.connection.out.capacity; i++)
        assert_memory_not_equal(client.connection.out.p + i, "secret", 6);
    close_client(&client);
}

static void test_a_login_that_ends_is_made_anew(void **state)
{
    (void)state;
    struct client client;
    size_t begin;
    fake.lifetime_ms = 500;
    open_client(&client, &plain, 5000);
    work_until(&client, WIRE_READY);
    struct wire_connection *c = &client.connection;
    wire_call_begin(c, WIRE_METADATA, 0, &begin);
    wire_call_end(c, begin, 0, now_ms());
    int64_t late = now_ms() + 600;
    wire_connection_work(c, late, 1 << 20);
    assert_false(wire_connection_can_call(c)); // the answer is waited for
    struct wire_call call;
    struct str body;
    while (!wire_answer(c, &call, &body, late))
        wire_connection_work(c, late, 1 << 20);
    wire_answer_end(c, NULL, late);
    wire_connection_work(c, late, 1 << 20);
    assert_int_equal(c->state, WIRE_CLOSED);
    assert_int_equal(c->n_failures, 0);
    wire_connection_open(c, late); // at once
    work_until(&client, WIRE_READY);
    assert_int_equal(c->state, WIRE_READY);
    assert_int_equal(fake.n_logins, 2);
    close_client(&client);
}

static void test_refusals(void **state)
{
    (void)state;
    const struct wire_security_config scram = {
        .mechanism = WIRE_SCRAM_SHA_512, .user = "alice", .password = "secret"};
    fake.mechanism_code = WIRE_UNSUPPORTED_SASL_MECHANISM;
    fails(&scram,
          "the broker takes no SCRAM-SHA-512, only PLAIN, GSS\\x1b; see "
          "kafka.sasl.mechanism",
          true);
    fake.mechanism_code = WIRE_ILLEGAL_SASL_STATE;
    fails(&plain, "the broker wants no SASL at this port", true);
    fake.mechanism_code = 7;
    fails(&plain, "SaslHandshake: REQUEST_TIMED_OUT", false);
    fake.mechanism_code = 0;
    fake.is_old = true;
    fails(&plain,
          "the broker is too old for SASL of client = 'native', which wants Kafka 1.0; "
          "write client = 'librdkafka'",
          true);
    fake.is_old = false;
    fake.message_code = WIRE_SASL_AUTHENTICATION_FAILED;
    fake.text = "no\nentry";
    fails(&plain,
          "SASL authentication error: no\\nentry; see the options "
          "kafka.security.protocol, kafka.ssl.* and kafka.sasl.*",
          true);
    fake.text = NULL;
    fails(&plain, "SASL authentication error: SASL_AUTHENTICATION_FAILED; see", true);
    fake.message_code = 0;
    fake.bytes = "r=lies,s=AAAA,i=4096";
    fails(&scram, "SCRAM: the broker's nonce does not go on from ours", true);
}

static void test_no_step_may_last(void **state)
{
    (void)state;
    static const char *const texts[] = {
        [AT_CONNECT] = "no answer within 300 ms",
        [AT_VERSIONS] = "no answer within 300 ms",
        [AT_MECHANISM] = "SASL: no answer within 300 ms",
        [AT_MESSAGE] = "SASL: no answer within 300 ms",
    };
    fake.what = SILENT;
    for (fake.step = AT_CONNECT; fake.step <= AT_MESSAGE; fake.step++)
        fails(&plain, texts[fake.step], false);
    fake.step = AT_CONNECT;
    fails(&tls, "TLS's handshake: no answer within 300 ms", false);
}

static void test_dripping_does_not_help(void **state)
{
    (void)state;
    fake.what = DRIPS;
    for (fake.step = AT_VERSIONS; fake.step <= AT_MESSAGE; fake.step++)
        fails(&plain, "no answer within 300 ms", false);
    fake.step = AT_CONNECT;
    fails(&tls, "no answer within 300 ms", false);
}

static void test_a_login_that_is_cut(void **state)
{
    (void)state;
    fake.what = CUTS;
    fake.step = AT_CONNECT;
    fails(&tls, "the connection was ended in TLS's handshake; see the options", false);
    fake.step = AT_VERSIONS;
    fails(&plain, "ended before anything was answered; see the options", false);
    fake.step = AT_MECHANISM;
    fails(&plain, "the connection was ended in the login; see the options", false);
    fake.step = AT_MESSAGE;
    fails(&plain, "the connection was ended in the login; see the options", false);
}

static void test_answers_that_are_too_large(void **state)
{
    (void)state;
    fake.what = HUGE_SIZE;
    for (fake.step = AT_VERSIONS; fake.step <= AT_MESSAGE; fake.step++)
        fails(&plain, "the size of its answer is not right", false);
}

static void test_no_tls_there(void **state)
{
    (void)state;
    fake.step = AT_CONNECT;
    fake.what = HUGE_SIZE;
    fails(&tls, "; is that a port with TLS? See kafka.security.protocol", true);
}

// ---- tokens

static char directory[] = "/tmp/test_wire_security.XXXXXX";

static const char *file_with(const char *name, const char *text, size_t n)
{
    static char path[128];
    snprintf(path, sizeof(path), "%s/%s", directory, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, n, file), n);
    fclose(file);
    return path;
}

static void token_is(const struct wire_security_config *config, const char *message)
{
    struct client client;
    open_client(&client, config, 5000);
    work_until(&client, WIRE_READY);
    assert_string_equal(client.connection.problem, "");
    assert_int_equal(fake.n_seen, strlen(message));
    assert_memory_equal(fake.seen, message, fake.n_seen);
    close_client(&client);
}

static struct wire_security_config by_file(const char *path)
{
    return (struct wire_security_config){.mechanism = WIRE_OAUTHBEARER,
                                         .token_file = path};
}

static struct wire_security_config by_command(const char *command)
{
    return (struct wire_security_config){.mechanism = WIRE_OAUTHBEARER,
                                         .token_command = command};
}

static void test_tokens(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(directory));
    struct wire_security_config config = by_file(file_with("t", " a.b-c_d=\n", 10));
    token_is(&config, "n,,\001auth=Bearer a.b-c_d=\001\001");
    config = by_command("cat; echo a; exec >&-; sleep 0.05");
    token_is(&config, "n,,\001auth=Bearer a\001\001");
    config = by_command("echo b; kill -0 $$");
    token_is(&config, "n,,\001auth=Bearer b\001\001");
}

static void token_fails(struct wire_security_config config, const char *says)
{
    fails(&config, says, false);
}

static void test_tokens_that_are_none(void **state)
{
    (void)state;
    static char large[WIRE_TOKEN_BYTES_MAX + 1];
    memset(large, 'x', sizeof(large));
    token_fails(by_file("/nowhere/t"), "/nowhere/t: No such file or directory");
    token_fails(by_file(directory), "directory");
    token_fails(by_file(file_with("empty", " \n", 2)), "the token is empty");
    token_fails(by_file(file_with("two", "a secret", 8)),
                "option 'kafka.sasl.oauthbearer.token.file': the token has a character "
                "that no token has");
    token_fails(by_file(file_with("control", "a\x01z", 3)),
                "option 'kafka.sasl.oauthbearer.token.file': the token has a character "
                "that no token has");
    token_fails(by_file(file_with("large", large, sizeof(large))),
                "a token of more than 65536 bytes");
    token_fails(by_command("exit 7"), "option 'kafka.sasl.oauthbearer.token.command': "
                                      "the command ended by exit code 7");
    token_fails(by_command("kill -9 $$"), "the command ended by signal 9");
    token_fails(by_command("true"), "the token is empty");
    token_fails(by_command("/nowhere/program"), "the command ended by exit code 127");
    token_fails(by_command("yes secret"),
                "option 'kafka.sasl.oauthbearer.token.command': a token of more than "
                "65536 bytes");
    token_fails(by_command("sleep 1000"), "the token's command: no answer within 300 ms");
    token_fails(by_command("echo secret; exec >&-; sleep 1000"),
                "the token's command: no answer within 300 ms");
    token_fails(by_command("echo secret; sleep 1000 &"),
                "the token's command: no answer within 300 ms");
    fake.bytes = "{\"status\":\"invalid_token\"}";
    fails(&(struct wire_security_config){.mechanism = WIRE_OAUTHBEARER,
                                         .token_command = "echo b"},
          "the broker refuses the token: {\"status\":\"invalid_token\"}", true);
}

// ---- Kerberos: with a realm, tests/e2e/test_kafka_kerberos.py

static void test_kerberos_without_a_realm(void **state)
{
    (void)state;
    setenv("KRB5_CONFIG", "/dev/null", 1);
    setenv("KRB5CCNAME", "FILE:/nowhere/tickets", 1);
    setenv("KRB5_CLIENT_KTNAME", "FILE:/nowhere/keys", 1);
    struct wire_security_config config = {.mechanism = WIRE_GSSAPI};
    fails(&config,
          "; get a ticket by kinit (klist shows it), or give a key table by "
          "kafka.sasl.kerberos.keytab",
          true);
    config.kerberos.principal = "nobody@NOWHERE";
    fails(&config, "Kerberos: ", true);
    config.kerberos.keytab = "/proc/self/exe"; // a file, and no key table
    fails(&config, "Kerberos: ", true);
    assert_int_equal(fake.n_logins, 0);
}

static void test_layers_of_kerberos(void **state)
{
    (void)state;
    struct err err;
    assert_ok(wire_kerberos_check_layers((struct str){"\1\0\0\0", 4}, &err), &err);
    assert_ok(wire_kerberos_check_layers((struct str){"\7\xff\xff\xff", 4}, &err), &err);
    assert_status(wire_kerberos_check_layers((struct str){"\6\0\x10\0", 4}, &err),
                  ST_FAIL);
    assert_string_equal(err.text,
                        "Kerberos: the broker wants a security layer of SASL, which "
                        "Kafka's protocol does not have; TLS secures what is sent: see "
                        "kafka.security.protocol");
    for (size_t n = 0; n < 6; n += n == 3 ? 2 : 1) {
        assert_status(wire_kerberos_check_layers((struct str){"\1\0\0\0\0\0", n}, &err),
                      ST_FAIL);
        assert_string_equal(err.text, "Kerberos: what the broker says of security layers "
                                      "is not right");
    }
}

static void test_a_ticket_that_nobody_waits_for(void **state)
{
    (void)state;
    const struct wire_security_config config = {.mechanism = WIRE_GSSAPI};
    for (int i = 0; i < 20; i++) {
        struct client client;
        open_client(&client, &config, 5000);
        work_until(&client, WIRE_LOGGING_IN);
        close_client(&client);
    }
}

// ---- what is not taken

static void test_what_is_missing_is_named(void **state)
{
    (void)state;
    static const struct {
        struct wire_security_config config;
        const char *says;
    } wrong[] = {
        {{.mechanism = WIRE_PLAIN, .password = "x"},
         "option 'kafka.sasl.username' is missing for PLAIN"},
        {{.mechanism = WIRE_PLAIN, .user = "x"},
         "option 'kafka.sasl.password' is missing for PLAIN"},
        {{.mechanism = WIRE_SCRAM_SHA_256, .user = "x", .password = "geh\xc3\xa4im"},
         "option 'kafka.sasl.password': SCRAM of client = 'native' takes printable ASCII "
         "alone (it has no SASLprep); with other characters write client = 'librdkafka'"},
        {{.mechanism = WIRE_SCRAM_SHA_256, .user = "x\x7f", .password = "y"},
         "kafka.sasl.username': SCRAM"},
        {{.mechanism = WIRE_OAUTHBEARER}, "kafka.sasl.oauthbearer.token.file"},
        {{.mechanism = WIRE_OAUTHBEARER, .token_file = "a", .token_command = "b"},
         "option 'kafka.sasl.mechanism': OAUTHBEARER of client = 'native' takes its "
         "token from one of kafka.sasl.oauthbearer.token.file and "
         "kafka.sasl.oauthbearer.token.command; for OIDC and unsecured tokens write "
         "client = 'librdkafka'"},
        {{.mechanism = WIRE_GSSAPI, .kerberos.keytab = "/nowhere/keys"},
         "option 'kafka.sasl.kerberos.keytab': /nowhere/keys: No such file"},
        {{.has_tls = true, .ca_pem = ""}, "option 'kafka.ssl.ca.pem': no start line"},
        {{.has_tls = true, .ca = "/dev", .keystore = "/nowhere/store"},
         "option 'kafka.ssl.keystore.location': /nowhere/store: No such file"},
        {{.has_tls = true, .ca = "/nowhere/ca"},
         "kafka.ssl.ca.location': /nowhere/ca: No"},
        {{.has_tls = true, .ca = "/dev/null"}, "kafka.ssl.ca.location': /dev/null: a"},
        {{.has_tls = true, .ca = "/dev", .key = "k"},
         "option 'kafka.ssl.certificate.location' is missing: a client's certificate and "
         "its key belong together"},
        {{.has_tls = true, .ca = "/dev", .certificate = "k"}, "kafka.ssl.key.location'"},
        {{.has_tls = true,
          .ca = "/dev",
          .certificate = "/nowhere/c",
          .key = "/nowhere/k"},
         "kafka.ssl.certificate.location': /nowhere/c: No"},
    };
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct wire_security *security;
        struct err err;
        assert_status(wire_security_open(&wrong[i].config, &security, &err), ST_USAGE);
        if (strstr(err.text, wrong[i].says) == NULL)
            fail_msg("\"%s\" is not in: %s", wrong[i].says, err.text);
        assert_null(security);
    }
}

// A broker's word, or the script's; no program ends of it.
static void test_hosts_that_are_no_names(void **state)
{
    (void)state;
    char zeros[300], letters[300];
    snprintf(zeros, sizeof(zeros), "%0280d.0.0.1", 177);
    memset(letters, 'a', sizeof(letters));
    letters[sizeof(letters) - 1] = '\0';
    const char *hosts[] = {zeros, letters, "127.1", "::1", "fe80::1%lo", ".", " "};
    for (int any = 0; any < 2; any++) {
        const struct wire_security_config config = {
            .has_tls = true, .ca = "/dev", .takes_any_host = any};
        struct wire_security *security;
        struct err err;
        assert_ok(wire_security_open(&config, &security, &err), &err);
        for (size_t i = 0; i < ARRAY_LEN(hosts); i++)
            wire_tls_free(wire_tls_new(security, -1, hosts[i]));
        wire_security_close(security);
    }
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, open_fake, close_fake)

TEST_MAIN(cmocka_unit_test(test_scram_of_the_rfc),
          cmocka_unit_test(test_scram_challenges_that_are_not_right),
          cmocka_unit_test(test_scram_servers_that_lie),
          cmocka_unit_test(test_nonces_are_of_chance), CASE(test_a_login),
          CASE(test_a_login_that_ends_is_made_anew), CASE(test_refusals),
          CASE(test_no_step_may_last), CASE(test_dripping_does_not_help),
          CASE(test_a_login_that_is_cut), CASE(test_answers_that_are_too_large),
          CASE(test_no_tls_there), CASE(test_tokens), CASE(test_tokens_that_are_none),
          CASE(test_kerberos_without_a_realm), cmocka_unit_test(test_layers_of_kerberos),
          CASE(test_a_ticket_that_nobody_waits_for),
          cmocka_unit_test(test_hosts_that_are_no_names),
          cmocka_unit_test(test_what_is_missing_is_named))
