// SPDX-License-Identifier: Apache-2.0
// What src/sql makes of queries, from the command line, for the end to end tests.
//
//   sql_tool     lines of JSON on stdin; the first has the tables:
//     {"tables": "CREATE TABLE ...;", "rows": {TABLE: [[VALUE..]..]}}
//   Each line more is a query, and gets an answer of one line:
//     {"query": SELECT, "as": "view" | "table" | "insert" | "spark",
//      "views": [[NAME, SELECT]..], "tables": "CREATE TABLE ...;"}
//   It is run as a view, as a view that is kept as a table, or as the INSERT of a stream
//   whose records come in one batch; or the INSERT is printed as Spark SQL. Tables of its
//   own stand for those of the first line. The answers:
//     {"columns": [[NAME, TYPE, NULLABLE]..], "rows": [[VALUE..]..]}
//     {"decode": SELECT, "spark": SELECT, "views": [[NAME, SELECT of SQLite]..]}
//     {"refused": REPORT} or {"failed": ERROR}
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sql/spark.h"
#include "sql/sqlite_host.h"

#define SINK                                                                    \
    "CREATE TABLE tool_out () WITH (connector = 'filesystem', path = '/none', " \
    "format = 'csv');\n"

static void die(const char *text)
{
    fprintf(stderr, "sql_tool: %s\n", text);
    exit(1);
}

static json_t *json_of_value(struct value v)
{
    switch ((enum value_kind)v.kind) {
    case VALUE_TEXT:
        return json_stringn(v.p, v.n);
    case VALUE_INT:
        return json_integer(v.i);
    case VALUE_REAL:
        return json_real(v.r);
    case VALUE_BOOL:
        return json_boolean(v.i);
    default:
        return json_null();
    }
}

static struct value value_of_json(const json_t *json, enum type type)
{
    if (json_is_string(json))
        return value_text(
            (struct str){json_string_value(json), json_string_length(json)});
    if (json_is_boolean(json))
        return (struct value){.i = json_is_true(json), .kind = VALUE_BOOL};
    if (json_is_number(json) && type == TYPE_REAL)
        return (struct value){.r = json_number_value(json), .kind = VALUE_REAL};
    if (json_is_integer(json))
        return value_int(json_integer_value(json));
    return (struct value){0};
}

static void fill(const json_t *lines, const struct schema *schema, struct batch *batch)
{
    for (size_t i = 0; i < json_array_size(lines); i++) {
        struct value *row = batch_add(batch, (uint32_t)i);
        for (size_t c = 0; c < schema->n; c++)
            row[c] = value_of_json(json_array_get(json_array_get(lines, i), c),
                                   schema->columns[c].type);
    }
}

// Rows of the first line.
struct given_rows {
    struct rows rows;
    const json_t *lines; // NULL when they are given
};

static enum status given_next(struct rows *base, struct batch *batch, struct err *err)
{
    struct given_rows *rows = (struct given_rows *)base;
    (void)err;
    batch_clear(batch);
    fill(rows->lines, base->schema, batch);
    rows->lines = NULL;
    return ST_OK;
}

static void given_close(struct rows *rows)
{
    (void)rows;
}

static const struct rows_ops given_ops = {.next = given_next, .close = given_close};

struct world {
    const json_t *rows;
    struct plan *plan;
    struct sqlite_host *host;
    struct batch stream;
};

static enum status load_table(struct world *world, const struct table *table,
                              struct err *err)
{
    const json_t *lines = json_object_get(world->rows, table->name.p);
    struct given_rows rows = {{.ops = &given_ops, .schema = &table->schema}, lines};
    if (table->kind == TABLE_SINK)
        return ST_OK;
    if (table->kind == TABLE_DIMENSION)
        return sqlite_host_load(world->host, table->name, &table->schema, &rows.rows,
                                NULL, err);
    batch_init(&world->stream, table->schema.n);
    fill(lines, &table->schema, &world->stream);
    TRY(sqlite_host_stream(world->host, table->name, &table->schema, err));
    sqlite_host_set_batch(world->host, &world->stream, 0, world->stream.n_rows);
    return ST_OK;
}

static enum status load(struct world *world, bool keep, struct err *err)
{
    const struct plan *plan = world->plan;
    TRY(sqlite_host_open(&world->host, err));
    for (size_t i = 0; i < plan->n_tables; i++)
        TRY(load_table(world, &plan->tables[i], err));
    for (size_t i = 0; i < plan->n_views; i++)
        TRY(sqlite_host_view(world->host, &plan->views[i],
                             keep ? SQLITE_TABLE : SQLITE_VIEW, err));
    return ST_OK;
}

static json_t *json_of_schema(const struct schema *schema)
{
    json_t *columns = json_array();
    for (size_t i = 0; i < schema->n; i++)
        json_array_append_new(columns, json_pack("[s, s, b]", schema->columns[i].name.p,
                                                 type_name(schema->columns[i].type),
                                                 schema->columns[i].nullable));
    return columns;
}

