# SPDX-License-Identifier: Apache-2.0
"""A job without tables, from a topic in Avro to a CSV result, and records for it.

Records are written by fastavro and registered by this module, not by the program.
"""
import json
import struct
import urllib.error
import urllib.request

import avro_oracles
import broker
import lib
import results

TYPE = "application/vnd.schemaregistry.v1+json"


def ask(method, path, body=None):
    """One request to the registry: (code, JSON)."""
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(lib.registry_url() + path, data, {"Content-Type": TYPE},
                                     method=method)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def register(subject, schema):
    code, answer = ask("POST", f"/subjects/{subject}/versions", {"schema": json.dumps(schema)})
    assert code == 200, answer
    return answer["id"]


def set_level(subject, level="BACKWARD"):
    code, answer = ask("PUT", f"/config/{subject}", {"compatibility": level})
    assert code == 200, answer


def encode(schema, values):
    (answer,) = avro_oracles.fastavro([{"encode": schema, "values": values}])
    return [bytes.fromhex(datum) for datum in answer]


def frame(schema_id, datum):
    return b"\0" + struct.pack(">i", schema_id) + datum


def records(schema_id, schema, values):
    return [frame(schema_id, datum) for datum in encode(schema, values)]


def record(name, /, **fields):
    """A record's schema; a field is a type, or a dict with what it has more."""
    def more(kind):
        has_more = isinstance(kind, dict) and {"default", "aliases"} & set(kind)
        return kind if has_more else {"type": kind}
    return {"type": "record", "name": name,
            "fields": [{"name": n, **more(kind)} for n, kind in fields.items()]}


class AvroJob:
    """Columns and options of the stream; "__" stands for "." in an option's name."""

    def __init__(self, columns, registry=None, partitions=1, stream="stop_times", settings=None,
                 sink="csv", **options):
        self.directory = lib.tmp_dir()
        self.topic = broker.create_topic(lib.fresh_name("avro"), partitions)
        self.subject = f"{self.topic}-value"
        self.script = self.directory / "pipeline.sql"
        self.result = str(self.directory / "result")
        settings = {"spool": f"{self.directory}/spool", "membership": "none",
                    "batch.interval": "20ms", "commit.interval": "100ms", **(settings or {})}
        options = {"connector": "kafka", "brokers": lib.brokers(), "topic": self.topic,
                   "format": "avro", "registry": registry or lib.registry_url(),
                   **{name.replace("__", "."): value for name, value in options.items()}}
        if options["format"] != "avro":
            del options["registry"]
        with_options = ", ".join(f"{name} = '{value}'" for name, value in options.items())
        self.script.write_text(
            "".join(f"SET {name} = '{value}';\n" for name, value in settings.items())
            + f"CREATE TABLE {stream} ({columns}) WITH ({with_options});\n"
            f"CREATE TABLE result () WITH (connector = 'filesystem', path = '{self.result}',"
            f" format = '{sink}');\nINSERT INTO result SELECT s.* FROM {stream} s;\n")

    def tramline(self, command, *args, before=(), **kwargs):
        return lib.run(command, *before, self.script, *args, **kwargs)

    def send(self, values, partition=0):
        return broker.produce(self.topic, values, partition)

    def prepare(self):
        """What init does, without a registry."""
        (self.directory / "result").mkdir(exist_ok=True)

    def start(self, *args):
        self.prepare()
        return lib.Started("run", self.script, *args)

    def run_once(self, **kwargs):
        self.prepare()
        return self.tramline("run", "--once", **kwargs)

    def rows(self):
        return sorted(results.iter_result(self.result), key=repr)

    def wait_rows(self, n, limit_s=30):
        lib.wait_until(lambda: len(self.rows()) >= n, limit_s, f"{n} rows")
        return self.rows()

    def verify(self):
        return self.tramline("verify", "--deep", "--json").json()

    def dead(self):
        return results.dead_letters(self.result)
