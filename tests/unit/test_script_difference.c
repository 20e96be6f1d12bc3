// SPDX-License-Identifier: Apache-2.0
// What a changed script is told by: its columns, the lines of its query, its options.
#include "log/script_difference.h"

#include "test.h"

static void check_lines(const char *before, const char *after, const char *expected)
{
    AUTO(arena_release) struct arena arena = {0};
    AUTO(buf_release) struct buf text = {0};
    static const char signs[] = {
        [LINE_STAYED] = ' ', [LINE_GONE] = '-', [LINE_NEW] = '+'};
    struct text_difference difference =
        text_difference(str_of(before), str_of(after), &arena);
    size_t n_gone = 0, n_new = 0;
    for (size_t i = 0; i < difference.n; i++) {
        const struct text_line *line = &difference.lines[i];
        buf_printf(&text, "%c%.*s,", signs[line->fate], STR_ARGS(line->text));
        n_gone += line->fate == LINE_GONE;
        n_new += line->fate == LINE_NEW;
    }
    assert_str(buf_as_str(&text), expected);
    assert_int_equal(difference.n_gone, n_gone);
    assert_int_equal(difference.n_new, n_new);
}

static void test_lines_that_went_and_came(UNUSED void **state)
{
    check_lines("", "", "");
    check_lines("a\nb\nc\n", "a\nb\nc\n", " a, b, c,");
    check_lines("a\nb\nc\n", "a\nc\n", " a,-b, c,");
    check_lines("a\nc\n", "a\nb\nc\n", " a,+b, c,");
    check_lines("a\nb\nc\n", "a\nx\nc\n", " a,-b,+x, c,");
    check_lines("", "a\nb", "+a,+b,");
    check_lines("a\nb", "", "-a,-b,");
    check_lines("a\na\na\n", "a\na\n", " a, a,-a,");
    check_lines("a\nb\nc\nd\n", "b\nx\nd\na\n", "-a, b,-c,+x, d,+a,");
    check_lines("\n\n", "\n", " ,-,");
}

// Each of both texts can be read off, in order, however large the middle is.
static void test_many_lines(UNUSED void **state)
{
    static const size_t sizes[] = {100, 2500};
    for (size_t k = 0; k < ARRAY_LEN(sizes); k++) {
        AUTO(arena_release) struct arena arena = {0};
        struct buf texts[2] = {0}, read[2] = {0};
        for (size_t i = 0; i < sizes[k]; i++) {
            buf_printf(&texts[0], "%zu\n", i * 7 % 31);
            buf_printf(&texts[1], "%zu\n", i * 5 % 37);
        }
        struct text_difference difference =
            text_difference(buf_as_str(&texts[0]), buf_as_str(&texts[1]), &arena);
        for (size_t i = 0; i < difference.n; i++)
            for (int side = 0; side < 2; side++)
                if (difference.lines[i].fate != (side ? LINE_GONE : LINE_NEW))
                    buf_printf(&read[side], "%.*s\n", STR_ARGS(difference.lines[i].text));
        for (int side = 0; side < 2; side++) {
            assert_true(str_eq(buf_as_str(&read[side]), buf_as_str(&texts[side])));
            buf_release(&texts[side]);
            buf_release(&read[side]);
        }
    }
}

struct world {
    struct log_state state;
    struct job job;
};

// The same job with the same script twice.
static struct world same(struct script_option *before, size_t n_before,
                         struct script_option *after, size_t n_after)
{
    return (struct world){
        .state = {.next = 3,
                  .schema = STR_LITERAL("a TEXT, b INT NOT NULL"),
                  .plan = STR_LITERAL("p"),
                  .script = {.is_known = true,
                             .entry = 1,
                             .plan = STR_LITERAL("p"),
                             .query = STR_LITERAL("x\ny\n"),
                             .options = before,
                             .n_options = n_before}},
        .job = {.schema = STR_LITERAL("a TEXT, b INT NOT NULL"),
                .plan = STR_LITERAL("p"),
                .script = {.is_known = true,
                           .query = STR_LITERAL("x\ny\n"),
                           .options = after,
                           .n_options = n_after}},
    };
}

static void check_said(const struct world *world, const char *expected)
{
    AUTO(arena_release) struct arena arena = {0};
    AUTO(buf_release) struct buf text = {0};
    const struct script_difference difference =
        script_difference(&world->state, &world->job, &arena);
    script_difference_say(&difference, &text);
    assert_str(buf_as_str(&text), expected);
    assert_int_equal(script_difference_is_none(&difference), expected[0] == '\0');
}

static void check_columns(const char *before, const char *after, const char *expected)
{
    struct world world = same(NULL, 0, NULL, 0);
    world.state.schema = str_of(before);
    world.job.schema = str_of(after);
    check_said(&world, expected);
}

