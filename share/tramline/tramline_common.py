# SPDX-License-Identifier: Apache-2.0
"""What all engines of `tramline spark` have in common: a SparkContext, signals, events, numbers that are
shown, and the program on the driver's machine.

An engine is a class `Engine(Driver)` in a module of its own, ENGINES of tramline_spark.py names it. Its
run() gives the exit code and the last line.
"""
import json
import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from pyspark import SparkConf, SparkContext, SparkFiles
from py4j.protocol import Py4JError

ARCHIVE = "tramline"  # the name that --archives gives to what it unpacks
PROGRAM = "tramline/bin/tramline"  # in it
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1, 60
LONG_S = 600  # what ran for so long did not fail at its start
FAILURES_MAX = 5  # one after another
FINAL = (2, 3)  # wrong usage, wrong data: another try gives the same
SHOWN = ("entry", "committed", "lag_records", "lag_ms")
TOKENS_S = 60  # until the first ones are there
PIPE_BYTES = 64 << 10
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def say(text):
    print(f"tramline spark: {text}", file=sys.stderr, flush=True)


def first_line(error):
    """What Java says, without its stack; of an error without a word its name."""
    said = error.java_exception.getMessage()
    return words_of(said if said and said.strip() else error.java_exception.toString())


def words_of(error):
    """Its first line that is not empty."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def given(args):
    """The words that a tramline on a node gets."""
    return [word for value in args.set for word in ("--set", value)] + \
        [word for value in args.set_file for word in ("--set-file", value)]


def on_nodes(command, args, *words):
    """The words of a tramline that an executor starts."""
    return [f"./{ARCHIVE}/{PROGRAM}", command, args.script, "--with-parent", "--exit-line", *words, *given(args)]


def find_program(args):
    """On this machine; None: it is not there."""
    for path in (args.program, os.path.join(SparkFiles.getRootDirectory(), ARCHIVE, PROGRAM),
                 os.path.join(ARCHIVE, PROGRAM)):
        if path and os.access(path, os.X_OK):
            return os.path.abspath(path)
    return None


def is_in_cluster():
    """This driver is on a node, and not on the machine of spark-submit: a path of there is none here."""
    return SparkContext._active_spark_context.getConf().get("spark.submit.deployMode", "client") == "cluster"


def find_shipped(name, local):
    """What --files shipped by that name, on this machine: among Spark's files, or, on YARN, beside a driver that is
    on a node. Else where it is on the machine of spark-submit: another file of that name may be beside the driver."""
    beside = [name] if is_in_cluster() or not local else []
    for path in (SparkFiles.get(name), *beside, local):
        if path and os.path.exists(path):
            return os.path.abspath(path)
    return name


def find_script(args):
    return find_shipped(args.script, args.local_script)


def given_here(args):
    """The words that a tramline on this machine gets."""
    local = dict(pair.split("=", 1) for pair in args.local_set_file)
    files = []
    for pair in args.set_file:
        name, _, file = pair.partition("=")
        files += ["--set-file", f"{name}={find_shipped(file, local.get(name))}"]
    return [word for value in args.set for word in ("--set", value)] + files


def is_dynamic(conf):
    """The number of executors is Spark's to choose."""
    return conf.get("spark.dynamicAllocation.enabled", "false") == "true"


def java_list(jvm, words):
    made = jvm.java.util.ArrayList()
    for word in words:
        made.add(word)
    return made


class Failures:
    """Of something that is started again: how often one after another, and when to try again."""

    def __init__(self):
        self.n = 0

    def pause_s(self, ran_s):
        """Until the next try; None: it was the last one."""
        self.n = 1 if ran_s >= LONG_S else self.n + 1
        return None if self.n > FAILURES_MAX else min(FIRST_PAUSE_S << (self.n - 1), LONGEST_PAUSE_S)


class Gauges:
    """AccumulatorSource.tramline.*, in Spark's sinks and on /metrics/json."""

    def __init__(self, sc):
        jvm = sc._jvm
        self.accumulators = {name: sc._jsc.sc().longAccumulator(f"tramline.{name}") for name in SHOWN}
        sources = jvm.java.util.HashMap()
        for name, accumulator in self.accumulators.items():
            sources.put(f"tramline.{name}", accumulator)
        scala_object = getattr(jvm.org.apache.spark.metrics.source, "LongAccumulatorSource$")
        getattr(scala_object, "MODULE$").register(sc._jsc.sc(), jvm.PythonUtils.toScalaMap(sources))

    def show(self, numbers):
        for name, accumulator in self.accumulators.items():
            accumulator.reset()
            accumulator.add(numbers.get(name, 0))


def progress_text(numbers):
    text = f"entry {numbers['entry']}: {numbers['committed']:,} offsets are committed"
    if "lag_records" in numbers:
        text += f", {numbers['lag_records']:,} records wait"
    return text


