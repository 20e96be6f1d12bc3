// SPDX-License-Identifier: Apache-2.0
#include "job/plan_job.h"

#include <stdlib.h>

#include "base/text.h"
#include "core/stream_start.h"
#include "job/result.h"

enum {
    QUERY_BYTES_MAX = 256 << 10 // of text that the log keeps; it stands in each claim
};

static void set_start(const struct table *stream, struct job_settings *settings)
{
    struct err ignored; // the option was looked at with the script
    settings->start = START_EARLIEST;
    if (options_have(&stream->options, "start"))
        (void)!stream_start_parse(options_text(&stream->options, "start"),
                                  &settings->start, &settings->start_ms, &ignored);
}

void plan_job_settings(const struct plan *plan, bool once, struct job_settings *ret)
{
    *ret = job_settings_of(&plan->settings);
    if (format_of(&plan->stream->format)->schemas != NULL)
        ret->schema_retry_ms = options_number(&plan->stream->format, "registry.retry");
    ret->directory_by_day = options_is(&plan->sink->options, "directory", "day");
    ret->once = once;
    ret->watches_whole_job = options_given(&plan->settings, "status.listen");
    set_start(plan->stream, ret);
}

struct options_maker {
    struct arena *arena;
    struct script_option *items;
    size_t n, capacity;
};

static void add_option(struct options_maker *maker, struct str table, struct str name,
                       struct str value)
{
    MEM_GROW(maker->items, maker->n, maker->capacity);
    maker->items[maker->n++] = (struct script_option){table, name, value};
}

// As a log can have it: UTF-8, without the logins of addresses.
static struct str clean(struct arena *arena, struct str value)
{
    AUTO(buf_release) struct buf text = {0};
    text_utf8(&text, value);
    text_hide_logins((char *)buf_cstr(&text));
    return arena_str(arena, str_of(buf_cstr(&text)));
}

static void add_given(struct options_maker *maker, struct str table,
                      const struct options *options)
{
    for (size_t i = 0; i < options->group->n; i++) {
        const struct option_def *def = &options->group->defs[i];
        const struct option_value *value = &options->values[i];
        bool is_secret = (def->flags & OPTION_SECRET) || value->from_outside;
        if (value->given)
            add_option(maker, table, str_of(def->name),
                       is_secret ? (struct str){0} : clean(maker->arena, value->text));
    }
}

static void add_table(struct options_maker *maker, const struct table *table)
{
    const struct connector *connector = connector_of(&table->options);
    add_option(maker, table->name, STR_LITERAL("connector"),
               str_of(connector->options.name));
    add_given(maker, table->name, &table->options);
    if (!options_given(&table->options, "format"))
        add_option(maker, table->name, STR_LITERAL("format"),
                   str_of(table->format.group->name));
    add_given(maker, table->name, &table->format);
    for (size_t i = 0; i < table->n_client_options; i++) {
        const struct client_option *option = &table->client_options[i];
        const char *name = arena_printf(maker->arena, "%s%.*s", connector->client->prefix,
                                        STR_ARGS(option->name));
        bool is_secret =
            connector->client->is_secret(option->name) || option->from_outside;
        add_option(maker, table->name, str_of(name),
                   is_secret ? (struct str){0} : clean(maker->arena, option->value));
    }
}

struct job_script plan_job_script(const struct plan *plan, struct arena *arena)
{
    struct options_maker maker = {.arena = arena};
    add_given(&maker, (struct str){0}, &plan->settings);
    for (size_t i = 0; i < plan->n_tables; i++)
        add_table(&maker, &plan->tables[i]);
    for (size_t i = 0; i < plan->n_views; i++) {
        const struct table table = plan_table_of_view(&plan->views[i]);
        if (plan->views[i].materialized)
            add_table(&maker, &table);
    }
    struct job_script script = {
        .is_known = maker.n <= SCRIPT_OPTIONS_MAX,
        .options = arena_array(arena, maker.n, sizeof(*script.options)),
        .n_options = maker.n,
    };
    for (size_t i = 0; i < maker.n; i++)
        script.options[i] = maker.items[i];
    free(maker.items);
    if (plan->text.n <= QUERY_BYTES_MAX)
        script.query = clean(arena, plan->text);
    return script;
}

struct job_identity plan_job_identity(const struct pipeline *pipeline,
                                      const struct topic *topic)
{
    return (struct job_identity){
        .cluster = topic->cluster,
        .topic = topic->name,
        .group = str_of(pipeline->group),
        .name = str_of(pipeline->job_name),
    };
}

struct job plan_job(const struct pipeline *pipeline, const struct job_identity *identity,
                    struct arena *arena)
{
    const struct plan *plan = pipeline->plan;
    AUTO(buf_release) struct buf schema = {0};
    struct job job = {.identity = *identity, .plan = str_of(plan->hash)};
    schema_format(&plan->output, &schema);
    job.schema = arena_str(arena, buf_as_str(&schema));
    job.format = result_format(plan->sink, arena);
    job.script = plan_job_script(plan, arena);
    plan_job_settings(plan, false, &job.settings);
    return job;
}
