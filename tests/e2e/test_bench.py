# SPDX-License-Identifier: Apache-2.0
# test: needs nothing
# test: not-asan it measures the release build
"""`./dev bench queries` runs every query on both feeds and gives what a plain count of the feed gives. No time is looked at."""
import csv
import json
import subprocess
import sys

import lib

sys.path.insert(0, str(lib.ROOT / "bench"))
import queries  # noqa: E402
import queries_sql  # noqa: E402

SCALE = 0.003


def bench(*options):
    return subprocess.run([lib.ROOT / "bench/run", "queries", "--scale", str(SCALE), "--before", "", "--no-rivals", *options],
                          capture_output=True, text=True, check=True, timeout=300).stdout


def table(folder, name):
    with open(folder / f"{name}.txt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def enriched(folder):
    """For each trip its rows of the view, by hand: date, exception_type, headsign and route."""
    trips = {}
    for trip in table(folder, "trips"):
        dates = [d for d in table(folder, "calendar_dates") if d["service_id"] == trip["service_id"]] or [{}]
        spans = [f for f in table(folder, "frequencies") if f["trip_id"] == trip["trip_id"]] or [{}]
        trips[trip["trip_id"]] = [{**trip, **date, **span} for date in dates for span in spans]
    return trips


def counted(folder):
    """Rows of some of the queries."""
    trips, counts = enriched(folder), dict.fromkeys(("plain join", "service days", "like", "1 % filter", "union all"), 0)
    for record in table(folder, "stop_times"):
        rows = trips[record["trip_id"]]
        counts["plain join"] += len(rows)
        counts["service days"] += sum(row.get("exception_type") == "1" for row in rows)
        counts["like"] += sum(row["trip_headsign"].startswith("Station") for row in rows)
        counts["1 % filter"] += len(rows) * (record["stop_sequence"] == "40")
        counts["union all"] += 2
    return counts


def test_all_queries_run_on_both_feeds():
    results = [json.loads(line) for line in bench("--json").splitlines()]
    for name in queries.FEEDS:
        of_feed = {result["query"]: result for result in results if result["feed"] == name}
        assert of_feed.keys() == queries_sql.QUERIES.keys(), (name, of_feed.keys())
        for query, n_rows in counted(queries.feed(name, SCALE)).items():
            assert of_feed[query]["rows"] == n_rows, (name, query, of_feed[query], n_rows)
        for result in of_feed.values():
            if result["executor"] == "native":
                assert abs(result["plain_rows"] - result["rows"]) <= 60, result


def test_the_table_has_a_line_for_each_query():
    lines = bench("--feed", "F1", "--query", "like", "--query", "plain join").splitlines()
    assert lines[0].startswith("F1: ") and lines[1].split()[:2] == ["query", "rows"], lines
    assert [line.split()[0] for line in lines[2:-1]] == ["like", "plain"], lines
    assert len({len(line) for line in lines[1:-1]}) == 1, lines
