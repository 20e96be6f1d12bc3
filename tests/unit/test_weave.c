// SPDX-License-Identifier: Apache-2.0
// Rows that are woven beside their plain twins: a view's bytes beside its rows encoded
// one by one, a joined table's keys and rows beside those of dimension_build.
#include "test.h"

#include "sql_help.h"
#include "table/dimension_weave.h"
#include "table/woven_rows.h"
#include "table_fixture.h"

enum {
    ROUNDS = 40,
    MANY = 70,            // rows of a key: 70 * 70 are more than are woven
    PIECE_MAX = 256 << 10 // bytes that are given at once
};

static const char tables[] =
    "CREATE TABLE t (k TEXT NOT NULL, a TEXT, n INT, b BIGINT, r REAL, z BOOLEAN)" DIM
    "CREATE TABLE d (k TEXT, x TEXT, y INT)" DIM
    "CREATE TABLE f (k TEXT, m INT, w TEXT)" DIM
    "CREATE VIEW g AS SELECT k, max(x) AS x, min(y) AS y FROM d GROUP BY k;\n"
    "CREATE TABLE s (k TEXT, o TEXT)" STREAM "CREATE TABLE out ()" SINK;

struct world {
    struct plan *plan;
    struct table_store *store;
    struct row_format row_format, view_format;
    uint64_t chance_state;
    int64_t n_asked, n_until; // go_on says no from then on; 0: never
    struct err err;
};

static bool go_on(void *arg)
{
    struct world *world = arg;
    return world->n_until == 0 || ++world->n_asked < world->n_until;
}

static size_t chance(struct world *world, size_t n)
{
    world->chance_state =
        world->chance_state * 6364136223846793005U + 1442695040888963407U;
    return (size_t)(world->chance_state >> 33) % n;
}

static const struct view *view_of(const struct world *world)
{
    const struct view *view = world->plan->views;
    while (!str_is(view->name, "v"))
        view++;
    return view;
}

// The view v, and an INSERT.
static void open_world(struct world *world, const char *view, const char *insert)
{
    char *script =
        mem_printf("%sCREATE VIEW v AS %s;\nINSERT INTO out %s;", tables, view, insert);
    const struct table_store_options options = {0, go_on, world};
    world->plan = sql_plan(script);
    free(script);
    assert_non_null(world->plan->native);
    world->store = table_store_open(world->plan, &options);
    world->row_format = plain_row_format(&world->plan->output);
    world->view_format = plain_row_format(&view_of(world)->schema);
    table_store_want_insert(world->store, true);
    table_store_want_view(world->store, view_of(world));
}

static void close_world(struct world *world)
{
    table_store_close(world->store);
    plan_free(world->plan);
}

// Tables from text.
static void load_text(struct world *world, const char *t, const char *d, const char *f)
{
    const char *const names[] = {"t", "d", "f"}, *const texts[] = {t, d, f};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const struct table *table = plan_table(world->plan, str_of(names[i]));
        struct batch batch;
        batch_init(&batch, table->schema.n);
        add_rows(&batch, &table->schema, texts[i]);
        store_load(world->store, table->name, &batch);
        batch_release(&batch);
    }
    assert_ok(table_store_load_views(world->store, &world->err), &world->err);
}

static void add_text(struct world *world, struct buf *text, bool may_be_null)
{
    static const char *const values[] = {
        "", "A", "B", "C", "AB", "12345678", "a longer one, é"};
    if (may_be_null && chance(world, 5) == 0)
        buf_text(text, "~");
    else
        buf_text(text, values[chance(world, ARRAY_LEN(values))]);
}

static void add_number(struct world *world, struct buf *text)
{
    if (chance(world, 5) == 0)
        buf_text(text, "~");
    else
        buf_i64(text, (int64_t)chance(world, 4) - 1);
}

// Few different values, so that keys meet, come again, side by side and apart.
static void load_any(struct world *world)
{
    AUTO(buf_release) struct buf t = {0}, d = {0}, f = {0};
    for (size_t i = chance(world, 60); i > 0; i--) {
        add_text(world, &t, false);
        buf_char(&t, '|');
        add_text(world, &t, true);
        buf_char(&t, '|');
        add_number(world, &t);
        buf_text(&t, "|7000000000|2.5|true\n");
    }
    for (size_t i = chance(world, 12); i > 0; i--) {
        add_text(world, &d, true);
        buf_char(&d, '|');
        add_text(world, &d, true);
        buf_char(&d, '|');
        add_number(world, &d);
        buf_char(&d, '\n');
    }
    for (size_t i = chance(world, 12); i > 0; i--) {
        add_text(world, &f, true);
        buf_char(&f, '|');
        add_number(world, &f);
        buf_char(&f, '|');
        add_text(world, &f, true);
        buf_char(&f, '\n');
    }
    load_text(world, buf_cstr(&t), buf_cstr(&d), buf_cstr(&f));
}

