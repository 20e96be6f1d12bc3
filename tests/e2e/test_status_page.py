# SPDX-License-Identifier: Apache-2.0
# test: takes 60
# test: waits
# test: needs kafka hdfs
# test: limit 300
"""The status server of a job from Kafka to HDFS: the page in a real browser, the metrics by a real
Prometheus and the parser of its Python client, the lag against the producer's clock, also of partitions of another worker and with none."""
import contextlib
import http.server
import json
import shutil
import subprocess
import threading
import time
import urllib.parse
import urllib.request

from prometheus_client.openmetrics import parser as openmetrics

import broker
import browser
import lib
import status
import webhdfs

SCRIPT = """SET commit.interval = '{interval}';
SET batch.interval = '50ms';
SET status.listen = '127.0.0.1:0';
SET spool = '{root}/spool{number}';
CREATE TABLE trips (trip_id TEXT NOT NULL, headsign TEXT)
  WITH (connector = 'filesystem', path = '{hdfs}/trips', format = 'csv');
CREATE TABLE calendar (service_id TEXT, start_date TEXT, end_date TEXT)
  WITH (connector = 'filesystem', path = '{hdfs}/calendar', format = 'csv');
CREATE TABLE s (trip_id TEXT, stop_id INT)
  WITH (connector = 'kafka', brokers = '{brokers}', topic = '{topic}', format = 'csv');
CREATE TABLE r () WITH (connector = 'filesystem', path = '{hdfs}/r', format = 'csv');
INSERT INTO r SELECT s.trip_id, s.stop_id, t.headsign FROM s JOIN trips t ON t.trip_id = s.trip_id
  WHERE s.stop_id < 1000;
"""
PICTURES = lib.ROOT / "build/status-page"
HOSTILE = "<img src=x onerror=alert(1)>"


class Job:
    def __init__(self, partitions=2, interval="300ms"):
        self.root = lib.tmp_dir()
        self.hdfs = lib.hdfs_url(f"/user/transit/{lib.fresh_name('status')}")
        self.topic = broker.create_topic(partitions=partitions)
        self.interval = interval
        hdfs = webhdfs.WebHdfs(self.hdfs)
        hdfs.write("trips/trips.csv", b"trip_id,headsign\nT1,North\nT2,South\nT2,East\n")
        hdfs.write("calendar/calendar.csv", b"service_id,start_date,end_date\nwk,20260101,20991231\n")

    def start(self, number=0):
        script = self.root / f"p{number}.sql"
        script.write_text(SCRIPT.format(interval=self.interval, root=self.root, number=number, hdfs=self.hdfs,
                                        brokers=lib.brokers(), topic=self.topic))
        run = lib.Started("run", script)
        return run, status.url_of(run)

    def send(self, values, partition=0):
        broker.produce(self.topic, values, partition)


def lag(url):
    return status.state(url)["lag"]


def is_ready(url):
    return status.ask(f"{url}readyz")[0] == 200


def caught_up(url):
    return lag(url)["seconds"] == 0 and lag(url)["records"] == 0


# The page.


def check_page(page, url):
    page.size(1600)
    page.open(url)
    page.wait_for("document.getElementById('verdict-word')?.textContent.includes('All is well')")
    text = page.value("document.body.innerText")
    for words in ("Lag of the whole job", "records/s", "Match rate", "trips", HOSTILE, "unreadable", "last commit",
                  "this worker"):
        assert words in text, (words, text)
    assert page.value("document.images.length") == 0


def check_sizes(page):
    for width in (360, 1600):
        for is_dark in (False, True):
            page.size(width, is_dark=is_dark)
            page.wait_for(f"window.innerWidth === {width}")
            inner = page.value("[document.documentElement.scrollWidth, window.innerWidth]")
            assert inner[0] <= inner[1], (width, inner)
            background = page.value("getComputedStyle(document.body).backgroundColor")
            light = sum(int(n) for n in background.strip("rgb()").split(",")[:3])
            assert (light < 200) == is_dark, (background, is_dark)
            page.screenshot(PICTURES / f"{width}-{'dark' if is_dark else 'light'}.png")


