// SPDX-License-Identifier: Apache-2.0
#include "core/option.h"

#define KIB INT64_C(1024)
#define MIB (KIB * 1024)
#define GIB (MIB * 1024)
#define SEC INT64_C(1000)
#define DAY (SEC * 86400)

_Static_assert(OPTION_REQUIRED + OPTION_SECRET + OPTION_BESIDE + OPTION_READERS ==
                   (OPTION_REQUIRED | OPTION_SECRET | OPTION_BESIDE | OPTION_READERS),
               "each flag is a bit of its own");

static const struct option_def set_options[] = {
    {"job.name", OPTION_TEXT, NULL, 0, 0, NULL, 0,
     "name of the job in the log, the spool and the consumer group; default: made of the "
     "sink's path and the topic"},
    {"batch.interval", OPTION_DURATION, "1s", 10, 60 * SEC, NULL, 0,
     "records that arrive within this time are enriched as one micro-batch"},
    {"batch.records", OPTION_INT, "100000", 1, 10000000, NULL, 0,
     "most records of one micro-batch"},
    {"batch.memory", OPTION_BYTES, "64MB", 1 * MIB, 16 * GIB, NULL, 0,
     "a micro-batch ends when its rows take so much memory"},
    {"batch.record_timeout", OPTION_DURATION, "5s", 100, 3600 * SEC, NULL, 0,
     "longest time that the query takes for one record"},
    {"commit.interval", OPTION_DURATION, "60s", 50, 3600 * SEC, NULL, 0,
     "longest time from a record's arrival to its commit"},
    {"commit.bytes", OPTION_BYTES, "128MB", 1 * KIB, 16 * GIB, NULL, 0,
     "a file that has reached this size is closed and committed"},
    {"commit.rows", OPTION_INT, "50000000", 1, INT64_MAX, NULL, 0,
     "a file that has reached this many rows is closed and committed"},
    {"executor", OPTION_CHOICE, "auto", 0, 0, "auto|native|sqlite", 0,
     "what runs the query: native where it can, else sqlite"},
    {"dimension.memory", OPTION_BYTES, "8GB", 1 * MIB, 1024 * GIB, NULL, 0,
     "most memory for the tables: while they are read, and what is joined with"},
    {"membership", OPTION_CHOICE, "group", 0, 0, "group|none", 0,
     "group: workers share the partitions; none: this one reads all of them"},
    {"on_error", OPTION_CHOICE, "dead_letter", 0, 0, "dead_letter|fail", 0,
     "what happens to a record of the stream that cannot be read"},
    {"on_error.share", OPTION_PERCENT, "50%", 0, 100, NULL, 0,
     "share of bad records above which the job stops: among the last 10,000, or all that "
     "it has read, at least 100; run --once counts to the end, however few"},
    {"match.min", OPTION_PERCENT, "0%", 0, 100, NULL, 0,
     "share of records that must give a row, counted as on_error.share counts; unless it "
     "is given, run --once wants one where the query joins"},
    {"on_low_match", OPTION_CHOICE, "fail", 0, 0, "fail|warn", 0,
     "what happens when fewer match than match.min: the job stops, or says so"},
    {"on_gap", OPTION_CHOICE, "fail", 0, 0, "fail|record", 0,
     "what happens when records have left the topic before they were read"},
    {"on_table_change", OPTION_CHOICE, "warn", 0, 0, "warn|fail", 0,
     "what happens when the staged tables change while the job runs"},
    {"tables.check_interval", OPTION_DURATION, "30s", 100, 30 * SEC, NULL, 0,
     "how often the staged tables are looked at for a change"},
    {"extract.max_shrink", OPTION_PERCENT, "50%", 0, 100, NULL, 0,
     "extract: share of its rows that a table may lose against the staged one"},
    {"feed.timeout", OPTION_DURATION, "30min", 1 * SEC, DAY, NULL, 0,
     "extract, produce: longest download of a feed from a URL"},
    {"feed.member_size", OPTION_BYTES, "16GB", 1 * KIB, 1024 * GIB, NULL, 0,
     "extract, produce: most bytes that a file of a feed may have, unpacked"},
    {"feed.member_ratio", OPTION_INT, "200", 1, 1100, NULL, 0,
     "extract, produce: how many times its bytes in a zip a file may unpack to"},
    {"once.timeout", OPTION_DURATION, "30min", 1 * SEC, 7 * DAY, NULL, 0,
     "run --once: how long nothing may come of what was in the stream at the start "
     "before "
     "the job stops"},
    {"schema_change", OPTION_CHOICE, "append", 0, 0, "append|allow", 0,
     "append: only nullable columns may be added to the result, in the same format; "
     "allow: anything"},
    {"log.retention", OPTION_DURATION, "90d", DAY, 3650 * DAY, NULL, 0,
     "entries of the commit log older than this may be removed"},
    {"log.snapshot", OPTION_INT, "32", 2, 1000, NULL, 0,
     "every so many entries one carries the progress of all partitions"},
    {"spool", OPTION_TEXT, NULL, 0, 0, NULL, 0,
     "local directory for files on their way; default: $XDG_STATE_HOME/tramline"},
    {"source.buffer", OPTION_BYTES, "384MB", 8 * MIB, 64 * GIB, NULL, 0,
     "most memory for records fetched and not yet read, over all partitions"},
    {"storage.timeout", OPTION_DURATION, "60s", 1 * SEC, 3600 * SEC, NULL, 0,
     "longest wait for one answer of the storage"},
    {"storage.retry", OPTION_DURATION, "5min", 0, 3600 * SEC, NULL, 0,
     "how long a call to the storage is repeated before the job stops"},
    {"status.listen", OPTION_TEXT, NULL, 0, 0, NULL, 0,
     "run: address and port of the status server, such as 127.0.0.1:9187; without it "
     "there is none"},
    {"upload.verify", OPTION_CHOICE, "checksum", 0, 0, "checksum|read", 0,
     "what a file of the result is compared by before its commit: size and checksum as "
     "the "
     "storage tells them, or also its bytes, read back"},
};

