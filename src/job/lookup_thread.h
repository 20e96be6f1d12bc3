// SPDX-License-Identifier: Apache-2.0
// Schemas by id from a registry, asked for on a thread of their own: a slow registry
// keeps nobody waiting. get() waits for an answer at most LOOKUP_PATIENCE_MS, and only
// while the answer is new; then it is ST_RETRY until it is there.
//
// Several threads may share one: each has a lookup of its own, and what one of them was
// told all of them know.
#ifndef JOB_LOOKUP_THREAD_H
#define JOB_LOOKUP_THREAD_H

#include "registry/registry.h"

enum {
    LOOKUP_PATIENCE_MS = 200,
    LOOKUP_FRESH_MS = 60000, // nobody came back for it since: it is asked for again
    LOOKUP_ASKED_MAX = 64    // ids at one time
};

// `config` with its own deadline and one round: who waits repeats it. ST_USAGE as
// registry_open. Closing ends a request under way.
enum status lookup_thread_open(const struct registry_config *config,
                               struct schema_lookup **ret, struct err *err);
// Another one that asks by the same thread, for a thread of its own; `of` is closed after
// it.
struct schema_lookup *lookup_thread_beside(struct schema_lookup *of);

#endif
