// SPDX-License-Identifier: Apache-2.0
// What the tricks bring, per record (bench/README.md; 177,000 keys, records in random
// order / in the order of trips, as stop_times come; AMD EPYC of 2.6 GHz):
//   lookups in blocks of 64: 153 ns instead of 511 / nothing, the memory is near anyway
//   copy() in wide steps: 252 ns instead of 364 / 138 instead of 240, 20 rows a record
//   prefixes and tails (group_store.h): 252 ns instead of 440 / nothing, 20 rows a record
// Not worth having: to remember the last record's key (hash and compare are 5 % of a
// run).
//
// With a program for the stream's side a block goes through filter, match and keys, is
// looked up, and only the records that have rows go through the outputs. A record that
// fails on its way is rejected where its rows would have been emitted, so that a slice
// which ends before it knows nothing of it.
#include "table/native_executor.h"

#include <assert.h>
#include <stdlib.h>

#include "expr/eval.h"
#include "table/output_check.h"
#include "table/segment.h"

enum {
    COPY_BYTES = 32 // copied at a time, see copy()
};

// A record on its way through the stages of a block.
struct probe {
    struct str key; // p == NULL: a NULL key, matches nothing
    uint64_t hash;
    struct value value;        // holds the bytes of a key that is a number
    const struct group *group; // NULL: no match
};

// A result column whose value from the stream may not fit.
struct check {
    size_t output; // column of the result
    size_t column; // of the stream's side
};

struct native_executor {
    struct executor executor; // first: an executor is one
    const struct plan *plan;
    const struct native_plan *native;
    const struct dimension *dimension; // NULL: no join
    struct encoder *encoder;
    struct segments segments;
    struct check *checks;
    size_t n_checks;
    // What all rows of one record have in common: the stream's segments, and the prefix
    // of the group. fixed[i] comes before the row's piece i, the last one after all
    // pieces.
    struct buf encoded;
    struct str *fixed;
    size_t n_pieces;                 // of a row: segments of the dimension
    struct buf keys;                 // of a block, when a key has several columns
    struct probe probes[BLOCK_ROWS]; // a block is looked up together
    // With a program for the stream's side:
    bool has_program;
    struct evaluator evaluator;
    struct value *row;     // what it gives for one record
    struct value *key_row; // a record's keys
    size_t *key_places;    // 0 .. n_keys - 1
    const struct group *groups[BLOCK_ROWS];
};

// One run.
struct pass {
    struct native_executor *native;
    struct batch *batch;
    struct buf *rows;
    struct executor_result result;
};

// The keys of a block's records.
static void make_keys(struct native_executor *native, const struct batch *batch,
                      size_t from, size_t n)
{
    size_t column = native->native->stream_keys[0];
    for (size_t i = 0; i < n; i++) {
        struct probe *probe = &native->probes[i];
        probe->value = batch_row(batch, from + i)[column];
        probe->key = key_of_value(&probe->value);
    }
}

static void make_wide_keys(struct native_executor *native, const struct batch *batch,
                           size_t from, size_t n)
{
    struct buf *keys = &native->keys;
    buf_clear(keys);
    for (size_t i = 0; i < n; i++) {
        size_t before = keys->n;
        if (!key_of_columns(batch_row(batch, from + i), native->native->stream_keys,
                            native->native->n_keys, keys))
            keys->n = before;
        native->probes[i].key.n = keys->n - before;
    }
    const char *p = keys->p; // only now does it stay where it is
    for (size_t i = 0; i < n; i++) {
        struct str *key = &native->probes[i].key;
        key->p = key->n ? p : NULL;
        p += key->n;
    }
}

