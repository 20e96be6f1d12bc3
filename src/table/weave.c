// SPDX-License-Identifier: Apache-2.0
// Tails that were woven not long ago are found by the rows that they are made of.
#include "table/weave.h"

#include <stdlib.h>

#include "table/output_check.h"

enum {
    ROWS_MAX = 4096,      // that one row of the first table gives
    TAILS_MAX = 4 << 20,  // bytes of their tails
    RECENT = 1 << 12,     // tails that are looked at
    MEMORY_MAX = 1 << 20, // bytes of tails, before they are forgotten
    LOOK_ROWS = 1 << 10   // woven between two questions whether to go on
};

// What can be woven.

// False: the operand is no column of a source.
static bool find_column(const struct table_query *query, struct operand operand,
                        struct weave_column *ret)
{
    size_t column = operand.index, n = query->source.schema.n;
    if (operand.kind != OPERAND_INPUT)
        return false;
    ret->source = 0;
    for (size_t i = 0; i < query->n_joins && column >= n; i++) {
        ret->source = i + 1;
        column -= n;
        n = query->joins[i].source.schema.n;
    }
    ret->column = column;
    return true;
}

static bool find_output(const struct table_query *query, size_t output,
                        struct weave_column *ret)
{
    return find_column(query, query->program->parts[PART_OUTPUTS].values[output], ret);
}

static bool is_by_key(const struct table_query *query, const struct table_join *join)
{
    const struct program_part *parts = join->program->parts;
    bool is = parts[PART_FILTER].n_values == 0 && parts[part_match(0)].n_values == 0;
    for (size_t i = 0; i < parts[part_keys(0)].n_values; i++) {
        struct weave_column column;
        is = is && find_column(query, parts[part_keys(0)].values[i], &column) &&
             column.source == 0;
    }
    return is;
}

// How many of the outputs are of the first table, which those of others may only follow.
static bool find_lead(const struct weave_spec *spec, size_t *ret)
{
    struct weave_column column;
    *ret = 0;
    for (size_t i = 0; i < spec->n_outputs; i++) {
        if (!find_output(spec->query, spec->outputs[i], &column))
            return false;
        if (column.source == 0 && *ret < i)
            return false;
        *ret += column.source == 0;
    }
    return true;
}

bool weave_can(const struct weave_spec *spec)
{
    const struct table_query *query = spec->query;
    struct weave_column column;
    size_t n_lead;
    bool can = query->source.table != NULL && query->n_joins > 0 &&
               query->program->parts[PART_FILTER].n_values == 0 &&
               find_lead(spec, &n_lead);
    for (size_t i = 0; i < query->n_joins; i++)
        can = can && is_by_key(query, &query->joins[i]);
    for (size_t i = 0; i < spec->n_keys; i++)
        can = can && find_output(query, i, &column) && column.source == 0;
    return can;
}

// Open and close.

static const struct table_source *source_of(const struct table_query *query,
                                            size_t source)
{
    return source == 0 ? &query->source : &query->joins[source - 1].source;
}

// Where the first table keeps a column of its source.
static size_t first_place(const struct weave *weave, size_t column)
{
    const struct table_source *source = &weave->spec.query->source;
    return weave->store->tables[source->table - weave->store->plan->tables]
        .places[source->columns[column]];
}

static void find_columns(struct weave *weave)
{
    const struct weave_spec *spec = &weave->spec;
    weave->outputs = mem_array(spec->n_outputs + 1, sizeof(*weave->outputs));
    weave->keys = mem_array(spec->n_keys + 1, sizeof(*weave->keys));
    (void)find_lead(spec, &weave->n_lead);
    for (size_t i = 0; i < spec->n_outputs; i++) {
        struct weave_column *column = &weave->outputs[i];
        const struct column *to = &weave->row_format->schema->columns[spec->first + i];
        (void)find_output(spec->query, spec->outputs[i], column);
        const struct column *from =
            &source_of(spec->query, column->source)->schema.columns[column->column];
        bool fits = to->type == TYPE_TEXT && output_always_fits(to, from);
        column->is_checked = spec->checks && !fits;
        if (column->source == 0)
            column->column = first_place(weave, column->column);
    }
    for (size_t i = 0; i < spec->n_keys; i++) {
        struct weave_column column = {0};
        (void)find_output(spec->query, i, &column);
        weave->keys[i] = first_place(weave, column.column);
    }
}

static void find_join_keys(struct weave *weave, struct weave_join *join)
{
    const struct table_join *plan = join->index.join;
    const struct program_part *part = &plan->program->parts[part_keys(0)];
    join->keys = mem_array(plan->n_keys + 1, sizeof(*join->keys));
    for (size_t i = 0; i < plan->n_keys; i++)
        join->keys[i] = first_place(weave, part->values[i].index);
}

// Rows of the key that has most.
static size_t longest_chain(const struct join_index *index)
{
    size_t most = 1;
    for (size_t i = 0; i <= index->keys.mask; i++) {
        size_t n = 0;
        for (uint32_t row = index->keys.slots[i].value; row != 0;
             row = index->next[row - 1])
            n++;
        most = n > most ? n : most;
    }
    return most;
}

