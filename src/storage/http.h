// SPDX-License-Identifier: Apache-2.0
// One HTTP request after another, by libcurl. Never repeats, never follows a redirect;
// says of a request without an answer whether it may have arrived.
//
// Waits are limited: connecting by 10 s at most, silence by timeout_ms, the whole by
// timeout_ms and a second for each 64 KiB that moves, and by the request's deadline.
// Proxies of the environment are not used: name nodes and data nodes are talked to
// directly. One thread at a time.
#ifndef STORAGE_HTTP_H
#define STORAGE_HTTP_H

#include "core/storage.h"

struct http; // connections and settings

struct http_config {
    const char *ca_file; // NULL or "": the system's certificates
    bool kerberos;       // SPNEGO where a request says `sign_in`
    int64_t timeout_ms;
};

struct http *http_open(const struct http_config *config);
void http_close(struct http *http);

enum http_method {
    HTTP_GET,
    HTTP_PUT,
    HTTP_DELETE,
};

struct http_request {
    enum http_method method;
    const char *url;
    bool sign_in;
    // On a connection of its own. libcurl repeats by itself what it sent into a kept
    // connection that the server was closing; a request whose repeat would find another
    // world must not go there.
    bool fresh;
    struct reader *body; // of a PUT; NULL: an empty one
    int64_t body_bytes;
    struct buf *into; // where the body of a 200 is appended; NULL: to the answer
    size_t into_max;  // bytes
    const struct deadline *deadline; // may be NULL
};

enum http_outcome {
    HTTP_ANSWERED,
    HTTP_NOT_SENT, // the server has seen nothing of it; may work later
    HTTP_HOPELESS, // the same, and a repeat will not help
    HTTP_LOST,     // sent, at least in part, and no (whole) answer
    HTTP_FAILED,   // the reader or the buffer `into` failed: err has its status and text
};

struct http_answer {
    int code;
    struct buf body; // of all but a 200 with `into`; at most 64 MiB
    char *location;  // NULL when there is none
    bool body_read;  // the request's reader was called
    // The host's name, TLS, or something that is no HTTP: a wrong setting perhaps, unless
    // this server was well before.
    bool doubtful;
    char why[256]; // no answer: the reason, for a person
};

void http_answer_release(struct http_answer *answer); // also for AUTO

// Clears `ret` first. `err` is set for HTTP_FAILED only.
enum http_outcome http_send(struct http *http, const struct http_request *request,
                            struct http_answer *ret, struct err *err);

// Appends `s`, percent-encoded (RFC 3986); '/' stays as it is if `is_path`.
void http_encode(struct buf *url, struct str s, bool is_path);

#endif
