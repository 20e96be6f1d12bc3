# SPDX-License-Identifier: Apache-2.0
# test: needs nothing
# test: not-asan it does not run the program
"""tools/check_messages.py finds each message without a test, and believes no half of one."""
import subprocess
import sys

import lib

HEADER = """
enum status err_set(struct err *err, enum status status, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
enum status err_context(struct err *err, enum status status, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
"""


def check(source, test="", e2e="", data=""):
    """Runs the check on a tree with one source and its tests: exit code and output."""
    root = lib.tmp_dir()
    for path, text in {
            "src/a/status.h": HEADER, "src/a/a.c": source, "tests/unit/test_a.c": test,
            "tests/e2e/test_a.py": e2e, "tests/unit/sql_errors/a.txt": data}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    done = subprocess.run([sys.executable, lib.ROOT / "tools/check_messages.py", root],
                          capture_output=True, text=True)
    assert done.stderr == "", done.stderr
    return done


def refused(source, why, **tests):
    done = check(source, **tests)
    assert done.returncode == 1 and why in done.stdout, done.stdout


def accepted(source, **tests):
    done = check(source, **tests)
    assert done.returncode == 0, done.stdout


CALL = 'return err_set(err, ST_FAIL, "%s: no room for \\"%d\\" rows " "there", name, n);'
NO_TEST = "src/a/a.c:1: no test has this message: '%s: no room for \"%d\" rows there'"


def test_a_message_needs_its_whole_text():
    refused(CALL, NO_TEST)
    accepted(CALL, test='assert_string_equal(t, "f.csv: no room for \\"3\\" rows there");')
    accepted(CALL, test='assert_string_equal(t, "a: b: no room for \\"%d\\" " "rows there; go");')
    accepted(CALL, e2e="same(err, f'{name}: no room for \"{n}\" rows there')")
    accepted(CALL, data='=== report\np.sql:1: x: no room for "12" rows there\n')
    refused(CALL, NO_TEST, test='assert_non_null(strstr(t, "no room for \\"3\\" rows there"));')
    refused(CALL, NO_TEST, test='assert_non_null(strstr(t, "f.csv: no room for "));')
    refused(CALL, NO_TEST, test='assert_string_equal(t, "f: no room for \\"3\\" rows thereabout");')
    refused(CALL, NO_TEST, test='assert_string_equal(t, "f: no room for \\"x\\" rows there");')
    refused(CALL, NO_TEST, test='a("f: no room"); b(" for \\"3\\" rows there");')


def test_a_count_may_be_one():
    for count in ("%d rows", "%zu records", "%\" PRId64 \" dead letters", "%lld short rows", "%u partitions"):
        refused(f'log_info("there are {count}", n);', "src/a/a.c:1: ")
        refused(f'log_info("there are {count}", n);', " may be 1; text_counted() makes it")
    accepted('log_info("more than %d rows", ROWS_MAX);')
    accepted('log_info("%zu files in %s, but one is read", n, where);')
    accepted('log_info("read %s", text_counted(n, "record", "records"));')


def test_what_does_not_assert_does_not_count():
    text = 'f: no room for \\"3\\" rows there'
    refused(CALL, NO_TEST, test=f'// "{text}"\n/* "{text}" */')
    refused(CALL, NO_TEST, test=f'fail_msg("{text}");')
    refused(CALL, NO_TEST, e2e=f'"""{text}"""\n# "{text}"\nprint("{text}")')
    refused(CALL, NO_TEST, data=f'=== script\n{text}\n=== report\nnothing\n'.replace("\\", ""))


def test_reasons_hints_and_pieces_are_messages():
    refused('static const struct { const char *why; } t[] = {{"it is too old"}};', "it is too old")
    refused('return wrong(at, "it is too old");', "it is too old")
    refused('err_set(err, s, "%s%s", a, b ? "; make room there" : "");', "; make room there")
    refused('buf_printf(out, "the record is %s", x);', "the record is %s")
    refused('err_set(err, s, x ? "one" : "two");', "'two'", test='a("one");')
    accepted('printf("all went well"); log_info("all went %s", x);')
    accepted('if (strstr(answer, "not active")) ;')
    accepted('struct command c = {.about = "Says all that is wrong"};')
    accepted('static const struct flag f[] = {{"--a", "N", "so many rows"}};')
    accepted('// "it is too old"\nint f(void);')


def test_a_context_stands_before_a_text():
    source = 'return err_context(err, rc, "view %s", name);'
    refused(source, "'view %s'", test='a("view v was made");')
    accepted(source, test='a("view v: no such column");')


def test_a_relay_shows_no_text_of_a_library_alone():
    accepted('return err_set(err, s, "%s: %s", path, why);')
    refused('return err_set(err, s, "%s: %s", path, strerror(errno));', "shows strerror() alone")
    refused('void fail(const char *fmt, ...)\n{\n}', "fail() takes a format")
