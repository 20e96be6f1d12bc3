// SPDX-License-Identifier: Apache-2.0
// A schedule: some workers with their committers on one topic and one storage. A seed
// decides the order of steps, what arrives, who dies where, which answers are lost, which
// calls take effect late, who is stalled or stopped, which partition has no leader for a
// while, whether the topic is recreated, whether files that wait for their commit are
// removed by others, and how partitions move.
//
// After the chaos all faults end, everybody comes back, and what is in the topic must be
// in the result, once. See sim_check.h. In all of it each worker is polled often enough
// to remain a member, and none of them spins.
//
// A calm schedule has no faults but partitions without leader, stops and moves in good
// order. Nothing is read twice there, what is read is committed soon, whichever other
// partition is away, and who is stopped has ended soon.
#ifndef TESTS_SIM_WORLD_H
#define TESTS_SIM_WORLD_H

#include "commit/prepared_claim.h"
#include "log/paths.h"
#include "memory/storage_fault.h"
#include "memory/storage_mem.h"
#include "sim/sim_actor.h"
#include "sim/sim_clock.h"
#include "sim/sim_codec.h"
#include "sim/sim_event.h"
#include "sim/sim_topic.h"
#include "work/hand.h"
#include "work/shares.h"
#include "work/worker.h"

enum {
    SIM_ORPHANS_MAX = 512,
    SIM_TRACE_BYTES = 64 << 20,
    SIM_SEED_DEATHS = 1000000 // from here on in all schedules writers die after an entry
};

// How workers compare an upload (sim_upload_verify.c).
enum upload_verify sim_upload_verify(void);

// How many units are under way ahead of the one that is published, in the schedules of a
// seed (sim_ahead.c).
int sim_ahead(uint64_t seed);

// By how many hands a worker reads in them; 0: by itself (sim_hands.c).
int sim_hands(uint64_t seed);

// Whether workers prepare their first claim in them (sim_prepares.c).
bool sim_prepares(uint64_t seed);

// What a seed decides beforehand.
struct sim_profile {
    int32_t n_partitions;
    int n_processes;
    int n_steps; // of chaos
    int storage_fault_percent;
    int source_fault_percent;
    int crash_permille;        // of steps: a process dies, half of them in a storage call
    int publish_death_percent; // of entries published: their writer dies soon after
    int restart_permille;      // of steps: who is dead comes back
    int power_cut_permille;    // of steps: all die at once
    int outage_permille;       // a process gets no answer for a while
    int stall_permille;        // a process does nothing for a while
    int reassign_permille;     // partitions move
    bool ends_by_once;         // the last round is run --once
    bool has_retention;        // old entries are removed: needs small buckets
    int stop_permille;         // of steps: a process is stopped in good order
    int away_permille;         // a partition has no leader for a while
    int recreate_permille;     // the topic is recreated
    int append_permille;
    int sweep_permille; // a file in tmp is removed by others
    int slow_permille;  // a storage answers slowly for a while; in calm schedules
    bool is_calm;
    bool is_flat;   // the storage cannot rename
    bool is_uneven; // nearly all arrives in partition 0
    // What all workers know of the topic; else each as it starts something else.
    enum sim_knows knows;
    bool is_mixed;
    bool is_cutting; // the log of a partition is cut back, in the place of the topic
    int step_ms;     // longest time that a step takes
};

struct sim_world;

// What a worker that starts now knows of the topic.
enum sim_knows sim_world_knows(const struct sim_world *world, int process);

// An actor with the storage that is its own.
struct sim_client {
    struct sim_process *process;
    struct sim_actor actor;
    struct storage *storage; // fault over mem
    int64_t busy_until_ms;   // it is in a call
    struct path written;     // the file that it wrote last
};

enum {
    SIM_UPLOADER,
    SIM_COMMITTER,
    SIM_LANES, // the first of them
    SIM_AHEAD_MAX = 4,
    SIM_CLIENTS = SIM_LANES + 2 * SIM_AHEAD_MAX,
    SIM_HANDS_MAX = 3
};

// A hand of a worker, with what is its own.
struct sim_hand {
    struct hand *hand;
    struct sim_stream *stream;
    struct spool *spool;
    struct sim_decoder decoder;
    struct executor executor;
    struct file_writer writer;
    struct wait wait;
    int n_idle; // as its process's
};

