# SPDX-License-Identifier: Apache-2.0
"""Helpers of the end to end tests; the standard library, and jsonschema.

A test is a file test_*.py; pytest runs its functions test_* in a process (conftest.py says how). What it
starts ends with it.
"""
import atexit
import contextlib
import fcntl
import functools
import json
import os
import pathlib
import re
import secrets
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time

import jsonschema

ROOT = pathlib.Path(__file__).resolve().parents[2]
STACK = ROOT / "tools/stack.sh"
RUN_LIMIT_S = 180


class Skip(Exception):
    """Raised by a case that cannot run here; its text says why. What `./dev test` installs, builds or
    starts is no reason: without that a case fails."""


def maven_jars(part, what):
    """The folder of tools/stack/PART.pom.xml's jars, got once; skips where they cannot be had."""
    done = subprocess.run([ROOT / "tools/stack/jars-of.sh", part], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=550)
    if done.returncode != 0:
        raise Skip(f"{what} cannot be had from Maven: {done.stderr.strip().splitlines()[-1:]}")
    return done.stdout.strip()


# Cases


def is_long():
    return "TEST_LONG" in os.environ


def only_long(case):
    """Marks a case that runs with --long only."""
    case.only_long = True
    return case


def not_checked(case):
    """Marks a case that cannot run with the program of the build with sanitizers, which maps
    terabytes: one that limits its memory."""
    case.not_checked = True
    return case


def is_checked():
    """Whether the program is of the build with sanitizers, which takes more time and memory."""
    return "/asan/" in os.environ.get("TRAMLINE_BIN", "")


