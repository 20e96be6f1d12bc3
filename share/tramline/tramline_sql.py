# SPDX-License-Identifier: Apache-2.0
"""Engine `sql`: `units`, but that Spark's own SQL does what is between reading and writing.

Each trigger is one Spark job. Its tasks, in three stages:

    tramline work --part read   an order's records, a line each; these are shuffled, so that
                                they are read once, whatever the query does with them
    Spark SQL                   decodes them and runs the query, as the program prints both
    tramline work --part write  takes an order's records, with what they are by Spark SQL
                                and their rows, and makes the unit

The tables' side is read by the program (--part tables), and broadcast or shuffled as Spark finds best.
"""
import os
import shutil
import subprocess
import tempfile
import threading
import time

from py4j.protocol import Py4JError
import pyspark
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession
from pyspark.sql.functions import expr

import tramline_units
from tramline_common import find_program, find_script, given_here, java_list, on_nodes, parse, words_of
from tramline_units import Unanswered

TABLES_LIMIT_S = 1800
TASK_BYTES = 1 << 20  # of a table's rows
PARTITION_BYTES = 64 << 20  # of them, where they are kept
SEED = 42  # of Spark's hash
TYPES = {"TEXT": "STRING", "INT": "INT", "BIGINT": "BIGINT", "REAL": "DOUBLE", "BOOLEAN": "BOOLEAN"}
PARTITIONS = "spark.sql.shuffle.partitions"
# What the printed SQL means hangs on them.
SETTINGS = {"spark.sql.caseSensitive": "true", "spark.sql.ansi.enabled": "true",
            "spark.sql.parser.escapedStringLiterals": "false", "spark.sql.ansi.doubleQuotedIdentifiers": "false"}

# Records that were read, as the decoder wants them; `keys` is a map from orders to keys, by which lines go to
# tasks.
RECORDS = """
    SELECT named_struct('key', {keys}[CAST(f[0] AS BIGINT)], 'number', CAST(f[1] AS BIGINT),
                        'name', concat('+\t', f[2], '\t', f[3]), 'line', line) AS `^.row`,
           CASE WHEN f[5] <> '-' THEN unbase64(f[5]) END AS value
    FROM (SELECT line, split(line, '\t', 7) AS f FROM `^.lines` WHERE NOT startswith(line, '{{'))"""
# What goes with each record through the query; its line does not.
ROW = "named_struct('key', `^.row`.key, 'number', `^.row`.number, 'name', `^.row`.name)"
# What the writer gets of an order: the order, its records, each with its rows behind it, and what the reader said.
# Sorted by one whole number, by which Spark sorts without comparing rows.
LINES = """
    SELECT CAST(split(line, '\t', 2)[0] AS INT) AS k, -1L AS n, split(line, '\t', 2)[1] AS line
    FROM `^.orders`
    UNION ALL
    SELECT `^.row`.key, shiftleft(`^.row`.number, 1),
           concat(CASE `^.kind` WHEN 'row' THEN 'r' WHEN 'ignored' THEN 'i' ELSE 'b' END, '\t', `^.row`.line)
    FROM `^.decoded`
    UNION ALL
    SELECT r.key, shiftleft(r.number, 1) | 1L, concat_ws('\\u0000', r.name, {fields}, '')
    FROM `^.rows` AS `^.rows`({names}, r)
    UNION ALL
    SELECT coalesce({keys}[CAST(get_json_object(line, '$.order') AS BIGINT)], {first_key}),
           CASE WHEN get_json_object(line, '$.order') IS NULL THEN -2L ELSE 9223372036854775807L END, line
    FROM `^.lines`
    WHERE startswith(line, '{{') AND coalesce(get_json_object(line, '$.exit_code'), '1') <> '0'"""
NULL = "'\\u0001'"


def quoted(name):
    return "`" + name.replace("`", "``") + "`"


def quoted_of_script(name):
    """As the program prints it: ^ begins names that are not the script's."""
    return quoted("^" + name if name.startswith("^") else name)


def field(name, kind):
    """A result's column as a row for the writer has it (docs/units.md)."""
    if kind != "string":
        return f"coalesce(CAST({name} AS STRING), {NULL})"
    return f"CASE WHEN {name} IS NULL THEN {NULL} WHEN startswith({name}, {NULL}) THEN concat({NULL}, {name}) ELSE {name} END"


