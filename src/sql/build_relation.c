// SPDX-License-Identifier: Apache-2.0
// CREATE TABLE and CREATE VIEW.
#include "sql/build.h"

#include "sql/legal.h"
#include "sql/options.h"
#include "sql/print.h"
#include "sql/reads.h"
#include "sql/table_query.h"

static void check_new_name(struct builder *builder, const struct statement *statement)
{
    const struct relation *other = catalog_find(&builder->catalog, statement->name);
    if (other == NULL)
        return;
    report_error(builder->report, statement->name_at,
                 "'%.*s' is made already, on line %zu", STR_ARGS(statement->name),
                 report_line(builder->report, other->at));
    report_hint(builder->report, "give one another name");
}

static struct relation *add_relation(struct builder *builder,
                                     const struct statement *statement)
{
    check_new_name(builder, statement);
    struct relation *relation = arena_zalloc(builder->report->arena, sizeof(*relation));
    relation->name = statement->name;
    relation->at = statement->name_at;
    catalog_add(&builder->catalog, relation);
    return relation;
}

static struct schema columns_of(struct builder *builder,
                                const struct statement *statement)
{
    struct schema schema = {.n = statement->n_columns};
    schema.columns =
        arena_array(builder->report->arena, schema.n + 1, sizeof(*schema.columns));
    for (size_t i = 0; i < schema.n; i++) {
        const struct column_text *column = &statement->columns[i];
        schema.columns[i] = (struct column){column->name, column->type, column->nullable};
        if ((size_t)schema_find(&schema, column->name) == i)
            continue;
        report_error(builder->report, column->at, "two columns are named '%.*s'",
                     STR_ARGS(column->name));
        report_hint(builder->report, "give one another name");
    }
    if (schema.n > SCHEMA_COLUMNS_MAX) {
        report_error(builder->report, statement->name_at, "%zu columns, the most is %d",
                     schema.n, SCHEMA_COLUMNS_MAX);
        report_hint(builder->report, "declare the columns that are read");
    }
    return schema;
}

static const char *format_holding(enum type type)
{
    for (size_t i = 0; i < n_formats; i++)
        if (!(formats[i]->lacks & 1U << type))
            return formats[i]->options.name;
    return "";
}

void build_check_types(struct builder *builder, size_t at, const struct options *options,
                       const struct schema *schema)
{
    const struct format *format = format_of(options);
    for (size_t i = 0; format != NULL && i < schema->n; i++) {
        enum type type = schema->columns[i].type;
        if (!(format->lacks & 1U << type))
            continue;
        report_error(builder->report, at, "column '%.*s' is %s, which %s cannot hold",
                     STR_ARGS(schema->columns[i].name), type_name(type), format->title);
        report_hint(builder->report, "write format = '%s', or make it TEXT",
                    format_holding(type));
    }
}

void build_check_outside(struct builder *builder, size_t at, const struct table *table)
{
    const struct script_checks *checks = builder->script->checks;
    struct err err = {0};
    if (checks != NULL && checks->table(table, &err) != ST_OK)
        report_error(builder->report, at, "%s", err.text);
}

// No file is in two places: extract replaces those of tables, init --reset removes those
// of the result.
static void check_path(struct builder *builder, const struct statement *statement,
                       const struct options *options)
{
    const struct script_checks *checks = builder->script->checks;
    if (checks == NULL || options->group == NULL ||
        option_find(options->group, STR_LITERAL("path")) == NULL ||
        !options_given(options, "path"))
        return;
    const void *place = checks->place(options, builder->report->arena);
    if (place == NULL)
        return;
    struct named_path *path = &builder->paths[builder->n_paths++];
    *path = (struct named_path){
        .name = statement->name,
        .at = options_value_place(statement, "path"),
        .place = place,
    };
    for (const struct named_path *other = builder->paths; other < path; other++) {
        const char *how = checks->compare_places(place, other->place);
        if (how == NULL)
            continue;
        report_error(builder->report, path->at,
                     "the path of '%.*s' %s that of '%.*s', on line %zu",
                     STR_ARGS(path->name), how, STR_ARGS(other->name),
                     report_line(builder->report, other->at));
        report_hint(builder->report, "give each a directory of its own");
    }
}

