// SPDX-License-Identifier: Apache-2.0
// Schemas that refer to others: all their texts, each after those that it needs.
#ifndef REGISTRY_REFERENCES_H
#define REGISTRY_REFERENCES_H

#include "registry/client.h"

enum {
    REFERENCES_MAX = 100
};

// `answer` is a registry's answer that has "schema". ST_DATA: it is none of Avro.
enum status references_collect(struct registry_client *client, const json_t *answer,
                               struct arena *arena, struct schema_texts *ret,
                               struct err *err);

#endif