static enum status open_joins(struct weave *weave, bool *ret_can, struct err *err)
{
    const struct table_query *query = weave->spec.query;
    size_t n_rows = 1;
    for (size_t i = 0; i < query->n_joins && n_rows <= ROWS_MAX; i++) {
        struct weave_join *join = &weave->joins[i];
        TRY(join_index_open(&join->index, weave->store, &query->joins[i], err));
        find_join_keys(weave, join);
        n_rows *= longest_chain(&join->index);
    }
    *ret_can = n_rows <= ROWS_MAX;
    return ST_OK;
}

static size_t most_keys(const struct table_query *query)
{
    size_t most = 0;
    for (size_t i = 0; i < query->n_joins; i++)
        most = query->joins[i].n_keys > most ? query->joins[i].n_keys : most;
    return most;
}

enum status weave_open(struct table_store *store, const struct weave_spec *spec,
                       struct row_format *row_format, struct weave **ret, struct err *err)
{
    struct weave *weave = mem_zalloc(sizeof(*weave));
    const struct table_query *query = spec->query;
    size_t n = query->n_joins;
    bool can = false;
    *weave = (struct weave){.store = store, .spec = *spec, .row_format = row_format};
    weave->first = &store->tables[query->source.table - store->plan->tables].columns;
    weave->joins = mem_array(n, sizeof(*weave->joins));
    weave->heads = mem_array(2 * n, sizeof(*weave->heads));
    weave->rows = weave->heads + n;
    weave->values = mem_array(spec->n_outputs + 1, sizeof(*weave->values));
    weave->key = mem_array(most_keys(query) + 1, sizeof(*weave->key));
    weave->places = mem_array(most_keys(query) + 1, sizeof(*weave->places));
    for (size_t i = 0; i < most_keys(query); i++)
        weave->places[i] = i;
    weave->recent = mem_array(RECENT, sizeof(struct weave_tails *));
    weave->bytes = BUF_INIT(TAILS_MAX);
    find_columns(weave);
    weave->spec.outputs = NULL; // borrowed for this call
    enum status rc = open_joins(weave, &can, err);
    if (rc != ST_OK || !can) {
        weave_close(weave);
        weave = NULL;
    }
    *ret = weave;
    return rc;
}

void weave_close(struct weave *weave)
{
    if (weave == NULL)
        return;
    for (size_t i = 0; i < weave->spec.query->n_joins; i++) {
        join_index_release(&weave->joins[i].index);
        free(weave->joins[i].keys);
    }
    free(weave->joins);
    free(weave->heads);
    free(weave->values);
    free(weave->key);
    free(weave->places);
    free(weave->keys);
    free(weave->outputs);
    free(weave->recent);
    buf_release(&weave->lead);
    buf_release(&weave->key_bytes);
    buf_release(&weave->lengths);
    buf_release(&weave->bytes);
    arena_release(&weave->arena);
    free(weave);
}

// Look-up.

static struct str key_of(struct weave *weave, const struct weave_join *join, size_t row)
{
    size_t n = join->index.join->n_keys;
    for (size_t i = 0; i < n; i++)
        weave->key[i] = columns_value(weave->first, join->keys[i], row);
    if (n == 1)
        return key_of_value(&weave->key[0]);
    buf_clear(&weave->key_bytes);
    return key_of_columns(weave->key, weave->places, n, &weave->key_bytes)
               ? buf_as_str(&weave->key_bytes)
               : (struct str){0};
}

// Finds the rows that a row of the first table meets. *ret_any: it has rows.
static enum status find_heads(struct weave *weave, size_t row, bool *ret_any,
                              struct err *err)
{
    *ret_any = true;
    for (size_t i = 0; i < weave->spec.query->n_joins; i++) {
        const struct join_index *index = &weave->joins[i].index;
        struct str key = key_of(weave, &weave->joins[i], row);
        weave->heads[i] = key.p != NULL ? join_index_find(index, key) : 0;
        *ret_any = *ret_any && (weave->heads[i] != 0 || index->join->left);
    }
    return join_key_check(&weave->key_bytes, err);
}

// Tails.

static void check(struct weave *weave, size_t output, struct value value)
{
    const struct column *column =
        &weave->row_format->schema->columns[weave->spec.first + output];
    if (output_check(column, value) != OUTPUT_FITS)
        weave->is_flawed = true;
}

// A row of each join, 0: a row of NULLs.
static void encode_tail(struct weave *weave)
{
    struct row_format *row_format = weave->row_format;
    size_t n_lead = weave->n_lead, n = weave->spec.n_outputs - n_lead;
    for (size_t i = n_lead; i < weave->spec.n_outputs; i++) {
        const struct weave_column *column = &weave->outputs[i];
        size_t join = column->source - 1;
        uint32_t row = weave->rows[join];
        weave->values[i] = row == 0 ? (struct value){0}
                                    : join_index_value(&weave->joins[join].index,
                                                       column->column, row - 1);
        if (column->is_checked)
            check(weave, i, weave->values[i]);
    }
    if (n > 0)
        row_format->ops->fields(row_format, weave->spec.first + n_lead,
                                weave->values + n_lead, n, &weave->bytes);
    if (weave->spec.ends_row)
        row_format->ops->end_row(row_format, &weave->bytes);
}

