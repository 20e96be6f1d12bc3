// SPDX-License-Identifier: Apache-2.0
// Record batches as a real broker keeps them (wire_captures.h), and such that lie.
#include "test.h"

#include <libdeflate.h>
#include <lz4frame.h>
#include <snappy-c.h>
#include <zstd.h>

#include "wire_captures.h"

#include "base/arena.h"
#include "base/crc32c.h"
#include "base/hash.h"
#include "wire/aborted.h"
#include "wire/record_batch.h"

enum {
    RECORDS = 64,
    CRC_AT = 17,
    CHECKED_AT = 21,
    ATTRIBUTES_AT = 21,
    DELTA_AT = 23,
    COUNT_AT = 57,
    RECORDS_AT = 61,
    LIMIT = 1 << 20,
};

static struct str bytes_of(struct arena *arena, const char *hex)
{
    size_t n = strlen(hex) / 2;
    char *p = arena_alloc(arena, n + 1);
    for (size_t i = 0; i < n; i++) {
        unsigned byte;
        assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
        p[i] = (char)byte;
    }
    return (struct str){p, n};
}

// A batch read to its end.
struct reading {
    struct record records[RECORDS];
    struct str headers[RECORDS];
    struct wire_run run;
    struct buf plain;
};

static enum status read_batch(struct str bytes, int64_t from, struct reading *ret,
                              struct err *err)
{
    static const struct reading none;
    struct wire_batch batch;
    struct wire_records records;
    struct wire_decompressor decompressor = {0};
    *ret = none;
    ret->plain = BUF_INIT(LIMIT);
    ret->run = (struct wire_run){.records = ret->records,
                                 .headers = ret->headers,
                                 .capacity = RECORDS,
                                 .value_schema = true};
    TRY(wire_batch_read(bytes, &batch, err));
    TRY(wire_batch_check(bytes, &batch, err));
    struct str plain = batch.payload;
    if (batch.codec != WIRE_NONE) {
        enum status rc =
            wire_decompress(&decompressor, batch.codec, plain, &ret->plain, err);
        wire_decompressor_release(&decompressor);
        TRY(rc);
        plain = buf_as_str(&ret->plain);
    }
    wire_records_begin(&records, &batch, plain);
    return wire_records_read(&records, from, &ret->run, err);
}

static void put_32(struct str bytes, size_t at, uint32_t value)
{
    for (size_t i = 0; i < 4; i++)
        ((char *)(uintptr_t)bytes.p)[at + i] = (char)(value >> (24 - 8 * i));
}

static void set_byte(struct str bytes, size_t at, unsigned value)
{
    ((char *)(uintptr_t)bytes.p)[at] = (char)value;
}

// ---- what Java's producer wrote

static void check_capture(const char *hex, int64_t times[3])
{
    struct arena arena = {0};
    struct reading reading;
    struct err err;
    struct str rest = bytes_of(&arena, hex);
    size_t n = 0;
    while (rest.n > 0) { // lz4 came as two batches
        size_t size = wire_batch_size(rest);
        assert_in_range(size, RECORDS_AT, rest.n);
        assert_ok(read_batch((struct str){rest.p, size}, 0, &reading, &err), &err);
        for (size_t i = 0; i < reading.run.n; i++, n++) {
            const struct record *record = &reading.records[i];
            struct buf json = {0};
            assert_int_equal(record->offset, n);
            assert_int_equal(record->time_ms, times[n]);
            wire_headers_json(reading.headers[i], &json);
            if (n == 0)
                assert_str(record->key, "T1");
            if (n == 0)
                assert_str(record->value, "T1,08:00:00,08:00:30,S1,1");
            if (n == 1) {
                assert_null(record->key.p);
                assert_str(record->value, "T2,08:00:00,08:00:30,S1,1,"
                                          "T2,08:00:00,08:00:30,S1,1");
                assert_str(buf_as_str(&json), "[{\"key\":\"source\",\"value\":\"YnVz\"},"
                                              "{\"key\":\"empty\",\"value\":null}]");
            } else {
                assert_int_equal(json.n, 0);
            }
            if (n == 2) {
                assert_str(record->key, "T3");
                assert_null(record->value.p);
            }
            assert_null(record->value_schema.p);
            buf_release(&json);
        }
        buf_release(&reading.plain);
        rest = (struct str){rest.p + size, rest.n - size};
    }
    assert_int_equal(n, 3);
    arena_release(&arena);
}

