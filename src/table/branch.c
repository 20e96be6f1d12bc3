// SPDX-License-Identifier: Apache-2.0
// What the tricks bring, per record (bench/README.md; 177,000 keys, records in random
// order / in the order of trips, as stop_times come; AMD EPYC of 2.6 GHz):
//   copy_wide: 252 ns instead of 364 / 138 instead of 240, 20 rows a record
//   prefixes and tails (group_store.h): 252 ns instead of 440 / nothing, 20 rows a record
//
// A record that fails on its way (branch_look_up.c) is rejected when its rows are asked
// for.
#include "table/branch.h"

#include <assert.h>
#include <stdlib.h>

#include "table/copy_rows.h"
#include "table/output_check.h"

// Open and close.

static void open_program(struct branch *branch)
{
    const struct program *program = branch->plan->program;
    size_t n_keys = 0;
    for (size_t i = 0; i < branch->n_joins; i++)
        if (branch->plan->joins[i].n_keys > n_keys)
            n_keys = branch->plan->joins[i].n_keys;
    evaluator_init(&branch->evaluator, program);
    branch->row =
        mem_array(program->parts[PART_OUTPUTS].n_values + 1, sizeof(struct value));
    branch->key_row = mem_array(n_keys + 1, sizeof(struct value));
    branch->key_places = mem_array(n_keys + 1, sizeof(size_t));
    for (size_t i = 0; i < n_keys; i++)
        branch->key_places[i] = i;
}

static void find_checks(struct branch *branch)
{
    const struct schema *result = branch->row_format->schema;
    const struct schema *stream = &branch->plan->stream_schema;
    branch->checks = mem_array(branch->plan->n_outputs, sizeof(*branch->checks));
    for (size_t i = 0; i < branch->plan->n_outputs; i++) {
        const struct output *output = &branch->plan->outputs[i];
        if (output->side == SIDE_STREAM &&
            !output_always_fits(&result->columns[i], &stream->columns[output->column]))
            branch->checks[branch->n_checks++] = (struct branch_check){i, output->column};
    }
}

static void assert_comparable(const struct branch *branch)
{
    for (size_t i = 0; i < branch->n_joins && branch->plan->program == NULL; i++) {
        const struct native_join *join = &branch->plan->joins[i];
        for (size_t k = 0; k < join->n_keys; k++) {
            size_t column = join->stream_keys[k];
            enum type stream = branch->plan->stream_schema.columns[column].type;
            assert(type_kind(stream) == type_kind(join->schema.columns[k].type));
        }
    }
}

// The join that has most rows for a key.
static size_t find_inner(const struct branch *branch)
{
    size_t inner = 0;
    for (size_t i = 1; i < branch->n_joins; i++)
        if (branch->joins[i].dimension->stats.max_matches >
            branch->joins[inner].dimension->stats.max_matches)
            inner = i;
    return inner;
}

void branch_init(struct branch *branch, const struct native_branch *plan,
                 struct dimension *const *dimensions, struct row_format *row_format,
                 struct query_limit *limit)
{
    *branch =
        (struct branch){.plan = plan, .row_format = row_format, .n_joins = plan->n_joins};
    segments_init(&branch->segments, plan);
    pass_through_init(&branch->pass, plan);
    if (plan->steps != NULL) {
        steps_init(&branch->steps, plan->steps, dimensions, limit);
        dimensions += native_n_dimensions(plan) - plan->n_joins;
    }
    branch->joins = mem_array(plan->n_joins + 1, sizeof(*branch->joins));
    for (size_t i = 0; i < plan->n_joins; i++) {
        branch->joins[i].plan = &plan->joins[i];
        branch->joins[i].dimension = dimensions[i];
    }
    branch->inner = find_inner(branch);
    branch->n_pieces = branch->segments.n_of_side[SIDE_DIMENSION + branch->inner];
    branch->fixed = mem_array(branch->n_pieces + 1, sizeof(struct str));
    branch->is_straight = plan->n_joins == 1 && branch->segments.n == 2 &&
                          branch->segments.items[0].side == SIDE_STREAM;
    if (plan->program != NULL)
        open_program(branch);
    find_checks(branch);
    assert_comparable(branch);
}