// Finds the groups of n keys, stage by stage.
static void find_groups(struct native_executor *native, size_t n)
{
    const struct dimension *dimension = native->dimension;
    for (size_t i = 0; i < n; i++) {
        struct probe *probe = &native->probes[i];
        probe->hash = hash64(probe->key.p, probe->key.n);
        key_index_prefetch(&dimension->keys, probe->hash);
    }
    for (size_t i = 0; i < n; i++) {
        struct probe *probe = &native->probes[i];
        uint32_t at = probe->key.p == NULL
                          ? 0
                          : key_index_find(&dimension->keys, probe->hash, probe->key);
        probe->group = at == 0 ? NULL : group_at(&dimension->groups, at);
        __builtin_prefetch(probe->group);
    }
    for (size_t i = 0; i < n; i++)
        if (native->probes[i].group != NULL)
            __builtin_prefetch(tails_of(&dimension->groups, native->probes[i].group));
}

static void look_up(struct native_executor *native, const struct batch *batch,
                    size_t from, size_t n)
{
    if (native->native->n_keys == 1)
        make_keys(native, batch, from, n);
    else
        make_wide_keys(native, batch, from, n);
    find_groups(native, n);
}

static void reject(struct pass *pass, size_t row, struct str reason)
{
    batch_reject(pass->batch, pass->batch->records[row], reason);
}

// False when a value of the stream's side cannot be written; then the record is rejected.
static bool check_values(struct pass *pass, size_t row, const struct value *values)
{
    const struct native_executor *native = pass->native;
    for (size_t i = 0; i < native->n_checks; i++) {
        const struct check *check = &native->checks[i];
        const struct column *column = &native->encoder->schema->columns[check->output];
        enum output_fault fault = output_check(column, values[check->column]);
        if (fault == OUTPUT_FITS)
            continue;
        struct buf reason = {0};
        output_why(column, fault, &reason);
        reject(pass, row, buf_as_str(&reason));
        buf_release(&reason);
        return false;
    }
    return true;
}

// True when the encoder refused a value of the stream; then the record is rejected.
static bool was_refused(struct pass *pass, size_t row)
{
    struct encoder *encoder = pass->native->encoder;
    if (LIKELY(encoder->refused.n == 0))
        return false;
    reject(pass, row, encoder->refused);
    encoder->refused = (struct str){0};
    return true;
}

// Copies in steps of COPY_BYTES, so up to COPY_BYTES - 1 more than n at both ends: pieces
// are short, and a loop of two or three wide moves is quicker than a call.
static inline char *copy(char *to, const char *from, size_t n)
{
    for (size_t i = 0; i < n; i += COPY_BYTES)
        memcpy(to + i, from + i, COPY_BYTES);
    return to + n;
}

static void encode_fixed(struct native_executor *native, const struct value *values,
                         const struct group *group)
{
    struct buf *encoded = &native->encoded;
    size_t piece = 0, start = 0;
    buf_clear(encoded);
    for (size_t i = 0; i < native->segments.n; i++) {
        const struct segment *segment = &native->segments.items[i];
        if (segment->side == SIDE_STREAM) {
            segment_encode(&native->segments, segment, native->encoder, values, encoded);
            continue;
        }
        if (piece == 0)
            buf_append(encoded, group->prefix, group->n_prefix);
        native->fixed[piece++].n = encoded->n - start;
        start = encoded->n;
    }
    native->fixed[piece].n = encoded->n - start;
}

// Only when all is encoded it stays where it is; copy() reads past its end.
static bool place_fixed(struct native_executor *native)
{
    const char *p = buf_room(&native->encoded, COPY_BYTES) ? native->encoded.p : NULL;
    for (size_t i = 0; p != NULL && i <= native->n_pieces; i++) {
        native->fixed[i].p = p;
        p += native->fixed[i].n;
    }
    return p != NULL && !native->encoded.full;
}

static void copy_rows(const struct native_executor *native, const struct tails *tails,
                      char *to)
{
    const struct str *fixed = native->fixed;
    const uint32_t *length = tails->lengths;
    const char *from = tails_bytes(tails);
    for (uint32_t row = 0; row < tails->n_rows; row++) {
        for (size_t i = 0; i < native->n_pieces; i++) {
            to = copy(to, fixed[i].p, fixed[i].n);
            to = copy(to, from, *length);
            from += *length++;
        }
        to = copy(to, fixed[native->n_pieces].p, fixed[native->n_pieces].n);
    }
}

