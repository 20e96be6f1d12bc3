# SPDX-License-Identifier: Apache-2.0
"""The oldest broker of Kafka 2.x, 2.0.0, and its ZooKeeper, from Maven (tools/stack/kafka-2.pom.xml)."""
import lib
from own_server import OwnServer

LIMIT_S = 120
JVM = ["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dzookeeper.jmx.log4j.disable=true",
       "-Dzookeeper.admin.enableServer=false", f"-Dlog4j.configuration=file:{lib.ROOT}/tools/stack/log4j.properties"]


class Server(OwnServer):
    """A JVM that is there once its log says so."""

    def __init__(self, name, main, settings, started):
        super().__init__(name)
        config = self.dir / "properties"
        config.write_text("".join(f"{key}={value}\n" for key, value in settings.items()))
        jars = lib.maven_jars("kafka-2", "Kafka 2.0")
        self.launch(["java", "-cp", f"{jars}/*", *JVM, main, config])
        self.wait(lambda: self.says(started), LIMIT_S)


class Cluster:
    def __init__(self):
        folder, keeper, port = lib.tmp_dir(), lib.free_port(), lib.free_port()
        self.servers = [Server("zookeeper", "org.apache.zookeeper.server.ZooKeeperServerMain", {
            "dataDir": folder / "zookeeper", "clientPort": keeper, "clientPortAddress": "127.0.0.1",
        }, "binding to port"), Server("kafka", "kafka.Kafka", {
            "broker.id": 1, "listeners": f"PLAINTEXT://127.0.0.1:{port}", "zookeeper.connect": f"127.0.0.1:{keeper}",
            "log.dirs": folder / "data", "auto.create.topics.enable": "false",
            "offsets.topic.replication.factor": 1, "offsets.topic.num.partitions": 3,
            "transaction.state.log.replication.factor": 1, "transaction.state.log.min.isr": 1,
            "group.initial.rebalance.delay.ms": 0,
        }, "[KafkaServer id=1] started")]
        self.address = f"127.0.0.1:{port}"

    def addresses(self):
        return self.address
