// SPDX-License-Identifier: Apache-2.0
#include "test.h"

#include <math.h>

#include "core/env.h"

#include "core/checksum.h"
#include "core/option.h"
#include "core/schema.h"
#include "core/stream_start.h"
#include "core/value.h"

static bool parses(enum type type, const char *text)
{
    struct value v;
    return value_parse(type, str_of(text), &v);
}

static void test_types_accept_what_the_table_says(UNUSED void **state)
{
    assert_true(parses(TYPE_INT, "01"));
    assert_true(parses(TYPE_INT, "-2147483648"));
    assert_false(parses(TYPE_INT, "2147483648"));
    assert_true(parses(TYPE_BIGINT, "2147483648"));
    assert_true(parses(TYPE_REAL, "-1.5e3"));
    assert_false(parses(TYPE_REAL, "01.5"));
    assert_false(parses(TYPE_REAL, "1e999"));
    assert_false(parses(TYPE_REAL, ".5"));
    assert_true(parses(TYPE_BOOLEAN, "t"));
    assert_false(parses(TYPE_BOOLEAN, "yes"));
    assert_false(parses(TYPE_TEXT, "\xFF"));
}

static void test_reals_print_short_and_read_back(UNUSED void **state)
{
    struct buf buf = {0};
    value_format((struct value){.r = 0.1, .kind = VALUE_REAL}, &buf);
    assert_str(buf_as_str(&buf), "0.1");
    buf_release(&buf);
}

static void assert_parses_back(const struct schema *schema)
{
    AUTO(arena_release) struct arena arena = {0};
    AUTO(buf_release) struct buf text = {0};
    struct schema parsed;
    schema_format(schema, &text);
    assert_true(schema_parse(buf_as_str(&text), &arena, &parsed));
    assert_int_equal(parsed.n, schema->n);
    for (size_t i = 0; i < parsed.n; i++) {
        assert_str(parsed.columns[i].name, schema->columns[i].name.p);
        assert_int_equal(parsed.columns[i].type, schema->columns[i].type);
        assert_int_equal(parsed.columns[i].nullable, schema->columns[i].nullable);
    }
}

// All types at each place, NULL or not, names with blanks, commas and types in them.
static void test_a_schema_is_read_from_its_text(UNUSED void **state)
{
    static const char *const names[] = {"a",    "stop, name", "NOT NULL", "a INT x",
                                        "INT",  "Fête",       " ",        "b, NOT NULL",
                                        "x,y,", "TEXT INT"};
    for (size_t i = 0; i < ARRAY_LEN(names) * 12; i++) {
        struct column columns[3];
        for (size_t c = 0; c < ARRAY_LEN(columns); c++)
            columns[c] = (struct column){
                .name = str_of(names[(i + 3 * c) % ARRAY_LEN(names)]),
                .type = (enum type)(TYPE_TEXT + (i + c) % 6),
                .nullable = (i + c) % 3 == 0,
            };
        assert_parses_back(&(struct schema){columns, 1 + i % 3});
    }
}

static void test_what_is_no_schema_is_refused(UNUSED void **state)
{
    static const char *const texts[] = {"", "a", "a POINT", "a INT, b", "a INT NULL"};
    AUTO(arena_release) struct arena arena = {0};
    struct schema schema;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        assert_false(schema_parse(str_of(texts[i]), &arena, &schema));
}

// MD5 of 32 zero bytes, by md5sum.
static void test_checksum_of_an_empty_file(UNUSED void **state)
{
    struct checksummer *sum = checksummer_open(CHECKSUM_HDFS);
    struct checksum checksum;
    checksummer_finish(sum, &checksum);
    assert_string_equal(checksum.hex, "70bc8f4b72a86921468bf8e8441dce51");
    checksummer_free(sum);
}

// Of zeros in blocks of 512 bytes, as HDFS 3.4.2 answered.
static void test_checksum_of_many_blocks(UNUSED void **state)
{
    static const struct {
        int n_blocks;
        const char *hex;
    } cases[] = {
        {1, "0b534fa329eb6cf702538c47ef4b162e"}, {2, "f25f06d8c073df1a3db6dada4b403dcd"},
        {3, "9093a48f76bdaa34f2c7f50184af6bf5"}, {5, "56039863a2bee19081eb25dbf23fbba4"},
        {9, "60354a2918a0c643a17eca2197979ef8"}, {17, "67b99f032c5527e0675341bd44550e64"},
    };
    static const char zeros[512];
    struct checksummer *sum = checksummer_open_blocks(CHECKSUM_HDFS, sizeof(zeros));
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct checksum checksum;
        for (int n = 0; n < cases[i].n_blocks; n++)
            checksummer_add(sum, zeros, sizeof(zeros));
        checksummer_finish(sum, &checksum);
        assert_string_equal(checksum.hex, cases[i].hex);
    }
    checksummer_free(sum);
}

