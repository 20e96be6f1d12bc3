// SPDX-License-Identifier: Apache-2.0
#include "testing/test_compare.h"

#include <stdlib.h>

enum {
    PAIRS_MAX = 500, // rows of a block that are looked at for one that is alike
};

struct row {
    const struct str *cells;
    size_t line;
    size_t index;
    bool is_matched;
};

struct side {
    struct row *rows;
    size_t n;
};

struct comparison {
    const struct str *columns;
    size_t n_columns;
    struct side expected, actual;
};

void test_differences_release(struct test_differences *differences)
{
    arena_release(&differences->arena);
    free(differences->items);
    *differences = (struct test_differences){0};
}

// Rows that are the same.

static int compare_cells(const struct str *a, const struct str *b, size_t n)
{
    int order = 0;
    for (size_t c = 0; c < n && order == 0; c++)
        order = str_compare(a[c], b[c]);
    return order;
}

static int by_cells(const void *a, const void *b, void *n_columns)
{
    const struct row *x = a, *y = b;
    int order = compare_cells(x->cells, y->cells, *(size_t *)n_columns);
    return order != 0 ? order : (x->index > y->index) - (x->index < y->index);
}

static int by_index(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    return (x->index > y->index) - (x->index < y->index);
}

static void match_bags(struct comparison *c)
{
    struct side *e = &c->expected, *a = &c->actual;
    qsort_r(e->rows, e->n, sizeof(*e->rows), by_cells, &c->n_columns);
    qsort_r(a->rows, a->n, sizeof(*a->rows), by_cells, &c->n_columns);
    for (size_t i = 0, k = 0; i < e->n && k < a->n;) {
        int order = compare_cells(e->rows[i].cells, a->rows[k].cells, c->n_columns);
        if (order == 0)
            e->rows[i].is_matched = a->rows[k].is_matched = true;
        i += order <= 0;
        k += order >= 0;
    }
    qsort(e->rows, e->n, sizeof(*e->rows), by_index);
    qsort(a->rows, a->n, sizeof(*a->rows), by_index);
}

// Those at the front and at the end that are the same, and in between those at one place.
static void match_in_order(struct comparison *c)
{
    struct side *e = &c->expected, *a = &c->actual;
    size_t n_front = 0, n_end = 0, n = e->n < a->n ? e->n : a->n;
    for (; n_front < n; n_front++)
        if (compare_cells(e->rows[n_front].cells, a->rows[n_front].cells, c->n_columns))
            break;
    for (; n_front + n_end < n; n_end++)
        if (compare_cells(e->rows[e->n - 1 - n_end].cells,
                          a->rows[a->n - 1 - n_end].cells, c->n_columns))
            break;
    for (size_t i = 0; i < n; i++)
        if (i < n_front ||
            (i < n - n_end &&
             compare_cells(e->rows[i].cells, a->rows[i].cells, c->n_columns) == 0))
            e->rows[i].is_matched = a->rows[i].is_matched = true;
    for (size_t i = 0; i < n_end; i++)
        e->rows[e->n - 1 - i].is_matched = a->rows[a->n - 1 - i].is_matched = true;
}

// Rows that are alike.

static size_t n_alike(const struct str *a, const struct str *b, size_t n)
{
    size_t n_same = 0;
    for (size_t c = 0; c < n; c++)
        n_same += str_eq(a[c], b[c]);
    return n_same;
}

// The unexpected row that is most like a missing one; NULL: none has half of it.
static struct row *find_alike(const struct comparison *c, const struct row *missing)
{
    struct row *best = NULL;
    size_t n_best = (c->n_columns - 1) / 2, n_seen = 0;
    for (size_t i = 0; i < c->actual.n && n_seen < PAIRS_MAX; i++) {
        struct row *row = &c->actual.rows[i];
        if (row->is_matched)
            continue;
        n_seen++;
        size_t n = n_alike(row->cells, missing->cells, c->n_columns);
        if (n > n_best) {
            n_best = n;
            best = row;
        }
    }
    return best;
}

static void add_line(struct test_difference *difference, const struct row *row,
                     bool is_expected, bool is_pair)
{
    difference->lines[difference->n_lines++] =
        (struct test_line){row->line, row->cells, is_expected, is_pair};
    difference->n_missing += is_expected;
    difference->n_unexpected += !is_expected;
}

