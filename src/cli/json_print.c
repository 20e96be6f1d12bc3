// SPDX-License-Identifier: Apache-2.0
#include "cli/json_print.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

void json_print(struct buf *json)
{
    buf_char(json, '\n');
    fwrite(json->p, 1, json->n, stdout);
    fflush(stdout);
}

static void print_object(const char *kind, struct str text)
{
    AUTO(buf_release) struct buf json = {0};
    json_put_open(&json, NULL, '{');
    json_put_text(&json, "kind", str_of(kind));
    json_put_text(&json, "text", text);
    json_put_close(&json, '}');
    json_print(&json);
}

// glibc's stdout is a variable that may be set.
enum status json_print_text(const struct args *args, const char *kind,
                            text_printer *print, struct err *err)
{
    if (!args_has(args, "--json"))
        return print(args, err);
    char *text = NULL;
    size_t n = 0;
    FILE *before = stdout, *memory = open_memstream(&text, &n);
    assert(memory != NULL); // as any memory
    stdout = memory;
    enum status rc = print(args, err);
    stdout = before;
    fclose(memory);
    if (rc == ST_OK)
        print_object(kind, (struct str){text, n});
    free(text);
    return rc;
}
