// SPDX-License-Identifier: Apache-2.0
// Any bytes as what name nodes and data nodes answer: a first byte for the HTTP code (of
// a redirect the rest is where to), then the body; a zero byte, then the next answer.
// Each operation ends in a result or a text, after a bounded number of requests; names of
// a list are sorted. http_send is led here by the linker.
#include <assert.h>
#include <stdio.h>

#include "fuzz_parts.h"

#include "http/client.h"
#include "storage/storage_url.h"

const struct fuzz_budget fuzz_budget = {
    .steps = 150000,
    .steps_a_byte = 1000,
    .bytes = 1 << 20,
    .bytes_a_byte = 2000,
    .held = 500000,
    .held_a_byte = 800,
};

enum {
    REQUESTS_MAX = 1000
};

static struct str answers; // what is left to answer; fuzzing has one thread
static size_t n_requests;

enum http_outcome __wrap_http_send(struct http *http, const struct http_request *request,
                                   struct http_answer *ret, struct err *err);

enum http_outcome __wrap_http_send(UNUSED struct http *http,
                                   const struct http_request *request,
                                   struct http_answer *ret, struct err *err)
{
    static const int codes[] = {200, 307, 201, 404, 403, 500, 503, 401, 302, 400, 204};
    assert(++n_requests < REQUESTS_MAX);
    http_answer_release(ret);
    if (answers.n == 0) {
        snprintf(ret->why, sizeof(ret->why), "no answer");
        return HTTP_NOT_SENT;
    }
    struct str answer = str_cut(&answers, '\0');
    unsigned first = fuzz_byte(&answer);
    ret->code = codes[first % ARRAY_LEN(codes)];
    if (first >= 0xF0)
        return first & 1 ? HTTP_LOST : HTTP_HOPELESS;
    if (ret->code == 307 || ret->code == 302)
        ret->location = mem_strndup(answer.p, answer.n);
    if (ret->code == 200 && (int64_t)answer.n > request->into_max) {
        ret->trouble = HTTP_TROUBLE_TOO_LONG;
        snprintf(ret->why, sizeof(ret->why), "the answer is too long");
        return HTTP_LOST;
    }
    if (ret->code == 200 && request->into != NULL)
        return request->into->write(request->into, answer, err) == ST_OK ? HTTP_ANSWERED
                                                                         : HTTP_FAILED;
    buf_str(&ret->body, answer);
    return HTTP_ANSWERED;
}

static void check(enum status rc, struct err *err)
{
    assert(rc == ST_OK || err->text[0] != '\0');
    *err = (struct err){0};
    n_requests = 0;
}

static void check_list(struct storage *st)
{
    struct arena arena = {0};
    struct file_list list;
    struct err err = {0};
    enum status rc = st->ops->list(st, STR_LITERAL("a"), &arena, &list, &err);
    check(rc, &err);
    for (size_t i = 1; rc == ST_OK && i < list.n; i++)
        assert(str_compare(list.items[i - 1].name, list.items[i].name) <= 0);
    arena_release(&arena);
}

static void check_questions(struct storage *st)
{
    struct file_info info;
    struct checksum checksum;
    struct buf bytes = {0};
    struct err err = {0};
    check(st->ops->stat(st, STR_LITERAL("a"), &info, &err), &err);
    enum status rc = st->ops->checksum(st, STR_LITERAL("a"), &checksum, &err);
    assert(rc != ST_OK || strlen(checksum.hex) == CHECKSUM_HEX - 1);
    check(rc, &err);
    check(st->ops->read(st, STR_LITERAL("a"), 5, 100, &bytes, &err), &err);
    assert(bytes.n <= 100);
    buf_release(&bytes);
}

static void check_changes(struct storage *st)
{
    struct err err = {0};
    check(st->ops->mkdir(st, STR_LITERAL("a"), &err), &err);
    check(storage_write_bytes(st, STR_LITERAL("a"), STR_LITERAL("b"), &err), &err);
    check(st->ops->publish(st, STR_LITERAL("a"), STR_LITERAL("b"), &err), &err);
    check(st->ops->replace(st, STR_LITERAL("a"), STR_LITERAL("b"), &err), &err);
    check(st->ops->remove(st, STR_LITERAL("a"), &err), &err);
}

void fuzz_input(const uint8_t *data, size_t size)
{
    struct str rest = {(const char *)data, size};
    struct storage_config config = {.user = "u"};
    struct storage *st;
    struct err err = {0};
    unsigned which = fuzz_byte(&rest);
    bool tls = which & 1;
    enum status rc =
        storage_open(str_of(tls ? "hdfss://a,b/r" : "hdfs://a,b/r"), &config, &st, &err);
    assert(rc == ST_OK);
    struct str copy = answers = fuzz_copy(rest);
    n_requests = 0;
    if (which & 2)
        check_list(st);
    if (which & 4)
        check_questions(st);
    if (which & 8)
        check_changes(st);
    check_list(st);
    st->ops->close(st);
    free((char *)copy.p);
}
