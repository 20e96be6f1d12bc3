# SPDX-License-Identifier: Apache-2.0
# test: needs nothing
"""A result in a directory where others may write: entries with names that lead elsewhere, and symbolic
links in the place of files and directories. Whatever the command, nothing outside the result changes,
and nothing of others inside."""
import json
import os
import shutil

import file_job
import lib

COMMITS = {"commit.rows": "20", "batch.records": "10", "log.snapshot": "3"}
LOG = "_tramline/log/000000/{:020}.json"
WAY_OUT = ("nothing of it was followed: put the entry back as it was, or start over with tramline init "
           "--reset")


def tree(directory):
    """Every path below, with what it holds."""
    found = {}
    for folder, folders, files in os.walk(directory):
        for name in folders + files:
            path = os.path.join(folder, name)
            if os.path.islink(path):
                found[path] = os.readlink(path)
            elif os.path.isfile(path):
                found[path] = open(path, "rb").read()
            else:
                found[path] = None
    return found


class Attack:
    """A good result beside things of others, which no command may touch."""

    def __init__(self):
        self.work = file_job.FileJob(60, COMMITS)
        self.work.run_once()
        self.result = self.work.result
        self.outside = self.work.directory / "outside"
        self.outside.mkdir()
        (self.outside / "precious").write_text("x")
        (self.outside / "part-00000000000000000002-0.csv").write_text("id,place,n,name\n")
        self.good = self.work.directory / "good"
        shutil.copytree(self.result, self.good, symlinks=True)

    def again(self):
        shutil.rmtree(self.result)
        shutil.copytree(self.good, self.result, symlinks=True)

    def tell(self, *args, code):
        before = tree(self.outside)
        done = lib.run(*args, code=code)
        after = tree(self.outside)
        assert before == after, (args, before, after)
        return done.out + done.err

    def read_commands(self):
        script = self.work.script
        return {"run": ("run", script, "--once"), "verify": ("verify", script),
                "deep": ("verify", script, "--deep"), "cat": ("cat", script, "result"),
                "dead": ("cat", script, "result", "--dead")}

    def reset(self):
        said = self.tell("init", self.work.script, "--reset", "--yes", code=0)
        assert not (self.result / "_tramline").exists(), said
        return said


def last_commit(attack):
    """The number of the newest entry with a data file."""
    return max(n for n, path in enumerate(file_job.entries(attack.result))
               if json.loads(path.read_text())["files"])


def set_file(key, value):
    def edit(entry):
        entry["files"][0][key] = value
    return edit


def names_of(attack):
    outside = str(attack.outside)
    return {
        "tmp absolute": (set_file("tmp", f"{outside}/precious"), "field 'tmp' of file 0"),
        "tmp upwards": (set_file("tmp", "../outside/precious"), "field 'tmp' of file 0"),
        "tmp upwards later": (set_file("tmp", "_tramline/tmp/../../../outside/precious"),
                              "field 'tmp' of file 0"),
        "tmp behind a link": (set_file("tmp", "link/precious"), "field 'tmp' of file 0"),
        "tmp is the log": (set_file("tmp", LOG.format(0)), "field 'tmp' of file 0"),
        "name absolute": (set_file("name", f"{outside}/new"), "field 'name' of file 0"),
        "name behind a link": (set_file("name", "link/part-00000000000000000002-0.csv"),
                               "field 'name' of file 0"),
        "name of 3,000 bytes": (set_file("name", "n" * 3000), "field 'name' of file 0"),
        "name with an escape": (set_file("name", "\x1b[2Jx.csv"), "field 'name' of file 0"),
        "writer": (lambda e: e.update(writer=".."), "field 'writer' is not a UUID"),
        "data": (lambda e: e["partitions"][0].update(data=2**63 - 1),
                 "field 'data' is not a whole number"),
    }


