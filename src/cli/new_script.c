// SPDX-License-Identifier: Apache-2.0
#include "cli/new_script.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"
#include "gtfs/profile.h"

enum {
    TABLES = 4,
    OUTPUTS_MAX = 2000
};

// What may be joined, in this order; stop_times is the stream.
static const struct {
    const char *name, *alias, *key;
    const char *keys[2]; // NOT NULL, if no row lacks them
} joinable[TABLES] = {
    {"trips", "t", "trip_id", {"trip_id", "service_id"}},
    {"calendar_dates", "d", "service_id", {"service_id", "date"}},
    {"calendar", "c", "service_id", {"service_id", NULL}},
    {"frequencies", "f", "trip_id", {"trip_id", NULL}},
};

// As the GTFS reference has them, for a feed that has none.
static const struct profile_column default_columns[] = {
    {.name = {"trip_id", 7}, .type = TYPE_TEXT},
    {.name = {"arrival_time", 12}, .type = TYPE_TEXT},
    {.name = {"departure_time", 14}, .type = TYPE_TEXT},
    {.name = {"stop_id", 7}, .type = TYPE_TEXT},
    {.name = {"stop_sequence", 13}, .type = TYPE_INT},
};

struct scaffold {
    struct arena arena;
    struct feed *feed;
    const struct new_script_names *names;
    struct profile stream, tables[TABLES];
    bool is_joined[TABLES];
    struct buf text;
    struct str outputs[OUTPUTS_MAX]; // names of the result so far
    size_t n_outputs;
};

// Pieces of SQL.

// A name that SQL takes as it is: words of its own have no '_', but for those below.
static bool is_plain_name(struct str name)
{
    static const char *const plain[] = {"date",      "monday",   "tuesday",
                                        "wednesday", "thursday", "friday",
                                        "saturday",  "sunday",   "timepoint"};
    bool is_plain = memchr(name.p, '_', name.n) != NULL;
    for (size_t i = 0; i < ARRAY_LEN(plain); i++)
        is_plain |= str_is(name, plain[i]);
    for (size_t i = 0; i < name.n; i++)
        is_plain &= (name.p[i] >= 'a' && name.p[i] <= 'z') || name.p[i] == '_';
    return is_plain && !str_starts_with(name, "current_") &&
           !str_ends_with(name, "_user");
}

static void put_name(struct buf *text, struct str name)
{
    if (is_plain_name(name)) {
        buf_str(text, name);
        return;
    }
    buf_char(text, '"');
    for (size_t i = 0; i < name.n; i++) {
        if (name.p[i] == '"')
            buf_char(text, '"');
        buf_char(text, name.p[i]);
    }
    buf_char(text, '"');
}

static void put_literal(struct buf *text, const char *value)
{
    buf_char(text, '\'');
    for (const char *c = value; *c; c++) {
        if (*c == '\'')
            buf_char(text, '\'');
        buf_char(text, *c);
    }
    buf_char(text, '\'');
}

static void put_comment(struct buf *text, const char *words)
{
    buf_text(text, "-- ");
    text_put_visible(text, str_of(words));
    buf_char(text, '\n');
}

static void comment(struct scaffold *scaffold, const char *fmt, ...) PRINTF_LIKE(2, 3);

static void comment(struct scaffold *scaffold, const char *fmt, ...)
{
    va_list args;
    char words[1024];
    va_start(args, fmt);
    vsnprintf(words, sizeof(words), fmt, args);
    va_end(args);
    put_comment(&scaffold->text, words);
}

// What was found.

static bool is_usable(const struct profile *profile, const char *key)
{
    return profile->trouble == NULL && profile_find(profile, key) != NULL;
}

