# SPDX-License-Identifier: Apache-2.0
# test: needs kafka hdfs
"""What a user sees of servers that refuse and disks that are full; after it nothing is lost."""
import contextlib
import os
import re
import shlex
import signal
import socket
import subprocess
import urllib.request

import broker
import lib
import webhdfs

SCRIPT = """
SET job.name = 'j';
SET storage.retry = '1s';
CREATE TABLE stop_times (trip_id TEXT NOT NULL, n INT)
  WITH (connector = 'file', path = 'st.txt', format = 'csv', header = false);
CREATE TABLE result () WITH (connector = 'filesystem', path = '${RESULT}', format = 'csv');
INSERT INTO result SELECT s.* FROM stop_times s;
"""
KAFKA_SCRIPT = """
SET job.name = 'j';
CREATE TABLE stop_times (trip_id TEXT NOT NULL, n INT)
  WITH (connector = 'kafka', brokers = '${BROKERS}', topic = '${TOPIC}', format = 'csv',
        group = '${TOPIC}', partitions = 1);
CREATE TABLE result () WITH (connector = 'filesystem', path = 'result', format = 'csv');
INSERT INTO result SELECT s.* FROM stop_times s;
"""
N_ROWS = 50000


class Place:
    """A directory of a job's own with its script, records, and environment."""

    def __init__(self, script, **variables):
        self.dir = lib.tmp_dir()
        (self.dir / "p.sql").write_text(script)
        (self.dir / "st.txt").write_text("".join(f"t{i},{i}\n" for i in range(N_ROWS)))
        self.env = {"HOME": str(self.dir), "XDG_STATE_HOME": "",
                    **{name: str(value) for name, value in variables.items()}}

    def run(self, *args, code=0):
        return lib.run(*args, cwd=self.dir, env=self.env, code=code)


def last_line(done):
    return done.err.splitlines()[-1]


def same(got, expected):
    assert got == expected, f"{got}\ninstead of:\n{expected}"


def set_space_quota(url, n_bytes):
    """HDFS's quota of a directory; a file that is open counts its whole block."""
    node, _, path = url.removeprefix("hdfs://").partition("/")
    request = urllib.request.Request(
        f"http://{node}/webhdfs/v1/{path}?op=SETQUOTA&storagespacequota={n_bytes}&user.name="
        + os.environ.get("USER", "root"), method="PUT")
    urllib.request.urlopen(request, timeout=30).close()


def refused(place, user):
    """The last line of a run that HDFS does not permit to the user, and whom and where HDFS names."""
    done = place.run("run", "p.sql", "--once", code=1)
    return last_line(done), re.search(f'user={user}, [^;]*', done.err)[0]


def open_to_readers(hdfs, path=""):
    """Directories as HDFS makes them if nothing is asked for: all may read, only the owner writes."""
    hdfs.call("PUT", path, "SETPERMISSION", permission="755")
    for entry in hdfs.list(path):
        if entry["type"] == "DIRECTORY":
            open_to_readers(hdfs, f"{path}/{entry['pathSuffix']}")


def test_no_permission_names_user_and_place():
    base = "/" + lib.fresh_name()
    url = lib.hdfs_url(base + "/result")
    owner = Place(SCRIPT, RESULT=url)
    owner.run("init", "p.sql")
    other = Place(SCRIPT.replace("path = '${RESULT}'", "path = '${RESULT}', user = 'bob'"),
                  RESULT=url)
    way_out = "give another user by WITH (user = '...')"
    line, who = refused(other, "bob")
    same(line, f"tramline run: {url}/_tramline/log/000000: permission denied: {who}; {way_out}")
    assert re.fullmatch(rf'user=bob, access=EXECUTE, inode="{base}":\w+:\w+:drwxr-x---', who), who
    open_to_readers(webhdfs.WebHdfs(lib.hdfs_url(base)))
    line, who = refused(other, "bob")
    folder = re.search("_tramline/tmp/[0-9a-f-]+", line)[0]
    same(line, f"tramline run: {url}/{folder}: permission denied: {who}; {way_out}")
    assert re.fullmatch(
        rf'user=bob, access=WRITE, inode="{base}/result":\w+:\w+:drwxr-xr-x', who), who
    owner.run("run", "p.sql", "--once")
    assert "no gap, no duplicate" in owner.run("verify", "p.sql", "--deep").out


def test_a_quota_that_is_used_up_stops_it_until_it_is_raised():
    url = lib.hdfs_url()
    place = Place(SCRIPT, RESULT=url)
    place.run("init", "p.sql")
    set_space_quota(url, 1000)
    done = place.run("run", "p.sql", "--once", code=1)
    file = re.search("_tramline/tmp/[0-9a-f-]+/[0-9a-f-]+", last_line(done))[0]
    path = url.removeprefix("hdfs://").partition("/")[2]
    same(last_line(done), f"tramline run: {url}/{file}: The DiskSpace quota of /{path} is "
                          "exceeded: quota = 1000 B = 1000 B but diskspace consumed = 134217728 B "
                          "= 128 MB; make room there or raise the quota; gave up after 1 s (SET "
                          "storage.retry)")
    set_space_quota(url, 10 ** 12)
    place.run("run", "p.sql", "--once")
    assert "no gap, no duplicate" in place.run("verify", "p.sql", "--deep").out


