// SPDX-License-Identifier: Apache-2.0
// The HTTP client against servers that break in every way, over real sockets. Each is
// ended by a limit, and says which.
// test: takes 15
// test: waits
#include "http/client.h"

#include <pthread.h>

#include "base/mem.h"
#include "core/env.h"
#include "fake_http.h"
#include "http/backoff.h"
#include "http/url.h"

#define OK         "HTTP/1.1 200 OK\r\n"
#define LENGTH(n)  OK "Content-Length: " n "\r\n\r\n"
#define CHUNKS     OK "Transfer-Encoding: chunked\r\n\r\n"
#define LOCATED(u) "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " u "\r\n\r\n"

static struct http_answer answer;
static struct err err;
static int64_t took_ms;

static int64_t now_ms(void)
{
    return env_system()->ops->monotonic_ms(env_system());
}

static const struct http_limits quick = {
    .connect_ms = 1000, .slow_ms = 5000, .slow_bytes = 1, .whole_ms = 1000};

// The request without its URL; each test changes what it is about.
static struct http_request get(void)
{
    return (struct http_request){.into_max = 1000, .limits = quick};
}

static enum http_outcome send_to(int port, const char *path, struct http_request request)
{
    AUTO(mem_auto_free) char *url = mem_printf("http://127.0.0.1:%d%s", port, path);
    request.url = url;
    struct http *http = http_open(&(struct http_config){0});
    int64_t began_ms = now_ms();
    enum http_outcome outcome = http_send(http, &request, &answer, &err);
    took_ms = now_ms() - began_ms;
    http_close(http);
    assert_in_range(took_ms, 0, 8000);
    return outcome;
}

// Sends a request to a server that does this, whatever comes.
static enum http_outcome meet(struct fake_step step, const struct http_request *request)
{
    struct fake_http fake;
    fake_http_open(&fake);
    fake.repeats = true;
    fake_http_start(&fake, &step, 1);
    enum http_outcome outcome = send_to(fake.port, "/a", *request);
    fake_http_stop(&fake);
    return outcome;
}

static void assert_lost(struct fake_step step, const char *why)
{
    struct http_request request = get();
    assert_int_equal(meet(step, &request), HTTP_LOST);
    assert_string_equal(answer.why, why);
    http_answer_release(&answer);
}

static void assert_answered(struct fake_step step, int code, const char *body)
{
    struct http_request request = get();
    assert_int_equal(meet(step, &request), HTTP_ANSWERED);
    assert_int_equal(answer.code, code);
    assert_string_equal(buf_cstr(&answer.body), body);
    assert_string_equal(answer.why, "");
    http_answer_release(&answer);
}

static void test_whole_answers_are_taken(UNUSED void **state)
{
    assert_answered((struct fake_step){.answer = LENGTH("5") "hello"}, 200, "hello");
    assert_answered((struct fake_step){.answer = CHUNKS "5\r\nhello\r\n0\r\n\r\n"}, 200,
                    "hello");
    assert_answered((struct fake_step){.answer = OK "\r\nhello"}, 200, "hello");
    assert_answered(
        (struct fake_step){.answer = "HTTP/1.1 100 Continue\r\n\r\n" LENGTH("1") "a"},
        200, "a");
    assert_answered(
        (struct fake_step){.answer = "HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno"},
        403, "no");
    assert_answered((struct fake_step){.answer = "HTTP/1.1 204 No Content\r\n\r\n"}, 204,
                    "");
    // What goes past its length is not a part of it.
    assert_answered((struct fake_step){.answer = LENGTH("2") "hello"}, 200, "he");
    assert_answered(
        (struct fake_step){.answer = CHUNKS "1\r\na\r\n0\r\nLocation: http://b\r\n\r\n"},
        200, "a");
    assert_null(answer.location);
}

// The text with the bytes that came in place of N.
static void assert_not_whole(struct fake_step step)
{
    struct http_request request = get();
    static const char begin[] = "it was not whole within 1 s, after ";
    assert_int_equal(meet(step, &request), HTTP_LOST);
    assert_memory_equal(answer.why, begin, strlen(begin));
    assert_non_null(strstr(answer.why, " bytes"));
    assert_in_range(took_ms, 900, 4000);
    http_answer_release(&answer);
}