def check_keyboard(page):
    """Tab reaches the plots and the links; arrows move a plot's cursor."""
    page.wait_for("document.querySelector('#plot-lag .legend').textContent.includes('lag')")
    seen = []
    for _ in range(40):
        page.key("Tab")
        seen.append(page.value("document.activeElement.closest('.plot')?.id || document.activeElement.textContent"))
        if seen[-1] == "plot-rate":
            page.key("ArrowLeft")
            assert page.value("document.querySelector('#plot-rate .cursor').getAttribute('visibility')") == "visible"
            page.key("Escape")
            assert page.value("document.querySelector('#plot-rate .cursor').getAttribute('visibility')") == "hidden"
    for wanted in ("plot-lag", "plot-rate", "plot-match", "status.json", "metrics"):
        assert wanted in seen, (wanted, seen)


def test_the_page_shows_the_job_and_updates_itself():
    job = Job()
    run, url = job.start()
    lib.wait_until(lambda: is_ready(url), what="readiness")
    job.send(["T1,1", "T2,2", "T1,5000", f"{HOSTILE},3", "T1,not a number"])
    lib.wait_until(lambda: status.state(url)["records"]["rejected"] == 1 and caught_up(url), what="the records")
    with browser.Browser() as page:
        check_page(page, url)
        page.value("window.stays = true")
        job.send([f"T2,{i}" for i in range(7)], 1)
        page.wait_for("document.getElementById('match-more').textContent.startsWith('9 matched')")
        check_keyboard(page)
        check_sizes(page)
        assert page.value("window.stays"), "it was loaded again"
        assert page.errors == [], page.errors
        places = {urllib.parse.urlsplit(one).netloc for one in page.requests}
        assert places == {urllib.parse.urlsplit(url).netloc}, places
        run.stop()
        page.wait_for("document.getElementById('verdict-word').textContent.includes('No answer')")


def test_matched_and_others_are_told_apart():
    job = Job(partitions=1)
    run, url = job.start()
    job.send(["T1,1", "T2,2", "T2,3", "T9,4", "T8,5", "T9,5000", "T1,5000", ",6", "T1,x", ""])
    lib.wait_until(lambda: sum(status.state(url)["records"].values()) == 10, what="the records")
    state = status.state(url)
    # T9,5000 is left out by WHERE before it is looked up.
    assert state["records"] == {"matched": 3, "unmatched": 3, "filtered": 2, "rejected": 2, "ignored": 0}, state
    assert state["rows"] == 5
    join, = state["joins"]
    assert (join["hits"], join["misses"], join["rows"]) == (3, 3, 5), join
    assert join["fan_out"] == {"mean": 1.67, "most": 2, "most_key": "'T2'"}, join
    assert {(k["key"], k["count"]) for k in join["unmatched_keys"]} == {("T9", 1), ("T8", 1), ("NULL", 1)}, join
    run.stop()


# Prometheus.


class Relay(http.server.BaseHTTPRequestHandler):
    """Passes what is asked on to the status server, and keeps (Accept, Content-Type, text)."""

    def do_GET(self):
        accept = self.headers.get("Accept", "")
        code, headers, text = status.ask(self.server.url.rstrip("/") + self.path, headers={"Accept": accept})
        self.server.seen.append((accept, headers["Content-Type"], text))
        self.send_response(code)
        self.send_header("Content-Type", headers["Content-Type"])
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *words):
        pass


@contextlib.contextmanager
def relay(url):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Relay)
    server.url, server.seen = url, []
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/", server.seen
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


UNITS = {"tramline_bytes": "bytes", "tramline_commit_phase_seconds": "seconds",
         "tramline_committed_record_timestamp_seconds": "seconds",
         "tramline_feed_expiry_timestamp_seconds": "seconds", "tramline_table_loaded_timestamp_seconds": "seconds"}


