# SPDX-License-Identifier: Apache-2.0
"""A Kerberos realm of a test's own: MIT's key distribution centre on a free port of 127.0.0.1."""
import atexit
import os
import shutil
import socket
import subprocess

import hadoop
import lib

REALM = "TEST.LOCAL"


class Realm:
    """`env` makes a client use it; without a keytab given, nobody is signed in."""

    def __init__(self):
        for tool in ("krb5kdc", "kdb5_util", "kadmin.local"):
            if shutil.which(tool) is None:
                raise AssertionError(f"no {tool}; ./dev test --long installs it")
        self.dir = lib.tmp_dir()
        self.port = lib.free_port()
        self.conf = self.dir / "krb5.conf"
        self.conf.write_text(f"""
[libdefaults]
  default_realm = {REALM}
  dns_lookup_kdc = false
  dns_canonicalize_hostname = false
  rdns = false
[realms]
  {REALM} = {{
    kdc = 127.0.0.1:{self.port}
  }}
[domain_realm]
  localhost = {REALM}
""")
        (self.dir / "kdc.conf").write_text(f"""
[kdcdefaults]
  kdc_listen = 127.0.0.1:{self.port}
  kdc_tcp_listen = 127.0.0.1:{self.port}
[realms]
  {REALM} = {{
    database_name = {self.dir}/principal
    key_stash_file = {self.dir}/stash
    acl_file = {self.dir}/acl
  }}
""")
        self.env = {"KRB5_CONFIG": str(self.conf), "KRB5CCNAME": f"FILE:{self.dir}/tickets",
                    "KRB5_CLIENT_KTNAME": f"{self.dir}/nobody.keytab"}
        self.environ = {**os.environ, **self.env, "KRB5_KDC_PROFILE": str(self.dir / "kdc.conf")}
        self.run("kdb5_util", "create", "-s", "-r", REALM, "-P", "a test's own")
        with open(self.dir / "log", "wb") as log:
            self.process = subprocess.Popen(["krb5kdc", "-n", "-r", REALM], env=self.environ,
                                            stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=subprocess.STDOUT)
        atexit.register(self.kill)
        lib.wait_until(self.answers, 30, "the key distribution centre")

    def run(self, *command):
        done = subprocess.run(command, env=self.environ, stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
        if done.returncode != 0:
            raise AssertionError(f"{' '.join(command)}: {done.stdout}")

    def answers(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True

    def keytab(self, *principals):
        """A file with the keys of new principals."""
        path = self.dir / f"{principals[0].replace('/', '-')}.keytab"
        for principal in principals:
            self.run("kadmin.local", "-r", REALM, "-q", f"addprinc -randkey {principal}")
            self.run("kadmin.local", "-r", REALM, "-q", f"ktadd -k {path} {principal}")
        return path

    def keytab_again(self, principal):
        """The principal has new keys; those of earlier files are old."""
        self.run("kadmin.local", "-r", REALM, "-q", f"cpw -randkey {principal}")

    def as_user(self, keytab):
        """The environment of a client that signs in by this keytab."""
        return {**self.env, "KRB5_CLIENT_KTNAME": str(keytab),
                "KRB5CCNAME": f"FILE:{self.dir}/{keytab.stem}.tickets"}

    def kill(self):
        self.process.kill()
        self.process.wait()
