// SPDX-License-Identifier: Apache-2.0
// Finds what a block's records are joined with, in stages, so that the memory of many
// look-ups is on its way at the same time: per record 153 ns instead of 511 in random
// order, nothing where the memory is near anyway (as in branch.c). A key that is that of
// the record before takes its group without hash and look-up: stop_times come trip by
// trip.
//
// With a program a block goes through its filter, is looked up join by join, and only the
// records that have rows go through the outputs.
#include "table/branch.h"

// Probes get their bytes only when all are written: until then they may move.
static void place_wide_keys(struct branch *branch, size_t n)
{
    const char *p = branch->keys.p;
    for (size_t i = 0; i < n; i++) {
        struct str *key = &branch->probes[i].key;
        key->p = key->n ? p : NULL;
        p += key->n;
    }
}

static void add_wide_key(struct branch *branch, size_t i, const struct value *row,
                         const size_t *columns, size_t n_keys)
{
    struct buf *keys = &branch->keys;
    size_t before = keys->n;
    if (!key_of_columns(row, columns, n_keys, keys))
        keys->n = before;
    branch->probes[i].key.n = keys->n - before;
}

static void read_wide_keys(struct branch *branch, const struct native_join *join,
                           size_t n)
{
    buf_clear(&branch->keys);
    for (size_t i = 0; i < n; i++)
        add_wide_key(branch, i, batch_row(branch->batch, branch->from + i),
                     join->stream_keys, join->n_keys);
    place_wide_keys(branch, n);
}

static void compute_keys(struct branch *branch, const struct program_part *keys,
                         const struct selection *matching)
{
    struct vector key = evaluator_vector(&branch->evaluator, keys->values[0]);
    for (size_t i = 0; i < matching->n; i++) {
        struct probe *probe = &branch->probes[i];
        probe->value = *vector_at(key, matching->rows[i]);
        probe->key = key_of_value(&probe->value);
    }
}

static void compute_wide_keys(struct branch *branch, const struct program_part *keys,
                              const struct selection *matching)
{
    buf_clear(&branch->keys);
    for (size_t i = 0; i < matching->n; i++) {
        for (size_t k = 0; k < keys->n_values; k++)
            branch->key_row[k] = *vector_at(
                evaluator_vector(&branch->evaluator, keys->values[k]), matching->rows[i]);
        add_wide_key(branch, i, branch->key_row, branch->key_places, keys->n_values);
    }
    place_wide_keys(branch, matching->n);
}

// The rows of a record without a match; NULL: none.
static const struct group *unmatched_of(const struct branch_join *join)
{
    const struct dimension *dimension = join->dimension;
    return join->plan->left ? group_at(&dimension->groups, dimension->unmatched) : NULL;
}

// The bit of the record that a row of the block stands for.
static uint64_t record_bit(const struct branch *branch, size_t row)
{
    return UINT64_C(1) << (branch->wide != NULL ? branch->wide->records[row] : row);
}

static void note_asked(struct branch *branch, struct branch_join *join)
{
    const struct selection *asked = &branch->selection;
    for (size_t i = 0; i < asked->n; i++)
        join->asked |= record_bit(branch, asked->rows[i]);
}

static void note_wide_rows(struct branch *branch, struct branch_join *join, size_t row)
{
    const struct group *group = join->groups[row];
    join->wide_rows[branch->wide->records[row]] +=
        tails_of(&join->dimension->groups, group)->n_rows;
}

static bool is_same_key(const struct probe *probe, const struct probe *before)
{
    return probe->key.n > 0 && word_str_eq(probe->key, before->key);
}

static void hash_keys(struct branch *branch, const struct dimension *dimension, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct probe *probe = &branch->probes[i];
        probe->is_same = i > 0 && is_same_key(probe, probe - 1);
        if (probe->is_same)
            continue;
        probe->hash = hash64(probe->key.p, probe->key.n);
        key_index_prefetch(&dimension->keys, probe->hash);
    }
}

