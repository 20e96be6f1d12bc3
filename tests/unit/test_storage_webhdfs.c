// SPDX-License-Identifier: Apache-2.0
// WebHDFS on the wire: servers that break, by script, over real sockets; and what only
// a real HDFS shows, with TRAMLINE_HDFS=hdfs://127.0.0.1:PORT.
// test: takes 10
// test: waits
#include "storage/webhdfs.h"

#include <pthread.h>

#include "base/mem.h"
#include "core/env.h"
#include "fake_http.h"

#define PATH(text) STR_LITERAL(text)
#define REPLY(code, length, body)                               \
    "HTTP/1.1 " code " x\r\nContent-Type: application/json\r\n" \
    "Content-Length: " length "\r\n\r\n" body
// Answers as Hadoop 3.4.2 gives them.
#define STANDBY                                                                         \
    "HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\n\r\n"                  \
    "{\"RemoteException\":{\"exception\":\"StandbyException\",\"javaClassName\":"       \
    "\"org.apache.hadoop.ipc.StandbyException\",\"message\":\"Operation category READ " \
    "is not supported in state standby\"}}"
#define REMOTE(code, exception, message)                                           \
    "HTTP/1.1 " code " x\r\nContent-Type: application/json\r\n\r\n"                \
    "{\"RemoteException\":{\"exception\":\"" exception "\",\"message\":\"" message \
    "\"}}"
#define SAFE_MODE \
    REMOTE("403", "SafeModeException", "Cannot rename /r/a. Name node is in safe mode.")
#define YES     "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"boolean\":true}"
#define NO      "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"boolean\":false}"
#define EMPTY   "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
#define CREATED "HTTP/1.1 201 Created\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
#define DIRECTORY \
    "{\"FileStatus\":{\"length\":0,\"modificationTime\":5,\"type\":\"DIRECTORY\"}}"
#define IS_DIRECTORY "HTTP/1.1 200 OK\r\n\r\n" DIRECTORY
#define BUSY         "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"
#define BAD_GATEWAY                                               \
    "HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\n\r\n" \
    "<html><head><title>502 Bad Gateway</title></head><body>x</body></html>"

// What a name node says on its RPC port.
#define IPC_ANSWER                                                             \
    "HTTP/1.1 404 Not Found\r\nContent-type: text/plain\r\n\r\nIt looks like " \
    "you are making an HTTP request to a Hadoop IPC port. This is not the "    \
    "correct port for the web interface on this daemon.\r\n"

static struct err err;

static struct storage_config quick(void)
{
    return (struct storage_config){.user = "ann", .timeout_ms = 2000, .retry_ms = 0};
}

static struct storage *open_nodes(const char *nodes, const struct storage_config *config)
{
    struct storage *st;
    AUTO(mem_auto_free) char *url = mem_printf("hdfs://%s/r", nodes);
    err = (struct err){0};
    assert_ok(storage_open(str_of(url), config, &st, &err), &err);
    return st;
}

static struct storage *open_at(int port, const struct storage_config *config)
{
    AUTO(mem_auto_free) char *node = mem_printf("127.0.0.1:%d", port);
    return open_nodes(node, config);
}

// The whole text, the port of 127.0.0.1 put in for each %d.
static void assert_text(const char *format, int a, int b)
{
    char text[ERR_TEXT_MAX];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(text, sizeof(text), format, a, b);
#pragma GCC diagnostic pop
    assert_string_equal(err.text, text);
}

