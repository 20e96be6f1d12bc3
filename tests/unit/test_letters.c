// SPDX-License-Identifier: Apache-2.0
// Which letters there are and which are taken; what an entry may say of them; what their
// files may hold.
#include "test.h"

#include "core/json.h"
#include "log/dead_book.h"
#include "log/letters.h"
#include "memory/storage_mem.h"

#define WRITER "00000000-0000-4000-8000-00000000000a"

static struct entry_file dead_file(int64_t rows)
{
    return (struct entry_file){.kind = FILE_DEAD, .rows = rows};
}

static void note(struct letters *letters, int64_t number, int64_t rows)
{
    struct entry_file file = dead_file(rows);
    const struct entry entry = {.number = number, .files = &file, .n_files = 1};
    letters_note(letters, &entry);
}

static bool take(struct letters *letters, int64_t entry, int64_t first, int64_t count)
{
    struct letter_range range = {entry, first, count};
    const struct replay replay = {.letters = &range, .n_letters = 1};
    return letters_take(letters, &replay) == NULL;
}

static void test_a_letter_is_taken_once(UNUSED void **state)
{
    struct letters letters = {0};
    note(&letters, 3, 10);
    note(&letters, 7, 2);
    assert_true(take(&letters, 3, 2, 3) && take(&letters, 7, 1, 1));
    assert_true(take(&letters, 3, 0, 2) && take(&letters, 3, 5, 5));
    static const struct letter_range refused[] = {
        {3, 2, 3}, {3, 0, 1}, {3, 4, 1}, {3, 9, 1}, {3, 10, 1}, {3, 0, 11},
        {4, 0, 1}, {7, 1, 1}, {7, 2, 1}, {7, 0, 2}, {8, 0, 1},  {7, 0, INT64_MAX}};
    for (size_t i = 0; i < ARRAY_LEN(refused); i++)
        assert_false(
            take(&letters, refused[i].entry, refused[i].first, refused[i].count));
    assert_false(letters_is_taken(&letters, 7, 0));
    assert_true(take(&letters, 7, 0, 1) && letters_is_taken(&letters, 7, 0));
    assert_int_equal(letters.n, 12);
    assert_int_equal(letters.n_replayed, 12);
    assert_null(letters_page(&letters, 4));
    letters_release(&letters);
}

// Any order of single letters, against a plain table.
static void test_any_order_of_takes(UNUSED void **state)
{
    struct letters letters = {0};
    bool is_taken[5][20] = {{0}};
    uint64_t random = 7;
    for (int64_t entry = 0; entry < 5; entry++)
        note(&letters, entry, 20);
    for (int i = 0; i < 2000; i++) {
        random = random * 6364136223846793005U + 1442695040888963407U;
        int64_t entry = (int64_t)(random >> 33) % 5, first = (int64_t)(random >> 40) % 20;
        int64_t count = 1 + (int64_t)(random >> 50) % 3;
        bool fits = first + count <= 20;
        for (int64_t k = first; fits && k < first + count; k++)
            fits = !is_taken[entry][k];
        assert_int_equal(take(&letters, entry, first, count), fits);
        for (int64_t k = first; fits && k < first + count; k++)
            is_taken[entry][k] = true;
        for (int64_t k = 0; k < 20; k++)
            assert_int_equal(letters_is_taken(&letters, entry, k), is_taken[entry][k]);
    }
    letters_release(&letters);
}

