# SPDX-License-Identifier: Apache-2.0
# test: needs nothing
# test: not-asan it does not run the program
"""The oracle gives on real feeds the numbers of rows that two other tools counted."""
import collections

import lib
import oracle
import results

# Rows of trips with dates and frequencies, rows of stop_times joined to them.
COUNTS = {
    "stm-2014-extract": (38526, 112354),
    "stm-2021-metro-rebuilt": (1771, 45234),
    "mumbai": (52917, 1868615),
    "madrid-metro": (12124, 234948),
    "exo-train": (4236, 56078),
}


def check_feed(name):
    feed = lib.feed_dir(name)
    n_trips, n_joined = COUNTS[name]
    joined = oracle.ENRICHED_STOP_TIME
    sql = f"SELECT (SELECT count(*) FROM enriched_trip), (SELECT count(*) FROM ({joined}))"
    (row,) = oracle.iter_expected(feed, sql)
    assert row == (str(n_trips), str(n_joined)), row


def test_stm_2014():
    check_feed("stm-2014-extract")


def test_stm_2021_metro():
    check_feed("stm-2021-metro-rebuilt")


def test_mumbai():
    check_feed("mumbai")


def test_madrid_metro():
    check_feed("madrid-metro")


def test_exo_train():
    check_feed("exo-train")


def small_feed():
    feed = lib.tmp_dir()
    (feed / "trips.txt").write_text(
        '\ufeffroute_id,trip_id,service_id,trip_headsign,direction_id,unknown\r\n'
        '1,t1,"a,b","say ""hi""",01,x\r\n'
        '2,t2,s2,"",,y')
    (feed / "calendar_dates.txt").write_text('service_id,date,exception_type\n"a,b",20260101,2\n')
    (feed / "stop_times.txt").write_text(
        "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n"
        't1,,25:00:00,é,01\nt2,"",x,"a\nb",7\nt3,1,2,3,4\n')
    return feed


def test_null_is_not_the_empty_text():
    rows = oracle.expected_rows(small_feed(), "SELECT trip_id, trip_headsign, direction_id FROM trips")
    expected = collections.Counter([("t1", 'say "hi"', "1"), ("t2", "", None)])
    results.same_rows(rows, expected)


def test_missing_columns_and_files_are_null():
    rows = oracle.expected_rows(small_feed())
    first = ("t1", None, "25:00:00", "é", "1", "1", "a,b", 'say "hi"', "1", None, None, None, None,
             "20260101", "2", None, None, None)
    second = ("t2", "", "x", "a\nb", "7", "2", "s2", "", None, *[None] * 9)
    results.same_rows(rows, collections.Counter([first, second]))


def test_digest_does_not_heed_the_order():
    rows = [("a", None), ("a", ""), ("b", "c"), ("b", "c")]
    assert results.digest(rows) == results.digest(reversed(rows))
    assert results.digest(rows) != results.digest(rows[:3])
    assert results.digest([("a", None)]) != results.digest([("a", "")])


def test_result_of_a_local_directory():
    place = lib.tmp_dir()
    (place / "part-1-0.csv").write_text('a,b\n1,\n2,""\n"x,y","l1\nl2"\n')
    (place / "day=2026-01-01").mkdir()
    (place / "day=2026-01-01/part-2-0.csv").write_text("a,b\n1,\n")
    (place / "_tramline/tmp").mkdir(parents=True)
    (place / "_tramline/tmp/part-3-0.csv").write_text("a,b\n9,9\n")
    expected = collections.Counter(
        [("1", None), ("1", None), ("2", ""), ("x,y", "l1\nl2")])
    results.same_rows(results.rows_of_result(f"file://{place}"), expected)
    assert results.columns_of_result(place) == ["a", "b"]
