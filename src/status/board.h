// SPDX-License-Identifier: Apache-2.0
// Numbers of a running job, for whoever looks: worker and committer put theirs on the
// board at the end of a batch, a commit, a question; a reader gets a copy of all of them
// as of one instant. Nobody is asked for anything, and nothing waits for a reader longer
// than the copy takes.
//
// Threads: any; one lock. Zero is a valid empty board.
#ifndef STATUS_BOARD_H
#define STATUS_BOARD_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "core/join_counts.h"

enum board_phase {
    BOARD_STARTING,  // tables are read
    BOARD_IDLE,      // no partitions
    BOARD_ASSIGNING, // partitions are claimed
    BOARD_READING,
    BOARD_STOPPING,
    BOARD_STOPPED,
    BOARD_PHASES_N
};

// What became of a record.
enum outcome {
    OUTCOME_MATCHED,   // it gave rows
    OUTCOME_UNMATCHED, // none: a table that it is joined with has no row for it
    OUTCOME_FILTERED,  // none for another reason: WHERE
    OUTCOME_REJECTED,  // a dead letter
    OUTCOME_IGNORED,   // no row on purpose: a header line, no value
    OUTCOMES_N
};

enum reject_reason {
    REJECT_UNREADABLE, // its bytes are not row of the stream
    REJECT_QUERY,      // the query fails for it, or gives what the result cannot hold
    REJECT_TOO_LARGE,  // its rows are too many
    REJECT_REASONS_N
};

enum commit_result {
    COMMIT_DONE,
    COMMIT_CONFLICT, // another worker owns the partitions
    COMMIT_FAILED,
    COMMIT_RESULTS_N
};

enum commit_phase {
    COMMIT_UPLOAD,
    COMMIT_PUBLISH,
    COMMIT_RENAME,
    COMMIT_PHASES_N
};

enum {
    BOARD_BUCKETS = 12,
    BOARD_TEXT = 256,
    BOARD_PENDING = 6 // units of a partition under way, and some more
};

// Upper bounds of the buckets but the last, in ms.
extern const int64_t board_bounds_ms[BOARD_BUCKETS - 1];

struct board_phase_time {
    int64_t n_of_bucket[BOARD_BUCKETS];
    int64_t sum_ms, last_ms;
    int64_t n;
};

// The newest of what went wrong.
struct board_event {
    int64_t wall_ms; // 0: none yet
    char text[BOARD_TEXT];
};

struct board_mark {
    int64_t offset;
    int64_t time_ms; // the record's; -1: unknown
};

struct board_partition {
    int32_t partition;
    bool is_ours;
    int64_t read;              // next offset to read; not ours: as committed
    int64_t committed;         // next offset to commit; -1: unknown
    int64_t committed_time_ms; // of the last record that is committed; -1: unknown
    int64_t read_time_ms;      // of the last record that is read; -1: unknown
    int64_t end;               // of the topic; -1: unknown
    struct board_mark unread;  // the record at that offset, when it was looked at
    // Where units under way begin: the record.
    struct board_mark pending[BOARD_PENDING];
    size_t n_pending;
};

// What a batch came to.
struct board_batch {
    int64_t n_records[OUTCOMES_N];
    int64_t n_rejects[REJECT_REASONS_N];
    int64_t n_rows, n_bytes;
    int32_t partition;
    struct board_mark first, last; // of its records; without a record offset -1
    int64_t next;
    const struct join_counts *joins; // of all batches so far; as many as at board_joins()
    size_t hand;                     // whose, below as many as at board_joins()
};

struct board_reject {
    enum reject_reason reason;
    int32_t partition;
    int64_t offset;
    struct board_event event;
    char sample[BOARD_TEXT]; // how its bytes begin
};

// Who runs and what; text is borrowed, and outlives the board.
struct board_job {
    struct str name, script, worker, topic, cluster, result, executor;
};

// A table or a materialized view as it was loaded.
struct board_table {
    struct str name, version;
    int64_t n_rows;
    int64_t loaded_ms;  // wall
    int64_t expires_ms; // wall, when its last day of service is over; -1: unknown
};

