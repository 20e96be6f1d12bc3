// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "cli/commands.h"
#include "cli/error_code.h"
#include "status/names.h"

// "topic '%s': %s" is shown as "topic '...': ...".
static void print_format(struct str format)
{
    for (size_t i = 0; i < format.n; i++) {
        if (format.p[i] != '%') {
            putchar(format.p[i]);
            continue;
        }
        i++;
        while (i < format.n && strchr("-+ #0123456789.*hlzjt", format.p[i]) != NULL)
            i++;
        fputs(i < format.n && format.p[i] == '%' ? "%" : "...", stdout);
    }
    putchar('\n');
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

static enum status run(const struct args *args, struct err *err)
{
    const char *asked = args->positional[0];
    struct error_code code;
    const char *reason = about_reason(asked);
    if (reason != NULL) {
        printf("%s: of a dead letter: %s.\n\ntramline dead shows the letters, each with "
               "its own words, and replays them when the script is mended.\n",
               asked, reason);
        return ST_OK;
    }
    if (!error_code_get(asked, &code) && !error_code_find(str_of(asked), &code))
        return unknown(asked, err);
    printf("%s: ", code.code);
    print_format(code.format);
    printf("\n%.*s\n", STR_ARGS(error_code_about(&code)));
    return ST_OK;
}

const struct command command_explain_error = {
    .name = "explain-error",
    .arguments = "CODE",
    .about = "Say what an error is about, by its code or its text",
    .n_arguments = 1,
    .no_script = true,
    .run = run,
};