// A calendar stands in for calendar_dates that are not there.
static void choose(struct scaffold *scaffold)
{
    const struct profile *trips = &scaffold->tables[0];
    if (profile_find(&scaffold->stream, "trip_id") == NULL)
        return;
    for (size_t i = 0; i < TABLES; i++)
        scaffold->is_joined[i] = is_usable(&scaffold->tables[i], joinable[i].key) &&
                                 (i == 0 || scaffold->is_joined[0]);
    bool has_service = scaffold->is_joined[0] && profile_find(trips, "service_id");
    bool has_dates = has_service && scaffold->is_joined[1];
    scaffold->is_joined[1] = has_dates;
    scaffold->is_joined[2] &= has_service && !has_dates;
}

static enum status look(struct scaffold *scaffold, struct err *err)
{
    for (size_t i = 0; i < TABLES; i++)
        TRY(profile_read(scaffold->feed, joinable[i].name, &scaffold->arena,
                         &scaffold->tables[i], err));
    TRY(profile_read(scaffold->feed, "stop_times", &scaffold->arena, &scaffold->stream,
                     err));
    bool has_names = is_usable(&scaffold->stream, "trip_id");
    if (!has_names) {
        scaffold->stream.columns = (struct profile_column *)(uintptr_t)default_columns;
        scaffold->stream.n_columns = ARRAY_LEN(default_columns);
    }
    choose(scaffold);
    return ST_OK;
}

// Tables.

static bool is_key(const char *const *keys, size_t n_keys, struct str name)
{
    for (size_t i = 0; i < n_keys; i++)
        if (keys[i] != NULL && str_is(name, keys[i]))
            return true;
    return false;
}

static void put_columns(struct buf *text, const struct profile *profile,
                        const char *const *keys, size_t n_keys)
{
    for (size_t i = 0; i < profile->n_columns; i++) {
        const struct profile_column *column = &profile->columns[i];
        buf_text(text, i ? ",\n  " : "  ");
        put_name(text, column->name);
        buf_printf(text, " %s%s", type_name(column->type),
                   is_key(keys, n_keys, column->name) && column->n_empty == 0
                       ? " NOT NULL"
                       : "");
    }
}

static void tell_columns(struct scaffold *scaffold, const struct profile *profile,
                         const char *const *keys, size_t n_keys)
{
    for (size_t i = 0; i < profile->n_columns; i++) {
        const struct profile_column *column = &profile->columns[i];
        if (column->odd != NULL)
            comment(scaffold,
                    "%.*s is TEXT: a number by the GTFS reference, but '%s' was found.",
                    STR_ARGS(column->name), column->odd);
        if (is_key(keys, n_keys, column->name) && column->n_empty > 0)
            comment(scaffold,
                    "%.*s may be NULL: %s no value. NOT NULL would refuse them.",
                    STR_ARGS(column->name),
                    text_counted((int64_t)column->n_empty, "row has", "rows have"));
    }
}

static void tell_profile(struct scaffold *scaffold, const struct profile *profile)
{
    if (profile->left_out != NULL)
        comment(scaffold, "Columns that are left out: %s", profile->left_out);
    if (profile->n_bad > 0)
        comment(scaffold,
                "Decide: %s be read, such as %s. Extract refuses the feed; "
                "on_error = 'skip' leaves them out.",
                text_counted((int64_t)profile->n_bad, "row cannot", "rows cannot"),
                profile->first_bad);
    if (profile->trouble == NULL && profile->n_rows == 0)
        comment(scaffold, "The feed's has no rows.");
}

static bool is_padded(const struct profile *profile, const char *const *keys,
                      size_t n_keys)
{
    bool padded = false;
    for (size_t i = 0; i < profile->n_columns; i++)
        padded |= is_key(keys, n_keys, profile->columns[i].name) &&
                  profile->columns[i].n_padded > 0;
    return padded;
}

static void put_place(struct scaffold *scaffold, const char *name)
{
    buf_text(&scaffold->text, "WITH (connector = 'filesystem', format = 'csv', path = ");
    put_literal(&scaffold->text,
                arena_printf(&scaffold->arena, "%s/%s", scaffold->names->root, name));
}

