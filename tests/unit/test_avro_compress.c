// SPDX-License-Identifier: Apache-2.0
// Blocks of each codec, whole and broken. Bytes that are fixed here were made by Python's
// zlib, by hand from the formats of snappy and zstandard.
#include "test.h"

#include "avro/compress.h"

#define BYTES(literal) ((struct str){(literal), sizeof(literal) - 1})

enum {
    SMALL = 1 << 20 // limit of the unpacked block in these tests
};

static const enum avro_codec all[] = {AVRO_CODEC_NULL, AVRO_CODEC_DEFLATE,
                                      AVRO_CODEC_SNAPPY, AVRO_CODEC_ZSTANDARD};

static enum status unpack(enum avro_codec codec, struct str bytes, size_t limit,
                          struct buf *ret, struct err *err)
{
    struct avro_decompressor d;
    *ret = BUF_INIT(limit);
    avro_decompressor_init(&d, codec);
    enum status rc = avro_decompress(&d, bytes, ret, err);
    avro_decompressor_release(&d);
    return rc;
}

static void pack(enum avro_codec codec, struct str plain, struct buf *ret)
{
    struct avro_compressor c;
    struct err err;
    avro_compressor_init(&c, codec);
    assert_ok(avro_compress(&c, plain, ret, &err), &err);
    avro_compressor_release(&c);
}

static void assert_wrong(enum avro_codec codec, struct str bytes, const char *text)
{
    struct buf plain;
    struct err err;
    assert_status(unpack(codec, bytes, SMALL, &plain, &err), ST_DATA);
    assert_string_equal(err.text, text);
    buf_release(&plain);
}

static void assert_round(enum avro_codec codec, struct str plain)
{
    struct buf packed = {0};
    struct buf back;
    struct err err;
    pack(codec, plain, &packed);
    assert_ok(unpack(codec, buf_as_str(&packed), 64 << 20, &back, &err), &err);
    assert_true(str_eq(buf_as_str(&back), plain));
    buf_release(&packed);
    buf_release(&back);
}

static void assert_str_of_size(size_t n)
{
    char *bytes = malloc(n + 1);
    uint32_t state = 1;
    for (size_t i = 0; i < n; i++) { // half of it compresses
        state = state * 1664525 + 1013904223;
        bytes[i] = i % 4096 < 2048 ? 'x' : (char)(state >> 24);
    }
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        assert_round(all[i], (struct str){bytes, n});
    free(bytes);
}

static void test_all_codecs_give_back_what_they_got(UNUSED void **state)
{
    static const size_t sizes[] = {1, 63, 64 << 10, (64 << 10) + 1, 1 << 20, 5000001};
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
        assert_str_of_size(sizes[i]);
}

// 30 MB of one letter take some kilobytes: refused before they are all unpacked.
static void test_what_unpacks_to_more_than_the_limit_is_refused(UNUSED void **state)
{
    size_t n = 30 << 20;
    char *bytes = malloc(n);
    memset(bytes, 'x', n);
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        struct buf packed = {0};
        struct buf plain;
        struct err err;
        pack(all[i], (struct str){bytes, n}, &packed);
        assert_status(unpack(all[i], buf_as_str(&packed), SMALL, &plain, &err), ST_LIMIT);
        assert_string_equal(err.text, "more than 1048576 bytes when unpacked");
        assert_in_range(plain.capacity, 0, SMALL);
        buf_release(&packed);
        buf_release(&plain);
    }
    free(bytes);
}

static void test_a_length_that_snappy_only_tells_is_not_allocated(UNUSED void **state)
{
    struct buf plain;
    struct err err; // told: 2 GB - 1
    assert_status(unpack(AVRO_CODEC_SNAPPY, BYTES("\xff\xff\xff\xff\x07\0\0\0\0\0"),
                         SMALL, &plain, &err),
                  ST_LIMIT);
    assert_string_equal(err.text, "more than 1048576 bytes when unpacked");
    assert_int_equal(plain.capacity, 0);
}

