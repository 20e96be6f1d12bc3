# SPDX-License-Identifier: Apache-2.0
# test: needs nothing
"""What a wrong command line, script or file gives: tests/e2e/messages/*.txt, to the letter.

A file begins with files that all of its cases have: "=== file NAME" and its text. A case is
"=== run WORDS", files of its own, and what is said: "=== stderr CODE" and the text, <DIR> for the
directory in which all happens. "=== dir NAME" makes a directory, "=== stdout" asks for that too.
"=== env NAME VALUE" sets a variable. A blank line before
"===" is not text, <TIME> the time of a log line. A run that ends with 2 must leave the directory untouched.
"""
import contextlib
import fcntl
import http.server
import json
import os
import pathlib
import pty
import re
import resource
import shlex
import signal
import socketserver
import ssl
import subprocess
import threading

import disk
import lib

FOLDER = pathlib.Path(__file__).parent / "messages"


def parts_of(text):
    """[(words of the mark, text)]"""
    found = re.split(r"^=== (.*)\n", text, flags=re.M)[1:]
    return [(head.split(maxsplit=1), re.sub(r"\n\n\Z", "\n", body))
            for head, body in zip(found[::2], found[1::2])]


def cases_of(text):
    """(what all have, [(command, [part])])"""
    common, cases = [], []
    for mark, body in parts_of(text):
        if mark[0] == "run":
            cases.append((mark[1], []))
        else:
            (cases[-1][1] if cases else common).append((mark, body))
    return common, cases


def make(directory, mark, body):
    if mark[0] == "dir":
        (directory / mark[1]).mkdir(parents=True, exist_ok=True)
    elif mark[0] == "file":
        path = directory / mark[1]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(body)


def tree(directory):
    """What it holds, but the program's own scratch."""
    return {p: p.read_bytes() if p.is_file() else None for p in directory.rglob("*")
            if ".local" not in p.parts}


def shown(text, directory):
    text = re.sub(r"^\d{4}-\d\d-\d\dT\S+Z ", "<TIME> ", text, flags=re.M)
    return text.replace(str(directory), "<DIR>")


def own_env(directory):
    return {"TMPDIR": str(directory), "HOME": str(directory), "XDG_STATE_HOME": ""}


def run_case(command, common, parts):
    directory = lib.tmp_dir()
    for mark, body in common + parts:
        make(directory, mark, body)
    before = tree(directory)
    said = {mark[0]: (mark, body) for mark, body in parts}
    (_, code), expected = said["stderr"]
    env = own_env(directory)
    env.update(mark[1].split() for mark, _ in common + parts if mark[0] == "env")
    done = lib.run(*shlex.split(command), cwd=directory, code=None, env=env)
    wrong = []
    if done.code != int(code):
        wrong.append(f"exit code {done.code}, not {code}")
    for name, got in (("stderr", done.err), ("stdout", done.out)):
        got = shown(got, directory)
        if name in said and got != said[name][1]:
            wrong.append(f"{name}:\n{got}instead of:\n{said[name][1]}")
    if done.code == 2 and tree(directory) != before:
        wrong.append("files were changed")
    return [f"tramline {command}: {text}" for text in wrong]


def check_file(name, least):
    common, cases = cases_of((FOLDER / name).read_text())
    assert len(cases) >= least, len(cases)
    wrong = [text for command, parts in cases for text in run_case(command, common, parts)]
    assert not wrong, "\n".join(wrong)


def test_command_lines():
    check_file("command.txt", 50)


def test_tests_of_a_pipeline():
    check_file("test.txt", 45)


def place():
    """A directory with the files that the cases of command.txt have in common."""
    directory = lib.tmp_dir()
    for mark, body in cases_of((FOLDER / "command.txt").read_text())[0]:
        make(directory, mark, body)
    return directory


def said(directory, *args, code, **more):
    """What a command says on stderr."""
    done = lib.run(*args, cwd=directory, code=code, env=own_env(directory), **more)
    return shown(done.err, directory)


def same(got, expected):
    assert got == expected, f"{got}instead of:\n{expected}"


