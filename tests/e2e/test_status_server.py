# SPDX-License-Identifier: Apache-2.0
# test: waits
"""The status server of a run over files: its numbers against counts made here, its answers to
strangers who are slow, loud or wrong, and how it begins and ends."""
import json
import os
import socket
import subprocess
import time

import file_job
import lib
import status

POLICY = ("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
          "base-uri 'none'; form-action 'none'; frame-ancestors 'none'")


def is_done(state):
    return state["commits"]["last_ms"] and state["lag"]["records"] == 0


def started(n=700, settings=None):
    job = file_job.FileJob(n, {**status.LISTEN, "commit.interval": "100ms", **(settings or {})})
    run = lib.Started("run", job.script)
    url = status.url_of(run)
    lib.wait_until(lambda: is_done(status.state(url)), what="a commit of all")
    return job, run, url


def test_numbers_are_those_of_the_records():
    for executor in ("native", "sqlite"):
        check_numbers(executor)


def test_unmatched_and_filtered_are_counted_apart():
    for executor in ("native", "sqlite"):
        job = file_job.FileJob(700, {**status.LISTEN, "commit.interval": "100ms", "executor": executor})
        job.script.write_text(job.script.read_text().replace("LEFT JOIN", "JOIN").replace(
            "w.id = v.id", "w.id = v.id WHERE v.n > 100"))
        run = lib.Started("run", job.script)
        url = status.url_of(run)
        lib.wait_until(lambda: is_done(status.state(url)), what="a commit of all")
        good = [job.line(i).split(",") for i in range(700) if not job.is_bad(job.line(i))]
        kept = [fields for fields in good if int(fields[2]) > 100]
        hits = sum(fields[0] in file_job.NAMES for fields in kept)
        state = status.state(url)
        assert state["records"] == {"matched": hits, "unmatched": len(kept) - hits, "filtered": len(good) - len(kept),
                                    "rejected": len(job.bad), "ignored": 0}, (executor, state["records"])
        join, = state["joins"]
        assert (join["table"], join["hits"], join["misses"], join["rows"]) == ("names", hits, len(kept) - hits, hits), join
        assert [(k["key"], k["count"]) for k in join["unmatched_keys"]] == [("d", len(kept) - hits)], join
        numbers = status.metrics(url)
        assert numbers["tramline_join_probe_total", ("table", "names"), ("result", "miss")] == len(kept) - hits, numbers
        run.stop()


def check_numbers(executor):
    job, run, url = started(settings={"executor": executor})
    state = status.state(url)
    good = sum(job.rows.values())
    assert state["records"] == {"matched": good, "unmatched": 0, "filtered": 0, "rejected": len(job.bad),
                                "ignored": 0}, state["records"]
    hits = sum(n for row, n in job.rows.items() if row[0] in file_job.NAMES)
    join, = state["joins"]
    assert (join["table"], join["hits"], join["misses"]) == ("names", hits, good - hits), join
    assert [(k["key"], k["count"], k["over"]) for k in join["unmatched_keys"]] == [("d", good - hits, 0)], join
    assert state["rejects"]["by_reason"] == {"unreadable": len(job.bad), "query": 0, "too_large": 0}
    assert state["rejects"]["last"]["sample"] == job.bad[-1]
    assert state["verdict"] == "ok" and state["state"] == "reading", state
    assert state["lag"] == {"records": 0, "seconds": 0, "committed_ms": None}, state["lag"]
    assert state["tables"][0]["name"] == "names" and state["tables"][0]["rows"] == 3
    numbers = status.metrics(url)
    assert numbers["tramline_records_total", ("outcome", "matched")] == good
    assert numbers["tramline_rows_total",] == good
    files = sorted(job.result.glob("part-*"))
    sizes = sum(path.stat().st_size - len(path.read_bytes().split(b"\n", 1)[0]) - 1 for path in files)
    assert numbers["tramline_bytes_total",] == sizes, (numbers["tramline_bytes_total",], sizes)
    assert numbers["tramline_commits_total", ("result", "done")] == len(files)
    assert numbers["tramline_commit_phase_seconds_count", ("phase", "rename")] == len(files)
    run.stop()
    job.check()


