// SPDX-License-Identifier: Apache-2.0
// Random queries with every operator, function and shape of join: where a query is run
// by the native executor, the sqlite executor gives the same rows, the same rejected
// records and the same reasons. QUERIES_SEED=7 runs one query, QUERIES=20000 that many.
//
// QUERIES_DUMP=FILE writes instead what PostgreSQL is to be asked (tests/e2e/
// test_postgres.py): tables, query and what the native executor gives. Then nothing is
// in them that docs/sql.md says is different there.
//
// What may fail stands outside of AND, OR, BETWEEN and IN, whose sides SQL may compute in
// any order, and once a query, so that there is one reason.
// test: takes 20
#include "test.h"

#include <jansson.h>

#include "base/text.h"
#include "table/native_executor.h"
#include "table/sqlite_counts.h"
#include "table/sqlite_executor.h"
#include "table_fixture.h"

enum {
    QUERIES = 1000,
    QUERIES_LONG = 20000,
    RECORDS_MAX = 150, // more than two blocks
    TABLE_ROWS_MAX = 30,
    LARGE_TABLE_MAX = 50000, // rows; joined with some records
    MIDDLE_TABLE_MAX = 1000, // the same where sqlite asks for each pair of rows
    FEW_RECORDS_MAX = 4,
    SUBQUERIES_MAX = 2,
    SMALL_BUFFER = 700,
    LARGE_BUFFER = 16 << 20,
    SHAPE_TIMES = 30 // that each shape occurs at least
};

static const char *const tables[] = {"st", "a", "b"};
static const char *const columns[] = {
    "i INT, j INT NOT NULL, n BIGINT, r REAL, t TEXT, u TEXT NOT NULL, z BOOLEAN",
    "i INT, k INT NOT NULL, n BIGINT, r REAL, t TEXT, u TEXT, z BOOLEAN NOT NULL",
    "i INT NOT NULL, k INT, n BIGINT, r REAL, t TEXT, u TEXT, z BOOLEAN",
};

// What queries are made of; each is counted, so that none is left out by chance.
enum shape {
    SHAPE_NO_JOIN,
    SHAPE_INNER,
    SHAPE_LEFT,
    SHAPE_TWO_TABLES, // joined with each other
    SHAPE_TWO_JOINS,  // each with the stream
    SHAPE_UNION,
    SHAPE_SUBQUERY, // over the stream
    SHAPE_CROSS,
    SHAPE_EXPRESSION_KEY,
    SHAPE_WHERE_STREAM,
    SHAPE_WHERE_TABLES,
    SHAPE_ON_STREAM,
    SHAPE_ON_TABLES,
    SHAPE_ON_BOTH, // beside an equality
    SHAPE_LOOP,    // without one
    SHAPE_COMMA,   // joined in WHERE
    SHAPE_WHERE_BOTH,
    SHAPE_OUTPUT_BOTH,
    SHAPE_EXISTS,
    SHAPE_NOT_EXISTS,
    SHAPE_IN,
    SHAPE_NOT_IN,
    SHAPE_AGGREGATE, // a subquery as a value
    SHAPE_SINGLE,    // the same, of one row
    SHAPE_ALONE,     // a subquery that uses nothing from outside
    SHAPE_FURTHER,   // a subquery's condition over both sides that is not an equality
    SHAPE_OF_TABLES, // a subquery that uses a joined table
    SHAPE_OF_BOTH,   // and the stream
    SHAPE_NESTED,    // a subquery in one
    SHAPE_NO_FROM,   // a subquery of nothing but constants
    SHAPE_ASKED,     // a subquery that SQLite answers for each row
    SHAPE_SUBQUERY_IN_OUTPUT,
    SHAPE_LARGE,   // many rows a record
    SHAPE_STEPS,   // run row by row
    SHAPE_FAILURE, // some record is rejected
    SHAPE_SLICES,
    SHAPE_COUNTED, // some records are unmatched, by both
    N_SHAPES
};

struct world {
    bool is_portable; // only what PostgreSQL means, too
    bool no_literals; // PostgreSQL computes what is constant even for no row
    uint64_t random;
    struct buf script;
    const char *aliases[4]; // in scope: s, a, b, or x of a subquery
    size_t n_aliases;
    bool is_large;
    size_t n_subqueries;
    bool may_fail;        // not used yet
    bool tables_may_fail; // it was used over tables: which of a record's rows fails
                          // first, SQL does not say
    struct plan *plan;
    struct schema schemas[ARRAY_LEN(tables)];
    struct batch rows[ARRAY_LEN(tables)];
    struct arena arena;
    struct row_format row_format;
    struct err err;
    bool shapes[N_SHAPES];
};

static size_t pick(struct world *world, size_t n)
{
    uint64_t x = world->random; // xorshift64
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    world->random = x;
    return (size_t)((x >> 11) % n);
}

static bool percent(struct world *world, size_t n)
{
    return pick(world, 100) < n;
}

static void say(struct world *world, const char *text)
{
    buf_text(&world->script, text);
}

// Data.

static void add_utf8(struct buf *text, uint32_t c)
{
    if (c < 0x80) {
        buf_char(text, (char)c);
        return;
    }
    int n = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3; // bytes behind the first
    static const unsigned char first[] = {0, 0xC0, 0xE0, 0xF0};
    buf_char(text, (char)(first[n] | c >> (6 * n)));
    while (n-- > 0)
        buf_char(text, (char)(0x80 | (c >> (6 * n) & 0x3F)));
}

// Characters of one to four bytes, so that every byte that UTF-8 has comes.
static struct value any_text(struct world *world)
{
    static const uint32_t ends[] = {0x80, 0x80, 0x800, 0x10000, 0x110000};
    struct buf text = {0};
    size_t n = pick(world, 6);
    for (size_t i = 0; i < n; i++) {
        uint32_t c = 1 + (uint32_t)pick(world, ends[pick(world, ARRAY_LEN(ends))] - 1);
        if (c < 0xD800 || c > 0xDFFF)
            add_utf8(&text, c);
    }
    struct value value = value_text(arena_str(&world->arena, buf_as_str(&text)));
    buf_release(&text);
    return value;
}

static struct value make_value(struct world *world, const struct column *column)
{
    static const char *const texts[] = {
        "",         "a",      "ab",          "Ab%_",
        "Fête ß",   "  pad ", "25:10:00",    "7:5:1",
        "08:00:59", "12",     "-3",          "1.5",
        "true",     "x,y,,z", "99999999999", "\xF0\x9F\x9A\x8B tram",
        "a\\b",     "e"};
    static const double reals[] = {0, 1, -0.5, 2.5, 1e300, 123456.789, -7, 1e-7};
    static const int64_t wide[] = {0, 1, 2, -3, INT64_C(1) << 40, INT64_MAX, INT64_MIN};
    static const int64_t narrow[] = {0, 1, 2, 3, -1, 60, INT32_MAX, INT32_MIN};
    if (column->nullable && percent(world, 20))
        return (struct value){0};
    switch (column->type) {
    case TYPE_TEXT:
        if (percent(world, 10))
            return any_text(world);
        return value_text(str_of(texts[pick(world, ARRAY_LEN(texts))]));
    case TYPE_REAL:
        return (struct value){.r = reals[pick(world, ARRAY_LEN(reals))],
                              .kind = VALUE_REAL};
    case TYPE_BIGINT:
        return value_int(wide[pick(world, ARRAY_LEN(wide))]);
    case TYPE_BOOLEAN:
        return (struct value){.i = (int64_t)pick(world, 2), .kind = VALUE_BOOL};
    default:
        return value_int(narrow[pick(world, percent(world, 70) ? 4 : 8)]);
    }
}

static void make_rows(struct world *world, size_t table, size_t most)
{
    const struct schema *schema = &world->schemas[table];
    struct batch *batch = &world->rows[table];
    batch_init(batch, schema->n);
    batch->now_ms = 1790000000123;
    size_t n = percent(world, 5) ? 0 : pick(world, most);
    if (world->is_large && table < 2)
        n = pick(world, table == 0                ? FEW_RECORDS_MAX
                        : world->n_subqueries > 0 ? LARGE_TABLE_MAX
                                                  : MIDDLE_TABLE_MAX);
    for (size_t i = 0; i < n; i++) {
        struct value *row = batch_add(batch, (uint32_t)i);
        for (size_t c = 0; c < schema->n; c++)
            row[c] = make_value(world, &schema->columns[c]);
    }
}

// Expressions over what is in scope.

static void expression(struct world *world, enum type type, int depth);

