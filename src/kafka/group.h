// SPDX-License-Identifier: Apache-2.0
// Who is in a consumer group. Threads: the client's owner.
#ifndef KAFKA_GROUP_H
#define KAFKA_GROUP_H

#include "base/buf.h"
#include "kafka/client.h"

struct group_look {
    size_t members; // one that was killed counts until its session times out
    bool is_stable; // nobody has come or gone since the partitions were shared out
};

// `names` gets "client at host, client at host"; it may be NULL. A group that is not
// there has no members. ST_RETRY: the brokers cannot be reached in time.
enum status group_look(struct kafka_client *client, const char *group,
                       struct group_look *ret, struct buf *names, struct err *err);

#endif
