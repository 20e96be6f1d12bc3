# SPDX-License-Identifier: Apache-2.0
# test: needs nothing
"""No file is in two places of a script, and init --reset takes only what the job made."""
import itertools
import re
import shutil

import lib
from file_job import FileJob

SCRIPT = """SET spool = '{root}/spool';
CREATE TABLE trips (trip_id TEXT NOT NULL, route_id TEXT)
  WITH (connector = 'filesystem', path = '{trips}', format = 'csv');
CREATE TABLE routes (route_id TEXT NOT NULL)
  WITH (connector = 'filesystem', path = '{routes}', format = 'csv');
CREATE MATERIALIZED VIEW v WITH (path = '{v}', format = 'csv') AS SELECT trip_id FROM trips;
CREATE TABLE s (trip_id TEXT NOT NULL) WITH (connector = 'file', path = '{s}');
CREATE TABLE r () WITH (connector = 'filesystem', path = '{r}', format = 'csv');
INSERT INTO r SELECT s.trip_id FROM s JOIN v ON v.trip_id = s.trip_id;
"""
NAMES = ["trips", "routes", "v", "s", "r"]  # in the order of the script


class Place:
    def __init__(self):
        self.root = lib.tmp_dir()
        self.paths = {"trips": f"{self.root}/in/trips", "routes": f"{self.root}/in/routes",
                      "v": f"{self.root}/v", "s": f"{self.root}/s.csv", "r": f"{self.root}/out"}

    def write(self):
        (self.root / "p.sql").write_text(SCRIPT.format(root=self.root, **self.paths))

    def run(self, *args, **kwargs):
        return lib.run(*args, cwd=self.root, env={"HOME": str(self.root)}, **kwargs)


def tree(root):
    return {p: p.read_bytes() if p.is_file() else None for p in root.rglob("*")}


COMMANDS = [("check", "p.sql"), ("init", "p.sql"), ("init", "--reset", "--yes", "p.sql"),
            ("run", "--once", "p.sql"), ("extract", "feed", "p.sql")]


def refused(place, inner, outer, words, commands=COMMANDS[:1]):
    """Both names, the lines and nothing changed, by each of the commands."""
    place.write()
    before = tree(place.root)
    for command in commands:
        said = place.run(*command, code=2)
        second, first = sorted((inner, outer), key=NAMES.index, reverse=True)
        wanted = rf"error: the path of '{second}' {words} that of '{first}', on line \d+\n"
        assert re.search(wanted, said.err), said.err
        assert said.err.endswith("p.sql has errors; nothing was done\n"), said.err
    assert tree(place.root) == before


def test_any_two_places_that_overlap_are_refused():
    for a, b in itertools.permutations(NAMES, 2):
        later_is_inner = NAMES.index(a) > NAMES.index(b)
        place = Place()
        place.paths[a] = place.paths[b]
        refused(place, a, b, "is")
        place = Place()
        place.paths[a] = place.paths[b] + "/deep/er"
        refused(place, a, b, "is inside" if later_is_inner else "holds")


def test_no_command_writes_before_it_refuses():
    place = Place()
    (place.root / "feed").mkdir()
    (place.root / "feed/trips.txt").write_text("trip_id,route_id\na,1\n")
    (place.root / "feed/routes.txt").write_text("route_id\n1\n")
    (place.root / "s.csv").write_text("trip_id\na\n")
    place.paths["r"] = str(place.root)
    place.write()
    before = tree(place.root)
    for command in COMMANDS:
        said = place.run(*command, code=2)
        for name in ("trips", "routes", "v", "s"):
            assert f"the path of 'r' holds that of '{name}', on line " in said.err, said.err
    assert tree(place.root) == before


def test_other_spellings_of_one_place_are_found():
    for spelling in ("{root}/in//./trips/", "file://{root}/in/trips", "in/trips", "./in/x/../trips",
                     "{root}/link/trips", "link/trips"):
        place = Place()
        (place.root / "in").mkdir()
        (place.root / "link").symlink_to("in")
        place.paths["r"] = spelling.format(root=place.root)
        refused(place, "r", "trips", "is")
    for a, b in (("hdfs://nn/x", "hdfs://NN:9870/x/"), ("hdfs://n1,n2/x", "hdfs://n2,n1:9870/x"),
                 ("hdfs://nn/x", "hdfss://nn/x")):
        place = Place()
        place.paths.update(trips=a, r=b)
        refused(place, "r", "trips", "is")
        place.paths.update(trips=a, r=b.rstrip("/") + "/y")
        refused(place, "r", "trips", "is inside")


def test_neighbours_are_no_overlap():
    place = Place()
    place.paths.update(trips="in/trips", routes="in/trips2", v="in/trip", r="hdfs://nn/in/trips")
    place.write()
    place.run("check", "p.sql")


def test_the_root_of_a_storage_is_refused():
    for root in ("/", "file:///", "//", "/x/..", "hdfs://nn", "hdfs://nn/", "hdfs://nn:9870//."):
        for name in ("trips", "v", "r"):
            place = Place()
            place.paths[name] = root
            place.write()
            for command in COMMANDS[:4]:
                said = place.run(*command, code=2)
                assert (f"error: '{root}' is the root of its storage, where all is that others keep; "
                        "give a directory below it\n") in said.err, said.err


FOREIGN = {"precious/data.txt": "1", "trips.csv": "2", "part-0001.csv": "3", "_SUCCESS": "",
           "day=2026-01-01/mine.csv": "4", "part-00000000000000000001-0.csv.bak": "5"}


def plant(root):
    for name, text in FOREIGN.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def check_reset(job, n_left, first):
    """A run, foreign files, a reset: they stay, and the job can start over."""
    job.run_once()
    job.check()
    assert list(job.result.glob("**/part-*-0.csv"))
    plant(job.result)
    said = lib.run("init", "--reset", "--yes", job.script)
    assert f"result     removed      file://{job.result}\n" in said.out, said.out
    assert (f"result     left         {n_left} names of others in file://{job.result}, such as "
            f"'{first}'\n") in said.out, said.out
    left = {str(p.relative_to(job.result)): p.read_text()
            for p in job.result.rglob("*") if p.is_file()}
    assert left == FOREIGN, left
    shutil.rmtree(job.result)  # verify would tell of them
    job.run_once()
    job.check()


def test_a_reset_leaves_what_is_not_the_jobs():
    check_reset(FileJob(50, {}), 6, "_SUCCESS")


def test_a_reset_of_days_leaves_what_is_not_the_jobs():
    job = FileJob(50, {})
    job.script.write_text(job.script.read_text().replace("/result', format",
                                                         "/result', directory = 'day', format"))
    check_reset(job, 6, "_SUCCESS")


def test_a_reset_of_a_clean_result_leaves_nothing():
    job = FileJob(50, {"log.snapshot": "2"})
    job.run_once()
    said = lib.run("init", "--reset", "--yes", job.script)
    assert "of others" not in said.out and list(job.result.iterdir()) == [], said.out