static void test_batches_of_all_codecs(UNUSED void **state)
{
    int64_t times[3] = {1764400000000, 1764400000007, 1764399999990};
    check_capture(captured_batch_none, times);
    check_capture(captured_batch_gzip, times);
    check_capture(captured_batch_snappy, times);
    check_capture(captured_batch_lz4, times);
    check_capture(captured_batch_zstd, times);
}

// LogAppendTime: the broker's own, 1a2277d0015 in the batch's last time.
static void test_times_of_the_log(UNUSED void **state)
{
    int64_t times[3] = {0x1a2277d0015, 0x1a2277d0015, 0x1a2277d0015};
    check_capture(captured_batch_append, times);
}

static void test_a_read_begins_and_ends_within_a_batch(UNUSED void **state)
{
    struct arena arena = {0};
    struct reading reading;
    struct wire_batch batch;
    struct wire_records records;
    struct err err;
    struct str bytes = bytes_of(&arena, captured_batch_none);
    assert_ok(read_batch(bytes, 2, &reading, &err), &err);
    assert_int_equal(reading.run.n, 1);
    assert_int_equal(reading.records[0].offset, 2);
    assert_ok(wire_batch_read(bytes, &batch, &err), &err);
    assert_true(batch.last_offset == 2 && batch.size_bytes == bytes.n);
    wire_records_begin(&records, &batch, batch.payload);
    for (int64_t i = 0; i < 3; i++) {
        reading.run.n = 0;
        reading.run.capacity = 1;
        assert_ok(wire_records_read(&records, 0, &reading.run, &err), &err);
        assert_int_equal(reading.run.n, 1);
        assert_int_equal(reading.records[0].offset, i);
        assert_int_equal(records.n_left, 2 - i);
    }
    arena_release(&arena);
}

static void test_every_changed_bit_is_seen(UNUSED void **state)
{
    struct arena arena = {0};
    struct reading reading;
    struct err err;
    struct str bytes = bytes_of(&arena, captured_batch_none);
    for (size_t bit = 8 * CRC_AT; bit < 8 * bytes.n; bit++) {
        set_byte(bytes, bit / 8, (unsigned char)bytes.p[bit / 8] ^ 1U << bit % 8);
        assert_status(read_batch(bytes, 0, &reading, &err), ST_DATA);
        set_byte(bytes, bit / 8, (unsigned char)bytes.p[bit / 8] ^ 1U << bit % 8);
    }
    set_byte(bytes, bytes.n - 1, 1);
    assert_status(read_batch(bytes, 0, &reading, &err), ST_DATA);
    assert_string_equal(err.text, "the batch at offset 0: its bytes do not match their "
                                  "checksum");
    arena_release(&arena);
}

// ---- batches that lie, with a checksum that agrees

static void check_lie(const char *hex, size_t at, unsigned byte, const char *expected)
{
    struct arena arena = {0};
    struct reading reading;
    struct err err;
    struct str bytes = bytes_of(&arena, hex);
    set_byte(bytes, at, byte);
    put_32(bytes, CRC_AT, crc32c(0, bytes.p + CHECKED_AT, bytes.n - CHECKED_AT));
    assert_status(read_batch(bytes, 0, &reading, &err), ST_DATA);
    assert_string_equal(err.text, expected);
    buf_release(&reading.plain);
    arena_release(&arena);
}

static void test_headers_that_lie(UNUSED void **state)
{
    const char *none = captured_batch_none;
    check_lie(none, 16, 0,
              "the batch at offset 0 has format 0, of before Kafka 0.11; client = "
              "'librdkafka' reads it");
    check_lie(none, 16, 1,
              "the batch at offset 0 has format 1, of before Kafka 0.11; client = "
              "'librdkafka' reads it");
    check_lie(none, 16, 3, "the batch at offset 0: its format is unknown");
    check_lie(none, 8, 0x80, "the batch at offset 0: its length is not right");
    check_lie(none, 11, 0xff, "the batch at offset 0: its length is not right");
    check_lie(none, 11, 0, "the batch at offset 0: its length is not right");
    check_lie(none, DELTA_AT, 0x80, "the batch at offset 0: its offsets are not right");
    check_lie(none, COUNT_AT, 0x80,
              "the batch at offset 0: its count of records is not right");
    check_lie(none, COUNT_AT + 3, 4,
              "the batch at offset 0: its count of records is not right");
    check_lie(none, ATTRIBUTES_AT + 1, 5, "the batch at offset 0: its codec is unknown");
    check_lie(none, 0, 0x80,
              "the batch at offset -9223372036854775808: its offsets are not right");
}

