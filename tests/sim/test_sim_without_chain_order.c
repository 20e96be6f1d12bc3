// SPDX-License-Identifier: Apache-2.0
// test: build release
// wrap: chain_first publish_is_conflict publish_takes_prepared
// Units go on to the committer as they are ready, and the entries that were made for them
// are renamed in that order: the simulator must find the damaged log.
#include "sim/sim_mutant.h"

#include "sim/sim_bold.h"
#include "work/chain.h"

size_t __wrap_chain_first(const struct chain *chain);

// The last that is ready, but nothing before a question of the worker's.
size_t __wrap_chain_first(const struct chain *chain)
{
    size_t last = SIZE_MAX;
    for (size_t i = 0; i < chain->n && chain->links[i].is_upload; i++)
        if (chain->links[i].n_errands == 0)
            last = i;
    bool is_question = chain->n > 0 && !chain->links[0].is_upload;
    return is_question ? 0 : last;
}

bool __real_publish_is_conflict(const struct publish *publish);
bool __wrap_publish_is_conflict(const struct publish *publish);

bool __wrap_publish_is_conflict(const struct publish *publish)
{
    return publish->work->prepared == NULL && __real_publish_is_conflict(publish);
}

bool __wrap_publish_takes_prepared(struct publish *publish,
                                   const struct entry_maker *maker);

bool __wrap_publish_takes_prepared(struct publish *publish,
                                   UNUSED const struct entry_maker *maker)
{
    return sim_take_prepared(publish);
}

static void test_simulator_finds_it(UNUSED void **state)
{
    sim_finds(sim_log_is_damaged);
}

TEST_MAIN(cmocka_unit_test(test_simulator_finds_it))