// The rows of a record, as one step of copying. False when they do not fit any more.
static bool emit_joined(struct pass *pass, const struct tails *tails)
{
    struct native_executor *native = pass->native;
    size_t n_bytes = tails->n_rows * native->encoded.n + tails->n_bytes;
    char *to = NULL;
    if (place_fixed(native))
        to = buf_room(pass->rows, n_bytes + COPY_BYTES);
    if (to == NULL)
        return false;
    copy_rows(native, tails, to);
    pass->rows->n += n_bytes;
    pass->result.n_rows += tails->n_rows;
    pass->result.n_matched++;
    return true;
}

// The rows that a record is joined with; NULL: none, it gives no row.
static const struct group *group_of(const struct native_executor *native,
                                    const struct probe *probe)
{
    const struct dimension *dimension = native->dimension;
    if (probe->group == NULL && native->native->left)
        return group_at(&dimension->groups, dimension->unmatched);
    return probe->group;
}

// `values` are the record's of the stream's side. False when its rows do not fit any
// more; then nothing happened.
static bool join_record(struct pass *pass, size_t row, const struct value *values,
                        const struct group *group)
{
    const struct dimension *dimension = pass->native->dimension;
    if (group == NULL)
        return true;
    const struct tails *tails = tails_of(&dimension->groups, group);
    if (UNLIKELY(tails->flaw == FLAW_NO_ROWS) || !check_values(pass, row, values))
        return true;
    if (UNLIKELY(tails->flaw != 0)) {
        const struct blob *why = blob_at(&dimension->flaws, tails->flaw);
        reject(pass, row, (struct str){why->bytes, why->n});
        return true;
    }
    encode_fixed(pass->native, values, group);
    return was_refused(pass, row) || emit_joined(pass, tails);
}

// A record without a join is one row. False when it does not fit any more.
static bool copy_record(struct pass *pass, size_t row, const struct value *values)
{
    struct native_executor *native = pass->native;
    size_t before = pass->rows->n;
    if (!check_values(pass, row, values))
        return true;
    segment_encode(&native->segments, &native->segments.items[0], native->encoder, values,
                   pass->rows);
    bool refused = was_refused(pass, row);
    if (refused || pass->rows->full) {
        pass->rows->n = before;
        return refused;
    }
    pass->result.n_rows++;
    pass->result.n_matched++;
    return true;
}

// With a program.

static void take_keys(struct native_executor *native, const struct selection *matching)
{
    const struct program_part *keys = &native->native->stream->parts[PART_KEYS];
    for (size_t i = 0; i < matching->n; i++) {
        struct probe *probe = &native->probes[i];
        struct vector key = evaluator_vector(&native->evaluator, keys->values[0]);
        probe->value = *vector_at(key, matching->rows[i]);
        probe->key = key_of_value(&probe->value);
    }
}

// Several keys are put side by side, then made one.
static void take_wide_keys(struct native_executor *native,
                           const struct selection *matching)
{
    const struct program_part *keys = &native->native->stream->parts[PART_KEYS];
    size_t ends[BLOCK_ROWS];
    buf_clear(&native->keys);
    for (size_t i = 0; i < matching->n; i++) {
        for (size_t k = 0; k < keys->n_values; k++) {
            struct vector key = evaluator_vector(&native->evaluator, keys->values[k]);
            native->key_row[k] = *vector_at(key, matching->rows[i]);
        }
        size_t before = native->keys.n;
        if (!key_of_columns(native->key_row, native->key_places, keys->n_values,
                            &native->keys))
            native->keys.n = before;
        ends[i] = native->keys.n;
    }
    size_t start = 0;
    for (size_t i = 0; i < matching->n; i++) { // only now they stay where they are
        struct str key = {native->keys.p + start, ends[i] - start};
        native->probes[i].key = key.n ? key : (struct str){0};
        start = ends[i];
    }
}

