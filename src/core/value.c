// SPDX-License-Identifier: Apache-2.0
#include "core/value.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/json_put.h"

static const struct {
    const char *name;
    enum type type;
} type_names[] = {
    {"TEXT", TYPE_TEXT},
    {"INT", TYPE_INT},
    {"BIGINT", TYPE_BIGINT},
    {"REAL", TYPE_REAL},
    {"BOOLEAN", TYPE_BOOLEAN},
    {"BYTES", TYPE_BYTES},
    {"STRING", TYPE_TEXT},
    {"VARCHAR", TYPE_TEXT},
    {"INTEGER", TYPE_INT},
    {"LONG", TYPE_BIGINT},
    {"DOUBLE", TYPE_REAL},
    {"BOOL", TYPE_BOOLEAN},
    {"DOUBLE PRECISION", TYPE_REAL},
};

const char *type_name(enum type type)
{
    for (size_t i = 0; i < ARRAY_LEN(type_names); i++)
        if (type_names[i].type == type)
            return type_names[i].name;
    return "UNKNOWN";
}

enum type type_of_name(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(type_names); i++)
        if (str_eq_nocase(name, str_of(type_names[i].name)))
            return type_names[i].type;
    return TYPE_UNKNOWN;
}

static bool parse_integer(enum type type, struct str text, struct value *ret)
{
    int64_t i;
    if (!str_to_i64(text, &i))
        return false;
    if (type == TYPE_INT && (i < INT32_MIN || i > INT32_MAX))
        return false;
    *ret = value_int(i);
    return true;
}

static size_t digits(struct str s, size_t i)
{
    size_t from = i;
    while (i < s.n && s.p[i] >= '0' && s.p[i] <= '9')
        i++;
    return i - from;
}

// A number as RFC 8259 section 6 spells it.
static bool is_json_number(struct str s)
{
    size_t i = s.n && s.p[0] == '-' ? 1 : 0;
    size_t whole = digits(s, i);
    if (whole == 0 || (whole > 1 && s.p[i] == '0'))
        return false;
    i += whole;
    if (i < s.n && s.p[i] == '.') {
        size_t fraction = digits(s, ++i);
        if (fraction == 0)
            return false;
        i += fraction;
    }
    if (i < s.n && (s.p[i] == 'e' || s.p[i] == 'E')) {
        i++;
        if (i < s.n && (s.p[i] == '+' || s.p[i] == '-'))
            i++;
        size_t exponent = digits(s, i);
        if (exponent == 0)
            return false;
        i += exponent;
    }
    return i == s.n;
}

enum {
    REAL_TEXT_MAX = 400
}; // longer than any double needs

static bool parse_real(struct str text, struct value *ret)
{
    if (text.n > REAL_TEXT_MAX || !is_json_number(text))
        return false;
    char copy[REAL_TEXT_MAX + 1];
    memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    double r = strtod(copy, NULL);
    if (!isfinite(r))
        return false;
    *ret = (struct value){.r = r, .kind = VALUE_REAL};
    return true;
}

static bool parse_boolean(struct str text, struct value *ret)
{
    bool yes = str_is(text, "true") || str_is(text, "t") || str_is(text, "1");
    bool no = str_is(text, "false") || str_is(text, "f") || str_is(text, "0");
    *ret = (struct value){.i = yes, .kind = VALUE_BOOL};
    return yes || no;
}

bool value_parse(enum type type, struct str text, struct value *ret)
{
    switch (type) {
    case TYPE_TEXT:
        *ret = value_text(text);
        return str_utf8_valid(text) == text.n;
    case TYPE_INT:
    case TYPE_BIGINT:
        return parse_integer(type, text, ret);
    case TYPE_REAL:
        return parse_real(text, ret);
    case TYPE_BOOLEAN:
        return parse_boolean(text, ret);
    case TYPE_BYTES:
    case TYPE_UNKNOWN:
        break;
    }
    return false;
}

// As PostgreSQL prints it: with an exponent from 1e+15 on, and below 0.0001.
static void format_real(double r, struct buf *buf)
{
    char text[32];
    // A text of DBL_DIG digits comes back out of a double: a shorter one that is r is
    // this one without the zeros at its end. It takes 430 ns for a latitude; from one
    // digit on it took 1,500.
    int digits = isnormal(r) ? DBL_DIG : 1;
    for (; digits <= DBL_DECIMAL_DIG; digits++) {
        snprintf(text, sizeof(text), "%.*e", digits - 1, r);
        if (strtod(text, NULL) == r)
            break;
    }
    const char *end = strchr(text, 'e');
    int exponent = atoi(end + 1);
    while (digits > 1 && *--end == '0')
        digits--;
    int decimals = digits - 1 - exponent;
    if (exponent >= -4 && exponent < 15)
        snprintf(text, sizeof(text), "%.*f", decimals > 0 ? decimals : 0, r);
    else
        snprintf(text, sizeof(text), "%.*e", digits - 1, r);
    buf_text(buf, text);
}

void value_format(struct value v, struct buf *buf)
{
    switch (v.kind) {
    case VALUE_TEXT:
    case VALUE_BYTES:
        buf_append(buf, v.p, v.n);
        break;
    case VALUE_INT:
        buf_i64(buf, v.i);
        break;
    case VALUE_REAL:
        format_real(v.r, buf);
        break;
    case VALUE_BOOL:
        buf_text(buf, v.i ? "true" : "false");
        break;
    default:
        break;
    }
}

void value_json(struct buf *out, const char *name, struct value v)
{
    if (v.kind == VALUE_NULL) {
        json_put_null(out, name);
    } else if (v.kind == VALUE_TEXT || v.kind == VALUE_BYTES) {
        json_put_text(out, name, value_str(v));
    } else {
        json_put_raw(out, name, STR_LITERAL(""));
        value_format(v, out);
    }
}

bool value_eq(struct value a, struct value b)
{
    if (a.kind != b.kind)
        return false;
    if (a.kind == VALUE_TEXT || a.kind == VALUE_BYTES)
        return str_eq(value_str(a), value_str(b));
    if (a.kind == VALUE_REAL)
        return a.r == b.r;
    return a.kind == VALUE_NULL || a.i == b.i;
}
