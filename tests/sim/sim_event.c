// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_event.h"

#include <stdlib.h>

#include "base/mem.h"

enum {
    SLOTS = 64 // of a step; those after the kinds are for its calls
};

void sim_events_step(struct sim_events *events, uint32_t step)
{
    events->step = step;
    events->n_calls = 0;
}

static bool is_kept(const struct sim_events *events, uint32_t id)
{
    for (size_t i = 0; i < events->n_kept; i++)
        if (events->kept[i] == id)
            return true;
    return events->kept == NULL;
}

bool sim_events_let(struct sim_events *events, enum sim_event_kind kind)
{
    uint32_t slot = kind;
    if (kind == SIM_FAULT || kind == SIM_DEATH || kind == SIM_STOP_IN_CALL)
        slot = SIM_EVENT_KINDS + events->n_calls++ % (SLOTS - SIM_EVENT_KINDS);
    uint32_t id = events->step * SLOTS + slot;
    if (!is_kept(events, id))
        return false;
    MEM_GROW(events->items, events->n, events->capacity);
    events->items[events->n++] = (struct sim_event){id, kind};
    return true;
}

const char *sim_event_name(enum sim_event_kind kind)
{
    static const char *const names[SIM_EVENT_KINDS] = {
        [SIM_APPEND] = "append",
        [SIM_CRASH] = "crash",
        [SIM_POWER_CUT] = "power cut",
        [SIM_RESTART] = "restart",
        [SIM_REASSIGN] = "reassign",
        [SIM_OUTAGE] = "outage",
        [SIM_STALL] = "stall",
        [SIM_SETTLE] = "late call",
        [SIM_SETTLE_ALL] = "all late",
        [SIM_STOP] = "stop",
        [SIM_AWAY] = "no leader",
        [SIM_RECREATE] = "recreated",
        [SIM_FAULT] = "fault",
        [SIM_DEATH] = "death",
        [SIM_SWEEP] = "sweep",
        [SIM_SLOW] = "slow storage",
        [SIM_STOP_IN_CALL] = "stop in a call",
    };
    return names[kind];
}

void sim_events_release(struct sim_events *events)
{
    free(events->items);
    events->items = NULL;
    events->n = events->capacity = 0;
}
