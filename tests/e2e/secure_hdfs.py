# SPDX-License-Identifier: Apache-2.0
"""HDFS in secure mode, of a test's own: Kerberos (SPNEGO), and TLS with an authority of its own; and
the job of the example on it."""
import os
import re
import subprocess

import hadoop
import job
import kerberos
import lib

PASSWORD = "only a test"


def openssl(directory, *args):
    subprocess.run(["openssl", *args], cwd=directory, check=True, stdin=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)


class Certificates:
    """An authority, and a server's certificate for localhost as Java wants it."""

    def __init__(self):
        self.dir = lib.tmp_dir()
        self.authority = self.dir / "ca.crt"
        (self.dir / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
        openssl(self.dir, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                "-subj", "/CN=an authority", "-keyout", "ca.key", "-out", "ca.crt")
        openssl(self.dir, "req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost",
                "-keyout", "server.key", "-out", "server.csr")
        openssl(self.dir, "x509", "-req", "-in", "server.csr", "-CA", "ca.crt", "-CAkey", "ca.key",
                "-CAcreateserial", "-days", "2", "-extfile", "names", "-out", "server.crt")
        openssl(self.dir, "pkcs12", "-export", "-in", "server.crt", "-inkey", "server.key",
                "-passout", f"pass:{PASSWORD}", "-out", "server.p12")

    def settings(self):
        return {"ssl.server.keystore.location": self.dir / "server.p12",
                "ssl.server.keystore.type": "pkcs12", "ssl.server.keystore.password": PASSWORD,
                "ssl.server.keystore.keypassword": PASSWORD}


class Secure:
    """A name node and a data node that speak HTTPS only and know nobody without Kerberos."""

    def __init__(self, settings=None):
        self.realm, self.certificates = kerberos.Realm(), Certificates()
        self.port = lib.free_port()
        web = self.realm.keytab("HTTP/localhost")
        self.probe = self.realm.as_user(self.realm.keytab("probe"))
        (self.realm.dir / "secret").write_text("what signs cookies")
        common = {
            "fs.defaultFS": f"hdfs://localhost:{lib.free_port()}",
            "hadoop.security.authentication": "kerberos", "hadoop.security.authorization": "true",
            "dfs.permissions.enabled": "false", "dfs.block.access.token.enable": "true",
            "ignore.secure.ports.for.testing": "true", "dfs.http.policy": "HTTPS_ONLY",
            "dfs.namenode.kerberos.principal": f"nn/localhost@{kerberos.REALM}",
            "dfs.namenode.keytab.file": self.realm.keytab("nn/localhost"),
            "dfs.datanode.kerberos.principal": f"dn/localhost@{kerberos.REALM}",
            "dfs.datanode.keytab.file": self.realm.keytab("dn/localhost"),
            "dfs.web.authentication.kerberos.principal": f"HTTP/localhost@{kerberos.REALM}",
            "dfs.web.authentication.kerberos.keytab": web,
            "hadoop.http.authentication.type": "kerberos",
            "hadoop.http.authentication.kerberos.principal": f"HTTP/localhost@{kerberos.REALM}",
            "hadoop.http.authentication.kerberos.keytab": web,
            "hadoop.http.authentication.signature.secret.file": self.realm.dir / "secret",
            "dfs.namenode.https-address": f"localhost:{self.port}", "dfs.replication": 1,
            "dfs.namenode.safemode.extension": 0, "dfs.heartbeat.interval": 1,
            "dfs.datanode.hostname": "localhost", "dfs.datanode.address": "127.0.0.1:0",
            "dfs.datanode.ipc.address": "127.0.0.1:0",
            "dfs.datanode.https.address": f"localhost:{lib.free_port()}",
            "dfs.namenode.name.dir": f"file://{lib.tmp_dir()}/name",
            "dfs.datanode.data.dir": f"file://{lib.tmp_dir()}/data", **(settings or {}),
        }
        jvm = [f"-Djava.security.krb5.conf={self.realm.conf}"]
        self.name = hadoop.Node("name", "server.namenode.NameNode", common, jvm, self.realm.env)
        self.data = hadoop.Node("data", "server.datanode.DataNode", common, jvm, self.realm.env)
        for node in (self.name, self.data):
            node.write("ssl-server.xml", self.certificates.settings())
        self.name.run("server.namenode.NameNode", "-format", "-nonInteractive")
        self.name.start()
        self.data.start()
        self.name.wait(self.is_ready, 300)

    def is_ready(self):
        try:
            state = self.curl("/jmx?qry=Hadoop:service=NameNode,name=FSNamesystemState",
                              self.probe)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
            return False
        return b'"NumLiveDataNodes" : 1' in state

    def curl(self, path, env):
        return subprocess.run(
            ["curl", "-sfL", "--noproxy", "*", "--negotiate", "-u", ":", "--cacert",
             self.certificates.authority, f"https://localhost:{self.port}{path}"],
            env={**os.environ, **env}, check=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, timeout=60).stdout


def make_job(secure, auth="kerberos", authority=None):
    options = f"auth = '{auth}', \"ca.file\" = '{authority or secure.certificates.authority}'"
    work = job.Job(f"hdfss://localhost:{secure.port}", {"commit.interval": "300ms"})
    text = work.script.read_text()
    text = re.sub(r"path = '(hdfss|\$\{HDFS\})", rf"{options}, \g<0>", text)
    assert text.count(options) == 5, text
    work.script.write_text(text)
    return work