// Views.

static struct rows *open_view(struct world *world)
{
    struct rows *rows;
    assert_ok(table_store_view(world->store, view_of(world), &rows, &world->err),
              &world->err);
    return rows;
}

static size_t view_by_values(struct world *world, struct buf *ret)
{
    struct rows *rows = open_view(world);
    struct batch batch;
    size_t n = 0;
    batch_init(&batch, rows->schema->n);
    do {
        assert_ok(rows->ops->next(rows, &batch, &world->err), &world->err);
        for (size_t i = 0; i < batch.n_rows; i++) {
            plain_fields(&world->view_format, 0, batch_row(&batch, i), batch.n_columns,
                         ret);
            plain_end_row(&world->view_format, ret);
        }
        n += batch.n_rows;
    } while (batch.n_rows > 0);
    batch_release(&batch);
    rows->ops->close(rows);
    return n;
}

static size_t view_by_bytes(struct world *world, struct buf *ret)
{
    struct rows *rows = open_view(world);
    size_t n, n_all = 0;
    do {
        size_t before = ret->n;
        assert_ok(rows->bytes->next(rows, &world->view_format, ret, &n, &world->err),
                  &world->err);
        assert_true(ret->n - before <= PIECE_MAX);
        n_all += n;
    } while (n > 0);
    rows->ops->close(rows);
    return n_all;
}

// Returns how many rows it has.
static size_t check_view(struct world *world)
{
    AUTO(buf_release) struct buf values = {0}, bytes = {0};
    size_t n = view_by_values(world, &values);
    assert_int_equal(view_by_bytes(world, &bytes), n);
    if (!str_eq(buf_as_str(&bytes), buf_as_str(&values)))
        fail_msg("woven:\n%s\nrow by row:\n%s", buf_cstr(&bytes), buf_cstr(&values));
    return n;
}

// Joined tables.

static struct dimension *build_plain(struct world *world)
{
    const struct native_branch *branch = &world->plan->native->branches[0];
    const struct dimension_options options = {0};
    struct dimension *ret;
    struct rows *rows;
    assert_ok(table_store_join(world->store, &branch->joins[0], &rows, &world->err),
              &world->err);
    assert_ok(
        dimension_build(branch, 0, rows, &world->row_format, &options, &ret, &world->err),
        &world->err);
    rows->ops->close(rows);
    return ret;
}

// NULL: it cannot be.
static struct dimension *build_woven(struct world *world)
{
    const struct native_branch *branch = &world->plan->native->branches[0];
    const struct dimension_options options = {.store = world->store};
    struct dimension *ret;
    size_t n_bytes = world->store->n_bytes;
    assert_ok(dimension_weave(branch, 0, world->store, &world->row_format, &options, &ret,
                              &world->err),
              &world->err);
    assert_int_equal(world->store->n_bytes, n_bytes);
    assert_int_equal(world->row_format.refused.n, 0);
    return ret;
}

static void draft_of(const struct dimension *dimension, uint32_t group,
                     struct group_draft *ret)
{
    *ret = (struct group_draft){0};
    group_store_get(&dimension->groups, group, ret);
}

static void check_group(const struct dimension *woven, uint32_t woven_group,
                        const struct dimension *plain, uint32_t plain_group)
{
    struct group_draft a, b;
    assert_true(woven_group != 0 && plain_group != 0);
    draft_of(woven, woven_group, &a);
    draft_of(plain, plain_group, &b);
    assert_int_equal(a.n_rows, b.n_rows);
    assert_int_equal(a.flaw, b.flaw);
    assert_true(str_eq(buf_as_str(&a.lengths), buf_as_str(&b.lengths)));
    if (!str_eq(buf_as_str(&a.bytes), buf_as_str(&b.bytes)))
        fail_msg("woven:\n%s\nrow by row:\n%s", buf_cstr(&a.bytes), buf_cstr(&b.bytes));
    group_draft_release(&a);
    group_draft_release(&b);
}

