# SPDX-License-Identifier: Apache-2.0
# test: needs nothing
# test: limit 300
"""--json of each command and its schema: each has one, describes each field, and what it prints is that and
true. Every other test that runs a command with --json checks it, too (lib.run)."""
import json
import os
import re
import subprocess

import jsonschema

import file_job
import lib

EXAMPLE = lib.ROOT / "examples/stm/pipeline.sql"
SETS = [f"--set={name}=x" for name in ("USER_NAME", "GROUP", "NAME", "BROKERS")] + ["--set=HDFS=hdfs://a:9870"]
FEED = {
    "trips.txt": "route_id,service_id,trip_id\nr1,wk,t1\nr1,wk,t2\n",
    "stop_times.txt": "trip_id,arrival_time,departure_time,stop_id,stop_sequence\nt1,05:00:00,05:00:00,s1,1\n",
    "routes.txt": "route_id,route_type\nr1,3\n",
    "stops.txt": "stop_id,stop_name\ns1,Berri\n",
    "calendar.txt": "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n"
                    "wk,1,1,1,1,1,1,1,20200101,20991231\n",
    "agency.txt": "agency_id,agency_name,agency_url,agency_timezone\na,A,http://a,America/Montreal\n",
}


def names():
    text = lib.run("help").out
    return re.findall(r"^  (\S+) ", text.partition("Commands:\n")[2], re.M)


def job(n=30, settings=None):
    work = file_job.FileJob(n, settings or {})
    work.run_once()
    return work


def told(*args, **more):
    return lib.run(*args, "--json", **more).json()


def lines(*args, **more):
    return [json.loads(line) for line in lib.run(*args, "--json", **more).out.splitlines()]


# The schemas


def undescribed(schema, at):
    """Places of fields without a description; one that is only a reference has its target's."""
    found = []
    for name, field in schema.get("properties", {}).items():
        if "description" not in field and "$ref" not in field:
            found.append(f"{at}.{name}")
    for key, value in schema.items():
        for name, part in (value.items() if isinstance(value, dict) else
                           enumerate(value) if isinstance(value, list) else ()):
            if isinstance(part, dict):
                found += undescribed(part, f"{at}.{key}.{name}")
        if isinstance(value, dict) and key in ("items", "additionalProperties"):
            found += undescribed(value, f"{at}.{key}")
    return found


def references(value):
    if isinstance(value, dict):
        return {value[k] for k in value if k == "$ref"} | {r for v in value.values() for r in references(v)}
    return {r for v in value for r in references(v)} if isinstance(value, list) else set()


def test_each_command_has_json_and_a_schema_that_describes_each_field():
    commands = names()
    assert {"run", "reference", "explain-error"} < set(commands), commands
    reference = lib.run("reference").out
    for name in [*commands, None]:
        printed = lib.run(*([name] if name else []), "--json=schema").out
        schema = json.loads(printed)
        jsonschema.Draft202012Validator.check_schema(schema)
        assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema", name
        assert undescribed(schema, name or "stderr") == []
        assert references(schema) == {f"#/$defs/{d}" for d in schema.get("$defs", {})}, name
        if name:
            assert "\n  --json   " in lib.run(name, "--help").out, name
            kind = "lines" if schema.get("x-lines") else "one value"
            assert f"| `{name}` | {kind} | {schema['description']} |" in reference, name


def test_files_of_schemas_are_those_of_commands_and_their_parts():
    files = {path.stem for path in (lib.ROOT / "src/cli/schemas").glob("*.json")}
    assert files == {*names(), "stderr", "error", "log", "letter", "server"}


def test_a_schema_is_printed_whatever_else_is_on_the_line():
    plain = lib.run("run", "--json=schema").out
    assert lib.run("run", "--json=schema", "--nonsense", "a", "b").out == plain
    assert lib.run("run", "nowhere.sql", "--json=schema").out == plain
    wrong = lib.run("run", "--json=schemas", code=2).err
    assert "--json takes nothing, or =schema, which prints its schema" in wrong, wrong
    behind = lib.run("explain-error", "--", "--json=schema", code=2)
    assert behind.out == "", behind.out


