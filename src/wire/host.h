// SPDX-License-Identifier: Apache-2.0
// A host's addresses, looked up without waiting: a name that must be asked for is, on a
// thread of its own, which is left behind when nobody wants the answer any more.
//
// Threads: one owner; the thread's own part is inside.
#ifndef WIRE_HOST_H
#define WIRE_HOST_H

#include <netdb.h>
#include <stdbool.h>
#include <stdint.h>

struct wire_host;

// wake_fd, an eventfd, is written to when the answer has come.
struct wire_host *wire_host_look_up(const char *name, int32_t port, int wake_fd);
// False: there is no answer yet. *ret_code is getaddrinfo's; at 0 *ret is the caller's,
// to be freed by freeaddrinfo.
bool wire_host_take(struct wire_host *host, int *ret_code, struct addrinfo **ret);
void wire_host_leave(struct wire_host *host); // NULL is fine

#endif