static bool gives_rows(const struct native_executor *native, const struct group *group)
{
    return group != NULL && tails_of(&native->dimension->groups, group)->n_rows > 0;
}

// Finds the block's groups, by row, and leaves in `selection` the records that have rows.
static void match_block(struct native_executor *native, struct selection *selection)
{
    struct selection matching = *selection;
    const struct group *unmatched = group_of(native, &(struct probe){0});
    for (size_t i = 0; i < selection->n; i++)
        native->groups[selection->rows[i]] = unmatched;
    evaluator_select(&native->evaluator, PART_MATCH, &matching);
    evaluator_run(&native->evaluator, PART_KEYS, selection); // outputs may use them, too
    if (native->native->n_keys == 1)
        take_keys(native, &matching);
    else
        take_wide_keys(native, &matching);
    find_groups(native, matching.n);
    for (size_t i = 0; i < matching.n; i++)
        native->groups[matching.rows[i]] = group_of(native, &native->probes[i]);
    size_t n = 0;
    for (size_t i = 0; i < selection->n; i++) {
        uint8_t row = selection->rows[i];
        selection->rows[n] = row;
        n += gives_rows(native, native->groups[row]) &&
             native->evaluator.errors[row].p == NULL;
    }
    selection->n = n;
}

static const struct value *computed_row(struct native_executor *native, size_t row)
{
    const struct program_part *outputs = &native->native->stream->parts[PART_OUTPUTS];
    for (size_t i = 0; i < outputs->n_values; i++)
        native->row[i] =
            *vector_at(evaluator_vector(&native->evaluator, outputs->values[i]), row);
    return native->row;
}

static void reject_failed(struct pass *pass, size_t row, struct str why)
{
    AUTO(buf_release) struct buf reason = {0};
    buf_printf(&reason, "the query fails: %.*s", STR_ARGS(why));
    reject(pass, row, buf_as_str(&reason));
}

static bool emit_computed(struct pass *pass, size_t from, uint8_t row)
{
    struct native_executor *native = pass->native;
    const struct value *values = computed_row(native, row);
    if (!native->native->has_join)
        return copy_record(pass, from + row, values);
    return join_record(pass, from + row, values, native->groups[row]);
}

// How many of the block's n records were done.
static size_t run_computed_block(struct pass *pass, size_t from, size_t n)
{
    struct native_executor *native = pass->native;
    struct evaluator *evaluator = &native->evaluator;
    struct selection selection;
    selection_all(&selection, n);
    evaluator_begin(evaluator, batch_row(pass->batch, from), pass->batch->n_columns,
                    pass->batch->now_ms);
    evaluator_select(evaluator, PART_FILTER, &selection);
    if (native->native->has_join)
        match_block(native, &selection);
    evaluator_run(evaluator, PART_OUTPUTS, &selection);
    size_t next = 0; // of the selection
    for (size_t i = 0; i < n; i++) {
        bool is_selected = next < selection.n && selection.rows[next] == i;
        next += is_selected;
        if (UNLIKELY(evaluator->errors[i].p != NULL))
            reject_failed(pass, from + i, evaluator->errors[i]);
        else if (is_selected && !emit_computed(pass, from, (uint8_t)i))
            return i;
    }
    return n;
}

// Without.

// How many of the block's n records were done.
static size_t run_block(struct pass *pass, size_t from, size_t n)
{
    struct native_executor *native = pass->native;
    const struct batch *batch = pass->batch;
    size_t i = 0;
    if (!native->native->has_join) {
        while (i < n && copy_record(pass, from + i, batch_row(batch, from + i)))
            i++;
        return i;
    }
    look_up(native, batch, from, n);
    while (i < n && join_record(pass, from + i, batch_row(batch, from + i),
                                group_of(native, &native->probes[i])))
        i++;
    return i;
}

