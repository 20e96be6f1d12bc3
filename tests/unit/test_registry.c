// SPDX-License-Identifier: Apache-2.0
// Against a server of the test's own that answers by a script, for what a real registry
// does not do on demand. Against a real one: tests/e2e/test_registry.py.
#include "test.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "fake_http.h"
#include "registry/registry.h"

enum {
    REQUESTS_MAX = 110,
    REQUEST_BYTES = 4096
};

// Answers one after another: "503", or "200 {json}". The last one is given again.
struct server {
    const char *const *script;
    int fd;
    int port;
    pthread_t thread;
    int n_requests;
    char requests[REQUESTS_MAX][REQUEST_BYTES];
};

// Reads a whole request: its body is as long as it says.
static void receive(int fd, char *request)
{
    size_t n = 0;
    for (;;) {
        ssize_t more = recv(fd, request + n, REQUEST_BYTES - 1 - n, 0);
        if (more <= 0)
            return;
        n += (size_t)more;
        request[n] = '\0';
        const char *body = strstr(request, "\r\n\r\n");
        const char *length = strstr(request, "Content-Length: ");
        size_t wanted = length ? strtoul(length + 16, NULL, 10) : 0;
        if (body != NULL && strlen(body + 4) >= wanted)
            return;
    }
}

static void *serve(void *context)
{
    struct server *server = context;
    int fd;
    while ((fd = accept(server->fd, NULL, NULL)) >= 0) {
        int i = server->n_requests++;
        receive(fd, server->requests[i]);
        const char *answer = server->script[0];
        if (server->script[1] != NULL)
            server->script++;
        const char *body = strlen(answer) > 4 ? answer + 4 : "";
        char *text = mem_printf("HTTP/1.1 %.3s Said\r\nContent-Length: %zu\r\n"
                                "Connection: close\r\n\r\n%s",
                                answer, strlen(body), body);
        send(fd, text, strlen(text), MSG_NOSIGNAL);
        free(text);
        close(fd);
    }
    return NULL;
}

static void start(struct server *server, const char *const *script)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    *server = (struct server){.script = script};
    server->fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(server->fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(server->fd, 16), 0);
    assert_int_equal(getsockname(server->fd, (struct sockaddr *)&address, &size), 0);
    server->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
}

static void stop(struct server *server)
{
    shutdown(server->fd, SHUT_RDWR); // ends accept
    pthread_join(server->thread, NULL);
    close(server->fd);
}

// A clock that stands still but for the test, and counts pauses.
struct still {
    struct env env;
    int64_t now_ms;
    int64_t slept_ms;
};
static int64_t still_ms(struct env *env)
{
    return ((struct still *)env)->now_ms;
}
static void still_sleep(struct env *env, int64_t ms)
{
    ((struct still *)env)->slept_ms += ms;
}
static void no_chance(UNUSED struct env *env, void *ret, size_t n_bytes)
{
    memset(ret, 0, n_bytes);
}
static const struct env_ops still_ops = {.wall_ms = still_ms,
                                         .monotonic_ms = still_ms,
                                         .sleep_ms = still_sleep,
                                         .random = no_chance};

struct fixture {
    struct server server;
    struct still still;
    struct registry *registry;
    struct err err;
    char url[64];
};

static void open_fixture(struct fixture *f, const char *const *script)
{
    *f = (struct fixture){.still = {.env = {&still_ops}}};
    start(&f->server, script);
    snprintf(f->url, sizeof(f->url), "http://127.0.0.1:%d", f->server.port);
    struct registry_config config = {
        .urls = str_of(f->url), .timeout_ms = 60000, .env = &f->still.env};
    assert_ok(registry_open(&config, &f->registry, &f->err), &f->err);
}

static void close_fixture(struct fixture *f)
{
    registry_close(f->registry);
    stop(&f->server);
}

static enum status get_id(struct schema_lookup *lookup, int32_t id,
                          struct schema_texts *ret, struct err *err)
{
    return lookup->ops->get(lookup, &(struct schema_key){.id = id}, ret, err);
}

static enum status look_up(struct fixture *f, int32_t id, struct schema_texts *ret)
{
    return get_id(registry_lookup(f->registry), id, ret, &f->err);
}

// The error's text, with the server's address as "URL".
static void assert_text(struct fixture *f, const char *text)
{
    const char *at = strstr(f->err.text, f->url);
    assert_non_null(at);
    char *shown = mem_printf("%.*sURL%s", (int)(at - f->err.text), f->err.text,
                             at + strlen(f->url));
    assert_string_equal(shown, text);
    free(shown);
}

#define SCRIPT(...)       \
    (const char *const[]) \
    {                     \
        __VA_ARGS__, NULL \
    }

