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

// By what the request said who it comes from.
enum refusal_of {
    REFUSAL_OF_NAME,
    REFUSAL_OF_TICKET, // of Kerberos
    REFUSAL_OF_TOKEN,  // a delegation token
};

// What a final refusal comes to for the caller. `place` begins the text.
enum status refusal_status(const struct refusal *refusal, const char *place,
                           enum refusal_of of, struct err *err);
// Whether it is the token itself that is refused: expired, cancelled, or none.
bool refusal_is_of_token(const struct refusal *refusal);

#endif