struct board_view {
    struct board_job job;
    struct board_table *tables;
    size_t n_tables;
    enum board_phase phase;
    int64_t phase_since_ms;     // wall
    struct board_event waiting; // wall_ms 0: for nothing
    int64_t n_records[OUTCOMES_N];
    int64_t n_rejects[REJECT_REASONS_N];
    int64_t n_rows, n_bytes;
    struct board_reject last_reject;
    struct join_counts *joins;
    size_t n_joins;
    int64_t n_commits[COMMIT_RESULTS_N];
    struct board_phase_time phases[COMMIT_PHASES_N];
    int64_t last_commit_ms; // wall; 0: none yet
    int64_t last_entry;
    int64_t n_retries;
    struct board_event failure;         // of a commit or a call to the storage
    int n_retrying;                     // threads that wait to call the storage again
    struct board_partition *partitions; // rising
    size_t n_partitions;
    bool is_ours_only; // nobody asks where partitions of others end
};

struct board {
    pthread_mutex_t lock; // of all but stepped_ms
    struct board_view view;
    struct join_counts *by_hand; // those of the second one on, a row of view.n_joins each
    size_t n_hands;
    int n_waiting; // of those who read
    // Monotonic, of the worker's last sign of life; 0: it has not begun, or has ended.
    _Atomic int64_t stepped_ms;
};

void board_release(struct board *board);

// A copy, to be released.
void board_read(struct board *board, struct board_view *ret);
void board_view_release(struct board_view *view);

// What is borrowed and what grew goes; the numbers stay.
void board_clear(struct board *board);

static inline void board_step(struct board *board, int64_t now_ms)
{
    atomic_store_explicit(&board->stepped_ms, now_ms, memory_order_relaxed);
}

void board_phase(struct board *board, enum board_phase phase, int64_t wall_ms);
// What one of those who read waits for.
void board_waiting(struct board *board, const char *why, int64_t wall_ms);
// One more of them waits, or one less: with the last one nothing is waited for any more.
void board_waits(struct board *board, bool is_waiting);

void board_job(struct board *board, const struct board_job *job);
void board_tables(struct board *board, const struct board_table *tables, size_t n);
// The tables that are joined with; text that they borrow outlives the board.
// `n_hands` count them, each for itself.
void board_joins(struct board *board, const struct join_counts *joins, size_t n,
                 size_t n_hands);
void board_batch(struct board *board, const struct board_batch *batch);
// The newest dead letter: why, and how its bytes begin.
void board_reject(struct board *board, enum reject_reason reason, int32_t partition,
                  int64_t offset, struct str text, struct str value, int64_t wall_ms);

// Whether partitions of others are looked at, too. At first they are.
void board_watch(struct board *board, bool is_whole);
// Ours are these now: their partition, `read` and committed_time_ms.
void board_assign(struct board *board, const struct board_partition *ours, size_t n);
// None are ours: what is read and not committed is for others to read.
void board_let_go(struct board *board);
// Where the log stands in a partition; ours or not.
void board_committed(struct board *board, int32_t partition, struct board_mark last,
                     int64_t next);
// Where the topic ends; `unread`: the record where reading, or for others the log,
// stands.
void board_end(struct board *board, int32_t partition, int64_t end,
               struct board_mark unread);

void board_commit(struct board *board, enum commit_result result, int64_t wall_ms,
                  int64_t entry);
void board_commit_phase(struct board *board, enum commit_phase phase, int64_t ms);
void board_failure(struct board *board, const char *text, int64_t wall_ms);
void board_retry(struct board *board);
// A thread begins to wait for that, or ends.
void board_retrying(struct board *board, bool is_retrying);

// The lag of what a view shows, and the one number for it: of /status.json, metrics,
// page, and the lines of a run.
struct board_lag {
    int64_t n_records; // in the topic and not committed
    int64_t ms;        // since the oldest of those was written; 0: all is committed
    // All records are committed up to this time; -1: unknown.
    int64_t committed_ms;
    bool is_known;
};
struct board_lag board_lag(const struct board_view *view, int64_t wall_ms);
// Of one partition.
struct board_lag board_partition_lag(const struct board_partition *partition,
                                     int64_t wall_ms);

#endif
