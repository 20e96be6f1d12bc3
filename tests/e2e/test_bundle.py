# SPDX-License-Identifier: Apache-2.0
# test: needs nothing
# test: limit 300
# test: not-asan it packs the release build
"""The bundle runs where there is nothing else: its own libraries and loader in an empty root."""
import os
import re
import subprocess

import lib

MOST_BYTES = 30_000_000


def output(*command, **kwargs):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=240, **kwargs)
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout


def unpacked():
    lib.program()
    packed = lib.ROOT / "build/release/tramline-bundle.tar.gz"
    output("ninja", "-C", packed.parent, "bundle")
    assert packed.stat().st_size <= MOST_BYTES, packed.stat().st_size
    place = lib.tmp_dir()
    output("tar", "-C", place, "-xzf", packed)
    return place


def test_whole_job_in_an_empty_root():
    """No /proc, no /etc, no library of the machine: the demo with its broker, its verify included."""
    if os.geteuid() != 0:
        raise lib.Skip("only root may chroot")
    root = unpacked()
    (root / "tmp").mkdir()
    assert sorted(p.name for p in root.iterdir()) == ["tmp", "tramline"]
    shown = output("chroot", root, "/tramline/bin/tramline", "--version")
    assert re.fullmatch(r"tramline \d+\.\d+\.\d+\n", shown), shown
    shown = output("chroot", root, "/tramline/bin/tramline", "demo", "--dir", "/tmp/demo",
                   env={**os.environ, "TMPDIR": "/tmp"})
    assert "no gap, no duplicate" in shown, shown[-2000:]


def test_it_is_found_by_path_link_and_name():
    """From a folder with blanks in its name, by $PATH, by a symbolic link."""
    place = unpacked() / "a b"
    place.mkdir()
    (place.parent / "tramline").rename(place / "tramline")
    program = place / "tramline/bin/tramline"
    link = lib.tmp_dir() / "link"
    link.symlink_to(program)
    expected = output(program, "--version")
    assert output(link, "--version") == expected
    assert output("tramline", "--version", env={"PATH": str(program.parent)}) == expected
    assert output("./tramline", "--version", cwd=program.parent) == expected


def test_nothing_of_it_is_the_machines():
    place = unpacked()
    program = place / "tramline/bin/tramline"
    maps = subprocess.Popen([program, "check", "/dev/stdin"], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        lib.wait_until(lambda: "libcurl" in open(f"/proc/{maps.pid}/maps").read(), 30, "its libraries")
        text = open(f"/proc/{maps.pid}/maps").read()
    finally:
        maps.kill()
        maps.wait()
    files = set(re.findall(r" (/\S+)$", text, re.M))
    assert files and all(name.startswith(str(place)) for name in files), files
