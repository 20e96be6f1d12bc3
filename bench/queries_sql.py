# SPDX-License-Identifier: Apache-2.0
"""The queries of bench/queries.py, as users write them: what stands behind INSERT INTO, in Tramline's SQL. `in_others` has the
texts that DuckDB and Polars want instead."""

TABLES = {
    "trips": "route_id TEXT, service_id TEXT NOT NULL, trip_id TEXT NOT NULL, trip_headsign TEXT, direction_id INT, shape_id TEXT, "
             "wheelchair_accessible INT, note_fr TEXT, note_en TEXT",
    "calendar_dates": "service_id TEXT NOT NULL, date TEXT NOT NULL, exception_type INT",
    "frequencies": "trip_id TEXT NOT NULL, start_time TEXT, end_time TEXT, headway_secs INT",
    "routes": "route_id TEXT NOT NULL, route_short_name TEXT, route_long_name TEXT, route_type INT",
    "stops": "stop_id TEXT NOT NULL, stop_name TEXT, stop_lat REAL, stop_lon REAL",
}
STREAM = "trip_id TEXT NOT NULL, arrival_time TEXT, departure_time TEXT, stop_id TEXT, stop_sequence INT"
ENRICHED = ("SELECT t.*, d.date, d.exception_type, f.start_time, f.end_time, f.headway_secs FROM trips t "
            "LEFT JOIN calendar_dates d ON d.service_id = t.service_id LEFT JOIN frequencies f ON f.trip_id = t.trip_id")

S = "s.trip_id, s.arrival_time, s.departure_time, s.stop_id, s.stop_sequence"
T = ("t.route_id, t.service_id, t.trip_headsign, t.direction_id, t.shape_id, t.wheelchair_accessible, t.note_fr, t.note_en")
DAY = "e.date, e.exception_type, e.start_time, e.end_time, e.headway_secs"
E = T.replace("t.", "e.") + ", " + DAY
R = "r.route_short_name, r.route_long_name, r.route_type"
STREAM_E = "FROM stop_times s JOIN enriched_trip e ON e.trip_id = s.trip_id"
STREAM_T = "FROM stop_times s JOIN trips t ON t.trip_id = s.trip_id"
SECONDS = ("s.trip_id, gtfs_seconds(s.arrival_time) AS arrival_seconds, gtfs_seconds(s.departure_time) AS departure_seconds, "
           f"s.stop_id, s.stop_sequence, {E}")
DIRECTION = "CASE e.direction_id WHEN 0 THEN 'outbound' WHEN 1 THEN 'inbound' ELSE 'unknown' END AS direction"
KNOWN = (E.replace("e.trip_headsign", "COALESCE(e.trip_headsign, 'unknown') AS headsign")
         .replace("e.date", "COALESCE(e.date, 'every day') AS date"))
ROUTES = ", ".join(f"'{route}'" for route in range(10, 30))
EVENT = "s.trip_id, s.stop_id, s.stop_sequence, '{0}' AS kind, s.{0}_time AS time, " + T
EVENTS = " UNION ALL ".join(f"SELECT {EVENT.format(kind)} {STREAM_T} WHERE s.{kind}_time IS NOT NULL"
                            for kind in ("arrival", "departure"))
N_DAYS = "(SELECT service_id, count(*) AS n_days, min(date) AS first_day FROM calendar_dates GROUP BY service_id)"
CANCELLED = "d.service_id = e.service_id AND d.date = e.date AND d.exception_type = 2"

PLAIN = f"SELECT {S}, {E} {STREAM_E}"
WHERE_SECONDS = (f"SELECT {S}, gtfs_seconds(s.arrival_time) AS arrival_seconds, {E} {STREAM_E} "
                 "WHERE s.stop_sequence > 1 AND e.exception_type = 1")