def let_go(frame):
    """Of what was kept."""
    try:
        if frame is not None:
            frame.unpersist()
    except (Py4JError, OSError):
        pass  # Spark has ended


def now_argument(ms):
    text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(ms // 1000)) + f".{ms % 1000:03}Z"
    return f"'{text}'" if pyspark.__version__.startswith("3.4") else text  # there it is SQL


class Tables:
    """The query, and the relations that the stream meets: views of the Spark session."""

    def __init__(self, driver):
        self.driver = driver
        self.folder = tempfile.mkdtemp(prefix="tramline-")
        self.said = {"dimension": ""}
        self.frames = []

    def look(self):
        """Reads the tables where they are not those of before. An error in the program's words ends it all."""
        args = self.driver.args
        script = find_script(args)
        known = ["--dimension", self.said["dimension"]] if self.said["dimension"] else []
        done = subprocess.run(
            [find_program(args), "work", script, "--part", "tables", "--out", self.folder, "--exit-line", "--with-parent",
             *known, *given_here(args)],
            cwd=os.path.dirname(script), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, encoding="utf-8",
            timeout=TABLES_LIMIT_S)
        told = [line for line in map(parse, done.stdout.split("\n")) if line is not None]
        end = told[-1] if told else {}
        if end.get("exit_code", 1) != 0:
            raise Unanswered(end.get("exit_code", 1), end.get("text", "the tables were not read"))
        if told[0]["dimension"] != self.said["dimension"]:
            self.take(told[0])

    def take(self, said):
        before, self.frames = self.frames, []
        n_bytes = sum(os.path.getsize(relation["file"]) for relation in said["relations"])
        self.driver.want_partitions(1 + n_bytes // PARTITION_BYTES)
        for relation in said["relations"]:
            self.frames.append(self.view_of(relation))
            os.unlink(relation["file"])
        self.said = said
        for frame in before:
            let_go(frame)

    def view_of(self, relation):
        spark, jvm = self.driver.spark, self.driver.sc._jvm
        path = jvm.java.nio.file.Paths.get(relation["file"], self.driver.sc._gateway.new_array(jvm.String, 0))
        n = 1 + os.path.getsize(relation["file"]) // TASK_BYTES
        self.driver.view_of_lines("^.file", jvm.java.nio.file.Files.readAllLines(path), n)
        columns = relation["columns"]
        ddl = ", ".join(f"c{i} {TYPES[column['type']]}" for i, column in enumerate(columns))
        named = ", ".join(f"r.c{i} AS {quoted_of_script(column['name'])}" for i, column in enumerate(columns))
        frame = spark.sql(f"SELECT {named} FROM "
                          f"(SELECT from_json(line, '{ddl}', map('mode', 'FAILFAST')) AS r FROM `^.file`)")
        if relation["keys"]:  # as a join wants it, or each trigger would sort it anew
            keys = [frame.columns[i] for i in relation["keys"]]
            frame = frame.repartition(*map(quoted, keys)).sortWithinPartitions(*map(quoted, keys))
        frame.persist().count()
        frame.createOrReplaceTempView(quoted_of_script(relation["name"]))
        return frame

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)


class Engine(tramline_units.Engine):
    limits = ("--order-timeout", "7200")  # it takes some 50 times as long

    def __init__(self, args):
        super().__init__(args)
        self.spark = SparkSession(self.sc)
        for name, value in SETTINGS.items():
            if self.spark.conf.get(name) != value:  # Spark 4 warns of the older ones, whatever they are set to
                self.spark.conf.set(name, value)
        self.is_given = self.sc.getConf().contains(PARTITIONS)
        self.views = threading.Lock()  # views are the session's
        self.keys = {}
        self.tables = Tables(self)

    def configure(self, conf):
        super().configure(conf)
        # Where what was read is lost, all is read again, and not some of it: on the second time a record may have
        # left the topic.
        conf.set("spark.stage.maxConsecutiveAttempts", "1")
        conf.setIfMissing("spark.cleaner.periodicGC.interval", "5min")  # what triggers have shuffled is removed by it
        conf.setIfMissing("spark.sql.adaptive.enabled", "false")  # it would plan anew after each stage

    def want_partitions(self, n):
        """Of joins: no more than there is work for, but for each task one."""
        if not self.is_given:
            self.spark.conf.set(PARTITIONS, str(max(n, self.args.workers)))

    def view_of_lines(self, name, lines, n):
        """A Java list of texts as a view with a column `line`."""
        self.view_of_rdd(name, self.sc._jsc.parallelize(lines, n))

    def view_of_rdd(self, name, rdd):
        text = self.sc._jvm.org.apache.spark.sql.Encoders.STRING()
        self.spark._jsparkSession.createDataset(rdd.rdd(), text).withColumnRenamed("value", "line") \
            .createOrReplaceTempView(quoted(name))

    def piped(self, rdd, words):
        env = self.environment()
        command = on_nodes("work", self.args, *words, "--dimension", self.tables.said["dimension"])
        if self.tokens is not None:
            # Not as a line: what writers read has been shuffled, and lies on disks meanwhile.
            env.put("TRAMLINE_TOKENS", self.tokens.line())
            command.append("--token-env")
        return self.piped_by(rdd, command, env)

    def keys_of(self, n):
        """For each of n partitions a whole number that Spark's hash sends there."""
        if n not in self.keys:
            # An object of it: its class has a method of that name too, and py4j finds either first.
            hash_of = self.sc._jvm.org.apache.spark.unsafe.hash.Murmur3_x86_32(SEED).hashInt
            found, key = {}, 0
            while len(found) < n:
                found.setdefault(hash_of(key) % n, key)
                key += 1
            self.keys[n] = [found[i] for i in range(n)]
        return self.keys[n]

    def lines_for_writers(self, numbers, orders, now_ms):
        """A partition an order: an RDD of lines; and what is kept for it."""
        n, said, jvm = len(numbers), self.tables.said, self.sc._jvm
        keys = self.keys_of(n)
        map_of_keys = "map(" + ", ".join(f"{number}L, {key}" for number, key in zip(numbers, keys)) + ")"
        read = self.piped(self.sc._jsc.parallelize(java_list(jvm, orders), n), ["--part", "read"])
        self.view_of_rdd("^.lines", read.repartition(n))
        self.view_of_lines("^.orders", java_list(jvm, [f"{key}\t{order}" for key, order in zip(keys, orders)]), 1)
        self.spark.sql(RECORDS.format(keys=map_of_keys)).createOrReplaceTempView("`^.records`")
        # Kept: it is met twice, and Spark takes minutes to plan it together with what stands over it.
        decoded = self.spark.sql(said["decode"]).persist()
        decoded.createOrReplaceTempView("`^.decoded`")
        decoded.where("`^.kind` = 'row'").withColumn("^.row", expr(ROW)).createOrReplaceTempView(quoted_of_script(said["stream"]))
        rows = self.spark.sql(said["query"], args={"now": now_argument(now_ms)})
        rows.createOrReplaceTempView("`^.rows`")
        kinds = [kind for _, kind in rows.dtypes[:-1]]
        lines = self.spark.sql(LINES.format(
            keys=map_of_keys, first_key=keys[0], names=", ".join(f"c{i}" for i in range(len(kinds))),
            fields=", ".join(field(f"c{i}", kind) for i, kind in enumerate(kinds))))
        sorted_ = lines.repartition(n, "k").sortWithinPartitions("n").select("line")
        return getattr(sorted_._jdf, "as")(jvm.org.apache.spark.sql.Encoders.STRING()).toJavaRDD(), decoded

    def printed(self, numbers, orders):
        now_ms, decoded = int(time.time() * 1000), None
        try:
            with self.views:
                self.tables.look()
                lines, decoded = self.lines_for_writers(numbers, orders, now_ms)
                writers = self.piped(lines, ["--part", "write", "--now", str(now_ms)])
            return list(writers.collect())
        except (PySparkException, subprocess.SubprocessError) as error:
            raise Unanswered(1, f"Spark SQL: {words_of(error)}") from error
        finally:
            let_go(decoded)

    def close(self):
        super().close()
        self.tables.close()
