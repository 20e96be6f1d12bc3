// SPDX-License-Identifier: Apache-2.0
#include "core/option.h"

#include <assert.h>

#include "base/file.h"
#include "base/mem.h"

const struct option_def *option_find(const struct option_group *group, struct str name)
{
    for (size_t i = 0; i < group->n; i++)
        if (str_is(name, group->defs[i].name))
            return &group->defs[i];
    return NULL;
}

const char *option_type_name(enum option_type type)
{
    static const char *const names[] = {
        [OPTION_TEXT] = "text",       [OPTION_INT] = "number",
        [OPTION_BYTES] = "size",      [OPTION_DURATION] = "duration",
        [OPTION_PERCENT] = "percent", [OPTION_BOOLEAN] = "true or false",
        [OPTION_CHOICE] = "choice",   [OPTION_FORMAT] = "format",
    };
    return names[type];
}

struct unit {
    const char *name;
    int64_t factor;
};

static const struct unit byte_units[] = {
    {"B", 1},        {"kB", 1 << 10},  {"KB", 1 << 10}, {"KiB", 1 << 10},
    {"MB", 1 << 20}, {"MiB", 1 << 20}, {"GB", 1 << 30}, {"GiB", 1 << 30},
};
static const struct unit duration_units[] = {
    {"ms", 1}, {"s", 1000}, {"min", 60000}, {"h", 3600000}, {"d", 86400000},
};
static const struct unit percent_units[] = {{"%", 1}};

static bool parse_with_unit(struct str text, const struct unit *units, size_t n,
                            int64_t *ret)
{
    size_t i = 0;
    while (i < text.n && text.p[i] >= '0' && text.p[i] <= '9')
        i++;
    int64_t number;
    if (!str_to_i64((struct str){text.p, i}, &number))
        return false;
    struct str unit = str_trim((struct str){text.p + i, text.n - i});
    for (size_t u = 0; u < n; u++)
        if (str_is(unit, units[u].name))
            return !__builtin_mul_overflow(number, units[u].factor, ret);
    return false;
}

bool option_duration(struct str text, int64_t *ret)
{
    return parse_with_unit(text, duration_units, ARRAY_LEN(duration_units), ret);
}

static bool parse_boolean(struct str text, int64_t *ret)
{
    bool yes = str_is(text, "true") || str_is(text, "on") || str_is(text, "1");
    *ret = yes;
    return yes || str_is(text, "false") || str_is(text, "off") || str_is(text, "0");
}

static bool parse_choice(const char *choices, struct str text, int64_t *ret)
{
    struct str rest = str_of(choices);
    for (int64_t i = 0; rest.p != NULL; i++) {
        if (str_eq(str_cut(&rest, '|'), text)) {
            *ret = i;
            return true;
        }
    }
    return false;
}

static bool parse(const struct option_def *def, struct str text, int64_t *ret)
{
    switch (def->type) {
    case OPTION_TEXT:
    case OPTION_FORMAT:
        *ret = 0;
        return true;
    case OPTION_INT:
        return str_to_i64(text, ret);
    case OPTION_BYTES:
        return parse_with_unit(text, byte_units, ARRAY_LEN(byte_units), ret);
    case OPTION_DURATION:
        return option_duration(text, ret);
    case OPTION_PERCENT:
        return parse_with_unit(text, percent_units, ARRAY_LEN(percent_units), ret);
    case OPTION_BOOLEAN:
        return parse_boolean(text, ret);
    case OPTION_CHOICE:
        return parse_choice(def->choices, text, ret);
    }
    return false;
}

static const char *expectation(const struct option_def *def)
{
    switch (def->type) {
    case OPTION_BYTES:
        return "a size such as '128MB'";
    case OPTION_DURATION:
        return "a duration such as '500ms', '60s', '5min', '2h' or '90d'";
    case OPTION_PERCENT:
        return "a percentage such as '10%'";
    case OPTION_BOOLEAN:
        return "true or false";
    case OPTION_INT:
        return "a whole number";
    case OPTION_TEXT:
    case OPTION_FORMAT:
    case OPTION_CHOICE:
        break;
    }
    assert(false); // any text is good; a choice has its own sentence
    return "";
}

static enum status bad_value(const struct option_def *def, struct str text,
                             struct err *err)
{
    if (def->flags & OPTION_SECRET)
        text = STR_LITERAL("(not shown)");
    if (def->type == OPTION_CHOICE)
        return err_set(err, ST_USAGE, "option '%s' takes one of %s, not '%.*s'",
                       def->name, def->choices, STR_ARGS(text));
    return err_set(err, ST_USAGE, "option '%s' takes %s, not '%.*s'", def->name,
                   expectation(def), STR_ARGS(text));
}

static enum status out_of_range(const struct option_def *def, struct str text,
                                struct err *err)
{
    const char *unit = def->type == OPTION_DURATION  ? " ms"
                       : def->type == OPTION_BYTES   ? " bytes"
                       : def->type == OPTION_PERCENT ? " %"
                                                     : "";
    return err_set(err, ST_USAGE,
                   "option '%s' is '%.*s', but must be from %lld to %lld%s", def->name,
                   STR_ARGS(text), (long long)def->min, (long long)def->max, unit);
}

void options_init(struct options *options, const struct option_group *group,
                  struct arena *arena)
{
    *options = (struct options){
        .group = group,
        .values = arena_array(arena, group->n, sizeof(struct option_value)),
        .arena = arena,
    };
    for (size_t i = 0; i < group->n; i++) {
        const struct option_def *def = &group->defs[i];
        if (def->default_text == NULL)
            continue;
        options->values[i].text = str_of(def->default_text);
        bool good = parse(def, options->values[i].text, &options->values[i].number);
        assert(good);
        (void)good;
    }
}

enum status options_set(struct options *options, const struct option_def *def,
                        struct str text, struct err *err)
{
    int64_t number;
    if (!parse(def, text, &number))
        return bad_value(def, text, err);
    if ((def->min || def->max) && (number < def->min || number > def->max))
        return out_of_range(def, text, err);
    struct option_value *value = &options->values[def - options->group->defs];
    *value = (struct option_value){
        .given = true, .text = arena_str(options->arena, text), .number = number};
    return ST_OK;
}

static const struct option_value *value_of(const struct options *options,
                                           const char *name)
{
    const struct option_def *def = option_find(options->group, str_of(name));
    assert(def != NULL);
    return &options->values[def - options->group->defs];
}

bool options_have(const struct options *options, const char *name)
{
    return option_find(options->group, str_of(name)) != NULL;
}

bool options_given(const struct options *options, const char *name)
{
    return value_of(options, name)->given;
}

struct str options_text(const struct options *options, const char *name)
{
    return value_of(options, name)->text;
}

int64_t options_number(const struct options *options, const char *name)
{
    return value_of(options, name)->number;
}

bool options_is(const struct options *options, const char *name, const char *text)
{
    return str_is(value_of(options, name)->text, text);
}

enum status option_check_file(struct str value, struct err *err)
{
    AUTO(mem_auto_free) char *path = mem_strndup(value.p, value.n);
    struct stat info;
    const char *why = stat(path, &info) == 0 ? file_is_no_file(&info) : NULL;
    return why == NULL ? ST_OK : err_set(err, ST_USAGE, "%s is %s", path, why);
}
