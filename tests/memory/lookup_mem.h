// SPDX-License-Identifier: Apache-2.0
// Schemas in memory: the port of a registry, for tests and tools.
#ifndef MEMORY_LOOKUP_MEM_H
#define MEMORY_LOOKUP_MEM_H

#include "core/schema_lookup.h"

struct schema_lookup *memory_lookup_open(void);
// Copies the text; replaces the one that the id had.
void memory_lookup_add(struct schema_lookup *lookup, int32_t id, struct str text);
void memory_lookup_add_key(struct schema_lookup *lookup, const struct schema_key *key,
                           struct str text);
// While `times` > 0 each get answers ST_RETRY and counts it down.
void memory_lookup_fail(struct schema_lookup *lookup, int times);
// How often get was called.
int memory_lookup_calls(const struct schema_lookup *lookup);

#endif
