// SPDX-License-Identifier: Apache-2.0
// What is wrong with a script's values and tables, as far as no server is needed to tell:
// addresses, times, names, schema files, places that overlap.
#ifndef JOB_SCRIPT_CHECKS_H
#define JOB_SCRIPT_CHECKS_H

#include "sql/plan.h"

extern const struct script_checks script_checks;

// "2026-11-22T05:00:00Z" or "...+02:00", for option 'start', to ms since 1970.
bool start_timestamp(struct str text, int64_t *ret);

#endif
