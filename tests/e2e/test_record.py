# SPDX-License-Identifier: Apache-2.0
# test: needs kafka
"""`tramline test --record`: a test from a live topic and staged tables passes at once, has the rows that the
records reach and no others, and fails when a table is another."""
import os
import re

import broker
import lib

STM = lib.ROOT / "examples/stm/pipeline.sql"
SCRIPT = """
CREATE TABLE trips (trip_id TEXT NOT NULL, service_id TEXT, route TEXT, direction INT)
  WITH (connector = 'filesystem', path = 'data/trips', format = 'csv');
CREATE TABLE days (service_id TEXT NOT NULL, day TEXT)
  WITH (connector = 'filesystem', path = 'data/days', format = 'csv');
CREATE TABLE extra (trip_id TEXT, note TEXT)
  WITH (connector = 'filesystem', path = 'data/extra', format = 'csv', optional = true);
CREATE TABLE visits (trip_id TEXT NOT NULL, place TEXT, n INT) WITH ({stream});
CREATE TABLE result () WITH (connector = 'filesystem', path = 'data/result', format = 'csv');
INSERT INTO result {query};
"""
QUERY = ("SELECT v.*, t.route, d.day, 10 / v.n AS part, now() AS seen FROM visits v JOIN trips t ON t.trip_id = v.trip_id "
         "LEFT JOIN days d ON d.service_id = t.service_id LEFT JOIN extra x ON x.trip_id = t.trip_id")
TRIPS = "trip_id,service_id,route,direction\n" + "".join(f"T{i},S{i % 5},{i},0\n" for i in range(12000))
DAYS = "service_id,day\n" + "".join(f"S{i % 7},{20260100 + i}\n" for i in range(20))
VISITS = ['T1,"a, ""b""",1', "T7, x ,2", "T99999,c,3", "T2,,0", 'T3,"",4', "T1,bad,x", "T1", "T4,é,5"]


def job(query=QUERY, trips=TRIPS, days=DAYS, stream=None, visits=VISITS):
    directory = lib.tmp_dir()
    stream = stream or "connector = 'file', path = 'visits.csv', format = 'csv'"
    (directory / "p.sql").write_text(SCRIPT.format(stream=stream, query=query))
    (directory / "visits.csv").write_text("trip_id,place,n\n" + "".join(line + "\n" for line in visits))
    (directory / "feed").mkdir()
    (directory / "feed/trips.txt").write_text(trips)
    (directory / "feed/days.txt").write_text(days)
    lib.run("extract", "feed", "p.sql", cwd=directory)
    return directory


def record(directory, *args, code=0):
    return lib.run("test", "--record", "p.sql", *args, cwd=directory, code=code)


def lines(directory, name):
    return (directory / "t" / name).read_text().splitlines()


def passes(directory, code=0):
    return lib.run("test", "p.sql", "t", cwd=directory, code=code)


def test_a_recorded_test_passes_and_has_the_rows_that_are_reached():
    directory = job()  # services 1 to 4 have 3 of the 20 days each; trips 1, 3, 4 and 7 give a row a day
    done = record(directory, "--limit", "100", "t")
    assert done.out == ("t: 6 rows of visits.csv, 2 rows of visits.raw, 5 rows of trips.csv, 12 rows of days.csv, "
                        "12 rows expected, 3 records rejected\n"), done.out
    assert sorted(os.listdir(directory / "t")) == ["days.csv", "expect.csv", "reject.csv", "test.conf", "trips.csv", "visits.csv",
                                                   "visits.raw"]
    assert [line.split(",")[0] for line in lines(directory, "trips.csv")] == ["trip_id", "T1", "T2", "T3", "T4", "T7"]
    assert lines(directory, "visits.raw") == ["T1,bad,x", "T1"]
    assert lines(directory, "visits.csv")[1:3] == ['T1,"a, ""b""",1', 'T7," x ",2']
    assert passes(directory).out == "ok     t\n1 test: 1 ok\n"


def test_what_it_expects_is_what_it_says():
    """Each line of the expected rows changed, the test fails; so does one of a table."""
    directory = job()
    record(directory, "t")
    for name in ("expect.csv", "reject.csv", "trips.csv"):
        whole = (directory / "t" / name).read_text()
        for i in range(1, whole.count("\n")):
            some = whole.splitlines(keepends=True)
            del some[i]
            (directory / "t" / name).write_text("".join(some))
            passes(directory, code=1)
        (directory / "t" / name).write_text(whole)
    passes(directory)


def test_limit_and_from():
    directory = job()
    record(directory, "--limit", "2", "t")
    assert len(lines(directory, "visits.csv")) == 2 and not (directory / "t/visits.raw").exists()
    passes(directory)  # the header line is one of them


