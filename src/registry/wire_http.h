// SPDX-License-Identifier: Apache-2.0
// One JSON request to a registry over HTTP, by libcurl. Follows no redirect, so that
// credentials stay with the address they were given for. One thread at a time.
#ifndef REGISTRY_WIRE_HTTP_H
#define REGISTRY_WIRE_HTTP_H

#include "base/buf.h"
#include "base/status.h"
#include "core/deadline.h"

struct wire_http_config {
    const char *ca_file; // NULL: the system's
    int64_t timeout_ms;
    const struct deadline *deadline; // may be NULL
};

// A token, or a user with a password, or all NULL.
struct wire_http_login {
    const char *user, *password;
    const char *token;
};

struct wire_http; // connections and settings

struct wire_http *wire_http_open(const struct wire_http_config *config);
void wire_http_close(struct wire_http *http);

// GET, or POST when there is a body. Appends the answer's body and sets its code.
// ST_RETRY: there was no answer; ST_LIMIT: a good one that is too long; ST_FAIL: there
// will be none (TLS).
enum status wire_http_send(struct wire_http *http, const char *url,
                           const struct wire_http_login *login, const char *body,
                           long *ret_code, struct buf *ret, struct err *err);

#endif
