# SPDX-License-Identifier: Apache-2.0
# test: takes 100
# test: waits
# test: needs kafka
"""What streams do, on real Kafka and local files: bad records, transactions, new partitions, quiet
times, several workers, other jobs, signals."""
import base64
import collections
import os
import time

import broker
import job
import lib
import results

FAST = {"commit.interval": "300ms", "batch.interval": "50ms"}
TRIPS = """route_id,service_id,trip_id,trip_headsign,direction_id,shape_id
1,S1,T1,Angrignon,0,11
2,S1,T2,"Honoré-Beaugrand, est",1,12
"""
DATES = "service_id,date,exception_type\nS1,20261122,2\n"


def feed(trips=TRIPS):
    directory = lib.tmp_dir()
    (directory / "trips.txt").write_text(trips)
    (directory / "calendar_dates.txt").write_text(DATES)
    return directory


def new_job(settings=None, **kwargs):
    work = job.Job(f"file://{lib.tmp_dir()}", {**FAST, **(settings or {})}, **kwargs)
    work.init()
    work.extract(feed())
    return work


def stop_ids(work):
    return collections.Counter(row[3] for row in results.iter_result(work.result))


def wait_rows(work, n, limit_s=90):
    lib.wait_until(lambda: sum(stop_ids(work).values()) >= n, limit_s, f"{n} rows")


def test_bad_records_become_dead_letters_with_reasons():
    work = new_job({"on_error.share": "100%"})
    good = ["T1,08:00:00,08:00:00,good1,1", "T2,25:01:00,25:01:00,good2,01\r\n",
            "T1,,,good3,\n", "\"T1\",8:00:00,8:00:00,\"go,\"\"od4\",2\r"]
    ignored = ["trip_id,arrival_time,departure_time,stop_id,stop_sequence", None]
    bad = {
        "T1,1,1,a,1\nT1,1,1,b,2": "two lines",
        "T1,1,1": "3 fields",
        "T1,1,1,a,1,x": "6 fields",
        "T1,1,1,a,x7": "column stop_sequence: 'x7' is not an INT",
        ",1,1,a,1": "column trip_id",
        "T1,1,1,\xff,1": "UTF-8",
        "T1,1,1,\"a,1": "unclosed quote",
        "": "empty",
    }
    values = [*good, *ignored, *[b.encode("latin-1") for b in bad]]
    broker.produce(work.topic, values)
    work.run_once()
    assert stop_ids(work) == collections.Counter(
        ["good1", "good2", "good3", 'go,"od4']), stop_ids(work)
    letters = results.dead_letters(work.result)
    assert len(letters) == len(bad), letters
    for letter in letters:
        print(letter["reason"])
    reasons = {base64.b64decode(l["value"]).decode("latin-1"): l["reason"] for l in letters}
    for value, part in bad.items():
        assert part in reasons[value], (value, reasons[value])
    report = work.verify()
    assert (report["errors"], report["rejected"], report["ignored"]) == (0, len(bad), 2), report
    shown = work.tramline("cat", "enriched_stop_time", "--dead", "--limit", "2").out
    assert len(shown.splitlines()) == 2


def test_too_many_bad_records_stop_the_job():
    work = new_job({"on_error.share": "10%"})
    broker.produce(work.topic, ["T1,1,1,a,1"] * 10000 + ["nonsense"] * 5000, partition=0)
    done = work.run_once(code=3)
    assert "on_error.share" in done.err, done.err


def test_on_error_fail_names_the_record():
    work = new_job({"on_error": "fail"})
    broker.produce(work.topic, ["T1,1,1,a,1", "T1,1,1,a,x"], partition=2)
    done = work.run_once(code=3)
    for part in (work.topic, "partition 2", "offset 1", "stop_sequence"):
        assert part in done.err, done.err


