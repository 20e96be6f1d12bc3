// SPDX-License-Identifier: Apache-2.0
// A step's candidates are made in the order of its input. Behind those of a row comes one
// more for what is known only when all were asked: the row of NULLs of a left join, the
// flag of EXISTS, the only row of a subquery as a value.
#include "table/steps.h"

#include <assert.h>
#include <stdlib.h>

#include "core/value_row.h"
#include "table/asked.h"

// The rows of a group, one after another.
struct place {
    uint32_t row;
    const char *bytes; // of the row's tail
};

// A row on its way through the stages of a look-up.
struct step_probe {
    struct str key; // p == NULL: a NULL key, matches nothing
    uint64_t hash;
    struct value value; // holds the bytes of a key that is a number
};

struct step {
    struct steps *steps;
    const struct native_step *plan;
    const struct dimension *dimension;
    struct evaluator keys, matches, filter;
    struct asked asked; // SQLite's
    struct value *key_row;
    size_t *key_places; // 0 .. n_keys - 1
    struct buf key_bytes;
    struct step_probe probes[BLOCK_ROWS];
    // Input.
    const struct step_block *input;
    struct selection rows;                  // of it that have not failed
    size_t at;                              // of those
    const struct group *groups[BLOCK_ROWS]; // of its rows; NULL: no match
    struct place next;                      // of row `at`: the next match
    uint8_t n_matches[BLOCK_ROWS];          // of its rows; 2 stands for more
    struct place first[BLOCK_ROWS];         // match
    // Output. A candidate's row of the input and its match; without one it stands for
    // all of the row's.
    struct step_block output;
    uint8_t inputs[BLOCK_ROWS];
    struct place places[BLOCK_ROWS];
    bool is_whole[BLOCK_ROWS];
    struct arena arena; // of the output's texts
    struct step_marks marks;
};

// Open and close.

static void open_evaluator(struct evaluator *evaluator, const struct program *program)
{
    if (program != NULL)
        evaluator_init(evaluator, program);
}

static void open_step(struct step *step, struct steps *steps,
                      const struct native_step *plan, const struct dimension *dimension)
{
    size_t n_keys = plan->keys->parts[part_keys(0)].n_values;
    step->steps = steps;
    step->plan = plan;
    step->dimension = dimension;
    open_evaluator(&step->keys, plan->keys);
    open_evaluator(&step->matches, plan->matches);
    open_evaluator(&step->filter, plan->filter);
    step->key_row = mem_array(n_keys + 1, sizeof(struct value));
    step->key_places = mem_array(n_keys + 1, sizeof(size_t));
    for (size_t i = 0; i < n_keys; i++)
        step->key_places[i] = i;
    step->output.values =
        mem_array(steps->plan->n_columns * BLOCK_ROWS, sizeof(struct value));
}

void steps_init(struct steps *steps, const struct native_steps *plan,
                struct dimension *const *dimensions, struct query_limit *limit)
{
    *steps = (struct steps){.plan = plan, .limit = limit, .max_rows = BLOCK_ROWS};
    steps->items = mem_array(plan->n, sizeof(*steps->items));
    steps->source.values = mem_array(plan->n_columns * BLOCK_ROWS, sizeof(struct value));
    open_evaluator(&steps->filter, plan->filter);
    for (size_t i = 0; i < plan->n; i++) {
        open_step(&steps->items[i], steps, &plan->items[i], *dimensions);
        dimensions += plan->items[i].table.n_joins;
    }
}

enum status steps_use_sqlite(struct steps *steps, struct sqlite_host *host,
                             struct err *err)
{
    for (size_t i = 0; i < steps->plan->n; i++) {
        const struct native_asked *asked = steps->plan->items[i].asked;
        if (asked != NULL)
            TRY(asked_open(&steps->items[i].asked, asked, host, err));
    }
    return ST_OK;
}

static void close_step(struct step *step)
{
    evaluator_release(&step->keys);
    evaluator_release(&step->matches);
    evaluator_release(&step->filter);
    asked_close(&step->asked);
    free(step->key_row);
    free(step->key_places);
    buf_release(&step->key_bytes);
    free(step->output.values);
    arena_release(&step->arena);
}

