// SPDX-License-Identifier: Apache-2.0
// Reads a topic by client = 'native' once for each line of stdin, for tests that break
// its connections:
//   stream_tool BROKERS TOPIC PARTITIONS RECORDS TIMEOUT_MS
// A line is "LIMIT_MS GROUP", "LIMIT_MS GROUP member", or "LIMIT_MS GROUP epoch" for a
// start that says of which epoch is what is before it: 0. Each partition has RECORDS
// records, with the value "PARTITION:OFFSET". Prints for each line
//   ok N RETRIES      all were read, each once, in order; the client told of so many
//                     outages
//   error TEXT        the stream ended before that by an error
//   late N TEXT       LIMIT_MS have passed and N were read; the last trouble that was
//   told wrong TEXT        something was read that is not there, or not in order
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/env.h"
#include "wire/stream.h"

enum {
    PARTITIONS_MAX = 8,
    REFRESH_MS = 500,
    SESSION_MS = 6000,
    POLL_MS = 100,
};

struct reading {
    const char *topic;
    int32_t n_partitions;
    int64_t n_each; // records of a partition
    int timeout_ms;
    bool knows_epoch;
    int64_t next[PARTITIONS_MAX];
    char wrong[200], trouble[300]; // "": nothing was
    int n_retries;
};

static int64_t n_read(const struct reading *reading)
{
    int64_t n = 0;
    for (int32_t i = 0; i < reading->n_partitions; i++)
        n += reading->next[i];
    return n;
}

static void take_record(struct reading *reading, int32_t partition,
                        const struct record *record)
{
    char expected[40];
    snprintf(expected, sizeof(expected), "%d:%" PRId64, (int)partition,
             reading->next[partition]);
    if (record->offset != reading->next[partition] ||
        !str_eq(record->value, str_of(expected)))
        snprintf(reading->wrong, sizeof(reading->wrong),
                 "%.100s is at its place: offset %" PRId64 ", %d bytes", expected,
                 record->offset, (int)record->value.n);
    reading->next[partition]++;
}

static void take_run(struct reading *reading, const struct run *run)
{
    if (run->partition < 0 || run->partition >= reading->n_partitions) {
        snprintf(reading->wrong, sizeof(reading->wrong), "partition %d",
                 (int)run->partition);
        return;
    }
    for (size_t i = 0; i < run->n && reading->wrong[0] == '\0'; i++)
        take_record(reading, run->partition, &run->records[i]);
    if (run->next != reading->next[run->partition] && reading->wrong[0] == '\0')
        snprintf(reading->wrong, sizeof(reading->wrong),
                 "a run up to offset %" PRId64 " with records up to %" PRId64, run->next,
                 reading->next[run->partition]);
}

static enum status start(struct reading *reading, struct stream *stream,
                         const struct stream_event *event, struct err *err)
{
    struct stream_start starts[PARTITIONS_MAX];
    size_t n = 0;
    for (size_t i = 0; i < event->n_partitions; i++) {
        int32_t partition = event->partitions[i];
        if (partition >= 0 && partition < reading->n_partitions)
            starts[n++] = (struct stream_start){
                .partition = partition,
                .offset = reading->next[partition],
                .epoch = leader_epoch_of(reading->knows_epoch ? 0 : -1),
            };
    }
    return stream->ops->start(stream, starts, n, err);
}

static enum status step(struct reading *reading, struct stream *stream, struct err *err)
{
    struct stream_event event;
    enum status rc = stream->ops->poll(stream, POLL_MS, &event, err);
    if (rc == ST_RETRY) {
        reading->n_retries++;
        snprintf(reading->trouble, sizeof(reading->trouble), "%s", err->text);
        return ST_OK;
    }
    TRY(rc);
    switch (event.kind) {
    case STREAM_RUN:
        take_run(reading, &event.run);
        return ST_OK;
    case STREAM_ASSIGN:
        return start(reading, stream, &event, err);
    case STREAM_REVOKE:
    case STREAM_LOST:
        return stream->ops->stop(stream, err);
    case STREAM_GAP:
        return err_set(err, ST_DATA,
                       "partition %d: offset %" PRId64
                       " is not there; the first is %" PRId64,
                       (int)event.gap.partition, event.gap.wanted, event.gap.low);
    case STREAM_TROUBLE:
        snprintf(reading->trouble, sizeof(reading->trouble), "%s", event.trouble.reason);
        break;
    case STREAM_IDLE:
        break;
    }
    return ST_OK;
}

static void farewell(const struct reading *reading, struct stream *stream)
{
    struct stream_start next[PARTITIONS_MAX];
    for (int32_t i = 0; i < reading->n_partitions; i++)
        next[i] = (struct stream_start){.partition = i, .offset = reading->next[i]};
    stream->ops->report(stream, next, (size_t)reading->n_partitions);
    stream->ops->close(stream);
}

static enum status read_topic(struct reading *reading, const struct wire_config *config,
                              int limit_ms, struct err *err)
{
    struct stream *stream;
    struct env *env = env_system();
    int64_t deadline = env->ops->monotonic_ms(env) + limit_ms;
    enum status rc;
    do { // as a job does at its start
        rc = wire_stream_open(config, &stream, err);
        reading->n_retries += rc == ST_RETRY;
    } while (rc == ST_RETRY && env->ops->monotonic_ms(env) < deadline);
    TRY(rc);
    while (rc == ST_OK && reading->wrong[0] == '\0' &&
           n_read(reading) < reading->n_partitions * reading->n_each &&
           env->ops->monotonic_ms(env) < deadline)
        rc = step(reading, stream, err);
    farewell(reading, stream);
    return rc;
}

static void answer(const char *brokers, struct reading reading, int limit_ms,
                   const char *group, const char *kind)
{
    struct err err = {0};
    bool is_member = strcmp(kind, "member") == 0;
    reading.knows_epoch = strcmp(kind, "epoch") == 0;
    const struct wire_config config = {
        .brokers = brokers,
        .topic = reading.topic,
        .group = group,
        .is_member = is_member,
        .session_ms = SESSION_MS,
        .max_poll_ms = 10 * SESSION_MS,
        .client_id = "stream_tool",
        .n_partitions = reading.n_partitions,
        .buffer_bytes = 16 << 20,
        .run_records = 100,
        .timeout_ms = reading.timeout_ms,
        .refresh_ms = REFRESH_MS,
    };
    enum status rc = read_topic(&reading, &config, limit_ms, &err);
    int64_t n = n_read(&reading);
    if (reading.wrong[0] != '\0')
        printf("wrong %s\n", reading.wrong);
    else if (rc != ST_OK)
        printf("error %s\n", err.text);
    else if (n < reading.n_partitions * reading.n_each)
        printf("late %" PRId64 " %s\n", n, reading.trouble);
    else
        printf("ok %" PRId64 " %d\n", n, reading.n_retries);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    char line[256], group[128], kind[16];
    int limit_ms;
    if (argc != 6 || atoi(argv[3]) > PARTITIONS_MAX) {
        fputs("usage: stream_tool BROKERS TOPIC PARTITIONS RECORDS TIMEOUT_MS\n", stderr);
        return 2;
    }
    const struct reading reading = {.topic = argv[2],
                                    .n_partitions = atoi(argv[3]),
                                    .n_each = atoll(argv[4]),
                                    .timeout_ms = atoi(argv[5])};
    while (fgets(line, sizeof(line), stdin) != NULL) {
        int n = sscanf(line, "%d %127s %15s", &limit_ms, group, kind);
        if (n < 2)
            return 2;
        answer(argv[1], reading, limit_ms, group, n == 3 ? kind : "");
    }
    return 0;
}
