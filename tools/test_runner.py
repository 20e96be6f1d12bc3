#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Builds Tramline and runs its tests: test_runner.py [--quick | --long] [--only SET] [NAME[/CASE]].

Sets, in this order: build, lint, unit, fuzz, simulator, e2e. A test is a program: exit 0 passed, 77
skipped (its last line says why), else failed. Programs that print cases as cmocka does
("[       OK ] name") are counted by cases. Each test has a log in build/test-logs, a TMPDIR of
its own, no stdin, and a time limit at which its whole process group is ended.

The first lines of a test's source may hold, after "test:" in a comment:
    alone               nothing else runs beside it
    long                runs only with --long (which also sets TEST_LONG=1)
    quick               an e2e test that runs with --quick too
    slow                a C test that does not run with --quick
    limit SECONDS       its time limit
    build KIND          a C test: the build it is run from (asan without it)
    runs-in TEST        a C test that needs real servers: that e2e test runs it
    not-tsan WHY        a C test that cannot run under the thread sanitizer
    not-asan WHY        an e2e test that says nothing with the program of the asan build
    needs PART...       an e2e test: parts of tools/stack.sh that must be up; "needs nothing"
    builds KIND TARGET  an e2e test that runs programs of that build too

Of a test that failed its failed cases are shown. The end tells what each set took, what was skipped
and what failed, with the reason. The last line is
"N passed, N failed, N skipped"; exits 1 if anything failed.
"""
import argparse
import collections
import concurrent.futures
import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time

import case_log

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
LOGS = BUILD / "test-logs"
TMP = BUILD / "test-tmp"
STACK = str(ROOT / "tools/stack.sh")
# Stops for what hangs, on a busy machine too.
LIMITS_S = {"build": 900, "lint": 300, "unit": 300, "fuzz": 300, "simulator": 600, "e2e": 600}
FUZZ_MS, LONG_FUZZ_MS = 1000, 20000
TOTAL_LIMIT_S = 60 * 60  # a stop for what hangs; docs/testing.md says what it takes
LONG_TOTAL_LIMIT_S = 8 * 3600
LONG_FUZZ_S = 600  # of each target by libFuzzer
LONG_FACTOR = 5
GRACE_S = 10
EXIT_SKIP = 77
ALL_PARTS = ("kafka", "hdfs", "registry")
QUICK = "quick"  # `./dev test quick` is --quick


class Test:
    def __init__(self, set_name, name, command, source=None, variant=""):
        self.set_name, self.name, self.variant = set_name, name, variant
        self.command = [str(word) for word in command]
        self.marks = read_marks(source) if source else {}
        self.limit_s = float(self.marks.get("limit", LIMITS_S[set_name]))
        self.alone = "alone" in self.marks
        self.env = {}

    @property
    def label(self):
        return f"{self.name} ({self.variant})" if self.variant else self.name

    @property
    def file_name(self):
        return re.sub(r"[^\w.-]+", "-", f"{self.set_name}-{self.label}").strip("-")


class Result:
    """Numbers of cases; `skips` holds a reason for each that was skipped."""

    def __init__(self, passed=0, failed=0, skips=(), note="", seconds=0.0):
        self.passed, self.failed, self.skips = passed, failed, list(skips)
        self.note, self.seconds = note, seconds


def read_marks(source):
    """The marks in the first lines of a test's source: {"limit": "300", "alone": ""}."""
    with open(source, errors="replace") as f:
        head = [line for _, line in zip(range(30), f)]
    found = (re.match(r"\s*(?://|#|\*)\s*test:\s*([\w-]+)\s*(.*)", line) for line in head)
    return {m.group(1): m.group(2).strip() for m in found if m}


class Output:
    """One line a test; colours and a line of what runs only on a terminal."""

    COLOURS = {"ok": "32", "FAIL": "31", "skip": "33"}

    def __init__(self, label_width):
        self.tty = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        self.label_width = label_width
        self.lock = threading.Lock()
        self.running = []

    def _print(self, text):
        print(("\r\033[K" if self.tty else "") + text, flush=True)

    def _status(self):
        if self.tty and self.running:
            words = ", ".join(f"{t.set_name} {t.label}" for t in self.running)[:70]
            print(f"\r\033[K...   {words}", end="", flush=True)

    def start(self, test):
        with self.lock:
            self.running.append(test)
            self._status()

    def end(self, test, result):
        word = "FAIL" if result.failed else "ok" if result.passed else "skip"
        shown = f"\033[{self.COLOURS[word]}m{word:<4}\033[0m" if self.tty else f"{word:<4}"
        label = f"{test.label:<{self.label_width}}"
        with self.lock:
            self.running.remove(test)
            self._print(
                f"{shown}  {test.set_name:<9}  {label}  {result.seconds:7.2f} s  {result.note}".rstrip()
            )
            if result.failed:
                for line in case_log.failed_lines(log_text(test)):
                    self._print(f"    | {line}")
            self._status()

    def say(self, text):
        with self.lock:
            self._print(text)
            self._status()