void steps_release(struct steps *steps)
{
    for (size_t i = 0; steps->plan != NULL && i < steps->plan->n; i++)
        close_step(&steps->items[i]);
    free(steps->items);
    free(steps->source.values);
    evaluator_release(&steps->filter);
    arena_release(&steps->arena);
    *steps = (struct steps){0};
}

void steps_begin(struct steps *steps, const struct batch *batch, size_t from, size_t n)
{
    steps->batch = batch;
    steps->from = from;
    steps->n = n;
    steps->source_is_done = false;
    if (steps->has_errors)
        memset(steps->errors, 0, sizeof(steps->errors));
    steps->has_errors = steps->is_full = false;
    arena_clear(&steps->arena);
    for (size_t i = 0; i < steps->plan->n; i++) {
        steps->items[i].input = NULL;
        steps->items[i].marks = (struct step_marks){0};
    }
}

const struct step_marks *steps_marks(const struct steps *steps, size_t i)
{
    return &steps->items[i].marks;
}

void steps_fail(struct steps *steps, uint8_t record, struct str error)
{
    if (steps->errors[record].p == NULL)
        steps->errors[record] = arena_str(&steps->arena, error);
    steps->has_errors = true;
}

// Hands a block's errors on to its records.
static void take_errors(struct steps *steps, const struct evaluator *evaluator,
                        const struct selection *rows, const uint8_t *records)
{
    steps->is_full = steps->is_full || evaluator->is_full;
    for (size_t i = 0; evaluator->has_errors && i < rows->n; i++) {
        uint8_t row = rows->rows[i];
        if (evaluator->errors[row].p != NULL)
            steps_fail(steps, records[row], evaluator->errors[row]);
    }
}

static void drop_failed(const struct steps *steps, struct selection *rows,
                        const uint8_t *records)
{
    size_t n = 0;
    for (size_t i = 0; i < rows->n; i++) {
        uint8_t row = rows->rows[i];
        rows->rows[n] = row;
        n += steps->errors[records[row]].p == NULL;
    }
    rows->n = n;
}

// Leaves the rows for which a condition is true.
static void filter_block(struct steps *steps, struct evaluator *evaluator,
                         struct step_block *block)
{
    if (evaluator->program != NULL) {
        const struct selection before = block->rows;
        evaluator_begin(evaluator, block->values, steps->plan->n_columns,
                        steps->batch->now_ms);
        evaluator_select(evaluator, PART_FILTER, &block->rows);
        take_errors(steps, evaluator, &before, block->records);
    }
    if (steps->has_errors)
        drop_failed(steps, &block->rows, block->records);
}

// The stream.

static const struct step_block *source_next(struct steps *steps)
{
    struct step_block *source = &steps->source;
    if (steps->source_is_done)
        return NULL;
    steps->source_is_done = true;
    selection_all(&source->rows, steps->n);
    for (size_t i = 0; i < steps->n; i++) {
        source->records[i] = (uint8_t)i;
        memcpy(source->values + i * steps->plan->n_columns,
               batch_row(steps->batch, steps->from + i),
               steps->batch->n_columns * sizeof(struct value));
    }
    filter_block(steps, &steps->filter, source);
    return source->rows.n > 0 ? source : NULL;
}

// Matches.

static const struct tails *tails_of_row(const struct step *step, size_t row)
{
    const struct group *group = step->groups[row];
    return group == NULL ? NULL : tails_of(&step->dimension->groups, group);
}

// Places the step at the first match of the input's row.
static void open_row(struct step *step)
{
    if (step->at == step->rows.n)
        return;
    const struct tails *tails = tails_of_row(step, step->rows.rows[step->at]);
    step->next = (struct place){0, tails == NULL ? NULL : tails_bytes(tails)};
}

// Looking up.

