# SPDX-License-Identifier: Apache-2.0
"""Engine `units`: `tramline coordinate` is this driver's child; each of its triggers becomes a Spark job,
whose tasks are `tramline work`, one an order. Lines are passed on as they are; the driver has no state.
docs/units.md has the lines.
"""
import json
import os
import queue
import subprocess
import threading
import time

from py4j.protocol import Py4JError, Py4JJavaError

from tramline_common import (FINAL, SHOWN, Driver, Failures, Gauges, find_program, find_script, first_line,
                             given_here, is_dynamic, on_nodes, parse, progress_text, say, words_of)

ALIVE_S = 5  # between two signs of life, and between two looks at the executors
ALIVE_FOR_S = 60  # without one the coordinator ends
BEGIN_S = 60  # executors are there by then
END_S = 20  # for the coordinator to end
ORDERS_MAX = 1024  # of a coordinator


class Coordinator:
    """The child. Its lines come as ("line", child, line), its end as ("ended", child, exit code or None, text)."""

    def __init__(self, driver, command, directory):
        self.driver, self.began = driver, time.monotonic()
        self.out = queue.SimpleQueue()
        # In a process group of its own: a signal to the driver's group is the driver's to take.
        self.process = subprocess.Popen(command, cwd=directory, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, encoding="utf-8", start_new_session=True)
        for work in (self.read, self.write):
            threading.Thread(target=work, name=f"coordinator {work.__name__}", daemon=True).start()

    def read(self):
        code, text = None, "the coordinator was killed"
        for line in self.process.stdout:
            told = parse(line)
            if told is not None and "exit_code" in told:
                code, text = told["exit_code"], told.get("text", "ended")
            elif told is not None:
                self.driver.tell(("line", self, told, line.rstrip("\n")))
        self.process.wait()
        self.driver.tell(("ended", self, code, text))

    def write(self):
        """On a thread, since it may be busy and not read."""
        try:
            while (line := self.out.get()) is not None:
                self.process.stdin.write(line + "\n")
                self.process.stdin.flush()
            self.process.stdin.close()
        except OSError:
            pass  # it has ended: read() says so

    def send(self, line):
        self.out.put(line)

    def say(self, kind, **fields):
        self.send(json.dumps({"v": 1, "kind": kind, **fields}))

    def end(self):
        """It commits what is ready, and ends."""
        self.out.put(None)
        try:
            self.process.wait(END_S)
        except subprocess.TimeoutExpired:
            self.process.kill()


class Unanswered(Exception):
    """What stands in the way of all orders of a trigger, as the end of a process."""

    def __init__(self, code, text):
        super().__init__(text)
        self.end = {"exit_code": code, "text": text}