def wait_until(question, limit_s=90, what="a condition"):
    """Asks until the answer is true, and returns it."""
    deadline = time.monotonic() + limit_s
    while not (answer := question()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {limit_s} s for {what}")
        time.sleep(0.05)
    return answer


# Names and places


def fresh_name(prefix="t"):
    """A name that nothing else has: for topics, groups, directories."""
    return f"{prefix}_{secrets.token_hex(5)}"


def tmp_dir():
    """A new empty directory; it goes when the test passed."""
    return pathlib.Path(tempfile.mkdtemp())


def free_port():
    """A port for a server that opens it later. Below the range from which the system takes ports for
    outgoing connections, so that nobody takes it meanwhile, and those of tools/stack.sh."""
    for _ in range(1000):
        port = secrets.choice(range(10000, 20000))
        with contextlib.closing(socket.socket()) as s, contextlib.suppress(OSError):
            s.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no free port")


def feed_dir(name):
    """A folder of real feeds beside the checkout (TRAMLINE_FEEDS names another place)."""
    feeds = pathlib.Path(os.environ.get("TRAMLINE_FEEDS", ROOT.parent / "shared/data"))
    if not (feeds / name).is_dir():
        raise Skip(f"no feed {name} in {feeds}")
    return feeds / name


def _server(variable):
    if variable not in os.environ:
        raise AssertionError(f"{variable} is not set; ./dev up starts the servers")
    return os.environ[variable]


def brokers():
    return _server("TRAMLINE_BROKERS")


def hdfs_url(path=""):
    """hdfs://host:port/path; without a path a fresh directory that does not exist yet."""
    return f"{_server('TRAMLINE_HDFS')}/{path.lstrip('/') or 'e2e/' + fresh_name()}"


def registry_url():
    return _server("TRAMLINE_REGISTRY")


# The program


def program():
    path = pathlib.Path(os.environ.get("TRAMLINE_BIN", ROOT / "build/release/tramline"))
    if not path.exists():
        raise AssertionError(f"no program {path}; ./dev build makes it")
    return str(path)


def preloaded(source):
    """The environment by which the program has the shared library of a C file beside this one,
    built again, in front of the others."""
    made = tmp_dir() / f"{source}.so"
    compiler = os.environ.get("CC", "cc")
    subprocess.run([compiler, "-O1", "-Wall", "-Wextra", "-Werror", "-D_GNU_SOURCE", "-shared", "-fPIC",
                    pathlib.Path(__file__).with_name(f"{source}.c"), "-o", made], check=True)
    if not is_checked():
        return {"LD_PRELOAD": str(made)}
    # The sanitizer wants to be the first, and cannot open its file then.
    first = subprocess.run([compiler, "-print-file-name=libasan.so"], check=True, text=True,
                           stdout=subprocess.PIPE).stdout.strip()
    options = {name: re.sub(":log_path=[^:]*", "", os.environ[name])
               for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS") if name in os.environ}
    return {"LD_PRELOAD": f"{first}:{made}", **options}


class Run:
    """What a run of the program left: code, out, err (text) and seconds."""

    def __init__(self, code, out, err, seconds):
        self.code, self.out, self.err, self.seconds = code, out, err, seconds

    def json(self):
        return json.loads(self.out)


def root_is_a_mount():
    """Whether mounts below "/" can be kept from all others: not in a chroot, where "/" is none."""
    mounts = pathlib.Path("/proc/self/mountinfo").read_text().splitlines()
    return any(line.split()[4] == "/" for line in mounts)


def with_own_mounts(*command):
    """The command, with mounts of its own. In a chroot others may see them until they are undone."""
    propagation = "private" if root_is_a_mount() else "unchanged"
    return ["unshare", "--mount", "--propagation", propagation, *command]


def choose(args, cwd=None):
    """The same tests for other ways to read: the scripts among the arguments read Kafka by the client
    TRAMLINE_TEST_CLIENT and by TRAMLINE_TEST_WORKERS threads, where they say nothing of it."""
    client, workers = (os.environ.get(f"TRAMLINE_TEST_{name}") for name in ("CLIENT", "WORKERS"))
    for arg in map(str, args):
        path = pathlib.Path(cwd or ".", arg)
        if not (client or workers) or not arg.endswith(".sql") or not path.is_file():
            continue
        text = chosen = path.read_text()
        if client and not re.search(r"\bclient\s*=", text):
            chosen = re.sub(r"(connector\s*=\s*'kafka')", rf"\1, client = '{client}'", chosen)
        if workers and "'kafka'" in text and not re.search(r"SET workers\b", text):
            chosen = f"SET workers = '{workers}';\n{chosen}"
        if text != chosen:
            path.write_text(chosen)


def run(*args, limit_s=RUN_LIMIT_S, env=None, code=0, cwd=None, binary=None, input=None):
    """Runs `tramline ARGS`, or another `binary`; fails when it takes too long or its exit code is not
    `code` (None: any will do). `input` is its standard input."""
    began = time.monotonic()
    choose(args, cwd)
    command = [binary or program(), *map(str, args)]
    print("$", shlex.join(["tramline", *command[1:]]), flush=True)
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL if input is None else subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               env={**os.environ, **(env or {})}, cwd=cwd)
    try:
        out, err = process.communicate(None if input is None else input.encode(), timeout=limit_s)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        show(out, err)
        raise AssertionError(f"tramline {args[0]}: still running after {limit_s} s") from None
    except BaseException:
        process.kill()
        raise
    done = Run(process.returncode, out.decode(errors="replace"), err.decode(errors="replace"),
               time.monotonic() - began)
    if code is not None and done.code != code:
        show(out, err)
        raise AssertionError(f"tramline {args[0]}: exit code {done.code}, not {code}")
    if "--json" in args and binary is None:
        check_json(args[0], done)
    return done


@functools.cache
def schema_of(*command):
    """What `--json=schema` prints, ready to check values; without a command that of lines on stderr."""
    printed = subprocess.run([program(), *command, "--json=schema"], check=True, stdout=subprocess.PIPE)
    return jsonschema.Draft202012Validator(json.loads(printed.stdout))


def check_value(validator, value):
    error = jsonschema.exceptions.best_match(validator.iter_errors(value))
    if error is not None:
        raise AssertionError(f"{error.message}\nat {error.json_path} of {json.dumps(value)[:2000]}")


def check_json(command, done):
    """What a run with --json printed is what its schema says: stdout, and the errors on stderr."""
    schema = schema_of(command)
    if schema.schema.get("x-lines"):
        values = done.out.splitlines()
    else:
        values = [done.out] if done.out or done.code == 0 else []
    for text in values[:1000]:
        check_value(schema, json.loads(text))
    for line in done.err.splitlines()[:1000]:
        if line.startswith("{"):
            check_value(schema_of(), json.loads(line))


def show(*outputs):
    for output in outputs:
        print(output.decode(errors="replace")[-4000:], flush=True)


class Started:
    """A program in the background, its output in a file; killed when the test ends."""

    def __init__(self, *args, env=None, cwd=None, binary=None):
        self.log = tmp_dir() / "log"
        choose(args, cwd)
        print("$", shlex.join(["tramline", *map(str, args)]), "&", flush=True)
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [binary or program(), *map(str, args)], stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT, env={**os.environ, **(env or {})}, cwd=cwd)
        atexit.register(self.kill)

    def text(self):
        return self.log.read_text(errors="replace")

    def is_running(self):
        return self.process.poll() is None

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        """SIGKILL, as a crash; nothing is said back."""
        if self.is_running():
            self.process.kill()
        self.process.wait()

    def wait(self, limit_s=RUN_LIMIT_S, code=0):
        """Waits for its end and checks its exit code (None: any)."""
        try:
            got = self.process.wait(limit_s)
        except subprocess.TimeoutExpired:
            print(self.text()[-4000:], flush=True)
            raise AssertionError(f"still running after {limit_s} s") from None
        if code is not None and got != code:
            print(self.text()[-4000:], flush=True)
            raise AssertionError(f"exit code {got}, not {code}")
        return got

    def stop(self, limit_s=RUN_LIMIT_S, code=0):
        """SIGTERM, and waits for the orderly end."""
        self.signal(signal.SIGTERM)
        return self.wait(limit_s, code)