// How many; they are in key_row.
static size_t take_keys(struct step *step, size_t row)
{
    const struct program_part *keys = &step->plan->keys->parts[part_keys(0)];
    for (size_t k = 0; k < keys->n_values; k++)
        step->key_row[k] =
            *vector_at(evaluator_vector(&step->keys, keys->values[k]), row);
    return keys->n_values;
}

static void read_key(struct step *step, size_t i)
{
    struct step_probe *probe = &step->probes[i];
    size_t before = step->key_bytes.n, n = take_keys(step, step->rows.rows[i]);
    if (n == 1) {
        probe->value = step->key_row[0];
        probe->key = key_of_value(&probe->value);
        return;
    }
    if (!key_of_columns(step->key_row, step->key_places, n, &step->key_bytes))
        step->key_bytes.n = before;
    probe->key = (struct str){.n = step->key_bytes.n - before};
}

// Keys of several columns get their bytes when all are written: until then they may move.
static void place_keys(struct step *step)
{
    const char *p = step->key_bytes.p;
    for (size_t i = 0; i < step->rows.n; i++) {
        struct str *key = &step->probes[i].key;
        key->p = key->n > 0 ? p : NULL;
        p += key->n;
    }
}

// In stages, as branch_look_up.c.
static void look_up(struct step *step)
{
    const struct dimension *dimension = step->dimension;
    buf_clear(&step->key_bytes);
    for (size_t i = 0; i < step->rows.n; i++) {
        step->marks.asked |= UINT64_C(1) << step->input->records[step->rows.rows[i]];
        read_key(step, i);
    }
    if (step->plan->table.joins[0].n_keys > 1)
        place_keys(step);
    for (size_t i = 0; i < step->rows.n; i++) {
        struct step_probe *probe = &step->probes[i];
        probe->hash = hash64(probe->key.p, probe->key.n);
        key_index_prefetch(&dimension->keys, probe->hash);
    }
    for (size_t i = 0; i < step->rows.n; i++) {
        const struct step_probe *probe = &step->probes[i];
        uint32_t at = probe->key.p == NULL
                          ? 0
                          : key_index_find(&dimension->keys, probe->hash, probe->key);
        const struct group *group = at == 0 ? NULL : group_at(&dimension->groups, at);
        step->groups[step->rows.rows[i]] = group;
        __builtin_prefetch(group);
    }
}

static void compute_keys(struct step *step, const struct step_block *input)
{
    struct steps *steps = step->steps;
    step->input = input;
    step->at = 0;
    evaluator_begin(&step->keys, input->values, steps->plan->n_columns,
                    steps->batch->now_ms);
    evaluator_run(&step->keys, part_keys(0), &input->rows);
    take_errors(steps, &step->keys, &input->rows, input->records);
    step->rows = input->rows;
    if (steps->has_errors)
        drop_failed(steps, &step->rows, input->records);
}

static void take_input(struct step *step, const struct step_block *input)
{
    compute_keys(step, input);
    look_up(step);
    memset(step->n_matches, 0, sizeof(step->n_matches));
    open_row(step);
}

// Candidates.

// A row's bytes lie in two pieces: the group's prefix and its own tail.
static const char *row_bytes(struct step *step, const struct group *group,
                             const struct place *place, size_t n_tail)
{
    if (n_tail == 0)
        return group->prefix;
    if (group->n_prefix == 0)
        return place->bytes;
    char *bytes = arena_alloc(&step->arena, group->n_prefix + n_tail);
    memcpy(bytes, group->prefix, group->n_prefix);
    memcpy(bytes + group->n_prefix, place->bytes, n_tail);
    return bytes;
}

static void widen(struct step *step, size_t input, const struct place *place,
                  struct value *values)
{
    const struct native_step *plan = step->plan;
    if (plan->schema.n == 0)
        return;
    const struct group *group = step->groups[input];
    size_t n_tail = tails_of(&step->dimension->groups, group)->lengths[place->row];
    value_decode(row_bytes(step, group, place, n_tail), plan->places, plan->schema.n,
                 values);
}

static void widen_by_nulls(const struct step *step, struct value *values)
{
    for (size_t i = 0; i < step->plan->schema.n; i++)
        values[step->plan->places[i]] = (struct value){0};
}

