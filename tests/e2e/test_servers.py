# SPDX-License-Identifier: Apache-2.0
# test: not-asan it does not run the program
"""The real servers and the helpers answer as the program's design takes for granted."""
import json
import os
import time
import urllib.request

import broker
import lib
import webhdfs


def refused(call, status, name):
    try:
        call()
    except webhdfs.HdfsError as error:
        assert (error.status, error.name) == (status, name), error
        return
    raise AssertionError(f"not refused; {status} {name} was expected")


def test_records_come_back_with_key_and_partition():
    topic = broker.create_topic(partitions=2)
    with broker.Producer() as producer:
        producer.send(topic, b"a\nb", key="k", partition=1, headers=[("h", "v")],
                      timestamp_ms=int(time.time() * 1000) - 1)
        producer.send(topic, None, partition=0)
        producer.flush()
    got = broker.consume(topic)
    assert got == [(0, 0, None, None), (1, 0, b"k", b"a\nb")], got
    assert broker.watermarks(topic, 1) == (0, 1)
    broker.delete_topic(topic)


def test_aborted_records_and_markers_take_offsets():
    topic = broker.create_topic()
    with broker.Producer(lib.fresh_name("tx")) as producer:
        for commit, n_records in ((True, 5), (False, 7)):
            producer.begin()
            for i in range(n_records):
                producer.send(topic, f"{commit} {i}", partition=0)
            producer.commit() if commit else producer.abort()
    # The broker answers before it has written the markers.
    lib.wait_until(lambda: broker.watermarks(topic) == (0, 14), 10, "the markers")
    assert len(broker.consume(topic)) == 5
    assert len(broker.consume(topic, "read_uncommitted")) == 12
    broker.delete_topic(topic)


def test_topics_grow_and_lose_records():
    topic = broker.create_topic(config={"retention.ms": 3600000})
    broker.produce(topic, [str(i) for i in range(10)], partition=0)
    broker.add_partitions(topic, 3)
    broker.delete_records(topic, 0, 4)
    assert broker.watermarks(topic, 0) == (4, 10)
    assert broker.watermarks(topic, 2) == (0, 0)
    assert f"{topic}:0:10" in broker.java_tool("GetOffsetShell", "--topic", topic)
    broker.delete_topic(topic)


def test_a_topic_is_made_once():
    topic = broker.create_topic()
    try:
        broker.create_topic(topic)
    except AssertionError as error:
        assert "already exists" in str(error), error
    else:
        raise AssertionError("made twice")
    broker.delete_topic(topic)


def test_rename_without_options_says_nothing_and_with_none_is_exclusive():
    hdfs = webhdfs.WebHdfs(lib.hdfs_url())
    hdfs.mkdir()
    hdfs.write("a", b"one")
    hdfs.write("b", b"two")
    refused(lambda: hdfs.write("a", b"x", overwrite=False), 403, "FileAlreadyExistsException")
    assert hdfs.rename("a", "b") is False
    refused(lambda: hdfs.rename("a", "b", "NONE"), 403, "FileAlreadyExistsException")
    refused(lambda: hdfs.rename("no", "c", "NONE"), 404, "FileNotFoundException")
    refused(lambda: hdfs.rename("a", "d/c", "NONE"), 404, "FileNotFoundException")
    hdfs.rename("a", "c", "NONE")
    assert hdfs.walk() == ["b", "c"]
    assert hdfs.read("c") == b"one"
    assert hdfs.checksum("c")["algorithm"].startswith("MD5-of-0MD5-of-512CRC32C")
    assert hdfs.delete() and not hdfs.exists("")


def test_permissions_hold_for_other_users():
    url = lib.hdfs_url()
    webhdfs.WebHdfs(url).mkdir()
    other = webhdfs.WebHdfs(url, user="somebody")
    refused(lambda: other.write("a", b""), 403, "AccessControlException")


def test_a_proxy_is_not_gone_around():
    with lib.proxied_hdfs() as (name, data, url):
        hdfs = webhdfs.WebHdfs(url + "/e2e/" + lib.fresh_name())
        hdfs.write("a", b"x" * 1000)
        assert data.stats()["up"] > 1000
        assert name.stats()["up"] < 1000
        data.do("cut 300 up op=CREATE")
        try:
            hdfs.write("b", b"x" * 100000)
            raise AssertionError("an upload that was cut went well")
        except OSError:
            pass
        assert data.stats()["struck"] == {"cut": 1}
        hdfs.delete()


def test_registry_takes_a_schema():
    subject = lib.fresh_name("subject")
    schema = json.dumps({"type": "record", "name": "r", "fields": [{"name": "a", "type": "int"}]})
    request = urllib.request.Request(
        f"{lib.registry_url()}/subjects/{subject}/versions",
        data=json.dumps({"schema": schema}).encode(),
        headers={"Content-Type": "application/vnd.schemaregistry.v1+json"})
    number = json.load(urllib.request.urlopen(request, timeout=20))["id"]
    url = f"{lib.registry_url()}/schemas/ids/{number}"
    got = json.load(urllib.request.urlopen(url, timeout=20))["schema"]
    assert json.loads(got) == json.loads(schema)


def test_one_command_tells_where_servers_are():
    assert os.path.isdir(os.environ["TRAMLINE_STACK_LOGS"])
