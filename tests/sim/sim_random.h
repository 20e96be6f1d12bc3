// SPDX-License-Identifier: Apache-2.0
// Chance of a schedule: all of it from one seed (SplitMix64).
#ifndef TESTS_SIM_RANDOM_H
#define TESTS_SIM_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct sim_random {
    uint64_t state;
};

static inline uint64_t sim_next(struct sim_random *random)
{
    uint64_t z = random->state += 0x9E3779B97F4A7C15U;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9U;
    z = (z ^ z >> 27) * 0x94D049BB133111EBU;
    return z ^ z >> 31;
}

// The chance of one part of one step: whatever happened before.
static inline struct sim_random sim_random_at(uint64_t seed, uint64_t step, uint64_t part)
{
    struct sim_random random = {seed + step * 0xD1B54A32D192ED03U +
                                part * 0x8CB92BA72F3D8DD7U};
    random.state = sim_next(&random);
    return random;
}

// From low to high, both included.
static inline int64_t sim_between(struct sim_random *random, int64_t low, int64_t high)
{
    return low + (int64_t)(sim_next(random) % (uint64_t)(high - low + 1));
}

static inline bool sim_chance(struct sim_random *random, int64_t percent)
{
    return sim_between(random, 0, 99) < percent;
}

#endif
