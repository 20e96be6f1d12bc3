// SPDX-License-Identifier: Apache-2.0
#include "gtfs/profile.h"

#include <stdlib.h>

#include "base/text.h"
#include "csv/table.h"
#include "csv/window.h"

enum {
    HEADER_FIELDS = 10000,
    ODD_MAX = 40 // bytes of a value that are shown
};

// Columns of the GTFS reference that are not text.
static const struct {
    const char *name;
    enum type type;
} known_types[] = {
    {"direction_id", TYPE_INT},
    {"wheelchair_accessible", TYPE_INT},
    {"bikes_allowed", TYPE_INT},
    {"cars_allowed", TYPE_INT},
    {"exception_type", TYPE_INT},
    {"headway_secs", TYPE_INT},
    {"exact_times", TYPE_INT},
    {"stop_sequence", TYPE_INT},
    {"pickup_type", TYPE_INT},
    {"drop_off_type", TYPE_INT},
    {"continuous_pickup", TYPE_INT},
    {"continuous_drop_off", TYPE_INT},
    {"timepoint", TYPE_INT},
    {"shape_dist_traveled", TYPE_REAL},
    {"monday", TYPE_INT},
    {"tuesday", TYPE_INT},
    {"wednesday", TYPE_INT},
    {"thursday", TYPE_INT},
    {"friday", TYPE_INT},
    {"saturday", TYPE_INT},
    {"sunday", TYPE_INT},
};

// Those that are, whatever their values look like.
static const char *const known_texts[] = {
    "arrival_time",  "departure_time",  "start_time",     "end_time", "date",
    "start_date",    "end_date",        "trip_headsign",  "block_id", "shape_id",
    "stop_headsign", "trip_short_name", "platform_track", "note_fr",  "note_en",
};

// What is known while the rows are read.
struct finding {
    bool is_int, is_bigint, is_real; // all values so far
    enum type known;                 // TYPE_UNKNOWN: not in the reference
    size_t n_values;
};

static enum type known_type(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(known_types); i++)
        if (str_is(name, known_types[i].name))
            return known_types[i].type;
    for (size_t i = 0; i < ARRAY_LEN(known_texts); i++)
        if (str_is(name, known_texts[i]))
            return TYPE_TEXT;
    bool is_name = str_ends_with(name, "_id") || str_ends_with(name, "_code") ||
                   str_ends_with(name, "_name");
    return is_name ? TYPE_TEXT : TYPE_UNKNOWN;
}

// The header.

static const char *why_left_out(const struct profile *profile, struct str name)
{
    if (name.n == 0)
        return "without a name";
    if (name.n > PROFILE_NAME)
        return "a name of more than 63 bytes";
    if (memmem(name.p, name.n, "${", 2) != NULL)
        return "with '${', as variables have";
    if (str_eq_nocase(name, STR_LITERAL("true")) ||
        str_eq_nocase(name, STR_LITERAL("false")))
        return "a value of SQL"; // SQLite gives such a column of a subquery another name
    if (profile->n_columns == PROFILE_COLUMNS)
        return "more than 500 columns";
    return NULL;
}

static void leave_out(struct buf *left_out, struct str name, const char *why)
{
    if (left_out->n > 500) // some of them will do
        return;
    buf_text(left_out, left_out->n ? ", " : "");
    if (name.n > PROFILE_NAME)
        name.n = PROFILE_NAME;
    text_put_visible(left_out, name);
    buf_printf(left_out, "%s(%s)", name.n ? " " : "", why);
}

// Columns that stand once; of those that stand twice nobody could say which is meant.
static void take_names(const struct csv_line *line, struct arena *arena,
                       struct profile *ret)
{
    AUTO(buf_release) struct buf left_out = {0};
    struct str *names = arena_array(arena, line->n, sizeof(*names));
    size_t n = line->n < line->capacity ? line->n : line->capacity;
    for (size_t i = 0; i < n; i++)
        names[i] = arena_str(arena, str_trim(csv_text(line->fields[i], arena)));
    ret->columns = arena_array(arena, PROFILE_COLUMNS, sizeof(*ret->columns));
    for (size_t i = 0; i < n; i++) {
        const char *why = why_left_out(ret, names[i]);
        for (size_t k = 0; k < n && why == NULL; k++)
            if (k != i && str_eq(names[k], names[i]))
                why = "twice";
        if (why == NULL)
            ret->columns[ret->n_columns++].name = names[i];
        else
            leave_out(&left_out, names[i], why);
    }
    if (left_out.n > 0)
        ret->left_out = arena_cstr(arena, buf_as_str(&left_out));
}

static enum csv_scan scan_header(struct csv_window *window, struct csv_line *line,
                                 struct err *err)
{
    enum csv_scan scan = CSV_MORE;
    while (!csv_window_is_over(window)) {
        scan = csv_window_scan(window, line);
        if (scan == CSV_MORE && csv_window_fill(window, err) == ST_OK)
            continue;
        if (scan != CSV_LINE || !csv_line_is_blank(line))
            return scan;
        csv_window_pass(window, line->size);
        scan = CSV_MORE;
    }
    return scan;
}

static enum status read_header(struct reader *reader, struct arena *arena,
                               struct profile *ret, struct err *err)
{
    AUTO(csv_window_release) struct csv_window window;
    struct csv_line line = {.capacity = HEADER_FIELDS};
    line.fields = arena_array(arena, HEADER_FIELDS, sizeof(*line.fields));
    csv_window_init(&window, reader, 0, 64 << 10);
    enum status rc = csv_window_begin(&window, err);
    if (rc == ST_OK && scan_header(&window, &line, err) == CSV_LINE)
        take_names(&line, arena, ret);
    if (window.has_failed)
        return err->status;
    if (rc != ST_OK)
        ret->trouble = arena_cstr(arena, str_of(err->text));
    else if (ret->n_columns == 0)
        ret->trouble = "it has no header line";
    return ST_OK;
}