static void check_dimension(const struct dimension *woven, const struct dimension *plain)
{
    const struct dimension_stats *a = &woven->stats, *b = &plain->stats;
    for (size_t i = 0; i <= plain->keys.mask; i++) {
        const struct key_slot *slot = &plain->keys.slots[i];
        struct str key = key_index_key(&plain->keys, slot);
        if (slot->value != 0)
            check_group(woven, key_index_find(&woven->keys, hash64(key.p, key.n), key),
                        plain, slot->value);
    }
    if (plain->unmatched != 0)
        check_group(woven, woven->unmatched, plain, plain->unmatched);
    assert_int_equal(woven->keys.n_keys, plain->keys.n_keys);
    assert_int_equal(woven->has_empty, plain->has_empty);
    assert_string_equal(woven->max_key, plain->max_key);
    assert_true(a->n_rows == b->n_rows && a->n_null_keys == b->n_null_keys &&
                a->n_keys == b->n_keys && a->max_matches == b->max_matches &&
                a->row_bytes == b->row_bytes && a->n_groups == b->n_groups &&
                a->n_tails == b->n_tails);
}

// True: it was woven.
static bool check_join(struct world *world)
{
    struct dimension *woven = build_woven(world), *plain = build_plain(world);
    bool is = woven != NULL;
    if (is)
        check_dimension(woven, plain);
    dimension_free(woven);
    dimension_free(plain);
    return is;
}

#define BOTH   "FROM t LEFT JOIN d ON d.k = t.a LEFT JOIN f ON f.k = t.k"
#define INSERT "SELECT s.*, v.a, v.n, v.x, v.y, v.m, v.w FROM s JOIN v ON v.k = s.k"

static const struct {
    const char *view, *insert;
    bool view_weaves, join_weaves;
} cases[] = {
    {"SELECT t.*, d.x, d.y, f.m, f.w " BOTH, INSERT, true, true},
    {"SELECT t.*, d.x, d.y, f.m, f.w " BOTH,
     "SELECT s.*, v.a, v.n, v.x, v.y, v.m, v.w FROM s LEFT JOIN v ON v.k = s.k", true,
     true},
    {"SELECT t.*, f.m, f.w, d.x, d.y FROM t JOIN d ON d.k = t.a JOIN f ON f.k = t.k",
     INSERT, true, true},
    {"SELECT t.*, d.x, d.y, 1 AS m, 'w' AS w FROM t JOIN d ON d.k = t.a AND d.y = t.n",
     INSERT, false, false},
    {"SELECT t.*, d.x, d.y FROM t JOIN d ON d.k = t.a AND d.y = t.n",
     "SELECT s.*, v.a, v.x, v.y FROM s JOIN v ON v.k = s.k", true, true},
    {"SELECT t.*, d.x, d.y FROM t LEFT JOIN d ON d.k = t.a AND d.x = 'A'",
     "SELECT s.k, v.a, v.x, v.y FROM s JOIN v ON v.k = s.k", true, true},
    {"SELECT t.*, g.x, g.y FROM t LEFT JOIN g ON g.k = t.a", // which SQLite gives
     "SELECT s.k, v.a, v.x, v.y FROM s JOIN v ON v.k = s.k", true, true},
    // Only the first table's columns, and only those of others.
    {"SELECT t.k, t.b, t.r, t.z FROM t JOIN d ON d.k = t.a",
     "SELECT s.k, v.b, v.r, v.z FROM s JOIN v ON v.k = s.k", true, true},
    {"SELECT d.x, d.y, t.k FROM t JOIN d ON d.k = t.a", // d is read first
     "SELECT s.k, v.x, v.y FROM s JOIN v ON v.k = s.k", true, true},
    {"SELECT d.x, d.y, t.k FROM t LEFT JOIN d ON d.k = t.a",
     "SELECT s.k, v.x, v.y FROM s JOIN v ON v.k = s.k", false, true},
    // A key of two columns, one of which may be NULL.
    {"SELECT t.*, d.x, d.y " BOTH,
     "SELECT s.*, v.n, v.x FROM s JOIN v ON v.k = s.k AND v.a = s.o", true, false},
    // What the first table gives stands behind what others do.
    {"SELECT t.k, d.x, t.a, d.y FROM t JOIN d ON d.k = t.a",
     "SELECT s.k, v.x, v.a, v.y FROM s JOIN v ON v.k = s.k", false, false},
    // The stream's columns stand between.
    {"SELECT t.*, d.x, d.y FROM t JOIN d ON d.k = t.a",
     "SELECT v.a, s.k, v.x FROM s JOIN v ON v.k = s.k", true, false},
    // Keys that are not the first table's, conditions, values that are computed.
    {"SELECT t.*, d.x, d.y, f.m, f.w FROM t JOIN d ON d.k = t.a JOIN f ON f.k = d.x",
     INSERT, false, false},
    {"SELECT t.*, d.x, d.y FROM t JOIN d ON d.k = t.a WHERE t.n > 0",
     "SELECT s.k, v.a, v.x, v.y FROM s JOIN v ON v.k = s.k", false, false},
    {"SELECT t.*, d.x || 'b' AS x, d.y FROM t JOIN d ON d.k = t.a",
     "SELECT s.k, v.a, v.x, v.y FROM s JOIN v ON v.k = s.k", false, false},
    {"SELECT t.* FROM t", "SELECT s.k, v.a FROM s JOIN v ON v.k = s.k", false, false},
};

