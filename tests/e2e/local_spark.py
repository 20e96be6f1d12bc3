# SPDX-License-Identifier: Apache-2.0
"""A Spark session in a process of its own, which takes lines of JSON: what tests ask of Spark SQL.

`Spark().ask({...})`: "views" are [name, DDL of columns, rows], made first; "query" is a SELECT, of which
the rows come back as lists; "args" are its named parameters. Run as a program it is that process."""
import json
import os
import subprocess
import sys

ANSWER_LIMIT_S = 240
SETTINGS = {"spark.sql.caseSensitive": "true", "spark.ui.enabled": "false", "spark.sql.shuffle.partitions": "2",
            "spark.default.parallelism": "2", "spark.sql.adaptive.enabled": "false", "spark.driver.memory": "700m",
            "spark.sql.ansi.enabled": "true", "spark.sql.codegen.wholeStage": "false",
            "spark.sql.codegen.factoryMode": "NO_CODEGEN",
            "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xss1m"}


class Spark:
    """`home` is a SPARK_HOME; `settings` stand beside, or in place of, those above."""

    def __init__(self, home, **settings):
        env = {**os.environ, "SPARK_HOME": home, "SPARK_LOCAL_IP": "127.0.0.1",
               "SPARK_SETTINGS": json.dumps({**SETTINGS, **settings})}
        self.process = subprocess.Popen([f"{home}/../../../../bin/python", __file__], env=env, text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.version = self.ask({})

    def ask(self, job):
        self.process.stdin.write(json.dumps(job) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(f"Spark is gone: {self.process.wait(timeout=ANSWER_LIMIT_S)}")
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def plain(value):
    return bytes(value).hex() if isinstance(value, (bytes, bytearray)) else value


def answer(spark, job):
    for name, ddl, rows in job.get("views", ()):
        typed = [[bytes.fromhex(v) if isinstance(v, str) and kind.endswith("BINARY") else v
                  for v, kind in zip(row, ddl.split(", "))] for row in rows]
        quoted = name.replace("`", "``")
        spark.createDataFrame(typed, ddl).createOrReplaceTempView(f"`{quoted}`")
    if "query" not in job:
        return spark.version
    args = job.get("args")
    rows = spark.sql(job["query"], args=args) if args else spark.sql(job["query"])
    return [[plain(v) for v in row] for row in rows.collect()]


def main():
    from pyspark.sql import SparkSession
    builder = SparkSession.builder.master("local[2]")
    for name, value in json.loads(os.environ["SPARK_SETTINGS"]).items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("OFF")
    for line in sys.stdin:
        try:
            said = answer(spark, json.loads(line))
        except Exception as error:  # whatever Spark says is the answer
            said = {"failed": str(error)[:3000]}
        print(json.dumps(said), flush=True)
    spark.stop()


if __name__ == "__main__":
    main()
