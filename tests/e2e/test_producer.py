# SPDX-License-Identifier: Apache-2.0
# test: needs kafka registry
"""examples/producer as a user has it: installed, copied, built with the installed program, run by
its README's commands against the real registry and Kafka; then enriched."""
import functools
import json
import os
import re
import shutil
import subprocess

import avro_job
import avro_oracles
import avro_results
import broker
import feeds
import lib
import oracle
import results

FEED = "exo-train"
LIMIT_S = 100


def run(*command, cwd=None, env=None, code=0):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, cwd=cwd,
                          stdin=subprocess.DEVNULL, env={**os.environ, **(env or {})},
                          timeout=LIMIT_S)
    assert done.returncode == code, (command, done.returncode, done.stdout, done.stderr)
    return done


@functools.cache
def built():
    """The example's folder outside of the source tree, built; and the program's folder."""
    prefix = lib.tmp_dir()
    lib.program()
    run("cmake", "--install", lib.ROOT / "build/release", "--prefix", prefix)
    (installed,) = prefix.rglob("examples/producer")
    folder = lib.tmp_dir() / "producer"
    shutil.copytree(installed, folder)
    env = {"PATH": f"{prefix}/bin:{os.environ['PATH']}", "CFLAGS": "-Werror"}
    blocks = re.findall(r"```sh\n(.*?)```", (folder / "README.md").read_text(), re.S)
    run("sh", "-ec", blocks[0], cwd=folder, env=env)
    return folder, env, blocks[1]


def producer():
    return built()[0] / "build/stop_times_producer"


def murmur2(data):
    """The hash of Java's DefaultPartitioner, org.apache.kafka.common.utils.Utils.murmur2."""
    mask, m = 0xFFFFFFFF, 0x5BD1E995
    h = 0x9747B28C ^ len(data)
    for at in range(0, len(data) - 3, 4):
        k = int.from_bytes(data[at:at + 4], "little") * m & mask
        k = (k ^ k >> 24) * m & mask
        h = (h * m & mask) ^ k
    tail = data[len(data) & ~3:]
    if tail:
        h = (h ^ int.from_bytes(tail, "little")) * m & mask
    h = (h ^ h >> 13) * m & mask
    return h ^ h >> 15


def test_readme_from_feed_to_enriched_rows():
    folder, env, commands = built()
    feed = lib.feed_dir(FEED)
    root, topic = lib.tmp_dir() / "root", lib.fresh_name("produced")
    exports = (f"ROOT={root} BROKERS={lib.brokers()} TOPIC={topic} "
               f"REGISTRY={lib.registry_url()}")
    commands = re.sub(r"export .*", f"export {exports}", commands).replace("FEED", str(feed))
    said = run("sh", "-ec", commands, cwd=folder,
               env={**env, "HOME": str(root.parent)}).stdout
    n_rows = sum(1 for _ in results.read_csv((feed / "stop_times.txt").read_bytes())) - 1
    code, version = avro_job.ask("GET", f"/subjects/{topic}-value/versions/latest")
    assert code == 200, version
    assert f"schema id {version['id']}; {n_rows} records sent, {n_rows} stored" in said, said
    check_schema(folder, version["schema"])
    check_records(topic, version["id"], n_rows)
    expected = feeds.expected(FEED)
    assert results.digest(avro_results.iter_result(f"{root}/enriched_stop_time")) == expected


def check_schema(folder, text):
    ours = json.loads((folder / "stop_times.avsc").read_text())
    assert json.loads(text) == ours, text


def check_records(topic, schema_id, n_rows):
    """All of one key in the partition of Java's producer; framed with the id."""
    found = broker.consume(topic)
    n_partitions = 1 + max(partition for partition, *_ in found)
    assert len(found) == n_rows
    for partition, _, key, value in found:
        assert partition == (murmur2(key) & 0x7FFFFFFF) % n_partitions, (key, partition)
        assert value[:5] == avro_job.frame(schema_id, b""), value[:5]


def test_fields_are_as_the_file_has_them():
    """Read back by fastavro: quotes, no value and the empty text, BOM, CRLF, no final newline."""
    topic = broker.create_topic(lib.fresh_name("produced"), 3)
    file = lib.tmp_dir() / "stop_times.txt"
    file.write_bytes('\ufefftrip_id,stop_sequence,extra,arrival_time,stop_id\r\n'
                     'a,07,x,25:00:00,"1, ""b"""\r\n\r\n"F\u00eate",,,"",\r\nc,-3'.encode())
    done = run(producer(), file, lib.brokers(), topic, lib.registry_url())
    assert re.fullmatch(r"schema id \d+; 3 records sent, 3 stored\n", done.stdout), done.stdout
    found = {key.decode(): value for _, _, key, value in broker.consume(topic)}
    schema = json.loads((built()[0] / "stop_times.avsc").read_text())
    values = decode(schema, [found[key][5:] for key in ["a", "F\u00eate", "c"]])
    names = ["trip_id", "arrival_time", "departure_time", "stop_id", "stop_sequence"]
    assert [[v[n] for n in names] for v in values] == [
        ["a", "25:00:00", None, '1, "b"', 7], ["F\u00eate", "", None, None, None],
        ["c", None, None, None, -3]], values


def decode(schema, data):
    (values,) = avro_oracles.fastavro(
        [{"writer": schema, "reader": schema, "data": [datum.hex() for datum in data]}])
    return values


def test_failures_are_told():
    place = lib.tmp_dir()
    topic = broker.create_topic(lib.fresh_name("produced"))

    def says(text, content, registry=None):
        (place / "s.txt").write_bytes(content)
        done = run(producer(), place / "s.txt", lib.brokers(), topic,
                   registry or lib.registry_url(), code=1)
        assert text in done.stderr, done.stderr

    says(f"{place}/s.txt: no header line: it is empty", b"")
    says(f"{place}/s.txt: its header has no trip_id: is it a stop_times.txt?", b"a,b\n1,2\n")
    says(f"{place}/s.txt: line 3: stop_sequence is not a whole number",
         b"trip_id,stop_sequence\na,1\nb,1x\n")
    says(f"{place}/s.txt: line 2: trip_id is missing", b"trip_id,stop_id\n,1\n")
    says(f"{place}/s.txt: line 3: a quote is not closed", b'trip_id\n"a"\n"b\n')
    says("registry: POST http://127.0.0.1:1/subjects/", b"trip_id\na\n", "http://127.0.0.1:1")
