// SPDX-License-Identifier: Apache-2.0
// Rows that an engine elsewhere gave: what is said of them in told_row.h, against rows
// that are written here field by field.
#include "test.h"

#include "sim/sim_random.h"
#include "work/told_row.h"

static struct column columns[] = {{{"trip_id", 7}, TYPE_TEXT, false},
                                  {{"n", 1}, TYPE_INT, true},
                                  {{"big", 3}, TYPE_BIGINT, true},
                                  {{"is", 2}, TYPE_BOOLEAN, true},
                                  {{"note", 4}, TYPE_TEXT, true}};

enum {
    N_COLUMNS = ARRAY_LEN(columns)
};

static const struct schema schema = {columns, N_COLUMNS};

static void put_text(struct buf *out, struct str text)
{
    if (str_starts_with(text, "\1"))
        buf_char(out, '\1');
    buf_str(out, text);
}

static void put_row(struct buf *out, const struct value *row)
{
    buf_clear(out);
    for (size_t i = 0; i < N_COLUMNS; i++) {
        switch (row[i].kind) {
        case VALUE_TEXT:
            put_text(out, value_str(row[i]));
            break;
        case VALUE_INT:
            buf_printf(out, "%lld", (long long)row[i].i);
            break;
        case VALUE_BOOL:
            buf_text(out, row[i].i ? "true" : "false");
            break;
        default:
            buf_char(out, '\1');
        }
        buf_char(out, '\0');
    }
}

static void check(const struct value *row)
{
    AUTO(buf_release) struct buf text = {0};
    struct value found[N_COLUMNS];
    struct err err = {0};
    put_row(&text, row);
    assert_int_equal(told_row_ends(buf_as_str(&text)), N_COLUMNS);
    assert_ok(told_row_read(&schema, buf_as_str(&text), found, &err), &err);
    for (size_t i = 0; i < N_COLUMNS; i++)
        assert_true(row[i].kind == found[i].kind &&
                    (row[i].kind == VALUE_NULL || value_eq(row[i], found[i])));
}

static struct value random_text(struct sim_random *random)
{
    static const char *const texts[] = {"",     "T1",   "caf\xc3\xa9", "a\nb", "\n",
                                        "\1",   "\1\1", "\1x",         "a\1",  " ",
                                        "a,\"", "\t",   "true",        "7",    "{}"};
    return value_text(str_of(texts[sim_next(random) % ARRAY_LEN(texts)]));
}

static void test_any_row_is_read_as_it_was_written(UNUSED void **state)
{
    static const int64_t numbers[] = {0, -1, 7, INT32_MAX, INT32_MIN};
    struct sim_random random = {1};
    for (int i = 0; i < 20000; i++) {
        const struct value values[N_COLUMNS] = {
            random_text(&random),
            value_int(numbers[sim_next(&random) % ARRAY_LEN(numbers)]),
            value_int((int64_t)sim_next(&random)),
            {.i = sim_next(&random) % 2, .kind = VALUE_BOOL},
            random_text(&random),
        };
        struct value row[N_COLUMNS] = {0};
        for (size_t k = 0; k < N_COLUMNS; k++)
            if (sim_next(&random) % 4 > 0)
                row[k] = values[k];
        check(row);
    }
}

static void refuse(struct str text, const char *why)
{
    struct value row[N_COLUMNS];
    struct err err = {0};
    assert_int_equal(told_row_read(&schema, text, row, &err), ST_DATA);
    assert_string_equal(err.text, why);
}

#define REFUSE(text, why) refuse(STR_LITERAL(text), why)

static void test_what_is_no_row_is_refused(UNUSED void **state)
{
    static const char other[] =
        "Spark SQL gave a row of other fields than the columns of the result";
    REFUSE("", other);
    REFUSE("a", other);
    REFUSE("a\0001\0002\0true\0", other);
    REFUSE("a\0001\0002\0true\0b", other);
    REFUSE("a\0001\0002\0true\0b\0c", other);
    REFUSE("a\0001\0002\0true\0b\0\0", other);
    REFUSE("a\0x\0002\0true\0b\0",
           "Spark SQL gave a value of another type for column 'n'");
    REFUSE("a\0\0002\0true\0b\0",
           "Spark SQL gave a value of another type for column 'n'");
    REFUSE("a\0001\0009223372036854775808\0true\0b\0",
           "Spark SQL gave a value of another type for column 'big'");
    REFUSE("a\0001\0002\0TRUE\0b\0",
           "Spark SQL gave a value of another type for column 'is'");
    REFUSE("a\0001\0002\0true\0\xc3\0",
           "Spark SQL gave a value of another type for column 'note'");
}

TEST_MAIN(cmocka_unit_test(test_any_row_is_read_as_it_was_written),
          cmocka_unit_test(test_what_is_no_row_is_refused))
