# SPDX-License-Identifier: Apache-2.0
# test: takes 50
# test: waits
# test: needs kafka
# test: limit 600
"""A worker prepares its claim while its tables are loaded, and publishes it only when they are ready: one
whose tables cannot be read takes nothing from another that works, and whatever ends a start leaves nothing
behind."""
import pathlib
import re

import broker
import job
import lib
import results

TRIPS = "route_id,service_id,trip_id\n1,S,T1\n"
DATES = "service_id,date,exception_type\nS,20261122,2\n"
N_SLOW = 1_000_000  # trips that take a while
ROUNDS = 10


class Work:
    """A job whose result and tables are local files."""

    def __init__(self, settings=None):
        feed = lib.tmp_dir()
        (feed / "trips.txt").write_text(TRIPS)
        (feed / "calendar_dates.txt").write_text(DATES)
        settings = {"batch.interval": "20ms", "commit.interval": "100ms", "membership": "none", **(settings or {})}
        self.job = job.Job(f"file://{lib.tmp_dir()}", settings)
        self.job.init()
        self.job.extract(feed)
        self.result = pathlib.Path(self.job.result.removeprefix("file://"))
        self.trips, = (self.result.parent / "trips").glob("*.csv")
        self.small = self.trips.read_text()
        self.n = 0

    def send(self, n):
        broker.produce(self.job.topic, [f"T1,x,1,s{i},1" for i in range(self.n, self.n + n)], partition=0)
        self.n += n

    def n_rows(self):
        return sum(1 for _ in results.iter_result(self.job.result))

    def wait_for_rows(self):
        lib.wait_until(lambda: self.n_rows() == self.n, what="the rows")

    def load_slowly(self, last=""):
        """From here on the tables take a while; `last` is their last line."""
        header = self.small.splitlines()[0]
        n_more = header.count(",") - 2
        with open(self.trips, "w", encoding="utf-8") as file:
            file.write(self.small)
            file.writelines(f"1,S,X{i}{',' * n_more}\n" for i in range(N_SLOW))
            file.write(last)

    def load_fast(self):
        self.trips.write_text(self.small)

    def folders(self):
        tmp = self.result / "_tramline/tmp"
        return {path.name for path in tmp.iterdir()} if tmp.exists() else set()

    def entries(self):
        """In their order."""
        if not (self.result / "_tramline/log").exists():
            return []
        log = results.log_entries(self.job.result)
        return [log[number] for number in sorted(log)]

    def claims(self):
        return [entry["number"] for entry in self.entries() if entry["kind"] == "claim"]

    def wait_until_prepared(self, before):
        """A folder more than before has a file; the worker may be further than that."""
        tmp = self.result / "_tramline/tmp"
        lib.wait_until(lambda: any(any((tmp / name).iterdir()) for name in self.folders() - before
                                   if (tmp / name).exists()), what="a claim that is prepared")

    def check(self):
        """Each record's row is there, once, and nothing lies about."""
        assert self.n_rows() == self.n
        report = self.job.verify()
        assert report["errors"] == 0, report
        claims = [entry["writer"] for entry in self.entries() if entry["kind"] == "claim"]
        assert self.folders() <= set(claims[-1:]), (self.folders(), claims)


def test_a_worker_without_tables_takes_nothing_from_one_that_works():
    work = Work()
    first = work.job.start()
    work.send(3)
    work.wait_for_rows()
    claims, folders = work.claims(), work.folders()
    assert len(claims) == 1
    work.load_slowly('"\n')
    for _ in range(2):
        done = work.job.tramline("run", code=None)
        assert done.code not in (0, 1) and "trips" in done.err and "claims" not in done.err, (done.code, done.err)
        assert work.claims() == claims and work.folders() == folders, (work.claims(), work.folders(), folders)
    work.send(3)
    work.wait_for_rows()
    assert "shared anew" not in first.text(), first.text()
    work.load_fast()
    first.stop()
    work.check()


def test_a_worker_without_tables_leaves_no_log():
    work = Work()
    work.load_slowly('"\n')
    work.job.tramline("run", code=None)
    assert work.entries() == [] and work.folders() == set()


def test_of_several_bad_tables_the_first_of_the_script_is_told():
    work = Work()
    dates, = (work.result.parent / "calendar_dates").glob("*.csv")
    good = dates.read_text()
    dates.write_text(good + '"\n')
    for last, name in (("", "calendar_dates"), ('"\n', "trips")):
        work.trips.write_text(work.small + last)
        for _ in range(3):
            done = work.job.tramline("run", code=None)
            told, = re.findall(r"tramline run: table '(\w+)': ", done.err)
            assert told == name, done.err
    assert work.entries() == [] and work.folders() == set()


def test_a_claim_that_lost_the_race_is_made_anew():
    work = Work()
    work.load_slowly()
    first = work.job.start()
    work.send(3)
    work.wait_for_rows()
    before = work.folders()
    second = work.job.start()
    work.wait_until_prepared(before)
    work.send(3)
    work.wait_for_rows()
    first.stop()
    lib.wait_until(lambda: "claims" in second.text(), what="the second worker's claim")
    work.send(3)
    work.wait_for_rows()
    second.stop()
    numbers = [entry["number"] for entry in work.entries()]
    assert numbers == list(range(len(numbers))) and len(work.claims()) >= 2
    work.check()


def stop_while_loading(work, end):
    """Ends a worker so while its tables are loaded, in one of some rounds; true if it was then."""
    for _ in range(ROUNDS):
        n_claims = len(work.claims())
        worker = work.job.start()
        work.wait_until_prepared(set())
        end(worker)
        if len(work.claims()) == n_claims and "claims" not in worker.text():
            return worker.text()
    raise AssertionError(f"in {ROUNDS} rounds the tables were always ready first")


def test_a_stop_while_tables_load_leaves_nothing():
    work = Work()
    work.load_slowly()
    text = stop_while_loading(work, lambda worker: worker.stop(20))
    assert "stopped before the job began" in text, text
    assert work.entries() == [] and work.folders() == set()
    assert not list((work.job.directory / "spool").rglob("*.lock"))


def test_what_a_crash_while_tables_load_leaves_goes_with_the_next_start():
    work = Work()
    work.load_slowly()
    stop_while_loading(work, lambda worker: worker.kill())
    left = work.folders()
    assert len(left) == 1
    stop_while_loading(work, lambda worker: worker.kill())
    assert work.folders() == left  # however often it happens
    work.load_fast()
    work.send(3)
    done = work.job.run_once()
    assert re.search(r"entry \d+: claims", done.err), done.err
    work.check()
    assert not left & work.folders()