static void test_a_server_that_drips_is_left(UNUSED void **state)
{
    static const char *const begins[] = {
        "",
        OK,
        OK "X-Long: ",
        LENGTH("100000"),
        CHUNKS "ffff\r\n",
        CHUNKS "5;extension=",
        CHUNKS "1\r\na\r\n0\r\nTrailer: ",
        OK "\r\n",
        "HTTP/1.1 404 None\r\nContent-Length: 100000\r\n\r\n",
        "HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 100000\r\n\r\n",
        "HTTP/1.1 100 Continue\r\nX: ",
    };
    for (size_t i = 1; i < ARRAY_LEN(begins); i++)
        assert_not_whole(
            (struct fake_step){.answer = begins[i], .again = "a", .again_ms = 50});
}

// One byte and one more keep a silence away; they are too slow all the same.
static void test_a_lowest_speed_is_kept_to(UNUSED void **state)
{
    struct fake_step drip = {.answer = LENGTH("100000"), .again = "a", .again_ms = 100};
    struct fake_step head = {.answer = OK "X: ", .again = "a", .again_ms = 100};
    struct http_request request = get();
    request.into_max = 100000;
    request.limits = (struct http_limits){
        .connect_ms = 5000, .slow_ms = 500, .slow_bytes = 1000, .whole_ms = 60000};
    assert_int_equal(meet(drip, &request), HTTP_LOST);
    assert_string_equal(answer.why, "fewer than 1000 bytes came within 0.5 s");
    assert_int_equal(meet(head, &request), HTTP_LOST);
    assert_string_equal(answer.why, "fewer than 1000 bytes came within 0.5 s");
    request.limits.slow_bytes = 1;
    request.limits.whole_ms = 1500;
    assert_int_equal(meet(drip, &request), HTTP_LOST);
    assert_non_null(strstr(answer.why, "it was not whole within 1.5 s, after "));
    http_answer_release(&answer);
}

static void test_a_server_that_says_nothing_is_left(UNUSED void **state)
{
    static const char *const begins[] = {
        "", "HTTP", OK, OK "X: a\r\n", LENGTH("9"), CHUNKS "5\r\nhel",
    };
    assert_lost((struct fake_step){.answer = "", .is_silent = true},
                "nothing came for 1 s");
    assert_lost((struct fake_step){.answer = LENGTH("9"), .is_silent = true},
                "it was not whole within 1 s, after 38 bytes");
    for (size_t i = 2; i < ARRAY_LEN(begins); i++)
        assert_not_whole((struct fake_step){.answer = begins[i], .is_silent = true});
}

static void test_a_connection_that_is_not_made_is_left(UNUSED void **state)
{
    int port;
    int fd = socket(AF_INET, SOCK_STREAM, 0); // whose queue is full
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(address);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, n), 0);
    assert_int_equal(listen(fd, 0), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &n), 0);
    port = ntohs(address.sin_port);
    int others[2];
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        others[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)!connect(others[i], (struct sockaddr *)&address, n);
    }
    assert_int_equal(send_to(port, "/", get()), HTTP_NOT_SENT);
    assert_string_equal(answer.why, "no connection within 1 s");
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        close(others[i]);
    close(fd);
    assert_int_equal(send_to(port, "/", get()), HTTP_NOT_SENT);
    assert_string_equal(answer.why, "Connection refused");
}

// 4 KiB of the text, again and again.
static char *many(const char *text)
{
    struct buf buf = {0};
    while (buf.n < 4096)
        buf_text(&buf, text);
    return buf_detach(&buf);
}

// What libcurl refuses it says in words of its own, which differ between Debian 12's and
// 13's.
static void assert_why(const char *why, const char *newer)
{
    if (strcmp(answer.why, newer) != 0)
        assert_string_equal(answer.why, why);
}

static void assert_endless(const char *begin, const char *again, const char *why)
{
    AUTO(mem_auto_free) char *text = many(again);
    struct http_request request = get();
    request.limits.whole_ms = 5000;
    assert_int_equal(meet((struct fake_step){.answer = begin, .again = text}, &request),
                     HTTP_LOST);
    assert_why(why, "Too many response headers, 5000 is max");
    assert_int_equal(answer.trouble, HTTP_TROUBLE_TOO_LONG);
    http_answer_release(&answer);
}