static void column(struct world *world, enum type type)
{
    static const char *const of_type[] = {
        [TYPE_INT] = "i",  [TYPE_BIGINT] = "n",  [TYPE_REAL] = "r",
        [TYPE_TEXT] = "t", [TYPE_BOOLEAN] = "z",
    };
    const char *alias = world->aliases[pick(world, world->n_aliases)];
    const char *name = of_type[type];
    if (type == TYPE_TEXT && percent(world, 40))
        name = "u";
    if (type == TYPE_INT && percent(world, 40))
        name = alias[0] == 's' ? "j" : "k";
    buf_printf(&world->script, "%s.%s", alias, name);
}

static void literal(struct world *world, enum type type)
{
    static const char *const ints[] = {"0", "1", "2", "60", "-1", "2147483647"};
    static const char *const bigs[] = {"5000000000", "CAST(1 AS BIGINT)",
                                       "9223372036854775807"};
    static const char *const reals[] = {"0.5", "1e10", "-2.25", "3.0"};
    static const char *const texts[] = {"''",     "'a'",  "'25:10:00'",
                                        "'Fête'", "'12'", "'%'"};
    switch (type) {
    case TYPE_INT:
        say(world, ints[pick(world, ARRAY_LEN(ints))]);
        break;
    case TYPE_BIGINT:
        say(world, bigs[pick(world, ARRAY_LEN(bigs))]);
        break;
    case TYPE_REAL:
        // Elsewhere a number with a fraction is NUMERIC.
        buf_printf(&world->script, world->is_portable ? "CAST(%s AS REAL)" : "%s",
                   reals[pick(world, ARRAY_LEN(reals))]);
        break;
    case TYPE_TEXT:
        say(world, texts[pick(world, ARRAY_LEN(texts))]);
        break;
    default:
        say(world, percent(world, 50) ? "true" : "false");
        break;
    }
}

// Writes a pattern: $i $n $r $t $z are expressions of these types, $x of `type`.
static void write_pattern(struct world *world, const char *pattern, enum type type,
                          int depth)
{
    for (const char *p = pattern; *p; p++) {
        if (*p != '$') {
            buf_char(&world->script, *p);
            continue;
        }
        p++;
        expression(world,
                   *p == 'i'   ? TYPE_INT
                   : *p == 'n' ? TYPE_BIGINT
                   : *p == 'r' ? TYPE_REAL
                   : *p == 't' ? TYPE_TEXT
                   : *p == 'z' ? TYPE_BOOLEAN
                               : type,
                   depth - 1);
    }
}

// That cannot fail.
static const char *const any_patterns[] = {
    "CASE WHEN $z THEN $x ELSE $x END",
    "CASE WHEN $z THEN $x WHEN $z THEN $x END",
    "CASE $t WHEN 'a' THEN $x WHEN $t THEN $x ELSE $x END",
    "CASE $i WHEN 1 THEN $x END",
    "COALESCE($x, $x)",
    "COALESCE($x, $x, $x)",
    "NULLIF($x, $x)",
    "CAST(NULL AS %s)",
};
static const char *const ordered_patterns[] = {"GREATEST($x, $x)", "LEAST($x, $x, $x)"};
static const char *const int_patterns[] = {
    "length($t)",       "strpos($t, $t)",  "instr($t, 'a')", "position('b' IN $t)",
    "gtfs_seconds($t)", "CAST($z AS INT)", "($i % 7)",
};
static const char *const bigint_patterns[] = {"CAST($i AS BIGINT)", "($n % 1000)"};
static const char *const real_patterns[] = {"ceil($r)", "floor($r)",        "round($r)",
                                            "abs($r)",  "CAST($i AS REAL)", "(- $r)"};
static const char *const text_patterns[] = {
    "lower($t)",
    "upper($t)",
    "trim($t)",
    "btrim($t, 'a ')",
    "ltrim($t)",
    "ltrim($t, 'aF')",
    "rtrim($t)",
    "rtrim($t, $t)",
    "left($t, $i)",
    "right($t, $i)",
    "substr($t, 2)",
    "substring($t FROM 2 FOR 3)",
    "substr($t, $i)",
    "replace($t, 'a', 'bc')",
    "lpad($t, 6)",
    "lpad($t, 5, 'xé')",
    "split_part($t, ',', 2)",
    "split_part($t, ':', -1)",
    "gtfs_time($i)",
    "($t || $t)",
    "($t || $i || $z || $r)",
    "CAST($i AS TEXT)",
    "CAST($n AS TEXT)",
    "CAST($r AS TEXT)",
    "CAST($z AS TEXT)",
    "now()",
};
static const char *const boolean_patterns[] = {
    "($i = $i)",
    "($i <> $n)",
    "($i < $r)",
    "($t <= $t)",
    "($t > 'a')",
    "($r >= $r)",
    "($z = $z)",
    "($n = $n)",
    "($z AND $z)",
    "($z OR $z)",
    "($z AND $z AND $z)",
    "(NOT $z)",
    "($t LIKE 'a%')",
    "($t LIKE '%a_')",
    "($t NOT LIKE $t)",
    "($t LIKE 'A!_%%' ESCAPE '!')",
    "($t LIKE 'a\\%')",
    "($i BETWEEN $i AND $i)",
    "($t NOT BETWEEN 'a' AND $t)",
    "($i IN (1, 2, $i))",
    "($t NOT IN ('a', 'ab'))",
    "($t IN ('a', NULL))",
    "($i IS NULL)",
    "($t IS NOT NULL)",
    "($z IS TRUE)",
    "($z IS NOT TRUE)",
    "($z IS FALSE)",
    "($z IS NOT FALSE)",
    "($i IS DISTINCT FROM $i)",
    "($t IS NOT DISTINCT FROM $t)",
    "starts_with($t, $t)",
    "starts_with($t, 'a')",
    "(CASE WHEN $z THEN $z END)",
};
// That may.
static const char *const failing_ints[] = {
    "($i + $i)", "($i - $i)", "($i * $i)",       "($i / $i)",       "($i % $i)",
    "(- $i)",    "abs($i)",   "CAST($t AS INT)", "CAST($n AS INT)", "CAST($r AS INT)"};
static const char *const failing_bigints[] = {
    "($n + $i)", "($n * $n)",          "($n / $n)",         "(- $n)",
    "abs($n)",   "CAST($t AS BIGINT)", "CAST($r AS BIGINT)"};
static const char *const failing_reals[] = {"($r + $r)", "($r * $r)", "($r / $r)",
                                            "CAST($t AS REAL)", "round($r, $i)"};
static const char *const failing_texts[] = {"substr($t, 1, $i)",
                                            "split_part($t, ',', $i)", "lpad($t, $i)"};
static const char *const failing_booleans[] = {"CAST($t AS BOOLEAN)"};

struct patterns {
    const char *const *items;
    size_t n;
};
#define PATTERNS(array) {array, ARRAY_LEN(array)}

static const struct patterns patterns_of[] = {
    [TYPE_INT] = PATTERNS(int_patterns),
    [TYPE_BIGINT] = PATTERNS(bigint_patterns),
    [TYPE_REAL] = PATTERNS(real_patterns),
    [TYPE_TEXT] = PATTERNS(text_patterns),
    [TYPE_BOOLEAN] = PATTERNS(boolean_patterns),
};
static const struct patterns failing_of[] = {
    [TYPE_INT] = PATTERNS(failing_ints),
    [TYPE_BIGINT] = PATTERNS(failing_bigints),
    [TYPE_REAL] = PATTERNS(failing_reals),
    [TYPE_TEXT] = PATTERNS(failing_texts),
    [TYPE_BOOLEAN] = PATTERNS(failing_booleans),
};

// Functions that PostgreSQL does not have, a REAL as text, what else it reads as BOOLEAN,
// and its right(x, -2147483648).
static bool is_ours(const char *pattern)
{
    static const char *const ours[] = {
        "now()",        "gtfs",          "CAST($r AS TEXT)",
        "|| $r",        "round($r, $i)", "CAST($t AS BOOLEAN)",
        "right($t, $i)"};
    for (size_t i = 0; i < ARRAY_LEN(ours); i++)
        if (strstr(pattern, ours[i]) != NULL)
            return true;
    return false;
}

static const char *pick_pattern(struct world *world, const struct patterns *patterns)
{
    const char *pattern = patterns->items[pick(world, patterns->n)];
    while (world->is_portable && is_ours(pattern) && patterns->n > 1)
        pattern = patterns->items[pick(world, patterns->n)];
    return pattern;
}

static void any_pattern(struct world *world, enum type type, int depth)
{
    bool ordered = type != TYPE_BOOLEAN && percent(world, 25);
    const char *pattern = ordered
                              ? ordered_patterns[pick(world, ARRAY_LEN(ordered_patterns))]
                              : any_patterns[pick(world, ARRAY_LEN(any_patterns))];
    if (strstr(pattern, "%s") != NULL)
        buf_printf(&world->script, "CAST(NULL AS %s)", type_name(type));
    else
        write_pattern(world, pattern, type, depth);
}

static bool subquery(struct world *world, enum type type);

