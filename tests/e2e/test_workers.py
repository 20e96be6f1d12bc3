# SPDX-License-Identifier: Apache-2.0
# test: takes 140
# test: waits
# test: needs kafka hdfs
# test: limit 600
"""SET workers: several threads of one process read and make files, as one member of the group and under one
claim. Kills and stops do not show in the result; what is counted and judged is that of all threads."""
import random
import re
import time

import broker
import job
import lib
import oracle
import results
import status
import victim

FEED = "stm-2021-metro-rebuilt"
CLIENTS = {name: [("connector = 'kafka'", f"connector = 'kafka', client = '{name}'")] for name in ("librdkafka", "native")}
N_ROUNDS = 40 if lib.is_long() else 4


def kill_rounds(place, client, workers):
    settings = {**victim.SETTINGS, "workers": workers}
    one = victim.Victim(job.Job(place, settings, replace=CLIENTS[client]), workers, lib.feed_dir(FEED))
    while one.n_rounds < N_ROUNDS:
        one.one_round(n_workers=1 + one.n_rounds % 2)
    one.check()


def test_kills_do_not_show_on_hdfs():
    kill_rounds(lib.hdfs_url("/").rstrip("/"), "native", 3)


def test_kills_do_not_show_on_local_files():
    kill_rounds(f"file://{lib.tmp_dir()}", "librdkafka", 2)


def test_a_share_that_goes_is_handed_over():
    """The second process begins and ends while the first reads."""
    for client in CLIENTS:
        work = job.Job(f"file://{lib.tmp_dir()}", {**victim.SETTINGS, "workers": "2"}, replace=CLIENTS[client])
        work.init()
        work.extract(lib.feed_dir(FEED))
        first = work.start()
        lib.wait_until(lambda w=first: "claims" in w.text(), what="a claim")
        producer = lib.Started("produce", lib.feed_dir(FEED), work.script, "--rate=3000", *work.sets)
        for _ in range(3):
            second = work.start()
            lib.wait_until(lambda w=second: "claims" in w.text(), what="a claim")
            time.sleep(0.5)
            second.stop()
        producer.wait()
        first.stop()
        work.run_once()
        report = work.verify()
        assert report["errors"] == 0, report
        results.same_rows(work.rows(), oracle.expected_rows(lib.feed_dir(FEED)))


# A script of our own: names of some keys, records over four partitions.

NAMES = {"a": "Anna", "b": "Berta", "c": "Cara"}
N_PARTITIONS = 4


class Work:
    def __init__(self, settings, lines, n_partitions=N_PARTITIONS, join="LEFT JOIN"):
        self.directory = lib.tmp_dir()
        self.topic = broker.create_topic(partitions=n_partitions)
        for i in range(n_partitions):
            broker.produce(self.topic, lines[i::n_partitions], partition=i)
        (self.directory / "names").mkdir()
        (self.directory / "names/names.csv").write_text(
            "id,name\n" + "".join(f"{k},{v}\n" for k, v in NAMES.items()))
        self.join = join
        self.write(settings)

    def write(self, settings, result="result"):
        self.result = self.directory / result
        self.script = self.directory / f"{result}.sql"
        settings = {"commit.interval": "200ms", "batch.interval": "20ms", **settings}
        sets = "".join(f"SET {key} = '{value}';\n" for key, value in settings.items())
        self.script.write_text(f"""
            SET spool = '{self.directory}/spool-{result}';
            {sets}
            CREATE TABLE names (id TEXT NOT NULL, name TEXT NOT NULL)
              WITH (connector = 'filesystem', path = '{self.directory}/names', format = 'csv');
            CREATE TABLE visits (id TEXT NOT NULL, n INT NOT NULL)
              WITH (connector = 'kafka', brokers = '{lib.brokers()}', topic = '{self.topic}', format = 'csv');
            CREATE TABLE result () WITH (connector = 'filesystem', path = '{self.result}', format = 'csv');
            INSERT INTO result SELECT v.id, v.n, w.name FROM visits v {self.join} names w ON w.id = v.id;
            """)

    def run(self, *args, code=0):
        return lib.run("run", "--once", self.script, *args, code=code)


def lines_of(n):
    return [f"{'abcdefg'[i % 7]},{i}" if i % 50 else f"bad {i}" for i in range(n)]


def shown(work):
    run = lib.Started("run", work.script)
    url = status.url_of(run)
    lib.wait_until(lambda: status.state(url)["lag"]["records"] == 0 and status.state(url)["commits"]["last_ms"],
                   what="a commit of all")
    state, numbers = status.state(url), status.metrics(url)
    run.stop()
    return state, numbers


