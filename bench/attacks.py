#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the attacks of docs/limits.md cost: attacks.py [--write] [--missing] [WORD]

Runs the test of each row (of those that hold WORD) by itself and prints the table: processor time and
most memory of one program, the largest of those that the test starts. A test of C is that program: its
own work is in the figures. --write puts them into the page, --missing takes rows without figures only. Tests of real servers want them up:
eval "$(./dev up)".
"""
import argparse
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build/release"
LIMIT_S = 600

sys.path.insert(0, str(ROOT / "tools"))
import attack_table  # pylint: disable=import-error,wrong-import-position


class Meter:
    """Runs a test and hears what its programs took."""

    def __init__(self, folder):
        self.folder, self.known = folder, {}
        library = folder / "attack_cost.so"
        subprocess.run(["cc", "-O1", "-D_GNU_SOURCE", "-shared", "-fPIC", ROOT / "bench/attack_cost.c",
                        "-o", library], check=True)
        self.wrapper = folder / "tramline"
        self.wrapper.write_text(f"#!/bin/sh\nLD_PRELOAD={shlex.quote(str(library))}"
                                f"${{LD_PRELOAD:+:$LD_PRELOAD}} exec {shlex.quote(str(BUILD))}/tramline \"$@\"\n")
        self.wrapper.chmod(0o755)
        self.preload = {"LD_PRELOAD": str(library)}

    def cost(self, source, case):
        """(ms, MB), or None when the test fails or is skipped."""
        if (source, case) not in self.known:
            self.known[source, case] = self._run(source, case)
        return self.known[source, case]

    def _run(self, source, case):
        costs = self.folder / "costs"
        costs.unlink(missing_ok=True)
        env = dict(os.environ, TEST_CASE=f"test_{case}", ATTACK_COSTS=str(costs), TMPDIR=str(self.folder))
        if source.suffix == ".c":
            command, env = [BUILD / "tests" / source.stem], env | self.preload
        else:
            command, env = ["/usr/bin/python3", "-m", "pytest", source], env | {"TRAMLINE_BIN": str(self.wrapper)}
        try:
            done = subprocess.run(command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, check=False,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=LIMIT_S)
        except subprocess.TimeoutExpired:
            return None
        if done.returncode != 0 or not costs.exists():
            print(done.stdout.decode(errors="replace")[-2000:], file=sys.stderr)
            return None
        taken = [tuple(map(int, line.split())) for line in costs.read_text().splitlines()]
        return max(ms for ms, _ in taken), max(kb for _, kb in taken) >> 10


def write(row, cost):
    lines = attack_table.PAGE.read_text().splitlines()
    lines[row.number - 1] = row.with_cost(*map(str, cost))
    attack_table.PAGE.write_text("\n".join(lines) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("word", nargs="?", default="")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--missing", action="store_true")
    options = parser.parse_args()
    rows = [row for row in attack_table.read()[0] if not (options.missing and row.ms)
            and options.word in f"{row.heading} {row.attack} {row.test}/{row.case}"]
    costs, heading = [], None
    with tempfile.TemporaryDirectory() as folder:
        meter = Meter(pathlib.Path(folder))
        for row in rows:
            if row.heading != heading:
                heading = row.heading
                print(f"\n{heading:<90} {'ms':>7} {'MB':>5}  kind")
            cost = meter.cost(row.source(), row.case)
            ms, mb = cost or ("FAILED", "")
            print(f"  {row.attack[:87]:<88} {ms:>7} {mb:>5}  {row.kind}", flush=True)
            costs.append((row, cost))
            if options.write and cost is not None:
                write(row, cost)
    failed = sum(cost is None for _, cost in costs)
    print(f"\n{len(costs)} attacks, {failed} failed; the longest {max((c[0] for _, c in costs if c), default=0)} ms, "
          f"the largest {max((c[1] for _, c in costs if c), default=0)} MB")
    sys.exit(1 if failed or not costs else 0)


if __name__ == "__main__":
    main()