def test_errors_of_each_command_are_lines():
    """Of a script that is not there, or of no argument at all."""
    for name in names():
        if name in ("demo", "reference"):
            continue
        arguments = {"generate": ["alerts", "nowhere.sql"], "extract": ["nowhere", "nowhere.sql"],
                     "produce": ["nowhere", "nowhere.sql"], "cat": ["nowhere.sql", "t"], "new": [],
                     "spark": ["nowhere.sql", "--workers=1"], "codegen": ["nowhere.avsc"],
                     "explain-error": ["TL9zz"]}.get(name, ["nowhere.sql"])
        done = lib.run(name, *arguments, "--json", code=None)
        assert done.code in (1, 2) and done.out == "", (name, done.out)
        line, = done.err.splitlines()
        error = json.loads(line)
        assert (error["level"], error["command"], error["exit_code"]) == ("error", name, done.code), error
        lines_of = lib.run(name, *arguments, "--no-such-flag", "--json", code=2).err
        assert json.loads(lines_of)["text"].startswith("there is no option '--no-such-flag'"), lines_of


def test_log_lines_are_of_their_schema():
    work = job()
    done = lib.run("run", work.script, "--once", "--log-format=json")
    assert done.err
    for line in done.err.splitlines():
        lib.check_value(lib.schema_of(), json.loads(line))


# What is made


def feed():
    directory = lib.tmp_dir() / "feed"
    directory.mkdir()
    for name, text in FEED.items():
        (directory / name).write_text(text)
    return directory


def test_new_check_extract_and_init_say_what_they_made():
    root, source = lib.tmp_dir(), feed()
    script = root / "p.sql"
    made = told("new", "--feed", source, "--root", root, "--out", script)
    assert made == {"path": str(script), "bytes": script.stat().st_size, "text": None}
    assert told("new", "--feed", source, "--root", root, "--out", "-") == {
        "path": None, "bytes": script.stat().st_size, "text": script.read_text()}
    good = told("check", script)
    assert good["script"] == str(script) and good["stream"] == {
        "name": "stop_times", "connector": "kafka", "format": "csv"}, good
    assert good["result"]["format"] == "csv" and good["executor"] == "native" and "live" not in good, good
    staged = told("extract", source, script)
    trips, = (table for table in staged["tables"] if table["name"] == "trips")
    path = trips["path"].removeprefix("file://")
    assert (trips["rows"], trips["rows_before"], trips["bytes"]) == (2, None, os.stat(path).st_size), trips
    assert staged["source"] == str(source) and not staged["rolled_back"], staged
    assert staged["dates"] == {"service_from": 20200101, "service_to": 20991231, "info_from": None, "info_to": None}
    (source / "trips.txt").write_text(FEED["trips.txt"] + "r1,wk,t3\n")
    again = told("extract", source, script)
    trips, = (table for table in again["tables"] if table["name"] == "trips")
    assert (trips["rows"], trips["rows_before"]) == (3, 2) and again["version"] != staged["version"]
    back = told("extract", "--rollback", script)
    assert back == {"source": str(source), "version": staged["version"], "rolled_back": True}


def test_init_says_each_thing():
    work = job()
    (work.result / "notes").write_text("mine")
    said = lines("init", work.script, "--reset", "--yes")
    result = f"file://{work.result}"
    assert said[:2] == [
        {"kind": "result", "name": result, "outcome": "removed"},
        {"kind": "result", "name": result, "outcome": "left", "names": 1, "text": "notes"}], said
    assert {"kind": "directory", "name": f"file://{work.directory}/names", "outcome": "was there"} in said, said


def test_check_live_says_each_thing_and_what_is_wrong():
    work = job()
    live = told("check", "--live", work.script)["live"]
    assert live and all(thing["ok"] for thing in live), live
    (work.directory / "names/names.csv").unlink()
    done = lib.run("check", "--live", "--json", work.script, code=1)
    bad = [thing["name"] for thing in done.json()["live"] if not thing["ok"]]
    assert "names" in bad, done.out


def test_made_texts_are_those_without_json():
    for kind in ("systemd", "alerts", "grafana", "duckdb"):
        plain = lib.run("generate", kind, EXAMPLE, *SETS).out
        assert told("generate", kind, EXAMPLE, *SETS) == {"kind": kind, "text": plain}
    for shell in ("bash", "zsh", "fish"):
        assert told("generate", "completion", shell) == {
            "kind": shell, "text": lib.run("generate", "completion", shell).out}
    for kind, *flags in (("markdown",), ("man", "--man"), ("unit", "--unit=/usr/bin/tramline")):
        assert told("reference", *flags) == {"kind": kind, "text": lib.run("reference", *flags).out}


