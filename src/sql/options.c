// SPDX-License-Identifier: Apache-2.0
#include "sql/options.h"

// What takes options: where to report, and whom to ask of their values.
struct taker {
    struct report *report;
    const struct script_checks *checks; // or NULL
};

static bool ask_outside(const struct taker *taker, const char *group, const char *name,
                        const struct option_text *option)
{
    struct err err = {0};
    if (taker->checks == NULL ||
        taker->checks->value(group, name, option->text, &err) == ST_OK)
        return true;
    report_error(taker->report, option->value_at, "%s", err.text);
    return false;
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
    if (options_set(options, def, text, &err) == ST_OK)
        return ask_outside(taker, options->group->name, def->name, option);
    report_error(report, option->value_at, "%s", err.text);
    return false;
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

// Options of the client that the program sets, and what to write instead.
static const struct {
    const char *name, *instead;
} own_client_options[] = {
    {"bootstrap.servers", "write brokers = '...'"},
    {"metadata.broker.list", "write brokers = '...'"},
    {"group.id", "write \"group\" = '...'"},
    {"group.instance.id", "a worker leaves the group when it ends"},
    {"session.timeout.ms", "write \"session.timeout\" = '6s'"},
    {"enable.auto.commit", "progress lives with the result, not in Kafka"},
    {"enable.auto.offset.store", "progress lives with the result, not in Kafka"},
    {"auto.offset.reset", "write start = 'earliest' or 'latest'"},
    {"isolation.level", "aborted records are never read"},
    {"enable.partition.eof", "the source needs it as it is"},
    {"partition.assignment.strategy", "the source needs it as it is"},
    {"queued.min.messages", "write SET source.buffer = '384MB'"},
    {"queued.max.messages.kbytes", "write SET source.buffer = '384MB'"},
    {"check.crcs", "it is always on"},
    {"enable.idempotence", "it is always on"},
    {"transactional.id", "the producer uses no transactions"},
    {"partitioner", "keys go where Java's producer puts them"},
};

static bool is_secret(struct str name)
{
    return memmem(name.p, name.n, "password", 8) != NULL ||
           memmem(name.p, name.n, "secret", 6) != NULL || str_is(name, "ssl.key.pem") ||
           str_is(name, "sasl.oauthbearer.config");
}

static bool take_client_option(const struct taker *taker,
                               const struct option_text *option, struct with_options *ret)
{
    struct report *report = taker->report;
    struct str name = {option->name.p + 6, option->name.n - 6};
    for (size_t i = 0; i < ARRAY_LEN(own_client_options); i++) {
        if (!str_is(name, own_client_options[i].name))
            continue;
        report_error(report, option->at, "option '%.*s' is set by the program itself",
                     STR_ARGS(option->name));
        report_hint(report, "%s", own_client_options[i].instead);
        return false;
    }
    if (is_secret(name) && option->from_set) {
        report_error(report, option->at,
                     "option '%.*s' is secret: its value may not come from --set",
                     STR_ARGS(option->name));
        report_hint(report,
                    "give --set-file NAME=FILE or the environment: --set shows in ps");
        return false;
    }
    ret->client_options[ret->n_client_options++] =
        (struct client_option){name, option->text};
    return ask_outside(taker, "kafka.", name.p, option);
}

static const struct option_text *find(const struct statement *statement, const char *name)
{
    for (size_t i = 0; i < statement->n_options; i++)
        if (str_is(statement->options[i].name, name))
            return &statement->options[i];
    return NULL;
}

static bool take_connector(struct report *report, const struct statement *statement,
                           struct with_options *ret)
{
    static const char *const connectors[] = {"filesystem", "kafka", "file"};
    const struct option_text *option = find(statement, "connector");
    if (option == NULL && statement->materialized) {
        ret->connector = STR_LITERAL("filesystem");
        return true;
    }
    if (option == NULL) {
        report_error(report, statement->name_at, "table '%.*s' has no option 'connector'",
                     STR_ARGS(statement->name));
        report_hint(report,
                    "write WITH (connector = 'filesystem', ...), 'kafka' or 'file'");
        return false;
    }
    for (size_t i = 0; i < ARRAY_LEN(connectors) && !option->failed; i++)
        if (str_is(option->text, connectors[i]))
            ret->connector = str_of(connectors[i]);
    if (statement->materialized && ret->connector.n > 0 &&
        !str_is(ret->connector, "filesystem")) {
        report_error(report, option->value_at,
                     "a materialized view is kept by connector 'filesystem' only");
        report_hint(report, "leave the option out");
        return false;
    }
    if (ret->connector.n > 0 || option->failed)
        return ret->connector.n > 0;
    report_error(report, option->value_at, "unknown connector '%.*s'",
                 STR_ARGS(option->text));
    const char *near = str_nearest(option->text, connectors, ARRAY_LEN(connectors));
    if (near != NULL)
        report_hint(report, "did you mean '%s'?", near);
    else
        report_hint(report, "the connectors are filesystem, kafka and file");
    return false;
}

// The group of the format that is given, or that is the default; NULL: not known.
static const struct option_group *format_group(const struct statement *statement,
                                               const struct option_group *connector)
{
    const struct option_text *option = find(statement, "format");
    const struct option_def *def = option_find(connector, STR_LITERAL("format"));
    struct str name = option ? option->text : str_of(def->default_text);
    if (str_is(name, "csv") || str_is(name, "avro"))
        return option_group_find(str_is(name, "csv") ? "csv" : "avro");
    return NULL;
}

static void unknown_option(struct report *report, const struct option_text *option,
                           const struct with_options *with,
                           const struct option_group *format)
{
    static const char *const others[] = {"filesystem", "kafka", "file", "csv", "avro"};
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        const struct option_group *group = option_group_find(others[i]);
        if (option_find(group, option->name) == NULL)
            continue;
        if (format == NULL && i >= 3)
            return; // the format itself is wrong
        report_error(report, option->at, "option '%.*s' is of %s '%s'",
                     STR_ARGS(option->name), i < 3 ? "connector" : "format", others[i]);
        report_hint(report, "leave it out");
        return;
    }
    if (str_starts_with(option->name, "kafka.")) {
        report_error(report, option->at, "option '%.*s' is of connector 'kafka'",
                     STR_ARGS(option->name));
        report_hint(report, "leave it out");
        return;
    }
    const struct option_group *groups[] = {with->options.group, format};
    report_error(report, option->at, "unknown option '%.*s'", STR_ARGS(option->name));
    suggest(report, option->name, groups, ARRAY_LEN(groups));
}

static bool take_option(const struct taker *taker, const struct option_text *option,
                        struct with_options *ret, const struct option_group *format)
{
    const struct option_def *def = option_find(ret->options.group, option->name);
    if (option->failed)
        return false;
    if (def != NULL)
        return take(taker, &ret->options, def, option);
    if (str_is(ret->connector, "kafka") && str_starts_with(option->name, "kafka."))
        return take_client_option(taker, option, ret);
    def = format ? option_find(format, option->name) : NULL;
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
        report_error(report, statement->name_at, "%s '%.*s' has no option '%s'",
                     statement->materialized ? "materialized view" : "table",
                     STR_ARGS(statement->name), def->name);
        report_hint(report, "write %s = '%s' in its WITH: %s", def->name,
                    def->choices ? def->choices : "...", def->help);
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
    if (!take_connector(report, statement, ret))
        return false;
    const struct option_group *group = option_group_find(ret->connector.p);
    const struct option_group *format = format_group(statement, group);
    options_init(&ret->options, group, report->arena);
    if (format != NULL)
        options_init(&ret->format, format, report->arena);
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
    return check_required(report, statement, group) && good;
}
