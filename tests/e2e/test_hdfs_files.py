# SPDX-License-Identifier: Apache-2.0
# test: waits
# test: needs hdfs
"""Files of a result on a real HDFS: who may read them, and a server that lies about what they hold."""
import collections
import zipfile

import file_job
import lib
import lying_hdfs
import results
import webhdfs

COMMITS = {"commit.rows": "20", "batch.records": "10"}


def job_at(url, settings=COMMITS):
    work = file_job.FileJob(60, settings)
    script = work.script.read_text().replace(f"{work.directory}/result", url)
    work.script.write_text(script)
    return work


def modes(hdfs, path=""):
    """(type, permission) of all below: how often."""
    found = collections.Counter()
    for entry in hdfs.list(path):
        name = f"{path}/{entry['pathSuffix']}".lstrip("/")
        found[entry["type"], entry["permission"]] += 1
        if entry["type"] == "DIRECTORY":
            found += modes(hdfs, name)
    return found


def test_results_and_dead_letters_are_0640():
    """The name node's umask is 022: what is not asked for would be 0644 and 0755."""
    url = lib.hdfs_url("/e2e/" + lib.fresh_name())
    hdfs = webhdfs.WebHdfs(url)
    hdfs.write("plain", b"x")
    assert hdfs.stat("plain")["permission"] == "644", "another umask"
    for by_day in (False, True):
        place = f"{url}/{by_day}"
        work = job_at(place)
        if by_day:
            work.script.write_text(work.script.read_text().replace(
                f"path = '{place}'", f"path = '{place}', directory = 'day'"))
        work.run_once()
        got = modes(hdfs, str(by_day))
        assert set(got) == {("FILE", "640"), ("DIRECTORY", "750")}, got
        assert got["FILE", "640"] > 6, got
        assert hdfs.stat(str(by_day))["permission"] == "750"
        assert any(e["pathSuffix"] == "dead" for e in hdfs.list(f"{by_day}/_tramline"))
    hdfs.delete()


def test_staged_tables_are_0640():
    url = lib.hdfs_url("/e2e/" + lib.fresh_name())
    directory = lib.tmp_dir()
    (directory / "p.sql").write_text(f"""
CREATE TABLE agency (agency_id TEXT, agency_name TEXT)
  WITH (connector = 'filesystem', path = '{url}/agency', format = 'csv');
CREATE MATERIALIZED VIEW names WITH (connector = 'filesystem', path = '{url}/names', format = 'csv')
  AS SELECT agency_name FROM agency;
""")
    with zipfile.ZipFile(directory / "feed.zip", "w") as feed:
        feed.writestr("agency.txt", "agency_id,agency_name\n1,One\n")
    lib.run("extract", directory / "feed.zip", directory / "p.sql")
    got = modes(webhdfs.WebHdfs(url))
    assert set(got) == {("FILE", "640"), ("DIRECTORY", "750")}, got
    webhdfs.WebHdfs(url).delete()


def flipped(data):
    """One letter of a value is another: all that counts rows is content."""
    at = data.index(b"place")
    return data[:at] + b"P" + data[at + 1:]


LIES = {
    "a letter": flipped,
    "the last row is missing": lambda data: data[:data.rindex(b"\n", 0, -1) + 1],
    "nothing is there": lambda data: b"",
}


def run_with_lie(spoil, settings):
    """(the run, the script, the name node) of a job whose first data file is spoilt."""
    base = "/e2e/" + lib.fresh_name()
    liar = lying_hdfs.LyingHdfs(lib.hdfs_url())
    liar.spoil = spoil
    work = job_at(f"hdfs://{liar.address}{base}", {**COMMITS, **settings})
    ran = work.run_once()
    assert liar.spoil is None and liar.lies, "no data file came by"
    return ran, work, liar


def test_a_lie_is_found_before_the_commit_by_reading():
    for name, spoil in LIES.items():
        ran, work, liar = run_with_lie(spoil, {"upload.verify": "read"})
        assert "the storage does not hold the" in ran.err and "trying again" in ran.err, ran.err
        assert "no gap, no duplicate" in work.verify().out, name
        liar.close()


def test_by_default_a_lie_is_found_by_deep_only():
    for name, spoil in LIES.items():
        ran, work, liar = run_with_lie(spoil, {})
        assert "does not hold" not in ran.err, ran.err
        if name == "a letter":  # a listing tells the real size of the others
            lib.run("verify", work.script)
        deep = work.verify(code=3)
        assert "was changed: its checksum is not the log's" in deep.out, deep.out
        liar.close()


# A table of which a view is written while it is joined: each of the two takes about as much as the table again.
N_NAMES = 100_000
TOO_LARGE = """
SET spool = '{dir}/spool'; SET dimension.memory = '{memory}';
CREATE TABLE names (id TEXT NOT NULL, name TEXT NOT NULL)
  WITH (connector = 'filesystem', path = '{dir}/names', format = 'csv');
CREATE MATERIALIZED VIEW twice WITH (path = '{url}/twice', format = 'csv') AS
  SELECT a.id, b.name FROM names a JOIN names b ON b.id = a.id;
CREATE TABLE visits (id TEXT NOT NULL, n INT) WITH (connector = 'file', path = '{dir}/visits.csv', header = false);
CREATE TABLE result () WITH (connector = 'filesystem', path = '{dir}/result-{memory}', format = 'csv');
INSERT INTO result SELECT v.id, v.n, w.name FROM visits v JOIN names w ON w.id = v.id;
"""
TOLD = "the tables are too large to be joined while views of them are written: the views first"


def test_tables_too_large_to_be_joined_while_a_view_is_written():
    """The name node says nothing of the view's file until the tables could not be joined beside it."""
    directory, written = lib.tmp_dir(), []
    (directory / "names").mkdir()
    names = [(f"{i:020d}", f"name {i:040d}") for i in range(N_NAMES)]
    (directory / "names/names.csv").write_text("id,name\n" + "".join(f"{k},{v}\n" for k, v in names))
    (directory / "visits.csv").write_text("".join(f"{k},{i}\n" for i, (k, _) in enumerate(names[::1000])))
    base = lib.fresh_name()
    with lib.proxied_hdfs() as (name, _data, url):
        for memory in ("25MB", "1GB"):
            place = f"{url}/e2e/{base}/{memory}"
            script = directory / f"p-{memory}.sql"
            script.write_text(TOO_LARGE.format(dir=directory, memory=memory, url=place))
            if memory == "25MB":
                name.do("stall")
            running = lib.Started("run", "--once", script)
            if memory == "25MB":
                lib.wait_until(lambda w=running: TOLD in w.text(), what="one after the other")
                name.do("pass")
            running.wait()
            assert running.text().count(TOLD) == (memory == "25MB"), running.text()
            rows = sorted(results.iter_result(str(directory / f"result-{memory}")))
            assert rows == sorted((k, str(i), v) for i, (k, v) in enumerate(names[::1000]))
            written.append(webhdfs.WebHdfs(lib.hdfs_url(f"e2e/{base}/{memory}")).read("twice/twice.csv"))
    assert written[0] == written[1] == ("id,name\n" + "".join(f"{k},{v}\n" for k, v in names)).encode()
