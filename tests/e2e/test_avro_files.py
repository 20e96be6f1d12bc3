# SPDX-License-Identifier: Apache-2.0
# test: needs nothing
"""Container files out: the result, a materialized view and staged tables in Avro, read equal by
fastavro, Java's Avro and Avro's C library; what their blocks, schemas and metadata say."""
import collections
import functools
import json

import avro_container
import lib
import oracle
import results
from avro_work import CODECS, Work, avro, read_by_others, rows_work, view_work

BLOCK_BYTES = 16 << 10
N_RECORDS = 300
AVRO_OF = {"TEXT": "string", "INT": "int"}

SCRIPT = """
SET spool = '${ROOT}/spool';
CREATE TABLE trips (
  route_id TEXT, service_id TEXT NOT NULL, trip_id TEXT NOT NULL, trip_headsign TEXT, direction_id INT,
  shape_id TEXT, wheelchair_accessible INT, note_fr TEXT, note_en TEXT
) WITH (connector = 'filesystem', path = '${ROOT}/trips', ${TABLE});
CREATE TABLE calendar_dates (service_id TEXT NOT NULL, date TEXT NOT NULL, exception_type INT)
  WITH (connector = 'filesystem', path = '${ROOT}/calendar_dates', ${TABLE});
CREATE TABLE frequencies (trip_id TEXT NOT NULL, start_time TEXT, end_time TEXT, headway_secs INT)
  WITH (connector = 'filesystem', path = '${ROOT}/frequencies', ${TABLE}, optional = true);
CREATE MATERIALIZED VIEW enriched_trip WITH (path = '${ROOT}/enriched_trip', ${TABLE}) AS
  SELECT t.*, d.date, d.exception_type, f.start_time, f.end_time, f.headway_secs
  FROM trips t
  LEFT JOIN calendar_dates d ON d.service_id = t.service_id
  LEFT JOIN frequencies    f ON f.trip_id    = t.trip_id;
CREATE TABLE stop_times (
  trip_id TEXT NOT NULL, arrival_time TEXT, departure_time TEXT, stop_id TEXT, stop_sequence INT
) WITH (connector = 'file', path = '${FEED}/stop_times.txt', format = 'csv');
CREATE TABLE enriched_stop_time ()
  WITH (connector = 'filesystem', path = '${ROOT}/enriched_stop_time', ${TABLE});
INSERT INTO enriched_stop_time
  SELECT s.*, e.route_id, e.service_id, e.trip_headsign, e.direction_id, e.shape_id,
         e.wheelchair_accessible, e.note_fr, e.note_en, e.date, e.exception_type, e.start_time,
         e.end_time, e.headway_secs
  FROM stop_times s JOIN enriched_trip e ON e.trip_id = s.trip_id;
"""


@functools.cache
def feed():
    """STM's metro, its first stop_times only."""
    whole, folder = lib.feed_dir("stm-2021-metro-rebuilt"), lib.tmp_dir()
    for path in whole.glob("*.txt"):
        (folder / path.name).write_bytes(path.read_bytes())
    lines = (whole / "stop_times.txt").read_bytes().splitlines(keepends=True)
    (folder / "stop_times.txt").write_bytes(b"".join(lines[:N_RECORDS + 1]))
    return folder


def as_texts(row):
    """A row of an oracle as sqlite3 shows it."""
    return tuple(None if value is None else str(value) for value in row.values())


@functools.cache
def done(codec):
    work = Work(SCRIPT, FEED=feed(), TABLE=avro(codec, block_bytes="16kB", schema_namespace="org.stm"))
    work.tramline("init")
    work.tramline("extract", feed())
    work.tramline("run", "--once")
    return work


def expected_of():
    sql = {"trips": "SELECT * FROM trips", "calendar_dates": "SELECT * FROM calendar_dates",
           "frequencies": "SELECT * FROM frequencies", "enriched_trip": oracle.ENRICHED_TRIP,
           "enriched_stop_time": oracle.ENRICHED_STOP_TIME}
    return {name: oracle.expected_rows(feed(), text) for name, text in sql.items()}


