// SPDX-License-Identifier: Apache-2.0
// One librdkafka handle: its waiting calls, and what its brokers said last as a text for
// a person. The other files of this folder are made of it.
//
// librdkafka's log is silent unless the script sets "kafka.debug". Threads: one owner;
// callbacks run in the owner's calls only, but for the look-up of names (resolve.h),
// which runs in librdkafka's threads.
#ifndef KAFKA_CLIENT_H
#define KAFKA_CLIENT_H

#include <stdatomic.h>

#include "kafka/conf.h"

enum {
    PROBLEM_TEXT = 512
};

struct kafka_client {
    rd_kafka_t *rk;
    char *brokers;
    int timeout_ms;
    const struct deadline *deadline; // of waiting calls; may be NULL
    rd_kafka_resp_err_t problem;     // the last that a connection told; 0: none
    char problem_text[PROBLEM_TEXT]; // without librdkafka's decoration
    bool is_down;                    // all brokers are gone; who tells it resets it
    atomic_bool is_closing;          // read by librdkafka's threads
};

// Takes over conf, whatever the status. `client` must stay at its address: it is
// librdkafka's opaque pointer. ST_USAGE when librdkafka refuses the whole.
enum status client_open(struct kafka_client *client, const struct kafka_config *config,
                        rd_kafka_type_t type, rd_kafka_conf_t *conf, struct err *err);
void client_close(struct kafka_client *client); // also when it was never opened

int64_t client_now_ms(void);                              // monotonic
int client_timeout_ms(const struct kafka_config *config); // or the default
bool client_is_out_of_time(const struct kafka_client *client);

// The same request may be answered in a moment.
bool client_is_unanswered(rd_kafka_resp_err_t code);
// A call of librdkafka that waits for an answer.
typedef rd_kafka_resp_err_t client_call_fn(void *arg, int timeout_ms);
// Makes the call with a growing limit, again and again until the brokers answer, or the
// client's time (see client_unreachable) or its deadline is over: ST_RETRY. An answer
// that is an error is ST_OK too: it is in *ret_code.
enum status client_wait(struct kafka_client *client, client_call_fn *call, void *arg,
                        rd_kafka_resp_err_t *ret_code, struct err *err);
// Wakes librdkafka's threads of the brokers that lead these partitions. One that has
// nothing to fetch looks again only after a second; a question to its broker, whose
// answer nobody awaits, makes it look at once. Does not wait.
void client_nudge(rd_kafka_t *rk, rd_kafka_topic_partition_list_t *partitions);
// ST_RETRY with its text: the deadline was too near.
enum status client_out_of_time(const struct kafka_client *client, struct err *err);
// "brokers a:1,b:2 cannot be reached: ..."; ST_FAIL when they refused us, else ST_RETRY.
enum status client_unreachable(struct kafka_client *client, struct err *err);

#endif