static void test_options_have_units_and_bounds(UNUSED void **state)
{
    struct arena arena = {0};
    struct options options;
    struct err err;
    const struct option_group *group = &set_option_group;
    options_init(&options, group, &arena);
    assert_int_equal(options_number(&options, "commit.bytes"), 128 << 20);
    const struct option_def *interval = option_find(group, str_of("commit.interval"));
    assert_ok(options_set(&options, interval, str_of("5min"), &err), &err);
    assert_int_equal(options_number(&options, "commit.interval"), 300000);
    assert_status(options_set(&options, interval, str_of("5 parsecs"), &err), ST_USAGE);
    assert_string_equal(
        err.text, "option 'commit.interval' takes a duration such as '500ms', '60s', "
                  "'5min', '2h' or '90d', not '5 parsecs'");
    assert_status(options_set(&options, interval, str_of("2h"), &err), ST_USAGE);
    arena_release(&arena);
}

static void test_numbers_past_64_bits_are_no_values(UNUSED void **state)
{
    static const struct {
        const char *name, *text, *message;
    } cases[] = {
        {"commit.bytes", "9223372036854775807GB",
         "option 'commit.bytes' takes a size such as '128MB', not "
         "'9223372036854775807GB'"},
        {"commit.bytes", "17179869184GiB",
         "option 'commit.bytes' takes a size such as '128MB', not '17179869184GiB'"},
        {"commit.interval", "106751991168d",
         "option 'commit.interval' takes a duration such as '500ms', '60s', '5min', '2h' "
         "or "
         "'90d', not '106751991168d'"},
        {"on_error.share", "18446744073709551716%",
         "option 'on_error.share' takes a percentage such as '10%', not "
         "'18446744073709551716%'"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena arena = {0};
        struct options options;
        struct err err;
        const struct option_group *group = &set_option_group;
        options_init(&options, group, &arena);
        assert_status(options_set(&options, option_find(group, str_of(cases[i].name)),
                                  str_of(cases[i].text), &err),
                      ST_USAGE);
        assert_string_equal(err.text, cases[i].message);
        arena_release(&arena);
    }
}

// Texts as PostgreSQL 15 prints them (extra_float_digits = 1).
static void test_a_real_is_the_shortest_text_that_is_it(UNUSED void **state)
{
    static const struct {
        double r;
        const char *text;
    } cases[] = {
        {0, "0"},
        {0.1, "0.1"},
        {-2.5, "-2.5"},
        {45.501689, "45.501689"},
        {100000, "100000"},
        {123456789012345, "123456789012345"},
        {1e15, "1e+15"},
        {1e22, "1e+22"},
        {9007199254740992, "9.007199254740992e+15"},
        {0.1 + 0.2, "0.30000000000000004"},
        {1.0 / 3, "0.3333333333333333"},
        {0.0001, "0.0001"},
        {0.00001, "1e-05"},
        {5e-324, "5e-324"},
        {2.2250738585072014e-308, "2.2250738585072014e-308"},
        {1.7976931348623157e308, "1.7976931348623157e+308"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(buf_release) struct buf text = {0};
        value_format((struct value){.kind = VALUE_REAL, .r = cases[i].r}, &text);
        assert_string_equal(buf_cstr(&text), cases[i].text);
    }
}

// By trying one digit more and more: numbers of any bits, and those that people write.
static void test_no_shorter_text_is_that_real(UNUSED void **state)
{
    unsigned seed = 7;
    for (int i = 0; i < 30000; i++) {
        AUTO(buf_release) struct buf text = {0};
        uint64_t bits = (uint64_t)rand_r(&seed) << 33 ^ (uint64_t)rand_r(&seed) << 8;
        double r;
        memcpy(&r, &bits, sizeof(r));
        if (i % 2 == 0)
            r = rand_r(&seed) / (i % 3 == 0 ? 1e6 : 1e3);
        if (!isfinite(r))
            continue;
        value_format((struct value){.kind = VALUE_REAL, .r = r}, &text);
        assert_true(strtod(buf_cstr(&text), NULL) == r);
        size_t n_digits = 0;
        char shorter[40];
        for (const char *p = text.p; *p != '\0' && *p != 'e'; p++)
            n_digits += *p >= '0' && *p <= '9' && (n_digits > 0 || *p != '0');
        if (n_digits < 2 || r >= 1e6) // zeros at the end of a whole number count there
            continue;
        snprintf(shorter, sizeof(shorter), "%.*e", (int)n_digits - 2, r);
        if (strchr(text.p, '.') != NULL && strtod(shorter, NULL) == r)
            fail_msg("%s is as good as %s", shorter, buf_cstr(&text));
    }
}

// The same sum as when the last bytes had been there from the start.
static void check_overwritten_front(enum checksum_kind kind)
{
    static const size_t sizes[] = {1024, 1025, 4096, 4097, 9000, 12288};
    char bytes[12288];
    struct checksummer *sum = checksummer_open_blocks(kind, 4096);
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct checksum wanted, got;
        for (size_t b = 0; b < sizeof(bytes); b++)
            bytes[b] = (char)(b * 7);
        checksummer_add(sum, bytes, sizes[i]);
        memset(bytes, 'x', 1024);
        checksummer_overwrite(sum, bytes, 1024);
        checksummer_finish(sum, &got);
        checksummer_add(sum, bytes, sizes[i]);
        checksummer_finish(sum, &wanted);
        assert_true(checksum_eq(&got, &wanted));
    }
    checksummer_free(sum);
}

// Bytes that come in pieces of any size have the sum of those that come one by one, over
// blocks that end within what is summed side by side, too.
static void test_checksum_of_any_pieces(UNUSED void **state)
{
    char bytes[20000];
    uint32_t dice = 7;
    for (size_t b = 0; b < sizeof(bytes); b++)
        bytes[b] = (char)(b * b >> 3);
    for (int64_t block = 512; block <= 16384; block *= 2) {
        for (int kind = CHECKSUM_HDFS; kind <= CHECKSUM_CRC32C; kind++) {
            struct checksummer *sum =
                checksummer_open_blocks((enum checksum_kind)kind, block);
            struct checksum wanted, got;
            for (size_t at = 0; at < sizeof(bytes); at++)
                checksummer_add(sum, bytes + at, 1);
            checksummer_finish(sum, &wanted);
            for (size_t at = 0, n; at < sizeof(bytes); at += n) {
                dice = dice * 1664525 + 1013904223;
                n = dice >> 19; // up to 8191
                n = n < sizeof(bytes) - at ? n : sizeof(bytes) - at;
                checksummer_add(sum, bytes + at, n);
            }
            checksummer_finish(sum, &got);
            assert_string_equal(got.hex, wanted.hex);
            checksummer_free(sum);
        }
    }
}

static void test_checksum_of_an_overwritten_front(UNUSED void **state)
{
    check_overwritten_front(CHECKSUM_HDFS);
    check_overwritten_front(CHECKSUM_CRC32C);
}

// RFC 3720, B.4, and 9000 zeros over blocks of all sizes, by a loop over
// bits in Python; a file of no bytes has none.
static void test_checksum_of_kind_crc32c(UNUSED void **state)
{
    static char zeros[9000];
    static char rising[32];
    for (size_t i = 0; i < sizeof(rising); i++)
        rising[i] = (char)i;
    const struct {
        struct str bytes;
        const char *hex;
    } cases[] = {{{zeros, 32}, "8a9136aa"},
                 {{rising, 32}, "46dd794e"},
                 {STR_LITERAL("123456789"), "e3069283"},
                 {{zeros, 0}, "00000000"},
                 {{zeros, sizeof(zeros)}, "6a1d9d0b"}};
    for (int64_t block = 512; block <= 16384; block *= 2) {
        struct checksummer *sum = checksummer_open_blocks(CHECKSUM_CRC32C, block);
        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
            struct checksum checksum;
            checksummer_add(sum, cases[i].bytes.p, cases[i].bytes.n);
            checksummer_finish(sum, &checksum);
            assert_string_equal(checksum.hex, cases[i].hex);
            assert_int_equal(checksum.kind, CHECKSUM_CRC32C);
        }
        checksummer_free(sum);
    }
}

