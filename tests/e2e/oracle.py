# SPDX-License-Identifier: Apache-2.0
"""What a query over a feed must give, by the sqlite3 shell alone.

The shell's .import cannot tell an empty field from "", so a reader of ours marks NULL first. Rows
are tuples of texts as SQLite prints them, NULL is None, as in results.py.
"""
import collections
import pathlib
import subprocess
import tempfile

import results

TABLES = {
    "trips": "route_id TEXT, service_id TEXT, trip_id TEXT, trip_headsign TEXT, direction_id INT,"
             " shape_id TEXT, wheelchair_accessible INT, note_fr TEXT, note_en TEXT",
    "calendar_dates": "service_id TEXT, date TEXT, exception_type INT",
    "frequencies": "trip_id TEXT, start_time TEXT, end_time TEXT, headway_secs INT",
    "stop_times": "trip_id TEXT, arrival_time TEXT, departure_time TEXT, stop_id TEXT,"
                  " stop_sequence INT",
}
INDEXES = {"trips": "trip_id", "calendar_dates": "service_id", "frequencies": "trip_id"}

ENRICHED_TRIP = """
    SELECT t.*, d.date, d.exception_type, f.start_time, f.end_time, f.headway_secs
    FROM trips t
    LEFT JOIN calendar_dates d ON d.service_id = t.service_id
    LEFT JOIN frequencies f ON f.trip_id = t.trip_id"""
ENRICHED_STOP_TIME = """
    SELECT s.*, e.route_id, e.service_id, e.trip_headsign, e.direction_id, e.shape_id,
           e.wheelchair_accessible, e.note_fr, e.note_en, e.date, e.exception_type, e.start_time,
           e.end_time, e.headway_secs
    FROM stop_times s JOIN enriched_trip e ON e.trip_id = s.trip_id"""

NULL, FIELD_END, RECORD_END = "\x02", "\x1f", "\x1e"
LIMIT_S = 300


def table_columns(definition):
    return [tuple(column.split()) for column in definition.split(",")]


def _file_columns(records, path):
    header = next(records, None)
    if header is None:
        raise ValueError(f"{path}: no header")
    return [(name or "").strip() for name in header]


def write_marked(feed_file, columns, to):
    """Writes the columns of a GTFS file for .import --ascii; those it lacks are NULL."""
    with open(to, "w", encoding="utf-8", errors="surrogateescape", newline="") as out:
        if not feed_file.exists():
            return
        records = results.read_csv(feed_file.read_bytes())
        names = _file_columns(records, feed_file)
        places = [names.index(c) if c in names else None for c, _ in columns]
        for record in records:
            fields = (record[p] if p is not None and p < len(record) else None for p in places)
            marked = (NULL if field is None else field for field in fields)
            out.write(FIELD_END.join(marked) + RECORD_END)


def _load_script(name, definition, file):
    columns = table_columns(definition)
    raw = ", ".join(f"{column} TEXT" for column, _ in columns)
    values = ", ".join(
        f"CAST(NULLIF({column}, '{NULL}') AS INTEGER)" if kind in ("INT", "BIGINT")
        else f"NULLIF({column}, '{NULL}')" for column, kind in columns)
    lines = [
        f"CREATE TABLE raw_{name} ({raw});",
        f'.import --ascii "{file}" raw_{name}',
        f"CREATE TABLE {name} ({definition});",
        f"INSERT INTO {name} SELECT {values} FROM raw_{name};",
        f"DROP TABLE raw_{name};",
    ]
    if name in INDEXES:
        lines.append(f"CREATE INDEX {name}_by_key ON {name} ({INDEXES[name]});")
    return lines


def iter_expected(feed_dir, sql, tables=None):
    """Rows of a query (SQLite's SQL) over the tables of a feed and enriched_trip."""
    with tempfile.TemporaryDirectory() as tmp:
        script = [".bail on"]
        for name, definition in (tables or TABLES).items():
            file = pathlib.Path(tmp) / name
            source = pathlib.Path(feed_dir) / f"{name}.txt"
            write_marked(source, table_columns(definition), file)
            script += _load_script(name, definition, file)
        if tables is None:
            script += [f"CREATE TABLE enriched_trip AS {ENRICHED_TRIP};",
                       "CREATE INDEX enriched_trip_by_key ON enriched_trip (trip_id);"]
        script += [".mode ascii", f'.nullvalue "{NULL}"', sql.rstrip("; \n") + ";"]
        out_path = pathlib.Path(tmp) / "out"
        _run_shell("\n".join(script) + "\n", out_path)
        with open(out_path, encoding="utf-8", errors="surrogateescape", newline="") as out:
            yield from _rows(out)


def _run_shell(script, out_path):
    with open(out_path, "wb") as out:
        done = subprocess.run(["sqlite3", "-batch", ":memory:"], input=script.encode(),
                              stdout=out, stderr=subprocess.PIPE, timeout=LIMIT_S)
    if done.returncode != 0 or done.stderr:
        raise AssertionError(f"sqlite3: {done.stderr.decode(errors='replace')}")


def _rows(out):
    rest = ""
    while piece := out.read(1 << 20):
        *records, rest = (rest + piece).split(RECORD_END)
        for record in records:
            yield tuple(None if field == NULL else field for field in record.split(FIELD_END))


def expected_rows(feed_dir, sql=ENRICHED_STOP_TIME, tables=None):
    """The multiset of rows that a query gives."""
    return collections.Counter(iter_expected(feed_dir, sql, tables))


def expected_count(feed_dir, sql=ENRICHED_STOP_TIME, tables=None):
    (row,) = iter_expected(feed_dir, f"SELECT count(*) FROM ({sql})", tables)
    return int(row[0])