static void start_with(struct fake_http *fake, const struct fake_step *steps, size_t n)
{
    fake_http_open(fake);
    fake_http_start(fake, steps, n);
}
#define START(fake, ...)                                   \
    const struct fake_step fake##_steps[] = {__VA_ARGS__}; \
    start_with(&fake, fake##_steps, ARRAY_LEN(fake##_steps))

static enum status mkdir_d(struct storage *st)
{
    return st->ops->mkdir(st, PATH("d"), &err);
}

static enum status publish(struct storage *st)
{
    return st->ops->publish(st, PATH("a"), PATH("b"), &err);
}

static enum status stat_d(struct storage *st)
{
    struct file_info info;
    return st->ops->stat(st, PATH("d"), &info, &err);
}

static void test_requests_are_those_of_webhdfs(UNUSED void **state)
{
    struct fake_http fake;
    START(fake, {.answer = YES}, {.answer = EMPTY}, {.answer = EMPTY}, {.answer = YES},
          {.answer = IS_DIRECTORY});
    struct storage_config config = quick();
    struct storage *st = open_at(fake.port, &config);
    assert_ok(st->ops->mkdir(st, PATH("d \xc3\xa9%"), &err), &err);
    assert_ok(st->ops->publish(st, PATH("a"), PATH("day=1/b+c"), &err), &err);
    assert_ok(st->ops->replace(st, PATH("a"), PATH("b"), &err), &err);
    assert_ok(st->ops->remove(st, PATH("d"), &err), &err);
    assert_ok(stat_d(st), &err);
    st->ops->close(st);
    fake_http_stop(&fake);
    assert_string_equal(fake.lines[0], "PUT /webhdfs/v1/r/d%20%C3%A9%25?op=MKDIRS"
                                       "&permission=750&user.name=ann");
    assert_non_null(
        strstr(fake.heads[0], "\r\nContent-Type: application/octet-stream\r\n"));
    assert_string_equal(fake.lines[1], "PUT /webhdfs/v1/r/a?op=RENAME&renameoptions=NONE"
                                       "&destination=/r/day%3D1/b%2Bc&user.name=ann");
    assert_string_equal(fake.lines[2],
                        "PUT /webhdfs/v1/r/a?op=RENAME&renameoptions=OVERWRITE"
                        "&destination=/r/b&user.name=ann");
    assert_string_equal(fake.lines[3],
                        "DELETE /webhdfs/v1/r/d?op=DELETE&recursive=true&user.name=ann");
    assert_string_equal(fake.lines[4],
                        "GET /webhdfs/v1/r/d?op=GETFILESTATUS&user.name=ann");
}

static void test_standby_sends_to_the_active_and_that_is_kept(UNUSED void **state)
{
    struct fake_http standby;
    struct fake_http active;
    START(standby, {.answer = STANDBY});
    START(active, {.answer = YES}, {.answer = YES});
    struct storage_config config = quick();
    AUTO(mem_auto_free)
    char *nodes = mem_printf("127.0.0.1:%d,127.0.0.1:%d", standby.port, active.port);
    struct storage *st = open_nodes(nodes, &config);
    assert_ok(mkdir_d(st), &err);
    assert_ok(mkdir_d(st), &err);
    st->ops->close(st);
    fake_http_stop(&standby);
    fake_http_stop(&active);
}

static void test_dead_name_node_gives_way_to_the_other(UNUSED void **state)
{
    struct fake_http active;
    START(active, {.answer = EMPTY});
    struct storage_config config = quick();
    AUTO(mem_auto_free)
    char *nodes = mem_printf("127.0.0.1:%d,127.0.0.1:%d", fake_dead_port(), active.port);
    struct storage *st = open_nodes(nodes, &config);
    assert_ok(publish(st), &err); // it was surely not sent to the first
    st->ops->close(st);
    fake_http_stop(&active);
}

static void test_only_standbys_are_named(UNUSED void **state)
{
    struct fake_http standby;
    START(standby, {.answer = STANDBY});
    struct storage_config config = quick();
    struct storage *st = open_at(standby.port, &config);
    assert_status(publish(st), ST_RETRY);
    assert_text("hdfs://127.0.0.1:%d/r/a: not active: name node 127.0.0.1:%d: HTTP 403: "
                "StandbyException: Operation category READ is not supported in state "
                "standby",
                standby.port, standby.port);
    st->ops->close(st);
    fake_http_stop(&standby);
}

static void test_refused_connection_is_retry(UNUSED void **state)
{
    int port = fake_dead_port();
    struct storage_config config = quick();
    struct storage *st = open_at(port, &config);
    assert_status(publish(st), ST_RETRY);
    assert_text("hdfs://127.0.0.1:%d/r/a: cannot reach name node 127.0.0.1:%d: "
                "Connection refused",
                port, port);
    assert_status(stat_d(st), ST_RETRY);
    assert_status(storage_write_bytes(st, PATH("a"), PATH("x"), &err), ST_RETRY);
    st->ops->close(st);
}

static void test_unknown_host_fails_at_once(UNUSED void **state)
{
    struct storage_config config = quick();
    config.retry_ms = 60000;
    struct storage *st = open_nodes("no-such-host.invalid:9870", &config);
    assert_status(mkdir_d(st), ST_FAIL);
    assert_string_equal(err.text,
                        "hdfs://no-such-host.invalid:9870/r/d: cannot reach name "
                        "node no-such-host.invalid:9870: Could not resolve host: "
                        "no-such-host.invalid");
    st->ops->close(st);
}

static void test_tls_on_one_side_only_says_so(UNUSED void **state)
{
    struct fake_http fake;
    // What OpenSSL answers to a request that is not TLS: an alert; also when it is asked
    // whether it is an RPC port.
    START(fake, {.answer = "\x15\x03\x01"}, {.answer = "\x15\x03\x01"});
    struct storage_config config = quick();
    config.retry_ms = 60000;
    struct storage *st = open_at(fake.port, &config);
    assert_status(mkdir_d(st), ST_FAIL);
    assert_text("hdfs://127.0.0.1:%d/r/d: cannot reach name node 127.0.0.1:%d: Received "
                "HTTP/0.9 when not allowed; for a server with TLS write hdfss://",
                fake.port, fake.port);
    st->ops->close(st);
    fake_http_stop(&fake);
}

// It answers a request by PUT in its own protocol.
static void test_rpc_port_is_told_by_what_writes(UNUSED void **state)
{
    struct fake_http fake;
    static const char rpc[] = "\x01\x02\x03 RPC";
    START(fake, {.answer = rpc}, {.answer = IPC_ANSWER}, {.answer = rpc},
          {.answer = IPC_ANSWER}, {.answer = rpc}, {.answer = rpc});
    struct storage_config config = quick();
    config.retry_ms = 60000;
    struct storage *st = open_at(fake.port, &config);
    assert_status(storage_write_bytes(st, PATH("a"), PATH("x"), &err), ST_FAIL);
    assert_text(
        "hdfs://127.0.0.1:%d/r/a: that is the name node's RPC port; give its HTTP "
        "port, by default %d (dfs.namenode.http-address)",
        fake.port, 9870);
    assert_status(mkdir_d(st), ST_FAIL);
    assert_text(
        "hdfs://127.0.0.1:%d/r/d: that is the name node's RPC port; give its HTTP "
        "port, by default %d (dfs.namenode.http-address)",
        fake.port, 9870);
    assert_status(mkdir_d(st), ST_FAIL); // no HTTP at all
    assert_text("hdfs://127.0.0.1:%d/r/d: cannot reach name node 127.0.0.1:%d: Received "
                "HTTP/0.9 when not allowed; for a server with TLS write hdfss://",
                fake.port, fake.port);
    st->ops->close(st);
    fake_http_stop(&fake);
}

struct told {
    int n;
    int64_t left_ms;
    struct err why;
};

static void note_retry(void *context, const struct err *why, int64_t left_ms)
{
    struct told *told = context;
    told->n++;
    told->left_ms = left_ms;
    told->why = *why;
}

static void test_busy_server_is_asked_again(UNUSED void **state)
{
    struct fake_http fake;
    START(fake, {.answer = BUSY}, {.answer = SAFE_MODE},
          {.answer = REMOTE("403", "RetriableException", "NameNode still not started")},
          {.answer = EMPTY});
    struct told told = {0};
    struct storage_config config = quick();
    config.retry_ms = 20000;
    config.on_retry = note_retry;
    config.context = &told;
    struct storage *st = open_at(fake.port, &config);
    assert_ok(publish(st), &err);
    st->ops->close(st);
    fake_http_stop(&fake);
    assert_int_equal(told.n, 3);
    assert_in_range(told.left_ms, 15000, 20000);
    assert_int_equal(told.why.status, ST_RETRY);
}

static void test_retries_end_in_time_and_say_so(UNUSED void **state)
{
    int port = fake_dead_port();
    struct storage_config config = quick();
    config.retry_ms = 1100;
    struct storage *st = open_at(port, &config);
    struct env *env = env_system();
    int64_t began_ms = env->ops->monotonic_ms(env);
    assert_status(stat_d(st), ST_RETRY);
    assert_in_range(env->ops->monotonic_ms(env) - began_ms, 1100, 4000);
    assert_text("hdfs://127.0.0.1:%d/r/d: cannot reach name node 127.0.0.1:%d: "
                "Connection refused; tried for 1 s",
                port, port);
    st->ops->close(st);
}

static void test_a_deadline_ends_the_tries(UNUSED void **state)
{
    int port = fake_dead_port();
    struct deadline deadline = {0};
    struct told told = {0};
    struct storage_config config = quick();
    config.retry_ms = 600000;
    config.on_retry = note_retry;
    config.context = &told;
    config.deadline = &deadline;
    struct storage *st = open_at(port, &config);
    struct env *env = env_system();
    int64_t began_ms = env->ops->monotonic_ms(env);
    deadline_set(&deadline, began_ms + 1100);
    assert_status(publish(st), ST_RETRY);
    assert_in_range(env->ops->monotonic_ms(env) - began_ms, 1000, 4000);
    assert_text("hdfs://127.0.0.1:%d/r/a: cannot reach name node 127.0.0.1:%d: "
                "Connection refused; tried for 1 s",
                port, port);
    assert_int_equal(told.n, 0); // somebody waits for the end, not for a try
    st->ops->close(st);
}

static void test_after_its_deadline_nothing_is_sent(UNUSED void **state)
{
    struct fake_http fake;
    START(fake, {.answer = EMPTY});
    struct deadline deadline = {0};
    struct storage_config config = quick();
    config.deadline = &deadline;
    struct storage *st = open_at(fake.port, &config);
    deadline_end(&deadline);
    assert_status(publish(st), ST_RETRY); // known not to have happened
    assert_text("hdfs://127.0.0.1:%d/r/a: cannot reach name node 127.0.0.1:%d: no time "
                "was left to ask",
                fake.port, fake.port);
    deadline_set(&deadline, 0);
    assert_ok(publish(st), &err);
    st->ops->close(st);
    fake_http_stop(&fake);
}

static void test_lost_answer_to_publish_is_unknown_and_not_repeated(UNUSED void **state)
{
    struct fake_http fake;
    START(fake, {.answer = NULL});
    struct storage_config config = quick();
    config.retry_ms = 60000;
    struct storage *st = open_at(fake.port, &config);
    assert_status(publish(st), ST_UNKNOWN);
    assert_text("hdfs://127.0.0.1:%d/r/a: no answer from name node 127.0.0.1:%d: "
                "the connection was closed before the answer was whole",
                fake.port, fake.port);
    st->ops->close(st);
    fake_http_stop(&fake);
}

// libcurl sends again what it sent into a kept connection that was then closed.
static void test_publish_never_goes_over_a_kept_connection(UNUSED void **state)
{
    struct fake_http fake;
    const char *kept = "HTTP/1.1 200 OK\r\nContent-Length: 67\r\n\r\n" DIRECTORY;
    START(fake, {.answer = kept, .keep = true}, {.answer = kept, .keep = true},
          {.answer = NULL});
    struct storage_config config = quick();
    struct storage *st = open_at(fake.port, &config);
    assert_ok(stat_d(st), &err);
    assert_ok(stat_d(st), &err);
    assert_status(publish(st), ST_UNKNOWN);
    st->ops->close(st);
    fake_http_stop(&fake);
    assert_int_equal(fake.n_connections, 2); // and the looks share one
}

static void test_silence_after_publish_is_unknown(UNUSED void **state)
{
    struct fake_http fake;
    START(fake, {.answer = EMPTY, .delay_ms = 900});
    struct storage_config config = quick();
    config.timeout_ms = 300;
    struct storage *st = open_at(fake.port, &config);
    assert_status(publish(st), ST_UNKNOWN);
    assert_text("hdfs://127.0.0.1:%d/r/a: no answer from name node 127.0.0.1:%d: "
                "nothing came for 0.3 s",
                fake.port, fake.port);
    st->ops->close(st);
    fake_http_stop(&fake);
}

static void test_silence_after_a_look_is_retry(UNUSED void **state)
{
    struct fake_http fake;
    START(fake, {.answer = IS_DIRECTORY, .delay_ms = 900});
    struct storage_config config = quick();
    config.timeout_ms = 300;
    struct storage *st = open_at(fake.port, &config);
    assert_status(stat_d(st), ST_RETRY);
    st->ops->close(st);
    fake_http_stop(&fake);
}

static void test_broken_proxy_leaves_publish_unknown(UNUSED void **state)
{
    struct fake_http fake;
    START(fake, {.answer = BAD_GATEWAY}, {.answer = BUSY});
    struct storage_config config = quick();
    struct storage *st = open_at(fake.port, &config);
    assert_status(publish(st), ST_UNKNOWN);
    assert_text("hdfs://127.0.0.1:%d/r/a: no clear answer from name node 127.0.0.1:%d: "
                "HTTP 502: 502 Bad Gateway",
                fake.port, fake.port);
    assert_status(publish(st), ST_RETRY);
    st->ops->close(st);
    fake_http_stop(&fake);
}

static void test_mkdir_is_repeated_after_a_lost_answer(UNUSED void **state)
{
    struct fake_http fake;
    START(fake, {.answer = NULL}, {.answer = BAD_GATEWAY}, {.answer = YES},
          {.answer = NULL});
    struct storage_config config = quick();
    config.retry_ms = 20000;
    struct storage *st = open_at(fake.port, &config);
    assert_ok(mkdir_d(st), &err);
    st->ops->close(st);
    config.retry_ms = 0;
    st = open_at(fake.port, &config);
    assert_status(mkdir_d(st), ST_UNKNOWN);
    st->ops->close(st);
    fake_http_stop(&fake);
}

static void test_remove_after_a_lost_answer_is_not_found(UNUSED void **state)
{
    struct fake_http fake;
    START(fake, {.answer = NULL}, {.answer = NO});
    struct storage_config config = quick();
    config.retry_ms = 20000;
    struct storage *st = open_at(fake.port, &config);
    assert_status(st->ops->remove(st, PATH("d"), &err), ST_NOT_FOUND);
    assert_text("hdfs://127.0.0.1:%d/r/d: is not there", fake.port, 0);
    st->ops->close(st);
    fake_http_stop(&fake);
}

static void test_replace_after_a_lost_answer(UNUSED void **state)
{
    const char *gone =
        REMOTE("404", "FileNotFoundException", "rename source /r/a is not found.");
    struct fake_http fake;
    START(fake, {.answer = NULL}, {.answer = EMPTY}, {.answer = NULL}, {.answer = gone},
          {.answer = gone});
    struct storage_config config = quick();
    config.retry_ms = 20000;
    struct storage *st = open_at(fake.port, &config);
    assert_ok(st->ops->replace(st, PATH("a"), PATH("b"), &err), &err);
    assert_status(st->ops->replace(st, PATH("a"), PATH("b"), &err), ST_UNKNOWN);
    assert_text("hdfs://127.0.0.1:%d/r/a: is not there; an earlier try had no answer and "
                "may have renamed it",
                fake.port, 0);
    assert_status(st->ops->replace(st, PATH("a"), PATH("b"), &err), ST_NOT_FOUND);
    st->ops->close(st);
    fake_http_stop(&fake);
}

static char *redirect_to(int port)
{
    return mem_printf("HTTP/1.1 307 x\r\nLocation: http://127.0.0.1:%d/webhdfs/v1/r/a?op="
                      "X&delegation=SECRET\r\nContent-Length: 0\r\n\r\n",
                      port);
}

// CREATE would make them readable by everybody.
static void test_directories_of_a_file_are_made_before_it(UNUSED void **state)
{
    struct fake_http fake;
    START(fake, {.answer = YES}, {.answer = REMOTE("403", "E", "no")},
          {.answer = REMOTE("403", "E", "no")}, {.answer = YES},
          {.answer = REMOTE("403", "E", "no")});
    struct storage_config config = quick();
    struct storage *st = open_at(fake.port, &config);
    assert_status(storage_write_bytes(st, PATH("d/e/a"), PATH("x"), &err), ST_FAIL);
    assert_status(storage_write_bytes(st, PATH("d/e/b"), PATH("x"), &err), ST_FAIL);
    assert_status(storage_write_bytes(st, PATH("f/b"), PATH("x"), &err), ST_FAIL);
    st->ops->close(st);
    fake_http_stop(&fake);
    assert_string_equal(fake.lines[0],
                        "PUT /webhdfs/v1/r/d/e?op=MKDIRS&permission=750&user.name=ann");
    assert_non_null(strstr(fake.lines[1], "/r/d/e/a?op=CREATE"));
    assert_non_null(strstr(fake.lines[2], "/r/d/e/b?op=CREATE"));
    assert_non_null(strstr(fake.lines[3], "/r/f?op=MKDIRS"));
    assert_non_null(strstr(fake.lines[4], "/r/f/b?op=CREATE"));
}

static void test_dead_data_node_is_left_out_next_time(UNUSED void **state)
{
    struct fake_http name;
    struct fake_http data;
    START(data, {.answer = CREATED});
    AUTO(mem_auto_free) char *dead = redirect_to(fake_dead_port());
    AUTO(mem_auto_free) char *alive = redirect_to(data.port);
    START(name, {.answer = dead},
          {.answer = REMOTE("403", "IOException",
                            "Failed to find datanode, suggest to check cluster health. "
                            "excludeDatanodes=127.0.0.1")},
          {.answer = alive});
    struct storage_config config = quick();
    config.retry_ms = 20000;
    struct storage *st = open_at(name.port, &config);
    assert_ok(storage_write_bytes(st, PATH("a"), PATH("hello"), &err), &err);
    st->ops->close(st);
    fake_http_stop(&name);
    fake_http_stop(&data);
    assert_string_equal(name.lines[0],
                        "PUT /webhdfs/v1/r/a?op=CREATE&overwrite=false&permission=640"
                        "&blocksize=134217728&user.name=ann");
    assert_string_equal(name.lines[1],
                        "PUT /webhdfs/v1/r/a?op=CREATE&overwrite=false&permission=640"
                        "&blocksize=134217728&user.name=ann&excludedatanodes=127.0.0.1");
    assert_string_equal(name.lines[2], name.lines[0]);
    assert_int_equal(name.n_body, 0);
    assert_int_equal(data.n_body, 5);
}

static void test_dead_data_node_is_named_without_secrets(UNUSED void **state)
{
    struct fake_http name;
    int port = fake_dead_port();
    AUTO(mem_auto_free) char *dead = redirect_to(port);
    START(name, {.answer = dead});
    struct storage_config config = quick();
    struct storage *st = open_at(name.port, &config);
    assert_status(storage_write_bytes(st, PATH("a"), PATH("x"), &err), ST_RETRY);
    assert_text("hdfs://127.0.0.1:%d/r/a: cannot reach data node 127.0.0.1:%d: "
                "Connection refused; its HTTP port must be reachable from this machine",
                name.port, port);
    st->ops->close(st);
    fake_http_stop(&name);
}

// The name node, asked for others than the dead ones, has none: that is not the cause.
static void test_data_nodes_that_are_all_dead_are_named(UNUSED void **state)
{
    struct fake_http name;
    int port = fake_dead_port();
    AUTO(mem_auto_free) char *dead = redirect_to(port);
    START(name, {.answer = dead},
          {.answer = REMOTE("403", "IOException",
                            "Failed to find datanode, suggest to check cluster health. "
                            "excludeDatanodes=127.0.0.1"),
           .delay_ms = 1600}); // the last try: it ends after retry_ms
    struct storage_config config = quick();
    config.timeout_ms = 20000;
    config.retry_ms = 1500;
    struct storage *st = open_at(name.port, &config);
    assert_status(storage_write_bytes(st, PATH("a"), PATH("x"), &err), ST_RETRY);
    st->ops->close(st);
    fake_http_stop(&name);
    assert_int_equal(name.n_lines, 2);
    AUTO(mem_auto_free)
    char *why = mem_printf("hdfs://127.0.0.1:%d/r/a: cannot reach data node "
                           "127.0.0.1:%d: Connection refused; its HTTP port must be "
                           "reachable from this machine; tried for ",
                           name.port, port);
    assert_memory_equal(err.text, why, strlen(why));
}

static int name_port, data_port; // of the last upload

// Sends n_bytes to a data node that plays `step`.
static enum status upload_bytes(const struct fake_step *step, size_t n_bytes)
{
    struct fake_http name;
    struct fake_http data;
    start_with(&data, step, 1);
    AUTO(mem_auto_free) char *redirect = redirect_to(data.port);
    START(name, {.answer = redirect});
    struct storage_config config = quick();
    config.retry_ms = 60000;
    config.timeout_ms = 800;
    struct storage *st = open_at(name.port, &config);
    AUTO(mem_auto_free) char *bytes = mem_zalloc(n_bytes);
    enum status rc =
        storage_write_bytes(st, PATH("a"), (struct str){bytes, n_bytes}, &err);
    st->ops->close(st);
    fake_http_stop(&name);
    fake_http_stop(&data);
    name_port = name.port;
    data_port = data.port;
    return rc;
}

static enum status upload(const struct fake_step *step)
{
    return upload_bytes(step, 3000000);
}

// The answer, or that the server took no more, is seen first.
static void assert_answered_early(void)
{
    AUTO(mem_auto_free)
    char *early = mem_printf("hdfs://127.0.0.1:%d/r/a: no answer from data node "
                             "127.0.0.1:%d: answered before all was sent",
                             name_port, data_port);
    AUTO(mem_auto_free)
    char *reset = mem_printf("hdfs://127.0.0.1:%d/r/a: no answer from data node "
                             "127.0.0.1:%d: Send failure: Connection reset by peer",
                             name_port, data_port);
    if (strcmp(err.text, reset) != 0)
        assert_string_equal(err.text, early);
}

static void test_upload_is_good_after_201_only(UNUSED void **state)
{
    struct fake_step good = {.answer = CREATED};
    struct fake_step only_200 = {.answer = EMPTY};
    struct fake_step cut = {.answer = NULL, .body_max = 1000000};
    struct fake_step lost = {.answer = NULL};
    struct fake_step early = {.answer = CREATED, .body_max = 1000000};
    struct fake_step slow = {.answer = CREATED, .delay_ms = 2000};
    struct fake_step broken = {.answer = BAD_GATEWAY};
    assert_status(upload(&good), ST_OK);
    assert_status(upload(&only_200), ST_UNKNOWN);
    assert_text("hdfs://127.0.0.1:%d/r/a: no 201 after the upload", name_port, 0);
    assert_status(upload(&cut), ST_UNKNOWN);
    assert_status(upload(&lost), ST_UNKNOWN);
    // More than fits into the sockets' buffers: it cannot all have been taken.
    assert_status(upload_bytes(&early, 40000000), ST_UNKNOWN);
    assert_answered_early();
    assert_status(upload(&slow), ST_UNKNOWN);
    assert_status(upload(&broken), ST_UNKNOWN);
}

static void test_refused_upload_is_not_repeated(UNUSED void **state)
{
    struct fake_step exists = {.answer =
                                   REMOTE("403", "FileAlreadyExistsException", "/r/a")};
    struct fake_step busy = {.answer = BUSY};
    struct fake_step full = {.answer =
                                 REMOTE("403", "IOException",
                                        "File /r/a could only be written to 0 of the 1 "
                                        "minReplication nodes.\\n\\tat org.apache")};
    struct fake_step quota = {.answer = REMOTE("403", "DSQuotaExceededException",
                                               "The DiskSpace quota of /r is exceeded")};
    struct fake_step many = {.answer =
                                 REMOTE("403", "MaxDirectoryItemsExceededException",
                                        "The directory item limit of /r is exceeded")};
    assert_status(upload(&exists), ST_EXISTS);
    assert_status(upload(&busy), ST_RETRY);
    assert_status(upload(&full), ST_RETRY);
    assert_non_null(strstr(err.text,
                           "/r/a: File /r/a could only be written to 0 of the 1 "
                           "minReplication nodes."));
    assert_null(strstr(err.text, "org.apache"));
    assert_status(upload(&quota), ST_RETRY);
    assert_text("hdfs://127.0.0.1:%d/r/a: The DiskSpace quota of /r is exceeded; make "
                "room there or raise the quota",
                name_port, 0);
    assert_status(upload(&many), ST_FAIL);
    assert_text("hdfs://127.0.0.1:%d/r/a: The directory item limit of /r is exceeded; "
                "spread the files by WITH (directory = 'day')",
                name_port, 0);
}

static enum status read_none(UNUSED struct reader *reader, UNUSED void *p,
                             UNUSED size_t capacity, size_t *ret_n, UNUSED struct err *e)
{
    *ret_n = 0;
    return ST_OK;
}

static void test_short_reader_is_told(UNUSED void **state)
{
    struct fake_http name;
    int port;
    int data = fake_listen(&port); // takes the connection, no more
    AUTO(mem_auto_free) char *redirect = redirect_to(port);
    START(name, {.answer = redirect});
    struct storage_config config = quick();
    struct storage *st = open_at(name.port, &config);
    struct reader reader = {.read = read_none};
    assert_status(st->ops->write(st, PATH("a"), &reader, 10, &err), ST_FAIL);
    assert_text("hdfs://127.0.0.1:%d/r/a: 10 bytes were promised and fewer came",
                name.port, 0);
    st->ops->close(st);
    fake_http_stop(&name);
    close(data);
}

static void test_cut_read_begins_anew(UNUSED void **state)
{
    struct fake_http name;
    struct fake_http data;
    START(data, {.answer = REPLY("200", "10", "01234")},
          {.answer = REMOTE("500", "X", "y")},
          {.answer = REPLY("200", "10", "0123456789")});
    AUTO(mem_auto_free) char *redirect = redirect_to(data.port);
    START(name, {.answer = redirect}, {.answer = redirect}, {.answer = redirect});
    struct storage_config config = quick();
    config.retry_ms = 20000;
    struct storage *st = open_at(name.port, &config);
    AUTO(buf_release) struct buf buf = {0};
    buf_text(&buf, "before ");
    assert_ok(st->ops->read(st, PATH("a"), 3, 10, &buf, &err), &err);
    assert_str(buf_as_str(&buf), "before 0123456789");
    st->ops->close(st);
    fake_http_stop(&name);
    fake_http_stop(&data);
    assert_string_equal(name.lines[0],
                        "GET /webhdfs/v1/r/a?op=OPEN&offset=3&length=10&user.name=ann");
}

static void test_answer_longer_than_asked_is_refused(UNUSED void **state)
{
    struct fake_http name;
    struct fake_http data;
    START(data, {.answer = REPLY("200", "10", "0123456789")},
          {.answer = REPLY("200", "10", "0123456789")});
    AUTO(mem_auto_free) char *redirect = redirect_to(data.port);
    START(name, {.answer = redirect}, {.answer = redirect});
    struct storage_config config = quick();
    struct storage *st = open_at(name.port, &config);
    AUTO(buf_release) struct buf buf = {0};
    assert_status(st->ops->read(st, PATH("a"), 0, 4, &buf, &err), ST_FAIL);
    assert_text("hdfs://127.0.0.1:%d/r/a: refused what came from data node "
                "127.0.0.1:%d: the answer is longer than 4 bytes",
                name.port, data.port);
    struct buf small = BUF_INIT(4);
    assert_status(st->ops->read(st, PATH("a"), 0, 10, &small, &err), ST_LIMIT);
    assert_text("hdfs://127.0.0.1:%d/r/a: the answer: more than 4 bytes", name.port, 0);
    buf_release(&small);
    st->ops->close(st);
    fake_http_stop(&name);
    fake_http_stop(&data);
}

// What a stat comes to when the name node answers this; %d for its port.
static enum status stat_of(const char *answer, const char *text)
{
    struct fake_http fake;
    START(fake, {.answer = answer});
    struct storage_config config = quick();
    struct storage *st = open_at(fake.port, &config);
    enum status rc = stat_d(st);
    assert_text(text, fake.port, fake.port);
    st->ops->close(st);
    fake_http_stop(&fake);
    return rc;
}

static void test_answers_of_others_are_told_apart(UNUSED void **state)
{
    assert_status(stat_of("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>",
                          "hdfs://127.0.0.1:%d/r/d: HTTP 200 with something that is not "
                          "JSON; is a name node "
                          "there, or a proxy between?"),
                  ST_FAIL);
    assert_status(stat_of("HTTP/1.1 403 x\r\n\r\n<html><title>Access denied by proxy"
                          "</title></html>",
                          "hdfs://127.0.0.1:%d/r/d: HTTP 403 without an answer of "
                          "WebHDFS: Access denied by proxy; "
                          "is a name node there, or a proxy between?"),
                  ST_FAIL);
    assert_status(stat_of(IPC_ANSWER,
                          "hdfs://127.0.0.1:%d/r/d: that is the name node's RPC port; "
                          "give its HTTP port, by "
                          "default 9870 (dfs.namenode.http-address)"),
                  ST_FAIL);
    assert_status(stat_of("HTTP/1.1 401 x\r\nWWW-Authenticate: Negotiate\r\n"
                          "Content-Length: 0\r\n\r\n",
                          "hdfs://127.0.0.1:%d/r/d: the name node asks for "
                          "authentication; set auth = 'kerberos'"),
                  ST_FAIL);
    assert_status(
        stat_of("HTTP/1.1 200 OK\r\n\r\n{\"FileStatus\":{\"type\":7}}",
                "hdfs://127.0.0.1:%d/r/d: an answer that WebHDFS does not give"),
        ST_FAIL);
    assert_status(
        stat_of(REMOTE("403", "AccessControlException",
                       "Permission denied: user=ann, access=READ, "
                       "inode=\\\"/r\\\":bob:g:drwx------\\n\\tat x"),
                "hdfs://127.0.0.1:%d/r/d: permission denied: user=ann, access=READ, "
                "inode=\"/r\":bob:g:drwx------; give another user by WITH (user "
                "= '...')"),
        ST_FAIL);
    assert_status(
        stat_of(REMOTE("400", "IllegalArgumentException", "Invalid value"),
                "hdfs://127.0.0.1:%d/r/d: IllegalArgumentException: Invalid value"),
        ST_FAIL);
    assert_status(
        stat_of(REMOTE("404", "FileNotFoundException", "Path is not a file: /r/d"),
                "hdfs://127.0.0.1:%d/r/d: is a directory; a file is needed there"),
        ST_FAIL);
    assert_status(
        stat_of(REMOTE("403", "ParentNotDirectoryException", "/r (is not a directory)"),
                "hdfs://127.0.0.1:%d/r/d: /r (is not a directory); a directory "
                "is needed there"),
        ST_FAIL);
    assert_status(stat_of(BUSY, "hdfs://127.0.0.1:%d/r/d: refused by name node "
                                "127.0.0.1:%d: HTTP 503"),
                  ST_RETRY);
}

// A value takes 250 bytes of memory however short its text is, and the parser recurses.
static void test_answers_are_bounded_before_they_are_read(UNUSED void **state)
{
    AUTO(buf_release) struct buf answer = {0};
    buf_text(&answer, "HTTP/1.1 200 OK\r\n\r\n[");
    size_t begin = answer.n;
    for (int i = 0; i < 1000001; i++)
        buf_text(&answer, "1,");
    assert_status(
        stat_of(buf_cstr(&answer),
                "hdfs://127.0.0.1:%d/r/d: more than 1000000 values at byte 1999998"),
        ST_FAIL);
    answer.n = begin;
    for (int i = 0; i < 100000; i++)
        buf_text(&answer, "[");
    assert_status(stat_of(buf_cstr(&answer),
                          "hdfs://127.0.0.1:%d/r/d: more than 500 levels at byte 500"),
                  ST_FAIL);
    answer.n = 0;
    buf_text(&answer, "HTTP/1.1 403 no\r\n\r\n");
    for (int i = 0; i < 100000; i++)
        buf_text(&answer, "[");
    AUTO(buf_release) struct buf shown = {0};
    buf_text(&shown, "hdfs://127.0.0.1:%d/r/d: HTTP 403 without an answer of WebHDFS: ");
    for (int i = 0; i < 999; i++) // as of a page
        buf_text(&shown, "[");
    buf_text(&shown, "; is a name node there, or a proxy between?");
    assert_status(stat_of(buf_cstr(&answer), buf_cstr(&shown)), ST_FAIL);
}

static void test_safe_mode_says_where_to_look(UNUSED void **state)
{
    assert_status(
        stat_of(SAFE_MODE,
                "hdfs://127.0.0.1:%d/r/d: refused by name node 127.0.0.1:%d: "
                "HTTP 403: SafeModeException: Cannot rename /r/a. Name node is "
                "in safe mode. (hdfs dfsadmin -safemode get; are its data nodes "
                "up?)"),
        ST_RETRY);
}

static void test_a_no_without_a_reason_is_told(UNUSED void **state)
{
    const char *over_directory = REMOTE("403", "IOException",
                                        "Rename destination /r/b is a directory: both "
                                        "must both be directories");
    const char *of_a_file =
        "HTTP/1.1 200 "
        "OK\r\n\r\n{\"DirectoryListing\":{\"partialListing\":{\"FileStatuses\""
        ":{\"FileStatus\":[{\"length\":1,\"modificationTime\":5,\"type\":\"FILE\","
        "\"pathSuffix\":\"\"}]}},\"remainingEntries\":0}}";
    struct fake_http fake;
    START(fake, {.answer = NO}, {.answer = over_directory}, {.answer = of_a_file},
          {.answer = EMPTY});
    struct storage_config config = quick();
    struct storage *st = open_at(fake.port, &config);
    struct arena arena = {0};
    struct file_list list;
    assert_status(mkdir_d(st), ST_FAIL);
    assert_text("hdfs://127.0.0.1:%d/r/d: the directory was not made", fake.port, 0);
    assert_status(st->ops->replace(st, PATH("a"), PATH("b"), &err), ST_FAIL);
    assert_text("hdfs://127.0.0.1:%d/r/b: is a directory; a file is needed there",
                fake.port, 0);
    assert_status(st->ops->list(st, PATH("d"), &arena, &list, &err), ST_FAIL);
    assert_text("hdfs://127.0.0.1:%d/r/d: is a file; a directory is needed there",
                fake.port, 0);
    assert_status(storage_write_bytes(st, PATH("a"), PATH("x"), &err), ST_FAIL);
    assert_text("hdfs://127.0.0.1:%d/r/a: HTTP 200 and no way to a data node; is a name "
                "node there?",
                fake.port, 0);
    arena_release(&arena);
    st->ops->close(st);
    fake_http_stop(&fake);
}

static void test_data_node_of_unknown_name_is_told(UNUSED void **state)
{
    struct fake_http name;
    START(name, {.answer = "HTTP/1.1 307 x\r\nLocation: http://no-such-host.invalid:9864/"
                           "webhdfs/v1/r/a?op=X\r\nContent-Length: 0\r\n\r\n"});
    struct storage_config config = quick();
    struct storage *st = open_at(name.port, &config);
    assert_status(storage_write_bytes(st, PATH("a"), PATH("x"), &err), ST_FAIL);
    assert_text(
        "hdfs://127.0.0.1:%d/r/a: cannot reach data node "
        "no-such-host.invalid:9864: Could not resolve host: no-such-host.invalid; "
        "the name by which HDFS knows it must be known on this machine",
        name.port, 0);
    st->ops->close(st);
    fake_http_stop(&name);
}

// Where an upload may be sent is a URL of http or https, and nothing of ours goes there.
static void test_redirects_that_webhdfs_does_not_give(UNUSED void **state)
{
#define TO(location) \
    "HTTP/1.1 307 x\r\nLocation: " location "\r\nContent-Length: 0\r\n\r\n"
    static const char *const nowhere[] = {
        TO("file:///etc/passwd"),
        TO("ftp://h/x"),
        TO("/webhdfs/v1/r/a"),
        TO("//h/x"),
        TO("http://"),
        TO(""),
        TO("http://h:99999/"),
        TO("http://a b/"),
    };
    static const char *const with_user[] = {
        TO("http://me:s3cret@h:1/x"), TO("https://me@h:1/x"), TO("http://:s3cret@h:1/x")};
    for (size_t i = 0; i < ARRAY_LEN(nowhere) + ARRAY_LEN(with_user); i++) {
        struct fake_http name;
        bool is_user = i >= ARRAY_LEN(nowhere);
        START(name, {.answer = is_user ? with_user[i - ARRAY_LEN(nowhere)] : nowhere[i]});
        struct storage_config config = quick();
        config.retry_ms = 20000;
        struct storage *st = open_at(name.port, &config);
        assert_status(storage_write_bytes(st, PATH("a"), PATH("x"), &err), ST_FAIL);
        if (is_user)
            assert_text(
                "hdfs://127.0.0.1:%d/r/a: the name node sends to data node h:1 with "
                "a user in the URL, which WebHDFS does not; is a name node there, "
                "or a proxy between?",
                name.port, 0);
        else
            assert_text(
                "hdfs://127.0.0.1:%d/r/a: HTTP 307 and no way to a data node; is a "
                "name node there?",
                name.port, 0);
        st->ops->close(st);
        fake_http_stop(&name);
    }
}

static void *end_after_a_moment(void *deadline)
{
    env_system()->ops->sleep_ms(env_system(), 300);
    deadline_end(deadline);
    return NULL;
}

// Whether it is known when the call begins, or set by another thread while it waits.
static void test_a_deadline_ends_the_wait_for_an_answer(UNUSED void **state)
{
    for (int is_late = 0; is_late < 2; is_late++) {
        struct fake_http fake;
        START(fake, {.answer = EMPTY, .delay_ms = 4000});
        struct deadline deadline = {0};
        struct storage_config config = quick();
        config.timeout_ms = 60000;
        config.deadline = &deadline;
        struct storage *st = open_at(fake.port, &config);
        struct env *env = env_system();
        int64_t began_ms = env->ops->monotonic_ms(env);
        pthread_t thread;
        if (is_late)
            assert_int_equal(pthread_create(&thread, NULL, end_after_a_moment, &deadline),
                             0);
        else
            deadline_set(&deadline, began_ms + 300);
        assert_status(publish(st), ST_UNKNOWN);
        assert_in_range(env->ops->monotonic_ms(env) - began_ms, 250, 3000);
        assert_text("hdfs://127.0.0.1:%d/r/a: no answer from name node 127.0.0.1:%d: no "
                    "answer in the time that was left",
                    fake.port, fake.port);
        if (is_late)
            pthread_join(thread, NULL);
        st->ops->close(st);
        fake_http_stop(&fake);
    }
}

static void test_kerberos_refused_says_kinit(UNUSED void **state)
{
    struct fake_http fake;
    START(fake, {.answer = "HTTP/1.1 401 x\r\nContent-Length: 0\r\n\r\n"},
          {.answer = REMOTE("403", "AccessControlException", "Permission denied: ann")});
    struct storage_config config = {.auth = STORAGE_AUTH_KERBEROS, .timeout_ms = 2000};
    struct storage *st = open_at(fake.port, &config);
    assert_status(stat_d(st), ST_FAIL);
    assert_text("hdfs://127.0.0.1:%d/r/d: the name node does not accept the Kerberos "
                "ticket; get one by kinit (klist shows it)",
                fake.port, 0);
    assert_status(stat_d(st), ST_FAIL);
    assert_text("hdfs://127.0.0.1:%d/r/d: permission denied: ann; get the ticket of "
                "another user by kinit",
                fake.port, 0);
    st->ops->close(st);
    fake_http_stop(&fake);
    assert_string_equal(fake.lines[0], "GET /webhdfs/v1/r/d?op=GETFILESTATUS");

    config.user = "ann";
    assert_status(storage_open(PATH("hdfs://nn/r"), &config, &st, &err), ST_USAGE);
    assert_string_equal(err.text,
                        "hdfs://nn:9870/r: with auth = 'kerberos' the ticket says "
                        "who you are; leave user = 'ann' out");
}

static void test_server_without_renameoptions_is_refused(UNUSED void **state)
{
    struct fake_http fake;
    START(fake, {.answer = YES});
    struct storage_config config = quick();
    struct storage *st = open_at(fake.port, &config);
    assert_status(publish(st), ST_FAIL);
    assert_text("hdfs://127.0.0.1:%d/r/a: the server does not know renameoptions; give a "
                "name node's address",
                fake.port, 0);
    st->ops->close(st);
    fake_http_stop(&fake);
}

static void test_checksum_of_another_kind_is_refused(UNUSED void **state)
{
    struct fake_http name;
    struct fake_http data;
    START(data,
          {.answer =
               "HTTP/1.1 200 OK\r\n\r\n{\"FileChecksum\":{\"algorithm\":\"COMPOSITE-"
               "CRC32C\",\"bytes\":\"000002000000000000040000f3f5b32306b7c82625c5c1c84d27"
               "57c300000000\",\"length\":28}}"});
    AUTO(mem_auto_free) char *redirect = redirect_to(data.port);
    START(name, {.answer = redirect});
    struct storage_config config = quick();
    struct storage *st = open_at(name.port, &config);
    struct checksum sum;
    assert_status(st->ops->checksum(st, PATH("a"), &sum, &err), ST_FAIL);
    assert_text("hdfs://127.0.0.1:%d/r/a: its checksum is 'COMPOSITE-CRC32C', not "
                "MD5-of-262144MD5-of-512CRC32C; the data nodes need dfs.checksum.type = "
                "CRC32C, dfs.bytes-per-checksum = 512 and dfs.checksum.combine.mode = "
                "MD5MD5CRC",
                name.port, 0);
    st->ops->close(st);
    fake_http_stop(&name);
    fake_http_stop(&data);
}

static void test_batches_of_a_listing_are_put_together(UNUSED void **state)
{
#define ITEM(name)                                                                       \
    "{\"length\":1,\"modificationTime\":5,\"type\":\"FILE\",\"pathSuffix\":\"" name "\"" \
    "}"
#define BATCH(items, left)                                                   \
    "HTTP/1.1 200 "                                                          \
    "OK\r\n\r\n{\"DirectoryListing\":{\"partialListing\":{\"FileStatuses\":" \
    "{\"FileStatus\":[" items "]}},\"remainingEntries\":" left "}}"
    struct fake_http fake;
    START(fake, {.answer = BATCH(ITEM("a") "," ITEM("b&\xc3\xa9"), "1")},
          {.answer = BATCH(ITEM("c"), "0")});
    struct storage_config config = quick();
    struct storage *st = open_at(fake.port, &config);
    struct arena arena = {0};
    struct file_list list;
    assert_ok(st->ops->list(st, PATH(""), &arena, &list, &err), &err);
    assert_int_equal(list.n, 3);
    assert_str(list.items[1].name, "b&\xc3\xa9");
    assert_str(list.items[2].name, "c");
    arena_release(&arena);
    st->ops->close(st);
    fake_http_stop(&fake);
    assert_string_equal(
        fake.lines[1],
        "GET /webhdfs/v1/r?op=LISTSTATUS_BATCH&startAfter=b%26%C3%A9&user.name=ann");
}

// What a listing comes to when the name node answers these, the last one for ever; %d for
// its port.
static void list_of(int timeout_ms, const struct fake_step *steps, size_t n,
                    const char *text)
{
    struct fake_http fake;
    fake_http_open(&fake);
    fake.repeats = true;
    fake_http_start(&fake, steps, n);
    struct storage_config config = quick();
    config.timeout_ms = timeout_ms;
    struct storage *st = open_at(fake.port, &config);
    AUTO(arena_release) struct arena arena = {0};
    struct file_list list;
    enum status rc = st->ops->list(st, PATH("d"), &arena, &list, &err);
    if (text == NULL)
        assert_ok(rc, &err);
    else
        assert_text(text, fake.port, fake.port);
    st->ops->close(st);
    fake_http_stop(&fake);
}
#define LIST_WITHIN(timeout_ms, text, ...)                 \
    list_of(timeout_ms, (struct fake_step[]){__VA_ARGS__}, \
            ARRAY_LEN(((struct fake_step[]){__VA_ARGS__})), text)
#define LIST_OF(text, ...) LIST_WITHIN(10000, text, __VA_ARGS__)

static void test_listings_come_to_an_end(UNUSED void **state)
{
    static const char anew[] = "hdfs://127.0.0.1:%d/r/d: an answer that WebHDFS does not "
                               "give: the list begins again";
    static const char twice[] =
        "hdfs://127.0.0.1:%d/r/d: an answer that WebHDFS does not "
        "give: a name is listed twice";
    static const char odd[] =
        "hdfs://127.0.0.1:%d/r/d: an answer that WebHDFS does not give";
    LIST_OF(anew, {.answer = BATCH(ITEM("a"), "1")});
    LIST_OF(anew, {.answer = BATCH(ITEM("a") "," ITEM("b"), "1")},
            {.answer = BATCH(ITEM("c"), "1")}, {.answer = BATCH(ITEM("b"), "1")});
    LIST_OF(twice, {.answer = BATCH(ITEM("a") "," ITEM("a"), "0")});
    LIST_OF(twice, {.answer = BATCH(ITEM("a"), "1")},
            {.answer = BATCH(ITEM("a") "," ITEM("b"), "0")});
    LIST_OF(odd, {.answer = BATCH("", "1")});
    LIST_OF(odd, {.answer = BATCH(ITEM("a"), "-1")});
    LIST_OF(odd, {.answer = BATCH(ITEM("a"), "\"1\"")});
    LIST_OF(odd, {.answer = BATCH("{\"length\":-1,\"modificationTime\":5,\"type\":"
                                  "\"FILE\",\"pathSuffix\":\"a\"}",
                                  "0")});
    LIST_OF(NULL, {.answer = BATCH("", "0")});
    LIST_OF(NULL, {.answer = BATCH(ITEM("a"), "1")}, {.answer = BATCH("", "0")});
    LIST_WITHIN(
        300,
        "hdfs://127.0.0.1:%d/r/d: only 2 names came within 0.32 s, and more are left",
        {.answer = BATCH(ITEM("a"), "9"), .delay_ms = 180},
        {.answer = BATCH(ITEM("b"), "9"), .delay_ms = 180});
}

static void assert_no_name(const char *name)
{
    AUTO(buf_release) struct buf answer = {0};
    static const char whole[] = BATCH(ITEM("NAME"), "0");
    const char *at = strstr(whole, "NAME");
    buf_append(&answer, whole, (size_t)(at - whole));
    buf_text(&answer, name);
    buf_text(&answer, at + 4);
    AUTO(mem_auto_free)
    char *text = mem_printf("hdfs://127.0.0.1:%%d/r/d: an answer that WebHDFS does not "
                            "give: a file of the name '%.100s'",
                            name);
    LIST_OF(text, {.answer = buf_cstr(&answer)});
}

static void test_names_of_a_listing_are_names(UNUSED void **state)
{
    static const char *const bad[] = {".",    "..",          "/",  "a/b",
                                      "../x", "/etc/passwd", "a/", "./a"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_no_name(bad[i]);
    AUTO(mem_auto_free) char *name = mem_zalloc(100001);
    memset(name, 'x', 100000);
    assert_no_name(name);
    name[8001] = '\0';
    assert_no_name(name);
}

static void test_a_long_answer_of_a_name_node_is_left(UNUSED void **state)
{
    static const char text[] =
        "hdfs://127.0.0.1:%d/r/d: refused what came from name node "
        "127.0.0.1:%d: the answer is longer than 16777216 bytes";
    AUTO(buf_release) struct buf answer = {0};
    buf_text(&answer, "HTTP/1.1 200 OK\r\n\r\n");
    for (int i = 0; i < 17 << 20; i++)
        buf_char(&answer, ' ');
    LIST_OF(text, {.answer = buf_cstr(&answer)});
    assert_status(stat_of(buf_cstr(&answer), text), ST_FAIL);
}

// Neither a redirect nor another success than WebHDFS's is a yes: a proxy that wants a
// login redirects, too.
static void assert_no_yes(const char *code)
{
    AUTO(mem_auto_free)
    char *answer = mem_printf("HTTP/1.1 %s x\r\nContent-Length: 0\r\n"
                              "Location: http://127.0.0.1:1/login\r\n\r\n",
                              code);
    AUTO(mem_auto_free)
    char *refused = mem_printf("hdfs://127.0.0.1:%%d/r/b: HTTP %s without an answer of "
                               "WebHDFS; is a name node there, or a proxy between?",
                               code);
    struct fake_http name, data;
    START(data, {.answer = answer}, {.answer = answer});
    AUTO(mem_auto_free) char *redirect = redirect_to(data.port);
    START(name, {.answer = answer}, {.answer = answer}, {.answer = answer},
          {.answer = redirect}, {.answer = redirect});
    struct storage_config config = quick();
    struct storage *st = open_at(name.port, &config);
    AUTO(buf_release) struct buf buf = {0};
    bool is_redirect = code[0] == '3';
    enum status rc = is_redirect ? ST_FAIL : ST_UNKNOWN;
    assert_status(publish(st), rc);
    assert_text(is_redirect ? refused
                            : "hdfs://127.0.0.1:%d/r/a: no 200 after the renaming",
                name.port, 0);
    assert_status(st->ops->replace(st, PATH("a"), PATH("b"), &err), rc);
    assert_status(mkdir_d(st), ST_FAIL);
    assert_status(st->ops->read(st, PATH("a"), 0, 10, &buf, &err), ST_FAIL);
    assert_int_equal(buf.n, 0);
    assert_status(storage_write_bytes(st, PATH("a"), PATH("x"), &err), rc);
    st->ops->close(st);
    fake_http_stop(&name);
    fake_http_stop(&data);
}

static void test_only_a_200_is_a_yes(UNUSED void **state)
{
    static const char *const codes[] = {"204", "206", "301", "302",
                                        "303", "304", "307", "308"};
    for (size_t i = 0; i < ARRAY_LEN(codes); i++)
        assert_no_yes(codes[i]);
}

static void read_of_cut(struct fake_step cut)
{
    struct fake_http name, data;
    start_with(&data, &cut, 1);
    AUTO(mem_auto_free) char *redirect = redirect_to(data.port);
    START(name, {.answer = redirect});
    struct storage_config config = quick();
    struct storage *st = open_at(name.port, &config);
    AUTO(buf_release) struct buf buf = {0};
    enum status rc = st->ops->read(st, PATH("a"), 0, 5, &buf, &err);
    assert_true(rc == ST_RETRY || rc == ST_FAIL); // it may be no HTTP yet
    st->ops->close(st);
    fake_http_stop(&name);
    fake_http_stop(&data);
}

static void publish_of_cut(struct fake_step cut)
{
    struct fake_http fake;
    START(fake, {.answer = IS_DIRECTORY}, cut);
    struct storage_config config = quick();
    struct storage *st = open_at(fake.port, &config);
    assert_ok(stat_d(st), &err); // so it is known to be a name node
    assert_status(publish(st), ST_UNKNOWN);
    st->ops->close(st);
    fake_http_stop(&fake);
}

// libcurl takes a 200 whose head is cut for a whole one: nothing to read, all renamed.
static void test_cut_answers_are_none(UNUSED void **state)
{
    static const char bytes[] = REPLY("200", "5", "hello");
    for (size_t n = 1; n < sizeof(bytes) - 1; n++)
        read_of_cut((struct fake_step){.answer = bytes, .n = n});
    for (size_t n = 1; n < sizeof(EMPTY) - 1; n++)
        publish_of_cut((struct fake_step){.answer = EMPTY, .n = n});
}

static struct storage *open_real(const char *user)
{
    const char *hdfs = getenv("TRAMLINE_HDFS");
    char uuid[UUID_TEXT];
    env_uuid(env_system(), uuid);
    AUTO(mem_auto_free) char *url = mem_printf("%s/webhdfs-%s", hdfs, uuid);
    struct storage_config config = {.user = user, .timeout_ms = 20000, .retry_ms = 20000};
    struct storage *st;
    assert_ok(storage_open(str_of(url), &config, &st, &err), &err);
    return st;
}

static void test_real_hdfs_denies_by_name(UNUSED void **state)
{
    struct storage *st = open_real("bob");
    AUTO(mem_auto_free)
    char *text =
        mem_printf("%s/a: permission denied: user=bob, access=WRITE, inode=\"/", st->url);
    assert_status(storage_write_bytes(st, PATH("a"), PATH("x"), &err), ST_FAIL);
    assert_memory_equal(err.text, text, strlen(text));
    assert_non_null(strstr(err.text, "; give another user by WITH (user = '...')"));
    assert_null(strstr(err.text, "org.apache"));
    st->ops->close(st);
}

static void test_real_hdfs_lists_more_than_a_batch(UNUSED void **state)
{
    enum {
        N_NAMES = 1100 // dfs.ls.limit is 1000
    };
    struct storage *st = open_real(NULL);
    struct arena arena = {0};
    struct file_list list;
    for (int i = 0; i < N_NAMES; i++) {
        char name[16];
        snprintf(name, sizeof(name), "%06d", i);
        assert_ok(st->ops->mkdir(st, str_of(name), &err), &err);
    }
    assert_ok(st->ops->list(st, PATH(""), &arena, &list, &err), &err);
    assert_int_equal(list.n, N_NAMES);
    assert_str(list.items[N_NAMES - 1].name, "001099");
    arena_release(&arena);
    st->ops->close(st);
}

#define T(name) cmocka_unit_test(test_##name)

TEST_MAIN_HDFS(
    "test_real_*", T(requests_are_those_of_webhdfs),
    T(standby_sends_to_the_active_and_that_is_kept),
    T(dead_name_node_gives_way_to_the_other), T(only_standbys_are_named),
    T(refused_connection_is_retry), T(unknown_host_fails_at_once),
    T(tls_on_one_side_only_says_so), T(rpc_port_is_told_by_what_writes),
    T(busy_server_is_asked_again), T(retries_end_in_time_and_say_so),
    T(a_deadline_ends_the_tries), T(after_its_deadline_nothing_is_sent),
    T(lost_answer_to_publish_is_unknown_and_not_repeated),
    T(publish_never_goes_over_a_kept_connection), T(silence_after_publish_is_unknown),
    T(silence_after_a_look_is_retry), T(broken_proxy_leaves_publish_unknown),
    T(mkdir_is_repeated_after_a_lost_answer), T(remove_after_a_lost_answer_is_not_found),
    T(replace_after_a_lost_answer), T(dead_data_node_is_left_out_next_time),
    T(directories_of_a_file_are_made_before_it),
    T(dead_data_node_is_named_without_secrets), T(data_nodes_that_are_all_dead_are_named),
    T(upload_is_good_after_201_only), T(refused_upload_is_not_repeated),
    T(short_reader_is_told), T(cut_read_begins_anew),
    T(answer_longer_than_asked_is_refused), T(answers_of_others_are_told_apart),
    T(a_no_without_a_reason_is_told), T(safe_mode_says_where_to_look),
    T(answers_are_bounded_before_they_are_read), T(data_node_of_unknown_name_is_told),
    T(redirects_that_webhdfs_does_not_give), T(a_deadline_ends_the_wait_for_an_answer),
    T(kerberos_refused_says_kinit), T(server_without_renameoptions_is_refused),
    T(checksum_of_another_kind_is_refused), T(batches_of_a_listing_are_put_together),
    T(listings_come_to_an_end), T(names_of_a_listing_are_names),
    T(a_long_answer_of_a_name_node_is_left), T(only_a_200_is_a_yes),
    T(cut_answers_are_none), T(real_hdfs_denies_by_name),
    T(real_hdfs_lists_more_than_a_batch))