def test_columns_that_a_file_lacks_are_told():
    work = new_job()
    file = lib.tmp_dir() / "other.txt"
    file.write_text("trip_id,stop_id,more\nT1,a,x\n")
    done = work.produce(file)
    assert "warn  other.txt has no arrival_time, departure_time, stop_sequence: NULL in every " \
           "record" in done.err, done.err
    work.run_once()
    assert results.rows_of_result(work.result) == collections.Counter({
        ("T1", None, None, "a", None, "1", "S1", "Angrignon", "0", "11", None, None, None,
         "20261122", "2", None, None, None): 1})


def test_transactions_and_aborted_tails():
    work = new_job()
    with broker.Producer(transactional_id=lib.fresh_name("tx")) as producer:
        producer.begin()
        for i in range(5):
            producer.send(work.topic, f"T1,1,1,c{i},1", partition=0)
        producer.commit()
        producer.begin()
        for i in range(7):
            producer.send(work.topic, f"T1,1,1,x{i},1", partition=0)
        producer.abort()
    work.run_once()
    assert stop_ids(work) == collections.Counter(f"c{i}" for i in range(5))
    report = work.verify()
    assert (report["errors"], report["records"], report["skipped"]) == (0, 5, 9), report
    epoch = None if os.environ.get("TRAMLINE_TEST_CLIENT") == "librdkafka" else 0
    assert report["partitions"][0] == {"partition": 0, "first": 0, "next": 14, "epoch": epoch}


def test_once_ends_before_an_open_transaction():
    work = new_job()
    broker.produce(work.topic, [f"T1,1,1,a{i},1" for i in range(5)], partition=0)
    with broker.Producer(transactional_id=lib.fresh_name("tx")) as producer:
        producer.begin()
        for i in range(3):
            producer.send(work.topic, f"T1,1,1,open{i},1", partition=0)
        producer.flush()
        work.run_once()
        assert work.verify()["partitions"][0]["next"] == 5
        producer.commit()
    work.run_once()
    assert stop_ids(work) == collections.Counter(
        [f"a{i}" for i in range(5)] + [f"open{i}" for i in range(3)])
    report = work.verify()
    assert (report["errors"], report["records"], report["skipped"]) == (0, 8, 1), report


def test_compacted_topics_have_holes_and_no_loss():
    work = job.Job(f"file://{lib.tmp_dir()}", FAST)
    broker.create_topic(work.topic, config=broker.COMPACTED)
    work.init()
    work.extract(feed())
    turns = [[(f"T1,1,1,turn {turn} of {i},1", f"{i},1", 0) for i in range(20)] for turn in range(4)]
    broker.produce_in_segments(work.topic, turns)
    n_sent = sum(map(len, turns))
    work.run_once()
    left = broker.consume(work.topic)
    report = work.verify()
    assert report["errors"] == 0 and report["partitions"][0]["next"] == n_sent, report
    # The broker may have gone on compacting: what is left now was there when the job read.
    got = stop_ids(work)
    assert collections.Counter(value.decode().split(",")[3] for *_, value in left) <= got
    assert sum(got.values()) == report["records"] == n_sent - report["skipped"] < n_sent, report


def test_a_broker_that_is_killed_comes_back():
    stack = lib.Stack("kafka")
    brokers = stack.env["TRAMLINE_BROKERS"]
    work = new_job(brokers=brokers)
    worker = work.start()
    broker.produce(work.topic, [f"T1,1,1,a{i},1" for i in range(100)], brokers=brokers)
    wait_rows(work, 100)
    stack.kill("kafka")
    time.sleep(1)  # the worker meets a broker that is away
    stack.start("kafka")
    broker.produce(work.topic, [f"T1,1,1,b{i},1" for i in range(100)], brokers=brokers)
    wait_rows(work, 200, limit_s=60)
    worker.stop(limit_s=20)
    assert stop_ids(work) == collections.Counter(
        f"{letter}{i}" for letter in "ab" for i in range(100))
    assert work.verify()["errors"] == 0