def log_text(test):
    log = LOGS / f"{test.file_name}.log"
    return log.read_text(errors="replace") if log.exists() else ""


class Runner:
    def __init__(self, output, is_long):
        self.output, self.is_long = output, is_long
        limit_s = LONG_TOTAL_LIMIT_S if is_long else TOTAL_LIMIT_S
        self.deadline = time.monotonic() + limit_s
        self.total = Result()
        self.skipped = []  # (test, reason), one for each case
        self.failed = []  # (test, case, why)
        self.seconds = {}  # by set, from the first test's start to the last one's end
        self.lock = threading.Lock()
        self.groups = set()
        self.stopping = False

    def run_all(self, tests, jobs):
        """Runs tests of a set, those marked alone after the others; True if none failed."""
        failed_before, began = self.total.failed, time.monotonic()
        together = [t for t in tests if not t.alone]
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            for done in [pool.submit(self.run, t) for t in together]:
                done.result()
        for test in tests:
            if test.alone:
                self.run(test)
        if tests:
            name = tests[0].set_name
            self.seconds[name] = self.seconds.get(name, 0) + time.monotonic() - began
        return self.total.failed == failed_before

    def run(self, test):
        if self.stopping:
            return
        self.output.start(test)
        began = time.monotonic()
        try:
            result = self._run_program(test, began)
        except OSError as error:
            result = Result(failed=1, note=str(error))
        result.seconds = time.monotonic() - began
        with self.lock:
            # A build that passed is not a test that passed; one that failed is a failure.
            self.total.passed += result.passed if test.set_name != "build" else 0
            self.total.failed += result.failed
            self.skipped += [(test, reason) for reason in result.skips]
            if result.failed:
                told = case_log.failures(log_text(test), result.note)
                self.failed += [(test, case, why) for case, why in told]
        self.output.end(test, result)

    def _run_program(self, test, began):
        limit_s = min(test.limit_s * (LONG_FACTOR if self.is_long else 1), self.deadline - began)
        if limit_s <= 0:
            return Result(failed=1, note="not run: the time for all tests is over")
        tmp = TMP / test.file_name
        shutil.rmtree(tmp, ignore_errors=True)
        tmp.mkdir(parents=True)
        log_path = LOGS / f"{test.file_name}.log"
        env = dict(os.environ, TERM="xterm", **test.env, TMPDIR=str(tmp))  # bare machines have none
        if test.set_name == "e2e":
            env.update(reports_to(tmp))
        with open(log_path, "wb") as log:
            process = subprocess.Popen(
                test.command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT, start_new_session=True)
            self.groups.add(process.pid)
            try:
                code = process.wait(limit_s)
            except subprocess.TimeoutExpired:
                end_group(process)
                code = None
            finally:
                self.groups.discard(process.pid)
        signal_group(process.pid, signal.SIGKILL)
        end_own_servers(tmp)
        result = judge(code, log_path.read_text(errors="replace"), limit_s)
        reports = sorted(tmp.glob("sanitizer.*"))
        if reports:
            with open(log_path, "ab") as log:
                log.writelines(report.read_bytes() for report in reports)
            result.failed = max(result.failed, 1)
            result.note = f"{len(reports)} reports of a sanitizer"
        if not result.failed:
            shutil.rmtree(tmp, ignore_errors=True)
        return result

    def stop(self):
        self.stopping = True
        for group in list(self.groups):
            signal_group(group, signal.SIGTERM)


