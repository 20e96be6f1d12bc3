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

static void check_case(struct str prelude, struct str script, struct str expected,
                       bool for_spark)
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
    struct script s = {.name = STR_LITERAL("p.sql"),
                       .text = buf_as_str(&text),
                       .variables = variables,
                       .n_variables = ARRAY_LEN(variables),
                       .reads_files = true,
                       .for_spark = for_spark};
    if (plan_parse(&s, &plan, &report) != ST_USAGE)
        fail_msg("accepted: %.*s", STR_ARGS(script));
    if (!str_eq(buf_as_str(&report), expected))
        fail_msg("%.*s\nreports\n%sinstead of\n%.*s", STR_ARGS(script), buf_cstr(&report),
                 STR_ARGS(expected));
}

static void check_file(const char *name, size_t least, bool for_spark)
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
        check_case(prelude, script, one, for_spark);
    }
    assert_true(n >= least);
}

static void test_scripts_settings_and_tables(void **state)
{
    (void)state;
    check_file("script.txt", 60, false);
}

static void test_queries(void **state)
{
    (void)state;
    check_file("query.txt", 100, false);
}

static void test_inserts_and_legality(void **state)
{
    (void)state;
    check_file("insert.txt", 30, false);
}

static void test_what_is_not_portable_to_spark(void **state)
{
    (void)state;
    check_file("spark.txt", 40, true);
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

// The report, but what its second line shows of the script.
static void assert_report(const char *script, const char *first, const char *last)
{
    AUTO(buf_release) struct buf report = {0};
    struct plan *plan = NULL;
    assert_status(sql_parse(script, &plan, &report), ST_USAGE);
    struct str rest = buf_as_str(&report);
    assert_str(str_cut(&rest, '\n'), first);
    size_t n = strlen(last);
    if (rest.n < n || memcmp(rest.p + rest.n - n, last, n) != 0)
        fail_msg("%s", buf_cstr(&report));
}

// Neither a crash of the parser nor of SQLite's.
static void test_deep_and_long_statements_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *piece;
        int n;
        const char *first; // NULL: accepted
    } cases[] = {
        {" || 'a'", 1200, "p.sql:1:1: error: this statement is nested too deeply"},
        {" || 'a'", 10001,
         "p.sql:1:1: error: this statement has 30011 words and signs, the most is 20000"},
        {" / 2", 1010,
         "p.sql:1:1: error: SQLite cannot run this query: it is nested too deeply"},
        {" || 'a'", 900, NULL},
        {" / 2", 10, NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(buf_release) struct buf script = {0};
        buf_text(&script, "CREATE VIEW v AS SELECT 1");
        for (int n = 0; n < cases[i].n; n++)
            buf_text(&script, cases[i].piece);
        buf_text(&script, " AS x");
        if (cases[i].first != NULL)
            assert_report(buf_cstr(&script), cases[i].first,
                          "\n  ^\n  hint: split it into views\n");
        else
            plan_free(sql_plan(buf_cstr(&script)));
    }
}

static void append_columns(struct buf *script, const char *form, int n)
{
    for (int i = 0; i < n; i++) {
        buf_text(script, i > 0 ? ", " : "");
        buf_printf(script, form, i);
    }
}

static void test_2000_columns_are_the_most(void **state)
{
    (void)state;
    AUTO(buf_release) struct buf table = {0};
    AUTO(buf_release) struct buf view = {0};
    buf_text(&table, "CREATE TABLE t (");
    append_columns(&table, "c%d INT", 2001);
    buf_text(&table, ")" DIM);
    assert_report(buf_cstr(&table), "p.sql:1:14: error: 2001 columns, the most is 2000",
                  "\n  hint: declare the columns that are read\n");
    buf_text(&view, "CREATE VIEW v AS SELECT ");
    append_columns(&view, "1 AS c%d", 2001);
    assert_report(buf_cstr(&view), "p.sql:1:25: error: 2001 columns, the most is 2000",
                  "\n  hint: select the columns that are needed\n");
}

static void test_a_script_has_4_mib_at_most(void **state)
{
    (void)state;
    AUTO(buf_release) struct buf script = {0};
    AUTO(buf_release) struct buf report = {0};
    struct plan *plan = NULL;
    while (script.n <= 4 << 20)
        buf_text(&script, "-- a line that says nothing at all\n");
    assert_status(sql_parse(buf_cstr(&script), &plan, &report), ST_USAGE);
    assert_string_equal(buf_cstr(&report),
                        "p.sql: error: the script has more than 4194304 bytes\n"
                        "  hint: leave out what its INSERT does not read\n");
}

