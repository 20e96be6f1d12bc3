// SPDX-License-Identifier: Apache-2.0
// Rows in one pass beside their plain twin, csv_scan and csv_value: equal where the pass
// takes a record, and it takes all that it says it does.
#include "test.h"

#include <stdio.h>

#include "csv_fixture.h"

#include "csv/field.h"
#include "csv/plain_row.h"

enum {
    LINES = 200000,
    COLUMNS_MAX = 100,
    FIELD_MAX = 90
};

static uint64_t chance_state = 7;

static size_t chance(size_t n)
{
    chance_state = chance_state * 6364136223846793005U + 1442695040888963407U;
    return (size_t)(chance_state >> 33) % n;
}

// T: TEXT, N: TEXT NOT NULL, S: TEXT that is skipped, I: INT, J: INT NOT NULL, B: BIGINT.
static const char *const shapes[] = {
    "NTTTI",
    "T",
    "I",
    "B",
    "S",
    "TSSIB",
    "NJJB",
    "IS",
    "TITITITITITITITITITITITITITITITITITITITITITITITITITITITITITITITITITITIT",
};

static void make_schema(const char *shape, struct arena *arena, struct schema *ret,
                        bool *skips)
{
    *ret = (struct schema){.columns =
                               arena_array(arena, strlen(shape), sizeof(struct column))};
    for (; shape[ret->n] != '\0'; ret->n++) {
        char letter = shape[ret->n];
        skips[ret->n] = letter == 'S';
        ret->columns[ret->n] = (struct column){
            .name = STR_LITERAL("c"),
            .type = letter == 'I' || letter == 'J' ? TYPE_INT
                    : letter == 'B'                ? TYPE_BIGINT
                                                   : TYPE_TEXT,
            .nullable = letter != 'N' && letter != 'J',
        };
    }
}

static void add_digits(size_t n, char *text)
{
    for (size_t i = 0; i < n; i++)
        text[i] = (char)('0' + chance(10));
    text[n] = '\0';
}

static void add_text(size_t n, char *text)
{
    for (size_t i = 0; i < n; i++)
        text[i] =
            (char)(chance(400) == 0 ? chance(256) : '#' + chance(9) + 4 * chance(2));
    for (size_t i = 0; i < n; i++)
        text[i] = text[i] == ',' || text[i] == '\0' ? 'x' : text[i];
    text[n] = '\0';
}

static void add_field(const struct column *column, char *text)
{
    static const char *const odd[] = {
        "",
        " ",
        "-1",
        "+1",
        "0",
        "00",
        "007",
        "1 ",
        "\"a\"",
        "a\"",
        "\r",
        "\n",
        "2147483648",
        "999999999999999999",
        "9999999999999999999",
        "\t",
        "\x7f",
        "\xC3\xA9",
    };
    if (chance(30) == 0)
        snprintf(text, FIELD_MAX + 1, "%s", odd[chance(ARRAY_LEN(odd))]);
    else if (column->type == TYPE_TEXT)
        add_text(chance(8) == 0 ? chance(FIELD_MAX) : 1 + chance(12), text);
    else
        add_digits(chance(10) == 0 ? chance(21) : 1 + chance(9), text);
}

static void make_line(const struct schema *schema, struct buf *line)
{
    size_t n = schema->n + (chance(20) == 0) - (chance(20) == 0);
    char field[FIELD_MAX + 1];
    buf_clear(line);
    for (size_t i = 0; i < n; i++) {
        buf_text(line, i > 0 ? "," : "");
        add_field(&schema->columns[i < schema->n ? i : 0], field);
        buf_text(line, field);
    }
}

