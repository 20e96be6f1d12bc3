// SPDX-License-Identifier: Apache-2.0
#include "memory/lookup_mem.h"

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