static void test_50_errors_are_shown(void **state)
{
    (void)state;
    AUTO(buf_release) struct buf script = {0};
    AUTO(buf_release) struct buf report = {0};
    struct plan *plan = NULL;
    for (int i = 0; i < 53; i++)
        buf_text(&script, "DROP TABLE x;\n");
    assert_status(sql_parse(buf_cstr(&script), &plan, &report), ST_USAGE);
    assert_non_null(strstr(buf_cstr(&report), "p.sql:50:1: error: "));
    assert_null(strstr(buf_cstr(&report), "p.sql:51:1: error: "));
    assert_non_null(strstr(buf_cstr(&report), "p.sql: 3 errors more\n"));
}

static void test_a_variables_value_is_utf8(void **state)
{
    (void)state;
    const struct variable variable = {STR_LITERAL("X"), STR_LITERAL("a\xff"), false};
    AUTO(buf_release) struct buf report = {0};
    struct plan *plan = NULL;
    struct script script = {.name = STR_LITERAL("p.sql"),
                            .text = STR_LITERAL("SET spool = '${X}'"),
                            .variables = &variable,
                            .n_variables = 1};
    assert_status(plan_parse(&script, &plan, &report), ST_USAGE);
    assert_string_equal(buf_cstr(&report),
                        "p.sql:1:13: error: the value of variable 'X' is not UTF-8 text\n"
                        "  SET spool = '${X}'\n"
                        "              ^\n");
}

static void test_bad_text_is_refused(void **state)
{
    (void)state;
    AUTO(buf_release) struct buf report = {0};
    struct plan *plan;
    assert_status(sql_parse("SET spool = '\xff'", &plan, &report), ST_USAGE);
    assert_string_equal(buf_cstr(&report),
                        "p.sql:1:14: error: the script is not UTF-8 text here\n"
                        "  SET spool = '?'\n"
                        "               ^\n"
                        "  hint: save it as UTF-8\n");
}

static void test_utf16_is_told(void **state)
{
    (void)state;
    assert_report("\xff\xfeS", "p.sql:1:1: error: the script is not UTF-8 text here",
                  "  ??S\n  ^\n  hint: it is UTF-16: iconv -f UTF-16 -t UTF-8 converts "
                  "it\n");
}

// A wide character is two columns, a combining mark none, a tab one; no control reaches
// the terminal.
static void test_columns_are_those_of_a_terminal(void **state)
{
    (void)state;
    static const struct {
        const char *before;
        size_t column;
    } cases[] = {
        {"SELECT 'e'", 10},         {"SELECT 'é'", 10},        {"SELECT 'e\u0301'", 10},
        {"SELECT '日本'", 13},      {"SELECT '한'", 11},       {"SELECT 'ｅ'", 11},
        {"\tSELECT\t'a'", 11},      {"SELECT '😀'", 11},       {"SELECT 'a\u200b'", 10},
        {"SELECT E'\x1b\x07'", 12}, {"SELECT 'ü' || 'ö'", 17},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(buf_release) struct buf report = {0};
        struct plan *plan = NULL;
        char *text = mem_printf("CREATE VIEW v AS\n%s AS x, q", cases[i].before);
        size_t column = cases[i].column + strlen(" AS x, ") + 1;
        char *first = mem_printf("p.sql:2:%zu: error: unknown column 'q'", column);
        char *caret = mem_printf("\n%*s^\n", (int)column + 1, "");
        assert_status(sql_parse(text, &plan, &report), ST_USAGE);
        struct str rest = buf_as_str(&report);
        assert_str(str_cut(&rest, '\n'), first);
        if (strstr(buf_cstr(&report), caret) == NULL)
            fail_msg("%s", buf_cstr(&report));
        assert_null(strpbrk(buf_cstr(&report), "\x1b\x07\t"));
        free(text);
        free(first);
        free(caret);
    }
}

TEST_MAIN(cmocka_unit_test(test_scripts_settings_and_tables),
          cmocka_unit_test(test_queries), cmocka_unit_test(test_inserts_and_legality),
          cmocka_unit_test(test_what_is_not_portable_to_spark),
          cmocka_unit_test(test_names_have_63_bytes_at_most),
          cmocka_unit_test(test_deep_and_long_statements_are_refused),
          cmocka_unit_test(test_2000_columns_are_the_most),
          cmocka_unit_test(test_a_script_has_4_mib_at_most),
          cmocka_unit_test(test_50_errors_are_shown),
          cmocka_unit_test(test_a_variables_value_is_utf8),
          cmocka_unit_test(test_bad_text_is_refused),
          cmocka_unit_test(test_utf16_is_told),
          cmocka_unit_test(test_columns_are_those_of_a_terminal))
