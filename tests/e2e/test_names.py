# SPDX-License-Identifier: Apache-2.0
# test: needs nothing
"""Names from outside that are not UTF-8: directories, a host, a feed. What is written of them is JSON
that anybody reads (docs/commit-log.md), and the job goes on from its own log."""
import base64
import json
import os
import pathlib
import shlex
import subprocess

import avro_container
import lib
import results

LATIN1 = b"Caf\xe9 \xef\xbf\xbd"  # and U+FFFD itself
FORM = "Caf\ufffdE9 \ufffdEF\ufffdBF\ufffdBD"
SCRIPT = """
SET spool = 'spool';
SET on_error.share = '100%';
CREATE TABLE names (id TEXT NOT NULL, name TEXT)
  WITH (connector = 'filesystem', path = 'names', format = 'csv');
CREATE TABLE visits (id TEXT NOT NULL, n INT) WITH (connector = 'file', path = 'visits.csv');
CREATE TABLE result () WITH (connector = 'filesystem', path = 'result', format = '{0}');
INSERT INTO result SELECT v.id, v.n, w.name FROM visits v LEFT JOIN names w ON w.id = v.id;
"""


class Work:
    """Relative paths in a directory whose name is not UTF-8."""

    def __init__(self, form="csv"):
        self.parent = lib.tmp_dir()
        self.directory = pathlib.Path(os.fsdecode(os.fsencode(self.parent) + b"/" + LATIN1))
        self.directory.mkdir()
        (self.directory / "p.sql").write_text(SCRIPT.format(form))
        (self.directory / "names").mkdir()
        (self.directory / "names/names.csv").write_text("id,name\na,Angrignon\n")
        (self.directory / "visits.csv").write_text("id,n\na,1\nb,x\n")

    def tramline(self, *args, **kwargs):
        return lib.run(*args, cwd=self.directory, **kwargs)

    def topic(self):
        return f"{self.parent.resolve()}/{FORM}/visits.csv"


def test_a_stream_below_a_directory_in_latin_1():
    work = Work()
    work.tramline("run", "--once", "p.sql")
    with open(work.directory / "visits.csv", "a") as file:
        file.write("c,3\n")
    work.tramline("run", "--once", "p.sql")
    assert results.rows_of_result(f"{work.directory}/result").total() == 2
    entries = results.log_entries(f"{work.directory}/result")
    assert {entry["job"]["topic"] for entry in entries.values()} == {work.topic()}
    letters = results.dead_letters(f"{work.directory}/result")
    assert [letter["topic"] for letter in letters] == [work.topic()]
    assert base64.b64decode(letters[0]["value"]) == b"b,x"
    assert work.tramline("verify", "--deep", "--json", "p.sql").json()["errors"] == 0
    assert work.tramline("explain", "--json", "p.sql").json()["insert"]["into"] == "result"
    for line in work.tramline("cat", "--dead", "p.sql", "result").out.splitlines():
        json.loads(line)


def test_another_directory_is_another_job():
    """One name in Latin-1, one that looks like its form: the log of the first is not the second's."""
    work, other = Work(), lib.tmp_dir() / FORM
    work.tramline("run", "--once", "p.sql")
    other.mkdir()
    for name in ("p.sql", "visits.csv", "names/names.csv"):
        (other / name).parent.mkdir(exist_ok=True)
        (other / name).write_text((work.directory / name).read_text())
    script = (other / "p.sql").read_text().replace("'result'", f"'{other.parent}/result'")
    (other / "p.sql").write_text(script)
    os.rename(work.directory / "result", other.parent / "result")
    done = lib.run("run", "--once", "p.sql", cwd=other, code=2)
    assert "belongs to job" in done.err, done.err


def test_an_avro_file_tells_its_offsets():
    work = Work("avro")
    work.tramline("run", "--once", "p.sql")
    place = results.open_dir(work.directory / "result")
    files = results.data_files(work.directory / "result", ".avro")
    note = json.loads(avro_container.Container(place.read(files[0])).meta["tramline.offsets"])
    assert note["topic"] == work.topic(), note


def test_a_feed_below_a_directory_in_latin_1():
    work = Work()
    feed = work.directory / "feed"
    feed.mkdir()
    (feed / "names.txt").write_text("id,name\na,Berri\n")
    work.tramline("extract", feed, "p.sql")
    manifest = json.loads((work.directory / "_feed.json").read_text())
    assert manifest["source"].endswith(f"/{FORM}/feed"), manifest
    work.tramline("run", "--once", "p.sql")
    assert ("a", "1", "Berri") in results.rows_of_result(f"{work.directory}/result")


def test_the_state_below_a_directory_in_latin_1():
    work = Work()
    script = (work.directory / "p.sql").read_text().replace("SET spool = 'spool';", "")
    (work.directory / "p.sql").write_text(script)
    work.tramline("run", "--once", "p.sql", env={"XDG_STATE_HOME": f"{work.directory}/state"})
    assert os.listdir(work.directory / "state/tramline") == []
    work.tramline("verify", "--deep", "p.sql")


def test_a_host_in_latin_1():
    """A host's name in a namespace of its own."""
    work = Work()
    program = lib.program()
    command = (r"printf 'caf\351' >/proc/sys/kernel/hostname && "
               f"exec {shlex.quote(program)} run --once p.sql")
    done = subprocess.run(["unshare", "-u", "sh", "-c", command], cwd=work.directory, text=True,
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    if "Operation not permitted" in done.stderr:
        raise lib.Skip(f"no host's name of its own here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    entries = results.log_entries(f"{work.directory}/result")
    assert entries[1]["worker"].startswith("caf\ufffdE9/"), entries[1]
    work.tramline("verify", "--deep", "p.sql")
