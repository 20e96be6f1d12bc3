// SPDX-License-Identifier: Apache-2.0
#include "test.h"

#include "base/buf.h"
#include "csv/scanner.h"

enum {
    FIELDS = 16
};

static struct arena arena;

// Fields of the first record, separated by '|'; quoted ones in <>.
static struct str scan_text(struct str bytes, bool at_end, enum csv_scan *ret,
                            struct csv_line *line)
{
    static struct csv_field fields[FIELDS];
    *line = (struct csv_line){.fields = fields, .capacity = FIELDS};
    *ret = csv_scan(bytes, at_end, line);
    struct buf text = {0};
    for (size_t i = 0; i < line->n && i < FIELDS; i++) {
        buf_text(&text, i ? "|" : "");
        buf_text(&text, fields[i].quoted ? "<" : "");
        buf_str(&text, csv_text(fields[i], &arena));
        buf_text(&text, fields[i].quoted ? ">" : "");
    }
    struct str copy = arena_str(&arena, buf_as_str(&text));
    buf_release(&text);
    return copy;
}

// As Python's csv.reader has them (newline=''), and RFC 4180 section 2.
static const struct {
    const char *bytes, *fields;
    size_t size, n_breaks;
} good[] = {
    {"a,\"b,c\",d\n", "a|<b,c>|d", 10, 1},
    {"a,\"b\"\"c\",d\r\n", "a|<b\"c>|d", 12, 1},
    {"a,\"b\nc\",d\n", "a|<b\nc>|d", 10, 2},
    {"a,\"b\r\nc\"\r\nnext", "a|<b\r\nc>", 10, 2},
    {"ab\"c,d\n", "ab\"c|d", 7, 1},
    {"\"\",x,\n", "<>|x|", 6, 1},
    {"\"\"\"\"\n", "<\">", 5, 1},
    {"\"a\"\"\",\"\"\"\"\"\"\n", "<a\">|<\"\">", 13, 1},
    {"a,b\nc,d\n", "a|b", 4, 1},
    {",\n", "|", 2, 1},
    // Not as RFC 4180 has it, which makes nothing of it: blanks after a closing quote.
    {"\"a\"  ,\"b\"\t\n", "<a>|<b>", 11, 1},
    {"\"a\" \r\n", "<a>", 6, 1},
    {"\n", "", 1, 1},
    {"\r\n", "", 2, 1},
    {"281000000,05:30:00,05:30:00,51096,1\n", "281000000|05:30:00|05:30:00|51096|1", 36,
     1},
};

static void test_records_are_cut_as_rfc_4180_says(UNUSED void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        enum csv_scan scan;
        struct csv_line line;
        struct str text = scan_text(str_of(good[i].bytes), true, &scan, &line);
        assert_int_equal(scan, CSV_LINE);
        assert_str(text, good[i].fields);
        assert_int_equal(line.size, good[i].size);
        assert_int_equal(line.n_breaks, good[i].n_breaks);
        arena_clear(&arena);
    }
}

static void test_a_part_of_a_record_wants_more(UNUSED void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        for (size_t n = 0; n < good[i].size; n++) {
            enum csv_scan scan;
            struct csv_line line;
            scan_text((struct str){good[i].bytes, n}, false, &scan, &line);
            assert_int_equal(scan, CSV_MORE);
        }
        arena_clear(&arena);
    }
}

static void test_the_last_line_may_lack_its_end(UNUSED void **state)
{
    static const char *const ends[] = {"a,\"b\"", "a,\"b\"\n", "a,\"b\"\r\n",
                                       "a,\"b\"\r"};
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        enum csv_scan scan;
        struct csv_line line;
        assert_str(scan_text(str_of(ends[i]), true, &scan, &line), "a|<b>");
        assert_int_equal(scan, CSV_LINE);
        assert_int_equal(line.size, strlen(ends[i]));
    }
}

static void test_what_is_no_csv_is_told(UNUSED void **state)
{
    static const struct {
        const char *bytes;
        enum csv_scan scan;
        size_t n; // good fields before
    } bad[] = {
        {"a,\"b,c\nd\n", CSV_UNCLOSED, 1},
        {"\"", CSV_UNCLOSED, 0},
        {"a,b,\"c\"d,e\n", CSV_AFTER_QUOTE, 2},
        {"\"a\" x,b\n", CSV_AFTER_QUOTE, 0},
        {"\"a\" \"b\"\n", CSV_AFTER_QUOTE, 0},
        {"a,b\rc,d\n", CSV_STRAY_CR, 1},
        {"a\r\r", CSV_STRAY_CR, 0},
        {"a,b\r\r\n", CSV_CR_CR_LF, 1},
        {"a,\"b\" \r\r\r\n", CSV_CR_CR_LF, 1},
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        enum csv_scan scan;
        struct csv_line line;
        scan_text(str_of(bad[i].bytes), true, &scan, &line);
        assert_int_equal(scan, bad[i].scan);
        assert_int_equal(line.n, bad[i].n);
    }
}

// Every length and place around the words of 64 bytes.
static void test_special_bytes_are_found_at_every_place(UNUSED void **state)
{
    enum {
        MOST = 200
    };
    char *bytes = malloc(MOST); // exactly so many: a sanitizer sees a read past them
    for (size_t n = 1; n <= MOST; n++) {
        char *end = bytes + MOST - n;
        for (size_t at = 0; at < n; at++) {
            memset(end, 'x', n);
            end[at] = ',';
            enum csv_scan scan;
            struct csv_line line;
            scan_text((struct str){end, n}, true, &scan, &line);
            assert_int_equal(line.n, 2);
            assert_int_equal(line.fields[0].n, at);
            assert_int_equal(line.fields[1].n, n - at - 1);
            assert_true(line.plain);
        }
        arena_clear(&arena);
    }
    free(bytes);
}

static void test_a_line_with_odd_bytes_is_not_plain(UNUSED void **state)
{
    static const char odd[] = {'\0', '\x80', '\xC3', '\xFF'};
    for (size_t n = 1; n < 100; n++) {
        for (size_t i = 0; i < sizeof(odd); i++) {
            char bytes[100];
            memset(bytes, 'x', n);
            bytes[i * 31 % n] = odd[i];
            enum csv_scan scan;
            struct csv_line line;
            scan_text((struct str){bytes, n}, true, &scan, &line);
            assert_false(line.plain);
        }
        arena_clear(&arena);
    }
}

static void test_fields_past_the_capacity_are_counted(UNUSED void **state)
{
    struct csv_field field;
    struct csv_line line = {.fields = &field, .capacity = 1};
    assert_int_equal(csv_scan(str_of("a,b,c\n"), true, &line), CSV_LINE);
    assert_int_equal(line.n, 3);
    assert_str(csv_raw(field), "a");
}

static int release(UNUSED void **state)
{
    arena_release(&arena);
    return 0;
}

TEST_MAIN(cmocka_unit_test_teardown(test_records_are_cut_as_rfc_4180_says, release),
          cmocka_unit_test_teardown(test_a_part_of_a_record_wants_more, release),
          cmocka_unit_test_teardown(test_the_last_line_may_lack_its_end, release),
          cmocka_unit_test_teardown(test_what_is_no_csv_is_told, release),
          cmocka_unit_test_teardown(test_special_bytes_are_found_at_every_place, release),
          cmocka_unit_test_teardown(test_a_line_with_odd_bytes_is_not_plain, release),
          cmocka_unit_test(test_fields_past_the_capacity_are_counted))