static void expression(struct world *world, enum type type, int depth)
{
    const struct patterns *patterns = &patterns_of[type];
    if (depth > 0 && percent(world, 4) && subquery(world, type))
        return;
    if (depth <= 0 || percent(world, 20)) {
        if (percent(world, 80) || world->no_literals)
            column(world, type);
        else
            literal(world, type);
    } else if (percent(world, 25)) {
        any_pattern(world, type, depth);
    } else {
        write_pattern(world, pick_pattern(world, patterns), type, depth);
    }
}

static enum type any_type(struct world *world)
{
    static const enum type types[] = {TYPE_INT,  TYPE_BIGINT, TYPE_REAL,
                                      TYPE_TEXT, TYPE_TEXT,   TYPE_BOOLEAN};
    return types[pick(world, ARRAY_LEN(types))];
}

// Of one side: the stream, or the tables in scope.
static void scope(struct world *world, const char *first, const char *second)
{
    world->aliases[0] = first;
    world->aliases[1] = second;
    world->n_aliases = second != NULL ? 2 : 1;
}

// Subqueries.

static void scope_with_x(struct world *world)
{
    world->aliases[world->n_aliases++] = "x";
}

static void scope_of_x(struct world *world)
{
    world->aliases[0] = "x";
    world->n_aliases = 1;
}

// FROM and WHERE of a subquery, over the scope that is left as it was.
static void write_rest(struct world *world)
{
    static const enum type types[] = {TYPE_INT, TYPE_INT, TYPE_TEXT, TYPE_BIGINT,
                                      TYPE_REAL};
    const char *const tables_of_x[] = {" FROM a x", " FROM b x",
                                       " FROM (SELECT * FROM b WHERE k <> 2) x"};
    const struct world outside = *world;
    const char *word = " WHERE ";
    say(world, tables_of_x[pick(world, world->is_large ? 1 : ARRAY_LEN(tables_of_x))]);
    bool is_alone = percent(world, 25);
    world->shapes[SHAPE_ALONE] |= is_alone;
    for (size_t n = is_alone ? 0 : 1 + pick(world, 2); n > 0; n--) {
        enum type type = types[pick(world, ARRAY_LEN(types))];
        say(world, word);
        scope_of_x(world);
        column(world, type);
        say(world, " = ");
        memcpy(world->aliases, outside.aliases, sizeof(outside.aliases));
        world->n_aliases = outside.n_aliases;
        if (percent(world, 70))
            column(world, type);
        else
            expression(world, type, 1);
        word = " AND ";
    }
    if (!is_alone && percent(world, 25)) {
        world->shapes[SHAPE_FURTHER] = true;
        say(world, word);
        scope_with_x(world);
        expression(world, TYPE_BOOLEAN, 2);
        word = " AND ";
    }
    if (percent(world, 30)) {
        say(world, word);
        scope_of_x(world);
        expression(world, TYPE_BOOLEAN, 2);
        word = " AND ";
    }
    if (!world->is_large && percent(world, 15)) {
        static const char *const nested[] = {
            "x.i IN (SELECT y.k FROM b y)",
            "NOT EXISTS (SELECT 1 FROM b y WHERE y.k = x.k AND y.z)",
            "x.k < (SELECT max(y.i) FROM a y WHERE y.t = x.t)"};
        world->shapes[SHAPE_NESTED] = true;
        say(world, word);
        say(world, nested[pick(world, ARRAY_LEN(nested))]);
    }
    memcpy(world->aliases, outside.aliases, sizeof(outside.aliases));
    world->n_aliases = outside.n_aliases;
}

static void write_exists(struct world *world)
{
    bool is_not = percent(world, 50);
    world->shapes[is_not ? SHAPE_NOT_EXISTS : SHAPE_EXISTS] = true;
    say(world, is_not ? "(NOT EXISTS (SELECT 1" : "(EXISTS (SELECT x.i");
    write_rest(world);
    say(world, "))");
}

static void write_in(struct world *world)
{
    static const enum type types[] = {TYPE_INT, TYPE_TEXT, TYPE_BIGINT};
    enum type type = types[pick(world, ARRAY_LEN(types))];
    bool is_not = percent(world, 50);
    world->shapes[is_not ? SHAPE_NOT_IN : SHAPE_IN] = true;
    say(world, "(");
    expression(world, type, 1);
    say(world, is_not ? " NOT IN (SELECT " : " IN (SELECT ");
    const struct world outside = *world;
    scope_of_x(world);
    if (percent(world, 80))
        column(world, type);
    else
        expression(world, type, 1);
    memcpy(world->aliases, outside.aliases, sizeof(outside.aliases));
    world->n_aliases = outside.n_aliases;
    write_rest(world);
    say(world, "))");
}

static void write_aggregate(struct world *world, enum type type)
{
    static const char *const aggregates[] = {[TYPE_INT] = "max(x.i)",
                                             [TYPE_BIGINT] = "count(*)",
                                             [TYPE_REAL] = "avg(x.k)",
                                             [TYPE_TEXT] = "min(x.t)",
                                             [TYPE_BOOLEAN] = "bool_or(x.z)"};
    static const char *const others[] = {
        [TYPE_INT] = "COALESCE(min(x.k), -5)",
        [TYPE_BIGINT] = "count(x.t) % 3",
        [TYPE_REAL] = "CASE WHEN count(*) = 0 THEN 0.5 ELSE max(x.r) END",
        [TYPE_TEXT] = "max(x.u) || count(DISTINCT x.i)",
        [TYPE_BOOLEAN] = "count(*) FILTER (WHERE x.i > 0) > 1"};
    world->shapes[SHAPE_AGGREGATE] = true;
    buf_printf(&world->script, "(SELECT %s",
               percent(world, 60) ? aggregates[type] : others[type]);
    write_rest(world);
    say(world, ")");
}

// Without a FROM.
static void write_constants(struct world *world, enum type type)
{
    static const char *const ends[] = {"",
                                       "",
                                       " WHERE true",
                                       " WHERE 1 > 2",
                                       " WHERE CAST(NULL AS BOOLEAN)",
                                       " WHERE (1 = 1) AND EXISTS (SELECT 2)",
                                       " LIMIT 1",
                                       " LIMIT 0"};
    static const char *const starts[] = {"(EXISTS (SELECT ", "(NOT EXISTS (SELECT "};
    bool exists = type == TYPE_BOOLEAN && percent(world, 30);
    bool in = !exists && type == TYPE_BOOLEAN && percent(world, 60);
    world->shapes[SHAPE_NO_FROM] = true;
    if (exists)
        say(world, starts[pick(world, ARRAY_LEN(starts))]);
    else if (in) {
        type = percent(world, 50) ? TYPE_INT : TYPE_TEXT;
        say(world, "(");
        column(world, type);
        say(world, percent(world, 50) ? " IN (SELECT " : " NOT IN (SELECT ");
    } else
        say(world, "(SELECT ");
    if (percent(world, 20))
        buf_printf(&world->script, "CAST(NULL AS %s)", type_name(type));
    else
        literal(world, type);
    if (in && percent(world, 40)) {
        say(world, percent(world, 50) ? " UNION SELECT " : " UNION ALL SELECT ");
        literal(world, type);
    } else
        say(world, ends[pick(world, ARRAY_LEN(ends))]);
    say(world, exists || in ? "))" : ")");
}

// One that no look-up can stand for.
static void write_asked(struct world *world, enum type type)
{
    static const char *const ends[] = {
        " GROUP BY x.t HAVING count(*) > 1))", " GROUP BY x.i, x.t OFFSET 1))",
        " LIMIT 2 OFFSET 1))", " EXCEPT SELECT y.t FROM b y WHERE y.z))"};
    static const char *const ins[] = {" GROUP BY x.i HAVING min(x.k) > 0))",
                                      " ORDER BY 1 LIMIT 3))",
                                      " UNION SELECT y.k FROM b y WHERE y.z))",
                                      " EXCEPT SELECT y.i FROM a y WHERE y.k = 2))"};
    if (type == TYPE_BOOLEAN && percent(world, 40)) {
        say(world,
            percent(world, 50) ? "(EXISTS (SELECT x.t" : "(NOT EXISTS (SELECT x.t");
        write_rest(world);
        say(world, ends[pick(world, ARRAY_LEN(ends))]);
        return;
    }
    if (type == TYPE_BOOLEAN && percent(world, 60)) {
        say(world, "(");
        column(world, TYPE_INT);
        say(world, percent(world, 50) ? " IN (SELECT x.i" : " NOT IN (SELECT x.i");
        write_rest(world);
        say(world, ins[pick(world, ARRAY_LEN(ins))]);
        return;
    }
    const struct world outside = *world;
    bool is_table = percent(world, 25);
    say(world, !is_table              ? "(SELECT "
               : type == TYPE_BOOLEAN ? "((SELECT max(q.v) FROM (SELECT "
                                      : "(SELECT max(q.v) FROM (SELECT ");
    scope_of_x(world);
    column(world, is_table && type == TYPE_BOOLEAN ? TYPE_INT : type);
    memcpy(world->aliases, outside.aliases, sizeof(outside.aliases));
    world->n_aliases = outside.n_aliases;
    say(world, is_table ? " AS v" : "");
    write_rest(world);
    say(world, !is_table              ? " ORDER BY 1 LIMIT 1)"
               : type == TYPE_BOOLEAN ? ") q) > 1)"
                                      : ") q)");
}

