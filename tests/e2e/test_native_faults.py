# SPDX-License-Identifier: Apache-2.0
# test: waits
# test: needs kafka
# test: limit 5400
"""client = 'native' through a proxy that breaks the real broker's answers: cut before each byte, bytes that drip, pauses, each
error code, flipped bits. What is read is exact, or the stream ends by an error; both within a limit. With --long all places of
all answers are cut and all codes are tried, else some. The answers are those to a reader of all partitions, to a member of a
group, and to a reader of an older broker, whom it asks whether its log was cut back."""
import collections
import contextlib
import functools
import os
import random
import subprocess
import time

import broker
import kafka_cluster
import kafka_faults
import lib

N_PARTITIONS, N_EACH, N_BATCHES = 2, 6, 2
ANSWER_LIMIT_MS = 1000
LIMIT_MS = 20_000
FLIP_LIMIT_MS = 60_000  # a group in which nobody knows that it leads waits for 30 s
FEW, MANY = int(os.environ.get("FAULTS_N", 8)), 1000  # faults of a kind; with --long
LATE_S = 0.3
CODES = [-1, *range(1, 120), 32000]
GROUP, MEMBER, OLDER = "group", "member", "epoch"
KINDS = (GROUP, MEMBER, OLDER)
OK = ("ok",)
ERROR = ("ok", "error")


def made_topic(brokers=None):
    topic = broker.create_topic(partitions=N_PARTITIONS, brokers=brokers)
    with broker.Producer(brokers=brokers) as producer:
        for batch in range(N_BATCHES):
            for partition in range(N_PARTITIONS):
                for i in range(N_EACH // N_BATCHES):
                    offset = batch * N_EACH // N_BATCHES + i
                    producer.send(topic, f"{partition}:{offset}", partition=partition)
            producer.flush()
    return topic


@functools.cache
def older_place():
    """A broker that was there twice, so that its epochs as a leader are others than those of the records."""
    cluster = kafka_cluster.Cluster(1, {"INSIDE": kafka_cluster.Listener(),
                                        "OLDER": kafka_cluster.Listener(is_proxied=True)})
    (only,), inside = cluster.brokers, cluster.addresses("INSIDE")
    topic = made_topic(inside)
    only.kill()
    only.start()
    only.wait_started()
    lib.wait_until(lambda: broker.leaders(topic, inside) == N_PARTITIONS * [1], 60, "leaders")
    return topic, only.behind("OLDER"), only.address("OLDER"), {"Fetch": 11}


@contextlib.contextmanager
def place(kind):
    """Topic, the broker's address, that of the proxy, and what that hides."""
    if kind == OLDER:
        yield older_place()
        return
    with lib.kafka_behind() as (behind, before):
        yield made_topic(), behind, before, None


class Reading:
    """stream_tool reads a topic of this test through the proxy, again and again."""

    def __init__(self, topic, behind, before, most):
        self.faults = kafka_faults.KafkaFaults(behind, int(before.rpartition(":")[2]), most)
        program = lib.ROOT / "build" / ("asan" if lib.is_checked() else "release") / "tests/stream_tool"
        self.process = subprocess.Popen(
            [program, before, topic, str(N_PARTITIONS), str(N_EACH), str(ANSWER_LIMIT_MS)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.group = lib.fresh_name("g")

    def close(self):
        self.process.stdin.close()
        code = self.process.wait(30)
        self.process.stdout.close()
        self.faults.close()
        assert code == 0, f"stream_tool ended with {code}"

    def read(self, kind, fault=None, limit_ms=LIMIT_MS):
        """What it says of one reading with this fault, and the seconds that it took."""
        self.faults.begin(fault)
        began = time.monotonic()
        self.process.stdin.write(f"{limit_ms} {self.group} {kind if kind != GROUP else ''}\n")
        self.process.stdin.flush()
        said = self.process.stdout.readline().strip()
        assert said, f"stream_tool ended at {fault}"
        return said, time.monotonic() - began

    def answers(self, kind):
        """Those of a reading without a fault, of each kind the first two."""
        said, _ = self.read(kind)
        assert said.split()[:2] == ["ok", str(N_PARTITIONS * N_EACH)], said
        seen = sorted(self.faults.answers)
        assert kind != OLDER or any(one.name == "OffsetForLeaderEpoch" for one in seen), seen
        return [one for one in seen if one.number < 2]


def some(faults, n):
    dice = random.Random(int(os.environ.get("FAULTS_SEED", 14)))
    return sorted(dice.sample(faults, min(n, len(faults))))


def try_all(kind, faults_of, ends_well, most=None, limit_ms=LIMIT_MS):
    """ends_well: how it may end, each but ok with a text; most: so many with --long."""
    ends = collections.Counter()
    with place(kind) as there:
        reading = Reading(*there)
        try:
            answers, longest = reading.answers(kind), 0
            faults = faults_of(answers)
            for fault in some(faults, most or len(faults)) if lib.is_long() else some(faults, FEW):
                said, seconds = reading.read(kind, fault, limit_ms)
                longest = max(longest, seconds)
                end = said.split()[0] if reading.faults.has_struck else "not struck"
                ends[end] += 1
                ends[fault.name] += 1
                print(f"{kind} {fault}: {said} ({seconds:.1f} s)", flush=True)
                assert said.split()[0] in (ends_well if reading.faults.has_struck else OK), f"{kind} {fault}: {said}"
                assert len(said.split()) > 2 or said.startswith("late"), f"{kind} {fault}: no text"
            print(f"{kind}: {dict(ends)}, at most {longest:.1f} s", flush=True)
        finally:
            reading.close()


def test_answers_that_are_cut_at_every_byte():
    for kind in KINDS:
        try_all(kind, kafka_faults.cuts, OK)


def test_answers_that_are_slow():
    for kind in KINDS:
        try_all(kind, lambda answers: kafka_faults.slow(answers, LATE_S), OK)


def test_every_error_code():
    for kind in KINDS:
        try_all(kind, lambda answers: kafka_faults.codes([one for one in answers if one.number == 0], CODES),
                ERROR)


def test_flipped_bits():
    for kind in KINDS:
        try_all(kind, lambda answers: kafka_faults.flips(answers, (0x01, 0x80)), ERROR, MANY, FLIP_LIMIT_MS)
