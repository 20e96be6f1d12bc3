# SPDX-License-Identifier: Apache-2.0
# test: needs kafka
# test: limit 200
"""What `tramline spark` calls, and what it refuses before it calls anything: no Spark is needed."""
import os
import pathlib
import shlex
import shutil
import sys

import broker
import lib

SCRIPT = """CREATE TABLE stops (stop_id TEXT NOT NULL, name TEXT)
  WITH (connector = 'filesystem', path = '{tables}', format = 'csv');
CREATE TABLE s (trip_id TEXT NOT NULL, stop_id TEXT) WITH ({stream}, format = 'csv');
CREATE TABLE r () WITH (connector = 'filesystem', path = '{result}', format = 'csv');
INSERT INTO r SELECT s.*, t.name FROM s JOIN stops t ON t.stop_id = s.stop_id;
"""
HDFS = "hdfs://127.0.0.1:1/x"
FAKE = "#!{python}\nimport json, sys\nprint(json.dumps(sys.argv[1:]))\n"


class Place:
    def __init__(self, stream=None, tables=f"{HDFS}/stops", result=f"{HDFS}/r", partitions=2):
        self.dir = lib.tmp_dir()
        if stream is None:
            topic = broker.create_topic(partitions=partitions)
            stream = f"connector = 'kafka', brokers = '{lib.brokers()}', topic = '{topic}'"
        (self.dir / "p.sql").write_text(SCRIPT.format(stream=stream, tables=tables, result=result))
        self.bundle = self.dir / "b.tar.gz"
        self.bundle.write_bytes(b"")
        self.submit(FAKE.format(python=sys.executable))

    def submit(self, text):
        path = self.dir / "spark/bin/spark-submit"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)

    def run(self, *words, code=0, env=None, program=None):
        env = {"SPARK_HOME": str(self.dir / "spark"), **(env or {})}
        words = [word.format(dir=self.dir) for word in map(str, words)]
        return lib.run("spark", "p.sql", *words, cwd=self.dir, code=code, env=env)

    def refused(self, expected, *words, code=2, env=None):
        done = self.run("--bundle", self.bundle, *words, code=code, env=env)
        assert done.out == "", done.out
        last = done.err.strip().splitlines()[-1]
        assert last == "tramline spark: " + expected.format(dir=self.dir), done.err
        return done


def warnings(done):
    """But for values that the script has no use for."""
    said = [line.partition(" warn  ")[2] for line in done.err.splitlines() if " warn  " in line]
    return [text for text in said if "the script has no" not in text]


def driver(name="spark"):
    return str(pathlib.Path(lib.program()).resolve().parent / f"../../share/tramline/tramline_{name}.py")


def test_the_call_ships_bundle_script_and_secrets_by_files():
    place = Place()
    (place.dir / "secret").write_text("s3cret")
    words = ["--workers", 2, "--once", "--set", "A=it's", "--set-file", "B={dir}/secret", "--bundle", place.bundle]
    options = ["--master", "yarn", "--files", "x.conf", "--conf", "a=b c", "--archives=y.zip"]
    shown = place.run(*words, "--print", "--", *options)
    expected = ["--master", "yarn", "--conf", "a=b c", "--archives", f"{place.bundle}#tramline,y.zip",
                "--files", f"p.sql,{place.dir}/secret,x.conf", "--py-files", f"{driver('common')},{driver('placement')}",
                driver(), "p.sql", "--engine", "placement", "--workers", "2", "--once",
                "--set", "A=it's", "--local-set-file", f"B={place.dir}/secret", "--set-file", "B=secret", "--program",
                str(pathlib.Path(lib.program()).resolve()), "--local-script", "p.sql"]
    printed = shlex.split(shown.out)
    assert printed[0] == str(place.dir / "spark/bin/spark-submit")
    assert sorted_lists(printed[1:]) == sorted_lists(expected), (printed, expected)
    assert "s3cret" not in shown.out and warnings(shown) == [], shown.err
    done = place.run(*words, "--", *options)
    assert done.json() == printed[1:], done.out
    again = place.run("--workers", 2, "--bundle", "https://place/b.tar.gz", "--print")
    assert "--archives https://place/b.tar.gz#tramline" in again.out


