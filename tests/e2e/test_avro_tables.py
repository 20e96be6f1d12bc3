# SPDX-License-Identifier: Apache-2.0
# test: needs nothing
"""Container files in: files by fastavro, Java's Avro and Avro's C library read equal; broken ones are
told. And values that have no place in a file: told when the script is read, or dead letters."""
import base64
import datetime
import json
import resource
import zlib

import avro_container
import avro_oracles
import lib
import results
from avro_work import CODECS, avro, read_by_others, rows_work, view_work

# What others write: every kind of type, to be read or to be read past.

INNER = {"type": "record", "name": "Place", "fields": [
    {"name": "name", "type": "string"}, {"name": "floor", "type": ["null", "int"]},
    {"name": "tags", "type": {"type": "array", "items": "string"}}]}
SCHEMA = {"type": "record", "name": "Everything", "namespace": "org.stm", "fields": [
    {"name": "skipped", "type": {"type": "map", "values": ["null", "long", "string"]}},
    {"name": "id", "type": "long"},
    {"name": "note", "type": ["null", "string"]},
    {"name": "other", "type": ["string", "null"]},
    {"name": "place", "type": INNER},
    {"name": "spare", "type": ["null", "Place"]},
    {"name": "many", "type": {"type": "array", "items": {"type": "array", "items": "Place"}}},
    {"name": "kind", "type": {"type": "enum", "name": "Kind", "symbols": ["BUS", "METRO", "TRAIN"]}},
    {"name": "code", "type": {"type": "fixed", "name": "Code", "size": 3}},
    {"name": "raw", "type": "bytes"},
    {"name": "ratio", "type": "float"},
    {"name": "share", "type": "double"},
    {"name": "good", "type": "boolean"},
    {"name": "mixed", "type": ["null", "int", "string", "Place"]},
    {"name": "day", "type": {"type": "int", "logicalType": "date"}},
    {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
    {"name": "price", "type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}},
]}
COLUMNS = ("id BIGINT NOT NULL, note TEXT, other TEXT, \"place.name\" TEXT, \"place.floor\" INT,"
           " \"spare.name\" TEXT, kind TEXT, ratio REAL, share REAL, good BOOLEAN")
SELECT = ("SELECT id, note, other, \"place.name\" AS place_name, \"place.floor\" AS place_floor,"
          " \"spare.name\" AS spare_name, kind, ratio, share, good")
LOGICAL = ["day", "at", "price"]  # of a schema that libavro writes nothing is left of them
N_ROWS = 2000


def place(i):
    return {"name": f"F\u00eate {i}", "floor": i % 5 - 2 if i % 3 else None,
            "tags": ["t" * (k + i % 4) for k in range(i % 4)]}


def row(i):
    return {
        "skipped": {f"k{k}": [None, i << 33, "v"][k] for k in range(i % 4 and 3)}, "id": i * 7919 - 5000,
        "note": None if i % 5 == 0 else f"note \u6771\u4eac {i}", "other": None if i % 7 == 0 else "o" * (i % 90),
        "place": place(i), "spare": place(i + 1) if i % 2 else None,
        "many": [[place(k) for k in range(i % 3)]] * (i % 3), "kind": ["BUS", "METRO", "TRAIN"][i % 3],
        "code": "abc", "raw": "\u0000\u00ff" * (i % 9), "ratio": i / 4, "share": i / 10, "good": i % 2 == 0,
        "mixed": [None, i, "text", place(i)][i % 4], "day": i - 1000, "at": i * 86_399_999, "price": "\u0004\u00d2"}


def wanted(i):
    """Columns as CSV shows them, by the specification's meaning of each type."""
    r, epoch = row(i), datetime.datetime(1970, 1, 1)
    at = epoch + datetime.timedelta(milliseconds=r["at"])
    floor = r["place"]["floor"]
    return (str(r["id"]), r["note"], r["other"], r["place"]["name"], None if floor is None else str(floor),
            r["spare"] and r["spare"]["name"], r["kind"], repr(r["ratio"]).removesuffix(".0"),
            repr(r["share"]).removesuffix(".0"), str(r["good"]).lower(),
            (epoch + datetime.timedelta(days=r["day"])).date().isoformat(),
            at.isoformat(timespec="milliseconds") + "Z", "12.34")


def first_file():
    """By fastavro, not compressed: what the others copy from."""
    path = lib.tmp_dir() / "fastavro-null.avro"
    rows = [row(i) for i in range(N_ROWS)]
    avro_oracles.fastavro([{"write": str(path), "schema": SCHEMA, "codec": "null", "rows": rows,
                            "latin1": ["code", "raw", "price"], "sync_interval": 5000}])
    return path, rows


def files_of_others():
    first, rows = first_file()
    paths = {("fastavro", "null"): first}
    jobs = []
    for codec in CODECS:
        path = first.with_name(f"java-{codec}.avro")
        jobs.append({"copy": str(first), "to": str(path), "codec": codec, "sync_interval": 5000})
        paths["java", codec] = path
    avro_oracles.java(jobs)
    jobs = []
    for codec in CODECS[1:]:
        path = first.with_name(f"fastavro-{codec}.avro")
        jobs.append({"write": str(path), "schema": SCHEMA, "codec": codec, "rows": rows,
                     "latin1": ["code", "raw", "price"], "sync_interval": 5000})
        paths["fastavro", codec] = path
    avro_oracles.fastavro(jobs)
    for codec in ("null", "deflate", "snappy"):
        path = first.with_name(f"libavro-{codec}.avro")
        avro_oracles.libavro("copy", first, path, codec, 20000)
        paths["libavro", codec] = path
    return paths


def test_files_of_others_are_read_equal():
    paths = files_of_others()
    assert len(paths) == 4 + 4 + 3
    for who, path in paths.items():
        assert len(avro_container.Container(path.read_bytes()).blocks) > 3, who
        logical = [] if who[0] == "libavro" else LOGICAL
        work = view_work(path.read_bytes(), columns=", ".join([COLUMNS, *(f"{n} TEXT" for n in logical)]),
                         select=f"{', '.join([SELECT, *logical])} FROM rows", out="format = 'csv'")
        work.run()
        got = [tuple(r) for r in results.read_csv(work.file("seen").read_bytes())][1:]
        for i, mine in enumerate(got):
            theirs = wanted(i)[:len(mine)]
            assert mine == theirs, f"{who}, row {i}:\n{mine}\n{theirs}"
        assert len(got) == N_ROWS, who


def test_a_tables_schema_may_be_imposed_when_it_is_read():
    first, _ = first_file()
    reader = {"type": "record", "name": "Everything", "namespace": "org.stm", "fields": [
        {"name": "number", "type": "double", "aliases": ["id"]},
        {"name": "more", "type": "string", "default": "none"}]}
    work = view_work(first.read_bytes(), columns="number REAL, more TEXT",
                     select="SELECT number, more FROM rows", out="format = 'csv'",
                     IN="format = 'avro', schema = '${ROOT}/x.avsc'")
    work.write("x.avsc", json.dumps(reader))
    work.script.write_text(work.script.read_text().replace("${ROOT}", str(work.root)))
    work.run()
    got = [tuple(r) for r in results.read_csv(work.file("seen").read_bytes())][1:]
    assert got == [(str(row(i)["id"]), "none") for i in range(N_ROWS)]


# Broken files.


def zigzag(value):
    bits, out = value << 1 ^ value >> 63, b""
    while bits > 0x7F:
        bits, out = bits >> 7, out + bytes([bits & 0x7F | 0x80])
    return out + bytes([bits])


SYNC = bytes(range(16))


def container(codec, *blocks, sync=SYNC):
    """blocks: (rows, bytes as they are in the file)."""
    schema = {"type": "record", "name": "r", "fields": [{"name": "id", "type": "int"},
                                                        {"name": "note", "type": "string"}]}
    meta = {"avro.schema": json.dumps(schema), "avro.codec": codec}
    out = b"Obj\x01" + zigzag(len(meta))
    for text in (text for pair in meta.items() for text in pair):
        out += zigzag(len(text)) + text.encode()
    out += b"\0" + SYNC
    return out + b"".join(zigzag(n) + zigzag(len(data)) + data + sync for n, data in blocks)


def deflate(data):
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


GOOD = b"".join(zigzag(i) + b"\x02x" for i in range(50))
BAD_UTF8 = zigzag(1) + b"\x04\xc3("


def refused(data, code=3):
    work = view_work(data)
    work.tramline("init")
    done = work.tramline("run", "--once", code=code)
    assert work.files("seen") == [] and work.files("out") == []
    return done.err


def test_broken_files_are_told_with_file_block_and_byte():
    whole = container("null", (50, GOOD), (50, GOOD))
    first = whole.index(SYNC) + 16
    second = whole.index(SYNC, first) + 16
    for data, words in [
            (b"", "no Avro container file: it does not begin with Obj and the byte 1"),
            (whole[:20], "the file ends in the header"),
            (whole[:first - 3], "the file ends in the header"),
            (whole[:second + 40], f"block 2 at byte {second}: the file ends in a block"),
            (whole[:-5], f"block 2 at byte {second}: the file ends in a sync marker"),
            (container("null", (50, GOOD), sync=SYNC[::-1]), f"block 1 at byte {first}: the sync marker at"),
            (container("null", (49, GOOD)), "3 bytes left behind the last row"),
            (container("null", (51, GOOD)), "row 51: field 'id': cut off in a number"),
            (container("null", (-1, GOOD)), "-1 is not a count of rows"),
            (container("null", (1 << 40, GOOD)), "1099511627776 is not a count of rows"),
            (container("lzma", (50, GOOD)), "codec 'lzma' is not known here; null, deflate, snappy and zstandard"),
            (container("snappy", (50, b"\x02\x00x" + bytes(4))), "snappy: "),
            (container("deflate", (50, deflate(GOOD)[:-8])), "deflate: wrong data, or cut off"),
            (container("zstandard", (50, b"\x28\xb5\x2f\xfd")), "zstandard: cut off"),
            (container("null", (1, BAD_UTF8)), "row 1: field 'note': no UTF-8 text"),
    ]:
        said = refused(data)
        assert words in said and "rows.avro: " in said, f"{words}\n{said}"


def test_a_block_that_unpacks_to_very_much_is_refused_in_bounded_memory():
    packer = zlib.compressobj(1, zlib.DEFLATED, -15)
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(600)) + packer.flush()
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    said = refused(container("deflate", (1, bomb)))
    assert "rows.avro: block 1 at byte " in said and "more than 268435456 bytes when unpacked" in said, said
    after = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    if not lib.is_checked():  # what is freed is held back there
        assert after <= max(before, 400 << 10), f"{after} kB"


def test_rows_that_cannot_be_read_may_be_left_out():
    work = view_work(container("null", (51, GOOD + BAD_UTF8), (50, GOOD)),
                     IN="format = 'avro', on_error = 'skip'")
    done = work.run()
    assert "table rows: 1 row left out, the first of them:" in done.err, done.err
    assert "rows.avro: block 1 at byte" in done.err and "row 51: field 'note'" in done.err, done.err
    assert work.container("seen").n_rows == 100


# An imposed schema.

COLUMNS_OF_ROWS = ("id INT NOT NULL, day TEXT, at TEXT, price TEXT, kind TEXT, token TEXT NOT NULL, ratio REAL,"
                   " good BOOLEAN")
TOKEN = "7f3c1e52-9c1b-4c59-8a5e-0a4f4a7f1c11"


def imposed_schema():
    def field(name, kind, **more):
        return {"name": name, "type": kind, **more}
    return {"type": "record", "name": "Row", "namespace": "org.stm", "doc": "kept as it is", "fields": [
        field("id", "long", **{"field-id": 7}),
        field("day", ["null", {"type": "int", "logicalType": "date"}], default=None),
        field("at", [{"type": "long", "logicalType": "timestamp-millis"}, "null"]),
        field("price", ["null", {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}]),
        field("kind", ["null", {"type": "enum", "name": "Kind", "symbols": ["BUS", "METRO"]}], aliases=["mode"]),
        field("token", {"type": "string", "logicalType": "uuid"}),
        field("ratio", ["float", "null"]),
        field("good", ["null", "string", "boolean"])]}


CSV = f"""id,day,at,price,kind,token,ratio,good
1,2021-03-14,2021-03-14T05:00:00Z,12.5,BUS,{TOKEN},0.5,true
2,,,,,{TOKEN},,
3,2021-13-01,,,,{TOKEN},,
4,,14 March,,,{TOKEN},,
5,,,12.505,,{TOKEN},,
6,,,,PLANE,{TOKEN},,
7,,,,,none,,
8,,,,,{TOKEN},1e300,
9,1969-12-31,1969-12-31T23:59:59.999Z,-0.01,METRO,{TOKEN},-1,f
"""
REASONS = {3: "column 'day': '2021-13-01' is not a value of int (date)",
           4: "column 'at': '14 March' is not a value of long (timestamp-millis)",
           5: "column 'price': '12.505' is not a value of bytes (decimal 9, 2)",
           6: "column 'kind': 'PLANE' is not a value of enum 'org.stm.Kind'",
           7: "column 'token': 'none' is not a value of string (uuid)",
           8: "column 'ratio': 1e+300 is not a value of float"}
VALUES = [
    {"id": 1, "day": 18700, "at": 1615698000000, "price": {"hex": "04e2"}, "kind": "BUS", "token": TOKEN,
     "ratio": 0.5, "good": True},
    {"id": 2, "day": None, "at": None, "price": None, "kind": None, "token": TOKEN, "ratio": None, "good": None},
    {"id": 9, "day": -1, "at": -1, "price": {"hex": "ff"}, "kind": "METRO", "token": TOKEN, "ratio": -1.0,
     "good": False}]


def imposed_work(schema, columns=COLUMNS_OF_ROWS, select="*", csv=CSV, **variables):
    path = lib.tmp_dir() / "row.avsc"
    path.write_text(json.dumps(schema))
    return rows_work(csv, columns=columns, select=select, out=avro("deflate", schema=path), **variables)


def test_an_imposed_schema_is_written_and_what_does_not_fit_is_a_dead_letter():
    paths = []
    for executor in ("native", "sqlite"):
        work = imposed_work(imposed_schema(),
                            SET=f"SET executor = '{executor}'; SET on_error.share = '100%';")
        work.run()
        letters = results.dead_letters(work.root / "out")
        reasons = {int(base64.b64decode(letter["value"]).split(b",")[0]): letter["reason"] for letter in letters}
        assert reasons == REASONS, f"{executor}: {reasons}"
        assert work.container("out").schema == imposed_schema()
        paths.append(work.file("out"))
    for (who, path), rows in read_by_others(paths).items():
        if who != "libavro":  # its JSON shows bytes otherwise
            assert rows == VALUES, f"{who}: {rows}"
        assert [r["id"] for r in rows] == [1, 2, 9], who


def test_a_schema_that_does_not_fit_is_told_before_anything_is_done():
    fields = imposed_schema()["fields"]

    def with_field(name, kind):
        return {**imposed_schema(), "fields": [{**f, "type": kind} if f["name"] == name else f for f in fields]}

    for schema, words in [
            (with_field("ratio", ["null", "int"]), "field 'ratio' is union of null and int, which a column of REAL"),
            (with_field("id", "string"), "field 'id' is string, which a column of INT cannot be written as"),
            (with_field("day", "string"), "field 'day' takes no null, but the column may be NULL"),
            ({**imposed_schema(), "fields": fields[:-1]}, "there is no field for column 'good'"),
            ({**imposed_schema(), "fields": [*fields, {"name": "late", "type": "int"}]},
             "there is no column for field 'late'"),
            ({**imposed_schema(), "fields": [fields[1], fields[0], *fields[2:]]},
             "field 1 is 'day', column 1 is 'id': select the columns in the order"),
            ({"type": "map", "values": "int"}, "rows are a record, this is map")]:
        work = imposed_work(schema)
        for command in ("check", "explain", "init"):
            done = work.tramline(command, code=2)
            assert "error: Avro schema: " in done.err and words in done.err, f"{words}\n{done.err}"
        assert work.files("out") == [] and not (work.root / "out").exists()


# Columns whose type would change from row to row.


def test_types_that_change_from_row_to_row_are_told_when_the_script_is_read():
    for select, words in [
            ("CASE WHEN id > 1 THEN id ELSE note END AS x", "CAST"),
            ("coalesce(id, note) AS x", "CAST"),
            ("id FROM rows UNION ALL SELECT note", "CAST"),
            ("CASE WHEN id > 1 THEN 1.5 ELSE good END AS x", "CAST")]:
        work = rows_work("id,note,good\n1,x,t\n", columns="id INT, note TEXT, good BOOLEAN", select=select)
        done = work.tramline("check", code=2)
        assert words in done.err, f"{select}: {done.err}"


NUMBERS = "id,a,r\n1,1,1\n2,2147483647,1e308\n3,-2147483648,-1e308\n4,5,0.5\n"


def test_values_out_of_range_are_dead_letters_and_the_file_is_whole():
    """The sqlite executor computes in 64 bits and in doubles: what leaves the column's type does not
    get into the file."""
    paths = {}
    for select, good, words in [
            ("id, a * 2 AS x", [1, 4], "INT"),
            ("id, a + 1 AS x", [1, 3, 4], "INT"),
            ("id, CAST(r * 10 AS BIGINT) AS x", [1, 4], ""),
            ("id, r * 10 AS x", [1, 4], "REAL"),
            ("id, 10 / (CAST(a AS BIGINT) - 5) AS x", [1, 2, 3], "zero"),
            ("id, CAST(CAST(a AS BIGINT) * 4 AS INT) AS x", [1, 4], "INT"),
            ("id, CASE WHEN id < 3 THEN a ELSE r END AS x", [1, 2, 3, 4], None)]:
        work = rows_work(NUMBERS, columns="id INT NOT NULL, a INT, r REAL", select=select,
                         SET="SET on_error.share = '100%';")
        work.run()
        letters = results.dead_letters(work.root / "out")
        assert len(letters) == 4 - len(good), f"{select}: {letters}"
        assert all(words in letter["reason"] for letter in letters), f"{select}: {letters}"
        paths[work.file("out")] = select, good
    seen = read_by_others(list(paths))
    for (who, path), rows in seen.items():
        select, good = paths[path]
        assert [r["id"] for r in rows] == good, f"{who}: {select}: {rows}"


def test_texts_that_are_no_text_never_get_into_a_file():
    """NUL and bytes that are not UTF-8, in the stream and in a table."""
    stream = b"id,note\n1,good\n2,a\0b\n3,F\xeate\n4,\xc3\xa9\n"
    paths = []
    for executor in ("native", "sqlite"):
        work = rows_work(stream, SET=f"SET executor = '{executor}'; SET on_error.share = '100%';")
        work.run()
        assert len(results.dead_letters(work.root / "out")) == 2
        paths.append(work.file("out"))
    for (who, _), rows in read_by_others(paths).items():
        assert [(r["id"], r["note"]) for r in rows] == [(1, "good"), (4, "\u00e9")], who
    for cast in ("CAST(raw AS TEXT)", "raw || 'x'", "lower(raw)"):
        work = view_work(first_file()[0].read_bytes(), columns="id BIGINT NOT NULL, raw BYTES",
                         select=f"SELECT id, {cast} AS x FROM rows")
        assert "BYTES" in work.tramline("check", code=2).err, cast


def test_bytes_and_fixed_go_through_as_they_are():
    path, rows = first_file()
    work = view_work(path.read_bytes(), columns="id BIGINT NOT NULL, raw BYTES, code BYTES",
                     select="SELECT id, raw, code FROM rows")
    work.run()
    seen = read_by_others([work.file("seen")])
    for who in ("fastavro", "java"):
        got = [(r["id"], r["raw"]["hex"], r["code"]["hex"]) for r in seen[who, work.file("seen")]]
        assert got == [(r["id"], r["raw"].encode("latin-1").hex(), "616263") for r in rows], who
