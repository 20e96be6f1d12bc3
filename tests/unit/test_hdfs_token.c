// SPDX-License-Identifier: Apache-2.0
// Delegation tokens: what they are read from, how they are sent, what is said of those
// that a name node refuses; asked for and renewed. Servers are scripts over real sockets;
// a real secured HDFS is in tests/e2e/test_hdfs_secure.py.
#include "storage/hdfs_token.h"

#include <fcntl.h>
#include <fnmatch.h>
#include <stdlib.h>

#include "base/mem.h"
#include "fake_http.h"
#include "job/tokens.h"

#define T(name) cmocka_unit_test(test_##name)
#define REMOTE(code, exception, message)                                           \
    "HTTP/1.1 " code " x\r\nContent-Type: application/json\r\n\r\n"                \
    "{\"RemoteException\":{\"exception\":\"" exception "\",\"message\":\"" message \
    "\"}}"
// As Hadoop 3.4.2 says it.
#define EXPIRED                                                                          \
    REMOTE("403", "InvalidToken",                                                        \
           "token (HDFS_DELEGATION_TOKEN token 3 for ann with renewer ann) is expired, " \
           "current time: 2026-11-29 expected renewal time: 2026-11-28")
#define IS_DIRECTORY                                                               \
    "HTTP/1.1 200 OK\r\n\r\n{\"FileStatus\":{\"length\":0,\"modificationTime\":5," \
    "\"type\":\"DIRECTORY\"}}"
#define JSON(body) "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" body

static struct err err;
static char folder[] = "/tmp/hdfs_token_XXXXXX";
static char path[64];

static int make_folder(UNUSED void **state)
{
    snprintf(path, sizeof(path), "%s/tokens", mkdtemp(folder));
    return 0;
}

static int remove_folder(UNUSED void **state)
{
    unlink(path);
    return rmdir(folder);
}

// In one step, as tramline token does.
static void put(const char *text, size_t n, mode_t mode)
{
    AUTO(mem_auto_free) char *other = mem_printf("%s.new", path);
    int fd = open(other, O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, n), (ssize_t)n);
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
    assert_int_equal(rename(other, path), 0);
}

static char *line_of(int port, const char *token)
{
    return mem_printf(
        "{\"v\":1,\"tokens\":[{\"storage\":\"hdfs://nn:1\",\"token\":\"x\"},"
        "{\"storage\":\"hdfs://127.0.0.1:%d\",\"token\":\"%s\"}]}\n",
        port, token);
}

// The whole text, '*' for what is another each time.
static void assert_says(const char *pattern)
{
    if (fnmatch(pattern, err.text, 0) != 0)
        fail_msg("'%s' is not: %s", pattern, err.text);
    assert_null(strstr(err.text, "SECRET"));
}

static void put_token(int port, const char *token)
{
    AUTO(mem_auto_free) char *line = line_of(port, token);
    put(line, strlen(line), 0600);
}

static struct storage_config by_file(void)
{
    return (struct storage_config){
        .auth = STORAGE_AUTH_KERBEROS, .token_file = path, .timeout_ms = 2000};
}

static struct storage *open_at(int port, const struct storage_config *config)
{
    struct storage *st;
    AUTO(mem_auto_free) char *url = mem_printf("hdfs://127.0.0.1:%d/r", port);
    err = (struct err){0};
    assert_ok(storage_open(str_of(url), config, &st, &err), &err);
    return st;
}

static enum status look(struct storage *st)
{
    struct file_info info;
    return st->ops->stat(st, STR_LITERAL("d"), &info, &err);
}

static void test_a_token_is_sent_and_a_newer_one_follows(UNUSED void **state)
{
    struct fake_http fake;
    const struct fake_step steps[] = {
        {.answer = IS_DIRECTORY}, {.answer = IS_DIRECTORY}, {.answer = IS_DIRECTORY}};
    fake_http_open(&fake);
    fake_http_start(&fake, steps, 3);
    put_token(fake.port, "first-_=");
    struct storage_config config = by_file();
    struct storage *st = open_at(fake.port, &config);
    assert_ok(look(st), &err);
    put_token(fake.port, "other-_=");
    assert_ok(look(st), &err);
    put("cut", 3, 0600); // nobody can read it: the one that is known goes on
    assert_ok(look(st), &err);
    st->ops->close(st);
    fake_http_stop(&fake);
    assert_string_equal(fake.lines[0],
                        "GET /webhdfs/v1/r/d?op=GETFILESTATUS&delegation=first-_%3D");
    assert_string_equal(fake.lines[1],
                        "GET /webhdfs/v1/r/d?op=GETFILESTATUS&delegation=other-_%3D");
    assert_string_equal(fake.lines[2], fake.lines[1]);
    assert_null(strstr(fake.heads[0], "Authorization"));
    assert_null(strstr(fake.heads[0], "user.name"));
}