static void put_table(struct scaffold *scaffold, size_t i)
{
    const struct profile *profile = &scaffold->tables[i];
    struct buf *text = &scaffold->text;
    size_t n_keys = ARRAY_LEN(joinable[i].keys);
    buf_char(text, '\n');
    tell_profile(scaffold, profile);
    tell_columns(scaffold, profile, joinable[i].keys, n_keys);
    buf_printf(text, "CREATE TABLE %s (\n", joinable[i].name);
    put_columns(text, profile, joinable[i].keys, n_keys);
    buf_text(text, "\n) ");
    put_place(scaffold, joinable[i].name);
    if (is_padded(profile, joinable[i].keys, n_keys))
        buf_text(text, ",\n        trim = true"); // blanks at the ends of keys
    if (profile->n_rows == 0)
        buf_text(text, ",\n        optional = true");
    buf_text(text, ");\n");
}

// What is not joined, and why.
static void tell_tables(struct scaffold *scaffold)
{
    for (size_t i = 0; i < TABLES; i++) {
        const struct profile *profile = &scaffold->tables[i];
        if (scaffold->is_joined[i])
            continue;
        if (!profile->is_there)
            comment(scaffold, "The feed has no %s.txt.", profile->name);
        else if (profile->trouble != NULL)
            comment(scaffold, "%s.txt is not joined: %s", profile->name,
                    profile->trouble);
        else if (profile_find(profile, joinable[i].key) == NULL)
            comment(scaffold, "%s.txt is not joined: it has no column %s.", profile->name,
                    joinable[i].key);
        else if (!scaffold->is_joined[0])
            comment(scaffold, "%s.txt is not joined: there are no trips to join it with.",
                    profile->name);
        else
            comment(scaffold, "Decide: %s.txt is there too, and could be joined by %s.",
                    profile->name, joinable[i].key);
    }
}

static void tell_others(struct scaffold *scaffold)
{
    static const char *const others[][2] = {{"routes.txt", "route_id"},
                                            {"stops.txt", "stop_id"}};
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        if (feed_has(scaffold->feed, others[i][0]))
            comment(scaffold, "Decide: %s is there too, and could be joined by %s.",
                    others[i][0], others[i][1]);
}

// The query.

static bool is_output(const struct scaffold *scaffold, struct str name)
{
    for (size_t i = 0; i < scaffold->n_outputs; i++)
        if (str_eq(scaffold->outputs[i], name))
            return true;
    return false;
}

// Columns of a table that the rows have not yet; of equal names the first one counts.
static void put_outputs(struct scaffold *scaffold, const struct profile *profile,
                        const char *alias, const char *separator)
{
    struct buf *text = &scaffold->text;
    for (size_t i = 0; i < profile->n_columns; i++) {
        struct str name = profile->columns[i].name;
        if (is_output(scaffold, name) || scaffold->n_outputs == OUTPUTS_MAX)
            continue;
        scaffold->outputs[scaffold->n_outputs++] = name;
        buf_printf(text, "%s%s.", scaffold->n_outputs > 1 ? separator : "", alias);
        put_name(text, name);
    }
}

static void put_view(struct scaffold *scaffold)
{
    struct buf *text = &scaffold->text;
    buf_text(
        text,
        "\n-- A row for each trip and each row that it meets below. Decide: LEFT JOIN "
        "keeps "
        "trips that\n-- meet none; JOIN leaves them out. As MATERIALIZED VIEW with path "
        "and format it is written, too.\nCREATE VIEW enriched_trip AS\n  SELECT ");
    scaffold->n_outputs = 0;
    for (size_t i = 0; i < TABLES; i++)
        if (scaffold->is_joined[i])
            put_outputs(scaffold, &scaffold->tables[i], joinable[i].alias,
                        ",\n         ");
    buf_text(text, "\n  FROM trips t");
    for (size_t i = 1; i < TABLES; i++)
        if (scaffold->is_joined[i])
            buf_printf(text, "\n  LEFT JOIN %s %s ON %s.%s = t.%s", joinable[i].name,
                       joinable[i].alias, joinable[i].alias, joinable[i].key,
                       joinable[i].key);
    buf_text(text, ";\n");
}

