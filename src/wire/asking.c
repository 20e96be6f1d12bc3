// SPDX-License-Identifier: Apache-2.0
#include "wire/asking.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/env.h"

enum {
    SLEEP_MS = 50, // a look at pauses that no descriptor ends
};

int64_t wire_asking_now_ms(void)
{
    struct env *env = env_system();
    return env->ops->monotonic_ms(env);
}

void wire_asking_pause(int64_t ms)
{
    struct env *env = env_system();
    env->ops->sleep_ms(env, ms);
}

enum status wire_asking_open(struct wire_asking *asking,
                             const struct wire_asking_config *config, struct err *err)
{
    *asking = (struct wire_asking){.wake_fd = -1};
    TRY(wire_security_open(&config->security, &asking->security, err));
    asking->client_id = mem_strdup(config->client_id);
    asking->room_bytes = config->most_bytes;
    asking->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (asking->wake_fd < 0)
        return err_set(err, ST_FAIL,
                       "topic '%s': no file descriptor: %s; raise the limit of open "
                       "files (ulimit -n)",
                       config->topic, strerror(errno));
    const struct wire_client client = {
        .id = str_of(asking->client_id),
        .timeout_ms = config->timeout_ms,
        .wake_fd = asking->wake_fd,
        .most_bytes = config->most_bytes,
        .security = asking->security,
    };
    wire_cluster_init(&asking->cluster, &client, config->brokers, config->topic);
    return ST_OK;
}

void wire_asking_close(struct wire_asking *asking)
{
    if (asking->client_id == NULL)
        return;
    if (asking->cluster.topic != NULL)
        wire_cluster_release(&asking->cluster);
    if (asking->wake_fd >= 0)
        close(asking->wake_fd);
    wire_security_close(asking->security);
    buf_release(&asking->body);
    free(asking->fds);
    free(asking->client_id);
    *asking = (struct wire_asking){.wake_fd = -1};
}

static void sleep_until_ready(struct wire_asking *asking, int64_t end_ms)
{
    struct wire_cluster *cluster = &asking->cluster;
    int64_t now = wire_asking_now_ms(), until = now + SLEEP_MS;
    until = until < end_ms ? until : end_ms;
    if (asking->n_fds <= cluster->n) {
        asking->n_fds = cluster->n + 1;
        asking->fds = mem_resize(asking->fds, asking->n_fds, sizeof(*asking->fds));
    }
    asking->fds[0] = (struct pollfd){.fd = asking->wake_fd, .events = POLLIN};
    for (size_t i = 0; i < cluster->n; i++)
        asking->fds[i + 1] =
            wire_connection_wait(&cluster->brokers[i]->connection, &until);
    poll(asking->fds, cluster->n + 1, until > now ? (int)(until - now) : 0);
    uint64_t count;
    ssize_t n = read(asking->wake_fd, &count, sizeof(count));
    (void)n; // nothing to read is fine
}

// Takes the answers of a connection; true: one of them is to the last question.
static bool take(struct wire_asking *asking, struct wire_connection *c, int64_t now_ms,
                 size_t *ret_header)
{
    struct wire_call call;
    struct str body;
    for (int i = 0; i < WIRE_CALLS_MAX; i++) {
        wire_connection_work(c, now_ms, asking->room_bytes);
        if (!wire_answer(c, &call, &body, now_ms))
            return false;
        bool is_it = call.tag == asking->tag;
        *ret_header = (size_t)(body.p - c->body.p);
        wire_answer_end(c, is_it ? &asking->body : NULL, now_ms);
        if (is_it)
            return true;
    }
    return false;
}

