// SPDX-License-Identifier: Apache-2.0
// A schedule: some workers with their committers on one topic and one storage. A seed
// decides the order of steps, what arrives, who dies where, which answers are lost, which
// calls take effect late, who is stalled, and how partitions move.
//
// After the chaos all faults end, everybody comes back, and what is in the topic must be
// in the result, once. See sim_check.h.
#ifndef TESTS_SIM_WORLD_H
#define TESTS_SIM_WORLD_H

#include "engine/committer.h"
#include "engine/prober.h"
#include "engine/worker.h"
#include "sim/sim_clock.h"
#include "sim/sim_codec.h"
#include "sim/sim_topic.h"
#include "storage/fault.h"
#include "storage/mem.h"

enum {
    SIM_ORPHANS_MAX = 512,
    SIM_TRACE_BYTES = 64 << 20
};

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
    bool is_uneven;            // nearly all arrives in partition 0
    int step_ms;               // longest time that a step takes
};

struct sim_world;

struct sim_process {
    struct sim_world *world;
    int index;
    bool is_up;
    bool saw_faults; // began while there were some
    struct job job;
    struct mail mail;
    struct worker *worker;
    struct committer *committer;
    struct prober *prober;
    struct sim_source *source;
    struct spool *spool;
    struct storage *storage; // fault over mem
    struct engine_status status;
    struct sim_decoder decoder;
    struct executor executor;
    struct encoder encoder;
    struct wait worker_wait, committer_wait, prober_wait;
    int64_t n_calls_to_live; // 0: no death planned
    bool is_dying;           // in a storage call: nothing after it takes effect
    int64_t outage_until_ms;
    int64_t stalled_until_ms;
};

struct sim_world {
    struct sim_profile profile;
    struct sim_random random;
    struct sim_clock clock;
    struct sim_topic topic;
    struct mem_tree *tree;
    struct storage *view; // of the tree, without faults
    struct sim_process processes[SIM_MEMBERS_MAX];
    struct storage *orphans[SIM_ORPHANS_MAX]; // of dead processes: calls on their way
    size_t n_orphans;
    struct buf removed; // paths of folders
    struct buf revived; // paths written late: their folders may be back after a removal
    int64_t n_entries_removed;
    int64_t all_settled_ms; // when no call was on its way
    bool has_faults;
    bool is_traced;
    struct buf trace;
    struct buf failure; // empty: none
};

// Runs the schedule of a seed to its end, check and all. False: world->failure says why.
bool sim_world_run(struct sim_world *world, uint64_t seed, bool is_traced);
void sim_world_release(struct sim_world *world);

void sim_trace(struct sim_world *world, const char *fmt, ...) PRINTF_LIKE(2, 3);
void sim_fail(struct sim_world *world, const char *fmt, ...) PRINTF_LIKE(2, 3);

// sim_process.c
void sim_process_start(struct sim_process *process, bool once);
void sim_process_crash(struct sim_process *process);
// Steps its worker or its committer, if one of them has something to do.
bool sim_process_step(struct sim_process *process);
int64_t sim_process_wakes_ms(const struct sim_process *process);

#endif
