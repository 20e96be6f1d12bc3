// SPDX-License-Identifier: Apache-2.0
// How it is built: rows of one key that come one after another make a piece, stored as a
// group. Mostly a key has one piece and that is its group. Keys that come again have a
// chain of pieces; then, at the end, all keys' groups are put together in a second store.
//
// With a program for the tables' side what is read goes through it block by block. A row
// whose values cannot be computed makes its key's group flawed: what matches it is
// rejected. A key whose rows are all filtered out stays, without rows: what matches it
// has found something, and is not what no row was found for.
#include "table/dimension_builder.h"

#include <stdlib.h>

#include "base/text.h"
#include "table/output_check.h"

void builder_release(struct builder *builder)
{
    segments_release(&builder->segments);
    evaluator_release(&builder->evaluator);
    free(builder->row);
    free(builder->key_columns);
    dimension_free(builder->dimension);
    buf_release(&builder->key);
    buf_release(&builder->next_key);
    group_draft_release(&builder->draft);
    free(builder->pieces);
    free(builder->chains);
}

void builder_init(struct builder *builder, const struct native_branch *branch, size_t at,
                  struct row_format *row_format, const struct dimension_options *options)
{
    const struct native_join *join = &branch->joins[at];
    *builder = (struct builder){.join = join,
                                .side = SIDE_DIMENSION + at,
                                .options = options,
                                .row_format = row_format};
    segments_init(&builder->segments, branch);
    builder->key_columns = mem_array(join->n_keys, sizeof(size_t));
    for (size_t i = 0; i < join->n_keys; i++)
        builder->key_columns[i] = i;
    builder->row = mem_array(join->schema.n, sizeof(struct value));
    if (join->program != NULL)
        evaluator_init(&builder->evaluator, join->program);
    struct dimension *dimension = mem_zalloc(sizeof(*dimension));
    key_index_init(&dimension->keys);
    group_store_init(&dimension->groups);
    blob_store_init(&dimension->flaws);
    dimension->version =
        mem_strndup(options->version.p ? options->version.p : "", options->version.n);
    builder->dimension = dimension;
}

enum status builder_check_memory(struct builder *builder, size_t more_bytes,
                                 struct err *err)
{
    struct dimension_stats *stats = &builder->dimension->stats;
    size_t limit = builder->options->limit_bytes;
    size_t bytes = key_index_bytes(&builder->dimension->keys) +
                   group_store_bytes(&builder->dimension->groups) +
                   blob_store_bytes(&builder->dimension->flaws) +
                   builder->n_pieces * sizeof(struct piece) +
                   builder->n_chains * sizeof(struct chain) + builder->draft.bytes.n +
                   builder->draft.lengths.n + more_bytes;
    if (bytes > stats->peak_bytes)
        stats->peak_bytes = bytes;
    if (builder->options->store != NULL)
        bytes += table_store_bytes(builder->options->store);
    if (limit == 0 || bytes <= limit)
        return ST_OK;
    return err_set(err, ST_LIMIT,
                   "the joined tables take more than %zu bytes of memory after %s; "
                   "raise SET dimension.memory, or join fewer rows",
                   limit, text_counted((int64_t)stats->n_rows, "row", "rows"));
}

static void note_flaw(struct builder *builder, struct str why)
{
    group_draft_flaw(&builder->draft, blob_store_add(&builder->dimension->flaws, why));
}

static void check_values(struct builder *builder, const struct segment *segment,
                         const struct value *row)
{
    for (size_t i = 0; i < segment->n; i++) {
        const struct column *column =
            &builder->row_format->schema->columns[segment->first + i];
        enum output_fault fault = output_check(column, row[segment->outputs[i].column]);
        if (fault == OUTPUT_FITS)
            continue;
        struct buf why = {0};
        output_why(column, fault, &why);
        note_flaw(builder, buf_as_str(&why));
        buf_release(&why);
    }
}