# What users write.
TWELVE = {
    "filter": f"SELECT {S}, {E} {STREAM_E} WHERE s.stop_sequence > 1",
    "service days": f"SELECT {S}, {E} {STREAM_E} WHERE e.exception_type = 1",
    "seconds": f"SELECT {SECONDS} {STREAM_E}",
    "case": f"SELECT {S}, {E.replace('e.direction_id', DIRECTION)} {STREAM_E}",
    "two joins": f"SELECT {S}, {T}, {R} {STREAM_T} JOIN routes r ON r.route_id = t.route_id",
    "three joins": f"SELECT {S}, {T}, {R}, p.stop_name, p.stop_lat, p.stop_lon {STREAM_T} "
                   "JOIN routes r ON r.route_id = t.route_id JOIN stops p ON p.stop_id = s.stop_id",
    "left join": f"SELECT {S}, {KNOWN} {STREAM_E.replace('JOIN', 'LEFT JOIN')}",
    "union all": EVENTS,
    "not exists": f"SELECT {S}, {E} {STREAM_E} WHERE NOT EXISTS (SELECT 1 FROM calendar_dates d WHERE {CANCELLED})",
    "in list": f"SELECT {S}, {E} {STREAM_E} WHERE e.route_id IN ({ROUTES})",
    "aggregate": f"SELECT {S}, {T}, n.n_days, n.first_day {STREAM_T} JOIN {N_DAYS} n ON n.service_id = t.service_id",
    "like": f"SELECT {S}, {E} {STREAM_E} WHERE e.trip_headsign LIKE 'Station%'",
}
MORE = {
    "plain join": PLAIN,
    "one join": f"SELECT {S}, {T} {STREAM_T}",
    "two on the stream": f"SELECT {S}, {T}, p.stop_name, p.stop_lat, p.stop_lon {STREAM_T} "
                         "JOIN stops p ON p.stop_id = s.stop_id",
    "1 % filter": f"SELECT {S}, {E} {STREAM_E} WHERE s.stop_sequence = 40",
    "where, seconds": WHERE_SECONDS,
    "asked": f"SELECT {S}, (SELECT e.date FROM enriched_trip e WHERE e.trip_id = s.trip_id ORDER BY e.date LIMIT 1) AS first_day "
             "FROM stop_times s",
    "asked anew": f"SELECT {S}, (SELECT e.date FROM enriched_trip e WHERE e.trip_id = s.trip_id AND e.date > s.arrival_time "
                  "ORDER BY e.date LIMIT 1) AS next_day FROM stop_times s",
    "both sides": f"SELECT {S}, COALESCE(e.start_time, s.arrival_time) AS from_time, {E} {STREAM_E}",
}
QUERIES = {**MORE, **TWELVE}


def script(insert, view=ENRICHED, tables=TABLES):
    """A pipeline over a feed's files."""
    def path(name):
        return f"connector = 'filesystem', path = '/feed/{name}', format = 'csv'"
    made = [f"CREATE TABLE {name} ({columns}) WITH ({path(name)});" for name, columns in tables.items()]
    return "\n".join([*made, f"CREATE VIEW enriched_trip AS {view};",
                      f"CREATE TABLE stop_times ({STREAM}) WITH (connector = 'kafka', brokers = 'localhost:1', "
                      "topic = 'stop_times', format = 'csv');",
                      f"CREATE TABLE result () WITH ({path('result')});", f"INSERT INTO result {insert};\n"])


# A row of it is a row of trips and one of `spread`.
SPREAD = ("SELECT t.*, d.date, d.exception_type, d.start_time, d.end_time, d.headway_secs FROM trips t "
          "JOIN {table} d ON d.trip_id = t.trip_id")
SPREAD_COLUMNS = "trip_id TEXT NOT NULL, date TEXT, exception_type INT, start_time TEXT, end_time TEXT, headway_secs INT"


def plain_script(spread):
    """The plain join with a table of its own, which says how many rows a record gives."""
    return script(PLAIN, SPREAD.format(table=spread), {"trips": TABLES["trips"], spread: SPREAD_COLUMNS})


def _seconds(column):
    parts = [f"CAST(substr({column}, {at}, 2) AS INTEGER)" for at in (1, 4, 7)]
    return f"{parts[0]} * 3600 + {parts[1]} * 60 + {parts[2]}"


def in_others(name, engine):
    """The same for an engine; the feed's times are all HH:MM:SS."""
    text = QUERIES[name]
    for column in ("s.arrival_time", "s.departure_time"):
        text = text.replace(f"gtfs_seconds({column})", _seconds(column))
    if name == "not exists" and engine == "polars":
        return (f"SELECT {S}, {E} FROM stop_times s JOIN (SELECT e.* FROM enriched_trip e ANTI JOIN (SELECT * FROM calendar_dates "
                "WHERE exception_type = 2) d ON d.service_id = e.service_id AND d.date = e.date) e ON e.trip_id = s.trip_id")
    return text
