// SPDX-License-Identifier: Apache-2.0
#include "table/native_counts.h"

#include <stdlib.h>

#include "core/batch.h"
#include "table/join_key.h"

enum {
    KEYS_ALL = 100000, // so many missed keys are all kept,
    KEYS_A_BLOCK = 4   // then some of each block, each for its share
};

// Names.

static struct str shown_name(const struct plan *plan, struct str name)
{
    for (size_t i = 0; i < plan->n_views; i++)
        if (str_eq(plan->views[i].name, name))
            return view_shown_name(&plan->views[i]);
    return name;
}

// "trips", or "trips+calendar" of tables that are joined before the stream comes.
static struct str name_of(const struct plan *plan, const struct native_join *join,
                          struct arena *arena)
{
    struct buf text AUTO(buf_release) = {0};
    for (size_t i = 0; i < join->n_reads; i++) {
        buf_text(&text, i > 0 ? "+" : "");
        buf_str(&text, shown_name(plan, join->reads[i]));
    }
    return arena_str(arena, buf_as_str(&text));
}

static size_t place_of(struct native_counts *counts, const struct plan *plan,
                       const struct native_join *join, const struct dimension *dimension)
{
    struct str name = name_of(plan, join, &counts->arena);
    size_t at = 0;
    while (at < counts->n_joins && !str_eq(counts->joins[at].table, name))
        at++;
    struct join_counts *found = &counts->joins[at];
    if (at == counts->n_joins) {
        counts->n_joins++;
        *found = (struct join_counts){.table = name, .max_rows = -1};
    }
    int64_t most = (int64_t)dimension->stats.max_matches;
    if (most > found->max_rows) {
        found->max_rows = most;
        if (dimension->max_key != NULL)
            found->max_key = str_of(dimension->max_key);
    }
    return at;
}

void native_counts_init(struct native_counts *counts, const struct plan *plan,
                        const struct dimensions *dimensions)
{
    *counts = (struct native_counts){0};
    counts->joins = mem_array(dimensions->n + 1, sizeof(*counts->joins));
    counts->places = mem_array(dimensions->n + 1, sizeof(*counts->places));
    size_t at = 0;
    for (size_t b = 0; b < plan->native->n_branches; b++) {
        const struct native_branch *branch = &plan->native->branches[b];
        for (size_t i = 0; i < native_n_steps(branch); i++) {
            if (branch->steps->items[i].table.n_joins == 0)
                continue; // SQLite is asked
            counts->places[at] =
                place_of(counts, plan, &branch->steps->items[i].table.joins[0],
                         dimensions->items[at]);
            at++;
        }
        for (size_t i = 0; i < branch->n_joins; i++, at++)
            counts->places[at] =
                place_of(counts, plan, &branch->joins[i], dimensions->items[at]);
    }
}

void native_counts_release(struct native_counts *counts)
{
    free(counts->joins);
    free(counts->places);
    arena_release(&counts->arena);
    buf_release(&counts->key);
}

// Keys.

// A record's key for a join, for a person.
static void put_key(struct branch *branch, size_t join, size_t record, struct buf *key)
{
    const struct native_join *plan = &branch->plan->joins[join];
    const struct value *row = batch_row(branch->batch, branch->from + record);
    buf_clear(key);
    for (size_t k = 0; k < plan->n_keys; k++) {
        struct value value;
        if (branch->plan->program != NULL) {
            const struct program_part *keys =
                &branch->plan->program->parts[part_keys(join)];
            value =
                *vector_at(evaluator_vector(&branch->evaluator, keys->values[k]), record);
        } else {
            value = row[plan->stream_keys[k]];
        }
        join_key_put(key, value, k, plan->n_keys);
    }
}

static void keep_missed(struct native_counts *counts, struct branch *branch, size_t join,
                        uint64_t missed, struct join_counts *ret)
{
    int n = __builtin_popcountll(missed);
    int every = ret->missed.total < KEYS_ALL ? 1 : (n + KEYS_A_BLOCK - 1) / KEYS_A_BLOCK;
    for (int i = 0; missed != 0; i++, missed &= missed - 1) {
        if (i % every != 0)
            continue;
        int left = n - i;
        put_key(branch, join, (size_t)__builtin_ctzll(missed), &counts->key);
        sketch_add(&ret->missed, buf_as_str(&counts->key), left < every ? left : every);
    }
}

