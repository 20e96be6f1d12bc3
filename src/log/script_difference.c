// SPDX-License-Identifier: Apache-2.0
#include "log/script_difference.h"

#include "base/text.h"
#include "core/connector.h"

enum {
    SAID_MAX = 5
};

#define NOT_NULL " NOT NULL"

// Columns.

const char *column_fate_name(enum column_fate fate)
{
    static const char *const names[] = {
        [COLUMN_ADDED] = "added", [COLUMN_GONE] = "gone",
        [COLUMN_TYPE] = "type",   [COLUMN_NULLABILITY] = "nullability",
        [COLUMN_MOVED] = "moved",
    };
    return names[fate];
}

struct column_place {
    struct str name, type;
};

struct columns {
    struct column_place *items;
    size_t n;
};

static struct columns cut_columns(struct str schema, struct arena *arena)
{
    struct str rest = schema;
    struct column_place column;
    struct columns columns = {0};
    size_t n = 0;
    while (schema_cut(&rest, &column.name, &column.type))
        n++;
    columns.items = arena_array(arena, n, sizeof(*columns.items));
    for (rest = schema; schema_cut(&rest, &column.name, &column.type);)
        columns.items[columns.n++] = column;
    return columns;
}

static const struct column_place *find_column(const struct columns *columns,
                                              struct str name)
{
    for (size_t i = 0; i < columns->n; i++)
        if (str_eq(columns->items[i].name, name))
            return &columns->items[i];
    return NULL;
}

static struct str without_not_null(struct str type)
{
    if (str_ends_with(type, NOT_NULL))
        type.n -= sizeof(NOT_NULL) - 1;
    return type;
}

static void add_column(struct script_difference *difference, enum column_fate fate,
                       struct str name, struct str was, struct str is)
{
    difference->columns[difference->n_columns++] =
        (struct column_change){fate, name, was, is};
}

// The next column of `columns` from *at on that `others` have too.
static const struct column_place *next_common(const struct columns *columns,
                                              const struct columns *others, size_t *at)
{
    while (*at < columns->n) {
        const struct column_place *column = &columns->items[(*at)++];
        if (find_column(others, column->name) != NULL)
            return column;
    }
    return NULL;
}

// `place` is how far the old columns have been passed.
static void compare_column(struct script_difference *difference,
                           const struct columns *before, const struct columns *after,
                           const struct column_place *now, size_t *place)
{
    const struct column_place *old = find_column(before, now->name);
    if (old == NULL) {
        add_column(difference, COLUMN_ADDED, now->name, (struct str){0}, now->type);
        return;
    }
    const struct column_place *expected = next_common(before, after, place);
    bool has_moved = expected == NULL || !str_eq(expected->name, now->name);
    bool same_type = str_eq(without_not_null(old->type), without_not_null(now->type));
    if (!same_type)
        add_column(difference, COLUMN_TYPE, now->name, old->type, now->type);
    else if (!str_eq(old->type, now->type))
        add_column(difference, COLUMN_NULLABILITY, now->name, old->type, now->type);
    else if (has_moved)
        add_column(difference, COLUMN_MOVED, now->name, old->type, now->type);
}

static void compare_columns(struct script_difference *difference, struct str before,
                            struct str after, struct arena *arena)
{
    struct columns old = cut_columns(before, arena), now = cut_columns(after, arena);
    size_t place = 0;
    difference->columns = arena_array(arena, old.n + now.n, sizeof(*difference->columns));
    for (size_t i = 0; i < now.n; i++)
        compare_column(difference, &old, &now, &now.items[i], &place);
    for (size_t i = 0; i < old.n; i++)
        if (find_column(&now, old.items[i].name) == NULL)
            add_column(difference, COLUMN_GONE, old.items[i].name, old.items[i].type,
                       (struct str){0});
}

// Options.

// Of a script's option; NULL: no such one is known, as one of a connector's client.
static const struct option_def *find_def(const struct job_script *script,
                                         const struct script_option *option,
                                         const struct option_group **ret_group)
{
    *ret_group = &set_option_group;
    if (option->table.n == 0)
        return option_find(&set_option_group, option->name);
    const struct script_option *named =
        job_script_find(script, option->table, STR_LITERAL("connector"));
    const struct connector *connector =
        named != NULL && named->value.p != NULL ? connector_find(named->value) : NULL;
    named = job_script_find(script, option->table, STR_LITERAL("format"));
    const struct format *format =
        named != NULL && named->value.p != NULL ? format_find(named->value) : NULL;
    const struct option_def *def = NULL;
    if (connector != NULL) {
        *ret_group = &connector->options;
        def = option_find(*ret_group, option->name);
    }
    if (def == NULL && format != NULL) {
        *ret_group = &format->options;
        def = option_find(*ret_group, option->name);
    }
    return def;
}

// Whether both texts are one value: '60s' and '1min'.
static bool is_same_value(const struct option_group *group, const struct option_def *def,
                          struct str a, struct str b)
{
    AUTO(arena_release) struct arena arena = {0};
    struct options options[2];
    struct err ignored;
    if (a.p == NULL || b.p == NULL || str_eq(a, b))
        return a.p != NULL ? b.p != NULL : b.p == NULL;
    if (def == NULL || def->type == OPTION_TEXT || def->type == OPTION_FORMAT)
        return false;
    options_init(&options[0], group, &arena);
    options_init(&options[1], group, &arena);
    return options_set(&options[0], def, a, &ignored) == ST_OK &&
           options_set(&options[1], def, b, &ignored) == ST_OK &&
           options_number(&options[0], def->name) ==
               options_number(&options[1], def->name);
}