static void test_nothing_is_without_end(UNUSED void **state)
{
    static const char headers[] = "the answer's headers are longer than 262144 bytes";
    static const char body[] = "the answer is longer than 1000 bytes";
    assert_endless(OK, "X: a\r\n", headers);
    assert_endless(OK, "Location: http://b\r\n", headers);
    assert_endless("HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\n",
                   headers);
    assert_endless("HTTP/1.1 103 Hints\r\n", "Link: a\r\n", headers);
    assert_endless("HTTP/1.1 103 Hints\r\n\r\n", "HTTP/1.1 103 Hints\r\nLink: a\r\n\r\n",
                   headers);
    assert_endless(CHUNKS "1\r\na\r\n0\r\n", "Trailer: a\r\n", headers);
    assert_endless(OK "X: ", "aaaa",
                   "a header of the answer is longer than 102400 bytes");
    assert_endless(OK "\r\n", "body", body);
    assert_endless(LENGTH("99999999999"), "body", body);
    assert_endless(CHUNKS, "5\r\nhello\r\n", body);
}

// Of what says no the beginning is enough.
static void test_a_long_refusal_is_cut(UNUSED void **state)
{
    struct http_request request = get();
    request.limits.whole_ms = 5000;
    AUTO(mem_auto_free) char *text = many("not found\r\n");
    struct fake_step step = {.answer = "HTTP/1.1 404 None\r\n\r\n", .again = text};
    assert_int_equal(meet(step, &request), HTTP_ANSWERED);
    assert_int_equal(answer.code, 404);
    assert_int_equal(answer.body.n, HTTP_REFUSAL_MAX);
    http_answer_release(&answer);
}

