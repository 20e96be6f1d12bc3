// SPDX-License-Identifier: Apache-2.0
// A run's status server, and what it shows of the run's parts.
#ifndef JOB_RUN_STATUS_H
#define JOB_RUN_STATUS_H

#include "job/run_parts.h"

// Listens where SET status.listen wants it, before anything else is opened; without that
// option there is no server.
enum status run_status_open(struct run_parts *parts, struct err *err);
// All is open: job and tables come on the board, which borrows their texts.
void run_status_show(const struct run_parts *parts);

#endif