def test_rows_are_equal_by_three_readers_for_all_codecs():
    expected = expected_of()
    names = {done(codec).file(name): name for codec in CODECS for name in expected}
    seen = read_by_others(list(names))
    for (who, path), rows in seen.items():
        wanted = expected[names[path]]
        assert len(rows) == wanted.total() > 0, f"{who} {path}: {len(rows)} rows"
        results.same_rows(collections.Counter(map(as_texts, rows)), wanted)
    assert len(seen) == (4 + 4 + 3) * 5


def test_blocks_have_the_size_that_is_asked_for():
    for codec in CODECS:
        for name, rows in expected_of().items():
            file = done(codec).container(name)
            assert file.codec == codec and file.n_rows == rows.total(), f"{codec} {name}"
    for codec in ("null", "deflate"):
        file = done(codec).container("enriched_stop_time")
        sizes = [len(plain) for _, plain in file.plain_blocks()]
        assert max(sizes) <= BLOCK_BYTES, max(sizes)
        # A block is closed by the row that no longer fits.
        full = [size for size in sizes if size > BLOCK_BYTES - 400]
        assert len(full) > 0.8 * len(sizes) > 10, sizes


def test_schema_is_that_of_the_select():
    schema = done("null").container("enriched_stop_time").schema
    assert (schema["name"], schema["namespace"]) == ("enriched_stop_time", "org.stm")
    nullable = {"trip_id": False, "service_id": False}
    kinds = {c: "INT" for c in ("stop_sequence", "direction_id", "wheelchair_accessible",
                                "exception_type", "headway_secs")}
    for i, field in enumerate(schema["fields"]):
        kind = AVRO_OF[kinds.get(field["name"], "TEXT")]
        assert field["field-id"] == i + 1, field
        if nullable.get(field["name"], True):
            assert field["type"] == ["null", kind] and field["default"] is None, field
        else:
            assert field["type"] == kind and "default" not in field, field
    assert len(schema["fields"]) == 18
    # d.date is NOT NULL, but not behind a LEFT JOIN.
    assert {f["name"]: f["type"] for f in schema["fields"]}["date"] == ["null", "string"]


def test_schema_has_the_name_that_is_given():
    work = rows_work("id,note\n1,x\n", out=avro(schema_name="Row", schema_namespace="a.b"))
    work.run()
    schema = work.container("out").schema
    assert (schema["name"], schema["namespace"]) == ("Row", "a.b")


def test_metadata_names_query_and_offsets():
    csv = "id,note\n" + "".join(f"{i},n\n" for i in range(5000))
    work = rows_work(csv, SET="SET commit.rows = 1000; SET batch.records = 700;")
    work.run()
    notes = []
    for entry in results.log_entries(work.root / "out").values():
        for file in entry.get("files", []):
            container = avro_container.Container((work.root / "out" / file["name"]).read_bytes())
            assert container.meta["tramline.plan"].decode() == entry["plan"] != ""
            assert container.header_bytes % 512 == 0
            notes.append(json.loads(container.meta["tramline.offsets"]))
            ranges = [{key: span[key] for key in ("partition", "first", "next")}
                      for span in entry["partitions"]]
            assert notes[-1]["partitions"] == ranges, f"{notes[-1]} {entry}"
    assert len(notes) >= 3
    assert {note["topic"] for note in notes} == {str(work.root / "rows.csv")}, notes
    spans = sorted((span["first"], span["next"]) for note in notes for span in note["partitions"])
    assert all(a[1] == b[0] for a, b in zip(spans, spans[1:])), spans
    assert (spans[0][0], spans[-1][1]) == (0, len(csv)), spans


def test_a_result_without_rows_is_no_file():
    work = rows_work("id,note\n1,x\n", WHERE="WHERE id < 0")
    work.run()
    assert work.files("out") == []
    assert max(results.log_entries(work.root / "out")) >= 1  # but committed