static const struct option_def filesystem_options[] = {
    {"path", OPTION_TEXT, NULL, 0, 0, NULL, OPTION_REQUIRED,
     "directory: a local path, file:///..., hdfs://namenode:9870/... or hdfss://..."},
    {"format", OPTION_CHOICE, NULL, 0, 0, "csv|avro", OPTION_REQUIRED,
     "format of the files"},
    {"optional", OPTION_BOOLEAN, "false", 0, 0, NULL, 0,
     "a missing file is a table without rows"},
    {"on_error", OPTION_CHOICE, "fail", 0, 0, "fail|skip", 0,
     "what happens to a row that cannot be read"},
    {"directory", OPTION_CHOICE, "flat", 0, 0, "flat|day", 0,
     "sinks: all files in the path, or in a directory for each day"},
    {"user", OPTION_TEXT, NULL, 0, 0, NULL, 0,
     "HDFS user name; default: $HADOOP_USER_NAME, else the local user"},
    {"auth", OPTION_CHOICE, "simple", 0, 0, "simple|kerberos", 0,
     "HDFS authentication: user name, or SPNEGO with the ticket at hand"},
    {"ca.file", OPTION_TEXT, NULL, 0, 0, NULL, 0,
     "certificates to trust for hdfss://, as PEM"},
};

static const struct option_def kafka_options[] = {
    {"brokers", OPTION_TEXT, NULL, 0, 0, NULL, OPTION_REQUIRED,
     "Kafka bootstrap servers: host:port, by commas"},
    {"topic", OPTION_TEXT, NULL, 0, 0, NULL, OPTION_REQUIRED, "Kafka topic"},
    {"format", OPTION_CHOICE, NULL, 0, 0, "csv|avro", OPTION_REQUIRED,
     "format of the records' values"},
    {"start", OPTION_TEXT, "earliest", 0, 0, NULL, 0,
     "where to begin while the log knows nothing of the topic: earliest, latest, or a "
     "timestamp such as 2026-11-22T05:00:00Z"},
    {"group", OPTION_TEXT, NULL, 0, 0, NULL, 0,
     "consumer group; default: made of the sink's path and the topic"},
    {"partitions", OPTION_INT, "4", 1, 10000, NULL, 0,
     "partitions of a topic that init makes"},
    {"replication", OPTION_INT, "1", 1, 100, NULL, 0,
     "copies of each partition of a topic that init makes"},
    {"key", OPTION_TEXT, NULL, 0, 0, NULL, 0,
     "column that produce takes as the record's key; default: the join column"},
    {"session.timeout", OPTION_DURATION, "6s", 6 * SEC, 1800 * SEC, NULL, 0,
     "a worker not heard of for so long loses its partitions"},
};