class Engine(Driver):
    limits = ()  # words for the coordinator

    def __init__(self, args):
        super().__init__(args)
        self.coordinator = None
        self.began = time.monotonic()
        self.failures = Failures()
        self.is_claimed = False  # by another writer
        self.waiting = []  # orders, until their trigger
        self.told = None
        self.looked = 0.0  # when it looked around
        self.begins = None  # when the next coordinator does, after one that failed
        self.gauges = Gauges(self.sc)

    # Settings.

    def configure(self, conf):
        """Slots for so many tasks, but where the number of executors is Spark's to choose."""
        cores = int(conf.get("spark.executor.cores", "1"))
        conf.setIfMissing("spark.executor.cores", str(cores))
        if not is_dynamic(conf):
            per_executor = max(1, cores // int(conf.get("spark.task.cpus", "1")))
            executors = -(-self.args.workers // per_executor)
            conf.setIfMissing("spark.executor.instances", str(executors))
            conf.setIfMissing("spark.cores.max", str(executors * cores))

    def slots(self):
        """Tasks that may run at a time now."""
        conf = self.sc.getConf()
        if is_dynamic(conf) or time.monotonic() < self.began + BEGIN_S:
            return self.args.workers  # executors come with the tasks that wait, or are on their way
        executors = self.sc._jsc.sc().getExecutorMemoryStatus().size() - 1  # the driver is in it
        per_executor = int(conf.get("spark.executor.cores")) // int(conf.get("spark.task.cpus", "1"))
        return max(1, min(self.args.workers, executors * per_executor))

    # The coordinator.

    def coordinate(self):
        args = self.args
        script = find_script(args)
        words = ["coordinate", script, "--exit-line", "--slots", str(self.slots()),
                 "--orders", str(min(2 * args.workers, ORDERS_MAX)), *self.limits, *given_here(args)]
        if args.once:
            words.append("--once")
        if args.records:
            words += ["--records", str(args.records)]
        self.waiting = []
        self.looked = -ALIVE_S
        self.coordinator = Coordinator(self, [find_program(args), *words], os.path.dirname(script))

    def look_around(self):
        """A sign of life, and how many slots there are."""
        if self.begins is not None and time.monotonic() >= self.begins:
            self.begins = None
            self.coordinate()
        if time.monotonic() - self.looked >= ALIVE_S:
            self.looked = time.monotonic()
            self.coordinator.say("alive", for_ms=ALIVE_FOR_S * 1000)
            try:
                self.coordinator.say("slots", slots=self.slots())
            except (Py4JError, OSError) as error:
                self.tell(("gone", words_of(error)))

    def take_line(self, told, line):
        kind = told.get("kind")
        if kind == "order":
            self.waiting.append((told["order"], line))
        elif kind == "trigger":
            orders, self.waiting = self.waiting, []
            threading.Thread(target=self.make, name=told["label"], daemon=True,
                             args=(self.coordinator, orders, told)).start()
        elif kind == "progress":
            self.show({name: told[name] for name in SHOWN if name in told})
        elif kind == "end" and told.get("why") == "claimed":
            self.is_claimed = True

    def show(self, numbers):
        self.gauges.show(numbers)
        told, self.told = self.told, {**numbers, "lag_ms": 0}
        if told != self.told:
            say(progress_text(numbers))
            threading.Thread(target=self.note, args=(progress_text(numbers),), daemon=True).start()

    # A trigger, on a thread of its own.

    def make(self, coordinator, orders, told):
        self.describe(f"tramline-trigger-{told['trigger']}", told["label"])
        for answer in self.answers([number for number, _ in orders], [line for _, line in orders]):
            coordinator.send(answer)

    def printed(self, _numbers, lines):
        """What their tasks print, each its answer and its end. Unanswered: nothing, and why."""
        return self.pipe(lines, on_nodes("work", self.args))

    def answers(self, numbers, lines):
        """One for each order."""
        try:
            return list(by_order(numbers, self.printed(numbers, lines)))
        except Unanswered as error:
            return [failed(number, error.end) for number in numbers]
        except Py4JJavaError as error:
            if self.is_stopped():
                self.tell(("gone", first_line(error)))
            elif not self.is_closing:
                say(f"a job failed: {first_line(error)}")
            return [lost(number) for number in numbers]
        except (Py4JError, OSError) as error:
            self.tell(("gone", words_of(error)))
            return []
        except Exception as error:  # or its orders would wait for their time-out, and nobody would know why
            say(f"a job failed: {type(error).__name__}: {words_of(error)}")
            return [lost(number) for number in numbers]

    # The whole.

    def run(self):
        if find_program(self.args) is None:
            return 2, "no tramline on this machine, which is to coordinate: install it, or give --archives to the driver"
        self.coordinate()
        while True:
            self.look_around()
            event = self.next_event()
            end = event and self.take(*event)
            if end:
                return end

    def take(self, kind, *what):
        """The end, or None: it goes on."""
        if kind == "signal":
            self.coordinator.end()
            return 0, f"stopped by signal {what[0]}; what was made is committed"
        if kind == "gone":
            self.coordinator.end()
            return 1, f"Spark has ended: {what[0]}"
        if what[0] is not self.coordinator:
            return None
        return self.take_line(*what[1:]) if kind == "line" else self.take_end(*what[1:])

    def take_end(self, code, text):
        if code == 0:
            return 0, "all that was in the stream is committed"
        if code in FINAL or self.is_claimed:  # it does not claim back: that would go on for ever
            return code, text
        pause_s = self.failures.pause_s(time.monotonic() - self.coordinator.began)
        if pause_s is None:
            return code or 1, text
        say(f"{text}; the coordinator starts again in {pause_s} s")
        self.begins = time.monotonic() + pause_s
        return None


def lost(order):
    return json.dumps({"v": 1, "kind": "lost", "order": order})


def by_order(numbers, printed):
    """What tasks printed: each an answer, or none, and then its end."""
    rest = iter(numbers)
    answer = None
    for line in printed:
        told = parse(line) or {}
        if "exit_code" not in told:
            answer = line
            continue
        number = next(rest)
        yield answer if answer is not None else failed(number, told)
        answer = None


def failed(order, end):
    """A worker that ended without an answer."""
    if end["exit_code"] == 0:
        return lost(order)
    return json.dumps({"v": 1, "kind": "error", "order": order, "code": end.get("code", ""),
                       "status": "final" if end["exit_code"] in FINAL else "retry",
                       "exit_code": end["exit_code"], "text": end.get("text", "ended")})
