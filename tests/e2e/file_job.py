# SPDX-License-Identifier: Apache-2.0
"""A job that needs no server: the stream is a CSV file, the result a local directory."""
import base64
import collections
import hashlib
import json
import subprocess
import sys

import lib
import results

SCRIPT = """
SET spool = '{0}/spool';
SET on_error.share = '100%';
{1}
CREATE TABLE names (id TEXT NOT NULL, name TEXT)
  WITH (connector = 'filesystem', path = '{0}/names', format = 'csv');
CREATE TABLE visits (id TEXT NOT NULL, place TEXT, n INT)
  WITH (connector = 'file', path = '{0}/visits.csv', header = false);
CREATE TABLE result () WITH (connector = 'filesystem', path = '{0}/result', format = 'csv');
INSERT INTO result SELECT v.id, v.place, v.n, w.name FROM visits v LEFT JOIN names w ON w.id = v.id;
"""
NAMES = {"a": "Angrignon", "b": "Berri", "c": None}


class FileJob:
    """`n` records, each seventh of them bad; `settings` a dict for SET."""

    def __init__(self, n, settings):
        self.directory = lib.tmp_dir()
        self.script = self.directory / "pipeline.sql"
        self.script.write_text(SCRIPT.format(
            self.directory, "\n".join(f"SET {k} = '{v}';" for k, v in settings.items())))
        (self.directory / "names").mkdir()
        (self.directory / "names/names.csv").write_text(
            "id,name\n" + "".join(f"{k},{v or ''}\n" for k, v in NAMES.items()))
        lines = [self.line(i) for i in range(n)]
        (self.directory / "visits.csv").write_text("".join(f"{line}\n" for line in lines))
        good = [line.split(",") for line in lines if not self.is_bad(line)]
        self.rows = collections.Counter((*f, NAMES.get(f[0])) for f in good)
        self.bad = [line for line in lines if self.is_bad(line)]

    @staticmethod
    def line(i):
        return f"{'abcd'[i % 4]},place {i},{'x' if i % 7 == 0 else i}"

    @staticmethod
    def is_bad(line):
        return line.endswith("x")

    @property
    def result(self):
        return self.directory / "result"

    def run_once(self, **kwargs):
        return lib.run("run", self.script, "--once", **kwargs)

    def verify(self, **kwargs):
        return lib.run("verify", self.script, "--deep", **kwargs)

    def second_opinion(self):
        """(exit code, what it says) of tools/verify_log.py."""
        done = subprocess.run([sys.executable, lib.ROOT / "tools/verify_log.py", self.result],
                              capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    def check(self, with_second_opinion=True):
        """All that is in the stream is in the result, once; both opinions say so."""
        results.same_rows(results.rows_of_result(self.result), self.rows)
        letters = [base64.b64decode(letter["value"]).decode()
                   for letter in results.dead_letters(self.result)]
        assert sorted(letters) == sorted(self.bad), (len(letters), len(self.bad))
        self.verify()
        if not with_second_opinion:
            return
        code, text = self.second_opinion()
        assert code == 0, text


def entries(result):
    return sorted((result / "_tramline/log/000000").iterdir())


def sealed(entry):
    """Its text with a checksum that holds."""
    text = json.dumps({**entry, "checksum": "0" * 64})
    return text.replace("0" * 64, hashlib.sha256(text.encode()).hexdigest(), 1)


def forge(result, number, edit):
    """Changes an entry, and the others so that the chain holds."""
    before = None
    for at, path in enumerate(entries(result)):
        entry = json.loads(path.read_text())
        if at > 0:
            entry["prev"] = before
        if at == number:
            edit(entry)
        path.write_text(sealed(entry))
        before = json.loads(path.read_text())["checksum"]
