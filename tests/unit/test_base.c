// SPDX-License-Identifier: Apache-2.0
#include "test.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/crc32c.h"
#include "base/digits.h"
#include "base/hash.h"
#include "base/json_put.h"
#include "base/text.h"

// RFC 3720 B.4: 32 bytes of zeros, and "123456789" from the CRC catalogue.
static void test_crc32c_known_values(UNUSED void **state)
{
    char zeros[32] = {0};
    assert_int_equal(crc32c(0, zeros, 32), 0x8A9136AA);
    assert_int_equal(crc32c(0, "123456789", 9), 0xE3069283);
    assert_int_equal(crc32c(crc32c(0, "1234", 4), "56789", 5), 0xE3069283);
}

// Any length and place, in one and in two pieces, as the plain twin has it.
static void test_crc32c_chains_are_one(UNUSED void **state)
{
    enum {
        N = 3 * 4096 + 700
    };
    uint8_t *bytes = mem_alloc(N);
    uint64_t dice = 14;
    for (size_t i = 0; i < N; i++) {
        dice = dice * 6364136223846793005U + 1442695040888963407U;
        bytes[i] = (uint8_t)(dice >> 56);
    }
    for (size_t n = 0; n <= N; n += n < 70 || n % 4096 > 4090 ? 1 : 61) {
        size_t from = n * 7 % (N - n + 1), cut = n * 11 % (n + 1);
        uint32_t wanted = crc32c_plain(77, bytes + from, n);
        assert_int_equal(crc32c(77, bytes + from, n), wanted);
        assert_int_equal(
            crc32c(crc32c(77, bytes + from, cut), bytes + from + cut, n - cut), wanted);
    }
    for (size_t size = 1; size <= 1030; size++) {
        uint32_t got[CRC32C_LANES];
        crc32c_chunks(bytes + size, size, got);
        for (size_t i = 0; i < CRC32C_LANES; i++)
            assert_int_equal(got[i], crc32c_plain(0, bytes + size + i * size, size));
    }
    free(bytes);
}

static void test_numbers_have_edges(UNUSED void **state)
{
    int64_t i;
    assert_true(str_to_i64(str_of("-9223372036854775808"), &i) && i == INT64_MIN);
    assert_true(str_to_i64(str_of("+0012"), &i) && i == 12);
    assert_false(str_to_i64(str_of("9223372036854775808"), &i));
    assert_false(str_to_i64(str_of(""), &i));
    assert_false(str_to_i64(str_of("-"), &i));
    assert_false(str_to_i64(str_of("1 "), &i));
}

static bool digits_one_by_one(struct str text, int64_t *ret)
{
    *ret = 0;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return false;
        *ret = *ret * 10 + (text.p[i] - '0');
    }
    return true;
}

// Each text in memory of just its size, any other byte anywhere.
static void check_digits(const char *text, size_t n)
{
    int64_t wanted, got;
    char *exact = mem_alloc(n);
    memcpy(exact, text, n);
    bool is = digits_one_by_one((struct str){exact, n}, &wanted);
    assert_int_equal(digits_read(exact, n, &got), is);
    if (is)
        assert_int_equal(got, wanted);
    free(exact);
}

static void test_digits_are_read_as_one_by_one(UNUSED void **state)
{
    uint64_t dice = 5;
    for (int round = 0; round < 200; round++)
        for (size_t n = 1; n <= DIGITS_MAX; n++) {
            char text[DIGITS_MAX];
            for (size_t i = 0; i < n; i++) {
                dice = dice * 6364136223846793005U + 1442695040888963407U;
                text[i] = (char)(round == 0 ? '9' : '0' + (dice >> 40) % 10);
            }
            check_digits(text, n);
            for (int byte = 0; byte < 256; byte += 1 + round % 7) {
                char kept = text[(size_t)byte % n];
                text[(size_t)byte % n] = (char)byte;
                check_digits(text, n);
                text[(size_t)byte % n] = kept;
            }
        }
}