# Names and closed lists of labels, as docs/operations.md promises them; of what counts, 0 before anything came.
COUNTED = [
    *[("records_total", ("outcome", word)) for word in ("matched", "unmatched", "filtered", "rejected")],
    ("rows_total",), ("bytes_total",), ("storage_retries_total",),
    *[("join_probe_total", ("table", "names"), ("result", word)) for word in ("hit", "miss")],
    ("join_rows_total", ("table", "names")),
    *[("rejected_records_total", ("reason", word)) for word in ("unreadable", "query", "too_large")],
    *[("commits_total", ("result", word)) for word in ("done", "conflict", "failed")],
    *[(f"commit_phase_seconds_{part}", ("phase", phase)) for part in ("sum", "count")
      for phase in ("upload", "publish", "rename")],
]
TOLD = {"build_info", "lag_records", "committed_record_timestamp_seconds", "table_info", "table_rows",
        "table_loaded_timestamp_seconds", "partitions"}
LISTS = {"outcome": 5, "reason": 3, "result": 5, "phase": 3}  # how many values there are


def test_each_metric_is_there_before_anything_came():
    job = file_job.FileJob(0, status.LISTEN)
    run = lib.Started("run", job.script)
    url = status.url_of(run)
    lib.wait_until(lambda: status.state(url)["state"] == "reading", what="a run that reads")
    for headers in ({}, {"Accept": "application/openmetrics-text; version=1.0.0"}):
        numbers = status.metrics(url, headers)
        assert {key: numbers.get((f"tramline_{key[0]}", *key[1:])) for key in COUNTED} == dict.fromkeys(COUNTED, 0), numbers
        names = {key[0].removeprefix("tramline_") for key in numbers}
        assert TOLD <= names, TOLD - names
        for label, n in LISTS.items():
            found = {value for key in numbers for name, value in key[1:] if name == label}
            assert len(found) == n, (label, found)
    run.stop()


def test_each_path_has_its_type_and_policy():
    _, run, url = started()
    types = {"": "text/html; charset=utf-8", "page.css": "text/css; charset=utf-8",
             "page.js": "text/javascript; charset=utf-8", "status.json": "application/json",
             "metrics": "text/plain; version=0.0.4; charset=utf-8",
             "healthz": "text/plain; charset=utf-8", "readyz": "text/plain; charset=utf-8"}
    for path, kind in types.items():
        code, headers, text = status.ask(url + path)
        assert code == 200 and text, (path, code)
        assert headers["Content-Type"] == kind, (path, headers)
        assert headers["Content-Security-Policy"] == POLICY
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Content-Type-Options"] == "nosniff"
        head = status.ask(url + path, "HEAD")
        assert head[0] == 200 and head[2] == "", head
    headers = status.ask(f"{url}metrics", headers={"Accept": "application/openmetrics-text"})[1]
    assert headers["Content-Type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    assert status.ask(f"{url}readyz")[2] == "ok\n" and status.ask(f"{url}healthz")[2] == "ok\n"
    run.stop()


def test_what_is_not_here_is_told():
    _, run, url = started()
    for path in ("x", "metrics/", "../etc/passwd", "%2e%2e/etc/passwd", "page.html", "/"):
        code, _, text = status.ask(url + path)
        assert (code, text) == (404, "/ /status.json /metrics /healthz /readyz are here\n"), (path, code)
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "WHATEVER"):
        code, headers, text = status.ask(f"{url}metrics", method, data=b"x" * 9)
        assert code == 405 and headers["Allow"] == "GET, HEAD", (method, code)
        assert text == "GET and HEAD only\n"
    assert status.ask(f"{url}metrics?a=b&c")[0] == 200
    run.stop()


