# SPDX-License-Identifier: Apache-2.0
# test: needs nothing
"""`tramline new`: check passes at once on the script for each feed, real and odd; nothing is overwritten."""
import os
import random
import re
import zipfile

import lib

TRIPS = "route_id,service_id,trip_id,direction_id\n51,W,T1,0\n52,W,T2,1\n"
DATES = "service_id,date,exception_type\nW,20261123,1\n"
STOPS = "trip_id,arrival_time,departure_time,stop_id,stop_sequence\nT1,08:00:00,08:00:00,S1,01\n"


def feed_of(directory, **files):
    (directory / "feed").mkdir()
    for name, text in files.items():
        (directory / f"feed/{name}.txt").write_bytes(text if isinstance(text, bytes) else text.encode())
    return directory / "feed"


def new(directory, feed, *args, code=0):
    return lib.run("new", "--feed", feed, *args, cwd=directory, code=code)


def made(*args, **files):
    """The script for a feed; that it is good, check says."""
    directory = lib.tmp_dir()
    new(directory, feed_of(directory, **files), *args)
    lib.run("check", "pipeline.sql", cwd=directory)
    return directory, (directory / "pipeline.sql").read_text()


def columns(script, table):
    body = re.search(rf"CREATE TABLE {table} \(\n(.*?)\n\)", script, re.S).group(1)
    return [line.strip().rstrip(",") for line in body.split("\n")]


def test_each_real_feed_gives_a_good_script():
    """What the table of feeds says they have is declared and joined, and extract takes it."""
    joined = {"stm-2014-extract": "tdf", "stm-2021-metro-rebuilt": "tdf", "mumbai": "tdf", "madrid-metro": "tdf",
              "exo-train": "td", "stm-2021-spring-sample": ""}
    for name, aliases in joined.items():
        feed = lib.feed_dir(name)
        directory = lib.tmp_dir()
        new(directory, feed)
        lib.run("check", "pipeline.sql", cwd=directory)
        script = (directory / "pipeline.sql").read_text()
        view = script.partition("CREATE VIEW")[2].partition(";")[0]
        assert "".join(re.findall(r" (?:FROM|JOIN) \w+ (\w)\b", view)) == aliases, script
        assert "NOT NULL" in columns(script, "stop_times")[0], script
        if aliases:
            lib.run("extract", feed, "pipeline.sql", cwd=directory)
            assert sorted(lib.os.listdir(directory / "data")) == sorted(
                ["_feed.json", "trips", "calendar_dates"] + ["frequencies"] * ("f" in aliases))


def test_a_zip_and_the_words_of_the_command_line():
    directory = lib.tmp_dir()
    with zipfile.ZipFile(directory / "gtfs.zip", "w") as feed:
        feed.writestr("gtfs/trips.txt", TRIPS)
        feed.writestr("gtfs/stop_times.txt", STOPS)
    done = new(directory, "gtfs.zip", "--topic", "arrivals", "--brokers", "k1:9092,k2:9092", "--root",
               "hdfs://node:9870/user/o'neil", "--out", "job.sql")
    assert done.out == ("job.sql is made; 'tramline check job.sql' looks at it, 'tramline help sql' says how it is "
                        "written\n")
    script = (directory / "job.sql").read_text()
    for text in ("'arrivals'", "'k1:9092,k2:9092'", "'hdfs://node:9870/user/o''neil/trips'"):
        assert text in script, script
    lib.run("check", "job.sql", cwd=directory)
    new(directory, "gtfs.zip", "--root", "${HERE}/x", "--brokers", "${BROKERS}", "--out", "variables.sql")
    lib.run("check", "variables.sql", "--set", "HERE=/tmp", "--set", "BROKERS=k:1", cwd=directory)