static void test_short_texts_are_compared_by_words(UNUSED void **state)
{
    char a[40], b[40];
    for (size_t n = 0; n <= sizeof(a); n++) {
        char *exact = mem_alloc(n + (n == 0)), *other = mem_alloc(n + (n == 0));
        memset(a, 'x', sizeof(a));
        memcpy(exact, a, n);
        memcpy(other, a, n);
        assert_true(word_str_eq((struct str){exact, n}, (struct str){other, n}));
        assert_false(n > 0 &&
                     word_str_eq((struct str){exact, n}, (struct str){other, n - 1}));
        for (size_t at = 0; at < n; at++) {
            other[at] = 'y';
            assert_false(word_str_eq((struct str){exact, n}, (struct str){other, n}));
            other[at] = 'x';
        }
        memset(b, 0, sizeof(b));
        memcpy(b, exact, n);
        if (n <= WORD_BYTES)
            assert_true(word_load_some(exact, n) == word_load(b));
        free(exact);
        free(other);
    }
}

static void test_short_texts_are_copied_by_words(UNUSED void **state)
{
    char from[40], to[42];
    for (size_t n = 0; n <= sizeof(from); n++) {
        char *exact = mem_alloc(n + (n == 0)); // a read outside is seen by ASan
        for (size_t i = 0; i < n; i++)
            exact[i] = from[i] = (char)('a' + (i * 7 + n) % 26);
        memset(to, '.', sizeof(to));
        word_copy(to + 1, exact, n);
        assert_memory_equal(to + 1, from, n);
        assert_true(to[0] == '.' && to[n + 1] == '.');
        free(exact);
    }
}

// Any length, a wrong byte anywhere: the good bytes are those before it.
static void test_utf8_finds_a_wrong_byte_at_any_place(UNUSED void **state)
{
    static const char wrong[] = {'\0', '\x80', '\xFF', '\xC3'};
    char text[41];
    for (size_t n = 0; n < sizeof(text); n++) {
        memset(text, '\x7F', sizeof(text));
        assert_int_equal(str_utf8_valid((struct str){text, n}), n);
        for (size_t at = 0; at < n; at++) {
            for (size_t i = 0; i < sizeof(wrong); i++) {
                text[at] = wrong[i];
                assert_int_equal(str_utf8_valid((struct str){text, n}), at);
            }
            text[at] = '\x7F';
        }
        for (size_t at = 0; at + 1 < n; at++) {
            memcpy(text + at, "\xC3\xA9", 2);
            assert_int_equal(str_utf8_valid((struct str){text, n}), n);
            memset(text, '\1', sizeof(text));
        }
    }
}

static void test_utf8_refuses_what_unicode_refuses(UNUSED void **state)
{
    assert_int_equal(str_utf8_valid(str_of("Côte-Vertu, 東京 🚇")),
                     strlen("Côte-Vertu, 東京 🚇"));
    assert_int_equal(str_utf8_valid(str_of("ab\xC0\xAF")), 2);   // overlong
    assert_int_equal(str_utf8_valid(str_of("\xED\xA0\x80")), 0); // surrogate
    assert_int_equal(str_utf8_valid(str_of("\xF4\x90\x80\x80")), 0);
    assert_int_equal(str_utf8_valid((struct str){"abcdefgh\0i", 10}), 8);
    assert_int_equal(str_utf8_valid(str_of("12345678\xE9")), 8); // Latin-1
}

static void test_buf_stays_within_its_limit(UNUSED void **state)
{
    struct buf buf = BUF_INIT(8);
    struct err err;
    buf_text(&buf, "12345678");
    assert_ok(buf_check(&buf, "line", &err), &err);
    buf_char(&buf, '9');
    assert_status(buf_check(&buf, "line", &err), ST_LIMIT);
    assert_string_equal(err.text, "line: more than 8 bytes");
    assert_int_equal(buf.n, 8);
    buf_release(&buf);
}

// Whether or not somebody wants the text.
static void test_a_context_keeps_the_status(UNUSED void **state)
{
    static const enum status all[] = {ST_RETRY,    ST_UNKNOWN, ST_NOT_FOUND, ST_EXISTS,
                                      ST_CONFLICT, ST_DATA,    ST_USAGE,     ST_LIMIT,
                                      ST_STOP,     ST_FAIL};
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        struct err err;
        assert_int_equal(err_set(NULL, all[i], "no"), all[i]);
        assert_int_equal(err_context(NULL, all[i], "view v"), all[i]);
        (void)err_set(&err, ST_FAIL, "no");
        assert_int_equal(err_context(&err, all[i], "view v"), all[i]);
        assert_int_equal(err.status, all[i]);
        assert_string_equal(err.text, "view v: no");
    }
}

