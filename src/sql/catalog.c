// SPDX-License-Identifier: Apache-2.0
#include "sql/catalog.h"

#include <stdlib.h>

struct relation *catalog_find(const struct catalog *catalog, struct str name)
{
    for (size_t i = 0; i < catalog->n; i++)
        if (!catalog->items[i]->hidden && str_eq(catalog->items[i]->name, name))
            return catalog->items[i];
    return NULL;
}

void catalog_add(struct catalog *catalog, struct relation *relation)
{
    MEM_GROW(catalog->items, catalog->n, catalog->capacity);
    catalog->items[catalog->n++] = relation;
}

void catalog_release(struct catalog *catalog)
{
    free(catalog->items);
    *catalog = (struct catalog){0};
}