WHOLE = """-- Made by tramline new from <DIR>/feed.
-- What stands behind 'Decide' is yours to look at.
-- The feed has no calendar.txt.
-- The feed has no frequencies.txt.

SET commit.interval = '60s'; -- Decide: how soon rows are there, and how small files may be

CREATE TABLE trips (
  route_id TEXT,
  service_id TEXT NOT NULL,
  trip_id TEXT NOT NULL,
  direction_id INT
) WITH (connector = 'filesystem', format = 'csv', path = 'data/trips');

CREATE TABLE calendar_dates (
  service_id TEXT NOT NULL,
  date TEXT NOT NULL,
  exception_type INT
) WITH (connector = 'filesystem', format = 'csv', path = 'data/calendar_dates');

-- A row for each trip and each row that it meets below. Decide: LEFT JOIN keeps trips that
-- meet none; JOIN leaves them out. As MATERIALIZED VIEW with path and format it is written, too.
CREATE VIEW enriched_trip AS
  SELECT t.route_id,
         t.service_id,
         t.trip_id,
         t.direction_id,
         d.date,
         d.exception_type
  FROM trips t
  LEFT JOIN calendar_dates d ON d.service_id = t.service_id;

-- Fields of a record, in this order. Decide: format = 'avro' takes them from a Schema Registry.
CREATE TABLE stop_times (
  trip_id TEXT NOT NULL,
  arrival_time TEXT,
  departure_time TEXT,
  stop_id TEXT,
  stop_sequence INT
) WITH (connector = 'kafka', format = 'csv', brokers = 'localhost:9092', topic = 'stop_times');

CREATE TABLE enriched_stop_time ()
  WITH (connector = 'filesystem', format = 'csv', path = 'data/enriched_stop_time');

-- Decide: JOIN leaves records out whose trip is not there; LEFT JOIN keeps them.
INSERT INTO enriched_stop_time
  SELECT s.*,
         e.route_id,
         e.service_id,
         e.direction_id,
         e.date,
         e.exception_type
  FROM stop_times s JOIN enriched_trip e ON e.trip_id = s.trip_id;
"""


def test_the_whole_script():
    directory, script = made(trips=TRIPS, calendar_dates=DATES, stop_times=STOPS)
    assert script.replace(str(directory), "<DIR>") == WHOLE, script


def test_a_name_that_is_no_text_is_refused():
    directory = lib.tmp_dir()
    done = new(directory, feed_of(directory, trips=TRIPS), "--topic", os.fsdecode(b"t\xff"), code=2)
    assert done.err == "tramline new: --topic: not UTF-8 text\n"


def test_types_are_those_that_are_found():
    trips = ("trip_id,service_id,direction_id,wheelchair_accessible,n,big,share,code7,zeros,none,plain,route_code\n"
             "T1,W,0,yes,7,3000000000,1.5,0,007,,a,5\nT2,W,,1,-8,1,2,1,01,,5,6\n")
    script = made(trips=trips, stop_times=STOPS)[1]
    assert columns(script, "trips") == [
        "trip_id TEXT NOT NULL", "service_id TEXT NOT NULL", "direction_id INT", "wheelchair_accessible TEXT",
        '"n" INT', '"big" BIGINT', '"share" REAL', '"code7" INT', '"zeros" TEXT', '"none" TEXT', '"plain" TEXT',
        "route_code TEXT"]
    assert columns(script, "stop_times") == ["trip_id TEXT NOT NULL", "arrival_time TEXT", "departure_time TEXT",
                                             "stop_id TEXT", "stop_sequence INT"]
    assert "-- wheelchair_accessible is TEXT: a number by the GTFS reference, but 'yes' was found.\n" in script


def test_keys_that_rows_lack_may_be_null():
    directory, script = made(trips=TRIPS + "53,,T3,\n", calendar_dates=DATES, stop_times=STOPS)
    assert "service_id TEXT" in columns(script, "trips") and "service_id TEXT NOT NULL" in columns(script, "calendar_dates")
    assert "-- service_id may be NULL: 1 row has no value. NOT NULL would refuse them.\n" in script
    lib.run("extract", "feed", "pipeline.sql", cwd=directory)