// The next combination of rows, the last join's first. False: there is none.
static bool next_rows(struct weave *weave)
{
    for (size_t i = weave->spec.query->n_joins; i-- > 0;) {
        uint32_t row = weave->rows[i];
        weave->rows[i] = row != 0 ? weave->joins[i].index.next[row - 1] : 0;
        if (weave->rows[i] != 0)
            return true;
        weave->rows[i] = weave->heads[i];
    }
    return false;
}

static void encode_tails(struct weave *weave)
{
    buf_clear(&weave->lengths);
    buf_clear(&weave->bytes);
    memcpy(weave->rows, weave->heads, weave->spec.query->n_joins * sizeof(*weave->rows));
    do {
        size_t before = weave->bytes.n;
        encode_tail(weave);
        uint32_t length = (uint32_t)(weave->bytes.n - before);
        buf_append(&weave->lengths, &length, sizeof(length));
    } while (next_rows(weave));
}

static struct weave_tails *keep_tails(struct weave *weave)
{
    size_t n_joins = weave->spec.query->n_joins;
    struct weave_tails *tails =
        arena_alloc(&weave->arena, sizeof(*tails) + n_joins * sizeof(*tails->heads));
    *tails = (struct weave_tails){.n_rows = weave->lengths.n / sizeof(uint32_t),
                                  .n_bytes = weave->bytes.n};
    memcpy(tails->heads, weave->heads, n_joins * sizeof(*tails->heads));
    char *lengths = arena_alloc(&weave->arena, weave->lengths.n);
    memcpy(lengths, weave->lengths.p, weave->lengths.n);
    tails->lengths = (const uint32_t *)(const void *)lengths;
    tails->bytes = arena_str(&weave->arena, buf_as_str(&weave->bytes)).p;
    return tails;
}

static bool are_of(const struct weave_tails *tails, const struct weave *weave)
{
    bool are = tails != NULL;
    for (size_t i = 0; are && i < weave->spec.query->n_joins; i++)
        are = tails->heads[i] == weave->heads[i];
    return are;
}

static enum status find_tails(struct weave *weave, struct weave_tails **ret,
                              struct err *err)
{
    size_t n_joins = weave->spec.query->n_joins;
    uint64_t hash = hash64(weave->heads, n_joins * sizeof(*weave->heads));
    struct weave_tails **recent = &weave->recent[hash % RECENT];
    *ret = *recent;
    if (are_of(*recent, weave))
        return ST_OK;
    if (weave->arena.n_bytes > MEMORY_MAX) {
        arena_clear(&weave->arena);
        memset(weave->recent, 0, RECENT * sizeof(*weave->recent));
    }
    encode_tails(weave);
    TRY(buf_check(&weave->bytes, "rows", err));
    *ret = *recent = keep_tails(weave);
    return ST_OK;
}

// Rows.

static void encode_lead(struct weave *weave, size_t row)
{
    struct row_format *row_format = weave->row_format;
    buf_clear(&weave->lead);
    for (size_t i = 0; i < weave->n_lead; i++) {
        const struct weave_column *column = &weave->outputs[i];
        weave->values[i] = columns_value(weave->first, column->column, row);
        if (UNLIKELY(column->is_checked))
            check(weave, i, weave->values[i]);
    }
    if (weave->n_lead > 0)
        row_format->ops->fields(row_format, weave->spec.first, weave->values,
                                weave->n_lead, &weave->lead);
}

static enum status weave_row(struct weave *weave, size_t row, struct woven *ret,
                             bool *ret_any, struct err *err)
{
    TRY(find_heads(weave, row, ret_any, err));
    if (!*ret_any)
        return ST_OK;
    struct weave_tails *tails;
    encode_lead(weave, row);
    TRY(find_tails(weave, &tails, err));
    *ret = (struct woven){row, buf_as_str(&weave->lead), tails};
    return buf_check(&weave->lead, "rows", err);
}

enum status weave_next(struct weave *weave, struct woven *ret, bool *ret_more,
                       struct err *err)
{
    *ret_more = false;
    while (!*ret_more && weave->next < weave->first->n_rows) {
        if (weave->next % LOOK_ROWS == 0)
            TRY(table_store_go_on(weave->store, err));
        TRY(weave_row(weave, weave->next++, ret, ret_more, err));
    }
    return ST_OK;
}

void weave_keys(const struct weave *weave, size_t row, struct value *ret)
{
    for (size_t i = 0; i < weave->spec.n_keys; i++)
        ret[i] = columns_value(weave->first, weave->keys[i], row);
}

bool weave_has_key_again(const struct weave *weave, size_t row)
{
    bool has = row + 1 < weave->first->n_rows;
    for (size_t i = 0; has && i < weave->spec.n_keys; i++) {
        struct value a = columns_value(weave->first, weave->keys[i], row);
        struct value b = columns_value(weave->first, weave->keys[i], row + 1);
        has = a.kind == b.kind && value_eq(a, b);
    }
    return has;
}