static void assert_visible(const char *text, const char *expected)
{
    char seen[200];
    size_t n = text_visible(str_of(text), seen, sizeof(seen));
    assert_str(((struct str){seen, n}), expected);
    char again[200];
    assert_int_equal(text_visible((struct str){seen, n}, again, sizeof(again)), n);
    assert_memory_equal(again, seen, n);
}

static void test_text_of_a_stranger_is_one_visible_line(UNUSED void **state)
{
    assert_visible("plain, Côte-Vertu, 東京 🚇 \\", "plain, Côte-Vertu, 東京 🚇 \\");
    assert_visible("a\nb\r\tc", "a\\nb\\r\\tc");
    assert_visible("\033[2J\033]0;title\007", "\\x1b[2J\\x1b]0;title\\x07");
    assert_visible("\x7F\x9B"
                   "1m",
                   "\\x7f\\x9b1m");
    assert_visible("\xC2\x9B"
                   "31m",
                   "\\u009b31m"); // CSI as Unicode has it
    assert_visible("\xE2\x80\xAE"
                   "cod",
                   "\\u202ecod"); // right to left
    assert_visible("\xE2\x80\xA8"
                   "x",
                   "\\u2028x"); // separates lines
    assert_visible("\xEF\xBB\xBF"
                   "id",
                   "\\ufeffid");           // a byte order mark
    assert_visible("caf\xE9", "caf\\xe9"); // Latin-1
    assert_visible("\xC0\xAF\xED\xA0\x80", "\\xc0\\xaf\\xed\\xa0\\x80");
    assert_visible("cut \xF0\x9F\x9A", "cut \\xf0\\x9f\\x9a");
    char four[4];
    assert_int_equal(text_visible((struct str){"ab\0c", 4}, four, 4), 2);
    assert_int_equal(text_visible(str_of("abc\xC3\xA9"), four, 4), 3);
}

static void assert_hidden(const char *text, const char *expected)
{
    char copy[200];
    snprintf(copy, sizeof(copy), "%s", text);
    text_hide_logins(copy);
    assert_string_equal(copy, expected);
    struct err err;
    (void)err_set(&err, ST_FAIL, "%s", text);
    assert_string_equal(err.text, expected);
    (void)err_context(&err, ST_FAIL, "%s", text);
    assert_null(strstr(err.text, "word"));
}

static void test_logins_are_hidden(UNUSED void **state)
{
    assert_hidden("'http://me:word@host/x' fails", "'http://***@host/x' fails");
    assert_hidden("hdfs://me:word@host:9870/x", "hdfs://***@host:9870/x");
    assert_hidden("htp:/me:word@host", "htp:/***@host");
    assert_hidden("http//me:word@host", "http//***@host");
    assert_hidden("me:word@host:9092,you:word2@b:1", "***@host:9092,***@b:1");
    assert_hidden("GET https://me:wo/rd:word@host/p?q=1", "GET https://***@host/p?q=1");
    assert_hidden("url=ftp://me:wor@d:word@host", "url=ftp://***@host");
    assert_hidden("http://me:wo@rd@host/a@b", "http://***@host/a@b");
    assert_hidden("http://me@corp:wo@rd@host:1", "http://***@host:1");
    assert_hidden("me@corp:word@host", "me@***@host");
    assert_hidden("htp://token@host, http//token@b", "htp://***@host, http//***@b");
    assert_hidden("http://me:word@h:@/;/agg:b@", "http://***@");
    assert_hidden("http://host/a@b", "http://host/a@b");
    assert_hidden("write to me@example.org: no", "write to me@example.org: no");
    assert_hidden("12:30 @ x, a:b", "12:30 @ x, a:b");
    assert_hidden("@", "@");
}

