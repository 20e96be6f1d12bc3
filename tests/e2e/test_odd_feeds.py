# SPDX-License-Identifier: Apache-2.0
# test: needs nothing
"""What feeds hold that no page of GTFS speaks of, each with variations: a header in another order,
columns that it lacks, padded fields, numbers as databases write them, blank lines of DOS, commas at
the ends of lines, zips with names in any code page. Expected rows are written down by hand."""
import struct
import zipfile

import lib

TRIPS = ("trips", "route_id TEXT, service_id TEXT NOT NULL, trip_id TEXT NOT NULL, "
                  "trip_headsign TEXT, direction_id INT", "")
FREQUENCIES = ("frequencies", "trip_id TEXT NOT NULL, start_time TEXT, headway_secs INT",
               ", optional = true")
STREAM = "trip_id TEXT NOT NULL, arrival_time TEXT, departure_time TEXT, stop_id TEXT, stop_sequence INT"
ROWS = ["T1,05:00:00,05:01:00,A,1", "T2,24:10:00,24:11:00,B,2"]
HEADER = "trip_id,arrival_time,departure_time,stop_id,stop_sequence"
TRIP_ROWS = "route_id,service_id,trip_id,trip_headsign,direction_id\nR1,S1,T1,Gare,0\nR1,S2,T2,Pont,1\n"


class Job:
    """A job from the local file s.csv; `query` is over stream s and the tables."""

    def __init__(self, stream, tables=(TRIPS,), query=None, options=""):
        self.dir = lib.tmp_dir()
        self.feed = self.dir / "feed"
        self.feed.mkdir()
        made = "".join(
            f"CREATE TABLE {name} ({columns}) WITH (connector = 'filesystem', "
            f"path = '{self.dir}/staged/{name}', format = 'csv'{more});\n"
            for name, columns, more in tables)
        query = query or "SELECT s.* FROM s"
        (self.dir / "p.sql").write_text(
            f"SET spool = '{self.dir}/spool';\nSET on_error.share = '100%';\n{made}"
            f"CREATE TABLE s ({stream}) WITH (connector = 'file', path = '{self.dir}/s.csv'{options});\n"
            f"CREATE TABLE r () WITH (connector = 'filesystem', path = '{self.dir}/r', format = 'csv');\n"
            f"INSERT INTO r {query};\n")

    def put(self, name, data):
        path = self.dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return self

    def tramline(self, *args, code=0):
        command, *rest = args
        done = lib.run(command, *rest, "p.sql", cwd=self.dir, code=code)
        return done.err.replace(str(self.dir), "<DIR>")

    def extract(self, feed="feed", *args, code=0):
        return self.tramline("extract", *args, feed, code=code)

    def run(self, code=0):
        return self.tramline("run", "--once", code=code)

    def rows(self):
        """Lines of the result without its header, sorted."""
        done = lib.run("cat", "--csv", "p.sql", "r", cwd=self.dir)
        return sorted(done.out.splitlines()[1:])


def same(got, wanted):
    assert got == wanted, f"{got!r} is not {wanted!r}"


# The header of a stream's file


def reordered(order):
    """The two records with their fields in another order, by name."""
    lines = [HEADER.split(",")] + [row.split(",") for row in ROWS]
    return "".join(",".join(line[i] for i in order) + "\n" for line in lines)


def test_a_streams_file_goes_by_its_header():
    for text in (reordered([0, 2, 1, 3, 4]), reordered([4, 3, 2, 1, 0]),
                 "\ufeff" + reordered([3, 0, 4, 1, 2]),
                 f"x,{HEADER},y\n" + "".join(f'"a,b",{row},\n' for row in ROWS),
                 HEADER.replace(",", " , ") + "\r\n" + "\r\n".join(ROWS)):
        job = Job(STREAM, tables=()).put("s.csv", text)
        err = job.run()
        same(job.rows(), ROWS)
        assert "NULL in every record" not in err and "rejected 0" in err, err


