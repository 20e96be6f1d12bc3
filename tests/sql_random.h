// SPDX-License-Identifier: Apache-2.0
// Random queries over a few small tables and a stream, for tests of src/sql.
//
// Every query gives two columns, x INT and y TEXT, so that queries nest. A seed decides
// all. Queries raise no error: no division, no subquery as a value but aggregates. A
// LIMIT comes with an ORDER BY that decides every tie.
#ifndef TESTS_SQL_RANDOM_H
#define TESTS_SQL_RANDOM_H

#include "base/buf.h"

#define RANDOM_TABLES                            \
    "CREATE TABLE a (k INT, v INT, s TEXT)" DIM  \
    "CREATE TABLE b (k INT NOT NULL, w INT)" DIM \
    "CREATE TABLE st (k INT, n INT NOT NULL, s TEXT)" STREAM "CREATE TABLE out ()" SINK

struct random_sql {
    uint64_t state;
    int n_aliases;
    int stream_percent; // of the sources that read the stream; the first of a FROM
};

// What stands in FROM: its alias and the columns that expressions may use.
struct random_source {
    char alias[16];
    const char *ints[2];
    const char *text; // NULL: none
};

static inline unsigned random_below(struct random_sql *random, unsigned n)
{
    // xorshift64*, Vigna 2016
    random->state ^= random->state >> 12;
    random->state ^= random->state << 25;
    random->state ^= random->state >> 27;
    return (unsigned)((random->state * 2685821657736338717u >> 33) % n);
}

static inline bool random_percent(struct random_sql *random, unsigned percent)
{
    return random_below(random, 100) < percent;
}

static void random_query(struct random_sql *random, int depth, struct buf *out);

static void random_int(struct random_sql *random, const struct random_source *sources,
                       size_t n, int depth, struct buf *out)
{
    const struct random_source *source = &sources[random_below(random, (unsigned)n)];
    const char *column = source->ints[random_below(random, 2)];
    switch (depth > 0 ? random_below(random, 12) : random_below(random, 6)) {
    case 0:
        buf_printf(out, "%u", random_below(random, 4));
        break;
    case 6:
        buf_text(out, "(");
        random_int(random, sources, n, depth - 1, out);
        buf_text(out, " + ");
        random_int(random, sources, n, depth - 1, out);
        buf_text(out, ")");
        break;
    case 7:
        buf_text(out, "coalesce(");
        random_int(random, sources, n, depth - 1, out);
        buf_text(out, ", 3)");
        break;
    case 8:
        buf_printf(out, "length(%s)", "'xyz'");
        break;
    case 9:
        buf_text(out, "CASE WHEN ");
        buf_printf(out, "%s.%s", source->alias, column);
        buf_text(out, " > 1 THEN ");
        random_int(random, sources, n, depth - 1, out);
        buf_text(out, " ELSE - 1 END");
        break;
    case 10:
        buf_printf(out, "(SELECT max(z.%s) FROM ",
                   random_percent(random, 50) ? "k" : "k");
        buf_text(out, random_percent(random, (unsigned)random->stream_percent / 4) ? "st"
                                                                                   : "b");
        buf_printf(out, " z WHERE z.k <= %s.%s)", source->alias, column);
        break;
    default:
        buf_printf(out, "%s.%s", source->alias, column);
        break;
    }
}

static void random_text(struct random_sql *random, const struct random_source *sources,
                        size_t n, struct buf *out)
{
    const struct random_source *source = &sources[random_below(random, (unsigned)n)];
    switch (random_below(random, 5)) {
    case 0:
        buf_text(out, "'q'");
        break;
    case 1:
        buf_printf(out, "(%s.%s || 'é')", source->alias, source->ints[0]);
        break;
    case 2:
        buf_printf(out, "NULLIF(%s%s%s, 'b')", source->text ? source->alias : "",
                   source->text ? "." : "", source->text ? source->text : "'b'");
        break;
    default:
        buf_printf(out, "%s%s%s", source->text ? source->alias : "",
                   source->text ? "." : "", source->text ? source->text : "'t'");
        break;
    }
}