static void test_a_refused_token_is_told_without_it(UNUSED void **state)
{
    struct fake_http fake;
    const struct fake_step steps[] = {
        {.answer = EXPIRED},
        {.answer = REMOTE("401", "SecurityException", "what is SECRET0123?")},
        {.answer = REMOTE("403", "SecurityException",
                          "Failed to obtain user group information: of nobody")},
        {.answer = REMOTE("403", "AccessControlException", "Permission denied: ann")}};
    fake_http_open(&fake);
    fake_http_start(&fake, steps, 4);
    put_token(fake.port, "SECRET0123");
    struct storage_config config = by_file();
    struct storage *st = open_at(fake.port, &config);
    assert_status(look(st), ST_FAIL);
    assert_says("hdfs://127.0.0.1:*/r/d: name node 127.0.0.1:* does not accept the "
                "delegation token: HTTP 403: InvalidToken: token (HDFS_DELEGATION_TOKEN "
                "token 3 for ann with renewer ann) is expired, current time: 2026-11-29 "
                "expected renewal time: 2026-11-28; tramline token writes a new one into "
                "storage.token_file, which is read again");
    assert_status(look(st), ST_FAIL);
    assert_says("hdfs://127.0.0.1:*/r/d: name node 127.0.0.1:* does not accept the "
                "delegation token: HTTP 401: SecurityException: its words are left out: "
                "they have the token; *");
    st->ops->close(st);

    AUTO(mem_auto_free) char *line = line_of(fake.port, "SECRET0123");
    config.tokens = line;
    config.token_file = "/nowhere";
    st = open_at(fake.port, &config);
    assert_status(look(st), ST_FAIL);
    assert_says(
        "*: HTTP 403: SecurityException: Failed to obtain user group information: "
        "of nobody; start again with a new one of tramline token");
    assert_status(look(st), ST_FAIL);
    assert_says("hdfs://127.0.0.1:*/r/d: permission denied: ann; get a token of another "
                "user");
    st->ops->close(st);
    fake_http_stop(&fake);
}

// Words of a server are cut at a thousand bytes, and may quote a part of a token.
static void test_no_piece_of_a_long_token_is_told(UNUSED void **state)
{
    char token[2001], whole[3000], part[400];
    for (size_t i = 0; i < sizeof(token) - 1; i++)
        token[i] = (char)('A' + (i * 7 + i / 26) % 26);
    token[sizeof(token) - 1] = '\0';
    snprintf(whole, sizeof(whole), REMOTE("401", "SecurityException", "what is %s?"),
             token);
    snprintf(part, sizeof(part), REMOTE("401", "SecurityException", "... %.30s ..."),
             token + 500);
    const struct fake_step steps[] = {{.answer = whole}, {.answer = part}};
    struct fake_http fake;
    fake_http_open(&fake);
    fake_http_start(&fake, steps, 2);
    put_token(fake.port, token);
    struct storage_config config = by_file();
    struct storage *st = open_at(fake.port, &config);
    for (int i = 0; i < 2; i++) {
        assert_status(look(st), ST_FAIL);
        assert_says("*: HTTP 401: SecurityException: its words are left out: they have "
                    "the token; *");
    }
    st->ops->close(st);
    fake_http_stop(&fake);
}

static void put_new(int port)
{
    put_token(port, "new");
}

