// SPDX-License-Identifier: Apache-2.0
// Port: a stream of records in partitions.
//
// A poll hands over a run: records of one partition as slices borrowed from the stream
// until the next poll, start, stop or close. Offsets of a partition rise; some may carry
// no record (transaction markers, aborted or compacted records): a run tells the offsets
// it passes, [first, next). What else one may want to know of the partitions is asked of
// the topic (topic.h).
//
// Membership changes arrive as events of poll: ASSIGN first, and again only after REVOKE
// or LOST. The owner answers ASSIGN with start() and REVOKE or LOST with stop(). Until it
// does, poll gives no run and is to be called all the same, to keep the membership; a
// REVOKE or LOST may follow an ASSIGN that was not answered yet, a LOST a REVOKE. The
// owner may also stop() and start() the partitions it has whenever it likes.
//
// Trouble of one partition (no leader, a disk that fails) is that partition's alone: it
// gives no run. Runs of the others go on.
//
// Threads: one, for all calls but wake(). No call waits for an answer, but poll for what
// it was told to wait for, and close for its farewell, seconds at most.
#ifndef CORE_STREAM_H
#define CORE_STREAM_H

#include "base/buf.h"
#include "base/status.h"

enum {
    TOPIC_ID_TEXT = 23 // bytes of Kafka's id of a topic as text, with its NUL
};

struct record {
    int64_t offset;
    int64_t time_ms;  // since 1970, -1 when the stream has none
    struct str key;   // p == NULL: no key
    struct str value; // p == NULL: no value (a tombstone)
    // Of a stream that is asked for it, the record's last header __value_schema_id, which
    // names the value's schema. p == NULL: there is none.
    struct str value_schema;
};

// Offsets of a run without a record, of which the stream knows why: markers, or records
// of an aborted transaction.
struct run_passed {
    int64_t first, next;
    bool is_control;
};

// From that offset on what the run passes is of batches that a leader of that epoch wrote
// (Kafka's KIP-320); -1: they do not tell.
struct run_epoch {
    int64_t first;
    int32_t epoch;
};

struct run {
    int32_t partition;
    int64_t first; // where the previous run of this partition ended, or the start offset
    int64_t next;  // where the next run begins; >= the last record's offset + 1
    const struct record *records;
    size_t n; // may be 0: only offsets without a record were passed
    // Rising, apart. The others are holes, which a compaction left; a stream that does
    // not know it (`is_accounted` false) says nothing of them.
    const struct run_passed *passed;
    size_t n_passed;
    bool is_accounted;
    // Rising by offset, without those that say the same as the one before; none where the
    // stream knows none.
    const struct run_epoch *epochs;
    size_t n_epochs;
    // It was asked for by this id of the topic, so all of it is of no other topic under
    // the name; n == 0: by the name alone.
    struct str topic_id;
};

// Of the batch that is passed behind the run's offsets below `next`; `before` when the
// run has none there.
static inline int32_t run_epoch_at(const struct run_epoch *epochs, size_t n, int64_t next,
                                   int32_t before)
{
    while (n > 0 && epochs[n - 1].first >= next)
        n--;
    return n > 0 ? epochs[n - 1].epoch : before;
}

enum stream_event_kind {
    STREAM_IDLE,    // nothing within the time
    STREAM_RUN,     // .run
    STREAM_ASSIGN,  // .partitions, maybe none, are this member's now: answer with start()
    STREAM_REVOKE,  // all partitions go away: commit within minutes, then stop()
    STREAM_LOST,    // they are gone already: drop the work, then stop()
    STREAM_GAP,     // .gap: no such offset in the stream; not read further until start()
    STREAM_TROUBLE, // .trouble: gives no run for now; the stream itself tries again
};

struct stream_gap {
    int32_t partition;
    int64_t wanted; // the offset asked for
    int64_t low;    // the first that is there; below `wanted`: the stream was cut short
};

struct stream_trouble {
    int32_t partition;
    const char *reason; // for a person, names the partition; borrowed until the next poll
};

struct stream_event {
    enum stream_event_kind kind;
    bool is_behind; // IDLE: the stream has more, it is only not here yet
    struct run run;
    const int32_t *partitions; // rising; borrowed until the next poll
    size_t n_partitions;
    struct stream_gap gap;
    struct stream_trouble trouble;
};

// A leader's epoch; zero: it is not known.
struct leader_epoch {
    bool is_known;
    int32_t number; // from 0
};

static inline struct leader_epoch leader_epoch_of(int32_t number) // -1: not known
{
    return (struct leader_epoch){number >= 0, number >= 0 ? number : 0};
}

static inline int32_t leader_epoch_number(struct leader_epoch epoch)
{
    return epoch.is_known ? epoch.number : -1;
}

struct stream_start {
    int32_t partition;
    int64_t offset;
    // Of the batch before the offset, of which a stream that can finds out whether it is
    // still there.
    struct leader_epoch epoch;
};

// What a stream learnt with the data of a partition that it reads.
struct stream_ahead {
    int64_t end;       // as topic_range.high; -1: not known now
    int64_t unread_ms; // the time of the next record, when that is at hand, else -1
};

struct stream;

struct stream_ops {
    // Waits at most timeout_ms. While held (see hold) gives no runs, but keeps
    // membership. Errors: ST_RETRY (all brokers are away and may come back; told once,
    // not at every poll), anything else is final.
    enum status (*poll)(struct stream *stream, int timeout_ms, struct stream_event *ret,
                        struct err *err);
    // The whole set of partitions to read and where; replaces what was being read. Runs
    // and events of before are gone.
    enum status (*start)(struct stream *stream, const struct stream_start *starts,
                         size_t n, struct err *err);
    enum status (*stop)(struct stream *stream, struct err *err);
    // Ends the poll that waits, or else the next one: IDLE. Any thread.
    void (*wake)(struct stream *stream);
    void (*hold)(struct stream *stream, bool held);
    // Of the run that the last poll gave only the first n_used records were used. The
    // partition gives no run until release(), then first what is left of this one, from
    // the offset of its first record on (with n_used == 0 from run.first on); the others
    // go on. n_used < run.n. start and stop end it.
    void (*hold_back)(struct stream *stream, int32_t partition, size_t n_used);
    void (*release)(struct stream *stream, int32_t partition);
    // Appends the record's headers as a JSON array [{"key":"k","value":"<base64>"}];
    // record `index` of the run that the last poll gave. Nothing when there are none.
    void (*headers)(struct stream *stream, size_t index, struct buf *json);
    // What comes behind the last run of the partition; asks nobody.
    void (*ahead)(struct stream *stream, int32_t partition, struct stream_ahead *ret);
    // Tells the consumer group, for lag tools only; best effort, never waits.
    void (*report)(struct stream *stream, const struct stream_start *next, size_t n);
    // Leaves the group and frees; commits nothing.
    void (*close)(struct stream *stream);
};

struct stream {
    const struct stream_ops *ops;
};

#endif