def reports_to(tmp):
    """A program's output may be wanted, or nobody's: reports are kept beside it, and its exit code
    is none of the program's own."""
    return {name: f"{SANITIZER_ENV[name]}:exitcode=99:log_path={tmp}/sanitizer"
            for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS")}


def signal_group(group, number):
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        pass


def end_group(process):
    """SIGTERM lets a test stop its servers; SIGKILL follows."""
    signal_group(process.pid, signal.SIGTERM)
    try:
        process.wait(GRACE_S)
    except subprocess.TimeoutExpired:
        signal_group(process.pid, signal.SIGKILL)
        process.wait()


def end_own_servers(tmp):
    """Servers that a test started in its TMPDIR and did not stop."""
    for ports in tmp.glob("*/ports"):
        env = dict(os.environ, STACK_DIR=str(ports.parent))
        subprocess.run([STACK, "down"], env=env, stdin=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, check=False)


def judge(code, text, limit_s):
    if code is None:
        return Result(failed=1, note=f"ended at its limit of {limit_s:.0f} s")
    lines = text.strip().splitlines()
    passed, failed, skips = count_cases(text)
    if code == EXIT_SKIP:
        reason = lines[-1] if lines else "no reason given"
        return Result(skips=skips or [reason], note=reason)
    if code != 0:
        how = f"signal {-code}" if code < 0 else f"exit {code}"
        return Result(passed, max(failed, 1), skips, note=how)
    if failed:
        return Result(passed, failed, skips, note="exit 0, but cases failed")
    if passed + len(skips) == 0:
        if re.search(r"^\[={10}\]", text, re.M):
            return Result(skips=["no case of this name"], note="no case of this name")
        return Result(passed=1)
    note = f"{passed} case{'s' if passed != 1 else ''}"
    return Result(passed, 0, skips, note + (f", {len(skips)} skipped" if skips else ""))


def count_cases(text):
    """Passed, failed, and reasons of the skipped."""
    cases = case_log.cases_of(text)
    words = [case.word for case in cases]
    return words.count("OK"), sum(case.failed for case in cases), [
        case.reason for case in cases if case.word == "SKIPPED"]


# A crash is the sanitizer's to tell, with its stack; cmocka would only name the signal.
SANITIZER_ENV = {
    "ASAN_OPTIONS": "detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1"
                    ":handle_segv=2:handle_sigbus=2:handle_sigfpe=2:handle_sigill=2",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
    "LSAN_OPTIONS": f"suppressions={ROOT}/tests/lsan.supp:print_suppressions=0",
    "TSAN_OPTIONS": "halt_on_error=1:second_deadlock_stack=1",
}
VALGRIND = ["valgrind", "-q", "--error-exitcode=9", "--leak-check=full"]


def c_tests(folder, set_name, is_long):
    tests = []
    for source in sorted((ROOT / "tests" / folder).glob("test_*.c")):
        name = source.stem.removeprefix("test_")
        marks = read_marks(source)
        if "runs-in" in marks:
            continue
        kind = marks.get("build", "asan")
        kinds = sorted({kind, "release", "tsan"}) if is_long else [kind]
        kinds = [k for k in kinds if f"not-{k}" not in marks]
        for kind in kinds:
            program = BUILD / kind / "tests" / source.stem
            test = Test(set_name, name, [program], source, kind if is_long else "")
            test.kind, test.target, test.env = kind, source.stem, SANITIZER_ENV
            tests.append(test)
        if is_long and folder == "unit":
            program = BUILD / "release/tests" / source.stem
            test = Test(set_name, name, VALGRIND + [program], source, "valgrind")
            test.kind, test.target = "release", source.stem
            test.limit_s *= 10
            tests.append(test)
    return tests


def fuzz_tests(is_long):
    """The fuzz targets on their corpus and changed copies of it; with --long libFuzzer looks for more."""
    tests = []
    for source in sorted((ROOT / "tests/fuzz").glob("fuzz_*.c")):
        name = source.stem.removeprefix("fuzz_")
        command = [BUILD / "asan/tests" / source.stem, ROOT / "tests/fuzz/corpus" / name,
                   LONG_FUZZ_MS if is_long else FUZZ_MS]
        test = Test("fuzz", f"fuzz_{name}", command, source)
        test.kind, test.target, test.env = "asan", source.stem, SANITIZER_ENV
        tests.append(test)
        if is_long:
            test = Test("fuzz", f"fuzz_{name}", [ROOT / "tools/dev-fuzz.sh", name, LONG_FUZZ_S], source,
                        "libFuzzer")
            test.kind, test.target, test.limit_s = "fuzz", source.stem, LONG_FUZZ_S
            tests.append(test)
    return tests


def e2e_tests(kind="release"):
    """The end to end tests, with the program of that build."""
    variant = "" if kind == "release" else kind
    tests = []
    for source in sorted((ROOT / "tests/e2e").glob("test_*.py")):
        name = source.stem.removeprefix("test_")
        test = Test("e2e", name, [sys.executable, source], source, variant)
        needs = test.marks.get("needs", " ".join(ALL_PARTS)).split()
        test.parts = [] if needs == ["nothing"] else needs
        test.kind = kind
        test.env = {**SANITIZER_ENV, "TRAMLINE_BIN": str(BUILD / kind / "tramline")}
        if f"not-{kind}" not in test.marks:
            tests.append(test)
    return tests


def lint_tests():
    tools = ROOT / "tools"
    return [
        Test("lint", "layers", [sys.executable, tools / "check_layers.py"]),
        Test("lint", "headers", [tools / "check_headers.sh"]),
        Test("lint", "format", [tools / "check_format.sh"]),
        Test("lint", "links", [sys.executable, tools / "check_links.py"]),
        Test("lint", "attacks", [sys.executable, tools / "check_attacks.py"]),
        Test("lint", "pages", [sys.executable, tools / "check_pages.py"]),
        Test("lint", "unused", [sys.executable, tools / "check_unused.py"]),
        Test("lint", "messages", [sys.executable, tools / "check_messages.py"]),
        Test("lint", "error_codes", [sys.executable, tools / "error_codes.py"]),
    ]


def build_tests(selected, everything):
    """The builds that the selected tests need; for all tests also one by clang, for its warnings."""
    targets = {}
    for test in selected["unit"] + selected["fuzz"] + selected["simulator"]:
        whole = "fuzz" if test.set_name == "fuzz" else "unit"
        targets.setdefault(test.kind, set()).add(whole if everything else test.target)
    for test in selected["e2e"]:
        targets.setdefault(test.kind, set()).add("all")
        if "builds" in test.marks:
            kind, target = test.marks["builds"].split()
            targets.setdefault(kind, set()).add(target)
    if everything:
        targets.setdefault("asan", set()).update(("all", "unit", "fuzz"))
        targets.setdefault("clang", set()).update(("all", "unit"))
    order = ["release", "asan", "tsan", "clang", "fuzz"]
    return [
        Test("build", kind, [ROOT / "dev", "build", kind, *sorted(targets[kind])])
        for kind in sorted(targets, key=lambda k: order.index(k) if k in order else len(order))
    ]


class Stack:
    """The real servers, started when the first test needs them; stopped only if we did that."""

    def __init__(self):
        self.ours = False

    def up(self, parts):
        """Returns the environment for tests; raises RuntimeError with the reason."""
        was_up = subprocess.run([STACK, "status"], capture_output=True, text=True).stdout
        self.ours = "runs, pid" not in was_up
        log_path = LOGS / "stack.log"
        with open(log_path, "w") as log:
            done = subprocess.run([STACK, "up", *parts], stdin=subprocess.DEVNULL, text=True,
                                  stdout=subprocess.PIPE, stderr=log)
        if done.returncode != 0:
            raise RuntimeError("\n".join(log_path.read_text(errors="replace").splitlines()[-40:]))
        words = (line.partition(" ")[2] for line in done.stdout.splitlines())
        return dict(shlex.split(word)[0].split("=", 1) for word in words)

    def down(self):
        if self.ours:
            self.ours = False
            subprocess.run([STACK, "down"], stderr=subprocess.DEVNULL, check=False)


def quick_tests(sets):
    """What a person runs before a commit."""
    return {
        "lint": sets["lint"],
        "unit": [t for t in sets["unit"] if "slow" not in t.marks],
        "fuzz": [],
        "simulator": [t for t in sets["simulator"] if QUICK in t.marks],
        "e2e": [t for t in sets["e2e"] if QUICK in t.marks],
    }


def select(options):
    """The tests by set, as the command line asks."""
    name, _, case = (options.filter or "").partition("/")
    sets = {
        "lint": [] if name else lint_tests(),
        "unit": c_tests("unit", "unit", options.long),
        "fuzz": fuzz_tests(options.long),
        "simulator": c_tests("sim", "simulator", options.long),
        "e2e": e2e_tests() + (e2e_tests("asan") if options.long else []),
    }
    if options.quick:
        sets = quick_tests(sets)
    for set_name, tests in sets.items():
        if options.only and set_name != options.only:
            tests.clear()
        tests[:] = [t for t in tests if name in t.name]
        if not options.long and not name:
            tests[:] = [t for t in tests if "long" not in t.marks]
        for test in tests:
            test.env = dict(test.env, **({"TEST_CASE": case} if case else {}))
            test.env.update({"TEST_LONG": "1"} if options.long else {})
    return sets


def run_e2e(runner, tests, stack, jobs):
    parts = [p for p in ALL_PARTS if any(p in t.parts for t in tests)]
    if parts:
        server_start = Test("e2e", "servers", [])
        runner.output.start(server_start)
        began = time.monotonic()
        result = Result(passed=1, note=", ".join(parts) + " are up")
        try:
            env = stack.up(parts)
        except RuntimeError as error:
            result, env = Result(failed=1, note=f"not started\n{error}"), None
            runner.failed.append((server_start, "", "not started, " + str(error).splitlines()[-1]))
        result.seconds = time.monotonic() - began
        runner.output.end(server_start, result)
        runner.total.failed += result.failed
        runner.seconds["servers"] = result.seconds
        if env is None:
            tests = [t for t in tests if not t.parts]
            env = {}
        for test in tests:
            test.env.update(env)
    runner.run_all(tests, jobs)


def run_sets(runner, sets, stack, options):
    """Builds, then each set; a build that failed keeps its tests from running."""
    everything = not (options.filter or options.only or options.quick)
    builds = [] if options.only == "lint" else build_tests(sets, everything)
    broken = set()
    for build in builds:
        if not runner.run_all([build], 1):
            broken.add(build.name)
    runner.run_all(sets["lint"], options.jobs)
    for set_name in ("unit", "fuzz", "simulator", "e2e"):
        runnable = [t for t in sets[set_name] if t.kind not in broken]
        if len(runnable) < len(sets[set_name]):
            runner.output.say(f"{set_name}: {len(sets[set_name]) - len(runnable)} not run, not built")
        if set_name == "e2e" and runnable:
            run_e2e(runner, runnable, stack, options.jobs)
        else:
            runner.run_all(runnable, options.jobs)


def parse_options():
    parser = argparse.ArgumentParser(prog="./dev test", description="builds and tests Tramline")
    parser.add_argument("filter", nargs="?", metavar="NAME[/CASE]",
                        help="tests whose file name holds NAME; only CASE of them")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--quick", action="store_true",
                        help="lint, the unit tests, the simulator and a whole job on real servers")
    length.add_argument("--long", action="store_true",
                        help="more builds (tsan, valgrind, all of e2e by asan), more seeds, the long"
                             " tests")
    parser.add_argument("--only", choices=["lint", "unit", "fuzz", "simulator", "e2e"], help="one set")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1,
                        help="tests at one time (default: one a processor)")
    options = parser.parse_args()
    if options.filter == QUICK:
        options.filter, options.quick = None, True
    return options


