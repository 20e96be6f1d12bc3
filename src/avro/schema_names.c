// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "avro/schema_parse.h"
#include "base/hash.h"

enum {
    SLOTS = 64 // of names that were empty; a power of two
};

static int compare(const void *a, const void *b)
{
    return str_compare(((const struct avro_named *)a)->name,
                       ((const struct avro_named *)b)->name);
}

const struct avro_named *avro_sort_names(struct arena *arena, const struct str *names,
                                         size_t n, struct str *ret_twice)
{
    struct avro_named *sorted = arena_array(arena, n, sizeof(*sorted));
    for (size_t i = 0; i < n; i++)
        sorted[i] = (struct avro_named){names[i], i};
    if (n > 1)
        qsort(sorted, n, sizeof(*sorted), compare);
    *ret_twice = (struct str){0};
    for (size_t i = 1; i < n; i++)
        if (str_eq(sorted[i - 1].name, sorted[i].name))
            *ret_twice = sorted[i].name;
    return sorted;
}

// Where the type of that name stands, or the free slot for it.
static struct avro_type **slot_of(const struct avro_type_names *names, struct str name)
{
    size_t at = hash64(name.p, name.n) & (names->n_slots - 1);
    while (names->slots[at] != NULL && !str_eq(names->slots[at]->name, name))
        at = (at + 1) & (names->n_slots - 1);
    return &names->slots[at];
}

static void grow(struct avro_type_names *names)
{
    struct avro_type_names grown = {.n = names->n};
    grown.n_slots = names->n_slots ? 2 * names->n_slots : SLOTS;
    grown.slots = mem_array(grown.n_slots, sizeof(struct avro_type *));
    for (size_t i = 0; i < names->n_slots; i++)
        if (names->slots[i] != NULL)
            *slot_of(&grown, names->slots[i]->name) = names->slots[i];
    free(names->slots);
    *names = grown;
}

void avro_type_names_add(struct avro_type_names *names, struct avro_type *type)
{
    if (2 * names->n >= names->n_slots)
        grow(names);
    *slot_of(names, type->name) = type;
    names->n++;
}

struct avro_type *avro_type_names_find(const struct avro_type_names *names,
                                       struct str full_name)
{
    return names->n ? *slot_of(names, full_name) : NULL;
}

void avro_type_names_release(struct avro_type_names *names)
{
    free(names->slots);
    *names = (struct avro_type_names){0};
}
