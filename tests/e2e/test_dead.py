# SPDX-License-Identifier: Apache-2.0
# test: needs nothing
# test: limit 900
"""tramline dead against the letters as Python reads them: counts, one of them, filters; replays by a mended
script, twice, of parts, beside each other, what fails again, and killed at any moment: each letter once."""
import base64
import datetime
import json
import random
import re
import signal
import subprocess
import time

import file_job
import lib
import results
import terminal

SETS = {"commit.bytes": "20kB", "batch.records": "200", "schema_change": "allow"}


def job(n_bad, n_good=0):
    """Letters whose third field is not a number, and records that are good."""
    work = file_job.FileJob(0, SETS)
    work.lines = [f"{'abc'[i % 3]},place {i},x{i}" for i in range(n_bad)] + [f"a,good {i},{i}" for i in range(n_good)]
    (work.directory / "visits.csv").write_text("".join(f"{line}\n" for line in work.lines))
    work.run_once()
    return work


def mend(work):
    work.script.write_text(work.script.read_text().replace("n INT", "n TEXT"))


def dead(work, *args, **more):
    return lib.run("dead", work.script, *args, **more)


def replay(work, *args, **more):
    return dead(work, "--replay", *args, **more).out


def groups(work, *args):
    return [json.loads(line) for line in dead(work, "--json", *args).out.splitlines()]


def n_left(work, *args):
    return sum(group["letters"] for group in groups(work, *args))


def entries(work):
    return [json.loads(path.read_text()) for path in file_job.entries(work.result)]


def check_all_back(work):
    """Each line is in the result, once, and both opinions say that the log is right."""
    found = sorted(",".join(row[:3]) for row in results.iter_result(work.result))
    assert found == sorted(work.lines), (len(found), len(work.lines))
    work.verify()
    code, text = work.second_opinion()
    assert code == 0, text


def test_letters_are_counted_and_shown():
    work = job(30, 10)
    text = terminal.shown(["dead", str(work.script)], work.directory, width=200)
    assert text.splitlines()[0].split() == ["letters", "reason", "partitions", "first", "last", "newest"], text
    assert text.splitlines()[-1] == "30 letters in the log, 0 replayed", text
    group, = groups(work)
    files = [e for e in entries(work) if any(f["kind"] == "dead" for f in e["files"])]
    assert group["letters"] == 30 and group["reason"] == "column n: '...' is not an INT" and group["partitions"] == "0"
    letters = results.dead_letters(work.result)
    for name, want in ((f"{files[0]['number']}:3", letters[3]), (group["newest"], letters[-1])):
        told = json.loads(dead(work, "--show", name, "--json").out)
        fields = base64.b64decode(want["value"]).decode().split(",")
        today = {"error": want["reason"], "rest": None, "columns": [
            {"name": "id", "value": fields[0]}, {"name": "place", "value": fields[1]},
            {"name": "n", "bytes": base64.b64encode(fields[2].encode()).decode()}]}
        assert told == {"letter": name, "replayed": False, "today": today, **want}, (told, want)
        text = dead(work, "--show", name).out
        value = base64.b64decode(want["value"]).decode()
        assert f"reason    {want['reason']}\n" in text and f"value     {value}  ({len(value)} bytes)\n" in text, text
        assert "\nkey       none\n" in text and text.startswith(f"letter    {name}, of the commit at 2"), text
    assert text.endswith(f"today     {want['reason']}\n          id     {fields[0]}\n          place  {fields[1]}\n"
                         f"          n      not read: {fields[2]}\n"), text
    check_choices(work, letters, files)
    assert n_left(work, "--where", "reason='x7'") == 1
    assert n_left(work, "--offsets", f"0:{letters[5]['offset']}-{letters[8]['offset']}") == 4
    assert n_left(work, "--offsets", f"0:{letters[5]['offset']}") == 1 and n_left(work, "--offsets", "1:0-9") == 0
    done = dead(work, "--show", "999:0", code=2)
    assert done.err == ("tramline dead: there is no dead letter 999:0 in the log; tramline dead names the newest of "
                        "each reason\n"), done.err