static enum status read_rows(struct rows *rows, json_t *ret, struct err *err)
{
    AUTO(batch_release) struct batch batch;
    batch_init(&batch, rows->schema->n);
    do {
        TRY(rows->ops->next(rows, &batch, err));
        for (size_t i = 0; i < batch.n_rows; i++) {
            json_t *row = json_array();
            for (size_t c = 0; c < batch.n_columns; c++)
                json_array_append_new(row, json_of_value(batch_row(&batch, i)[c]));
            json_array_append_new(ret, row);
        }
    } while (batch.n_rows > 0);
    return ST_OK;
}

static enum status run(struct world *world, const char *as, json_t *answer,
                       struct err *err)
{
    const struct plan *plan = world->plan;
    bool is_insert = strcmp(as, "insert") == 0, is_table = strcmp(as, "table") == 0;
    const struct view *view = is_insert ? NULL : &plan->views[plan->n_views - 1];
    const struct schema *schema = view ? &view->schema : &plan->output;
    struct str sql = is_table ? STR_LITERAL("SELECT * FROM tool_view")
                     : view   ? view->sql
                              : plan->insert_sql;
    struct rows *rows;
    TRY(load(world, is_table || is_insert, err));
    TRY(sqlite_host_query(world->host, sql, schema, &rows, err));
    json_t *list = json_array();
    enum status status = read_rows(rows, list, err);
    rows->ops->close(rows);
    json_object_set_new(answer, "columns", json_of_schema(schema));
    json_object_set_new(answer, "rows", list);
    return status;
}

// The job as a script.
static void write_script(const json_t *job, const char *tables, struct buf *ret)
{
    const char *as = json_string_value(json_object_get(job, "as"));
    const char *query = json_string_value(json_object_get(job, "query"));
    const json_t *views = json_object_get(job, "views");
    if (as == NULL || query == NULL)
        die("a line without query or as");
    buf_text(ret, tables);
    for (size_t i = 0; i < json_array_size(views); i++) {
        const json_t *view = json_array_get(views, i);
        buf_printf(ret, "CREATE VIEW %s AS ", json_string_value(json_array_get(view, 0)));
        buf_text(ret, json_string_value(json_array_get(view, 1)));
        buf_text(ret, ";\n");
    }
    bool is_insert = strcmp(as, "insert") == 0 || strcmp(as, "spark") == 0;
    buf_text(ret, is_insert ? SINK "INSERT INTO tool_out " : "CREATE VIEW tool_view AS ");
    buf_text(ret, query);
}

static void print_spark(const struct plan *plan, json_t *answer)
{
    json_t *views = json_array();
    for (size_t i = 0; i < plan->n_views; i++)
        json_array_append_new(
            views, json_pack("[s, s]", plan->views[i].name.p, plan->views[i].sql.p));
    json_object_set_new(answer, "views", views);
    json_object_set_new(answer, "decode", json_string(plan->spark->decode.p));
    json_object_set_new(answer, "spark", json_string(plan->spark->query.p));
}

static json_t *answer_to(const json_t *job, const char *tables, const json_t *rows)
{
    AUTO(buf_release) struct buf report = {0};
    struct err err = {0};
    struct world world = {.rows = rows};
    json_t *answer = json_object();
    const char *as = json_string_value(json_object_get(job, "as"));
    AUTO(buf_release) struct buf text = {0};
    const json_t *own = json_object_get(job, "tables");
    write_script(job, own ? json_string_value(own) : tables, &text);
    bool for_spark = strcmp(as, "spark") == 0;
    struct script script = {
        .name = STR_LITERAL("query"), .text = buf_as_str(&text), .for_spark = for_spark};
    if (plan_parse(&script, &world.plan, &report) != ST_OK) {
        json_object_set_new(answer, "refused", json_string(buf_cstr(&report)));
    } else if (for_spark) {
        print_spark(world.plan, answer);
    } else if (run(&world, as, answer, &err) != ST_OK) {
        json_object_clear(answer);
        json_object_set_new(answer, "failed", json_string(err.text));
    }
    sqlite_host_close(world.host);
    batch_release(&world.stream);
    plan_free(world.plan);
    return answer;
}

int main(void)
{
    char *line = NULL;
    size_t capacity = 0;
    json_t *tables = NULL;
    while (getline(&line, &capacity, stdin) > 0) {
        json_t *json = json_loads(line, 0, NULL);
        if (json == NULL)
            die("a line that is not JSON");
        if (tables == NULL) {
            tables = json;
            continue;
        }
        const char *text = json_string_value(json_object_get(tables, "tables"));
        json_t *answer = answer_to(json, text, json_object_get(tables, "rows"));
        json_dumpf(answer, stdout, JSON_COMPACT);
        putchar('\n');
        json_decref(answer);
        json_decref(json);
    }
    json_decref(tables);
    free(line);
    return 0;
}
