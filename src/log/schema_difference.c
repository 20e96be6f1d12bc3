// SPDX-License-Identifier: Apache-2.0
#include "log/schema_difference.h"

#include "core/schema.h"

enum {
    SHOWN_MAX = 5
};

struct said_column {
    struct str name;
    struct str type; // "INT", "INT NOT NULL"
};

static bool next_column(struct str *rest, struct said_column *ret)
{
    return schema_cut(rest, &ret->name, &ret->type);
}

static bool find(struct str columns, struct str name, struct said_column *ret)
{
    while (next_column(&columns, ret))
        if (str_eq(ret->name, name))
            return true;
    return false;
}

struct differences {
    struct buf *out;
    size_t n;
};

static bool is_shown(struct differences *differences)
{
    if (differences->n++ >= SHOWN_MAX)
        return false;
    buf_text(differences->out, differences->n > 1 ? "; " : "");
    return true;
}

static void compare_old(struct differences *differences, struct said_column old,
                        struct str after)
{
    struct said_column now;
    if (!find(after, old.name, &now)) {
        if (is_shown(differences))
            buf_printf(differences->out, "column '%.*s' is gone", STR_ARGS(old.name));
    } else if (!str_eq(old.type, now.type)) {
        if (is_shown(differences))
            buf_printf(differences->out, "column '%.*s' was %.*s, is %.*s",
                       STR_ARGS(old.name), STR_ARGS(old.type), STR_ARGS(now.type));
    }
}

static void compare_new(struct differences *differences, struct said_column now,
                        struct str before, bool is_at_end)
{
    struct said_column old;
    bool may_be_null = !str_ends_with(now.type, " NOT NULL");
    if (find(before, now.name, &old) || (is_at_end && may_be_null))
        return;
    if (is_shown(differences))
        buf_printf(differences->out, "column '%.*s' is new and %s", STR_ARGS(now.name),
                   may_be_null ? "not at the end" : "NOT NULL");
}

// How many columns stand up to the last one that was there before; those behind it are
// added at the end.
static size_t count_old_part(struct str before, struct str after)
{
    struct said_column column, old;
    size_t n = 0;
    for (size_t i = 1; next_column(&after, &column); i++)
        if (find(before, column.name, &old))
            n = i;
    return n;
}

// The same columns: the first that stands at another place.
static void compare_order(struct differences *differences, struct str before,
                          struct str after)
{
    struct said_column old, now;
    for (size_t i = 1; next_column(&before, &old) && next_column(&after, &now); i++) {
        if (str_eq(old.name, now.name))
            continue;
        differences->n++;
        buf_printf(differences->out, "column %zu was '%.*s', is '%.*s'", i,
                   STR_ARGS(old.name), STR_ARGS(now.name));
        return;
    }
}

void schema_difference(struct str before, struct str after, struct buf *ret)
{
    struct differences differences = {.out = ret};
    struct said_column column;
    for (struct str rest = before; next_column(&rest, &column);)
        compare_old(&differences, column, after);
    size_t n_old = count_old_part(before, after), i = 0;
    for (struct str rest = after; next_column(&rest, &column);)
        compare_new(&differences, column, before, ++i > n_old);
    if (differences.n == 0)
        compare_order(&differences, before, after);
    if (differences.n > SHOWN_MAX)
        buf_printf(ret, "; and %zu more", differences.n - SHOWN_MAX);
}
