// SPDX-License-Identifier: Apache-2.0
// For mutants of entries that are made beforehand: takes them as they are.
#ifndef TESTS_SIM_TAKEN_H
#define TESTS_SIM_TAKEN_H

#include "commit/publish.h"
#include "sim/sim_mutant.h"

static inline bool sim_log_is_damaged(struct sim_world *world)
{
    return sim_says(world, "the commit log is damaged") || sim_data_is_wrong(world);
}

// The entry borrows from the one that was prepared, which lives as long as the call.
static inline bool sim_take_prepared(struct publish *publish)
{
    const struct prepared_entry *prepared = publish->prepared;
    publish->prepared = NULL;
    if (prepared == NULL || !prepared->is_written)
        return false;
    publish->made.entry = prepared->made.entry;
    buf_clear(&publish->made.bytes);
    buf_str(&publish->made.bytes, buf_as_str(&prepared->made.bytes));
    publish->source = prepared->source;
    return true;
}

#endif
