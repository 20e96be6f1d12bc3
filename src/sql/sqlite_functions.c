// SPDX-License-Identifier: Apache-2.0
// Functions that the printed SQL calls: checks of numbers, casts, and those of a script
// that SQLite lacks or means otherwise. NULL gives NULL unless said otherwise.
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "sql/sqlite_internal.h"
#include "sql/sqlite_text.h"

typedef void function(sqlite3_context *context, int argc, sqlite3_value **argv);

static bool any_null(int argc, sqlite3_value **argv)
{
    for (int i = 0; i < argc; i++)
        if (sqlite3_value_type(argv[i]) == SQLITE_NULL)
            return true;
    return false;
}

static void error(sqlite3_context *context, const char *text)
{
    sqlite3_result_error(context, text, -1);
}

// Checks.

static void int32(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    if (any_null(argc, argv))
        return;
    int64_t v = sqlite3_value_int64(argv[0]);
    if (sqlite3_value_type(argv[0]) != SQLITE_INTEGER || v < INT32_MIN || v > INT32_MAX)
        error(context, "INT out of range");
    else
        sqlite3_result_int64(context, v);
}

// SQLite makes an integer that overflows a REAL.
static void int64(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    if (any_null(argc, argv))
        return;
    if (sqlite3_value_type(argv[0]) != SQLITE_INTEGER)
        error(context, "BIGINT out of range");
    else
        sqlite3_result_value(context, argv[0]);
}

static void finite_(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    if (any_null(argc, argv))
        return;
    if (!isfinite(sqlite3_value_double(argv[0])))
        error(context, "REAL out of range");
    else
        sqlite3_result_value(context, argv[0]);
}

static void divide(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    if (any_null(argc, argv))
        return;
    bool whole = sqlite3_value_type(argv[0]) == SQLITE_INTEGER;
    int64_t a = sqlite3_value_int64(argv[0]), b = sqlite3_value_int64(argv[1]);
    if (sqlite3_value_double(argv[1]) == 0)
        error(context, "division by zero");
    else if (!whole)
        sqlite3_result_double(context, sqlite3_value_double(argv[0]) /
                                           sqlite3_value_double(argv[1]));
    else if (a == INT64_MIN && b == -1)
        error(context, "BIGINT out of range");
    else
        sqlite3_result_int64(context, a / b);
}

static void modulo(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    if (any_null(argc, argv))
        return;
    int64_t a = sqlite3_value_int64(argv[0]), b = sqlite3_value_int64(argv[1]);
    if (b == 0)
        error(context, "division by zero");
    else
        sqlite3_result_int64(context, b == -1 ? 0 : a % b);
}

// Casts.

static void cast_error(sqlite3_context *context, struct str text, enum type type)
{
    char message[160];
    snprintf(message, sizeof(message), "'%.*s%s' is not %s",
             (int)(text.n > 60 ? 60 : text.n), text.p, text.n > 60 ? "..." : "",
             type_name(type));
    error(context, message);
}

static void parse(sqlite3_context *context, sqlite3_value *arg, enum type type)
{
    struct value value;
    struct str text = sqlite_text(arg);
    if (value_parse(type, text, &value))
        sqlite_result_value(context, value);
    else
        cast_error(context, text, type);
}

// As PostgreSQL rounds: half to even.
static void real_to_integer(sqlite3_context *context, double r, enum type type)
{
    double whole = rint(r);
    double limit = type == TYPE_INT ? 2147483648.0 : 9223372036854775808.0;
    if (whole < -limit || whole >= limit)
        error(context, type == TYPE_INT ? "INT out of range" : "BIGINT out of range");
    else
        sqlite3_result_int64(context, (sqlite3_int64)whole);
}

static void to_integer(sqlite3_context *context, int argc, sqlite3_value **argv,
                       enum type type)
{
    switch (sqlite3_value_type(argv[0])) {
    case SQLITE_NULL:
        break;
    case SQLITE_FLOAT:
        real_to_integer(context, sqlite3_value_double(argv[0]), type);
        break;
    case SQLITE_TEXT:
        parse(context, argv[0], type);
        break;
    default:
        (type == TYPE_INT ? int32 : int64)(context, argc, argv);
        break;
    }
}

static void to_int(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    to_integer(context, argc, argv, TYPE_INT);
}

static void to_bigint(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    to_integer(context, argc, argv, TYPE_BIGINT);
}

static void to_real(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    if (any_null(argc, argv))
        return;
    if (sqlite3_value_type(argv[0]) == SQLITE_TEXT)
        parse(context, argv[0], TYPE_REAL);
    else
        sqlite3_result_double(context, sqlite3_value_double(argv[0]));
}

static void to_boolean(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    if (any_null(argc, argv))
        return;
    if (sqlite3_value_type(argv[0]) == SQLITE_TEXT)
        parse(context, argv[0], TYPE_BOOLEAN);
    else
        sqlite3_result_int(context, sqlite3_value_int64(argv[0]) != 0);
}

static void to_text(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    if (any_null(argc, argv))
        return;
    AUTO(buf_release) struct buf buf = {0};
    double r = sqlite3_value_double(argv[0]);
    bool whole = sqlite3_value_type(argv[0]) != SQLITE_FLOAT;
    // A table loses the sign of 0.0, so it is never shown.
    if (whole || r == 0)
        buf_i64(&buf, sqlite3_value_int64(argv[0]));
    else
        value_format((struct value){.r = r, .kind = VALUE_REAL}, &buf);
    sqlite3_result_text(context, buf.p, (int)buf.n, SQLITE_TRANSIENT);
}