static void check_stream(struct builder *builder, const struct statement *statement,
                         const struct table *table)
{
    for (size_t i = 0; i < builder->n_tables; i++) {
        const struct table *other = &builder->tables[i];
        if (other->kind != TABLE_STREAM)
            continue;
        report_error(builder->report, statement->name_at,
                     "'%.*s' is a second stream; the first is '%.*s' on line %zu",
                     STR_ARGS(statement->name), STR_ARGS(other->name), other->line);
        report_hint(builder->report, "a script has one stream: write a script for each");
    }
    if (!options_have(&table->options, "key") || !options_given(&table->options, "key"))
        return;
    struct str key = options_text(&table->options, "key");
    if (schema_find(&table->schema, key) >= 0)
        return;
    report_error(builder->report, statement->name_at,
                 "option 'key': '%.*s' has no column '%.*s'", STR_ARGS(statement->name),
                 STR_ARGS(key));
    report_hint(builder->report, "name a column of the table");
}

static void check_columns(struct builder *builder, const struct statement *statement,
                          const struct schema *schema, bool is_sink)
{
    bool unsure = builder->statements->incomplete || !builder->sink_is_made;
    if (schema->n > 0 || is_sink || unsure)
        return;
    report_error(builder->report, statement->name_at, "table '%.*s' has no columns",
                 STR_ARGS(statement->name));
    AUTO(buf_release) struct buf titles = {0};
    for (size_t i = 0; i < n_formats; i++)
        if (formats[i]->columns != NULL)
            buf_printf(&titles, "%s%s", titles.n ? " or " : "", formats[i]->title);
    report_hint(builder->report,
                "only the table that INSERT writes may leave them out, and one in %s "
                "with option 'schema'",
                buf_cstr(&titles));
}

static enum table_kind kind_of(struct builder *builder, const struct statement *statement,
                               bool is_stream, bool is_sink)
{
    if (is_sink && is_stream) {
        report_error(builder->report, statement->name_at,
                     "INSERT writes '%.*s', which is a stream",
                     STR_ARGS(statement->name));
        report_hint(builder->report, "write connector = '%s'",
                    connector_of_files()->options.name);
    }
    return is_sink ? TABLE_SINK : is_stream ? TABLE_STREAM : TABLE_DIMENSION;
}

// A table without columns in the script has those that its format's options tell. False:
// it has an error.
static bool read_columns(struct builder *builder, const struct statement *statement,
                         struct table *table)
{
    const struct format *format = format_of(&table->format);
    struct err err;
    if (statement->n_columns > 0 || table->kind == TABLE_SINK || format == NULL ||
        format->columns == NULL || !builder->script->reads_files)
        return true;
    if (format->columns(&table->format, builder->report->arena, &table->schema, &err) ==
        ST_OK)
        return true;
    report_error(builder->report, statement->name_at, "option 'schema': %s", err.text);
    return false;
}

void build_table(struct builder *builder, const struct statement *statement)
{
    struct with_options with;
    size_t n_before = builder->report->n;
    (void)options_take_with(builder->report, builder->script->checks, statement, &with);
    struct relation *relation = add_relation(builder, statement);
    relation->schema = columns_of(builder, statement);
    relation->is_sink = str_eq(statement->name, builder->sink_name);
    const struct connector *connector = connector_of(&with.options);
    bool is_stream = connector != NULL && connector->stream != NULL;
    relation->is_stream = relation->reads_stream = is_stream && !relation->is_sink;
    struct table table = {
        .name = statement->name,
        .kind = kind_of(builder, statement, is_stream, relation->is_sink),
        .schema = relation->schema,
        .options = with.options,
        .format = with.format,
        .client_options = with.client_options,
        .n_client_options = with.n_client_options,
        .line = report_line(builder->report, statement->at),
    };
    relation->failed = !read_columns(builder, statement, &table);
    relation->schema = table.schema;
    if (!relation->failed)
        check_columns(builder, statement, &table.schema, relation->is_sink);
    if (table.kind == TABLE_STREAM)
        check_stream(builder, statement, &table);
    build_check_types(builder, statement->name_at, &table.format, &table.schema);
    bool is_wrong = builder->report->n > n_before;
    if (relation->is_sink)
        builder->sink_is_wrong = is_wrong;
    else if (!is_wrong)
        build_check_outside(builder, statement->name_at, &table);
    struct table *kept = &builder->tables[builder->n_tables++];
    builder->plan->n_tables = builder->n_tables;
    *kept = table;
    check_path(builder, statement, &kept->options);
}