def test_an_engine_is_chosen():
    place = Place()
    done = place.run("--workers", 5, "--bundle", place.bundle, "--engine", "units", "--records", 7,
                     "--", "--py-files", "more.py")
    words = done.json()
    assert words[words.index("--py-files") + 1] == f"{driver('common')},{driver('units')},more.py", words
    at = words.index("--engine")
    assert words[at:at + 6] == ["--engine", "units", "--workers", "5", "--records", "7"], words
    assert warnings(done) == [], done.err
    words = place.run("--workers", 5, "--bundle", place.bundle, "--engine", "sql").json()
    assert words[words.index("--py-files") + 1] == f"{driver('common')},{driver('sql')},{driver('units')}", words
    place.refused("--engine takes 'placement', 'units' or 'sql', not 'spark'", "--workers", 1, "--engine", "spark")
    place.refused("--records is for --engine units and sql; a commit of the engine 'placement' is bounded by SET commit.bytes",
                  "--workers", 1, "--records", 5)
    stream = "connector = 'file', path = '/s.csv'"
    Place(stream=stream).run("--workers", 2, "--bundle", place.bundle, "--engine", "units")


def sorted_lists(words):
    """Lists by commas, whatever their order."""
    return [",".join(sorted(word.split(","))) for word in words]


def test_a_variable_is_one_in_a_literal_only():
    place = Place()
    with open(place.dir / "p.sql", "a") as script:
        script.write("-- ${IN_A_COMMENT} is none\nCREATE VIEW v AS SELECT '$${NONE}' AS a FROM stops;\n")
    done = place.run("--workers", 1, "--bundle", place.bundle)
    assert done.json()[-1] == "p.sql", done.err


def test_spark_submit_is_found_by_path():
    place = Place()
    done = place.run("--workers", 1, "--bundle", place.bundle,
                     env={"SPARK_HOME": "", "PATH": f"{place.dir}/spark/bin:/usr/bin"})
    assert done.json()[-1] == "p.sql"


def test_the_call_is_printed_where_spark_is_not():
    place = Place()
    done = place.run("--workers", 1, "--bundle", place.bundle, "--print", env={"SPARK_HOME": "", "PATH": "/nowhere"})
    assert shlex.split(done.out)[0] == "spark-submit", done.out


def test_what_is_missing_is_said():
    place = Place()
    place.refused("--workers is missing: how many are to run")
    place.refused("--workers takes at most 10000, not 10001", "--workers", 10001)
    for engine in ("units", "sql"):
        place.refused("--workers takes at most 1024, not 1025", "--workers", 1025, "--engine", engine)
    place.refused("SPARK_HOME is '{dir}', and {dir}/bin/spark-submit cannot be run: No such file or directory",
                  "--workers", 1, env={"SPARK_HOME": str(place.dir)})
    place.refused("spark-submit is not in PATH, and SPARK_HOME is not set: install Spark (pip install pyspark has "
                  "it), or name its folder by SPARK_HOME", "--workers", 1, env={"SPARK_HOME": "", "PATH": "/nowhere"})
    place.refused("--bundle: cannot read {dir}/none.tar.gz: No such file or directory", "--workers", 1,
                  "--bundle", "{dir}/none.tar.gz")
    place.submit("#!/nowhere/at/all\n")
    place.refused("cannot run {dir}/spark/bin/spark-submit: No such file or directory", "--workers", 1, code=1)
    done = lib.run("spark", "-", "--workers", 1, code=2)
    assert done.err == "tramline spark: the script must be a file, which goes to the nodes, not '-'\n", done.err


def test_a_program_without_its_other_parts_says_so():
    place = Place()
    alone = place.dir / "bin/tramline"
    alone.parent.mkdir()
    shutil.copy(lib.program(), alone)
    os.environ["TRAMLINE_BIN"], kept = str(alone), os.environ.get("TRAMLINE_BIN")
    try:
        place.refused("there is no {dir}/bin/../share/tramline/tramline_spark.py, which drives the job on Spark; "
                      "install the program whole", "--workers", 1, code=1)
        share = place.dir / "share/tramline"
        share.mkdir(parents=True)
        (share / "tramline_spark.py").write_text("")
        done = place.run("--workers", 1, code=2)
        assert done.err.splitlines()[-1] == (
            "tramline spark: --bundle is missing: the program for the nodes, tramline-bundle.tar.gz, as a file or a "
            "URL that Spark can read; the build target 'bundle' makes it"), done.err
        (share / "tramline-bundle.tar.gz").write_bytes(b"")
        assert f"--archives {place.dir}/bin/../share/tramline/tramline-bundle.tar.gz#tramline" in \
            place.run("--workers", 1, "--print").out
    finally:
        del os.environ["TRAMLINE_BIN"]
        if kept is not None:
            os.environ["TRAMLINE_BIN"] = kept