static void random_condition(struct random_sql *random,
                             const struct random_source *sources, size_t n, int depth,
                             struct buf *out)
{
    static const char *const comparisons[] = {"=", "<>", "<", ">=", "IS DISTINCT FROM"};
    switch (depth > 0 ? random_below(random, 11) : random_below(random, 5)) {
    case 5:
    case 6:
        buf_text(out, "(");
        random_condition(random, sources, n, depth - 1, out);
        buf_text(out, random_percent(random, 50) ? " AND " : " OR ");
        random_condition(random, sources, n, depth - 1, out);
        buf_text(out, ")");
        break;
    case 7:
        buf_text(out, "NOT (");
        random_condition(random, sources, n, depth - 1, out);
        buf_text(out, ")");
        break;
    case 8:
        random_int(random, sources, n, 0, out);
        buf_text(out, random_percent(random, 50) ? " IN (SELECT i.x FROM ("
                                                 : " NOT IN (SELECT i.x FROM (");
        random_query(random, depth - 1, out);
        buf_text(out, ") i)");
        break;
    case 9:
        buf_printf(out, "EXISTS (SELECT 1 FROM %s e WHERE e.k = ",
                   random_percent(random, (unsigned)random->stream_percent / 4) ? "st"
                                                                                : "a");
        random_int(random, sources, n, 0, out);
        buf_text(out, ")");
        break;
    case 10:
        random_text(random, sources, n, out);
        buf_text(out, random_percent(random, 50) ? " LIKE '%a%'" : " IS NOT NULL");
        break;
    default:
        random_int(random, sources, n, 1, out);
        buf_printf(out, " %s ", comparisons[random_below(random, 5)]);
        random_int(random, sources, n, 1, out);
        break;
    }
}

static void random_source(struct random_sql *random, int depth,
                          struct random_source *source, struct buf *out)
{
    snprintf(source->alias, sizeof(source->alias), "q%d", ++random->n_aliases);
    if (depth > 0 && random_percent(random, 30)) {
        buf_text(out, "(");
        random_query(random, depth - 1, out);
        buf_printf(out, ") AS %s", source->alias);
        source->ints[0] = source->ints[1] = "x";
        source->text = "y";
    } else if (random_percent(random, (unsigned)random->stream_percent)) {
        buf_printf(out, "st AS %s", source->alias);
        source->ints[0] = "k";
        source->ints[1] = "n";
        source->text = "s";
    } else if (random_percent(random, 50)) {
        buf_printf(out, "a AS %s", source->alias);
        source->ints[0] = "k";
        source->ints[1] = "v";
        source->text = "s";
    } else {
        buf_printf(out, "b AS %s", source->alias);
        source->ints[0] = "k";
        source->ints[1] = "w";
        source->text = NULL;
    }
}

static void random_on(struct random_sql *random, const struct random_source *sources,
                      size_t n, struct buf *out)
{
    const struct random_source *left = &sources[random_below(random, (unsigned)n - 1)];
    const struct random_source *right = &sources[n - 1];
    buf_printf(out, " ON %s.%s = %s.%s", left->alias, left->ints[random_below(random, 2)],
               right->alias, right->ints[0]);
    if (random_percent(random, 80))
        return;
    buf_text(out, " AND ");
    random_condition(random, sources, n, 1, out);
}

static size_t random_from(struct random_sql *random, int depth,
                          struct random_source *sources, struct buf *out)
{
    static const char *const joins[] = {" JOIN ", " JOIN ", " LEFT JOIN ", " LEFT JOIN ",
                                        " RIGHT JOIN "};
    buf_text(out, " FROM ");
    random_source(random, depth, &sources[0], out);
    size_t n = 1;
    int stream_percent = random->stream_percent;
    random->stream_percent /= 4; // most joins are with tables
    while (n < 3 && random_percent(random, 45)) {
        unsigned join = random_below(random, 6);
        buf_text(out, join < 5 ? joins[join] : " CROSS JOIN ");
        random_source(random, depth, &sources[n++], out);
        if (join < 5)
            random_on(random, sources, n, out);
    }
    random->stream_percent = stream_percent;
    return n;
}

