// SPDX-License-Identifier: Apache-2.0
// Functions and LIKE by themselves; expected values from PostgreSQL 15, but for texts of
// errors. Whole expressions: test_executor_queries.c.
#include "test.h"

#include "base/buf.h"
#include "expr/eval.h"
#include "expr/functions.h"
#include "expr/like.h"

static struct value text(const char *s)
{
    return value_text(str_of(s));
}

static struct value real(double r)
{
    return (struct value){.r = r, .kind = VALUE_REAL};
}

// "NULL", a value's text, or "error: " and why.
static void assert_call(scalar_function *function, size_t n_args,
                        const struct value *args, const char *expected)
{
    struct arena arena = {0};
    AUTO(buf_release) struct buf shown = {0};
    struct call call = {.arena = &arena, .now_ms = 1790000000007};
    struct value value = function(&call, args, n_args);
    if (call.error.p != NULL)
        buf_printf(&shown, "error: %.*s", STR_ARGS(call.error));
    else if (value.kind == VALUE_NULL)
        buf_text(&shown, "NULL");
    else
        value_format(value, &shown);
    assert_string_equal(buf_cstr(&shown), expected);
    arena_release(&arena);
}

static void test_functions_of_text(void **state)
{
    (void)state;
    const struct {
        scalar_function *function;
        size_t n_args;
        struct value args[3];
        const char *expected;
    } cases[] = {
        {text_lower, 1, {text("ÀB")}, "Àb"},
        {text_upper, 1, {text("àb@[`{z")}, "àB@[`{Z"},
        {text_length, 1, {text("Fête 🚊")}, "6"},
        {text_substr, 2, {text("Fête"), value_int(2)}, "ête"},
        {text_substr, 3, {text("Fête"), value_int(-1), value_int(3)}, "F"},
        {text_substr,
         3,
         {text("a"), value_int(1), value_int(-1)},
         "error: substr: a length less than 0"},
        {text_left, 2, {text("Fête"), value_int(-1)}, "Fêt"},
        {text_left, 2, {text("Fête"), value_int(INT32_MIN)}, ""},
        {text_right, 2, {text("Fête"), value_int(-1)}, "ête"},
        {text_right, 2, {text("Fête"), value_int(INT32_MAX)}, "Fête"},
        {text_trim, 1, {text(" \ta ")}, "\ta"},
        {text_trim, 2, {text("éaéxéé"), text("é")}, "aéx"},
        {text_ltrim, 2, {text("abc"), text("ba")}, "c"},
        {text_rtrim, 2, {text("abc"), text("")}, "abc"},
        {text_replace, 3, {text("aaa"), text("aa"), text("b")}, "ba"},
        {text_replace, 3, {text("a"), text(""), text("b")}, "a"},
        {text_lpad, 3, {text("7"), value_int(4), text("xé")}, "xéx7"},
        {text_lpad, 2, {text("Fête"), value_int(2)}, "Fê"},
        {text_lpad,
         2,
         {text(""), value_int(INT32_MAX)},
         "error: lpad: more than 1048576 characters"},
        {text_position, 2, {text("éab"), text("ab")}, "2"},
        {text_position, 2, {text("éab"), text("")}, "1"},
        {text_position, 2, {text("éab"), text("ba")}, "0"},
        {text_starts_with, 2, {text("ab"), text("abc")}, "false"},
        {text_split_part, 3, {text("a,b,c"), text(","), value_int(-1)}, "c"},
        {text_split_part, 3, {text("a,b,c"), text(","), value_int(INT32_MAX)}, ""},
        {text_split_part, 3, {text("a,b,c"), text(","), value_int(INT32_MIN)}, ""},
        {text_split_part, 3, {text("a,b,c"), text(""), value_int(1)}, "a,b,c"},
        {text_split_part,
         3,
         {text("a"), text(","), value_int(0)},
         "error: split_part: part 0; they count from 1, or from -1 at the end"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_call(cases[i].function, cases[i].n_args, cases[i].args, cases[i].expected);
}

static void test_functions_of_numbers_and_times(void **state)
{
    (void)state;
    const struct {
        scalar_function *function;
        size_t n_args;
        struct value args[3];
        const char *expected;
    } cases[] = {
        {number_abs, 1, {value_int(-5)}, "5"},
        {number_abs, 1, {value_int(INT64_MIN)}, "error: integer overflow"},
        {number_abs_int, 1, {value_int(INT32_MIN)}, "error: INT out of range"},
        {number_round, 1, {real(2.5)}, "2"},
        {number_round, 2, {real(2.345), value_int(2)}, "2.35"},
        {number_round, 2, {real(1250), value_int(-2)}, "1300"},
        {number_ceil, 1, {real(1.25)}, "2"},
        {number_floor, 1, {real(-1.25)}, "-2"},
        {cast_to_int, 1, {real(-2.5)}, "-2"},
        {cast_to_int, 1, {text("2147483648")}, "error: '2147483648' is not INT"},
        {cast_to_bigint, 1, {real(9.3e18)}, "error: BIGINT out of range"},
        {cast_to_text, 1, {real(-0.0)}, "0"},
        {cast_to_boolean, 1, {text("t")}, "true"},
        {cast_to_boolean, 1, {text("yes")}, "error: 'yes' is not BOOLEAN"},
        {time_gtfs_seconds, 1, {text("25:10:00")}, "90600"},
        {time_gtfs_seconds, 1, {text("5:60:00")}, "NULL"},
        {time_gtfs_seconds, 1, {text("")}, "NULL"},
        {time_gtfs_time, 1, {value_int(90600)}, "25:10:00"},
        {time_gtfs_time, 1, {value_int(-1)}, "NULL"},
        {time_now, 0, {value_int(0)}, "2026-09-21T14:13:20.007Z"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_call(cases[i].function, cases[i].n_args, cases[i].args, cases[i].expected);
}

static void test_like(void **state)
{
    (void)state;
    static const struct {
        const char *text, *pattern, *escape;
        bool matches;
    } cases[] = {
        {"", "", "\\", true},
        {"", "%", "\\", true},
        {"", "_", "\\", false},
        {"abc", "a%", "\\", true},
        {"abc", "A%", "\\", false},
        {"abc", "%b%", "\\", true},
        {"é", "_", "\\", true},
        {"aé🚊", "a__", "\\", true},
        {"a%", "a\\%", "\\", true},
        {"ab", "a\\%", "\\", false},
        {"a_b", "a!_b", "!", true},
        {"axb", "a!_b", "!", false},
        {"a", "a\\", "\\", false},
        {"a\\", "a\\", "", true},
        {"aab", "%ab", "\\", true},
        {"abab", "%ab_", "\\", false},
        {"a%b", "a%%b", "%", true},
        {"axb", "a%%b", "%", false},
        {"mississippi", "%iss%pi", "\\", true},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        bool matches;
        assert_true(like(str_of(cases[i].text), str_of(cases[i].pattern),
                         str_of(cases[i].escape), &matches));
        if (matches != cases[i].matches)
            fail_msg("'%s' LIKE '%s' ESCAPE '%s'", cases[i].text, cases[i].pattern,
                     cases[i].escape);
    }
}

TEST_MAIN(cmocka_unit_test(test_functions_of_text),
          cmocka_unit_test(test_functions_of_numbers_and_times),
          cmocka_unit_test(test_like))