static void test_records_that_lie(UNUSED void **state)
{
    const char *none = captured_batch_none;
    check_lie(none, COUNT_AT + 3, 2,
              "the batch at offset 0: bytes are left behind its records");
    check_lie(none, RECORDS_AT, 0x7e, // its length: more than there is of it
              "the batch at offset 0: record 1 of 3 is not right");
    check_lie(none, RECORDS_AT, 0x0a, // less than any record has
              "the batch at offset 0: record 1 of 3 is not right");
    check_lie(none, RECORDS_AT + 3, 6, // its offset: behind the batch's last
              "the batch at offset 0: record 1 of 3 is not right");
    check_lie(none, RECORDS_AT + 3, 2, // that of the second
              "the batch at offset 0: record 2 of 3 is not right");
    check_lie(none, RECORDS_AT + 4, 3, // its key: -2 bytes
              "the batch at offset 0: record 1 of 3 is not right");
    check_lie(none, RECORDS_AT + 4, 0x7e, // more than the record has
              "the batch at offset 0: record 1 of 3 is not right");
    check_lie(none, RECORDS_AT + 33, 2, // one header, of which nothing is there
              "the batch at offset 0: record 1 of 3 is not right");
    check_lie(none, RECORDS_AT + 33, 1, // -1 headers
              "the batch at offset 0: record 1 of 3 is not right");
}

static void test_sizes_at_the_front(UNUSED void **state)
{
    struct arena arena = {0};
    struct str bytes = bytes_of(&arena, captured_batch_none);
    assert_int_equal(wire_batch_size(bytes), bytes.n);
    assert_int_equal(wire_batch_size((struct str){bytes.p, 12}), bytes.n);
    assert_int_equal(wire_batch_size((struct str){bytes.p, 11}), 0);
    assert_int_equal(wire_batch_size((struct str){NULL, 0}), 0);
    put_32(bytes, 8, UINT32_MAX);
    assert_int_equal(wire_batch_size(bytes), 12);
    arena_release(&arena);
}

// ---- compressed bytes

static void check_broken(enum wire_codec codec, const char *hex, enum status expected,
                         const char *text)
{
    struct arena arena = {0};
    struct wire_decompressor decompressor = {0};
    struct buf plain = BUF_INIT(LIMIT);
    struct err err;
    enum status rc =
        wire_decompress(&decompressor, codec, bytes_of(&arena, hex), &plain, &err);
    assert_status(rc, expected);
    assert_string_equal(err.text, text);
    assert_true(plain.capacity <= LIMIT);
    wire_decompressor_release(&decompressor);
    buf_release(&plain);
    arena_release(&arena);
}

static void test_compressed_bytes_that_lie(UNUSED void **state)
{
    check_broken(WIRE_GZIP, "1f8b", ST_DATA, "gzip: the bytes are cut");
    check_broken(WIRE_GZIP, "1f8b08000000000000ff0300000000000000ff00", ST_DATA,
                 "gzip: so many bytes cannot be made of these");
    check_broken(WIRE_GZIP, "1f8b08000000000000ffff00000000000000000a", ST_DATA,
                 "gzip: so many bytes cannot be made of these");
    check_broken(WIRE_GZIP, "000000000000000000ffff0000000000000000000000", ST_DATA,
                 "gzip: the bytes are not right");
    check_broken(WIRE_SNAPPY, "ff", ST_DATA, "snappy: a block has no length");
    check_broken(WIRE_SNAPPY, "ffffffff0f00", ST_DATA,
                 "snappy: so many bytes cannot be made of these");
    check_broken(WIRE_SNAPPY, "05f0", ST_DATA, "snappy: the bytes are not right");
    check_broken(WIRE_SNAPPY, "82534e4150505900000000010000000100", ST_DATA,
                 "snappy: the bytes are cut");
    check_broken(WIRE_SNAPPY, "82534e41505059000000000100000001000000ff05", ST_DATA,
                 "snappy: the bytes are cut");
    check_broken(WIRE_LZ4, "00010203040506070809", ST_DATA,
                 "lz4: ERROR_frameType_unknown");
    check_broken(WIRE_LZ4, "04224d1860408220000000", ST_DATA, "lz4: the bytes are cut");
    check_broken(WIRE_ZSTD, "000102030405060708", ST_DATA,
                 "zstd: Unknown frame descriptor");
    check_broken(WIRE_ZSTD, "00010203", ST_DATA, "zstd: the bytes are cut");
    check_broken(WIRE_ZSTD, "28b52ffd0058", ST_DATA, "zstd: the bytes are cut");
}

