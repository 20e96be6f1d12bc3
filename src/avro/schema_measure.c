// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "avro/schema_parse.h"

// Not known; at the end: endless.
#define ENDLESS UINT32_MAX

// Types become known in the order of their bytes, so that each is looked at once (Knuth's
// generalization of Dijkstra's algorithm): a record when its last field is, a union with
// its first branch.
struct measurer {
    struct avro_schema *schema;
    uint32_t *users; // types that use a type, by type: from starts[i] to starts[i + 1]
    size_t *starts;
    size_t *n_unknown; // of a record's fields
    uint32_t *heap;    // types, the smallest on top
    size_t n_heap;
};

static uint32_t add(uint32_t a, uint32_t b)
{
    return a + b > INT32_MAX ? INT32_MAX : a + b;
}

static size_t n_parts(const struct avro_type *type)
{
    return type->kind == AVRO_RECORD || type->kind == AVRO_UNION ? type->n : 0;
}

static const struct avro_type *part_of(const struct avro_type *type, size_t i)
{
    return type->kind == AVRO_RECORD ? type->fields[i].type : type->branches[i];
}

// The heap.

static uint32_t bytes_at(const struct measurer *m, size_t at)
{
    return m->schema->types[m->heap[at]]->min_bytes;
}

static void swap(struct measurer *m, size_t a, size_t b)
{
    uint32_t kept = m->heap[a];
    m->heap[a] = m->heap[b];
    m->heap[b] = kept;
}

static void push(struct measurer *m, struct avro_type *type, uint32_t min_bytes)
{
    size_t at = m->n_heap++;
    type->min_bytes = min_bytes;
    m->heap[at] = type->index;
    for (; at > 0 && bytes_at(m, (at - 1) / 2) > bytes_at(m, at); at = (at - 1) / 2)
        swap(m, at, (at - 1) / 2);
}

static struct avro_type *pop(struct measurer *m)
{
    struct avro_type *top = m->schema->types[m->heap[0]];
    m->heap[0] = m->heap[--m->n_heap];
    size_t at = 0;
    for (;;) {
        size_t least = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2; child++)
            if (child < m->n_heap && bytes_at(m, child) < bytes_at(m, least))
                least = child;
        if (least == at)
            return top;
        swap(m, at, least);
        at = least;
    }
}

// The walk.

static void push_leaf(struct measurer *m, struct avro_type *type)
{
    type->min_bytes = ENDLESS;
    switch (type->kind) {
    case AVRO_NULL:
        push(m, type, 0);
        break;
    case AVRO_FLOAT:
        push(m, type, 4);
        break;
    case AVRO_DOUBLE:
        push(m, type, 8);
        break;
    case AVRO_FIXED:
        push(m, type, type->size);
        break;
    case AVRO_RECORD:
        if (type->n == 0)
            push(m, type, 0);
        break;
    case AVRO_UNION:
        break;
    default:
        push(m, type, 1);
    }
}

static void note_user(struct measurer *m, uint32_t index, uint32_t min_bytes)
{
    struct avro_type *user = m->schema->types[index];
    if (user->kind == AVRO_UNION) {
        if (user->min_bytes == ENDLESS)
            push(m, user, add(1, min_bytes));
    } else if (--m->n_unknown[index] == 0) {
        uint32_t sum = 0;
        for (size_t i = 0; i < user->n; i++)
            sum = add(sum, user->fields[i].type->min_bytes);
        push(m, user, sum);
    }
}

static void find_users(struct measurer *m)
{
    const struct avro_schema *schema = m->schema;
    for (size_t i = 0; i < schema->n_types; i++)
        for (size_t p = 0; p < n_parts(schema->types[i]); p++)
            m->starts[part_of(schema->types[i], p)->index + 1]++;
    for (size_t i = 0; i < schema->n_types; i++)
        m->starts[i + 1] += m->starts[i];
    m->users = mem_array(m->starts[schema->n_types], sizeof(*m->users));
    size_t *next = mem_array(schema->n_types, sizeof(*next));
    for (size_t i = 0; i < schema->n_types; i++) {
        const struct avro_type *type = schema->types[i];
        m->n_unknown[i] = n_parts(type);
        for (size_t p = 0; p < n_parts(type); p++) {
            uint32_t part = part_of(type, p)->index;
            m->users[m->starts[part] + next[part]++] = type->index;
        }
    }
    free(next);
}

static void measure_all(struct measurer *m)
{
    find_users(m);
    for (size_t i = 0; i < m->schema->n_types; i++)
        push_leaf(m, m->schema->types[i]);
    while (m->n_heap > 0) {
        const struct avro_type *type = pop(m);
        for (size_t i = m->starts[type->index]; i < m->starts[type->index + 1]; i++)
            note_user(m, m->users[i], type->min_bytes);
    }
}

enum status avro_measure(struct avro_schema *schema, struct err *err)
{
    struct measurer m = {
        .schema = schema,
        .starts = mem_array(schema->n_types + 1, sizeof(*m.starts)),
        .n_unknown = mem_array(schema->n_types, sizeof(*m.n_unknown)),
        .heap = mem_array(schema->n_types, sizeof(*m.heap)),
    };
    measure_all(&m);
    free(m.users);
    free(m.starts);
    free(m.n_unknown);
    free(m.heap);
    for (size_t i = 0; i < schema->n_types; i++) {
        const struct avro_type *type = schema->types[i];
        if (type->kind == AVRO_RECORD && type->min_bytes == ENDLESS)
            return err_set(err, ST_DATA,
                           "record '%.*s' holds itself: no datum of it ever ends; "
                           "a union with null would end it",
                           STR_ARGS(type->name));
    }
    return ST_OK;
}
