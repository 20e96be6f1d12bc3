// SPDX-License-Identifier: Apache-2.0
#include "avro/table.h"

#include <stdlib.h>

#include "avro/container.h"
#include "avro/plan.h"
#include "base/text.h"

enum {
    BATCH_ROWS = 1024
};

struct avro_table {
    struct rows rows; // first member
    struct avro_container *container;
    struct avro_reader *reader;
    struct avro_plan *plan;
    bool skip_errors;
    struct wire wire;     // what is left of the block
    int64_t row;          // rows of the block already read
    uint32_t min_bytes;   // of a row
    int64_t n_empty_rows; // so far, when that is 0
    struct arena arena;   // columns, if they are the file's; messages
    struct rows_stats stats;
};

static enum status row_error(struct avro_table *table, const struct avro_fault *fault,
                             struct err *err)
{
    struct buf text = BUF_INIT(ERR_TEXT_MAX);
    avro_fault_format(table->plan, fault, &text);
    enum status rc = avro_container_wrong(table->container, err, "row %lld: %s",
                                          (long long)table->row + 1, buf_cstr(&text));
    buf_release(&text);
    return rc;
}

// A row that did not resolve; its bytes may yet be whole, then it can be left out.
static enum status bad_row(struct avro_table *table, struct wire begin,
                           const struct avro_fault *fault, struct batch *batch,
                           struct err *err)
{
    struct err why;
    enum status rc = row_error(table, fault, &why);
    struct value *scratch = batch_add(batch, 0); // not written to
    struct avro_fault ignored;
    bool whole = avro_plan_run(table->plan, table->plan->skip_pc, &begin, scratch,
                               &batch->arena, &ignored);
    batch_drop_last(batch);
    if (!table->skip_errors || !whole)
        return err_set(err, rc, "%s", why.text);
    struct rows_stats *stats = &table->stats;
    table->wire = begin;
    stats->n_skipped++;
    if (stats->n_messages < ROWS_MESSAGES)
        stats->messages[stats->n_messages++] =
            arena_cstr(&table->arena, str_of(why.text));
    return ST_OK;
}

static enum status read_row(struct avro_table *table, struct batch *batch,
                            struct err *err)
{
    struct wire begin = table->wire;
    struct avro_fault fault;
    struct value *row = batch_add(batch, (uint32_t)batch->n_rows);
    if (LIKELY(avro_plan_run(table->plan, 0, &table->wire, row, &batch->arena, &fault))) {
        table->stats.n_rows++;
        return ST_OK;
    }
    batch_drop_last(batch);
    return bad_row(table, begin, &fault, batch, err);
}

static enum status check_empty_rows(struct avro_table *table, struct err *err)
{
    struct avro_container *c = table->container;
    table->n_empty_rows += c->n_rows;
    if (table->n_empty_rows <= AVRO_EMPTY_ROWS_MAX)
        return ST_OK;
    return avro_container_wrong(c, err,
                                "more than %d rows of a schema whose rows take no bytes",
                                AVRO_EMPTY_ROWS_MAX);
}

static enum status next_block(struct avro_table *table, bool *ret, struct err *err)
{
    struct avro_container *c = table->container;
    if (c->n_blocks != 0 && wire_left(&table->wire) != 0)
        return avro_container_wrong(c, err, "%zu bytes left behind the last row",
                                    wire_left(&table->wire));
    TRY(avro_container_next(c, ret, err));
    if (!*ret)
        return ST_OK;
    table->wire = wire_of(buf_as_str(&c->block));
    table->row = 0;
    if (table->min_bytes == 0)
        return check_empty_rows(table, err);
    if (c->n_rows > (int64_t)(c->block.n / table->min_bytes))
        return avro_container_wrong(c, err, "%s cannot be in %zu bytes",
                                    text_counted(c->n_rows, "row", "rows"), c->block.n);
    return ST_OK;
}

// Rows of one batch are of one block: they borrow its bytes.
static enum status table_next(struct rows *rows, struct batch *batch, struct err *err)
{
    struct avro_table *table = (struct avro_table *)rows;
    struct avro_container *c = table->container;
    batch_clear(batch);
    while (batch->n_rows == 0) {
        bool more = true;
        if (table->row == c->n_rows)
            TRY(next_block(table, &more, err));
        if (!more)
            break;
        for (; table->row < c->n_rows && batch->n_rows < BATCH_ROWS; table->row++)
            TRY(read_row(table, batch, err));
    }
    return ST_OK;
}

static void table_close(struct rows *rows)
{
    struct avro_table *table = (struct avro_table *)rows;
    avro_plan_free(table->plan);
    avro_reader_free(table->reader);
    avro_container_free(table->container);
    arena_release(&table->arena);
    free(table);
}

static const struct rows_ops table_ops = {
    .next = table_next,
    .close = table_close,
};

// Columns, plan: what reads the rows of the file.
static enum status open_plan(struct avro_table *table, struct str json,
                             const struct avro_table_options *options, struct err *err)
{
    struct schema columns;
    if (options->columns != NULL)
        columns = *options->columns;
    else
        TRY(avro_columns_of(json, &table->arena, &columns, err));
    TRY(avro_reader_open(&columns, options->reader_schema, &table->reader, err));
    struct avro_schema *writer;
    TRY(avro_schema_parse(&json, 1, &writer, err));
    table->min_bytes = writer->root->min_bytes;
    enum status rc = avro_plan_open(writer, table->reader, &table->plan, err);
    avro_schema_free(writer);
    return rc;
}

static enum status open_file(struct avro_table *table, struct storage *storage,
                             struct str path, const struct avro_table_options *options,
                             struct err *err)
{
    struct str json;
    TRY(avro_container_open(storage, path, &table->container, err));
    if (!avro_container_get(table->container, str_of("avro.schema"), &json))
        return avro_container_wrong(table->container, err,
                                    "the header has no avro.schema");
    enum status rc = open_plan(table, json, options, err);
    if (rc != ST_OK)
        return err_context(err, rc, "%.*s", STR_ARGS(path));
    return ST_OK;
}

enum status avro_table_open(struct storage *storage, struct str path,
                            const struct avro_table_options *options, struct rows **ret,
                            struct err *err)
{
    struct avro_table *table = mem_zalloc(sizeof(*table));
    table->rows.ops = &table_ops;
    table->skip_errors = options->skip_errors;
    struct err own; // err_context wants one
    enum status rc = open_file(table, storage, path, options, err ? err : &own);
    if (rc != ST_OK) {
        table_close(&table->rows);
        return rc;
    }
    table->rows.schema = &table->reader->columns;
    *ret = &table->rows;
    return ST_OK;
}

const struct rows_stats *avro_table_stats(const struct rows *rows)
{
    return &((const struct avro_table *)rows)->stats;
}
