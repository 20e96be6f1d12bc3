# SPDX-License-Identifier: Apache-2.0
# test: needs nothing
"""Text from outside is never raw: no control character of a record, a file's name, a zip's entry or
a server's answer reaches a terminal or the log."""
import http.server
import json
import os
import pty
import re
import subprocess
import threading
import zipfile

import file_job
import lib

# Clears the screen, sets the title, goes a line up, forges a line; as C1 characters too.
EVIL = "x\x1b[2J\x1b]0;owned\x07\x1b[1A\r\n2026-11-29T10:00:00.000Z error forged\x9b31m\u202ey"
FORGED = re.compile(rb"^2026-11-29T10:00:00\.000Z", re.MULTILINE)


def assert_clean(said, what):
    """`said` as it went to a terminal or a file, which adds \\r before \\n."""
    assert isinstance(said, bytes) and said, what
    rest = said.replace(b"\r\n", b"\n")
    found = re.search(rb"[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xa8-\xae]", rest)
    assert found is None, (what, rest[max(0, found.start() - 60):found.end() + 60])
    assert not FORGED.search(rest), (what, rest)


def run(*args):
    """(stdout, stderr) as bytes."""
    done = subprocess.run([lib.program(), *map(str, args)], stdin=subprocess.DEVNULL, timeout=60,
                          capture_output=True, check=False)
    return done.stdout, done.stderr


def on_terminal(*args):
    master, slave = pty.openpty()
    process = subprocess.Popen([lib.program(), *map(str, args)], stdin=subprocess.DEVNULL, stdout=slave,
                               stderr=slave, env={**os.environ, "NO_COLOR": "1"})
    os.close(slave)
    out = b""
    try:
        while piece := os.read(master, 65536):
            out += piece
    except OSError:
        pass  # the other side is closed
    process.wait(30)
    os.close(master)
    return out


class Answers(http.server.BaseHTTPRequestHandler):
    """Any request is refused, in words of one's own."""
    protocol_version = "HTTP/1.1"

    def do_GET(self):  # pylint: disable=invalid-name
        body = json.dumps({"RemoteException": {"exception": EVIL, "javaClassName": EVIL,
                                               "message": EVIL}}).encode()
        if self.path.endswith("raw"):
            body = EVIL.encode()
        self.wfile.write(b"HTTP/1.1 403 No\x1b[2J\x1b]0;owned\x07\r\nContent-Type: application/json\r\n"
                         b"Location: http://\x1b[2J/\r\nX-Evil: \x1b[2J\r\nConnection: close\r\n"
                         b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.close_connection = True

    do_PUT = do_POST = do_DELETE = do_HEAD = do_GET

    def log_message(self, *_):
        pass


def serve():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"127.0.0.1:{server.server_port}"


def test_records_on_a_terminal():
    work = file_job.FileJob(0, {})
    cell = EVIL.replace("\r\n", "\x0b")
    (work.directory / "visits.csv").write_text(f'a,"{cell}",1\nb,"{cell}",{cell}\n' * 3)
    work.run_once(code=None)
    for style in ("--table", "--csv", "--json"):
        said = on_terminal("cat", work.script, "result", style)
        assert_clean(said, style)
        assert b"owned" in said, said
    said = on_terminal("cat", work.script, "result", "--dead")
    assert_clean(said, "--dead")
    assert b"owned" in said, said
    kept = run("cat", work.script, "result", "--csv")[0]
    assert cell.encode() in kept, "what is not a terminal gets the bytes"


def test_names_of_files():
    work = file_job.FileJob(20, {})
    work.run_once()
    (work.result / f"part-{EVIL.replace('/', '')}.csv").write_text("x\n")
    for flags in ([], ["--json"]):
        said = b"".join(run("verify", work.script, *flags))
        assert b"owned" in said, said
        assert_clean(said, flags)


def test_entries_of_a_zip():
    work = file_job.FileJob(1, {})
    feed = work.directory / "feed.zip"
    for names in ([EVIL], [f"{EVIL}/names.txt", "b/names.txt"], [f"{EVIL}/{EVIL}/names.txt"]):
        with zipfile.ZipFile(feed, "w") as archive:
            for name in names:
                archive.writestr(name, "id,name\n")
        assert_clean(b"".join(run("extract", feed, work.script, "--log-level", "debug")), names)


def test_answers_of_servers():
    work = file_job.FileJob(1, {})
    host = serve()
    assert_clean(b"".join(run("extract", f"http://{host}/feed.zip", work.script)), "a web server")
    assert_clean(b"".join(run("extract", f"http://{host}/raw", work.script)), "a web server")
    text = work.script.read_text()
    script = work.directory / "hdfs.sql"
    script.write_text(text.replace(f"path = '{work.directory}/result'", f"path = 'hdfs://{host}/result'")
                      .replace("SET spool", "SET storage.retry = '0s';\nSET spool"))
    said = b"".join(run("verify", script))
    assert b"owned" in said, said
    assert_clean(said, "a name node")
