// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_reduce.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    RUNS_MAX = 5000
};

static uint32_t *ids_of(const struct sim_events *events, size_t *ret_n)
{
    uint32_t *ids = mem_array(events->n + 1, sizeof(*ids));
    *ret_n = events->n;
    for (size_t i = 0; i < events->n; i++)
        ids[i] = events->items[i].id;
    return ids;
}

// Runs with these events only; those of them that happened take their place if it fails.
static bool try_events(struct sim_kept *kept, uint32_t *ids, size_t n,
                       sim_fails_fn *fails)
{
    static struct sim_world world;
    kept->n_runs++;
    sim_world_replay(&world, kept->seed, ids, n, false);
    bool fail = fails(&world);
    if (fail) {
        free(kept->ids);
        kept->ids = ids_of(&world.events, &kept->n);
    }
    sim_world_release(&world);
    return fail;
}

// All but `size` of them from `from` on.
static bool try_without(struct sim_kept *kept, size_t from, size_t size,
                        sim_fails_fn *fails)
{
    uint32_t *ids = mem_array(kept->n + 1, sizeof(*ids));
    size_t n = 0;
    for (size_t i = 0; i < kept->n; i++)
        if (i < from || i >= from + size)
            ids[n++] = kept->ids[i];
    bool fail = try_events(kept, ids, n, fails);
    free(ids);
    return fail;
}

static bool goes_on(const struct sim_kept *kept)
{
    return kept->n > kept->enough && kept->n_runs < RUNS_MAX;
}

// From the end, or from the beginning on: which of the two comes further is chance.
static bool reduce_by(struct sim_kept *kept, size_t size, bool is_forward,
                      sim_fails_fn *fails)
{
    bool is_smaller = false;
    size_t at = is_forward ? 0 : kept->n;
    while ((is_forward ? at < kept->n : at > 0) && goes_on(kept)) {
        size_t from = is_forward ? at : at > size ? at - size : 0;
        bool fail = try_without(kept, from, is_forward ? size : at - from, fails);
        is_smaller |= fail;
        if (is_forward)
            at += fail ? 0 : size;
        else
            at = from < kept->n ? from : kept->n;
    }
    return is_smaller;
}

static void reduce(struct sim_kept *kept, bool is_forward, sim_fails_fn *fails)
{
    size_t size = kept->n;
    while (size > 0 && goes_on(kept)) {
        bool is_smaller = reduce_by(kept, size, is_forward, fails);
        if (!is_smaller || size > 1)
            size /= 2;
        if (size > kept->n)
            size = kept->n;
    }
}

void sim_reduce(uint64_t seed, size_t enough, sim_fails_fn *fails, struct sim_kept *ret)
{
    static struct sim_world world;
    struct sim_kept other = {.seed = seed, .enough = enough};
    *ret = other;
    sim_world_run(&world, seed, false);
    ret->ids = ids_of(&world.events, &ret->n);
    other.ids = ids_of(&world.events, &other.n);
    sim_world_release(&world);
    reduce(ret, false, fails);
    if (ret->n > enough)
        reduce(&other, true, fails);
    if (other.n < ret->n) {
        struct sim_kept larger = *ret;
        *ret = other;
        other = larger;
    }
    ret->n_runs += other.n_runs;
    free(other.ids);
}

bool sim_kept_fails(const struct sim_kept *kept, sim_fails_fn *fails)
{
    static struct sim_world world;
    sim_world_replay(&world, kept->seed, kept->ids, kept->n, false);
    bool fail = fails(&world);
    fprintf(stderr, "seed %" PRIu64 ", %zu events:", kept->seed, world.events.n);
    for (size_t i = 0; i < world.events.n; i++)
        fprintf(stderr, " %" PRIu32 " (%s)", world.events.items[i].id,
                sim_event_name(world.events.items[i].kind));
    fprintf(stderr, "\n%s", fail ? buf_cstr(&world.failure) : "it does not fail\n");
    sim_world_release(&world);
    return fail;
}