def test_views_without_rows_and_rows_larger_than_blocks():
    """No rows are a header that readers take; a row larger than a block has one of its own."""
    big = "x" * 300_000
    table = f"id,note\n1,a\n2,b\n3,{big}\n4,c\n5,{big}\n6,{big}\n"
    empty, full = {}, {}
    for codec in CODECS:
        options = avro(codec, block_bytes="1kB")
        work = view_work("id,note\n1,x\n", out=options, select="SELECT id, note FROM rows WHERE id < 0")
        work.run()
        assert work.container("seen").blocks == []
        empty[work.file("seen")] = codec
        work = view_work(table, out=options)
        work.run()
        assert [n for n, _ in work.container("seen").blocks] == [2, 1, 1, 1, 1]
        full[work.file("seen")] = codec
    for (who, path), rows in read_by_others([*empty, *full]).items():
        lengths = [len(row["note"]) for row in rows]
        wanted = [] if path in empty else [1, 1, 300_000, 1, 300_000, 300_000]
        assert lengths == wanted, f"{who} {path}: {lengths}"


def test_appended_columns_keep_the_ids_of_the_others():
    ids = []
    for select in ("id, note", "id, note, CAST(NULL AS TEXT) AS more"):
        work = rows_work("id,note\n1,x\n", select=select)
        work.run()
        fields = work.container("out").schema["fields"]
        ids.append({field["name"]: field["field-id"] for field in fields})
    assert ids == [{"id": 1, "note": 2}, {"id": 1, "note": 2, "more": 3}], ids


def test_extract_stages_avro_and_says_so_in_the_feeds_manifest():
    for codec in CODECS:
        work = done(codec)
        said = json.loads((work.root / "_feed.json").read_text())["tables"]
        for table in said:
            (path,) = work.files(table["name"])
            assert path.suffix == ".avro" and table["path"].endswith(str(path)), table
            assert table["size"] == path.stat().st_size, table


def test_rows_that_do_not_fit_are_told_when_a_table_becomes_avro():
    folder = lib.tmp_dir()
    for path in feed().glob("*.txt"):
        (folder / path.name).write_bytes(path.read_bytes())
    with open(folder / "calendar_dates.txt", "a", encoding="utf-8") as file:
        file.write("late,20210101,two\n")
    work = Work(SCRIPT, FEED=folder, TABLE=avro())
    work.tramline("init")
    done = work.tramline("extract", folder, code=3)
    assert (f"{folder}: calendar_dates.txt:22: column exception_type: 'two' is not an INT; "
            "on_error = 'skip' leaves such rows out\n") in done.err, done.err
    assert not any(work.files(name) for name in ("trips", "calendar_dates", "frequencies"))
    assert not (work.root / "_feed.json").exists()
    work = Work(SCRIPT, FEED=folder, TABLE=avro() + ", on_error = 'skip'")
    work.tramline("init")
    done = work.tramline("extract", folder)
    assert "table calendar_dates: 1 row left out" in done.err, done.err
    work.tramline("run", "--once")


def test_a_row_that_has_no_place_in_an_imposed_schema_is_told():
    """The feed is good, and only the file cannot be made of it."""
    work = Work("""
        CREATE TABLE trips (trip_id TEXT NOT NULL, n INT) WITH (connector = 'filesystem',
          path = '${ROOT}/trips', format = 'avro', schema = '${ROOT}/trips.avsc');""")
    work.write("trips.avsc", json.dumps({"type": "record", "name": "trips", "fields": [
        {"name": "trip_id", "type": "string"}, {"name": "n", "type": "int"}]}))
    work.write("feed/trips.txt", "trip_id,n\na,1\nb,\n")
    done = work.tramline("extract", work.root / "feed", code=None)
    assert done.code != 0 and "table trips, from trips.txt to Avro: " in done.err, done.err
    assert not work.files("trips") and not (work.root / "_feed.json").exists()


def test_a_table_staged_in_another_format_replaces_the_file():
    work = Work(SCRIPT, FEED=feed(), TABLE="format = 'csv'")
    work.tramline("init")
    work.tramline("extract", feed())
    for name in ("trips", "calendar_dates", "frequencies"):
        (path,) = work.files(name)
        assert path.read_bytes() == (feed() / f"{name}.txt").read_bytes(), name
    text = work.script.read_text()
    for form in ("format = 'avro'", "format = 'csv'"):
        work.script.write_text(text.replace("format = 'csv'", form).replace(
            f"path = '{feed()}/stop_times.txt', {form}", f"path = '{feed()}/stop_times.txt', format = 'csv'"))
        work.tramline("extract", feed())
        suffix = "." + form.split("'")[1]
        assert [p.suffix for p in work.files("trips")] == [suffix], form
        work.tramline("check", "--live")
