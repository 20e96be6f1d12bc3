// SPDX-License-Identifier: Apache-2.0
// Any bytes as what a registry answers: a first byte for the HTTP code, then its body; a
// zero byte, then the next answer. Every call ends in a result or a text, after a bounded
// number of requests. HTTP itself (http/client.h) is replaced here.
#include <assert.h>
#include <stdio.h>

#include "fuzz_parts.h"

#include "http/client.h"
#include "registry/registry.h"

const struct fuzz_budget fuzz_budget = {
    .steps = 200000,
    .steps_a_byte = 2000,
    .bytes = 1 << 20,
    .bytes_a_byte = 3000,
    .held = 500000,
    .held_a_byte = 1500,
};

enum {
    REQUESTS_MAX = 1000 // far above what one call may make
};

static struct str answers; // what is left to answer; fuzzing has one thread
static size_t n_requests;

struct http *http_open(UNUSED const struct http_config *config)
{
    return NULL;
}

void http_close(UNUSED struct http *http)
{
}

void http_answer_release(struct http_answer *answer)
{
    buf_release(&answer->body);
}

enum http_outcome http_send(UNUSED struct http *http,
                            UNUSED const struct http_request *request,
                            struct http_answer *ret, UNUSED struct err *err)
{
    static const int codes[] = {200, 404, 409, 422, 401, 500, 302, 201};
    assert(++n_requests < REQUESTS_MAX);
    buf_clear(&ret->body);
    snprintf(ret->why, sizeof(ret->why), "no answer");
    if (answers.n == 0)
        return HTTP_LOST;
    struct str answer = str_cut(&answers, '\0');
    ret->code = answer.n ? codes[(unsigned char)answer.p[0] % ARRAY_LEN(codes)] : 200;
    if (answer.n > 1)
        buf_append(&ret->body, answer.p + 1, answer.n - 1);
    return HTTP_ANSWERED;
}

static int64_t no_time(UNUSED struct env *env)
{
    return 0;
}

static void no_sleep(UNUSED struct env *env, UNUSED int64_t ms)
{
}

static void no_chance(UNUSED struct env *env, void *ret, size_t n_bytes)
{
    memset(ret, 0, n_bytes);
}

static const struct env_ops ops = {no_time, no_time, no_sleep, no_chance};

static void check(enum status rc, const struct err *err)
{
    assert(rc == ST_OK || err->text[0] != '\0');
    n_requests = 0;
}

static void look_up(struct registry *registry)
{
    struct schema_lookup *lookup = registry_lookup(registry);
    struct schema_texts texts = {0};
    struct err err = {0};
    enum status rc =
        lookup->ops->get(lookup, &(struct schema_key){.id = 7}, &texts, &err);
    check(rc, &err);
    assert(rc != ST_OK || texts.n > 0);
    struct arena arena = {0};
    struct registry_version version;
    err = (struct err){0};
    check(registry_latest(registry, STR_LITERAL("s"), &arena, &version, &err), &err);
    arena_release(&arena);
}

void fuzz_input(const uint8_t *data, size_t size)
{
    struct env env = {.ops = &ops};
    struct registry_config config = {.urls = STR_LITERAL("http://a,http://b"),
                                     .env = &env};
    struct registry *registry;
    struct err err = {0};
    enum status rc = registry_open(&config, &registry, &err);
    assert(rc == ST_OK);
    struct str copy = fuzz_copy((struct str){(const char *)data, size});
    answers = copy;
    n_requests = 0;
    look_up(registry);
    for (int policy = REGISTER_NEVER; policy <= REGISTER_ALWAYS; policy++) {
        int32_t id = -1;
        err = (struct err){0};
        rc = registry_id_for(registry, (enum registry_policy)policy, STR_LITERAL("s"),
                             STR_LITERAL("\"int\""), &id, &err);
        check(rc, &err);
        assert(rc != ST_OK || id >= 0);
    }
    registry_close(registry);
    free((char *)copy.p);
}
