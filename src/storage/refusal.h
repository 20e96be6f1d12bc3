// SPDX-License-Identifier: Apache-2.0
// What a WebHDFS server said instead of yes. Pure; any thread.
#ifndef STORAGE_REFUSAL_H
#define STORAGE_REFUSAL_H

#include "http/client.h"

enum refusal_kind {
    REFUSAL_NONE,    // 2xx
    REFUSAL_STANDBY, // nothing happened: another name node is the active one
    REFUSAL_BUSY,    // nothing happened: safe mode, starting, too busy
    REFUSAL_UNSURE,  // a server or a proxy between broke: it may have happened
    REFUSAL_FINAL,   // nothing happened; asking again gives the same
};

enum {
    EXCEPTION_MAX = 80,
    MESSAGE_MAX = 1000
};

#define IPC_PORT "Hadoop IPC port" // what an RPC port says to a GET

struct refusal {
    enum refusal_kind kind;
    int code;                      // HTTP's
    char exception[EXCEPTION_MAX]; // "FileNotFoundException"; "" when there was none
    char message[MESSAGE_MAX];     // first line of the server's message or page
};

void refusal_read(const struct http_answer *answer, struct refusal *ret);
bool refusal_is(const struct refusal *refusal, const char *exception);
bool refusal_says(const struct refusal *refusal, const char *part);

// What a final refusal comes to for the caller. `place` begins the text; `can_sign_in`
// says that Kerberos is used.
enum status refusal_status(const struct refusal *refusal, const char *place,
                           bool kerberos, struct err *err);

#endif