// A process's place on its machine: the next one there has its name after a crash.
struct sim_slot {
    char name[UUID_TEXT];
    bool is_left;  // by a crash
    bool is_clean; // by one that ended in good order, without faults
};

struct sim_process {
    struct sim_world *world;
    int index;
    bool is_up;
    bool saw_faults; // began while there were some
    struct job job;
    struct mail mail;
    struct worker *worker;
    struct sim_client clients[SIM_CLIENTS];
    int n_clients;
    struct prepared_claim prepared;
    struct sim_hand hands[SIM_HANDS_MAX];
    struct hand *of_hands[SIM_HANDS_MAX]; // the same, for the worker
    int n_hands;
    struct shares shares;
    struct asker *asker;
    enum sim_knows knows;
    struct sim_stream *stream;
    struct spool *spool;
    struct engine_status status;
    struct sim_decoder decoder;
    struct executor executor;
    struct file_writer writer;
    struct wait worker_wait, asker_wait;
    int64_t n_calls_to_live; // 0: no death planned
    bool is_dying;           // in a storage call: nothing after it takes effect
    bool is_gone;            // its committer is only brought to its end
    int64_t outage_until_ms;
    int64_t stalled_until_ms;
    int64_t slow_until_ms; // its storage answers late, or too late for the deadline
    int64_t started_ms;
    int64_t stopped_ms; // 0: it was not told to stop
    int64_t second_ms;  // when the one began in which idle polls are counted
    int n_idle;
    bool is_woken; // within this step
};

struct sim_world {
    struct sim_profile profile;
    uint64_t seed;
    uint32_t step;
    struct sim_random random; // begins again with each part of a step
    struct sim_events events;
    struct sim_clock clock;
    struct sim_topic topic;
    struct mem_tree *tree;
    struct storage *view; // of the tree, without faults
    struct sim_process processes[SIM_MEMBERS_MAX];
    struct sim_slot slots[SIM_MEMBERS_MAX];   // of each
    struct storage *orphans[SIM_ORPHANS_MAX]; // of dead processes: calls on their way
    size_t n_orphans;
    struct buf removed; // paths of folders
    struct buf revived; // paths written late: their folders may be back after a removal
    int64_t n_entries_removed;
    int64_t all_settled_ms; // when no call was on its way
    bool is_regrouping;     // calm: all let go, then all get theirs
    int64_t first_mark_ms;  // when the log had a record of the topic; 0: not yet
    bool has_faults;
    bool is_traced;
    struct buf trace;
    struct buf failure; // empty: none
};

// Runs the schedule of a seed to its end, check and all. False: world->failure says why.
bool sim_world_run(struct sim_world *world, uint64_t seed, bool is_traced);
// The same with these of its events only.
bool sim_world_replay(struct sim_world *world, uint64_t seed, const uint32_t *kept,
                      size_t n_kept, bool is_traced);
void sim_world_release(struct sim_world *world);

struct storage *sim_world_storage(struct sim_world *world); // of its tree, a new handle

void sim_trace(struct sim_world *world, const char *fmt, ...) PRINTF_LIKE(2, 3);
void sim_fail(struct sim_world *world, const char *fmt, ...) PRINTF_LIKE(2, 3);

// sim_group.c: gives each partition to somebody who is up.
void sim_group_change(struct sim_world *world);
void sim_group_step(struct sim_world *world); // calm: gives when all have let go

// sim_calm.c: what holds in a calm schedule at each step.
void sim_calm_check(struct sim_world *world);

// sim_prepared.c
void sim_slot_take(struct sim_process *process);
void sim_slot_leave(struct sim_process *process, bool is_orderly);
void sim_process_prepare(void *context); // a process; before its committer begins
void sim_check_slots(struct sim_world *world);

// sim_process.c
void sim_process_stop(struct sim_process *process);
void sim_process_start(struct sim_process *process, bool once);
// Somebody removes the file that was uploaded last, unless the committer is at work.
void sim_process_sweep(struct sim_process *process);
void sim_process_crash(struct sim_process *process);
// By any stream.
bool sim_process_reads(const struct sim_process *process, int32_t partition);
// Steps its worker, or another part of it, if one of them has something to do.
bool sim_process_step(struct sim_process *process);
int64_t sim_process_wakes_ms(const struct sim_process *process);

#endif
