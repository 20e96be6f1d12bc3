// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_clock.h"

#include <stdlib.h>
#include <string.h>

static int64_t wall_ms(struct env *env)
{
    return SIM_EPOCH_MS + ((struct sim_clock *)env)->now_ms;
}

static int64_t monotonic_ms(struct env *env)
{
    return ((struct sim_clock *)env)->now_ms;
}

static void sleep_ms(UNUSED struct env *env, UNUSED int64_t ms)
{
    abort(); // the engine says what it waits for and never sleeps
}

static void random_bytes(struct env *env, void *ret, size_t n_bytes)
{
    unsigned char *p = ret;
    for (size_t i = 0; i < n_bytes; i++)
        p[i] = (unsigned char)sim_next(&((struct sim_clock *)env)->random);
}

static const struct env_ops ops = {
    .wall_ms = wall_ms,
    .monotonic_ms = monotonic_ms,
    .sleep_ms = sleep_ms,
    .random = random_bytes,
};

void sim_clock_init(struct sim_clock *clock, uint64_t seed)
{
    *clock = (struct sim_clock){.env = {&ops}, .random = {seed ^ 0x5EED}};
}
