# SPDX-License-Identifier: Apache-2.0
"""Scripts in a directory of their own, over local files, with tables and results in Avro; and what
other readers of Avro see in them."""
import json

import avro_container
import avro_oracles
import lib

CODECS = ["null", "deflate", "snappy", "zstandard"]


def avro(codec="null", **options):
    """The options of format avro; block_bytes stands for block.bytes."""
    texts = [f'"{name.replace("_", ".")}" = \'{value}\'' for name, value in options.items()]
    return ", ".join(["format = 'avro'", f"codec = '{codec}'", *texts])


class Work:
    """A script over a directory of its own; ${ROOT} is that, other variables are put in here."""

    def __init__(self, script, **variables):
        self.root = lib.tmp_dir()
        for name, value in {"SET": "", "WHERE": "", "ROOT": self.root, **variables}.items():
            script = script.replace(f"${{{name}}}", str(value))
        self.script = self.root / "pipeline.sql"
        self.script.write_text(script)

    def write(self, name, data):
        path = self.root / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return path

    def tramline(self, command, *args, **kwargs):
        return lib.run(command, *args, self.script, **kwargs)

    def run(self, **kwargs):
        self.tramline("init")
        return self.tramline("run", "--once", **kwargs)

    def files(self, table):
        return sorted(self.root.glob(f"{table}/[!_]*"))

    def file(self, table):
        (path,) = self.files(table)
        return path

    def container(self, table):
        return avro_container.Container(self.file(table).read_bytes())


# A stream, written as it is; and a table, written as a materialized view.

ROWS = """
SET spool = '${ROOT}/spool';
${SET}
CREATE TABLE rows (${COLUMNS}) WITH (connector = 'file', path = '${ROOT}/rows.csv', format = 'csv');
CREATE TABLE out () WITH (connector = 'filesystem', path = '${ROOT}/out', ${OUT});
INSERT INTO out SELECT ${SELECT} FROM rows ${WHERE};
"""

VIEW = """
SET spool = '${ROOT}/spool';
CREATE TABLE rows (${COLUMNS}) WITH (connector = 'filesystem', path = '${ROOT}/rows', ${IN});
CREATE MATERIALIZED VIEW seen WITH (path = '${ROOT}/seen', ${OUT}) AS ${SELECT};
CREATE TABLE stream (id INT NOT NULL)
  WITH (connector = 'file', path = '${ROOT}/stream.csv', format = 'csv');
CREATE TABLE out () WITH (connector = 'filesystem', path = '${ROOT}/out', format = 'csv');
INSERT INTO out SELECT id FROM stream;
"""


def rows_work(csv, columns="id INT NOT NULL, note TEXT", select="id, note", out=None, **variables):
    work = Work(ROWS, COLUMNS=columns, SELECT=select, OUT=out or avro(), **variables)
    work.write("rows.csv", csv)
    return work


def view_work(table, columns="id INT NOT NULL, note TEXT", select="SELECT id, note FROM rows",
              out=None, **variables):
    """`table`: text of a CSV file, or bytes of an Avro one."""
    is_avro = isinstance(table, bytes)
    work = Work(VIEW, COLUMNS=columns, SELECT=select, OUT=out or avro(),
                IN=variables.pop("IN", f"format = '{'avro' if is_avro else 'csv'}'"), **variables)
    work.write(f"rows/rows.{'avro' if is_avro else 'csv'}", table)
    work.write("stream.csv", "id\n1\n")
    return work


# Other readers.


def from_libavro(line):
    """Avro's JSON names the branch of a union: {"string": "x"}."""
    return {name: next(iter(value.values())) if isinstance(value, dict) else value
            for name, value in json.loads(line).items()}


def read_by_others(paths):
    """{(reader, path): rows}. The distribution's libavro has no zstandard."""
    jobs = [{"file": str(path)} for path in paths]
    seen = {}
    for who, ask in (("fastavro", avro_oracles.fastavro), ("java", avro_oracles.java)):
        seen.update({(who, path): answer["rows"] for path, answer in zip(paths, ask(jobs))})
    for path in paths:
        if avro_container.Container(path.read_bytes()).codec != "zstandard":
            lines = avro_oracles.libavro("read", path)
            seen["libavro", path] = [from_libavro(line) for line in lines]
    return seen
