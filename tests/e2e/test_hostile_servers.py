# SPDX-License-Identifier: Apache-2.0
# test: takes 90
# test: waits
# test: needs nothing
"""Servers that break, as the whole program meets them: each command ends by a limit and says which
(what each phase of a request does is `tests/unit/test_http.c`); one SIGTERM ends a download in any
phase; no credentials in clear text without a word, and none in an error."""
import json
import re
import resource
import signal
import socket
import subprocess
import threading
import time
import urllib.parse

import lib

STOP_S = 5  # 10 are promised
DRIP = (b"a", 0.2)
FLOOD = (b"a" * 65536, 0)


class Server:
    """Answers each connection by `first`, then again and again by `again`, or by silence."""

    def __init__(self, first=b"", again=None, answers=None):
        self.first, self.again, self.answers = first, again, answers
        self.met = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        self.met.set()
        try:
            with connection:
                request = connection.recv(65536)
                if self.answers:
                    connection.sendall(self.answers(request.split(b" ")[1].decode()))
                    return
                connection.sendall(self.first)
                while self.again:
                    time.sleep(self.again[1])
                    connection.sendall(self.again[0])
                while connection.recv(65536):
                    pass
        except OSError:
            pass  # the client is gone


HEAD = b"HTTP/1.1 200 OK\r\n"


def place(settings="", stream="", root=None):
    directory = lib.tmp_dir()
    root = root or directory
    (directory / "p.sql").write_text(f"""
        SET spool = '{directory}/spool'; {settings}
        CREATE TABLE trips (trip_id TEXT NOT NULL)
          WITH (connector = 'filesystem', path = '{root}/trips', format = 'csv');
        CREATE TABLE stop_times (trip_id TEXT NOT NULL) WITH (connector = 'kafka',
          brokers = '127.0.0.1:1', topic = 't', {stream or "format = 'csv'"});
        CREATE TABLE r () WITH (connector = 'filesystem', path = '{root}/r', format = 'csv');
        INSERT INTO r SELECT s.trip_id FROM stop_times s JOIN trips t ON t.trip_id = s.trip_id;""")
    return directory


def commands(url):
    return [("extract", url, "p.sql"), ("produce", url, "p.sql")]


# Downloads

def test_a_download_that_drips_ends_by_its_limit():
    directory = place("SET feed.timeout = '2s';")
    for first in (HEAD + b"X: ", HEAD + b"Content-Length: 999999\r\n\r\n", b"HTTP/1.1 100 C\r\nX: "):
        server = Server(first, DRIP)
        for command in commands(f"http://{server.address}/feed.zip?key=s3cret"):
            done = lib.run(*command, cwd=directory, code=1)
            begin = (f"tramline {command[0]}: cannot download http://{server.address}/feed.zip: it was "
                     "not whole within 2 s, after ")
            assert done.err.startswith(begin), done.err
            n, _, rest = done.err[len(begin):].partition(" ")
            assert int(n) >= 16, done.err
            assert rest == "bytes; SET feed.timeout gives it longer\n", done.err
            assert 2 <= done.seconds < STOP_S, done.seconds


def test_a_download_that_never_comes_ends_by_its_limit():
    directory = place("SET feed.timeout = '2s';")
    silent = Server()
    for scheme in ("http", "https"):
        for command in commands(f"{scheme}://{silent.address}/feed.zip"):
            done = lib.run(*command, cwd=directory, code=1)
            why = ("nothing came for 2 s; SET feed.timeout gives it longer" if scheme == "http"
                   else "no connection within 2 s")
            assert done.err == (f"tramline {command[0]}: cannot download {scheme}://{silent.address}/"
                                f"feed.zip: {why}\n"), done.err
            assert 2 <= done.seconds < STOP_S, done.seconds


