# SPDX-License-Identifier: Apache-2.0
"""Kafka of a test's own, in other shapes than tools/stack.sh starts it: several brokers, listeners
with TLS and SASL. The jars are the stack's; each broker is its own controller's node, and ends with
the test."""
import base64
import os
import pathlib
import shutil
import subprocess

import lib
from own_server import OwnServer

JARS = os.environ.get("STACK_JARS", str(lib.ROOT / ".stack/jars")) + "/kafka"
JVM = ["-Xms96m", "-Xmx320m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
       f"-Dlog4j2.configurationFile={lib.ROOT}/tools/stack/log4j2.properties"]
CLUSTER_ID = "dHJhbWxpbmUtdGVzdHMtMQ"
LIMIT_S = 120


class Listener:
    """A port of each broker: the protocol it speaks, and its settings (listener.name.X.*). is_proxied: clients are told another
    port, at which the test has a proxy, so that they do not go around it."""

    def __init__(self, protocol="PLAINTEXT", host="127.0.0.1", is_proxied=False, **settings):
        self.protocol, self.host, self.is_proxied = protocol, host, is_proxied
        self.settings = {name.replace("_", "."): value for name, value in settings.items()}


class Broker(OwnServer):
    def __init__(self, cluster, number):
        super().__init__(f"broker {number}")
        self.cluster, self.number = cluster, number
        self.ports = {name: lib.free_port() for name in [*cluster.listeners, "CONTROLLER"]}
        self.told_ports = {name: lib.free_port() if listener.is_proxied else self.ports[name]
                           for name, listener in cluster.listeners.items()}

    def address(self, listener):
        """As clients are told it."""
        return f"{self.cluster.listeners[listener].host}:{self.told_ports[listener]}"

    def behind(self, listener):
        """Behind the proxy."""
        return f"127.0.0.1:{self.ports[listener]}"

    def properties(self):
        listeners = {**self.cluster.listeners, "CONTROLLER": Listener()}
        n = len(self.cluster.brokers)
        settings = {
            "process.roles": "broker,controller", "node.id": self.number,
            "controller.quorum.voters": ",".join(
                f"{b.number}@127.0.0.1:{b.ports['CONTROLLER']}" for b in self.cluster.brokers),
            "controller.listener.names": "CONTROLLER",
            "inter.broker.listener.name": next(iter(self.cluster.listeners)),
            "listeners": ",".join(f"{name}://127.0.0.1:{self.ports[name]}" for name in listeners),
            "advertised.listeners": ",".join(
                f"{name}://{self.address(name)}" for name in self.cluster.listeners),
            "listener.security.protocol.map": ",".join(
                f"{name}:{listener.protocol}" for name, listener in listeners.items()),
            "log.dirs": self.dir / "data", "auto.create.topics.enable": "false",
            "offsets.topic.replication.factor": n, "offsets.topic.num.partitions": 6,
            "transaction.state.log.replication.factor": n, "transaction.state.log.min.isr": 1,
            "share.coordinator.state.topic.replication.factor": n,
            "share.coordinator.state.topic.min.isr": 1,
            "group.initial.rebalance.delay.ms": 0,
            "broker.session.timeout.ms": 4000, "broker.heartbeat.interval.ms": 1000,
            **self.cluster.settings,
        }
        for name, listener in self.cluster.listeners.items():
            for key, value in listener.settings.items():
                settings[f"listener.name.{name.lower()}.{key}"] = value
        return "".join(f"{name}={value}\n" for name, value in settings.items())

    def java(self, *args):
        return ["java", "-cp", f"{JARS}/*", *JVM, *self.cluster.jvm, *map(str, args)]

    def configure(self):
        self.config = self.dir / "kafka.properties"
        self.config.write_text(self.properties())

    def format(self):
        done = subprocess.run(
            self.java("kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", self.config,
                      *self.cluster.format_args), text=True, timeout=LIMIT_S,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode != 0:
            raise AssertionError(f"format: {done.stdout[-3000:]}")

    def format_as(self, other):
        """The same but for what a broker has of its own, without a Java."""
        shutil.copytree(other.dir / "data", self.dir / "data")
        meta = self.dir / "data/meta.properties"
        own = {"node.id": self.number, "directory.id": base64.urlsafe_b64encode(os.urandom(16)).decode().rstrip("=")}
        lines = (line.partition("=") for line in meta.read_text().splitlines())
        meta.write_text("".join(f"{name}{is_}{own.get(name, value)}\n" for name, is_, value in lines))

    def start(self):
        self.launch(self.java("kafka.Kafka", self.config))

    def wait_started(self):
        self.wait(lambda: self.says("Kafka Server started"), LIMIT_S)


class Cluster:
    """Brokers 1..n; the first of the listeners is the one that they speak with each other."""

    def __init__(self, n=1, listeners=None, settings=None, format_args=(), jvm=()):
        lib.brokers()  # skips without the jars
        self.listeners = listeners or {"CLIENTS": Listener()}
        self.settings, self.format_args, self.jvm = settings or {}, format_args, jvm
        self.brokers = []
        self.brokers = [Broker(self, i + 1) for i in range(n)]
        for broker in self.brokers:
            broker.configure()
        first, *others = self.brokers
        first.format()
        for broker in others:
            broker.format_as(first)
        for broker in self.brokers:
            broker.start()
        for broker in self.brokers:
            broker.wait_started()

    def addresses(self, listener=None):
        listener = listener or next(iter(self.listeners))
        return ",".join(broker.address(listener) for broker in self.brokers)


class Certificates:
    """A CA of the test's own, and certificates that it signed, as PEM files."""

    def __init__(self):
        self.dir = lib.tmp_dir()
        self.ca = self.authority("ca")

    def openssl(self, *args):
        subprocess.run(["openssl", *map(str, args)], cwd=self.dir, check=True,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)

    def authority(self, name):
        self.openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
                     f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.crt")
        return self.dir / f"{name}.crt"

    def signed(self, name, host="localhost", is_expired=False):
        """(certificate, key, both in one file)"""
        extensions = pathlib.Path(self.dir / f"{name}.ext")
        extensions.write_text(f"subjectAltName=DNS:{host}\n")
        self.openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout",
                     f"{name}.key", "-out", f"{name}.csr")
        self.openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key",
                     "-CAcreateserial", "-days", "-1" if is_expired else "2", "-extfile", extensions, "-out",
                     f"{name}.crt")
        crt, key, both = (self.dir / f"{name}.{end}" for end in ("crt", "key", "pem"))
        both.write_text(key.read_text() + crt.read_text())
        return crt, key, both