static void test_checksums_of_two_kinds_are_not_compared(UNUSED void **state)
{
    struct checksum a = {.kind = CHECKSUM_CRC32C, .hex = "00000000"}, b = a;
    struct err err;
    enum checksum_kind kind;
    assert_ok(checksum_check_kinds(&a, &b, &err), &err);
    assert_true(checksum_eq(&a, &b));
    b.kind = CHECKSUM_HDFS;
    assert_false(checksum_eq(&a, &b));
    assert_status(checksum_check_kinds(&a, &b, &err), ST_DATA);
    assert_string_equal(err.text, "the storage tells a checksum of kind crc32c, which "
                                  "cannot be compared with one of kind md5md5crc32c");
    assert_true(checksum_kind_of(STR_LITERAL("crc32c"), &kind));
    assert_int_equal(kind, CHECKSUM_CRC32C);
    assert_false(checksum_kind_of(STR_LITERAL("crc32"), &kind));
}

static void test_a_uuid_is_known_to_the_letter(UNUSED void **state)
{
    static const char *const others[] = {
        "",
        "mine",
        "01234567-89ab-4cde-8f01-23456789abc",
        "01234567-89ab-4cde-8f01-23456789abcde",
        "01234567-89ab-4cde-8f01-23456789abcg",
        "01234567-89AB-4cde-8f01-23456789abcd",
        "01234567-89ab-1cde-8f01-23456789abcd",
        "01234567-89ab-4cde-7f01-23456789abcd",
        "0123456789ab-4cde-8f01-23456789abcd-",
    };
    char uuid[UUID_TEXT];
    for (int i = 0; i < 1000; i++) {
        env_uuid(env_system(), uuid);
        assert_true(env_is_uuid(str_of(uuid)));
    }
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        assert_false(env_is_uuid(str_of(others[i])));
}

