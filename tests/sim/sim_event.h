// SPDX-License-Identifier: Apache-2.0
// What happens to a schedule beside the order of its steps: each event has an identity
// that stays the same when others are left out, as chance begins again with every step.
// So a schedule can be run again with some of its events only.
#ifndef TESTS_SIM_EVENT_H
#define TESTS_SIM_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sim_event_kind {
    SIM_APPEND,
    SIM_CRASH,
    SIM_POWER_CUT,
    SIM_RESTART,
    SIM_REASSIGN,
    SIM_OUTAGE,
    SIM_STALL,
    SIM_SETTLE,
    SIM_SETTLE_ALL,
    SIM_STOP,
    SIM_AWAY,
    SIM_RECREATE,
    SIM_FAULT,        // of a call of storage, stream or decoder
    SIM_DEATH,        // planned for after an entry
    SIM_STOP_IN_CALL, // of storage or stream
    SIM_SLOW,
    SIM_SWEEP, // an uploaded file is removed before its commit
    SIM_EVENT_KINDS
};

struct sim_event {
    uint32_t id; // rises
    enum sim_event_kind kind;
};

struct sim_events {
    struct sim_event *items; // in order
    size_t n, capacity;
    uint32_t step;
    uint32_t n_calls;     // faults of calls that were possible in this step
    const uint32_t *kept; // rising: only these happen; NULL: all do
    size_t n_kept;
};

void sim_events_step(struct sim_events *events, uint32_t step);
// It is about to happen: notes it, or false: it does not.
bool sim_events_let(struct sim_events *events, enum sim_event_kind kind);
const char *sim_event_name(enum sim_event_kind kind);
void sim_events_release(struct sim_events *events);

#endif