def test_output_that_cannot_be_written_is_told():
    with open("/dev/full", "w") as full:
        done = subprocess.run([lib.program(), "check", "p.sql"], cwd=place(), stdout=full,
                              stderr=subprocess.PIPE, text=True, timeout=lib.RUN_LIMIT_S)
    same(done.stderr, "tramline check: cannot write to standard output: No space left on "
                      "device\n")
    assert done.returncode == 1


def test_help_that_cannot_be_written_is_told():
    for args, name in ((["--help"], ""), (["-h"], ""), (["help"], ""), (["--version"], ""),
                       (["help", "run"], ""), (["help", "sql"], ""), (["run", "--help"], " run"),
                       (["cat", "-h"], " cat"), (["reference"], " reference")):
        with open("/dev/full", "w") as full:
            done = subprocess.run([lib.program(), *args], stdout=full, stderr=subprocess.PIPE,
                                  text=True, timeout=lib.RUN_LIMIT_S)
        assert done.returncode == 1, args
        assert done.stderr.startswith(f"tramline{name}: cannot write to standard output"), done.stderr


def test_help_takes_a_command_or_a_page():
    for name in re.findall(r"^  (\w+) ", lib.run("--help").out, flags=re.M):
        assert lib.run("help", name).out == lib.run(name, "--help").out
    assert lib.run("help").out == lib.run("--help").out
    page = lib.ROOT / "docs/sql.md"
    assert lib.run("help", "sql").out == page.read_text()


def test_hints_name_what_an_installed_program_has():
    """No string of the program names a file of docs/."""
    names = re.compile(rb"docs/[a-z_-]+\.md|[a-z_-]+\.md (lists|shows|says)")
    found = names.search(pathlib.Path(lib.program()).read_bytes())
    assert found is None, found


def test_what_was_printed_stands_before_the_error():
    with open(lib.tmp_dir() / "both", "w+") as both:
        done = subprocess.run([lib.program(), "check", "--live", "p.sql"], cwd=place(), stdout=both,
                              stderr=both, timeout=lib.RUN_LIMIT_S)
        both.seek(0)
        lines = both.read().splitlines()
    assert done.returncode == 1 and lines[0].startswith("p.sql: good: "), lines
    assert lines[-1].startswith("tramline check: not ready: "), lines


def test_files_that_are_too_large_are_refused():
    directory = place()
    (directory / "large").write_bytes(b"x" * (4 << 20))
    same(said(directory, "check", "large", code=2),
         "tramline check: large has more than 4194303 bytes\n")
    same(said(directory, "check", "p.sql", "--set-file", "PW=large", code=2),
         "tramline check: --set-file PW: large has more than 1048575 bytes\n"
         "(tramline check --help says more)\n")
    make(directory, ("file", "stop_times.txt"), "trip_id,stop_sequence\n")
    make(directory, ("file", "staged/_feed.json"), " " * ((16 << 20) + 1))
    same(said(directory, "run", "p.sql", code=1),
         "tramline run: file://<DIR>/staged/_feed.json: more than 16777216 bytes\n")


def test_a_script_from_standard_input_has_a_name():
    done = subprocess.run([lib.program(), "check", "-"], input="SELEC 1", text=True,
                          capture_output=True, timeout=lib.RUN_LIMIT_S)
    same(done.stderr, 'standard input:1:1: error: syntax error at or near "SELEC"\n'
                      "  SELEC 1\n  ^\n"
                      "  hint: tramline help sql shows how statements are written\n"
                      "tramline check: standard input has errors; nothing was done\n")
    assert done.returncode == 2


