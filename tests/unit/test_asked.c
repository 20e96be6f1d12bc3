// SPDX-License-Identifier: Apache-2.0
// A subquery that SQLite answers: what is asked again is remembered, the memory for it
// has a limit, and so has a question's time.
// test: takes 20
#include "sql_help.h"

#include "table/asked.h"
#include "table_fixture.h"

enum {
    TABLE_ROWS = 1000
};

struct fixture {
    struct plan *plan;
    struct table_store *store;
    struct sqlite_host *host;
    struct asked asked;
    struct query_limit limit;
    struct arena arena;
    struct err err;
};

static bool goes_on(void *arg)
{
    return *(const bool *)arg;
}

// A table of 1,000 rows (k: 0 to 999, t: k as a text), a stream, and a subquery.
static void open_fixture(struct fixture *fixture, const char *subquery)
{
    char *script = mem_printf(
        "CREATE TABLE a (k INT, t TEXT)" DIM "CREATE TABLE s (i INT, t TEXT)" STREAM
        "CREATE TABLE o ()" SINK "INSERT INTO o SELECT %s AS x FROM s",
        subquery);
    const struct table_store_options options = {0};
    AUTO(batch_release) struct batch rows;
    *fixture = (struct fixture){.plan = sql_plan(script)};
    fixture->limit.timeout_ms = 60000;
    fixture->store = table_store_open(fixture->plan, &options);
    table_store_want_insert(fixture->store, true);
    batch_init(&rows, 2);
    for (int i = 0; i < TABLE_ROWS; i++) {
        struct value *row = batch_add(&rows, 0);
        row[0] = value_int(i);
        row[1] = value_text(str_of(arena_printf(&rows.arena, "%d", i)));
    }
    store_load(fixture->store, str_of("a"), &rows);
    assert_ok(table_store_load_views(fixture->store, &fixture->err), &fixture->err);
    assert_ok(table_store_host(fixture->store, &fixture->host, &fixture->err),
              &fixture->err);
    const struct native_steps *steps = fixture->plan->native->branches[0].steps;
    assert_ok(
        asked_open(&fixture->asked, steps->items[0].asked, fixture->host, &fixture->err),
        &fixture->err);
    free(script);
}

static void close_fixture(struct fixture *fixture)
{
    asked_close(&fixture->asked);
    table_store_close(fixture->store);
    plan_free(fixture->plan);
    arena_release(&fixture->arena);
}

// The answer, or "error: ..." as a text.
static const char *answer(struct fixture *fixture, struct value parameter, int64_t now_ms)
{
    struct value ret[2];
    AUTO(buf_release) struct buf text = {0};
    query_limit_begin(&fixture->limit, 1);
    assert_true(asked_answer(&fixture->asked, &parameter, 1, now_ms, &fixture->limit,
                             &fixture->arena, ret));
    if (ret[1].kind != VALUE_NULL)
        buf_printf(&text, "error: %.*s", STR_ARGS(value_str(ret[1])));
    else if (ret[0].kind == VALUE_NULL)
        buf_text(&text, "NULL");
    else
        value_format(ret[0], &text);
    return arena_cstr(&fixture->arena, buf_as_str(&text));
}

static void test_what_is_asked_again_is_remembered(void **state)
{
    (void)state;
    struct fixture fixture;
    open_fixture(&fixture, "(SELECT t FROM a WHERE k >= s.i ORDER BY k LIMIT 1)");
    for (int round = 0; round < 3; round++) {
        assert_string_equal(answer(&fixture, value_int(7), 0), "7");
        assert_string_equal(answer(&fixture, value_int(-7), 0), "0");
        assert_string_equal(answer(&fixture, value_int(1000), 0), "NULL");
        assert_string_equal(answer(&fixture, (struct value){0}, 0), "NULL");
    }
    assert_int_equal(fixture.asked.n_run, 4);
    close_fixture(&fixture);
}

static void test_a_failure_is_remembered_too(void **state)
{
    (void)state;
    struct fixture fixture;
    open_fixture(&fixture, "(SELECT max(7 / (k - s.i)) FROM a WHERE k < 5)");
    for (int round = 0; round < 2; round++) {
        assert_string_equal(answer(&fixture, value_int(3), 0), "error: division by zero");
        assert_string_equal(answer(&fixture, value_int(5), 0), "-1");
    }
    assert_int_equal(fixture.asked.n_run, 2);
    close_fixture(&fixture);
}

static void test_empty_text_and_null_are_two(void **state)
{
    (void)state;
    struct fixture fixture;
    open_fixture(&fixture, "(SELECT count(*) FROM a WHERE a.t > s.t)");
    assert_string_equal(answer(&fixture, value_text(str_of("")), 0), "1000");
    assert_string_equal(answer(&fixture, (struct value){0}, 0), "0");
    assert_string_equal(answer(&fixture, value_text(str_of("")), 0), "1000");
    close_fixture(&fixture);
}

