// SPDX-License-Identifier: Apache-2.0
// docs/sql.md says what is so: its examples run, what it calls refused is refused, and
// its tables of functions are those of the code.
//
// The first ```sql block is what the others follow. A block is one script; in one that
// begins with "-- refused" each statement alone must be refused.
#include "sql_help.h"

#include "sql/functions.h"

static char *read_docs(void)
{
    AUTO(buf_release) struct buf buf = {0};
    FILE *file = fopen(TRAMLINE_SOURCE_DIR "/docs/sql.md", "rb");
    assert_non_null(file);
    for (int c = fgetc(file); c != EOF; c = fgetc(file))
        buf_char(&buf, (char)c);
    fclose(file);
    return buf_detach(&buf);
}

// The next ```sql block after *at, NUL-terminated; NULL at the end.
static char *next_block(const char **at)
{
    const char *start = strstr(*at, "```sql\n");
    if (start == NULL)
        return NULL;
    start += strlen("```sql\n");
    const char *end = strstr(start, "```");
    assert_non_null(end);
    *at = end + 3;
    return mem_strndup(start, (size_t)(end - start));
}

static enum status parse(const char *tables, const char *script, struct buf *report)
{
    const struct variable variables[] = {
        {STR_LITERAL("ROOT"), STR_LITERAL("/data"), true},
        {STR_LITERAL("BROKERS"), STR_LITERAL("b:9092"), true},
    };
    bool has_insert = strstr(script, "INSERT INTO result") != NULL;
    char *text = mem_printf(
        "%s%s%s", tables, script,
        has_insert ? "" : ";INSERT INTO result SELECT trip_id FROM stop_times");
    struct script s = {.name = STR_LITERAL("sql.md"),
                       .text = str_of(text),
                       .variables = variables,
                       .n_variables = ARRAY_LEN(variables)};
    struct plan *plan = NULL;
    enum status status = plan_parse(&s, &plan, report);
    if (status == ST_OK)
        plan_free(plan);
    free(text);
    return status;
}

static size_t check_refused(const char *tables, char *block)
{
    size_t n = 0;
    for (char *one = strtok(block, ";"); one != NULL; one = strtok(NULL, ";")) {
        AUTO(buf_release) struct buf report = {0};
        if (str_trim(str_of(one)).n == 0)
            continue;
        n++;
        if (parse(tables, one, &report) == ST_OK)
            fail_msg("accepted: %s", one);
    }
    return n;
}

static void test_examples_do_what_is_said_of_them(void **state)
{
    (void)state;
    char *docs = read_docs();
    const char *at = docs;
    char *tables = next_block(&at);
    size_t n_good = 0, n_refused = 0;
    for (char *block = next_block(&at); block != NULL; block = next_block(&at)) {
        AUTO(buf_release) struct buf report = {0};
        if (strncmp(block, "-- refused", 10) == 0)
            n_refused += check_refused(tables, block);
        else if (n_good++, parse(tables, block, &report) != ST_OK)
            fail_msg("%s", buf_cstr(&report));
        free(block);
    }
    assert_true(n_good >= 6);
    assert_true(n_refused >= 25);
    free(tables);
    free(docs);
}

static void test_tables_of_functions_are_the_codes(void **state)
{
    (void)state;
    char *docs = read_docs();
    for (size_t i = 0; i < n_functions; i++) {
        char *row =
            mem_printf("\n| `%s` | %s |\n", functions[i].signature, functions[i].about);
        if (strstr(docs, row) == NULL)
            fail_msg("docs/sql.md has no row%s", row);
        free(row);
    }
    free(docs);
}

TEST_MAIN(cmocka_unit_test(test_examples_do_what_is_said_of_them),
          cmocka_unit_test(test_tables_of_functions_are_the_codes))