def test_a_run_is_not_ready_while_it_starts():
    job = file_job.FileJob(10, status.LISTEN)
    rows = "".join(f"{i},name {i}\n" for i in range(400000))
    (job.directory / "names/names.csv").write_text("id,name\n" + rows)
    run = lib.Started("run", job.script)
    url = status.url_of(run)
    code, _, text = status.ask(f"{url}readyz")
    assert (code, text) == (503, "starting: the tables are being read\n"), (code, text)
    assert status.ask(f"{url}healthz")[0] == 200
    state = status.state(url)
    assert (state["state"], state["verdict"], state["reasons"][0]["code"]) == ("starting", "warn", "starting")
    lib.wait_until(lambda: status.ask(f"{url}readyz")[0] == 200, what="readiness")
    run.stop()


# How it begins: what cannot be had is told before anything is replaced.


def view_job(address):
    job = file_job.FileJob(10, {"status.listen": address})
    view = f"""CREATE MATERIALIZED VIEW copy
  WITH (connector = 'filesystem', path = '{job.directory}/copy', format = 'csv') AS SELECT id FROM names;\n"""
    text = job.script.read_text()
    job.script.write_text(text.replace("CREATE TABLE result", view + "CREATE TABLE result"))
    (job.directory / "copy").mkdir()
    (job.directory / "copy/old.csv").write_text("id\nold\n")
    return job


def refused(address, why, code=1, before=()):
    job = view_job(address)
    for command in (["run", job.script, "--once"], ["check", job.script, "--live"]):
        done = subprocess.run([*before, lib.program(), *map(str, command)], capture_output=True, text=True,
                              timeout=60, check=False)
        assert done.returncode == code, (command, done)
        assert why in done.stdout + done.stderr, (command, done)
    assert [p.name for p in (job.directory / "copy").iterdir()] == ["old.csv"]
    assert not job.result.exists()


def cannot(address, why):
    return f"cannot listen on status.listen = '{address}': {why}; another port is set by SET status.listen"


def test_an_address_that_is_taken_is_refused():
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        refused(address, cannot(address, "another program listens there"))


def test_an_address_of_another_machine_is_refused():
    refused("192.0.2.1:9187", cannot("192.0.2.1:9187", "this machine does not have that address"))


def test_a_port_of_root_is_refused():
    before = []
    if os.geteuid() == 0:
        before = ["setpriv", "--bounding-set=-net_bind_service", "--inh-caps=-net_bind_service"]
    if int(open("/proc/sys/net/ipv4/ip_unprivileged_port_start", encoding="ascii").read()) <= 81:
        raise lib.Skip("ports are for all here")
    refused("127.0.0.1:81", cannot("127.0.0.1:81", "ports below 1024 are for root"), before=before)


def test_what_is_no_address_is_refused_by_check():
    refused("here", "option 'status.listen' takes an address of this machine and a port, such as "
            "127.0.0.1:9187 or [::1]:9187, not 'here'", code=2)


def test_without_the_option_nothing_listens():
    job = file_job.FileJob(10, {})
    run = lib.Started("run", job.script)
    lib.wait_until(lambda: "claims" in run.text(), what="the claim")
    inodes = {os.readlink(f"/proc/{run.process.pid}/fd/{fd}") for fd in os.listdir(f"/proc/{run.process.pid}/fd")}
    assert not any(name.startswith("socket:") for name in inodes), inodes
    assert "status:" not in run.text()
    run.stop()


# How it ends.


def test_a_stop_ends_it_with_whoever_is_there():
    job, run, url = started()
    host, port = "127.0.0.1", int(url.rsplit(":", 1)[1].strip("/"))
    with socket.create_connection((host, port)) as slow:
        slow.sendall(b"GET /metrics HT")
        began = time.monotonic()
        run.stop()
        assert time.monotonic() - began < 3
        try:
            assert slow.recv(100) == b""
        except ConnectionError:
            pass
    try:
        socket.create_connection((host, port), 1).close()
        raise AssertionError("somebody still listens")
    except ConnectionRefusedError:
        pass
    job.check()
    again = lib.Started("run", job.script, "--set", "unused=1")
    status.url_of(again)
    again.stop()