static void add_lines(struct comparison *c, struct test_difference *difference)
{
    size_t n_pairs = 0;
    for (size_t i = 0; i < c->expected.n; i++) {
        const struct row *missing = &c->expected.rows[i];
        difference->n_same += missing->is_matched;
        if (missing->is_matched)
            continue;
        add_line(difference, missing, true, false);
        struct row *alike = n_pairs++ < PAIRS_MAX ? find_alike(c, missing) : NULL;
        if (alike == NULL)
            continue;
        add_line(difference, alike, false, true);
        alike->is_matched = true;
    }
    for (size_t i = 0; i < c->actual.n; i++)
        if (!c->actual.rows[i].is_matched)
            add_line(difference, &c->actual.rows[i], false, false);
}

static struct test_difference *add(struct test_differences *ret)
{
    MEM_GROW(ret->items, ret->n, ret->capacity);
    ret->items[ret->n] = (struct test_difference){0};
    return &ret->items[ret->n++];
}

static const struct str *keep(const struct str *cells, size_t n, struct arena *arena)
{
    struct str *kept = arena_array(arena, n, sizeof(*kept));
    for (size_t c = 0; c < n; c++)
        kept[c] = arena_str(arena, cells[c]);
    return kept;
}

// Nothing, when all are matched. What is told outlives the test and its rows.
static void conclude(struct comparison *c, const struct test_difference *head,
                     struct test_differences *ret)
{
    struct arena *arena = &ret->arena;
    struct test_difference difference = *head;
    difference.lines =
        arena_array(arena, c->expected.n + c->actual.n, sizeof(*difference.lines));
    add_lines(c, &difference);
    if (difference.n_lines == 0)
        return;
    difference.title = arena_str(arena, head->title);
    difference.file = arena_cstr(arena, str_of(head->file));
    difference.n_columns = c->n_columns;
    difference.columns = keep(c->columns, c->n_columns, arena);
    for (size_t i = 0; i < difference.n_lines; i++)
        difference.lines[i].cells = keep(difference.lines[i].cells, c->n_columns, arena);
    *add(ret) = difference;
}

static struct side new_side(struct arena *arena, size_t n)
{
    return (struct side){arena_array(arena, n, sizeof(struct row)), 0};
}

static void add_row(struct side *side, const struct str *cells, size_t line)
{
    side->rows[side->n] = (struct row){cells, line, side->n, false};
    side->n++;
}

static size_t line_of(const struct test_record *record)
{
    return record ? record->row->line : 0;
}

// Rows.

static enum status expected_cells(const struct test_block *block,
                                  const struct test_row *row,
                                  const struct column *columns, size_t n,
                                  struct arena *arena, const struct str **ret,
                                  struct err *err)
{
    struct str *cells = arena_array(arena, n, sizeof(*cells));
    for (size_t c = 0; c < n; c++) {
        struct value value;
        TRY(test_cell_value(block, &row->cells[c], &columns[c], arena, &value, err));
        cells[c] = test_value_text(value, arena);
    }
    *ret = cells;
    return ST_OK;
}

static enum status expected_side(const struct test_block *block, const size_t *places,
                                 const struct schema *schema, struct arena *arena,
                                 struct side *ret, struct err *err)
{
    struct schema shown = test_shown_schema(schema, arena);
    struct column *columns = arena_array(arena, block->n_columns, sizeof(*columns));
    for (size_t c = 0; c < block->n_columns; c++) {
        columns[c] = shown.columns[places[c]];
        columns[c].nullable = true; // what is expected may be wrong
    }
    *ret = new_side(arena, block->n_rows);
    for (size_t i = 0; i < block->n_rows; i++) {
        const struct str *cells;
        TRY(expected_cells(block, &block->rows[i], columns, block->n_columns, arena,
                           &cells, err));
        add_row(ret, cells, block->rows[i].line);
    }
    return ST_OK;
}

static struct side actual_side(const struct test_output *output, const size_t *places,
                               size_t n, struct arena *arena)
{
    struct side side = new_side(arena, output->n_rows);
    for (size_t i = 0; i < output->n_rows; i++) {
        struct str *cells = arena_array(arena, n, sizeof(*cells));
        for (size_t c = 0; c < n; c++)
            cells[c] = output->rows[i].cells[places[c]];
        add_row(&side, cells, line_of(output->rows[i].record));
    }
    return side;
}

static const struct str *names_of(const struct schema *schema, const size_t *places,
                                  size_t n, struct arena *arena)
{
    struct str *names = arena_array(arena, n, sizeof(*names));
    for (size_t c = 0; c < n; c++)
        names[c] = arena_str(arena, schema->columns[places[c]].name);
    return names;
}