static void boolean_to_text(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    if (any_null(argc, argv))
        return;
    bool yes = sqlite3_value_int(argv[0]) != 0;
    sqlite3_result_text(context, yes ? "true" : "false", -1, SQLITE_STATIC);
}

// Numbers.

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

static void round_(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    if (any_null(argc, argv))
        return;
    double r = sqlite3_value_double(argv[0]);
    r = argc == 1 ? rint(r) : round_to(r, sqlite3_value_int64(argv[1]));
    if (isfinite(r))
        sqlite3_result_double(context, r);
    else
        error(context, "REAL out of range");
}

static void ceil_(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    if (!any_null(argc, argv))
        sqlite3_result_double(context, ceil(sqlite3_value_double(argv[0])));
}

static void floor_(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    if (!any_null(argc, argv))
        sqlite3_result_double(context, floor(sqlite3_value_double(argv[0])));
}

// Values of one type: both numbers or both text.
static int compare(sqlite3_value *a, sqlite3_value *b)
{
    if (sqlite3_value_type(a) == SQLITE_TEXT)
        return str_compare(sqlite_text(a), sqlite_text(b));
    if (sqlite3_value_type(a) == SQLITE_INTEGER) {
        int64_t x = sqlite3_value_int64(a), y = sqlite3_value_int64(b);
        return (x > y) - (x < y);
    }
    double x = sqlite3_value_double(a), y = sqlite3_value_double(b);
    return (x > y) - (x < y);
}

// NULLs are passed over.
static void extreme(sqlite3_context *context, int argc, sqlite3_value **argv, int sign)
{
    sqlite3_value *best = NULL;
    for (int i = 0; i < argc; i++) {
        if (sqlite3_value_type(argv[i]) == SQLITE_NULL)
            continue;
        if (best == NULL || sign * compare(argv[i], best) > 0)
            best = argv[i];
    }
    if (best != NULL)
        sqlite3_result_value(context, best);
}

static void greatest(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    extreme(context, argc, argv, 1);
}

static void least(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    extreme(context, argc, argv, -1);
}

// The batch's time.
static void now(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    (void)argc;
    (void)argv;
    const struct sqlite_host *host = sqlite3_user_data(context);
    sqlite3_result_text(context, host->now, -1, SQLITE_TRANSIENT);
}

// single(x): the one value of a subquery; NULL of no row; an error for two.

struct single {
    sqlite3_value *value;
    bool taken;
};

static void single_step(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    (void)argc;
    struct single *single = sqlite3_aggregate_context(context, sizeof(*single));
    if (single == NULL)
        sqlite3_result_error_nomem(context);
    else if (single->taken)
        error(context, "a subquery used as a value gave more than one row");
    else {
        single->taken = true;
        single->value = sqlite3_value_dup(argv[0]);
    }
}

static void single_final(sqlite3_context *context)
{
    struct single *single = sqlite3_aggregate_context(context, 0);
    if (single == NULL || single->value == NULL)
        return;
    sqlite3_result_value(context, single->value);
    sqlite3_value_free(single->value);
}

static const struct {
    const char *name;
    int n_args; // -1: any
    function *call;
} scalars[] = {
    {"int32", 1, int32},
    {"int64", 1, int64},
    {"finite", 1, finite_},
    {"divide", 2, divide},
    {"modulo", 2, modulo},
    {"to_int", 1, to_int},
    {"to_bigint", 1, to_bigint},
    {"to_real", 1, to_real},
    {"to_boolean", 1, to_boolean},
    {"to_text", 1, to_text},
    {"boolean_to_text", 1, boolean_to_text},
    {"round", 1, round_},
    {"round", 2, round_},
    {"ceil", 1, ceil_},
    {"floor", 1, floor_},
    {"greatest", -1, greatest},
    {"least", -1, least},
    {"substr", 2, sqlite_substr},
    {"substr", 3, sqlite_substr},
    {"text_left", 2, sqlite_left},
    {"text_right", 2, sqlite_right},
    {"lpad", 2, sqlite_lpad},
    {"lpad", 3, sqlite_lpad},
    {"starts_with", 2, sqlite_starts_with},
    {"text_replace", 3, sqlite_replace},
    {"split_part", 3, sqlite_split_part},
    {"gtfs_seconds", 1, sqlite_gtfs_seconds},
    {"gtfs_time", 1, sqlite_gtfs_time},
};

// These calls fail only without memory.
void sqlite_functions_register(struct sqlite_host *host)
{
    int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
    int rc = SQLITE_OK;
    for (size_t i = 0; i < ARRAY_LEN(scalars); i++)
        rc |= sqlite3_create_function(host->db, scalars[i].name, scalars[i].n_args, flags,
                                      NULL, scalars[i].call, NULL, NULL);
    rc |= sqlite3_create_function(host->db, "now", 0, SQLITE_UTF8 | SQLITE_INNOCUOUS,
                                  host, now, NULL, NULL);
    rc |= sqlite3_create_function(host->db, "single", 1, flags, NULL, NULL, single_step,
                                  single_final);
    assert(rc == SQLITE_OK);
}
