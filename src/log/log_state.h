// SPDX-License-Identifier: Apache-2.0
// What the log says as of its newest entry that was read: where each partition stands,
// who claimed it last, which renames were not seen done, whose folders may still be in
// tmp.
//
// Entries are applied in order; one that does not fit on its predecessor is ST_DATA.
// Owns its memory. Zero is the empty log. One thread.
#ifndef LOG_LOG_STATE_H
#define LOG_LOG_STATE_H

#include "core/env.h"
#include "log/log_entry.h"

struct log_partition {
    int32_t partition;
    int64_t next;
    int64_t touched;        // number of the newest entry that names it
    char writer[UUID_TEXT]; // that claimed it last; empty: nobody
    struct record_mark last;
    struct leader_epoch epoch; // of the batch before `next`
};

struct log_writer {
    char uuid[UUID_TEXT];
};

struct log_state {
    int64_t next; // number of the entry to come
    char last_checksum[SHA256_HEX];
    char topic_id[TOPIC_ID_TEXT];     // of the units that tell it; empty: none does
    struct log_partition *partitions; // rising
    size_t n_partitions, partitions_capacity;
    int64_t *pending; // rising
    size_t n_pending, pending_capacity;
    struct log_writer *writers; // in order of their first entry
    size_t n_writers, writers_capacity;
    int64_t last_replay; // number of the newest replay that was read; 0: none
    int64_t removable;  // entries below it are covered by a snapshot and its pending list
    struct arena about; // of the texts below, from the newest entry
    struct job_identity job;
    struct str schema;
    struct file_format format;
    struct str plan;           // its hash
    struct arena about_script; // of the texts of:
    struct job_script script;  // of the newest claim
};

// Begins at an entry that has a snapshot (or is entry 0): the state before it.
void log_state_load(struct log_state *state, const struct entry *entry);
// ST_DATA when the entry does not follow on the state.
enum status log_state_check(const struct log_state *state, const struct entry *entry,
                            struct err *err);
enum status log_state_apply(struct log_state *state, const struct entry *entry,
                            struct err *err);
void log_state_release(struct log_state *state);
void log_state_copy(const struct log_state *state, struct log_state *ret); // of its own

struct log_partition *log_state_find(const struct log_state *state, int32_t partition);
bool log_state_is_claimed_by(const struct log_partition *partition, const char *writer);
// Whether the last claim of some partition is that writer's.
bool log_state_is_owner(const struct log_state *state, const char *writer);
void log_state_renamed(struct log_state *state, int64_t number); // no more pending
void log_state_forget_writer(struct log_state *state, size_t index);

// Entries below this number are covered by the entry's snapshot.
int64_t entry_removable(const struct entry *entry);

// The state as a snapshot, in the arena.
struct snapshot log_state_snapshot(const struct log_state *state, struct arena *arena);
// The same for messages: all partitions, rising.
struct progress *log_state_progress(const struct log_state *state, struct arena *arena);

// ST_DATA: what was read from the topic with that id is of another one than the log. An
// id that is not known fits.
enum status log_state_check_topic(const struct log_state *state, struct str topic,
                                  struct str id, struct err *err);

// Refuses another job's directory, and a change of the result that schema_change does not
// allow. `url` names the directory.
enum status log_state_check_job(const struct log_state *state, const struct job *job,
                                const char *url, struct err *err);

#endif
