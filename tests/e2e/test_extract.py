# SPDX-License-Identifier: Apache-2.0
# test: takes 120
# test: waits
# test: needs hdfs
"""extract is a gate: what a job could not run with never takes the place of what it runs with, the
version before is kept, and one that is cut off leaves no mix that runs. On local files and on HDFS,
in CSV and in Avro."""
import datetime
import json
import os
import signal
import time

import lib
import results
import webhdfs

GOOD = "route_id,service_id,trip_id,trip_headsign,direction_id\nR1,S1,T1,Gare,0\nR1,S2,T2,Pont,1\n"
FREQUENCIES = "trip_id,headway_secs\nT1,300\n"


class Work:
    """Tables trips and frequencies (optional) below `root`, and a job over them."""

    def __init__(self, root=None, kind="csv", settings="", more=""):
        self.dir = lib.tmp_dir()
        self.root = root or f"{self.dir}/staged"
        (self.dir / "s.csv").write_text("trip_id\nT1\nT2\n")
        (self.dir / "p.sql").write_text(f"""
            SET spool = '{self.dir}/spool'; {settings}
            CREATE TABLE trips (route_id TEXT, service_id TEXT NOT NULL, trip_id TEXT NOT NULL,
              trip_headsign TEXT, direction_id INT)
              WITH (connector = 'filesystem', path = '{self.root}/trips', format = '{kind}'{more});
            CREATE TABLE frequencies (trip_id TEXT NOT NULL, headway_secs INT) WITH (
              connector = 'filesystem', path = '{self.root}/frequencies', format = '{kind}',
              optional = true);
            CREATE TABLE s (trip_id TEXT NOT NULL)
              WITH (connector = 'file', path = '{self.dir}/s.csv');
            CREATE TABLE r () WITH (connector = 'filesystem', path = '{self.dir}/r', format = 'csv');
            INSERT INTO r SELECT s.trip_id, t.trip_headsign, f.headway_secs FROM s
              JOIN trips t ON t.trip_id = s.trip_id LEFT JOIN frequencies f ON f.trip_id = s.trip_id;""")

    def feed(self, trips, frequencies=None, **others):
        directory = lib.tmp_dir()
        for name, text in {"trips": trips, "frequencies": frequencies, **others}.items():
            if text is not None:
                (directory / f"{name}.txt").write_bytes(
                    text if isinstance(text, bytes) else text.encode())
        return directory

    def extract(self, *args, code=0):
        done = lib.run("extract", *args, "p.sql", cwd=self.dir, code=code)
        return done.out + done.err

    def rows(self):
        """Of a new run over the tables."""
        lib.run("init", "--reset", "--yes", "p.sql", cwd=self.dir)
        lib.run("run", "--once", "p.sql", cwd=self.dir)
        return sorted(results.rows_of_result(self.dir / "r").elements())


OLD_ROWS = [("T1", "Gare", None), ("T2", "Pont", None)]


