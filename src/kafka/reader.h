// SPDX-License-Identifier: Apache-2.0
// The queues of the partitions that are read, made into runs.
//
// Each partition's queue is cut off from librdkafka's common one and read in batches, the
// partitions in turn, so that a full one does not keep the others waiting. A queue that
// is not read fills up to librdkafka's limits and no further. The end of a partition as
// librdkafka tells it carries the position past aborted records and markers.
//
// Threads: one owner. Whenever a queue has something it writes to wake_fd.
#ifndef KAFKA_READER_H
#define KAFKA_READER_H

#include <librdkafka/rdkafka.h>

#include "core/stream.h"

struct partition {
    int32_t number;
    rd_kafka_queue_t *queue;
    int64_t position;          // where the next run begins
    int64_t fed_ms;            // when something came last, or reading began
    bool is_at_end;            // the brokers had nothing more when they were asked last
    bool is_held;              // reader_hold_back
    rd_kafka_message_t **kept; // left of a batch; before what is in the queue
    size_t n_kept;
};

struct kafka_reader {
    rd_kafka_t *rk;               // borrowed
    const char *topic;            // borrowed
    int wake_fd;                  // an eventfd
    struct partition *partitions; // by number
    size_t n_partitions;
    bool value_schema; // records tell their header
    size_t turn;       // the partition to look at next
    // A batch of one partition's messages: [0, n_lent) are lent to the run that was given
    // last, [n_lent, n) wait.
    rd_kafka_message_t **messages;
    size_t capacity, n, n_lent, n_released;
    struct partition *from;
    struct record *records; // of the run
    size_t n_records;
    size_t first_record; // index of the run's first message
    int64_t first;       // of the run
    char trouble[512];   // the text of the last STREAM_TROUBLE
};

void reader_init(struct kafka_reader *reader, rd_kafka_t *rk, const char *topic,
                 int wake_fd, size_t run_records);
void reader_release(struct kafka_reader *reader);

// Takes the partitions' queues; to be called before they are assigned.
void reader_start(struct kafka_reader *reader, const struct stream_start *starts,
                  size_t n);
// Gives them back and drops what is in them; to be called after they are unassigned.
void reader_stop(struct kafka_reader *reader);

// See core/stream.h. The messages stay in memory: at most one batch of each partition.
void reader_hold_back(struct kafka_reader *reader, int32_t partition, size_t n_used);
void reader_let_on(struct kafka_reader *reader, int32_t partition);

// Looks at what the partition's next run begins with: its time, and that the partition
// ends behind it. Leaves *ret as it is where nothing is at hand.
void reader_peek(struct kafka_reader *reader, int32_t partition,
                 struct stream_ahead *ret);

// Ends the borrowing of the last run.
void reader_give_back(struct kafka_reader *reader);
// STREAM_RUN, STREAM_GAP without `low`, STREAM_TROUBLE (a fetch failed, librdkafka
// repeats it), or STREAM_IDLE when all queues are empty. Never waits. Errors are final
// and are given again by each further call.
enum status reader_next(struct kafka_reader *reader, struct stream_event *ret,
                        struct err *err);
// Some partition's queue is empty although the brokers have more; not of one that has
// been so for seconds, since nobody may lead it.
bool reader_is_starved(const struct kafka_reader *reader);
// Makes librdkafka fetch for such partitions now; see client_nudge.
void reader_nudge(struct kafka_reader *reader);
// The message behind record `index` of the last run.
const rd_kafka_message_t *reader_message(const struct kafka_reader *reader, size_t index);

#endif
