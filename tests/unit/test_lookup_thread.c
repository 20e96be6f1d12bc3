// SPDX-License-Identifier: Apache-2.0
// Schemas that several threads ask for by one: each is asked for once, and what one was
// told all know.
#include "test.h"

#include "fake_http.h"
#include "job/lookup_thread.h"

enum {
    N_THREADS = 8,
    N_IDS = 41 // a prime: each stride walks through all
};

#define INT          "{\"schema\":\"\\\"int\\\"\"}"
#define GOOD         "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n" INT
#define UNKNOWN_BODY "{\"error_code\":40403,\"message\":\"none\"}"
#define UNKNOWN      "HTTP/1.1 404 Not Found\r\nContent-Length: 37\r\n\r\n" UNKNOWN_BODY
#define AWAY         "HTTP/1.1 503 Away\r\nContent-Length: 0\r\n\r\n"

struct fixture {
    struct fake_http fake;
    struct fake_step step;
    struct schema_lookup *first, *second;
};

static void open_fixture(struct fixture *f, struct fake_step step)
{
    char url[64];
    struct err err;
    f->step = step;
    fake_http_open(&f->fake);
    f->fake.repeats = true;
    fake_http_start(&f->fake, &f->step, 1);
    snprintf(url, sizeof(url), "http://127.0.0.1:%d", f->fake.port);
    const struct registry_config config = {.urls = str_of(url), .timeout_ms = 60000};
    assert_ok(lookup_thread_open(&config, &f->first, &err), &err);
    f->second = lookup_thread_beside(f->first);
}

static void close_fixture(struct fixture *f)
{
    f->second->ops->close(f->second);
    f->first->ops->close(f->first);
}

static enum status get(struct schema_lookup *lookup, int32_t id, struct err *err)
{
    struct schema_texts texts;
    enum status rc =
        lookup->ops->get(lookup, &(struct schema_key){.id = id}, &texts, err);
    if (rc == ST_OK) {
        assert_int_equal(texts.n, 1);
        assert_str(texts.items[0], "\"int\"");
    }
    return rc;
}

// On a busy machine an answer may take longer than a call waits.
static enum status get_answer(struct schema_lookup *lookup, int32_t id, struct err *err)
{
    enum status rc;
    do
        rc = get(lookup, id, err);
    while (rc == ST_RETRY && strcmp(err->text, "registry: no answer yet") == 0);
    return rc;
}

static void test_what_one_was_told_all_know(UNUSED void **state)
{
    struct fixture f;
    struct err err;
    open_fixture(&f, (struct fake_step){.answer = GOOD});
    assert_ok(get_answer(f.first, 1, &err), &err);
    fake_http_stop(&f.fake);
    assert_ok(get(f.second, 1, &err), &err);
    assert_status(get_answer(f.second, 2, &err), ST_RETRY);
    assert_non_null(strstr(err.text, "/schemas/ids/2: Connection refused"));
    assert_int_equal(f.fake.n_served, 1);
    close_fixture(&f);
}

static void test_what_there_is_not_all_know(UNUSED void **state)
{
    struct fixture f;
    struct err err;
    open_fixture(&f, (struct fake_step){.answer = UNKNOWN});
    assert_status(get_answer(f.first, 1, &err), ST_NOT_FOUND);
    assert_non_null(strstr(err.text, "/schemas/ids/1: HTTP 404: none"));
    assert_status(get(f.second, 1, &err), ST_NOT_FOUND);
    assert_string_equal(err.text, "registry: there is no schema id 1");
    fake_http_stop(&f.fake);
    assert_int_equal(f.fake.n_served, 1);
    close_fixture(&f);
}

struct asking {
    struct schema_lookup *lookup;
    int stride;
    int n_ids;
    enum status rc; // of the last one
    struct err err;
    pthread_t thread;
};

static void *ask_all(void *arg)
{
    struct asking *asking = arg;
    for (int i = 1; i <= asking->n_ids; i++)
        asking->rc = get_answer(asking->lookup, 1 + i * asking->stride % asking->n_ids,
                                &asking->err);
    return NULL;
}

// All of them at once, each in an order of its own.
static void ask_side_by_side(struct fixture *f, struct asking *all, int n_ids)
{
    for (int i = 0; i < N_THREADS; i++) {
        all[i] = (struct asking){
            .lookup = lookup_thread_beside(f->first), .stride = i + 1, .n_ids = n_ids};
        assert_int_equal(pthread_create(&all[i].thread, NULL, ask_all, &all[i]), 0);
    }
    for (int i = 0; i < N_THREADS; i++) {
        pthread_join(all[i].thread, NULL);
        all[i].lookup->ops->close(all[i].lookup);
    }
}

static void test_each_is_asked_for_once(UNUSED void **state)
{
    struct fixture f;
    struct asking all[N_THREADS];
    open_fixture(&f, (struct fake_step){.answer = GOOD, .keep = true});
    ask_side_by_side(&f, all, N_IDS);
    for (int i = 0; i < N_THREADS; i++)
        assert_ok(all[i].rc, &all[i].err);
    close_fixture(&f);
    fake_http_stop(&f.fake);
    assert_int_equal(f.fake.n_served, N_IDS);
}

// An answer that there is none now is one thread's: the others ask again.
static void test_each_is_told_why_not(UNUSED void **state)
{
    struct fixture f;
    struct asking all[N_THREADS];
    open_fixture(&f, (struct fake_step){.answer = AWAY, .keep = true});
    ask_side_by_side(&f, all, 1);
    for (int i = 0; i < N_THREADS; i++) {
        assert_status(all[i].rc, ST_RETRY);
        assert_non_null(strstr(all[i].err.text, "/schemas/ids/1: HTTP 503"));
    }
    close_fixture(&f);
    fake_http_stop(&f.fake);
    assert_true(f.fake.n_served >= N_THREADS);
}

// The end does not wait for a registry that says nothing.
static void test_the_end_waits_for_nobody(UNUSED void **state)
{
    struct fixture f;
    struct err err;
    open_fixture(&f,
                 (struct fake_step){.answer = "HTTP/1.1 200 OK\r\n", .is_silent = true});
    assert_status(get(f.first, 1, &err), ST_RETRY);
    assert_string_equal(err.text, "registry: no answer yet");
    assert_status(get(f.second, 1, &err), ST_RETRY);
    close_fixture(&f);
    fake_http_stop(&f.fake);
    assert_int_equal(f.fake.n_served, 1);
}

TEST_MAIN(cmocka_unit_test(test_what_one_was_told_all_know),
          cmocka_unit_test(test_what_there_is_not_all_know),
          cmocka_unit_test(test_each_is_asked_for_once),
          cmocka_unit_test(test_each_is_told_why_not),
          cmocka_unit_test(test_the_end_waits_for_nobody))
