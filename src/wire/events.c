// SPDX-License-Identifier: Apache-2.0
#include "wire/events.h"

#include <inttypes.h>
#include <stdio.h>

// Not before all that has come is read.
static bool tell_gap(struct wire_partition *partition, struct stream_event *ret)
{
    if (partition->mode != WIRE_GAP || !partition->is_low_known ||
        partition->position != partition->fetch_offset)
        return false;
    partition->mode = WIRE_TOLD;
    ret->kind = STREAM_GAP;
    ret->gap =
        (struct stream_gap){partition->number, partition->position, partition->low};
    return true;
}

static bool tell_trouble(const struct wire_fetcher *fetcher,
                         struct wire_partition *partition, struct stream_event *ret,
                         char *trouble, size_t trouble_bytes)
{
    if (!partition->is_trouble_due)
        return false;
    partition->is_trouble_due = false;
    const struct wire_broker *broker = wire_cluster_find(
        fetcher->cluster, wire_fetcher_leader(fetcher, partition)->broker);
    bool is_away = broker != NULL && broker->connection.n_failures > 0;
    snprintf(trouble, trouble_bytes,
             "topic '%s', partition %" PRId32 ", offset %" PRId64 ": %s",
             fetcher->cluster->topic, partition->number, partition->fetch_offset,
             is_away ? broker->connection.problem
                     : wire_error_name(partition->code).text);
    ret->kind = STREAM_TROUBLE;
    ret->trouble = (struct stream_trouble){partition->number, trouble};
    return true;
}

bool wire_event(struct wire_fetcher *fetcher, struct stream_event *ret, char *trouble,
                size_t trouble_bytes)
{
    for (size_t i = 0; i < fetcher->n; i++) {
        struct wire_partition *partition = &fetcher->partitions[i];
        if (tell_gap(partition, ret) ||
            tell_trouble(fetcher, partition, ret, trouble, trouble_bytes))
            return true;
    }
    return false;
}