struct view *build_add_view(struct builder *builder, struct str name, struct query *query,
                            const struct schema *schema)
{
    AUTO(buf_release) struct buf sql = {0};
    struct printer printer = {.out = &sql};
    if (builder->report->n == 0)
        print_query(&printer, query);
    MEM_GROW(builder->views, builder->n_views, builder->views_capacity);
    struct view *view = &builder->views[builder->n_views++];
    *view = (struct view){
        .name = name,
        .schema = *schema,
        .sql = arena_str(builder->report->arena, buf_as_str(&sql)),
    };
    if (builder->report->n == 0)
        view->reads = query_reads(builder->report->arena, query, &view->n_reads);
    return view;
}

static void materialize(struct builder *builder, const struct statement *statement,
                        struct view *view, bool is_good)
{
    struct with_options with;
    size_t n_before = builder->report->n;
    (void)options_take_with(builder->report, builder->script->checks, statement, &with);
    view->materialized = true;
    view->options = with.options;
    view->format = with.format;
    build_check_types(builder, statement->name_at, &view->format, &view->schema);
    const struct table table = plan_table_of_view(view);
    if (is_good && builder->report->n == n_before)
        build_check_outside(builder, statement->name_at, &table);
    struct options *options = arena_alloc(builder->report->arena, sizeof(*options));
    *options = with.options; // views move while more are added
    check_path(builder, statement, options);
}

static void bind_view(struct builder *builder, const struct statement *statement,
                      struct relation *relation)
{
    struct arena *arena = builder->report->arena;
    struct query *query = statement->query;
    bind_query(&builder->binder, query, NAMES_NEEDED);
    struct str *names = arena_array(arena, statement->n_columns + 1, sizeof(*names));
    for (size_t i = 0; i < statement->n_columns; i++)
        names[i] = statement->columns[i].name;
    relation->schema =
        bind_aliases(&builder->binder, &query->schema, statement->name_at, names,
                     query->failed ? 0 : statement->n_columns, query);
    relation->query = query;
    relation->failed = query->failed;
    relation->reads_stream = query->reads_stream;
}

void build_view(struct builder *builder, const struct statement *statement)
{
    // Its own name is not known while it is bound.
    struct relation bound = {0};
    bind_view(builder, statement, &bound);
    struct relation *relation = add_relation(builder, statement);
    bound.name = relation->name;
    bound.at = relation->at;
    *relation = bound;
    if (relation->reads_stream && !relation->failed)
        legal_stream_query(builder->report, relation->query);
    if (relation->reads_stream && statement->materialized) {
        report_error(builder->report, statement->name_at,
                     "materialized view '%.*s' reads the stream",
                     STR_ARGS(statement->name));
        report_hint(builder->report,
                    "write CREATE VIEW; INSERT is what keeps the stream");
    }
    if (relation->reads_stream)
        return; // printed where it is read
    if (!relation->failed)
        legal_table_query(builder->report, relation->query);
    struct view *view =
        build_add_view(builder, relation->name, relation->query, &relation->schema);
    view->line = report_line(builder->report, statement->at);
    if (builder->report->n == 0)
        view->query = table_query_make(builder->plan, relation->query, &view->schema,
                                       &view->query_why);
    if (statement->materialized)
        materialize(builder, statement, view, !relation->failed);
}