static void next_match(struct step *step, const struct tails *tails)
{
    if (step->plan->schema.n > 0)
        step->next.bytes += tails->lengths[step->next.row];
    step->next.row++;
}

static bool is_decided(const struct step *step, size_t input)
{
    return (step->plan->kind == STEP_EXISTS && step->n_matches[input] > 0) ||
           (step->plan->kind == STEP_SINGLE && step->n_matches[input] > 1);
}

static void note_match(struct step *step, size_t input, const struct place *place)
{
    size_t record = step->input->records[input];
    step->marks.found |= UINT64_C(1) << record;
    step->marks.rows[record]++;
    if (step->n_matches[input] == 0)
        step->first[input] = *place;
    if (step->n_matches[input] < 2)
        step->n_matches[input]++;
}

static void add_candidate(struct step *step, size_t input, bool is_whole,
                          const struct place *place)
{
    struct step_block *output = &step->output;
    size_t n_columns = step->steps->plan->n_columns;
    size_t i = output->rows.n++;
    struct value *values = output->values + i * n_columns;
    memcpy(values, step->input->values + input * n_columns, n_columns * sizeof(*values));
    output->rows.rows[i] = (uint8_t)i;
    output->records[i] = step->input->records[input];
    step->inputs[i] = (uint8_t)input;
    step->is_whole[i] = is_whole;
    if (is_whole)
        return;
    step->places[i] = *place;
    widen(step, input, place, values);
}

// What matches without a condition needs no candidates to be known.
static void count_matches(struct step *step, size_t input, const struct tails *tails)
{
    while (step->next.row < tails->n_rows && !is_decided(step, input)) {
        note_match(step, input, &step->next);
        next_match(step, tails);
    }
    step->next.row = tails->n_rows;
}

// Adds candidates of the input's row; false when there is no more room.
static bool add_row(struct step *step)
{
    size_t input = step->rows.rows[step->at];
    const struct native_step *plan = step->plan;
    const struct tails *tails = tails_of_row(step, input);
    if (tails != NULL && plan->matches == NULL && plan->kind > STEP_LEFT)
        count_matches(step, input, tails);
    for (; tails != NULL && step->next.row < tails->n_rows; next_match(step, tails)) {
        if (is_decided(step, input))
            break;
        if (step->output.rows.n == step->steps->max_rows)
            return false;
        add_candidate(step, input, false, &step->next);
    }
    if (plan->kind == STEP_INNER)
        return true;
    if (step->output.rows.n == step->steps->max_rows)
        return false;
    if (tails != NULL)
        step->next.row = tails->n_rows;
    add_candidate(step, input, true, NULL);
    return true;
}

static void add_candidates(struct step *step)
{
    step->output.rows.n = 0;
    arena_clear(&step->arena);
    while (step->at < step->rows.n && add_row(step)) {
        step->at++;
        open_row(step);
    }
}

// Which candidates are rows.

static void finish_whole(struct step *step, size_t i, size_t input)
{
    struct value *values = step->output.values + i * step->steps->plan->n_columns;
    uint8_t n = step->n_matches[input];
    if (step->plan->kind == STEP_SINGLE && n > 0)
        widen(step, input, &step->first[input], values);
    else if (step->plan->kind != STEP_EXISTS)
        widen_by_nulls(step, values);
    if (step->plan->kind == STEP_EXISTS)
        values[step->plan->flag_place] = (struct value){.i = n > 0, .kind = VALUE_BOOL};
    else if (step->plan->kind == STEP_SINGLE)
        values[step->plan->flag_place] = value_int(n);
}

// Whether candidate i is a row, after those before it.
static bool is_row(struct step *step, size_t i, bool matches)
{
    size_t input = step->inputs[i];
    enum step_kind kind = step->plan->kind;
    if (!step->is_whole[i]) {
        if (matches)
            note_match(step, input, &step->places[i]);
        return matches && kind <= STEP_LEFT;
    }
    if (kind == STEP_LEFT && step->n_matches[input] > 0)
        return false;
    finish_whole(step, i, input);
    return true;
}

