// SPDX-License-Identifier: Apache-2.0
// What a script means: tables, views in order, the one INSERT, and how to run it.
//
// plan_parse reads a script with libpg_query, binds and types it, checks the legality of
// the query over the stream, and prints each query from the tree for SQLite. It touches
// nothing outside. The plan is read-only and lives in its arena; any thread may read it.
// Errors: all of a script at once where possible, each with line, column, caret.
#ifndef SQL_PLAN_H
#define SQL_PLAN_H

#include "core/connector.h"
#include "expr/program.h"

enum table_kind {
    TABLE_DIMENSION, // read whole
    TABLE_STREAM,    // exactly one in a script that has an INSERT
    TABLE_SINK,      // the INSERT's target
};

struct table {
    struct str name;
    enum table_kind kind;
    struct schema schema;   // a sink declared () has the SELECT's
    struct options options; // see connector_of
    struct options format;  // see format_of
    struct client_option *client_options;
    size_t n_client_options;
    size_t line; // of the CREATE, from 1
};

struct spark_query;
struct table_query;

// Where the rows of a table_query come from.
struct table_source {
    const struct table *table; // of the plan: its columns
    const size_t *columns;
    const struct table_query *query; // or another query
    struct str sql;                  // or SQLite, which reads these tables and views
    const struct str *reads;
    size_t n_reads;
    const char *sql_why;  // why SQLite, as a sentence
    struct schema schema; // of its rows
};

// A row of what is joined so far meets those rows of one more source that have its keys.
struct table_join {
    struct table_source source;
    bool left; // without such a row it meets a row of NULLs
    size_t n_keys;
    const struct program *program; // over what is joined so far: FILTER, MATCH, KEYS
    const struct program *source_program; // over the source: FILTER, KEYS
};

// A SELECT over tables as hash joins, one after another.
struct table_query {
    struct table_source source;
    const struct table_join *joins;
    size_t n_joins;
    const struct program *program; // over the joined row: FILTER, OUTPUTS
    struct schema schema;          // of its rows
};

struct view {
    struct str name;
    struct schema schema;
    struct str sql;                  // a SELECT for SQLite over tables and earlier views
    const struct table_query *query; // the same; NULL: only SQLite can run it
    const char *query_why;           // why not, as a sentence
    bool hidden;             // made from a subquery of the INSERT that reads tables only
    bool read_by_insert;     // by the INSERT itself, not only by other views
    const struct str *reads; // names of tables and views of the plan
    size_t n_reads;
    bool materialized;
    struct options options; // as a filesystem table's; only when materialized
    struct options format;
    size_t line;
};

enum {
    SIDE_STREAM,
    SIDE_DIMENSION // of the first join; those of others follow
};

struct output {
    size_t side;
    size_t column; // of the branch's stream_schema, or of the join's schema
};

// Rows of a query over tables that are joined with the stream, by equality of keys. What
// they give alone is computed once, when the tables are loaded.
struct native_join {
    bool left;      // a record without a match gives one row of NULLs on this side
    struct str sql; // reads the tables
    const struct str *reads; // what it reads: names of tables and views
    size_t n_reads;
    const struct table_query *query; // the same; NULL: only SQLite can run it
    const char *query_why;           // why not, as a sentence
    struct schema read_schema;       // of sql
    // NULL: sql gives keys, then what outputs need. Else over its columns: MATCH (false:
    // the row matches nothing), KEYS, FILTER (false: what matches it gives no row for
    // it), OUTPUTS.
    const struct program *program;
    struct schema schema; // keys, then what outputs need
    size_t n_keys;
    const size_t *stream_keys; // for each key the stream's column; not with a program
    // All of the above but `left` and what the stream gives, as text: equal ones have
    // equal rows.
    struct str meaning;
};

struct native_steps;

// A SELECT of the stream: each join multiplies a record's rows. What the stream gives
// alone is computed once a record.
struct native_branch {
    // NULL: none. Else they make wide rows of the stream's, and those stand for the
    // stream below.
    const struct native_steps *steps;
    // NULL: keys and outputs are columns of the stream. Else over its columns: FILTER,
    // MATCH and KEYS of each join, and OUTPUTS, which then are the columns that outputs
    // of SIDE_STREAM name.
    const struct program *program;
    struct schema stream_schema; // of what outputs of SIDE_STREAM name
    const struct native_join *joins;
    size_t n_joins;
    const struct output *outputs;
    size_t n_outputs;
    struct str data; // all of it as JSON (docs/architecture.md, "The plan as data")
};

enum {
    STEPS_MAX = 64 // of a branch
};

// What a step makes of each row.
enum step_kind {
    STEP_INNER,  // a row for each match
    STEP_LEFT,   // the same; without a match a row with NULLs
    STEP_EXISTS, // one row; the flag: BOOLEAN, whether there is a match
    STEP_SINGLE, // one row, with the first match; the flag: INT, matches, 2 at most
    STEP_SQLITE, // one row, with what SQLite answers
};

// A subquery that no look-up can stand for: asked for each row with other parameters.
struct native_asked {
    struct str sql;          // gives one row; parameters are ?1, ?2, ...
    struct schema schema;    // of its one column
    const struct str *reads; // names of tables and views of the plan
    size_t n_reads;
    bool reads_now;  // the batch's time
    const char *why; // SQLite, as a sentence
};

