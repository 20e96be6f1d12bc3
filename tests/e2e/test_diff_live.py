# SPDX-License-Identifier: Apache-2.0
# test: needs kafka hdfs
"""tramline diff of a job from Kafka to HDFS: secrets stand neither in the log nor in what is said, the
identity is that of the brokers, and an option that has no effect is told."""
import json

import broker
import lib
import results

PASSWORD = "hunter2-never-shown"
SCRIPT = """
SET spool = '{dir}/spool'; SET commit.interval = '{interval}';
CREATE TABLE visits (id TEXT, n INT) WITH (connector = 'kafka', brokers = '{brokers}', topic = '{topic}',
  format = 'csv', start = '{start}', "kafka.ssl.key.password" = '${{PW}}',
  "kafka.client.id" = 'of ${{PW}}');
CREATE TABLE visitors (id TEXT) WITH (connector = 'filesystem', format = 'csv', optional = 'true',
  path = 'file://{dir}/visitors', "user" = '${{PW}}');
CREATE TABLE result () WITH (connector = 'filesystem', path = '{place}', format = 'csv');
INSERT INTO result SELECT v.id, v.n FROM visits v WHERE v.id <> '${{PW}}' AND v.id <> '${{DAY}}';
"""


class Job:
    def __init__(self, **names):
        self.dir = lib.tmp_dir()
        self.place = lib.hdfs_url()
        self.names = {"dir": self.dir, "brokers": lib.brokers(), "place": self.place,
                      "topic": broker.create_topic(), "start": "earliest", "interval": "60s"}
        self.write()
        (self.dir / "pw").write_text(PASSWORD)

    def write(self, **names):
        (self.dir / "p.sql").write_text(SCRIPT.format(**{**self.names, **names}))

    def run(self, command, *args, day="monday", **more):
        return lib.run(command, self.dir / "p.sql", *args, "--set-file", f"PW={self.dir}/pw", "--set", f"DAY={day}",
                       **more)


def test_secrets_and_options_of_a_real_job():
    job = Job()
    broker.produce(job.names["topic"], [b"a,1", b"b,2"])
    job.run("run", "--once")
    told = json.loads(job.run("diff", "--json").out)
    assert told["is_same"] and told["result"] == job.place, told
    log = json.dumps(results.log_entries(job.place))
    assert PASSWORD not in log, log[:2000]
    for name in ("kafka.ssl.key.password", "kafka.client.id", "user"):  # the latter two by --set-file
        assert f'"{name}": null' in log, (name, log[:2000])
    assert "${PW}' AND v.id <> 'monday'" in log, log[:2000]
    (job.dir / "pw").write_text("another")  # it is not compared
    text = job.run("diff", day="friday", code=1).out
    assert "- WHERE v.id <> '${PW}' AND v.id <> 'monday';\n+ WHERE v.id <> '${PW}' AND v.id <> 'friday';\n" in text, text
    assert "another" not in text.replace("another version", "") and PASSWORD not in text, text
    job.write(start="latest", interval="30s")
    (job.dir / "pw").write_text(PASSWORD)
    told = json.loads(job.run("diff", "--json", code=1).out)
    assert [(o["table"], o["option"], o["was"], o["is"]) for o in told["options"]] == [
        (None, "commit.interval", "60s", "30s"), ("visits", "start", "earliest", "latest")], told["options"]
    assert told["next_start"] == [
        {"code": "start", "text": "option 'start' has no effect: the log says where each partition goes on"}], told
    script = job.dir / "p.sql"
    script.write_text(script.read_text().replace(", \"kafka.ssl.key.password\" = '${PW}'", ""))
    assert "visits  kafka.ssl.key.password  (secret)" in job.run("diff", code=1).out


def test_another_topic_is_refused_and_brokers_may_be_away():
    job = Job()
    broker.produce(job.names["topic"], [b"a,1"])
    job.run("run", "--once")
    job.write(topic=broker.create_topic())
    told = json.loads(job.run("diff", "--json", code=1).out)
    assert told["is_refused"] and "belongs to job" in told["next_start"][0]["text"], told
    job.write(brokers="127.0.0.1:1")
    told = json.loads(job.run("diff", "--json", code=1, limit_s=60).out)
    assert not told["is_refused"] and told["next_start"][0]["code"] == "topic", told
    assert [o["option"] for o in told["options"]] == ["brokers"], told
