# SPDX-License-Identifier: Apache-2.0
# test: takes 30
# test: waits
# test: needs kafka
"""tramline status against what the test produced and committed: offsets, lag in records and seconds,
owners; while a worker runs and while none does, with brokers away, and each reason of the verdict."""
import json
import re
import time

import broker
import file_job
import lib
import terminal

SCRIPT = """
SET spool = '{dir}/spool'; SET commit.interval = '100ms'; SET on_error.share = '100%'; {sets}
CREATE TABLE names (id TEXT NOT NULL, name TEXT)
  WITH (connector = 'filesystem', path = '{dir}/names', format = 'csv');
CREATE TABLE visits (id TEXT NOT NULL, n INT)
  WITH (connector = 'kafka', brokers = '{brokers}', topic = '{topic}', format = 'csv');
CREATE TABLE result () WITH (connector = 'filesystem', path = '{dir}/result', format = 'csv');
INSERT INTO result SELECT v.id, v.n, w.name FROM visits v JOIN names w ON w.id = v.id;
"""
LATE_S = 60 + 2 * 0.1  # a minute, and two commit intervals


class Job:
    def __init__(self, partitions=1, **names):
        self.dir, self.topic = lib.tmp_dir(), broker.create_topic(partitions=partitions)
        broker.watermarks(self.topic)  # all brokers know it
        self.script = self.dir / "p.sql"
        self.write(**names)
        (self.dir / "names").mkdir()
        (self.dir / "names/names.csv").write_text("id,name\na,Angrignon\n")

    def write(self, sets="", brokers=None, topic=None):
        self.script.write_text(SCRIPT.format(dir=self.dir, brokers=brokers or lib.brokers(), sets=sets,
                                             topic=topic or self.topic))

    def send(self, n, partition=0, age_s=0.0, value="a,1"):
        with broker.Producer() as producer:
            for _ in range(n):
                producer.send(self.topic, value.encode(), partition=partition,
                              timestamp_ms=int((time.time() - age_s) * 1000))
            producer.flush()

    def run_once(self):
        lib.run("run", self.script, "--once")

    def status(self):
        return json.loads(lib.run("status", self.script, "--json").out)


def codes(told):
    return {reason["code"]: reason["level"] for reason in told["reasons"]}


def test_offsets_and_lag_are_those_of_the_topic():
    job = Job(partitions=3)
    for partition, n in ((0, 5), (1, 7)):
        job.send(n, partition)
    job.run_once()
    caught_up = job.status()
    assert caught_up["verdict"] == "ok" and caught_up["reasons"] == [], caught_up
    assert caught_up["lag"] == {"records": 0, "seconds": 0.0}, caught_up
    assert [(p["committed"], p["end"]) for p in caught_up["partitions"]] == [(5, 5), (7, 7), (0, 0)]
    entries = [json.loads(path.read_text()) for path in file_job.entries(job.dir / "result")]
    last = max((e for e in entries if e["kind"] == "commit"), key=lambda e: e["number"])
    assert {p["owner"] for p in caught_up["partitions"]} == {last["worker"]}
    commit = caught_up["commit"]
    assert (commit["entry"], commit["time_ms"], commit["worker"], commit["rows"]) == (
        last["number"], last["time_ms"], last["worker"], last["rows"]), commit
    assert caught_up["job"]["topic"] == job.topic and caught_up["next_entry"] == len(entries)
    job.send(4, 1, age_s=30)
    job.send(2, 2, age_s=7)
    behind = job.status()
    lags = {p["partition"]: (p["lag_records"], p["lag_seconds"]) for p in behind["partitions"]}
    assert [lags[p][0] for p in range(3)] == [0, 4, 2], lags
    assert lags[0][1] == 0 and 30 <= lags[1][1] < 36 and 7 <= lags[2][1] < 13, lags
    assert behind["lag"] == {"records": 6, "seconds": lags[1][1]}, behind["lag"]
    assert codes(behind) == {}, behind["reasons"]


def test_an_idle_topic_has_no_lag_however_old_its_records():
    job = Job()
    job.send(3, age_s=3600)
    job.run_once()
    told = job.status()
    assert told["lag"] == {"records": 0, "seconds": 0.0} and told["verdict"] == "ok", told
    age_s = time.time() - told["partitions"][0]["committed_record_ms"] / 1000
    assert 3600 <= age_s < 3660, age_s


