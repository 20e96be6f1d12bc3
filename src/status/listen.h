// SPDX-License-Identifier: Apache-2.0
// The address of SET status.listen: "127.0.0.1:9187", "[::1]:9187", "localhost:9187",
// "0.0.0.0:9187" for all of IPv4, ":9187" for all. Port 0 is one that is free.
#ifndef STATUS_LISTEN_H
#define STATUS_LISTEN_H

#include "base/status.h"
#include "base/str.h"

enum {
    LISTEN_TEXT = 80
};

// ST_USAGE: it is not an address. Touches nothing.
enum status listen_check(struct str address, struct err *err);
// A listening socket, the caller's, and its address as a URL. ST_FAIL: in use, not of
// this machine, not allowed.
enum status listen_open(struct str address, int *ret_fd, char ret_url[LISTEN_TEXT],
                        struct err *err);

#endif