def answer(directory, text):
    """Runs init --reset on a terminal and types the text; its code and what was shown."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen([lib.program(), "init", "--reset", "p.sql"], cwd=directory,
                               env={**os.environ, **own_env(directory)}, stdin=theirs,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    os.close(theirs)
    os.write(ours, text)
    out, err = process.communicate(timeout=lib.RUN_LIMIT_S)
    os.close(ours)
    return process.returncode, shown(err, directory), shown(out, directory)


def test_a_reset_is_asked_for():
    directory = place()
    lib.run("init", "p.sql", cwd=directory)
    part = directory / "result/part-00000000000000000001-0.csv"
    part.touch()
    question = "--reset removes the result and its log in result.\nType yes to go on: "
    code, err, _ = answer(directory, b"y\n")
    same(err, question + "tramline init: not confirmed; nothing was removed\n")
    assert code == 1 and part.exists()
    code, err, out = answer(directory, b"yes\n")
    same(err, question)
    assert code == 0 and "removed" in out and not part.exists()


@contextlib.contextmanager
def slots_taken(directory, n):
    """Locks of n workers of job j, as running ones hold them."""
    locks = directory / ".local/state/tramline/j"
    locks.mkdir(parents=True)
    with contextlib.ExitStack() as stack:
        for i in range(n):
            lock = stack.enter_context(open(locks / f"slot-{i}.lock", "w"))
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def test_a_running_job_is_not_reset():
    directory = place()
    (directory / "p.sql").write_text("SET job.name = 'j';\n" + (directory / "p.sql").read_text())
    with slots_taken(directory, 1):
        same(said(directory, "init", "--reset", "--yes", "p.sql", code=1),
             "tramline init: job j is running on this machine; stop it before --reset\n")


def test_more_workers_than_slots_are_refused():
    directory = place()
    (directory / "p.sql").write_text("SET job.name = 'j';\n" + (directory / "p.sql").read_text())
    with slots_taken(directory, 64):
        same(said(directory, "run", "p.sql", code=1),
             "tramline run: 64 workers of job j run on this machine already, or "
             "tramline init --reset is at work; stop one, or "
             "name another job by SET job.name\n")


def staged():
    """A place whose run can begin."""
    directory = place()
    make(directory, ("file", "staged/trips/trips.csv"), "trip_id,route_id\n0,0\n1,1\n2,2\n")
    make(directory, ("file", "stop_times.txt"), "trip_id,stop_sequence\n0,1\n1,1\n")
    return directory


class ChangingTable(http.server.BaseHTTPRequestHandler):
    """HDFS with one table of one row, whose file is another one each time that it is looked at."""

    looks = 0

    def do_GET(self):
        op = re.search("op=([A-Z_]+)", self.path)[1]
        path = self.path.removeprefix("/webhdfs/v1").partition("?")[0]
        ChangingTable.looks += 1
        file = {"type": "FILE", "length": len(ONE_TRIP), "modificationTime": ChangingTable.looks,
                "pathSuffix": "", "permission": "640"}
        if op == "OPEN" and path == "/t/trips/trips.csv" and "as=data" in self.path:
            self.tell(ONE_TRIP)
        elif op == "OPEN" and path == "/t/trips/trips.csv":
            self.send_response(307)
            self.send_header("Location", f"http://{self.headers['Host']}{self.path}&as=data")
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif op == "LISTSTATUS_BATCH" and path == "/t/trips":
            files = {"FileStatuses": {"FileStatus": [{**file, "pathSuffix": "trips.csv"}]}}
            self.tell_json({"DirectoryListing": {"partialListing": files, "remainingEntries": 0}})
        elif op == "GETFILESTATUS" and path == "/t/trips/trips.csv":
            self.tell_json({"FileStatus": file})
        else:
            self.tell_json({"RemoteException": {"exception": "FileNotFoundException"}}, 404)

    def tell_json(self, answer, code=200):
        self.tell(json.dumps(answer).encode(), code)

    def tell(self, body, code=200):
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        print(self.path, flush=True)


ONE_TRIP = b"trip_id,route_id\n0,0\n"


def test_tables_that_change_again_and_again_are_told():
    directory = staged()
    with serving(ChangingTable) as port:
        script = (directory / "p.sql").read_text()
        (directory / "p.sql").write_text(
            script.replace("'staged/trips'", f"'hdfs://127.0.0.1:{port}/t/trips'"))
        err = said(directory, "run", "p.sql", "--once", code=1)
    again = "<TIME> warn  the staged tables changed while they were read; reading them again\n"
    loaded = "<TIME> info  table trips: 1 row\n"
    same(err, (loaded + again) * 3 +
         "tramline run: the staged tables changed 3 times while they were read; is tramline "
         "extract running in a loop?\n")


def test_a_run_ends_when_its_tables_change_if_asked_to():
    directory = staged()
    settings = "SET on_table_change = 'fail';\nSET tables.check_interval = '1s';\n"
    (directory / "p.sql").write_text(settings + (directory / "p.sql").read_text())
    run = lib.Started("run", "p.sql", cwd=directory, env=own_env(directory))
    # What changes while they are still read is read again.
    lib.wait_until(lambda: "claims" in run.text(), what="the first claim")
    (directory / "staged/new").write_text(
        '{"format": 1, "source": "x", "time_ms": 1, "tables": [{"name": "other", "path": "x", '
        '"size": 1, "checksum": "", "present": true}]}')  # the script does not read that one
    (directory / "staged/new").rename(directory / "staged/_feed.json")
    run.wait(code=1)
    lines = shown(run.text(), directory).splitlines()
    assert ("<TIME> error the staged tables have changed; this run goes on with those it read at "
            "its start to its last commit and ends (on_table_change = 'fail')") in lines, lines
    assert ("tramline run: the staged tables changed while the job ran; what was read is "
            "committed; run it again") == lines[-1], lines
    lib.run("verify", "p.sql", cwd=directory)


def test_a_damaged_result_is_told():
    directory = staged()
    lib.run("run", "p.sql", "--once", cwd=directory, env=own_env(directory))
    part = next((directory / "result").glob("part-*"))
    part.unlink()
    done = lib.run("verify", "p.sql", cwd=directory, code=3)
    same(shown(done.err, directory), "tramline verify: the result in file://<DIR>/result has 1 error\n")
    assert f"{part.name} is missing, and with it 2 rows" in done.out, done.out


def limited(n_bytes):
    """For a program that may write files of so many bytes, as on a full disk."""
    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, n_bytes))
    return limit


def test_a_demo_without_room_is_told():
    directory = lib.tmp_dir()
    for n_bytes, message in (
            (1000, "cannot write pipeline.sql: File too large"),
            (3000, "cannot write feed/trips.txt: File too large")):
        done = subprocess.run([lib.program(), "demo", "--dir", directory / str(n_bytes)],
                              preexec_fn=limited(n_bytes), capture_output=True, text=True,
                              timeout=lib.RUN_LIMIT_S)
        same(done.stderr, f"tramline demo: {message}\n")
        assert done.returncode == 1
    same(lib.run("demo", code=1, env={"TMPDIR": "/no/such"}).err,
         "tramline demo: cannot make a directory in /no/such: No such file or directory; give "
         "another place by --dir\n")


def held_demo():
    """A demo that stands still in "init": its feed is there, nothing has read it."""
    directory = lib.tmp_dir() / "demo"
    env = {**disk.library(), "DISK_ROOT": str(directory / "enriched_stop_time"), "DISK_STOP": "1"}
    demo = lib.Started("demo", "--dir", directory, env=env)
    lib.wait_until(lambda: lib.is_stopped(demo), what="the stop")
    return directory, demo


def demo_with(change):
    """Changes the demo's directory when its feed is there, and lets it go on."""
    directory, demo = held_demo()
    change(directory)
    demo.signal(signal.SIGCONT)
    demo.wait(code=1)
    return directory, demo.text().splitlines()


