// SPDX-License-Identifier: Apache-2.0
#include "testing/test_reach.h"

#include <stdlib.h>

#include "job/tables.h"
#include "testing/test_text.h"

// Values of one column name that were reached; sorted.
struct value_set {
    struct str name;
    struct str *items;
    size_t n, capacity;
};

struct reach {
    const struct pipeline *pipeline;
    enum test_reach how;
    struct test_case *test;
    struct value_set *sets;
    size_t n_sets, sets_capacity;
    bool *is_done; // of each table of the plan
};

// Cells.

static struct test_cell cell_of(struct value value, struct arena *arena)
{
    AUTO(buf_release) struct buf text = {0};
    if (value.kind == VALUE_BYTES) {
        buf_text(&text, "\\x");
        for (size_t i = 0; i < value.n; i++)
            buf_printf(&text, "%02x", (unsigned char)value.p[i]);
    } else {
        value_format(value, &text);
    }
    return (struct test_cell){.text = arena_str(arena, buf_as_str(&text)),
                              .quoted = value.kind == VALUE_TEXT};
}

struct test_block test_new_block(enum test_kind kind, const struct table *table,
                                 struct arena *arena)
{
    struct test_block block = {.kind = kind, .name = table->name, .line = 1, .column = 1};
    block.file = arena_printf(arena, "%.*s.csv", STR_ARGS(table->name));
    block.n_columns = table->schema.n;
    block.columns = arena_array(arena, block.n_columns, sizeof(*block.columns));
    for (size_t c = 0; c < block.n_columns; c++)
        block.columns[c].text = table->schema.columns[c].name;
    return block;
}

bool test_add_values(struct test_block *block, const struct value *values,
                     struct arena *arena)
{
    if (block->n_rows == TEST_ROWS_MAX)
        return false;
    MEM_GROW(block->rows, block->n_rows, block->rows_capacity);
    struct test_row *row = &block->rows[block->n_rows++];
    *row = (struct test_row){arena_array(arena, block->n_columns, sizeof(*row->cells)),
                             block->n_rows + 1};
    for (size_t c = 0; c < block->n_columns; c++)
        row->cells[c] = cell_of(values[c], arena);
    return true;
}

// Values that were reached.

static int by_text(const void *a, const void *b)
{
    return str_compare(*(const struct str *)a, *(const struct str *)b);
}

static struct value_set *find_set(struct reach *reach, struct str name)
{
    for (size_t i = 0; i < reach->n_sets; i++)
        if (str_eq(reach->sets[i].name, name))
            return &reach->sets[i];
    return NULL;
}

static bool has_value(const struct value_set *set, struct value value)
{
    struct str text = value_str(value);
    return value.kind == VALUE_TEXT && set->n > 0 &&
           bsearch(&text, set->items, set->n, sizeof(text), by_text) != NULL;
}

static bool is_link(const struct reach *reach, const struct column *column)
{
    return column->type == TYPE_TEXT &&
           (reach->how == REACH_TEXTS || str_ends_with(column->name, "_id"));
}

// The block's values of its columns that nothing was reached by so far; `n_before` sets
// are of earlier tables.
static void add_sets(struct reach *reach, const struct test_block *block,
                     const struct schema *schema, size_t n_before)
{
    for (size_t c = 0; c < schema->n; c++) {
        struct value_set *set = find_set(reach, schema->columns[c].name);
        if (!is_link(reach, &schema->columns[c]) ||
            (set != NULL && set < reach->sets + n_before))
            continue;
        if (set == NULL) {
            MEM_GROW(reach->sets, reach->n_sets, reach->sets_capacity);
            set = &reach->sets[reach->n_sets++];
            *set = (struct value_set){.name = schema->columns[c].name};
        }
        for (size_t i = 0; i < block->n_rows; i++) {
            const struct test_cell *cell = &block->rows[i].cells[c];
            if (cell->text.n == 0 && !cell->quoted)
                continue;
            MEM_GROW(set->items, set->n, set->capacity);
            set->items[set->n++] = cell->text;
        }
    }
}

static void sort_sets(struct reach *reach)
{
    for (size_t i = 0; i < reach->n_sets; i++)
        if (reach->sets[i].n > 0)
            qsort(reach->sets[i].items, reach->sets[i].n, sizeof(struct str), by_text);
}

// Tables.