def test_odd_files_are_told_and_extract_agrees():
    for files, said, extracts in (
            ({"trips": TRIPS, "calendar_dates": DATES, "stop_times": STOPS}, "-- The feed has no frequencies.txt.", True),
            ({"trips": "\ufeff" + TRIPS.replace("trip_id", " trip_id "), "stop_times": STOPS}, "LEFT JOIN", True),
            ({"trips": TRIPS.replace("\n", "\r\n"), "stop_times": STOPS}, "CREATE VIEW", True),
            ({"trips": TRIPS, "calendar": DATES, "stop_times": STOPS}, "LEFT JOIN calendar c ON c.service_id", True),
            ({"trips": TRIPS, "calendar": DATES, "calendar_dates": DATES, "stop_times": STOPS},
             "-- Decide: calendar.txt is there too, and could be joined by service_id.", True),
            ({"trips": TRIPS, "calendar_dates": "service_id,date,exception_type\n", "stop_times": STOPS},
             "-- The feed's has no rows.", True),
            ({"trips": TRIPS, "calendar_dates": "", "stop_times": STOPS},
             "-- calendar_dates.txt is not joined: it has no header line", True),
            ({"trips": "route_id,service_id\n1,W\n", "stop_times": STOPS},
             "-- trips.txt is not joined: it has no column trip_id.", False),
            ({"calendar_dates": DATES, "stop_times": STOPS},
             "-- calendar_dates.txt is not joined: there are no trips to join it with.", False),
            ({"trips": TRIPS, "routes": "route_id\n1\n", "stops": "stop_id\n1\n"},
             "-- Decide: stops.txt is there too, and could be joined by stop_id.", True),
            ({"trips": TRIPS}, "-- The feed's stop_times.txt does not tell them: these are the reference's.", True),
            ({"trips": TRIPS, "stop_times": "223850366,05:13:00,05:13:00,51096,1\n"}, "these are the reference's.", True),
            ({"trips": TRIPS.replace("T1", "T1 "), "stop_times": STOPS}, "trim = true", True),
            ({"trips": TRIPS + "1,W,T3,0,9,9\n", "stop_times": STOPS},
             "-- Decide: 1 row cannot be read, such as trips.txt:4: 6 fields for 4 columns of the header: the first too many "
             "is '9'. Extract refuses the feed; on_error = 'skip' leaves them out.\n", False),
            ({"trips": TRIPS.replace("direction_id", "trip_id"), "stop_times": STOPS},
             "-- trips.txt is not joined: it has no column trip_id.", False),
            ({"trips": "a,a,trip_id,,${b},True," + "x" * 64 + "\n1,2,T1,4,5,6,7\n", "stop_times": STOPS},
             "-- Columns that are left out: a (twice), a (twice), (without a name), ${b} (with '${', as variables have), "
             "True (a value of SQL), " + "x" * 63 + " (a name of more than 63 bytes)\n", True),
            ({"trips": b"trip_id,b\xff\nT1,5\n", "stop_times": STOPS},
             "-- trips.txt is not joined: trips.txt: the header's name 'b\\xFF' is not UTF-8", False),
            ({"trips": TRIPS.encode("utf-16"), "stop_times": STOPS}, "-- trips.txt is not joined: the file is UTF-16, not UTF-8; convert it first", False),
            ({"trips": ",".join(["trip_id"] + [f"c{i}" for i in range(600)]) + "\nT1" + ",1" * 600 + "\n",
              "stop_times": STOPS}, "c499 (more than 500 columns)", True)):
        directory, script = made(**files)
        assert said in script, f"{said}\n{script}"
        done = lib.run("extract", "feed", "pipeline.sql", cwd=directory, code=None)
        assert (done.code == 0) == extracts, done.err


NAMES = ['select', 'Order', 'current_date', 'x"y', "x'y", 'été', 'a b', '1st', 'group_by', 'trip_id', 'service_id', 'date',
         '-- x', '${X}', '$${X}', 'a;b', '\\', 'session_user', 'stop_id', '日本', '"', '', ' ', 'x' * 63, 'x' * 64, 'e', 's', 't',
         'exception_type', 'start_time', 'route_id', 'null', 'true']