static void random_tail(struct random_sql *random, struct buf *out)
{
    if (random_percent(random, 93))
        return;
    buf_text(out,
             random_percent(random, 50) ? " ORDER BY 1, y" : " ORDER BY x DESC, 2 DESC");
    if (random_percent(random, 60))
        buf_printf(out, " LIMIT %u", random_below(random, 4));
    if (random_percent(random, 20))
        buf_text(out, " OFFSET 1");
}

static void random_grouped(struct random_sql *random, const char *column,
                           const struct random_source *sources, size_t n,
                           struct buf *outputs, struct buf *tail)
{
    static const char *const aggregates[] = {"sum", "min", "max", "count"};
    const char *aggregate = aggregates[random_below(random, 4)];
    buf_printf(outputs, "CAST(%s(%s", aggregate,
               random_percent(random, 20) ? "DISTINCT " : "");
    random_int(random, sources, n, 1, outputs);
    buf_text(outputs, ")");
    if (random_percent(random, 10))
        buf_printf(outputs, " FILTER (WHERE %s > 1)", column);
    buf_printf(outputs, " AS INT) AS x, CAST(%s AS TEXT) AS y", column);
    buf_printf(tail, " GROUP BY %s", column);
    if (random_percent(random, 20))
        buf_text(tail, " HAVING count(*) > 1");
}

static void random_select(struct random_sql *random, int depth, struct buf *out)
{
    AUTO(buf_release) struct buf outputs = {0};
    AUTO(buf_release) struct buf from = {0};
    AUTO(buf_release) struct buf tail = {0};
    struct random_source sources[3];
    size_t n = random_from(random, depth, sources, &from);
    if (random_percent(random, 40)) {
        buf_text(&from, " WHERE ");
        random_condition(random, sources, n, depth, &from);
    }
    const struct random_source *source = &sources[random_below(random, (unsigned)n)];
    char column[32];
    snprintf(column, sizeof(column), "%s.%s", source->alias, source->ints[0]);
    if (random_percent(random, 8)) {
        random_grouped(random, column, sources, n, &outputs, &tail);
    } else if (random_percent(random, 6)) {
        buf_printf(
            &outputs,
            "CAST(row_number() OVER (PARTITION BY %s ORDER BY %s, %s.%s) AS INT) AS x, "
            "'w' AS y",
            column, column, source->alias, source->ints[1]);
    } else {
        random_int(random, sources, n, 2, &outputs);
        buf_text(&outputs, " AS x, ");
        random_text(random, sources, n, &outputs);
        buf_text(&outputs, " AS y");
    }
    buf_printf(out, "SELECT %s", random_percent(random, 5) ? "DISTINCT " : "");
    buf_str(out, buf_as_str(&outputs));
    buf_str(out, buf_as_str(&from));
    buf_str(out, buf_as_str(&tail));
    random_tail(random, out);
}

static void random_query(struct random_sql *random, int depth, struct buf *out)
{
    static const char *const set_ops[] = {" UNION ALL ", " UNION ALL ", " UNION ",
                                          " EXCEPT ", " INTERSECT "};
    if (depth > 0 && random_percent(random, 8)) {
        buf_printf(out, "WITH w%d AS (", ++random->n_aliases);
        int name = random->n_aliases;
        random_query(random, depth - 1, out);
        buf_printf(out, ") SELECT g.x, g.y FROM w%d g", name);
        if (random_percent(random, 30))
            buf_printf(out, " JOIN w%d h ON h.x = g.x", name);
    } else if (depth > 0 && random_percent(random, 15)) {
        buf_text(out, "(");
        random_query(random, depth - 1, out);
        buf_printf(out, ")%s(", set_ops[random_below(random, 5)]);
        random_query(random, depth - 1, out);
        buf_text(out, ")");
    } else {
        random_select(random, depth, out);
    }
}

#endif
