// SPDX-License-Identifier: Apache-2.0
// A changed result is told by what changed, not by two lists.
#include "log/schema_difference.h"

#include "core/schema.h"
#include "test.h"

static void check(const char *before, const char *after, const char *expected)
{
    AUTO(buf_release) struct buf text = {0};
    schema_difference(str_of(before), str_of(after), &text);
    assert_str(buf_as_str(&text), expected);
}

static void test_a_column_that_changed_is_named(UNUSED void **state)
{
    check("a TEXT, b INT", "a TEXT, b BIGINT", "column 'b' was INT, is BIGINT");
    check("a TEXT, b INT NOT NULL", "a TEXT, b INT",
          "column 'b' was INT NOT NULL, is INT");
    check("a TEXT, b INT", "a TEXT", "column 'b' is gone");
    check("a TEXT, b INT", "b INT", "column 'a' is gone");
    check("a TEXT", "a TEXT, b INT NOT NULL", "column 'b' is new and NOT NULL");
    check("a TEXT", "b INT, a TEXT", "column 'b' is new and not at the end");
    check("a TEXT, b INT", "a TEXT, c INT",
          "column 'b' is gone"); // c alone could be added
    check("a TEXT, b INT, c INT", "a TEXT, c INT, b INT", "column 2 was 'b', is 'c'");
}

static void test_several_changes_are_told_in_order(UNUSED void **state)
{
    check("a TEXT, b INT, c REAL", "a INT, x BYTES, c REAL, y BOOLEAN NOT NULL",
          "column 'a' was TEXT, is INT; column 'b' is gone; column 'x' is new and not at "
          "the end; column 'y' is new and NOT NULL");
    check(
        "a INT, b INT, c INT, d INT, e INT, f INT, g INT", "",
        "column 'a' is gone; column 'b' is gone; column 'c' is gone; column 'd' is gone; "
        "column 'e' is gone; and 2 more");
}

static void test_names_may_hold_what_they_like(UNUSED void **state)
{
    check("a, b TEXT, NOT NULL INT", "a, b TEXT, NOT NULL REAL",
          "column 'NOT NULL' was INT, is REAL");
    check("two words INT, x TEXT", "two words REAL, x TEXT",
          "column 'two words' was INT, is REAL");
    check(" INT", "b INT", "column '' is gone");
}

// Each schema by itself, as schema_format writes it, differs in nothing.
static void test_all_types_are_known(UNUSED void **state)
{
    static const char *const names[] = {"a", "b, c", "NULL", "d e"};
    static const enum type types[] = {TYPE_TEXT, TYPE_INT,     TYPE_BIGINT,
                                      TYPE_REAL, TYPE_BOOLEAN, TYPE_BYTES};
    for (size_t t = 0; t < ARRAY_LEN(types); t++)
        for (int nullable = 0; nullable < 2; nullable++) {
            struct column columns[ARRAY_LEN(names)];
            for (size_t i = 0; i < ARRAY_LEN(names); i++)
                columns[i] = (struct column){str_of(names[i]), types[t], nullable};
            const struct schema schema = {columns, ARRAY_LEN(names)};
            const struct schema shorter = {columns, ARRAY_LEN(names) - 1};
            AUTO(buf_release) struct buf all = {0};
            AUTO(buf_release) struct buf cut = {0};
            AUTO(buf_release) struct buf text = {0};
            schema_format(&schema, &all);
            schema_format(&shorter, &cut);
            schema_difference(buf_as_str(&all), buf_as_str(&all), &text);
            assert_int_equal(text.n, 0);
            schema_difference(buf_as_str(&all), buf_as_str(&cut), &text);
            assert_str(buf_as_str(&text), "column 'd e' is gone");
        }
}

TEST_MAIN(cmocka_unit_test(test_a_column_that_changed_is_named),
          cmocka_unit_test(test_several_changes_are_told_in_order),
          cmocka_unit_test(test_names_may_hold_what_they_like),
          cmocka_unit_test(test_all_types_are_known))