static void put_stream(struct scaffold *scaffold)
{
    static const char *const keys[] = {"trip_id"};
    const struct profile *stream = &scaffold->stream;
    struct buf *text = &scaffold->text;
    buf_text(text, "\n-- Fields of a record, in this order. Decide: format = 'avro' "
                   "takes them from a "
                   "Schema Registry.\n");
    if (stream->columns == default_columns)
        comment(
            scaffold,
            "The feed's stop_times.txt does not tell them: these are the reference's.");
    else
        tell_profile(scaffold, stream);
    tell_columns(scaffold, stream, keys, 1);
    buf_text(text, "CREATE TABLE stop_times (\n");
    put_columns(text, stream, keys, 1);
    buf_text(text, "\n) WITH (connector = 'kafka', format = 'csv', brokers = ");
    put_literal(text, scaffold->names->brokers);
    buf_text(text, ", topic = ");
    put_literal(text, scaffold->names->topic);
    buf_text(text, is_padded(stream, keys, 1) ? ", trim = true);\n" : ");\n");
}

static void put_insert(struct scaffold *scaffold)
{
    struct buf *text = &scaffold->text;
    buf_text(text, "\nCREATE TABLE enriched_stop_time ()\n  ");
    put_place(scaffold, "enriched_stop_time");
    buf_text(text, ");\n\n");
    if (!scaffold->is_joined[0]) {
        buf_text(text,
                 "INSERT INTO enriched_stop_time\n  SELECT s.* FROM stop_times s;\n");
        return;
    }
    buf_text(text, "-- Decide: JOIN leaves records out whose trip is not there; LEFT "
                   "JOIN keeps them.\n"
                   "INSERT INTO enriched_stop_time\n  SELECT s.*");
    // Those of the view are the last outputs; what the stream has as well stays away.
    struct profile view = {.n_columns = scaffold->n_outputs};
    view.columns = arena_array(&scaffold->arena, view.n_columns, sizeof(*view.columns));
    for (size_t i = 0; i < view.n_columns; i++)
        view.columns[i].name = scaffold->outputs[i];
    scaffold->n_outputs = 0;
    for (size_t i = 0; i < scaffold->stream.n_columns; i++)
        scaffold->outputs[scaffold->n_outputs++] = scaffold->stream.columns[i].name;
    put_outputs(scaffold, &view, "e", ",\n         ");
    buf_text(text,
             "\n  FROM stop_times s JOIN enriched_trip e ON e.trip_id = s.trip_id;\n");
}

static void write_all(struct scaffold *scaffold)
{
    comment(scaffold, "Made by tramline new from %s.", feed_source(scaffold->feed));
    comment(scaffold, "What stands behind 'Decide' is yours to look at.");
    tell_tables(scaffold);
    tell_others(scaffold);
    buf_text(&scaffold->text,
             "\nSET commit.interval = '60s'; -- Decide: how soon rows are there, and how "
             "small files may be\n");
    for (size_t i = 0; i < TABLES; i++)
        if (scaffold->is_joined[i])
            put_table(scaffold, i);
    if (scaffold->is_joined[0])
        put_view(scaffold);
    put_stream(scaffold);
    put_insert(scaffold);
}

enum status new_script_write(struct feed *feed, const struct new_script_names *names,
                             struct buf *ret, struct err *err)
{
    AUTO(mem_auto_free) struct scaffold *scaffold = mem_zalloc(sizeof(*scaffold));
    scaffold->feed = feed;
    scaffold->names = names;
    enum status rc = ST_OK;
    if (!feed_has(feed, "trips.txt") && !feed_has(feed, "stop_times.txt"))
        rc = err_set(err, ST_DATA,
                     "%s has neither trips.txt nor stop_times.txt: is it a GTFS feed?",
                     feed_source(feed));
    if (rc == ST_OK)
        rc = look(scaffold, err);
    if (rc == ST_OK)
        write_all(scaffold);
    buf_str(ret, buf_as_str(&scaffold->text));
    buf_release(&scaffold->text);
    arena_release(&scaffold->arena);
    return rc;
}