static void test_what_an_entry_may_say(UNUSED void **state)
{
    const int64_t many = ENTRY_NUMBER_MAX;
    struct {
        struct letter_range ranges[2];
        size_t n;
        int64_t records;
        const char *text;
    } cases[] = {
        {{{1, 0, 2}, {1, 2, 1}}, 2, 3, NULL},
        {{{1, 0, 2}, {2, 0, 1}}, 2, 3, NULL},
        {{{1, 0, 2}, {1, 1, 1}},
         2,
         3,
         "field 'letters' has 1 letter of entry 1 from 1, ranges of entries before this "
         "one "
         "rise and have some"},
        {{{2, 0, 2}, {1, 0, 1}},
         2,
         3,
         "field 'letters' has 1 letter of entry 1 from 0, ranges of entries before this "
         "one "
         "rise and have some"},
        {{{1, 0, 0}},
         1,
         0,
         "field 'letters' has 0 letters of entry 1 from 0, ranges of entries before this "
         "one "
         "rise and have some"},
        {{{5, 0, 1}},
         1,
         1,
         "field 'letters' has 1 letter of entry 5 from 0, ranges of entries before this "
         "one "
         "rise and have some"},
        {{{1, 0, many}, {2, 0, many}}, 2, 0, "its letters add up to more than 10^18"},
        {{{1, 0, 2}}, 1, 3, "field 'records' is 3, and field 'letters' names 2"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err err = {0};
        const struct entry entry = {
            .number = 5,
            .kind = ENTRY_REPLAY,
            .writer = STR_LITERAL(WRITER),
            .attempt = STR_LITERAL(WRITER),
            .replay = {cases[i].ranges, cases[i].n, cases[i].records, 0, 0},
        };
        enum status rc = entry_check(&entry, 5, &err);
        assert_status(rc, cases[i].text == NULL ? ST_OK : ST_DATA);
        if (cases[i].text != NULL)
            assert_string_equal(err.text, cases[i].text);
    }
}

static void test_a_replay_reads_back(UNUSED void **state)
{
    struct letter_range ranges[] = {{1, 0, 2}, {3, 5, 1}};
    struct entry entry = {
        .number = 4,
        .kind = ENTRY_REPLAY,
        .writer = STR_LITERAL(WRITER),
        .attempt = STR_LITERAL(WRITER),
        .replay = {ranges, 2, 3, 1, 0},
    };
    memset(entry.prev, 'a', SHA256_HEX - 1);
    struct buf bytes = {0};
    struct arena arena = {0};
    struct entry again;
    struct err err;
    assert_status(entry_encode(&entry, &bytes, &err), ST_OK);
    assert_status(entry_decode(buf_as_str(&bytes), &arena, &again, &err), ST_OK);
    assert_int_equal(again.kind, ENTRY_REPLAY);
    assert_int_equal(again.replay.n_letters, 2);
    assert_memory_equal(again.replay.letters, ranges, sizeof(ranges));
    assert_int_equal(again.replay.records, 3);
    assert_int_equal(again.replay.ignored, 1);
    buf_release(&bytes);
    arena_release(&arena);
}

// What of a letter is looked at when it was read.
struct seen {
    size_t n;
    int64_t offset;
    struct buf headers;
};

static enum status see(void *context, const struct dead_record *letter,
                       UNUSED struct err *err)
{
    struct seen *seen = context;
    seen->n++;
    seen->offset = letter->record.offset;
    buf_str(&seen->headers, letter->headers);
    return ST_OK;
}

// Reads the one letter of a file.
static enum status read_letter(const char *offset, struct str headers, struct seen *ret,
                               struct err *err)
{
    struct mem_tree *tree = mem_tree_open(NULL);
    struct storage *storage = storage_mem_open(tree, "/r");
    AUTO(buf_release) struct buf line = {0};
    struct dead_file file = {.entry = 3, .rows = 1, .name = STR_LITERAL("dead")};
    struct dead_book book = {.files = &file, .n_files = 1, .end = 4};
    const struct dead_filter all = {0};
    *ret = (struct seen){0};
    buf_printf(&line,
               "{\"topic\":\"t\",\"partition\":0,\"offset\":%s,\"time_ms\":-1,"
               "\"key\":null,\"value\":null,\"headers\":",
               offset);
    buf_str(&line, headers);
    buf_text(&line, ",\"reason\":\"\"}\n");
    struct bytes_reader bytes = bytes_reader(buf_as_str(&line));
    assert_ok(
        storage->ops->write(storage, file.name, &bytes.reader, (int64_t)line.n, err),
        err);
    enum status rc = dead_book_each(&book, storage, &all, see, ret, err);
    storage->ops->close(storage);
    mem_tree_unref(tree);
    return rc;
}

// Beyond what the log takes for a number nothing was ever read.
static void test_an_offset_has_a_limit(UNUSED void **state)
{
    static const struct {
        const char *offset;
        bool is_good;
    } cases[] = {{"0", true},
                 {"1000000000000000000", true},
                 {"1000000000000000001", false},
                 {"9223372036854775807", false},
                 {"9223372036854775808", false},
                 {"-1", false}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct seen seen;
        struct err err = {0};
        enum status rc = read_letter(cases[i].offset, STR_LITERAL("[]"), &seen, &err);
        assert_status(rc, cases[i].is_good ? ST_OK : ST_DATA);
        assert_int_equal(seen.n, cases[i].is_good);
        if (!cases[i].is_good)
            assert_string_equal(err.text,
                                "mem:///r/dead: line 0 is not a dead letter; tramline "
                                "verify --deep tells whether the file was changed");
        buf_release(&seen.headers);
    }
}

// As short as a header can be written, as many as a record may have.
static void test_a_letter_may_have_many_headers(UNUSED void **state)
{
    static const char header[] = "{\"key\":\"\",\"value\":\"\"}";
    static const size_t counts[] = {1, 40000, 400000};
    for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
        AUTO(buf_release) struct buf headers = {0};
        struct seen seen;
        struct err err = {0};
        for (size_t k = 0; k < counts[i]; k++) {
            buf_char(&headers, k == 0 ? '[' : ',');
            buf_text(&headers, header);
        }
        buf_char(&headers, ']');
        assert_ok(read_letter("7", buf_as_str(&headers), &seen, &err), &err);
        assert_int_equal(seen.n, 1);
        assert_int_equal(seen.headers.n, headers.n);
        assert_memory_equal(seen.headers.p, headers.p, headers.n);
        buf_release(&seen.headers);
    }
}

