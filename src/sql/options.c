// SPDX-License-Identifier: Apache-2.0
#include "sql/options.h"

// What takes options: where to report, and whom to ask of their values.
struct taker {
    struct report *report;
    const struct script_checks *checks; // or NULL
};

static bool report_unless(const struct taker *taker, const struct option_text *option,
                          enum status rc, const struct err *err)
{
    if (rc == ST_OK)
        return true;
    report_error(taker->report, option->value_at, "%s", err->text);
    return false;
}

static enum status check_value(const struct taker *taker,
                               const struct option_group *group,
                               const struct option_def *def, struct str value,
                               struct err *err)
{
    if (taker->checks == NULL)
        return ST_OK;
    if (def->flags & OPTION_REGISTRY)
        return taker->checks->registry(value, err);
    if (group->check != NULL)
        TRY(group->check(def->name, value, err));
    return group == &set_option_group ? taker->checks->setting(def->name, value, err)
                                      : ST_OK;
}

// The path of a file that the script names.
static struct str beside(const struct report *report, struct str path)
{
    const char *slash = memrchr(report->name.p, '/', report->name.n);
    if (slash == NULL || path.p[0] == '/')
        return path;
    return str_of(arena_printf(report->arena, "%.*s/%.*s", (int)(slash - report->name.p),
                               report->name.p, STR_ARGS(path)));
}

static bool take(const struct taker *taker, struct options *options,
                 const struct option_def *def, const struct option_text *option)
{
    struct report *report = taker->report;
    struct err err = {0};
    if ((def->flags & OPTION_SECRET) && option->from_set) {
        report_error(report, option->at,
                     "option '%s' is secret: its value may not come from --set",
                     def->name);
        report_hint(report,
                    "give --set-file NAME=FILE or the environment: --set shows in ps");
        return false;
    }
    if (option->text.n == 0 && def->type == OPTION_TEXT) {
        report_error(report, option->value_at, "option '%s' is empty", def->name);
        report_hint(report, "give a value, or leave the option out");
        return false;
    }
    bool is_file = def->flags & OPTION_BESIDE;
    struct str text = is_file ? beside(report, option->text) : option->text;
    enum status rc = options_set(options, def, text, &err);
    if (rc == ST_OK)
        rc = check_value(taker, options->group, def, option->text, &err);
    options->values[def - options->group->defs].from_outside = option->from_outside;
    return report_unless(taker, option, rc, &err);
}

static void suggest(struct report *report, struct str name,
                    const struct option_group *const *groups, size_t n)
{
    const char *names[128];
    size_t n_names = 0;
    for (size_t g = 0; g < n; g++)
        for (size_t i = 0; groups[g] != NULL && i < groups[g]->n; i++)
            if (n_names < ARRAY_LEN(names))
                names[n_names++] = groups[g]->defs[i].name;
    const char *near = str_nearest(name, names, n_names);
    if (near != NULL)
        report_hint(report, "did you mean '%s'?", near);
    else
        report_hint(report, "tramline reference lists the options");
}

static bool is_repeated(struct report *report, const struct option_text *options,
                        size_t i)
{
    for (size_t j = 0; j < i; j++) {
        if (!str_eq(options[j].name, options[i].name))
            continue;
        report_error(report, options[i].at, "option '%.*s' is given twice",
                     STR_ARGS(options[i].name));
        report_hint(report, "leave one out");
        return true;
    }
    return false;
}

void options_take_set(struct report *report, const struct script_checks *checks,
                      struct options *settings, const struct statement *statement)
{
    const struct taker taker = {report, checks};
    const struct option_text *option = &statement->options[0];
    const struct option_def *def = option_find(settings->group, option->name);
    if (option->failed)
        return;
    if (def == NULL) {
        report_error(report, option->at, "unknown setting '%.*s'",
                     STR_ARGS(option->name));
        suggest(report, option->name, &settings->group, 1);
    } else if (options_given(settings, def->name)) {
        report_error(report, option->at, "setting '%s' is given twice", def->name);
        report_hint(report, "leave one out");
    } else {
        (void)take(&taker, settings, def, option);
    }
}

