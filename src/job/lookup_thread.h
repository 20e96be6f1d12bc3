// SPDX-License-Identifier: Apache-2.0
// Schemas by id from a registry, asked for on a thread of their own: a slow registry
// keeps nobody waiting. get() waits for an answer at most LOOKUP_PATIENCE_MS, and only
// where it asks for the first time; then it is ST_RETRY until the answer is there.
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

#endif