static bool is_reached(struct reach *reach, const struct schema *schema, size_t n_sets,
                       const struct value *row)
{
    bool any = reach->how == REACH_ALL;
    for (size_t c = 0; c < schema->n && !any; c++) {
        const struct value_set *set = find_set(reach, schema->columns[c].name);
        any = set != NULL && set < reach->sets + n_sets &&
              is_link(reach, &schema->columns[c]) && has_value(set, row[c]);
    }
    return any;
}

static bool has_link(struct reach *reach, const struct schema *schema, size_t n_sets)
{
    bool any = false;
    for (size_t c = 0; c < schema->n; c++) {
        const struct value_set *set = find_set(reach, schema->columns[c].name);
        any |= set != NULL && set < reach->sets + n_sets &&
               is_link(reach, &schema->columns[c]);
    }
    return any;
}

static enum status take_rows(struct reach *reach, struct rows *rows, size_t n_sets,
                             struct test_block *block, struct err *err)
{
    AUTO(batch_release) struct batch batch;
    bool is_whole = !has_link(reach, rows->schema, n_sets);
    batch_init(&batch, rows->schema->n);
    do {
        TRY(rows->ops->next(rows, &batch, err));
        for (size_t i = 0; i < batch.n_rows; i++) {
            const struct value *row = batch_row(&batch, i);
            if ((is_whole || is_reached(reach, rows->schema, n_sets, row)) &&
                !test_add_values(block, row, &reach->test->arena))
                return ST_LIMIT; // what it means is for the caller
        }
    } while (batch.n_rows > 0);
    return ST_OK;
}

static enum status read_table(struct reach *reach, const struct table *table,
                              size_t n_sets, struct test_block *block, struct err *err)
{
    struct storage *storage;
    struct rows *rows;
    TRY(pipeline_storage(reach->pipeline, &table->options, &storage, err));
    enum status rc = table_rows_open(storage, table, &rows, err);
    if (rc == ST_OK) {
        rc = take_rows(reach, rows, n_sets, block, err);
        rows->ops->close(rows);
    } else if (rc == ST_NOT_FOUND && options_number(&table->options, "optional")) {
        rc = ST_OK;
    }
    storage->ops->close(storage);
    return rc;
}

// One table; what it reaches counts for those of the next round.
static enum status take_table(struct reach *reach, size_t index, size_t n_sets,
                              struct err *err)
{
    const struct table *table = &reach->pipeline->plan->tables[index];
    struct test_block block = test_new_block(TEST_TABLE, table, &reach->test->arena);
    enum status rc = read_table(reach, table, n_sets, &block, err);
    if (rc == ST_OK)
        rc = test_add_block(reach->test, &block, err);
    if (rc != ST_OK) {
        free(block.rows);
        return rc;
    }
    reach->is_done[index] = true;
    add_sets(reach, &block, &table->schema, n_sets);
    return ST_OK;
}

// Those that are reached now; at last, when none is, those that nothing reaches.
static enum status take_tables(struct reach *reach, struct err *err)
{
    const struct plan *plan = reach->pipeline->plan;
    for (bool moves = true, is_last = false; moves || !is_last;) {
        is_last = !moves;
        moves = false;
        size_t n_sets = reach->n_sets;
        sort_sets(reach);
        for (size_t i = 0; i < plan->n_tables; i++) {
            const struct table *table = &plan->tables[i];
            if (table->kind != TABLE_DIMENSION || reach->is_done[i] ||
                (!is_last && !has_link(reach, &table->schema, n_sets)))
                continue;
            TRY(take_table(reach, i, n_sets, err));
            moves = !is_last;
        }
    }
    return ST_OK;
}

enum status test_reach_tables(const struct pipeline *pipeline, enum test_reach how,
                              struct test_case *test, struct err *err)
{
    const struct plan *plan = pipeline->plan;
    struct reach reach = {.pipeline = pipeline, .how = how, .test = test};
    reach.is_done = mem_array(plan->n_tables, sizeof(bool));
    for (size_t i = 0; i < test->n_blocks; i++)
        if (test->blocks[i].kind == TEST_TABLE && how != REACH_ALL)
            add_sets(&reach, &test->blocks[i], &plan->stream->schema, 0);
    enum status rc = take_tables(&reach, err);
    for (size_t i = 0; i < reach.n_sets; i++)
        free(reach.sets[i].items);
    free(reach.sets);
    free(reach.is_done);
    return rc;
}