static void test_woven_rows_are_those_that_are_read(UNUSED void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        size_t n_rows = 0;
        for (uint64_t round = 0; round < ROUNDS; round++) {
            struct world world = {.chance_state = round * 977 + i};
            open_world(&world, cases[i].view, cases[i].insert);
            load_any(&world);
            struct rows *rows = open_view(&world);
            bool weaves = rows->bytes != NULL;
            rows->ops->close(rows);
            if (weaves != cases[i].view_weaves)
                fail_msg("%s: %d", cases[i].view, weaves);
            n_rows += weaves ? check_view(&world) : 0;
            if (check_join(&world) != cases[i].join_weaves)
                fail_msg("%s: %d", cases[i].insert, !cases[i].join_weaves);
            close_world(&world);
        }
        assert_true(!cases[i].view_weaves || n_rows > ROUNDS);
    }
}

static void test_what_is_woven_is_what_the_query_says(UNUSED void **state)
{
    struct world world = {0};
    AUTO(buf_release) struct buf bytes = {0};
    open_world(&world, cases[0].view, cases[0].insert);
    load_text(&world, "K1|A|1|2|0.5|true\nK2|B|3|~|~|~\nK3|A|5|6|7|false\n",
              "A|x1|1\nC|x2|2\nA|x3|3\n", "K3|8|w1\nK1|~|~\nK3|9|w2\n");
    assert_int_equal(view_by_bytes(&world, &bytes), 7);
    assert_str(buf_as_str(&bytes), "K1|A|1|2|0.5|true|x1|1|~|~\n"
                                   "K1|A|1|2|0.5|true|x3|3|~|~\n"
                                   "K2|B|3|~|~|~|~|~|~|~\n"
                                   "K3|A|5|6|7|false|x1|1|8|w1\n"
                                   "K3|A|5|6|7|false|x1|1|9|w2\n"
                                   "K3|A|5|6|7|false|x3|3|8|w1\n"
                                   "K3|A|5|6|7|false|x3|3|9|w2\n");
    assert_true(check_join(&world));
    close_world(&world);
}

// More tails than are remembered, and rows of more bytes than are given at once.
static void test_many_rows_of_their_own_are_woven(UNUSED void **state)
{
    struct world world = {0};
    AUTO(buf_release) struct buf t = {0}, f = {0};
    open_world(&world, cases[0].view, cases[0].insert);
    for (int i = 0; i < 30000; i++) {
        buf_printf(&t, "key %d|%s|%d|~|~|~\n", i, i % 3 ? "A" : "B", i % 7);
        buf_printf(&f, "key %d|%d|a text of some length of row %d\n", i * 7 % 30000, i,
                   i);
    }
    load_text(&world, buf_cstr(&t), "A|x1|1\nA|x2|2\n", buf_cstr(&f));
    assert_int_equal(check_view(&world), 50000);
    assert_true(check_join(&world));
    close_world(&world);
}

static void test_a_row_that_gives_very_many_is_not_woven(UNUSED void **state)
{
    struct world world = {0};
    AUTO(buf_release) struct buf d = {0}, f = {0};
    open_world(&world, cases[0].view, cases[0].insert);
    for (int i = 0; i < MANY; i++) {
        buf_printf(&d, "A|x|%d\n", i);
        buf_printf(&f, "K|%d|w\n", i);
    }
    load_text(&world, "K|A|1|1|1|true\n", buf_cstr(&d), buf_cstr(&f));
    assert_int_equal(check_view(&world), MANY * MANY); // value by value
    assert_false(check_join(&world));
    close_world(&world);
}

