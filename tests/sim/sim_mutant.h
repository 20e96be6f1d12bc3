// SPDX-License-Identifier: Apache-2.0
// For programs that leave one rule of the protocol out: a line "// wrap: f" has the
// linker call __wrap_f of the test in the place of f (CMakeLists.txt), or the test
// defines all functions of a file of src/work again. The product needs no hook for that,
// and the rest of it is the real thing.
#ifndef TESTS_SIM_MUTANT_H
#define TESTS_SIM_MUTANT_H

#include "test.h"

#include "base/log.h"
#include "sim/sim_reduce.h"
#include "sim/sim_world.h"

enum {
    SCHEDULES_MAX = 5000,
    SIM_EVENTS_MAX = 20 // of a schedule that a person still understands
};

static inline bool sim_says(struct sim_world *world, const char *text)
{
    return strstr(buf_cstr(&world->failure), text) != NULL;
}

static inline bool sim_data_is_wrong(struct sim_world *world)
{
    return sim_says(world, "is missing") || sim_says(world, "too often");
}

// The same for a mutant that leaves out the look at files as well: where others remove
// some, it would be found for that alone.
static inline bool sim_data_is_wrong_unswept(struct sim_world *world)
{
    return world->profile.sweep_permille == 0 && sim_data_is_wrong(world);
}

// The seed of the first schedule from `from` to `to` that fails so, 0: none. Shows what
// was wrong.
static inline uint64_t sim_first(uint64_t from, uint64_t to, sim_fails_fn *fails)
{
    static struct sim_world world;
    uint64_t found = 0;
    log_set_level(LOG_ERROR + 1);
    for (uint64_t seed = from; seed <= to && found == 0; seed++) {
        if (!sim_world_run(&world, seed, false) && fails(&world)) {
            found = seed;
            print_message("seed %d: %.300s\n", (int)seed, buf_cstr(&world.failure));
        }
        sim_world_release(&world);
    }
    return found;
}

// The simulator must find it among schedules from that seed on, and say by which few
// events it comes.
static inline void sim_finds_from(uint64_t seed, sim_fails_fn *fails)
{
    struct sim_kept kept = {.n = SIM_EVENTS_MAX + 1};
    uint64_t last = seed + SCHEDULES_MAX;
    for (; kept.n > SIM_EVENTS_MAX; seed++) {
        free(kept.ids);
        seed = sim_first(seed, last, fails);
        assert_int_not_equal(seed, 0);
        sim_reduce(seed, SIM_EVENTS_MAX, fails, &kept);
        print_message("reduced to %d events in %d runs\n", (int)kept.n, kept.n_runs);
    }
    assert_true(sim_kept_fails(&kept, fails));
    free(kept.ids);
}

static inline void sim_finds(sim_fails_fn *fails)
{
    sim_finds_from(1, fails);
}

#endif