// Counting.

static int64_t count_bits(uint64_t bits)
{
    return __builtin_popcountll(bits);
}

static int64_t rows_of(const struct branch_join *join, uint64_t records)
{
    int64_t n = 0;
    for (; records != 0; records &= records - 1) {
        const struct group *group = join->groups[__builtin_ctzll(records)];
        n += tails_of(&join->dimension->groups, group)->n_rows;
    }
    return n;
}

static int64_t wide_rows(const uint32_t *rows, uint64_t records)
{
    int64_t n = 0;
    for (; records != 0; records &= records - 1)
        n += rows[__builtin_ctzll(records)];
    return n;
}

static uint64_t count_step(struct branch *branch, size_t i, struct join_counts *ret,
                           uint64_t done)
{
    const struct step_marks *marks = steps_marks(&branch->steps, i);
    uint64_t missed = marks->asked & ~marks->found & done;
    ret->n_hits += count_bits(marks->found & done);
    ret->n_misses += count_bits(missed);
    ret->n_rows += wide_rows(marks->rows, marks->found & done);
    return branch->plan->steps->items[i].kind <= STEP_LEFT ? missed & ~marks->left : 0;
}

// Whether what a join finds nothing for has a row of NULLs.
static bool gives_nulls(const struct branch_join *join)
{
    const struct group_store *groups = &join->dimension->groups;
    return join->plan->left &&
           tails_of(groups, group_at(groups, join->dimension->unmatched))->n_rows > 0;
}

// Those of the records that have rows after a join. What has none is not looked up in
// the joins behind; with a program the branch has seen to it.
static uint64_t still_asked(const struct branch_join *join, uint64_t records)
{
    uint64_t with_rows = 0;
    if (!join->dimension->has_empty)
        return join->plan->left ? records : records & join->found;
    for (; records != 0; records &= records - 1) {
        size_t record = (size_t)__builtin_ctzll(records);
        with_rows |= (uint64_t)branch_gives_rows(join, record) << record;
    }
    return with_rows;
}

static uint64_t count_join(struct native_counts *counts, struct branch *branch, size_t i,
                           struct join_counts *ret, uint64_t done, uint64_t matched)
{
    const struct branch_join *join = &branch->joins[i];
    bool has_steps = branch->plan->steps != NULL;
    uint64_t missed = join->asked & ~join->found & done;
    uint64_t gave = join->found & done & matched;
    ret->n_hits += count_bits(join->found & done);
    ret->n_misses += count_bits(missed);
    ret->n_rows += has_steps ? wide_rows(join->wide_rows, gave) : rows_of(join, gave);
    if (missed != 0 && !has_steps)
        keep_missed(counts, branch, i, missed, ret);
    return gives_nulls(join) ? 0 : missed;
}

uint64_t native_counts_block(struct native_counts *counts, struct branch *branches,
                             size_t n_branches, uint64_t done, uint64_t matched)
{
    uint64_t missed = 0;
    size_t at = 0;
    for (size_t b = 0; b < n_branches; b++) {
        struct branch *branch = &branches[b];
        uint64_t asked = done;
        for (size_t i = 0; i < native_n_steps(branch->plan); i++)
            if (branch->plan->steps->items[i].table.n_joins > 0)
                missed |=
                    count_step(branch, i, &counts->joins[counts->places[at++]], done);
        for (size_t i = 0; i < branch->n_joins; i++) {
            struct join_counts *join = &counts->joins[counts->places[at++]];
            missed |=
                count_join(counts, branch, i, join, asked, branch->matched & matched);
            if (branch->plan->program == NULL && i + 1 < branch->n_joins)
                asked = still_asked(&branch->joins[i], asked);
        }
    }
    return missed & ~matched;
}
