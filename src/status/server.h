// SPDX-License-Identifier: Apache-2.0
// The status server of a run: what stands on a board, over HTTP.
//
//   /            a page for people, which asks for /status.json every two seconds
//   /status.json the same for programs (json.h)
//   /metrics     for Prometheus (metrics.h)
//   /healthz     200, or 503 and why: the worker does not move
//   /readyz      200, or 503 and why: starting, stopping, waiting for something
//
// GET and HEAD only. A connection serves one request and lives for SERVER_CONNECTION_MS
// at most; there are SERVER_CONNECTIONS of them, each with SERVER_MEMORY for what it
// sends, so strangers can slow down nobody but each other.
//
// Threads: one of its own from open to close, which asks nobody but the board.
// Errors: open's are listen_open's; later ones cost a connection and nothing else.
#ifndef STATUS_SERVER_H
#define STATUS_SERVER_H

#include "base/status.h"
#include "base/str.h"
#include "status/board.h"

enum {
    SERVER_CONNECTIONS = 32,
    SERVER_CONNECTION_MS = 10000,
    SERVER_MEMORY = 32 << 10
};

struct status_server;

// Listens and answers. `board` is borrowed until close.
enum status status_server_open(struct str address, struct board *board,
                               struct status_server **ret, struct err *err);
const char *status_server_url(const struct status_server *server);
// Listens no more; what it is sending is cut off. Accepts NULL.
void status_server_close(struct status_server *server);

#endif
