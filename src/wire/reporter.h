// SPDX-License-Identifier: Apache-2.0
// Tells a consumer group how far its topic was read, for lag tools: FindCoordinator, then
// OffsetCommit as a member of it, or as somebody who is none. Best effort: a group that
// has other members takes nothing of the latter, and what cannot be told is forgotten.
// Threads: one owner; nothing waits.
#ifndef WIRE_REPORTER_H
#define WIRE_REPORTER_H

#include "core/stream.h"
#include "wire/cluster.h"
#include "wire/group.h"

struct wire_reporter {
    struct wire_cluster *cluster;  // borrowed
    struct wire_group *membership; // borrowed; NULL: none
    char *group;
    struct stream_start *next; // of each partition, the last
    size_t n, capacity;
    bool is_due;               // they are to be sent
    int32_t coordinator;       // -1: unknown
    struct wire_broker *asked; // whose answer is awaited; NULL: nobody's
    int n_tries;
    int64_t again_at_ms;
};

void wire_reporter_init(struct wire_reporter *reporter, struct wire_cluster *cluster,
                        const char *group);
void wire_reporter_release(struct wire_reporter *reporter);
void wire_reporter_tell(struct wire_reporter *reporter, const struct stream_start *next,
                        size_t n);
void wire_reporter_work(struct wire_reporter *reporter, int64_t now_ms);
void wire_reporter_take(struct wire_reporter *reporter, const struct wire_call *call,
                        struct str body, int64_t now_ms);
// Something is not told yet, and may be.
bool wire_reporter_is_busy(const struct wire_reporter *reporter);

#endif