static void test_exactly_the_limit_is_good(UNUSED void **state)
{
    char *bytes = malloc(SMALL);
    memset(bytes, 'x', SMALL);
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        struct buf packed = {0};
        struct buf plain;
        struct err err;
        pack(all[i], (struct str){bytes, SMALL}, &packed);
        assert_ok(unpack(all[i], buf_as_str(&packed), SMALL, &plain, &err), &err);
        assert_int_equal(plain.n, SMALL);
        buf_release(&packed);
        buf_release(&plain);
    }
    free(bytes);
}

#define DEFLATED "\x4b\x4c\x4a\x4e\x49\x4d\x03\x00" // "abcdef"

static void test_wrong_deflate(UNUSED void **state)
{
    struct buf plain;
    struct err err; // Python writers leave bytes of a checksum behind it
    assert_ok(unpack(AVRO_CODEC_DEFLATE, BYTES(DEFLATED "\x08\x1e\x02\x56"), SMALL,
                     &plain, &err),
              &err);
    assert_str(buf_as_str(&plain), "abcdef");
    buf_release(&plain);
    assert_wrong(AVRO_CODEC_DEFLATE, BYTES(DEFLATED "12345"),
                 "deflate: 5 bytes left behind the end");
    assert_wrong(AVRO_CODEC_DEFLATE, BYTES("\x4b\x4c\x4a"),
                 "deflate: wrong data, or cut off");
    assert_wrong(AVRO_CODEC_DEFLATE, BYTES("\xff\xff\xff"),
                 "deflate: wrong data, or cut off");
    assert_wrong(AVRO_CODEC_DEFLATE, BYTES(""), "deflate: wrong data, or cut off");
}

static void test_wrong_snappy(UNUSED void **state)
{
    assert_wrong(AVRO_CODEC_SNAPPY, BYTES("abc"), "snappy: wrong data");
    assert_wrong(AVRO_CODEC_SNAPPY,
                 BYTES("\x06\x14"
                       "ab\0\0\0\0"),
                 "snappy: wrong data");
    // "abcdef" has the CRC-32 4b8e39ef.
    assert_wrong(AVRO_CODEC_SNAPPY,
                 BYTES("\x06\x14"
                       "abcdef\x4b\x8e\x39\xee"),
                 "snappy: the checksum is 4b8e39ef, but 4b8e39ee is told");
}

static void test_wrong_zstandard(UNUSED void **state)
{
    struct buf packed = {0};
    pack(AVRO_CODEC_ZSTANDARD, str_of("abcdef"), &packed);
    assert_wrong(AVRO_CODEC_ZSTANDARD, (struct str){packed.p, packed.n - 1},
                 "zstandard: cut off");
    assert_wrong(AVRO_CODEC_ZSTANDARD, BYTES(""), "zstandard: cut off");
    assert_wrong(AVRO_CODEC_ZSTANDARD, BYTES("abcdefgh"),
                 "zstandard: wrong data (Unknown frame descriptor)");
    buf_str(&packed, BYTES("xxxx")); // no frame
    assert_wrong(AVRO_CODEC_ZSTANDARD, buf_as_str(&packed),
                 "zstandard: wrong data (Unknown frame descriptor)");
    buf_release(&packed);
}

static void test_zstandard_frames_may_follow_each_other(UNUSED void **state)
{
    struct buf packed = {0};
    struct buf plain;
    struct err err;
    pack(AVRO_CODEC_ZSTANDARD, str_of("abc"), &packed);
    pack(AVRO_CODEC_ZSTANDARD, str_of("def"), &packed);
    assert_ok(unpack(AVRO_CODEC_ZSTANDARD, buf_as_str(&packed), SMALL, &plain, &err),
              &err);
    assert_str(buf_as_str(&plain), "abcdef");
    buf_release(&packed);
    buf_release(&plain);
}

TEST_MAIN(cmocka_unit_test(test_all_codecs_give_back_what_they_got),
          cmocka_unit_test(test_what_unpacks_to_more_than_the_limit_is_refused),
          cmocka_unit_test(test_a_length_that_snappy_only_tells_is_not_allocated),
          cmocka_unit_test(test_exactly_the_limit_is_good),
          cmocka_unit_test(test_wrong_deflate), cmocka_unit_test(test_wrong_snappy),
          cmocka_unit_test(test_wrong_zstandard),
          cmocka_unit_test(test_zstandard_frames_may_follow_each_other))