def test_quiet_stream_is_committed_by_the_clock_and_empty_batches_write_nothing():
    work = new_job()
    worker = work.start()
    broker.produce(work.topic, ["T1,1,1,a,1", "T2,1,1,b,2"])
    wait_rows(work, 2)
    n_files = len(results.data_files(work.result))
    n_entries = len(results.log_entries(work.result))
    time.sleep(1.5)  # five commit intervals without a record
    assert len(results.data_files(work.result)) == n_files
    assert len(results.log_entries(work.result)) == n_entries
    worker.stop(limit_s=10)
    assert work.verify()["errors"] == 0


def test_files_roll_by_rows():
    work = new_job({"commit.rows": "100", "commit.interval": "60s", "batch.records": "50"})
    broker.produce(work.topic, [f"T1,1,1,s{i},1" for i in range(1000)])
    work.run_once()
    assert sum(stop_ids(work).values()) == 1000
    assert len(results.data_files(work.result)) >= 8
    assert work.verify()["errors"] == 0


def test_partitions_added_later_are_read_from_their_beginning():
    work = new_job()
    broker.produce(work.topic, ["T1,1,1,a,1"], partition=0)
    work.run_once()
    broker.add_partitions(work.topic, 6)
    broker.produce(work.topic, ["T1,1,1,new,1"], partition=5)
    work.run_once()
    assert stop_ids(work) == collections.Counter(["a", "new"])
    assert work.verify()["errors"] == 0


def test_two_workers_share_the_partitions():
    work = new_job()
    workers = [work.start(), work.start()]
    n = n_shared = 0
    deadline = time.monotonic() + 60
    while n_shared < 5:  # while the second one comes, and when both are there
        broker.produce(work.topic, [f"T1,1,1,s{n + i},1" for i in range(200)])
        n += 200
        n_shared += all("claims" in worker.text() for worker in workers)
        assert time.monotonic() < deadline, [worker.text() for worker in workers]
        time.sleep(0.3)
    wait_rows(work, n, 60)
    for worker in workers:
        worker.stop(limit_s=10)
    assert stop_ids(work) == collections.Counter(f"s{i}" for i in range(n))
    assert work.verify()["errors"] == 0
    owners = {e["worker"] for e in results.log_entries(work.result).values()
              if e["kind"] == "claim"}
    assert len(owners) == 2, owners


def test_another_job_on_the_directory_is_refused():
    work = new_job()
    broker.produce(work.topic, ["T1,1,1,a,1"])
    work.run_once()
    other = lib.fresh_name("stop_times")
    broker.create_topic(other)
    text = work.script.read_text().replace(work.topic, other)
    work.script.write_text(text)
    done = work.run_once(code=2)
    assert work.topic in done.err and other in done.err, done.err


def test_records_that_left_the_topic_are_never_skipped_in_silence():
    work = new_job()
    broker.produce(work.topic, [f"T1,1,1,a{i},1" for i in range(10)], partition=0)
    work.run_once()
    broker.produce(work.topic, [f"T1,1,1,b{i},1" for i in range(10)], partition=0)
    broker.delete_records(work.topic, 0, 15)
    done = work.run_once(code=3)
    assert "on_gap" in done.err, done.err
    for part in ("partition 0", "10", "15"):
        assert part in done.err, done.err
    work.script.write_text("SET on_gap = 'record';\n" + work.script.read_text())
    work.run_once()
    assert sum(stop_ids(work).values()) == 15
    report = work.verify()
    assert (report["errors"], report["gap"]) == (0, 5), report


def make_anew(work, values):
    """The topic is removed, and recreated under its name with these records in partition 0."""
    broker.delete_topic(work.topic)

    def is_made():
        try:
            broker.create_topic(work.topic, partitions=4)
        except Exception as reason:
            print(reason, flush=True)
            return False
        return True
    lib.wait_until(is_made, what="the topic to be recreated")
    broker.produce(work.topic, values, partition=0)