class Tokens:
    """Delegation tokens for what runs on the nodes: `tramline token --keep` is a child of this driver's, which
    renews them and asks again, by the ticket of this machine. They lie in a folder of this user's alone, and go
    to the nodes in the lines that tasks read."""

    def __init__(self, args):
        self.folder = tempfile.mkdtemp(prefix="tramline-")
        self.file = os.path.join(self.folder, "tokens")
        script = find_script(args)
        # In a process group of its own, as it is the driver that takes signals.
        self.process = subprocess.Popen(
            [find_program(args), "token", script, "--out", self.file, "--keep", "--with-parent", *given_here(args)],
            cwd=os.path.dirname(script), stdin=subprocess.DEVNULL, start_new_session=True,
            env={**os.environ, "TRAMLINE_PARENT": str(os.getpid())})

    def wait(self, is_wanted):
        """Exit code where there are none, and None where there are some, or they are wanted no more."""
        end = time.monotonic() + TOKENS_S
        while is_wanted() and not os.path.exists(self.file) and time.monotonic() < end:
            if self.process.poll() is not None:
                return self.process.returncode or 1
            time.sleep(0.2)
        return None if os.path.exists(self.file) or not is_wanted() else 1

    def line(self):
        with open(self.file, encoding="utf-8") as file:
            return file.read().strip()

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


class Driver:
    """Threads tell events, run() takes them one after another."""

    def __init__(self, args):
        self.args = args
        self.events = queue.SimpleQueue()
        self.is_closing = False
        self.tokens = None  # until they are asked for, where they are wanted
        self.catch_signals()
        SparkContext._ensure_initialized()  # before, a SparkConf knows nothing of what spark-submit was given
        conf = SparkConf()
        self.configure(conf)
        conf.setIfMissing("spark.app.name", "tramline")
        self.sc = SparkContext(conf=conf)
        self.catch_signals()  # Spark took SIGINT
        self.sc.setLogLevel("WARN")
        self.app = re.sub(r"[^A-Za-z0-9._-]", "-", self.sc.applicationId)

    def configure(self, conf):
        """What the user did not choose."""

    def run(self):
        """Exit code and last line."""
        raise NotImplementedError

    def catch_signals(self):
        for number in SIGNALS:
            signal.signal(number, self.on_signal)

    def on_signal(self, number, _frame):
        self.events.put(("signal", number))

    def tell(self, event):
        self.events.put(event)

    def next_event(self, timeout_s=0.5):
        """None: there was none in that time. In short waits, so that a signal is heard."""
        try:
            return self.events.get(timeout=timeout_s)
        except queue.Empty:
            return None

    def is_stopped(self):
        return self.sc._jsc.sc().isStopped()

    def refusal(self):
        """Why this cannot run here; None: it can."""
        master = self.sc.master
        if master.startswith("local") and not master.startswith("local-cluster"):
            return f"master '{master}' is one process of this machine: that is what `tramline run` is"
        return None

    def ask_for_tokens(self):
        """The end, as run() gives it, or None: tasks can begin."""
        if not self.args.tokens:
            return None
        if find_program(self.args) is None:
            return 2, "no tramline on this machine, which is to ask HDFS for delegation tokens: install it"
        self.tokens = Tokens(self.args)
        code = self.tokens.wait(self.events.empty)  # a signal is run()'s to take
        return None if code is None else (code, "HDFS gave no delegation tokens for the workers; the reason is above")

    def pipe(self, lines, command):
        """One task a line, each a process that an executor starts and that reads that line: all lines that
        they print, in the order of the tasks."""
        if self.tokens is not None:
            token_line, command = self.tokens.line(), [*command, "--token-line"]
            lines = [f"{token_line}\n{line}" for line in lines]
        rdd = self.sc._jsc.parallelize(java_list(self.sc._jvm, lines), len(lines))
        return list(self.piped_by(rdd, command, self.environment()).collect())

    def piped_by(self, rdd, command, env):
        """Lines are UTF-8, whatever the locale of the executors."""
        return rdd.pipe(java_list(self.sc._jvm, command), env, False, PIPE_BYTES, "UTF-8")

    def environment(self):
        """Of what an executor starts: its HOME may be nobody's."""
        env = self.sc._jvm.java.util.HashMap()
        env.put("XDG_STATE_HOME", f"/var/tmp/tramline-{self.sc.sparkUser()}")
        return env

    def describe(self, group, text):
        """Of the jobs that this thread starts from here on."""
        self.sc.setJobGroup(group, text)

    def note(self, text):
        """A job without a task, whose description is the text."""
        self.describe("tramline-progress", text)
        self.sc._jsc.emptyRDD().count()

    def close(self):
        """The executors end, and with each what it has started, as by SIGTERM."""
        self.is_closing = True
        try:
            self.sc.stop()
        except (Py4JError, OSError):
            pass
        if self.tokens is not None:
            self.tokens.close()


def parse(line):
    """A line of JSON that a tramline printed, or None."""
    try:
        value = json.loads(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
