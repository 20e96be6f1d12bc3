// SPDX-License-Identifier: Apache-2.0
// Port: a stream of records in partitions.
//
// One thread owns a source and makes all calls but the questions (count, range,
// offset_at, fetch): these one other thread may make, one at a time, while the owner
// polls. A poll hands over a run: records of one partition as slices borrowed from the
// source until the next poll, start, stop or close. Offsets of a partition rise; some may
// carry no record (transaction markers, aborted or compacted records): a run tells the
// offsets it passes, [first, next).
//
// Membership changes arrive as events of poll: ASSIGN first, and again only after REVOKE
// or LOST. The owner answers ASSIGN with start() and REVOKE or LOST with stop(). Until it
// does, poll gives no run and is to be called all the same, to keep the membership; a
// REVOKE or LOST may follow an ASSIGN that was not answered yet, a LOST a REVOKE. The
// owner may also stop() and start() the partitions it has whenever it likes.
//
// Trouble of one partition (no leader, a disk that fails) is that partition's alone: it
// gives no run, and a question about it is ST_RETRY, at once where that is known. Runs of
// the others and questions about them go on.
//
// Every call is bounded in time: by the port's own limits, and by the deadline that the
// owner has set. What has no answer by then is ST_RETRY.
#ifndef CORE_SOURCE_H
#define CORE_SOURCE_H

#include "base/buf.h"
#include "base/status.h"
#include "core/deadline.h"

struct record {
    int64_t offset;
    int64_t time_ms;  // since 1970, -1 when the stream has none
    struct str key;   // p == NULL: no key
    struct str value; // p == NULL: no value (a tombstone)
    // Of a source that is asked for it, the record's last header __value_schema_id, which
    // names the value's schema. p == NULL: there is none.
    struct str value_schema;
};

struct run {
    int32_t partition;
    int64_t first; // where the previous run of this partition ended, or the start offset
    int64_t next;  // where the next run begins; >= the last record's offset + 1
    const struct record *records;
    size_t n; // may be 0: only offsets without a record were passed
};

enum source_event_kind {
    SOURCE_IDLE,    // nothing within the time
    SOURCE_RUN,     // .run
    SOURCE_ASSIGN,  // .partitions, maybe none, are this member's now: answer with start()
    SOURCE_REVOKE,  // all partitions go away: commit within minutes, then stop()
    SOURCE_LOST,    // they are gone already: drop the work, then stop()
    SOURCE_GAP,     // .gap: no such offset in the stream; not read further until start()
    SOURCE_TROUBLE, // .trouble: gives no run for now; the source itself tries again
};

struct source_gap {
    int32_t partition;
    int64_t wanted; // the offset asked for
    int64_t low;    // the first that is there; below `wanted`: the stream was cut short
};

struct source_trouble {
    int32_t partition;
    const char *reason; // for a person, names the partition; borrowed until the next poll
};

struct source_event {
    enum source_event_kind kind;
    bool is_behind; // IDLE: the stream has more, it is only not here yet
    struct run run;
    const int32_t *partitions; // rising; borrowed until the next poll
    size_t n_partitions;
    struct source_gap gap;
    struct source_trouble trouble;
};

struct source_start {
    int32_t partition;
    int64_t offset;
};

struct source_range {
    int64_t low;  // first offset that is there
    int64_t high; // end: one past the last that a reader of committed records can reach
};

struct source;

struct source_ops {
    // Waits at most timeout_ms, and a second more where the brokers must be asked. While
    // held (see hold) gives no runs, but keeps membership. Errors: ST_RETRY (all brokers
    // are away and may come back; told once, not at every poll), anything else is final.
    enum status (*poll)(struct source *source, int timeout_ms, struct source_event *ret,
                        struct err *err);
    // The whole set of partitions to read and where; replaces what was being read. Runs
    // and events of before are gone.
    enum status (*start)(struct source *source, const struct source_start *starts,
                         size_t n, struct err *err);
    enum status (*stop)(struct source *source, struct err *err);
    // Ends the poll that waits, or else the next one: IDLE. Any thread.
    void (*wake)(struct source *source);
    void (*hold)(struct source *source, bool held);
    // Of the run that the last poll gave only the first n_used records were used. The
    // partition gives no run until release(), then first what is left of this one, from
    // the offset of its first record on (with n_used == 0 from run.first on); the others
    // go on. n_used < run.n. start and stop end it.
    void (*hold_back)(struct source *source, int32_t partition, size_t n_used);
    void (*release)(struct source *source, int32_t partition);
    // How many partitions the stream has now (they are 0 .. n-1).
    enum status (*count)(struct source *source, int32_t *ret, struct err *err);
    enum status (*range)(struct source *source, int32_t partition,
                         struct source_range *ret, struct err *err);
    // First offset whose record is not older than time_ms; `high` when there is none.
    enum status (*offset_at)(struct source *source, int32_t partition, int64_t time_ms,
                             int64_t *ret, struct err *err);
    // Reads one record again, borrowed until the next question. ST_NOT_FOUND: no record
    // there any more. While something is being read (after start, before stop) only of a
    // shared source.
    enum status (*fetch)(struct source *source, int32_t partition, int64_t offset,
                         struct record *ret, struct err *err);
    // Appends the record's headers as a JSON array [{"key":"k","value":"<base64>"}];
    // record `index` of the run that the last poll gave. Nothing when there are none.
    void (*headers)(struct source *source, size_t index, struct buf *json);
    // Tells the consumer group, for lag tools only; best effort, never waits.
    void (*report)(struct source *source, const struct source_start *next, size_t n);
    // Leaves the group and frees; commits nothing.
    void (*close)(struct source *source);
};

struct source {
    const struct source_ops *ops;
    struct str cluster; // names the cluster, e.g. Kafka's cluster id; UTF-8
    struct str topic;   // or the file's path; UTF-8
    bool is_shared;     // others may put another stream in its place while it is read
    const struct deadline *deadline; // of its calls; the owner's, NULL: none
};

#endif