// False: there is none of the type.
static bool subquery(struct world *world, enum type type)
{
    for (size_t i = 0; i < world->n_aliases; i++)
        if (world->aliases[i][0] == 'x')
            return false;
    if (world->n_subqueries >= SUBQUERIES_MAX)
        return false;
    world->n_subqueries++;
    bool has_stream = world->aliases[0][0] == 's';
    world->shapes[SHAPE_OF_TABLES] |= !has_stream;
    world->shapes[SHAPE_OF_BOTH] |= has_stream && world->n_aliases > 1;
    if (percent(world, 20))
        write_constants(world, type);
    else if (percent(world, 15))
        write_asked(world, type);
    else if (type != TYPE_BOOLEAN || percent(world, 15))
        write_aggregate(world, type);
    else if (percent(world, 50))
        write_exists(world);
    else
        write_in(world);
    return true;
}

// That fails when there are two rows.
static void write_single(struct world *world, enum type type)
{
    world->shapes[SHAPE_SINGLE] = true;
    say(world, "(SELECT ");
    const struct world outside = *world;
    scope_with_x(world);
    expression(world, type, 1);
    memcpy(world->aliases, outside.aliases, sizeof(outside.aliases));
    world->n_aliases = outside.n_aliases;
    write_rest(world);
    say(world, ")");
}

static void write_failing(struct world *world, const char *pattern, enum type type)
{
    world->no_literals = world->is_portable;
    write_pattern(world, pattern, type, 1);
    world->no_literals = false;
}

static void output(struct world *world, size_t i, enum type type)
{
    size_t n_subqueries = world->n_subqueries;
    world->shapes[SHAPE_OUTPUT_BOTH] |=
        world->aliases[0][0] == 's' && world->n_aliases > 1;
    if (world->may_fail && !(world->is_portable && type == TYPE_BOOLEAN)) {
        const struct patterns *failing = &failing_of[type];
        world->may_fail = false;
        world->tables_may_fail = world->aliases[0][0] != 's' || world->n_aliases > 1;
        if (world->n_subqueries < SUBQUERIES_MAX && percent(world, 20)) {
            world->n_subqueries++;
            write_single(world, type);
        } else
            write_failing(world, pick_pattern(world, failing), type);
    } else if (percent(world, 30)) {
        column(world, type);
    } else {
        expression(world, type, 1 + (int)pick(world, 3));
    }
    world->shapes[SHAPE_SUBQUERY_IN_OUTPUT] |= world->n_subqueries > n_subqueries;
    buf_printf(&world->script, " AS o%zu", i);
}

// Queries.

static void write_on(struct world *world)
{
    static const char *const keys[] = {
        "a.i = s.i", "s.t = a.t", "a.k = s.j AND a.t = s.t",
        "a.n = s.n", "s.r = a.r", "a.z = s.z"};
    static const char *const computed[] = {
        "a.t = lower(s.t)", "left(a.t, 1) = left(s.t, 1)",
        "a.n = s.i",        "COALESCE(a.i, 0) = COALESCE(s.i, 0)",
        "a.r = s.i",        "length(a.t) = s.j"};
    if (percent(world, 30)) {
        world->shapes[SHAPE_EXPRESSION_KEY] = true;
        say(world, computed[pick(world, ARRAY_LEN(computed))]);
    } else if (percent(world, 85)) {
        say(world, keys[pick(world, ARRAY_LEN(keys))]);
    } else if (percent(world, 50)) {
        world->shapes[SHAPE_LOOP] = true;
        scope(world, "s", "a");
        expression(world, TYPE_BOOLEAN, 2);
    } else {
        world->shapes[SHAPE_CROSS] = true;
        say(world, "1 = 1");
    }
    if (percent(world, 15)) {
        world->shapes[SHAPE_ON_BOTH] = true;
        say(world, " AND ");
        scope(world, "s", "a");
        expression(world, TYPE_BOOLEAN, 2);
    }
    if (percent(world, 25)) {
        world->shapes[SHAPE_ON_STREAM] = true;
        say(world, " AND ");
        scope(world, "s", NULL);
        expression(world, TYPE_BOOLEAN, 2);
    }
    if (percent(world, 25)) {
        world->shapes[SHAPE_ON_TABLES] = true;
        say(world, " AND ");
        scope(world, "a", NULL);
        expression(world, TYPE_BOOLEAN, 2);
    }
}

static void write_second(struct world *world)
{
    static const char *const links[] = {"b.k = a.k", "a.t = b.t AND b.i IN (1, 2, 3)",
                                        "s.j = b.k AND b.t = a.t", "b.n = a.n"};
    static const char *const joins[] = {"b.i = s.i",
                                        "b.t = s.u",
                                        "b.k = s.j AND b.z",
                                        "upper(s.t) = b.u AND s.i > 0",
                                        "b.k = s.j AND b.i < a.i",
                                        "b.t = COALESCE(a.t, s.t)",
                                        "b.i BETWEEN s.i AND a.k"};
    bool linked = percent(world, 50);
    world->shapes[linked ? SHAPE_TWO_TABLES : SHAPE_TWO_JOINS] = true;
    say(world, percent(world, 50) ? " LEFT JOIN b ON " : " JOIN b ON ");
    say(world, linked ? links[pick(world, ARRAY_LEN(links))]
                      : joins[pick(world, ARRAY_LEN(joins))]);
}

// *ret_tables: how many are in scope.
static void write_from(struct world *world, size_t *ret_tables)
{
    static const char *const streams[] = {
        "(SELECT * FROM st WHERE j <> 1) s",
        "(SELECT i, j, n, r, lower(t) AS t, u, z FROM st) s",
        "(SELECT x.i, x.j, x.n, x.r, y.t, x.u, x.z FROM st x LEFT JOIN b y ON y.i=x.j) s",
        "(SELECT * FROM st UNION ALL SELECT j, j + 0, n, r, u, u, z FROM st WHERE z) s",
    };
    bool is_left = percent(world, 45);
    bool is_subquery = percent(world, 20);
    world->shapes[SHAPE_SUBQUERY] |= is_subquery;
    say(world, " FROM ");
    say(world, is_subquery ? streams[pick(world, ARRAY_LEN(streams))] : "st s");
    *ret_tables = 0;
    if (percent(world, 12)) {
        world->shapes[SHAPE_NO_JOIN] = true;
        return;
    }
    world->shapes[is_left ? SHAPE_LEFT : SHAPE_INNER] = true;
    *ret_tables = 1;
    if (percent(world, 8)) {
        world->shapes[SHAPE_COMMA] = true;
        say(world, ", a");
        return;
    }
    say(world, is_left ? " LEFT JOIN a ON " : " JOIN a ON ");
    write_on(world);
    if (!world->is_large && percent(world, 40)) {
        write_second(world);
        *ret_tables = 2;
    }
}

// One side's: the stream, or one of the tables.
static void pick_scope(struct world *world, size_t n_tables)
{
    scope(world, "s", NULL);
    if (n_tables > 0 && percent(world, 15)) {
        scope(world, "s", n_tables == 2 && percent(world, 50) ? "b" : "a");
        if (n_tables == 2 && percent(world, 40))
            world->aliases[world->n_aliases++] = world->aliases[1][0] == 'a' ? "b" : "a";
    } else if (n_tables > 0 && percent(world, 50)) {
        bool together = n_tables == 2 && world->shapes[SHAPE_TWO_TABLES] &&
                        !world->shapes[SHAPE_TWO_JOINS];
        if (together)
            scope(world, "a", "b");
        else
            scope(world, n_tables == 2 && percent(world, 50) ? "b" : "a", NULL);
    }
}

