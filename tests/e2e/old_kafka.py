# SPDX-License-Identifier: Apache-2.0
"""The oldest broker of Kafka 2.x, 2.0.0, and its ZooKeeper, from Maven (tools/stack/kafka-2.pom.xml)."""
import atexit
import signal
import subprocess

import lib

LIMIT_S = 120
JVM = ["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dzookeeper.jmx.log4j.disable=true",
       "-Dzookeeper.admin.enableServer=false", f"-Dlog4j.configuration=file:{lib.ROOT}/tools/stack/log4j.properties"]


class Server:
    """A JVM that is there once its log says so; it ends with the test."""

    def __init__(self, folder, name, main, settings, started):
        self.log = folder / f"{name}.log"
        config = folder / f"{name}.properties"
        config.write_text("".join(f"{key}={value}\n" for key, value in settings.items()))
        jars = lib.maven_jars("kafka-2", "Kafka 2.0")
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(["java", "-cp", f"{jars}/*", *JVM, main, config], cwd=folder,
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        atexit.register(self.kill)
        lib.wait_until(lambda: self.says(started), LIMIT_S, f"{name}; its log: {self.log}")

    def says(self, text):
        if self.process.poll() is not None:
            raise AssertionError(f"it ended: {self.log.read_text()[-3000:]}")
        return text in self.log.read_text(errors="replace")

    def kill(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()


class Cluster:
    def __init__(self):
        folder, keeper, port = lib.tmp_dir(), lib.free_port(), lib.free_port()
        self.servers = [Server(folder, "zookeeper", "org.apache.zookeeper.server.ZooKeeperServerMain", {
            "dataDir": folder / "zookeeper", "clientPort": keeper, "clientPortAddress": "127.0.0.1",
        }, "binding to port"), Server(folder, "kafka", "kafka.Kafka", {
            "broker.id": 1, "listeners": f"PLAINTEXT://127.0.0.1:{port}", "zookeeper.connect": f"127.0.0.1:{keeper}",
            "log.dirs": folder / "data", "auto.create.topics.enable": "false",
            "offsets.topic.replication.factor": 1, "offsets.topic.num.partitions": 3,
            "transaction.state.log.replication.factor": 1, "transaction.state.log.min.isr": 1,
            "group.initial.rebalance.delay.ms": 0,
        }, "[KafkaServer id=1] started")]
        self.address = f"127.0.0.1:{port}"

    def addresses(self):
        return self.address