static void test_but_no_more_values_than_are_written(UNUSED void **state)
{
    AUTO(buf_release) struct buf headers = {0};
    struct seen seen;
    struct err err = {0};
    buf_text(&headers, "[0");
    for (size_t k = 0; k < 200000; k++)
        buf_text(&headers, ",0");
    buf_char(&headers, ']');
    assert_status(read_letter("7", buf_as_str(&headers), &seen, &err), ST_DATA);
    assert_int_equal(seen.n, 0);
}

// DEL, CSI, a mark that turns the line around, a character beyond 16 bits: what was
// escaped when it was written stays escaped.
static void test_headers_stay_escaped(UNUSED void **state)
{
    static const char written[] = "[{\"key\":\"\\u007f\\u009b31m\\u202e\\u001b\","
                                  "\"value\":null},"
                                  "{\"key\":\"\xF0\x9F\x9A\x8B\\\"\",\"value\":null}]";
    static const char expected[] =
        "[{\"key\":\"\\u007f\\u009B31m\\u202E\\u001B\",\"value\":null},"
        "{\"key\":\"\\uD83D\\uDE8B\\\"\",\"value\":null}]";
    struct seen seen;
    struct err err = {0};
    assert_ok(read_letter("7", str_of(written), &seen, &err), &err);
    assert_int_equal(seen.headers.n, strlen(expected));
    assert_memory_equal(seen.headers.p, expected, strlen(expected));
    json_t *before = json_loads(written, 0, NULL);
    json_t *after = json_loadb(seen.headers.p, seen.headers.n, 0, NULL);
    assert_true(before != NULL && json_equal(before, after));
    json_decref(before);
    json_decref(after);
    buf_release(&seen.headers);
}

TEST_MAIN(cmocka_unit_test(test_a_letter_is_taken_once),
          cmocka_unit_test(test_any_order_of_takes),
          cmocka_unit_test(test_what_an_entry_may_say),
          cmocka_unit_test(test_a_replay_reads_back),
          cmocka_unit_test(test_an_offset_has_a_limit),
          cmocka_unit_test(test_a_letter_may_have_many_headers),
          cmocka_unit_test(test_but_no_more_values_than_are_written),
          cmocka_unit_test(test_headers_stay_escaped))
