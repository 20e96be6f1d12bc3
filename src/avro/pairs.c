// SPDX-License-Identifier: Apache-2.0
#include "avro/resolve.h"

static size_t *slot_of(const struct avro_compiler *c, const struct avro_type *writer,
                       const struct avro_type *wants)
{
    uint64_t hash = (uint64_t)(uintptr_t)writer * 31 + (uint64_t)(uintptr_t)wants;
    hash *= UINT64_C(0x9E3779B97F4A7C15);
    return (size_t *)&c->slots[hash >> 54];
}

struct avro_resolved_pair *pair_find(const struct avro_compiler *c,
                                     const struct avro_type *writer,
                                     const struct avro_type *wants)
{
    for (size_t at = *slot_of(c, writer, wants); at != 0; at = c->pairs[at - 1].older)
        if (c->pairs[at - 1].writer == writer && c->pairs[at - 1].wants == wants)
            return &c->pairs[at - 1];
    return NULL;
}

struct avro_resolved_pair *pair_add(struct avro_compiler *c,
                                    const struct avro_type *writer,
                                    const struct avro_type *wants)
{
    size_t *slot = slot_of(c, writer, wants);
    MEM_GROW(c->pairs, c->n_pairs, c->pairs_capacity);
    struct avro_resolved_pair *pair = &c->pairs[c->n_pairs++];
    *pair = (struct avro_resolved_pair){.writer = writer, .wants = wants, .older = *slot};
    *slot = c->n_pairs;
    return pair;
}

static bool stays(const struct avro_resolved_pair *pair)
{
    return pair->what == PAIR_FAILED || pair->what == PAIR_ENUM;
}

void pairs_cut(struct avro_compiler *c, size_t n)
{
    size_t end = c->n_pairs;
    for (size_t i = end; i-- > n;) // the newest of its slot
        *slot_of(c, c->pairs[i].writer, c->pairs[i].wants) = c->pairs[i].older;
    c->n_pairs = n;
    for (size_t i = n; i < end; i++) {
        struct avro_resolved_pair pair = c->pairs[i];
        if (!stays(&pair))
            continue;
        struct avro_resolved_pair *kept = pair_add(c, pair.writer, pair.wants);
        kept->what = pair.what;
        kept->arg = pair.arg;
    }
}
