# SPDX-License-Identifier: Apache-2.0
"""YARN of a test's own on 127.0.0.1: a resource manager and a node manager, from Maven
(tools/stack/yarn.pom.xml), over the HDFS of tools/stack.sh; jobs of `tramline spark` on it."""
import atexit
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import urllib.request

import hadoop
import lib
import spark

SERVER = "org.apache.hadoop.yarn.server."
CLI = "org.apache.hadoop.yarn.client.cli.ApplicationCLI"


def java_home():
    return str(pathlib.Path(shutil.which("java")).resolve().parents[1])


def default_fs():
    """The name node's RPC address, for what Spark stages."""
    site = (pathlib.Path(os.environ["TRAMLINE_STACK_DIR"]) / "namenode/conf/core-site.xml").read_text()
    return re.search(r"<name>fs.defaultFS</name><value>(.*?)</value>", site)[1]


class Manager(hadoop.Node):
    def __init__(self, name, main, settings, folder):
        super().__init__(name, main, settings, env={"JAVA_HOME": java_home()})
        self.folder, self.main = folder, SERVER + main
        self.write("yarn-site.xml", settings)

    def command(self, main, *args):
        return ["java", "-cp", f"{self.dir}/conf:{self.folder}/*", *hadoop.JVM, "--add-opens",
                "java.base/java.io=ALL-UNNAMED", main, *args]


class Cluster:
    """`url` is what --master takes."""

    url = "yarn"

    def __init__(self):
        spark.home()
        self.dir, self.page = lib.tmp_dir(), lib.free_port()
        address = "127.0.0.1:{}".format
        settings = {
            "fs.defaultFS": default_fs(), "yarn.resourcemanager.hostname": "127.0.0.1",
            "yarn.resourcemanager.webapp.address": address(self.page),
            **{f"yarn.resourcemanager.{name}address": address(lib.free_port())
               for name in ("", "scheduler.", "resource-tracker.", "admin.")},
            "yarn.resourcemanager.scheduler.class":
                SERVER + "resourcemanager.scheduler.fifo.FifoScheduler",
            "yarn.resourcemanager.nodemanagers.heartbeat-interval-ms": 200,
            "yarn.resourcemanager.connect.retry-interval.ms": 1000,  # both begin at once, and one is later
            "yarn.scheduler.minimum-allocation-mb": 128, "yarn.nodemanager.resource.memory-mb": 6000,
            "yarn.nodemanager.resource.cpu-vcores": 8, "yarn.nodemanager.hostname": "127.0.0.1",
            "yarn.nodemanager.address": address(lib.free_port()),
            "yarn.nodemanager.localizer.address": address(lib.free_port()),
            "yarn.nodemanager.webapp.address": address(lib.free_port()),
            "yarn.nodemanager.local-dirs": self.dir / "local", "yarn.nodemanager.log-dirs": self.dir / "logs",
            "yarn.nodemanager.vmem-check-enabled": "false",
            "yarn.nodemanager.disk-health-checker.max-disk-utilization-per-disk-percentage": 99.9,
            "yarn.nodemanager.delete.debug-delay-sec": 600,
        }
        folder = lib.maven_jars("yarn", "YARN")
        self.resources = Manager("resource manager", "resourcemanager.ResourceManager", settings, folder)
        self.nodes = Manager("node manager", "nodemanager.NodeManager", settings, folder)
        self.env = {**spark.environ(), "HADOOP_CONF_DIR": f"{self.nodes.dir}/conf",
                    "YARN_CONF_DIR": f"{self.nodes.dir}/conf", "JAVA_HOME": java_home()}
        self.resources.start()
        self.nodes.start()
        atexit.register(self.end_containers)  # before the managers, which were registered earlier
        self.resources.wait(lambda: self.ask("metrics")["clusterMetrics"]["activeNodes"] == 1, 240)

    def end_containers(self):
        for pid in self.programs():
            spark.kill(pid, signal.SIGKILL)

    def ask(self, what):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.page}/ws/v1/cluster/{what}", timeout=20) as answer:
            return json.load(answer)

    def applications(self):
        """Ids of those that are not at an end."""
        apps = (self.ask("apps")["apps"] or {"app": []})["app"]
        return [app["id"] for app in apps if app["state"] not in ("FINISHED", "FAILED", "KILLED")]

    def application_kill(self, identity):
        """As `yarn application -kill`."""
        subprocess.run([f"{spark.home()}/bin/spark-class", CLI, "application", "-kill", identity],
                       env=self.env, check=True, stdin=subprocess.DEVNULL, timeout=200)

    def programs(self):
        """Pids of all that containers of this cluster are: JVMs, Python, tramline."""
        return [pid for pid in spark.find_processes(lambda words: True)
                if str(self.dir) in spark.directory_of(pid)]

    def logs(self):
        """What containers wrote."""
        return "\n".join(path.read_text(errors="replace") for path in sorted(self.dir.glob("logs/*/*/*"))
                         if path.name in ("stderr", "stdout", "prelaunch.err"))


class Submitted(spark.Submitted):
    """`mode` is client or cluster."""

    def __init__(self, cluster, mode, words, cwd=None):
        # By local: nothing of Spark's is uploaded.
        options = [*spark.PATIENT, "--deploy-mode", mode, "--conf", f"spark.yarn.jars=local:{spark.home()}/jars/*",
                   "--conf", "spark.yarn.am.memory=512m", "--conf", f"spark.yarn.am.extraJavaOptions={spark.SMALL}",
                   "--conf", "spark.yarn.appMasterEnv.SPARK_LOCAL_IP=127.0.0.1",
                   "--conf", "spark.executorEnv.SPARK_LOCAL_IP=127.0.0.1",
                   "--conf", f"spark.yarn.appMasterEnv.PYSPARK_PYTHON={spark.environ()['PYSPARK_DRIVER_PYTHON']}"]
        self.cluster = cluster
        lib.Started.__init__(self, *spark.call(cluster, words, options), env=cluster.env, cwd=cwd)
