# SPDX-License-Identifier: Apache-2.0
# test: needs kafka hdfs registry
"""The ten commands of docs/avro.md, in one shell, on the servers at hand."""
import os
import re
import subprocess

import lib


def test_ten_commands():
    lib.program()
    (script,) = re.findall(r"```sh\n(.*?)```", (lib.ROOT / "docs/avro.md").read_text(), re.S)
    commands = script.splitlines()
    assert len(commands) == 10, commands
    env = {**os.environ, "STACK_DIR": os.environ["TRAMLINE_STACK_DIR"],
           "XDG_STATE_HOME": str(lib.tmp_dir())}
    # A name of its own, so that it can be run again on the same servers.
    script = "set -eu\n" + script.replace("NAME=avro", f"NAME={lib.fresh_name('avro')}")
    try:
        done = subprocess.run(["bash", "-xc", script], cwd=lib.ROOT, env=env, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=280)
    finally:
        subprocess.run(["rm", "-rf", lib.ROOT / "build/avro"], check=True)
    print(done.stdout[-6000:], flush=True)
    assert done.returncode == 0, done.returncode
    assert re.search(r"^schema +(registered|was there) +stop_times_avro-value, id \d+, version 1$",
                     done.stdout, re.M)
    *_, n_rows = re.findall(r"wrote ([\d,]+) rows", done.stdout)  # the demo's run says so too
    n_rows = int(n_rows.replace(",", ""))
    assert n_rows > 0 and done.stdout.endswith(f"\n{n_rows} rows of enriched_stop_time\n")
