# SPDX-License-Identifier: Apache-2.0
# test: needs nothing
# test: not-asan it does not run the program
"""tools/check_unused.py finds what src/ declares and does not use, and no seam that is none."""
import contextlib
import io
import sys

import lib

sys.path.insert(0, str(lib.ROOT / "tools"))
import check_unused  # noqa: E402

HEADER = """
#define A_MAX 7
static inline int a_half(int n) { return n / 2; }
struct a {
    int used;
    int (*call)(int n);
};
int a_open(struct a *a); // not a_gone()
"""
HOME = """
#include "a/a.h"
int a_open(struct a *a) { return a->used + a->call(a_half(A_MAX)); }
"""
USER = 'int b(struct a *a) { return a_open(a); }'


def check(header=HEADER, home=HOME, user=USER, test="", seams=(), offered=()):
    root = lib.tmp_dir()
    for path, text in {"src/a/a.h": header, "src/a/a.c": home, "src/b/b.c": user,
                       "tests/unit/test_a.c": test}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    check_unused.ROOT = root
    check_unused.SEAMS, check_unused.OFFERED = (dict.fromkeys(names, "why") for names in (seams, offered))
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        code = check_unused.main()
    lines = out.getvalue().split("\n")
    assert code == (1 if len(lines) > 2 else 0), (code, lines)
    return lines[:-2]


STATIC = ("src/a/a.h:8: a_open is used by its own file only: make it static; if tests need it: "
          "tools/check_unused.py, SEAMS")


def test_all_is_used():
    assert check() == []


def test_each_kind_is_found():
    assert check(user="") == ["src/a/a.h:8: a_open is used nowhere in src/"]
    assert check(user='// a_open()\nconst char *b = "a_open";') == [
        "src/a/a.h:8: a_open is used nowhere in src/"]
    assert check(user="", home=HOME + "int a_close(void) { return a_open(0); }") == [STATIC]
    assert check(home=HOME.replace("A_MAX", "7")) == ["src/a/a.h:2: A_MAX is used nowhere in src/"]
    assert check(home=HOME.replace("a_half(A_MAX)", "A_MAX")) == [
        "src/a/a.h:3: a_half is used nowhere in src/"]
    assert check(home=HOME.replace("a->used", "0")) == [
        "src/a/a.h:5: used is a member that nothing reads or sets"]
    assert check(home=HOME.replace("a->call(a_half(A_MAX))", "a_half(A_MAX)")) == [
        "src/a/a.h:6: call is a member that nothing reads or sets"]


def test_a_command_in_no_list_and_an_option_that_is_not_read():
    header = HEADER + "extern const struct a the_a;\nextern struct a a_list[A_MAX];\n"
    home = HOME + "const struct a the_a = {0};\n"
    lists = USER + "\nstruct a a_list[A_MAX] = {{0}};\nint c(void) { return a_list[0].used; }"
    lacking = "src/a/a.h:9: the_a is used by its own file only: does a list lack it?"
    unread = "src/a/a.h:10: a_list is used by its own file only: does a list lack it?"
    assert check(header, home, lists) == [lacking, unread]
    assert check(header, home + "int n = sizeof(a_list);", lists + " const void *p = &the_a;") == []
    defs = 'struct def d[] = {{"log.x", OPTION_INT, "1"},\n    {"log.y", OPTION_TEXT, NULL}};'
    assert check(home=HOME + defs, user=USER + 'int d(void) { return number("log.x"); }') == [
        "src/a/a.c:5: log.y is an option that nothing reads"]


def test_a_seam_is_what_only_tests_use():
    stale = ["tools/check_unused.py: a_open needs no place in SEAMS, or no test uses it"]
    nowhere = ["src/a/a.h:8: a_open is used nowhere in src/"]
    assert check(user="", test="int t = a_open(0);", seams=["a_open"]) == []
    assert check(user="", test="int t = a_open(0);") == nowhere
    assert check(user="", test="// a_open", seams=["a_open"]) == nowhere + stale
    assert check(test="int t = a_open(0);", seams=["a_open"]) == stale
    assert check(seams=["a_gone"]) == [stale[0].replace("a_open", "a_gone")]


def test_what_is_offered_needs_no_test():
    assert check(user="", offered=["a_open"]) == []
    assert check(offered=["a_open"]) == ["tools/check_unused.py: a_open needs no place in OFFERED"]