// Expected: `date -u -d ... +%s`.
static void test_a_time_is_read_as_the_program_prints_it(UNUSED void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } good[] = {
        {"2026-11-22T05:00:00Z", 1795323600000},
        {"2026-11-22T05:00:00.123Z", 1795323600123},
        {"2026-11-22T05:00:00.5Z", 1795323600500},
        {"2026-11-22T05:00:00.1239999Z", 1795323600123},
        {"2026-11-22T07:00:00+02:00", 1795323600000},
        {"2026-11-22T07:00:00.001+02:00", 1795323600001},
        {"1969-12-31T23:59:59.999Z", -1},
    };
    static const char *const bad[] = {
        "",
        "2026-11-22",
        "2026-11-22T05:00:00",
        "2026-11-22T05:00:00.Z",
        "2026-11-22T05:00:00.1",
        "2026-11-22T05:00:00,1Z",
        "2026-11-22T05:00:00.1ZZ",
        "2026-11-22T05:00:00.-1Z",
    };
    int64_t ms;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        assert_true(stream_time_parse(str_of(good[i].text), &ms));
        assert_int_equal(ms, good[i].ms);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(stream_time_parse(str_of(bad[i]), &ms));
}

TEST_MAIN(cmocka_unit_test(test_a_time_is_read_as_the_program_prints_it),
          cmocka_unit_test(test_a_uuid_is_known_to_the_letter),
          cmocka_unit_test(test_types_accept_what_the_table_says),
          cmocka_unit_test(test_reals_print_short_and_read_back),
          cmocka_unit_test(test_a_schema_is_read_from_its_text),
          cmocka_unit_test(test_what_is_no_schema_is_refused),
          cmocka_unit_test(test_checksum_of_an_empty_file),
          cmocka_unit_test(test_checksum_of_an_overwritten_front),
          cmocka_unit_test(test_checksum_of_any_pieces),
          cmocka_unit_test(test_checksum_of_many_blocks),
          cmocka_unit_test(test_checksum_of_kind_crc32c),
          cmocka_unit_test(test_a_real_is_the_shortest_text_that_is_it),
          cmocka_unit_test(test_no_shorter_text_is_that_real),
          cmocka_unit_test(test_checksums_of_two_kinds_are_not_compared),
          cmocka_unit_test(test_options_have_units_and_bounds),
          cmocka_unit_test(test_numbers_past_64_bits_are_no_values))
