// SPDX-License-Identifier: Apache-2.0
// One HTTP request after another, by libcurl. Never repeats (http/backoff.h is for those
// who do), follows a redirect only where that is asked for; says of a request without an
// answer whether it may have arrived.
//
// Everything is limited by the request: connecting, bytes that must come within a time,
// the whole, its body, and a deadline that its owner may set meanwhile. Headers are
// limited here, those before the last answer (100, redirects) counted. HTTP/1.1 only;
// nothing is unpacked that a server sends packed.
// Credentials go to the URL's own scheme, host and port, never where a redirect leads.
// One thread at a time.
#ifndef HTTP_CLIENT_H
#define HTTP_CLIENT_H

#include "core/deadline.h"
#include "core/storage.h"

enum {
    HTTP_HEAD_MAX = 256 << 10, // bytes of headers, all answers to one request together
    HTTP_REFUSAL_MAX = 1 << 20 // bytes that are kept of a body that is not of a 200
};

struct http; // connections and settings

struct http_config {
    const char *ca_file;        // NULL or "": the system's certificates
    const char *const *headers; // "Name: value", ended by NULL; may be NULL
    bool kerberos;              // SPNEGO where a request says `sign_in`
    bool proxy;                 // those of the environment are used
};

// Copies the configuration.
struct http *http_open(const struct http_config *config);
void http_close(struct http *http);

enum http_method {
    HTTP_GET,
    HTTP_PUT,
    HTTP_POST,
    HTTP_DELETE,
};

// A token, or a user with a password, or all NULL.
struct http_login {
    const char *user, *password;
    const char *token;
};

struct http_limits {
    int64_t connect_ms; // name, connection and TLS together
    int64_t slow_ms;    // in any such time at least slow_bytes move, headers included
    int64_t slow_bytes;
    int64_t whole_ms; // redirects included
};

// Where a body goes, as it comes.
struct http_sink {
    enum status (*write)(struct http_sink *sink, struct str bytes, struct err *err);
    // Called once a second or more often, with the bytes expected or -1. May be NULL.
    void (*progress)(struct http_sink *sink, int64_t done, int64_t total);
};

struct http_request {
    enum http_method method;
    const char *url;                // without credentials
    const struct http_login *login; // NULL: none
    bool sign_in;
    // On a connection of its own. libcurl repeats by itself what it sent into a kept
    // connection that the server was closing; a request whose repeat would find another
    // world must not go there.
    bool fresh;
    // The 200 must say how long it is: one that ends with its connection may be cut.
    bool framed;
    struct reader *body; // of a PUT or POST; NULL: an empty one
    int64_t body_bytes;
    struct http_sink *into; // takes the body of a 200; NULL: the answer does
    int64_t into_max;       // bytes of a 200's body
    int redirects;          // most that are followed; from https only to https
    struct http_limits limits;
    const struct deadline *deadline; // may be NULL
};

enum http_outcome {
    HTTP_ANSWERED,
    HTTP_NOT_SENT, // the server has seen nothing of it; may work later
    HTTP_HOPELESS, // the same, and a repeat will not help
    HTTP_LOST,     // sent, at least in part, and no (whole) answer
    HTTP_FAILED,   // the reader or the sink failed: err has its status and text
};

// What stood in the way, where somebody has to know.
enum http_trouble {
    HTTP_TROUBLE_ANY,
    HTTP_TROUBLE_NAME,        // the host's name is not known
    HTTP_TROUBLE_TLS,         // no handshake
    HTTP_TROUBLE_CERTIFICATE, // not trusted
    HTTP_TROUBLE_CA_FILE,     // cannot be used
    HTTP_TROUBLE_NOT_HTTP,    // what came was something else
    HTTP_TROUBLE_REDIRECT,    // too many, to another scheme, or with credentials in it
    HTTP_TROUBLE_TOO_LONG,    // the answer, or its headers
    HTTP_TROUBLE_TOO_LATE,    // not whole in whole_ms
};

struct http_answer {
    int code;
    struct buf body; // of all but a 200 with `into`; its first bytes if it is not
    char *location;  // NULL when there is none
    bool body_read;  // the request's reader was called
    enum http_trouble trouble;
    char why[256]; // no answer: the reason, for a person; holds no URL
};

void http_answer_release(struct http_answer *answer); // also for AUTO

// A wrong setting perhaps, unless this server was well before.
bool http_is_doubtful(enum http_trouble trouble);

// Clears `ret` first. `err` is set for HTTP_FAILED only.
enum http_outcome http_send(struct http *http, const struct http_request *request,
                            struct http_answer *ret, struct err *err);

#endif