def main():
    options = parse_options()
    sets = select(options)
    selected = [test for tests in sets.values() for test in tests]
    if options.filter and not selected:
        print(f"no test has {options.filter.partition('/')[0]!r} in its name", file=sys.stderr)
        return 2
    LOGS.mkdir(parents=True, exist_ok=True)
    width = max([len(t.label) for t in selected] + [len("servers")])
    runner = Runner(Output(width), options.long)
    stack = Stack()

    def stop(number, _frame):
        runner.stop()
        stack.down()
        sys.exit(128 + number)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    try:
        run_sets(runner, sets, stack, options)
    finally:
        stack.down()
    say_end(runner)
    return 1 if runner.total.failed else 0


def say_end(runner):
    """What each set took, what was skipped and why, what failed and why, and the counts."""
    took = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in runner.seconds.items())
    print(f"{took}; {sum(runner.seconds.values()) / 60:.1f} min in all")
    grouped = collections.Counter((t.set_name, t.label, reason) for t, reason in runner.skipped)
    for (set_name, label, reason), n in grouped.items():
        print(f"skipped: {set_name} {label}, {n} case{'s' if n != 1 else ''}: {reason}")
    for test, case, why in runner.failed:
        print(f"failed: {test.set_name} {test.label}{'/' if case else ''}{case}: {why}")
    total = runner.total
    print(f"{total.passed} passed, {total.failed} failed, {len(runner.skipped)} skipped")


if __name__ == "__main__":
    sys.exit(main())
