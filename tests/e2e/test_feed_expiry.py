# SPDX-License-Identifier: Apache-2.0
# test: limit 120
"""When the feed ends, as the status server of a run has it, against the dates of real feeds' files as Python's csv
module reads them; the rule stands in docs/operations.md."""
import csv
import datetime
import shutil

import lib
import status

TABLES = {"calendar": "service_id TEXT, start_date TEXT, end_date TEXT",
          "calendar_dates": "service_id TEXT, date TEXT, exception_type INT",
          "feed_info": "feed_publisher_name TEXT, feed_start_date TEXT, feed_end_date TEXT"}
FEEDS = ("exo-train", "madrid-metro", "mumbai", "stm-2014-extract", "stm-2021-metro-rebuilt")


def rows(path):
    with open(path, encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def end_of(date):
    day = datetime.datetime.strptime(date, "%Y%m%d").replace(tzinfo=datetime.timezone.utc)
    return int((day + datetime.timedelta(days=1)).timestamp() * 1000)


def expected(feed, names):
    """The rule by hand: the last end or added date, but feed_end_date where that is sooner."""
    read = {name: rows(feed / f"{name}.txt") for name in names}
    ends = [row["end_date"] for row in read.get("calendar", [])]
    dates = read.get("calendar_dates", [])
    if ends or all(row["exception_type"] != "2" for row in dates):
        ends += [row["date"] for row in dates if row["exception_type"] == "1"]
    info = [row.get("feed_end_date") or "" for row in read.get("feed_info", [])]
    to = min([max(ends, default=""), *info], key=lambda date: date or "9")
    return end_of(to) if to else None


def told(feed, names):
    directory = lib.tmp_dir()
    text = f"SET spool = '{directory}/spool';\nSET status.listen = '127.0.0.1:0';\n"
    for name in names:
        (directory / name).mkdir()
        shutil.copy(feed / f"{name}.txt", directory / name)
        text += (f"CREATE TABLE {name} ({TABLES[name]}) WITH (connector = 'filesystem', path = '{directory}/{name}', "
                 "format = 'csv');\n")
    (directory / "s.csv").write_text("a\n")
    text += (f"CREATE TABLE s (a TEXT) WITH (connector = 'file', path = '{directory}/s.csv', header = false);\n"
             f"CREATE TABLE r () WITH (connector = 'filesystem', path = '{directory}/r', format = 'csv');\n"
             "INSERT INTO r SELECT s.a FROM s;\n")
    (directory / "p.sql").write_text(text)
    run = lib.Started("run", directory / "p.sql")
    try:
        url = status.url_of(run)
        lib.wait_until(lambda: len(status.state(url)["tables"]) == len(names), 30, "the tables")
        return status.state(url), status.metrics(url)
    finally:
        run.stop()


def test_real_feeds_end_when_their_files_say():
    seen = set()
    for name in FEEDS:
        feed = lib.feed_dir(name)
        all_of_it = [table for table in TABLES if (feed / f"{table}.txt").exists()]
        for names in (all_of_it, ["calendar_dates"]):
            state, numbers = told(feed, names)
            want = expected(feed, names)
            ends = [table["expires_ms"] for table in state["tables"] if table["expires_ms"] is not None]
            assert max(ends, default=None) == want, (name, names, state["tables"], want)
            assert numbers.get(("tramline_feed_expiry_timestamp_seconds",)) == (want / 1000 if want else None), name
            codes = {reason["code"] for reason in state["reasons"]}
            assert ("expired" in codes) == bool(want and want < state["time_ms"]), (name, codes)
            seen.add(want is None)
    assert seen == {True, False}, seen
