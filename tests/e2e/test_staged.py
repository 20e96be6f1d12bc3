# SPDX-License-Identifier: Apache-2.0
# test: waits
# test: needs hdfs
"""Tables of two extracts are never mixed in silence: a run that starts in the middle of an extract
waits for its end; tables that were changed by hand are named."""
import collections
import os
import pathlib
import signal
import time

import disk
import lib
import results
import webhdfs

RECORDS = "trip_id,stop\nT1,a\nT2,b\nT1,c\n"
N_ROWS = 3


def feed(name):
    """Trips and dates that both carry the feed's name, to see which were joined."""
    directory = lib.tmp_dir()
    (directory / "trips.txt").write_text(f"trip_id,service_id,trip_headsign\nT1,S,{name}\n"
                                         f"T2,S,{name}\n")
    (directory / "calendar_dates.txt").write_text(f"service_id,date,exception_type\nS,{name},1\n")
    return directory


class Work:
    """A job from a local file; its tables stand under ROOT, which --set may change."""

    def __init__(self, root):
        self.directory, self.root = lib.tmp_dir(), root
        (self.directory / "stop_times.csv").write_text(RECORDS)
        self.script = self.directory / "pipeline.sql"
        self.script.write_text(f"""
            SET spool = '{self.directory}/spool';
            CREATE TABLE trips (trip_id TEXT NOT NULL, service_id TEXT, trip_headsign TEXT)
              WITH (connector = 'filesystem', path = '${{ROOT}}/trips', format = 'csv');
            CREATE TABLE calendar_dates (service_id TEXT NOT NULL, date TEXT)
              WITH (connector = 'filesystem', path = '${{ROOT}}/calendar_dates', format = 'csv');
            CREATE TABLE stop_times (trip_id TEXT NOT NULL, stop TEXT)
              WITH (connector = 'file', path = '{self.directory}/stop_times.csv');
            CREATE TABLE result () WITH (connector = 'filesystem', format = 'csv',
              path = '{self.directory}/result');
            INSERT INTO result SELECT s.stop, t.trip_headsign, d.date FROM stop_times s
              JOIN trips t ON t.trip_id = s.trip_id
              JOIN calendar_dates d ON d.service_id = t.service_id;""")
        lib.run("init", self.script, *self.sets())

    def sets(self, root=None):
        return ["--set", f"ROOT={root or self.root}"]

    def extract(self, name):
        lib.run("extract", feed(name), self.script, *self.sets())

    def run(self):
        return lib.run("run", self.script, "--once", *self.sets())

    def feeds_of_result(self):
        """Which (trips, dates) the rows were made of."""
        rows = results.rows_of_result(f"{self.directory}/result")
        return collections.Counter({pair: sum(n for row, n in rows.items() if row[1:] == pair)
                                    for pair in {row[1:] for row in rows}})


def read_or_none(directory, name):
    try:
        return directory.read(name)
    except webhdfs.HdfsError as error:
        if error.status != 404:
            raise
        return None  # just now replaced


def stop_between_two_tables(work, name_node, url):
    """An extract of feed 'new' that stands still when it has replaced trips, not the dates. The
    proxy makes each of its calls slow enough to see that."""
    trips = webhdfs.WebHdfs(f"{work.root}/trips")
    old = trips.read("trips.csv")
    name_node.do("delay 60")
    extract = lib.Started("extract", feed("new"), work.script, *work.sets(url))
    deadline = time.monotonic() + 60
    while read_or_none(trips, "trips.csv") in (None, old):
        assert extract.is_running() and time.monotonic() < deadline, extract.text()
    extract.signal(signal.SIGSTOP)
    return extract


def test_a_run_waits_for_an_extract_that_has_begun():
    path = f"e2e/{lib.fresh_name()}"
    work = Work(lib.hdfs_url(path))
    work.extract("old")
    with lib.proxied_hdfs() as (name_node, _, url):
        extract = stop_between_two_tables(work, name_node, f"{url}/{path}")
        dates = webhdfs.WebHdfs(f"{work.root}/calendar_dates").read("calendar_dates.csv")
        assert b"old" in dates, "the extract was too fast to be stopped between two tables"
        run = lib.Started("run", work.script, "--once", *work.sets())
        time.sleep(1.5)
        assert run.is_running()
        name_node.do("pass")
        extract.signal(signal.SIGCONT)
        extract.wait()
        run.wait()
    assert "is not as" not in run.text(), run.text()
    assert work.feeds_of_result() == {("new", "new"): N_ROWS}, run.text()


def test_a_table_changed_by_hand_is_named():
    work = Work(f"file://{lib.tmp_dir()}")
    work.extract("old")
    place = work.root.removeprefix("file://")
    other = (feed("hand") / "trips.txt").read_text()
    assert len(other) == os.stat(f"{place}/trips/trips.csv").st_size + 2
    with open(f"{place}/trips/trips.csv", "w") as file:
        file.write(other)
    done = work.run()
    assert "warn  table trips is not as tramline extract left it" in done.err, done.err
    assert work.feeds_of_result() == {("hand", "old"): N_ROWS}
    os.unlink(f"{place}/_feed.json")
    assert "is not as" not in work.run().err