def check_choices(work, letters, files):
    assert n_left(work, "--where", "place=place 7") == 1 and n_left(work, "--where", "id=a") == 10
    assert n_left(work, "--where", "id=") == 0 and n_left(work, "--where", "n=x7") == 0  # it cannot be read
    assert n_left(work, "--partition", "0") == 30 and n_left(work, "--partition", "1") == 0
    assert n_left(work, "--since", "1h") == 30 and n_left(work, "--until", "1h") == 0
    ends = sorted({file["time_ms"] for file in files})
    for at in ends:
        rows = sum(f["rows"] for e in files if e["time_ms"] >= at for f in e["files"] if f["kind"] == "dead")
        when = datetime.datetime.fromtimestamp(at / 1000, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
        assert n_left(work, "--since", f"{when}Z") == rows, (at, ends)
        assert n_left(work, "--until", f"{when}Z") == len(letters) - rows, (at, ends)


def test_a_letter_is_shown_when_its_script_cannot_be_used():
    work = job(1)
    (work.directory / "visits.csv").unlink()
    number = next(e["number"] for e in entries(work) if any(f["kind"] == "dead" for f in e["files"]))
    told = json.loads(dead(work, "--show", f"{number}:0", "--json").out)
    assert told["today"]["columns"] == [] and "visits.csv" in told["today"]["error"], told
    assert "value     a,place 0,x0  (12 bytes)\ntoday     " in dead(work, "--show", f"{number}:0").out


def test_a_replay_brings_each_letter_once():
    work = job(40, 10)
    assert "40 letters replayed: 0 gave 0 rows, 0 matched nothing, 0 ignored, 40 failed again\n" in replay(work)
    assert n_left(work) == 40 and n_left(work, "--all") == 80  # they stay, as letters of the replay
    mend(work)
    assert n_left(work, "--where", "reason='x7'") == 1
    assert "1 letter replayed: 1 gave 1 row, " in replay(work, "--where", "reason='x7'")
    assert "39 letters replayed: 39 gave 39 rows, 0 matched nothing, 0 ignored, 0 failed again\n" in replay(work)
    assert replay(work) == ("nothing to replay: no letter that is asked for is left that was not replayed before\n")
    assert n_left(work) == 0
    check_all_back(work)
    report = json.loads(lib.run("verify", work.script, "--json").out)
    assert (report["replays"], report["replayed"], report["failed_again"], report["rejected"]) == (3, 80, 40, 40)
    last = entries(work)[-1]
    assert last["kind"] == "replay" and last["partitions"] == [] and last["replay"]["records"] == 39
    work.run_once()  # a worker goes on, over a log with replays
    check_all_back(work)


def test_a_log_that_replays_twice_is_found():
    work = job(10)
    mend(work)
    replay(work)
    number = len(entries(work)) - 1

    def twice(entry):
        entry["replay"]["letters"] = [{"entry": r["entry"], "first": 0, "count": 1} for r in entry["replay"]["letters"]]
        entry["replay"]["letters"][0]["first"] = 5000
        entry["replay"]["records"] = len(entry["replay"]["letters"])
    file_job.forge(work.result, number, twice)
    said = work.verify(code=3).out
    assert f"entry {number} replays letters of entry 2 from 5000 on that are not there, or that another replay took" in said
    assert f"entry {number}: what became of its letters does not add up" in said, said
    assert (f"file://{work.result}: the commit log is damaged: entry {number} replays letters that are not there, or "
            "twice; tramline verify tells more") in dead(work, code=3).err
    end = entries(work)[number - 1]["partitions"][0]["next"]
    still = {"partition": 0, "first": end, "next": end, "data": 0, "skipped": 0, "gap": 0, "ignored": 0, "rejected": 0}
    file_job.forge(work.result, number, lambda e: e.update(partitions=[still]))
    assert f"entry {number} is a replay and has partitions all the same" in work.verify(code=3).out
    assert (f"entry {number} is a replay and has partitions all the same"
            in work.run_once(code=3).err)


def test_damaged_letters_are_told():
    work = job(10)
    path, = (work.result / "_tramline/dead").iterdir()
    good = path.read_bytes()
    for bad in (b"nonsense\n", b"{}\n", b'{"topic": 1}\n', good.replace(b'"value":"', b'"value":"*', 1), b"[" * 600):
        path.write_bytes(bad)
        done = dead(work, code=3)
        assert (f"file://{work.result}/_tramline/dead/{path.name}: line 0 is not a dead letter; tramline verify --deep "
                "tells whether the file was changed") in done.err, (bad[:20], done.err)
    path.unlink()
    assert (f"file://{work.result}/_tramline/dead/{path.name} is missing, and with it 10 dead letters; tramline verify "
            "tells more") in dead(work, code=3).err


def test_reasons_without_end_are_bounded():
    work = job(1200)
    letters = iter(enumerate(results.dead_letters(work.result)))
    for path in sorted((work.result / "_tramline/dead").iterdir()):
        lines = [next(letters) for _ in path.read_bytes().splitlines()]
        for at, line in lines:
            line["reason"] = f"{at} ".translate(str.maketrans("0123456789", "abcdefghij")) + "xy" * at
        path.write_text("".join(json.dumps(line) + "\n" for _, line in lines))
    told = groups(work)
    assert sum(group["letters"] for group in told) == 1200 and len(told) == 1000, len(told)
    assert any(group["reason"] == "(other reasons)" for group in told)
    assert all(len(group["reason"]) < 200 for group in told)


def test_two_replays_beside_each_other():
    work = job(3000)
    mend(work)
    both = [subprocess.Popen([lib.program(), "dead", str(work.script), "--replay"], stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True) for _ in range(3)]
    said = [p.communicate(timeout=120) for p in both]
    done = [p.returncode for p in both]
    assert 0 in done and set(done) <= {0, 1}, said
    for code, (_, err) in zip(done, said):
        assert code == 0 or ("nothing of this replay was committed, since another one was meanwhile, or its files were "
                             "removed; say it again for what is left") in err, err
    check_all_back(work)


def test_kills_neither_lose_nor_double():
    n, n_kills, n_parts = (10_000, 50, 10) if lib.is_long() else (1000, 12, 4)
    work, chance = job(n), random.Random(7)
    mend(work)
    letters = results.dead_letters(work.result)
    assert len(letters) == n
    offsets = [letter["offset"] for letter in letters]
    killed, whole_s, went_on = 0, 1.0, 0
    for part in range(n_parts):
        mine = offsets[part * n // n_parts:(part + 1) * n // n_parts]
        args = ["dead", work.script, "--replay", "--offsets", f"0:{mine[0]}-{mine[-1]}"]
        for _ in range(200):
            process = lib.Started(*args)
            began = time.monotonic()
            may_end = killed >= n_kills * (part + 1) // n_parts
            try:
                process.process.wait(60 if may_end else chance.uniform(0.0, 1.1) * whole_s)
            except subprocess.TimeoutExpired:
                process.signal(signal.SIGKILL)
                process.process.wait()
                killed += 1
                continue
            whole_s = time.monotonic() - began
            assert process.process.returncode == 0, process.text()
            went_on += "nothing to replay" in process.text()
            if may_end:
                break
    print(f"{killed} kills, {went_on} replays found their letters done", flush=True)
    assert killed >= n_kills and n_left(work) == 0
    work.run_once()  # a claim tidies up
    check_all_back(work)