void branch_release(struct branch *branch)
{
    segments_release(&branch->segments);
    pass_through_release(&branch->pass);
    evaluator_release(&branch->evaluator);
    steps_release(&branch->steps);
    free(branch->joins);
    free(branch->row);
    free(branch->key_row);
    free(branch->key_places);
    free(branch->checks);
    free(branch->fixed);
    buf_release(&branch->encoded);
    buf_release(&branch->keys);
    *branch = (struct branch){0};
}

// Whether a record's values can be written.

// False when a value of the stream's side cannot.
static bool check_values(const struct branch *branch, const struct value *values,
                         struct buf *reason)
{
    for (size_t i = 0; i < branch->n_checks; i++) {
        const struct branch_check *check = &branch->checks[i];
        const struct column *column = &branch->row_format->schema->columns[check->output];
        enum output_fault fault = output_check(column, values[check->column]);
        if (fault == OUTPUT_FITS)
            continue;
        output_why(column, fault, reason);
        return false;
    }
    return true;
}

// True when the row format refused a value of the stream.
static bool was_refused(struct branch *branch, struct buf *reason)
{
    struct row_format *row_format = branch->row_format;
    if (LIKELY(row_format->refused.n == 0))
        return false;
    buf_str(reason, row_format->refused);
    row_format->refused = (struct str){0};
    return true;
}

// False when a row of a join cannot.
static bool check_join(const struct branch_join *join, const struct tails *tails,
                       struct buf *reason)
{
    if (LIKELY(tails->flaw == 0))
        return true;
    const struct blob *why = blob_at(&join->dimension->flaws, tails->flaw);
    buf_append(reason, why->bytes, why->n);
    return false;
}

// One row of a join beside those of the inner one.
struct cursor {
    const struct group *group;
    const struct tails *tails;
    uint32_t row;
    size_t n_pieces;
    const uint32_t *lengths; // of the row's pieces
    const char *bytes;
    size_t next_piece; // to be encoded
    const char *next_bytes;
};

static void cursor_rewind(struct cursor *cursor)
{
    cursor->row = 0;
    cursor->lengths = cursor->tails->lengths;
    cursor->bytes = tails_bytes(cursor->tails);
}

// False behind the last row.
static bool cursor_next(struct cursor *cursor)
{
    for (size_t i = 0; i < cursor->n_pieces; i++)
        cursor->bytes += cursor->lengths[i];
    cursor->lengths += cursor->n_pieces;
    return ++cursor->row < cursor->tails->n_rows;
}

static void cursor_encode(struct cursor *cursor, struct buf *bytes)
{
    size_t piece = cursor->next_piece++;
    if (piece == 0) {
        cursor->next_bytes = cursor->bytes;
        buf_append(bytes, cursor->group->prefix, cursor->group->n_prefix);
    }
    buf_append(bytes, cursor->next_bytes, cursor->lengths[piece]);
    cursor->next_bytes += cursor->lengths[piece];
}

// Emitting.

static void encode_stream(const struct branch *branch, const struct segment *segment,
                          const struct value *values, struct buf *bytes)
{
    pass_through_encode(&branch->pass, &branch->segments, segment, branch->row_format,
                        values, branch->batch, branch->from + branch->record, bytes);
}

// `cursors` are those of all joins; the inner one's is not looked at.
static void encode_fixed(struct branch *branch, const struct value *values,
                         const struct group *group, struct cursor *cursors)
{
    struct buf *encoded = &branch->encoded;
    size_t piece = 0, start = 0, inner = SIDE_DIMENSION + branch->inner;
    buf_clear(encoded);
    for (size_t i = 0; i < branch->segments.n; i++) {
        const struct segment *segment = &branch->segments.items[i];
        if (segment->side == SIDE_STREAM) {
            encode_stream(branch, segment, values, encoded);
            continue;
        }
        if (UNLIKELY(segment->side != inner)) {
            cursor_encode(&cursors[segment->side - SIDE_DIMENSION], encoded);
            continue;
        }
        if (piece == 0)
            buf_append(encoded, group->prefix, group->n_prefix);
        branch->fixed[piece++].n = encoded->n - start;
        start = encoded->n;
    }
    branch->fixed[piece].n = encoded->n - start;
}

