// SPDX-License-Identifier: Apache-2.0
#include "log/file_format.h"

bool file_format_eq(const struct file_format *a, const struct file_format *b)
{
    if (!str_eq(a->name, b->name) || a->n_options != b->n_options)
        return false;
    for (size_t i = 0; i < a->n_options; i++)
        if (!str_eq(a->options[i].name, b->options[i].name) ||
            !str_eq(a->options[i].value, b->options[i].value))
            return false;
    return true;
}

struct file_format file_format_copy(struct arena *arena, const struct file_format *format)
{
    struct file_format copy = {
        .name = arena_str(arena, format->name),
        .options = arena_array(arena, format->n_options, sizeof(struct file_option)),
        .n_options = format->n_options,
    };
    for (size_t i = 0; i < format->n_options; i++)
        copy.options[i] =
            (struct file_option){arena_str(arena, format->options[i].name),
                                 arena_str(arena, format->options[i].value)};
    return copy;
}

void file_format_describe(const struct file_format *format, struct buf *ret)
{
    buf_str(ret, format->name);
    for (size_t i = 0; i < format->n_options; i++)
        buf_printf(ret, "%s%.*s = %.*s", i ? ", " : " (",
                   STR_ARGS(format->options[i].name), STR_ARGS(format->options[i].value));
    buf_text(ret, format->n_options ? ")" : "");
}