def test_markers_before_the_first_that_waits_are_passed_over():
    """What is committed ends before the marker of a transaction; one was aborted, too."""
    job = Job()
    job.send(1)
    job.run_once()
    with broker.Producer(transactional_id=lib.fresh_name("tx")) as producer:
        for ends in (producer.abort, producer.commit):
            producer.begin()
            producer.send(job.topic, b"a,2", partition=0, timestamp_ms=int((time.time() - 20) * 1000))
            ends()
    told = job.status()
    assert 20 <= told["partitions"][0]["lag_seconds"] < 26, told["partitions"]


def test_it_changes_nothing_and_joins_no_group():
    job = Job(partitions=2)
    job.send(2)
    worker = lib.Started("run", job.script)
    log = job.dir / "result/_tramline/log/000000"
    lib.wait_until(lambda: any(b'"kind":"commit"' in path.read_bytes() for path in log.glob("*.json")), what="a commit")
    before = tree(job)
    told = job.status()
    assert before == tree(job) and told["lag"]["records"] == 0, told
    worker.stop()
    entries = [json.loads(path.read_text()) for path in file_job.entries(job.dir / "result")]
    assert [e["kind"] for e in entries].count("claim") == 1, entries  # the group was not shared out again


def tree(job):
    return {path: path.is_file() and path.read_bytes() for path in job.dir.rglob("*")}


def made_old(job, seconds):
    """All entries are of that long ago."""
    for number in range(len(file_job.entries(job.dir / "result"))):
        file_job.forge(job.dir / "result", number, lambda e: e.update(time_ms=e["time_ms"] - seconds * 1000))


def test_each_reason_of_the_verdict():
    job = Job()
    job.send(90)
    job.send(20, value="z,1")   # unmatched
    job.send(5, value="a,bad")  # rejected
    job.run_once()
    told = job.status()
    assert codes(told) == {"rejects": "warn"}, told["reasons"]
    assert told["reasons"][0]["text"] == "5 of 115 records of the newest commit are dead letters"
    job.send(300, value="z,1")
    job.send(1)
    job.run_once()
    told = job.status()
    assert [r["text"] for r in told["reasons"]] == ["300 of 301 records of the newest commit gave no row: they match none of a table, or WHERE drops them"]
    job.send(100)
    job.run_once()
    assert codes(job.status()) == {}
    job.send(1, age_s=LATE_S + 20)
    told = job.status()
    assert codes(told) == {"behind": "warn"} and told["verdict"] == "warn", told["reasons"]
    assert re.fullmatch(r"the oldest record that waits is 8\d\.\d s old", told["reasons"][0]["text"]), told["reasons"]
    made_old(job, 200)
    told = job.status()
    assert codes(told) == {"stalled": "bad", "behind": "warn"} and told["verdict"] == "bad", told["reasons"]
    age, said = re.search(r"(\d+\.\d) s", told["reasons"][0]["text"]), told["reasons"][0]["text"]
    assert 200 <= float(age[1]) < 230, said
    assert said.replace(age[1], "200.0") == "records wait, and the newest commit is 200.0 s old: does a worker run?", said


def test_a_changed_script_changed_tables_and_another_job():
    job = Job()
    job.send(1)
    job.run_once()
    good = job.script.read_text()
    job.script.write_text(good.replace("SELECT v.id, v.n,", "SELECT v.id, v.n + 1 AS n,"))
    told = job.status()
    assert [r["text"] for r in told["reasons"]] == [
        "the log last ran with another script; tramline history shows since when"], told["reasons"]
    job.script.write_text(good)
    (job.dir / "names/names.csv").write_text("id,name\na,Angrignon\nb,Berri\n")
    told = job.status()
    assert [r["text"] for r in told["reasons"]] == [
        "the staged tables are not those of the newest entry: a job that runs has older ones until it is restarted"]
    assert told["verdict"] == "warn"
    (job.dir / "names").rename(job.dir / "elsewhere")
    (job.dir / "names").symlink_to(job.dir / "names")  # to itself
    told = job.status()
    assert codes(told) == {"tables": "warn"}, told["reasons"]
    assert told["reasons"][0]["text"].startswith(f"the staged tables: {job.dir}/names: "), told["reasons"]
    other = broker.create_topic()
    broker.watermarks(other)
    job.write(topic=other)
    told = job.status()
    refused = [r["text"] for r in told["reasons"] if r["code"] == "refused"]
    assert refused and refused[0].startswith("run would refuse to start: file://") and job.topic in refused[0], told
    assert told["verdict"] == "bad" and told["partitions"][0]["committed"] == 1, told


