# SPDX-License-Identifier: Apache-2.0
# test: waits
# test: needs kafka registry
"""As test_live.py, of a stream from Kafka: what `run` refuses at its start for the topic's sake, for
the log's or the brokers', `check --live` says in the same words; it joins no group."""
import re

import broker
import lib
from avro_job import AvroJob

COLUMNS = "id TEXT NOT NULL, n INT"


def job(n=20, partitions=2, **settings):
    work = AvroJob(COLUMNS, format="csv", partitions=partitions, settings=settings)
    for partition in range(partitions):
        work.send([f"{partition} {i},{i}" for i in range(n)], partition)
    return work


def ran(work):
    work.run_once()
    assert work.rows()
    return work


def change(work, old, new):
    text = work.script.read_text()
    assert old in text, text
    work.script.write_text(text.replace(old, new))
    return work


def anew(work, n):
    broker.delete_topic(work.topic)
    lib.wait_until(lambda: broker.create_topic(work.topic, 2), what="the topic recreated")
    for partition in range(2):
        work.send([f"new {i},{i}" for i in range(n)], partition)
    return work


def no_topic():
    return change(job(), work_topic := "topic = '", work_topic + "no_such_")


def no_brokers():
    return change(job(), f"brokers = '{lib.brokers()}'", "brokers = '127.0.0.1:1'")


def topic_made_anew_shorter():
    return anew(ran(job()), 3)


def topic_made_anew_longer():
    return anew(ran(job()), 50)


def gap():
    work = job(n=5)
    ran(work)
    work.send([f"lost {i},{i}" for i in range(10)], 1)
    broker.delete_records(work.topic, 1, 9)
    return work


def another_group():
    return change(ran(job()), "connector = 'kafka'", "connector = 'kafka', \"group\" = 'another'")


def another_topic():
    work = ran(job())
    return change(work, f"topic = '{work.topic}'", f"topic = '{job().topic}'")


def plain(text):
    return re.sub(r"; (tried for|gave up after) \d+ s( \(SET storage.retry\))?", "", text)


def check_both(work):
    """Exit code of check, its lines that are BAD, what run said at its end."""
    check = work.tramline("check", "--live", code=None)
    run = work.tramline("run", "--once", code=None)
    bad = [plain(line) for line in check.out.splitlines() if line.startswith("BAD ")]
    last = run.err.splitlines()[-1] if run.err else ""
    return check, bad, run, plain(last.removeprefix("tramline run: "))


def test_what_run_refuses_is_said():
    wrong = []
    for fault in (no_topic, no_brokers, topic_made_anew_shorter, topic_made_anew_longer, gap,
                  another_group, another_topic):
        check, bad, run, words = check_both(fault())
        if run.code == 0 or check.code != 1 or not any(line.endswith(words) for line in bad):
            wrong.append(f"{fault.__name__}: run: {run.code}: {words}\n{check.out}{check.err}")
    assert not wrong, "\n".join(wrong)


def test_what_run_takes_is_ready():
    recorded = change(gap(), "SET membership", "SET on_gap = 'record';\nSET membership")
    for work in (job(), ran(job()), ran(job(partitions=1)), job(n=0), recorded):
        check, bad, run, _ = check_both(work)
        assert (check.code, bad, run.code) == (0, [], 0), (check.out, check.err, run.err)


def test_a_running_worker_keeps_its_partitions():
    work = job(membership="group")
    with_worker = work.start()
    lib.wait_until(lambda: len(work.rows()) == 40, what="the worker's rows")
    claims = with_worker.text().count(" claims ")
    for _ in range(3):
        work.tramline("check", "--live")
    work.send(["late,1"], 0)
    work.wait_rows(41)
    assert with_worker.text().count(" claims ") == claims, with_worker.text()
    with_worker.stop()


def test_inits_at_once_make_one_topic():
    """Whichever makes it: the others find it, though not all of the brokers know of it yet."""
    for _ in range(10):
        work = job(n=0)
        change(work, f"topic = '{work.topic}'", f"topic = '{lib.fresh_name('made')}'")
        started = [lib.Started("init", work.script) for _ in range(6)]
        for one in started:
            one.wait(60)
        made = [one for one in started if re.search(r"(?m)^topic +made ", one.text())]
        assert len(made) == 1, [one.text() for one in started]
