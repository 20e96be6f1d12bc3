// SPDX-License-Identifier: Apache-2.0
#include "core/option.h"

#include <ctype.h>

enum {
    WORKERS_MAX = 32,
    JOB_NAME_MAX = 200 // with "slot-63.lock" and the like a file's name
};

_Static_assert(OPTION_REQUIRED + OPTION_SECRET + OPTION_BESIDE + OPTION_READERS +
                       OPTION_REGISTRY ==
                   (OPTION_REQUIRED | OPTION_SECRET | OPTION_BESIDE | OPTION_READERS |
                    OPTION_REGISTRY),
               "each flag is a bit of its own");

static const struct option_def set_options[] = {
    {"job.name", OPTION_TEXT, NULL, 0, 0, NULL, 0,
     "name of the job in the log, the spool and the consumer group; default: made of the "
     "sink's path and the topic"},
    {"batch.interval", OPTION_DURATION, "1s", 10, 60 * OPTION_SEC, NULL, 0,
     "records that arrive within this time are enriched as one micro-batch"},
    {"batch.records", OPTION_INT, "100000", 1, 10000000, NULL, 0,
     "most records of one micro-batch"},
    {"batch.memory", OPTION_BYTES, "64MB", 1 * OPTION_MIB, 16 * OPTION_GIB, NULL, 0,
     "a micro-batch ends when its rows take so much memory"},
    {"batch.record_timeout", OPTION_DURATION, "5s", 100, 3600 * OPTION_SEC, NULL, 0,
     "longest time that the query takes for one record"},
    {"commit.interval", OPTION_DURATION, "60s", 50, 3600 * OPTION_SEC, NULL, 0,
     "longest time from a record's arrival to its commit"},
    {"commit.bytes", OPTION_BYTES, "128MB", 1 * OPTION_KIB, 16 * OPTION_GIB, NULL, 0,
     "a file that has reached this size is closed and committed"},
    {"commit.rows", OPTION_INT, "50000000", 1, INT64_MAX, NULL, 0,
     "a file that has reached this many rows is closed and committed"},
    {"commit.ahead", OPTION_INT, "4", 1, 8, NULL, 0,
     "files on their way to the storage while the commit before them is published"},
    {"workers", OPTION_TEXT, "1", 0, 0, NULL, 0,
     "threads of a run that read and make files, 1 to 32; auto: as many as it may use "
     "processors and the topic has partitions"},
    {"executor", OPTION_CHOICE, "auto", 0, 0, "auto|native|sqlite", 0,
     "what runs the query: native where it can, else sqlite"},
    {"dimension.memory", OPTION_BYTES, "8GB", 1 * OPTION_MIB, 1024 * OPTION_GIB, NULL, 0,
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
    {"tables.check_interval", OPTION_DURATION, "30s", 100, 30 * OPTION_SEC, NULL, 0,
     "how often the staged tables are looked at for a change"},
    {"extract.max_shrink", OPTION_PERCENT, "50%", 0, 100, NULL, 0,
     "extract: share of its rows that a table may lose against the staged one"},
    {"feed.timeout", OPTION_DURATION, "30min", 1 * OPTION_SEC, OPTION_DAY, NULL, 0,
     "extract, produce: longest download of a feed from a URL"},
    {"feed.member_size", OPTION_BYTES, "16GB", 1 * OPTION_KIB, 1024 * OPTION_GIB, NULL, 0,
     "extract, produce: most bytes that a file of a feed may have, unpacked"},
    {"feed.member_ratio", OPTION_INT, "200", 1, 1100, NULL, 0,
     "extract, produce: how many times its bytes in a zip a file may unpack to"},
    {"once.timeout", OPTION_DURATION, "30min", 1 * OPTION_SEC, 7 * OPTION_DAY, NULL, 0,
     "run --once: how long nothing may come of what was in the stream at the start "
     "before "
     "the job stops"},
    {"schema_change", OPTION_CHOICE, "append", 0, 0, "append|allow", 0,
     "append: only nullable columns may be added to the result, in the same format; "
     "allow: anything"},
    {"log.retention", OPTION_DURATION, "90d", OPTION_DAY, 3650 * OPTION_DAY, NULL, 0,
     "entries of the commit log older than this may be removed"},
    {"log.snapshot", OPTION_INT, "32", 2, 1000, NULL, 0,
     "every so many entries one carries the progress of all partitions"},
    {"spool", OPTION_TEXT, NULL, 0, 0, NULL, 0,
     "local directory for files on their way; default: $XDG_STATE_HOME/tramline"},
    {"source.buffer", OPTION_BYTES, "384MB", 8 * OPTION_MIB, 64 * OPTION_GIB, NULL, 0,
     "most memory for records fetched and not yet read, over all partitions"},
    {"storage.timeout", OPTION_DURATION, "60s", 1 * OPTION_SEC, 3600 * OPTION_SEC, NULL,
     0, "longest wait for one answer of the storage"},
    {"storage.retry", OPTION_DURATION, "5min", 0, 3600 * OPTION_SEC, NULL, 0,
     "how long a call to the storage is repeated before the job stops"},
    {"storage.token_file", OPTION_TEXT, NULL, 0, 0, NULL, 0,
     "delegation tokens for HDFS, as tramline token writes them: tables with auth = "
     "'kerberos' sign in by them and not by the ticket at hand; read again when it "
     "changes"},
    {"status.listen", OPTION_TEXT, NULL, 0, 0, NULL, 0,
     "run: address and port of the status server, such as 127.0.0.1:9187; without it "
     "there is none"},
    {"upload.verify", OPTION_CHOICE, "checksum", 0, 0, "checksum|read", 0,
     "what a file of the result is compared by before its commit: size and checksum as "
     "the "
     "storage tells them, or also its bytes, read back"},
};

// It names a directory below the spool and the members of the consumer group.
static enum status check_job_name(struct str value, struct err *err)
{
    bool good = !str_is(value, ".") && !str_is(value, "..") && value.n <= JOB_NAME_MAX;
    for (size_t i = 0; i < value.n; i++)
        good &= value.p[i] != '/' && !iscntrl((unsigned char)value.p[i]);
    if (good)
        return ST_OK;
    return err_set(err, ST_USAGE,
                   "option 'job.name' takes at most %d bytes without '/', as it names a "
                   "directory, not '%.*s'",
                   JOB_NAME_MAX, STR_ARGS(value));
}

static enum status check_workers(struct str value, struct err *err)
{
    int64_t n;
    if (str_is(value, "auto") || (str_to_i64(value, &n) && n >= 1 && n <= WORKERS_MAX))
        return ST_OK;
    return err_set(err, ST_USAGE,
                   "option 'workers' takes a number from 1 to %d or auto, not '%.*s'",
                   WORKERS_MAX, STR_ARGS(value));
}

static enum status check(const char *option, struct str value, struct err *err)
{
    if (strcmp(option, "workers") == 0)
        return check_workers(value, err);
    return strcmp(option, "job.name") == 0 ? check_job_name(value, err) : ST_OK;
}

const struct option_group set_option_group = {
    .name = "SET",
    .about = "Of the whole job, by SET name = 'value'",
    .defs = set_options,
    .n = ARRAY_LEN(set_options),
    .check = check,
};
