# SPDX-License-Identifier: Apache-2.0
# test: needs kafka
# test: limit 3600
"""What `init`, `init --reset` and `check --live` ask a broker by client = 'native', through a proxy that breaks the answers as in native_faults: cut
before each byte, bytes that drip, pauses, each error code, flipped bits. What was only cut or late is asked again, and done in
the end; else it is done, or an error in words; all of it within a limit. A few places of each; with --long many."""
import collections
import os
import random

import broker
import kafka_faults
import lib

SCRIPT = """CREATE TABLE s (name TEXT NOT NULL, n INT)
  WITH (connector = 'kafka', brokers = '{brokers}', topic = '{topic}', format = 'csv', partitions = 2, "group" = '{topic}');
CREATE TABLE r () WITH (connector = 'filesystem', path = '{root}/r', format = 'csv');
INSERT INTO r SELECT s.* FROM s;
"""
INIT, RESET, LIVE = ("init",), ("init", "--reset", "--yes"), ("check", "--live")
FEW, MANY = 8, 300  # faults of a kind
LIMIT_S = 40
LATE_S = 0.3
CODES = [-1, *range(1, 120), 32000]
DONE = (0,)
DONE_OR_SAID = (0, 1, 2, 3)


class Asking:
    def __init__(self, address):
        self.address, self.ready = address, None

    def script(self):
        topic, root = lib.fresh_name("asked"), lib.tmp_dir()
        path = root / "p.sql"
        path.write_text(SCRIPT.format(brokers=self.address, topic=topic, root=root))
        return topic, path

    def ask(self, command):
        """The topic is new to init, and there for others."""
        if command != INIT and self.ready is None:
            self.ready = self.script()
            lib.run("init", self.ready[1])
        topic, script = self.script() if command == INIT else self.ready
        done = lib.run(*command, script, code=None, limit_s=LIMIT_S)
        if done.code == 0 and command == INIT:
            assert broker.leaders(topic) == [1, 1], topic
        if done.code != 0:
            assert "tramline" in done.err + done.out, done.code
        return done


def some(faults):
    dice = random.Random(int(os.environ.get("FAULTS_SEED", 14)))
    return sorted(dice.sample(faults, min(MANY if lib.is_long() else FEW, len(faults))))


def ask_through(faults_of, may_end):
    with lib.kafka_behind() as (behind, before):
        proxy = kafka_faults.KafkaFaults(behind, int(before.rpartition(":")[2]))
        try:
            asking, asked = Asking(before), set()
            for command in (INIT, RESET, LIVE):
                asking.ask(command)
                proxy.begin(None)
                assert asking.ask(command).code == 0
                answers = [one for one in sorted(proxy.answers) if one.number < 2]
                asked |= {one.name for one in answers}
                ends = collections.Counter()
                for fault in some(faults_of(answers)):
                    proxy.begin(fault)
                    done = asking.ask(command)
                    ends[done.code if proxy.has_struck else "not struck"] += 1
                    print(f"{command} {fault}: {done.code} ({done.seconds:.1f} s) {done.err.strip()[-300:]}", flush=True)
                    assert done.code in (may_end if proxy.has_struck else DONE), done.err
                print(f"{command}: {dict(ends)}", flush=True)
            assert asked >= {"ApiVersions", "Metadata", "CreateTopics", "FindCoordinator", "DescribeGroups"}, asked
        finally:
            proxy.close()


def test_answers_that_are_cut():
    ask_through(kafka_faults.cuts, DONE)


def test_answers_that_are_slow():
    ask_through(lambda answers: kafka_faults.slow(answers, LATE_S), DONE)


def test_every_error_code():
    ask_through(lambda answers: kafka_faults.codes([one for one in answers if one.number == 0], CODES), DONE_OR_SAID)


def test_flipped_bits():
    ask_through(lambda answers: kafka_faults.flips(answers, (0x01, 0x80)), DONE_OR_SAID)
