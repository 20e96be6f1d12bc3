// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "cli/commands.h"
#include "cli/error_code.h"
#include "cli/json_print.h"
#include "status/names.h"

// "topic '%s': %s" is shown as "topic '...': ...".
static void put_format(struct str format, struct buf *out)
{
    for (size_t i = 0; i < format.n; i++) {
        if (format.p[i] != '%') {
            buf_char(out, format.p[i]);
            continue;
        }
        i++;
        while (i < format.n && strchr("-+ #0123456789.*hlzjt", format.p[i]) != NULL)
            i++;
        buf_text(out, i < format.n && format.p[i] == '%' ? "%" : "...");
    }
}

static enum status unknown(const char *asked, struct err *err)
{
    struct error_code near;
    if (error_code_near(asked, &near))
        return err_set(err, ST_USAGE, "no error has the code '%s'; did you mean %s?",
                       asked, near.code);
    return err_set(err, ST_USAGE,
                   "no error has the code or the text '%s'; give one as it was told, "
                   "or a code such as TL1002",
                   asked);
}

// Names that a job's status and its metrics have for why records became dead letters.
static const char *about_reason(const char *name)
{
    static const char *const about[] = {
        [REJECT_UNREADABLE] = "its bytes are not a row of the stream",
        [REJECT_QUERY] = "the query fails for it, or gives what the result cannot hold",
        [REJECT_TOO_LARGE] = "it gives too many rows",
    };
    for (size_t i = 0; i < ARRAY_LEN(about); i++)
        if (strcmp(name, reject_reason_names[i]) == 0)
            return about[i];
    return NULL;
}

static void tell_reason(const struct args *args, const char *reason, const char *about)
{
    if (!args_has(args, "--json")) {
        printf("%s: of a dead letter: %s.\n\ntramline dead shows the letters, each with "
               "its own words, and replays them when the script is mended.\n",
               reason, about);
        return;
    }
    AUTO(buf_release) struct buf json = {0};
    json_put_open(&json, NULL, '{');
    json_put_text(&json, "reason", str_of(reason));
    json_put_text(&json, "about", str_of(about));
    json_put_close(&json, '}');
    json_print(&json);
}

static void tell_code(const struct args *args, const struct error_code *code)
{
    AUTO(buf_release) struct buf format = {0};
    AUTO(buf_release) struct buf json = {0};
    put_format(code->format, &format);
    if (!args_has(args, "--json")) {
        printf("%s: %s\n", code->code, buf_cstr(&format));
        if (code->why.n > 0)
            printf("\nWhy: %.*s\nWhat to do: %.*s\n", STR_ARGS(code->why),
                   STR_ARGS(code->way_out));
        printf("\n%.*s\n", STR_ARGS(error_code_about(code)));
        return;
    }
    json_put_open(&json, NULL, '{');
    json_put_text(&json, "code", str_of(code->code));
    json_put_text(&json, "format", buf_as_str(&format));
    json_put_text_or_null(&json, "why", code->why);
    json_put_text_or_null(&json, "way_out", code->way_out);
    json_put_text(&json, "about", error_code_about(code));
    json_put_close(&json, '}');
    json_print(&json);
}

static enum status run(const struct args *args, struct err *err)
{
    const char *asked = args->positional[0];
    struct error_code code;
    const char *about = about_reason(asked);
    if (about != NULL) {
        tell_reason(args, asked, about);
        return ST_OK;
    }
    if (!error_code_get(asked, &code) && !error_code_find(str_of(asked), &code))
        return unknown(asked, err);
    tell_code(args, &code);
    return ST_OK;
}

static const struct flag flags[] = {
    {"--json", NULL, "as one JSON object"},
};

const struct command command_explain_error = {
    .name = "explain-error",
    .arguments = "CODE",
    .about = "Say what an error is about, by its code or its text",
    .flags = flags,
    .n_flags = ARRAY_LEN(flags),
    .n_arguments = 1,
    .no_script = true,
    .run = run,
};