static void compare_option(struct script_difference *difference,
                           const struct job_script *script,
                           const struct script_option *option,
                           const struct script_option *was,
                           const struct script_option *is)
{
    const struct option_group *group;
    const struct option_def *def = find_def(script, option, &group);
    struct str otherwise = str_of(def != NULL ? def->default_text : NULL);
    struct option_change change = {
        .table = option->table,
        .name = option->name,
        .was = was ? was->value : otherwise,
        .is = is ? is->value : otherwise,
        .was_given = was != NULL,
        .is_given = is != NULL,
        .is_secret = (was && was->value.p == NULL) || (is && is->value.p == NULL),
    };
    bool is_same = change.is_secret ? change.was_given == change.is_given
                                    : is_same_value(group, def, change.was, change.is);
    if (!is_same)
        difference->options[difference->n_options++] = change;
}

static void compare_options(struct script_difference *difference,
                            const struct job_script *before,
                            const struct job_script *after, struct arena *arena)
{
    difference->options = arena_array(arena, before->n_options + after->n_options,
                                      sizeof(*difference->options));
    for (size_t i = 0; i < after->n_options; i++) {
        const struct script_option *is = &after->options[i];
        compare_option(difference, after, is,
                       job_script_find(before, is->table, is->name), is);
    }
    for (size_t i = 0; i < before->n_options; i++) {
        const struct script_option *was = &before->options[i];
        if (job_script_find(after, was->table, was->name) == NULL)
            compare_option(difference, before, was, was, NULL);
    }
}

struct script_difference script_difference(const struct log_state *state,
                                           const struct job *job, struct arena *arena)
{
    const struct job_script *before = &state->script;
    bool has_plan = before->plan.n > 0;
    struct script_difference difference = {
        .query_differs = !str_eq(has_plan ? before->plan : state->plan, job->plan),
        .is_known = before->is_known,
    };
    compare_columns(&difference, state->schema, job->schema, arena);
    if (!before->is_known)
        return difference;
    if (difference.query_differs && before->query.n > 0 && job->script.query.n > 0)
        difference.query = text_difference(before->query, job->script.query, arena);
    compare_options(&difference, before, &job->script, arena);
    return difference;
}

bool script_difference_is_none(const struct script_difference *difference)
{
    return difference->n_columns == 0 && !difference->query_differs &&
           difference->n_options == 0;
}

// As one line.

struct sentence {
    struct buf *out;
    size_t n;
};

static bool begin(struct sentence *sentence)
{
    if (sentence->n++ >= SAID_MAX)
        return false;
    buf_text(sentence->out, sentence->n > 1 ? "; " : "");
    return true;
}

static void say_column(struct sentence *sentence, const struct column_change *column)
{
    if (!begin(sentence))
        return;
    buf_printf(sentence->out, "column '%.*s' ", STR_ARGS(column->name));
    if (column->fate == COLUMN_ADDED)
        buf_printf(sentence->out, "is new (%.*s)", STR_ARGS(column->is));
    else if (column->fate == COLUMN_GONE)
        buf_text(sentence->out, "is gone");
    else if (column->fate == COLUMN_MOVED)
        buf_text(sentence->out, "stands at another place");
    else
        buf_printf(sentence->out, "was %.*s, is %.*s", STR_ARGS(column->was),
                   STR_ARGS(column->is));
}

static void say_query(struct sentence *sentence,
                      const struct script_difference *difference)
{
    const struct text_difference *query = &difference->query;
    if (!difference->query_differs || !begin(sentence))
        return;
    buf_text(sentence->out, "the query is another");
    if (query->n_gone + query->n_new > 0)
        buf_printf(sentence->out, " (%s gone, %zu new)",
                   text_counted((int64_t)query->n_gone, "line", "lines"), query->n_new);
}

static void say_value(struct buf *out, struct str value, bool is_given)
{
    if (value.p == NULL)
        buf_text(out, "not given");
    else
        buf_printf(out, is_given ? "'%.*s'" : "'%.*s' by default", STR_ARGS(value));
}

static void say_option(struct sentence *sentence, const struct option_change *option)
{
    struct buf *out = sentence->out;
    if (!begin(sentence))
        return;
    if (option->table.n == 0)
        buf_printf(out, "SET %.*s", STR_ARGS(option->name));
    else
        buf_printf(out, "%.*s of %.*s", STR_ARGS(option->name), STR_ARGS(option->table));
    if (option->is_secret) {
        buf_text(out, option->is_given ? " is given now (secret)"
                                       : " is not given any more (secret)");
        return;
    }
    buf_text(out, " was ");
    say_value(out, option->was, option->was_given);
    buf_text(out, ", is ");
    say_value(out, option->is, option->is_given);
}

void script_difference_say(const struct script_difference *difference, struct buf *ret)
{
    struct sentence sentence = {.out = ret};
    for (size_t i = 0; i < difference->n_columns; i++)
        say_column(&sentence, &difference->columns[i]);
    say_query(&sentence, difference);
    for (size_t i = 0; i < difference->n_options; i++)
        say_option(&sentence, &difference->options[i]);
    if (sentence.n > SAID_MAX)
        buf_printf(ret, "; and %zu more", sentence.n - SAID_MAX);
    if (!difference->is_known)
        buf_text(ret, "; whether options changed is not known, as an older program made "
                      "that entry");
}