static void write_select(struct world *world, const enum type *types, size_t n)
{
    size_t n_tables;
    struct buf script = world->script;
    world->script = (struct buf){0};
    write_from(world, &n_tables);
    struct buf from = world->script;
    world->script = script;
    say(world, "SELECT ");
    for (size_t i = 0; i < n; i++) {
        say(world, i ? ", " : "");
        pick_scope(world, n_tables);
        output(world, i, types[i]);
    }
    buf_str(&world->script, buf_as_str(&from));
    bool is_comma = memmem(from.p, from.n, " s, a", 5) != NULL;
    buf_release(&from);
    const char *word = " WHERE ";
    if (is_comma) {
        say(world, " WHERE s.j = a.k");
        word = " AND ";
    }
    for (int i = 0; i < 2; i++) {
        if (!percent(world, 40))
            continue;
        say(world, word);
        pick_scope(world, n_tables);
        bool has_stream = world->aliases[0][0] == 's';
        world->shapes[!has_stream             ? SHAPE_WHERE_TABLES
                      : world->n_aliases == 1 ? SHAPE_WHERE_STREAM
                                              : SHAPE_WHERE_BOTH] = true;
        if (!percent(world, 30) || !subquery(world, TYPE_BOOLEAN))
            expression(world, TYPE_BOOLEAN, 2);
        word = " AND ";
    }
}

static void write_query(struct world *world)
{
    enum type types[5];
    size_t n = 1 + pick(world, 5);
    for (size_t i = 0; i < n; i++)
        types[i] = any_type(world);
    say(world, "INSERT INTO result ");
    write_select(world, types, n);
    if (percent(world, 15)) {
        world->shapes[SHAPE_UNION] = true;
        say(world, " UNION ALL ");
        write_select(world, types, n);
    }
    say(world, ";\n");
}

static void write_script(struct world *world, const char *query)
{
    for (size_t i = 0; i < ARRAY_LEN(tables); i++)
        buf_printf(&world->script, "CREATE TABLE %s (%s) WITH (%s, format = 'csv');\n",
                   tables[i], columns[i],
                   i == 0 ? "connector = 'kafka', brokers = 'localhost:1', topic = 't'"
                          : "connector = 'filesystem', path = '/nowhere/t'");
    say(world, "CREATE TABLE result () WITH (connector = 'filesystem', path = "
               "'/nowhere/r', format = 'csv');\n");
    if (query != NULL)
        buf_printf(&world->script, "INSERT INTO result %s;\n", query);
    else
        write_query(world);
}

// Running.

static struct schema schema_in(struct arena *arena, const char *text)
{
    return schema_of(arena, text);
}

// A query of its own, or NULL: one by chance.
static void open_world(struct world *world, uint64_t seed, const char *query)
{
    struct buf report = {0};
    *world = (struct world){.random = seed * UINT64_C(0x9E3779B97F4A7C15) + 1,
                            .is_portable = getenv("QUERIES_DUMP") != NULL};
    for (int i = 0; i < 3; i++)
        (void)pick(world, 2);
    world->may_fail = percent(world, 40);
    world->is_large = pick(world, 200) == 0;
    world->shapes[SHAPE_LARGE] = world->is_large;
    world->n_subqueries = world->is_large && percent(world, 60) ? SUBQUERIES_MAX : 0;
    for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
        world->schemas[i] = schema_in(&world->arena, columns[i]);
        make_rows(world, i, i == 0 ? RECORDS_MAX : TABLE_ROWS_MAX);
    }
    write_script(world, query);
    const struct script script = {.name = STR_LITERAL("case.sql"),
                                  .text = buf_as_str(&world->script)};
    if (plan_parse(&script, &world->plan, &report) != ST_OK)
        fprintf(stderr, "%.*s\n%.*s", STR_ARGS(report), STR_ARGS(world->script));
    assert_non_null(world->plan);
    world->row_format = plain_row_format(&world->plan->output);
    buf_release(&report);
}

static void close_world(struct world *world)
{
    plan_free(world->plan);
    for (size_t i = 0; i < ARRAY_LEN(tables); i++)
        batch_release(&world->rows[i]);
    buf_release(&world->script);
    arena_release(&world->arena);
}

static struct table_store *open_store(struct world *world, bool native)
{
    const struct table_store_options options = {0};
    struct table_store *store = table_store_open(world->plan, &options);
    table_store_want_insert(store, native);
    for (size_t i = 1; i < ARRAY_LEN(tables); i++)
        store_load(store, str_of(tables[i]), &world->rows[i]);
    assert_ok(table_store_load_views(store, &world->err), &world->err);
    return store;
}

static int by_text(const void *a, const void *b)
{
    return str_compare(*(const struct str *)a, *(const struct str *)b);
}

// A record's rows in any order; the records in theirs.
static void add_sorted(const struct buf *text, struct buf *out)
{
    struct str *lines = mem_array(text->n + 1, sizeof(*lines));
    size_t n = 0;
    struct str rest = buf_as_str(text);
    while (rest.n > 0)
        lines[n++] = str_cut(&rest, '\n');
    qsort(lines, n, sizeof(*lines), by_text);
    for (size_t i = 0; i < n; i++) {
        buf_str(out, lines[i]);
        buf_char(out, '\n');
    }
    free(lines);
}

// Without the value that failed, where SQL does not say which.
static void add_rejects(const struct world *world, struct buf *out)
{
    const struct batch *batch = &world->rows[0];
    for (size_t i = 0; i < batch->n_rejects; i++) {
        struct str reason = batch->rejects[i].reason;
        const char *is_not = memmem(reason.p, reason.n, "' is not ", 9);
        if (world->tables_may_fail && is_not != NULL)
            reason = (struct str){is_not, (size_t)(reason.p + reason.n - is_not)};
        buf_printf(out, "record %u: %.*s\n", batch->rejects[i].record, STR_ARGS(reason));
    }
}

struct outcome {
    struct buf rows, rejects;
    struct buf joins; // a line for each, in the order of their names
    size_t n_matched, n_unmatched, n_slices;
};

// Joins that are run row by row count the rows before WHERE sees them.
static bool has_steps(const struct plan *plan)
{
    bool has = false;
    for (size_t i = 0; i < plan->native->n_branches; i++)
        has |= plan->native->branches[i].steps != NULL;
    return has;
}

static void run_executor(struct world *world, struct executor *executor,
                         struct outcome *outcome)
{
    struct batch *batch = &world->rows[0];
    struct buf rows = {0};
    size_t next = 0;
    bool is_small = true;
    batch->n_rejects = 0;
    while (next < batch->n_rows) {
        struct executor_result result = {0};
        buf_set_limit(&rows, is_small ? SMALL_BUFFER : LARGE_BUFFER);
        buf_clear(&rows);
        enum status status =
            executor->ops->run(executor, batch, next, &rows, &next, &result, &world->err);
        if (status == ST_LIMIT && is_small) {
            is_small = false;
            continue;
        }
        assert_ok(status, &world->err);
        is_small = true;
        outcome->n_matched += result.n_matched;
        outcome->n_unmatched += result.n_unmatched;
        outcome->n_slices++;
        buf_str(&outcome->rows, buf_as_str(&rows));
    }
    add_rejects(world, &outcome->rejects);
    buf_release(&rows);
    for (size_t i = 0; i < executor->n_joins; i++)
        buf_printf(&outcome->joins, "%.*s %lld hits, %lld misses, %lld rows\n",
                   STR_ARGS(executor->joins[i].table),
                   (long long)executor->joins[i].n_hits,
                   (long long)executor->joins[i].n_misses,
                   has_steps(world->plan) ? 0 : (long long)executor->joins[i].n_rows);
    executor->ops->close(executor);
}

static void release_outcome(struct outcome *outcome)
{
    buf_release(&outcome->rows);
    buf_release(&outcome->rejects);
    buf_release(&outcome->joins);
}

static void run_native(struct world *world, struct outcome *outcome)
{
    struct table_store *store = open_store(world, true);
    const struct dimension_options options = {.counts = true};
    struct dimensions dimensions;
    assert_ok(dimensions_build(world->plan->native, store, &world->row_format, &options,
                               &dimensions, &world->err),
              &world->err);
    struct executor *executor =
        native_executor_open(world->plan, &dimensions, &world->row_format);
    if (native_asks(world->plan->native)) {
        struct sqlite_host *host;
        assert_ok(table_store_host(store, &host, &world->err), &world->err);
        assert_ok(native_executor_use_sqlite(executor, host, &world->err), &world->err);
    }
    run_executor(world, executor, outcome);
    dimensions_release(&dimensions);
    table_store_close(store);
}

static void run_sqlite(struct world *world, struct outcome *outcome)
{
    struct table_store *store = open_store(world, false);
    struct sqlite_host *host;
    struct executor *executor;
    assert_ok(table_store_host(store, &host, &world->err), &world->err);
    assert_ok(sqlite_executor_open(world->plan, host, &world->row_format, &executor,
                                   &world->err),
              &world->err);
    sqlite_executor_count(executor);
    struct sqlite_counts counts; // which a job goes on without
    if (sqlite_counts_open(world->plan, host, &counts, &world->err) != ST_OK)
        fail_msg("%s\n%.*s", world->err.text, STR_ARGS(world->script));
    sqlite_counts_close(&counts);
    run_executor(world, executor, outcome);
    table_store_close(store);
}