static enum status send_question(struct wire_asking *asking, struct wire_broker *broker,
                                 const struct wire_question *question, int64_t now_ms,
                                 int16_t *ret_version, struct err *err)
{
    struct wire_connection *c = &broker->connection;
    size_t begin;
    *ret_version = wire_connection_version(c, question->api);
    bool is_unknown = *ret_version < 0;
    if (is_unknown && question->is_unknown != NULL)
        *question->is_unknown = true;
    if (is_unknown)
        return err_set(err, question->is_unknown != NULL ? ST_NOT_FOUND : ST_FAIL,
                       "broker %s:%" PRId32
                       " takes no version of a request that is known here; see client = "
                       "'librdkafka'",
                       c->host, c->port);
    struct buf *out = wire_call_begin(c, question->api, ++asking->tag, &begin);
    question->put(question->arg, *ret_version, out);
    wire_call_end(c, begin, question->wait_ms, now_ms);
    return ST_OK;
}

// The broker that is meant, connected; NULL: not yet.
static struct wire_broker *reach(struct wire_asking *asking, int32_t number,
                                 int64_t now_ms)
{
    if (number < 0)
        return wire_cluster_reach(&asking->cluster, now_ms);
    struct wire_broker *broker = wire_cluster_find(&asking->cluster, number);
    if (broker == NULL)
        return NULL;
    wire_connection_open(&broker->connection, now_ms);
    return wire_connection_can_call(&broker->connection) ? broker : NULL;
}

enum status wire_asking_out_of_time(const struct wire_asking *asking, struct err *err)
{
    return err_set(err, ST_RETRY, "brokers %s: no answer in the time that was left",
                   asking->cluster.addresses);
}

static enum status no_answer(const struct wire_asking *asking, int32_t number,
                             const struct wire_broker *sent, struct err *err)
{
    const struct wire_broker *broker =
        sent != NULL ? sent : wire_cluster_find(&asking->cluster, number);
    if (broker == NULL || (sent == NULL && number < 0))
        return wire_cluster_unreachable(&asking->cluster, err);
    const struct wire_connection *c = &broker->connection;
    if (c->n_failures == 0 || c->state == WIRE_READY)
        return wire_cluster_unreachable(&asking->cluster, err);
    return err_set(err, ST_RETRY, "brokers %s cannot be reached: %s",
                   asking->cluster.addresses, c->problem);
}

// Others than the one that is meant are looked at, too: what goes on with any of them is
// heard in time.
static bool work_all(struct wire_asking *asking, int64_t now_ms, size_t *ret_header)
{
    bool is_there = false;
    for (size_t i = 0; i < asking->cluster.n && !is_there; i++)
        is_there =
            take(asking, &asking->cluster.brokers[i]->connection, now_ms, ret_header);
    return is_there;
}

enum status wire_ask(struct wire_asking *asking, int32_t broker,
                     const struct wire_question *question, int64_t end_ms,
                     int16_t *ret_version, struct str *ret_body, struct err *err)
{
    struct wire_broker *sent = NULL;
    const struct wire_broker *meant = wire_cluster_find(&asking->cluster, broker);
    size_t header;
    int n_failures = meant != NULL ? meant->connection.n_failures : 0;
    asking->tag++; // answers to questions of before are nobody's
    for (;;) {
        int64_t now_ms = wire_asking_now_ms();
        if (work_all(asking, now_ms, &header)) {
            *ret_body = (struct str){asking->body.p + header, asking->body.n - header};
            return ST_OK;
        }
        TRY(wire_cluster_check_refusal(&asking->cluster, err));
        bool is_lost = meant != NULL && meant->connection.n_failures > n_failures;
        if (deadline_is_over(asking->deadline, now_ms))
            return wire_asking_out_of_time(asking, err);
        if (now_ms >= end_ms || is_lost)
            return no_answer(asking, broker, sent, err);
        struct wire_broker *ready = sent == NULL ? reach(asking, broker, now_ms) : NULL;
        if (ready != NULL) {
            meant = sent = ready;
            n_failures = sent->connection.n_failures;
            TRY(send_question(asking, sent, question, now_ms, ret_version, err));
            continue;
        }
        sleep_until_ready(asking, end_ms);
    }
}