def stopped_before_its_view(work, view):
    """A run that has read the tables and stands still before it puts its view into place."""
    recorder = disk.Recorder(disk.library(), view)
    lib.run("run", work.script, "--once", *work.sets(), env=recorder.env())
    calls = recorder.calls()
    synced = [n for n, (call, path, _) in enumerate(calls, 1) if call == "fsync" and "_tmp-" in path]
    assert synced, calls
    for made in view.iterdir():
        made.unlink()  # one with the same rows would be left
    run = lib.Started("run", work.script, "--once", *work.sets(),
                      env={**disk.Recorder(disk.library(), view).env(), "DISK_STOP": str(synced[-1])})
    lib.wait_until(lambda: lib.is_stopped(run), what="the stop")
    return run


def test_a_view_of_old_tables_does_not_stay():
    """Two workers begin around an extract: the one that read the old tables is the last to write."""
    work = Work(f"file://{lib.tmp_dir()}")
    view = lib.tmp_dir() / "heads"
    work.script.write_text(work.script.read_text().replace("CREATE TABLE result", f"""
        CREATE MATERIALIZED VIEW heads
          WITH (connector = 'filesystem', path = '{view}', format = 'csv') AS
          SELECT trip_id, trip_headsign FROM trips;
        CREATE TABLE result"""))
    work.extract("old")
    first = stopped_before_its_view(work, view)
    work.extract("new")
    work.run()
    made = view / "heads.csv"
    assert "new" in made.read_text()
    first.signal(signal.SIGCONT)
    first.wait()
    assert "new" in made.read_text() and "old" not in made.read_text(), first.text()
    assert ("warn  the staged tables changed while views of them were written; reading them again"
            in first.text()), first.text()


def test_a_signal_ends_the_loading_of_tables():
    """A view whose rows nobody would wait for: 200 million pairs are compared."""
    work = Work(f"file://{lib.tmp_dir()}")
    many = lib.tmp_dir()
    (many / "trips.txt").write_text("trip_id,service_id,trip_headsign\n" + "".join(
        f"T{i},S{i},x\n" for i in range(15000)))
    (many / "calendar_dates.txt").write_text("service_id,date,exception_type\nS,20261122,1\n")
    text = work.script.read_text()
    work.script.write_text(text.replace("CREATE TABLE stop_times", """
            CREATE VIEW slow AS SELECT a.trip_id, count(*) AS n FROM trips a
              JOIN trips b ON b.trip_id || a.trip_headsign < a.trip_id GROUP BY a.trip_id;
            CREATE TABLE stop_times""").replace("t.trip_headsign, d.date FROM", "v.n, d.date FROM")
        .replace("JOIN calendar_dates", "JOIN slow v ON v.trip_id = s.trip_id JOIN calendar_dates"))
    lib.run("extract", many, work.script, *work.sets())
    run = lib.Started("run", work.script, "--once", *work.sets())
    lib.wait_until(lambda: "table calendar_dates: 1 row" in run.text(), what="the tables")
    run.signal(signal.SIGTERM)
    run.wait(10)
    assert "stopped before the job began" in run.text(), run.text()


def test_a_table_of_the_same_size_is_told_by_its_checksum():
    work = Work(f"file://{lib.tmp_dir()}")
    work.extract("old")
    dates = work.root.removeprefix("file://") + "/calendar_dates/calendar_dates.csv"
    before = os.stat(dates)
    with open(dates) as file:
        text = file.read()
    with open(dates, "w") as file:
        file.write(text.replace("old", "abc"))
    os.utime(dates, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert "table calendar_dates is not as" in work.run().err


def test_a_view_is_written_where_it_differs():
    """Each of many workers makes the same view: the file of the first is left. Other bytes in its place, none, or
    other tables: it is written."""
    work = Work(lib.hdfs_url(f"/user/transit/{lib.fresh_name('view')}"))
    text = work.script.read_text().replace("CREATE TABLE result", """
            CREATE MATERIALIZED VIEW heads WITH (path = '${ROOT}/heads', format = 'csv')
              AS SELECT trip_id, trip_headsign FROM trips;
            CREATE TABLE result""")
    work.script.write_text(text)
    work.extract("one")
    heads = webhdfs.WebHdfs(f"{work.root}/heads")

    def after_a_run():
        """(Which file it is, its bytes, whether the log says that it was left)."""
        said = work.run().err
        [line] = [line for line in said.splitlines() if "materialized view heads: 2 rows" in line]
        return heads.stat("heads.csv")["fileId"], heads.read("heads.csv"), line.endswith(", as they stand there")

    one = b"trip_id,trip_headsign\nT1,one\nT2,one\n"
    first = after_a_run()
    assert first[1:] == (one, False)
    assert after_a_run() == (first[0], one, True)
    heads.write("heads.csv", one.replace(b"T2,one", b"T2,ONE"))  # as long as it was
    third = after_a_run()
    assert third[1:] == (one, False) and third[0] != first[0]
    heads.delete("heads.csv")
    assert after_a_run()[1:] == (one, False)
    work.extract("two")
    assert after_a_run()[1:] == (one.replace(b"one", b"two"), False)
    assert after_a_run()[1:] == (one.replace(b"one", b"two"), True)
    assert [item["pathSuffix"] for item in heads.list()] == ["heads.csv"]