def test_a_streams_header_that_does_not_fit_is_refused_before_anything():
    for header, message in (
            ("trip,arrival_time,departure_time,stop_id,stop_sequence",
             "column trip_id is NOT NULL and not in the header; the nearest there is 'trip'"),
            ("TRIP_ID,arrival_time,departure_time,stop_id,stop_sequence",
             "column trip_id is NOT NULL and not in the header; the nearest there is 'TRIP_ID'"),
            ("trip_id,arrival_time,arrival_time,stop_id,stop_sequence",
             "column arrival_time stands twice in the header, as field 2 and 3"),
            ("trip_id,arrival_time,departure_time,stop_id,trip_id",
             "column trip_id stands twice in the header, as field 1 and 5")):
        job = Job(STREAM, tables=()).put("s.csv", header + "\n" + "\n".join(ROWS) + "\n")
        err = job.run(code=3)
        assert f"tramline run: <DIR>/s.csv: {message}\n" in err, err
        assert not (job.dir / "r").exists() or not list((job.dir / "r").glob("part-*"))
        assert f"BAD   stream     s: <DIR>/s.csv: {message}" in lib.run(
            "check", "--live", "p.sql", cwd=job.dir, code=1).out.replace(str(job.dir), "<DIR>")


def test_columns_that_a_streams_header_lacks_are_told():
    job = Job(STREAM, tables=()).put("s.csv", "stop_id,Arrival_Time,trip_id\nA,05:00:00,T1\n")
    err = job.run()
    assert ("<DIR>/s.csv has no arrival_time (the nearest is Arrival_Time), departure_time, "
            "stop_sequence: NULL in every record\n") in err, err
    same(job.rows(), ["T1,,,A,"])


def test_a_run_from_the_middle_of_a_file_goes_by_its_header():
    """As after a stop: what was committed stays, and the rest is read by the same header."""
    text = reordered([4, 1, 0, 2, 3])
    job = Job(STREAM, tables=()).put("s.csv", text[:text.rindex("\n2,") + 1])
    job.run()
    same(job.rows(), ROWS[:1])
    job.put("s.csv", text)
    job.run()
    same(job.rows(), ROWS)
    same(lib.run("verify", "--deep", "p.sql", cwd=job.dir).code, 0)


def test_a_streams_file_without_a_header_goes_by_position():
    job = Job(STREAM, tables=(), options=", header = false").put("s.csv", "\n".join(ROWS))
    job.run()
    same(job.rows(), ROWS)
    bare = Job(STREAM, tables=()).put("s.csv", "\n".join(ROWS))
    assert "a file without a header line is read with header = false" in bare.run(code=3)


# Columns that a table's header lacks


def test_columns_that_a_tables_header_lacks_are_told():
    for header, absent in (
            ("\ufeff\ufeffroute_id,service_id,trip_id,Trip_Headsign,direction_id",
             "trip_headsign (the nearest is Trip_Headsign)"),
            ("route_id,service_id,trip_id,headsign,direction_id",
             "trip_headsign (the nearest is headsign)"),
            ("route_id,service_id,trip_id,trip_headsigns,directionid",
             "trip_headsign (the nearest is trip_headsigns), "
             "direction_id (the nearest is directionid)")):
        text = TRIP_ROWS.replace(TRIP_ROWS.split("\n", maxsplit=1)[0], header)
        job = Job(STREAM, query="SELECT s.trip_id, t.route_id, t.trip_headsign FROM s JOIN trips t "
                                "ON t.trip_id = s.trip_id")
        job.put("s.csv", HEADER + "\n" + "\n".join(ROWS) + "\n").put("feed/trips.txt", text)
        err = job.extract()
        assert f"trips.txt has no {absent}: NULL in every row\n" in err, err
        for command in (["check", "--live"], ["run", "--once"]):
            err = job.tramline(*command)
            assert f"table trips: the header has no {absent}: NULL in every row\n" in err, err
        same(job.rows(), ["T1,R1,", "T2,R1,"])


# Padded fields and numbers


