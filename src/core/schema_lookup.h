// SPDX-License-Identifier: Apache-2.0
// Port: schema texts by id, as a Schema Registry gives them.
//
// src/registry implements it over HTTP. One thread at a time.
#ifndef CORE_SCHEMA_LOOKUP_H
#define CORE_SCHEMA_LOOKUP_H

#include "base/status.h"
#include "base/str.h"

// Names a schema, as a record does: by the number that its registry gave it, or by a GUID
// that is the same in each registry.
struct schema_key {
    int32_t id; // 0: by the GUID
    uint8_t guid[16];
};

static inline bool schema_key_eq(const struct schema_key *a, const struct schema_key *b)
{
    return a->id == b->id &&
           (a->id != 0 || memcmp(a->guid, b->guid, sizeof(a->guid)) == 0);
}

enum {
    GUID_TEXT = 37,
    SCHEMA_KEY_TEXT = 64
};
// "123e4567-e89b-12d3-a456-426614174000".
void schema_guid_format(const struct schema_key *key, char ret[GUID_TEXT]);
// For messages: "schema id 17", "schema GUID 123e4567-...".
void schema_key_format(const struct schema_key *key, char ret[SCHEMA_KEY_TEXT]);

// A schema as JSON. One that refers to schemas of other subjects comes as several texts:
// each after those that it needs, its own last.
struct schema_texts {
    const struct str *items;
    size_t n; // at least 1
};

struct schema_lookup;

struct schema_lookup_ops {
    // `ret` is borrowed until the next call. ST_RETRY: no answer now; ST_NOT_FOUND: there
    // is no such schema; ST_DATA: there is one, but it is not an Avro schema, or schemas
    // are not found so.
    enum status (*get)(struct schema_lookup *lookup, const struct schema_key *key,
                       struct schema_texts *ret, struct err *err);
    void (*close)(struct schema_lookup *lookup);
};

struct schema_lookup {
    const struct schema_lookup_ops *ops;
};

#endif