static void test_what_is_no_http_is_told(UNUSED void **state)
{
    static const char hex[] =
        "Illegal or missing hexadecimal sequence in chunked-encoding";
    static const struct {
        const char *answer, *why, *newer;
    } cases[] = {
        {CHUNKS "hello\r\n", hex, "chunk hex-length char not a hex digit: 0x68"},
        {CHUNKS "-1\r\na", hex, "chunk hex-length char not a hex digit: 0x2d"},
        {CHUNKS "ffffffffffffffffff\r\na",
         "Too long hexadecimal number in chunked-encoding",
         "chunk hex-length longer than 16"},
        {CHUNKS "1\r\nabc", "Malformed encoding found in chunked-encoding", "XX"},
        {OK "Content-Length: -5\r\n\r\nhello", "Invalid Content-Length: value", NULL},
        {OK "Content-Length: five\r\n\r\nhello", "Invalid Content-Length: value", NULL},
        {"\x15\x03\x01", "Received HTTP/0.9 when not allowed", NULL},
        {"<html>hello</html>", "Received HTTP/0.9 when not allowed", NULL},
        {"HTTP/9.9 200 OK\r\n\r\n", "Unsupported HTTP version (9.9) in response",
         "Unsupported HTTP version in response"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct http_request request = get();
        assert_int_equal(meet((struct fake_step){.answer = cases[i].answer}, &request),
                         HTTP_LOST);
        assert_why(cases[i].why, cases[i].newer ? cases[i].newer : cases[i].why);
        http_answer_release(&answer);
    }
}

// At whatever byte the server goes away: the answer is whole, or there is none.
static void cut_everywhere(const char *text, const char *body, bool framed)
{
    size_t n = strlen(text);
    struct http_request request = get();
    request.framed = framed;
    for (size_t i = 0; i <= n; i++) {
        struct fake_step step = {.answer = i ? text : NULL, .n = i};
        enum http_outcome outcome = meet(step, &request);
        if (outcome == HTTP_ANSWERED)
            assert_string_equal(buf_cstr(&answer.body), body);
        assert_true(outcome == HTTP_ANSWERED || outcome == HTTP_LOST);
        assert_true((outcome == HTTP_ANSWERED) == (answer.why[0] == '\0'));
        assert_true(i < n || outcome == HTTP_ANSWERED);
        assert_true(i > 0 || outcome == HTTP_LOST);
        http_answer_release(&answer);
    }
}

static void test_an_answer_is_whole_or_none(UNUSED void **state)
{
    cut_everywhere(LENGTH("5") "hello", "hello", false);
    cut_everywhere(CHUNKS "5\r\nhello\r\n0\r\n\r\n", "hello", false);
    cut_everywhere(LENGTH("0"), "", false);
    cut_everywhere("HTTP/1.1 100 Continue\r\n\r\n" LENGTH("5") "hello", "hello", false);
    cut_everywhere(LENGTH("5") "hello", "hello", true);
}

static void test_an_answer_that_may_be_cut_is_none(UNUSED void **state)
{
    struct http_request request = get();
    request.framed = true;
    assert_int_equal(meet((struct fake_step){.answer = OK "\r\nhel"}, &request),
                     HTTP_LOST);
    assert_string_equal(answer.why, "the answer does not say how long it is");
    assert_int_equal(
        meet((struct fake_step){.answer = CHUNKS "1\r\na\r\n0\r\n\r\n"}, &request),
        HTTP_ANSWERED);
    http_answer_release(&answer);
}

// 100,000 zeros, by Python's gzip.
#define PACKED_BYTES 132
static const char packed[] =
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xed\xc1\x31\x01\x00\x00\x00\xc2\xa0\xf5"
    "\x4f\x6d\x0d\x0f\xa0\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
    "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
    "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
    "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
    "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
    "\x00\x80\x57\x03\x7d\x95\x11\xd4\xa0\x86\x01\x00";

static enum http_outcome send_packed(const char *header)
{
    struct http_request request = get();
    AUTO(buf_release) struct buf text = {0};
    buf_printf(&text, OK "%s\r\n\r\n", header);
    buf_append(&text, packed, PACKED_BYTES);
    return meet((struct fake_step){.answer = text.p, .n = text.n}, &request);
}

// What libcurl unpacks unasked, a packed transfer, is limited as it comes out.
static void test_packed_answers_do_not_grow(UNUSED void **state)
{
    assert_int_equal(send_packed("Content-Encoding: gzip"), HTTP_ANSWERED);
    assert_int_equal(answer.body.n, PACKED_BYTES);
    http_answer_release(&answer);
    assert_int_equal(send_packed("Transfer-Encoding: gzip"), HTTP_LOST);
    assert_why("the answer is longer than 1000 bytes",
               "Unsolicited Transfer-Encoding (gzip) found");
    assert_in_range(answer.body.n, 0, 1000);
    http_answer_release(&answer);
}

static void test_redirects_are_followed_where_that_is_wanted(UNUSED void **state)
{
    struct http_request request = get();
    struct fake_step home[] = {{.answer = LOCATED("/b")}, {.answer = LENGTH("1") "b"}};
    struct fake_http fake;
    fake_http_open(&fake);
    fake_http_start(&fake, home, 2);
    request.redirects = 1;
    assert_int_equal(send_to(fake.port, "/a", request), HTTP_ANSWERED);
    fake_http_stop(&fake);
    assert_string_equal(fake.lines[1], "GET /b");
    assert_string_equal(buf_cstr(&answer.body), "b");

    request.redirects = 0;
    assert_int_equal(meet(home[0], &request), HTTP_ANSWERED);
    assert_int_equal(answer.code, 302);
    assert_string_equal(answer.location, "/b");
    http_answer_release(&answer);
}

static void assert_not_followed(const char *step, const char *why)
{
    struct http_request request = get();
    request.redirects = 5;
    assert_int_equal(meet((struct fake_step){.answer = step}, &request), HTTP_LOST);
    assert_int_equal(answer.trouble, HTTP_TROUBLE_REDIRECT);
    assert_string_equal(answer.why, why);
    http_answer_release(&answer);
}

static void test_redirects_that_are_not_followed(UNUSED void **state)
{
    static const char *const others[] = {
        LOCATED("file:///etc/passwd"),   LOCATED("ftp://127.0.0.1/x"),
        LOCATED("gopher://127.0.0.1/x"), LOCATED("scp://127.0.0.1/x"),
        LOCATED("FILE:/etc/passwd"),
    };
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        assert_not_followed(others[i],
                            "it redirects to another protocol, which is not followed");
    assert_not_followed(LOCATED("/again"), "it redirects more than 5 times");
    static const char *const logins[] = {
        LOCATED("http://me:s3cret@127.0.0.1/"),
        LOCATED("//me@127.0.0.1/"),
        LOCATED("https://:s3cret@127.0.0.1/"),
        LOCATED("HTTP://me:@127.0.0.1"),
    };
    for (size_t i = 0; i < ARRAY_LEN(logins); i++)
        assert_not_followed(
            logins[i], "it redirects to a URL with a user in it, which is not followed");
}

// The body of what redirects is not kept, so it is nobody's to bound but the client's.
static void test_a_redirect_without_end_is_left(UNUSED void **state)
{
    struct http_request request = get();
    request.redirects = 5;
    request.limits.whole_ms = 5000;
    AUTO(mem_auto_free) char *text = many("moved ");
    struct fake_step step = {.answer = "HTTP/1.1 302 Found\r\nLocation: /b\r\n"
                                       "Content-Length: 99999999999\r\n\r\n",
                             .again = text};
    assert_int_equal(meet(step, &request), HTTP_LOST);
    assert_string_equal(answer.why, "the answer is longer than 1048576 bytes");
    http_answer_release(&answer);
}

// Another port is another server.
static void test_credentials_stay_with_their_server(UNUSED void **state)
{
    static const struct http_login logins[] = {{.user = "me", .password = "s3cret"},
                                               {.token = "s3cret"}};
    for (size_t i = 0; i < ARRAY_LEN(logins); i++) {
        struct fake_http home, other;
        fake_http_open(&home);
        fake_http_open(&other);
        AUTO(mem_auto_free)
        char *away = mem_printf(LOCATED("http://127.0.0.1:%d/c"), other.port);
        struct fake_step steps[] = {{.answer = LOCATED("/b")}, {.answer = away}};
        struct fake_step end = {.answer = LENGTH("1") "c"};
        fake_http_start(&home, steps, 2);
        fake_http_start(&other, &end, 1);
        struct http_request request = get();
        request.redirects = 2;
        request.login = &logins[i];
        enum http_outcome outcome = send_to(home.port, "/a", request);
        fake_http_stop(&home);
        fake_http_stop(&other);
        assert_string_equal(answer.why, "");
        assert_int_equal(outcome, HTTP_ANSWERED);
        assert_non_null(strstr(home.heads[0], "\r\nAuthorization: B"));
        assert_non_null(strstr(home.heads[1], "\r\nAuthorization: B"));
        assert_string_equal(other.lines[0], "GET /c");
        assert_null(strcasestr(other.heads[0], "Authorization"));
        http_answer_release(&answer);
    }
}

static void *end_after_a_moment(void *deadline)
{
    env_system()->ops->sleep_ms(env_system(), 300);
    deadline_end(deadline);
    return NULL;
}

// Whatever the server does meanwhile.
static void test_a_deadline_ends_every_phase(UNUSED void **state)
{
    static const struct fake_step steps[] = {
        {.answer = "", .is_silent = true},
        {.answer = OK, .is_silent = true},
        {.answer = OK "X: ", .again = "a", .again_ms = 50},
        {.answer = LENGTH("100"), .is_silent = true},
        {.answer = LENGTH("100000"), .again = "a", .again_ms = 50},
        {.answer = OK "\r\n", .again = "a", .again_ms = 50},
        {.answer = LOCATED("/b"), .delay_ms = 100},
    };
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        struct deadline deadline = {0};
        struct http_request request = get();
        request.limits = (struct http_limits){60000, 60000, 1, 60000};
        request.redirects = 1000;
        request.into_max = 100000;
        request.deadline = &deadline;
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, end_after_a_moment, &deadline), 0);
        assert_int_equal(meet(steps[i], &request), HTTP_LOST);
        pthread_join(thread, NULL);
        assert_in_range(took_ms, 250, 2500);
        assert_string_equal(answer.why, "no answer in the time that was left");
        assert_int_equal(meet(steps[i], &request), HTTP_NOT_SENT);
        assert_string_equal(answer.why, "no time was left to ask");
        http_answer_release(&answer);
    }
}