# Strangers.


def test_requests_that_are_none_cost_nobody_else_anything():
    _, run, url = started()
    huge = b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X-A: " + b"a" * (1 << 20) + b"\r\n\r\n"
    many = b"GET / HTTP/1.1\r\nHost: x\r\n" + b"".join(b"H%d: v\r\n" % i for i in range(100000)) + b"\r\n"
    strange = [b"", b"\r\n" * 1000, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"\0" * 5000, b"GET\r\n\r\n",
               b"GET / HTTP/9.9\r\n\r\n", b"GET  HTTP/1.1\r\n\r\n", b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\n\r\n",
               huge, many, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999\r\n\r\nabc",
               b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
               b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
               b"GET /metrics HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"]
    for sent in strange:
        got = status.raw(url, sent + b"\r\n\r\n")
        line = got.split(b"\r\n")[0]
        assert not got or line.startswith(b"HTTP/1."), (sent[:40], got[:200])
        if sent in (huge, many):
            assert line.split()[1] in (b"431", b"413", b"400"), (sent[:40], line)
        assert status.ask(f"{url}healthz")[0] == 200
    # One request a connection: what follows is not answered.
    got = status.raw(url, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" * 10)
    assert got.count(b"HTTP/1.1 200") == 1, got
    run.stop()


def trickle(url, limit_s):
    """Seconds until a client that sends a byte now and then is cut off."""
    port = int(url.rsplit(":", 1)[1].strip("/"))
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", port)) as slow:
        slow.settimeout(0.5)
        slow.sendall(b"GET /metrics HTTP/1.1\r\nX: ")
        while time.monotonic() - began < limit_s:
            try:
                slow.sendall(b"a")
                if slow.recv(100) == b"":
                    break
            except TimeoutError:
                continue
            except ConnectionError:
                break
    return time.monotonic() - began


def test_slow_clients_are_cut_off():
    _, run, url = started()
    took = trickle(url, 30)
    assert 5 < took < 15, took
    run.stop()


def test_a_crowd_that_says_nothing_is_let_go():
    job, run, url = started()
    port = int(url.rsplit(":", 1)[1].strip("/"))
    crowd = [socket.create_connection(("127.0.0.1", port), 5) for _ in range(60)]
    began = time.monotonic()
    files = len(os.listdir(f"/proc/{run.process.pid}/fd"))
    assert files < 80, files
    while True:
        try:
            assert status.ask(f"{url}healthz")[0] == 200
            break
        except OSError:
            assert time.monotonic() - began < 25
    for one in crowd:
        one.close()
    run.stop()
    job.check()


def test_hostile_keys_stay_text():
    job = file_job.FileJob(7, {**status.LISTEN, "commit.interval": "100ms"})
    keys = ["<script>alert(1)</script>", '"}{x="y', "a\\", "\x1b[31m", "\u202eright", "\xff\xfe"]
    lines = [f'"{key.replace(chr(34), chr(34) * 2)}",place,1\n'.encode("latin-1" if key == "\xff\xfe" else "utf-8")
             for key in keys]
    (job.directory / "visits.csv").write_bytes(b"".join(lines))
    run = lib.Started("run", job.script)
    url = status.url_of(run)
    lib.wait_until(lambda: sum(status.state(url)["records"].values()) == len(keys), what="the records")
    state = status.state(url)
    found = {item["key"] for item in state["joins"][0]["unmatched_keys"]}
    assert set(keys[:5]) <= found, found
    text = status.ask(f"{url}status.json")[2]
    assert "\x1b" not in text and "\u202e" not in text
    assert "alert" not in status.ask(f"{url}metrics")[2]
    json.loads(text)
    run.stop()
