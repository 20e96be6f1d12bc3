# SPDX-License-Identifier: Apache-2.0
# test: needs nothing
# test: not-asan it does not run the program
# test: limit 60
"""The driver of `tramline spark` without Spark, of which the names that it imports are here: what it takes for the
script and its secrets, and what it does when what it started fails."""
import functools
import importlib
import json
import os
import signal
import sys
import time
import types

import lib


class Files:
    """SparkFiles of a driver that has none, and then some."""

    root = "/nowhere"

    @classmethod
    def get(cls, name):
        return os.path.join(cls.root, name)

    @classmethod
    def getRootDirectory(cls):
        return cls.root


class Context:
    mode = "client"

    def getConf(self):
        return {"spark.submit.deployMode": self.mode}


class JavaError(Exception):
    def __init__(self, message):
        super().__init__(message)
        self.java_exception = types.SimpleNamespace(getMessage=lambda: message, toString=lambda: "java.lang.StackOverflowError")


def named(name, **members):
    module = sys.modules[name] = types.ModuleType(name)
    module.__dict__.update(members)


@functools.cache
def module(name):
    named("pyspark", SparkConf=object, SparkContext=types.SimpleNamespace(_active_spark_context=Context()), SparkFiles=Files)
    named("py4j")
    named("py4j.protocol", Py4JError=JavaError, Py4JJavaError=JavaError)
    named("pyspark.errors", PySparkException=ValueError)
    named("pyspark.sql", SparkSession=object)
    named("pyspark.sql.functions", expr=str)
    sys.path.insert(0, str(lib.ROOT / "share/tramline"))
    return importlib.import_module(name)


def in_folder(*names):
    folder = lib.tmp_dir()
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    os.chdir(folder)
    return folder


def test_the_script_is_the_one_that_was_shipped():
    common = module("tramline_common")
    folder = in_folder("p.sql", "jobs/p.sql", "files/p.sql")
    args = types.SimpleNamespace(script="p.sql", local_script="jobs/p.sql")
    Files.root, Context.mode = "/nowhere", "client"
    assert common.find_script(args) == f"{folder}/jobs/p.sql"  # on YARN; another one is in this folder
    Context.mode = "cluster"
    assert common.find_script(args) == f"{folder}/p.sql"
    Files.root = str(folder / "files")
    for Context.mode in ("client", "cluster"):
        assert common.find_script(args) == f"{folder}/files/p.sql"
    Files.root, Context.mode = "/nowhere", "client"
    assert common.find_script(types.SimpleNamespace(script="p.sql", local_script=None)) == f"{folder}/p.sql"


def test_secrets_are_found_on_this_machine():
    common = module("tramline_common")
    folder = in_folder("secrets/a", "here/a", "b")
    Files.root, Context.mode = "/nowhere", "client"
    args = types.SimpleNamespace(set=["X=1 2"], set_file=["A=a", "B=b"], local_set_file=["A=secrets/a", "B=b"])
    assert common.given_here(args) == ["--set", "X=1 2", "--set-file", f"A={folder}/secrets/a", "--set-file", f"B={folder}/b"]
    assert common.given(args) == ["--set", "X=1 2", "--set-file", "A=a", "--set-file", "B=b"]


def test_java_that_says_nothing_is_named():
    common = module("tramline_common")
    for message in (None, "", "\n"):
        assert common.first_line(JavaError(message)) == "java.lang.StackOverflowError"
    assert common.first_line(JavaError("a\nb")) == "a"
    assert common.first_line(JavaError("\n[PARSE_SYNTAX_ERROR] Syntax error\n== SQL ==")) == "[PARSE_SYNTAX_ERROR] Syntax error"
    assert common.words_of(OSError()) == "OSError"


def engine(**members):
    """Of units, without its __init__: what would be Spark's is not there."""
    common, units = module("tramline_common"), module("tramline_units")
    made = units.Engine.__new__(units.Engine)
    made.args = types.SimpleNamespace(workers=2, once=False, records=None)
    made.events, made.failures = common.queue.SimpleQueue(), common.Failures()
    made.is_closing = made.is_claimed = False
    made.begins, made.looked = None, time.monotonic()
    made.describe = lambda *_: None
    made.__dict__.update(members)
    return made


def test_orders_of_a_job_that_fails_in_any_way_are_lost():
    def printed(*_):
        raise AttributeError("none such")

    sent = []
    made = engine(printed=printed)
    made.make(types.SimpleNamespace(send=sent.append), [(7, "x"), (8, "y")], {"trigger": 1, "label": "entry 1"})
    assert [(json.loads(line)["kind"], json.loads(line)["order"]) for line in sent] == [("lost", 7), ("lost", 8)], sent


def test_a_signal_is_heard_before_the_coordinator_starts_again():
    begun = []
    coordinator = types.SimpleNamespace(began=time.monotonic(), end=lambda: None, say=lambda *_, **__: None)
    made = engine(coordinator=coordinator, coordinate=lambda: begun.append(True))
    assert made.take("ended", coordinator, 1, "brokers away") is None
    made.look_around()
    assert begun == []
    assert made.take("signal", signal.SIGTERM)[0] == 0
    made.begins = time.monotonic()
    made.look_around()
    assert begun == [True] and made.begins is None


def test_orders_under_way_are_as_many_as_a_coordinator_takes():
    units = module("tramline_units")
    words = []
    made = engine(slots=lambda: 900)
    made.args = types.SimpleNamespace(workers=900, once=True, records=5, script="p.sql", local_script=None, program="/bin/true",
                                      set=[], set_file=[], local_set_file=[])
    units.Coordinator = lambda _driver, command, _directory: words.extend(command)
    made.coordinate()
    assert words[words.index("--orders") + 1] == "1024", words


def test_names_are_those_of_the_printed_query():
    sql = module("tramline_sql")
    assert [sql.quoted_of_script(name) for name in ("a", "a`b", "^.rows")] == ["`a`", "`a``b`", "`^^.rows`"]
    assert sql.quoted("^.rows") == "`^.rows`"


def test_texts_of_the_query_break_no_lines():
    sql = module("tramline_sql")
    folder = in_folder("p.sql", "program")
    text = json.dumps({"dimension": "d", "query": "'a\u2028b\x85c'"}, ensure_ascii=False)
    (folder / "program").write_text(f"#!/bin/sh\ncat <<'E'\n{text}\n{json.dumps({'exit_code': 0})}\nE\n")
    (folder / "program").chmod(0o755)
    taken = []
    tables = sql.Tables.__new__(sql.Tables)
    tables.folder, tables.said, tables.take = "/nowhere", {"dimension": ""}, taken.append
    tables.driver = types.SimpleNamespace(args=types.SimpleNamespace(
        program=str(folder / "program"), script="p.sql", local_script="p.sql", set=[], set_file=[], local_set_file=[]))
    Files.root, Context.mode = "/nowhere", "client"
    tables.look()
    assert taken == [json.loads(text)], taken
