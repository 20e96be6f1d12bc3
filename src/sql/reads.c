// SPDX-License-Identifier: Apache-2.0
#include "sql/reads.h"

#include <stdlib.h>

#include "base/mem.h"
#include "sql/catalog.h"
#include "sql/walk.h"

struct reads {
    struct str *names; // malloc
    size_t n, capacity;
};

static void add(struct reads *reads, struct str name)
{
    for (size_t i = 0; i < reads->n; i++)
        if (str_eq(reads->names[i], name))
            return;
    MEM_GROW(reads->names, reads->n, reads->capacity);
    reads->names[reads->n++] = name;
}

static void read_query(struct reads *reads, struct query *query);

static void read_leaf(struct from *leaf, void *arg)
{
    struct reads *reads = arg;
    const struct relation *relation = leaf->cte ? leaf->cte->hoisted : leaf->relation;
    if (relation != NULL && (relation->query == NULL || !relation->reads_stream))
        add(reads, relation->name);
    else if (relation != NULL)
        read_query(reads, relation->query);
    else if (leaf->cte != NULL)
        read_query(reads, leaf->cte->query);
    else if (leaf->query != NULL)
        read_query(reads, leaf->query);
}

static void read_expr(struct expr *expr, void *arg)
{
    if (expr->query != NULL)
        read_query(arg, expr->query);
    expr_each(expr, read_expr, arg);
}

static void read_query(struct reads *reads, struct query *query)
{
    if (query->set_op != SET_NONE) {
        read_query(reads, query->left);
        read_query(reads, query->right);
        return;
    }
    from_each_leaf(query->from, read_leaf, reads);
    query_each_expr(query, read_expr, reads);
}

const struct str *query_reads(struct arena *arena, struct query *query, size_t *ret_n)
{
    struct reads reads = {0};
    read_query(&reads, query);
    struct str *names = arena_array(arena, reads.n + 1, sizeof(*names));
    if (reads.n > 0)
        memcpy(names, reads.names, reads.n * sizeof(*names));
    free(reads.names);
    *ret_n = reads.n;
    return names;
}

const struct str *from_reads(struct arena *arena, const struct from *from,
                             const struct expr *where, size_t *ret_n)
{
    // Reads only.
    struct query query = {.from = (struct from *)(uintptr_t)from,
                          .where = (struct expr *)(uintptr_t)where};
    return query_reads(arena, &query, ret_n);
}