// It comes into the file while the name node says no.
static void test_a_token_that_came_meanwhile_is_tried(UNUSED void **state)
{
    struct fake_http fake;
    const struct fake_step steps[] = {{.answer = EXPIRED, .meanwhile = put_new},
                                      {.answer = IS_DIRECTORY},
                                      {.answer = EXPIRED, .meanwhile = put_new}};
    fake_http_open(&fake);
    fake_http_start(&fake, steps, 3);
    put_token(fake.port, "old");
    struct storage_config config = by_file();
    config.retry_ms = 5000;
    struct storage *st = open_at(fake.port, &config);
    assert_ok(look(st), &err);
    st->ops->close(st);

    put_token(fake.port, "old");
    config.retry_ms = 0;
    st = open_at(fake.port, &config);
    assert_status(look(st), ST_RETRY);
    assert_says("hdfs://127.0.0.1:*/r/d: the delegation token is refused by name node "
                "127.0.0.1:*: HTTP 403: InvalidToken: *");
    st->ops->close(st);
    fake_http_stop(&fake);
    assert_non_null(strstr(fake.lines[0], "delegation=old"));
    assert_non_null(strstr(fake.lines[1], "delegation=new"));
}

// After the place.
static void assert_refused(const char *pattern)
{
    struct storage_config config = by_file();
    struct storage *st = open_at(fake_dead_port(), &config);
    assert_status(look(st), ST_FAIL);
    assert_says(pattern);
    st->ops->close(st);
}

static void test_what_is_no_file_of_tokens(UNUSED void **state)
{
    unlink(path);
    assert_refused("*: the tokens cannot be read: No such file or directory; tramline "
                   "token writes them");
    static const char *const bad[] = {
        "",
        "SECRET",
        "{}",
        "[]",
        "{\"v\":1}",
        "{\"v\":2,\"tokens\":[]}",
        "{\"v\":1,\"tokens\":{}}",
        "{\"v\":1,\"tokens\":[1]}",
        "{\"v\":1,\"tokens\":[{\"storage\":\"hdfs://a:1\"}]}",
        "{\"v\":1,\"tokens\":[{\"storage\":\"hdfs://a:1\",\"token\":\"\"}]}",
        "{\"v\":1,\"tokens\":[{\"storage\":\"hdfs://a:1\",\"token\":\"SECRET&op=X\"}]}",
        "{\"v\":1,\"tokens\":[{\"storage\":\"hdfs://a:1\",\"token\":\"SECRET\\u0000\"}]}",
        "{\"v\":1,\"tokens\":[{\"storage\":\"hdfs://a:1\",\"token\":\"SECRET\\r\\n\"}]}"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        put(bad[i], strlen(bad[i]), 0600);
        assert_refused(
            "*: these are no delegation tokens, as tramline token writes them");
        assert_status(hdfs_tokens_check(str_of(bad[i]), &err), ST_USAGE);
    }
    put_token(1, "SECRET");
    assert_refused(
        "*: no delegation token for hdfs://127.0.0.1:*; tramline token asks for "
        "one of each storage of a script");
    for (mode_t mode = 01; mode < 0100; mode <<= 1) {
        put("SECRET", 6, 0600 | mode);
        assert_refused(
            "*: the tokens of a file with mode * are not its owner's alone; it "
            "must be yours: chmod 600");
    }
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_refused("*: is not a file; tokens are read from one");
    unlink(path);
}

static void test_tokens_beyond_every_limit(UNUSED void **state)
{
    size_t n = TOKENS_BYTES_MAX + 1;
    AUTO(mem_auto_free) char *many = mem_alloc(n + 1);
    memset(many, 'x', n);
    many[n] = '\0';
    put(many, n, 0600);
    assert_refused("*: has more than 65536 bytes, which no tokens have");
    put(many, n - 1, 0600);
    assert_refused("*: these are no delegation tokens, as tramline token writes them");
    many[TOKEN_BYTES_MAX + 1] = '\0';
    put_token(1, many);
    assert_refused("*: these are no delegation tokens, as tramline token writes them");
    many[TOKEN_BYTES_MAX] = '\0';
    put_token(1, many);
    assert_refused(
        "*: no delegation token for hdfs://127.0.0.1:*; tramline token asks for "
        "one of each storage of a script");
    AUTO(buf_release) struct buf deep = {0};
    for (int i = 0; i < 30000; i++)
        buf_char(&deep, '[');
    put(deep.p, deep.n, 0600);
    assert_refused("*: these are no delegation tokens, as tramline token writes them");
}

