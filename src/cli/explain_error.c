// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "cli/commands.h"
#include "cli/error_code.h"

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

static enum status run(const struct args *args, struct err *err)
{
    const char *asked = args->positional[0];
    struct error_code code;
    if (!error_code_get(asked, &code) && !error_code_find(str_of(asked), &code))
        return err_set(err, ST_USAGE,
                       "no error has the code or the text '%s'; give one as it was told, "
                       "or a code such as TL1002",
                       asked);
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
