# SPDX-License-Identifier: Apache-2.0
# test: waits
# test: needs nothing
# test: not-asan it does not run the program
"""Servers of a test's own can be killed and started again, and keep what they had."""
import broker
import lib
import webhdfs


def test_kafka_and_hdfs_survive_a_kill():
    stack = lib.Stack("kafka", "hdfs")
    brokers = stack.env["TRAMLINE_BROKERS"]
    hdfs = webhdfs.WebHdfs(stack.env["TRAMLINE_HDFS"])
    topic = broker.create_topic(brokers=brokers)
    broker.produce(topic, ["a", "b"], brokers=brokers)
    hdfs.write("f", b"content")
    for server in ("kafka", "datanode", "namenode"):
        stack.kill(server)
        assert f"{server:<9} does not run" in stack.tool("status")
        stack.start(server)
    assert [value for *_, value in broker.consume(topic, brokers=brokers)] == [b"a", b"b"]
    assert hdfs.read("f") == b"content"
    with lib.proxied_kafka(stack.env) as proxy:
        assert len(broker.consume(topic, brokers=proxy.address)) == 2
        assert proxy.stats()["down"] > 0
    # A broker that has run for long has a long log, and is up all the same.
    with open(stack.dir / "log/kafka.log", "a") as log:
        log.write("a line that the broker wrote later\n" * 20000)
    assert brokers in stack.tool("up", "kafka")
    stack.down()