// Those that the block names; all when it has no rows, and so no header.
static size_t *find_places(const struct test_block *block, const struct schema *schema,
                           size_t *ret_n, struct arena *arena)
{
    *ret_n = block->n_columns > 0 ? block->n_columns : schema->n;
    size_t *places = arena_array(arena, *ret_n, sizeof(*places));
    for (size_t c = 0; c < *ret_n; c++)
        places[c] = block->n_columns > 0
                        ? (size_t)schema_find(schema, block->columns[c].text)
                        : c;
    return places;
}

enum status test_compare_rows(const struct test_case *test,
                              const struct test_block *block, const struct schema *schema,
                              const struct test_output *output,
                              struct test_differences *ret, struct err *err)
{
    AUTO(arena_release) struct arena scratch = {0};
    struct arena *arena = &scratch;
    struct comparison c = {0};
    size_t *places = find_places(block, schema, &c.n_columns, arena);
    c.columns = names_of(schema, places, c.n_columns, arena);
    TRY(expected_side(block, places, schema, arena, &c.expected, err));
    c.actual = actual_side(output, places, c.n_columns, arena);
    if (test->is_ordered)
        match_in_order(&c);
    else
        match_bags(&c);
    struct test_difference head = {
        .title = block->name.n
                     ? str_of(arena_printf(arena, "expect %.*s", STR_ARGS(block->name)))
                     : STR_LITERAL("expect"),
        .file = block->file,
        .line = block->line,
    };
    conclude(&c, &head, ret);
    return ST_OK;
}

// Rejects.

// "*" in a reason that is expected stands for any text.
static bool reason_fits(struct str pattern, struct str reason)
{
    struct str piece = str_cut(&pattern, '*');
    if (pattern.p == NULL)
        return str_eq(piece, reason);
    if (reason.n < piece.n || memcmp(reason.p, piece.p, piece.n) != 0)
        return false;
    reason = (struct str){reason.p + piece.n, reason.n - piece.n};
    while (true) {
        piece = str_cut(&pattern, '*');
        if (pattern.p == NULL) // the last one ends it
            return reason.n >= piece.n &&
                   memcmp(reason.p + reason.n - piece.n, piece.p, piece.n) == 0;
        if (piece.n == 0)
            continue;
        const char *found = memmem(reason.p, reason.n, piece.p, piece.n);
        if (found == NULL)
            return false;
        size_t n = (size_t)(found - reason.p) + piece.n;
        reason = (struct str){reason.p + n, reason.n - n};
    }
}

// What a record has in the column of that name, as the test gives it.
static struct str record_cell(const struct test_record *record, struct str name,
                              struct arena *arena)
{
    const struct test_block *block = record->block;
    for (size_t c = 0; c < block->n_columns; c++) {
        const struct test_cell *cell = &record->row->cells[c];
        if (!str_eq(block->columns[c].text, name))
            continue;
        AUTO(buf_release) struct buf text = {0};
        if (cell->text.n > 0 || cell->quoted)
            test_put_cell(cell->text, &text);
        return arena_str(arena, buf_as_str(&text));
    }
    return (struct str){0};
}

static struct str reject_cell(const struct test_reject *reject,
                              const struct test_records *records, struct str name,
                              struct arena *arena)
{
    if (str_is(name, "reason"))
        return arena_str(arena, reject->reason);
    if (str_is(name, "record"))
        return str_of(
            arena_printf(arena, "%zu", (size_t)(reject->record - records->items) + 1));
    return record_cell(reject->record, name, arena);
}

// Columns of the block, and the reason.
static const struct str *reject_columns(const struct test_block *block, size_t *ret_n,
                                        struct arena *arena)
{
    size_t n = block ? block->n_columns : 0, n_found = 0;
    bool has_reason = false;
    struct str *names = arena_array(arena, n + 2, sizeof(*names));
    for (size_t c = 0; c < n; c++) {
        names[n_found++] = block->columns[c].text;
        has_reason |= str_is(block->columns[c].text, "reason");
    }
    if (n_found == 0)
        names[n_found++] = STR_LITERAL("record");
    if (!has_reason)
        names[n_found++] = STR_LITERAL("reason");
    *ret_n = n_found;
    return names;
}

static struct str expected_reject_cell(const struct test_cell *cell, struct str name,
                                       struct arena *arena)
{
    AUTO(buf_release) struct buf text = {0};
    if (str_is(name, "reason") || str_is(name, "record"))
        return arena_str(arena, cell->text);
    if (cell->text.n > 0 || cell->quoted)
        test_put_cell(cell->text, &text);
    return arena_str(arena, buf_as_str(&text));
}