static void test_schemas_are_asked_for_once(UNUSED void **state)
{
    struct fixture f;
    struct schema_texts texts;
    open_fixture(&f, SCRIPT("200 {\"schema\":\"\\\"long\\\"\"}"));
    assert_ok(look_up(&f, 17, &texts), &f.err);
    assert_int_equal(texts.n, 1);
    assert_str(texts.items[0], "\"long\"");
    assert_ok(look_up(&f, 17, &texts), &f.err);
    assert_int_equal(f.server.n_requests, 1);
    const char *request = f.server.requests[0];
    assert_non_null(strstr(request, "GET /schemas/ids/17 HTTP/1.1\r\n"));
    assert_non_null(strstr(request, "\r\nAccept: "
                                    "application/vnd.schemaregistry.v1+json, "
                                    "application/json\r\n"));
    assert_non_null(
        strstr(request, "\r\nContent-Type: application/vnd.schemaregistry.v1+json\r\n"));
    close_fixture(&f);
}

static void test_unknown_ids_are_asked_for_again_after_a_while(UNUSED void **state)
{
    struct fixture f;
    struct schema_texts texts;
    open_fixture(&f,
                 SCRIPT("404 {\"error_code\":40403,\"message\":\"Schema 9 not found\"}",
                        "200 {\"schema\":\"\\\"int\\\"\"}"));
    assert_status(look_up(&f, 9, &texts), ST_NOT_FOUND);
    assert_text(&f, "registry: GET URL/schemas/ids/9: HTTP 404: Schema 9 not found");
    assert_status(look_up(&f, 9, &texts), ST_NOT_FOUND);
    assert_string_equal(f.err.text, "registry: there is no schema id 9");
    assert_int_equal(f.server.n_requests, 1);
    f.still.now_ms += REGISTRY_ABSENT_MS;
    assert_ok(look_up(&f, 9, &texts), &f.err);
    assert_int_equal(f.server.n_requests, 2);
    close_fixture(&f);
}

#define GUID "123e4567-e89b-12d3-a456-426614174000"

static enum status look_up_guid(struct fixture *f, struct schema_texts *ret)
{
    struct schema_lookup *lookup = registry_lookup(f->registry);
    static const struct schema_key key = {
        .guid = "\x12\x3e\x45\x67\xe8\x9b\x12\xd3\xa4\x56\x42\x66\x14\x17\x40"};
    return lookup->ops->get(lookup, &key, ret, &f->err);
}

static void test_schemas_are_found_by_guid(UNUSED void **state)
{
    struct fixture f;
    struct schema_texts texts;
    open_fixture(&f, SCRIPT("200 {\"schema\":\"\\\"long\\\"\",\"guid\":\"" GUID "\"}",
                            "200 {\"schema\":\"\\\"int\\\"\"}"));
    assert_ok(look_up_guid(&f, &texts), &f.err);
    assert_str(texts.items[0], "\"long\"");
    assert_ok(look_up(&f, 1, &texts), &f.err);
    assert_str(texts.items[0], "\"int\"");
    assert_ok(look_up_guid(&f, &texts), &f.err);
    assert_str(texts.items[0], "\"long\"");
    assert_int_equal(f.server.n_requests, 2);
    assert_non_null(
        strstr(f.server.requests[0], "GET /schemas/guids/" GUID " HTTP/1.1\r\n"));
    close_fixture(&f);
    open_fixture(&f,
                 SCRIPT("404 {\"error_code\":40403,\"message\":\"Schema not found\"}"));
    assert_status(look_up_guid(&f, &texts), ST_NOT_FOUND);
    assert_text(&f,
                "registry: GET URL/schemas/guids/" GUID ": HTTP 404: Schema not found");
    assert_status(look_up_guid(&f, &texts), ST_NOT_FOUND);
    assert_string_equal(f.err.text, "registry: there is no schema GUID " GUID);
    close_fixture(&f);
}

// Only one that answers otherwise may say so: else the address is wrong, for ids too.
static void test_a_registry_may_know_no_guids(UNUSED void **state)
{
    static const char *const answers[] = {
        "404 {\"error_code\":404,\"message\":\"HTTP 404 Not Found\"}", // Confluent's 7
        "404 ",                                                        // Apicurio's
    };
    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        struct fixture f;
        struct schema_texts texts;
        open_fixture(&f, SCRIPT(answers[i], "200 [\"AVRO\"]"));
        assert_status(look_up_guid(&f, &texts), ST_DATA);
        assert_string_equal(
            f.err.text, "the registry does not find schemas by GUID (it has no "
                        "/schemas/guids; Confluent's has, from 8.0 on); let producers "
                        "write ids");
        close_fixture(&f);
        open_fixture(&f, SCRIPT(answers[i]));
        assert_status(look_up_guid(&f, &texts), ST_FAIL);
        close_fixture(&f);
        open_fixture(&f, SCRIPT("401 {\"error_code\":401,\"message\":\"no\"}"));
        assert_status(look_up_guid(&f, &texts), ST_FAIL);
        close_fixture(&f);
        open_fixture(&f, SCRIPT("503 x"));
        assert_status(look_up_guid(&f, &texts), ST_RETRY);
        close_fixture(&f);
    }
}

