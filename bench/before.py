# SPDX-License-Identifier: Apache-2.0
"""Programs of an earlier commit, built beside this tree's from its files and kept in .cache/."""
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache"
LIMIT_S = 1800


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def output_of(command, **options):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=LIMIT_S, **options)
    if done.returncode != 0:
        sys.exit(f"bench: {command[0]} ended with {done.returncode}: {(done.stderr or done.stdout).strip()[-2000:]}")
    return done.stdout


def build(commit, *targets):
    """The folder of the commit's release build, with these targets; None when this clone has no such commit."""
    place = CACHE / f"before-{commit}"
    folder = place / "build" / "release"
    if not (place / "whole").exists():
        archive = subprocess.run(["git", "-C", ROOT, "archive", commit], capture_output=True, timeout=LIMIT_S)
        if archive.returncode != 0:
            say(f"without the commit {commit}: {archive.stderr.decode().strip()}")
            return None
        place.mkdir(parents=True, exist_ok=True)
        subprocess.run(["tar", "x", "-C", place], input=archive.stdout, check=True)
        (place / "whole").touch()
    say(f"builds {commit}")
    output_of(["cmake", "-S", place, "-B", folder, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release",
               *["-DCMAKE_C_COMPILER_LAUNCHER=ccache"] * (shutil.which("ccache") is not None)])
    output_of(["ninja", "-j2", "-C", folder, *targets])
    return folder