static void test_urls_are_taken_apart(UNUSED void **state)
{
    AUTO(arena_release) struct arena arena = {0};
    struct http_url url;
    assert_true(http_url_parse(
        STR_LITERAL("https://me:a%20b%3A@Host.example:81/x/y.zip?key=1#end"), &arena,
        &url));
    assert_string_equal(url.url, "https://Host.example:81/x/y.zip?key=1");
    assert_string_equal(url.shown, "https://Host.example:81/x/y.zip");
    assert_string_equal(url.node, "Host.example:81");
    assert_string_equal(url.login.user, "me");
    assert_string_equal(url.login.password, "a b:");
    assert_true(url.is_tls && url.has_query && !url.is_local);
    static const char *const none[] = {
        "",
        "host",
        "host:80/x",
        "ftp://host/",
        "file:///x",
        "http://",
        "http://[",
        "http://host:99999/",
        "http://me:%00@host/",
        "http://ho st/",
        "https//host/",
    };
    for (size_t i = 0; i < ARRAY_LEN(none); i++)
        assert_false(http_url_parse(str_of(none[i]), &arena, &url));
    assert_false(http_url_parse((struct str){"http://a\0b", 10}, &arena, &url));
}

static void test_this_machine_is_known(UNUSED void **state)
{
    static const char *const here[] = {
        "http://localhost/", "http://LOCALHOST:80/", "http://127.0.0.1:8081",
        "http://127.9.9.9/", "http://[::1]:80/",     "http://me:x@localhost/",
    };
    static const char *const away[] = {
        "http://example.org/", "http://10.0.0.1/",    "http://127.0.0.1.example/",
        "http://[::2]/",       "http://localhost.x/", "http://localhost@example.org/",
        "http://[fe80::1]/",
    };
    AUTO(arena_release) struct arena arena = {0};
    struct http_url url;
    for (size_t i = 0; i < ARRAY_LEN(here); i++) {
        assert_true(http_url_parse(str_of(here[i]), &arena, &url));
        assert_false(http_url_is_exposed(&url));
    }
    for (size_t i = 0; i < ARRAY_LEN(away); i++) {
        assert_true(http_url_parse(str_of(away[i]), &arena, &url));
        assert_true(http_url_is_exposed(&url));
    }
    assert_true(http_url_parse(STR_LITERAL("https://example.org/"), &arena, &url));
    assert_false(http_url_is_exposed(&url));
}