static uint32_t find_key(const struct dimension *dimension, const struct probe *probe)
{
    return probe->key.p == NULL
               ? 0
               : key_index_find(&dimension->keys, probe->hash, probe->key);
}

// Finds the groups of the records whose keys the probes hold, stage by stage.
static void find_groups(struct branch *branch, struct branch_join *join,
                        const struct selection *records)
{
    const struct dimension *dimension = join->dimension;
    const struct group *unmatched = unmatched_of(join);
    hash_keys(branch, dimension, records->n);
    uint32_t at = 0;
    const struct group *group = unmatched;
    for (size_t i = 0; i < records->n; i++) {
        const struct probe *probe = &branch->probes[i];
        size_t row = records->rows[i];
        if (!probe->is_same) {
            at = find_key(dimension, probe);
            group = at == 0 ? unmatched : group_at(&dimension->groups, at);
            __builtin_prefetch(group);
        }
        join->groups[row] = group;
        join->found |= at != 0 ? record_bit(branch, row) : 0;
    }
    for (size_t i = 0; i < records->n; i++) {
        group = join->groups[records->rows[i]];
        if (group != NULL && !branch->probes[i].is_same)
            __builtin_prefetch(tails_of(&dimension->groups, group));
    }
    for (size_t i = 0; branch->wide != NULL && i < records->n; i++)
        if (join->groups[records->rows[i]] != unmatched)
            note_wide_rows(branch, join, records->rows[i]);
}

// A key that is one column. Records of a block come in runs of equal keys, mostly, of
// which each is one probe: 27 instructions less for each record of stop_times than with
// a probe for each (docs/performance.md).

static bool is_same_value(const struct value *a, const struct value *b)
{
    if (a->kind != b->kind || a->kind == VALUE_NULL)
        return false;
    return a->kind == VALUE_TEXT || a->kind == VALUE_BYTES
               ? word_str_eq(value_str(*a), value_str(*b))
               : a->i == b->i;
}

// Hashes the key of each run; ret_ends: where it ends. Returns how many there are.
static size_t read_runs(struct branch *branch, const struct branch_join *join,
                        uint8_t ret_ends[BLOCK_ROWS])
{
    size_t n_columns = branch->batch->n_columns, n = 0;
    const struct value *value = batch_row(branch->batch, branch->from);
    value += join->plan->stream_keys[0];
    for (size_t i = 0; i < branch->selection.n; i++, value += n_columns) {
        if (i == 0 || !is_same_value(value, value - n_columns)) {
            struct probe *probe = &branch->probes[n++];
            probe->value = *value;
            probe->key = key_of_value(&probe->value);
            probe->hash = hash64(probe->key.p, probe->key.n);
            key_index_prefetch(&join->dimension->keys, probe->hash);
        }
        ret_ends[n - 1] = (uint8_t)(i + 1);
    }
    return n;
}

static void look_up_runs(struct branch *branch, struct branch_join *join)
{
    const struct dimension *dimension = join->dimension;
    const struct group *unmatched = unmatched_of(join), *groups[BLOCK_ROWS];
    uint8_t ends[BLOCK_ROWS];
    size_t n = read_runs(branch, join, ends), row = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t at = find_key(dimension, &branch->probes[i]);
        groups[i] = at == 0 ? unmatched : group_at(&dimension->groups, at);
        __builtin_prefetch(groups[i]);
        if (at != 0)
            join->found |= branch_bits(ends[i]) & ~branch_bits(row);
        for (; row < ends[i]; row++)
            join->groups[row] = groups[i];
    }
    for (size_t i = 0; i < n; i++)
        if (groups[i] != NULL)
            __builtin_prefetch(tails_of(&dimension->groups, groups[i]));
}

static void look_up(struct branch *branch, struct branch_join *join)
{
    join->asked = branch_bits(branch->selection.n);
    if (join->plan->n_keys == 1) {
        look_up_runs(branch, join);
        return;
    }
    read_wide_keys(branch, join->plan, branch->selection.n);
    find_groups(branch, join, &branch->selection);
}

