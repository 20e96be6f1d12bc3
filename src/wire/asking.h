// SPDX-License-Identifier: Apache-2.0
// One question to a broker at a time, and the wait for its answer: the ground of
// lookup.h. Connections of its own; each call ends by `end_ms` of the monotonic clock.
//
// Errors: ST_RETRY when there was no answer in that time, or the connection failed;
// ST_FAIL when a broker refuses us. Threads: one owner.
#ifndef WIRE_ASKING_H
#define WIRE_ASKING_H

#include "core/deadline.h"
#include "wire/cluster.h"

struct wire_asking {
    char *client_id;
    struct wire_security *security; // owned
    int wake_fd;
    struct wire_cluster cluster;
    int64_t room_bytes; // most of an answer
    int32_t tag;        // of the last question
    struct buf body;    // the last answer
    struct pollfd *fds;
    size_t n_fds;
    const struct deadline *deadline; // the owner's, heeded while an answer is waited for
};

struct wire_asking_config {
    const char *brokers, *topic, *client_id;
    int timeout_ms; // of an answer
    int64_t most_bytes;
    struct wire_security_config security;
};

// Asks nobody yet. On failure, too, it is to be closed.
enum status wire_asking_open(struct wire_asking *asking,
                             const struct wire_asking_config *config, struct err *err);
void wire_asking_close(struct wire_asking *asking); // zero is fine, too

// Appends a request's body.
typedef void wire_question_fn(const void *arg, int16_t version, struct buf *out);

struct wire_question {
    enum wire_api api;
    wire_question_fn *put;
    const void *arg;
    int64_t wait_ms;  // that the broker may take
    bool *is_unknown; // set, with ST_NOT_FOUND, when it knows no such request; or NULL
};

// `broker`: a number of it, or -1 for any. *ret_body is lent until the next question.
enum status wire_ask(struct wire_asking *asking, int32_t broker,
                     const struct wire_question *question, int64_t end_ms,
                     int16_t *ret_version, struct str *ret_body, struct err *err);
// The owner wants no more: its deadline is over.
enum status wire_asking_out_of_time(const struct wire_asking *asking, struct err *err);
void wire_asking_pause(int64_t ms);
int64_t wire_asking_now_ms(void);

#endif