static void reject_sides(struct comparison *c, const struct test_block *block,
                         const struct test_records *records,
                         const struct test_output *output, struct arena *arena)
{
    c->expected = new_side(arena, block ? block->n_rows : 0);
    for (size_t i = 0; block != NULL && i < block->n_rows; i++) {
        struct str *cells = arena_array(arena, c->n_columns, sizeof(*cells));
        for (size_t k = 0; k < block->n_columns; k++)
            cells[k] =
                expected_reject_cell(&block->rows[i].cells[k], c->columns[k], arena);
        add_row(&c->expected, cells, block->rows[i].line);
    }
    c->actual = new_side(arena, output->n_rejects);
    for (size_t i = 0; i < output->n_rejects; i++) {
        struct str *cells = arena_array(arena, c->n_columns, sizeof(*cells));
        for (size_t k = 0; k < c->n_columns; k++)
            cells[k] = reject_cell(&output->rejects[i], records, c->columns[k], arena);
        add_row(&c->actual, cells, line_of(output->rejects[i].record));
    }
}

// By the columns that the block has.
static bool reject_fits(const struct comparison *c, size_t n, const struct row *expected,
                        const struct row *actual)
{
    for (size_t k = 0; k < n; k++) {
        bool fits = str_is(c->columns[k], "reason")
                        ? reason_fits(expected->cells[k], actual->cells[k])
                        : str_eq(expected->cells[k], actual->cells[k]);
        if (!fits)
            return false;
    }
    return true;
}

// Those without a "*" choose first.
static void match_rejects(struct comparison *c, size_t n)
{
    for (int wild = 0; wild < 2; wild++) {
        for (size_t i = 0; i < c->expected.n; i++) {
            struct row *expected = &c->expected.rows[i];
            bool is_wild = false;
            for (size_t k = 0; k < n; k++)
                is_wild |= str_is(c->columns[k], "reason") && expected->cells[k].n &&
                           memchr(expected->cells[k].p, '*', expected->cells[k].n);
            for (size_t j = 0; is_wild == wild && j < c->actual.n; j++) {
                struct row *actual = &c->actual.rows[j];
                if (actual->is_matched || !reject_fits(c, n, expected, actual))
                    continue;
                expected->is_matched = actual->is_matched = true;
                break;
            }
        }
    }
}

void test_compare_rejects(const struct test_case *test, const struct test_block *block,
                          const struct test_records *records,
                          const struct test_output *output, struct test_differences *ret)
{
    AUTO(arena_release) struct arena arena = {0};
    struct comparison c = {0};
    c.columns = reject_columns(block, &c.n_columns, &arena);
    reject_sides(&c, block, records, output, &arena);
    match_rejects(&c, block ? block->n_columns : 0);
    struct test_difference head = {
        .title = STR_LITERAL("reject"),
        .file = block ? block->file : test->path,
        .line = block ? block->line : 1,
    };
    conclude(&c, &head, ret);
}

// The two executors.

static struct side executor_side(const struct test_output *output, size_t n,
                                 struct arena *arena)
{
    struct side side = new_side(arena, output->n_rows + output->n_rejects);
    for (size_t i = 0; i < output->n_rows; i++) {
        struct str *cells = arena_array(arena, n + 1, sizeof(*cells));
        memcpy(cells, output->rows[i].cells, n * sizeof(*cells));
        add_row(&side, cells, line_of(output->rows[i].record));
    }
    for (size_t i = 0; i < output->n_rejects; i++) {
        struct str *cells = arena_array(arena, n + 1, sizeof(*cells));
        cells[n] = output->rejects[i].reason;
        add_row(&side, cells, line_of(output->rejects[i].record));
    }
    return side;
}

void test_compare_executors(const struct test_case *test, const struct schema *schema,
                            const struct test_output *native,
                            const struct test_output *sqlite,
                            struct test_differences *ret)
{
    AUTO(arena_release) struct arena arena = {0};
    struct comparison c = {.n_columns = schema->n + 1};
    struct str *names = arena_array(&arena, c.n_columns, sizeof(*names));
    for (size_t i = 0; i < schema->n; i++)
        names[i] = schema->columns[i].name;
    names[schema->n] = STR_LITERAL("rejected: reason");
    c.columns = names;
    c.expected = executor_side(sqlite, schema->n, &arena);
    c.actual = executor_side(native, schema->n, &arena);
    match_bags(&c);
    struct test_difference head = {
        .title = STR_LITERAL("executors"), .file = test->path, .line = 1};
    conclude(&c, &head, ret);
}