// The rows.

static bool has_leading_zero(struct str text)
{
    if (text.n > 0 && (text.p[0] == '-' || text.p[0] == '+'))
        text = (struct str){text.p + 1, text.n - 1};
    return text.n > 1 && text.p[0] == '0' && text.p[1] != '.';
}

static bool is_of(enum type type, struct str text)
{
    struct value value;
    struct column column = {.type = type, .nullable = true};
    struct csv_field field = {.p = text.p, .n = (uint32_t)text.n};
    return csv_value(&column, field, false, NULL, &value);
}

static void show_odd(struct profile_column *column, struct str text, struct arena *arena)
{
    char shown[ODD_MAX];
    size_t n = text_visible(text, shown, sizeof(shown));
    column->odd = arena_cstr(arena, (struct str){shown, n});
}

static void look_at(struct value value, struct profile_column *column,
                    struct finding *found, struct arena *arena)
{
    if (value.kind == VALUE_NULL || value.n == 0) {
        column->n_empty++;
        return;
    }
    found->n_values++;
    column->n_padded += csv_is_padded(value);
    if (found->known == TYPE_TEXT)
        return;
    struct str text = str_trim(value_str(value));
    bool zero = found->known == TYPE_UNKNOWN && has_leading_zero(text);
    found->is_int = found->is_int && !zero && is_of(TYPE_INT, text);
    found->is_bigint = found->is_bigint && !zero && is_of(TYPE_BIGINT, text);
    found->is_real = found->is_real && !zero && is_of(TYPE_REAL, text);
    bool fits = found->known == TYPE_INT ? found->is_int : found->is_real;
    if (found->known != TYPE_UNKNOWN && !fits && column->odd == NULL)
        show_odd(column, text, arena);
}

static enum type decide(const struct profile_column *column, const struct finding *found)
{
    if (found->known != TYPE_UNKNOWN)
        return column->odd == NULL ? found->known : TYPE_TEXT;
    if (found->n_values == 0)
        return TYPE_TEXT;
    return found->is_int      ? TYPE_INT
           : found->is_bigint ? TYPE_BIGINT
           : found->is_real   ? TYPE_REAL
                              : TYPE_TEXT;
}

static enum status look_at_rows(struct rows *rows, struct arena *arena,
                                struct finding *found, struct profile *ret,
                                struct err *err)
{
    AUTO(batch_release) struct batch batch;
    batch_init(&batch, ret->n_columns);
    do {
        TRY(rows->ops->next(rows, &batch, err));
        for (size_t i = 0; i < batch.n_rows; i++) {
            const struct value *row = batch_row(&batch, i);
            for (size_t c = 0; c < ret->n_columns; c++)
                look_at(row[c], &ret->columns[c], &found[c], arena);
        }
        ret->n_rows += batch.n_rows;
    } while (batch.n_rows > 0 && ret->n_rows < PROFILE_ROWS);
    return ST_OK;
}

static enum status read_rows(struct reader *reader, const char *file, struct arena *arena,
                             struct profile *ret, struct err *err)
{
    struct schema schema = {arena_array(arena, ret->n_columns, sizeof(*schema.columns)),
                            ret->n_columns};
    struct finding *found = arena_array(arena, ret->n_columns, sizeof(*found));
    for (size_t c = 0; c < schema.n; c++) {
        schema.columns[c] = (struct column){ret->columns[c].name, TYPE_TEXT, true};
        found[c] =
            (struct finding){true, true, true, known_type(ret->columns[c].name), 0};
    }
    const struct csv_table_options options = {.header = true, .skip_errors = true};
    struct rows *rows;
    TRY(csv_table_read(reader, file, &schema, &options, &rows, err));
    enum status rc = look_at_rows(rows, arena, found, ret, err);
    const struct rows_stats *stats = csv_table_stats(rows);
    ret->n_bad = stats->n_skipped;
    if (stats->n_messages > 0)
        ret->first_bad = arena_cstr(arena, str_of(stats->messages[0]));
    rows->ops->close(rows);
    for (size_t c = 0; c < schema.n; c++)
        ret->columns[c].type = decide(&ret->columns[c], &found[c]);
    return rc;
}

enum status profile_read(struct feed *feed, const char *name, struct arena *arena,
                         struct profile *ret, struct err *err)
{
    char *file = arena_printf(arena, "%s.txt", name);
    struct feed_member *member;
    *ret = (struct profile){.name = name, .is_there = feed_has(feed, file)};
    if (!ret->is_there)
        return ST_OK;
    TRY(feed_member_open(feed, file, &member, err));
    enum status rc = read_header(&member->reader, arena, ret, err);
    feed_member_close(member);
    if (rc != ST_OK || ret->trouble != NULL)
        return rc;
    TRY(feed_member_open(feed, file, &member, err));
    rc = read_rows(&member->reader, file, arena, ret, err);
    feed_member_close(member);
    if (rc != ST_DATA)
        return rc;
    ret->trouble = arena_cstr(arena, str_of(err->text));
    return ST_OK;
}

const struct profile_column *profile_find(const struct profile *profile, const char *name)
{
    for (size_t i = 0; i < profile->n_columns; i++)
        if (str_is(profile->columns[i].name, name))
            return &profile->columns[i];
    return NULL;
}