def full_queue():
    """The address of a socket that takes no connection; those that fill it."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    others = []
    for _ in range(2):
        others.append(socket.socket())
        others[-1].setblocking(False)
        others[-1].connect_ex(listener.getsockname())
    return f"127.0.0.1:{listener.getsockname()[1]}", [listener, *others]


def test_one_signal_ends_a_download_in_any_phase():
    directory = place()
    redirect = b"HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 0\r\n"
    connect, kept = full_queue()
    silent = Server()
    phases = {
        "connect": f"http://{connect}/", "tls": f"https://{silent.address}/",
        "answer": f"http://{silent.address}/",
        "status": f"http://{Server(b'HTTP/1.').address}/",
        "headers": f"http://{Server(HEAD + b'X: ', DRIP).address}/",
        "more headers": f"http://{Server(b'HTTP/1.1 103 H' + b'X: a', (b'X: a', 0.2)).address}/",
        "body": f"http://{Server(HEAD + b'Content-Length: 99999' + b'0' * 5, DRIP).address}/",
        "body without a length": f"http://{Server(HEAD + bytes([13, 10]), DRIP).address}/",
        "body that stands still": f"http://{Server(HEAD + b'Content-Length: 9' + bytes([13, 10] * 2)).address}/",
        "redirect": f"http://{Server(redirect + b'X: ', DRIP).address}/",
    }
    for phase, url in phases.items():
        for command in commands(url + "feed.zip"):
            for number in (signal.SIGTERM, signal.SIGINT):
                started = lib.Started(*command, cwd=directory)
                time.sleep(0.7)
                assert started.is_running(), (phase, started.text())
                began = time.monotonic()
                started.signal(number)
                started.wait(20, code=1)
                took_s = time.monotonic() - began
                assert took_s < STOP_S, (phase, took_s)
                assert started.text() == (
                    f"tramline {command[0]}: stopped by a signal: cannot download {url}feed.zip: no "
                    "answer in the time that was left\n"), (phase, started.text())
    for one in kept:
        one.close()


# The machine's only name server takes questions and answers none.
NAMES = """
set -e
mount --bind "$1" /etc/resolv.conf
python3 - <<'TEXT' &
import fcntl, socket, struct, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
fcntl.ioctl(s, 0x8914, struct.pack("16sh14x", b"lo", 0x49))  # SIOCSIFFLAGS: up and running
s.bind(("127.0.0.1", 53))
time.sleep(30)
TEXT
server=$!
sleep 1
shift
"$@" &
program=$!
sleep 1
kill -0 $program
kill -TERM $program
code=0
wait $program || code=$?
kill $server
exit $code
"""


def test_one_signal_ends_the_look_for_a_name():
    directory = place()
    (directory / "resolv.conf").write_text("nameserver 127.0.0.1\noptions timeout:30 attempts:5\n")
    for command in commands("http://feeds.example/feed.zip"):
        began = time.monotonic()
        done = subprocess.run(
            ["unshare", "--mount", "--net", "sh", "-c", NAMES, "sh", directory / "resolv.conf",
             lib.program(), *command], cwd=directory, text=True, capture_output=True, timeout=60,
            check=False)
        if "unshare" in done.stderr:
            raise lib.Skip("namespaces of its own are not allowed here")
        took_s = time.monotonic() - began
        assert done.stderr == (
            f"tramline {command[0]}: stopped by a signal: cannot download http://feeds.example/feed.zip: "
            "no answer in the time that was left\n"), done.stderr
        assert done.returncode == 1 and took_s < 2 + STOP_S, (done, took_s)


# Secrets

def test_credentials_in_clear_text_are_told():
    host = "feeds.invalid"  # RFC 6761: it has no address
    directory = place()
    clear = ("warn  the feed's user and password go to http://feeds.invalid/feed.zip in clear text, "
             "which others on the way can read; give an https:// URL\n")
    for command in commands(f"http://me:s3cret@{host}/feed.zip?key=s3cret"):
        err = lib.run(*command, cwd=directory, code=1).err
        assert err.count(clear) == 1 and err.count("warn") == 1 and "cret" not in err, err
    for url in (f"https://me:s3cret@{host}/feed.zip", f"http://{host}/feed.zip",
                "http://me:s3cret@127.0.0.1:1/feed.zip", "http://me:s3cret@localhost:1/feed.zip"):
        err = lib.run("extract", url, "p.sql", cwd=directory, code=1).err
        assert "clear text" not in err and "cret" not in err, err


def warnings_of(stream, root=None):
    directory = place(stream=stream, root=root)
    (directory / "trips").mkdir()
    err = lib.run("explain", "p.sql", cwd=directory, code=None,
                  env={"KRB5CCNAME": "/nonexistent"}).err
    assert "cret" not in err, err
    return [line.partition(" warn  ")[2] for line in err.splitlines() if "clear text" in line]


def test_a_registrys_credentials_in_clear_text_are_told():
    def told(what, host):
        return (f"{what} to {host} in clear text, which others on the way can read; give an https:// "
                "address")
    login, secret = "the registry's user and password go", "the registry's token goes"
    avro = "format = 'avro', registry = '{}'"
    user = avro + ", \"registry.user\" = 'me', \"registry.password\" = 's3cret'"
    token = avro + ", \"registry.token\" = 's3cret'"
    both = "http://a.invalid:8081, https://b.invalid, http://localhost:1"
    assert warnings_of(user.format(both)) == [told(login, "http://a.invalid:8081/")]
    assert warnings_of(token.format(both)) == [told(secret, "http://a.invalid:8081/")]
    assert warnings_of(avro.format("http://me:s3cret@a.invalid/x")) == [
        told(login, "http://a.invalid/x")]
    assert warnings_of(avro.format("http://a.invalid:8081")) == []
    assert warnings_of(user.format("https://a.invalid")) == []
    assert warnings_of(user.format("http://127.0.0.1:8081")) == []


def test_tokens_of_hdfs_in_clear_text_are_told():
    told = ["Kerberos' delegation tokens go to hdfs://nn.invalid:9870 in clear text, which others on the "
            "way can read; write hdfss://"]
    for scheme, auth, expected in (("hdfs", "kerberos", told), ("hdfss", "kerberos", []),
                                   ("hdfs", "simple", [])):
        directory = lib.tmp_dir()
        (directory / "s.csv").write_text("trip_id\nT1\n")
        (directory / "p.sql").write_text(f"""
            CREATE TABLE s (trip_id TEXT NOT NULL)
              WITH (connector = 'file', path = '{directory}/s.csv');
            CREATE TABLE t (trip_id TEXT NOT NULL) WITH (connector = 'filesystem',
              path = '{scheme}://nn.invalid/t', format = 'csv', auth = '{auth}');
            CREATE TABLE r () WITH (connector = 'filesystem', path = '{scheme}://nn.invalid/r',
              format = 'csv', auth = '{auth}');
            INSERT INTO r SELECT s.trip_id FROM s JOIN t ON t.trip_id = s.trip_id;""")
        err = lib.run("explain", "p.sql", cwd=directory, code=None).err
        assert [line.partition(" warn  ")[2] for line in err.splitlines()
                if "clear text" in line] == expected, err


def test_no_error_shows_what_an_address_hides():
    directory = place()
    hidden = ["me:s3cret@", ":s3cret@", "me:s3cret:s3cret@", "me:s3%20cret@", "me:s3/cret@"]
    schemes = ["http://", "HTTP://", "https://", "htp://", "http:/", "http//", "ftp://", "s3://", "//", ""]
    for scheme in schemes:
        for login in hidden:
            for command in commands(f"{scheme}{login}host.invalid/feed.zip?key=s3cret#s3cret"):
                done = lib.run(*command, cwd=directory, code=None)
                assert done.code != 0 and "cret" not in done.out + done.err, (scheme, login, done.err)
    for url in ("htps://host.invalid/feed.zip?key=s3cret", "http:/host.invalid:x/feed.zip?key=s3cret",
                "https//host.invalid/feed.zip?key=s3cret", "http://host.invalid:99999/f?key=s3cret"):
        done = lib.run("extract", url, "p.sql", cwd=directory, code=None)
        assert done.code != 0 and "cret" not in done.out + done.err, done.err
    (directory / "a.sql").write_text((directory / "p.sql").read_text())
    for scheme in ("http://", "htp://", "http//", "hdfs://", "hdfss://", "s3://", "webhdfs://"):
        for option in ("format = 'avro', registry = '{}'", "format = 'csv', path = '{}'"):
            text = option.format(f"{scheme}me:s3cret@host.invalid:80/x")
            script = (directory / "p.sql").read_text()
            (directory / "a.sql").write_text(
                script.replace("topic = 't', format = 'csv'", f"topic = 't', {text}")
                if "registry" in option else script.replace(f"path = '{directory}/r', format = 'csv'", text))
            done = lib.run("check", "a.sql", cwd=directory, code=None)
            assert "me:s3" not in done.out + done.err, (scheme, done.err)


# Name nodes

def listing(names, left):
    item = '{"length":1,"modificationTime":5,"type":"FILE","pathSuffix":"%s"}'
    files = ",".join(item % name for name in names)
    body = ('{"DirectoryListing":{"partialListing":{"FileStatuses":{"FileStatus":[%s]}},'
            '"remainingEntries":%d}}' % (files, left)).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body


def name_node(answer):
    """One whose directories are what answer(start_after) says, and hold nothing else."""
    none = json.dumps({"RemoteException": {"exception": "FileNotFoundException", "message": "none"}})

    def answers(path):
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(path).query)
        if query["op"] == ["LISTSTATUS_BATCH"]:
            return answer(query.get("startAfter", [""])[0])
        return (f"HTTP/1.1 404 x\r\nContent-Length: {len(none)}\r\nConnection: close\r\n\r\n"
                f"{none}").encode()
    return Server(answers=answers)


def verify(server, limit_mb):
    """What `verify` of a result there says, and that it costs no more than that."""
    directory = place(root=f"hdfs://{server.address}", settings="SET storage.retry = '0s';")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = lib.run("verify", "p.sql", cwd=directory, code=None)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"{done.seconds:.1f} s, {after.ru_utime - before.ru_utime:.1f} s of processor time, "
          f"{after.ru_maxrss // 1024} MB at most so far", flush=True)
    assert done.code != 0, done.out
    assert lib.is_checked() or after.ru_maxrss < limit_mb * 1024, after.ru_maxrss
    return done.err


def test_listings_of_a_name_node_end():
    page = listing([f"PAGE{n:05d}" for n in range(70_000)], 10_000_000)

    def more(start):  # without an end
        return page.replace(b"PAGE", b"%04d" % (int(start[:4] or "0") + 1))

    err = verify(name_node(lambda _: listing(["a"], 1)), 100)
    assert "an answer that WebHDFS does not give: the list begins again\n" in err, err
    err = verify(name_node(lambda _: listing(["../../etc/passwd"], 0)), 100)
    assert "an answer that WebHDFS does not give: a file of the name '../../etc/passwd'\n" in err, err
    err = verify(name_node(more), 600)
    root = re.search("hdfs://[^ ]*(?=: more)", err)[0]
    assert (f"{root}: more than 2000000 names, or 268435456 bytes of them, in one directory; spread the "
            "files by WITH (directory = 'day')\n") in err, err


def test_answers_of_a_name_node_are_bounded():
    def answer(body):
        return b"HTTP/1.1 200 OK\r\n\r\n" + body
    for body, why in ((b"[" * 100_000, "more than 500 levels at byte 500"),
                      (b"[0" + b",0" * 1_000_000, "more than 1000000 values at byte 1999998"),
                      (b" " * 100_000_000, "the answer is longer than 16777216 bytes")):
        err = verify(name_node(lambda _, body=body: answer(body)), 600)
        assert f": {why}\n" in err, err