def is_stopped(started):
    """Whether SIGSTOP has stopped it."""
    stat = pathlib.Path(f"/proc/{started.process.pid}/stat").read_text()
    return stat.rpartition(") ")[2][0] == "T"


# Servers of the test's own, and faults between it and them


class Stack:
    """Servers of this test alone, for tests that kill or pause them; down when the test ends."""

    def __init__(self, *parts):
        self.dir = tmp_dir()
        self.environ = {**os.environ, "STACK_DIR": str(self.dir)}
        atexit.register(self.down)
        exports = self.tool("up", *parts).splitlines()
        self.env = dict(shlex.split(e.partition(" ")[2])[0].split("=", 1) for e in exports)

    def tool(self, *args):
        done = subprocess.run([STACK, *args], env=self.environ, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            raise AssertionError(f"stack.sh {' '.join(args)}: {done.stderr.strip()}")
        return done.stdout

    def kill(self, server):
        self.tool("kill", server)

    def stop(self, server):
        self.tool("stop", server)

    def start(self, server):
        self.tool("start", server)

    def pause(self, server):
        self.tool("pause", server)

    def resume(self, server):
        self.tool("resume", server)

    def down(self):
        if (self.dir / "ports").exists():
            self.tool("down")


class FaultProxy:
    """tools/fault_proxy.py in front of HOST:PORT; do("drop op=RENAME") commands it."""

    def __init__(self, to, listen=0, rewrites=()):
        command = [sys.executable, ROOT / "tools/fault_proxy.py", "--to", to]
        command += ["--listen", str(listen)]
        for old, new in rewrites:
            command += ["--rewrite", f"{old}={new}"]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, text=True)
        atexit.register(self.stop)
        words = dict(word.split("=") for word in self.process.stdout.readline().split())
        self.port = int(words["listen"])
        self.address = f"127.0.0.1:{self.port}"
        self.control = socket.create_connection(("127.0.0.1", int(words["control"])), 10)
        self.answers = self.control.makefile()

    def do(self, command):
        self.control.sendall(command.encode() + b"\n")
        answer = json.loads(self.answers.readline())
        if "error" in answer:
            raise ValueError(f"{command}: {answer['error']}")
        return answer

    def stats(self):
        return self.do("stats")

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait()
            self.control.close()
            self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


@contextlib.contextmanager
def kafka_behind(env=None):
    """(behind, before): the broker has a few listeners that advertise a proxy's address, one for each proxy, so that no
    client goes around it; waits for one that no other test has."""
    env = env or os.environ
    addresses = list(zip(env["TRAMLINE_BROKERS_BEHIND_PROXY"].split(), env["TRAMLINE_BROKERS_PROXY"].split()))

    def take():
        for behind, before in addresses:
            lock = open(pathlib.Path(env["TRAMLINE_STACK_DIR"]) / f"proxy-{before}.lock", "w")
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return lock, behind, before
            except BlockingIOError:
                lock.close()
        return None

    lock, behind, before = wait_until(take, 600, "a proxy's address")
    with lock:
        yield behind, before


@contextlib.contextmanager
def proxied_kafka(env=None):
    """A proxy that no client goes around."""
    with kafka_behind(env) as (behind, before), FaultProxy(behind, int(before.rpartition(":")[2])) as proxy:
        yield proxy


@contextlib.contextmanager
def proxied_hdfs(env=None):
    """Proxies before the name node and the data node, and the URL to give to the program. The
    name node's redirects lead to the data node's proxy."""
    env = env or os.environ
    with FaultProxy(env["TRAMLINE_DATANODE"]) as data:
        rewrites = [(f"//{env['TRAMLINE_DATANODE']}/", f"//{data.address}/")]
        with FaultProxy(env["TRAMLINE_HDFS"].removeprefix("hdfs://"), 0, rewrites) as name:
            yield name, data, f"hdfs://{name.address}"