def in_small_disk(place, *commands):
    """Runs commands where `result` is a disk of 300 kB; its size can be changed by remount."""
    mount = f"mount -t tmpfs -o size=300k none {place.dir}/result"
    script = "\n".join(["set -e", mount, f"trap 'umount {place.dir}/result' EXIT", *commands])
    return subprocess.run(lib.with_own_mounts("sh", "-c", script), cwd=place.dir, text=True,
                          capture_output=True, env={**os.environ, **place.env}, timeout=60)


def test_a_full_disk_stops_it_until_there_is_room():
    place = Place(SCRIPT, RESULT="result")
    (place.dir / "result").mkdir()
    if in_small_disk(place, "true").returncode != 0:
        raise lib.Skip("a mount of its own is not allowed here")
    tramline = shlex.quote(lib.program())
    done = in_small_disk(
        place, f"{tramline} run p.sql --once || echo code $?", f"{tramline} verify p.sql >&2",
        "mount -o remount,size=50m result", f"{tramline} run p.sql --once",
        f"{tramline} verify p.sql --deep")
    assert done.returncode == 0 and "code 1\n" in done.stdout, done
    line = next(li for li in done.stderr.splitlines() if li.startswith("tramline run: "))
    file = re.search("_tramline/tmp/[0-9a-f-]+/[0-9a-f-]+", line)[0]
    same(line, f"tramline run: {place.dir}/result/{file}: cannot write: No space left on device; "
               "make room there; gave up after 1 s (SET storage.retry)")
    assert "no gap, no duplicate" in done.stdout, done.stdout


def kafka_place():
    topic = lib.fresh_name()
    return topic, Place(KAFKA_SCRIPT, BROKERS=lib.brokers(), TOPIC=topic)


def test_a_topic_that_is_missing_says_how_to_make_it():
    topic, place = kafka_place()
    way_out = f"topic '{topic}' is not on the brokers {lib.brokers()}; make it with tramline init"
    for command in (["run", "p.sql", "--once"], ["produce", "st.txt", "p.sql", "--no-header"]):
        same(last_line(place.run(*command, code=1)), f"tramline {command[0]}: {way_out}")
    assert f"{topic}: {way_out}" in place.run("check", "p.sql", "--live", code=1).out


@contextlib.contextmanager
def member_of(group, topic):
    """Another program in the consumer group."""
    process = subprocess.Popen(
        ["kcat", "-b", lib.brokers(), "-X", "client.id=other", "-G", group, topic],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        for line in process.stderr:
            if "assigned" in line:
                break
        yield
    finally:
        process.terminate()
        process.communicate(timeout=30)


def test_workers_elsewhere_are_not_reset():
    topic, place = kafka_place()
    place.run("init", "p.sql")
    (place.dir / "result/part-1").touch()
    with member_of(topic, topic):
        done = place.run("init", "p.sql", "--reset", "--yes", code=1)
    same(done.err, f"tramline init: group {topic} is in use by 1 worker; stop them before --reset "
                   "(one that was killed counts until its session.timeout is over): "
                   "other at 127.0.0.1\n")
    assert (place.dir / "result/part-1").exists()


def test_a_wait_that_is_stopped_says_so():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        brokers = "127.0.0.1:%d" % silent.getsockname()[1]
        place = Place(KAFKA_SCRIPT, BROKERS=brokers, TOPIC="t")
        init = lib.Started("init", "p.sql", cwd=place.dir, env=place.env)
        connection, _ = silent.accept()
        with connection:
            init.signal(signal.SIGTERM)
            init.wait(5, code=1)
    same(init.text().splitlines()[-1],
         f"tramline init: stopped by a signal: brokers {brokers}: no answer in the time that was "
         "left")


def test_a_production_that_is_stopped_says_so():
    topic, place = kafka_place()
    place.run("init", "p.sql")
    produce = lib.Started("produce", "st.txt", "p.sql", "--no-header", "--rate", "500/s",
                          cwd=place.dir, env=place.env)
    lib.wait_until(lambda: broker.watermarks(topic)[1] > 0, what="the first records")
    produce.stop(code=1)
    assert "tramline produce: stopped by a signal" in produce.text().splitlines(), produce.text()
    n = int(re.search(r"produced (\S+) records in [^,]*, all acknowledged: yes",
                      produce.text())[1].replace(",", ""))
    assert 0 < n < N_ROWS and broker.watermarks(topic)[1] == n, produce.text()