static void test_simple_authentication_needs_no_token(UNUSED void **state)
{
    struct storage_config config = by_file();
    assert_true(hdfs_token_is_given(&config));
    config.auth = STORAGE_AUTH_SIMPLE;
    assert_false(hdfs_token_is_given(&config));
    config = by_file();
    config.token_file = "";
    assert_false(hdfs_token_is_given(&config));
}

static void test_asked_for_and_renewed(UNUSED void **state)
{
    struct fake_http fake;
    const struct fake_step steps[] = {
        {.answer = JSON("{\"Token\":{\"urlString\":\"AbC-_9\"}}")},
        {.answer = JSON("{\"long\":1764410000123}")},
        {.answer = JSON("{\"Token\":null}")},
        {.answer = JSON("{\"long\":\"soon\"}")},
        {.answer =
             REMOTE("403", "AccessControlException", "ann tries to renew a token")}};
    fake_http_open(&fake);
    fake_http_start(&fake, steps, ARRAY_LEN(steps));
    AUTO(mem_auto_free) char *text = mem_printf("hdfs://127.0.0.1:%d/r", fake.port);
    struct str url = str_of(text);
    struct storage_config config = by_file(); // a file that is not there: not looked at
    char *token = NULL;
    int64_t until_ms = 0;
    assert_ok(hdfs_token_ask(url, &config, &token, &err), &err);
    assert_string_equal(token, "AbC-_9");
    free(token);
    assert_ok(hdfs_token_renew(url, &config, "Ab+/=", &until_ms, &err), &err);
    assert_true(until_ms == 1764410000123);
    assert_status(hdfs_token_ask(url, &config, &token, &err), ST_FAIL);
    assert_null(token);
    assert_says("hdfs://127.0.0.1:*/r: the name node gave no delegation token; is its "
                "security on (hadoop.security.authentication = kerberos)?");
    assert_status(hdfs_token_renew(url, &config, "SECRET", &until_ms, &err), ST_FAIL);
    assert_says(
        "hdfs://127.0.0.1:*/r: an answer that WebHDFS does not give to a renewal");
    assert_status(hdfs_token_renew(url, &config, "SECRET", &until_ms, &err), ST_FAIL);
    assert_null(strstr(err.text, "SECRET"));
    assert_status(hdfs_token_ask(STR_LITERAL("/tmp/x"), &config, &token, &err), ST_USAGE);
    assert_says("'/tmp/x': only HDFS has delegation tokens");
    fake_http_stop(&fake);
    assert_string_equal(fake.lines[0], "GET /webhdfs/v1/r?op=GETDELEGATIONTOKEN");
    assert_string_equal(fake.lines[1], "PUT /webhdfs/v1/r?op=RENEWDELEGATIONTOKEN&token="
                                       "Ab%2B%2F%3D");
}

static void test_when_a_token_is_looked_at(UNUSED void **state)
{
    const int64_t hour_ms = 3600000;
    assert_int_equal(tokens_pause(24 * hour_ms), 12 * hour_ms);
    assert_int_equal(tokens_pause(100 * hour_ms), 24 * hour_ms);
    assert_int_equal(tokens_pause(10), 1000);
    assert_int_equal(tokens_pause(-5), 1000);
    // Of a day each: the renewal at day 6.9 of 7 gives three hours.
    assert_false(tokens_near_end(24 * hour_ms, 24 * hour_ms));
    assert_false(tokens_near_end(24 * hour_ms, 18 * hour_ms));
    assert_true(tokens_near_end(24 * hour_ms, 18 * hour_ms - 1));
    assert_true(tokens_near_end(24 * hour_ms, 3 * hour_ms));
}

int main(void)
{
    test_begin();
    const struct CMUnitTest tests[] = {
        T(a_token_is_sent_and_a_newer_one_follows),
        T(a_refused_token_is_told_without_it),
        T(no_piece_of_a_long_token_is_told),
        T(a_token_that_came_meanwhile_is_tried),
        T(what_is_no_file_of_tokens),
        T(tokens_beyond_every_limit),
        T(simple_authentication_needs_no_token),
        T(asked_for_and_renewed),
        T(when_a_token_is_looked_at),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
