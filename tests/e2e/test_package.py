# SPDX-License-Identifier: Apache-2.0
# test: needs nothing
# test: long
# test: alone
# test: limit 900
# test: not-asan it builds a package of the release build
"""The Debian package in a bare root: installed, run as its user, upgraded, removed, purged."""
import re
import subprocess

import lib
from debian import Root, output, package

JOB = """
CREATE TABLE names (id TEXT NOT NULL, name TEXT)
  WITH (connector = 'filesystem', path = '${ROOT}/names', format = 'csv');
CREATE TABLE visits (id TEXT NOT NULL, n INT) WITH (connector = 'file', path = '${ROOT}/visits.csv');
CREATE TABLE result () WITH (connector = 'filesystem', path = '${ROOT}/result', format = 'csv');
INSERT INTO result SELECT v.id, v.n, w.name FROM visits v JOIN names w ON w.id = v.id;
"""


def version_above(path):
    """The same package with a later version."""
    here = lib.tmp_dir()
    output("dpkg-deb", "-R", path, here / "tree")
    control = here / "tree/DEBIAN/control"
    control.write_text(re.sub(r"(?m)^Version: (.*)$", r"Version: \1+1", control.read_text()))
    output("dpkg-deb", "--root-owner-group", "-b", here / "tree", here / "later.deb")
    return here / "later.deb"


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
