// SPDX-License-Identifier: Apache-2.0
#include "core/schema_lookup.h"

#include <inttypes.h>
#include <stdio.h>

void schema_guid_format(const struct schema_key *key, char ret[GUID_TEXT])
{
    const uint8_t *g = key->guid;
    snprintf(ret, GUID_TEXT,
             "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", g[0],
             g[1], g[2], g[3], g[4], g[5], g[6], g[7], g[8], g[9], g[10], g[11], g[12],
             g[13], g[14], g[15]);
}

void schema_key_format(const struct schema_key *key, char ret[SCHEMA_KEY_TEXT])
{
    char guid[GUID_TEXT];
    schema_guid_format(key, guid);
    if (key->id != 0)
        snprintf(ret, SCHEMA_KEY_TEXT, "schema id %" PRId32, key->id);
    else
        snprintf(ret, SCHEMA_KEY_TEXT, "schema GUID %s", guid);
}
