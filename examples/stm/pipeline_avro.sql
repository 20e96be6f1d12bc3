-- STM (Montreal) as pipeline.sql, with stop_times in Avro from a Schema Registry and the result in
-- Avro files. docs/avro.md runs it.
--
-- Give the variables by --set NAME=value or in the environment:
--   HDFS       hdfs://namenode:9870
--   USER_NAME  whose directory under /user
--   GROUP      the group's directory in it
--   NAME       yours in project5
--   BROKERS    Kafka's bootstrap servers, host:port by commas
--   REGISTRY   the Schema Registry, http://host:port/path

SET batch.interval = '1s';
SET commit.interval = '60s';                 -- a file is closed at the first of these
SET commit.bytes = '128MB';

CREATE TABLE trips (
  route_id TEXT, service_id TEXT NOT NULL, trip_id TEXT NOT NULL, trip_headsign TEXT, direction_id INT,
  shape_id TEXT, wheelchair_accessible INT, note_fr TEXT, note_en TEXT
) WITH (connector = 'filesystem', format = 'csv',
        path = '${HDFS}/user/${USER_NAME}/${GROUP}/project5/${NAME}/trips');

-- Nearly all rows have exception_type 2: the service does not run on that day.
CREATE TABLE calendar_dates (service_id TEXT NOT NULL, date TEXT NOT NULL, exception_type INT)
  WITH (connector = 'filesystem', format = 'csv',
        path = '${HDFS}/user/${USER_NAME}/${GROUP}/project5/${NAME}/calendar_dates');

-- The metro only; some feeds have no such file.
CREATE TABLE frequencies (trip_id TEXT NOT NULL, start_time TEXT, end_time TEXT, headway_secs INT)
  WITH (connector = 'filesystem', format = 'csv', optional = true,
        path = '${HDFS}/user/${USER_NAME}/${GROUP}/project5/${NAME}/frequencies');

CREATE MATERIALIZED VIEW enriched_trip
  WITH (format = 'csv', path = '${HDFS}/user/${USER_NAME}/${GROUP}/project5/${NAME}/enriched_trip') AS
  SELECT t.*, d.date, d.exception_type, f.start_time, f.end_time, f.headway_secs
  FROM trips t
  LEFT JOIN calendar_dates d ON d.service_id = t.service_id
  LEFT JOIN frequencies    f ON f.trip_id    = t.trip_id;

-- Its columns are the schema's fields.
CREATE TABLE stop_times ()
  WITH (connector = 'kafka', brokers = '${BROKERS}', topic = 'stop_times_avro', format = 'avro',
        registry = '${REGISTRY}', schema = 'stop_times.avsc');

CREATE TABLE enriched_stop_time ()
  WITH (connector = 'filesystem', format = 'avro',
        path = '${HDFS}/user/${USER_NAME}/${GROUP}/project5/${NAME}/enriched_stop_time');

INSERT INTO enriched_stop_time
  SELECT s.*, e.route_id, e.service_id, e.trip_headsign, e.direction_id, e.shape_id, e.wheelchair_accessible,
         e.note_fr, e.note_en, e.date, e.exception_type, e.start_time, e.end_time, e.headway_secs
  FROM stop_times s JOIN enriched_trip e ON e.trip_id = s.trip_id;
