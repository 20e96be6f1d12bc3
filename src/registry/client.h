// SPDX-License-Identifier: Apache-2.0
// Requests to a registry of several addresses: fail-over, bounded repetition, and what an
// answer means. Under registry.h; one thread at a time.
#ifndef REGISTRY_CLIENT_H
#define REGISTRY_CLIENT_H

#include <jansson.h>

#include "registry/registry.h"

struct registry_client;

enum status rest_client_open(const struct registry_config *config,
                             struct registry_client **ret, struct err *err);
void rest_client_close(struct registry_client *client);
int64_t rest_client_now_ms(const struct registry_client *client);

// The answer as JSON, which the caller gives back with json_decref. `path` begins with a
// slash; GET without a body. What a status means: registry.h.
enum status client_ask(struct registry_client *client, const char *path,
                       const json_t *body, json_t **ret, struct err *err);

// The same for an answer that holds a schema: one that is too long is ST_DATA.
enum status client_ask_schema(struct registry_client *client, const char *path,
                              json_t **ret, struct err *err);
// HTTP's code of the last answer; 0: there was none.
long client_last_code(const struct registry_client *client);

#endif