// Only when all is encoded it stays where it is; copy_wide reads past its end.
static bool place_fixed(struct branch *branch)
{
    const char *p = buf_room(&branch->encoded, COPY_BYTES) ? branch->encoded.p : NULL;
    for (size_t i = 0; p != NULL && i <= branch->n_pieces; i++) {
        branch->fixed[i].p = p;
        p += branch->fixed[i].n;
    }
    return p != NULL && !branch->encoded.full;
}

static void copy_rows(const struct branch *branch, const struct tails *tails, char *to)
{
    const struct str *fixed = branch->fixed;
    const uint32_t *length = tails->lengths;
    const char *from = tails_bytes(tails);
    for (uint32_t row = 0; row < tails->n_rows; row++) {
        for (size_t i = 0; i < branch->n_pieces; i++) {
            to = copy_wide(to, fixed[i].p, fixed[i].n);
            to = copy_wide(to, from, *length);
            from += *length++;
        }
        to = copy_wide(to, fixed[branch->n_pieces].p, fixed[branch->n_pieces].n);
    }
}

// The rows of the inner join, as one step of copying. False when they do not fit.
static bool emit_rows(struct branch *branch, const struct tails *tails, struct buf *rows,
                      size_t *ret_n_rows)
{
    size_t n_bytes = tails->n_rows * branch->encoded.n + tails->n_bytes;
    char *to = NULL;
    if (place_fixed(branch))
        to = buf_room(rows, n_bytes + COPY_BYTES);
    if (to == NULL)
        return false;
    copy_rows(branch, tails, to);
    rows->n += n_bytes;
    *ret_n_rows += tails->n_rows;
    return true;
}

static enum emitted emit_joined(struct branch *branch, const struct value *values,
                                const struct group *group, const struct tails *tails,
                                struct cursor *cursors, struct buf *rows,
                                size_t *ret_n_rows, struct buf *reason)
{
    encode_fixed(branch, values, group, cursors);
    if (was_refused(branch, reason))
        return REJECTED;
    return emit_rows(branch, tails, rows, ret_n_rows) ? EMITTED : NO_ROOM;
}

// The rows of the only join, whose fields come behind the stream's: the first one is made
// where it is to be, the others from it.
static enum emitted emit_straight(struct branch *branch, const struct value *values,
                                  const struct group *group, const struct tails *tails,
                                  struct buf *rows, size_t *ret_n_rows,
                                  struct buf *reason)
{
    const struct segment *segment = &branch->segments.items[0];
    size_t before = rows->n;
    struct str raw = pass_through_whole(&branch->pass, segment, branch->row_format,
                                        branch->batch, branch->from + branch->record);
    if (UNLIKELY(raw.p == NULL)) {
        encode_stream(branch, segment, values, rows);
        if (was_refused(branch, reason))
            return REJECTED;
        raw.n = rows->n - before;
        rows->n = before;
    }
    size_t n_head = raw.n + group->n_prefix;
    size_t n_bytes = tails->n_rows * n_head + tails->n_bytes;
    char *to = rows->full ? NULL : buf_room(rows, n_bytes + COPY_BYTES);
    if (to == NULL)
        return NO_ROOM;
    if (LIKELY(raw.p != NULL))
        memcpy(to, raw.p, raw.n);
    copy_straight(group, tails, n_head, to);
    rows->n += n_bytes;
    *ret_n_rows += tails->n_rows;
    return EMITTED;
}