// Whatever comes in by an argument, in a text and in a context.
static void test_errors_hold_no_control_characters(UNUSED void **state)
{
    struct err err;
    (void)err_set(&err, ST_FAIL, "HTTP 500: %s",
                  "no\n2026-11-29T10:00:00.000Z error forged\033[1A");
    assert_string_equal(err.text, "HTTP 500: no\\n2026-11-29T10:00:00.000Z error "
                                  "forged\\x1b[1A");
    (void)err_context(&err, ST_FAIL, "zip entry '%s'", "a\rb");
    assert_string_equal(err.text, "zip entry 'a\\rb': HTTP 500: no\\n2026-11-29T10:00:"
                                  "00.000Z error forged\\x1b[1A");
    char much[3 * ERR_TEXT_MAX];
    memset(much, '\033', sizeof(much) - 1);
    much[sizeof(much) - 1] = '\0';
    (void)err_set(&err, ST_FAIL, "%s", much);
    assert_int_equal(strlen(err.text), (ERR_TEXT_MAX - 1) / 4 * 4);
    (void)err_context(&err, ST_FAIL, "%s", much);
    assert_int_equal(strlen(err.text), (ERR_TEXT_MAX - 1) / 4 * 4);
}

static void test_nearest_names_suggest(UNUSED void **state)
{
    const char *names[] = {"commit.interval", "commit.bytes", "executor"};
    assert_string_equal(str_nearest(str_of("comit.intervall"), names, 3),
                        "commit.interval");
    assert_null(str_nearest(str_of("zzz"), names, 3));
}

static void test_display_width_counts_columns(UNUSED void **state)
{
    assert_int_equal(str_display_width(str_of("é")), 1);
    assert_int_equal(str_display_width(str_of("e\xCC\x81")), 1);
    assert_int_equal(str_display_width(str_of("東京")), 4);
}

static void test_arena_keeps_pieces_apart(UNUSED void **state)
{
    struct arena arena = {0};
    char *a = arena_alloc(&arena, 3);
    char *b = arena_cstr(&arena, str_of("xyz"));
    memset(a, 'a', 3);
    assert_string_equal(b, "xyz");
    memset(arena_alloc(&arena, 1 << 20), 1, 1 << 20);
    arena_clear(&arena);
    arena_release(&arena);
}

// RFC 4648, section 10.
static void test_base64_known_values(UNUSED void **state)
{
    const char *pairs[][2] = {{"", ""},
                              {"f", "Zg=="},
                              {"fo", "Zm8="},
                              {"foo", "Zm9v"},
                              {"foob", "Zm9vYg=="},
                              {"fooba", "Zm9vYmE="},
                              {"foobar", "Zm9vYmFy"}};
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        struct buf buf = {0};
        text_base64(&buf, str_of(pairs[i][0]));
        assert_str(buf_as_str(&buf), pairs[i][1]);
        buf_release(&buf);
    }
    struct buf buf = {0};
    text_base64(&buf, str_of("\xFB\xFF\xFE"));
    assert_str(buf_as_str(&buf), "+//+");
    buf_release(&buf);
}

static void test_json_text_is_always_json(UNUSED void **state)
{
    struct buf buf = {0};
    text_json(&buf, (struct str){"a\"b\\c\n\xFF\0Fête", 13});
    assert_str(buf_as_str(&buf), "\"a\\\"b\\\\c\\u000a\xEF\xBF\xBD\xEF\xBF\xBD"
                                 "Fête\"");
    buf_clear(&buf);
    text_json(&buf, str_of("\x7F\xC2\x9B"
                           "1m\xC2\xA0"));
    assert_str(buf_as_str(&buf), "\"\\u007f\\u009b1m\xC2\xA0\"");
    buf_clear(&buf);
    text_json(
        &buf,
        str_of(
            "\xE2\x80\xAE\xE2\x80\xA8\xD8\x9C\xEF\xBB\xBF\xE2\x80\xAF\xF0\x9F\x9A\x8B"));
    assert_str(buf_as_str(&buf),
               "\"\\u202e\\u2028\\u061c\\ufeff\xE2\x80\xAF\xF0\x9F\x9A\x8B\"");
    buf_release(&buf);
}

