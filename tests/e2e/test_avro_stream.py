# SPDX-License-Identifier: Apache-2.0
# test: needs kafka registry
# test: limit 200
"""The stream in Avro with a Schema Registry gives the rows that the CSV stream gives."""
import job
import lib
import oracle
import results

KAFKA = "(connector = 'kafka', brokers = '${BROKERS}', topic = 'stop_times', format = 'csv'"


def test_rows_are_those_of_sql():
    feed = lib.feed_dir("exo-train")
    topic = lib.fresh_name("stop_times")
    avro = (f"(connector = 'kafka', brokers = '${{BROKERS}}', topic = '{topic}', format = 'avro', "
            f"registry = '{lib.registry_url()}'")
    text = job.EXAMPLE.read_text()
    replace = [(KAFKA, avro + " -- topic = 'stop_times'\n")]
    work = job.Job(f"file://{lib.tmp_dir()}", replace=replace)
    said = work.init().out
    assert "registered" in said and f"{topic}-value" in said, said
    assert "was there" in work.init().out
    work.extract(feed)
    work.produce(feed)
    work.run_once()
    got = results.digest(results.iter_result(work.result))
    assert got == results.digest(oracle.iter_expected(feed, oracle.ENRICHED_STOP_TIME))
    assert work.verify()["errors"] == 0


lib.main()
