// SPDX-License-Identifier: Apache-2.0
// One connection to a broker, over TCP or TLS: requests are pipelined, answers come in
// their order (Kafka protocol guide, "Network"), the first is to ApiVersions, then those
// of SASL (login.h).
//
// How it works: nothing waits. The owner calls wire_connection_work whenever the
// descriptor is ready or time has passed, then takes answers. An answer's memory is taken
// only when the owner has room for it; until then its bytes stay with the broker. What
// goes wrong closes the connection: `problem` says it, requests under way are gone, and
// it may be opened again only after a pause that grows. A login that ends by itself
// (KIP-368) ends between two requests: the connection is closed, and can be opened at
// once. Limits: the name's look-up, the connect, TLS, and the answers up to the login's
// last have timeout_ms together, of which an address that says nothing takes half where
// the name has others; each later answer has that long from
// the last of its bytes (or, for the first of them, from the request's own wait) on; time
// in which the owner did not look does not count.
//
// Threads: one owner.
#ifndef WIRE_CONNECTION_H
#define WIRE_CONNECTION_H

#include <poll.h>

#include "wire/api.h"
#include "wire/host.h"
#include "wire/security.h"
#include "wire/tls.h"

enum {
    WIRE_CALLS_MAX = 8,
    WIRE_PROBLEM_TEXT = 512,
    WIRE_SIZE_BYTES = 4, // of an answer's size, before it
    WIRE_TAG_OF_OWN = -1,
};

enum wire_connection_state {
    WIRE_CLOSED,
    WIRE_LOOKING_UP,
    WIRE_CONNECTING,
    WIRE_SECURING,   // TLS's handshake
    WIRE_GREETING,   // ApiVersions is under way
    WIRE_LOGGING_IN, // SASL
    WIRE_READY,
};

struct wire_call {
    enum wire_api api;
    int16_t version;
    int32_t correlation;
    int64_t wait_ms; // that the broker may take on top
    int32_t tag;     // the owner's
};

// What all connections of an owner share; borrowed.
struct wire_client {
    struct str id;
    int timeout_ms;
    int wake_fd;                          // an eventfd
    int64_t most_bytes;                   // of one answer
    const struct wire_security *security; // NULL: neither TLS nor SASL
};

struct wire_connection {
    const struct wire_client *client;
    char *host;
    int32_t port;
    enum wire_connection_state state;
    int fd;
    struct wire_host *look_up;
    int64_t opened_ms;                // when that was begun last
    struct addrinfo *found, *address; // all of them, and the one that is tried
    int64_t address_until_ms;         // before the next one is, if there is one
    struct wire_tls *tls;             // NULL: none
    struct wire_login *login;         // while it is under way
    int64_t renew_at_ms;              // the login must be made anew; 0: never
    bool is_ending;                   // no more requests: that time has come
    struct wire_versions versions;
    int32_t correlation;
    struct buf out;
    size_t n_sent;
    struct wire_call calls[WIRE_CALLS_MAX]; // under way, the oldest first
    size_t n_calls;
    int64_t deadline_ms;
    // The answer that is being read.
    uint8_t size[WIRE_SIZE_BYTES];
    size_t n_size;
    struct buf body;
    size_t body_bytes;
    bool is_admitted; // its memory is there
    bool is_whole;    // and it has come: to be taken
    bool
        is_proven; // it has answered something beside ApiVersions, maybe before a failure
    int64_t over_bytes; // of an answer that was larger than most_bytes; 0: none was
    // After a failure.
    int n_failures; // one after another
    int64_t again_at_ms;
    bool is_refused;                 // and it would be the next time
    char problem[WIRE_PROBLEM_TEXT]; // "host:port: Connection refused"
};

void wire_connection_init(struct wire_connection *c, const struct wire_client *client,
                          struct str host, int32_t port);
void wire_connection_release(struct wire_connection *c);

// Begins to connect, if it is closed and its pause is over.
void wire_connection_open(struct wire_connection *c, int64_t now_ms);
// Does what can be done without waiting. `room_bytes` is what an answer may take beyond
// the memory that the connection has.
void wire_connection_work(struct wire_connection *c, int64_t now_ms, int64_t room_bytes);
// What to wait for; fd is -1 for nothing. Until when at most: *ret_until_ms is lowered.
struct pollfd wire_connection_wait(const struct wire_connection *c,
                                   int64_t *ret_until_ms);

// Ready, with room for one more call.
bool wire_connection_can_call(const struct wire_connection *c);
// One of that kind with that tag is under way; with the connection it ends.
bool wire_connection_is_calling(const struct wire_connection *c, enum wire_api api,
                                int32_t tag);
// The request's header, behind which its body is to be appended, without waiting for
// anything; -1: the broker has no version of it that is known here.
int16_t wire_connection_version(const struct wire_connection *c, enum wire_api api);
struct buf *wire_call_begin(struct wire_connection *c, enum wire_api api, int32_t tag,
                            size_t *ret_begin);
void wire_call_end(struct wire_connection *c, size_t begin, int64_t wait_ms,
                   int64_t now_ms);

// The next answer, of which the body is lent until wire_answer_end. False: none is whole.
bool wire_answer(struct wire_connection *c, struct wire_call *ret, struct str *ret_body,
                 int64_t now_ms);
// `kept`: the owner keeps the memory and gives other memory, maybe empty, for it.
void wire_answer_end(struct wire_connection *c, struct buf *kept, int64_t now_ms);
#endif