def test_a_demo_that_fails_is_told():
    _, lines = demo_with(lambda d: (d / "feed/trips.txt").unlink())
    assert lines[-1] == ("tramline demo: 'tramline extract feed pipeline.sql' ended with exit "
                         "code 1"), lines[-1]


def test_a_demo_that_is_stopped_goes_no_further():
    _, demo = held_demo()
    demo.signal(signal.SIGINT)
    demo.signal(signal.SIGCONT)
    demo.wait(code=1)
    lines = demo.text().splitlines()
    last = [line for line in lines if line.startswith("$ tramline ")][-1]
    assert last == "$ tramline init pipeline.sql", last
    assert lines[-1] == "tramline demo: stopped by a signal in 'tramline init pipeline.sql'", lines[-1]


def test_no_thread_of_the_kafka_client_takes_a_signal():
    """One that the embedded broker's thread takes ends that, and the close waits for it forever."""
    _, demo = held_demo()
    masks = {}
    for task in pathlib.Path(f"/proc/{demo.process.pid}/task").iterdir():
        status = dict(re.findall(r"^(Name|SigBlk):\t(.*)", (task / "status").read_text(), re.M))
        masks[status["Name"]] = int(status["SigBlk"], 16)
    demo.signal(signal.SIGKILL)
    theirs = {name: mask for name, mask in masks.items() if name.startswith("rdk:")}
    assert "rdk:mock" in theirs, masks
    for number in (signal.SIGINT, signal.SIGTERM):
        assert all(mask & 1 << (number - 1) for mask in theirs.values()), (number, theirs)


