// SPDX-License-Identifier: Apache-2.0
// CreateTopics 2 to 4 and DescribeGroups 0 to 4 as bytes (CreateTopicsRequest.json,
// DescribeGroupsRequest.json and their responses). Slices are borrowed from the body.
#ifndef WIRE_ADMIN_H
#define WIRE_ADMIN_H

#include "wire/api.h"

void wire_create_ask(struct buf *out, struct str topic, int32_t partitions,
                     int32_t replication, int32_t timeout_ms);
// *ret_text: the broker's words; p == NULL: none.
enum status wire_create_read(struct str body, int16_t *ret_code, struct str *ret_text,
                             struct err *err);

struct wire_group_seen {
    int16_t code;
    struct str state; // "Stable", "Empty", "Dead" ...
    size_t members;
};

void wire_group_ask(struct buf *out, int16_t version, struct str group);
// Appends "client at host, client at host" to `names`, if it is not NULL.
enum status wire_group_read(struct str body, int16_t version, struct wire_group_seen *ret,
                            struct buf *names, struct err *err);

#endif
