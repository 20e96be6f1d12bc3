// SPDX-License-Identifier: Apache-2.0
#include "job/relations.h"

#include <errno.h>
#include <stdio.h>

#include "base/json_put.h"
#include "job/tables_views.h"
#include "sql/print.h"
#include "sql/spark.h"

enum {
    ROW_BYTES_MAX = 64 << 20,
    WRITE_BYTES = 256 << 10
};

// One that the stream meets.
struct relation_file {
    struct str name;
    const struct schema *schema;
    const char *path;
};

enum status relations_are_known(const struct pipeline *pipeline, const char *version,
                                bool *ret, struct err *err)
{
    char now[65];
    TRY(tables_version(pipeline, now, err));
    *ret = strcmp(now, version) == 0;
    return ST_OK;
}

static const struct schema *schema_of(const struct plan *plan, struct str name)
{
    const struct table *table = plan_table(plan, name);
    if (table != NULL)
        return &table->schema;
    for (size_t i = 0; i < plan->n_views; i++)
        if (str_eq(plan->views[i].name, name))
            return &plan->views[i].schema;
    return NULL;
}

// The rows.

static void put_row(const struct schema *schema, const struct value *row, struct buf *out)
{
    json_put_open(out, NULL, '{');
    for (size_t i = 0; i < schema->n; i++) {
        char name[24];
        snprintf(name, sizeof(name), "c%zu", i);
        if (row[i].kind != VALUE_NULL)
            value_json(out, name, row[i]);
    }
    json_put_close(out, '}');
}

static enum status cannot_write(const char *path, struct err *err)
{
    return err_set(err, ST_FAIL, "cannot write %s: %s", path, strerror(errno));
}

static enum status write_batch(const struct relation_file *to, const struct batch *batch,
                               FILE *file, struct buf *line, struct err *err)
{
    for (size_t i = 0; i < batch->n_rows; i++) {
        buf_clear(line);
        put_row(to->schema, batch_row(batch, i), line);
        buf_char(line, '\n');
        if (line->full)
            return err_set(err, ST_LIMIT, "%.*s: a row has more than %d MB as JSON",
                           STR_ARGS(to->name), ROW_BYTES_MAX >> 20);
        if (fwrite(line->p, 1, line->n, file) != line->n)
            return cannot_write(to->path, err);
    }
    return ST_OK;
}

static enum status write_all(const struct relation_file *to, struct rows *rows,
                             FILE *file, struct err *err)
{
    AUTO(buf_release) struct buf line = BUF_INIT(ROW_BYTES_MAX);
    AUTO(batch_release) struct batch batch = {0};
    batch_init(&batch, to->schema->n);
    do {
        TRY(rows->ops->next(rows, &batch, err));
        TRY(write_batch(to, &batch, file, &line, err));
    } while (batch.n_rows > 0);
    return ST_OK;
}

static enum status write_file(const struct relation_file *to, struct rows *rows,
                              struct err *err)
{
    FILE *file = fopen(to->path, "we");
    if (file == NULL)
        return cannot_write(to->path, err);
    enum status rc = write_all(to, rows, file, err);
    bool is_written = fclose(file) == 0;
    return rc == ST_OK && !is_written ? cannot_write(to->path, err) : rc;
}

// By the names that SQLite has.
static void select_all(const struct relation_file *from, struct buf *sql)
{
    struct printer printer = {.out = sql};
    buf_text(sql, "SELECT ");
    for (size_t i = 0; i < from->schema->n; i++) {
        buf_text(sql, i > 0 ? ", " : "");
        print_name(&printer, from->schema->columns[i].name);
    }
    buf_text(sql, " FROM ");
    print_name(&printer, from->name);
}

static enum status write_relation(struct tables *tables, const struct relation_file *to,
                                  struct err *err)
{
    AUTO(buf_release) struct buf sql = {0};
    struct rows *rows;
    select_all(to, &sql);
    TRY(table_store_sql(tables->store, buf_as_str(&sql), to->schema, &rows, err));
    enum status rc = write_file(to, rows, err);
    rows->ops->close(rows);
    return rc;
}

// What is said of them.

static void put_keys(struct buf *out, const struct plan *plan,
                     const struct relation_file *relation)
{
    json_put_open(out, "keys", '[');
    for (size_t i = 0; i < plan->n_lookups; i++)
        if (str_eq(plan->lookups[i].relation, relation->name))
            json_put_number(out, NULL,
                            schema_find(relation->schema, plan->lookups[i].column));
    json_put_close(out, ']');
}

static void put_relation(struct buf *out, const struct plan *plan,
                         const struct relation_file *relation)
{
    json_put_open(out, NULL, '{');
    json_put_text(out, "name", relation->name);
    json_put_text(out, "file", str_of(relation->path));
    json_put_open(out, "columns", '[');
    for (size_t i = 0; i < relation->schema->n; i++) {
        const struct column *column = &relation->schema->columns[i];
        json_put_open(out, NULL, '{');
        json_put_text(out, "name", column->name);
        json_put_text(out, "type", str_of(type_name(column->type)));
        json_put_close(out, '}');
    }
    json_put_close(out, ']');
    put_keys(out, plan, relation);
    json_put_close(out, '}');
}

static enum status write_relations(struct pipeline *pipeline, struct tables *tables,
                                   const char *directory, struct buf *ret,
                                   struct err *err)
{
    const struct plan *plan = pipeline->plan;
    json_put_open(ret, "relations", '[');
    for (size_t i = 0; i < plan->n_insert_reads; i++) {
        if (str_eq(plan->insert_reads[i], plan->stream->name))
            continue;
        const struct relation_file relation = {
            .name = plan->insert_reads[i],
            .schema = schema_of(plan, plan->insert_reads[i]),
            .path = arena_printf(&pipeline->arena, "%s/%zu.json", directory, i),
        };
        TRY(write_relation(tables, &relation, err));
        put_relation(ret, plan, &relation);
    }
    json_put_close(ret, ']');
    return ST_OK;
}

static enum status write_loaded(struct pipeline *pipeline, struct tables *tables,
                                const char *directory, struct buf *ret, struct err *err)
{
    const struct plan *plan = pipeline->plan;
    TRY(tables_write_views(pipeline, tables, err));
    json_put_open(ret, NULL, '{');
    json_put_number(ret, "v", 1);
    json_put_text(ret, "kind", str_of("tables"));
    json_put_text(ret, "dimension", str_of(tables->version));
    json_put_text(ret, "decode", plan->spark->decode);
    json_put_text(ret, "query", plan->spark->query);
    json_put_text(ret, "stream", plan->stream->name);
    json_put_number(ret, "columns", (int64_t)plan->output.n);
    TRY(write_relations(pipeline, tables, directory, ret, err));
    json_put_close(ret, '}');
    buf_char(ret, '\n');
    return ST_OK;
}

enum status relations_write(struct pipeline *pipeline, const char *directory,
                            struct buf *ret, struct err *err)
{
    struct tables tables;
    pipeline->gives_relations = true;
    TRY(tables_load(pipeline, NULL, false, &tables, err));
    enum status rc = write_loaded(pipeline, &tables, directory, ret, err);
    tables_release(&tables);
    return rc;
}