// Rows of a key with long texts, of the table or of what it is joined with: no more of
// them than a piece is in memory, and few of them are enough to have none woven.
static void test_long_rows_are_given_in_pieces(UNUSED void **state)
{
    static const int n_rows[] = {100, 1500};
    char text[5000];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    for (size_t i = 0; i < 2 * ARRAY_LEN(n_rows); i++) {
        AUTO(buf_release) struct buf t = {0}, f = {0};
        struct world world = {0};
        bool is_of_table = i % 2 == 0;
        int n = n_rows[i / 2];
        open_world(&world, cases[0].view, cases[0].insert);
        buf_printf(&t, "K0|A|1|1|1|true\nK|%s|2|1|1|true\nK2|A|3|1|1|true\n",
                   is_of_table ? text : "A");
        for (int row = 0; row < n; row++)
            buf_printf(&f, "K|%d|%s\n", row, is_of_table ? "w" : text);
        load_text(&world, buf_cstr(&t), "A|x|1\n", buf_cstr(&f));
        assert_int_equal(check_view(&world), 2 + n);
        assert_int_equal(check_join(&world), is_of_table || n == n_rows[0]);
        close_world(&world);
    }
}

// Rows, as an error tells.
static size_t rows_told(const char *text)
{
    const char *at = strstr(text, " after ");
    size_t n = 0;
    assert_non_null(at);
    for (at += strlen(" after "); *at != ' '; at++)
        n = *at == ',' ? n : 10 * n + (size_t)(*at - '0');
    return n;
}

// Whichever rows of the first table have none.
static void test_memory_is_looked_at_on_the_way(UNUSED void **state)
{
    enum {
        N_ROWS = 64 * 500,
        LIMIT = 200000
    };
    struct world world = {0};
    AUTO(buf_release) struct buf t = {0};
    const struct dimension_options options = {.limit_bytes = LIMIT};
    struct dimension *dimension;
    open_world(&world, "SELECT t.k, t.b, t.r, t.z FROM t JOIN d ON d.k = t.a",
               "SELECT s.k, v.b, v.r, v.z FROM s JOIN v ON v.k = s.k");
    for (int i = 0; i < N_ROWS; i++)
        buf_printf(&t, "key %d|%s|1|%d|1|true\n", i, i % 64 == 0 ? "none" : "A", i);
    load_text(&world, buf_cstr(&t), "A|x|1\n", "");
    enum status rc = dimension_weave(&world.plan->native->branches[0], 0, world.store,
                                     &world.row_format, &options, &dimension, &world.err);
    assert_status(rc, ST_LIMIT);
    assert_true(rows_told(world.err.text) < N_ROWS / 2);
    close_world(&world);
}

static void test_a_value_that_is_refused_is_told_row_by_row(UNUSED void **state)
{
    static const char *const t[] = {"K|refuse|1|1|1|true\n", "K|A|1|1|1|true\n"};
    for (size_t i = 0; i < ARRAY_LEN(t); i++) {
        struct world world = {0};
        open_world(&world, cases[0].view, cases[0].insert);
        load_text(&world, t[i], "A|refuse|1\n", "");
        assert_null(build_woven(&world));
        close_world(&world);
    }
}

static void test_weaving_ends_when_it_is_told_to(UNUSED void **state)
{
    struct world world = {0};
    const struct dimension_options options = {0};
    struct dimension *dimension;
    open_world(&world, cases[0].view, cases[0].insert);
    load_text(&world, "K|A|1|1|1|true\n", "A|x|1\n", "");
    world.n_until = 4; // two questions for d, one for f, which is empty
    enum status rc = dimension_weave(&world.plan->native->branches[0], 0, world.store,
                                     &world.row_format, &options, &dimension, &world.err);
    assert_status(rc, ST_STOP);
    assert_null(dimension);
    close_world(&world);
}

TEST_MAIN(cmocka_unit_test(test_woven_rows_are_those_that_are_read),
          cmocka_unit_test(test_what_is_woven_is_what_the_query_says),
          cmocka_unit_test(test_many_rows_of_their_own_are_woven),
          cmocka_unit_test(test_a_row_that_gives_very_many_is_not_woven),
          cmocka_unit_test(test_long_rows_are_given_in_pieces),
          cmocka_unit_test(test_memory_is_looked_at_on_the_way),
          cmocka_unit_test(test_a_value_that_is_refused_is_told_row_by_row),
          cmocka_unit_test(test_weaving_ends_when_it_is_told_to))