// Rows of the block's first record, which did not fit.
static size_t n_rows_of_first(const struct native_executor *native)
{
    const struct group *group =
        native->has_program ? native->groups[0] : native->probes[0].group;
    if (!native->native->has_join || group == NULL)
        return 1;
    return tails_of(&native->dimension->groups, group)->n_rows;
}

static enum status native_run(struct executor *executor, struct batch *batch, size_t from,
                              struct buf *rows, size_t *ret_next,
                              struct executor_result *ret, struct err *err)
{
    struct native_executor *native = (struct native_executor *)executor;
    struct pass pass = {.native = native, .batch = batch, .rows = rows};
    size_t row = from;
    assert(rows->n == 0);
    while (row < batch->n_rows) {
        size_t left = batch->n_rows - row;
        size_t n = left < BLOCK_ROWS ? left : BLOCK_ROWS;
        size_t n_done = native->has_program ? run_computed_block(&pass, row, n)
                                            : run_block(&pass, row, n);
        row += n_done;
        if (n_done < n)
            break;
    }
    rows->full = false; // what did not fit was taken back
    if (row == from && from < batch->n_rows)
        return output_too_big(native->plan, batch_row(batch, from),
                              n_rows_of_first(native), rows->limit, err);
    *ret_next = row;
    *ret = pass.result;
    return ST_OK;
}

static void native_close(struct executor *executor)
{
    struct native_executor *native = (struct native_executor *)executor;
    if (native == NULL)
        return;
    segments_release(&native->segments);
    evaluator_release(&native->evaluator);
    free(native->row);
    free(native->key_row);
    free(native->key_places);
    free(native->checks);
    free(native->fixed);
    buf_release(&native->encoded);
    buf_release(&native->keys);
    free(native);
}

static void find_checks(struct native_executor *native)
{
    const struct schema *result = native->encoder->schema;
    const struct schema *stream = &native->native->stream_schema;
    native->checks = mem_array(native->native->n_outputs, sizeof(struct check));
    for (size_t i = 0; i < native->native->n_outputs; i++) {
        const struct output *output = &native->native->outputs[i];
        if (output->side == SIDE_STREAM &&
            !output_always_fits(&result->columns[i], &stream->columns[output->column]))
            native->checks[native->n_checks++] = (struct check){i, output->column};
    }
}

static void assert_comparable(const struct native_executor *native)
{
    const struct native_plan *plan = native->native;
    for (size_t i = 0; i < plan->n_keys && !native->has_program; i++) {
        enum type stream = plan->stream_schema.columns[plan->stream_keys[i]].type;
        assert(type_kind(stream) == type_kind(plan->dimension_schema.columns[i].type));
    }
}

static void open_program(struct native_executor *native)
{
    const struct program *program = native->native->stream;
    size_t n_keys = native->native->n_keys;
    native->has_program = true;
    evaluator_init(&native->evaluator, program);
    native->row =
        mem_array(program->parts[PART_OUTPUTS].n_values + 1, sizeof(struct value));
    native->key_row = mem_array(n_keys + 1, sizeof(struct value));
    native->key_places = mem_array(n_keys + 1, sizeof(size_t));
    for (size_t i = 0; i < n_keys; i++)
        native->key_places[i] = i;
}

static const struct executor_ops native_ops = {
    .run = native_run,
    .close = native_close,
};

struct executor *native_executor_open(const struct plan *plan,
                                      const struct dimension *dimension,
                                      struct encoder *encoder)
{
    assert(plan->native->has_join == (dimension != NULL));
    struct native_executor *native = mem_zalloc(sizeof(*native));
    native->executor = (struct executor){.ops = &native_ops, .name = "native"};
    native->plan = plan;
    native->native = plan->native;
    native->dimension = dimension;
    native->encoder = encoder;
    segments_init(&native->segments, plan->native);
    native->n_pieces = native->segments.n_of_side[SIDE_DIMENSION];
    native->fixed = mem_array(native->n_pieces + 1, sizeof(struct str));
    if (plan->native->stream != NULL)
        open_program(native);
    find_checks(native);
    assert_comparable(native);
    return &native->executor;
}
