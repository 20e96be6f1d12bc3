# SPDX-License-Identifier: Apache-2.0
# test: waits
# test: needs nothing
"""tramline top on a terminal: what it shows of a job and of a status server, its keys, that it follows the
terminal's size, and that the terminal is as it was after every end and while it is stopped."""
import contextlib
import fcntl
import http.server
import json
import os
import pty
import re
import select
import signal
import socket
import struct
import subprocess
import termios
import threading
import time

import file_job
import lib

ENTER, LEAVE = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"
FATAL = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGPIPE, signal.SIGABRT,
         signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGALRM, signal.SIGUSR1,
         signal.SIGUSR2, signal.SIGXCPU)


class Top:
    """The program on a terminal of the test's own."""

    def __init__(self, *args, size=(30, 140), env=None, is_leader=True):
        """`is_leader` of a session: one that Ctrl-Z does not stop, since nobody could continue it."""
        self.ours, self.theirs = pty.openpty()
        self.resize(*size)
        self.before = termios.tcgetattr(self.theirs)
        self.process = subprocess.Popen(
            [lib.program(), "top", *map(str, args)], stdin=self.theirs, stdout=self.theirs, stderr=self.theirs,
            env={**os.environ, "TERM": "xterm", "NO_COLOR": "1", **(env or {})}, start_new_session=is_leader,
            process_group=None if is_leader else 0)
        self.text, self.at = "", 0

    def resize(self, lines, columns):
        fcntl.ioctl(self.theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def read(self):
        while select.select([self.ours], [], [], 0.05)[0]:
            try:
                self.text += os.read(self.ours, 1 << 16).decode(errors="replace")
            except OSError:
                return

    def page(self):
        """The newest whole page, without sequences."""
        self.read()
        pages = self.text.split("\x1b[H")
        whole = [page for page in pages if page.endswith("\x1b[J")]
        return re.sub(r"\x1b\[[0-9]*[A-Za-z]", "", whole[-1]).replace("\r", "").split("\n") if whole else []

    def wait_for(self, wanted, what):
        found = []

        def ask():
            found[:] = self.page()
            return wanted(found)
        lib.wait_until(ask, 30, what)
        return found

    def press(self, keys):
        os.write(self.ours, keys.encode())

    def is_raw(self):
        return not termios.tcgetattr(self.theirs)[3] & (termios.ICANON | termios.ECHO)

    def end(self):
        code = self.process.wait(15)
        self.read()
        return code

    def check_restored(self):
        assert termios.tcgetattr(self.theirs) == self.before, (termios.tcgetattr(self.theirs), self.before)
        assert self.text.count(LEAVE) == self.text.count(ENTER) >= 1, repr(self.text[-300:])
        assert self.text.rindex(LEAVE) > self.text.rindex(ENTER)
        os.close(self.ours)
        os.close(self.theirs)


def is_shown(page):
    return any(line.startswith("verdict ") for line in page)


def partitions(page):
    at = next(i for i, line in enumerate(page) if line.split()[:1] and line.split()[0].startswith("partition"))
    return [line.split() for line in page[at + 1:] if line.split() and line.split()[0].isdigit()]


def test_what_is_reversed_ends_with_its_line_at_any_width():
    work = file_job.FileJob(60, {})
    work.run_once()
    for columns in (40, 80, 100, 140):
        top = Top(work.script, size=(30, columns))
        page = top.wait_for(is_shown, "a look")
        titles = [line.rstrip("\r") for line in top.text.split("\n") if "\x1b[7m" in line]
        assert titles and all(line.endswith("\x1b[0m\x1b[K") for line in titles), (columns, titles)
        (shown,) = {re.sub(r"\x1b\[[0-9]*[A-Za-z]", "", line) for line in titles}
        assert shown.lstrip().startswith("partition") and len(shown) <= columns, (columns, shown)
        assert len(shown) == columns or columns > 100, (columns, shown)
        assert page
        top.press("q")
        assert top.end() == 0


def test_a_job_is_shown_and_q_quits():
    work = file_job.FileJob(60, {})
    work.run_once()
    told = json.loads(lib.run("status", work.script, "--json").out)
    top = Top(work.script, size=(30, 400))
    page = top.wait_for(is_shown, "a look")
    assert top.is_raw()
    assert page[0] == f"tramline top  {told['job']['name']}: topic {work.directory}/visits.csv to file://{work.result}"
    assert page[1] == f"verdict  {told['verdict']}" and any(line.startswith("lag      0 records, 0 s") for line in page)
    size = (work.directory / "visits.csv").stat().st_size
    assert partitions(page) == [["0", str(size), str(size), "0", "0.0", told["partitions"][0]["owner"]]], page
    assert f"commit   entry {told['commit']['entry']}, by {told['commit']['worker']}: 60 records" in "\n".join(page)
    with open(work.directory / "visits.csv", "a") as visits:
        visits.write("a,more,7\n")
    top.wait_for(lambda page: partitions(page)[0][3] == "9", "the next look")
    top.press("q")
    assert top.end() == 0
    top.check_restored()


# A status server, as far as it matters: what it says is the test's.

OWNERS = ("host/2/0", "host/1/0", None)


def answer(n=3, **more):
    return {"version": 1, "job": {"name": "j", "topic": "t", "result": "hdfs://x/y"}, "verdict": "warn",
            "reasons": [{"code": "rejects", "level": "warn", "text": "a reason"}],
            "lag": {"records": 60, "seconds": 3.5}, "rates": {"records_per_second": 12.5, "rows_per_second": 7.0},
            "partitions": [{"partition": p, "committed": 100 + p, "end": 200 - p, "lag_records": [10, 30, 20][p % 3] + p,
                            "lag_seconds": [3.5, 1.5, 2.5][p % 3], "owner": OWNERS[p % 3]} for p in range(n)], **more}


@contextlib.contextmanager
def server(body, code=200):
    """Yields its address and what was asked."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            text = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(code)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_):
            pass
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{running.server_address[1]}", asked
        running.shutdown()


def order(page):
    return [int(line[0]) for line in partitions(page)]


def test_keys_sort_the_partitions_of_a_server():
    with server(answer()) as (url, asked):
        top = Top(url, "--every", "1")
        page = top.wait_for(is_shown, "a look")
        assert page[0] == "tramline top  j: topic t to hdfs://x/y" and page[2] == "  warn: a reason", page
        assert page[3] == "lag      60 records, 3.5 s; 12.5 records/s in, 7 rows/s out", page
        assert partitions(page)[0] == ["0", "100", "200", "10", "3.5", "host/2/0"], page
        assert page[-1] == "q quit  sort: p c e l s o  r reverse  up, down, page: scroll", page
        for keys, wanted in (("l", [1, 2, 0]), ("s", [0, 2, 1]), ("r", [1, 2, 0]), ("r", [0, 2, 1]), ("c", [2, 1, 0]),
                             ("e", [0, 1, 2]), ("o", [2, 1, 0]), ("p", [0, 1, 2])):
            top.press(keys)
            top.wait_for(lambda page, wanted=wanted: order(page) == wanted, f"{keys}: {wanted}")
        lib.wait_until(lambda: len(asked) > 2, 20, "more looks")
        assert set(asked) == {"/status.json"}, asked
        top.press("q")
        assert top.end() == 0
        top.check_restored()


def test_a_server_tells_which_partitions_are_its_own():
    body = answer(2)
    for at, partition in enumerate(body["partitions"]):
        del partition["owner"]
        partition["is_ours"] = at == 1
    with server(body) as (url, _):
        top = Top(url)
        page = top.wait_for(is_shown, "a look")
        assert [line[5:] for line in partitions(page)] == [[], "this worker".split()], page
        top.press("q")
        assert top.end() == 0


def test_it_scrolls_and_follows_the_size():
    with server(answer(100)) as (url, _):
        top = Top(f"{url}/", size=(20, 100))
        page = top.wait_for(is_shown, "a look")
        assert len(page) == 20 and max(map(len, page)) <= 100, page
        shown = len(order(page))
        assert order(page) == list(range(shown)) and 8 < shown < 16, page
        for keys, first in (("\x1b[B", 1), ("\x1b[6~", 1 + shown), ("\x1b[A", shown), ("\x1b[F", 100 - shown),
                            ("\x1b[B", 100 - shown), ("\x1b[5~", 100 - 2 * shown), ("\x1b[H", 0)):
            top.press(keys)
            top.wait_for(lambda page, first=first: order(page)[0] == first, f"{keys!r}: {first}")
        top.resize(40, 30)
        page = top.wait_for(lambda page: len(page) == 40, "the new size")
        assert max(map(len, page)) <= 30, page
        top.resize(1, 1)
        top.wait_for(lambda page: len(page) == 1, "a tiny size")
        top.press("q")
        assert top.end() == 0
        top.check_restored()


def test_texts_of_a_stranger_stay_texts():
    evil = "\x1b]0;x\x07\x1b[2J\u202eevil\n\t"
    body = answer(job={"name": evil, "topic": evil, "result": evil}, verdict=evil,
                  reasons=[{"level": evil, "text": evil}] * 50, commit={"worker": evil, "entry": 1})
    body["partitions"] += [{"partition": evil, "owner": evil, "lag_records": evil}, None, 7, []]
    with server(body) as (url, _):
        top = Top(url)
        top.wait_for(is_shown, "a look")
        top.press("q")
        assert top.end() == 0
        plain = re.sub(r"\x1b\[(\?1049[hl]|\?25[hl]|H|J|K|7m|0m)", "", top.text)
        assert not re.search("[\x00-\x09\x0b\x0c\x0e-\x1f\x7f\u202e]", plain), repr(plain)
        assert "evil" in plain
        top.check_restored()


def test_what_is_no_status_is_told_on_the_page():
    dead = "http://127.0.0.1:1"
    with server(b"[" * 600) as (deep, _), server({"a": 1}) as (other, _), server(b"x", 404) as (absent, _), \
            server(b"y" * (17 << 20)) as (large, _):
        for url, said in ((deep, "no answer: "), (other, "no answer: the answer is not the status of a job"),
                          (absent, f"no answer: {absent}/status.json: HTTP 404; is that the address of SET status.listen?"),
                          (large, f"no answer: {large}/status.json: "), (dead, f"no answer: {dead}/status.json: ")):
            top = Top(url)
            top.wait_for(lambda page, said=said: any(line.startswith(said) for line in page), said)
            top.press("q")
            assert top.end() == 0
            top.check_restored()


def test_every_signal_leaves_the_terminal_as_it_was():
    with server(answer()) as (url, _):
        for number in FATAL:
            top = Top(url)
            top.wait_for(is_shown, "a look")
            top.process.send_signal(number)
            code = top.end()
            assert code == -number or (lib.is_checked() and code != 0), (number, code)
            top.check_restored()


def test_a_stop_gives_the_terminal_back_until_it_goes_on():
    with server(answer()) as (url, _):
        top = Top(url, is_leader=False)
        top.wait_for(is_shown, "a look")
        for _ in range(2):
            top.process.send_signal(signal.SIGTSTP)
            lib.wait_until(lambda: os.waitpid(top.process.pid, os.WNOHANG | os.WUNTRACED)[0], 20, "its stop")
            top.read()
            assert termios.tcgetattr(top.theirs) == top.before and top.text.endswith(LEAVE), repr(top.text[-80:])
            top.process.send_signal(signal.SIGCONT)
            lib.wait_until(top.is_raw, 20, "its page")
            top.wait_for(is_shown, "a look")
        top.press("q")
        assert top.end() == 0
        top.check_restored()


def test_a_look_that_does_not_end_does_not_hold_up_q():
    with contextlib.ExitStack() as stack:
        silent = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        top = Top(f"http://127.0.0.1:{silent.getsockname()[1]}")
        top.wait_for(lambda page: page and page[0] == "tramline top  looking ...", "its page")
        began = time.monotonic()
        top.press("q")
        assert top.end() == 0 and time.monotonic() - began < 8
        top.check_restored()


def test_without_a_terminal_it_is_refused():
    said = ("tramline top: top shows a page that changes and takes keys, so it needs a terminal; --json "
            "prints a line a look without one\n")
    assert lib.run("top", "p.sql", code=2).err == said
    top = Top("http://127.0.0.1:1", env={"TERM": "dumb"})
    assert top.end() == 2 and top.text.replace("\r", "") == said, top.text
    top = Top("ftp://user:word@host/x")
    assert top.end() == 2
    assert top.text == ("tramline top: 'ftp://***@host/x' is not an address; write http://host:port, as SET status.listen has "
                        "it\r\n"), top.text
