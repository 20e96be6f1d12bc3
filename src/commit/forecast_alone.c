// SPDX-License-Identifier: Apache-2.0
#include "commit/forecast.h"

// A file of its own: see tests/sim/test_sim_ahead.c.
bool forecast_is_alone(const struct forecast *forecast, struct str writer)
{
    const struct log_state *tip = &forecast->tip;
    for (size_t i = 0; i < tip->n_partitions; i++)
        if (!str_is(writer, tip->partitions[i].writer))
            return false;
    return true;
}
