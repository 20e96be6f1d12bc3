// SPDX-License-Identifier: Apache-2.0
#include "status/server.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/thread.h"
#include "core/env.h"
#include "status/json.h"
#include "status/listen.h"
#include "status/metrics.h"
#include "status/page.h"

enum {
    TURN_MS = 200,    // of the loop, when nobody asks
    SAMPLE_MS = 1000, // between two looks at the board for the history
    IDLE_S = 5        // a connection that moves nothing for so long is closed
};

struct connection {
    int fd;
    int64_t since_ms; // 0: no connection
};

struct status_server {
    struct board *board;
    struct MHD_Daemon *daemon;
    char url[LISTEN_TEXT];
    pthread_t thread;
    _Atomic bool is_ending;
    struct history history;
    int64_t started_ms; // wall
    int64_t sampled_ms;
    struct connection connections[SERVER_CONNECTIONS];
};

static int64_t monotonic_ms(void)
{
    return env_system()->ops->monotonic_ms(env_system());
}

static int64_t wall_ms(void)
{
    return env_system()->ops->wall_ms(env_system());
}

// Answers.

struct answer {
    unsigned code;
    const char *type;
    struct buf body;
};

static struct look look_at(struct status_server *server, struct board_view *view)
{
    board_read(server->board, view);
    return (struct look){
        .view = view,
        .history = &server->history,
        .wall_ms = wall_ms(),
        .monotonic_ms = monotonic_ms(),
        .stepped_ms = atomic_load(&server->board->stepped_ms),
    };
}

static void answer_probe(bool is_good, struct answer *answer)
{
    answer->code = is_good ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE;
    if (is_good)
        buf_text(&answer->body, "ok");
    buf_char(&answer->body, '\n');
}

static void answer_health(const struct look *look, const char *accept,
                          struct answer *answer)
{
    (void)accept;
    answer_probe(verdict_is_alive(look, &answer->body), answer);
}

static void answer_ready(const struct look *look, const char *accept,
                         struct answer *answer)
{
    (void)accept;
    answer_probe(verdict_is_ready(look, &answer->body), answer);
}

static void answer_metrics(const struct look *look, const char *accept,
                           struct answer *answer)
{
    enum metrics_format format = metrics_accepted(accept);
    answer->type = metrics_content_type(format);
    metrics_format(look->view, format, look->wall_ms, &answer->body);
}

static const struct live {
    const char *path, *type;
    void (*answer)(const struct look *look, const char *accept, struct answer *answer);
} live[] = {
    {"/metrics", NULL, answer_metrics},
    {"/healthz", "text/plain; charset=utf-8", answer_health},
    {"/readyz", "text/plain; charset=utf-8", answer_ready},
};

static const struct fixed {
    const char *path, *type, *text;
} fixed[] = {
    {"/", "text/html; charset=utf-8", page_html},
    {"/page.css", "text/css; charset=utf-8", page_css},
    {"/page.js", "text/javascript; charset=utf-8", page_js},
};

static void answer_text(unsigned code, const char *text, struct answer *answer)
{
    answer->code = code;
    answer->type = "text/plain; charset=utf-8";
    buf_text(&answer->body, text);
}

static bool answer_fixed(const char *path, struct answer *answer)
{
    for (size_t i = 0; i < ARRAY_LEN(fixed); i++) {
        if (strcmp(path, fixed[i].path) != 0)
            continue;
        answer->type = fixed[i].type;
        buf_text(&answer->body, fixed[i].text);
        return true;
    }
    return false;
}

static bool answer_live(struct status_server *server, const char *path,
                        const char *accept, struct answer *answer)
{
    struct board_view view;
    bool is_json = strcmp(path, "/status.json") == 0, is_done = is_json;
    struct look look = look_at(server, &view);
    if (is_json) {
        answer->type = "application/json";
        status_json(&look, server->started_ms, &answer->body);
    }
    for (size_t i = 0; i < ARRAY_LEN(live) && !is_done; i++) {
        if (strcmp(path, live[i].path) != 0)
            continue;
        answer->type = live[i].type;
        live[i].answer(&look, accept, answer);
        is_done = true;
    }
    board_view_release(&view);
    return is_done;
}

static void find_answer(struct status_server *server, const char *method,
                        const char *path, const char *accept, struct answer *answer)
{
    bool is_read = strcmp(method, MHD_HTTP_METHOD_GET) == 0 ||
                   strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
    if (!is_read)
        answer_text(MHD_HTTP_METHOD_NOT_ALLOWED, "GET and HEAD only\n", answer);
    else if (!answer_fixed(path, answer) && !answer_live(server, path, accept, answer))
        answer_text(MHD_HTTP_NOT_FOUND,
                    "/ /status.json /metrics /healthz /readyz are here\n", answer);
}

