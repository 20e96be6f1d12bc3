# SPDX-License-Identifier: Apache-2.0
"""The job of examples/stm/pipeline.sql, for one feed, with names of its own."""
import broker
import lib
import results

EXAMPLE = lib.ROOT / "examples/stm/pipeline.sql"


class Job:
    """A script of its own over fresh directories and a fresh topic.

    `place` is hdfs://host:port or file:///directory; `settings` a dict for SET; `replace` pairs
    of texts to change in the script.
    """

    def __init__(self, place, settings=None, replace=(), brokers=None):
        user, name = "transit", lib.fresh_name("job")
        self.root = f"{place}/user/{user}/data/project5/{name}"
        self.topic = lib.fresh_name("stop_times")
        self.directory = lib.tmp_dir()
        self.script = self.directory / "pipeline.sql"
        text = EXAMPLE.read_text()
        for old, new in (*replace, ("topic = 'stop_times'", f"topic = '{self.topic}'")):
            if old not in text:
                raise AssertionError(f"{EXAMPLE} does not have: {old}")
            text = text.replace(old, new)
        settings = {"spool": f"{self.directory}/spool", **(settings or {})}
        kept = [line for line in text.splitlines()
                if not any(line.startswith(f"SET {name} ") for name in settings)]
        lines = [f"SET {key} = '{value}';" for key, value in settings.items()]
        self.script.write_text("\n".join([*lines, *kept]))
        values = {"HDFS": place, "USER_NAME": user, "GROUP": "data", "NAME": name,
                  "BROKERS": brokers or lib.brokers()}
        self.sets = [word for key, value in values.items() for word in ("--set", f"{key}={value}")]

    @property
    def result(self):
        return f"{self.root}/enriched_stop_time"

    def tramline(self, command, *args, before=(), **kwargs):
        return lib.run(command, *before, self.script, *args, *self.sets, **kwargs)

    def start(self, *args, **kwargs):
        return lib.Started("run", self.script, *args, *self.sets, **kwargs)

    def init(self):
        return self.tramline("init")

    def extract(self, feed):
        return self.tramline("extract", before=[feed])

    def produce(self, feed, *args, **kwargs):
        return self.tramline("produce", *args, before=[feed], **kwargs)

    def run_once(self, **kwargs):
        return self.tramline("run", "--once", **kwargs)

    def verify(self, **kwargs):
        return self.tramline("verify", "--deep", "--json", **kwargs).json()

    def rows(self):
        return results.rows_of_result(self.result)
