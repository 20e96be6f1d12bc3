// SPDX-License-Identifier: Apache-2.0
#include <math.h>

#include "expr/eval.h"
#include "expr/functions.h"
#include "expr/kernels.h"

static struct value parse(struct call *call, struct value text, enum type type)
{
    struct value value;
    if (value_parse(type, value_str(text), &value))
        return value;
    bool is_long = text.n > 60;
    call->error = str_of(arena_printf(call->arena, "'%.*s%s' is not %s",
                                      (int)(is_long ? 60 : text.n), text.p,
                                      is_long ? "..." : "", type_name(type)));
    return (struct value){0};
}

static struct value out_of_range(struct call *call, enum type type)
{
    call->error = str_of(type == TYPE_INT ? "INT out of range" : "BIGINT out of range");
    return (struct value){0};
}

// As PostgreSQL rounds: half to even.
static struct value whole_of_real(struct call *call, double r, enum type type)
{
    double whole = rint(r);
    double limit = type == TYPE_INT ? 2147483648.0 : 9223372036854775808.0;
    if (whole < -limit || whole >= limit)
        return out_of_range(call, type);
    return value_int((int64_t)whole);
}

static struct value to_whole(struct call *call, struct value value, enum type type)
{
    if (value.kind == VALUE_TEXT)
        return parse(call, value, type);
    if (value.kind == VALUE_REAL)
        return whole_of_real(call, value.r, type);
    if (type == TYPE_INT && (value.i < INT32_MIN || value.i > INT32_MAX))
        return out_of_range(call, type);
    return value_int(value.i);
}

struct value cast_to_int(struct call *call, const struct value *args, size_t n_args)
{
    (void)n_args;
    return to_whole(call, args[0], TYPE_INT);
}

struct value cast_to_bigint(struct call *call, const struct value *args, size_t n_args)
{
    (void)n_args;
    return to_whole(call, args[0], TYPE_BIGINT);
}

struct value cast_to_real(struct call *call, const struct value *args, size_t n_args)
{
    (void)n_args;
    if (args[0].kind == VALUE_TEXT)
        return parse(call, args[0], TYPE_REAL);
    if (args[0].kind == VALUE_REAL)
        return args[0];
    return (struct value){.r = (double)args[0].i, .kind = VALUE_REAL};
}

struct value cast_to_boolean(struct call *call, const struct value *args, size_t n_args)
{
    (void)n_args;
    if (args[0].kind == VALUE_TEXT)
        return parse(call, args[0], TYPE_BOOLEAN);
    return (struct value){.i = args[0].i != 0, .kind = VALUE_BOOL};
}

void text_append(struct value value, struct buf *text)
{
    // A table loses the sign of 0.0, so it is never shown.
    if (value.kind == VALUE_REAL && value.r == 0)
        buf_char(text, '0');
    else
        value_format(value, text);
}

struct value cast_to_text(struct call *call, const struct value *args, size_t n_args)
{
    (void)n_args;
    if (args[0].kind == VALUE_TEXT)
        return args[0];
    AUTO(buf_release) struct buf text = {0};
    text_append(args[0], &text);
    return value_text(arena_str(call->arena, buf_as_str(&text)));
}