// One join: the rows of a record by one step.
static enum emitted emit_one_join(struct branch *branch, const struct value *values,
                                  size_t i, struct buf *rows, size_t *ret_n_rows,
                                  struct buf *reason)
{
    const struct branch_join *join = &branch->joins[0];
    const struct group *group = join->groups[i];
    if (group == NULL)
        return EMITTED;
    const struct tails *tails = tails_of(&join->dimension->groups, group);
    if (UNLIKELY(tails->flaw == FLAW_NO_ROWS))
        return EMITTED;
    if (!check_values(branch, values, reason) || !check_join(join, tails, reason))
        return REJECTED;
    if (branch->is_straight)
        return emit_straight(branch, values, group, tails, rows, ret_n_rows, reason);
    return emit_joined(branch, values, group, tails, NULL, rows, ret_n_rows, reason);
}

// Moves on to the next combination of rows beside the inner join's. False: there is none.
static bool next_combination(const struct branch *branch, struct cursor *cursors)
{
    for (size_t i = 0; i < branch->n_joins; i++) {
        if (i == branch->inner)
            continue;
        if (cursor_next(&cursors[i]))
            return true;
        cursor_rewind(&cursors[i]);
    }
    return false;
}

// The cursors at each join's first row. False: one join has none.
static bool open_cursors(const struct branch *branch, size_t i, struct cursor *cursors)
{
    for (size_t k = 0; k < branch->n_joins; k++) {
        const struct branch_join *join = &branch->joins[k];
        if (!branch_gives_rows(join, i))
            return false;
        cursors[k] =
            (struct cursor){.group = join->groups[i],
                            .tails = tails_of(&join->dimension->groups, join->groups[i]),
                            .n_pieces = branch->segments.n_of_side[SIDE_DIMENSION + k]};
        cursor_rewind(&cursors[k]);
    }
    return true;
}

// Several joins: each row of one with each of the others.
static enum emitted emit_product(struct branch *branch, const struct value *values,
                                 size_t i, struct buf *rows, size_t *ret_n_rows,
                                 struct buf *reason)
{
    struct cursor cursors[JOINS_MAX];
    if (!open_cursors(branch, i, cursors))
        return EMITTED;
    if (!check_values(branch, values, reason))
        return REJECTED;
    for (size_t k = 0; k < branch->n_joins; k++)
        if (!check_join(&branch->joins[k], cursors[k].tails, reason))
            return REJECTED;
    const struct cursor inner = cursors[branch->inner];
    enum emitted emitted;
    do {
        for (size_t k = 0; k < branch->n_joins; k++)
            cursors[k].next_piece = 0;
        emitted = emit_joined(branch, values, inner.group, inner.tails, cursors, rows,
                              ret_n_rows, reason);
    } while (emitted == EMITTED && next_combination(branch, cursors));
    return emitted;
}

// A record without a join is one row.
static enum emitted emit_record(struct branch *branch, const struct value *values,
                                struct buf *rows, size_t *ret_n_rows, struct buf *reason)
{
    if (!check_values(branch, values, reason))
        return REJECTED;
    encode_stream(branch, &branch->segments.items[0], values, rows);
    if (was_refused(branch, reason))
        return REJECTED;
    ++*ret_n_rows;
    return rows->full ? NO_ROOM : EMITTED;
}

static const struct value *computed_row(struct branch *branch, size_t i)
{
    const struct program_part *outputs = &branch->plan->program->parts[PART_OUTPUTS];
    for (size_t k = 0; k < outputs->n_values; k++)
        branch->row[k] =
            *vector_at(evaluator_vector(&branch->evaluator, outputs->values[k]), i);
    return branch->row;
}

// What the stream's side gives for the record; NULL: it has no rows, or *ret_failed.
static const struct value *take_row(struct branch *branch, size_t i, bool *ret_failed,
                                    struct buf *reason)
{
    const struct selection *selection = &branch->selection;
    struct str error = branch->evaluator.errors[i];
    size_t next = branch->next_selected;
    while (next < selection->n && selection->rows[next] < i)
        next++;
    branch->next_selected = next;
    bool is_selected = next < selection->n && selection->rows[next] == i;
    *ret_failed = error.p != NULL;
    if (*ret_failed)
        buf_printf(reason, "the query fails: %.*s", STR_ARGS(error));
    return *ret_failed || !is_selected ? NULL : computed_row(branch, i);
}