def test_status_shows_all_threads():
    lines = lines_of(6000)
    work = Work({}, lines)
    good = [line.split(",") for line in lines if not line.startswith("bad")]
    hits = sum(key in NAMES for key, _ in good)
    strange = {key: sum(k == key for k, _ in good) for key in "defg"}
    for workers in (1, 3):
        work.write({**status.LISTEN, "workers": workers}, f"result{workers}")
        state, numbers = shown(work)
        assert state["records"] == {"matched": len(good), "unmatched": 0, "filtered": 0,
                                    "rejected": len(lines) - len(good), "ignored": 0}, (workers, state["records"])
        join, = state["joins"]
        assert (join["hits"], join["misses"], join["rows"]) == (hits, len(good) - hits, hits), (workers, join)
        assert {k["key"]: k["count"] for k in join["unmatched_keys"]} == strange, (workers, join)
        assert state["rejects"]["by_reason"]["unreadable"] == len(lines) - len(good), state["rejects"]
        assert numbers["tramline_rows_total",] == len(good), workers
        assert len(state["partitions"]) == N_PARTITIONS, state["partitions"]
        report = lib.run("verify", "--deep", "--json", work.script).json()
        assert report["errors"] == 0 and report["rejected"] == len(lines) - len(good), report


def test_bad_records_are_judged_together():
    """Some of the threads read nothing but bad records, and all of them half or a bit more."""
    for n_bad, code in ((20, 0), (21, 3)):
        lines = ["bad" if i % N_PARTITIONS < 2 else f"a,{i}" for i in range(40)]
        work = Work({"workers": 4}, lines + ["bad"] * (n_bad - 20))
        done = work.run(code=code)
        assert code == 0 or "of the last 41 records 21 cannot be read" in done.err, done.err


def test_shares_are_those_of_one_thread():
    """Bad records and records without a name, spread by chance over partitions of very different lengths."""
    dice = random.Random(3)
    for share, settings, code, text in (
            (0.3, {}, 0, ""), (0.7, {}, 3, "cannot be read, more than on_error.share"),
            (0.05, {"on_error.share": "2%"}, 3, "cannot be read, more than on_error.share"),
            (0.0, {"match.min": "40%"}, 0, ""), (0.0, {"match.min": "50%"}, 3, "match.min")):
        n_bad = int(3000 * share)
        lines = [f"bad {i}" for i in range(n_bad)] + [f"{'abcdefg'[i % 7]},{i}" for i in range(3000 - n_bad)]
        dice.shuffle(lines)
        cuts = [0, 1, 200, 1300, 3000]
        work = Work({}, [], join="JOIN" if "match.min" in settings else "LEFT JOIN")
        for partition in range(N_PARTITIONS):
            broker.produce(work.topic, lines[cuts[partition]:cuts[partition + 1]], partition=partition)
        for workers in (1, 4):
            work.write({"workers": workers, **settings}, f"result{workers}-{share}-{len(settings)}")
            done = work.run(code=code)
            assert text in done.err, (workers, done.err)
            if code == 0:
                report = lib.run("verify", "--deep", "--json", work.script).json()
                n_rows = sum(line[0] in NAMES for line in lines) if settings else 3000 - n_bad
                assert (report["errors"], report["rejected"], report["rows"]) == (0, n_bad, n_rows), report


def test_a_share_that_is_passed_stops_a_running_worker():
    """One partition turns bad: the threads of the others stop with it, and what was committed stays."""
    work = Work({"workers": 4}, [f"a,{i}" for i in range(400)])
    worker = lib.Started("run", work.script)
    lib.wait_until(lambda: results.rows_of_result(str(work.result)).total() == 400, what="the rows")
    broker.produce(work.topic, ["bad"] * 1000, partition=2)
    worker.wait(60, code=3)
    assert "cannot be read, more than on_error.share = '50%'; the last is partition 2 offset " in worker.text(), worker.text()
    work.write({"workers": 4, "on_error.share": "100%"})
    work.run()
    report = lib.run("verify", "--deep", "--json", work.script).json()
    assert (report["errors"], report["rejected"], report["rows"]) == (0, 1000, 400), report


def test_letters_are_replayed_beside_running_threads():
    n = 2000
    # Every fifth, so that they lie in all partitions: one that were first and had only bad ones would end the job.
    lines = [f"a,x{i}" if i % 5 == 0 else f"b,{i}" for i in range(n)]
    assert n % 5 == 0 and N_PARTITIONS % 5 != 0
    work = Work({"workers": 3, "schema_change": "allow", "commit.rows": "300"}, lines)
    work.run()
    work.script.write_text(work.script.read_text().replace("n INT NOT NULL", "n TEXT NOT NULL"))
    worker = lib.Started("run", work.script)
    lib.wait_until(lambda: "claims" in worker.text(), what="the claim")
    more = [f"c,y{i}" for i in range(n)]
    for partition in range(N_PARTITIONS):
        broker.produce(work.topic, more[partition::N_PARTITIONS], partition=partition)
    for _ in range(2):  # the second one finds nothing
        lib.run("dead", "--replay", work.script)
    lib.wait_until(lambda: results.rows_of_result(str(work.result)).total() >= 2 * n, what="all rows")
    worker.stop()
    rows = sorted(",".join(row[:2]) for row in results.iter_result(str(work.result)))
    assert rows == sorted(lines + more), (len(rows), len(lines + more))
    report = lib.run("verify", "--deep", "--json", work.script).json()
    assert report["errors"] == 0 and report["rejected"] == n // 5, report


