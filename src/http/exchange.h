// SPDX-License-Identifier: Apache-2.0
// One HTTP/1.1 request with a file as its body over a socket that is connected, and the
// answer to it: sendfile(2), so that the bytes take no way through this process. For
// plain HTTP alone; libcurl is the plain twin, which tests/unit/test_http.c holds it to.
//
// A job that writes 270 MB to HDFS takes 0.52 CPU seconds in the place of 0.61. What the
// answer is made of goes to the callbacks line by line and piece by piece, as libcurl
// gives it to its own. Inside src/http. Threads: one; SIGPIPE is kept from it.
#ifndef HTTP_EXCHANGE_H
#define HTTP_EXCHANGE_H

#include "base/buf.h"

enum exchange_end {
    EXCHANGE_DONE,      // the answer is whole
    EXCHANGE_STOPPED,   // a callback said so
    EXCHANGE_CLOSED,    // before the answer was whole
    EXCHANGE_SEND,      // sending failed, `number` says why
    EXCHANGE_RECEIVE,   // the same of receiving
    EXCHANGE_SHORT,     // the file has fewer bytes than it is said to have
    EXCHANGE_NOT_HTTP,  // what came is no HTTP/1
    EXCHANGE_LONG_LINE, // a line of the head is longer than EXCHANGE_LINE_MAX
};

enum {
    EXCHANGE_LINE_MAX = 100 << 10 // bytes, as libcurl's own limit
};

struct exchange {
    int socket;
    struct str head; // of the request, with its empty line
    int file;
    int64_t file_bytes; // from its beginning on
    // False from one of these ends it. A line has its line end; go_on is asked four times
    // a second, and between pieces.
    bool (*line)(void *context, struct str line);
    bool (*body)(void *context, struct str bytes);
    bool (*go_on)(void *context);
    void *context;
    // Set here:
    int64_t n_sent; // bytes of the file
    size_t n_head_sent;
    int64_t n_received; // of the answer's body
    int code;           // of the answer's head that came last; 0: none has
    int number;         // errno
    struct buf in;      // received, not taken
    size_t at;          // of it
    bool has_head;      // the answer's came before all was sent
    int64_t length;     // of its body; -1: it does not say
    bool is_chunked;
};

enum exchange_end exchange_run(struct exchange *x);

#endif
