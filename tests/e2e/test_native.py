# SPDX-License-Identifier: Apache-2.0
# test: needs kafka
"""client = 'native': what it does not have is refused by name, and a job whose worker is killed again
and again has each row once, whatever was aborted between its records."""
import base64
import random
import time

import broker
import job
import lib
import oracle
import results

FEED = "stm-2021-metro-rebuilt"
SETTINGS = {"membership": "none", "commit.interval": "100ms", "batch.interval": "20ms"}
N_KEPT = 30  # fewer than on_error.share
CONNECTOR = "connector = 'kafka'"


def native_job(settings=None, options=""):
    place = f"file://{lib.tmp_dir()}"
    return job.Job(place, SETTINGS if settings is None else settings,
                   replace=[(CONNECTOR, f"{CONNECTOR}, client = 'native'{options}")])


def refused(work, text):
    for command in ("check", "run"):
        done = work.tramline(command, code=2)
        assert text in done.err, done.err


def test_what_it_does_not_have_is_refused():
    refused(native_job(settings={}),
            "client = 'native' joins no group yet; write SET membership = 'none', or client = 'librdkafka'")
    refused(native_job(options=", \"kafka.fetch.wait.max.ms\" = '7'"),
            "option 'kafka.fetch.wait.max.ms' is not one of client = 'native'; write client = 'librdkafka'")


def produce_transactions(topic):
    """Records that nobody may see, and some that are rejected, since no row comes of them."""
    with broker.Producer(transactional_id=topic) as producer:
        for is_kept in (False, True, False):
            producer.begin()
            for n in range(N_KEPT if is_kept else 300):
                producer.send(topic, f"{'kept' if is_kept else 'aborted'}-{n}", key="k")
            if is_kept:
                producer.commit()
            else:
                producer.abort()


def test_kills_do_not_show():
    dice = random.Random(7)
    work = native_job()
    work.init()
    work.extract(lib.feed_dir(FEED))
    produce_transactions(work.topic)
    work.produce(lib.feed_dir(FEED))
    produce_transactions(work.topic)
    for _ in range(6):
        worker = work.start()
        lib.wait_until(lambda w=worker: "claims" in w.text(), what="a claim")
        time.sleep(dice.uniform(0, 0.5))
        worker.kill()
    work.run_once()
    report = work.verify()
    assert report["errors"] == 0 and report["rejected"] == 2 * N_KEPT, report
    letters = [base64.b64decode(letter["value"]).decode() for letter in results.dead_letters(work.result)]
    assert sorted(letters) == sorted(2 * [f"kept-{n}" for n in range(N_KEPT)]), letters[:5]
    results.same_rows(work.rows(), oracle.expected_rows(lib.feed_dir(FEED)))


def test_looks_are_those_of_librdkafka():
    topic = broker.create_topic(partitions=2)
    broker.produce(topic, ["T1,1", "T9,2", "T2,x", "T2,4"])
    directory = lib.tmp_dir()
    outputs = {}
    for client in ("librdkafka", "native"):
        (directory / "p.sql").write_text(f"""
            SET membership = 'none';
            CREATE TABLE visits (trip_id TEXT NOT NULL, n INT)
              WITH (connector = 'kafka', brokers = '{lib.brokers()}', topic = '{topic}', format = 'csv',
                    client = '{client}');
            CREATE TABLE result () WITH (connector = 'filesystem', path = 'data/result', format = 'csv');
            INSERT INTO result SELECT trip_id, n FROM visits;
            """)
        outputs[client] = [sorted(lib.run(*words, cwd=directory).out.splitlines())
                           for words in (("preview", "p.sql", "--csv"), ("cat", "p.sql", "visits", "--csv"))]
    assert outputs["native"] == outputs["librdkafka"], outputs
    assert "T2,4" in outputs["native"][0], outputs
