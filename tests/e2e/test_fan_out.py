# SPDX-License-Identifier: Apache-2.0
# test: needs nothing
# test: builds asan all
"""Records that are joined with thousands of rows, more than a slice of the row buffer holds: each row
is there once, whatever comes before and after. By the program with ASan and UBSan too."""
import collections
import os

import avro_results
import lib
import results

ERROR = 99
N_RECORDS, BATCH = 400, 100
JOINS = {
    "inner": "SELECT s.id, s.n, d.day, d.place FROM stops s JOIN days d ON d.id = s.id",
    "left": "SELECT s.id, s.n, d.day, d.place FROM stops s LEFT JOIN days d ON d.id = s.id",
    "union": """SELECT s.id, s.n, d.day, d.place FROM stops s JOIN days d ON d.id = s.id
        UNION ALL SELECT s.id, -s.n, d.day, 'again' FROM stops s JOIN days d ON d.id = s.id""",
}
# Of a batch the first, one in the middle, the last.
PLACES = {"start": 0, "middle": BATCH // 2, "end": BATCH - 1}


class Work:
    """`n_hot` rows belong to the key `hot`, which one record of each batch has, at `place`."""

    def __init__(self, join, executor, form, n_hot, place):
        self.directory, self.join, self.form = lib.tmp_dir(), join, form
        self.days = collections.defaultdict(list)
        self.days["hot"] = [(day, f"Terminus, long name {day % 7}") for day in range(n_hot)]
        for key in range(20):
            self.days[f"k{key}"] = [(day, f"place {key}") for day in range(key % 4)]
        self.records = [("hot" if i % BATCH == PLACES[place] else f"k{i % 25}", i)
                        for i in range(N_RECORDS)]
        (self.directory / "days").mkdir()
        with open(self.directory / "days/days.csv", "w") as file:
            file.write("id,day,place\n")
            file.writelines(f'{key},{day},"{place}"\n'
                            for key, rows in self.days.items() for day, place in rows)
        (self.directory / "stops.csv").write_text(
            "id,n\n" + "".join(f"{key},{n}\n" for key, n in self.records))
        self.script = self.directory / "pipeline.sql"
        self.script.write_text(f"""
            SET spool = '{self.directory}/spool';
            SET executor = '{executor}';
            SET batch.records = '{BATCH}';
            CREATE TABLE days (id TEXT NOT NULL, day INT, place TEXT)
              WITH (connector = 'filesystem', path = '{self.directory}/days', format = 'csv');
            CREATE TABLE stops (id TEXT NOT NULL, n INT)
              WITH (connector = 'file', path = '{self.directory}/stops.csv', format = 'csv');
            CREATE TABLE result () WITH (connector = 'filesystem', format = '{form}',
              path = '{self.directory}/result');
            INSERT INTO result {JOINS[join]};""")

    def rows(self):
        place = f"{self.directory}/result"
        read = avro_results if self.form == "avro" else results
        return collections.Counter(read.iter_result(place))

    def expected(self):
        rows = collections.Counter()
        for key, n in self.records:
            for day, place in self.days.get(key, []):
                rows[key, str(n), str(day), place] += 1
                if self.join == "union":
                    rows[key, str(-n), str(day), "again"] += 1
            if self.join == "left" and not self.days.get(key):
                rows[key, str(n), None, None] += 1
        return rows

    def check(self, env=None):
        lib.run("run", "--once", self.script, env=env, limit_s=240)
        expected = self.expected()
        results.same_rows(self.rows(), expected)
        report = lib.run("verify", "--deep", "--json", self.script, env=env).json()
        assert report["rows"] == expected.total(), report


def test_a_thousand_rows_and_more():
    """More than 256 kB, which is a slice, from 4,000 rows on; 1,000 are just below it."""
    work = 0
    for n_hot in (1000, 1896, 4000, 9000):
        for join, executor in (("inner", "native"), ("left", "native"), ("left", "sqlite"),
                               ("union", "sqlite")):
            form = ("csv", "avro")[work % 2]
            place = list(PLACES)[work % 3]
            Work(join, executor, form, n_hot, place).check()
            work += 1


def test_fifty_thousand_rows():
    for form, place in (("csv", "start"), ("avro", "end")):
        Work("inner", "native", form, 50000, place).check()
    Work("left", "sqlite", "avro", 50000, "middle").check()


def test_by_the_program_with_sanitizers():
    program = lib.ROOT / "build/asan/tramline"
    if not program.exists():
        raise AssertionError(f"no program {program}; ./dev build asan makes it")
    env = {"ASAN_OPTIONS": f"exitcode={ERROR}", "UBSAN_OPTIONS": f"exitcode={ERROR}:halt_on_error=1"}
    before = os.environ.get("TRAMLINE_BIN")
    os.environ["TRAMLINE_BIN"] = str(program)
    try:
        for i, (join, executor) in enumerate((("inner", "native"), ("left", "native"),
                                              ("union", "sqlite"))):
            for form, place in zip(("csv", "avro", "csv"), PLACES):
                Work(join, executor, form, (4000, 7000, 2500)[i], place).check(env)
    finally:
        os.environ.pop("TRAMLINE_BIN")
        if before is not None:
            os.environ["TRAMLINE_BIN"] = before