static bool take_client_option(const struct taker *taker,
                               const struct connector_client *client,
                               const struct option_text *option, struct with_options *ret)
{
    struct report *report = taker->report;
    struct err err = {0};
    size_t n = strlen(client->prefix);
    struct str name = {option->name.p + n, option->name.n - n};
    const char *instead = client->is_taken(name);
    if (instead != NULL) {
        report_error(report, option->at, "option '%.*s' is set by the program itself",
                     STR_ARGS(option->name));
        report_hint(report, "%s", instead);
        return false;
    }
    if (client->is_secret(name) && option->from_set) {
        report_error(report, option->at,
                     "option '%.*s' is secret: its value may not come from --set",
                     STR_ARGS(option->name));
        report_hint(report,
                    "give --set-file NAME=FILE or the environment: --set shows in ps");
        return false;
    }
    ret->client_options[ret->n_client_options++] =
        (struct client_option){name, option->text, option->from_outside};
    enum status rc =
        taker->checks != NULL ? client->check(name, option->text, &err) : ST_OK;
    return report_unless(taker, option, rc, &err);
}

static const struct option_text *find(const struct statement *statement, const char *name)
{
    for (size_t i = 0; i < statement->n_options; i++)
        if (str_is(statement->options[i].name, name))
            return &statement->options[i];
    return NULL;
}

static void no_connector(struct report *report, const struct statement *statement)
{
    report_error(report, statement->name_at, "table '%.*s' has no option 'connector'",
                 STR_ARGS(statement->name));
    AUTO(buf_release) struct buf others = {0};
    for (size_t i = 1; i < n_connectors; i++)
        buf_printf(&others, "%s'%s'", i + 1 < n_connectors ? ", " : " or ",
                   connectors[i]->options.name);
    report_hint(report, "write WITH (connector = '%s', ...)%s",
                connectors[0]->options.name, buf_cstr(&others));
}

static void unknown_connector(struct report *report, const struct option_text *option)
{
    const char *names[16];
    size_t n = 0;
    AUTO(buf_release) struct buf all = {0};
    for (; n < n_connectors && n < ARRAY_LEN(names); n++) {
        names[n] = connectors[n]->options.name;
        buf_printf(&all, "%s%s",
                   n == 0                 ? ""
                   : n + 1 < n_connectors ? ", "
                                          : " and ",
                   names[n]);
    }
    report_error(report, option->value_at, "unknown connector '%.*s'",
                 STR_ARGS(option->text));
    const char *near = str_nearest(option->text, names, n);
    if (near != NULL)
        report_hint(report, "did you mean '%s'?", near);
    else
        report_hint(report, "the connectors are %s", buf_cstr(&all));
}

// NULL after a report.
static const struct connector *take_connector(struct report *report,
                                              const struct statement *statement)
{
    const struct option_text *option = find(statement, "connector");
    if (option == NULL && statement->materialized)
        return connector_of_files();
    if (option == NULL)
        no_connector(report, statement);
    if (option == NULL || option->failed)
        return NULL;
    const struct connector *connector = connector_find(option->text);
    if (connector == NULL) {
        unknown_connector(report, option);
    } else if (statement->materialized && connector->stream != NULL) {
        report_error(report, option->value_at,
                     "a materialized view is kept by connector '%s' only",
                     connector_of_files()->options.name);
        report_hint(report, "leave the option out");
        return NULL;
    }
    return connector;
}

// The format that is given, or that is the default; NULL: not known.
static const struct format *take_format(const struct statement *statement,
                                        const struct connector *connector)
{
    const struct option_text *option = find(statement, "format");
    const struct option_def *def =
        option_find(&connector->options, STR_LITERAL("format"));
    return format_find(option ? option->text : str_of(def->default_text));
}

// Whether the connector takes it; else it is reported as any choice.
static bool check_format(const struct taker *taker, const struct connector *connector,
                         const struct format *format, const struct option_text *option)
{
    AUTO(buf_release) struct buf names = {0};
    if (format != NULL && connector->takes(format))
        return true;
    connector_formats(connector, &names);
    report_error(taker->report, option->value_at,
                 "option '%s' takes one of %s, not '%.*s'",
                 arena_cstr(taker->report->arena, option->name), buf_cstr(&names),
                 STR_ARGS(option->text));
    return false;
}

