# SPDX-License-Identifier: Apache-2.0
# test: needs kafka hdfs registry
# test: limit 900
# test: long
"""Workers of an older program and of this one, by turns and side by side, are killed again and again: each goes
on in the log of the other, nothing is lost or doubled, and both call the result good."""
import collections
import concurrent.futures
import itertools
import random
import subprocess

import avro_results
import disk
import feeds
import file_job
import job
import lib
import results
import victim

OLD_COMMIT = "dee2c59de1d948199c2e128f8fdb78d34f248b4f"
FEED = "stm-2021-metro-rebuilt"
N_ROUNDS = 12
N_FILE_ROUNDS = 40
LIFE_S = 4  # for some commits between two kills
ENTRY_BEGIN = b'{"format":1,'
# The older program's is 45 s, for which whoever comes after a kill would wait.
SESSION = ("connector = 'kafka', ", "connector = 'kafka', \"session.timeout\" = '6s', ")
SETTINGS = {**victim.SETTINGS, "log.snapshot": "8"}
NO_GROUP = {**SETTINGS, "membership": "none"}


def old_program():
    """The program of OLD_COMMIT, from its files and not from a work tree, which the repository would
    have to know; kept in build/."""
    folder = lib.ROOT / "build" / f"at-{OLD_COMMIT[:7]}"
    built = folder / "release/tramline"
    if built.exists():
        return built
    archive = subprocess.run(["git", "-C", lib.ROOT, "archive", OLD_COMMIT], capture_output=True, check=False)
    if archive.returncode != 0:
        raise lib.Skip(f"no commit {OLD_COMMIT[:7]} in this clone")
    (folder / "tree").mkdir(parents=True, exist_ok=True)
    subprocess.run(["tar", "-x", "-C", folder / "tree"], input=archive.stdout, check=True)
    subprocess.run(["cmake", "-S", folder / "tree", "-B", folder / "release", "-G", "Ninja",
                    "-DCMAKE_BUILD_TYPE=Release"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["ninja", "-C", folder / "release", "-j2", "tramline"], check=True, stdout=subprocess.DEVNULL,
                   timeout=600)
    return built


def programs():
    return [old_program(), lib.program()]


def commits_of(result):
    """How many claims and commits are each program's: the older one says nothing of its script in a claim."""
    entries = results.log_entries(result).values()
    new = {entry["writer"] for entry in entries if entry["kind"] == "claim" and "script" in entry}
    return collections.Counter((entry["kind"], "new" if entry["writer"] in new else "old") for entry in entries
                               if entry["kind"] in ("claim", "commit"))


def check_left(result):
    """Nothing but files that entries name, and claims that were not published, whole or in part, as their
    workers were killed: the folder of a writer that no entry names is left alone, it may be about to claim."""
    place, entries = results.open_dir(result), results.log_entries(result)
    named = {file["name"] for entry in entries.values() for file in entry["files"]}
    writers = {entry["writer"] for entry in entries.values()}
    left = {path for path in place.walk() if not path.startswith("_tramline/log/")}
    assert named <= left, named - left
    for path in left - named:
        _, folder, writer, _ = path.split("/")
        assert folder == "tmp" and writer not in writers, path
        assert ENTRY_BEGIN.startswith(place.read(path)[:len(ENTRY_BEGIN)]), path


def known_to(old, new):
    """Of this program's report what the older one's has: that tells no epochs."""
    if isinstance(old, dict):
        return {key: known_to(value, new.get(key)) for key, value in old.items()}
    if isinstance(old, list):
        return [known_to(*pair) for pair in zip(old, new, strict=True)]
    return new


def check_old_verify(work):
    """The older program's opinion, of all bytes, is this one's."""
    old = work.tramline("verify", "--deep", "--json", binary=old_program()).json()
    new = work.verify()
    assert old["errors"] == new["errors"] == 0, (old, new)
    assert known_to(old, new) == old, (old, new)


def killed_by_turns(work, seed, both_at_once=True, **kwargs):
    """Rounds with one worker, the older and this one by turns, and with one of each at the same time."""
    one = victim.Victim(work, seed, lib.feed_dir(FEED), programs()[::1 if seed % 2 else -1],
                        life_s=LIFE_S, **kwargs)
    while one.n_rounds < N_ROUNDS:
        one.one_round(n_workers=2 if both_at_once and one.n_rounds % 4 == 3 else 1)
    return one


def check(one):
    one.check()
    check_old_verify(one.work)
    check_left(one.work.result)
    made = commits_of(one.work.result)
    print(f"{one.n_kills} kills in {one.n_rounds} rounds, {dict(made)}; after {one.n_between} rounds files of an "
          "open commit were found", flush=True)
    assert len(made) == 4, made


def avro_rows(result):
    return collections.Counter(avro_results.iter_result(result))


def test_killed_by_turns():
    """Jobs side by side, to HDFS, in CSV and in Avro, and to local files."""
    old_program()
    hdfs, local = lib.hdfs_url("/").rstrip("/"), f"file://{lib.tmp_dir()}"
    jobs = [(job.Job(hdfs, SETTINGS, [SESSION]), {}),
            (job.Job(hdfs, SETTINGS, [*feeds.avro_replacements(), SESSION]), {"rows_of": avro_rows}),
            (job.Job(hdfs, NO_GROUP), {"both_at_once": False}),
            (job.Job(local, NO_GROUP), {"both_at_once": False})]
    with concurrent.futures.ThreadPoolExecutor(len(jobs)) as pool:
        waiting = [pool.submit(killed_by_turns, work, seed, **more) for seed, (work, more) in enumerate(jobs)]
        victims = [done.result() for done in waiting]
    for one in victims:
        check(one)


@lib.not_checked
def test_local_file_killed_by_turns():
    """Killed before a call that changes the directory; each third time both are at it at once."""
    settings = {"commit.rows": "30", "batch.records": "20", "log.snapshot": "16"}
    work, made, dice = file_job.FileJob(N_FILE_ROUNDS * 120, settings), disk.library(), random.Random(11)
    next_program, n_kills = itertools.cycle(programs()), 0
    for number in range(N_FILE_ROUNDS):
        recorder = disk.Recorder(made, work.result)
        workers = [lib.Started("run", work.script, "--once", binary=next(next_program),
                               env=recorder.env(kill=dice.randrange(5, 150)))
                   for _ in range(2 if number % 3 == 2 else 1)]
        n_kills += sum(worker.wait(code=None) == -9 for worker in workers)
    for binary in programs():
        work.run_once(binary=binary)
    work.check()
    work.verify(binary=old_program())
    check_left(work.result)
    made = commits_of(work.result)
    print(f"{n_kills} kills, {dict(made)}", flush=True)
    assert n_kills >= N_FILE_ROUNDS and min(made.values()) >= 10 and len(made) == 4, made