static void draft_segment(struct builder *builder, const struct segment *segment,
                          const struct value *row)
{
    struct group_draft *draft = &builder->draft;
    struct row_format *row_format = builder->row_format;
    size_t before = draft->bytes.n;
    check_values(builder, segment, row);
    segment_encode(&builder->segments, segment, row_format, row, &draft->bytes);
    uint32_t length = (uint32_t)(draft->bytes.n - before);
    buf_append(&draft->lengths, &length, sizeof(length));
    if (row_format->refused.n == 0)
        return;
    note_flaw(builder, row_format->refused);
    row_format->refused = (struct str){0};
}

// Adds an encoded row to the draft.
static void draft_row(struct builder *builder, const struct value *row)
{
    for (size_t i = 0; i < builder->segments.n; i++)
        if (builder->segments.items[i].side == builder->side)
            draft_segment(builder, &builder->segments.items[i], row);
    builder->draft.n_rows++;
}

static enum status too_big(const char *where, struct err *err)
{
    return err_set(
        err, ST_LIMIT,
        "the joined tables have more rows than fit at %s: 1 GiB encoded for a key, "
        "32 GiB for all; join fewer rows",
        where);
}

static enum status too_big_at(struct builder *builder, struct str key, struct err *err)
{
    AUTO(buf_release) struct buf where = {0};
    key_describe(builder->join->schema.columns, builder->join->n_keys, key, &where);
    return too_big(buf_cstr(&where), err);
}

static void chain_piece(struct builder *builder, struct key_slot *slot, uint32_t group)
{
    MEM_GROW(builder->pieces, builder->n_pieces, builder->pieces_capacity);
    uint32_t piece = (uint32_t)builder->n_pieces++;
    builder->pieces[piece] = (struct piece){.group = group};
    if (slot->value == 0) {
        MEM_GROW(builder->chains, builder->n_chains, builder->chains_capacity);
        builder->chains[builder->n_chains++] = (struct chain){piece, piece};
        slot->value = (uint32_t)builder->n_chains;
        return;
    }
    struct chain *chain = &builder->chains[slot->value - 1];
    builder->pieces[chain->last].next = piece + 1;
    chain->last = piece;
}

enum status builder_add_piece(struct builder *builder, struct str key, uint32_t group,
                              struct err *err)
{
    struct key_slot *slot =
        key_index_add(&builder->dimension->keys, hash64(key.p, key.n), key);
    if (slot == NULL || group == 0 || builder->n_pieces >= UINT32_MAX - 1)
        return too_big_at(builder, key, err);
    chain_piece(builder, slot, group);
    return ST_OK;
}

enum status builder_close_draft(struct builder *builder, struct err *err)
{
    if (!builder->draft_is_open)
        return ST_OK;
    builder->draft_is_open = false;
    uint32_t group = group_store_add(&builder->dimension->groups, &builder->draft);
    TRY(builder_add_piece(builder, buf_as_str(&builder->key), group, err));
    group_draft_clear(&builder->draft);
    return builder_check_memory(builder, 0, err);
}

bool builder_read_key(struct builder *builder, const struct value *row)
{
    buf_clear(&builder->next_key);
    if (builder->join->n_keys > 1)
        return key_of_columns(row, builder->key_columns, builder->join->n_keys,
                              &builder->next_key);
    struct value value = row[0];
    struct str key = key_of_value(&value);
    buf_str(&builder->next_key, key);
    return key.p != NULL;
}

bool builder_is_drafted(struct builder *builder)
{
    return builder->draft_is_open &&
           str_eq(buf_as_str(&builder->key), buf_as_str(&builder->next_key));
}

enum status builder_draft_key(struct builder *builder, struct err *err)
{
    if (builder_is_drafted(builder))
        return ST_OK;
    TRY(builder_close_draft(builder, err));
    struct buf key = builder->key;
    builder->key = builder->next_key;
    builder->next_key = key;
    builder->draft_is_open = true;
    return ST_OK;
}