static const char absent_9[] = "404 {\"error_code\":40403,\"message\":\"none\"}";

static void open_patient(struct fixture *f, const char *const *script)
{
    open_fixture(f, script);
    registry_close(f->registry);
    struct registry_config config = {
        .urls = str_of(f->url), .env = &f->still.env, .unknown_wait_ms = 10000};
    assert_ok(registry_open(&config, &f->registry, &f->err), &f->err);
}

static void test_unknown_ids_may_only_be_late(UNUSED void **state)
{
    struct fixture f;
    struct schema_texts texts;
    open_patient(&f, SCRIPT(absent_9, absent_9, "200 {\"schema\":\"\\\"int\\\"\"}"));
    assert_status(look_up(&f, 9, &texts), ST_RETRY);
    assert_text(&f, "registry: GET URL/schemas/ids/9: HTTP 404: none");
    f.still.now_ms += 9999;
    assert_status(look_up(&f, 9, &texts), ST_RETRY);
    assert_ok(look_up(&f, 9, &texts), &f.err);
    close_fixture(&f);
}

static void test_ids_that_never_come_hold_up_once(UNUSED void **state)
{
    struct fixture f;
    struct schema_texts texts;
    open_patient(&f, SCRIPT(absent_9));
    assert_status(look_up(&f, 9, &texts), ST_RETRY);
    f.still.now_ms += 10000;
    assert_status(look_up(&f, 9, &texts), ST_NOT_FOUND);
    assert_int_equal(f.server.n_requests, 2);
    assert_status(look_up(&f, 9, &texts), ST_NOT_FOUND);
    assert_int_equal(f.server.n_requests, 2); // known as absent
    f.still.now_ms += REGISTRY_ABSENT_MS;
    assert_status(look_up(&f, 9, &texts), ST_NOT_FOUND);
    assert_int_equal(f.server.n_requests, 3);
    assert_status(look_up(&f, 10, &texts), ST_NOT_FOUND); // after the wait in vain
    f.still.now_ms += REGISTRY_DOUBT_MS - REGISTRY_ABSENT_MS;
    assert_status(look_up(&f, 11, &texts), ST_RETRY);
    close_fixture(&f);
}

static void test_what_may_heal_is_tried_again(UNUSED void **state)
{
    struct fixture f;
    struct schema_texts texts;
    open_fixture(&f, SCRIPT("503", "429", "200 {\"schema\":\"\\\"int\\\"\"}"));
    assert_ok(look_up(&f, 1, &texts), &f.err);
    assert_int_equal(f.server.n_requests, 3);
    assert_int_equal(f.still.slept_ms, 200 / 2 + 400 / 2); // by no chance the least
    close_fixture(&f);

    open_fixture(&f, SCRIPT("500 {\"error_code\":50001,\"message\":\"store\"}"));
    assert_status(look_up(&f, 1, &texts), ST_RETRY);
    assert_text(&f, "registry: GET URL/schemas/ids/1: HTTP 500: store");
    assert_int_equal(f.server.n_requests, REGISTRY_ROUNDS);
    close_fixture(&f);
}

