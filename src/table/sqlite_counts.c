// SPDX-License-Identifier: Apache-2.0
#include "table/sqlite_counts.h"

#include <stdlib.h>

#include "table/join_key.h"

// What is known of a record and a table.
enum {
    ASKED = 1,
    FOUND = 2,
    PASSED = 4 // it has rows after the join
};

static size_t n_places(const struct plan *plan)
{
    size_t n = 0;
    for (size_t i = 0; i < plan->n_probes; i++)
        n += plan->probes[i].n_tables;
    return n;
}

static size_t place_of(struct sqlite_counts *counts, struct str table)
{
    size_t at = 0;
    while (at < counts->n_joins && !str_eq(counts->joins[at].table, table))
        at++;
    if (at == counts->n_joins)
        counts->joins[counts->n_joins++] =
            (struct join_counts){.table = table, .max_rows = -1};
    return at;
}

enum status sqlite_counts_open(const struct plan *plan, struct sqlite_host *host,
                               struct sqlite_counts *ret, struct err *err)
{
    size_t n = n_places(plan), at = 0;
    *ret = (struct sqlite_counts){.plan = plan};
    ret->joins = mem_array(n + 1, sizeof(*ret->joins));
    ret->places = mem_array(n + 1, sizeof(*ret->places));
    ret->queries = mem_array(plan->n_probes + 1, sizeof(*ret->queries));
    ret->results = mem_array(plan->n_probes + 1, sizeof(*ret->results));
    for (size_t i = 0; i < plan->n_probes; i++) {
        const struct probe *probe = &plan->probes[i];
        for (size_t t = 0; t < probe->n_tables; t++)
            ret->places[at++] = place_of(ret, probe->tables[t].name);
        batch_init(&ret->results[i], probe->schema.n);
        TRY(sqlite_host_query(host, probe->sql, &probe->schema, &ret->queries[i], err));
    }
    return ST_OK;
}

void sqlite_counts_close(struct sqlite_counts *counts)
{
    for (size_t i = 0; counts->queries != NULL && i < counts->plan->n_probes; i++) {
        if (counts->queries[i] != NULL)
            counts->queries[i]->ops->close(counts->queries[i]);
        batch_release(&counts->results[i]);
    }
    free(counts->queries);
    free(counts->results);
    free(counts->joins);
    free(counts->places);
    free(counts->marks);
    free(counts->rows);
    buf_release(&counts->key);
    *counts = (struct sqlite_counts){0};
}

static void clear_marks(struct sqlite_counts *counts, size_t n)
{
    size_t n_marks = n * n_places(counts->plan);
    if (n_marks > counts->capacity) {
        counts->marks = mem_resize(counts->marks, n_marks, sizeof(*counts->marks));
        counts->rows = mem_resize(counts->rows, n_marks, sizeof(*counts->rows));
        counts->capacity = n_marks;
    }
    if (n_marks == 0)
        return;
    memset(counts->marks, 0, n_marks * sizeof(*counts->marks));
    memset(counts->rows, 0, n_marks * sizeof(*counts->rows));
}

static void keep_missed(struct sqlite_counts *counts, struct join_counts *join,
                        const struct probe_table *table, const struct value *row)
{
    if (table->n_keys == 0)
        return;
    buf_clear(&counts->key);
    for (size_t k = 0; k < table->n_keys; k++)
        join_key_put(&counts->key, row[table->column + 2 + k], k, table->n_keys);
    sketch_add(&join->missed, buf_as_str(&counts->key), 1);
}

// Whether the record passes all joins. What has no rows after a join, since it finds
// nothing or WHERE leaves nothing, is not asked of those behind.
static bool mark_row(struct sqlite_counts *counts, const struct probe *probe,
                     size_t first_place, const struct value *row, size_t record, size_t n)
{
    for (size_t t = 0; t < probe->n_tables; t++) {
        const struct probe_table *table = &probe->tables[t];
        size_t at = (first_place + t) * n + record;
        bool is_found = row[table->column].i > 0;
        if (!is_found && counts->marks[at] == 0)
            keep_missed(counts, &counts->joins[counts->places[first_place + t]], table,
                        row);
        counts->marks[at] |= (uint8_t)(ASKED | (is_found ? FOUND : 0));
        if (row[table->column + 1].i == 0)
            return false;
        counts->marks[at] |= PASSED;
    }
    return true;
}

static void take_row(struct sqlite_counts *counts, const struct probe *probe,
                     size_t first_place, const struct value *row, size_t record, size_t n)
{
    bool passes = mark_row(counts, probe, first_place, row, record, n);
    for (size_t t = 0; passes && t < probe->n_tables; t++) {
        int64_t *rows = &counts->rows[(first_place + t) * n + record];
        size_t column = probe->tables[t].column;
        int64_t found = row[column].i > 0 ? row[column + 1].i : 0;
        *rows = found > *rows ? found : *rows;
    }
}

// What a failure leaves out is not counted.
static void run_probe(struct sqlite_counts *counts, size_t i, size_t first_place,
                      size_t first, size_t n)
{
    const struct probe *probe = &counts->plan->probes[i];
    struct rows *query = counts->queries[i];
    struct batch *results = &counts->results[i];
    struct err ignored;
    sqlite_host_rewind(query);
    while (query->ops->next(query, results, &ignored) == ST_OK && results->n_rows > 0)
        for (size_t r = 0; r < results->n_rows; r++) {
            const struct value *row = batch_row(results, r);
            take_row(counts, probe, first_place, row, (size_t)row[0].i - first, n);
        }
}

static void count_table(struct sqlite_counts *counts, size_t place, size_t n,
                        const bool *has_rows, bool *missed)
{
    struct join_counts *join = &counts->joins[counts->places[place]];
    for (size_t i = 0; i < n; i++) {
        uint8_t mark = counts->marks[place * n + i];
        bool is_missed = (mark & (ASKED | FOUND)) == ASKED;
        join->n_hits += (mark & FOUND) != 0;
        join->n_misses += is_missed;
        join->n_rows += has_rows[i] ? counts->rows[place * n + i] : 0;
        missed[i] |= mark == ASKED && !has_rows[i];
    }
}

void sqlite_counts_take(struct sqlite_counts *counts, size_t first, size_t n,
                        const bool *has_rows, size_t *ret_unmatched)
{
    const struct plan *plan = counts->plan;
    AUTO(mem_auto_free) bool *missed = mem_array(n + 1, sizeof(*missed));
    size_t place = 0;
    clear_marks(counts, n);
    for (size_t i = 0; i < plan->n_probes; i++) {
        run_probe(counts, i, place, first, n);
        place += plan->probes[i].n_tables;
    }
    for (size_t i = 0; i < place; i++)
        count_table(counts, i, n, has_rows, missed);
    *ret_unmatched = 0;
    for (size_t i = 0; i < n; i++)
        *ret_unmatched += missed[i];
}