// 2 MB of one byte, of which not more than 1 MB may come.
static void check_bomb(enum wire_codec codec, struct str bytes, const char *text)
{
    struct wire_decompressor decompressor = {0};
    struct buf plain = BUF_INIT(LIMIT);
    struct err err;
    assert_status(wire_decompress(&decompressor, codec, bytes, &plain, &err), ST_LIMIT);
    assert_string_equal(err.text, text);
    assert_true(plain.capacity <= LIMIT);
    buf_clear(&plain);
    plain.limit = 2 * LIMIT;
    assert_ok(wire_decompress(&decompressor, codec, bytes, &plain, &err), &err);
    assert_int_equal(plain.n, 2 * LIMIT);
    wire_decompressor_release(&decompressor);
    buf_release(&plain);
}

static size_t gzip_of(const char *plain, size_t n, char *packed)
{
    struct libdeflate_compressor *compressor = libdeflate_alloc_compressor(6);
    size_t size = libdeflate_gzip_compress(compressor, plain, n, packed, LIMIT);
    libdeflate_free_compressor(compressor);
    assert_true(size > 0);
    return size;
}

// As snappy-java frames it: blocks of 32 kB behind a header.
static size_t xerial_of(const char *plain, size_t n, char *packed)
{
    static const char header[] = "\x82SNAPPY\0\0\0\0\1\0\0\0\1";
    const size_t block = 32 << 10;
    size_t at = sizeof(header) - 1;
    memcpy(packed, header, at);
    for (size_t i = 0; i < n; i += block) {
        size_t size = snappy_max_compressed_length(block);
        assert_int_equal(snappy_compress(plain + i, block, packed + at + 4, &size),
                         SNAPPY_OK);
        packed[at] = packed[at + 1] = 0;
        packed[at + 2] = (char)(size >> 8);
        packed[at + 3] = (char)size;
        at += 4 + size;
    }
    return at;
}

static void test_limits_of_plain_bytes(UNUSED void **state)
{
    char *zeros = mem_zalloc(2 * LIMIT), *packed = mem_alloc(3 * LIMIT);
    size_t n = 3 * LIMIT;
    assert_int_equal(snappy_compress(zeros, 2 * LIMIT, packed, &n), SNAPPY_OK);
    check_bomb(WIRE_SNAPPY, (struct str){packed, n}, "snappy: more than 1048576 bytes");
    LZ4F_preferences_t known = {.frameInfo.contentSize = 2 * LIMIT};
    for (int i = 0; i < 2; i++) { // whether the frame says its size
        n = LZ4F_compressFrame(packed, 3 * LIMIT, zeros, 2 * LIMIT, i ? &known : NULL);
        check_bomb(WIRE_LZ4, (struct str){packed, n}, "lz4: more than 1048576 bytes");
    }
    n = ZSTD_compress(packed, 3 * LIMIT, zeros, 2 * LIMIT, 3);
    check_bomb(WIRE_ZSTD, (struct str){packed, n}, "zstd: more than 1048576 bytes");
    n = gzip_of(zeros, 2 * LIMIT, packed);
    check_bomb(WIRE_GZIP, (struct str){packed, n}, "gzip: more than 1048576 bytes");
    n += gzip_of(zeros, 0, packed + n); // a member whose size stands nowhere
    check_bomb(WIRE_GZIP, (struct str){packed, n}, "gzip: more than 1048576 bytes");
    n = xerial_of(zeros, 2 * LIMIT, packed); // no block of it is large
    check_bomb(WIRE_SNAPPY, (struct str){packed, n}, "snappy: more than 1048576 bytes");
    free(packed);
    free(zeros);
}

