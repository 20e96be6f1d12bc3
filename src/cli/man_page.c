// SPDX-License-Identifier: Apache-2.0
#include "cli/man_page.h"

#include <stdio.h>

#include "core/connector.h"

#define PAGE_DATE "2026-11-26" // of the last change to what stands here as text

// Text that roff takes as it is; at a line's beginning '.' and '\'' would be requests.
static void put(const char *text)
{
    bool begins_line = true;
    for (const char *c = text; *c; c++) {
        if (begins_line && (*c == '.' || *c == '\''))
            fputs("\\&", stdout);
        begins_line = *c == '\n';
        if (*c == '\\')
            fputs("\\e", stdout);
        else if (*c == '-')
            fputs("\\-", stdout);
        else
            putchar(*c);
    }
}

static void put_bold(const char *text)
{
    fputs("\\fB", stdout);
    put(text);
    fputs("\\fR", stdout);
}

static void put_italic(const char *text)
{
    fputs("\\fI", stdout);
    put(text);
    fputs("\\fR", stdout);
}

static void put_flags(const struct flag *flags, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        fputs(".TP\n", stdout);
        put_bold(flags[i].name);
        if (flags[i].argument != NULL) {
            putchar(' ');
            put_italic(flags[i].argument);
        }
        putchar('\n');
        put(flags[i].help);
        putchar('\n');
    }
}

static void put_command(const struct command *command)
{
    fputs(".SS ", stdout);
    put_bold(command->name);
    if (command->arguments[0] != '\0') {
        putchar(' ');
        put_italic(command->arguments);
    }
    putchar('\n');
    put(command->about);
    fputs(".\n", stdout);
    if (command->more != NULL) {
        put(command->more);
        putchar('\n');
    }
    if (command->exit_codes != NULL) {
        fputs("Exit codes: ", stdout);
        put(command->exit_codes);
        fputs(".\n", stdout);
    }
    put_flags(command->flags, command->n_flags);
}

// "Value: duration; default 10s."
static void put_values(const struct option_group *group, const struct option_def *def)
{
    AUTO(arena_release) struct arena arena = {0};
    const char *choices = option_choices(group, def, &arena);
    fputs("Value: ", stdout);
    for (const char *c = choices; c != NULL && *c; c++)
        fputs(*c == '|' ? ", " : (char[]){*c, '\0'}, stdout);
    if (choices == NULL)
        put(option_type_name(def->type));
    if (def->flags & OPTION_REQUIRED) {
        fputs("; required", stdout);
    } else if (def->default_text != NULL) {
        fputs("; default ", stdout);
        put(def->default_text);
    }
    fputs(def->flags & OPTION_SECRET ? "; secret.\n" : ".\n", stdout);
}

static void put_group(const struct option_group *group)
{
    fputs(".SS ", stdout);
    put(group->about);
    putchar('\n');
    for (size_t i = 0; i < group->n; i++) {
        const struct option_def *def = &group->defs[i];
        fputs(".TP\n", stdout);
        put_bold(def->name);
        putchar('\n');
        put(def->help);
        fputs(".\n", stdout);
        put_values(group, def);
    }
}

static void put_head(void)
{
    printf(".TH TRAMLINE 1 \"" PAGE_DATE "\" \"tramline " TRAMLINE_VERSION
           "\" \"User Commands\"\n");
    fputs(".SH NAME\n"
          "tramline \\- enrich a stream of GTFS stop times by SQL, exactly once\n"
          ".SH SYNOPSIS\n"
          "\\fBtramline\\fR \\fICOMMAND\\fR [\\fIARGUMENT\\fR ...] [\\fIOPTION\\fR ...]\n"
          ".SH DESCRIPTION\n"
          "A pipeline is one SQL script. It names tables of a GTFS feed, a stream of\n"
          "records on Kafka and a result on HDFS or in local files; one INSERT says how\n"
          "the stream is enriched by the tables. The result has each record exactly\n"
          "once, however often the job is stopped, killed or restarted.\n",
          stdout);
}

static void put_tail(void)
{
    fputs(".SH EXIT STATUS\n"
          "0 done, 1 failed, 2 wrong usage, 3 the data has errors.\n"
          ".SH ENVIRONMENT\n"
          ".TP\n\\fINAME\\fR\n"
          "Replaces ${\\fINAME\\fR} in the script, unless \\fB\\-\\-set\\fR does.\n"
          ".TP\n\\fBXDG_STATE_HOME\\fR, \\fBHOME\\fR\n"
          "Where files on their way and locks are kept, without SET spool.\n"
          ".TP\n\\fBHADOOP_USER_NAME\\fR\n"
          "The HDFS user, without the option user.\n"
          ".TP\n\\fBTMPDIR\\fR\n"
          "Where feeds are downloaded and unpacked, and tables made on their way.\n"
          ".TP\n\\fBKRB5_CONFIG\\fR, \\fBKRB5CCNAME\\fR, \\fBKRB5_CLIENT_KTNAME\\fR\n"
          "Kerberos, for tables with auth = \\(aqkerberos\\(aq; see\n"
          ".BR kerberos (7).\n"
          ".SH SEE ALSO\n"
          ".BR kcat (1),\n"
          ".BR sqlite3 (1)\n",
          stdout);
}

void man_page_print(const struct command *const *commands, size_t n)
{
    size_t n_flags;
    put_head();
    fputs(".SH COMMANDS\n", stdout);
    for (size_t i = 0; i < n; i++)
        put_command(commands[i]);
    fputs(".SH OPTIONS\n.SS Of every command\n", stdout);
    const struct flag *flags = args_shared_flags(false, &n_flags);
    put_flags(flags, n_flags);
    fputs(".SS Of every command with a script\n", stdout);
    flags = args_shared_flags(true, &n_flags);
    put_flags(flags, n_flags);
    fputs(".SH OPTIONS OF A SCRIPT\n"
          "By SET name = \\(aqvalue\\(aq for the whole job, by WITH (name = "
          "\\(aqvalue\\(aq)\nfor tables and views.\n",
          stdout);
    for (size_t i = 0; i < n_option_groups(); i++)
        put_group(option_group_at(i));
    put_tail();
}
