# SPDX-License-Identifier: Apache-2.0
# test: needs kafka hdfs
# test: long
"""HDFS with two name nodes and a journal node: the active one is killed while the job runs, the
other made active, then the first comes back and takes over again in good order."""
import collections
import getpass

import broker
import hadoop
import job
import lib
import results

TRIPS = "route_id,service_id,trip_id\n1,S,T1\n"
DATES = "service_id,date,exception_type\nS,20261122,2\n"


class Pair:
    """Two name nodes, a journal node, a data node."""

    def __init__(self):
        self.http = {name: lib.free_port() for name in ("nn1", "nn2")}
        rpc = {name: lib.free_port() for name in ("nn1", "nn2")}
        journal = lib.free_port()
        common = {
            "hadoop.http.staticuser.user": getpass.getuser(),
            "fs.defaultFS": "hdfs://pair", "dfs.nameservices": "pair",
            "dfs.ha.namenodes.pair": "nn1,nn2", "dfs.replication": 1,
            "dfs.namenode.shared.edits.dir": f"qjournal://127.0.0.1:{journal}/pair",
            "dfs.client.failover.proxy.provider.pair":
                "org.apache.hadoop.hdfs.server.namenode.ha.ConfiguredFailoverProxyProvider",
            "dfs.ha.fencing.methods": "shell(/bin/true)", "dfs.heartbeat.interval": 1,
            "dfs.namenode.safemode.extension": 0, "ipc.client.connect.max.retries": 1,
            "dfs.ha.tail-edits.period": 1,
        }
        for name in rpc:
            common[f"dfs.namenode.rpc-address.pair.{name}"] = f"127.0.0.1:{rpc[name]}"
            common[f"dfs.namenode.http-address.pair.{name}"] = f"127.0.0.1:{self.http[name]}"
        self.journal = hadoop.Node("journal", "qjournal.server.JournalNode", {
            **common, "dfs.journalnode.edits.dir": lib.tmp_dir(),
            "dfs.journalnode.rpc-address": f"127.0.0.1:{journal}",
            "dfs.journalnode.http-address": "127.0.0.1:0"}).start()
        self.names = {name: hadoop.Node(name, "server.namenode.NameNode", {
            **common, "dfs.ha.namenode.id": name,
            "dfs.namenode.name.dir": f"file://{lib.tmp_dir()}/name"}) for name in rpc}
        self.data = hadoop.Node("data", "server.datanode.DataNode", {
            **common, "dfs.datanode.data.dir": f"file://{lib.tmp_dir()}/data",
            "dfs.datanode.hostname": "127.0.0.1", "dfs.datanode.address": "127.0.0.1:0",
            "dfs.datanode.http.address": f"127.0.0.1:{lib.free_port()}",
            "dfs.datanode.ipc.address": "127.0.0.1:0"})
        self.begin()

    def begin(self):
        first, second = self.names.values()
        first.run(first.main.removeprefix(hadoop.SERVER), "-format", "-nonInteractive")
        self.start("nn1")
        second.run(second.main.removeprefix(hadoop.SERVER), "-bootstrapStandby", "-nonInteractive")
        self.start("nn2")
        self.data.start()
        self.make_active("nn1")
        first.wait(lambda: '"NumLiveDataNodes" : 1' in self.jmx("nn1", "FSNamesystemState"))

    def jmx(self, name, bean):
        return hadoop.jmx(f"http://127.0.0.1:{self.http[name]}", f"NameNode,name={bean}")

    def start(self, name):
        self.names[name].start().wait(lambda: "State" in self.jmx(name, "NameNodeStatus"))

    def is_active(self, name):
        return '"State" : "active"' in self.jmx(name, "NameNodeStatus")

    def make_active(self, name):
        self.names[name].run("tools.DFSHAAdmin", "-transitionToActive", "--forceactive", name)
        # Active, and it has heard of the blocks.
        self.names[name].wait(lambda: self.is_active(name) and
                              '"FSState" : "Operational"' in self.jmx(name, "FSNamesystemState"))

    def make_standby(self, name):
        self.names[name].run("tools.DFSHAAdmin", "-transitionToStandby", name)

    @property
    def addresses(self):
        return ",".join(f"127.0.0.1:{port}" for port in self.http.values())


class Running:
    """A job on the pair, with records that come one after the other."""

    def __init__(self, pair):
        directory = lib.tmp_dir()
        (directory / "trips.txt").write_text(TRIPS)
        (directory / "calendar_dates.txt").write_text(DATES)
        self.pair, self.n = pair, 0
        self.work = job.Job(f"hdfs://{pair.addresses}",
                            {"commit.interval": "300ms", "batch.interval": "50ms"})
        self.work.init()
        self.work.extract(directory)
        self.worker = self.work.start()

    def produce(self, n=200):
        broker.produce(self.work.topic, [f"T1,1,1,s{self.n + i},1" for i in range(n)])
        self.n += n

    def stop_ids(self, active):
        url = self.work.result.replace(self.pair.addresses, f"127.0.0.1:{self.pair.http[active]}")
        return collections.Counter(row[3] for row in results.iter_result(url))

    def wait_rows(self, active):
        wanted = collections.Counter(f"s{i}" for i in range(self.n))
        lib.wait_until(lambda: self.stop_ids(active).total() >= self.n, 90, f"{self.n} rows")
        assert self.stop_ids(active) == wanted
        assert self.worker.is_running(), self.worker.text()


def test_the_job_goes_on_with_the_other_name_node():
    pair = Pair()
    running = Running(pair)
    running.produce()
    running.wait_rows("nn1")

    running.produce()  # commits are under way
    pair.names["nn1"].kill()
    running.produce()
    lib.wait_until(lambda: "name node 127.0.0.1:" in running.worker.text(), 30, "the warning")
    pair.make_active("nn2")
    running.wait_rows("nn2")

    pair.start("nn1")  # as a standby
    pair.make_standby("nn2")
    running.produce()
    pair.make_active("nn1")
    running.wait_rows("nn1")
    running.worker.stop(10)
    print(running.worker.text())
    assert running.work.verify()["errors"] == 0