// Makes the row's key that of the draft. *ret_has_key: it is not NULL.
static enum status begin_row(struct builder *builder, const struct value *row,
                             bool *ret_has_key, struct err *err)
{
    *ret_has_key = builder_read_key(builder, row);
    builder->dimension->stats.n_null_keys += !*ret_has_key;
    return *ret_has_key ? builder_draft_key(builder, err) : ST_OK;
}

static void count_row(struct builder *builder, const struct value *row)
{
    struct dimension_stats *stats = &builder->dimension->stats;
    size_t before = builder->draft.bytes.n;
    draft_row(builder, row);
    stats->row_bytes += builder->draft.bytes.n - before;
    stats->n_rows++;
}

static enum status add_row(struct builder *builder, const struct value *row,
                           struct err *err)
{
    bool has_key;
    TRY(begin_row(builder, row, &has_key, err));
    if (has_key)
        count_row(builder, row);
    return ST_OK;
}

void builder_tell_progress(struct builder *builder)
{
    struct dimension_progress *progress = builder->options->progress;
    if (progress != NULL)
        progress->rows(progress, builder->dimension->stats.n_rows);
}

// With a program.

static void take_values(struct builder *builder, size_t row, unsigned part,
                        struct value *ret)
{
    const struct program_part *values = &builder->join->program->parts[part];
    for (size_t i = 0; i < values->n_values; i++)
        ret[i] =
            *vector_at(evaluator_vector(&builder->evaluator, values->values[i]), row);
}

static void note_failure(struct builder *builder, struct str why)
{
    AUTO(buf_release) struct buf text = {0};
    buf_printf(&text, "the query fails: %.*s", STR_ARGS(why));
    note_flaw(builder, buf_as_str(&text));
}

// A row that matches its key; `stays`: it is not filtered out.
static enum status add_computed(struct builder *builder, size_t row, bool stays,
                                struct err *err)
{
    struct value *values = builder->row;
    struct str error = builder->evaluator.errors[row];
    size_t n_keys = builder->join->n_keys;
    bool has_key;
    memset(values, 0, builder->join->schema.n * sizeof(*values));
    take_values(builder, row, part_keys(0), values);
    TRY(begin_row(builder, values, &has_key, err));
    if (!has_key)
        return ST_OK;
    if (error.p != NULL)
        note_failure(builder, error);
    else if (stays)
        take_values(builder, row, PART_OUTPUTS, values + n_keys);
    if (stays || error.p != NULL)
        count_row(builder, values);
    return ST_OK;
}

// Runs a block of read rows; `matching` are those that match their keys, `staying` those
// of them that are not filtered out.
static void compute_block(struct builder *builder, const struct value *rows,
                          size_t n_columns, struct selection *matching,
                          struct selection *staying)
{
    struct evaluator *evaluator = &builder->evaluator;
    struct selection all = *matching;
    evaluator_begin(evaluator, rows, n_columns, 0);
    evaluator_select(evaluator, part_match(0), matching);
    evaluator_run(evaluator, part_keys(0), &all); // of those that fail, too
    *staying = *matching;
    evaluator_select(evaluator, PART_FILTER, staying);
    evaluator_run(evaluator, PART_OUTPUTS, staying);
}

static bool has_row(const struct selection *selection, size_t *at, size_t row)
{
    bool has = *at < selection->n && selection->rows[*at] == row;
    *at += has;
    return has;
}

static enum status add_block(struct builder *builder, const struct value *rows,
                             size_t n_columns, size_t n, struct err *err)
{
    struct selection matching, staying;
    size_t at_matching = 0, at_staying = 0;
    selection_all(&matching, n);
    compute_block(builder, rows, n_columns, &matching, &staying);
    for (size_t i = 0; i < n; i++) {
        bool matches = has_row(&matching, &at_matching, i);
        bool stays = has_row(&staying, &at_staying, i);
        bool fails = builder->evaluator.errors[i].p != NULL;
        if (stays || fails ||
            (matches && (builder->join->left || builder->options->counts)))
            TRY(add_computed(builder, i, stays, err));
    }
    return ST_OK;
}