def test_files_that_cannot_be_shipped():
    place = Place()
    for name in ("a,b", "other/p.sql"):
        (place.dir / name).parent.mkdir(exist_ok=True)
        (place.dir / name).write_text("x")
    place.refused("--set-file {dir}/a,b: spark-submit cannot ship a file with ',' or '#' in its path; give it "
                  "another name", "--workers", 1, "--set-file", "N={dir}/a,b")
    place.refused("--bundle {dir}/a,b: spark-submit cannot ship a file with ',' or '#' in its path; give it another "
                  "name", "--workers", 1, "--bundle", "{dir}/a,b")
    place.refused("--set-file {dir}/other/p.sql: all files come into one folder on the nodes, and p.sql has the same "
                  "name; give one of them another", "--workers", 1, "--set-file", "N={dir}/other/p.sql")


def test_values_that_jvms_may_change():
    place = Place()
    place.refused("--set A: a value beyond ASCII may be another one behind Spark's JVMs; give it by --set-file A=FILE",
                  "--workers", 1, "--set", "A=Montr\u00e9al")
    (place.dir / "a").write_text("Montr\u00e9al")
    done = place.run("--workers", 1, "--bundle", place.bundle, "--set-file", "A={dir}/a", "--set", "B=a 'b' \"c\"\n$d{{e}}")
    assert "B=a 'b' \"c\"\n$d{e}" in done.json(), done.out


def test_places_and_values_that_the_nodes_do_not_have():
    Place(result="r").refused("table r: the path 'r' is another folder on each node; write where it is from all of "
                              "them", "--workers", 1)
    Place(tables="t").refused("table stops: the path 't' is another folder on each node; write where it is from all "
                              "of them", "--workers", 1)
    Place(result="${WHERE}").refused(
        "${{WHERE}} comes from the environment, which the nodes do not have: give it by --set WHERE=VALUE, a secret "
        "by --set-file", "--workers", 1, env={"WHERE": f"{HDFS}/r"})
    place = Place(result="file:///r")
    done = place.run("--workers", 1, "--bundle", place.bundle, "--print")
    assert warnings(done) == ["table r: 'file:///r' must be the same folder on all nodes"], done.err


def test_workers_beyond_the_partitions():
    place = Place(partitions=2)
    done = place.run("--workers", 5, "--bundle", place.bundle, "--print")
    assert warnings(done) == ["5 workers share the 2 partitions of the topic: 3 of them will have none"], done.err
    Place(stream="connector = 'file', path = '/s.csv'").refused(
        "--workers 2: this job's stream is read by one worker alone; several share a Kafka topic with membership = "
        "'group'", "--workers", 2)


def test_brokers_that_only_the_nodes_reach():
    place = Place(stream="connector = 'kafka', brokers = '127.0.0.1:1', topic = 't'")
    done = place.run("--workers", 2, "--bundle", place.bundle, "--print")
    assert done.seconds < 9, done.seconds
    assert len(warnings(done)) == 1, done.err
    assert warnings(done)[0].startswith("the partitions cannot be counted from here: brokers 127.0.0.1:1"), done.err


def test_kerberos_makes_the_driver_ask_for_tokens():
    place = Place()
    script = place.dir / "p.sql"
    words = ["--workers", 2, "--bundle", place.bundle, "--print"]
    assert "--tokens" not in shlex.split(place.run(*words).out)
    script.write_text(script.read_text().replace("path = 'hdfs", "auth = 'kerberos', path = 'hdfs"))
    assert "--tokens" in shlex.split(place.run(*words).out)
    assert "--tokens" not in shlex.split(place.run(*words, "--no-tokens").out)
    assert "--tokens" not in shlex.split(place.run(*words, "--no-tokens", "--engine", "sql").out)
    assert "--tokens" in shlex.split(place.run(*words, "--engine", "sql").out)
    script.write_text("SET storage.token_file = '/etc/tokens';\n" + script.read_text())
    assert "--tokens" not in shlex.split(place.run(*words).out)