def test_padded_numbers_are_read():
    """As a national railway pads its lines, and a commuter railway its numbers."""
    dates = "".join(line.ljust(120) + "\n" for line in (
        "service_id,date,exception_type", "s1,20260101,2", "s1,20260102,1", "s2,20260101,1"))
    wanted = ["t1,1,1", "t1,1,2", "t1,2,1", "t1,2,2", "t2,1,1"]
    for text in (dates, dates.replace(",2 ", ",\t2"), dates.replace(",2  ", ',"2" ')):
        job = Job("trip_id TEXT NOT NULL, stop_sequence INT",
                  (("trips", "trip_id TEXT NOT NULL, service_id TEXT NOT NULL", ""),
                   ("calendar_dates", "service_id TEXT NOT NULL, date TEXT, exception_type INT", "")),
                  "SELECT s.trip_id, s.stop_sequence, d.exception_type FROM s JOIN trips t ON t.trip_id = "
                  "s.trip_id JOIN calendar_dates d ON d.service_id = t.service_id")
        job.put("feed/trips.txt", "route_id,service_id,trip_id\n1,s1,t1\n1,s2,t2\n")
        job.put("feed/calendar_dates.txt", text)
        job.put("s.csv", "trip_id,stop_sequence\nt1,  1\nt1,\t2\nt2, 1\n")
        job.extract()
        job.run()
        same(job.rows(), wanted)


def test_keys_with_blanks_are_named_and_can_be_trimmed():
    dates = "service_id,date\n{}\n"
    for table, stream, said in (
            ("S1  ", "T1", "table calendar_dates: 1 value of service_id with blanks at the ends, the "
             "first 'S1  ': they match only one with the same blanks; trim = true takes them off\n"),
            ("\tS1", "T1", "table calendar_dates: 1 value of service_id with blanks at the ends, the "
             "first '\\x09S1': they match only one with the same blanks; trim = true takes them off\n"),
            ("S1", " T1", "stream s: 1 value of trip_id with blanks at the ends, the first ' T1': they "
             "match only one with the same blanks; trim = true takes them off\n"),
            ("S1", '"T1 "', "stream s: 1 value of trip_id with blanks at the ends, the first 'T1 ': they "
             "match only one with the same blanks; trim = true takes them off\n")):
        for trim in (False, True):
            more = ", trim = true" if trim else ""
            job = Job("trip_id TEXT NOT NULL",
                      (("trips", "service_id TEXT, trip_id TEXT NOT NULL", more),
                       ("calendar_dates", "service_id TEXT NOT NULL, date TEXT", more)),
                      "SELECT s.trip_id, d.date FROM s JOIN trips t ON t.trip_id = s.trip_id "
                      "JOIN calendar_dates d ON d.service_id = t.service_id", more)
            job.put("feed/trips.txt", "trip_id,service_id\nT1,S1\nT2,S2\n")
            job.put("feed/calendar_dates.txt", dates.format(f"{table},20260101\nS2,20260102"))
            job.put("s.csv", f"trip_id\n{stream}\nT2\n")
            job.extract()
            err = job.run()
            if trim:
                assert "with blanks" not in err, err
                same(job.rows(), ["T1,20260101", "T2,20260102"])
            else:
                assert said in err, err
                same(job.rows(), ["T2,20260102"])


def test_numbers_as_databases_write_them():
    for text in (".53 -.5 5. +1.5 1.5", "+.53 -0.5 5.0 1.50 +1.5e0", "00.53 -.5 05 1.5 15.E-1"):
        job = Job("trip_id TEXT NOT NULL, x REAL, n INT", tables=())
        job.put("s.csv", "trip_id,x,n\n" + "".join(f"T1,{x},+5\n" for x in text.split()))
        assert "rejected 0" in job.run()
        same(job.rows(), ["T1,-0.5,5", "T1,0.53,5", "T1,1.5,5", "T1,1.5,5", "T1,5,5"])


def test_booleans_may_be_padded_too():
    job = Job("a BOOLEAN, b BIGINT", tables=(), options=", format = 'csv'")
    job.put("s.csv", 'a,b\n t,7 \n"f "," -1"\n\t1\t,\n0 ,   \n')
    assert "rejected 0" in job.run()
    same(job.rows(), ["false,", "false,-1", "true,", "true,7"])


# Lines


def test_blank_lines_of_dos_are_passed():
    for tail in ("  \n\x1a", "\t\r\n \x1a\x1a", "\x1a\n\n   "):
        job = Job(STREAM, query="SELECT s.*, t.trip_headsign FROM s JOIN trips t ON t.trip_id = s.trip_id")
        job.put("feed/trips.txt", TRIP_ROWS + tail)
        job.put("s.csv", HEADER + "\n" + "\n".join(ROWS) + "\n" + tail)
        job.extract()
        assert "rejected 0" in job.run()
        same(job.rows(), [ROWS[0] + ",Gare", ROWS[1] + ",Pont"])