// Nothing of the page may come from elsewhere, or be part of another one.
static const char *const headers[][2] = {
    {"Cache-Control", "no-store"},
    {"Connection", "close"},
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "no-referrer"},
    {"Content-Security-Policy",
     "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
     "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
};

static enum MHD_Result send_answer(struct MHD_Connection *connection,
                                   struct answer *answer)
{
    size_t n = answer->body.n;
    struct MHD_Response *response = MHD_create_response_from_buffer_with_free_callback(
        n, buf_detach(&answer->body), free);
    if (response == NULL)
        return MHD_NO;
    for (size_t i = 0; i < ARRAY_LEN(headers); i++)
        MHD_add_response_header(response, headers[i][0], headers[i][1]);
    MHD_add_response_header(response, "Content-Type", answer->type);
    if (answer->code == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(response, "Allow", "GET, HEAD");
    enum MHD_Result result = MHD_queue_response(connection, answer->code, response);
    MHD_destroy_response(response);
    return result;
}

// Asked once a request, when its headers are there. A body is not waited for: it is
// answered as if there were none, and the connection closed.
static enum MHD_Result take_request(void *arg, struct MHD_Connection *connection,
                                    const char *url, const char *method,
                                    const char *version, const char *upload_data,
                                    size_t *upload_data_size, void **request)
{
    struct answer answer = {.code = MHD_HTTP_OK};
    const char *accept =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Accept");
    (void)version;
    (void)upload_data;
    (void)upload_data_size;
    (void)request;
    find_answer(arg, method, url, accept, &answer);
    enum MHD_Result result = send_answer(connection, &answer);
    buf_release(&answer.body);
    return result;
}

// Connections.

static int fd_of(struct MHD_Connection *connection)
{
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)
        ->connect_fd;
}

static void note_connection(void *arg, struct MHD_Connection *connection, void **context,
                            enum MHD_ConnectionNotificationCode code)
{
    struct status_server *server = arg;
    int fd = fd_of(connection);
    bool is_new = code == MHD_CONNECTION_NOTIFY_STARTED;
    (void)context;
    for (size_t i = 0; i < SERVER_CONNECTIONS; i++) {
        struct connection *at = &server->connections[i];
        if (is_new ? at->since_ms == 0 : at->since_ms != 0 && at->fd == fd) {
            *at = (struct connection){fd, is_new ? monotonic_ms() : 0};
            return;
        }
    }
}

// MHD's own limit begins again with each byte that trickles in.
static void end_old_connections(struct status_server *server, int64_t now_ms)
{
    for (size_t i = 0; i < SERVER_CONNECTIONS; i++) {
        const struct connection *at = &server->connections[i];
        if (at->since_ms != 0 && now_ms - at->since_ms > SERVER_CONNECTION_MS)
            shutdown(at->fd, SHUT_RDWR);
    }
}

// The thread.

static void sample(struct status_server *server, int64_t now_ms)
{
    struct board_view view;
    if (now_ms - server->sampled_ms < SAMPLE_MS)
        return;
    server->sampled_ms = now_ms;
    board_read(server->board, &view);
    history_sample(&server->history, &view, now_ms, wall_ms());
    board_view_release(&view);
}

static void *serve(void *arg)
{
    struct status_server *server = arg;
    while (!atomic_load(&server->is_ending)) {
        MHD_run_wait(server->daemon, TURN_MS);
        int64_t now_ms = monotonic_ms();
        end_old_connections(server, now_ms);
        sample(server, now_ms);
    }
    return NULL;
}

static struct MHD_Daemon *start_daemon(struct status_server *server, int fd)
{
    return MHD_start_daemon(
        MHD_USE_EPOLL, 0, NULL, NULL, take_request, server, MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)SERVER_CONNECTIONS,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)SERVER_MEMORY,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S, MHD_OPTION_NOTIFY_CONNECTION,
        note_connection, server, MHD_OPTION_END);
}

enum status status_server_open(struct str address, struct board *board,
                               struct status_server **ret, struct err *err)
{
    struct status_server *server = mem_zalloc(sizeof(*server));
    int fd;
    server->board = board;
    server->started_ms = wall_ms();
    enum status rc = listen_open(address, &fd, server->url, err);
    if (rc != ST_OK) {
        free(server);
        return rc;
    }
    server->daemon = start_daemon(server, fd);
    if (server->daemon == NULL) {
        close(fd);
        free(server);
        return err_set(err, ST_FAIL,
                       "the status server cannot be started: no memory or no file "
                       "descriptor is left");
    }
    thread_start(&server->thread, serve, server);
    *ret = server;
    return ST_OK;
}

const char *status_server_url(const struct status_server *server)
{
    return server->url;
}

void status_server_close(struct status_server *server)
{
    if (server == NULL)
        return;
    atomic_store(&server->is_ending, true);
    pthread_join(server->thread, NULL);
    MHD_stop_daemon(server->daemon);
    free(server);
}
