// SPDX-License-Identifier: Apache-2.0
#include "work/order_book.h"

// A file of its own: see tests/sim/test_sim_without_order.c.
bool order_is_next(const struct unit *unit, const struct log_state *state)
{
    for (size_t i = 0; i < unit->n_spans; i++) {
        const struct log_partition *at = log_state_find(state, unit->spans[i].partition);
        if (at == NULL || at->next != unit->spans[i].first)
            return false;
    }
    return true;
}
