// SPDX-License-Identifier: Apache-2.0
#include "work/chain.h"

// A file of its own: see tests/sim/test_sim_without_chain_order.c.
size_t chain_first(const struct chain *chain)
{
    return chain->n > 0 && chain->links[0].n_errands == 0 ? 0 : SIZE_MAX;
}
