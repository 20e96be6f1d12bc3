# SPDX-License-Identifier: Apache-2.0
"""A real standalone Spark cluster on 127.0.0.1: one master, two workers, each a JVM of its own, and
jobs of `tramline spark` on it. Spark is PyPI's (tools/stack/spark.sh)."""
import atexit
import functools
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.request

import lib

GET_LIMIT_S = 550
N_WORKERS = 2
SMALL = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"  # many JVMs on few cores
ENDS_S = 10  # from an executor's end to that of what it started


@functools.cache
def home(version=None):
    """SPARK_HOME, of another version than the tests' own too."""
    if shutil.which("java") is None:
        raise lib.Skip("there is no Java")
    env = {**os.environ, "SPARK_VERSION": version} if version else os.environ
    done = subprocess.run([lib.ROOT / "tools/stack/spark.sh"], capture_output=True, text=True, env=env,
                          stdin=subprocess.DEVNULL, timeout=GET_LIMIT_S)
    if done.returncode != 0:
        raise lib.Skip(f"Spark cannot be had from PyPI: {done.stderr.strip().splitlines()[-1:]}")
    return done.stdout.strip()


def version():
    text = (pathlib.Path(home()) / "version.py").read_text()
    return re.search(r'''__version__.*?["'](.*?)["']''', text)[1]


@functools.cache
def bundle():
    """Of the program of the release build: what other one would run on the nodes?"""
    build = lib.ROOT / "build/release"
    subprocess.run(["ninja", "-C", build, "bundle"], check=True, stdout=subprocess.DEVNULL, timeout=GET_LIMIT_S)
    return build / "tramline-bundle.tar.gz"


def environ():
    """Of the poorest locale, as nodes have it: what is not ASCII is nobody's to change all the same."""
    return {**os.environ, "LC_ALL": "C", "SPARK_HOME": home(), "SPARK_LOCAL_IP": "127.0.0.1", "SPARK_DAEMON_MEMORY": "256m",
            "SPARK_DAEMON_JAVA_OPTS": SMALL, "PYSPARK_DRIVER_PYTHON": f"{home()}/../../../../bin/python"}


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Daemon:
    """A JVM of Spark's; killed when the test ends."""

    def __init__(self, directory, kind, *args):
        self.log = directory / f"{kind}-{time.monotonic_ns()}.log"
        name = f"org.apache.spark.deploy.{kind}"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([f"{home()}/bin/spark-class", name, *map(str, args)], env=environ(),
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                                            cwd=directory)
        atexit.register(self.kill)

    @property
    def pid(self):
        return self.process.pid

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


class Cluster:
    def __init__(self):
        self.dir = lib.tmp_dir()
        self.port, self.page = free_port(), free_port()
        self.url = f"spark://127.0.0.1:{self.port}"
        self.master = Daemon(self.dir, "master.Master", "--host", "127.0.0.1", "--port", self.port,
                             "--webui-port", self.page)
        self.workers = [self.start_worker(i) for i in range(N_WORKERS)]
        atexit.register(self.end_executors)  # before the daemons', which were registered earlier
        lib.wait_until(lambda: self.alive() == N_WORKERS, 300, "Spark's workers")

    def start_worker(self, i):
        return Daemon(self.dir, "worker.Worker", "--host", "127.0.0.1", "--cores", 2, "--memory", "1g",
                      "--webui-port", 0, "--work-dir", self.dir / f"work{i}", self.url)

    def alive(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.page}/json/", timeout=5) as answer:
                return sum(w["state"] == "ALIVE" for w in json.load(answer)["workers"])
        except OSError:
            return 0

    def executors(self):
        """Pids of the executors of this cluster."""
        return [pid for pid in find_processes(lambda words: any("CoarseGrainedExecutorBackend" in w for w in words))
                if str(self.dir) in directory_of(pid)]

    def end_executors(self):
        for pid in self.executors() + self.programs():
            kill(pid, signal.SIGKILL)

    def programs(self):
        """Pids of tramline that executors of this cluster started."""
        return [pid for pid in find_processes(lambda words: "--exit-line" in words)
                if str(self.dir) in directory_of(pid)]


def directory_of(pid):
    try:
        return os.readlink(f"/proc/{pid}/cwd")
    except OSError:
        return ""


def find_processes(is_wanted):
    found = []
    for place in pathlib.Path("/proc").iterdir():
        if not place.name.isdigit():
            continue
        try:
            words = (place / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if is_wanted(words):
            found.append(int(place.name))
    return found


def kill(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


OPTIONS = ["--driver-memory", "512m", "--executor-memory", "512m", "--conf", "spark.ui.showConsoleProgress=false",
           "--conf", f"spark.driver.extraJavaOptions={SMALL}", "--conf", f"spark.executor.extraJavaOptions={SMALL}",
           "--conf", "spark.network.timeout=20s", "--conf", "spark.network.timeoutInterval=2s", "--conf", "spark.executor.heartbeatInterval=2s"]


# Where nobody is to be taken for lost, however busy the machine is.
PATIENT = ["--conf", "spark.network.timeout=300s", "--conf", "spark.executor.heartbeatInterval=20s"]


def call(cluster, words, options=()):
    """The words of a `tramline spark`: WORDS are those before the --."""
    return ["spark", *map(str, words), "--bundle", str(bundle()), "--", "--master", cluster.url, *OPTIONS, *options]


class Submitted(lib.Started):
    def __init__(self, cluster, words, options=()):
        self.cluster = cluster
        super().__init__(*call(cluster, words, options), env=environ())

    def driver(self):
        """Pid of the driver's Python, once there is one."""
        return lib.wait_until(self._drivers, 120, "the driver")[0]

    def _drivers(self):
        return [pid for pid in find_processes(lambda words: any("tramline_spark.py" in w for w in words))
                if parent_of(pid) == self.process.pid]

    def lines(self):
        return [line for line in self.text().splitlines() if line]


def parent_of(pid):
    try:
        return int(pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0