// Lines that one of two sorted texts has more often than the other.
static void add_differences(struct str a, struct str b, struct buf *out)
{
    size_t n = 0;
    while ((a.n > 0 || b.n > 0) && n < 6) {
        struct str rest_a = a, rest_b = b;
        struct str line_a = str_cut(&rest_a, '\n'), line_b = str_cut(&rest_b, '\n');
        int order = a.n == 0 ? 1 : b.n == 0 ? -1 : str_compare(line_a, line_b);
        if (order != 0) {
            buf_printf(out, "%s %.*s\n", order < 0 ? "native only:" : "sqlite only:",
                       STR_ARGS(order < 0 ? line_a : line_b));
            n++;
        }
        if (order <= 0)
            a = rest_a;
        if (order >= 0)
            b = rest_b;
    }
}

static void compare(struct world *world, const struct buf *native,
                    const struct buf *sqlite, const char *what)
{
    struct buf a = {0}, b = {0}, differences = {0};
    add_sorted(native, &a);
    add_sorted(sqlite, &b);
    add_differences(buf_as_str(&a), buf_as_str(&b), &differences);
    if (differences.n > 0) {
        fprintf(stderr, "%s differ:\n%.*s%.*s", what, STR_ARGS(differences),
                STR_ARGS(world->script));
        fail();
    }
    buf_release(&a);
    buf_release(&b);
    buf_release(&differences);
}

// Every column in a branch's data says what gives it, and everything has a type.
static void check_data(json_t *data)
{
    size_t i;
    const char *key;
    json_t *item;
    json_array_foreach(data, i, item)
    {
        check_data(item);
    }
    json_object_foreach(data, key, item)
    {
        check_data(item);
    }
    bool is_expr = json_object_get(data, "args") || json_object_get(data, "column") ||
                   json_object_get(data, "constant") || json_object_get(data, "case");
    assert_true(!is_expr || json_is_string(json_object_get(data, "type")));
    if (json_object_get(data, "column") != NULL)
        assert_true(json_is_string(json_object_get(data, "of")));
}

static void check_branches(const struct native_plan *native)
{
    for (size_t i = 0; i < native->n_branches; i++) {
        struct str text = native->branches[i].data;
        json_t *data = json_loadb(text.p, text.n, 0, NULL);
        assert_non_null(data);
        assert_int_equal(json_array_size(json_object_get(data, "outputs")),
                         native->branches[i].n_outputs);
        check_data(data);
        json_decref(data);
    }
}

// Rows as JSON, for the other side.

static void json_value(const struct value *value, struct buf *out)
{
    AUTO(buf_release) struct buf text = {0};
    if (value->kind == VALUE_NULL) {
        buf_text(out, "null");
        return;
    }
    value_format(*value, &text);
    if (value->kind == VALUE_TEXT)
        text_json(out, buf_as_str(&text));
    else
        buf_str(out, buf_as_str(&text));
}

static void json_fields(UNUSED struct row_format *row_format, size_t first,
                        const struct value *values, size_t n, struct buf *row)
{
    for (size_t i = 0; i < n; i++) {
        buf_text(row, first + i > 0 ? "," : "[");
        json_value(&values[i], row);
    }
}

static void json_end_row(UNUSED struct row_format *row_format, struct buf *row)
{
    buf_text(row, "]\n");
}

static void dump_rows(const struct batch *batch, FILE *out)
{
    AUTO(buf_release) struct buf rows = {0};
    for (size_t i = 0; i < batch->n_rows; i++) {
        buf_text(&rows, i > 0 ? "," : "");
        json_fields(NULL, 0, batch_row(batch, i), batch->n_columns, &rows);
        buf_char(&rows, ']');
    }
    fprintf(out, "[%.*s]", STR_ARGS(rows));
}

static void dump_tables(const struct world *world, FILE *out)
{
    for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
        fprintf(out, "%s\"%s\":{\"columns\":\"%s\",\"rows\":", i > 0 ? "," : "",
                tables[i], columns[i]);
        dump_rows(&world->rows[i], out);
        fprintf(out, "}");
    }
}

// A line of JSON: tables, the SELECT, its columns' types, rows, how many were rejected.
static void dump_query(uint64_t seed, FILE *out)
{
    struct world world;
    open_world(&world, seed, NULL);
    if (world.plan->native != NULL) {
        struct row_format_ops ops = plain_row_format_ops;
        struct outcome native = {0};
        AUTO(buf_release) struct buf query = {0}, types = {0};
        ops.fields = json_fields;
        ops.end_row = json_end_row;
        world.row_format.ops = &ops;
        run_native(&world, &native);
        const char *insert = strstr(buf_cstr(&world.script), "INSERT INTO result ");
        text_json(&query, str_of(insert + strlen("INSERT INTO result ")));
        for (size_t i = 0; i < world.plan->output.n; i++)
            buf_printf(&types, "%s\"%s\"", i > 0 ? "," : "",
                       type_name(world.plan->output.columns[i].type));
        fprintf(out, "{\"seed\":%llu,\"tables\":{", (unsigned long long)seed);
        dump_tables(&world, out);
        fprintf(out, "},\"query\":%.*s,\"types\":[%.*s],\"rejects\":%zu,\"rows\":[",
                STR_ARGS(query), STR_ARGS(types), world.rows[0].n_rejects);
        struct str rest = buf_as_str(&native.rows);
        for (size_t i = 0; rest.n > 0; i++) {
            struct str line = str_cut(&rest, '\n');
            fprintf(out, "%s%.*s", i > 0 ? "," : "", STR_ARGS(line));
        }
        fprintf(out, "]}\n");
        release_outcome(&native);
    }
    close_world(&world);
}

static void dump_queries(const char *path, uint64_t from, size_t n)
{
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    for (uint64_t seed = from; seed < from + n; seed++)
        dump_query(seed, out);
    assert_int_equal(fclose(out), 0);
}

// Queries of which both count the same. Tables in subqueries of expressions the native
// one counts alone; a view over the stream may hand a record on twice; several tables, of
// which some are joined row by row, may be asked in another order.
static bool has_same_counts(const struct world *world)
{
    bool has = world->n_subqueries == 0 &&
               memmem(world->script.p, world->script.n, "FROM (", 6) == NULL;
    for (size_t i = 0; i < world->plan->native->n_branches; i++) {
        const struct native_branch *branch = &world->plan->native->branches[i];
        size_t n_steps = native_n_steps(branch);
        has = has && (n_steps == 0 || (n_steps + branch->n_joins == 1 &&
                                       branch->steps->items[0].kind <= STEP_LEFT));
    }
    return has;
}

static void check_counts(struct world *world, const struct outcome *native,
                         const struct outcome *sqlite)
{
    if (!has_same_counts(world))
        return;
    compare(world, &native->joins, &sqlite->joins, "counts");
    if (native->n_unmatched != sqlite->n_unmatched)
        fail_msg("%zu unmatched, by sqlite %zu\n%.*s", native->n_unmatched,
                 sqlite->n_unmatched, STR_ARGS(world->script));
    world->shapes[SHAPE_COUNTED] = native->n_unmatched > 0;
}

// Both executors; what it saw of shapes is noted.
static void check_native(struct world *world)
{
    struct outcome native = {0}, sqlite = {0};
    check_branches(world->plan->native);
    run_native(world, &native);
    run_sqlite(world, &sqlite);
    compare(world, &native.rejects, &sqlite.rejects, "rejects");
    compare(world, &native.rows, &sqlite.rows, "rows");
    if (native.n_matched != sqlite.n_matched)
        fail_msg("%zu matched, by sqlite %zu\n%.*s", native.n_matched, sqlite.n_matched,
                 STR_ARGS(world->script));
    check_counts(world, &native, &sqlite);
    world->shapes[SHAPE_STEPS] = has_steps(world->plan);
    world->shapes[SHAPE_ASKED] = native_asks(world->plan->native);
    world->shapes[SHAPE_FAILURE] = native.rejects.n > 0;
    world->shapes[SHAPE_SLICES] = native.n_slices > 1;
    release_outcome(&native);
    release_outcome(&sqlite);
}

static void run_query(uint64_t seed, size_t times[N_SHAPES], size_t *n_native)
{
    struct world world;
    open_world(&world, seed, NULL);
    if (world.plan->native == NULL && getenv("QUERIES_SHOW"))
        print_message("not native: %.*s\n%.*s", STR_ARGS(world.plan->native_why),
                      STR_ARGS(world.script));
    if (world.plan->native != NULL) {
        check_native(&world);
        for (size_t i = 0; i < N_SHAPES; i++)
            times[i] += world.shapes[i];
        ++*n_native;
    }
    close_world(&world);
}