def test_names_made_by_chance_give_good_scripts():
    chance = random.Random(11)
    for _ in range(60):
        files = {}
        for table, keys in (("trips", ["trip_id", "service_id"]), ("calendar_dates", ["service_id", "date"]),
                            ("frequencies", ["trip_id"]), ("calendar", ["service_id"]), ("stop_times", ["trip_id", "stop_id"])):
            if chance.random() < 0.2 and (table != "stop_times" or "trips" in files):
                continue
            names = (keys if chance.random() < 0.9 else []) + chance.choices(NAMES, k=chance.randrange(8))
            chance.shuffle(names)
            quoted = ['"' + name.replace('"', '""') + '"' if chance.random() < 0.5 or '"' in name else name for name in names]
            rows = ["".join(chance.choice(["", " ", "1", "1.5", "x", "007", "a'b", "--", '"q""r"']) + ","
                            for _ in names)[:-1] for _ in range(chance.randrange(4))]
            files[table] = chance.choice(["", "\ufeff"]) + "\n".join([",".join(quoted), *rows]) + "\n"
        made(**files)


def test_nothing_is_overwritten():
    directory = lib.tmp_dir()
    feed = feed_of(directory, trips=TRIPS)
    (directory / "pipeline.sql").write_text("mine")
    (directory / "folder.sql").mkdir()
    os.symlink("nowhere", directory / "link.sql")
    for name in ("pipeline.sql", "folder.sql", "link.sql"):
        done = new(directory, feed, "--out", name, code=2)
        assert done.err == f"tramline new: {name} is there already and stays as it is; --out takes another name\n"
    assert (directory / "pipeline.sql").read_text() == "mine" and not (directory / "nowhere").exists()


def test_what_is_empty_is_refused_and_a_dash_is_stdout():
    feed = lib.feed_dir("madrid-metro")
    here = lib.tmp_dir()
    for flag in ("--topic", "--brokers", "--root"):
        done = lib.run("new", "--feed", feed, flag, "", code=2, cwd=here)
        assert flag == "--brokers" or done.err == f"tramline new: {flag} has an empty value\n", done.err
    shown = lib.run("new", "--feed", feed, "--out", "-", cwd=here)
    assert list(here.iterdir()) == [] and shown.err == "", shown
    lib.run("new", "--feed", feed, cwd=here)
    assert shown.out == (here / "pipeline.sql").read_text()


def test_a_full_disk_leaves_no_script():
    directory = lib.tmp_dir()
    feed = feed_of(directory, trips=TRIPS)
    done = lib.run("new", "--feed", feed, "--out", "none/p.sql", cwd=directory, code=2)
    assert done.err == "tramline new: cannot write none/p.sql: No such file or directory\n"
    limited = lib.subprocess.run(["sh", "-c", "ulimit -f 1; exec \"$0\" new --feed feed --out p.sql", lib.program()],
                                 cwd=directory, capture_output=True, text=True, timeout=60, check=False)
    assert (limited.returncode, limited.stderr) == (1, "tramline new: cannot write p.sql: File too large\n"), limited
    assert not (directory / "p.sql").exists()


def test_what_is_no_feed_is_refused():
    """Whatever else is in it. One of the two tables makes it a feed."""
    for tables in ({"readme": "x\n"}, {"agency": "agency_name\nx\n", "routes": "route_id\nr\n"}):
        here = lib.tmp_dir()
        (here / "other").mkdir()
        for name, text in tables.items():
            (here / f"other/{name}.txt").write_text(text)
        done = lib.run("new", "--feed", "other", code=3, cwd=here)
        assert done.err == (f"tramline new: {here}/other has neither trips.txt nor stop_times.txt: "
                            "is it a GTFS feed?\n"), done.err
        assert not (here / "pipeline.sql").exists()