// Commas stand between values, whatever they end with.
static void test_json_is_put_together_value_by_value(UNUSED void **state)
{
    struct buf buf = {0};
    json_put_open(&buf, NULL, '{');
    json_put_text(&buf, "a", str_of("{[:\n"));
    json_put_open(&buf, "b", '[');
    json_put_close(&buf, ']');
    json_put_open(&buf, "c", '[');
    json_put_number(&buf, NULL, INT64_MIN);
    json_put_known(&buf, NULL, -1);
    json_put_known(&buf, NULL, 0);
    json_put_open(&buf, NULL, '{');
    json_put_close(&buf, '}');
    json_put_null(&buf, NULL);
    json_put_close(&buf, ']');
    json_put_seconds(&buf, "d", 61007);
    json_put_seconds(&buf, "e", -1);
    json_put_real(&buf, "f", 2.0 / 3, 2);
    json_put_bool(&buf, "g", true);
    json_put_base64(&buf, "h", str_of("\xFB\xFF"));
    json_put_base64(&buf, "i", (struct str){0});
    json_put_text_or_null(&buf, "j", (struct str){0});
    json_put_text_or_null(&buf, "k", str_of(""));
    json_put_raw(&buf, "l", str_of("[1]"));
    json_put_name(&buf, str_of("\"m\n"));
    json_put_bool(&buf, NULL, false);
    json_put_close(&buf, '}');
    assert_str(
        buf_as_str(&buf),
        "{\"a\":\"{[:\\u000a\",\"b\":[],\"c\":[-9223372036854775808,null,0,{},null],"
        "\"d\":61.007,\"e\":null,\"f\":0.67,\"g\":true,\"h\":\"+/8=\",\"i\":null,"
        "\"j\":null,\"k\":\"\",\"l\":[1],\"\\\"m\\u000a\":false}");
    buf_release(&buf);
}

// Beyond its limit a buffer takes nothing more; what was put stays as it is.
static void test_json_stops_where_the_buffer_is_full(UNUSED void **state)
{
    struct buf buf = BUF_INIT(12);
    json_put_open(&buf, NULL, '{');
    json_put_text(&buf, "abc", str_of("0123456789"));
    json_put_number(&buf, "d", 1);
    json_put_close(&buf, '}');
    assert_true(buf.full);
    assert_true(buf.n <= 12);
    buf_release(&buf);
}

// Good text as it is, else U+FFFD and the byte; no two names become one.
static void test_any_name_has_a_form_in_utf8(UNUSED void **state)
{
    static const char *const names[][2] = {
        {"", ""},
        {"Fête", "Fête"},
        {"F\xEAte", "F\xEF\xBF\xBD"
                    "EAte"},
        {"\xC3\xA9\xC3", "\xC3\xA9\xEF\xBF\xBD"
                         "C3"},
        {"\xEF\xBF\xBD"
         "EA",
         "\xEF\xBF\xBD"
         "EF\xEF\xBF\xBD"
         "BF\xEF\xBF\xBD"
         "BDEA"},
        {"\xED\xA0\x80", "\xEF\xBF\xBD"
                         "ED\xEF\xBF\xBD"
                         "A0\xEF\xBF\xBD"
                         "80"},
    };
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct buf buf = {0};
        text_utf8(&buf, str_of(names[i][0]));
        assert_str(buf_as_str(&buf), names[i][1]);
        assert_int_equal(str_utf8_valid(buf_as_str(&buf)), buf.n);
        buf_release(&buf);
    }
}

TEST_MAIN(cmocka_unit_test(test_logins_are_hidden),
          cmocka_unit_test(test_text_of_a_stranger_is_one_visible_line),
          cmocka_unit_test(test_errors_hold_no_control_characters),
          cmocka_unit_test(test_crc32c_known_values),
          cmocka_unit_test(test_crc32c_chains_are_one),
          cmocka_unit_test(test_numbers_have_edges),
          cmocka_unit_test(test_digits_are_read_as_one_by_one),
          cmocka_unit_test(test_short_texts_are_compared_by_words),
          cmocka_unit_test(test_short_texts_are_copied_by_words),
          cmocka_unit_test(test_utf8_refuses_what_unicode_refuses),
          cmocka_unit_test(test_utf8_finds_a_wrong_byte_at_any_place),
          cmocka_unit_test(test_buf_stays_within_its_limit),
          cmocka_unit_test(test_a_context_keeps_the_status),
          cmocka_unit_test(test_nearest_names_suggest),
          cmocka_unit_test(test_display_width_counts_columns),
          cmocka_unit_test(test_arena_keeps_pieces_apart),
          cmocka_unit_test(test_base64_known_values),
          cmocka_unit_test(test_any_name_has_a_form_in_utf8),
          cmocka_unit_test(test_json_text_is_always_json),
          cmocka_unit_test(test_json_is_put_together_value_by_value),
          cmocka_unit_test(test_json_stops_where_the_buffer_is_full))
