// SPDX-License-Identifier: Apache-2.0
// The names of brokers, looked up on a thread of its own each: a name server that does
// not answer keeps librdkafka's threads, which the end of a handle waits for, no longer
// than until the handle is closed.
#ifndef KAFKA_RESOLVE_H
#define KAFKA_RESOLVE_H

#include <netdb.h>
#include <stdatomic.h>

enum {
    RESOLVE_LOOK_MS = 100 // between two looks at whether the handle is closed
};

// As getaddrinfo(), and as freeaddrinfo() of *ret where node is NULL. EAI_AGAIN once
// *is_closing: the answer is thrown away when it comes.
int resolve(const char *node, const char *service, const struct addrinfo *hints,
            struct addrinfo **ret, const atomic_bool *is_closing);

#endif
