// SPDX-License-Identifier: Apache-2.0
// Units made in other processes: coordinators, workers that make units to order, and a
// driver between them that delivers lines late, twice or not at all, and takes them to
// others than they were meant for. All of them die and begin again, two coordinators may
// run at a time, and plain workers claim meanwhile; who and when a seed decides. In the
// end a coordinator and workers without faults must come to an end, and each record must
// have given its rows, once.
#ifndef TESTS_SIM_UNITS_H
#define TESTS_SIM_UNITS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

// Of all its schedules.
struct sim_units_report {
    int n_orders, n_units, n_commits, n_doubled, n_lost, n_deaths, n_superseded, n_plain;
    int n_merged, n_hung, n_stopped;
};

// False: `failure` says why. Adds to the report.
bool sim_units_run(uint64_t seed, struct sim_units_report *report, struct buf *failure);

#endif
