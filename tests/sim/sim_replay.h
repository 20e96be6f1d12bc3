// SPDX-License-Identifier: Apache-2.0
// Replays of dead letters beside each other and beside workers that make new letters, on
// one storage that fails: who dies where, which answers are lost and which calls take
// effect late is decided by a seed. In the end a replay without faults takes what is
// left. Then each record that was a letter must have given its rows, once.
#ifndef TESTS_SIM_REPLAY_H
#define TESTS_SIM_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct sim_replay_report {
    int n_replays, n_conflicts, n_deaths, n_again; // of all its schedules
};

// False: `failure` says why. Adds to the report.
bool sim_replay_run(uint64_t seed, struct sim_replay_report *report, struct buf *failure);

#endif