def test_names_in_entries_are_refused_by_every_command():
    attack = Attack()
    number = last_commit(attack)
    (attack.result / "link").symlink_to(attack.outside)
    (attack.work.directory / "good/link").symlink_to(attack.outside)
    for name, (edit, field) in names_of(attack).items():
        attack.again()
        file_job.forge(attack.result, number, edit)
        place = f"{attack.result}/{LOG.format(number)}"
        inside = tree(attack.result)
        for command, args in attack.read_commands().items():
            code = {"run": 3, "verify": 3, "deep": 3, "cat": 3, "dead": 0}[command]
            said = attack.tell(*args, code=code)
            assert tree(attack.result) == inside, (name, command)
            assert "\x1b" not in said, said
            if command != "dead":
                assert field in said and place in said and WAY_OUT in said, (name, command, said)
        attack.reset()
        print(name, flush=True)


def test_writers_of_a_snapshot_are_refused():
    attack = Attack()
    found = [n for n, path in enumerate(file_job.entries(attack.result))
             if n > 0 and "snapshot" in json.loads(path.read_text())]
    number = found[0]
    for writer in ("..", "../..", "/", "../../outside", ""):
        attack.again()
        file_job.forge(attack.result, number, lambda e: e["snapshot"]["writers"].append(writer))
        inside = tree(attack.result)
        for command in ("run", "verify"):
            said = attack.tell(*attack.read_commands()[command], code=3)
            assert "field 'writers' is not a UUID" in said, said
            assert tree(attack.result) == inside


def replace_by_link(path, to):
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
    path.symlink_to(to)


def test_links_inside_a_result_are_not_followed():
    """Of directories and files of the program, to directories and files of others."""
    attack = Attack()
    part = next(p.name for p in sorted(attack.result.glob("part-*")))
    links = {
        "the log": ("_tramline", attack.outside),
        "its entries": ("_tramline/log", attack.outside),
        "its bucket": ("_tramline/log/000000", attack.outside),
        "an entry": (LOG.format(1), attack.outside / "precious"),
        "tmp": ("_tramline/tmp", attack.outside),
        "dead letters": ("_tramline/dead", attack.outside),
        "a data file": (part, attack.outside / "part-00000000000000000002-0.csv"),
    }
    for name, (path, to) in links.items():
        attack.again()
        replace_by_link(attack.result / path, to)
        with open(attack.work.directory / "visits.csv", "a") as visits:
            visits.write("a,more,7\n")
        said = [attack.tell(*args, code=None) for args in attack.read_commands().values()]
        assert any("a symbolic link is on the way" in text for text in said), (name, said)
        attack.reset()
        print(name, flush=True)


def test_a_day_that_is_a_link_is_left_alone():
    attack = Attack()
    (attack.result / "day=2026-11-22").symlink_to(attack.outside)
    said = attack.reset()
    assert "day=2026-11-22" in said and "left" in said, said
    assert (attack.outside / "part-00000000000000000002-0.csv").exists()


def test_the_result_itself_may_be_a_link():
    work = file_job.FileJob(60, COMMITS)
    (work.directory / "elsewhere").mkdir()
    work.result.symlink_to("elsewhere")
    work.run_once()
    work.check()
    assert any((work.directory / "elsewhere").glob("part-*"))
    lib.run("init", work.script, "--reset", "--yes")
    assert work.result.is_symlink() and not any((work.directory / "elsewhere").iterdir())


def test_a_table_behind_a_link_is_told_with_the_way_out():
    work = file_job.FileJob(60, COMMITS)
    names = work.directory / "names/names.csv"
    names.rename(work.directory / "kept.csv")
    names.symlink_to("../kept.csv")
    said = work.run_once(code=1).err
    assert (f"{names}: cannot read: a symbolic link is on the way, and inside a directory of tables or "
            "results none is followed; put the file itself there, or let the whole directory be the "
            "link") in said, said
    names.unlink()
    (work.directory / "names").rmdir()
    (work.directory / "other").mkdir()
    (work.directory / "kept.csv").rename(work.directory / "other/names.csv")
    (work.directory / "names").symlink_to("other")
    work.run_once()
    work.check()