def test_tables_that_change_end_all_threads():
    """With their last commit; what comes afterwards is read with the new ones."""
    settings = {**victim.SETTINGS, "workers": "3", "on_table_change": "fail", "tables.check_interval": "300ms"}
    work = job.Job(f"file://{lib.tmp_dir()}", settings)
    work.init()
    work.extract(lib.feed_dir(FEED))
    worker = work.start()
    lib.wait_until(lambda: "claims" in worker.text(), what="the claim")
    producer = lib.Started("produce", lib.feed_dir(FEED), work.script, "--rate=2000", *work.sets)
    time.sleep(1)
    work.extract(lib.feed_dir(FEED))  # the same bytes are no change
    trips = lib.feed_dir(FEED) / "trips.txt"
    changed = lib.tmp_dir()
    for file in lib.feed_dir(FEED).iterdir():
        (changed / file.name).write_bytes(file.read_bytes())
    columns = trips.read_text().splitlines()[0]
    (changed / "trips.txt").write_text(trips.read_text().rstrip("\n") + "\n" + "9," * columns.count(",") + "9\n")
    work.extract(changed)
    worker.wait(60, code=1)
    assert "the staged tables changed while the job ran; what was read is committed" in worker.text(), worker.text()
    producer.wait()
    work.run_once()
    assert work.verify()["errors"] == 0
    results.same_rows(work.rows(), oracle.expected_rows(lib.feed_dir(FEED)))


def test_partitions_that_come_while_threads_read():
    """More partitions than threads, then more than there were, again and again, beside a flood of records."""
    for settings in ({"workers": 2}, {"workers": 3, "membership": "none"}):
        work = Work(settings, [f"a,{i}" for i in range(100)], n_partitions=1)
        worker = lib.Started("run", work.script)
        lib.wait_until(lambda w=worker: "claims" in w.text(), what="the claim")
        n, n_partitions = 100, 1
        for _ in range(3):
            n_partitions += 2
            broker.add_partitions(work.topic, n_partitions)
            lib.wait_until(lambda p=n_partitions, w=work: len(broker.leaders(w.topic)) == p, what="partitions")
            for partition in range(n_partitions):
                broker.produce(work.topic, [f"b,{n + i}" for i in range(200)], partition=partition)
                n += 200
            lib.wait_until(lambda t=n, w=work: results.rows_of_result(str(w.result)).total() == t, what=f"{n} rows")
        worker.stop()
        rows = sorted(int(row[1]) for row in results.iter_result(str(work.result)))
        assert rows == list(range(n)), len(rows)
        report = lib.run("verify", "--deep", "--json", work.script).json()
        assert report["errors"] == 0, report


def test_how_many_there_are():
    work = Work({"workers": 9}, lines_of(500))
    done = work.run()
    assert "SET workers = 9: the topic has 4 partitions; 5 threads have none" in done.err, done.err
    assert results.rows_of_result(str(work.result)).total() == 490
    work.write({"workers": "auto"}, "auto")
    done = work.run()
    found = re.search(r"(\d+) threads read and make files", done.err)
    assert found is None or 2 <= int(found[1]) <= N_PARTITIONS, done.err
    assert results.rows_of_result(str(work.result)).total() == 490


def test_what_cannot_be_is_refused():
    work = Work({}, lines_of(10), n_partitions=1)
    for settings, text in (
            ({"workers": "0"}, "option 'workers' takes a number from 1 to 32 or auto, not '0'"),
            ({"workers": "many"}, "option 'workers' takes a number from 1 to 32 or auto, not 'many'"),
            ({"workers": "2", "executor": "sqlite"},
             "SET workers = 2: several threads can share the tables only of a query that runs natively without asking "
             "SQLite; tramline explain says why this one does not. Leave it 1, and start more processes.")):
        work.write(settings, "refused")
        for command in ("check", "run"):
            done = lib.run(command, work.script, code=2)
            assert text in done.err, done.err
    work.write({"workers": "auto", "executor": "sqlite"}, "sqlite")
    assert "threads read" not in work.run().err