static void test_native_gives_what_sqlite_gives(void **state)
{
    (void)state;
    const char *one = getenv("QUERIES_SEED"), *many = getenv("QUERIES");
    size_t n = getenv("TEST_LONG") ? QUERIES_LONG : QUERIES;
    size_t times[N_SHAPES] = {0}, n_native = 0;
    uint64_t from = one ? strtoull(one, NULL, 10) : 1;
    if (many != NULL)
        n = strtoull(many, NULL, 10);
    if (getenv("QUERIES_DUMP") != NULL) {
        dump_queries(getenv("QUERIES_DUMP"), from, n);
        return;
    }
    for (uint64_t seed = from; seed < from + (one ? 1 : n); seed++) {
        if (getenv("QUERIES_SHOW"))
            print_message("seed %llu\n", (unsigned long long)seed);
        run_query(seed, times, &n_native);
    }
    if (one != NULL)
        return;
    for (size_t i = 0; i < N_SHAPES; i++) {
        print_message("shape %zu: %zu times\n", i, times[i]);
        bool is_rare = i == SHAPE_LARGE && n < QUERIES_LONG;
        assert_true(times[i] >= (is_rare ? 1 : SHAPE_TIMES));
    }
    print_message("%zu of %zu queries native\n", n_native, n);
    assert_true(n_native > n * 8 / 10);
}

// Of most of them nothing is in SQLite's database.
static void test_subqueries_without_a_from(void **state)
{
    (void)state;
    static const char *const queries[] = {
        "SELECT s.t, (SELECT 1) AS x FROM st s",
        "SELECT (SELECT 1) AS x FROM st s",
        "SELECT (SELECT (SELECT 'a')) AS x FROM st s",
        "SELECT s.t, (SELECT CAST(NULL AS INT)) AS x FROM st s",
        "SELECT s.t, (SELECT 1 LIMIT 0) AS x FROM st s",
        "SELECT s.t, (SELECT 1 OFFSET 1) AS x FROM st s",
        "SELECT s.t, (SELECT count(*)) AS x FROM st s",
        "SELECT s.t, (SELECT 1 UNION ALL SELECT 2) AS x FROM st s",
        "SELECT s.t, (SELECT 1 FROM (SELECT 1 AS y) z) AS x FROM st s",
        "SELECT s.t, (SELECT z.y FROM (SELECT 1 AS y) z WHERE z.y = s.j) AS x FROM st s",
        "SELECT s.t, CASE WHEN s.j = 1 THEN (SELECT 5) END AS x FROM st s",
        "SELECT s.t, EXISTS (SELECT 1) AS x FROM st s",
        "SELECT s.t, NOT EXISTS (SELECT 1 WHERE 1 > 2) AS x FROM st s",
        "SELECT s.t FROM st s WHERE (SELECT true)",
        "SELECT s.t FROM st s WHERE (SELECT 1) = 1 AND (SELECT 2) = s.j",
        "SELECT s.t FROM st s WHERE s.i IN (SELECT 1)",
        "SELECT s.t FROM st s WHERE s.i NOT IN (SELECT 1)",
        "SELECT s.t, s.i IN (SELECT CAST(NULL AS INT)) AS x FROM st s",
        "SELECT s.t, s.i NOT IN (SELECT 1 UNION SELECT 2) AS x FROM st s",
        "SELECT s.t, s.i IN (SELECT 1 WHERE false) AS x FROM st s",
        "SELECT s.t, c.x FROM st s JOIN (SELECT 1 AS x) c ON c.x = s.i",
        "SELECT s.t, c.x FROM st s LEFT JOIN (SELECT 1 AS x) c ON c.x = s.i",
        "SELECT s.t, c.x FROM st s LEFT JOIN (SELECT 1 AS x UNION SELECT 2) c ON c.x > "
        "s.j",
        "SELECT s.t, c.x FROM st s CROSS JOIN (SELECT 1 AS x) c",
        "SELECT s.t FROM st s CROSS JOIN (SELECT 1 AS x) c",
        "WITH c AS (SELECT 1 AS x) SELECT s.t, c.x FROM st s JOIN c ON c.x = s.j",
        "WITH c AS (SELECT 1 AS x) SELECT s.t, (SELECT x FROM c) AS x FROM st s",
        "WITH c AS (SELECT 1 AS x) SELECT s.t, (SELECT x FROM c WHERE x = s.j) AS x FROM "
        "st s",
        "SELECT s.t, x.q FROM (SELECT t, (SELECT 7) AS q FROM st) s JOIN (SELECT 7 AS q) "
        "x ON x.q = s.q",
        "SELECT s.t, (SELECT 1) AS q FROM st s UNION ALL SELECT s.t, (SELECT 2) FROM st "
        "s",
        "SELECT s.t, a.u FROM st s JOIN a ON a.i = s.i AND EXISTS (SELECT 1)",
        "SELECT s.t, a.u FROM st s LEFT JOIN a ON a.i = (SELECT 1)",
        "SELECT s.t, a.u FROM st s LEFT JOIN a ON a.i = s.j AND a.k IN (SELECT 1)",
        "SELECT s.t, a.u FROM st s JOIN a ON a.i = s.i WHERE a.k = (SELECT 1)",
        "SELECT s.t, EXISTS (SELECT 1 FROM a CROSS JOIN (SELECT 1 AS q) w WHERE a.k = "
        "s.i AND EXISTS (SELECT w.q)) AS x FROM st s WHERE s.i < 9",
    };
    for (size_t i = 0; i < ARRAY_LEN(queries); i++) {
        struct world world;
        open_world(&world, 1, queries[i]);
        if (world.plan->native == NULL)
            fail_msg("%s\nis not native: %.*s", queries[i],
                     STR_ARGS(world.plan->native_why));
        check_native(&world);
        close_world(&world);
    }
}

// What SQLite answers, and where it stands: the rest of the query is native.
static void test_subqueries_that_sqlite_answers(void **state)
{
    (void)state;
#define LEAST "(SELECT x.i FROM a x WHERE x.k = s.j ORDER BY 1 LIMIT 1)"
    static const char *const queries[] = {
        "SELECT s.t, " LEAST " AS x FROM st s",
        "SELECT s.t, " LEAST " AS x FROM st s WHERE " LEAST " > 0",
        "SELECT s.t, b.u FROM st s JOIN b ON b.k = s.j WHERE " LEAST " = b.i",
        "SELECT s.t, b.u FROM st s LEFT JOIN b ON b.k = " LEAST,
        "SELECT s.t, b.u FROM st s LEFT JOIN b ON b.k = s.j AND " LEAST " IS NULL",
        "SELECT s.t, b.u, (SELECT x.i FROM a x WHERE x.k = b.k ORDER BY 1 LIMIT 1) AS x "
        "FROM st s LEFT JOIN b ON b.k = s.j",
        "SELECT s.t, b.u, (SELECT x.i FROM a x WHERE x.k = b.k AND x.i > s.i ORDER BY 1 "
        "LIMIT 1) AS x FROM st s JOIN b ON b.k = s.j",
        "SELECT s.t, (SELECT DISTINCT x.t FROM a x WHERE x.k = s.j AND x.z) AS x FROM st "
        "s",
        "SELECT s.t, (SELECT sum(x.n) FROM a x WHERE x.k = s.j) AS x FROM st s",
        "SELECT s.t, (SELECT sum(x.r) FROM a x WHERE x.k = s.j) AS x FROM st s",
        "SELECT s.t, (SELECT avg(x.r) FROM a x WHERE x.k = s.j) AS x FROM st s",
        "SELECT s.t, (SELECT count(*) FROM a x WHERE x.k < s.j) AS x FROM st s",
        "SELECT s.t, (SELECT max(x.i + s.j) FROM a x WHERE x.k = s.j) AS x FROM st s",
        "SELECT s.t, CASE WHEN s.j > 1 THEN (SELECT max(5 / x.i) FROM a x WHERE x.k = "
        "s.j) ELSE 3 END AS x FROM st s",
        "SELECT s.t, COALESCE(s.i, (SELECT max(5 / x.i) FROM a x WHERE x.k = s.j)) AS x "
        "FROM st s",
        "SELECT s.t, CASE WHEN s.j > 1 THEN EXISTS (SELECT 1 FROM a x WHERE x.k = 7 / "
        "s.i) END AS x FROM st s",
        "SELECT s.t, (SELECT x.u FROM a x WHERE x.k = s.j LIMIT 1) || now() AS x FROM st "
        "s WHERE false",
        "SELECT s.t, (SELECT max(x.u || now()) FROM a x WHERE x.k < s.j) AS x FROM st s",
        "SELECT s.t, EXISTS (SELECT x.t FROM a x WHERE x.k = s.j GROUP BY x.t HAVING "
        "count(*) > 1) AS x FROM st s",
        "SELECT s.t FROM st s WHERE s.i IN (SELECT x.i + s.j FROM a x)",
        "SELECT s.t FROM st s WHERE s.i NOT IN (SELECT x.i FROM a x WHERE x.k = s.j "
        "EXCEPT SELECT x.k FROM b x)",
        "SELECT s.t, (SELECT q.v FROM (SELECT max(x.i) AS v FROM a x WHERE x.k = s.j) q) "
        "AS x FROM st s",
        "SELECT s.t, EXISTS (SELECT 1 FROM a x WHERE EXISTS (SELECT 1 FROM b y WHERE y.k "
        "= s.j AND y.i = x.i)) AS x FROM st s",
        "SELECT s.v, (SELECT x.i FROM a x WHERE x.k = s.v ORDER BY 1 LIMIT 1) AS x FROM "
        "(SELECT 7 / j AS v FROM st WHERE j <> 0) s",
        "SELECT s.t, (SELECT 7 / max(x.i) FROM a x WHERE x.k > 100) AS x FROM st s",
        "SELECT s.t, (SELECT y.v FROM (SELECT k, max(i) AS v FROM a GROUP BY k) y WHERE "
        "y.k < s.j ORDER BY 1 LIMIT 1) AS x FROM st s",
        "WITH w AS (SELECT k, max(i) AS v FROM a GROUP BY k) SELECT s.t, (SELECT y.v "
        "FROM w y WHERE y.k < s.j ORDER BY 1 LIMIT 1) AS x FROM st s",
        "WITH w AS (SELECT k, max(i) AS v FROM a GROUP BY k) SELECT s.t, w.v, (SELECT "
        "y.v FROM w y WHERE y.k < s.j ORDER BY 1 LIMIT 1) AS x FROM st s JOIN w ON w.k = "
        "s.j",
        "SELECT s.t, " LEAST " AS x FROM st s UNION ALL SELECT s.u, " LEAST " FROM st s "
        "UNION ALL SELECT s.u, s.j FROM st s",
        "SELECT s.t, (SELECT x.r FROM a x WHERE x.r = s.r ORDER BY 1 LIMIT 1) AS x, "
        "(SELECT x.z FROM a x WHERE x.z = s.z ORDER BY 1 LIMIT 1) AS y, (SELECT x.t FROM "
        "a x WHERE x.t >= s.t ORDER BY 1 LIMIT 1) AS z FROM st s",
        "SELECT s.t, (SELECT x.i FROM a x WHERE x.n = s.i OR x.r = s.i ORDER BY 1 LIMIT "
        "1) AS x FROM st s",
    };
#undef LEAST
    for (size_t i = 0; i < ARRAY_LEN(queries); i++) {
        for (uint64_t seed = 1; seed <= 5; seed++) {
            struct world world;
            open_world(&world, seed, queries[i]);
            if (world.plan->native == NULL || !native_asks(world.plan->native))
                fail_msg("%s: SQLite is not asked: %.*s", queries[i],
                         STR_ARGS(world.plan->native_why));
            check_native(&world);
            close_world(&world);
        }
    }
}

