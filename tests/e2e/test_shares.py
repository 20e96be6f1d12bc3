# SPDX-License-Identifier: Apache-2.0
# test: waits
# test: needs kafka
"""How much may be bad, and how much must match: counted over what was seen, in a run --once to its end
and in a job that goes on. A job that brought nothing does not end with 0."""
import re

import broker
import lib
import results

BAD = "T1;05:00:00;05:00:00;A;1"
LOW = "fewer than match.min = '80%'; are the tables those of this stream?"


def script(directory, stream, settings, select):
    path = directory / "p.sql"
    path.write_text(f"""
        SET spool = '{directory}/spool'; SET commit.interval = '300ms';
        {settings}
        CREATE TABLE trips (id TEXT NOT NULL, head TEXT)
          WITH (connector = 'filesystem', path = '{directory}/trips', format = 'csv');
        CREATE TABLE s (trip_id TEXT NOT NULL, a TEXT, d TEXT, stop_id TEXT, n INT) WITH ({stream});
        CREATE TABLE r () WITH (connector = 'filesystem', path = '{directory}/r', format = 'csv');
        INSERT INTO r {select};""")
    (directory / "trips").mkdir(exist_ok=True)
    (directory / "trips/trips.csv").write_text("id,head\nT1,Berri\n")
    return path


class FileWork:
    """Records `a`, `b`, ... of a file: good, bad, or of a trip that is not in the table."""

    def __init__(self, good, bad, strange, settings="", join="JOIN"):
        self.directory = lib.tmp_dir()
        self.place = self.directory / "s.csv"
        self.place.write_text("trip_id,a,d,stop_id,n\n")
        self.script = script(
            self.directory, f"connector = 'file', path = '{self.place}', format = 'csv'", settings,
            f"SELECT s.*, t.head FROM s {join} trips t ON t.id = s.trip_id")
        self.add(good, bad, strange)

    def add(self, good=0, bad=0, strange=0):
        with open(self.place, "a") as file:
            file.write("T1,5,5,A,1\n" * good + "T1,5,5,A,x\n" * bad + "T9,5,5,A,1\n" * strange)

    def run(self, code):
        return lib.run("run", "--once", self.script, code=code).err

    def report(self):
        return lib.run("verify", "--deep", "--json", self.script).json()


def counted(n):
    return f"{n:,} record{'s' if n != 1 else ''}"


def test_the_share_of_bad_records_is_of_what_was_seen():
    for good, bad, is_much in ((4, 6, True), (5, 5, False), (0, 1, True), (1, 0, False), (30, 70, True),
                               (2000, 2001, True), (2001, 2000, False), (6000, 3000, False)):
        work = FileWork(good, bad, 0)
        text = work.run(3 if is_much else 0)
        if is_much:
            assert (f"of the last {counted(good + bad)} {bad:,} cannot be read, more than on_error.share = "
                    "'50%'; the last is partition 0 offset ") in text, text
            assert not results.data_files(work.directory / "r"), text
        report = work.report()
        assert report["records"] == (0 if is_much else good + bad + 1), report


def test_what_was_not_committed_is_read_again():
    work = FileWork(3, 5, 0)
    work.run(3)
    work.add(good=10)  # 5 of 18 are not half
    work.run(0)
    assert work.report()["rejected"] == 5


def test_a_share_of_all_lets_all_be_rejected():
    work = FileWork(0, 40, 0, "SET on_error.share = '100%';")
    assert ("all of the 40 records were rejected, as on_error.share = '100%' allows; tramline cat --dead "
            "shows each with its reason") in work.run(0)
    assert work.report()["rejected"] == 40
    assert len(results.dead_letters(work.directory / "r")) == 40
    nothing_new = work.run(0)
    assert "rejected, as" not in nothing_new
    assert re.search(r"info  read 0 records, wrote 0 rows, rejected 0; committed 0 records", nothing_new), nothing_new
    work.add(bad=1)
    assert " warn  1 record was rejected, as" in work.run(0)
    work.add(bad=5, good=1)
    assert "rejected, as" not in work.run(0)
    work = FileWork(0, 40, 0, "SET on_error.share = '99%';")
    assert "of the last 40 records 40 cannot be read" in work.run(3)
    assert work.report()["rejected"] == 0


