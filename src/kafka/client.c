// SPDX-License-Identifier: Apache-2.0
#include "kafka/client.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "core/env.h"
#include "kafka/refusal.h"
#include "kafka/resolve.h"

enum {
    DEFAULT_TIMEOUT_MS = 10000,
    FIRST_SLICE_MS = 500,
    LAST_SLICE_MS = 3000, // the longest wait that does not look at the deadline
    PAUSE_MS = 100,       // after a call that failed without waiting
};

static void no_log(UNUSED const rd_kafka_t *rk, UNUSED int level,
                   UNUSED const char *facility, UNUSED const char *text)
{
}

// A refusal is kept until something is answered: what follows it is its consequence.
// Keeps the text without "(after 3ms in state CONNECT, 2 identical errors suppressed)".
static void keep_problem(struct kafka_client *client, rd_kafka_resp_err_t code,
                         const char *text)
{
    if (refusal_of(client->problem, client->problem_text) == REFUSAL_SURE)
        return;
    client->problem = code;
    snprintf(client->problem_text, PROBLEM_TEXT, "%s", text);
    char *decoration = strstr(client->problem_text, " (after ");
    if (decoration != NULL)
        *decoration = '\0';
}

static void on_error(UNUSED rd_kafka_t *rk, int code, const char *text, void *opaque)
{
    struct kafka_client *client = opaque;
    if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
        client->is_down = true;
    else
        keep_problem(client, (rd_kafka_resp_err_t)code, text);
}

static int on_name(const char *node, const char *service, const struct addrinfo *hints,
                   struct addrinfo **ret, void *opaque)
{
    struct kafka_client *client = opaque;
    return resolve(node, service, hints, ret, &client->is_closing);
}

static bool wants_log(const rd_kafka_conf_t *conf)
{
    char text[8];
    size_t size = sizeof(text);
    return rd_kafka_conf_get(conf, "debug", text, &size) == RD_KAFKA_CONF_OK && size > 1;
}

int client_timeout_ms(const struct kafka_config *config)
{
    return config->timeout_ms ? config->timeout_ms : DEFAULT_TIMEOUT_MS;
}

enum status client_open(struct kafka_client *client, const struct kafka_config *config,
                        rd_kafka_type_t type, rd_kafka_conf_t *conf, struct err *err)
{
    if (!wants_log(conf))
        rd_kafka_conf_set_log_cb(conf, no_log);
    rd_kafka_conf_set_error_cb(conf, on_error);
    rd_kafka_conf_set_resolve_cb(conf, on_name);
    rd_kafka_conf_set_opaque(conf, client);
    char text[512];
    client->rk = rd_kafka_new(type, conf, text, sizeof(text));
    if (client->rk == NULL) {
        rd_kafka_conf_destroy(conf);
        return err_set(err, ST_USAGE, "the Kafka client refuses its options: %s", text);
    }
    client->brokers = mem_strdup(config->brokers);
    client->timeout_ms = client_timeout_ms(config);
    client->deadline = config->deadline;
    return ST_OK;
}

void client_close(struct kafka_client *client)
{
    atomic_store(&client->is_closing, true);
    if (client->rk != NULL)
        rd_kafka_destroy_flags(client->rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    free(client->brokers);
    *client = (struct kafka_client){0};
}

int64_t client_now_ms(void)
{
    struct env *env = env_system();
    return env->ops->monotonic_ms(env);
}

bool client_is_out_of_time(const struct kafka_client *client)
{
    return deadline_is_over(client->deadline, client_now_ms());
}

enum status client_out_of_time(const struct kafka_client *client, struct err *err)
{
    return err_set(err, ST_RETRY, "brokers %s: no answer in the time that was left",
                   client->brokers);
}

static bool is_refused(const struct kafka_client *client)
{
    return refusal_of(client->problem, client->problem_text) == REFUSAL_SURE;
}

// "HTTP", read as the size of an answer.
static bool is_http(const struct kafka_client *client)
{
    return client->problem &&
           strstr(client->problem_text, "Invalid response size 1213486160") != NULL;
}

static enum status refused(const struct kafka_client *client, struct err *err)
{
    char mechanism[32] = "", hint[512];
    size_t size = sizeof(mechanism);
    rd_kafka_conf_get(rd_kafka_conf(client->rk), "sasl.mechanism", mechanism, &size);
    refusal_hint(client->problem_text, mechanism, rd_kafka_version(), hint, sizeof(hint));
    return err_set(err, is_refused(client) ? ST_FAIL : ST_RETRY,
                   "brokers %s cannot be reached: %s%s", client->brokers,
                   client->problem_text, hint);
}

enum status client_unreachable(struct kafka_client *client, struct err *err)
{
    if (is_http(client))
        return err_set(err, ST_FAIL,
                       "brokers %s cannot be reached: an HTTP server answers there; give "
                       "the port of a Kafka broker",
                       client->brokers);
    if (refusal_of(client->problem, client->problem_text) != REFUSAL_NO)
        return refused(client, err);
    if (client->problem && strstr(client->problem_text, "ApiVersionRequest") == NULL)
        return err_set(err, ST_RETRY, "brokers %s cannot be reached: %s", client->brokers,
                       client->problem_text);
    return err_set(err, ST_RETRY,
                   "brokers %s cannot be reached: no answer within %d ms; is that a "
                   "Kafka broker's port?",
                   client->brokers, client->timeout_ms);
}

bool client_is_unanswered(rd_kafka_resp_err_t code)
{
    switch (code) {
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE:
    case RD_KAFKA_RESP_ERR__WAIT_COORD:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
    case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION:
    case RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS:
    case RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_COORDINATOR:
        return true;
    default:
        return false;
    }
}

static int smaller(int64_t a, int64_t b)
{
    return (int)(a < b ? a : b);
}

enum status client_wait(struct kafka_client *client, client_call_fn *call, void *arg,
                        rd_kafka_resp_err_t *ret_code, struct err *err)
{
    int64_t end = client_now_ms() + client->timeout_ms;
    int slice = FIRST_SLICE_MS;
    while (client_now_ms() < end && !is_refused(client) && !is_http(client)) {
        int64_t now = client_now_ms();
        int64_t left = deadline_left(client->deadline, now, end - now);
        if (left <= 0)
            return client_out_of_time(client, err);
        rd_kafka_resp_err_t code = call(arg, smaller(left, slice));
        if (!client_is_unanswered(code)) {
            client->problem = RD_KAFKA_RESP_ERR_NO_ERROR;
            *ret_code = code;
            return ST_OK;
        }
        rd_kafka_poll(client->rk, smaller(left, PAUSE_MS)); // hears what went wrong
        slice = smaller(2 * slice, LAST_SLICE_MS);
    }
    return client_unreachable(client, err);
}

void client_nudge(rd_kafka_t *rk, rd_kafka_topic_partition_list_t *partitions)
{
    for (int i = 0; i < partitions->cnt; i++)
        partitions->elems[i].offset = RD_KAFKA_OFFSET_END;
    rd_kafka_offsets_for_times(rk, partitions, 0);
}