def test_codegen_names_its_files():
    out = lib.tmp_dir()
    made = told("codegen", lib.ROOT / "bench/stop_times.avsc", "--out", out)
    assert [os.path.basename(file["path"]) for file in made["files"]] == ["stop_times.h", "stop_times.c"]
    assert all(os.stat(file["path"]).st_size == file["bytes"] for file in made["files"]), made


def test_explain_error_as_json():
    plain = lib.run("explain-error", "TL1002").out
    about = told("explain-error", "tl1002")
    assert f"{about['code']}: {about['format']}\n\n{about['about']}\n" == plain, about
    assert told("explain-error", "unreadable")["reason"] == "unreadable"


def test_the_demo_is_one_object():
    root = lib.tmp_dir() / "demo"
    done = lib.run("demo", "--dir", root, "--json")
    came = done.json()
    assert came["directory"] == str(root) and came["records"] > 1000 and came["rows"] > 0, came
    commands = [command["command"].split()[1] for command in came["commands"]]
    assert commands == ["check", "init", "extract", "explain", "produce", "run", "verify", "cat"], came
    told_again = told("verify", root / "pipeline.sql", env={"ROOT": str(root), "BROKERS": "localhost:1"})
    assert (told_again["records"], told_again["rows"]) == (came["records"], came["rows"])


# What is looked at


def test_rows_records_letters_and_the_log_as_lines():
    work = job(settings={"schema_change": "allow"})
    assert sum(work.rows.values()) == len(lines("cat", work.script, "result"))
    records = lines("cat", work.script, "visits")
    assert len(records) == 30 and sum(r["_error"] is not None for r in records) == len(work.bad)
    assert {r["id"] for r in lines("cat", work.script, "names")} == {"a", "b", "c"}
    letters = lines("cat", "--dead", work.script, "result")
    assert len(letters) == len(work.bad)
    assert len(lines("preview", work.script, "--limit=5")) == 5
    assert [entry["kind"] for entry in lines("history", work.script, "--all")] == ["commit", "claim", "job"]
    reason, = lines("dead", work.script)
    assert reason["letters"] == len(work.bad), reason
    shown, = lines("dead", work.script, "--show", reason["newest"])
    assert shown["today"]["error"] and len(shown["today"]["columns"]) == 3, shown
    replayed, = lines("dead", work.script, "--replay")
    assert (replayed["letters"], replayed["failed_again"]) == (len(work.bad), len(work.bad)), replayed
    work.script.write_text(work.script.read_text().replace("n INT", "n TEXT"))
    mended, = lines("dead", work.script, "--replay")
    assert mended["matched"] == len(work.bad) and mended["rows"] == len(work.bad), mended
    nothing, = lines("dead", work.script, "--replay")
    assert nothing["entry"] is None and nothing["letters"] == 0, nothing
    assert lines("dead", work.script) == []
    table = lib.run("dead", work.script).out
    assert table == f"{len(work.bad) * 2} letters in the log, {len(work.bad) * 2} replayed\n", table


def test_the_plan_the_status_and_what_a_script_changes():
    work = job()
    told("explain", work.script)
    told("explain", "--no-tables", work.script)
    told("verify", work.script)
    assert told("status", work.script)["commit"]["records"] == 30
    assert told("diff", work.script)["is_same"]
    work.script.write_text(work.script.read_text().replace("v.n, w.name", "v.n, upper(w.name) AS name"))
    assert not told("diff", work.script, code=1)["is_same"]


def test_the_plan_of_each_shape_of_query():
    """Steps, subqueries, CASE, CAST, IN, LIKE, views: all that an expression may be."""
    root = lib.tmp_dir()
    script = root / "p.sql"
    script.write_text(f"""
        CREATE TABLE a (id TEXT NOT NULL, n INT) WITH (connector = 'filesystem', path = '{root}/a', format = 'csv');
        CREATE TABLE b (id TEXT NOT NULL, m INT) WITH (connector = 'filesystem', path = '{root}/b', format = 'csv');
        CREATE VIEW v AS SELECT a.id, a.n, b.m FROM a LEFT JOIN b ON b.id = a.id;
        CREATE TABLE s (id TEXT NOT NULL, x INT, y TEXT) WITH (connector = 'file', path = '{root}/s.csv');
        CREATE TABLE r () WITH (connector = 'filesystem', path = '{root}/r', format = 'csv');
        INSERT INTO r SELECT s.id, CASE WHEN s.x > 1 THEN 'a' ELSE v.id END AS c, CASE s.x WHEN 1 THEN 2 END AS d,
          CAST(s.x AS TEXT) AS e, lower(s.y) AS f, v.n + s.x AS g, COALESCE(v.m, -1) AS h,
          (SELECT max(b.m) FROM b WHERE b.id = s.id) AS i, (SELECT b.m FROM b WHERE b.m > s.x LIMIT 1) AS j
          FROM s LEFT JOIN v ON v.id = s.id AND s.x IS NOT NULL
          WHERE s.y LIKE 'a%' AND s.x IN (1, 2, 3) AND EXISTS (SELECT 1 FROM a WHERE a.id = s.y)
        UNION ALL SELECT id, y, x, '', 'x', 1, 2, 3, 4 FROM s WHERE x BETWEEN 1 AND 2 OR 1.5 < x;
        """)
    for name in "ab":
        (root / name).mkdir()
        (root / name / f"{name}.csv").write_text(f"id,{'nm'['ab'.index(name)]}\nk,1\n")
    plan = told("explain", script)
    assert len(plan["branches"]) == 2 and plan["branches"][0]["steps"], plan


