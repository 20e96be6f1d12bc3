# SPDX-License-Identifier: Apache-2.0
# test: needs kafka hdfs
# test: limit 900
# test: not-asan it measures the release build
"""`./dev bench limit` at small scale: records and rows of each job are what a plain count of the feed gives. No time is
looked at. With --long every row, beside the earlier commit."""
import csv
import json
import subprocess
import sys

import lib

sys.path.insert(0, str(lib.ROOT / "bench"))
import limit  # noqa: E402
import limit_jobs  # noqa: E402
import queries  # noqa: E402

FEW = ("discard", "avro-local", "q13")


def bench(*options):
    """Figures by row and name."""
    done = subprocess.run([lib.ROOT / "bench/run", "limit", "--quick", "--json", *options], stdout=subprocess.PIPE, text=True,
                          check=True, timeout=800)
    figures = [json.loads(line) for line in done.stdout.splitlines()]
    return {(figure["row"], figure["name"]): figure for figure in figures}


def counted(feed):
    """Records of the feed, and rows of the plain join."""
    folder = queries.feed(feed, limit.QUICK_SCALE)
    table = {name: list(csv.DictReader(open(folder / f"{name}.txt", encoding="utf-8", newline="")))
             for name in ("trips", "calendar_dates", "frequencies")}
    rows = {}
    for trip in table["trips"]:
        n_dates = sum(date["service_id"] == trip["service_id"] for date in table["calendar_dates"])
        n_spans = sum(span["trip_id"] == trip["trip_id"] for span in table["frequencies"])
        rows[trip["trip_id"]] = max(n_dates, 1) * max(n_spans, 1)
    with open(folder / "stop_times.txt", encoding="utf-8") as file:
        trips = [line.partition(",")[0] for line in list(file)[1:]]
    return len(trips), sum(rows[trip] for trip in trips)


def check_jobs(figures, rows, who):
    for row in rows:
        found = tuple(figures[row, f"{who}: {what}"]["value"] for what in ("records", "rows"))
        assert found == counted(limit.JOBS[row][0]), (row, who, found)
        assert figures[row, f"{who}: cpu"]["value"] > 0


def test_some_rows():
    figures = bench("--before", "", *[word for row in FEW for word in ("--row", row)])
    check_jobs(figures, [row for row in FEW if row in limit.JOBS], "now")
    assert figures["q13", "now: events"]["value"] == limit.QUICK_SCALE * limit_jobs.N_BIDS
    assert {row for row, _ in figures} == set(FEW)
    assert figures["discard", "now: rate"]["target"] == ">= 3.6e+06"


@lib.only_long
def test_every_row_beside_the_commit_before():
    figures = bench()
    assert {row for row, _ in figures} == set(limit.ROWS)
    for who in ("before", "now"):
        check_jobs(figures, limit.JOBS, who)
        assert figures["start", f"{who}: first record, the best"]["value"] > 0
    for row, (_, _, _, most) in limit.JOBS.items():
        for key in most:
            assert "met" in figures[row, f"now / before, {key.rpartition('_')[0]}"]
