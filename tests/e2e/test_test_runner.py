# SPDX-License-Identifier: Apache-2.0
# test: needs nothing
# test: not-asan it does not run the program
"""tools/test_runner.py: what it says of tests that pass, fail, are skipped, crash and hang."""
import json
import os
import re
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
    for name in ("e2e/lib.py", "e2e/conftest.py", "e2e/pytest.ini", "sanitizers.env"):
        shutil.copy(lib.ROOT / "tests" / name, root / "tests" / name)
    (root / "dev").write_text("#!/bin/sh\n")
    (root / "dev").chmod(0o755)
    for name, body in tests.items():
        (root / f"tests/e2e/test_{name}.py").write_text(HEAD + body + "\n")
    return root


def run(root, *args, code, only="e2e"):
    """The lines that the runner prints."""
    done = subprocess.run([sys.executable, root / "tools/test_runner.py", "--only", only, *args],
                          env={**os.environ, "TEST_CASE": ""}, capture_output=True, text=True,
                          timeout=lib.RUN_LIMIT_S)
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
                hang="def test_hang():\n  print('waiting', flush=True)\n  time.sleep(99)\n"
                     "import atexit; atexit.register(lambda: print('last words'))")
    source = root / "tests/e2e/test_hang.py"
    source.write_text("# test: limit 2\n" + source.read_text())
    lines = run(root, code=1)
    assert lines[-3:] == ["failed: e2e crash/test_crash: signal 9: so far",
                          "failed: e2e hang/test_hang: ended at its limit of 2 s: "
                          "Interrupt: test_hang.py:7: time.sleep(99)",
                          "1 passed, 2 failed, 0 skipped"], lines
    assert "last words" in (root / "build/test-logs/e2e-hang.log").read_text()


def beside(place, mark, check):
    """A test with this mark that notes when it begins, and asks for the others."""
    return (f"# test: {mark}\nimport pathlib\nPLACE = pathlib.Path({str(place)!r})\n"
            "ME = pathlib.Path(__file__).stem\n"
            "def test_it():\n"
            "  open(PLACE / 'began', 'a').write(ME + '\\n')\n"
            "  (PLACE / 'running' / ME).touch()\n"
            "  try:\n"
            f"    {check}\n"
            "  finally:\n"
            "    (PLACE / 'running' / ME).unlink()\n")


def test_marks_say_what_runs_beside_what():
    """One that computes at a time, the longest first, and beside it those that wait; then those alone."""
    place = lib.tmp_dir()
    (place / "running").mkdir()

    def meets(name):
        return f"lib.wait_until(lambda: 'test_{name}' in (PLACE / 'began').read_text(), 60, 'the other')"

    root = tree(a=beside(place, "alone", "assert [p.name for p in (PLACE / 'running').iterdir()] == [ME]"),
                b=beside(place, "takes 70", meets("waits")), c=beside(place, "takes 90", meets("waits")),
                waits=beside(place, "waits", meets("b")))
    lines = run(root, "--jobs", "1", code=0)
    began = (place / "began").read_text().split()
    assert [name for name in began if name != "test_waits"] == ["test_c", "test_b", "test_a"], began
    assert lines[-1] == "4 passed, 0 failed, 0 skipped", lines


def test_cpu_time_and_the_slowest_are_told():
    """What the test's own children took is in it; a few tests have no list."""
    busy = ("def test_busy():\n  import subprocess\n"
            "  subprocess.run([sys.executable, '-c', 'import time\\nwhile time.process_time() < 1.5: pass'])")
    few = run(tree(busy=busy, idle="def test_idle(): pass"), code=0)
    assert not any(line.startswith("slowest") for line in few), few
    used = {line.split()[2]: float(line.partition(" s CPU")[0].split()[-1]) for line in few if " s CPU" in line}
    assert used["busy"] >= 1.5 and used["idle"] > 0, used
    many = run(tree(busy=busy, **{f"t{i}": "def test_it(): pass" for i in range(10)}), code=0)
    told = many[many.index("slowest:") + 1:]
    assert len(told) == 11 and any(line.endswith(" s CPU  e2e busy") for line in told), many


def test_a_program_that_is_none_is_told():
    root = tree(a="syntax error")
    lines = run(root, code=1)
    assert lines[-2:] == ["failed: e2e a: exit 2: SyntaxError: invalid syntax",
                          "0 passed, 1 failed, 0 skipped"], lines