def test_a_stream_that_was_cut_is_refused_as_run_refuses_it():
    work = file_job.FileJob(60, {})
    work.run_once()
    visits = work.directory / "visits.csv"
    read = visits.stat().st_size
    visits.write_bytes(visits.read_bytes()[:100])
    told = json.loads(lib.run("status", work.script, "--json").out)
    assert told["verdict"] == "bad", told
    assert (f"partition 0 ends at offset 100, but the log has read it up to {read}: was the topic recreated?"
            in [reason["text"] for reason in told["reasons"] if reason["code"] == "refused"]), told
    assert lib.run("run", work.script, "--once", code=3).err


def test_partitions_that_appeared_have_no_owner():
    job = Job()
    job.send(1)
    job.run_once()
    broker.add_partitions(job.topic, 2)
    lib.wait_until(lambda: broker.watermarks(job.topic, 1) == (0, 0), what="the new partition")
    job.send(3, 1)
    told = job.status()
    new = told["partitions"][1]
    assert (new["committed"], new["end"], new["lag_records"], new["owner"]) == (0, 3, 3, None), new
    assert [r["text"] for r in told["reasons"]] == [
        "1 partition with records that wait has no owner among the newest entries of the log"], told["reasons"]


def test_brokers_that_are_away_leave_what_the_log_says():
    job = Job()
    job.send(3)
    job.run_once()
    job.write(brokers="127.0.0.1:1")
    told = job.status()
    assert codes(told)["topic"] == "bad" and told["verdict"] == "bad", told["reasons"]
    assert told["partitions"][0] == {
        "partition": 0, "committed": 3, "end": None, "lag_records": None, "lag_seconds": None,
        "committed_record_ms": told["partitions"][0]["committed_record_ms"],
        "commit_ms": told["commit"]["time_ms"], "owner": told["commit"]["worker"]}
    assert told["lag"] == {"records": None, "seconds": None}
    text = lib.run("status", job.script).out
    assert "\nverdict  bad\n  bad    " in text and "\nlag      not known\n" in text, text


def test_claims_alone_have_no_commit():
    job = Job()
    worker = lib.Started("run", job.script)
    lib.wait_until(lambda: "claims 1 partition " in worker.text(), what="a claim")
    worker.stop()
    job.send(2)
    told = job.status()
    assert told["commit"] is None and told["partitions"][0]["owner"], told
    assert [r["text"] for r in told["reasons"]] == [
        "records wait, and the newest entries of the log have no commit: does a worker run?"]
    assert "\ncommit   none among the newest entries\n" in lib.run("status", job.script).out


def test_what_a_terminal_shows():
    job = Job(partitions=2)
    job.send(2)
    job.run_once()
    job.send(1, 1)
    file_job.forge(job.dir / "result", 2, lambda e: e.update(worker="\x1b[2J\u202eevil"))
    text = terminal.shown(["status", str(job.script)], job.dir, width=120)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u202e]", text), text
    lines = text.splitlines()
    assert lines[0] == f"job      {json.loads(lib.run('status', job.script, '--json').out)['job']['name']}: topic {job.topic} to file://{job.dir}/result"
    assert lines[1] == "verdict  ok" and lines[2].startswith("lag      1 record, "), lines
    assert re.fullmatch(r"commit   entry 2, \d+\.\d s ago by \\x1b\[2J\\u202eevil: 2 records, 2 rows, matched 100\.0 %, "
                        r"0 dead letters; tables [0-9a-f]{12}, script [0-9a-f]{12}", lines[3]), lines[3]
    assert lines[5].split() == ["partition", "committed", "end", "lag", "seconds", "commit", "owner"], lines
    assert lines[6].split()[:5] == ["0", "2", "2", "0", "0"] and lines[7].split()[:4] == ["1", "0", "1", "1"], lines
