# SPDX-License-Identifier: Apache-2.0
# test: needs nothing
"""The folder of a job below the state directory: there while a worker runs, gone after an orderly end,
whatever starts and ends beside it; what a crash leaves goes with the next run."""
import os
import shutil
import subprocess

import lib

SCRIPT = """
SET job.name = '{name}'; {settings}
CREATE TABLE s (id TEXT, n INT) WITH (connector = 'file', path = '{place}/in.csv', format = 'csv');
CREATE TABLE r () WITH (connector = 'filesystem', path = '{place}/r', format = 'csv');
INSERT INTO r SELECT s.* FROM s;
"""


class Work:
    def __init__(self, state, name="job", settings=""):
        self.place, self.state = lib.tmp_dir(), state
        self.env = {"XDG_STATE_HOME": str(state)}
        self.script = self.place / "p.sql"
        self.script.write_text(SCRIPT.format(name=name, place=self.place, settings=settings))
        (self.place / "in.csv").write_text("id,n\na,1\n")

    def run(self, *args, **kwargs):
        return lib.run(*args, self.script, env=self.env, **kwargs)

    def start(self):
        job = lib.Started("run", self.script, env=self.env)
        lib.wait_until(lambda: (self.place / "r").exists() and "claims" in job.text(), what="a claim")
        return job


def folders(state):
    place = state / "tramline"
    return sorted(os.listdir(place)) if place.exists() else []


def test_the_folder_goes_with_the_run():
    state = lib.tmp_dir()
    for n in range(3):
        Work(state, f"job{n}").run("run", "--once")
        assert folders(state) == []
    Work(state).run("init", "--reset", "--yes")
    assert folders(state) == []
    assert (state / "tramline").exists()


def test_the_folder_is_there_while_a_worker_runs():
    state = lib.tmp_dir()
    work, other = Work(state), Work(state)
    first, second = work.start(), other.start()
    assert sorted(os.listdir(state / "tramline/job")) == ["slot-0.lock", "slot-1.lock"]
    done = work.run("init", "--reset", "--yes", code=1)
    assert "job job is running on this machine; stop it before --reset" in done.err, done.err
    first.stop()
    assert os.listdir(state / "tramline/job") == ["slot-1.lock"]
    third = work.start()
    assert sorted(os.listdir(state / "tramline/job")) == ["slot-0.lock", "slot-1.lock"]
    second.stop()
    third.stop()
    assert folders(state) == []


def test_what_a_crash_leaves_goes_with_the_next_run():
    state = lib.tmp_dir()
    work = Work(state)
    job = work.start()
    job.kill()
    assert os.listdir(state / "tramline/job") == ["slot-0.lock"]
    work.run("run", "--once")
    assert folders(state) == []


def test_what_is_not_ours_stays():
    state = lib.tmp_dir()
    (state / "tramline/job").mkdir(parents=True)
    (state / "tramline/job/notes").write_text("mine")
    Work(state).run("run", "--once")
    assert os.listdir(state / "tramline/job") == ["notes"]
    shutil.rmtree(state)


def test_runs_that_begin_and_end_beside_each_other():
    """Of one name, so of one folder: none fails, and the last one takes the folder along."""
    state = lib.tmp_dir()
    works = [Work(state) for _ in range(4)]
    loops = [subprocess.Popen(
        ["sh", "-c", 'for i in 1 2 3 4 5 6 7 8 9 10 11 12; do "$0" run --once "$1" || exit 1; done',
         lib.program(), str(work.script)], env={**os.environ, **work.env}, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) for work in works]
    for loop in loops:
        _, err = loop.communicate(timeout=120)
        assert loop.returncode == 0, err[-2000:]
    assert folders(state) == []
