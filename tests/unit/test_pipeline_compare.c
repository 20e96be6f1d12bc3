// SPDX-License-Identifier: Apache-2.0
// Two executors that would differ: what tramline test says then. That they do not is for
// test_executor_queries.c.
#include "test.h"
#include "testing/test_compare.h"

static struct test_output output_of(const struct str *cells, const char *reason,
                                    const struct test_record *record)
{
    struct test_output output = {.n_rows = cells != NULL, .n_rejects = reason != NULL};
    output.rows = mem_array(1, sizeof(*output.rows));
    output.rejects = mem_array(1, sizeof(*output.rejects));
    output.rows[0] = (struct test_output_row){cells, record};
    output.rejects[0] = (struct test_reject){str_of(reason), record};
    return output;
}

static void compare(struct test_output native, struct test_output sqlite,
                    const char *said)
{
    struct column columns[] = {{STR_LITERAL("trip_id"), TYPE_TEXT, true},
                               {STR_LITERAL("n"), TYPE_INT, true}};
    const struct schema schema = {columns, ARRAY_LEN(columns)};
    const struct test_case test = {.path = "w.test"};
    AUTO(test_differences_release) struct test_differences differences = {0};
    AUTO(buf_release) struct buf text = {0};
    test_compare_executors(&test, &schema, &native, &sqlite, &differences);
    test_output_release(&native);
    test_output_release(&sqlite);
    test_differences_show(&differences, false, &text);
    assert_string_equal(buf_cstr(&text), said);
}

static void test_executors_that_differ_are_told(UNUSED void **state)
{
    const struct str one[] = {STR_LITERAL("T1"), STR_LITERAL("1")};
    const struct str two[] = {STR_LITERAL("T1"), STR_LITERAL("2")};
    const struct test_row row = {.line = 7};
    const struct test_record record = {.row = &row};
    compare(output_of(one, NULL, &record), output_of(two, NULL, &record),
            "  the native executor gives other rows than sqlite (-), which is a fault of "
            "tramline's:\n"
            "      line  trip_id  n  rejected: reason\n"
            "    -    7  T1       2\n"
            "    +    7  T1       1                    <- n\n");
    compare(output_of(one, NULL, &record), output_of(NULL, "no", &record),
            "  the native executor gives other rows than sqlite (-), which is a fault of "
            "tramline's:\n"
            "      line  trip_id  n  rejected: reason\n"
            "    -    7              no\n"
            "    +    7  T1       1\n");
    compare(output_of(one, NULL, &record), output_of(one, NULL, &record), "");
    compare(output_of(NULL, "no", &record), output_of(NULL, "no", &record), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_executors_that_differ_are_told),
    };
    test_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
