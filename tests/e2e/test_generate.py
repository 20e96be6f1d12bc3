# SPDX-License-Identifier: Apache-2.0
# test: needs nothing
# test: limit 300
"""What `tramline generate` prints is taken by the real programs: systemd, bash, zsh, fish, DuckDB."""
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time

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


def test_a_unit_names_the_variables_of_its_script():
    """Those in literals: no comment, no "$${X}"; each once."""
    text = generated("systemd")
    assert "\n# NAME=value lines there for HDFS, USER_NAME, GROUP, NAME, BROKERS.\nEnvironmentFile=-" in text, text
    script = lib.tmp_dir() / "p.sql"
    script.write_text("-- ${COMMENT}\nSET job.name = 'a $${PLAIN} ${WORD}${WORD}'; /* '${OTHER}' */\n"
                      "CREATE TABLE s (a TEXT) WITH (connector = 'file', path = '${DIR}/s.csv', format = 'csv');\n"
                      "CREATE TABLE r () WITH (connector = 'filesystem', path = '${DIR}/r', format = 'csv');\n"
                      "INSERT INTO r SELECT a FROM s;\n")
    sets = ["--set=DIR=/srv/x", "--set=WORD=w"]
    text = output(lib.program(), "generate", "systemd", script, *sets)
    assert "\n# NAME=value lines there for WORD, DIR.\n" in text, text
    assert exposure(unit_file("p.service", text)) < 2
    script.write_text(script.read_text().replace("${DIR}", "/srv/x").replace("${WORD}", "w"))
    assert "NAME=value" not in output(lib.program(), "generate", "systemd", script)


def test_the_template_that_is_installed_is_good_too():
    text = output(lib.program(), "reference", "--unit", lib.program())
    assert "/etc/tramline/%i.sql" in text
    assert exposure(unit_file("tramline@.service", text)) < 2


def test_a_unit_may_write_where_the_result_goes():
    """Local directories: ReadWritePaths; names that systemd would take apart are quoted."""
    here = lib.tmp_dir() / 'a "b" 100%in $x'
    here.mkdir()
    script = here / "p.sql"
    script.write_text(EXAMPLE.read_text())
    text = generated("systemd", script, f"file://{here}")
    asked = subprocess.run(["systemd-analyze", "verify", "--man=no",
                            str(unit_file("x.service", text))], capture_output=True, text=True, timeout=60)
    assert (asked.returncode, asked.stderr) == (0, ""), (text, asked.stderr)
    quoted = str(here).replace("%", "%%").replace('"', '\\"')
    assert f'ReadWritePaths="{quoted}/user/x/x/project5/x/enriched_stop_time"\n' in text, text
    assert f"EnvironmentFile=-{str(here).replace('%', '%%')}/p.sql.env\n" in text, text
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
    assert in_bash("tramline", "check", "x.sql", "--js") == ["--json", "--json=schema"]
    assert in_bash("tramline", "check", "x.sql", "--json", "=", "sch") == ["schema"]  # as bash divides words
    assert in_bash("tramline", "check", "x.sql", "--json", "=") == ["schema"]
    assert in_bash("tramline", "run", "") == []  # then bash offers files


def test_fish_completes_commands_and_options():
    script = unit_file("tramline.fish", output(lib.program(), "generate", "completion", "fish"))
    def asked(line):
        shown = output("fish", "--no-config", "-c", f"source {script}; complete -C '{line}'")
        return [row.split("\t")[0] for row in shown.splitlines()]
    assert asked("tramline ver") == ["verify"]
    assert asked("tramline run --onc") == ["--once"]  # fish 4 finds "on" within --json too
    assert "error" in asked("tramline run --log-level ")
    assert asked("tramline check --json=") == ["--json=schema"]


def wait_for(terminal, text, limit_s=60):
    """Reads from a terminal until it has shown a text."""
    shown, end = "", time.monotonic() + limit_s
    while text not in shown:
        assert select.select([terminal], [], [], max(0, end - time.monotonic()))[0], (text, shown)
        shown += os.read(terminal, 4096).decode(errors="replace")


def test_zsh_completes_commands_and_options():
    """In a terminal, by the keys that a person presses."""
    here = lib.tmp_dir()
    (here / "_tramline").write_text(output(lib.program(), "generate", "completion", "zsh"))
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvpe("zsh", ["zsh", "-f", "-i"], {**os.environ, "TERM": "dumb", "PS1": "> "})
    try:
        os.write(terminal, f"fpath=({here} $fpath); autoload -Uz compinit; compinit -u -D; print RE''ADY\n".encode())
        wait_for(terminal, "READY")
        os.write(terminal, b"tramline verif\t")
        wait_for(terminal, "tramline verify ")
        os.write(terminal, b"--de\t")
        wait_for(terminal, "--deep")
        os.write(terminal, b" --json=sc\t")
        wait_for(terminal, "--json=schema")
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(terminal)


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


def expressions(board):
    return [target["expr"].replace("$__rate_interval", "5m") for panel in board["panels"]
            for target in panel["targets"]]


def test_prometheus_takes_the_alerts_and_the_boards_expressions():
    rules = unit_file("alerts.yml", generated("alerts"))
    assert "SUCCESS: 7 rules found" in output("promtool", "check", "rules", rules)
    board = json.loads(generated("grafana"))
    assert board["title"].startswith("Tramline: tramline.enriched_stop_time."), board["title"]
    as_rules = {"groups": [{"name": "board", "rules": [
        {"record": f"expression:{i}", "expr": text} for i, text in enumerate(expressions(board))]}]}
    found = output("promtool", "check", "rules", unit_file("board.yml", json.dumps(as_rules)))
    assert f"SUCCESS: {len(expressions(board))} rules found" in found, found


def test_metrics_that_are_named_are_those_that_there_are():
    """docs/operations.md has them all; a test of the status server compares it with the program."""
    page = (lib.ROOT / "docs/operations.md").read_text()
    there = set(re.findall(r"`(tramline_\w+?)(?:\{[\w,]*\})?` \|", page))
    named = set(re.findall(r"tramline_\w+", generated("alerts") + generated("grafana")))
    named = {re.sub(r"_seconds_bucket$", "_seconds", name) for name in named}
    assert len(named) > 12 and named <= there, named - there


def test_a_jobs_odd_name_and_its_address_are_taken_in():
    script = lib.tmp_dir() / "p.sql"
    script.write_text("SET job.name = 'it''s \"odd\": {a}';\nSET status.listen = '127.0.0.1:9911';\n"
                      "SET commit.interval = '10min';\n" + EXAMPLE.read_text().replace(
                          "SET commit.interval = '60s';", ""))
    rules = generated("alerts", script)
    assert '{job="it_s__odd____a_"}' in rules and "127.0.0.1:9911" in rules, rules
    assert ") > 3000\n" in rules and "[6000s]" in rules, rules
    output("promtool", "check", "rules", unit_file("alerts.yml", rules))
    json.loads(generated("grafana", script))


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
