# SPDX-License-Identifier: Apache-2.0
"""A bare Debian in a folder, and our package in it."""
import functools
import os
import pathlib
import re
import shutil
import subprocess

import lib

CLEAN = ("env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", "DEBIAN_FRONTEND=noninteractive")


def output(*command, limit_s=300, **kwargs):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=limit_s, **kwargs)
    assert done.returncode == 0, (command, done.stdout[-3000:], done.stderr[-3000:])
    return done.stdout


@functools.cache
def package():
    return pathlib.Path(output("./dev", "package", cwd=lib.ROOT, limit_s=1800).split()[-1])


def unmount(base):
    """What debootstrap has mounted there, and leaves where it is interrupted."""
    for line in pathlib.Path("/proc/self/mounts").read_text().splitlines():
        if line.split()[1].startswith(f"{base}/"):
            output("umount", "-l", line.split()[1])


class Root:
    """A bare Debian of the release that runs here, in a folder."""

    def __init__(self):
        if os.geteuid() != 0:
            raise lib.Skip("only root can make a root")
        release = re.search(r"VERSION_CODENAME=(\w+)", pathlib.Path("/etc/os-release").read_text())[1]
        base = lib.ROOT / f"build/debian-{release}"
        if not (base / "is-whole").exists():
            unmount(base)
            shutil.rmtree(base, ignore_errors=True)
            sources = re.findall(rf"^ +\d+ (\S+) {release}/main ", output("apt-cache", "policy"), re.M)
            output("debootstrap", "--variant=minbase", release, base, *sources[:1])
            unmount(base)
            (base / "is-whole").touch()
        self.path = lib.tmp_dir() / "root"
        output("cp", "-a", base, self.path)
        for name in ("resolv.conf", "hosts"):
            shutil.copy(f"/etc/{name}", self.path / "etc")
        for found in pathlib.Path("/usr/local/share/ca-certificates").glob("*.crt"):
            shutil.copy(found, self.path / "usr/local/share/ca-certificates")

    def run(self, *command):
        return output(*self.command(*command))

    def command(self, *command):
        return ["chroot", str(self.path), *CLEAN, *command]

    def install(self, deb):
        shutil.copy(deb, self.path / "tmp")
        self.run("apt-get", "-q", "-o", "APT::Sandbox::User=root", "install", "-y",
                 "--no-install-recommends", f"/tmp/{deb.name}")

    def has(self, path):
        return (self.path / path).exists()
