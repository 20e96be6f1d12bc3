# SPDX-License-Identifier: Apache-2.0
# test: needs nothing
# test: long
# test: alone
# test: limit 900
# test: not-asan it builds a package of the release build
"""The Debian package in a bare root: installed, run as its user, upgraded, removed, purged."""
import functools
import os
import pathlib
import re
import shutil
import subprocess

import lib

JOB = """
CREATE TABLE names (id TEXT NOT NULL, name TEXT)
  WITH (connector = 'filesystem', path = '${ROOT}/names', format = 'csv');
CREATE TABLE visits (id TEXT NOT NULL, n INT) WITH (connector = 'file', path = '${ROOT}/visits.csv');
CREATE TABLE result () WITH (connector = 'filesystem', path = '${ROOT}/result', format = 'csv');
INSERT INTO result SELECT v.id, v.n, w.name FROM visits v JOIN names w ON w.id = v.id;
"""


def output(*command, limit_s=300, **kwargs):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=limit_s, **kwargs)
    assert done.returncode == 0, (command, done.stdout[-3000:], done.stderr[-3000:])
    return done.stdout


@functools.cache
def package():
    return pathlib.Path(output("./dev", "package", cwd=lib.ROOT, limit_s=600).split()[-1])


def version_above(path):
    """The same package with a later version."""
    here = lib.tmp_dir()
    output("dpkg-deb", "-R", path, here / "tree")
    control = here / "tree/DEBIAN/control"
    control.write_text(re.sub(r"(?m)^Version: (.*)$", r"Version: \1+1", control.read_text()))
    output("dpkg-deb", "--root-owner-group", "-b", here / "tree", here / "later.deb")
    return here / "later.deb"


class Root:
    """A bare Debian of the release that runs here, in a folder."""

    def __init__(self):
        if os.geteuid() != 0:
            raise lib.Skip("only root can make a root")
        release = re.search(r"VERSION_CODENAME=(\w+)", pathlib.Path("/etc/os-release").read_text())[1]
        base = lib.ROOT / f"build/debian-{release}"
        if not (base / "is-whole").exists():
            shutil.rmtree(base, ignore_errors=True)
            sources = re.findall(rf"^ +\d+ (\S+) {release}/main ", output("apt-cache", "policy"), re.M)
            output("debootstrap", "--variant=minbase", release, base, *sources[:1])
            (base / "is-whole").touch()
        self.path = lib.tmp_dir() / "root"
        output("cp", "-a", base, self.path)
        for name in ("resolv.conf", "hosts"):
            shutil.copy(f"/etc/{name}", self.path / "etc")
        for found in pathlib.Path("/usr/local/share/ca-certificates").glob("*.crt"):
            shutil.copy(found, self.path / "usr/local/share/ca-certificates")

    def run(self, *command):
        return output("chroot", self.path, "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8",
                      "DEBIAN_FRONTEND=noninteractive", *command)

    def install(self, deb):
        shutil.copy(deb, self.path / "tmp")
        self.run("apt-get", "-q", "-o", "APT::Sandbox::User=root", "install", "-y",
                 "--no-install-recommends", f"/tmp/{deb.name}")

    def has(self, path):
        return (self.path / path).exists()


def test_package_is_installed_run_upgraded_and_purged():
    root = Root()
    root.run("apt-get", "-q", "update")
    root.install(package())
    assert re.match(r"tramline \d", root.run("tramline", "--version"))
    user = root.run("getent", "passwd", "tramline").split(":")
    assert user[5:] == ["/var/lib/tramline", "/usr/sbin/nologin\n"], user
    owner = root.run("stat", "-c", "%U %G %a", "/etc/tramline")
    assert owner == "root tramline 750\n", owner

    data = root.path / "srv/job"
    (data / "names").mkdir(parents=True)
    (data / "names/names.csv").write_text("id,name\na,Angrignon\n")
    (data / "visits.csv").write_text("id,n\na,1\nb,2\na,3\n")
    (root.path / "etc/tramline/visits.sql").write_text(JOB)
    root.run("install", "-d", "-o", "tramline", "-g", "tramline", "/var/lib/tramline")
    root.run("chown", "-R", "tramline", "/srv/job")
    as_user = ("setpriv", "--reuid=tramline", "--regid=tramline", "--init-groups", "env",
               "XDG_STATE_HOME=/var/lib", "ROOT=/srv/job")
    script = "/etc/tramline/visits.sql"
    root.run(*as_user, "tramline", "check", script)
    root.run(*as_user, "tramline", "run", script, "--once")
    rows = root.run(*as_user, "tramline", "cat", script, "result", "--csv")
    assert rows == "id,n,name\na,1,Angrignon\na,3,Angrignon\n", rows

    root.install(version_above(package()))
    assert "+1" in root.run("dpkg-query", "-W", "-f", "${Version}", "tramline")
    root.run(*as_user, "tramline", "verify", script)

    root.run("apt-get", "-q", "remove", "-y", "tramline")
    assert not root.has("usr/bin/tramline") and root.has("etc/tramline/visits.sql")
    assert root.has("var/lib/tramline")
    root.run("apt-get", "-q", "purge", "-y", "tramline")
    assert root.has("etc/tramline/visits.sql"), "scripts are people's work"
    assert not root.has("var/lib/tramline")
    assert subprocess.run(["chroot", root.path, "getent", "passwd", "tramline"],
                          capture_output=True).returncode == 2