// Looks each row up in a table and widens it. What it reads of the table is kept as
// values, not encoded: expressions may be over it.
struct native_step {
    enum step_kind kind;
    struct native_branch table; // one join; its outputs are what the row is widened by
    struct schema schema;       // of those
    const size_t *places;       // for each of them: column of the wide row
    // STEP_SQLITE: no table, and the keys are its parameters. Its value is at flag_place;
    // behind it is why there is none: TEXT, or NULL.
    const struct native_asked *asked;
    size_t flag_place;             // column of the wide row
    const struct program *keys;    // over the row: part_keys(0)
    const struct program *matches; // over row and match: FILTER; NULL: any matches
    const struct program *filter;  // over the row that was made; NULL: all stay
};

struct native_steps {
    const struct program *filter; // of the stream's rows: FILTER; NULL: all stay
    const struct native_step *items;
    size_t n;
    size_t n_columns; // of the wide row; the stream's come first
};

static inline size_t native_n_steps(const struct native_branch *branch)
{
    return branch->steps != NULL ? branch->steps->n : 0;
}

// Of its steps, then of its joins.
static inline size_t native_n_dimensions(const struct native_branch *branch)
{
    size_t n = branch->n_joins;
    for (size_t i = 0; i < native_n_steps(branch); i++)
        n += branch->steps->items[i].table.n_joins;
    return n;
}

// The query as hash joins: its rows are those of all branches (UNION ALL).
struct native_plan {
    const struct native_branch *branches;
    size_t n_branches;
};

// Whether SQLite is asked about some rows.
bool native_asks(const struct native_plan *native);

// A relation's column that the stream's query looks rows up by.
struct lookup {
    struct str relation, column; // a table or view of the plan
};

struct plan {
    struct arena arena;
    struct options settings;    // the group "SET"
    const struct table *tables; // in the order of the script
    size_t n_tables;
    const struct view *views; // each after those it reads
    size_t n_views;
    // NULL when the script has no INSERT.
    const struct table *stream;
    const struct table *sink;
    struct schema output;  // of the INSERT: names, types, nullability
    struct str insert_sql; // a SELECT for SQLite; the stream is a table of its name
    const struct str *insert_reads; // the stream's name, and as a view's
    size_t n_insert_reads;
    // The same rows with one column more, the last: BIGINT NOT NULL, the index in the
    // batch of the stream's row that the result row came from.
    struct str traced_sql;
    const struct probe *probes; // to count what SQLite finds no row for (probe.h)
    size_t n_probes;
    const struct lookup *lookups; // worth an index when sqlite runs the query
    size_t n_lookups;
    struct str join_column; // stream column that joins first; empty when there is none
    const struct native_plan *native; // NULL: only sqlite can run it
    struct str native_why;            // why not, as a sentence for explain
    char hash[65]; // SHA-256 of the meaning: any change of the query changes it
    const struct str *variables; // names that stand in its literals
    size_t n_variables;
    struct str text; // tables, views and INSERT in a form of its own, a clause a line
    const struct spark_query *spark; // spark.h; NULL: the script was not read for Spark
};

// Values for ${NAME}: looked up in order; then the environment.
struct variable {
    struct str name, value;
    bool from_set; // --set: refused for secret options
};

// What only those outside know of a script's values and tables. Without any contact, so
// that all that is wrong with a script is told at once, each thing at its place.
struct script_checks {
    // Addresses of a Schema Registry.
    enum status (*registry)(struct str value, struct err *err);
    // A value of SET, beyond what its table says.
    enum status (*setting)(const char *name, struct str value, struct err *err);
    // A table whose options and columns are good so far; a materialized view as a sink.
    enum status (*table)(const struct table *table, struct err *err);
    // Where the files of a table are, in the arena; NULL: nowhere that others could be.
    const void *(*place)(const struct options *options, struct arena *arena);
    // How place `a` lies to `b`: "is", "is inside" or "holds"; NULL: apart.
    const char *(*compare_places)(const void *a, const void *b);
};

// What is wrong with a script, and where.
struct script_error {
    struct str file;
    size_t line, column;   // from 1; 0: of the script as a whole
    struct str near;       // the word that stands there; empty: none
    struct str text, hint; // hint: what to write instead; empty: none
};

struct script {
    struct str name; // for messages: the file's name
    struct str text; // UTF-8
    const struct variable *variables;
    size_t n_variables;
    size_t width; // columns for the report; longer lines are cut around the place; 0: any
    bool reads_files; // that options name, for columns that a table leaves out
    bool for_spark;   // the INSERT is also printed as Spark SQL, or refused with places
    const struct script_checks *checks; // NULL: values and tables are not looked into
    // Takes each error instead of the report. May be NULL.
    void (*on_error)(const struct script_error *error);
};

// On ST_USAGE `report` has all messages, ready to print. plan_free(*ret) when done.
enum status plan_parse(const struct script *script, struct plan **ret,
                       struct buf *report);
void plan_free(struct plan *plan);

const struct table *plan_table(const struct plan *plan, struct str name); // or NULL
// As the script has it: a hidden view is named "alias#number".
struct str view_shown_name(const struct view *view);
const char *view_kind(const struct view *view);
// As its format sees it.
struct format_table plan_format_table(const struct table *table);
// A materialized view as the table that it is kept as.
struct table plan_table_of_view(const struct view *view);

#endif
