// SPDX-License-Identifier: Apache-2.0
// A topic and its group, shared by all workers of a schedule, and the stream through
// which each of them sees it.
//
// As Kafka has them, a topic has an id and its partitions have leaders of epochs, which
// some members know and others do not; a topic may be recreated, the log of a partition
// be cut back.
//
// Offsets hold records or nothing (markers, aborted, compacted). The group knows no
// barrier: a member may get partitions that another one has not yet let go of, which is
// harder than what Kafka does.
#ifndef TESTS_SIM_TOPIC_H
#define TESTS_SIM_TOPIC_H

#include "core/topic.h"
#include "sim/sim_clock.h"

enum {
    SIM_PARTITIONS_MAX = 4,
    SIM_MEMBERS_MAX = 3,
    SIM_OFFSETS_MAX = 2000,
    // On top of a partition's number in the values of another topic, or of another log.
    SIM_OTHER_TOPIC = 10
};

enum sim_record_kind {
    SIM_HOLE,
    SIM_ROWS,    // value "r<partition>.<offset>.<rows>"
    SIM_BAD,     // value "!...": the decoder rejects it
    SIM_REFUSED, // value "~...": the executor rejects it
    SIM_EMPTY,   // no value: ignored
};

// Why an offset has no record, as the streams of partitions with even numbers know.
enum sim_passed {
    SIM_COMPACTED,
    SIM_CONTROL,
    SIM_ABORTED,
    SIM_PASSED_KINDS,
};

static inline enum sim_passed sim_passed_of(int64_t offset)
{
    return (enum sim_passed)(offset % SIM_PASSED_KINDS);
}

struct sim_events;

struct sim_record {
    enum sim_record_kind kind;
    int rows;
    char value[32];
    int64_t appended_ms;
    int32_t epoch; // of the leader that wrote it
};

struct sim_partition {
    struct sim_record records[SIM_OFFSETS_MAX];
    int64_t low, high;
    int64_t away_from_ms, away_until_ms; // it has no leader from here to there
    int64_t read;                        // by anybody, up to here
    int64_t committed;                   // as the group was told
    int32_t epoch;                       // of the leader
    bool is_cut;                         // from `cut_to` on it has other records now
    int64_t cut_to;
};

// What a member's client knows of a topic.
enum sim_knows {
    SIM_NAME,   // its name, as librdkafka here
    SIM_EPOCHS, // and leaders' epochs
    SIM_ID      // and its id, by which it asks for records
};

struct sim_topic {
    struct sim_partition partitions[SIM_PARTITIONS_MAX];
    int32_t n_partitions;
    int fault_percent;   // of stream calls that answer ST_RETRY
    int64_t run_offsets; // of each run that has as many left; 0: by chance
    struct sim_random *random;
    struct sim_events *events; // NULL: no faults
    const struct sim_clock *clock;
    bool is_calm;      // nothing is read twice
    bool is_recreated; // it is another one now
    bool is_cut;       // one of its partitions is
    int64_t recreated_ms;
    struct sim_partition first_ones[SIM_PARTITIONS_MAX]; // as they were before that
    int64_t moved_ms;                                    // when partitions last moved
    char wrong[256]; // what may not be; empty: nothing
};

void sim_topic_init(struct sim_topic *topic, int32_t n_partitions,
                    struct sim_random *random);
// One more offset at the end of a partition.
void sim_topic_record(struct sim_topic *topic, int32_t partition,
                      enum sim_record_kind kind, int rows);
// From here to there the partition has no leader: no run, no answer to a question.
void sim_topic_away(struct sim_topic *topic, int32_t partition, int64_t from_ms,
                    int64_t until_ms);
// Some more, by chance; none once it is full.
void sim_topic_append(struct sim_topic *topic, int32_t partition, int64_t n);

// Another topic under its name, with other records.
void sim_topic_recreate(struct sim_topic *topic);
// The same, so that no record tells: where each partition was read to, it begins.
void sim_topic_recreate_unseen(struct sim_topic *topic,
                               const int64_t read_to[SIM_PARTITIONS_MAX]);
// A leader without the records from there on is elected, and takes others.
void sim_topic_cut(struct sim_topic *topic, int32_t partition, int64_t to);

// One past the last record that a leader of that epoch, or an older one, has written; -1:
// there is no such epoch.
int64_t sim_epoch_end(const struct sim_partition *part, int32_t epoch);

struct sim_stream; // a member's view

struct sim_stream *sim_stream_open(struct sim_topic *topic, struct sim_clock *clock);
struct stream *sim_stream_port(struct sim_stream *stream);
struct topic *sim_stream_topic(struct sim_stream *stream); // closed with it
// SIM_NAME before that.
void sim_stream_know(struct sim_stream *stream, enum sim_knows knows);
bool sim_stream_reads(const struct sim_stream *stream, int32_t partition);
// Called within each call of the port.
void sim_stream_on_call(struct sim_stream *stream, void (*fn)(void *), void *context);
// Puts events in its way: what it has goes away (in good order, or lost), then these.
void sim_stream_reassign(struct sim_stream *stream, const int32_t *partitions, size_t n,
                         bool is_lost);
// The same in two: what it has goes away in good order; these are its own.
void sim_stream_revoke(struct sim_stream *stream);
void sim_stream_assign(struct sim_stream *stream, const int32_t *partitions, size_t n);
bool sim_stream_has_partitions(const struct sim_stream *stream); // it has not let go
bool sim_stream_is_reading(const struct sim_stream *stream);
int64_t sim_stream_polled_ms(const struct sim_stream *stream);
// Polls that found nothing at hand since the last call of this.
int sim_stream_take_idle(struct sim_stream *stream);
// Whether its poll would return at once.
bool sim_stream_is_ready(const struct sim_stream *stream);
int64_t sim_stream_wakes_ms(const struct sim_stream *stream); // when it would by itself
void sim_stream_free(struct sim_stream *stream);

#endif