static void option_of_other(struct report *report, const struct option_text *option,
                            const char *kind, const char *name)
{
    report_error(report, option->at, "option '%.*s' is of %s '%s'",
                 STR_ARGS(option->name), kind, name);
    report_hint(report, "leave it out");
}

static bool is_of_other(struct report *report, const struct option_text *option,
                        const struct format *format)
{
    for (size_t i = 0; i < n_connectors; i++) {
        const struct connector *other = connectors[i];
        const char *prefix = other->client ? other->client->prefix : NULL;
        if (option_find(&other->options, option->name) == NULL &&
            (prefix == NULL || !str_starts_with(option->name, prefix)))
            continue;
        option_of_other(report, option, "connector", other->options.name);
        return true;
    }
    for (size_t i = 0; i < n_formats; i++) {
        if (option_find(&formats[i]->options, option->name) == NULL)
            continue;
        if (format != NULL) // else the format itself is wrong
            option_of_other(report, option, "format", formats[i]->options.name);
        return true;
    }
    return false;
}

static void unknown_option(struct report *report, const struct option_text *option,
                           const struct with_options *with, const struct format *format)
{
    if (is_of_other(report, option, format))
        return;
    const struct option_group *groups[] = {with->options.group,
                                           format ? &format->options : NULL};
    report_error(report, option->at, "unknown option '%.*s'", STR_ARGS(option->name));
    suggest(report, option->name, groups, ARRAY_LEN(groups));
}

static bool take_option(const struct taker *taker, const struct option_text *option,
                        struct with_options *ret, const struct format *format)
{
    const struct connector *connector = connector_of(&ret->options);
    const struct option_def *def = option_find(ret->options.group, option->name);
    if (option->failed)
        return false;
    if (def != NULL)
        return take(taker, &ret->options, def, option) &&
               (def->type != OPTION_FORMAT ||
                check_format(taker, connector, format, option));
    const struct connector_client *client = connector->client;
    if (client != NULL && str_starts_with(option->name, client->prefix))
        return take_client_option(taker, client, option, ret);
    def = format ? option_find(&format->options, option->name) : NULL;
    if (def != NULL)
        return take(taker, &ret->format, def, option);
    unknown_option(taker->report, option, ret, format);
    return false;
}

static bool check_required(struct report *report, const struct statement *statement,
                           const struct option_group *group)
{
    bool good = true;
    for (size_t i = 0; i < group->n; i++) {
        const struct option_def *def = &group->defs[i];
        if (!(def->flags & OPTION_REQUIRED) || find(statement, def->name) != NULL)
            continue;
        good = false;
        const char *choices = option_choices(group, def, report->arena);
        report_error(report, statement->name_at, "%s '%.*s' has no option '%s'",
                     statement->materialized ? "materialized view" : "table",
                     STR_ARGS(statement->name), def->name);
        report_hint(report, "write %s = '%s' in its WITH: %s", def->name,
                    choices ? choices : "...", def->help);
    }
    return good;
}

size_t options_value_place(const struct statement *statement, const char *name)
{
    const struct option_text *option = find(statement, name);
    return option ? option->value_at : statement->name_at;
}

bool options_take_with(struct report *report, const struct script_checks *checks,
                       const struct statement *statement, struct with_options *ret)
{
    const struct taker taker = {report, checks};
    *ret = (struct with_options){0};
    const struct connector *connector = take_connector(report, statement);
    if (connector == NULL)
        return false;
    const struct format *format = take_format(statement, connector);
    options_init(&ret->options, &connector->options, report->arena);
    if (format != NULL)
        options_init(&ret->format, &format->options, report->arena);
    ret->client_options = arena_array(report->arena, statement->n_options + 1,
                                      sizeof(*ret->client_options));
    bool good = true;
    for (size_t i = 0; i < statement->n_options; i++) {
        const struct option_text *option = &statement->options[i];
        if (is_repeated(report, statement->options, i))
            good = false;
        else if (!str_is(option->name, "connector"))
            good &= take_option(&taker, option, ret, format);
    }
    return check_required(report, statement, &connector->options) && good;
}
