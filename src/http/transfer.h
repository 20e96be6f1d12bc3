// SPDX-License-Identifier: Apache-2.0
// One request on its way, as client.c and by_file.c see it. Inside src/http.
#ifndef HTTP_TRANSFER_H
#define HTTP_TRANSFER_H

#include <curl/curl.h>

#include "http/client.h"

struct http {
    CURL *curl;
    struct curl_slist *headers;
    bool has_headers; // of the configuration
    char *ca_file;
    bool kerberos;
    bool proxy;
    char why[CURL_ERROR_SIZE];
};

enum ended {
    ENDED_BY_ITSELF,
    ENDED_BY_DEADLINE,
    ENDED_FOR_SLOWNESS,
    ENDED_FOR_LONG_HEADERS,
    ENDED_FOR_LENGTH,
    ENDED_FOR_LOGIN,   // in a redirect
    ENDED_WITH_ENOUGH, // of a body that says no
};

// One request on its way.
struct transfer {
    struct http *http;
    const struct http_request *request;
    struct http_answer *answer;
    struct err *err;
    enum status failed; // of the reader or the sink
    enum ended ended;
    int64_t body_left; // to be sent
    int64_t n_into;    // bytes of a 200's body
    size_t n_head;     // bytes of headers
    bool head_is_whole;
    bool head_has_length;
    // With a file as its body (by_file.c): what libcurl would know.
    bool is_by_file;
    int code;           // 0: no answer's head came
    int64_t n_sent;     // bytes of the request
    int64_t n_received; // of the answer's body
    int64_t n_moved;    // bytes, both ways, when slowness was last looked at
    int64_t moved_ms;
};

// Callbacks of libcurl: what comes of an answer, and the looks between. They return what
// theirs do.
size_t http_on_header(char *p, size_t size, size_t count, void *transfer);
size_t http_on_write(char *p, size_t size, size_t count, void *transfer);
int http_on_progress(void *transfer, curl_off_t down_total, curl_off_t down,
                     curl_off_t up_total, curl_off_t up);
// The whole time that is left for it.
int64_t http_whole_ms(const struct http_request *request);
// The body is not what was promised: *transfer has failed.
enum status http_broken_promise(struct transfer *transfer, bool is_more);

// Whether the body goes by sendfile(2): where libcurl would only carry it.
bool http_is_by_file(const struct http *http, const struct http_request *request);
// In the place of curl_easy_perform, on a handle of its own that is set up.
CURLcode http_perform_by_file(struct transfer *transfer);

#endif
