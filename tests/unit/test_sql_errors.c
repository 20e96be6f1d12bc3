// SPDX-License-Identifier: Apache-2.0
// The exact report of wrong scripts: tests/unit/sql_errors/*.txt.
//
// A file begins with statements that all of its scripts begin with. Each case is a script
// after "=== script" and its report after "=== report"; a blank line ends the case.
#include "sql_help.h"

#define SCRIPT_MARK "=== script\n"
#define REPORT_MARK "=== report\n"

static void read_file(const char *name, struct buf *out)
{
    char *path = mem_printf("%s/tests/unit/sql_errors/%s", TRAMLINE_SOURCE_DIR, name);
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        fail_msg("%s: cannot open", path);
    for (int c = fgetc(file); c != EOF; c = fgetc(file))
        buf_char(out, (char)c);
    fclose(file);
    free(path);
}

// What stands before `mark`; `rest` goes on after it.
static struct str cut_at(struct str *rest, const char *mark)
{
    const char *at = memmem(rest->p, rest->n, mark, strlen(mark));
    struct str head = *rest;
    if (at == NULL) {
        *rest = (struct str){0};
        return head;
    }
    head.n = (size_t)(at - rest->p);
    size_t used = head.n + strlen(mark);
    *rest = (struct str){rest->p + used, rest->n - used};
    return head;
}

static enum status no_columns(struct str file, struct arena *arena, struct schema *ret,
                              struct err *err)
{
    (void)arena;
    (void)ret;
    return err_set(err, ST_USAGE, "cannot open %s", file.p);
}

static void check_case(struct str prelude, struct str script, struct str expected)
{
    const struct variable variables[] = {
        {STR_LITERAL("FROM_SET"), STR_LITERAL("x'y"), true},
        {STR_LITERAL("FROM_FILE"), STR_LITERAL("x"), false},
    };
    AUTO(buf_release) struct buf text = {0};
    AUTO(buf_release) struct buf report = {0};
    struct plan *plan;
    buf_str(&text, prelude);
    buf_str(&text, script);
    struct script s = {STR_LITERAL("p.sql"), buf_as_str(&text), variables,
                       ARRAY_LEN(variables), no_columns};
    if (plan_parse(&s, &plan, &report) != ST_USAGE)
        fail_msg("accepted: %.*s", STR_ARGS(script));
    if (!str_eq(buf_as_str(&report), expected))
        fail_msg("%.*s\nreports\n%sinstead of\n%.*s", STR_ARGS(script), buf_cstr(&report),
                 STR_ARGS(expected));
}

static void check_file(const char *name, size_t least)
{
    AUTO(buf_release) struct buf file = {0};
    read_file(name, &file);
    struct str rest = buf_as_str(&file);
    struct str prelude = cut_at(&rest, SCRIPT_MARK);
    size_t n = 0;
    for (; rest.n > 0; n++) {
        struct str one = cut_at(&rest, SCRIPT_MARK);
        struct str script = cut_at(&one, REPORT_MARK);
        if (rest.n > 0)
            one.n--; // the blank line
        script.n--;
        check_case(prelude, script, one);
    }
    assert_true(n >= least);
}

static void test_scripts_settings_and_tables(void **state)
{
    (void)state;
    check_file("script.txt", 60);
}

static void test_queries(void **state)
{
    (void)state;
    check_file("query.txt", 100);
}

static void test_inserts_and_legality(void **state)
{
    (void)state;
    check_file("insert.txt", 30);
}

// A name of 63 bytes is good, of 64 is not; a doubled quote is one byte of it.
static void test_names_have_63_bytes_at_most(void **state)
{
    (void)state;
    char name[70] = "";
    for (size_t n = 62; n <= 64; n++) {
        AUTO(buf_release) struct buf report = {0};
        memset(name, 'a', n - 1);
        strcpy(name + n - 1, "\"\"");
        char *script = mem_printf("CREATE TABLE \"%s\" (a INT)" DIM, name);
        struct plan *plan = NULL;
        enum status status = sql_parse(script, &plan, &report);
        assert_status(status, n < 64 ? ST_OK : ST_USAGE);
        if (n == 64)
            assert_non_null(strstr(buf_cstr(&report),
                                   "error: this name has 64 bytes, the most is 63"));
        else
            assert_int_equal(plan->tables[0].name.n, n);
        if (n < 64)
            plan_free(plan);
        free(script);
    }
}

// Neither a crash of the parser nor of SQLite's.
static void test_deep_and_long_statements_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *piece;
        int n;
        const char *error;
    } cases[] = {
        {" || 'a'", 1200, "nested too deeply"},
        {" || 'a'", 10001, "this statement has 30011 words and signs, the most is 20000"},
        {" / 2", 60, "SQLite cannot run this query: it is nested too deeply"},
        {" || 'a'", 900, NULL},
        {" / 2", 10, NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(buf_release) struct buf script = {0};
        AUTO(buf_release) struct buf report = {0};
        struct plan *plan = NULL;
        buf_text(&script, "CREATE VIEW v AS SELECT 1");
        for (int n = 0; n < cases[i].n; n++)
            buf_text(&script, cases[i].piece);
        buf_text(&script, " AS x");
        enum status status = sql_parse(buf_cstr(&script), &plan, &report);
        assert_status(status, cases[i].error ? ST_USAGE : ST_OK);
        if (cases[i].error != NULL && strstr(buf_cstr(&report), cases[i].error) == NULL)
            fail_msg("%s", buf_cstr(&report));
        if (status == ST_OK)
            plan_free(plan);
    }
}

static void test_bad_text_is_refused(void **state)
{
    (void)state;
    AUTO(buf_release) struct buf report = {0};
    struct plan *plan;
    assert_status(sql_parse("SET spool = '\xff'", &plan, &report), ST_USAGE);
    assert_string_equal(buf_cstr(&report),
                        "p.sql:1:14: error: the script is not UTF-8 text here\n"
                        "  SET spool = '\xff'\n"
                        "               ^\n"
                        "  hint: save it as UTF-8\n");
}

TEST_MAIN(cmocka_unit_test(test_scripts_settings_and_tables),
          cmocka_unit_test(test_queries), cmocka_unit_test(test_inserts_and_legality),
          cmocka_unit_test(test_names_have_63_bytes_at_most),
          cmocka_unit_test(test_deep_and_long_statements_are_refused),
          cmocka_unit_test(test_bad_text_is_refused))
