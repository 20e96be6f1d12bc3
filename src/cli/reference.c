// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "cli/commands.h"
#include "cli/json_print.h"
#include "cli/json_schema.h"
#include "cli/man_page.h"
#include "core/connector.h"
#include "generate/generate.h"

// All but this one, the last.
static const struct command *const *documented(size_t *ret_n)
{
    const struct command *const *all = cli_commands(ret_n);
    (*ret_n)--;
    return all;
}

static void print_command(const struct command *command)
{
    printf("### tramline %s%s%s\n\n%s.\n", command->name,
           command->arguments[0] ? " " : "", command->arguments, command->about);
    if (command->more != NULL)
        printf("%s\n", command->more);
    if (command->exit_codes != NULL)
        printf("Exit codes: %s.\n", command->exit_codes);
    if (command->n_flags)
        printf("\n| option | for |\n|---|---|\n");
    for (size_t i = 0; i < command->n_flags; i++) {
        const struct flag *flag = &command->flags[i];
        printf("| `%s%s%s` | %s |\n", flag->name, flag->argument ? " " : "",
               flag->argument ? flag->argument : "", flag->help);
    }
    printf("\n");
}

// What --json prints, in a line each; reference itself is the last of all commands.
static void print_schemas(void)
{
    size_t n;
    const struct command *const *commands = cli_commands(&n);
    printf("## JSON\n\nEach command takes `--json`: then it prints one JSON value, or "
           "one a line, and its errors are JSON lines\non stderr. `tramline COMMAND "
           "--json=schema` prints the schema of it (JSON Schema, draft 2020-12), with a "
           "description\nof each field, and `tramline --json=schema` that of the lines "
           "on stderr. A field may be added; one that changes or\ngoes is told with the "
           "release, and changes `version` where there is one.\n\n"
           "| command | prints | which is |\n|---|---|---|\n");
    for (size_t i = 0; i < n; i++) {
        json_t *schema = json_schema(commands[i]->name);
        printf("| `%s` | %s | %s |\n", commands[i]->name,
               json_is_true(json_object_get(schema, "x-lines")) ? "lines" : "one value",
               json_string_value(json_object_get(schema, "description")));
        json_decref(schema);
    }
    printf("\n");
}

static void print_range(const struct option_group *group, const struct option_def *def)
{
    AUTO(arena_release) struct arena arena = {0};
    const char *choices = option_choices(group, def, &arena);
    if (choices != NULL) {
        for (const char *c = choices; *c; c++)
            fputs(*c == '|' ? ", " : (char[]){*c, '\0'}, stdout);
        return;
    }
    fputs(option_type_name(def->type), stdout);
    const char *unit = def->type == OPTION_DURATION ? " ms"
                       : def->type == OPTION_BYTES  ? " bytes"
                                                    : "";
    if ((def->min || def->max) && def->max == INT64_MAX)
        printf(", from %lld%s", (long long)def->min, unit);
    else if (def->min || def->max)
        printf(", %lld to %lld%s", (long long)def->min, (long long)def->max, unit);
}

static void print_group(const struct option_group *group)
{
    printf("### %s\n\n%s.\n\n| option | takes | default | for |\n|---|---|---|---|\n",
           group->name, group->about);
    for (size_t i = 0; i < group->n; i++) {
        const struct option_def *def = &group->defs[i];
        printf("| `%s` | ", def->name);
        print_range(group, def);
        printf(" | %s | %s%s |\n",
               def->flags & OPTION_REQUIRED ? "required"
               : def->default_text          ? def->default_text
                                            : "",
               def->help, def->flags & OPTION_SECRET ? " (secret)" : "");
    }
    printf("\n");
}

// The unit that is installed: `systemctl start tramline@stm` runs /etc/tramline/stm.sql.
static enum status print_unit(const char *program)
{
    struct generate_service service = {
        .program = program,
        .script = "/etc/tramline/%i.sql",
        .is_template = true,
        .variables = "/etc/tramline/%i.env",
        .name = "%i",
    };
    AUTO(buf_release) struct buf text = {0};
    generate_service(&service, &text);
    fwrite(text.p, 1, text.n, stdout);
    return ST_OK;
}

static enum status print(const struct args *args, UNUSED struct err *err)
{
    size_t n;
    const struct command *const *commands = documented(&n);
    const char *program = args_text(args, "--unit", NULL);
    if (program != NULL)
        return print_unit(program);
    if (args_has(args, "--man")) {
        man_page_print(commands, n);
        return ST_OK;
    }
    printf(
        "# Reference\n\nMade by `tramline reference` from the program's own tables.\n\n"
        "## Commands\n\nEach also takes `--help`, `--log-level LEVEL` and `--log-format "
        "FORMAT`; those with a "
        "script `--set NAME=VALUE`\nand `--set-file NAME=FILE`. Exit codes: 0 done, 1 "
        "failed, 2 wrong usage, 3 the data has errors.\n\n");
    for (size_t i = 0; i < n; i++)
        print_command(commands[i]);
    print_schemas();
    printf(
        "## Options of a script\n\n`SET name = 'value';` for the whole job, `WITH (name "
        "= 'value')` for tables and views.\n\n");
    for (size_t i = 0; i < n_option_groups(); i++)
        print_group(option_group_at(i));
    printf(
        "### kafka.*\n\nSettings of the Kafka client, by the name that follows the dot, "
        "such as `\"kafka.security.protocol\"`: [security.md](security.md).\n");
    return ST_OK;
}

static enum status run(const struct args *args, struct err *err)
{
    const char *kind = args_has(args, "--unit")  ? "unit"
                       : args_has(args, "--man") ? "man"
                                                 : "markdown";
    return json_print_text(args, kind, print, err);
}

static const struct flag flags[] = {
    {"--man", NULL, "as a manual page instead, for man(1)"},
    {"--unit", "PROGRAM", "the unit tramline@.service instead, for systemd"},
    {"--json", NULL, "the text in one JSON object"},
};

const struct command command_reference = {
    .name = "reference",
    .arguments = "",
    .about = "Print the reference of all commands and options as Markdown",
    .flags = flags,
    .n_flags = ARRAY_LEN(flags),
    .no_script = true,
    .run = run,
};
