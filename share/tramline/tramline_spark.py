# SPDX-License-Identifier: Apache-2.0
"""Runs a Tramline script on a Spark cluster: N tasks, each of which is a `tramline run` that the
executor's JVM starts. `tramline spark` makes the call; plain PySpark, Spark 3.4 to 4.x.

    spark-submit ... --archives tramline-bundle.tar.gz#tramline --files p.sql \\
        tramline_spark.py p.sql --workers N [--once] [--set NAME=VALUE] [--set-file NAME=FILE]

Each worker is a job of one task, so that its end is heard at once, whatever the others do. Nodes need
no Python, no jar and no library. What is committed is in the commit log: a worker that is lost, or that
runs twice for a while, loses nothing and doubles nothing.
"""
import argparse
import json
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time

from pyspark import SparkConf, SparkContext, SparkFiles
from py4j.protocol import Py4JError, Py4JJavaError

ARCHIVE = "tramline"  # the name that --archives gives to what it unpacks
PROGRAM = "tramline/bin/tramline"  # in it
TELL_S = 10
STATUS_LIMIT_S = 60
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1, 60
LONG_S = 600  # a worker that ran for so long did not fail at its start
FAILURES_MAX = 5  # one after another
FINAL = (2, 3)  # wrong usage, wrong data: another try gives the same
SHOWN = ("entry", "committed", "lag_records", "lag_ms")


def say(text):
    print(f"tramline spark: {text}", file=sys.stderr, flush=True)


def first_line(error):
    """What Java says, without its stack."""
    return str(error.java_exception.getMessage()).splitlines()[0]


def arguments():
    parser = argparse.ArgumentParser(prog="tramline_spark.py", description=__doc__.split("\n\n")[0])
    parser.add_argument("script", help="its name as --files ships it")
    parser.add_argument("--workers", type=int, required=True, metavar="N")
    parser.add_argument("--once", action="store_true")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--set-file", action="append", default=[], metavar="NAME=FILE")
    parser.add_argument("--program", help="the program on this machine, which looks at the log")
    parser.add_argument("--local-script", help="the script on this machine")
    return parser.parse_args()


def given(args):
    """The words that each tramline gets."""
    return [word for value in args.set for word in ("--set", value)] + \
        [word for value in args.set_file for word in ("--set-file", value)]


def configuration(workers):
    """What the user did not choose: an executor for each worker, all of them there before the first
    begins."""
    conf = SparkConf()
    cores = conf.get("spark.executor.cores", "1")
    for name, value in (
            ("spark.app.name", "tramline"), ("spark.executor.cores", cores), ("spark.task.cpus", cores),
            ("spark.executor.instances", str(workers)), ("spark.cores.max", str(workers * int(cores))),
            ("spark.scheduler.minRegisteredResourcesRatio", "1.0")):
        conf.setIfMissing(name, value)
    return conf


class Worker:
    """One `tramline run` after the other, as jobs of one task, on a thread of its own."""

    def __init__(self, driver, number):
        self.driver, self.number = driver, number
        self.failures = 0

    def command(self):
        driver = self.driver
        return [f"./{ARCHIVE}/{PROGRAM}", "run", driver.args.script, "--with-parent", "--exit-line",
                "--instance", f"{driver.app}/{self.number}", "--members", str(driver.args.workers),
                *(["--once"] if driver.args.once else []), *given(driver.args)]

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
            self.failures = 1 if time.monotonic() - began >= LONG_S else self.failures + 1
            if self.failures > FAILURES_MAX:
                return self.driver.tell(("failed", code or 1, text))
            pause_s = min(FIRST_PAUSE_S << (self.failures - 1), LONGEST_PAUSE_S)
            say(f"worker {self.number}: {text}; starts again in {pause_s} s")
            time.sleep(pause_s)

    def run_once(self):
        """Exit code and text; what Spark says when there is no exit code."""
        sc, jvm = self.driver.sc, self.driver.sc._jvm
        sc.setJobGroup(f"tramline-{self.number}", f"worker {self.number + 1} of {self.driver.args.workers}: "
                       f"tramline run {self.driver.args.script}")
        command = jvm.java.util.ArrayList()
        for word in self.command():
            command.add(word)
        env = jvm.java.util.HashMap()
        env.put("XDG_STATE_HOME", f"/var/tmp/tramline-{sc.sparkUser()}")  # HOME may be nobody's here
        nothing = jvm.java.util.ArrayList()
        nothing.add("")
        try:
            lines = list(sc._jsc.parallelize(nothing, 1).pipe(command, env).collect())
            end = json.loads(lines[-1])
            return end["exit_code"], end.get("text", "ended")
        except Py4JJavaError as error:
            if sc._jsc.sc().isStopped():
                self.driver.tell(("gone", first_line(error)))
            return self.spark_failed(first_line(error))
        except (Py4JError, OSError, ValueError, LookupError) as error:
            self.driver.tell(("gone", str(error).splitlines()[0]))
            time.sleep(LONGEST_PAUSE_S)
            return 1, str(error)

    def spark_failed(self, text):
        status = re.search(r"Subprocess exited with status (\d+)", text)
        if status is not None:
            return int(status.group(1)), f"ended with {status.group(1)}; the executor's stderr says why"
        return 1, text


