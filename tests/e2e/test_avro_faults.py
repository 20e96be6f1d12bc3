# SPDX-License-Identifier: Apache-2.0
# test: waits
# test: needs kafka registry
"""A registry that is down, slow, or answers what it should not, while the program runs. What may
heal is waited for, the partition held back and nothing skipped; what cannot heal ends the job, and
nothing is skipped either."""
import signal

import avro_job
import lib
from avro_job import AvroJob, record
from registry_proxy import RegistryProxy

OLD = record("r", id="string", n="int")
NEW = record("r", n="long", id="string")
COLUMNS = "id TEXT NOT NULL, n BIGINT"


def values(*numbers):
    return [{"id": f"r{n}", "n": n} for n in numbers]


def rows(*numbers):
    return sorted([(f"r{n}", str(n)) for n in numbers], key=repr)


class Two:
    """A job of two partitions behind a proxy; the registry has two versions of the schema."""

    def __init__(self, proxy, **options):
        self.work = AvroJob(COLUMNS, proxy.url, partitions=2, **options)
        self.old, self.new = (avro_job.register(self.work.subject, s) for s in (OLD, NEW))

    def send_old(self, *numbers, partition=0):
        self.work.send(avro_job.records(self.old, OLD, values(*numbers)), partition)

    def send_new(self, *numbers, partition=1):
        self.work.send(avro_job.records(self.new, NEW, values(*numbers)), partition)

    def check(self, running, *numbers):
        """The job ends well, with these rows and nothing lost or twice."""
        running.signal(signal.SIGTERM)
        running.wait()
        assert self.work.rows() == rows(*numbers)
        report = self.work.verify()
        assert (report["errors"], report["rejected"]) == (0, 0), report


def test_down_at_the_start():
    with RegistryProxy() as proxy:
        two = Two(proxy, registry__retry="5min")
        two.send_old(1, 2, 3)
        proxy.down()
        file = two.work.directory / "rows.csv"
        file.write_text("id,n\nr9,9\n")
        for command, before, args in (("init", [], []), ("check", [], ["--live"]),
                                      ("produce", [file], [])):
            said = two.work.tramline(command, *args, before=before, code=1)
            assert f"{proxy.url}/subjects/{two.work.subject}" in said.out + said.err, said.err
            assert "Connection refused" in said.out + said.err, said.err
        running = two.work.start()
        lib.wait_until(lambda: "partition 0 is held back at offset 0: schema id" in running.text(),
                       30, "a word about it")
        proxy.up()
        two.work.wait_rows(3)
        assert "partition 0 goes on" in running.text()
        two.check(running, 1, 2, 3)


def test_down_in_mid_stream_holds_back_one_partition():
    with RegistryProxy() as proxy:
        two = Two(proxy)
        two.send_old(1)
        running = two.work.start()
        two.work.wait_rows(1)
        proxy.down()
        two.send_old(2, partition=1)  # before the record that cannot be read yet
        two.send_new(3, 4)
        two.send_old(5, partition=1)  # behind it: has to wait, although its id is known
        two.send_old(6, 7)
        assert two.work.wait_rows(4) == rows(1, 2, 6, 7)
        lib.wait_until(lambda: "partition 1 is held back at offset 1" in running.text(), 30, "it")
        two.send_old(8)  # the other partition goes on while one is held
        assert two.work.wait_rows(5) == rows(1, 2, 6, 7, 8)
        proxy.up()
        two.work.wait_rows(8)
        two.check(running, 1, 2, 3, 4, 5, 6, 7, 8)
    assert proxy.count(f"GET /schemas/ids/{two.old}") == 1


def test_a_job_that_waits_stops_at_once_and_loses_nothing():
    with RegistryProxy() as proxy:
        two = Two(proxy)
        two.send_new(1)
        proxy.delay(20)
        running = two.work.start()
        lib.wait_until(lambda: "registry: no answer yet" in running.text(), 30, "the wait")
        running.signal(signal.SIGTERM)
        running.wait(10)
        proxy.well()
        two.work.run_once()
        assert two.work.rows() == rows(1)


def test_slow_keeps_nobody_else_waiting():
    with RegistryProxy() as proxy:
        two = Two(proxy)
        two.send_old(1)
        running = two.work.start()
        two.work.wait_rows(1)
        proxy.delay(20, f"/schemas/ids/{two.new}")
        two.send_new(2)
        lib.wait_until(lambda: "held back" in running.text(), 30, "partition 1 held back")
        two.send_old(3)
        assert two.work.wait_rows(2) == rows(1, 3)
        proxy.well()  # and the answer is there
        two.work.wait_rows(3)
        two.check(running, 1, 2, 3)


def test_what_heals_is_waited_for():
    for code in (500, 503, 429):
        with RegistryProxy() as proxy:
            two = Two(proxy)
            two.send_new(1)
            proxy.answer(code, b'{"error_code":50001,"message":"no store"}')
            running = two.work.start()
            lib.wait_until(lambda: f"HTTP {code}: no store" in running.text(), 30, "its words")
            proxy.well()
            two.work.wait_rows(1)
            two.check(running, 1)