static enum status add_computed_batch(struct builder *builder, const struct batch *batch,
                                      struct err *err)
{
    for (size_t i = 0; i < batch->n_rows; i += BLOCK_ROWS) {
        size_t left = batch->n_rows - i;
        TRY(add_block(builder, batch_row(batch, i), batch->n_columns,
                      left < BLOCK_ROWS ? left : BLOCK_ROWS, err));
    }
    return ST_OK;
}

static enum status add_plain_batch(struct builder *builder, const struct batch *batch,
                                   struct err *err)
{
    for (size_t i = 0; i < batch->n_rows; i++)
        TRY(add_row(builder, batch_row(batch, i), err));
    return ST_OK;
}

static enum status add_batch(struct builder *builder, const struct batch *batch,
                             struct err *err)
{
    size_t before = builder->dimension->stats.n_rows / PROGRESS_ROWS;
    if (builder->join->program != NULL)
        TRY(add_computed_batch(builder, batch, err));
    else
        TRY(add_plain_batch(builder, batch, err));
    if (builder->dimension->stats.n_rows / PROGRESS_ROWS > before)
        builder_tell_progress(builder);
    return builder_check_memory(builder, 0, err);
}

static enum status add_all(struct builder *builder, struct rows *rows, struct err *err)
{
    struct batch batch;
    batch_init(&batch, builder->join->read_schema.n);
    enum status rc;
    do {
        rc = rows->ops->next(rows, &batch, err);
        if (rc == ST_OK)
            rc = add_batch(builder, &batch, err);
    } while (rc == ST_OK && batch.n_rows > 0);
    batch_release(&batch);
    return rc;
}

// Puts the pieces of each key together, in a new store without those that were merged.
static enum status merge_chains(struct builder *builder, struct group_store *merged,
                                struct err *err)
{
    const struct group_store *groups = &builder->dimension->groups;
    for (size_t i = 0; i < builder->n_chains; i++) {
        group_draft_clear(&builder->draft);
        uint32_t next = builder->chains[i].first + 1;
        for (; next != 0; next = builder->pieces[next - 1].next)
            group_store_get(groups, builder->pieces[next - 1].group, &builder->draft);
        uint32_t group = group_store_add(merged, &builder->draft);
        if (group == 0)
            return too_big("a key", err);
        builder->chains[i].first = group;
        TRY(builder_check_memory(builder, group_store_bytes(merged), err));
    }
    return ST_OK;
}

static enum status place_groups(struct builder *builder, struct err *err)
{
    if (builder->n_pieces == builder->n_chains) {
        for (size_t i = 0; i < builder->n_chains; i++)
            builder->chains[i].first = builder->pieces[builder->chains[i].first].group;
        return ST_OK;
    }
    struct group_store merged;
    group_store_init(&merged);
    enum status rc = merge_chains(builder, &merged, err);
    if (rc != ST_OK) {
        group_store_release(&merged);
        return rc;
    }
    group_store_release(&builder->dimension->groups);
    builder->dimension->groups = merged;
    return ST_OK;
}

// What the tables' side gives for a row of NULLs. False: nothing.
static bool compute_unmatched(struct builder *builder)
{
    struct evaluator *evaluator = &builder->evaluator;
    size_t n = builder->join->read_schema.n;
    struct value *nulls = mem_array(n + 1, sizeof(struct value));
    struct selection row;
    selection_all(&row, 1);
    evaluator_begin(evaluator, nulls, n, 0);
    evaluator_select(evaluator, PART_FILTER, &row);
    evaluator_run(evaluator, PART_OUTPUTS, &row);
    bool fails = evaluator->errors[0].p != NULL;
    if (fails)
        note_failure(builder, evaluator->errors[0]);
    else if (row.n > 0)
        take_values(builder, 0, PART_OUTPUTS, builder->row + builder->join->n_keys);
    free(nulls);
    return fails || row.n > 0;
}

