// SPDX-License-Identifier: Apache-2.0
#include "avro/lookup.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

struct entry {
    struct schema_key key;
    struct str text;
    char *owned;
};

struct memory_lookup {
    struct schema_lookup lookup; // first member
    struct entry *entries;
    size_t n;
    size_t capacity;
    int failures;
    int calls;
};

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

static struct entry *find(struct memory_lookup *memory, const struct schema_key *key)
{
    for (size_t i = 0; i < memory->n; i++)
        if (schema_key_eq(&memory->entries[i].key, key))
            return &memory->entries[i];
    return NULL;
}

static enum status memory_get(struct schema_lookup *lookup, const struct schema_key *key,
                              struct schema_texts *ret, struct err *err)
{
    struct memory_lookup *memory = (struct memory_lookup *)lookup;
    memory->calls++;
    if (memory->failures > 0) {
        memory->failures--;
        return err_set(err, ST_RETRY, "no answer");
    }
    const struct entry *entry = find(memory, key);
    char name[SCHEMA_KEY_TEXT];
    schema_key_format(key, name);
    if (entry == NULL)
        return err_set(err, ST_NOT_FOUND, "there is no %s", name);
    *ret = (struct schema_texts){&entry->text, 1};
    return ST_OK;
}

static void memory_close(struct schema_lookup *lookup)
{
    struct memory_lookup *memory = (struct memory_lookup *)lookup;
    for (size_t i = 0; i < memory->n; i++)
        free(memory->entries[i].owned);
    free(memory->entries);
    free(memory);
}

static const struct schema_lookup_ops memory_ops = {
    .get = memory_get,
    .close = memory_close,
};

struct schema_lookup *memory_lookup_open(void)
{
    struct memory_lookup *memory = mem_zalloc(sizeof(*memory));
    memory->lookup.ops = &memory_ops;
    return &memory->lookup;
}

void memory_lookup_add_key(struct schema_lookup *lookup, const struct schema_key *key,
                           struct str text)
{
    struct memory_lookup *memory = (struct memory_lookup *)lookup;
    struct entry *entry = find(memory, key);
    if (entry == NULL) {
        MEM_GROW(memory->entries, memory->n, memory->capacity);
        entry = &memory->entries[memory->n++];
        *entry = (struct entry){.key = *key};
    }
    free(entry->owned);
    entry->owned = mem_strndup(text.p, text.n);
    entry->text = (struct str){entry->owned, text.n};
}

void memory_lookup_add(struct schema_lookup *lookup, int32_t id, struct str text)
{
    memory_lookup_add_key(lookup, &(struct schema_key){.id = id}, text);
}

void memory_lookup_fail(struct schema_lookup *lookup, int times)
{
    ((struct memory_lookup *)lookup)->failures = times;
}

int memory_lookup_calls(const struct schema_lookup *lookup)
{
    return ((const struct memory_lookup *)lookup)->calls;
}
