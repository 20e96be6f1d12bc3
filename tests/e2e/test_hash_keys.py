# SPDX-License-Identifier: Apache-2.0
# test: needs nothing
# test: not-asan it measures processor time
"""A table and a stream whose keys somebody chose to have one hash: tests/tools/hash_tool.c."""
import os
import pathlib
import resource
import subprocess

import file_job
import lib

KEYS = 40000
LIMIT_S = 1  # without a secret of the process it takes 2 s, by the square of their number


def hostile_keys():
    tool = pathlib.Path(os.environ.get("TRAMLINE_TOOLS", lib.ROOT / "build/release/tests"))
    made = subprocess.run([tool / "hash_tool", str(KEYS)], capture_output=True, text=True, check=True)
    return made.stdout.split()


def test_chosen_keys_are_as_any_others():
    keys = hostile_keys()
    assert len(set(keys)) == KEYS
    work = file_job.FileJob(1, {})
    (work.directory / "names/names.csv").write_text("id,name\n" + "".join(f"{k},x\n" for k in keys))
    (work.directory / "visits.csv").write_text("".join(f"{k},p,1\n" for k in keys[:1000]))
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    said = work.run_once().err
    seconds = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
    assert "matched 100.0 %, wrote 1,000 rows" in said, said
    print(f"{seconds:.2f} s")
    assert seconds < LIMIT_S, seconds