def test_a_topic_made_anew_is_noticed_by_who_reads_it():
    work = new_job()
    worker = work.start()
    broker.produce(work.topic, [f"T1,1,1,old{i},1" for i in range(20)], partition=0)
    wait_rows(work, 20)
    # As many as before: the worker stands at its end, and reads on when there is more.
    make_anew(work, [f"T1,1,1,new{i},1" for i in range(20)])
    broker.produce(work.topic, [f"T1,1,1,more{i},1" for i in range(5)], partition=0)
    # The client may lose the topic first, and find it again when it next asks what is there.
    worker.wait(150, code=3)
    assert work.topic in worker.text() and "recreated" in worker.text(), worker.text()
    assert stop_ids(work) == collections.Counter(f"old{i}" for i in range(20))


def test_a_topic_made_anew_is_noticed_with_nothing_to_read():
    work = new_job()
    broker.produce(work.topic, [f"T1,1,1,old{i},1" for i in range(20)], partition=0)
    work.run_once()
    make_anew(work, [f"T1,1,1,new{i},1" for i in range(5)])
    shorter, longer = 2 * ["was recreated: its id is"]
    if os.environ.get("TRAMLINE_TEST_CLIENT") == "librdkafka":  # knows no id
        shorter = "ends at offset 5, but the log has read it up to 20"
        longer = "has another record at offset 19 than the log has seen there"
    done = work.run_once(code=3)
    assert shorter in done.err, done.err
    broker.produce(work.topic, [f"T1,1,1,new{i},1" for i in range(15)], partition=0)
    done = work.run_once(code=3)
    assert longer in done.err, done.err


def test_sigterm_commits_and_leaves():
    work = new_job({"commit.interval": "60s"})
    worker = work.start()
    broker.produce(work.topic, ["T1,1,1,a,1"])
    lib.wait_until(lambda: "claims" in worker.text(), what="the claim")
    time.sleep(1)
    began = time.monotonic()
    worker.stop(limit_s=10)
    assert time.monotonic() - began < 10
    assert stop_ids(work) == collections.Counter(["a"])


def set_clock(file, days):
    """At once: a reader never finds half of it."""
    (file.parent / "new").write_text(str(days * 86400))
    (file.parent / "new").rename(file)


def test_a_clock_that_jumps_stops_nothing():
    work = new_job()
    clock = lib.tmp_dir() / "clock"
    set_clock(clock, 0)
    worker = work.start(env={**lib.preloaded("clock_calls"), "CLOCK_FILE": str(clock)})
    lib.wait_until(lambda: "claims" in worker.text(), what="the claim")
    n = 0
    for days in (0, -30, 400, 0):
        set_clock(clock, days)
        broker.produce(work.topic, [f"T1,1,1,s{n + i},1" for i in range(100)])
        n += 100
        wait_rows(work, n)  # by commit.interval = 300ms, not by 30 days
    worker.stop(limit_s=10)
    assert stop_ids(work) == collections.Counter(f"s{i}" for i in range(n))
    entries = results.log_entries(work.result)
    times = [entries[i]["time_ms"] for i in sorted(entries)]
    assert max(times) - min(times) > 400 * 86400_000, times  # the clock did jump
    assert times != sorted(times), times
    assert all(e["first_batch_ms"] <= e["last_batch_ms"] for e in entries.values())
    assert work.verify()["errors"] == 0


def test_changed_tables_are_noticed():
    work = new_job({"tables.check_interval": "500ms"})
    worker = work.start()
    lib.wait_until(lambda: "claims" in worker.text(), what="the claim")
    work.extract(feed(TRIPS + "3,S1,T3,Nord,0,13\n"))
    lib.wait_until(lambda: "staged tables have changed" in worker.text(), 30, "the warning")
    worker.stop(limit_s=10)


def test_reset_starts_over_and_refuses_under_a_live_worker():
    work = new_job()
    broker.produce(work.topic, ["T1,1,1,a,1"])
    worker = work.start()
    wait_rows(work, 1)
    done = work.tramline("init", "--reset", "--yes", code=1)
    assert "stop" in done.err, done.err
    worker.stop(limit_s=10)
    done = work.tramline("init", "--reset", code=1)
    assert "confirm it by --yes" in done.err, done.err
    work.tramline("init", "--reset", "--yes")
    assert results.data_files(work.result) == []
    work.run_once()
    assert stop_ids(work) == collections.Counter(["a"])