def test_a_demo_that_lost_records_is_told():
    def cut(directory):
        path = directory / "feed/stop_times.txt"
        path.write_bytes(b"".join(path.read_bytes().splitlines(True)[:1001]))

    directory, lines = demo_with(cut)
    n = re.search(r"\d+", lines[-1])[0]
    same(lines[-1], f"tramline demo: {n} stop_times were made, but 1000 arrived; what the demo "
                    f"left is in {directory}")
    assert int(n) > 80000, n


class NameNode(http.server.BaseHTTPRequestHandler):
    """Makes any directory, and sends to a data node without TLS."""

    def do_PUT(self):
        if "op=MKDIRS" in self.path:
            return self.tell(b'{"boolean": true}')
        self.send_response(307)
        self.send_header("Location", "http://data.example:9864/webhdfs/v1/x?op=CREATE")
        self.send_header("Content-Length", "0")
        self.end_headers()
        return None

    def do_GET(self):
        self.tell(b'{"FileStatus": {"length": 0, "modificationTime": 5, "type": "DIRECTORY"}}')

    def tell(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def serving(handler, certificate=None):
    """A server on a free port, with TLS when it has a certificate."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    if certificate:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate)
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


def make_certificate(path):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                    "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
                    "-keyout", path, "-out", str(path) + ".crt"], check=True,
                   capture_output=True)
    with open(path, "a") as both:
        both.write(pathlib.Path(str(path) + ".crt").read_text())


def hdfs_script(directory, url, more=""):
    (directory / "h.sql").write_text(f"""
        SET storage.retry = '0s';
        CREATE TABLE stop_times (trip_id TEXT NOT NULL)
          WITH (connector = 'file', path = 'stop_times.txt', format = 'csv');
        CREATE MATERIALIZED VIEW v WITH (path = '{url}/v', format = 'csv' {more}) AS
          SELECT 1 AS x;
        CREATE TABLE result () WITH (connector = 'filesystem', path = 'result', format = 'csv');
        INSERT INTO result SELECT s.* FROM stop_times s;""")


def test_tls_that_does_not_fit_is_told():
    directory = place()
    make(directory, ("file", "stop_times.txt"), "trip_id\na\n")
    make_certificate(directory / "key")
    with serving(NameNode, directory / "key") as port:
        node = f"hdfss://127.0.0.1:{port}"
        hdfs_script(directory, node)
        same(said(directory, "init", "h.sql", code=1),
             f"tramline init: {node}/v: cannot reach name node 127.0.0.1:{port}: SSL certificate "
             "problem: self-signed certificate; give the file of its authority by WITH "
             "(\"ca.file\" = '...')\n")
        hdfs_script(directory, node, ", \"ca.file\" = 'key.crt'")
        lib.run("init", "h.sql", cwd=directory)
        err = said(directory, "run", "h.sql", "--once", code=1)
        name = re.search("_tmp-[0-9a-f-]+", err)[0]
        same(err, f"tramline run: materialized view v: {node}/v/{name}: the name node sends to "
                  "data node data.example:9864 without TLS; set dfs.http.policy = HTTPS_ONLY "
                  "there or use hdfs://\n")
    with serving(NameNode) as port:
        node = f"hdfss://127.0.0.1:{port}"
        hdfs_script(directory, node)
        err = said(directory, "init", "h.sql", code=1)
        reason = re.search(rf":{port}: ([^;]*wrong version number)", err)[1]  # the TLS library's
        same(err, f"tramline init: {node}/v: cannot reach name node 127.0.0.1:{port}: {reason}; "
                  "for a server without TLS write hdfs://\n")


@lib.not_checked
def test_no_memory_ends_it_with_a_word():
    directory = place()
    (directory / "large").write_bytes(b"x" * 1000)

    def run(mb, *args):
        def limit():
            resource.setrlimit(resource.RLIMIT_AS, (mb << 20, mb << 20))
        return subprocess.run([lib.program(), *args], cwd=directory, preexec_fn=limit,
                              capture_output=True, text=True, timeout=lib.RUN_LIMIT_S)

    least, enough = 1, 2000  # MB for it to start
    while enough - least > 1:
        middle = (least + enough) // 2
        done = run(middle, "--version")
        if done.returncode == 0 and done.stderr == "":
            enough = middle
        else:
            least = middle
    done = run(enough + 1, "check", "large")
    n = re.search(r"\d+", done.stderr)[0]
    same(done.stderr, f"out of memory: {n} bytes\n")
    assert int(n) > 1 << 20 and done.returncode == -signal.SIGABRT, done


@contextlib.contextmanager
def refusing():
    """An HTTP server that answers whatever comes with 400."""

    class Refuse(socketserver.BaseRequestHandler):
        def handle(self):
            self.request.recv(4096)
            self.request.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Refuse)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


SECRET_SCRIPT = """
CREATE TABLE stop_times (trip_id TEXT NOT NULL)
  WITH (connector = 'kafka', brokers = '${BROKERS}', topic = 't', format = 'avro',
        registry = '${REGISTRY}', "registry.user" = 'ann', "registry.password" = '${PW}',
        client = 'librdkafka', "kafka.security.protocol" = 'SASL_PLAINTEXT', "kafka.sasl.mechanism" = 'PLAIN',
        "kafka.sasl.username" = 'ann', "kafka.sasl.password" = '${PW}',
        "kafka.ssl.key.pem" = '${PW}', "kafka.sasl.oauthbearer.config" = '${PW}');
CREATE TABLE result () WITH (connector = 'filesystem', path = 'result', format = 'csv');
INSERT INTO result SELECT s.* FROM stop_times s;
"""


def test_a_secret_is_refused_from_set_and_never_shown():
    directory, secret = place(), "hunter2-of-ann"
    (directory / "s.sql").write_text(SECRET_SCRIPT)
    (directory / "pw").write_text(secret + "\n")
    make(directory, ("file", "stop_times.txt"), "trip_id\na\n")
    with refusing() as port:  # neither a registry nor a broker: all must fail, at once
        env = {**own_env(directory), "BROKERS": f"127.0.0.1:{port}",
               "REGISTRY": f"http://127.0.0.1:{port}"}
        for name in ("registry.password", "kafka.sasl.password", "kafka.ssl.key.pem",
                     "kafka.sasl.oauthbearer.config"):
            done = lib.run("check", "s.sql", "--set", f"PW={secret}", cwd=directory, env=env,
                           code=2)
            assert f"error: option '{name}' is secret: its value may not come from --set\n" in \
                done.err and secret not in done.err + done.out, done.err
        for how in ([], ["--set-file", "PW=pw"]):
            variables = {} if how else {"PW": secret}
            for command, code in ((["check"], 0), (["check", "--live"], 1), (["explain"], 0),
                                  (["explain", "--json"], 0), (["init"], 1),
                                  (["produce", "stop_times.txt"], 1), (["run", "--once"], 1),
                                  (["verify"], 1), (["cat", "--help"], 0)):
                words = [*command, "s.sql", *how, "--log-level", "debug"]
                done = lib.run(*words, cwd=directory, env={**env, **variables}, code=code)
                assert secret not in done.out + done.err, done.out + done.err