// One without a FROM is an expression, whatever it uses: SQLite is not asked.
static void test_subqueries_that_are_expressions(void **state)
{
    (void)state;
    static const char *const queries[] = {
        "SELECT s.t, (SELECT s.i) AS x FROM st s",
        "SELECT s.t, (SELECT s.j / s.i) AS x FROM st s",
        "SELECT s.t, (SELECT s.j / s.i WHERE s.i <> 0) AS x FROM st s",
        "SELECT s.t, (SELECT s.j WHERE s.i > 0 AND s.z) AS x FROM st s",
        "SELECT s.t, EXISTS (SELECT s.j / 0) AS x FROM st s",
        "SELECT s.t, EXISTS (SELECT 1 WHERE s.i > 0) AS x FROM st s",
        "SELECT s.t, NOT EXISTS (SELECT 1 WHERE s.i > 0) AS x FROM st s",
        "SELECT s.t, s.i IN (SELECT s.j) AS x FROM st s",
        "SELECT s.t, s.i NOT IN (SELECT s.j WHERE s.z) AS x FROM st s",
        "SELECT s.t FROM st s WHERE s.i IN (SELECT s.j WHERE s.z)",
        "SELECT s.t, (SELECT DISTINCT s.i) AS x FROM st s",
        "SELECT s.t, (SELECT (SELECT s.i + s.j)) AS x FROM st s",
        "SELECT s.t, (SELECT x.i WHERE x.k = s.j) AS x FROM st s JOIN a x ON x.i = s.i",
        "SELECT s.t, (SELECT EXISTS (SELECT 1 FROM a x WHERE x.k = s.j)) AS x FROM st s",
    };
    for (size_t i = 0; i < ARRAY_LEN(queries); i++) {
        for (uint64_t seed = 1; seed <= 3; seed++) {
            struct world world;
            open_world(&world, seed, queries[i]);
            if (world.plan->native == NULL)
                fail_msg("%s: %.*s", queries[i], STR_ARGS(world.plan->native_why));
            if (native_asks(world.plan->native))
                fail_msg("%s: SQLite is asked", queries[i]);
            check_native(&world);
            close_world(&world);
        }
    }
}

static void assert_stores(const char *query, size_t n_uses, size_t n_stores)
{
    struct world world;
    const struct dimension_options options = {.counts = true};
    struct dimensions dimensions;
    size_t n = 0;
    open_world(&world, 1, query);
    struct table_store *store = open_store(&world, true);
    assert_ok(dimensions_build(world.plan->native, store, &world.row_format, &options,
                               &dimensions, &world.err),
              &world.err);
    assert_int_equal(dimensions.n, n_uses);
    for (size_t i = 0; i < dimensions.n; i++)
        n += !dimensions_is_shared(&dimensions, i);
    if (n != n_stores)
        fail_msg("%zu stores: %s", n, query);
    dimensions_release(&dimensions);
    table_store_close(store);
    close_world(&world);
}

static void test_equal_joins_have_one_store(void **state)
{
    (void)state;
    static const struct {
        const char *query;
        size_t n_uses, n_stores;
    } cases[] = {
        {"SELECT s.t, 1 AS k, a.u, a.n FROM st s JOIN a ON a.i = s.i WHERE s.j > 1 UNION "
         "ALL SELECT s.u, 2, a.u, a.n FROM st s JOIN a ON a.i = s.j",
         2, 1},
        {"SELECT s.t, a.u FROM st s JOIN a ON a.i = s.i UNION ALL SELECT s.t, a.t FROM "
         "st s JOIN a ON a.i = s.i",
         2, 2},
        {"SELECT s.t, a.u FROM st s JOIN a ON a.i = s.i UNION ALL SELECT s.t, a.u FROM "
         "st s LEFT JOIN a ON a.i = s.i",
         2, 2},
        {"SELECT s.t, a.u FROM st s JOIN a ON a.i = s.i UNION ALL SELECT s.t, a.u FROM "
         "st s JOIN a ON a.i = s.i WHERE a.n > 1",
         2, 2},
        {"SELECT s.t, a.u FROM st s JOIN a ON a.i = s.i AND a.n > 1 UNION ALL SELECT "
         "s.t, a.u FROM st s JOIN a ON a.i = s.i AND a.n > 2",
         2, 2},
        {"SELECT s.t, a.u FROM st s JOIN a ON a.i = s.i UNION ALL SELECT s.t, a.u FROM "
         "st s JOIN b a ON a.i = s.i",
         2, 2},
        {"SELECT s.t, a.u FROM st s JOIN a ON a.i = s.i UNION ALL SELECT a.u, s.t FROM "
         "st s JOIN a ON a.i = s.i",
         2, 2},
        {"SELECT s.t, a.u || s.t AS x FROM st s JOIN a ON a.i = s.i AND a.k > s.j UNION "
         "ALL SELECT s.t, s.t || a.u FROM st s JOIN a ON a.i = s.j AND a.k < s.j",
         2, 1},
        {"SELECT s.t FROM st s WHERE s.i IN (SELECT i FROM a) AND s.j IN (SELECT i FROM "
         "a)",
         2, 1},
        {"SELECT s.t, a.u FROM st s JOIN a ON a.i = s.i WHERE EXISTS (SELECT 1 FROM b "
         "WHERE b.i = a.n) UNION ALL SELECT s.t, a.u FROM st s JOIN a ON a.i = s.j WHERE "
         "EXISTS (SELECT 1 FROM b WHERE b.i = a.n)",
         2, 1},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_stores(cases[i].query, cases[i].n_uses, cases[i].n_stores);
}

TEST_MAIN(cmocka_unit_test(test_equal_joins_have_one_store),
          cmocka_unit_test(test_native_gives_what_sqlite_gives),
          cmocka_unit_test(test_subqueries_without_a_from),
          cmocka_unit_test(test_subqueries_that_sqlite_answers),
          cmocka_unit_test(test_subqueries_that_are_expressions))