def check_openmetrics(text):
    """By the strict parser of Prometheus's client; and what it does not ask for."""
    assert text.endswith("\n# EOF\n"), text[-100:]
    families = list(openmetrics.text_string_to_metric_families(text))
    samples = [(family, sample) for family in families for sample in family.samples]
    assert {family.name: family.unit for family in families if family.unit} == UNITS
    assert all(sample.exemplar is None for _, sample in samples)
    assert all(sample.name == f"{family.name}_total" for family, sample in samples if family.type == "counter")
    kinds = {family.name: family.type for family in families}
    assert kinds["tramline_build"] == kinds["tramline_table"] == "info" and "unknown" not in kinds.values(), kinds
    assert len(families) == len(kinds) == 17, sorted(kinds)


@contextlib.contextmanager
def prometheus(url):
    directory = lib.tmp_dir()
    port = lib.free_port()
    (directory / "p.yml").write_text(json.dumps({
        "global": {"scrape_interval": "1s"},
        "scrape_configs": [{"job_name": "tramline",
                            "static_configs": [{"targets": [urllib.parse.urlsplit(url).netloc]}]}]}))
    with open(directory / "log", "wb") as log:
        process = subprocess.Popen(
            ["prometheus", f"--config.file={directory}/p.yml", f"--storage.tsdb.path={directory}/data",
             f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log)
    try:
        yield lambda query: json.loads(urllib.request.urlopen(
            f"http://127.0.0.1:{port}/api/v1/query?query={urllib.parse.quote(query)}", timeout=10).read())["data"]["result"]
    finally:
        process.terminate()
        process.wait(20)


def asked(query, text):
    try:
        return query(text)
    except OSError:
        return []


def test_prometheus_takes_the_metrics():
    assert shutil.which("prometheus"), "there is no prometheus; ./dev test installs it"
    job = Job()
    run, url = job.start()
    job.send(["T1,1", "T9,2", "T1,5000"])
    lib.wait_until(lambda: status.state(url)["records"]["unmatched"] == 1 and caught_up(url), what="the records")
    page = status.ask(f"{url}metrics")[2]
    lint = subprocess.run(["promtool", "check", "metrics"], input=page, capture_output=True, text=True, check=False)
    assert (lint.returncode, lint.stdout, lint.stderr) == (0, "", ""), lint
    with relay(url) as (relayed, seen), prometheus(relayed) as query:
        lib.wait_until(lambda: asked(query, "up == 1"), 30, "a scrape")
        accept, content_type, scraped = seen[0]
        assert accept.startswith("application/openmetrics-text"), accept
        assert content_type == "application/openmetrics-text; version=1.0.0; charset=utf-8", content_type
        check_openmetrics(scraped)
        for outcome in ("matched", "unmatched", "filtered"):
            found = query(f'tramline_records_total{{outcome="{outcome}"}}')
            assert [one["value"][1] for one in found] == ["1"], found
        seconds = query("max((time() - tramline_committed_record_timestamp_seconds) * (tramline_lag_records > bool 0))")
        assert [one["value"][1] for one in seconds] == ["0"], seconds
        expiry = query("tramline_feed_expiry_timestamp_seconds")  # 2100-01-01T00:00:00Z: the end of 2099-12-31
        assert [one["value"][1] for one in expiry] == ["4102444800"], expiry
        version, = query("tramline_build_info")
        assert version["metric"]["version"], version
        found = query('histogram_quantile(0.5, tramline_commit_phase_seconds_bucket{phase="upload"})')
        assert len(found) == 1 and float(found[0]["value"][1]) < 30, found
    run.stop()


# The lag, against the clock of the producer: this process.


class Watch:
    """Asks every 100 ms while it lives: (time, seconds of lag or None)."""

    def __init__(self, url):
        self.seen, self.url, self.is_over = [], url, threading.Event()
        self.thread = threading.Thread(target=self.go_on)
        self.thread.start()

    def go_on(self):
        while not self.is_over.wait(0.1):
            before = time.time()
            with contextlib.suppress(OSError, ValueError):
                self.seen.append((before, lag(self.url)["seconds"], time.time()))

    def stop(self):
        self.is_over.set()
        self.thread.join()
        return self.seen


def test_lag_is_that_of_the_producers_clock():
    """Each five seconds a record into one of two partitions; commits each 3 s. What is expected: since a
    record is sent, at the latest when it is acknowledged, until it is seen committed, its age; else 0."""
    job = Job(interval="3s")
    run, url = job.start()
    lib.wait_until(lambda: is_ready(url) and lag(url)["seconds"] == 0, what="readiness")
    watch = Watch(url)
    spans = []
    for i in range(4):
        sent = time.time()
        job.send([f"T1,{i}"], i % 2)
        acknowledged = time.time()
        wanted = sum(part["committed"] or 0 for part in status.state(url)["partitions"]) + 1
        lib.wait_until(lambda: sum(p["committed"] or 0 for p in status.state(url)["partitions"]) >= wanted, 20,
                       "the commit")
        spans.append((sent, time.time(), acknowledged))
        time.sleep(1.5)
    seen = watch.stop()
    assert len(seen) > 50
    for begin, value, end in seen:
        assert value is not None
        inside = [(a, b, there) for a, b, there in spans if a - 1 <= begin and end <= b + 1]
        if not inside:
            assert value == 0, (begin, value, spans)
        elif value > 0:
            a = inside[0][0]
            assert begin - a - 1 <= value <= end - a + 1, (begin, value, spans)
        else:
            assert begin < inside[0][2] + 1 or end > inside[0][1] - 1, (begin, value, spans)
    assert max(value for _, value, _ in seen) > 2
    run.stop()


def test_lag_of_partitions_that_another_worker_has():
    """Worker B is stopped in its tracks: A says how old the record is that B does not commit."""
    job = Job(interval="200ms")
    first, url = job.start(0)
    lib.wait_until(lambda: is_ready(url), what="readiness")
    job.send(["T1,0"], 0)
    job.send(["T1,0"], 1)
    second, other = job.start(1)
    lib.wait_until(lambda: is_ready(other) and is_ready(url) and caught_up(url), 60, "both")
    theirs, = [p["partition"] for p in status.state(other)["partitions"] if p["is_ours"]]
    assert [p["partition"] for p in status.state(url)["partitions"] if p["is_ours"]] == [1 - theirs]
    second.signal(19)  # SIGSTOP
    sent = time.time()
    job.send(["T1,1"], theirs)
    seen = lib.wait_until(lambda: lag(url)["seconds"] or None, 5, "the lag")
    assert abs(seen - (time.time() - sent)) < 1.5, (seen, time.time() - sent)
    time.sleep(1.5)
    assert abs(lag(url)["seconds"] - (time.time() - sent)) < 1, (lag(url), time.time() - sent)
    second.signal(18)  # SIGCONT
    lib.wait_until(lambda: caught_up(url), 60, "the commit of what was late")
    second.stop(code=None)
    first.stop()


def test_a_restart_knows_how_far_it_is_behind():
    job = Job(partitions=1)
    run, url = job.start()
    job.send(["T1,0"])
    lib.wait_until(lambda: status.state(url)["records"]["matched"] == 1 and caught_up(url), what="the record")
    run.stop()
    sent = time.time()
    job.send(["T1,1"])
    time.sleep(3)
    job.interval = "60s"
    run, url = job.start()
    lib.wait_until(lambda: is_ready(url) and lag(url)["seconds"], 30, "the lag")
    assert abs(lag(url)["seconds"] - (time.time() - sent)) < 1, (lag(url), time.time() - sent)
    assert lag(url)["records"] == 1
    run.stop()
