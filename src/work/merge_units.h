// SPDX-License-Identifier: Apache-2.0
// Several units as one: what the workers of one trigger have made becomes one entry.
#ifndef WORK_MERGE_UNITS_H
#define WORK_MERGE_UNITS_H

#include "log/unit.h"

// Whether `next` may be merged behind a unit like `first`: a unit has one version of the
// tables, and at most one file of dead letters, whose lines are their names.
bool units_fit(const struct unit *first, bool has_dead, const struct unit *next);
bool unit_has_dead(const struct unit *unit);
const struct span *unit_span(const struct unit *unit, int32_t partition); // or NULL
// Of one writer; where they have a partition in common each begins where the one before
// ends. Texts of `ret` are borrowed from them.
void merge_units(const struct unit *const *units, size_t n, struct unit *ret);

#endif