def test_commas_at_the_ends_of_lines_are_passed_and_counted():
    for tail in (",", ",,,", ", ,\t"):
        job = Job(STREAM, query="SELECT s.*, t.direction_id FROM s JOIN trips t ON t.trip_id = s.trip_id")
        job.put("feed/trips.txt", TRIP_ROWS.replace("0\n", f"0{tail}\n"))
        job.put("s.csv", HEADER + "\n" + "".join(f"{row}{tail}\n" for row in ROWS))
        job.extract()
        err = job.run()
        assert ("table trips: 1 row has empty fields past the last column; they were passed over\n"
                in err), err
        assert ("2 records have empty fields past the last column; they were passed over\n"
                in err), err
        same(job.rows(), [ROWS[0] + ",0", ROWS[1] + ",1"])


def test_line_ends_that_are_none_are_told_with_a_cure():
    for end, message in (
            ("\r", "the lines end with CR alone; mend the file: tr '\\r' '\\n'"),
            ("\r\r\n", "the header line: the line ends with CR CR LF; mend the file: sed 's/\\r*$//'"),
            ("\r\r\r\n", "the header line: the line ends with CR CR LF; mend the file: sed 's/\\r*$//'")):
        text = TRIP_ROWS.replace("\n", end)
        job = Job(STREAM).put("feed/trips.txt", text).put("s.csv", HEADER + "\n")
        same(job.extract(code=3), f"tramline extract: <DIR>/feed: trips.txt: {message}\n")
        job.put("staged/trips/trips.csv", text)
        same(job.run(code=3).splitlines()[-1],
             f"tramline run: file://<DIR>/staged/trips/trips.csv: {message}")


def test_a_schemas_file_is_looked_for_beside_the_script():
    place, other = lib.tmp_dir(), lib.tmp_dir()
    (place / "sub").mkdir()
    (place / "sub/x.avsc").write_text('{"type": "record", "name": "t", "fields": '
                                      '[{"name": "a", "type": "string"}]}')
    for path, cwd in (("x.avsc", place), ("x.avsc", other), ("../sub/x.avsc", other),
                      (place / "sub/x.avsc", other)):
        (place / "sub/p.sql").write_text(
            "CREATE TABLE t () WITH (connector = 'filesystem', path = '/tmp/t', format = 'avro', "
            f"schema = '{path}');")
        assert "good: 1 table" in lib.run("check", place / "sub/p.sql", cwd=cwd).out
    (other / "y.avsc").write_text((place / "sub/x.avsc").read_text())
    (place / "sub/p.sql").write_text((place / "sub/p.sql").read_text().replace(
        str(place / "sub/x.avsc"), "y.avsc"))
    assert f"cannot open {place}/sub/y.avsc" in lib.run("check", place / "sub/p.sql", cwd=other,
                                                        code=2).err


# Zips


class RawName(zipfile.ZipInfo):
    """An entry whose name is bytes, written without the flag of UTF-8."""

    def _encodeFilenameFlags(self):
        return self.raw, self.flag_bits & ~0x800


def make_zip(path, name, flag):
    with zipfile.ZipFile(path, "w") as file:
        if flag:
            file.writestr(name, TRIP_ROWS)
            return
        entry = RawName("x")
        entry.raw = name
        file.writestr(entry, TRIP_ROWS)


def test_zips_may_have_names_in_any_code_page():
    name = "Réseau été 2026/trips.txt"
    for i, (raw, flag) in enumerate(((name, True), (name.encode(), False),
                                     (name.encode("cp437"), False), (name.encode("latin-1"), False),
                                     ("東京/trips.txt", True), ("東京/trips.txt".encode("shift-jis"), False))):
        job = Job(STREAM).put("s.csv", HEADER + "\n")
        make_zip(job.dir / f"{i}.zip", raw, flag)
        flags = struct.unpack_from("<H", (job.dir / f"{i}.zip").read_bytes(), 6)[0]
        same(bool(flags & 0x800), flag)
        job.extract(f"{i}.zip")
        same((job.dir / "staged/trips/trips.csv").read_text(), TRIP_ROWS)
