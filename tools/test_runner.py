#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Builds Tramline and runs its tests: test_runner.py [--quick | --long] [--only SET] [NAME[/CASE]].

Sets, in this order: build, lint, unit, fuzz, simulator, e2e. CTest runs the tests of C (unit, fuzz,
simulator; tests/ctest.cmake), pytest those of e2e (tests/e2e/conftest.py), a process for each file:
what a file has started goes when it ends. A test passes by exit 0; what prints cases as cmocka does
("[       OK ] name") is counted by cases. Each has a log in build/test-logs, no stdin, and a time
limit; an e2e test has a TMPDIR of its own, and at its limit its whole process group is ended.

The line of a build, a lint or an e2e test has the seconds of processor time that it took with all that it
started and waited for; servers that others share are not in it. Of a test that failed its failed cases are shown. The end
tells what each set took, which tests took longest, what was skipped and what failed, with the reason.
The last line is "N passed, N failed, N skipped"; exits 1 if anything failed.
"""
import argparse
import collections
import concurrent.futures
import contextlib
import os
import re
import select
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time

import case_log
from test_sets import ALL_PARTS, BUILD, QUICK, ROOT, SANITIZER_ENV, Test, build_tests, choose

LOGS = BUILD / "test-logs"
TMP = BUILD / "test-tmp"
STACK = str(ROOT / "tools/stack.sh")
TOTAL_LIMIT_S = 80 * 60  # a stop for what hangs, on a busy machine too; docs/testing.md says what it takes
LONG_TOTAL_LIMIT_S = 8 * 3600
LONG_FACTOR = 5
GRACE_S = 10
EXIT_NO_CASE = 5  # of pytest
WAITING = 2  # tests that mostly wait, for each that computes
N_SLOWEST = 10  # that the end tells
# What cmocka and pytest print when TEST_CASE names none of their cases.
NO_CASE = re.compile(r"^\[={10}\]|^\d+ deselected in ", re.M)


class Result:
    """Numbers of cases; `skips` holds a reason for each that was skipped. cpu_s: None where it is not
    known."""

    def __init__(self, passed=0, failed=0, skips=(), note="", seconds=0.0):
        self.passed, self.failed, self.skips = passed, failed, list(skips)
        self.note, self.seconds, self.cpu_s = note, seconds, None


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
            self.running = [t for t in self.running if t != test]
            cpu = "" if result.cpu_s is None else f"{result.cpu_s:7.1f} s CPU  "
            line = f"{shown}  {test.set_name:<9}  {label}  {result.seconds:7.2f} s  {cpu}{result.note}"
            self._print(line.rstrip())
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
        self.began, self.ticks = time.monotonic(), processor_ticks()
        self.deadline = self.began + limit_s
        self.total = Result()
        self.skipped = []  # (test, reason), one for each case
        self.failed = []  # (test, case, why)
        self.spans = {}  # by set, when its first test began and its last one ended
        self.took = []  # (seconds, CPU seconds or None, test)
        self.lock = threading.Lock()
        self.groups = set()
        self.stopping = False

    def run_all(self, tests, jobs, first=lambda: None):
        """Runs tests of a set; True if none failed. Those that wait begin; beside them goes what is to be done first,
        then those that compute, so many at a time, and those that wait and need a build of what was done. Last come,
        one by one, those marked alone."""
        failed_before = self.total.failed
        queues, late = {mark: collections.deque() for mark in ("waits", "alone", "")}, collections.deque()
        for test in sorted(tests, key=lambda test: -test.takes_s):
            mark = next(mark for mark in queues if mark in test.marks or not mark)
            (late if mark == "waits" and "builds" in test.marks else queues[mark]).append(test)
        with self._beside(WAITING * jobs, queues["waits"]):
            first()
            with self._beside(jobs, queues[""], queues["waits"]), self._beside(jobs, late):
                pass
        with self._beside(1, queues["alone"]):
            pass
        return self.total.failed == failed_before

    @contextlib.contextmanager
    def _beside(self, places, *queues):
        """So many threads run what stands first in the first queue that is not empty; waits for their end."""
        with concurrent.futures.ThreadPoolExecutor(places) as pool:
            running = [pool.submit(self._run_queues, queues) for _ in range(places)]
            yield
            for done in running:
                done.result()

    def _run_queues(self, queues):
        while test := self._next_of(queues):
            self.run(test)

    def _next_of(self, queues):
        with self.lock:
            queue = next(filter(None, queues), None)
            return queue.popleft() if queue else None

    def run(self, test):
        if self.stopping:
            return
        self.begin(test)
        began = time.monotonic()
        try:
            result = self._run_program(test, began)
        except OSError as error:
            result = Result(failed=1, note=str(error))
        result.seconds = time.monotonic() - began
        self.end(test, result)

    def begin(self, test):
        with self.lock:
            self.spans.setdefault(test.set_name, [time.monotonic()] * 2)
        self.output.start(test)

    def end(self, test, result):
        with self.lock:
            self.spans.setdefault(test.set_name, [time.monotonic()] * 2)[1] = time.monotonic()
            # A build that passed is not a test that passed; one that failed is a failure.
            self.total.passed += result.passed if test.set_name not in ("build", "servers") else 0
            self.total.failed += result.failed
            self.skipped += [(test, reason) for reason in result.skips]
            self.took.append((result.seconds, result.cpu_s, test))
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
        env = {**os.environ, **ENV, **test.env, "TMPDIR": str(tmp)}
        if test.set_name == "e2e":
            env.update(reports_to(tmp))
        with open(log_path, "wb") as log:
            process = subprocess.Popen(
                test.command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT, start_new_session=True)
            self.groups.add(process.pid)
            try:
                code, cpu_s = wait_for(process, limit_s)
            finally:
                self.groups.discard(process.pid)
        signal_group(process.pid, signal.SIGKILL)
        end_own_servers(tmp)
        result = judge(how_it_ended(code, limit_s), log_path.read_text(errors="replace"))
        result.cpu_s = cpu_s
        reports = sorted(tmp.glob("sanitizer.*"))
        if reports:
            with open(log_path, "ab") as log:
                log.writelines(report.read_bytes() for report in reports)
            result.failed = max(result.failed, 1)
            result.note = f"{len(reports)} reports of a sanitizer"
        if not result.failed:
            shutil.rmtree(tmp, ignore_errors=True)
        return result

    def run_ctest(self, tests, jobs):
        """Runs tests of C, of all sets, those of one build after those of another."""
        for kind in sorted({test.kind for test in tests}):
            shutil.rmtree(BUILD / kind / "test-tmp", ignore_errors=True)
            of_kind = [test for test in tests if test.kind == kind]
            ctest = CTest(kind, of_kind, self.begin, self.end)
            env = {**os.environ, **ENV, **of_kind[0].env}
            process = subprocess.Popen(
                ctest.command(jobs), cwd=ROOT, env=env, stdin=subprocess.DEVNULL, text=True,
                errors="replace", stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                start_new_session=True)
            self.groups.add(process.pid)
            limit = threading.Timer(max(self.deadline - time.monotonic(), 0), end_group, [process])
            limit.start()
            ctest.hear(process.stdout)
            code, cpu_s = reap(process)
            limit.cancel()
            self.groups.discard(process.pid)
            ctest.give_up(f"not run, CTest ended with exit {code}")
            self.output.say(f"tests of C, {kind}: {cpu_s:.0f} s CPU")

    def stop(self):
        self.stopping = True
        for group in list(self.groups):
            signal_group(group, signal.SIGTERM)


def processor_ticks():
    """Of all processors since the machine started: those without work, all."""
    with open("/proc/stat") as file:
        ticks = [int(word) for word in file.readline().split()[1:9]]
    return ticks[3] + ticks[4], sum(ticks)


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


def wait_for(process, limit_s):
    """Its exit code, or None at its limit, when its group is ended; the CPU seconds of it and of what it
    waited for."""
    ended = os.pidfd_open(process.pid)
    try:
        if not select.select([ended], [], [], limit_s)[0]:
            end_group(process)
            return None, None
    finally:
        os.close(ended)
    return reap(process)


def reap(process):
    """Its exit code, and the CPU seconds of it and of what it waited for."""
    try:
        _, how, used = os.wait4(process.pid, 0)
    except ChildProcessError:  # another thread has ended it at its limit
        return process.wait(), 0.0
    process.returncode = os.waitstatus_to_exitcode(how)
    return process.returncode, used.ru_utime + used.ru_stime


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


def how_it_ended(code, limit_s):
    """"" by exit 0; code None: at its limit."""
    if code is None:
        return f"ended at its limit of {limit_s:.0f} s"
    return "" if code in (0, EXIT_NO_CASE) else f"signal {-code}" if code < 0 else f"exit {code}"


def judge(how, text):
    """The result of a test that ended so, "" is well, and left this log."""
    cases = case_log.cases_of(text)
    passed, failed = sum(case.word == "OK" for case in cases), sum(case.failed for case in cases)
    skips = [case.reason for case in cases if case.word == "SKIPPED"]
    if how or failed:
        return Result(passed, max(failed, 1), skips, how or "exit 0, but cases failed")
    if passed + len(skips) == 0:
        if NO_CASE.search(text):
            return Result(skips=["no case of this name"], note="no case of this name")
        return Result(passed=1)
    note = f"{passed} case{'s' if passed != 1 else ''}"
    return Result(passed, 0, skips, note + (f", {len(skips)} skipped" if skips else ""))


# Bare machines have no TERM; no plugin of this machine changes what pytest does; servers of a few minutes compile once,
# quickly, as what is made well by the second compiler takes longer than it saves.
ENV = {"TERM": "xterm", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "STACK_JVM": "-XX:TieredStopAtLevel=1"}


class CTest:
    """Runs tests of one build by CTest, and tells each that begins and ends."""

    RESULT = re.compile(r"\s*\d+/\d+ Test +#(\d+): (\S+) \.*(?:   |\*\*\*)(\S.*?) +([\d.]+) sec$")

    LAST_OF_HEAD = "Test timeout computed to be: "  # of what CTest says itself

    def __init__(self, kind, tests, begun, ended):
        self.folder, self.begun, self.ended = BUILD / kind, begun, ended
        self.tests = {test.ctest_name: test for test in tests}
        self.output = {}  # lines by number of a test

    def command(self, jobs):
        names = "|".join(map(re.escape, self.tests))
        places = WAITING * jobs  # of which each test that computes takes as many as WAITING: tests/ctest.cmake
        return ["ctest", "--test-dir", self.folder, "-V", "-j", str(places), "-R", f"^({names})$"]

    def hear(self, lines):
        for line in lines:
            line = line.rstrip("\n")
            if found := re.match(r"(\d+): ?(.*)", line):
                self.output.setdefault(found[1], []).append(found[2])
            elif found := re.match(r" +Start +\d+: (\S+)", line):
                if found[1] in self.tests:
                    self.begun(self.tests[found[1]])
            elif found := self.RESULT.match(line):
                self.end(*found.groups())

    def end(self, number, name, how, seconds):
        test, lines = self.tests.pop(name, None), self.output.pop(number, [])
        if test is None:
            if how != "Passed":
                print(f"CTest: {name}: {how}", *lines, sep="\n", flush=True)
            return  # a fixture
        head = [n for n, line in enumerate(lines) if line.startswith(self.LAST_OF_HEAD)]
        lines = lines[head[0] + 1:] if head else lines
        text = "\n".join(lines) + "\n"
        (LOGS / f"{test.file_name}.log").write_text(text)
        result = judge("" if how == "Passed" else how, text)
        result.seconds = float(seconds)
        self.ended(test, result)

    def give_up(self, why):
        """Those that CTest said nothing of."""
        for name, test in list(self.tests.items()):
            (LOGS / f"{test.file_name}.log").write_text("")
            self.begun(test)
            self.ended(test, Result(failed=1, note=why))


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
            done = subprocess.run([STACK, "up", *parts], stdin=subprocess.DEVNULL, text=True, env={**os.environ, **ENV},
                                  stdout=subprocess.PIPE, stderr=log)
        if done.returncode != 0:
            raise RuntimeError("\n".join(log_path.read_text(errors="replace").splitlines()[-40:]))
        words = (line.partition(" ")[2] for line in done.stdout.splitlines())
        return dict(shlex.split(word)[0].split("=", 1) for word in words)

    def down(self):
        if self.ours:
            self.ours = False
            subprocess.run([STACK, "down"], stderr=subprocess.DEVNULL, check=False)


def start_servers(runner, tests, stack):
    """The environment for these tests, None: what they need is not there."""
    parts = [p for p in ALL_PARTS if any(p in t.parts for t in tests)]
    if not parts:
        return {}
    server_start = Test("servers", "servers", [])
    runner.begin(server_start)
    began = time.monotonic()
    result, env = Result(passed=1, note=", ".join(parts) + " are up"), None
    try:
        env = stack.up(parts)
    except RuntimeError as error:
        runner.output.say(str(error))
        result = Result(failed=1, note="not started, " + str(error).splitlines()[-1])
    result.seconds = time.monotonic() - began
    runner.end(server_start, result)
    return env


def run_e2e(runner, tests, env, jobs, first):
    """`env`: of the servers; `first`: what those that compute come after."""
    if env is None:
        tests = [t for t in tests if not t.parts]
    for test in tests:
        test.env.update(env or {})
    runner.run_all(tests, jobs, first)


def run_sets(runner, sets, stack, options):
    """Builds, then each set; a build that failed keeps its tests from running. The servers start beside the first build;
    those of e2e that wait begin as soon as they can, beside all others."""
    everything = not (options.filter or options.only or options.quick)
    builds = [] if options.only == "lint" else build_tests(sets, everything)
    first = {test.kind for test in sets["e2e"]}
    broken = set()

    def build(wanted):
        broken.update(build.name for build in wanted if not runner.run_all([build], 1))

    def built(*set_names):
        tests = [test for name in set_names for test in sets[name]]
        runs = [test for test in tests if test.kind not in broken]
        if len(runs) < len(tests):
            runner.output.say(f"{', '.join(set_names)}: {len(tests) - len(runs)} not run, not built")
        return runs

    def run_others():
        build(build for build in builds if build.name not in first)
        runner.run_all(sets["lint"], options.jobs)
        runner.run_ctest(built("unit", "fuzz", "simulator"), options.jobs)

    with concurrent.futures.ThreadPoolExecutor(1) as beside:
        servers = beside.submit(start_servers, runner, sets["e2e"], stack)
        build(build for build in builds if build.name in first)
    if tests := built("e2e"):
        run_e2e(runner, tests, servers.result(), options.jobs, run_others)
    else:
        run_others()


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
    sets = choose(options)
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
    took = ", ".join(f"{name} {end - began:.0f} s" for name, (began, end) in runner.spans.items())
    idle, ticks = (now - then for now, then in zip(processor_ticks(), runner.ticks))
    print(f"{took}; {(time.monotonic() - runner.began) / 60:.1f} min in all, processors {idle / max(ticks, 1):.0%} idle")
    say_slowest(runner.took)
    grouped = collections.Counter((t.set_name, t.label, reason) for t, reason in runner.skipped)
    for (set_name, label, reason), n in grouped.items():
        print(f"skipped: {set_name} {label}, {n} case{'s' if n != 1 else ''}: {reason}")
    for test, case, why in runner.failed:
        print(f"failed: {test.set_name} {test.label}{'/' if case else ''}{case}: {why}")
    total = runner.total
    print(f"{total.passed} passed, {total.failed} failed, {len(runner.skipped)} skipped")


def say_slowest(took):
    """Of a long run: the tests that took longest."""
    if len(took) <= N_SLOWEST:
        return
    print("slowest:")
    for seconds, cpu_s, test in sorted(took, key=lambda one: -one[0])[:N_SLOWEST]:
        cpu = "" if cpu_s is None else f", {cpu_s:.0f} s CPU"
        print(f"  {seconds:5.0f} s{cpu}  {test.set_name} {test.label}")


if __name__ == "__main__":
    sys.exit(main())