// Whatever stands for an address: neither its login nor what a query holds.
static void test_secrets_of_urls_are_not_shown(UNUSED void **state)
{
    static const char *const schemes[] = {
        "http://", "https://", "HTTP://", "htp://",   "http:/",
        "http:",   "https//",  "//",      "ftp://",   "hdfs://",
        "s3://",   "://",      "",        "http:///", "h ttp://",
    };
    static const char *const hosts[] = {"host/x", "host:81/x",    "[::1]/x",  "ho st",
                                        "",       "host:99999/x", "h@host/x", "[/x"};
    static const char *const queries[] = {"", "?key=s3cret", "#s3cret", "?a#s3cret",
                                          "?user=me:s3cret@host"};
    AUTO(arena_release) struct arena arena = {0};
    for (size_t i = 0; i < ARRAY_LEN(schemes) * ARRAY_LEN(hosts) * ARRAY_LEN(queries);
         i++) {
        const char *scheme = schemes[i % ARRAY_LEN(schemes)];
        const char *host = hosts[i / ARRAY_LEN(schemes) % ARRAY_LEN(hosts)];
        const char *query = queries[i / ARRAY_LEN(schemes) / ARRAY_LEN(hosts)];
        static const char *const logins[] = {"me:s3cret@",    "me:s3%20cret@",
                                             "me:s3cret%40@", ":s3cret@",
                                             "me:x:s3cret@",  "me:s3/s3cret@"};
        for (size_t k = 0; k < ARRAY_LEN(logins); k++) {
            AUTO(mem_auto_free)
            char *text = mem_printf("%s%s%s%s", scheme, logins[k], host, query);
            const char *shown = http_url_shown(str_of(text), &arena);
            if (strstr(shown, "cret") != NULL)
                fail_msg("%s is shown as %s", text, shown);
        }
    }
}

static void test_parts_are_escaped(UNUSED void **state)
{
    AUTO(buf_release) struct buf buf = {0};
    http_url_escape(&buf, STR_LITERAL("/a b/\xc3\xa9%/+=?#~-._/"), true);
    assert_string_equal(buf_cstr(&buf), "/a%20b/%C3%A9%25/%2B%3D%3F%23~-._/");
    buf_clear(&buf);
    http_url_escape(&buf, STR_LITERAL("a/b\0c"), false);
    assert_string_equal(buf_cstr(&buf), "a%2Fb%00c");
    buf_clear(&buf);
    http_url_escape(&buf, (struct str){0}, true);
    http_url_escape(&buf, STR_LITERAL(""), false);
    assert_int_equal(buf.n, 0);
}

// A clock that moves by its sleeps, with a chance that the test sets.
struct still {
    struct env env;
    int64_t now_ms;
    uint32_t chance;
};
static int64_t still_ms(struct env *env)
{
    return ((struct still *)env)->now_ms;
}
static void still_sleep(struct env *env, int64_t ms)
{
    ((struct still *)env)->now_ms += ms;
}
static void still_chance(struct env *env, void *ret, size_t n_bytes)
{
    memcpy(ret, &((struct still *)env)->chance, n_bytes);
}
static const struct env_ops still_ops = {still_ms, still_ms, still_sleep, still_chance};

static int64_t pause_of(struct http_backoff *backoff, struct still *still,
                        bool *ret_goes_on, int64_t most_ms,
                        const struct deadline *deadline)
{
    int64_t before_ms = still->now_ms;
    *ret_goes_on = http_backoff_pause(backoff, &still->env, most_ms, deadline);
    return still->now_ms - before_ms;
}