def test_tests_as_json_also_failed_wrong_and_recorded():
    work = job()
    tests = work.directory / "tests"
    recorded = told("test", work.script, "--record", tests / "live", "--limit=20")
    assert recorded["path"] == str(tests / "live") and sum(f["rows"] for f in recorded["files"]) > 0, recorded
    assert told("test", work.script)["ok"] == 1
    expect = tests / "live/expect.csv"
    expect.write_text(expect.read_text() + "zz,nowhere,1,\n")
    (tests / "wrong.test").write_text("[nothing]\n")
    came = told("test", work.script, code=2)
    assert (came["ok"], came["failed"], came["wrong"]) == (0, 1, 1), came


def test_top_prints_a_line_a_look():
    work = job()
    first, second = lines("top", work.script, "--every=1", "--limit=2")
    assert first["commit"] == second["commit"] and second["time_ms"] > first["time_ms"], (first, second)
    port = lib.free_port()
    done = lib.run("top", f"http://127.0.0.1:{port}", "--limit=2", "--every=1", "--json", code=1)
    errors = [json.loads(line) for line in done.err.splitlines()]
    assert done.out == "" and len(errors) == 2 and all(e["command"] == "top" for e in errors), done.err
    assert "--limit is for --json; a page ends by the key q" in lib.run("top", work.script, "--limit=2", code=2).err


def test_top_of_a_server_is_what_the_server_says():
    work = job(settings={"status.listen": f"127.0.0.1:{(port := lib.free_port())}"})
    running = lib.Started("run", work.script)
    lib.wait_until(lambda: "status: http" in running.text(), 60, "the status server")
    look, = lines("top", f"http://127.0.0.1:{port}", "--limit=1")
    assert look["program"] and look["records"] and len(look["partitions"]) <= 1, look
    running.stop()


def test_units_are_lines_of_their_schemas():
    work = file_job.FileJob(40, {})
    lib.run("init", work.script)
    coordinator = subprocess.Popen([lib.program(), "coordinate", work.script, "--once", "--json"], text=True,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    worker = subprocess.Popen([lib.program(), "work", work.script, "--json"], text=True, stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE)
    kinds = []
    for line in coordinator.stdout:
        value = json.loads(line)
        lib.check_value(lib.schema_of("coordinate"), value)
        kinds.append(value["kind"])
        if value["kind"] == "order":
            worker.stdin.write("no order\n" + line)
            worker.stdin.flush()
            failure, unit = worker.stdout.readline(), worker.stdout.readline()
            for answer in (failure, unit):
                lib.check_value(lib.schema_of("work"), json.loads(answer))
            assert (json.loads(failure)["kind"], json.loads(unit)["kind"]) == ("error", "unit")
            coordinator.stdin.write(unit)
            coordinator.stdin.flush()
    worker.stdin.close()
    assert (coordinator.wait(60), worker.wait(60)) == (0, 0)
    assert kinds[0] == "order" and kinds[-2:] == ["commit", "end"], kinds


def test_numbers_of_a_run_and_its_end_are_lines():
    work = file_job.FileJob(30, {})
    numbers = lines("run", work.script, "--once")
    assert numbers[-1]["committed_records"] == 30 and numbers[-1]["rejected"] == len(work.bad), numbers
    *_, end = lines("run", work.script, "--once", "--exit-line")
    assert (end["level"], end["exit_code"]) == ("info", 0), end
