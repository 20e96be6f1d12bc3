# SPDX-License-Identifier: Apache-2.0
"""HDFS of a test's own, in other shapes than tools/stack.sh starts it: with two name nodes, with
TLS and Kerberos. The jars are the stack's; a node is a Java process with a configuration of its
own, and ends with the test."""
import os
import subprocess
import urllib.request
import xml.sax.saxutils

import lib
from own_server import OwnServer

JARS = os.environ.get("STACK_JARS", str(lib.ROOT / ".stack/jars")) + "/hdfs/*"
SERVER = "org.apache.hadoop.hdfs."
OPENS = [word for name in ("lang", "util", "nio", "net")
         for word in ("--add-opens", f"java.base/java.{name}=ALL-UNNAMED")]
JVM = ["-Xms64m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
       *OPENS, "--add-exports", "java.security.jgss/sun.security.krb5=ALL-UNNAMED"]


class Node(OwnServer):
    """A server of Hadoop: its folder, its configuration, its process."""

    def __init__(self, name, main, settings, jvm=(), env=None):
        lib.hdfs_url()  # skips without the servers' jars
        super().__init__(name)
        self.main, self.jvm, self.env = SERVER + main, jvm, env or {}
        conf = self.dir / "conf"
        for folder in ("hdfs", "datanode", "static", "journal"):
            (conf / "webapps" / folder).mkdir(parents=True)
        (conf / "log4j.properties").write_bytes(
            (lib.ROOT / "tools/stack/log4j.properties").read_bytes())
        for file in ("core-site.xml", "hdfs-site.xml"):
            self.write(file, settings)

    def write(self, file, settings):
        lines = [f"<property><name>{name}</name><value>{xml.sax.saxutils.escape(str(value))}"
                 "</value></property>" for name, value in settings.items()]
        text = "\n".join(["<configuration>", *lines, "</configuration>"])
        (self.dir / "conf" / file).write_text(text)

    def command(self, main, *args):
        return ["java", "-cp", f"{self.dir}/conf:{JARS}", *JVM, *self.jvm, main, *args]

    def run(self, main, *args, limit_s=120):
        """Runs one of Hadoop's tools to its end; what it prints."""
        done = subprocess.run(self.command(SERVER + main, *args), text=True, timeout=limit_s,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, env={**os.environ, **self.env})
        if done.returncode != 0:
            raise AssertionError(f"{main} {' '.join(args)}: {done.stdout[-3000:]}")
        return done.stdout

    def start(self):
        self.launch(self.command(self.main), self.env)
        return self


def jmx(address, bean):
    """What a server says of itself."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    return opener.open(f"{address}/jmx?qry=Hadoop:service={bean}", timeout=10).read().decode()