static void test_what_is_final_says_the_way_out(UNUSED void **state)
{
    static const struct {
        const char *answer;
        const char *text;
    } cases[] = {
        {"401", "HTTP 401: no text; give registry.user and registry.password, or "
                "registry.token"},
        {"403 {\"message\":\"Denied\"}",
         "HTTP 403: Denied; these credentials may not do that"},
        {"404 <html>", "HTTP 404: '<html>'; the path of the address may be wrong "
                       "(Apicurio's ends in /apis/ccompat/v7)"},
        {"302", "HTTP 302: no text; it redirects: give the address that it redirects to"},
        {"409 {\"error_code\":409,\"message\":\"no\"}", "HTTP 409: no"},
        {"422 {\"error_code\":42201,\"message\":\"no\"}", "HTTP 422: no"},
        {"200 <html>hello", "no JSON, but '<html>hello': is this a Schema Registry?"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct fixture f;
        struct schema_texts texts;
        open_fixture(&f, SCRIPT(cases[i].answer));
        assert_status(look_up(&f, 1, &texts), ST_FAIL);
        char *text = mem_printf("registry: GET URL/schemas/ids/1: %s", cases[i].text);
        assert_text(&f, text);
        assert_int_equal(f.server.n_requests, 1);
        free(text);
        close_fixture(&f);
    }
}

static void test_only_avro_schemas_are_taken(UNUSED void **state)
{
    struct fixture f;
    struct schema_texts texts;
    open_fixture(&f, SCRIPT("200 {\"schema\":\"{}\",\"schemaType\":\"PROTOBUF\"}"));
    assert_status(look_up(&f, 1, &texts), ST_DATA);
    assert_string_equal(f.err.text, "the schema is of type PROTOBUF, not AVRO");
    close_fixture(&f);
}

static void test_references_come_before_what_needs_them(UNUSED void **state)
{
    struct fixture f;
    struct schema_texts texts;
    open_fixture(
        &f,
        SCRIPT(
            "200 {\"schema\":\"c\",\"references\":[{\"name\":\"b\",\"subject\":\"b s\","
            "\"version\":2},{\"name\":\"a\",\"subject\":\"a\",\"version\":1}]}",
            "200 {\"schema\":\"b\",\"references\":[{\"name\":\"a\",\"subject\":\"a\","
            "\"version\":1}]}",
            "200 {\"schema\":\"a\"}"));
    assert_ok(look_up(&f, 1, &texts), &f.err);
    assert_int_equal(texts.n, 3);
    assert_str(texts.items[0], "a");
    assert_str(texts.items[1], "b");
    assert_str(texts.items[2], "c");
    assert_int_equal(f.server.n_requests, 3);
    assert_non_null(strstr(f.server.requests[1], "GET /subjects/b%20s/versions/2 "));
    close_fixture(&f);
}

// Else all records of the schema would be taken for bad ones.
static void test_a_refused_reference_is_no_bad_schema(UNUSED void **state)
{
    struct fixture f;
    struct schema_texts texts;
    open_fixture(&f, SCRIPT("200 {\"schema\":\"b\",\"references\":[{\"name\":\"a\","
                            "\"subject\":\"a\",\"version\":1}]}",
                            "422 {\"error_code\":42202,\"message\":\"no\"}"));
    assert_status(look_up(&f, 1, &texts), ST_FAIL);
    assert_text(&f, "registry: GET URL/subjects/a/versions/1: HTTP 422: no");
    close_fixture(&f);
}

static void assert_wrong_answer(const char *answer, const char *text)
{
    struct fixture f;
    struct schema_texts texts;
    open_fixture(&f, SCRIPT(answer));
    enum status rc = look_up(&f, 1, &texts);
    assert_true(rc == ST_DATA || rc == ST_FAIL);
    assert_string_equal(f.err.text, text);
    close_fixture(&f);
}

static void test_answers_that_are_not_what_was_asked_for(UNUSED void **state)
{
    assert_wrong_answer("200 {\"schema\":\"a\",\"references\":[{\"name\":\"b\"}]}",
                        "a reference without subject and version");
    struct fixture f;
    struct str subject = STR_LITERAL("s");
    int32_t id;
    open_fixture(&f, SCRIPT("200 {}"));
    assert_status(registry_find(f.registry, subject, STR_LITERAL("x"), &id, &f.err),
                  ST_FAIL);
    assert_string_equal(f.err.text, "registry: the answer has no schema id");
    assert_status(registry_check(f.registry, REGISTER_IF_COMPATIBLE, subject,
                                 STR_LITERAL("x"), &f.err),
                  ST_FAIL);
    assert_string_equal(f.err.text, "registry: the answer has no \"is_compatible\"");
    assert_status(registry_find(f.registry, subject, STR_LITERAL("\xFF"), &id, &f.err),
                  ST_DATA);
    assert_string_equal(f.err.text, "registry: the schema is not UTF-8 text");
    close_fixture(&f);
}

// Neither the registry nor resolution has a reason: its rule is another.
static void test_reasons_may_be_unknown(UNUSED void **state)
{
    struct fixture f;
    open_fixture(&f,
                 SCRIPT("200 {\"is_compatible\":false}",
                        "200 {\"id\":1,\"version\":1,\"schema\":\"{\\\"type\\\":"
                        "\\\"record\\\",\\\"name\\\":\\\"r\\\",\\\"fields\\\":[]}\"}"));
    struct str schema = STR_LITERAL("{\"type\":\"record\",\"name\":\"r\",\"fields\":[]}");
    assert_status(registry_check(f.registry, REGISTER_IF_COMPATIBLE, STR_LITERAL("s"),
                                 schema, &f.err),
                  ST_CONFLICT);
    assert_string_equal(f.err.text,
                        "registry: the schema is not compatible with the latest version "
                        "of subject 's': the registry gives no reasons; change the "
                        "columns, or the subject's compatibility level");
    close_fixture(&f);
}

// What is too long in an answer that holds a schema is the schema's fault.
static void assert_too_long(const char *answer, const char *text)
{
    struct fixture f;
    struct schema_texts texts;
    open_fixture(&f, SCRIPT(answer));
    assert_status(look_up(&f, 1, &texts), ST_DATA);
    if (strstr(text, "URL") != NULL)
        assert_text(&f, text);
    else
        assert_string_equal(f.err.text, text);
    close_fixture(&f);
}

// A registry that would write a line of the log, or on the terminal.
static void test_words_of_a_registry_are_one_line(UNUSED void **state)
{
    struct fixture f;
    struct schema_texts texts;
    open_fixture(&f,
                 SCRIPT("500 {\"error_code\":50001,\"message\":\"no\\n2026-11-29T10:00:"
                        "00.000Z error forged\\u001b[2J\"}"));
    assert_status(look_up(&f, 1, &texts), ST_RETRY);
    assert_text(&f, "registry: GET URL/schemas/ids/1: HTTP 500: no\\n2026-11-29T10:00:"
                    "00.000Z error forged\\x1b[2J");
    close_fixture(&f);
    open_fixture(&f, SCRIPT("200 <html>\033[2J\r\n</html>"));
    assert_status(look_up(&f, 1, &texts), ST_FAIL);
    assert_text(&f, "registry: GET URL/schemas/ids/1: no JSON, but '<html>\\x1b[2J\\r\\n"
                    "</html>': is this a Schema Registry?");
    close_fixture(&f);
}

static void test_schemas_are_bounded(UNUSED void **state)
{
    struct buf answer = {0};
    buf_text(&answer, "200 {\"schema\":\"");
    size_t begin = answer.n;
    for (int i = 0; i < 17 << 20; i++)
        buf_char(&answer, 'x');
    buf_text(&answer, "\"}");
    assert_too_long(buf_cstr(&answer), "registry: GET URL/schemas/ids/1: the answer is "
                                       "longer than 16777216 bytes");
    answer.n = begin + (5 << 20);
    buf_text(&answer, "\"}");
    assert_too_long(buf_cstr(&answer), "the schema is longer than 4194304 bytes");
    answer.n = begin - 1;
    buf_text(&answer, "[0");
    for (int i = 0; i < 100000; i++)
        buf_text(&answer, ",0");
    buf_text(&answer, "]}");
    assert_too_long(buf_cstr(&answer),
                    "registry: GET URL/schemas/ids/1: more than 100000 "
                    "values at byte 200006");
    buf_release(&answer);
}

// 40 schemas of 3 MB: not all of them are kept.
static void test_schemas_are_bounded_in_sum(UNUSED void **state)
{
    struct buf answer = {0};
    buf_text(&answer, "200 {\"schema\":\"");
    for (int i = 0; i < 3 << 20; i++)
        buf_char(&answer, 'x');
    buf_text(&answer, "\"}");
    struct fixture f;
    struct schema_texts texts;
    open_fixture(&f, SCRIPT(buf_cstr(&answer)));
    for (int id = 1; id <= 40; id++)
        assert_ok(look_up(&f, id, &texts), &f.err);
    assert_int_equal(f.server.n_requests, 40);
    assert_ok(look_up(&f, 40, &texts), &f.err);
    assert_ok(look_up(&f, 20, &texts), &f.err); // 64 MB hold 21 of them
    assert_int_equal(f.server.n_requests, 40);
    assert_ok(look_up(&f, 1, &texts), &f.err);
    assert_int_equal(f.server.n_requests, 41);
    close_fixture(&f);
    buf_release(&answer);
}

static void test_references_are_bounded(UNUSED void **state)
{
    struct buf answer = {0};
    buf_text(&answer, "200 {\"schema\":\"a\",\"references\":[");
    for (int i = 0; i <= 100; i++)
        buf_printf(&answer, "%s{\"name\":\"n\",\"subject\":\"s\",\"version\":%d}",
                   i ? "," : "", i);
    buf_text(&answer, "]}");
    struct fixture f;
    struct schema_texts texts;
    open_fixture(&f, SCRIPT(buf_cstr(&answer), "200 {\"schema\":\"b\"}"));
    assert_status(look_up(&f, 1, &texts), ST_DATA);
    assert_string_equal(f.err.text, "more than 100 references");
    close_fixture(&f);
    buf_release(&answer);
}

static void test_addresses_take_over_from_each_other(UNUSED void **state)
{
    struct server good, bad;
    start(&bad, SCRIPT("503"));
    start(&good, SCRIPT("200 {\"schema\":\"\\\"int\\\"\"}"));
    struct still still = {.env = {&still_ops}};
    char urls[100];
    snprintf(urls, sizeof(urls), "http://127.0.0.1:%d, http://127.0.0.1:%d/", bad.port,
             good.port);
    struct registry_config config = {.urls = str_of(urls), .env = &still.env};
    struct registry *registry;
    struct schema_texts texts;
    struct err err;
    assert_ok(registry_open(&config, &registry, &err), &err);
    struct schema_lookup *lookup = registry_lookup(registry);
    assert_ok(get_id(lookup, 1, &texts, &err), &err);
    assert_ok(get_id(lookup, 2, &texts, &err), &err);
    assert_int_equal(bad.n_requests, 1); // who answered last is asked first
    assert_int_equal(good.n_requests, 2);
    assert_int_equal(still.slept_ms, 0);
    registry_close(registry);
    stop(&bad);
    stop(&good);
}

// Gives what id 1 is by two servers, the first of which answers so.
static void assert_passes_over(const char *answer)
{
    struct server good, bad;
    start(&bad, SCRIPT(answer));
    start(&good, SCRIPT("200 {\"schema\":\"\\\"int\\\"\"}"));
    char urls[100];
    snprintf(urls, sizeof(urls), "http://me:one@127.0.0.1:%d,http://you:two@127.0.0.1:%d",
             bad.port, good.port);
    struct registry_config config = {.urls = str_of(urls)};
    struct registry *registry;
    struct schema_texts texts;
    struct err err;
    assert_ok(registry_open(&config, &registry, &err), &err);
    struct schema_lookup *lookup = registry_lookup(registry);
    assert_ok(get_id(lookup, 1, &texts, &err), &err);
    assert_int_equal(bad.n_requests, 1);
    // base64(1) of "me:one" and "you:two": each address has its own login.
    assert_non_null(strstr(bad.requests[0], "Authorization: Basic bWU6b25l\r\n"));
    assert_non_null(strstr(good.requests[0], "Authorization: Basic eW91OnR3bw==\r\n"));
    registry_close(registry);
    stop(&bad);
    stop(&good);
}

static void test_what_is_no_registry_is_passed_over(UNUSED void **state)
{
    assert_passes_over("200 <html>");
    assert_passes_over("404 <html>");
    assert_passes_over("302");
}

static void test_a_deadline_ends_pauses_and_requests(UNUSED void **state)
{
    struct fixture f;
    struct schema_texts texts;
    struct deadline deadline;
    deadline_end(&deadline);
    open_fixture(&f, SCRIPT("503"));
    registry_close(f.registry);
    struct registry_config config = {
        .urls = str_of(f.url), .env = &f.still.env, .deadline = &deadline};
    assert_ok(registry_open(&config, &f.registry, &f.err), &f.err);
    assert_status(look_up(&f, 1, &texts), ST_RETRY);
    assert_text(&f, "registry: GET URL/schemas/ids/1: no time was left to ask");
    assert_int_equal(f.still.slept_ms, 0);
    close_fixture(&f);
}

static void test_refused_connections_may_heal(UNUSED void **state)
{
    struct fixture f;
    struct schema_texts texts;
    open_fixture(&f, SCRIPT("200 {}"));
    stop(&f.server);
    assert_status(look_up(&f, 1, &texts), ST_RETRY);
    assert_text(&f, "registry: GET URL/schemas/ids/1: Connection refused");
    registry_close(f.registry);
}

// What a look-up comes to when the server does this; %d for its port.
static enum status look_up_at(const struct fake_step *step, struct schema_texts *ret,
                              struct registry **registry, struct err *err)
{
    struct fake_http fake;
    fake_http_open(&fake);
    fake.repeats = true;
    fake_http_start(&fake, step, 1);
    char url[64];
    snprintf(url, sizeof(url), "http://127.0.0.1:%d", fake.port);
    struct registry_config config = {
        .urls = str_of(url), .timeout_ms = 1000, .rounds = 1};
    assert_ok(registry_open(&config, registry, err), err);
    enum status rc = get_id(registry_lookup(*registry), 1, ret, err);
    fake_http_stop(&fake);
    return rc;
}

static void assert_left(struct fake_step step, const char *why)
{
    struct registry *registry;
    struct schema_texts texts;
    struct err err;
    assert_status(look_up_at(&step, &texts, &registry, &err), ST_RETRY);
    assert_non_null(strstr(err.text, why));
    registry_close(registry);
}

#define OK "HTTP/1.1 200 OK\r\n"

static void test_servers_that_take_for_ever_are_left(UNUSED void **state)
{
    static const char late[] = "/schemas/ids/1: it was not whole within 1 s, after ";
    assert_left((struct fake_step){.answer = "", .is_silent = true},
                "/schemas/ids/1: nothing came for 1 s");
    assert_left((struct fake_step){.answer = OK "X: ", .again = "a", .again_ms = 50},
                late);
    assert_left((struct fake_step){.answer = OK "Content-Length: 999\r\n\r\n",
                                   .again = "a",
                                   .again_ms = 50},
                late);
    assert_left((struct fake_step){.answer = "HTTP/1.1 503 x\r\n\r\n",
                                   .again = "a",
                                   .again_ms = 50},
                late);
}

// A schema that is cut is none, at whatever byte the server goes away.
static void test_a_cut_schema_is_none(UNUSED void **state)
{
    static const char whole[] =
        OK "Content-Length: 20\r\n\r\n{\"schema\":\"\\\"int\\\"\"}";
    for (size_t n = 1; n < sizeof(whole); n++) {
        struct fake_step step = {.answer = whole, .n = n};
        struct registry *registry;
        struct schema_texts texts;
        struct err err;
        enum status rc = look_up_at(&step, &texts, &registry, &err);
        assert_true((rc == ST_OK) == (n == sizeof(whole) - 1));
        assert_true(rc == ST_OK || rc == ST_RETRY || rc == ST_FAIL);
        if (rc == ST_OK)
            assert_str(texts.items[0], "\"int\"");
        registry_close(registry);
    }
}

static void assert_credentials(struct str user, struct str token, const char *header)
{
    struct server server;
    start(&server, SCRIPT("401"));
    char url[64];
    snprintf(url, sizeof(url), "http://127.0.0.1:%d", server.port);
    struct registry_config config = {.urls = str_of(url),
                                     .user = user,
                                     .password = STR_LITERAL("s3cret"),
                                     .token = token};
    struct registry *registry;
    struct schema_texts texts;
    struct err err;
    assert_ok(registry_open(&config, &registry, &err), &err);
    struct schema_lookup *lookup = registry_lookup(registry);
    assert_status(get_id(lookup, 1, &texts, &err), ST_FAIL);
    assert_non_null(strstr(server.requests[0], header));
    assert_null(strstr(err.text, "s3cret"));
    registry_close(registry);
    stop(&server);
}

// Base64 of "me:s3cret" by base64(1).
static void test_credentials_are_sent_and_not_shown(UNUSED void **state)
{
    assert_credentials(STR_LITERAL("me"), (struct str){0},
                       "Authorization: Basic bWU6czNjcmV0\r\n");
    assert_credentials((struct str){0}, STR_LITERAL("tok"),
                       "Authorization: Bearer tok\r\n");
}

static void assert_no_address(const char *urls, const char *text)
{
    struct registry_config config = {.urls = str_of(urls)};
    struct registry *registry;
    struct err err;
    assert_status(registry_open(&config, &registry, &err), ST_USAGE);
    assert_string_equal(err.text, text);
}

static void test_addresses_are_checked(UNUSED void **state)
{
    assert_no_address("", "registry: '' is not an address; write http://host:port/path");
    assert_no_address("localhost:8081",
                      "registry: 'localhost:8081' is not an address; write "
                      "http://host:port/path");
    assert_no_address("http://a,ftp://b", "registry: 'ftp://b' is not an address; write "
                                          "http://host:port/path");
    assert_no_address(
        "ftp://me:s3cret@b",
        "registry: '(not shown)' is not an address; write http://host:port/path");
    struct buf many = {0};
    for (int i = 0; i <= 20; i++)
        buf_printf(&many, "%shttp://h%d", i ? "," : "", i);
    assert_no_address(buf_cstr(&many), "registry: more than 20 addresses");
    buf_release(&many);
}

static void test_policies(UNUSED void **state)
{
    struct fixture f;
    int32_t id = 0;
    struct str subject = STR_LITERAL("t-value");
    struct str schema = STR_LITERAL("\"int\"");
    static const char absent[] = "404 {\"error_code\":40403,\"message\":\"absent\"}";

    open_fixture(&f, SCRIPT(absent));
    assert_status(
        registry_id_for(f.registry, REGISTER_NEVER, subject, schema, &id, &f.err),
        ST_NOT_FOUND);
    assert_string_equal(f.err.text,
                        "registry: subject 't-value' does not have this schema, and "
                        "register = 'never'; register it, or set register = "
                        "'if_compatible'");
    assert_non_null(strstr(f.server.requests[0], "POST /subjects/t-value HTTP"));
    assert_non_null(strstr(f.server.requests[0], "\r\n\r\n{\"schema\":\"\\\"int\\\"\"}"));
    close_fixture(&f);

    open_fixture(&f, SCRIPT(absent, "200 {\"is_compatible\":true}", "200 {\"id\":5}"));
    assert_ok(
        registry_id_for(f.registry, REGISTER_IF_COMPATIBLE, subject, schema, &id, &f.err),
        &f.err);
    assert_int_equal(id, 5);
    assert_non_null(strstr(f.server.requests[1],
                           "POST /compatibility/subjects/t-value/versions/latest"));
    assert_non_null(strstr(f.server.requests[2], "POST /subjects/t-value/versions HTTP"));
    close_fixture(&f);

    open_fixture(&f, SCRIPT(absent, "200 {\"is_compatible\":false,\"messages\":[\"a "
                                    "gone\",\"b new\"]}"));
    assert_status(
        registry_id_for(f.registry, REGISTER_IF_COMPATIBLE, subject, schema, &id, &f.err),
        ST_CONFLICT);
    assert_string_equal(f.err.text,
                        "registry: the schema is not compatible with the latest version "
                        "of subject 't-value': a gone; b new; change the columns, or the "
                        "subject's compatibility level");
    close_fixture(&f);

    open_fixture(&f, SCRIPT("409 {\"error_code\":409,\"message\":\"Incompatible: a\"}"));
    assert_status(
        registry_id_for(f.registry, REGISTER_ALWAYS, subject, schema, &id, &f.err),
        ST_CONFLICT);
    assert_text(&f, "registry: POST URL/subjects/t-value/versions: HTTP 409: "
                    "Incompatible: a");
    close_fixture(&f);

    open_fixture(&f, SCRIPT("422 {\"error_code\":42201,\"message\":\"Invalid schema\"}"));
    assert_status(
        registry_id_for(f.registry, REGISTER_ALWAYS, subject, schema, &id, &f.err),
        ST_DATA);
    close_fixture(&f);
}

static void assert_subject(const char *option, const char *expected)
{
    struct buf buf = {0};
    registry_subject(str_of(option), str_of("stop_times"), str_of("gtfs.stop_time"),
                     &buf);
    assert_str(buf_as_str(&buf), expected);
    buf_release(&buf);
}

static void test_subjects(UNUSED void **state)
{
    assert_subject("topic", "stop_times-value");
    assert_subject("record", "gtfs.stop_time");
    assert_subject("topic-record", "stop_times-gtfs.stop_time");
    assert_subject("mine", "mine");
}

TEST_MAIN(cmocka_unit_test(test_schemas_are_asked_for_once),
          cmocka_unit_test(test_schemas_are_found_by_guid),
          cmocka_unit_test(test_a_registry_may_know_no_guids),
          cmocka_unit_test(test_unknown_ids_are_asked_for_again_after_a_while),
          cmocka_unit_test(test_unknown_ids_may_only_be_late),
          cmocka_unit_test(test_ids_that_never_come_hold_up_once),
          cmocka_unit_test(test_what_may_heal_is_tried_again),
          cmocka_unit_test(test_what_is_final_says_the_way_out),
          cmocka_unit_test(test_only_avro_schemas_are_taken),
          cmocka_unit_test(test_references_come_before_what_needs_them),
          cmocka_unit_test(test_a_refused_reference_is_no_bad_schema),
          cmocka_unit_test(test_answers_that_are_not_what_was_asked_for),
          cmocka_unit_test(test_reasons_may_be_unknown),
          cmocka_unit_test(test_references_are_bounded),
          cmocka_unit_test(test_words_of_a_registry_are_one_line),
          cmocka_unit_test(test_schemas_are_bounded),
          cmocka_unit_test(test_schemas_are_bounded_in_sum),
          cmocka_unit_test(test_addresses_take_over_from_each_other),
          cmocka_unit_test(test_what_is_no_registry_is_passed_over),
          cmocka_unit_test(test_a_deadline_ends_pauses_and_requests),
          cmocka_unit_test(test_refused_connections_may_heal),
          cmocka_unit_test(test_servers_that_take_for_ever_are_left),
          cmocka_unit_test(test_a_cut_schema_is_none),
          cmocka_unit_test(test_credentials_are_sent_and_not_shown),
          cmocka_unit_test(test_addresses_are_checked), cmocka_unit_test(test_policies),
          cmocka_unit_test(test_subjects))
