// SPDX-License-Identifier: Apache-2.0
// For programs that run schedules, all of which must come out clean. One that fails is
// reduced to the events that matter, and shown with its trace.
//   SIM_SEEDS=100000           so many schedules
//   SIM_SEED=17                that one alone, with its trace
//   SIM_SEED=17 SIM_EVENTS=a,b that one with these of its events only
#ifndef TESTS_SIM_SCHEDULES_H
#define TESTS_SIM_SCHEDULES_H

#include "sim/sim_mutant.h"

#include <inttypes.h>

enum {
    IDS_MAX = 4096,
    TRACE_SHOWN = 20000
};

static inline bool sim_fails(struct sim_world *world)
{
    return world->failure.n > 0;
}

static inline void sim_show_trace(struct sim_world *world, size_t shown)
{
    const char *trace = buf_cstr(&world->trace);
    size_t skipped = world->trace.n > shown ? world->trace.n - shown : 0;
    fprintf(stderr, "%s\n", trace + skipped);
}

static inline void sim_fail_with_few(uint64_t seed)
{
    static struct sim_world world;
    struct sim_kept few;
    sim_reduce(seed, 0, sim_fails, &few);
    (void)sim_kept_fails(&few, sim_fails);
    sim_world_replay(&world, seed, few.ids, few.n, true);
    sim_show_trace(&world, TRACE_SHOWN);
    fail_msg("seed %" PRIu64 ": %s", seed, buf_cstr(&world.failure));
}

static inline size_t sim_parse_ids(const char *text, uint32_t ids[IDS_MAX])
{
    size_t n = 0;
    while (*text && n < IDS_MAX) {
        char *end;
        ids[n++] = (uint32_t)strtoul(text, &end, 10);
        text = *end ? end + 1 : end;
    }
    return n;
}

static inline void sim_run_one(uint64_t seed)
{
    static struct sim_world world;
    static uint32_t ids[IDS_MAX];
    const char *events = getenv("SIM_EVENTS");
    log_set_level(LOG_DEBUG);
    bool ok = events
                  ? sim_world_replay(&world, seed, ids, sim_parse_ids(events, ids), true)
                  : sim_world_run(&world, seed, true);
    sim_show_trace(&world, SIZE_MAX);
    sim_world_release(&world);
    if (!ok)
        sim_fail_with_few(seed);
}

// Of SIM_SEEDS, else of the long tests or the usual ones.
static inline uint64_t sim_n_schedules(uint64_t usual, uint64_t n_long)
{
    const char *many = getenv("SIM_SEEDS");
    if (many)
        return strtoull(many, NULL, 10);
    return getenv("TEST_LONG") ? n_long : usual;
}

// How many were run; 0: one alone was asked for.
static inline uint64_t sim_run_schedules(uint64_t usual, uint64_t n_long)
{
    static struct sim_world world;
    const char *one = getenv("SIM_SEED");
    uint64_t n = sim_n_schedules(usual, n_long);
    if (one) {
        sim_run_one(strtoull(one, NULL, 10));
        return 0;
    }
    log_set_level(LOG_ERROR);
    for (uint64_t seed = 1; seed <= n; seed++) {
        bool ok = sim_world_run(&world, seed, false);
        sim_world_release(&world);
        if (!ok)
            sim_fail_with_few(seed);
    }
    return n;
}

#endif