// One stream in two members (RFC 1952): "ab" and "cd", by Python's gzip.
static void test_gzip_of_several_members(UNUSED void **state)
{
    struct arena arena = {0};
    struct wire_decompressor decompressor = {0};
    struct buf plain = BUF_INIT(LIMIT);
    struct err err;
    struct str bytes = bytes_of(&arena, "1f8b08000000000002034b4c02006d48839e02000000"
                                        "1f8b08000000000002034b4e0100da8fd64502000000");
    enum status rc = wire_decompress(&decompressor, WIRE_GZIP, bytes, &plain, &err);
    assert_ok(rc, &err);
    assert_str(buf_as_str(&plain), "abcd");
    wire_decompressor_release(&decompressor);
    buf_release(&plain);
    arena_release(&arena);
}

// A frame that does not tell its size, as most clients write it, of that window.
static size_t zstd_of(const char *plain, size_t n, char *packed, int window_log)
{
    ZSTD_CCtx *context = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, 1);
    ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, window_log);
    ZSTD_inBuffer in = {plain, n, 0};
    ZSTD_outBuffer out = {packed, 3 * (size_t)LIMIT, 0};
    size_t rc = ZSTD_compressStream2(context, &out, &in, ZSTD_e_continue);
    assert_false(ZSTD_isError(rc));
    rc = ZSTD_compressStream2(context, &out, &in, ZSTD_e_end);
    assert_int_equal(rc, 0);
    ZSTD_freeCCtx(context);
    assert_int_equal(ZSTD_getFrameContentSize(packed, out.pos), ZSTD_CONTENTSIZE_UNKNOWN);
    return out.pos;
}

// The highest levels say a window that is larger than any batch (RFC 8878, 3.1.1.1.2).
static void test_zstd_of_all_windows_and_sizes(UNUSED void **state)
{
    char *lines = mem_alloc(LIMIT), *packed = mem_alloc(3 * LIMIT);
    for (size_t i = 0; i < LIMIT; i++)
        lines[i] = (char)('a' + (i * i >> 7) % 23);
    for (int window_log = 10; window_log <= 27; window_log += 17) {
        struct wire_decompressor decompressor = {0};
        struct buf plain = BUF_INIT(LIMIT);
        struct err err;
        for (size_t n = LIMIT; n > 0; n /= 7) {
            size_t n_packed = zstd_of(lines, n, packed, window_log);
            const struct str bytes = {packed, n_packed};
            buf_clear(&plain);
            assert_ok(wire_decompress(&decompressor, WIRE_ZSTD, bytes, &plain, &err),
                      &err);
            assert_int_equal(plain.n, n);
            assert_memory_equal(plain.p, lines, n);
        }
        wire_decompressor_release(&decompressor);
        buf_release(&plain);
    }
    free(packed);
    free(lines);
}

// "ab", a frame that is skipped (RFC 8878, 3.1.2), "cd"; cut anywhere it is an error, but
// between them.
static void test_zstd_of_several_frames(UNUSED void **state)
{
    static const char skipped[] = "\x50\x2a\x4d\x18\x03\0\0\0xyz";
    char packed[200];
    struct wire_decompressor decompressor = {0};
    struct buf plain = BUF_INIT(LIMIT);
    struct err err;
    size_t first = ZSTD_compress(packed, 64, "ab", 2, 1);
    memcpy(packed + first, skipped, sizeof(skipped) - 1);
    size_t second = first + sizeof(skipped) - 1;
    size_t n = second + ZSTD_compress(packed + second, 64, "cd", 2, 1);
    for (size_t i = 0; i <= n; i++) {
        buf_clear(&plain);
        enum status rc = wire_decompress(&decompressor, WIRE_ZSTD,
                                         (struct str){packed, i}, &plain, &err);
        bool is_whole = i == first || i == second || i == n;
        assert_status(rc, is_whole ? ST_OK : ST_DATA);
        if (is_whole)
            assert_str(buf_as_str(&plain), i == n ? "abcd" : "ab");
    }
    wire_decompressor_release(&decompressor);
    buf_release(&plain);
}

// ---- control batches and aborted transactions

