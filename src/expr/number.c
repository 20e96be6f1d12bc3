// SPDX-License-Identifier: Apache-2.0
// Functions over numbers, as PostgreSQL means them.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "expr/eval.h"
#include "expr/functions.h"

static struct value real(double r)
{
    return (struct value){.r = r, .kind = VALUE_REAL};
}

struct value number_abs(struct call *call, const struct value *args, size_t n_args)
{
    (void)n_args;
    if (args[0].kind == VALUE_REAL)
        return real(args[0].r < 0 ? -args[0].r : args[0].r);
    if (args[0].i == INT64_MIN) {
        call->error = STR_LITERAL("integer overflow");
        return (struct value){0};
    }
    return value_int(args[0].i < 0 ? -args[0].i : args[0].i);
}

struct value number_abs_int(struct call *call, const struct value *args, size_t n_args)
{
    (void)n_args;
    int64_t v = args[0].i < 0 ? -args[0].i : args[0].i;
    if (v <= INT32_MAX)
        return value_int(v);
    call->error = STR_LITERAL("INT out of range");
    return (struct value){0};
}

// To so many decimal places as PostgreSQL's numeric does: of 15 digits, half away from 0.
static double round_to(double r, int64_t places)
{
    char digits[32];
    snprintf(digits, sizeof(digits), "%.14e", fabs(r));
    int exponent = atoi(strchr(digits, 'e') + 1);
    int64_t keep = places > 400 ? 400 : places < -400 ? -400 : places;
    keep += exponent + 1; // digits that stay
    if (keep >= 15)
        return r;
    if (keep < 0)
        return 0;
    char mantissa[16]; // a 0 for the carry, then 15 digits without the dot
    mantissa[0] = '0';
    mantissa[1] = digits[0];
    memcpy(mantissa + 2, digits + 2, 14);
    bool up = mantissa[keep + 1] >= '5';
    for (int64_t i = keep; up && i >= 0; i--) {
        up = mantissa[i] == '9';
        mantissa[i] = up ? '0' : (char)(mantissa[i] + 1);
    }
    char text[64];
    snprintf(text, sizeof(text), "%c%.*se%d", r < 0 ? '-' : '+', (int)keep + 1, mantissa,
             exponent + 1 - (int)keep);
    return strtod(text, NULL);
}

struct value number_round(struct call *call, const struct value *args, size_t n_args)
{
    double r = n_args == 1 ? rint(args[0].r) : round_to(args[0].r, args[1].i);
    if (isfinite(r))
        return real(r);
    call->error = STR_LITERAL("REAL out of range");
    return (struct value){0};
}

struct value number_ceil(struct call *call, const struct value *args, size_t n_args)
{
    (void)call;
    (void)n_args;
    return real(ceil(args[0].r));
}

struct value number_floor(struct call *call, const struct value *args, size_t n_args)
{
    (void)call;
    (void)n_args;
    return real(floor(args[0].r));
}
