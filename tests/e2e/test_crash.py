# SPDX-License-Identifier: Apache-2.0
# test: needs nothing
"""A worker on local files dies before every single call that changes the result directory, by SIGKILL
and by a power cut; whoever comes then makes the result whole: each row and each dead letter once."""
import collections
import pathlib
import random
import shutil
import signal

import disk
import file_job
import lib

COMMITS = {"commit.rows": "30", "batch.records": "20"}
N_RECORDS = 60
N_ROUNDS = 300 if lib.is_long() else 30  # of killing at random


def kinds_of(recorder):
    return collections.Counter(call for call, _, _ in recorder.calls())


def recorded(work, made):
    """A run that is left in peace: what it does to the directory."""
    recorder = disk.Recorder(made, work.result)
    work.run_once(env=recorder.env())
    work.check()
    kinds = kinds_of(recorder)
    print(f"{kinds.total()} calls: {dict(kinds)}", flush=True)
    assert kinds["rename"] >= 8 and kinds["fsync"] >= 20, kinds
    return recorder, kinds


def tree(root):
    """Names and sizes below a directory."""
    return sorted((str(p), p.is_file() and p.stat().st_size) for p in root.rglob("*"))


def after(work, number):
    work.run_once()
    work.check(with_second_opinion=number % 10 == 0)
    shutil.rmtree(work.result)


def test_killed_before_every_call():
    work, made = file_job.FileJob(N_RECORDS, COMMITS), disk.library()
    _, kinds = recorded(work, made)
    shutil.rmtree(work.result)
    number, code = 0, -9
    while code == -9:  # until one has fewer calls
        number += 1
        recorder = disk.Recorder(made, work.result)
        code = work.run_once(env=recorder.env(kill=number), code=None).code
        n_done = len(recorder.calls())
        assert (code == -9 and n_done == number - 1) or (code == 0 and n_done < number), (code, n_done, number)
        work.result.mkdir(exist_ok=True)
        after(work, number)
    # Several threads write side by side; one or more of them make the folders over their files.
    last = kinds_of(recorder)
    assert all(last[kind] == n for kind, n in kinds.items() if kind not in ("mkdir", "fsync")), (last, kinds)


def test_power_cut_before_every_call():
    work, made = file_job.FileJob(N_RECORDS, COMMITS), disk.library()
    recorder, kinds = recorded(work, made)
    n_calls = kinds.total()
    shutil.rmtree(work.result)
    n_states = 0
    for names_survive in (False, True):
        before = None
        for number in range(2, n_calls + 2):
            recorder.after_cut(number, names_survive)
            work.result.mkdir(exist_ok=True)
            found = tree(work.result)
            if found != before:
                n_states += 1
                after(work, n_states)
            shutil.rmtree(work.result, ignore_errors=True)
            before = found
        recorder.after_cut(n_calls + 1, names_survive)
        work.check()  # after the end nothing can be lost any more
        shutil.rmtree(work.result)
    print(f"{n_states} states after a power cut", flush=True)


def test_killed_at_random_two_at_once():
    """Two workers that both own the only partition: they claim it from each other, and die."""
    work, made = file_job.FileJob(N_ROUNDS * 40, COMMITS), disk.library()
    dice = random.Random(7)
    n_kills = 0
    for _ in range(N_ROUNDS):
        recorder = disk.Recorder(made, work.result)
        pair = [lib.Started("run", work.script, "--once",
                            env=recorder.env(kill=dice.randrange(5, 60))) for _ in range(2)]
        n_kills += sum(worker.wait(code=None) == -9 for worker in pair)
    print(f"{n_kills} of {2 * N_ROUNDS} workers were killed", flush=True)
    assert n_kills >= N_ROUNDS
    work.run_once()
    work.check()


def stopped(work, made, number, *args):
    """A run that hangs before a call, or None: it came to its end before."""
    recorder = disk.Recorder(made, work.result)
    run = lib.Started(*args, env={**recorder.env(), "DISK_STOP": str(number)})
    state = pathlib.Path(f"/proc/{run.process.pid}/stat")
    lib.wait_until(lambda: state.read_text().rpartition(") ")[2][0] in "TZ", what="the stop")
    return run if run.is_running() else None


def test_a_worker_that_hung_comes_back():
    """Another one does all the work meanwhile: the first one finds that and does no harm."""
    work, made = file_job.FileJob(N_RECORDS, COMMITS), disk.library()
    n_calls = recorded(work, made)[1].total()
    shutil.rmtree(work.result)
    n_hung = 0
    for number in range(1, n_calls + 1, 2):
        first = stopped(work, made, number, "run", work.script, "--once")
        work.result.mkdir(exist_ok=True)
        work.run_once()
        if first is not None:
            n_hung += 1
            first.signal(signal.SIGCONT)
            first.wait()
        after(work, number)
    print(f"{n_hung} workers came back", flush=True)
    assert n_hung > n_calls // 3


def test_no_worker_begins_while_all_is_removed():
    work, made = file_job.FileJob(N_RECORDS, COMMITS), disk.library()
    work.run_once()
    reset = stopped(work, made, 3, "init", work.script, "--reset", "--yes")
    done = work.run_once(code=1)
    assert "or tramline init --reset is at work" in done.err, done.err
    reset.signal(signal.SIGCONT)
    reset.wait()
    work.run_once()
    work.check()
