-- Enriches what stop_times_producer produces. Give ROOT (a directory or hdfs://...), BROKERS,
-- TOPIC and REGISTRY by --set NAME=value or in the environment.

SET commit.interval = '60s';                 -- a file is closed at the first of these
SET commit.bytes = '128MB';

CREATE TABLE trips (
  route_id TEXT, service_id TEXT NOT NULL, trip_id TEXT NOT NULL, trip_headsign TEXT, direction_id INT,
  shape_id TEXT, wheelchair_accessible INT, note_fr TEXT, note_en TEXT
) WITH (connector = 'filesystem', format = 'csv', path = '${ROOT}/trips');

CREATE TABLE calendar_dates (service_id TEXT NOT NULL, date TEXT NOT NULL, exception_type INT)
  WITH (connector = 'filesystem', format = 'csv', path = '${ROOT}/calendar_dates');

CREATE TABLE frequencies (trip_id TEXT NOT NULL, start_time TEXT, end_time TEXT, headway_secs INT)
  WITH (connector = 'filesystem', format = 'csv', optional = true, path = '${ROOT}/frequencies');

CREATE MATERIALIZED VIEW enriched_trip WITH (format = 'csv', path = '${ROOT}/enriched_trip') AS
  SELECT t.*, d.date, d.exception_type, f.start_time, f.end_time, f.headway_secs
  FROM trips t
  LEFT JOIN calendar_dates d ON d.service_id = t.service_id
  LEFT JOIN frequencies    f ON f.trip_id    = t.trip_id;

CREATE TABLE stop_times (
  trip_id TEXT NOT NULL, arrival_time TEXT, departure_time TEXT, stop_id TEXT, stop_sequence INT
) WITH (connector = 'kafka', brokers = '${BROKERS}', topic = '${TOPIC}',
        format = 'avro', registry = '${REGISTRY}', schema = 'stop_times.avsc');

CREATE TABLE enriched_stop_time ()
  WITH (connector = 'filesystem', format = 'avro', codec = 'snappy', path = '${ROOT}/enriched_stop_time');

INSERT INTO enriched_stop_time
  SELECT s.*, e.route_id, e.service_id, e.trip_headsign, e.direction_id, e.shape_id, e.wheelchair_accessible,
         e.note_fr, e.note_en, e.date, e.exception_type, e.start_time, e.end_time, e.headway_secs
  FROM stop_times s JOIN enriched_trip e ON e.trip_id = s.trip_id;
