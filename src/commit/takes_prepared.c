// SPDX-License-Identifier: Apache-2.0
#include "commit/publish.h"

// A file of its own: see tests/sim/test_sim_without_chain_drop.c.
bool publish_takes_prepared(struct publish *publish, const struct entry_maker *maker)
{
    const struct prepared_entry *prepared = publish->prepared;
    struct storage *storage = publish->patience->parts.storage; // one try will do
    struct env *env = publish->patience->parts.env;
    struct entry_stamp stamp;
    struct err ignored;
    publish->prepared = NULL;
    if (prepared == NULL || !prepared->is_written)
        return false;
    const struct entry *entry = &prepared->made.entry;
    memcpy(stamp.attempt, entry->attempt.p, sizeof(stamp.attempt));
    stamp.time_ms = entry->time_ms;
    if (entry->number == maker->state->next &&
        !prepared_is_old(prepared, env->ops->wall_ms(env)) &&
        entry_make(maker, publish->work, &stamp, &publish->made, &ignored) == ST_OK &&
        str_eq(buf_as_str(&publish->made.bytes), buf_as_str(&prepared->made.bytes))) {
        publish->source = prepared->source;
        return true;
    }
    (void)!storage->ops->remove(storage, path_str(&prepared->source), &ignored);
    return false;
}