// What the pass takes, by its words.
static bool is_promised(const struct schema *schema, const bool *skips, struct str line)
{
    struct str rest = line;
    if (line.n == 0)
        return false;
    for (size_t i = 0; i < line.n; i++)
        if ((signed char)line.p[i] < ' ' || line.p[i] == '"')
            return false;
    for (size_t i = 0; i < schema->n; i++) {
        const struct column *column = &schema->columns[i];
        if (rest.p == NULL)
            return false;
        struct str field = str_cut(&rest, ',');
        size_t n_digits = 0;
        while (n_digits < field.n && field.p[n_digits] >= '0' && field.p[n_digits] <= '9')
            n_digits++;
        if (field.n == 0 && !column->nullable)
            return false;
        if (column->type != TYPE_TEXT && !skips[i] &&
            (n_digits < field.n || n_digits > (column->type == TYPE_INT ? 9 : 18)))
            return false;
    }
    return rest.p == NULL;
}

static void check_field(const struct column *column, struct csv_field field, bool skips,
                        struct value got, bool *canonical)
{
    AUTO(arena_release) struct arena arena = {0};
    AUTO(buf_release) struct buf text = {0};
    struct value wanted;
    assert_true(csv_value(column, field, false, &arena, &wanted));
    value_format(wanted, &text);
    *canonical = *canonical && str_eq(buf_as_str(&text), csv_raw(field));
    assert_int_equal(got.kind, skips ? VALUE_NULL : wanted.kind);
    assert_true(skips || value_eq(got, wanted));
}

static bool check_line(const struct csv_plain_row *plain, const struct schema *schema,
                       const bool *skips, struct str text)
{
    char *exact = mem_alloc(text.n + (text.n == 0)); // a read outside is seen by ASan
    memcpy(exact, text.p, text.n);
    struct str line = {exact, text.n};
    struct value row[COLUMNS_MAX];
    struct csv_field fields[COLUMNS_MAX + 1];
    struct csv_line scanned = {.fields = fields, .capacity = COLUMNS_MAX + 1};
    bool got_canonical, canonical = true;
    bool is = csv_plain_row(plain, line, row, &got_canonical);
    assert_int_equal(is, is_promised(schema, skips, line));
    if (is) {
        assert_int_equal(csv_scan(line, true, &scanned), CSV_LINE);
        assert_int_equal(scanned.n, schema->n);
        assert_int_equal(scanned.size, line.n);
        for (size_t i = 0; i < schema->n; i++)
            check_field(&schema->columns[i], fields[i], skips[i], row[i], &canonical);
        assert_int_equal(got_canonical, canonical);
    }
    free(exact);
    return is;
}

static void test_one_pass_gives_the_row_of_scanner_and_fields(UNUSED void **state)
{
    AUTO(buf_release) struct buf line = {0};
    for (size_t s = 0; s < ARRAY_LEN(shapes); s++) {
        AUTO(arena_release) struct arena arena = {0};
        bool skips[COLUMNS_MAX];
        struct schema schema;
        struct csv_plain_row plain;
        size_t n_taken = 0, n = LINES / ARRAY_LEN(shapes);
        make_schema(shapes[s], &arena, &schema, skips);
        assert_true(csv_plain_row_init(&plain, &schema, skips));
        for (size_t i = 0; i < n; i++) {
            make_line(&schema, &line);
            n_taken += check_line(&plain, &schema, skips,
                                  line.n ? buf_as_str(&line) : STR_LITERAL(""));
        }
        assert_in_range(n_taken, n / 100, n - n / 100);
        csv_plain_row_release(&plain);
    }
}

static void test_other_types_are_not_read(UNUSED void **state)
{
    AUTO(arena_release) struct arena arena = {0};
    bool skips[2] = {false};
    struct schema schema = schema_of(&arena, "a TEXT, b REAL");
    struct csv_plain_row plain;
    assert_false(csv_plain_row_init(&plain, &schema, skips));
    csv_plain_row_release(&plain);
}

TEST_MAIN(cmocka_unit_test(test_one_pass_gives_the_row_of_scanner_and_fields),
          cmocka_unit_test(test_other_types_are_not_read))
