// SPDX-License-Identifier: Apache-2.0
// For programs that leave one rule of the protocol out: each defines the functions of one
// file of src/engine anew, and the linker then leaves the library's file aside. The
// product needs no hook for that, and the rest of it is the real thing.
#ifndef TESTS_SIM_MUTANT_H
#define TESTS_SIM_MUTANT_H

#include "test.h"

#include "base/log.h"
#include "sim/sim_world.h"

static inline bool sim_data_is_wrong(struct sim_world *world)
{
    const char *text = buf_cstr(&world->failure);
    return strstr(text, "is missing") != NULL || strstr(text, "too often") != NULL;
}

// The seed of the first schedule whose data is wrong, 0: none of n. Shows what was wrong.
static inline uint64_t sim_first_failure(uint64_t n)
{
    static struct sim_world world;
    uint64_t found = 0;
    log_set_level(LOG_ERROR + 1);
    for (uint64_t seed = 1; seed <= n && found == 0; seed++) {
        if (!sim_world_run(&world, seed, false) && sim_data_is_wrong(&world)) {
            found = seed;
            print_message("seed %d: %.300s\n", (int)seed, buf_cstr(&world.failure));
        }
        sim_world_release(&world);
    }
    return found;
}

#endif