static const struct option_def file_options[] = {
    {"path", OPTION_TEXT, NULL, 0, 0, NULL, OPTION_REQUIRED, "a local CSV file"},
    {"format", OPTION_CHOICE, "csv", 0, 0, "csv", 0, "format of the file"},
};

static const struct option_def csv_options[] = {
    {"header", OPTION_BOOLEAN, "true", 0, 0, NULL, OPTION_READERS,
     "files begin with a line of column names"},
    {"trim", OPTION_BOOLEAN, "false", 0, 0, NULL, 0,
     "blanks and tabs at the ends of a text are no part of it"},
};

static const struct option_def avro_options[] = {
    {"codec", OPTION_CHOICE, "deflate", 0, 0, "null|deflate|snappy|zstandard", 0,
     "compression of container files"},
    {"block.bytes", OPTION_BYTES, "256kB", 1 * KIB, 16 * MIB, NULL, 0,
     "size of a container file's block before compression"},
    {"schema", OPTION_TEXT, NULL, 0, 0, NULL, OPTION_BESIDE,
     "file with the Avro schema, its path from the script's directory; default: made "
     "from "
     "the columns"},
    {"schema.name", OPTION_TEXT, NULL, 0, 0, NULL, 0,
     "name of the record; default: the table's name"},
    {"schema.namespace", OPTION_TEXT, NULL, 0, 0, NULL, 0, "namespace of the record"},
    {"registry", OPTION_TEXT, NULL, 0, 0, NULL, 0,
     "Schema Registry: http://host:port/path; several by commas"},
    {"registry.user", OPTION_TEXT, NULL, 0, 0, NULL, 0, "user name for the registry"},
    {"registry.password", OPTION_TEXT, NULL, 0, 0, NULL, OPTION_SECRET,
     "password for the registry"},
    {"registry.token", OPTION_TEXT, NULL, 0, 0, NULL, OPTION_SECRET,
     "bearer token for the registry"},
    {"registry.ca_file", OPTION_TEXT, NULL, 0, 0, NULL, 0,
     "certificates to trust for the registry, as PEM"},
    {"registry.timeout", OPTION_DURATION, "10s", 100, 600 * SEC, NULL, 0,
     "longest wait for one answer of the registry"},
    {"registry.retry", OPTION_DURATION, "15min", 0, DAY, NULL, 0,
     "run: how long a partition waits for a schema before the job stops"},
    {"registry.unknown", OPTION_DURATION, "10s", 0, DAY, NULL, 0,
     "run: how long a schema id that the registry does not know is waited for before its "
     "records are dead letters"},
    {"subject", OPTION_TEXT, "topic", 0, 0, NULL, 0,
     "subject of the schema: topic, record, topic-record, or a name in full"},
    {"register", OPTION_CHOICE, "if_compatible", 0, 0, "never|if_compatible|always", 0,
     "whether init and produce register the schema"},
};

#define GROUP(name, about, defs) {(name), (about), (defs), ARRAY_LEN(defs)}

const struct option_group option_groups[] = {
    GROUP("SET", "Of the whole job, by SET name = 'value'", set_options),
    GROUP("filesystem", "Tables, materialized views and the result", filesystem_options),
    GROUP("kafka", "A stream from a Kafka topic", kafka_options),
    GROUP("file", "A bounded stream from a CSV file", file_options),
    GROUP("csv", "Format csv, beside the connector's options", csv_options),
    GROUP("avro", "Format avro, beside the connector's options", avro_options),
};
const size_t n_option_groups = ARRAY_LEN(option_groups);
