// SPDX-License-Identifier: Apache-2.0
// What is wrong with a script's values and tables, as far as no server is needed to tell,
// beyond what each option's owner says: registries, schema files, places that overlap.
#ifndef JOB_SCRIPT_CHECKS_H
#define JOB_SCRIPT_CHECKS_H

#include "sql/plan.h"

extern const struct script_checks script_checks;

#endif
