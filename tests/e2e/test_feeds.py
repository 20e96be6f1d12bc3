# SPDX-License-Identifier: Apache-2.0
# test: takes 100
# test: needs kafka hdfs registry
"""Every real feed: staged, produced and run on real Kafka, HDFS and Schema Registry, once in CSV
and once in Avro, in and out; each result is what the sqlite3 shell makes of the same files, and the
counts are those that were counted elsewhere. Avro results are read by fastavro; the largest of them
in test_feeds_long.py."""
import avro_job
import avro_results
import feeds
import lib
import oracle
import results


def test_stm_2014():
    feeds.whole_job("stm-2014-extract")


def test_stm_2021_metro():
    feeds.whole_job("stm-2021-metro-rebuilt")


def test_madrid():
    feeds.whole_job("madrid-metro")


def test_exo_train():
    feeds.whole_job("exo-train")


def test_mumbai():
    feeds.whole_job("mumbai")


def test_stm_2014_in_avro():
    feeds.whole_avro_job("stm-2014-extract")


def test_stm_2021_metro_in_avro():
    feeds.whole_avro_job("stm-2021-metro-rebuilt")


def test_madrid_in_avro():
    feeds.whole_avro_job("madrid-metro")


def test_exo_train_in_avro():
    feeds.whole_avro_job("exo-train")


def test_spring_sample_in_avro():
    """No header line: produced with --no-header; there are no trips to join it with."""
    feed = lib.feed_dir("stm-2021-spring-sample")
    place = lib.tmp_dir()
    text = (feed / "stop_times.txt").read_bytes()
    names = [column for column, _ in oracle.table_columns(oracle.TABLES["stop_times"])]
    (place / "stop_times.txt").write_bytes(",".join(names).encode() + b"\n" + text)
    work = avro_job.AvroJob(oracle.TABLES["stop_times"], partitions=2, sink="avro")
    work.tramline("init")
    work.tramline("produce", "--no-header", before=[feed / "stop_times.txt"])
    work.run_once()
    tables = {"stop_times": oracle.TABLES["stop_times"]}
    wanted = results.digest(oracle.iter_expected(place, "SELECT * FROM stop_times", tables))
    assert wanted[0] == 3629 and results.digest(avro_results.iter_result(work.result)) == wanted


def test_headerless_file_as_stream():
    """stm-2021-spring-sample: no header line, no final newline, connector 'file'."""
    feed = lib.feed_dir("stm-2021-spring-sample")
    directory = lib.tmp_dir()
    script = directory / "pipeline.sql"
    script.write_text(f"""
        SET spool = '{directory}/spool';
        CREATE TABLE stop_times (trip_id TEXT NOT NULL, arrival_time TEXT, departure_time TEXT,
          stop_id TEXT, stop_sequence INT)
          WITH (connector = 'file', path = '{feed}/stop_times.txt', header = false);
        CREATE TABLE result () WITH (connector = 'filesystem', path = '{directory}/result',
          format = 'csv');
        INSERT INTO result SELECT s.* FROM stop_times s;""")
    lib.run("init", script)
    lib.run("run", script, "--once")
    report = lib.run("verify", script, "--deep", "--json").json()
    assert (report["errors"], report["rows"], report["records"]) == (0, 3629, 3629), report
    assert report["rejected"] == 0
    lib.run("run", script, "--once")  # nothing is left: nothing is written twice
    assert lib.run("verify", script, "--json").json()["rows"] == 3629