def staged(root):
    """Every file below a local directory."""
    return {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_what_cannot_be_read_leaves_the_good_tables_alone():
    bad = [
        ("Universit\xe9".encode("latin-1").join([GOOD[:GOOD.index("Gare")].encode(),
                                                 GOOD[GOOD.index("Gare") + 4:].encode()]),
         "2: column trip_headsign: 'Universit\\xE9' is not UTF-8"),
        (GOOD.replace(",1\n", ",1,x\n"),
         "3: 6 fields for 5 columns of the header: the first too many is 'x'"),
        (GOOD.replace("Pont", '"Pont'), "3: column trip_headsign: unclosed quote"),
        (GOOD.replace("Pont", '"Po"nt'), "3: column trip_headsign: text after the closing quote; a "
                                         "quote inside quotes is written twice"),
        (GOOD.replace(",0\n", ",zero\n"), "2: column direction_id: 'zero' is not an INT"),
        (GOOD.replace("S2", ""), "3: column service_id is NOT NULL and has no value"),
        (GOOD + "R1,S3,T3,Parc\0,1\n", "4: column trip_headsign: 'Parc\\x00' holds a NUL byte"),
    ]
    for kind in ("csv", "avro"):
        work = Work(kind=kind)
        work.extract(work.feed(GOOD))
        before = staged(work.dir / "staged")
        for text, message in bad:
            for force in ([], ["--force"]):
                feed = work.feed(text)
                said = work.extract(*force, feed, code=3)
                assert (f"tramline extract: {feed}: trips.txt:{message}; on_error = 'skip' leaves such "
                        "rows out\n") in said, said
                assert staged(work.dir / "staged") == before
        assert work.rows() == OLD_ROWS


def test_rows_may_be_left_out():
    for kind in ("csv", "avro"):
        work = Work(kind=kind, more=", on_error = 'skip'")
        feed = work.feed(GOOD + ",,T3,,\n")
        said = work.extract(feed)
        assert "table trips: 1 row left out, the first of them:\n" in said, said
        assert f"{feed}: trips.txt:4: column service_id is NOT NULL and has no value\n" in said, said
        assert "2 rows  " in said, said
        assert work.rows() == OLD_ROWS


def test_a_required_table_without_rows_is_refused():
    for text in (GOOD.split("\n", maxsplit=1)[0] + "\n",
                 GOOD.split("\n", maxsplit=1)[0] + "\r\n \r\n\x1a", ""):
        work = Work()
        feed = work.feed(text)
        said = work.extract(feed, code=3)
        message = (f"{feed}: trips.txt has no rows; if that is right, run extract with --force, or declare "
                   "the table with optional = true\n")
        if not text:
            message = f"{feed}: trips.txt: the file is empty; a header line was expected\n"
        assert f"tramline extract: {message}" in said, said
        assert not list((work.dir / "staged").rglob("*.csv"))
    work = Work()
    work.extract("--force", work.feed(GOOD.split("\n", maxsplit=1)[0] + "\n"))
    err = lib.run("run", "--once", "p.sql", cwd=work.dir, code=None).err
    assert ("warn  table trips has no rows, so that nothing matches it; if that is meant, say WITH "
            "(optional = true)\n") in err, err


def test_an_empty_optional_table_is_as_none():
    for text in ("", "\n", "\ufeff", " \r\n\x1a"):
        for kind in ("csv", "avro"):
            work = Work(kind=kind)
            said = work.extract(work.feed(GOOD, text))
            assert "frequencies.txt is empty; so the table has no rows\n" in said, said
            assert "frequencies       not there  0 rows " in said, said
            assert work.rows() == OLD_ROWS
    work = Work()
    work.extract(work.feed(GOOD))
    (work.dir / "staged/frequencies").mkdir(exist_ok=True)
    (work.dir / "staged/frequencies/frequencies.csv").write_text("")  # by hand
    assert work.rows() == OLD_ROWS


def trips(n):
    return GOOD + "".join(f"R1,S1,X{i},Parc,0\n" for i in range(n - 2))


def test_a_table_that_lost_most_of_its_rows_is_refused():
    for n, settings, code in ((50, "", 0), (49, "", 3), (49, "SET extract.max_shrink = '51%';", 0),
                              (99, "SET extract.max_shrink = '0%';", 3),
                              (2, "SET extract.max_shrink = '100%';", 0)):
        work = Work(settings=settings)
        work.extract(work.feed(trips(100)))
        feed = work.feed(trips(n))
        said = work.extract(feed, code=code)
        if code == 0:
            assert f"{n} rows, before 100 " in said, said
            continue
        share = 0 if settings else 50
        assert (f"tramline extract: {feed}: trips.txt has {n} rows, the staged table 100: it lost more "
                f"than extract.max_shrink = '{share}%'; if that is right, run extract with --force\n"
                ) in said, said
        assert f"{n} rows, before 100 " in work.extract("--force", feed)


def test_rows_before_are_counted_where_nobody_noted_them():
    """As an older extract left them."""
    for kind in ("csv", "avro"):
        work = Work(kind=kind)
        work.extract(work.feed(trips(100)))
        path = work.dir / "staged/_feed.json"
        note = json.loads(path.read_text())
        for table in note["tables"]:
            del table["rows"]
        path.write_text(json.dumps(note))
        assert "the staged table 100: it lost more than" in work.extract(work.feed(trips(10)), code=3)


def test_an_optional_table_that_leaves_the_feed_is_told():
    work = Work()
    work.extract(work.feed(GOOD, FREQUENCIES))
    said = work.extract(work.feed(GOOD), code=3)
    assert "frequencies.txt has 0 rows, the staged table 1: it lost more than " in said, said
    work.extract("--force", work.feed(GOOD))
    assert work.rows() == OLD_ROWS


def test_the_dates_of_a_feed_are_told():
    today = datetime.datetime.now(datetime.timezone.utc).date()

    def day(n):
        return today + datetime.timedelta(days=n)

    def feed_of(last):
        return work.feed(GOOD, calendar="service_id,start_date,end_date\n"
                         f"S1,{day(-100):%Y%m%d},{last:%Y%m%d}\n")

    work = Work()
    for n, warning in ((8, None), (6, "ends on {}, in "), (-3, "ended on {}, ")):
        said = work.extract(feed_of(day(n)))
        assert f"dates            {day(-100)} to {day(n)}\n" in said, said
        assert ("warn  the feed e" in said) == (warning is not None), said
        assert warning is None or f"the feed {warning.format(day(n))}" in said, said
    assert "dates            the feed does not say for which dates it is\n" in \
        work.extract(work.feed(GOOD))


def test_the_version_before_comes_back():
    new = GOOD.replace("Gare", "Nord")
    roots = [None, None, lib.hdfs_url(f"e2e/{lib.fresh_name()}"), lib.hdfs_url(f"e2e/{lib.fresh_name()}")]
    for root, kind in zip(roots, ("csv", "avro") * 2):
        work = Work(root, kind)
        assert "no version before this one is kept; extract the feed that is wanted" in \
            work.extract("--rollback", code=1)
        old = work.feed(GOOD)
        work.extract(old)
        work.extract(work.feed(new, FREQUENCIES))
        work.extract(work.feed(new, FREQUENCIES))  # the same once more
        assert work.rows() == [("T1", "Nord", "300"), ("T2", "Pont", None)]
        assert work.extract("--rollback") == f"the tables are those of {old} again\n"
        assert work.rows() == OLD_ROWS
        work.extract("--rollback", code=1)
        assert work.rows() == OLD_ROWS


def test_a_rollback_that_does_not_fit_the_script_is_told():
    work = Work()
    work.extract(work.feed(GOOD))
    work.extract(work.feed(trips(9)))
    text = (work.dir / "p.sql").read_text()
    (work.dir / "p.sql").write_text(text.replace("format = 'csv');\n            CREATE TABLE freq",
                                                 "format = 'avro');\n            CREATE TABLE freq"))
    said = work.extract("--rollback", code=3)
    assert ("_kept.json: the version before has trips.csv, and table trips is now staged as trips.avro; "
            "go back with the script of that time\n") in said, said


def calls_of(work, name_node, url, args, n):
    """extract with these arguments through a slow name node, killed after about n calls."""
    name_node.do("delay 15")
    started = lib.Started("extract", *args, "p.sql", cwd=work.dir, env={"ROOT": url})
    time.sleep(n * 0.015)
    started.signal(signal.SIGKILL)
    started.process.wait(30)
    name_node.do("pass")


def test_an_extract_that_is_killed_leaves_no_mix_that_runs():
    """At many moments, on HDFS: what runs afterwards is the old feed, the new one, or nothing."""
    path = f"e2e/{lib.fresh_name()}"
    new = GOOD.replace("Gare", "Nord").replace("Pont", "Sud")
    seen = set()
    with lib.proxied_hdfs() as (name_node, _, url):
        work = Work(f"{url}/{path}")
        work.extract(work.feed(GOOD, FREQUENCIES))
        olds, news = (sorted([("T1", a, "300"), ("T2", b, None)]) for a, b in
                      (("Gare", "Pont"), ("Nord", "Sud")))
        for i in range(40):  # until each of the three was met
            n = 12 + 24 * i % 190
            if i >= 8 and len(seen) == 3:
                break
            calls_of(work, name_node, url, [work.feed(new, FREQUENCIES)], n)
            files = webhdfs.WebHdfs(lib.hdfs_url(path))
            is_between = files.exists("_extract.json")
            if not is_between:
                rows = work.rows()
                assert rows in (olds, news), rows
            seen.add("between" if is_between else "new" if rows == news else "old")
            work.extract(work.feed(GOOD, FREQUENCIES))
            assert work.rows() == olds
    assert seen == {"old", "new", "between"}, seen


def test_tables_between_two_feeds_are_not_read():
    work = Work()
    work.extract(work.feed(GOOD))
    swap = work.dir / "staged/_extract.json"
    swap.write_text(json.dumps({"format": 1, "moves": [], "feed": (work.dir / "staged/_feed.json")
                                .read_text(), "leaves_kept": True}))
    run = lib.Started("run", "--once", "p.sql", cwd=work.dir)
    lib.wait_until(lambda: "an extract is replacing the tables; waiting for its end" in run.text(),
                   what="the run to wait")
    assert run.is_running()
    os.utime(swap, (time.time() - 61,) * 2)
    run.wait(code=3)
    assert (f"tramline run: file://{swap}: an extract was cut off while it replaced the tables, which may "
            "be of two feeds; run tramline extract again, or tramline extract --rollback") in run.text()
    said = work.extract(work.feed(GOOD))
    assert "an extract that was cut off is finished" in said, said
    assert work.rows() == OLD_ROWS