static void test_pauses_grow_by_chance_up_to_a_limit(UNUSED void **state)
{
    static const int64_t whole_ms[] = {200, 400, 800, 1600, 3000, 3000};
    struct still least = {{&still_ops}, 0, 0}, most = {{&still_ops}, 0, 0};
    struct http_backoff a = {0}, b = {0};
    bool goes_on;
    for (size_t i = 0; i < ARRAY_LEN(whole_ms); i++) {
        most.chance = (uint32_t)whole_ms[i] / 2;
        assert_int_equal(pause_of(&a, &least, &goes_on, INT64_MAX, NULL),
                         whole_ms[i] / 2);
        assert_int_equal(pause_of(&b, &most, &goes_on, INT64_MAX, NULL), whole_ms[i]);
        assert_true(goes_on);
    }
    assert_int_equal(pause_of(&b, &most, &goes_on, 70, NULL), 70);
    struct deadline deadline = {0};
    deadline_set(&deadline, most.now_ms + 250);
    assert_int_equal(pause_of(&b, &most, &goes_on, INT64_MAX, &deadline), 300); // a slice
    assert_false(goes_on);
}

#define T(name) cmocka_unit_test(test_##name)

// A file as a body, sent by sendfile(2), beside the same bytes by libcurl.

enum {
    FILE_BYTES = 3 << 20
};

struct put {
    struct reader reader; // first member
    int fd;
    int64_t offset, n_bytes;
};

static enum status read_put(struct reader *reader, void *p, size_t capacity,
                            size_t *ret_n, UNUSED struct err *ret_err)
{
    struct put *put = (struct put *)reader;
    int64_t left = put->n_bytes - put->offset;
    ssize_t n = pread(put->fd, p, left < (int64_t)capacity ? (size_t)left : capacity,
                      (off_t)put->offset);
    assert_true(n >= 0);
    put->offset += n;
    *ret_n = (size_t)n;
    return ST_OK;
}

// What the server saw, and what the client makes of its answer.
struct met {
    enum http_outcome outcome;
    struct http_answer answer;
    struct err err;
    char head[FAKE_HEAD_MAX];
    long n_body;
};

static void put_file(struct fake_step step, int fd, int64_t n_bytes, bool by_file,
                     struct met *ret)
{
    struct fake_http fake;
    struct put put = {.reader = {.read = read_put, .file = by_file ? &fd : NULL},
                      .fd = fd,
                      .n_bytes = n_bytes};
    struct http_request request = get();
    request.method = HTTP_PUT;
    request.fresh = true;
    request.body = &put.reader;
    request.body_bytes = n_bytes;
    fake_http_open(&fake);
    fake.repeats = true;
    fake_http_start(&fake, &step, 1);
    ret->outcome = send_to(fake.port, "/a?b=%2Fc&d", request);
    ret->answer = answer;
    ret->err = err;
    answer = (struct http_answer){0};
    fake_http_stop(&fake);
    snprintf(ret->head, sizeof(ret->head), "%s", fake.n_lines ? fake.heads[0] : "");
    char *end = strstr(ret->head, "\r\n\r\n");
    if (end != NULL)
        end[4] = '\0'; // how much of the body came with it is chance
    char *host = strstr(ret->head, "127.0.0.1:");
    if (host != NULL)
        memset(host + strlen("127.0.0.1:"), 'N',
               strspn(host + strlen("127.0.0.1:"), "0123456789"));
    ret->n_body = fake.n_body;
}

// `is_cut`: the server goes before all is sent; in which call that is seen is chance.
static void compare_puts(struct fake_step step, int fd, int64_t n_bytes, bool is_cut)
{
    static struct met by_file, by_libcurl;
    put_file(step, fd, n_bytes, true, &by_file);
    put_file(step, fd, n_bytes, false, &by_libcurl);
    assert_int_equal(by_file.outcome, by_libcurl.outcome);
    assert_int_equal(by_file.answer.code, by_libcurl.answer.code);
    assert_int_equal(by_file.answer.trouble, by_libcurl.answer.trouble);
    assert_int_equal(by_file.answer.body.n, by_libcurl.answer.body.n);
    assert_string_equal(buf_cstr(&by_file.answer.body),
                        buf_cstr(&by_libcurl.answer.body));
    assert_int_equal(by_file.answer.location == NULL, by_libcurl.answer.location == NULL);
    if (by_file.answer.location != NULL)
        assert_string_equal(by_file.answer.location, by_libcurl.answer.location);
    if (!is_cut) {
        assert_string_equal(by_file.head, by_libcurl.head);
        assert_string_equal(by_file.answer.why, by_libcurl.answer.why);
        assert_int_equal(by_file.n_body, by_libcurl.n_body);
        assert_int_equal(by_file.answer.body_read, by_libcurl.answer.body_read);
    }
    if (by_file.outcome == HTTP_FAILED)
        assert_string_equal(by_file.err.text, by_libcurl.err.text);
    http_answer_release(&by_file.answer);
    http_answer_release(&by_libcurl.answer);
}