static enum emitted emit(struct branch *branch, const struct value *values, size_t i,
                         struct buf *rows, size_t *ret_n_rows, struct buf *reason)
{
    if (branch->n_joins == 0)
        return emit_record(branch, values, rows, ret_n_rows, reason);
    if (branch->n_joins > 1)
        return emit_product(branch, values, i, rows, ret_n_rows, reason);
    return emit_one_join(branch, values, i, rows, ret_n_rows, reason);
}

static enum emitted emit_computed(struct branch *branch, size_t i, struct buf *rows,
                                  size_t *ret_n_rows, struct buf *reason)
{
    bool failed;
    const struct value *values = take_row(branch, i, &failed, reason);
    if (values == NULL)
        return failed ? REJECTED : EMITTED;
    return emit(branch, values, i, rows, ret_n_rows, reason);
}

// With steps: the rows that the record's wide rows give.
static enum emitted emit_stepped(struct branch *branch, size_t i, struct buf *rows,
                                 size_t *ret_n_rows, struct buf *reason)
{
    const struct steps *steps = &branch->steps;
    for (; branch_wide_row(branch); branch->next_wide++) {
        size_t row = branch->selection.rows[branch->next_wide];
        size_t record = branch->wide->records[row];
        if (record > i)
            break;
        if (record < i || steps->errors[i].p != NULL)
            continue;
        enum emitted emitted =
            emit(branch, computed_row(branch, row), row, rows, ret_n_rows, reason);
        if (emitted != EMITTED)
            return emitted;
    }
    if (steps->limit->end != QUERY_GOES_ON)
        return CUT_OFF;
    if (steps->errors[i].p == NULL)
        return EMITTED;
    if (steps->is_full && (steps->n > 1 || steps->max_rows > 1))
        return TOO_FULL;
    buf_printf(reason, "the query fails: %.*s", STR_ARGS(steps->errors[i]));
    return REJECTED;
}

static enum emitted emit_any(struct branch *branch, const struct value *values, size_t i,
                             struct buf *rows, size_t *ret_n_rows, struct buf *reason)
{
    if (branch->plan->program == NULL)
        return emit(branch, values, i, rows, ret_n_rows, reason);
    if (branch->plan->steps == NULL)
        return emit_computed(branch, i, rows, ret_n_rows, reason);
    return emit_stepped(branch, i, rows, ret_n_rows, reason);
}

enum emitted branch_emit(struct branch *branch, size_t from, size_t to, struct buf *rows,
                         struct branch_result *ret, struct buf *reason)
{
    const bool is_straight = branch_is_straight(branch);
    *ret = (struct branch_result){.next = from};
    for (;; ret->next++) {
        if (is_straight)
            ret->next = branch_emit_straight(branch, ret->next, to, rows, ret);
        if (ret->next == to)
            return EMITTED;
        size_t n_bytes = rows->n, n_rows = ret->n_rows;
        const struct value *values = batch_row(branch->batch, branch->from + ret->next);
        branch->record = ret->next;
        enum emitted emitted =
            emit_any(branch, values, ret->next, rows, &ret->n_rows, reason);
        if (UNLIKELY(emitted != EMITTED)) {
            rows->n = n_bytes;
            ret->n_dropped = ret->n_rows - n_rows;
            ret->n_rows = n_rows;
            return emitted;
        }
        ret->n_matched += ret->n_rows > n_rows;
        branch->matched |= (uint64_t)(ret->n_rows > n_rows) << ret->next;
    }
}

size_t branch_count(const struct branch *branch, size_t i)
{
    size_t n = 1;
    for (size_t k = 0; k < branch->n_joins; k++) {
        const struct branch_join *join = &branch->joins[k];
        n *= join->groups[i] == NULL
                 ? 0
                 : tails_of(&join->dimension->groups, join->groups[i])->n_rows;
    }
    return n;
}
