# SPDX-License-Identifier: Apache-2.0
# test: needs nothing
# test: limit 300
"""What `tramline generate` prints is taken by the real programs: systemd, bash, zsh, fish, DuckDB."""
import json
import os
import re
import subprocess
import sys

import file_job
import lib

EXAMPLE = lib.ROOT / "examples/stm/pipeline.sql"
SETS = [f"--set={name}=x" for name in ("USER_NAME", "GROUP", "NAME", "BROKERS")]
SHARE = lib.ROOT / "build/oracles"


def output(*command, env=None, stdin=None):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          input=stdin, env={**os.environ, **(env or {})}, timeout=120)
    assert (done.returncode, done.stderr) == (0, ""), (command, done.stdout, done.stderr)
    return done.stdout


def generated(kind, script=EXAMPLE, hdfs="hdfs://name-node:9870", sets=SETS):
    return output(lib.program(), "generate", kind, script, f"--set=HDFS={hdfs}", *sets)


def exposure(unit):
    """systemd's own score of a unit, 0 (best) to 10; fails when it refuses the unit."""
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True,
                          text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, ""), (unit.read_text(), done.stderr)
    shown = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", str(unit)],
                           capture_output=True, text=True, timeout=60).stdout
    return float(re.search(r"Overall exposure level for \S+: ([\d.]+)", shown)[1])


def unit_file(name, text):
    path = lib.tmp_dir() / name
    path.write_text(text)
    return path


def test_systemd_takes_the_unit_and_scores_it_below_2():
    assert exposure(unit_file("stm.service", generated("systemd"))) < 2


def test_the_template_that_is_installed_is_good_too():
    text = output(lib.program(), "reference", "--unit", lib.program())
    assert "/etc/tramline/%i.sql" in text
    assert exposure(unit_file("tramline@.service", text)) < 2


def test_a_unit_may_write_where_the_result_goes():
    """Local directories: ReadWritePaths; names that systemd would take apart are quoted."""
    here = lib.tmp_dir() / 'a "b" 100% $x'
    here.mkdir()
    script = here / "p.sql"
    script.write_text(EXAMPLE.read_text())
    text = generated("systemd", script, f"file://{here}")
    asked = subprocess.run(["systemd-analyze", "verify", "--man=no",
                            str(unit_file("x.service", text))], capture_output=True, text=True, timeout=60)
    assert (asked.returncode, asked.stderr) == (0, ""), (text, asked.stderr)
    quoted = str(here).replace("%", "%%").replace('"', '\\"')
    assert f'ReadWritePaths="{quoted}/user/x/x/project5/x/enriched_stop_time"\n' in text, text
    assert f'run "{quoted.replace("$", "$$")}/p.sql"\n' in text, text


BASH = r"""
. "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _tramline; echo "${COMPREPLY[*]}"
"""


def in_bash(*words):
    script = unit_file("tramline", output(lib.program(), "generate", "completion", "bash"))
    return output("bash", "-c", BASH, "bash", script, *words).split()


def test_bash_completes_commands_options_and_kinds():
    assert in_bash("tramline", "ver") == ["verify"]
    assert in_bash("tramline", "run", "x.sql", "--on") == ["--once"]
    assert in_bash("tramline", "cat", "x.sql", "--log-level", "") == ["debug", "info", "warn", "error"]
    assert "completion" in in_bash("tramline", "generate", "")
    assert in_bash("tramline", "help", "sq") == ["sql"]
    assert in_bash("tramline", "run", "") == []  # then bash offers files


def test_fish_completes_commands_and_options():
    script = unit_file("tramline.fish", output(lib.program(), "generate", "completion", "fish"))
    def asked(line):
        shown = output("fish", "--no-config", "-c", f"source {script}; complete -C '{line}'")
        return [row.split("\t")[0] for row in shown.splitlines()]
    assert asked("tramline ver") == ["verify"]
    assert asked("tramline run --on") == ["--once"]
    assert "error" in asked("tramline run --log-level ")


def test_zsh_completes_commands_and_options():
    """In a terminal of zsh's own, by the keys that a person presses."""
    here = lib.tmp_dir()
    (here / "_tramline").write_text(output(lib.program(), "generate", "completion", "zsh"))
    asked = r"""
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "PS1='> '; fpath=($1 \$fpath); autoload -Uz compinit; compinit -u -D; zstyle ':completion:*' list-colors ''"
zpty -w shell "print -r READY"
zpty -r shell out '*READY*READY*'
zpty -n -w shell $'tramline ver\t --de\t\C-U print -r DO\C-V\C-UNE'
sleep 2
zpty -n -w shell $'\r'
zpty -t shell
while zpty -r -t shell out; do print -r -- "$out"; done
"""
    shown = output("zsh", "-f", "-c", asked, "zsh", here)
    assert "tramline verify" in shown and "--deep" in shown, shown


def duckdb_python():
    """DuckDB from PyPI in a venv of the tests."""
    venv = SHARE / "duckdb-2.0.1"
    if not (venv / "bin/duckdb-is-here").exists():
        output(sys.executable, "-m", "venv", venv)
        subprocess.run([venv / "bin/pip", "-q", "install", "--disable-pip-version-check", "duckdb==2.0.1"],
                       check=True, timeout=240)
        (venv / "bin/duckdb-is-here").touch()
    return venv / "bin/python"


READ = """
import duckdb, json, sys
db = duckdb.connect()
db.execute(sys.stdin.read())
print(json.dumps(db.execute("SELECT * FROM " + sys.argv[1]).fetchall()))
"""


def test_duckdb_reads_the_rows_that_are_there():
    """Texts with quotes and line breaks, the empty text and NULL included."""
    job = file_job.FileJob(40, {})
    with open(job.directory / "visits.csv", "a") as stream:
        stream.write('a,"q""uote, comma\nline",5\nb,"",6\nc,,7\nd,"NULL",8\n')
    job.run_once()
    view = output(lib.program(), "generate", "duckdb", job.script)
    shown = output(duckdb_python(), "-c", READ, "result", stdin=view)
    expected = [[k[0], k[1], int(k[2]), k[3]] for k in job.rows.elements()] + [
        ["a", 'q"uote, comma\nline', 5, "Angrignon"], ["b", "", 6, "Berri"], ["c", None, 7, None],
        ["d", "NULL", 8, None]]
    assert sorted(json.loads(shown), key=str) == sorted(expected, key=str), shown


def refused(*words):
    done = lib.run("generate", *words, code=2)
    return done.err


def test_what_cannot_be_generated_is_said():
    assert refused("board", EXAMPLE) == (
        "tramline generate: there is no 'board' to generate; there are systemd alerts grafana duckdb "
        "completion\n")
    assert refused("completion", "csh") == (
        "tramline generate: there is no completion for 'csh'; bash, zsh and fish have one\n")
    sets = ["--set=HDFS=hdfs://name-node:9870", *SETS]
    piped = subprocess.run([lib.program(), "generate", "systemd", "-", *sets], input=EXAMPLE.read_text(),
                           capture_output=True, text=True, timeout=60)
    assert (piped.returncode, piped.stderr) == (
        2, "tramline generate: systemd: the unit names the script; give its path, not '-'\n"), piped
    odd = lib.tmp_dir() / "a\nb"
    odd.mkdir()
    (odd / "p.sql").write_text(EXAMPLE.read_text())
    assert refused("systemd", odd / "p.sql", *sets).startswith(
        "tramline generate: systemd: a path in a unit has no line break; rename /")


lib.main()
