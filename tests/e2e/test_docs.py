# SPDX-License-Identifier: Apache-2.0
# test: needs nothing
"""Every command of the tutorial is run, in its order; the README names the commands that exist."""
import os
import re
import subprocess

import lib

STACK_DIR = lib.tmp_dir() / "stack"


def blocks(path):
    return re.findall(r"```sh\n(.*?)```", path.read_text(), re.S)


def test_tutorial_runs():
    lib.program()
    script = "set -eu\n" + "\n".join(blocks(lib.ROOT / "docs/tutorial.md"))
    commands = [line for line in script.splitlines() if line and not line.startswith("#")]
    assert len(commands) > 15, commands
    env = {k: v for k, v in os.environ.items() if not k.startswith("TRAMLINE_")}
    env["STACK_DIR"] = str(STACK_DIR)
    env["XDG_STATE_HOME"] = str(lib.tmp_dir())
    try:
        done = subprocess.run(["bash", "-xc", script], cwd=lib.ROOT, env=env, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=550)
    finally:
        subprocess.run(["rm", "-rf", lib.ROOT / "build/tutorial"], check=True)
        if (STACK_DIR / "ports").exists():
            subprocess.run([lib.STACK, "down"], env=env, check=False)
    print(done.stdout[-6000:], flush=True)
    assert done.returncode == 0, done.returncode
    assert "no gap, no duplicate" in done.stdout


def test_readme_names_commands_that_exist():
    text = (lib.ROOT / "README.md").read_text()
    named = set(re.findall(r"`tramline ([a-z]+)", text)) - {"test"}
    assert {"init", "extract", "produce", "run", "verify", "cat"} <= named
    for command in sorted(named):
        lib.run(command, "--help")
    for command in re.findall(r"^    \./dev (\w+)", text, re.M):
        assert f"  {command} " in subprocess.run([lib.ROOT / "dev"], capture_output=True,
                                                 text=True, check=True).stdout


def test_reference_is_the_programs():
    made = lib.run("reference").out
    assert made == (lib.ROOT / "docs/reference.md").read_text(), "./dev docs makes it again"
