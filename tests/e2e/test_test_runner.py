# SPDX-License-Identifier: Apache-2.0
# test: needs nothing
# test: not-asan it does not run the program
"""tools/test_runner.py: what it says of tests that pass, fail, are skipped, crash and hang."""
import os
import shutil
import subprocess
import sys

import lib

sys.path.insert(0, str(lib.ROOT / "tools"))
import case_log  # noqa: E402

HEAD = "# test: needs nothing\nimport os, signal, sys, time\nimport lib\n"


def tree(**tests):
    """A checkout with these e2e tests, and a ./dev that builds nothing."""
    root = lib.tmp_dir()
    (root / "tests/e2e").mkdir(parents=True)
    shutil.copytree(lib.ROOT / "tools", root / "tools")
    shutil.copy(lib.ROOT / "tests/e2e/lib.py", root / "tests/e2e")
    (root / "dev").write_text("#!/bin/sh\n")
    (root / "dev").chmod(0o755)
    for name, body in tests.items():
        (root / f"tests/e2e/test_{name}.py").write_text(HEAD + body + "\nlib.main()\n")
    return root


def run(root, *args, code, env=None):
    """The lines that the runner prints, without its seconds."""
    done = subprocess.run([sys.executable, root / "tools/test_runner.py", "--only", "e2e", *args],
                          env={**os.environ, "TEST_CASE": "", **(env or {})}, capture_output=True,
                          text=True, timeout=100)
    assert done.returncode == code and done.stderr == "", (done.returncode, done.stdout, done.stderr)
    print(done.stdout)
    return done.stdout.splitlines()


def test_counts_are_the_last_line():
    root = tree(a="def test_one(): pass\ndef test_two(): raise lib.Skip('no such machine')",
                b="def test_three(): pass")
    lines = run(root, code=0)
    assert lines[-2:] == ["skipped: e2e a, 1 case: no such machine",
                          "2 passed, 0 failed, 1 skipped"], lines
    assert run(root, "b", code=0)[-1] == "1 passed, 0 failed, 0 skipped"
    assert run(root, "a/one", code=0)[-1] == "1 passed, 0 failed, 0 skipped"


def test_a_failed_case_is_shown_wherever_it_stands():
    """Its lines after what all others said, and again before the counts."""
    root = tree(a="def test_loud(): print('before\\n' * 200)\n"
                  "def test_wrong():\n  print('in it')\n  assert 1 == 2, 'one is not two\\nat all'\n"
                  "def test_louder(): print('after\\n' * 200)\n"
                  "def test_long():\n  print('long\\n' * 200)\n  {}['gone']\n")
    lines = run(root, code=1)
    shown = [line.removeprefix("    | ") for line in lines if line.startswith("    | ")]
    assert "in it" in shown and "AssertionError: one is not two" in shown, shown
    assert "before" not in shown and "after" not in shown, shown
    assert "[ RUN      ] test_long" in shown and "KeyError: 'gone'" in shown, shown
    assert len(shown) < 100, len(shown)
    assert lines[-3:] == ["failed: e2e a/test_wrong: AssertionError: one is not two",
                          "failed: e2e a/test_long: KeyError: 'gone'",
                          "2 passed, 2 failed, 0 skipped"], lines


def test_the_case_in_which_it_ended_is_named():
    root = tree(crash="def test_fine(): pass\ndef test_crash():\n  print('so far', flush=True)\n"
                      "  os.kill(os.getpid(), signal.SIGKILL)",
                hang="def test_hang():\n  print('waiting', flush=True)\n  time.sleep(99)")
    source = root / "tests/e2e/test_hang.py"
    source.write_text("# test: limit 2\n" + source.read_text())
    lines = run(root, code=1)
    assert lines[-3:] == ["failed: e2e crash/test_crash: signal 9: so far",
                          "failed: e2e hang/test_hang: ended at its limit of 2 s: waiting",
                          "1 passed, 2 failed, 0 skipped"], lines


def test_a_program_that_is_none_is_told():
    root = tree(a="syntax error")
    lines = run(root, code=1)
    assert lines[-2:] == ["failed: e2e a: exit 1: SyntaxError: invalid syntax",
                          "0 passed, 1 failed, 0 skipped"], lines


C_LOG = """[==========] tests: Running 3 test(s).
[ RUN      ] test_one
[       OK ] test_one
[ RUN      ] test_two
[  ERROR   ] --- 3 != 4
[   LINE   ] --- ../../tests/unit/test_x.c:12: error: Failure!
[  FAILED  ] test_two
[ RUN      ] test_three
skipped: no such machine
[  SKIPPED ] test_three
[==========] tests: 3 test(s) run.
[  PASSED  ] 1 test(s).
[  SKIPPED ] tests: 1 test(s), listed below:
[  SKIPPED ] test_three
[  FAILED  ] tests: 1 test(s), listed below:
[  FAILED  ] test_two
"""


def test_a_log_of_cmocka_is_read():
    cases = {case.name: (case.word, case.reason) for case in case_log.cases_of(C_LOG)}
    assert cases["test_one"][0] == "OK" and cases["test_two"][0] == "FAILED", cases
    assert cases["test_three"] == ("SKIPPED", "no such machine") and len(cases) == 3, cases
    assert case_log.failures(C_LOG, "exit 1") == [
        ("test_two", "../../tests/unit/test_x.c:12: 3 != 4")]
    assert case_log.failed_lines(C_LOG) == C_LOG.splitlines()[3:7], case_log.failed_lines(C_LOG)


def test_a_sanitizers_report_is_shown_from_its_beginning():
    log = C_LOG + "==7==ERROR: AddressSanitizer: heap-use-after-free\n" + "#1 frame\n" * 300
    shown = case_log.failed_lines(log)
    assert "==7==ERROR: AddressSanitizer: heap-use-after-free" in shown[:4], shown[:4]
    assert len(shown) == case_log.LINES_OF_A_CASE, len(shown)


lib.main()