static enum status add_unmatched(struct builder *builder, struct err *err)
{
    group_draft_clear(&builder->draft);
    memset(builder->row, 0, builder->join->schema.n * sizeof(struct value));
    if (builder->join->program == NULL || compute_unmatched(builder))
        draft_row(builder, builder->row);
    else
        builder->dimension->has_empty = true;
    uint32_t group = group_store_add(&builder->dimension->groups, &builder->draft);
    builder->dimension->unmatched = group;
    return group != 0 ? ST_OK : too_big("a key", err);
}

// From here on a key's value in the index is its group.
static void finish_index(struct builder *builder)
{
    struct dimension *dimension = builder->dimension;
    struct str max_key = {0};
    for (size_t i = 0; i <= dimension->keys.mask; i++) {
        struct key_slot *slot = &dimension->keys.slots[i];
        if (slot->value == 0)
            continue;
        slot->value = builder->chains[slot->value - 1].first;
        const struct group *group = group_at(&dimension->groups, slot->value);
        size_t n_rows = tails_of(&dimension->groups, group)->n_rows;
        struct str key = key_index_key(&dimension->keys, slot);
        dimension->stats.n_keys += n_rows > 0;
        dimension->has_empty |= n_rows == 0;
        size_t most = dimension->stats.max_matches;
        // The first of equal ones by bytes: places of slots differ between processes.
        if (n_rows > most || (n_rows == most && str_compare(key, max_key) < 0)) {
            dimension->stats.max_matches = n_rows;
            max_key = key;
        }
    }
    struct buf text = {0};
    if (max_key.p != NULL)
        key_describe(builder->join->schema.columns, builder->join->n_keys, max_key,
                     &text);
    dimension->max_key = buf_detach(&text);
}

static void finish_stats(struct dimension *dimension)
{
    struct dimension_stats *stats = &dimension->stats;
    group_store_finish(&dimension->groups);
    blob_store_finish(&dimension->flaws);
    stats->n_groups = dimension->groups.groups.n_blobs;
    stats->n_tails = dimension->groups.tails.n_blobs;
    stats->group_bytes = group_store_bytes(&dimension->groups);
    stats->memory_bytes = stats->group_bytes + key_index_bytes(&dimension->keys) +
                          blob_store_bytes(&dimension->flaws);
}

enum status builder_finish(struct builder *builder, struct dimension **ret,
                           struct err *err)
{
    TRY(builder_close_draft(builder, err));
    builder_tell_progress(builder);
    TRY(place_groups(builder, err));
    if (builder->join->left)
        TRY(add_unmatched(builder, err));
    finish_index(builder);
    finish_stats(builder->dimension);
    *ret = builder->dimension;
    builder->dimension = NULL;
    return ST_OK;
}

enum status dimension_build(const struct native_branch *branch, size_t join,
                            struct rows *rows, struct row_format *row_format,
                            const struct dimension_options *options,
                            struct dimension **ret, struct err *err)
{
    struct builder builder;
    builder_init(&builder, branch, join, row_format, options);
    enum status rc = add_all(&builder, rows, err);
    if (rc == ST_OK)
        rc = builder_finish(&builder, ret, err);
    builder_release(&builder);
    return rc;
}

void dimension_free(struct dimension *dimension)
{
    if (dimension == NULL)
        return;
    key_index_release(&dimension->keys);
    group_store_release(&dimension->groups);
    blob_store_release(&dimension->flaws);
    free(dimension->max_key);
    free(dimension->version);
    free(dimension);
}

double dimension_fan_out(const struct dimension *dimension)
{
    const struct dimension_stats *stats = &dimension->stats;
    return stats->n_keys ? (double)stats->n_rows / (double)stats->n_keys : 0;
}