def test_other_names_take_whole_tables_if_they_are_small():
    query = "SELECT v.*, d.day FROM visits v JOIN days d ON d.service_id = 'S' || v.n"
    directory = job(query, trips="trip_id,service_id,route,direction\nT1,S1,1,0\n")
    done = record(directory, "t")
    assert "days.csv" in done.out, done.out
    passes(directory)
    # A key that no column of the stream has by its name, in a table that has one, too.
    query = "SELECT v.*, t.route FROM visits v JOIN trips t ON t.route = CAST(v.n AS TEXT)"
    small = "trip_id,service_id,route,direction\n" + "".join(f"T{i + 50},S1,{i},0\n" for i in range(100))
    directory = job(query, trips=small)
    done = record(directory, "t")
    assert done.out.endswith("The tables are there whole: which rows these records reach cannot be told from columns of "
                             "one name.\n"), done.out
    assert len(lines(directory, "trips.csv")) == 101
    passes(directory)
    directory = job(query)
    done = record(directory, "t", code=2)
    assert "the rows of tables that these records reach cannot be told from columns of one name, and a test takes no table " \
           "of more than 10000 rows whole; write it by hand: tramline cat shows the rows" in done.err, done.err
    assert not (directory / "t").exists()


def test_the_first_one_makes_the_folder_of_tests():
    directory = job()
    record(directory, "tests/first")
    assert "1 test: 1 ok" in lib.run("test", "p.sql", cwd=directory).out
    assert "1 test: 1 ok" in lib.run("test", "p.sql", "first", cwd=directory).out


def test_what_cannot_be_is_told():
    directory = job()
    (directory / "t").mkdir()
    assert record(directory, "t", code=2).err == "tramline test: t is there already and stays as it is\n"
    assert "cannot make the folder no/no/t: No such file or directory" in record(directory, "no/no/t", code=2).err
    assert record(directory, code=2).err == "tramline test: --record takes one folder behind the script: that of the new test\n"
    assert record(directory, "a", "b", code=2).err == ("tramline test: --record takes one folder behind the script: that of "
                                                       "the new test\n")
    done = lib.run("test", "p.sql", "t", "--limit", "3", cwd=directory, code=2)
    assert done.err == "tramline test: --limit and --from are for --record\n", done.err
    assert record(directory, "--limit", "10001", "u", code=2).err == ("tramline test: --limit takes at most 10000 records for "
                                                                      "a test, not '10001'\n")
    empty = job(visits=[])
    assert record(empty, "--from", "16", "t", code=2).err.endswith("there is no record to make a test of\n")
    wide = job("SELECT v.*, t.route FROM visits v, trips t WHERE t.direction = 0")
    assert record(wide, "t", code=2).err.endswith("these records give more than the 10000 rows that a test may have; --limit "
                                                  "takes fewer of them\n")


def test_records_that_are_no_text_are_left_out():
    topic = broker.create_topic()
    broker.produce(topic, [b"T1,a,1", b"T1,\xff,1", b"T1,a,1\nT2,b,2"])
    directory = job(stream=f"connector = 'kafka', brokers = '{lib.brokers()}', topic = '{topic}', format = 'csv'")
    done = record(directory, "t")
    assert done.out.endswith("2 records are left out: their bytes have no form in a test.\n"), done.out
    passes(directory)


def test_the_command_of_the_page():
    page = (lib.ROOT / "docs/testing-pipelines.md").read_text()
    words, = re.findall(r"^    \$ tramline (test --record .*)$", page, re.M)
    directory = job()
    (directory / "p.sql").rename(directory / "pipeline.sql")
    (directory / "tests").mkdir()
    lib.run(*words.split(), cwd=directory)
    assert lib.run("test", "pipeline.sql", cwd=directory).out == "ok     from_today\n1 test: 1 ok\n"


def test_a_feed_on_a_topic():
    """STM's own tables and stop_times, by the example's script."""
    feed = lib.feed_dir("stm-2021-metro-rebuilt")
    topic, directory = broker.create_topic(partitions=3), lib.tmp_dir()
    script = STM.read_text().replace("topic = 'stop_times'", f"topic = '{topic}'")
    (directory / "p.sql").write_text(script)
    words = [word for name, value in (("HDFS", f"file://{directory}"), ("USER_NAME", "u"), ("GROUP", "g"), ("NAME", "n"),
                                      ("BROKERS", lib.brokers())) for word in ("--set", f"{name}={value}")]
    lib.run("extract", feed, "p.sql", *words, cwd=directory)
    lib.run("produce", feed, "p.sql", *words, cwd=directory)
    done = lib.run("test", "--record", "p.sql", "--limit", "20", "t", *words, cwd=directory)
    rows = {name: int(n) for n, name in re.findall(r"(\d+) rows? of (\w+)\.csv", done.out)}
    assert rows["stop_times"] == 20 and rows["trips"] <= 20 and rows["trips"] < 96, done.out
    assert lib.run("test", "p.sql", "t", cwd=directory).out == "ok     t\n1 test: 1 ok\n"