static void test_the_batch_s_time_is_part_of_the_question(void **state)
{
    (void)state;
    struct fixture fixture;
    open_fixture(&fixture, "(SELECT max(t || now()) FROM a WHERE k < s.i)");
    for (int round = 0; round < 2; round++)
        assert_string_equal(answer(&fixture, value_int(1), 1000),
                            "01970-01-01T00:00:01.000Z");
    assert_string_equal(answer(&fixture, value_int(1), 2000),
                        "01970-01-01T00:00:02.000Z");
    assert_int_equal(fixture.asked.n_run, 2);
    close_fixture(&fixture);
}

// Answers of 100 kB: more of them than the memory takes.
static void test_memory_has_a_limit(void **state)
{
    (void)state;
    struct fixture fixture;
    open_fixture(&fixture, "(SELECT lpad(t, 100000, 'x') FROM a WHERE k = s.i LIMIT 1)");
    for (int i = 0; i < TABLE_ROWS; i++) {
        const char *text = answer(&fixture, value_int(i), 0);
        assert_int_equal(strlen(text), 100000);
        assert_int_equal(atoi(strrchr(text, 'x') + 1), i);
        assert_true(asked_bytes(&fixture.asked) <= ASKED_MEMORY_MAX);
        arena_clear(&fixture.arena);
    }
    assert_int_equal(fixture.asked.n_run, TABLE_ROWS);
    (void)answer(&fixture, value_int(TABLE_ROWS - 1), 0);
    assert_int_equal(fixture.asked.n_run, TABLE_ROWS);
    close_fixture(&fixture);
}

// 10^9 rows to count.
#define COUNT_ALL                                                                      \
    "(SELECT count(*) FROM a x CROSS JOIN a y CROSS JOIN a z WHERE x.k + y.k + z.k > " \
    "s.i)"

static void test_a_question_that_takes_too_long_ends(void **state)
{
    (void)state;
    struct fixture fixture;
    struct value ret[2], parameter = value_int(1);
    open_fixture(&fixture, COUNT_ALL);
    fixture.limit.timeout_ms = 50;
    query_limit_begin(&fixture.limit, 1);
    assert_false(asked_answer(&fixture.asked, &parameter, 1, 0, &fixture.limit,
                              &fixture.arena, ret));
    assert_int_equal(fixture.limit.end, QUERY_LATE);
    close_fixture(&fixture);
}

static void test_a_question_ends_when_the_program_is_to_stop(void **state)
{
    (void)state;
    struct fixture fixture;
    struct value ret[2], parameter = value_int(1);
    bool go_on = false;
    open_fixture(&fixture, COUNT_ALL);
    query_limit_begin(&fixture.limit, 1);
    sqlite_host_on_progress(fixture.host, goes_on, &go_on);
    assert_false(asked_answer(&fixture.asked, &parameter, 1, 0, &fixture.limit,
                              &fixture.arena, ret));
    assert_int_equal(fixture.limit.end, QUERY_STOPPED);
    close_fixture(&fixture);
}

static void test_a_question_that_takes_too_much_memory_fails(void **state)
{
    (void)state;
    struct fixture fixture;
    open_fixture(&fixture,
                 "(SELECT max(q.t) FROM (SELECT DISTINCT lpad(x.t, 100000, 'x') "
                 "AS t FROM a x WHERE x.k > s.i) q)");
    sqlite_host_limit_memory(fixture.host, sqlite_host_memory() + (8 << 20));
    AUTO(buf_release) struct buf expected = {0};
    buf_printf(&expected, "error: it takes more than %lld MB of memory",
               ((long long)sqlite_host_memory() + (8 << 20)) >> 20);
    assert_string_equal(answer(&fixture, value_int(1), 0), buf_cstr(&expected));
    assert_string_equal(answer(&fixture, value_int(TABLE_ROWS), 0), "NULL");
    close_fixture(&fixture);
}

TEST_MAIN(cmocka_unit_test(test_what_is_asked_again_is_remembered),
          cmocka_unit_test(test_a_failure_is_remembered_too),
          cmocka_unit_test(test_empty_text_and_null_are_two),
          cmocka_unit_test(test_the_batch_s_time_is_part_of_the_question),
          cmocka_unit_test(test_memory_has_a_limit),
          cmocka_unit_test(test_a_question_that_takes_too_long_ends),
          cmocka_unit_test(test_a_question_ends_when_the_program_is_to_stop),
          cmocka_unit_test(test_a_question_that_takes_too_much_memory_fails))
