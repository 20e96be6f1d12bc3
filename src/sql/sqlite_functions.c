// SPDX-License-Identifier: Apache-2.0
// Functions that the printed SQL calls: checks of numbers, and those of expr/functions.h
// that SQLite lacks or means otherwise. NULL gives NULL unless said otherwise.
#include <assert.h>
#include <math.h>

#include "expr/eval.h"
#include "expr/like.h"
#include "sql/functions.h"
#include "sql/sqlite_internal.h"

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

// Those of expr/functions.h.

static struct str text_of(sqlite3_value *value)
{
    const char *p = (const char *)sqlite3_value_text(value);
    return (struct str){p ? p : "", p ? (size_t)sqlite3_value_bytes(value) : 0};
}

static struct value value_of(sqlite3_value *value)
{
    switch (sqlite3_value_type(value)) {
    case SQLITE_INTEGER:
        return value_int(sqlite3_value_int64(value));
    case SQLITE_FLOAT:
        return (struct value){.r = sqlite3_value_double(value), .kind = VALUE_REAL};
    default:
        return value_text(text_of(value));
    }
}

static void give(sqlite3_context *context, struct value value)
{
    if (value.kind == VALUE_TEXT)
        sqlite3_result_text(context, value.n ? value.p : "", (int)value.n,
                            SQLITE_TRANSIENT);
    else
        sqlite_result_value(context, value);
}

static void call_scalar(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    const struct sqlite_scalar *scalar = sqlite3_user_data(context);
    struct arena *arena = &scalar->host->call_arena;
    struct call call = {.arena = arena};
    struct value args[3];
    if (any_null(argc, argv))
        return;
    for (int i = 0; i < argc; i++)
        args[i] = value_of(argv[i]);
    struct value value = scalar->function(&call, args, (size_t)argc);
    if (call.error.p != NULL)
        sqlite3_result_error(context, call.error.p, (int)call.error.n);
    else
        give(context, value);
    if (arena->n_bytes > 0)
        arena_clear(arena);
}

// like(pattern, text [, escape]): SQLite's own is ended by no limit.
static void like_of_text(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    bool yes;
    if (any_null(argc, argv))
        return;
    struct str escape = argc == 3 ? text_of(argv[2]) : (struct str){0};
    if (like(text_of(argv[1]), text_of(argv[0]), escape, &yes))
        sqlite3_result_int(context, yes);
    else
        error(context, LIKE_TOO_LONG);
}

static void boolean_to_text(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    if (any_null(argc, argv))
        return;
    bool yes = sqlite3_value_int(argv[0]) != 0;
    sqlite3_result_text(context, yes ? "true" : "false", -1, SQLITE_STATIC);
}

// Values of one type: both numbers or both text.
static int compare(sqlite3_value *a, sqlite3_value *b)
{
    if (sqlite3_value_type(a) == SQLITE_TEXT)
        return str_compare(text_of(a), text_of(b));
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
    {"int32", 1, int32},        {"int64", 1, int64},
    {"finite", 1, finite_},     {"divide", 2, divide},
    {"modulo", 2, modulo},      {"boolean_to_text", 1, boolean_to_text},
    {"greatest", -1, greatest}, {"least", -1, least},
    {"like", 2, like_of_text},  {"like", 3, like_of_text},
};

static const struct {
    const char *name;
    scalar_function *call;
} casts[] = {
    {"to_int", cast_to_int},   {"to_bigint", cast_to_bigint},
    {"to_real", cast_to_real}, {"to_boolean", cast_to_boolean},
    {"to_text", cast_to_text},
};

enum {
    FLAGS = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS
};

// SQLite's own means the same and is faster, or one is made below.
static bool is_there(const struct function *listed)
{
    static const char *const names[] = {"lower", "upper", "length", "abs", "now"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcmp(listed->printed, names[i]) == 0)
            return true;
    return false;
}

static int register_scalar(struct sqlite_scalar *scalar, const char *name, int min_args,
                           int max_args)
{
    int rc = SQLITE_OK;
    for (int n = min_args; n <= max_args; n++)
        rc |= sqlite3_create_function(scalar->host->db, name, n, FLAGS, scalar,
                                      call_scalar, NULL, NULL);
    return rc;
}

static int register_scalars(struct sqlite_host *host)
{
    int rc = SQLITE_OK;
    host->scalars =
        mem_array(ARRAY_LEN(casts) + n_functions, sizeof(struct sqlite_scalar));
    struct sqlite_scalar *scalar = host->scalars;
    for (size_t i = 0; i < ARRAY_LEN(casts); i++) {
        *scalar = (struct sqlite_scalar){host, casts[i].call};
        rc |= register_scalar(scalar++, casts[i].name, 1, 1);
    }
    for (size_t i = 0; i < n_functions; i++) {
        const struct function *listed = &functions[i];
        if (listed->call == NULL || is_there(listed))
            continue;
        *scalar = (struct sqlite_scalar){host, listed->call};
        rc |= register_scalar(scalar++, listed->printed, listed->min_args,
                              listed->max_args);
    }
    return rc;
}

// These calls fail only without memory.
void sqlite_functions_register(struct sqlite_host *host)
{
    int rc = register_scalars(host);
    for (size_t i = 0; i < ARRAY_LEN(scalars); i++)
        rc |= sqlite3_create_function(host->db, scalars[i].name, scalars[i].n_args, FLAGS,
                                      NULL, scalars[i].call, NULL, NULL);
    rc |= sqlite3_create_function(host->db, "now", 0, SQLITE_UTF8 | SQLITE_INNOCUOUS,
                                  host, now, NULL, NULL);
    rc |= sqlite3_create_function(host->db, "single", 1, FLAGS, NULL, NULL, single_step,
                                  single_final);
    assert(rc == SQLITE_OK);
}