// The rows of `all` that are not wholes.
static void select_matches(const struct step *step, const struct selection *all,
                           struct selection *ret)
{
    ret->n = 0;
    for (size_t i = 0; i < all->n; i++) {
        ret->rows[ret->n] = all->rows[i];
        ret->n += !step->is_whole[all->rows[i]];
    }
}

static void ask_matches(struct step *step, struct selection *candidates)
{
    struct steps *steps = step->steps;
    if (step->plan->matches == NULL)
        return;
    const struct selection asked = *candidates;
    evaluator_begin(&step->matches, step->output.values, steps->plan->n_columns,
                    steps->batch->now_ms);
    evaluator_select(&step->matches, PART_FILTER, candidates);
    take_errors(steps, &step->matches, &asked, step->output.records);
}

static void choose_rows(struct step *step)
{
    struct step_block *output = &step->output;
    const struct selection all = output->rows;
    struct selection matching;
    select_matches(step, &all, &matching);
    ask_matches(step, &matching);
    size_t next = 0;
    output->rows.n = 0;
    for (size_t i = 0; i < all.n; i++) {
        bool matches = next < matching.n && matching.rows[next] == i;
        next += matches;
        output->rows.rows[output->rows.n] = (uint8_t)i;
        output->rows.n += is_row(step, i, matches);
    }
}

// SQLite's answers.

static bool answer_row(struct step *step, size_t i)
{
    struct steps *steps = step->steps;
    struct step_block *output = &step->output;
    size_t n_columns = steps->plan->n_columns, row = step->rows.rows[i];
    struct value *values = output->values + i * n_columns;
    memcpy(values, step->input->values + row * n_columns, n_columns * sizeof(*values));
    output->rows.rows[i] = (uint8_t)i;
    output->records[i] = step->input->records[row];
    output->rows.n = i + 1;
    size_t n_keys = take_keys(step, row);
    if (i > 0 && step->arena.n_bytes > EVALUATOR_TEXT_MAX) {
        steps->is_full = true;
        steps_fail(steps, output->records[i], STR_LITERAL("")); // asked again, alone
    }
    return asked_answer(&step->asked, step->key_row, n_keys, steps->batch->now_ms,
                        steps->limit, &step->arena, values + step->plan->flag_place);
}

// False when the limit ended it.
static bool answer_rows(struct step *step, const struct step_block *input)
{
    bool goes_on = true;
    compute_keys(step, input);
    arena_clear(&step->arena);
    step->output.rows.n = 0;
    for (size_t i = 0; goes_on && i < step->rows.n; i++)
        goes_on = answer_row(step, i);
    return goes_on;
}

// Any step.

static const struct step_block *step_next(struct steps *steps, size_t i);

static const struct step_block *input_of(struct steps *steps, size_t i)
{
    return i == 0 ? source_next(steps) : step_next(steps, i - 1);
}

// Makes the step's next block; false when there is none.
static bool make_rows(struct steps *steps, size_t i)
{
    struct step *step = &steps->items[i];
    bool is_sqlite = step->plan->kind == STEP_SQLITE;
    if (is_sqlite || step->input == NULL || step->at == step->rows.n) {
        const struct step_block *input = input_of(steps, i);
        if (input == NULL)
            return false;
        if (is_sqlite)
            return answer_rows(step, input);
        take_input(step, input);
    }
    add_candidates(step);
    choose_rows(step);
    return true;
}

static const struct step_block *step_next(struct steps *steps, size_t i)
{
    struct step *step = &steps->items[i];
    do {
        if (!query_limit_ask(steps->limit) || !make_rows(steps, i))
            return NULL;
        filter_block(steps, &step->filter, &step->output);
    } while (step->output.rows.n == 0);
    for (size_t k = 0; k < step->output.rows.n; k++)
        step->marks.left |= UINT64_C(1)
                            << step->output.records[step->output.rows.rows[k]];
    return &step->output;
}

const struct step_block *steps_next(struct steps *steps)
{
    return step_next(steps, steps->plan->n - 1);
}