def test_nothing_that_matches_is_an_error():
    said = ("of the {} none gave a row: are the tables those of this stream? If that is as it should "
            "be: SET match.min = '0%'")
    work = FileWork(0, 0, 30)
    assert said.format("30 records") in work.run(3)
    assert work.report()["records"] == 31  # it is committed
    work.run(0)
    work.add(strange=1)
    assert said.format("1 record") in work.run(3)
    work.add(strange=9, good=1)
    work.run(0)
    assert said.format("2 records") in FileWork(0, 1, 2).run(3)
    FileWork(0, 0, 30, join="LEFT JOIN").run(0)
    work = FileWork(0, 0, 30)  # without a join a query may leave out what it likes
    work.script.write_text(re.sub(r"JOIN trips.*", "WHERE s.n > 1", work.script.read_text())
                           .replace("t.head", "s.n AS m"))
    work.run(0)
    FileWork(0, 0, 30, "SET match.min = '0%';").run(0)


def test_nothing_to_read_is_no_error():
    FileWork(0, 0, 0).run(0)
    topic = lib.fresh_name()
    broker.create_topic(topic, 2)
    work = lib.tmp_dir()
    kafka = (f"connector = 'kafka', brokers = '{lib.brokers()}', topic = '{topic}', format = 'csv'")
    lib.run("run", "--once", script(work, kafka, "", "SELECT s.* FROM s"))


def test_match_min_of_a_run_once():
    for good, strange, is_low in ((8, 2, False), (79, 21, True), (0, 1, True), (1, 0, False),
                                  (4000, 1000, False), (4000, 1001, True)):
        work = FileWork(good, 0, strange, "SET match.min = '80%';")
        text = work.run(3 if is_low else 0)
        if is_low:
            assert f"of the last {counted(good + strange)} {good:,} gave a row, {LOW}" in text, text
            assert work.report()["records"] == 0
        work = FileWork(good, 0, strange, "SET match.min = '80%'; SET on_low_match = 'warn';")
        text = work.run(0)
        assert text.count(LOW) == is_low, text
        assert work.report()["records"] == good + strange + 1


class KafkaWork:
    """A job that goes on."""

    def __init__(self, settings=""):
        self.directory, self.topic = lib.tmp_dir(), lib.fresh_name()
        broker.create_topic(self.topic, 1)
        self.script = script(
            self.directory, f"connector = 'kafka', brokers = '{lib.brokers()}', topic = '{self.topic}', "
            "format = 'csv'", settings, "SELECT s.*, t.head FROM s JOIN trips t ON t.id = s.trip_id")

    def produce(self, value, n):
        broker.produce(self.topic, [value] * n)

    def committed(self):
        entries = results.log_entries(self.directory / "r").values()
        return sum(part["data"] for entry in entries for part in entry["partitions"])


def test_a_topic_of_bad_records():
    work = KafkaWork()
    work.produce(BAD, 4000)
    text = lib.run("run", "--once", work.script, code=3).err
    assert f"topic '{work.topic}': of the last 4,000 records 4,000 cannot be read" in text, text
    assert work.committed() == 0


def test_a_job_that_goes_on_stops_by_the_share():
    work = KafkaWork()
    work.produce("T1,5,5,A,1", 20)
    work.produce(BAD, 30)  # 30 of 100 at least are not much
    job = lib.Started("run", work.script)
    lib.wait_until(lambda: work.committed() == 50, what="the first records")
    work.produce(BAD, 200)
    job.wait(code=3)
    # Looked at by runs, whose size is the brokers' and the client's matter.
    seen, bad = map(int, re.search(r"of the last (\d+) records (\d+) cannot be read", job.text()).groups())
    assert 100 <= seen <= 250 and bad == seen - 20, job.text()
    assert work.committed() == 50


def test_a_job_that_goes_on_stops_or_warns_by_match_min():
    work = KafkaWork("SET match.min = '80%';")
    work.produce("T1,5,5,A,1", 50)
    job = lib.Started("run", work.script)
    lib.wait_until(lambda: work.committed() == 50, what="the first records")
    work.produce("T9,5,5,A,1", 100)
    job.wait(code=3)
    assert (f"topic '{work.topic}': of the last 150 records 50 gave a row, fewer than match.min = '80%'; "
            "are the tables those of this stream?") in job.text(), job.text()
    work = KafkaWork("SET match.min = '80%'; SET on_low_match = 'warn';")
    work.produce("T9,5,5,A,1", 150)
    job = lib.Started("run", work.script)
    lib.wait_until(lambda: work.committed() == 150, what="the records")
    assert job.text().count(LOW) == 1, job.text()
    work.produce("T1,5,5,A,1", 9500)
    lib.wait_until(lambda: work.committed() == 9650, what="better records")
    work.produce("T9,5,5,A,1", 5000)
    lib.wait_until(lambda: work.committed() == 14650, what="worse records")
    job.stop()
    assert job.text().count(LOW) == 2, job.text()
