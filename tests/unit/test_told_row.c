// SPDX-License-Identifier: Apache-2.0
// Rows that an engine elsewhere gave, as JSON: the plain reader knows none that jansson
// takes otherwise.
#include "test.h"

#include "sim/sim_random.h"
#include "work/told_row.h"

static struct column columns[] = {{{"trip_id", 7}, TYPE_TEXT, false},
                                  {{"n", 1}, TYPE_INT, true},
                                  {{"big", 3}, TYPE_BIGINT, true},
                                  {{"is", 2}, TYPE_BOOLEAN, true},
                                  {{"note", 4}, TYPE_TEXT, true}};

enum {
    N_COLUMNS = ARRAY_LEN(columns)
};

static const struct schema schema = {columns, N_COLUMNS};

static void assert_same(const struct value *a, const struct value *b)
{
    for (size_t i = 0; i < N_COLUMNS; i++)
        assert_true(a[i].kind == b[i].kind && value_eq(a[i], b[i]));
}

// Whether the plain reader took it; what it took is what jansson takes.
static bool takes(struct str text)
{
    struct value plain[N_COLUMNS], row[N_COLUMNS];
    struct err err;
    json_t *json;
    if (!told_row_plain(&schema, text, plain))
        return false;
    assert_int_equal(told_row_read(&schema, text, row, &json, &err), ST_OK);
    assert_same(plain, row);
    json_decref(json);
    return true;
}

static void test_rows_as_spark_prints_them(UNUSED void **state)
{
    assert_true(takes(str_of("{}")));
    assert_true(takes(str_of("{\"c0\":\"T1\"}")));
    assert_true(
        takes(str_of("{\"c0\":\"\",\"c1\":0,\"c2\":-1,\"c3\":true,\"c4\":\"x\"}")));
    assert_true(takes(str_of("{\"c1\":2147483647,\"c2\":-9223372036854775808}")));
    assert_true(takes(str_of("{\"c3\":false,\"c4\":\"Gare d\xe2\x80\x99"
                             "Anjou, {quai},\"}")));
}

static void test_what_is_not_plain_is_left_to_json(UNUSED void **state)
{
    static const char *const texts[] = {"",
                                        "{",
                                        "[]",
                                        "null",
                                        "{\"c0\":\"a\\n\"}",
                                        "{\"c0\":\"a\tb\"}",
                                        "{\"c0\":\"a}",
                                        "{ \"c0\":\"a\"}",
                                        "{\"c0\": \"a\"}",
                                        "{\"c0\":\"a\"} ",
                                        "{\"c0\":\"a\"}}",
                                        "{\"c0\":\"a\",}",
                                        "{\"c0\":null}",
                                        "{\"c0\":1}",
                                        "{\"c1\":\"1\"}",
                                        "{\"c1\":01}",
                                        "{\"c1\":-}",
                                        "{\"c1\":-0}",
                                        "{\"c1\":1.0}",
                                        "{\"c1\":1e2}",
                                        "{\"c2\":9223372036854775808}",
                                        "{\"c1\":1,\"c0\":\"a\"}",
                                        "{\"c1\":1,\"c1\":2}",
                                        "{\"c00\":\"a\"}",
                                        "{\"c9\":1}",
                                        "{\"c\":1}",
                                        "{\"d0\":\"a\"}",
                                        "{\"c0\":\"\xff\"}",
                                        "{\"c0\":\"\xc3\"}",
                                        "{\"c3\":truer}",
                                        "{\"c3\":1}",
                                        "{\"c18446744073709551616\":1}"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        (void)takes(str_of(texts[i])); // where it is taken, it is the same
    assert_false(takes(str_of("{\"c1\":1,\"c1\":2}")));
    assert_false(takes(str_of("{\"c0\":\"a\\n\"}")));
    assert_false(takes(str_of("{\"c0\":\"\xff\"}")));
}

static void put_random_row(struct sim_random *random, struct buf *out)
{
    static const char *const values[] = {
        "\"\"",       "\"T1\"", "\"caf\xc3\xa9 \\u00e9\"",
        "\"a\\\"b\"", "0",      "-5",
        "123456",     "true",   "false",
        "null",       "1.25",   "\"a,b\""};
    buf_char(out, '{');
    for (int i = 0; i < N_COLUMNS; i++)
        if (sim_next(random) % 4 > 0)
            buf_printf(out, "%s\"c%d\":%s", out->n > 1 ? "," : "", i,
                       values[sim_next(random) % ARRAY_LEN(values)]);
    buf_char(out, '}');
}

static void test_changed_rows_are_read_as_json_reads_them(UNUSED void **state)
{
    AUTO(buf_release) struct buf text = {0};
    struct sim_random random = {1};
    int n_plain = 0;
    for (int i = 0; i < 200000; i++) {
        text.n = 0;
        put_random_row(&random, &text);
        if (i % 2)
            text.p[sim_next(&random) % text.n] = (char)sim_next(&random);
        n_plain += takes(buf_as_str(&text));
    }
    assert_true(n_plain > 100);
}

TEST_MAIN(cmocka_unit_test(test_rows_as_spark_prints_them),
          cmocka_unit_test(test_what_is_not_plain_is_left_to_json),
          cmocka_unit_test(test_changed_rows_are_read_as_json_reads_them))