def c_tree(**tests):
    """The same for tests of C, which are commands of a shell, with their properties for CTest."""
    root = tree()
    (root / "tests/unit").mkdir()
    (root / "build/asan").mkdir(parents=True)
    lines = []
    for name, (command, properties) in tests.items():
        (root / f"tests/unit/test_{name}.c").touch()
        lines.append(f"add_test(unit.{name} sh -c [=[{command}]=])")
        lines.append(f"set_tests_properties(unit.{name} PROPERTIES LABELS unit {properties})")
    (root / "build/asan/CTestTestfile.cmake").write_text("\n".join(lines) + "\n")
    return root


def test_tests_of_c_are_ctests():
    root = c_tree(good=("echo '[       OK ] test_a'; echo '[       OK ] test_b'", ""),
                  skipped=("echo 'skipped: no disk'; echo '[  SKIPPED ] test_c'", ""),
                  plain=("true", ""),
                  bad=(f"cat {lib.ROOT}/tests/e2e/test_test_runner.py | sed -n '/^C_LOG/,/^\"\"\"/p'; exit 1",
                       ""),
                  crash=("echo '[ RUN      ] test_d'; echo so far; kill -SEGV $$", ""),
                  hang=("echo '[ RUN      ] test_e'; sleep 99", "TIMEOUT 1"),
                  quiet_end=("exit 3", ""))
    lines = run(root, only="unit", code=1)
    assert sorted(lines[-7:-1]) == [
        "failed: unit bad/test_two: ../../tests/unit/test_x.c:12: 3 != 4",
        "failed: unit crash/test_d: Exception: SegFault: so far",
        "failed: unit hang/test_e: Timeout: said nothing",
        "failed: unit quiet_end: Failed",
        "skipped: unit bad, 1 case: no such machine",
        "skipped: unit skipped, 1 case: no disk"], lines
    assert lines[-1] == "4 passed, 4 failed, 2 skipped", lines
    assert "    | [  ERROR   ] --- 3 != 4" in lines and "    | so far" in lines, lines
    log = (root / "build/test-logs/unit-good.log").read_text()
    assert "[       OK ] test_b" in log, log


def test_a_test_that_ctest_does_not_know_has_failed():
    root = c_tree(good=("true", ""))
    (root / "tests/unit/test_other.c").touch()
    lines = run(root, only="unit", code=1)
    assert lines[-2:] == ["failed: unit other: not run, CTest ended with exit 0",
                          "1 passed, 1 failed, 0 skipped"], lines


def test_ctest_knows_the_marks_of_all_tests():
    """In the build that all end to end tests have."""
    listed = subprocess.run(["ctest", "--test-dir", lib.ROOT / "build/release", "--show-only=json-v1"],
                            capture_output=True, check=True, timeout=lib.RUN_LIMIT_S)
    known = {test["name"]: {p["name"]: p["value"] for p in test["properties"]}
             for test in json.loads(listed.stdout)["tests"]}
    n_default = 0
    for folder, name, limit in (("unit", "unit", 300), ("sim", "simulator", 600)):
        for source in (lib.ROOT / "tests" / folder).glob("test_*.c"):
            text = source.read_text()
            marks = dict(re.findall(r"^// test: (\S+) *(.*)$", text, flags=re.M))
            hidden = re.findall(r"^//.*[^/\s].* test: (?:alone|build|long|quick|slow|takes|waits)\b.*", text, flags=re.M)
            assert not hidden, f"{source.name}: no mark at the end of another line: {hidden}"
            test = f"{name}.{source.stem.removeprefix('test_')}"
            if "runs-in" in marks:
                assert test not in known, test
                continue
            limit_s = int(marks.get("limit", limit))
            assert known[test]["TIMEOUT"] == limit_s, (test, known[test])
            assert known[f"{test}.long"]["TIMEOUT"] == 5 * limit_s, test
            is_default = marks.get("build", "asan") == "release"
            assert ("default" in known[test]["LABELS"]) == is_default, (test, known[test])
            assert name in known[test]["LABELS"] and known[f"{test}.long"]["LABELS"] == ["long"], test
            n_default += is_default
    assert n_default > 5, n_default


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
