// SPDX-License-Identifier: Apache-2.0
// TLS over a connection's descriptor: the server's name is sent (SNI) and its certificate
// must be of a known authority, valid today, and name the host (RFC 6125; for an address,
// that address). Nothing waits.
//
// What goes wrong is said by `problem`: what of the certificate, or what the broker said.
// Threads: the connection's owner.
#ifndef WIRE_TLS_H
#define WIRE_TLS_H

#include <sys/types.h>

#include "wire/security.h"

enum {
    WIRE_TLS_PROBLEM_TEXT = 400
};

enum wire_tls_result {
    WIRE_TLS_DONE,
    WIRE_TLS_AGAIN, // when the descriptor is ready: see wire_tls_wants_write
    WIRE_TLS_END,   // the other side ended the connection
    WIRE_TLS_FAILED,
};

struct wire_tls;

// fd and host are borrowed.
struct wire_tls *wire_tls_new(const struct wire_security *security, int fd,
                              const char *host);
void wire_tls_free(struct wire_tls *tls); // sends nothing

enum wire_tls_result wire_tls_handshake(struct wire_tls *tls);
// DONE: *ret_n bytes, at least one, were taken or given.
enum wire_tls_result wire_tls_send(struct wire_tls *tls, const void *p, size_t n,
                                   size_t *ret_n);
enum wire_tls_result wire_tls_receive(struct wire_tls *tls, void *p, size_t n,
                                      size_t *ret_n);
// The last call waits until it can be written.
bool wire_tls_wants_write(const struct wire_tls *tls);
// Bytes that no poll(2) tells of.
bool wire_tls_has_bytes(const struct wire_tls *tls);

const char *wire_tls_problem(const struct wire_tls *tls);
// And the same would come of the next try.
bool wire_tls_is_refused(const struct wire_tls *tls);

#endif
