# SPDX-License-Identifier: Apache-2.0
# test: long
# test: needs nothing
"""A name node or data node that is down, and safe mode: what a user sees, how soon, and that the
job goes on when they are back. Each case has the servers of one instance, in order."""
import re

import lib

SCRIPT = """
SET job.name = 'j';
SET storage.retry = '${RETRY}';
CREATE TABLE stop_times (trip_id TEXT NOT NULL, n INT)
  WITH (connector = 'file', path = 'st.txt', format = 'csv', header = false);
CREATE TABLE result () WITH (connector = 'filesystem', path = '${RESULT}', format = 'csv');
INSERT INTO result SELECT s.* FROM stop_times s;
"""
SOON_S = 25  # twice the 3 s of storage.retry, and a busy machine
FILE = "_tramline/tmp/[0-9a-f-]+/[0-9a-f-]+"
FOLDER = "_tramline/tmp/[0-9a-f-]+"
instance = {}


def stack():
    if not instance:
        instance["stack"] = lib.Stack("hdfs")
    return instance["stack"]


class Place:
    def __init__(self):
        node = stack().env["TRAMLINE_HDFS"]
        self.node, self.url = node.removeprefix("hdfs://"), f"{node}/{lib.fresh_name()}"
        self.dir = lib.tmp_dir()
        (self.dir / "p.sql").write_text(SCRIPT)
        (self.dir / "st.txt").write_text("".join(f"t{i},{i}\n" for i in range(50000)))
        self.run("init", "p.sql")

    def run(self, *args, code=0, retry="60s"):
        return lib.run(*args, cwd=self.dir, code=code, limit_s=100,
                       env={"HOME": str(self.dir), "RESULT": self.url, "RETRY": retry})

    def fails(self, *args):
        """Its last line; soon."""
        done = self.run(*args, code=1, retry="3s")
        assert done.seconds < SOON_S, done.seconds
        return done.err.splitlines()[-1]

    def goes_on(self):
        self.run("run", "p.sql", "--once")
        assert "no gap, no duplicate" in self.run("verify", "p.sql", "--deep").out


def same(got, expected):
    assert got == expected, f"{got}\ninstead of:\n{expected}"


def test_no_name_node():
    place = Place()
    stack().kill("namenode")
    reason = f"cannot reach name node {place.node}: Connection refused; tried for 3 s"
    same(place.fails("init", "p.sql"), f"tramline init: {place.url}: {reason}")
    same(place.fails("verify", "p.sql"), f"tramline verify: {place.url}/_tramline/log: {reason}")
    same(place.fails("run", "p.sql", "--once"),
         f"tramline run: {place.url}/_tramline/log/000000: {reason}; gave up after 3 s (SET "
         "storage.retry)")
    stack().start("namenode")
    place.goes_on()


def test_no_data_node():
    place, node = Place(), stack().env["TRAMLINE_DATANODE"]
    stack().kill("datanode")
    line = place.fails("run", "p.sql", "--once")
    same(line, f"tramline run: {place.url}/{re.search(FILE, line)[0]}: cannot reach data node {node}: "
               "Connection refused; its HTTP port must be reachable from this machine; tried for "
               "3 s; gave up after 3 s (SET storage.retry)")
    stack().start("datanode")
    place.goes_on()


def safe_mode(word):
    stack().tool("java", "hdfs", "org.apache.hadoop.hdfs.tools.DFSAdmin", "-safemode", word)


def test_safe_mode():
    place = Place()
    safe_mode("enter")
    line = place.fails("run", "p.sql", "--once")
    folder, reason = re.search(FOLDER, line)[0], re.search("Cannot [^;(]*", line)[0]
    same(line, f"tramline run: {place.url}/{folder}: refused by name node {place.node}: HTTP 403: "
               f"SafeModeException: {reason}(hdfs dfsadmin -safemode get; are its data nodes "
               "up?); tried for 3 s; gave up after 3 s (SET storage.retry)")
    assert "Name node is in safe mode." in reason, reason
    safe_mode("leave")
    place.goes_on()
