#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the status server costs: CPU seconds of a whole `run --once` over a file, with it on and scraped every second,
beside without: bench_status.py FEED [ROUNDS]. One JSON object a line, as the other benchmarks.
With --instructions behind FEED it counts instructions instead, by callgrind, which no other work on the machine changes.

Rounds take turns, and each one goes in the other order than the one before (off on, on off), so that whatever drifts on
the machine falls on both. CPU is the process's own, user and system, by wait4; who scrapes is another process. The
ratio is the median of the rounds'; that of either order, that of the least times, and how far rounds without it lie
apart say what it can mean."""
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = os.environ.get("TRAMLINE_BIN", str(ROOT / "build/release/tramline"))
FEED = pathlib.Path(sys.argv[1])
COUNTS = "--instructions" in sys.argv
ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 and not COUNTS else 6
COPIES = 8  # of the feed's stop_times, so that it takes some seconds
SCRIPT = """
SET spool = '{place}/spool';
{listen}
CREATE TABLE trips (route_id TEXT, service_id TEXT, trip_id TEXT NOT NULL, trip_headsign TEXT)
  WITH (connector = 'filesystem', path = '{tables}', format = 'csv');
CREATE TABLE stop_times (trip_id TEXT NOT NULL, arrival_time TEXT, departure_time TEXT, stop_id TEXT, stop_sequence INT)
  WITH (connector = 'file', path = '{stream}', header = false);
CREATE TABLE result () WITH (connector = 'filesystem', path = '{place}/result', format = 'csv');
INSERT INTO result SELECT s.*, t.route_id, t.trip_headsign FROM stop_times s JOIN trips t ON t.trip_id = s.trip_id;
"""


def emit(name, value, unit, note=""):
    print(json.dumps({"bench": "status", "name": name, "value": value, "unit": unit, "note": note}), flush=True)


def prepare(place):
    """The tables, and the stream as a file without a header; how many records that is."""
    (place / "trips").mkdir()
    shutil.copy(FEED / "trips.txt", place / "trips")
    lines = (FEED / "stop_times.txt").read_bytes().partition(b"\n")[2]
    with open(place / "stop_times.csv", "wb") as out:
        for _ in range(COPIES):
            out.write(lines)
    return COPIES * lines.count(b"\n")


def scrape(log, stop, seen):
    """Every second /metrics and /status.json, as a Prometheus and an open page do."""
    url = None
    while not stop.wait(1 if url else 0.02):
        found = [line for line in log.read_text().splitlines() if "status: http" in line]
        url = found[0].split("status: ")[1].strip() if found else None
        for path in ("metrics", "status.json") if url else ():
            try:
                with urllib.request.urlopen(url + path, timeout=5) as answer:
                    seen.append(len(answer.read()))
            except OSError:
                pass  # it has ended


def cpu_seconds(place, is_on):
    """(CPU seconds of one run, answers that were scraped)."""
    for name in ("result", "spool"):
        shutil.rmtree(place / name, ignore_errors=True)
    (place / "result").mkdir()
    script, log = place / "p.sql", place / "log"
    script.write_text(SCRIPT.format(place=place, tables=place / "trips", stream=place / "stop_times.csv",
                                    listen="SET status.listen = '127.0.0.1:0';" if is_on else ""))
    stop, seen = threading.Event(), []
    with open(log, "wb") as out:
        process = subprocess.Popen([PROGRAM, "run", "--once", script], stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    scraper = threading.Thread(target=scrape, args=(log, stop, seen))
    if is_on:
        scraper.start()
    _, code, usage = os.wait4(process.pid, 0)
    process.returncode = code
    stop.set()
    if is_on:
        scraper.join()
    if code != 0:
        sys.exit(f"bench: tramline run ended with {code}\n{log.read_text()}")
    return usage.ru_utime + usage.ru_stime, len(seen)


def instructions(place, is_on, n_scrapes=0):
    """Those of one run below callgrind, with so many scrapes while it reads."""
    for name in ("result", "spool"):
        shutil.rmtree(place / name, ignore_errors=True)
    (place / "result").mkdir()
    script, log = place / "p.sql", place / "log"
    script.write_text(SCRIPT.format(place=place, tables=place / "trips", stream=place / "stop_times.csv",
                                    listen="SET status.listen = '127.0.0.1:0';" if is_on else ""))
    with open(log, "wb") as out:
        process = subprocess.Popen(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", PROGRAM, "run",
                                    "--once", script], stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    n_answers = 0
    while process.poll() is None and n_answers < n_scrapes:
        found = [line for line in log.read_text().splitlines() if "status: http" in line]
        try:
            url = found[0].split("status: ")[1].strip() if found else None
            for path in ("metrics", "status.json") if url else ():
                urllib.request.urlopen(url + path, timeout=60).read()
            n_answers += url is not None
        except OSError:
            pass  # it has ended
        time.sleep(0.05)
    if process.wait() != 0:
        sys.exit(f"bench: tramline run ended with {process.returncode}\n{log.read_text()}")
    counted = [line for line in log.read_text().splitlines() if "Collected : " in line]
    return int(counted[0].split(":")[1].replace(",", "")), n_answers


def count_instructions():
    """A run without and with the server, and what a scrape adds: so of a run that is scraped once a second as well."""
    with tempfile.TemporaryDirectory() as name:
        place = pathlib.Path(name)
        n = prepare(place) // COPIES
        (place / "stop_times.csv").write_bytes((FEED / "stop_times.txt").read_bytes().partition(b"\n")[2])
        off, on = instructions(place, False)[0], instructions(place, True)[0]
        scraped, n_scrapes = instructions(place, True, 20)
        one = (scraped - on) / max(n_scrapes, 1)
        seconds = cpu_seconds(place, False)[0]
        emit("server off, instructions", off / n, "/record", f"{n} records; callgrind counts {off}")
        emit("server on, not asked, on / off", on / off, "x", f"callgrind counts {on}")
        emit("a scrape of /metrics and /status.json, instructions", one, "", f"of {n_scrapes}")
        emit("scraped once a second, on / off", (on + one * seconds) / off, "x",
             f"a run takes {seconds:.2f} CPU s by itself, so as many scrapes")


def main():
    if COUNTS:
        return count_instructions()
    with tempfile.TemporaryDirectory() as name:
        place = pathlib.Path(name)
        n = prepare(place)
        rounds, n_scraped = [], 0
        cpu_seconds(place, False)  # files come into the page cache
        for i in range(ROUNDS):
            one = {}
            for is_on in (False, True) if i % 2 == 0 else (True, False):
                one[is_on], scraped = cpu_seconds(place, is_on)
                n_scraped += scraped
                time.sleep(0.2)
            rounds.append(one)
        off, on = ([one[is_on] for one in rounds] for is_on in (False, True))
        quartiles = statistics.quantiles(off, n=4)
        apart = (quartiles[2] - quartiles[0]) / statistics.median(off)
        emit("server off", statistics.median(off) / n * 1e9, "ns/record", f"{n} records, median of {ROUNDS}")
        emit("server on, scraped every second", statistics.median(on) / n * 1e9, "ns/record", f"{n_scraped} answers")
        emit("on / off", statistics.median(one[True] / one[False] for one in rounds), "x",
             f"median of rounds; those without it lie {100 * apart:.1f} % apart (quartiles)")
        for name, first in (("off first", 0), ("on first", 1)):
            emit(f"on / off, {name}", statistics.median(one[True] / one[False] for one in rounds[first::2]), "x")
        emit("on / off, the least of each", min(on) / min(off), "x")


if __name__ == "__main__":
    main()