class Progress:
    """Looks at the job's log and topic again and again: jobs without a task, whose descriptions tell how
    far it is, and a metrics source."""

    def __init__(self, driver):
        self.driver = driver
        self.program = self.find_program()
        self.told, self.failed = None, False
        self.accumulators = self.register()

    def find_program(self):
        for path in (self.driver.args.program, os.path.join(SparkFiles.getRootDirectory(), ARCHIVE, PROGRAM),
                     os.path.join(ARCHIVE, PROGRAM)):
            if path and os.access(path, os.X_OK):
                return os.path.abspath(path)
        return None

    def register(self):
        """AccumulatorSource.tramline.*, in Spark's sinks and on /metrics/json."""
        sc, jvm = self.driver.sc, self.driver.sc._jvm
        accumulators = {name: sc._jsc.sc().longAccumulator(f"tramline.{name}") for name in SHOWN}
        sources = jvm.java.util.HashMap()
        for name, accumulator in accumulators.items():
            sources.put(f"tramline.{name}", accumulator)
        scala_object = getattr(jvm.org.apache.spark.metrics.source, "LongAccumulatorSource$")
        getattr(scala_object, "MODULE$").register(sc._jsc.sc(), jvm.PythonUtils.toScalaMap(sources))
        return accumulators

    def start(self):
        if self.program is None:
            return say("no tramline on this machine: there is no progress to tell; see the executors' logs")
        threading.Thread(target=self.run, name="progress", daemon=True).start()

    def run(self):
        while True:
            time.sleep(TELL_S)
            self.tell()

    def find_script(self):
        """Where --files put it, on YARN beside the driver; else on the machine of spark-submit."""
        args = self.driver.args
        for path in (SparkFiles.get(args.script), args.script, args.local_script):
            if path and os.path.exists(path):
                return os.path.abspath(path)
        return args.script

    def look(self):
        script = self.find_script()
        done = subprocess.run([self.program, "status", script, "--json", *given(self.driver.args)],
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
        for name, accumulator in self.accumulators.items():
            accumulator.reset()
            accumulator.add(numbers.get(name, 0))
        told, self.told = self.told, {**numbers, "lag_ms": 0}
        if told == self.told:
            return
        text = f"entry {numbers['entry']}: {numbers['committed']:,} offsets are committed"
        if "lag_records" in numbers:
            text += f", {numbers['lag_records']:,} records wait"
        say(text)
        sc = self.driver.sc
        sc.setJobGroup("tramline-progress", text)
        sc._jsc.emptyRDD().count()


def numbers_of(status):
    """What `tramline status --json` says, by the names of SHOWN; what it does not know is left out."""
    numbers = {
        "entry": status["next_entry"] - 1,
        "committed": sum(partition["committed"] or 0 for partition in status["partitions"]),
        "lag_records": status["lag"]["records"],
        "lag_ms": None if status["lag"]["seconds"] is None else int(status["lag"]["seconds"] * 1000),
    }
    return {name: number for name, number in numbers.items() if number is not None}


class Driver:
    def __init__(self, args):
        self.args = args
        self.events = queue.SimpleQueue()
        self.is_closing = False
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self.on_signal)
        self.sc = SparkContext(conf=configuration(args.workers))
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):  # Spark took SIGINT
            signal.signal(number, self.on_signal)
        self.sc.setLogLevel("WARN")
        self.app = re.sub(r"[^A-Za-z0-9._-]", "-", self.sc.applicationId)

    def on_signal(self, number, _frame):
        self.events.put(("signal", number))

    def tell(self, event):
        self.events.put(event)

    def next_event(self):
        """In short waits, so that a signal is heard."""
        while True:
            try:
                return self.events.get(timeout=0.5)
            except queue.Empty:
                pass

    def run(self):
        master = self.sc.master
        if master.startswith("local") and not master.startswith("local-cluster"):
            return 2, f"master '{master}' is one process of this machine: that is what `tramline run` is"
        progress = Progress(self)
        progress.start()
        for number in range(self.args.workers):
            Worker(self, number).start()
        n_done = 0
        while n_done < self.args.workers:
            kind, *what = self.next_event()
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

    def close(self):
        """The executors end, and with each its worker, as by SIGTERM."""
        self.is_closing = True
        try:
            self.sc.stop()
        except (Py4JError, OSError):
            pass


def main():
    args = arguments()
    try:
        driver = Driver(args)
    except Py4JJavaError as error:
        code, text = 1, "Spark does not begin: " + first_line(error)
    else:
        code, text = driver.run()
        driver.close()
    say(text)
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