static int file_of(size_t n_bytes)
{
    char name[] = "/tmp/test_http-XXXXXX";
    int fd = mkstemp(name);
    assert_true(fd >= 0);
    unlink(name);
    for (size_t i = 0; i < n_bytes; i += 4096) {
        char piece[4096];
        memset(piece, 'a' + (int)(i / 4096 % 26), sizeof(piece));
        assert_int_equal(write(fd, piece, sizeof(piece)), sizeof(piece));
    }
    return fd;
}

#define CREATED "HTTP/1.1 201 Created\r\n"

static void test_a_file_is_sent_as_libcurl_sends_it(UNUSED void **state)
{
    static const struct fake_step steps[] = {
        {.answer = CREATED "Content-Length: 0\r\n\r\n"},
        {.answer = CREATED "Content-Length: 0\r\n\r\n", .keep = true},
        {.answer = CREATED "Location: hdfs://a/b\r\nContent-Length: 0\r\n\r\n"},
        {.answer = "HTTP/1.1 100 Continue\r\n\r\n" CREATED "Content-Length: 2\r\n\r\nok"},
        {.answer = CHUNKS "5\r\nhello\r\n1;x=y\r\n!\r\n0\r\n\r\n"},
        {.answer = OK "\r\nhello"},
        {.answer = "HTTP/1.1 204 No Content\r\n\r\n"},
        {.answer = "HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\n\r\nno!"},
        {.answer =
             "HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n"},
        {.answer = LENGTH("5") "hell"},
        {.answer = LENGTH("5") "hello, and more"},
        {.answer = CREATED "Content-Len"},
        {.answer = "HTTP/1.1 201"},
        {.answer = "\x15\x03\x01\x00\x02\x02\x46 not this"},
        {.answer = "hello"},
        {.answer = LENGTH("99999999999")},
        {.answer = NULL},
        {.answer = "", .is_silent = true},
        {.answer = CREATED, .is_silent = true},
        {.answer = CREATED "Content-Length: 3\r\n\r\n", .is_silent = true},
    };
    int fd = file_of(FILE_BYTES);
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        compare_puts(steps[i], fd, FILE_BYTES, false);
        compare_puts(steps[i], fd, 1, false);
    }
    close(fd);
}

static void test_a_file_is_refused_before_its_end(UNUSED void **state)
{
    static const struct fake_step steps[] = {
        {.answer = NULL, .body_max = 1000},
        {.answer = "HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno",
         .body_max = 1000,
         .is_silent = true},
        {.answer = CREATED "Content-Length: 0\r\n\r\n",
         .body_max = 1000,
         .is_silent = true},
        {.answer = CREATED "A: b\r\n", .again = "C: d\r\n"}, // without end
    };
    int fd = file_of(4 * FILE_BYTES);
    for (size_t i = 0; i < ARRAY_LEN(steps); i++)
        compare_puts(steps[i], fd, 4 * FILE_BYTES, true);
    close(fd);
}

static void test_a_file_that_is_short_fails(UNUSED void **state)
{
    static const struct fake_step step = {.answer = NULL};
    int fd = file_of(4096);
    compare_puts(step, fd, 5000, true);
    close(fd);
}

TEST_MAIN(cmocka_unit_test(test_a_file_is_sent_as_libcurl_sends_it),
          cmocka_unit_test(test_a_file_is_refused_before_its_end),
          cmocka_unit_test(test_a_file_that_is_short_fails), T(whole_answers_are_taken),
          T(a_server_that_drips_is_left), T(a_lowest_speed_is_kept_to),
          T(a_server_that_says_nothing_is_left), T(a_connection_that_is_not_made_is_left),
          T(nothing_is_without_end), T(a_long_refusal_is_cut), T(what_is_no_http_is_told),
          T(an_answer_is_whole_or_none), T(an_answer_that_may_be_cut_is_none),
          T(packed_answers_do_not_grow), T(redirects_are_followed_where_that_is_wanted),
          T(redirects_that_are_not_followed), T(a_redirect_without_end_is_left),
          T(credentials_stay_with_their_server), T(a_deadline_ends_every_phase),
          T(urls_are_taken_apart), T(this_machine_is_known),
          T(secrets_of_urls_are_not_shown), T(parts_are_escaped),
          T(pauses_grow_by_chance_up_to_a_limit))
