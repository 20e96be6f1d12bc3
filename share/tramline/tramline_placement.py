# SPDX-License-Identifier: Apache-2.0
"""Engine `placement`: N tasks, each of which is a `tramline run` that the executor's JVM starts.

Each worker is a job of one task, so that its end is heard at once, whatever the others do. What is
committed is in the commit log: a worker that is lost, or that runs twice for a while, loses nothing and
doubles nothing.
"""
import json
import os
import re
import subprocess
import threading
import time

from py4j.protocol import Py4JError, Py4JJavaError

from tramline_common import (FINAL, LONGEST_PAUSE_S, Driver, Failures, Gauges, find_program, find_script, first_line,
                             given_here, is_dynamic, on_nodes, progress_text, say, words_of)

TELL_S = 10
STATUS_LIMIT_S = 60


class Worker:
    """One `tramline run` after the other, as jobs of one task, on a thread of its own."""

    def __init__(self, driver, number):
        self.driver, self.number = driver, number
        self.failures = Failures()

    def command(self):
        driver = self.driver
        return on_nodes("run", driver.args, "--instance", f"{driver.app}/{self.number}",
                        "--members", str(driver.args.workers), *(["--once"] if driver.args.once else []))

    def start(self):
        threading.Thread(target=self.run, name=f"worker {self.number}", daemon=True).start()

    def run(self):
        while True:
            began = time.monotonic()
            code, text = self.run_once()
            if self.driver.is_closing:
                return None
            if code == 0 and self.driver.args.once:
                return self.driver.tell(("done", self.number))
            if code in FINAL:
                return self.driver.tell(("failed", code, text))
            pause_s = self.failures.pause_s(time.monotonic() - began)
            if pause_s is None:
                return self.driver.tell(("failed", code or 1, text))
            say(f"worker {self.number}: {text}; starts again in {pause_s} s")
            time.sleep(pause_s)

    def run_once(self):
        """Exit code and text; what Spark says when there is no exit code."""
        driver = self.driver
        driver.describe(f"tramline-{self.number}", f"worker {self.number + 1} of {driver.args.workers}: "
                        f"tramline run {driver.args.script}")
        try:
            end = json.loads(driver.pipe([""], self.command())[-1])
            return end["exit_code"], end.get("text", "ended")
        except Py4JJavaError as error:
            if driver.is_stopped():
                driver.tell(("gone", first_line(error)))
            return spark_failed(first_line(error))
        except (Py4JError, OSError, ValueError, LookupError) as error:
            driver.tell(("gone", words_of(error)))
            time.sleep(LONGEST_PAUSE_S)
            return 1, str(error)


def spark_failed(text):
    status = re.search(r"Subprocess exited with status (\d+)", text)
    if status is not None:
        return int(status.group(1)), f"ended with {status.group(1)}; the executor's stderr says why"
    return 1, text


class Progress:
    """Looks at the job's log and topic again and again: jobs without a task, whose descriptions tell how
    far it is, and a metrics source."""

    def __init__(self, driver):
        self.driver = driver
        self.program = find_program(driver.args)
        self.told, self.failed = None, False
        self.gauges = Gauges(driver.sc)

    def start(self):
        if self.program is None:
            return say("no tramline on this machine: there is no progress to tell; see the executors' logs")
        threading.Thread(target=self.run, name="progress", daemon=True).start()

    def run(self):
        while True:
            time.sleep(TELL_S)
            self.tell()

    def look(self):
        script = find_script(self.driver.args)
        done = subprocess.run([self.program, "status", script, "--json", *given_here(self.driver.args)],
                              capture_output=True, text=True, stdin=subprocess.DEVNULL,
                              timeout=STATUS_LIMIT_S, cwd=os.path.dirname(script))
        if done.returncode != 0 and not done.stdout:
            raise ValueError(json.loads(done.stderr.strip().rpartition("\n")[2])["text"])
        return numbers_of(json.loads(done.stdout))

    def tell(self):
        try:
            numbers = self.look()
            self.failed = False
        except (subprocess.SubprocessError, ValueError, KeyError, OSError) as error:
            if not self.failed:
                say(f"the job's log cannot be looked at now: {error}")
            self.failed = True
            return
        self.gauges.show(numbers)
        told, self.told = self.told, {**numbers, "lag_ms": 0}
        if told != self.told:
            say(progress_text(numbers))
            self.driver.note(progress_text(numbers))


def numbers_of(status):
    """What `tramline status --json` says, by the names of SHOWN; what it does not know is left out."""
    numbers = {
        "entry": status["next_entry"] - 1,
        "committed": sum(partition["committed"] or 0 for partition in status["partitions"]),
        "lag_records": status["lag"]["records"],
        "lag_ms": None if status["lag"]["seconds"] is None else int(status["lag"]["seconds"] * 1000),
    }
    return {name: number for name, number in numbers.items() if number is not None}


class Engine(Driver):
    def configure(self, conf):
        """An executor for each worker, all of them there before the first begins."""
        workers, cores = self.args.workers, conf.get("spark.executor.cores", "1")
        for name, value in (
                ("spark.executor.cores", cores), ("spark.task.cpus", cores),
                ("spark.executor.instances", str(workers)), ("spark.cores.max", str(workers * int(cores))),
                ("spark.scheduler.minRegisteredResourcesRatio", "1.0")):
            conf.setIfMissing(name, value)
        if is_dynamic(conf):  # the cluster's default, it may be
            say("spark.dynamicAllocation.enabled is set to false: the workers are as many as --workers says, and do "
                "not end; --engine units takes executors as they come and go")
            conf.set("spark.dynamicAllocation.enabled", "false")

    def run(self):
        progress = Progress(self)
        progress.start()
        for number in range(self.args.workers):
            Worker(self, number).start()
        n_done = 0
        while n_done < self.args.workers:
            event = self.next_event()
            if event is None:
                continue
            kind, *what = event
            if kind == "signal":
                return 0, f"stopped by signal {what[0]}; what was read is committed"
            if kind == "failed":
                return what[0], what[1]
            if kind == "gone":
                return 1, f"Spark has ended: {what[0]}"
            n_done += 1
        if progress.program:
            progress.tell()
        return 0, f"all {self.args.workers} workers are at the end of the stream"
