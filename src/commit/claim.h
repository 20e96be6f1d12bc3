// SPDX-License-Identifier: Apache-2.0
// Publishes a claim: from here on these partitions are the writer's. On an empty log the
// entry of the job goes before it.
#ifndef COMMIT_CLAIM_H
#define COMMIT_CLAIM_H

#include "commit/publish.h"
#include "core/topic.h"

// What is asked for; borrowed.
struct claim {
    const struct stream_start *starts; // of the partitions to claim
    size_t n_starts;
    const struct stream_start *origins; // of all partitions, for entry 0
    size_t n_origins;
    int64_t base; // an entry from this number on that touches ours is a conflict
};

// Where a partition starts that no log knows yet, by the option `start`.
enum status claim_origin(const struct job_settings *settings, struct topic *topic,
                         int32_t partition, int64_t *ret, struct err *err);
// An entry that moves nothing: all partitions stand where they start. The spans are the
// caller's to free.
struct publish_work claim_work(enum entry_kind kind, const struct stream_start *starts,
                               size_t n, int64_t base);

#endif
