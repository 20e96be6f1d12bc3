# SPDX-License-Identifier: Apache-2.0
# test: needs nothing
# test: long
# test: alone
# test: limit 3600
# test: not-asan it builds a package of the release build
"""packaging/Containerfile: built by buildah on a bare Debian of this machine (no registry is asked), its program run as
PID 1 and not as root, ended by SIGTERM with its last commit."""
import os
import pathlib
import re
import shutil
import signal
import subprocess

import lib
import results
import status
from debian import Root, output

BASE = "docker.io/library/debian:bookworm-slim"
SCRIPT = """
SET commit.interval = '1h'; SET status.listen = '127.0.0.1:0';
CREATE TABLE names (id TEXT NOT NULL, name TEXT)
  WITH (connector = 'filesystem', path = '/jobs/names', format = 'csv');
CREATE TABLE visits (id TEXT NOT NULL, n INT) WITH (connector = 'file', path = '/jobs/visits.csv');
CREATE TABLE result () WITH (connector = 'filesystem', path = '/jobs/result', format = 'csv');
INSERT INTO result SELECT v.id, v.n, w.name FROM visits v JOIN names w ON w.id = v.id;
"""


class Images:
    """Of the test's own, in a folder."""

    def __init__(self):
        self.dir = lib.tmp_dir()

    def buildah(self, *words, limit_s=300):
        return output("buildah", "--root", self.dir / "store", "--runroot", self.dir / "run", "--storage-driver", "vfs",
                      *words, limit_s=limit_s).strip()

    def base(self):
        root = Root()
        container = self.buildah("from", "scratch")
        self.buildah("add", "-q", container, root.path, "/")
        self.buildah("commit", "-q", container, BASE)
        self.buildah("rm", container)

    def build(self):
        context = self.dir / "context"
        context.mkdir()
        subprocess.run(f"git ls-files -z | tar --null -T - -cf - | tar -xf - -C {context}", shell=True, check=True,
                       cwd=lib.ROOT)
        self.buildah("bud", "--isolation", "chroot", "--pull-never", "-q", "-f", context / "packaging/Containerfile",
                     "-t", "localhost/tramline", context, limit_s=3000)


def test_an_image_is_built_and_ends_by_sigterm():
    if os.geteuid() != 0 or shutil.which("buildah") is None:
        raise lib.Skip("an image needs root and buildah")
    images = Images()
    images.base()
    images.build()
    root = images.buildah("mount", images.buildah("from", "--pull-never", "localhost/tramline"))
    config = images.buildah("inspect", "--type", "image", "--format",
                            "{{.OCIv1.Config.User}} {{.OCIv1.Config.Entrypoint}} {{.OCIv1.Config.StopSignal}}",
                            "localhost/tramline")
    assert config == "tramline [/usr/bin/tramline] SIGTERM", config
    check_run(pathlib.Path(root))


def check_run(root):
    jobs = root / "jobs"
    (jobs / "names").mkdir(parents=True)
    (jobs / "names/names.csv").write_text("id,name\na,Angrignon\n")
    (jobs / "visits.csv").write_text("id,n\na,1\nb,2\na,3\n")
    (jobs / "p.sql").write_text(SCRIPT)
    output("chroot", root, "chown", "-R", "tramline", "/jobs")
    log = open(root / "log", "wb")
    process = subprocess.Popen(
        ["unshare", "--pid", "--fork", "--kill-child", "chroot", "--userspec=tramline:tramline", root,
         "/usr/bin/env", "-i", "XDG_STATE_HOME=/state", "/usr/bin/tramline", "run", "/jobs/p.sql"],
        stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        lib.wait_until(lambda: b"status: http" in (root / "log").read_bytes() or process.poll() is not None, 60, "its start")
        (child,) = map(int, open(f"/proc/{process.pid}/task/{process.pid}/children").read().split())
        told = open(f"/proc/{child}/status").read()
        assert "NSpid:\t%d\t1\n" % child in told, told
        assert int(told.partition("Uid:\t")[2].split()[0]) != 0, told
        (url,) = re.findall(r"status: (http\S+)", (root / "log").read_text())
        lib.wait_until(lambda: status.state(url)["records"]["matched"] == 2, 60, "its records")
        os.kill(child, signal.SIGTERM)
        assert process.wait(30) == 0, (root / "log").read_text()
    finally:
        process.kill()
        process.wait()
    assert sorted(results.iter_result(str(jobs / "result"))) == [("a", "1", "Angrignon"), ("a", "3", "Angrignon")]