static void test_markers(UNUSED void **state)
{
    // The committed and the aborted transaction's markers of captured_fetch_4.
    static const char commit[] =
        "000000000000000100000042000000000282a88c61003000000000000001a2277e6bb1000001a2"
        "277e6bb100000000000000220007ffffffff000000012000000008000000010c000000000000";
    static const char abort[] =
        "0000000000000003000000420000000002cce68066003000000000000001a2277e6be9000001a2"
        "277e6be900000000000000220008ffffffff000000012000000008000000000c000000000000";
    struct arena arena = {0};
    struct err err;
    for (int i = 0; i < 2; i++) {
        struct wire_batch batch;
        bool is_abort;
        char hex[200];
        snprintf(hex, sizeof(hex), "%s00", i ? abort : commit);
        struct str bytes = bytes_of(&arena, hex);
        assert_int_equal(wire_batch_size(bytes), bytes.n);
        assert_ok(wire_batch_read(bytes, &batch, &err), &err);
        assert_ok(wire_batch_check(bytes, &batch, &err), &err);
        assert_true(batch.is_control && batch.is_transactional);
        assert_int_equal(batch.producer, 0x22);
        assert_ok(wire_batch_is_abort(&batch, &is_abort, &err), &err);
        assert_int_equal(is_abort, i);
    }
    arena_release(&arena);
}

// Producer 1 has aborted 10.. up to its marker at 15 and 30..; producer 2 20.. .
static void test_aborted_transactions_end_at_their_markers(UNUSED void **state)
{
    static const int64_t in_order[][2] = {{1, 10}, {2, 20}, {1, 30}};
    static const int64_t unsorted[][2] = {{1, 30}, {2, 20}, {1, 10}};
    for (int i = 0; i < 2; i++) {
        struct wire_aborted aborted = {0};
        for (int k = 0; k < 3; k++)
            wire_aborted_add(&aborted, (i ? unsorted : in_order)[k][0],
                             (i ? unsorted : in_order)[k][1]);
        wire_aborted_sort(&aborted);
        assert_false(wire_aborted_has(&aborted, 1, 9));
        assert_true(wire_aborted_has(&aborted, 1, 12));
        assert_false(wire_aborted_has(&aborted, 2, 12));
        assert_false(wire_aborted_has(&aborted, 3, 12));
        wire_aborted_end(&aborted, 3, 13); // nobody's
        wire_aborted_end(&aborted, 1, 15);
        assert_false(wire_aborted_has(&aborted, 1, 17));
        assert_true(wire_aborted_has(&aborted, 2, 22));
        wire_aborted_end(&aborted, 1, 25); // of one that was committed: none is open
        assert_true(wire_aborted_has(&aborted, 1, 31));
        wire_aborted_end(&aborted, 2, 32);
        wire_aborted_end(&aborted, 1, 33);
        assert_false(wire_aborted_has(&aborted, 1, 40));
        assert_false(wire_aborted_has(&aborted, 2, 40));
        wire_aborted_end(&aborted, 2, 41);
        wire_aborted_release(&aborted);
    }
}

// As a broker may do that finds them in two places: what comes later is not theirs.
static void test_an_aborted_transaction_told_twice_ends_once(UNUSED void **state)
{
    struct wire_aborted aborted = {0};
    for (int i = 0; i < 2; i++) {
        wire_aborted_add(&aborted, 1, 10);
        wire_aborted_add(&aborted, 1, 30);
    }
    wire_aborted_sort(&aborted);
    assert_true(wire_aborted_has(&aborted, 1, 12));
    wire_aborted_end(&aborted, 1, 15);
    assert_false(wire_aborted_has(&aborted, 1, 17));
    assert_true(wire_aborted_has(&aborted, 1, 31));
    wire_aborted_end(&aborted, 1, 33);
    assert_false(wire_aborted_has(&aborted, 1, 40));
    wire_aborted_release(&aborted);
}

#define CASE(test) cmocka_unit_test(test)

TEST_MAIN(CASE(test_batches_of_all_codecs), CASE(test_times_of_the_log),
          CASE(test_a_read_begins_and_ends_within_a_batch),
          CASE(test_every_changed_bit_is_seen), CASE(test_headers_that_lie),
          CASE(test_records_that_lie), CASE(test_sizes_at_the_front),
          CASE(test_compressed_bytes_that_lie), CASE(test_limits_of_plain_bytes),
          CASE(test_gzip_of_several_members), CASE(test_zstd_of_all_windows_and_sizes),
          CASE(test_zstd_of_several_frames), CASE(test_markers),
          CASE(test_aborted_transactions_end_at_their_markers),
          CASE(test_an_aborted_transaction_told_twice_ends_once))