// Leaves in the selection the records that have rows so far.
static void drop_without_rows(struct branch *branch, const struct branch_join *join)
{
    struct selection *selection = &branch->selection;
    size_t n = 0;
    for (size_t i = 0; i < selection->n; i++) {
        uint8_t row = selection->rows[i];
        selection->rows[n] = row;
        n += branch_gives_rows(join, row) && branch->evaluator.errors[row].p == NULL;
    }
    selection->n = n;
}

static void compute_look_up(struct branch *branch, size_t at)
{
    struct branch_join *join = &branch->joins[at];
    const struct program_part *keys = &branch->plan->program->parts[part_keys(at)];
    struct selection matching = branch->selection;
    const struct group *unmatched = unmatched_of(join);
    for (size_t i = 0; i < branch->selection.n; i++)
        join->groups[branch->selection.rows[i]] = unmatched;
    note_asked(branch, join);
    evaluator_select(&branch->evaluator, part_match(at), &matching);
    // Of all: what comes later may use them, too.
    evaluator_run(&branch->evaluator, part_keys(at), &branch->selection);
    if (keys->n_values == 1)
        compute_keys(branch, keys, &matching);
    else
        compute_wide_keys(branch, keys, &matching);
    find_groups(branch, join, &matching);
    drop_without_rows(branch, join);
}

// Runs the program over a block of rows; in the selection are then those that have some.
static void compute_block(struct branch *branch, const struct value *rows,
                          size_t n_columns)
{
    struct evaluator *evaluator = &branch->evaluator;
    branch->next_selected = 0;
    evaluator_begin(evaluator, rows, n_columns, branch->batch->now_ms);
    evaluator_select(evaluator, PART_FILTER, &branch->selection);
    for (size_t i = 0; i < branch->n_joins; i++)
        compute_look_up(branch, i);
    evaluator_run(evaluator, PART_OUTPUTS, &branch->selection);
}

// The records of wide rows that failed in the program.
static void take_failed(struct branch *branch, const struct selection *rows)
{
    const struct evaluator *evaluator = &branch->evaluator;
    branch->steps.is_full = branch->steps.is_full || evaluator->is_full;
    for (size_t i = 0; evaluator->has_errors && i < rows->n; i++) {
        uint8_t row = rows->rows[i];
        if (evaluator->errors[row].p != NULL)
            steps_fail(&branch->steps, branch->wide->records[row],
                       evaluator->errors[row]);
    }
}

bool branch_wide_row(struct branch *branch)
{
    while (branch->wide == NULL || branch->next_wide == branch->selection.n) {
        branch->wide = steps_next(&branch->steps);
        if (branch->wide == NULL)
            return false;
        branch->next_wide = 0;
        branch->selection = branch->wide->rows;
        compute_block(branch, branch->wide->values, branch->steps.plan->n_columns);
        take_failed(branch, &branch->wide->rows);
    }
    return true;
}

static void clear_marks(struct branch *branch)
{
    branch->matched = 0;
    for (size_t i = 0; i < branch->n_joins; i++) {
        struct branch_join *join = &branch->joins[i];
        join->asked = join->found = 0;
        if (branch->plan->steps != NULL)
            memset(join->wide_rows, 0, sizeof(join->wide_rows));
    }
}

void branch_begin(struct branch *branch, const struct batch *batch, size_t from, size_t n)
{
    branch->batch = batch;
    branch->from = from;
    clear_marks(branch);
    if (branch->plan->steps != NULL) {
        steps_begin(&branch->steps, batch, from, n);
        branch->wide = NULL;
        return;
    }
    selection_all(&branch->selection, n);
    if (branch->plan->program != NULL) {
        compute_block(branch, batch_row(batch, from), batch->n_columns);
        return;
    }
    for (size_t i = 0; i < branch->n_joins; i++)
        look_up(branch, &branch->joins[i]);
}