static void test_each_change_of_a_column(UNUSED void **state)
{
    check_columns("a TEXT, b INT", "a TEXT, b INT", "");
    check_columns("a TEXT", "a TEXT, b INT", "column 'b' is new (INT)");
    check_columns("a TEXT, b INT", "a TEXT", "column 'b' is gone");
    check_columns("a TEXT, b INT", "a TEXT, b BIGINT NOT NULL",
                  "column 'b' was INT, is BIGINT NOT NULL");
    check_columns("a TEXT, b INT", "a TEXT NOT NULL, b INT",
                  "column 'a' was TEXT, is TEXT NOT NULL");
    check_columns("a TEXT, b INT", "b INT, a TEXT",
                  "column 'b' stands at another place; column 'a' stands at another "
                  "place");
    check_columns("a TEXT, b INT, c REAL", "b INT, x REAL, c REAL",
                  "column 'x' is new (REAL); column 'a' is gone");
    check_columns("", "a INT, b INT, c INT, d INT, e INT, f INT",
                  "column 'a' is new (INT); column 'b' is new (INT); column 'c' is new "
                  "(INT); column 'd' is new (INT); column 'e' is new (INT); and 1 more");
}

static void test_the_query(UNUSED void **state)
{
    struct world world = same(NULL, 0, NULL, 0);
    world.job.script.query = STR_LITERAL("other words of the same meaning");
    check_said(&world, "");
    world.job.plan = STR_LITERAL("q");
    world.job.script.query = STR_LITERAL("x\nz\nz\n");
    check_said(&world, "the query is another (1 line gone, 2 new)");
    world.job.script.query = world.state.script.query;
    check_said(&world, "the query is another");
    world.job.script.query = (struct str){0}; // too long to be kept
    check_said(&world, "the query is another");
}

#define STREAM                  STR_LITERAL("s")
#define OPTION(of, name, value) {of, STR_LITERAL(name), STR_LITERAL(value)}
#define SET(name, value)        OPTION({0}, name, value)
#define SECRET(of, name)        {of, STR_LITERAL(name), {0}}

static void test_options_that_mean_the_same(UNUSED void **state)
{
    struct script_option before[] = {
        SET("commit.interval", "60s"),        SET("on_gap", "fail"),
        SET("commit.bytes", "1GB"),           OPTION(STREAM, "connector", "kafka"),
        OPTION(STREAM, "format", "csv"),      OPTION(STREAM, "header", "1"),
        SECRET(STREAM, "kafka.sasl.password")};
    struct script_option after[] = {
        OPTION(STREAM, "format", "csv"), OPTION(STREAM, "connector", "kafka"),
        SECRET(STREAM, "kafka.sasl.password"), SET("commit.bytes", "1024MB"),
        SET("storage.timeout", "1min")};
    struct world world = same(before, ARRAY_LEN(before), after, ARRAY_LEN(after));
    check_said(&world, "");
}

static void test_options_that_changed(UNUSED void **state)
{
    struct script_option before[] = {
        SET("commit.interval", "60s"), SET("gone.option", "x"),
        OPTION(STREAM, "connector", "kafka"), OPTION(STREAM, "format", "csv"),
        SECRET(STREAM, "kafka.sasl.password")};
    struct script_option after[] = {
        SET("commit.interval", "10s"),   OPTION(STREAM, "connector", "kafka"),
        OPTION(STREAM, "format", "csv"), OPTION(STREAM, "header", "false"),
        OPTION(STREAM, "group", "g"),    SECRET(STREAM, "kafka.ssl.key.password")};
    struct world world = same(before, ARRAY_LEN(before), after, ARRAY_LEN(after));
    check_said(&world,
               "SET commit.interval was '60s', is '10s'; header of s was 'true' by "
               "default, is 'false'; group of s was not given, is 'g'; "
               "kafka.ssl.key.password of s is given now (secret); SET gone.option was "
               "'x', is not given; and 1 more");
    world.job.script.n_options = 3;
    world.state.script.options = &before[3];
    world.state.script.n_options = 2;
    check_said(&world,
               "SET commit.interval was '60s' by default, is '10s'; connector of s was "
               "not given, is 'kafka'; kafka.sasl.password of s is not given any more "
               "(secret)");
}

static void test_an_older_programs_log(UNUSED void **state)
{
    struct script_option after[] = {SET("commit.interval", "10s")};
    struct world world = same(NULL, 0, after, ARRAY_LEN(after));
    world.state.script = (struct job_script){.entry = 1, .plan = STR_LITERAL("p")};
    AUTO(arena_release) struct arena arena = {0};
    const struct script_difference difference =
        script_difference(&world.state, &world.job, &arena);
    assert_true(script_difference_is_none(&difference));
    assert_false(difference.is_known);
    world.state.script = (struct job_script){0}; // a snapshot that tells none
    world.state.plan = STR_LITERAL("of the newest entry");
    check_said(&world,
               "the query is another; whether options changed is not known, as an "
               "older program made that entry");
}

TEST_MAIN(cmocka_unit_test(test_lines_that_went_and_came),
          cmocka_unit_test(test_many_lines),
          cmocka_unit_test(test_each_change_of_a_column),
          cmocka_unit_test(test_the_query),
          cmocka_unit_test(test_options_that_mean_the_same),
          cmocka_unit_test(test_options_that_changed),
          cmocka_unit_test(test_an_older_programs_log))
