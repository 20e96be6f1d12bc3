// SPDX-License-Identifier: Apache-2.0
// What the tricks bring, per record (bench/README.md; 177,000 keys, records in random
// order / in the order of trips, as stop_times come; AMD EPYC of 2.6 GHz):
//   lookups in blocks of 64: 153 ns instead of 511 / nothing, the memory is near anyway
//   copy() in wide steps: 252 ns instead of 364 / 138 instead of 240, 20 rows a record
//   prefixes and tails (group_store.h): 252 ns instead of 440 / nothing, 20 rows a record
// Not worth having: to remember the last record's key (hash and compare are 5 % of a
// run).
#include "table/native_executor.h"

#include <assert.h>
#include <stdlib.h>

#include "table/output_check.h"
#include "table/segment.h"

enum {
    BLOCK_ROWS = 64, // looked up together
    COPY_BYTES = 32  // copied at a time, see copy()
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
    size_t column; // of the stream
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
    size_t n_pieces; // of a row: segments of the dimension
    struct buf keys; // of a block, when a key has several columns
    struct probe probes[BLOCK_ROWS];
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

// Finds the groups of a block's records, stage by stage.
static void look_up(struct native_executor *native, const struct batch *batch,
                    size_t from, size_t n)
{
    const struct dimension *dimension = native->dimension;
    if (native->native->n_keys == 1)
        make_keys(native, batch, from, n);
    else
        make_wide_keys(native, batch, from, n);
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

static void reject(struct pass *pass, size_t row, struct str reason)
{
    batch_reject(pass->batch, pass->batch->records[row], reason);
}

// False when a value of the stream cannot be written; then the record is rejected.
static bool check_values(struct pass *pass, size_t row)
{
    const struct native_executor *native = pass->native;
    const struct value *values = batch_row(pass->batch, row);
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

// False when its rows do not fit any more; then nothing happened.
static bool join_record(struct pass *pass, size_t row, const struct group *group)
{
    const struct dimension *dimension = pass->native->dimension;
    if (group == NULL || !check_values(pass, row))
        return true;
    const struct tails *tails = tails_of(&dimension->groups, group);
    if (UNLIKELY(tails->flaw != 0)) {
        const struct blob *why = blob_at(&dimension->flaws, tails->flaw);
        reject(pass, row, (struct str){why->bytes, why->n});
        return true;
    }
    encode_fixed(pass->native, batch_row(pass->batch, row), group);
    return was_refused(pass, row) || emit_joined(pass, tails);
}

// A record without a join is one row. False when it does not fit any more.
static bool copy_record(struct pass *pass, size_t row)
{
    struct native_executor *native = pass->native;
    size_t before = pass->rows->n;
    if (!check_values(pass, row))
        return true;
    segment_encode(&native->segments, &native->segments.items[0], native->encoder,
                   batch_row(pass->batch, row), pass->rows);
    bool refused = was_refused(pass, row);
    if (refused || pass->rows->full) {
        pass->rows->n = before;
        return refused;
    }
    pass->result.n_rows++;
    pass->result.n_matched++;
    return true;
}

// How many of the block's n records were done.
static size_t run_block(struct pass *pass, size_t from, size_t n)
{
    struct native_executor *native = pass->native;
    size_t i = 0;
    if (!native->native->has_join) {
        while (i < n && copy_record(pass, from + i))
            i++;
        return i;
    }
    look_up(native, pass->batch, from, n);
    while (i < n && join_record(pass, from + i, group_of(native, &native->probes[i])))
        i++;
    return i;
}

// Rows of the block's first record, which did not fit.
static size_t n_rows_of_first(const struct native_executor *native)
{
    const struct group *group = native->probes[0].group;
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
        size_t n_done = run_block(&pass, row, n);
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
    free(native->checks);
    free(native->fixed);
    buf_release(&native->encoded);
    buf_release(&native->keys);
    free(native);
}

static void find_checks(struct native_executor *native)
{
    const struct schema *result = native->encoder->schema;
    const struct schema *stream = &native->plan->stream->schema;
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
    for (size_t i = 0; i < plan->n_keys; i++) {
        enum type stream =
            native->plan->stream->schema.columns[plan->stream_keys[i]].type;
        assert(type_kind(stream) == type_kind(plan->dimension_schema.columns[i].type));
    }
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
    find_checks(native);
    assert_comparable(native);
    return &native->executor;
}