def test_the_wait_has_a_limit():
    with RegistryProxy() as proxy:
        two = Two(proxy, registry__retry="1s")
        two.send_new(1)
        proxy.answer(503)
        said = two.work.run_once(code=1)
        assert (f"topic '{two.work.topic}' partition 1 offset 0: waited for 1 s (registry.retry): "
                f"schema id {two.new}: registry: GET {proxy.url}/schemas/ids/{two.new}: HTTP 503: "
                "no text") in said.err, said.err
        proxy.well()
        two.work.run_once()
        assert two.work.rows() == rows(1)


FINAL = [
    (401, b"", "HTTP 401: no text; give registry.user and registry.password, or registry.token"),
    (403, b'{"error_code":40301,"message":"Denied"}',
     "HTTP 403: Denied; these credentials may not do that"),
    (404, b"<html>", "HTTP 404: '<html>'; the path of the address may be wrong (Apicurio's ends in"
                     " /apis/ccompat/v7)"),
    (409, b'{"error_code":409,"message":"conflict"}', "HTTP 409: conflict"),
    (422, b'{"error_code":42201,"message":"invalid"}', "HTTP 422: invalid"),
    (302, b"", "HTTP 302: no text; it redirects: give the address that it redirects to"),
    (200, b"<html>hello", "no JSON, but '<html>hello': is this a Schema Registry?"),
    (200, b"{}", "the registry's answer has no \"schema\""),
]


def test_what_cannot_heal_ends_the_job_and_skips_nothing():
    with RegistryProxy() as proxy:
        two = Two(proxy)
        two.send_old(1)
        two.work.run_once()
        two.send_new(2)
        for code, body, words in FINAL:
            proxy.answer(code, body)
            said = two.work.run_once(code=1)
            assert words in said.err and f"schema id {two.new}: " in said.err, said.err
            assert two.work.rows() == rows(1)
        proxy.well()
        two.work.run_once()
        assert two.work.rows() == rows(1, 2) and two.work.verify()["errors"] == 0


def test_a_schema_without_end_sets_its_records_aside():
    with RegistryProxy() as proxy:
        two = Two(proxy)
        two.send_old(1)
        two.send_new(2)
        proxy.endless(f"/schemas/ids/{two.new}")
        two.work.run_once()
        assert two.work.rows() == rows(1)
        said = [letter["reason"] for letter in two.work.dead()]
        assert len(said) == 1 and said[0].endswith(": the answer is longer than 16777216 bytes"), said


UNKNOWN = 987654


def test_an_unknown_id_is_waited_for_then_a_dead_letter():
    with RegistryProxy() as proxy:
        two = Two(proxy, registry__unknown="1s")
        two.send_old(1, partition=1)
        two.work.send([avro_job.frame(UNKNOWN, b"\2a\0"), avro_job.frame(UNKNOWN, b"\2b\0")], 1)
        two.send_old(2, partition=1)
        running = two.work.start()
        two.work.wait_rows(2)
        two.send_new(3)
        two.work.wait_rows(3)
        running.signal(signal.SIGTERM)
        running.wait()
        said = [letter["reason"] for letter in two.work.dead()]
        asked = f"schema id {UNKNOWN}: registry: "
        assert said == [f"{asked}GET {proxy.url}/schemas/ids/{UNKNOWN}: HTTP 404: No content with"
                        f" ID '{UNKNOWN}' was found.",
                        f"{asked}there is no schema id {UNKNOWN}"], said
        assert two.work.rows() == rows(1, 2, 3)
        report = two.work.verify()
        assert (report["errors"], report["rejected"]) == (0, 2), report


def test_an_unknown_id_may_only_be_late():
    with RegistryProxy() as proxy:
        two = Two(proxy)
        two.send_new(1)
        proxy.answer(404, b'{"error_code":40403,"message":"Schema not found"}', "/schemas/ids")
        running = two.work.start()
        lib.wait_until(lambda: "HTTP 404: Schema not found" in running.text(), 30, "a wait")
        proxy.well()
        two.work.wait_rows(1)
        two.check(running, 1)
        assert two.work.dead() == []


def test_another_address_takes_over():
    with RegistryProxy() as first, RegistryProxy() as second:
        two = Two(first)
        text = two.work.script.read_text()
        two.work.script.write_text(text.replace(first.url, f"{first.url}, {second.url}"))
        two.send_old(1)
        running = two.work.start()
        two.work.wait_rows(1)
        first.down()
        two.send_new(2)
        two.work.wait_rows(2)
        assert "Connection refused" not in running.text()
        two.check(running, 1, 2)
        assert (first.count(f"GET /schemas/ids/{two.old}"), len(second.requests)) == (1, 1)
        first.up()
