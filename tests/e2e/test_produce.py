# SPDX-License-Identifier: Apache-2.0
# test: needs kafka
"""What produce makes of odd files: no record of a blank line, its own options in its messages, a
cure for line ends that are none, and how far it is."""
import json
import os
import pty
import subprocess

import broker
import lib

HEADER = "trip_id,arrival_time,stop_id,stop_sequence"
ROWS = ["T1,05:00:00,A,1", "T2,24:10:00,B,2"]


class Work:
    def __init__(self, text):
        self.dir, self.topic = lib.tmp_dir(), lib.fresh_name()
        (self.dir / "s.txt").write_bytes(text.encode())
        (self.dir / "p.sql").write_text(f"""
            SET spool = '{self.dir}/spool'; SET commit.interval = '1s';
            CREATE TABLE s (trip_id TEXT NOT NULL, arrival_time TEXT, stop_id TEXT, stop_sequence INT)
              WITH (connector = 'kafka', brokers = '{lib.brokers()}', topic = '{self.topic}',
                    partitions = 1, format = 'csv');
            CREATE TABLE r () WITH (connector = 'filesystem', path = '{self.dir}/r', format = 'csv');
            INSERT INTO r SELECT * FROM s;""")
        lib.run("init", "p.sql", cwd=self.dir)

    def produce(self, *args, code=0):
        done = lib.run("produce", *args, "s.txt", "p.sql", cwd=self.dir, code=code)
        return (done.out + done.err).replace(str(self.dir), "<DIR>")

    def n_records(self):
        return broker.watermarks(self.topic)[1]

    def rows(self):
        lib.run("run", "--once", "p.sql", cwd=self.dir)
        return lib.run("cat", "--csv", "p.sql", "r", cwd=self.dir).out.splitlines()[1:]


def lines(*rows, end="\n"):
    return "".join(f"{row}{end}" for row in (HEADER, *rows))


def test_what_was_published_and_made_as_json():
    work = Work(lines(*ROWS, "T3,05:00:00,A,many", "T4,05:00:00"))
    told = lib.run("produce", "--skip-errors", "s.txt", "p.sql", "--json", cwd=work.dir).json()
    assert told.pop("seconds") >= 0
    assert told == {"topic": work.topic, "records": 3, "acknowledged": 3, "unsent": 0, "skipped": 1, "short": 1, "tails": 0}, told
    assert work.n_records() == 3
    script = work.dir / "p.sql"
    script.write_text(script.read_text().replace("partitions = 1", "partitions = 3"))
    made = [json.loads(line) for line in lib.run("init", "p.sql", "--json", cwd=work.dir).out.splitlines()]
    assert {"kind": "topic", "name": work.topic, "outcome": "was there", "partitions": 1, "replication": 1,
            "wanted_partitions": 3} in made, made


def test_blank_lines_of_dos_are_no_records():
    for tail in ("  \n\x1a", "\t\r\n \x1a\x1a", "\n\x1a\n\n   "):
        work = Work(lines(*ROWS) + tail)
        said = work.produce()
        assert "produced 2 records" in said and "short" not in said, said
        assert work.n_records() == 2 and work.rows() == ROWS


def test_short_rows_and_commas_at_their_ends_are_counted():
    work = Work(lines(ROWS[0] + ",,", "T2,24:10:00", ROWS[1] + ", ,"))
    said = work.produce()
    assert "2 rows have empty fields past the last column; they were passed over\n" in said, said
    assert "1 short row; missing columns are NULL\n" in said, said
    assert work.rows() == [ROWS[0], "T2,24:10:00,,", ROWS[1]]


def test_padded_numbers_are_published_as_numbers():
    work = Work(lines("T1,05:00:00,A,  1", "T2,24:10:00,B,\t2 "))
    work.produce()
    assert work.rows() == ROWS


def test_messages_name_the_commands_own_option():
    for row, why in (("T3,a,b,x", "column stop_sequence: 'x' is not an INT"),
                     (",a,b,1", "column trip_id is NOT NULL and has no value"),
                     ("T3,a,b,1,y", "5 fields for 4 columns of the header: the first too many is 'y'")):
        work = Work(lines(*ROWS, row))
        said = work.produce(code=3)
        assert (f"tramline produce: file://<DIR>/s.txt:4: {why}; --skip-errors leaves such rows out\n"
                in said), said
        assert "1 row left out" in work.produce("--skip-errors")


def test_a_header_that_does_not_fit_publishes_nothing():
    for header, why in (
            ("trip_id,arrival_time,stop_id,trip_id",
             "column trip_id stands twice in the header, as field 1 and 4"),
            ("trip_id,stop_id,stop_id,stop_sequence",
             "column stop_id stands twice in the header, as field 2 and 3"),
            ("Trip_Id,arrival_time,stop_id,stop_sequence",
             "column trip_id is NOT NULL and not in the header; the nearest there is 'Trip_Id'")):
        work = Work("\n".join([header, *ROWS]))
        said = work.produce(code=3)
        assert f"tramline produce: file://<DIR>/s.txt: {why}\n" in said, said
        assert work.n_records() == 0


def test_columns_that_the_header_lacks_are_told():
    work = Work("stop_id,Arrival_Time,trip_id\nA,05:00:00,T1\n")
    said = work.produce()
    assert ("s.txt has no arrival_time (the nearest is Arrival_Time), stop_sequence: NULL in every "
            "record\n") in said, said
    assert work.rows() == ["T1,,A,"]


def test_line_ends_that_are_none_are_told_with_a_cure():
    for end, why in (("\r", "the lines end with CR alone; mend the file: tr '\\r' '\\n'"),
                     ("\r\r\n", "the header line: the line ends with CR CR LF; mend the file: "
                                 "sed 's/\\r*$//'")):
        work = Work(lines(*ROWS, end=end))
        assert work.produce(code=3) == f"tramline produce: file://<DIR>/s.txt: {why}\n"
        assert work.n_records() == 0
        # What the message says makes it good.
        tool = ["tr", "\r", "\n"] if end == "\r" else ["sed", r"s/\r*$//"]
        text = subprocess.run(tool, input=(work.dir / "s.txt").read_bytes(), capture_output=True,
                              check=True).stdout
        (work.dir / "s.txt").write_bytes(text)
        assert "produced 2 records" in work.produce()
        assert work.rows() == ROWS


def test_a_slow_production_shows_how_far_it_is():
    work = Work(lines(*(f"T{i},05:00:00,A,{i}" for i in range(60))))
    master, slave = pty.openpty()
    done = subprocess.run([lib.program(), "produce", "--rate", "40/s", "s.txt", "p.sql"], cwd=work.dir,
                          stdout=subprocess.PIPE, stderr=slave, timeout=60, check=True, text=True)
    os.close(slave)
    drawn = os.read(master, 65536).decode().split("\r\x1b[K")
    os.close(master)
    shown = [line for line in drawn if "records" in line]
    assert len(shown) >= 3, drawn
    assert "produced 60 records in 1." in done.stdout, done.stdout


def test_a_production_that_is_stopped_says_how_many_it_sent():
    work = Work(lines(*(f"T{i},05:00:00,A,{i}" for i in range(5000))))
    for i in range(1, 3):
        produce = lib.Started("produce", "--rate", "200/s", "s.txt", "p.sql", cwd=work.dir)
        before = work.n_records()
        lib.wait_until(lambda: work.n_records() > before + 20, what="some records")
        produce.stop(code=1)
        n = json.loads(produce.text().split("produced ")[1].split(" ")[0].replace(",", ""))
        assert work.n_records() - before == n, (i, produce.text())
