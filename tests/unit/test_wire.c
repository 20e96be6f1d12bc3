// SPDX-License-Identifier: Apache-2.0
// Kafka's protocol as bytes: primitives by the protocol guide, requests by its schemas,
// answers as a real broker gave them (wire_captures.h), and bytes that lie.
#include "test.h"

#include "wire_captures.h"

#include "base/arena.h"
#include "wire/fetch.h"
#include "wire/metadata.h"
#include "wire/offsets.h"

// The bytes that hex digits name; the arena's.
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

static void assert_hex(const struct buf *out, const char *hex)
{
    struct arena arena = {0};
    struct str expected = bytes_of(&arena, hex);
    assert_int_equal(out->n, expected.n);
    assert_memory_equal(out->p, expected.p, expected.n);
    arena_release(&arena);
}

// ---- primitives

static void test_numbers_are_big_endian(UNUSED void **state)
{
    struct arena arena = {0};
    struct wire_in in = wire_in_of(bytes_of(&arena, "fe8001000000010102030405060708"));
    struct err err;
    assert_int_equal(wire_in_i8(&in), -2);
    assert_int_equal(wire_in_i16(&in), -32767);
    assert_int_equal(wire_in_i32(&in), 1);
    assert_int_equal(wire_in_i64(&in), 0x0102030405060708);
    assert_ok(wire_in_check(&in, "it", &err), &err);
    struct buf out = {0};
    wire_out_i8(&out, -2);
    wire_out_i16(&out, -32767);
    wire_out_i32(&out, 1);
    wire_out_i64(&out, 0x0102030405060708);
    assert_hex(&out, "fe8001000000010102030405060708");
    buf_release(&out);
    arena_release(&arena);
}

// As in the description of Protocol Buffers' varints, which the protocol guide names.
static void test_varints_have_seven_bits_a_byte(UNUSED void **state)
{
    static const struct {
        const char *hex;
        uint32_t value;
    } cases[] = {
        {"00", 0},     {"01", 1},     {"7f", 127},       {"8001", 128},
        {"9601", 150}, {"ac02", 300}, {"ffff03", 65535}, {"ffffffff0f", UINT32_MAX}};
    struct arena arena = {0};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct wire_in in = wire_in_of(bytes_of(&arena, cases[i].hex));
        assert_int_equal(wire_in_uvarint(&in), cases[i].value);
        assert_true(in.wrong == NULL && in.p == in.end);
        struct buf out = {0};
        wire_out_uvarint(&out, cases[i].value);
        assert_hex(&out, cases[i].hex);
        buf_release(&out);
    }
    arena_release(&arena);
}

static void test_texts_and_null(UNUSED void **state)
{
    struct arena arena = {0};
    struct wire_in in = wire_in_of(bytes_of(&arena, "000268690000ffff"));
    assert_str(wire_in_string(&in, false), "hi");
    struct str empty = wire_in_string(&in, false);
    assert_true(empty.p != NULL && empty.n == 0);
    assert_null(wire_in_string(&in, false).p);
    assert_true(in.wrong == NULL && in.p == in.end);
    in = wire_in_of(bytes_of(&arena, "0368690100"));
    assert_str(wire_in_string(&in, true), "hi");
    empty = wire_in_string(&in, true);
    assert_true(empty.p != NULL && empty.n == 0);
    assert_null(wire_in_string(&in, true).p);
    assert_true(in.wrong == NULL && in.p == in.end);
    arena_release(&arena);
}

static void check_lie(const char *hex, void (*read)(struct wire_in *in),
                      const char *expected)
{
    struct arena arena = {0};
    struct err err;
    struct str bytes = bytes_of(&arena, hex);
    char *copy = mem_alloc(bytes.n ? bytes.n : 1); // of exactly so many: ASan sees more
    memcpy(copy, bytes.p, bytes.n);
    struct wire_in in = wire_in_of((struct str){copy, bytes.n});
    read(&in);
    assert_status(wire_in_check(&in, "it", &err), ST_DATA);
    assert_string_equal(err.text, expected);
    free(copy);
    arena_release(&arena);
}

static void read_i32(struct wire_in *in)
{
    assert_int_equal(wire_in_i32(in), 0);
}

static void read_string(struct wire_in *in)
{
    assert_null(wire_in_string(in, false).p);
}

static void read_compact(struct wire_in *in)
{
    assert_null(wire_in_string(in, true).p);
}

static void read_array(struct wire_in *in)
{
    assert_int_equal(wire_in_array(in, false, 4), 0);
}

static void read_tags(struct wire_in *in)
{
    wire_in_skip_tags(in, true);
}

static void read_i8(struct wire_in *in)
{
    wire_in_i8(in);
}

static void test_bytes_that_lie_are_told_with_their_place(UNUSED void **state)
{
    check_lie("000000", read_i32, "it: more is announced than there is at byte 0 of 3");
    check_lie("000368", read_string,
              "it: more is announced than there is at byte 2 of 3");
    check_lie("fffe", read_string, "it: a length is negative at byte 2 of 2");
    check_lie("0468", read_compact, "it: more is announced than there is at byte 1 of 2");
    check_lie("ffffffffff", read_compact,
              "it: a number is longer than 32 bits at byte 5 of 5");
    check_lie("ffffffff1f", read_compact,
              "it: a number is longer than 32 bits at byte 5 of 5");
    check_lie("7fffffff", read_array,
              "it: more elements are announced than can follow at byte 4 of 4");
    check_lie("00000002000000010000", read_array,
              "it: more elements are announced than can follow at byte 4 of 10");
    check_lie("fffffffe", read_array, "it: a count is negative at byte 4 of 4");
    check_lie("020000", read_tags,
              "it: more tagged fields are announced than can follow at byte 1 of 3");
    check_lie("0100ff01", read_tags,
              "it: more is announced than there is at byte 4 of 4");
    check_lie("0102", read_i8, "it: bytes are left at byte 1 of 2");
}

// ---- headers and versions

static void test_request_headers(UNUSED void **state)
{
    struct buf out = {0};
    wire_request_begin(&out, WIRE_LIST_OFFSETS, 5, 7, STR_LITERAL("c"));
    wire_out_i8(&out, 1);
    wire_request_end(&out, 0);
    assert_hex(&out, "0000000c"
                     "0002"
                     "0005"
                     "00000007"
                     "000163"
                     "01");
    buf_clear(&out);
    wire_request_begin(&out, WIRE_FETCH, 12, 7, STR_LITERAL("c"));
    wire_request_end(&out, 0);
    assert_hex(&out, "0000000c"
                     "0001"
                     "000c"
                     "00000007"
                     "000163"
                     "00");
    buf_release(&out);
}

// Takes the header off; its correlation is 7.
static struct str body_of(struct arena *arena, const char *hex, enum wire_api api,
                          int16_t version)
{
    struct str body = bytes_of(arena, hex);
    int32_t correlation;
    struct err err;
    assert_ok(wire_response_begin(&body, api, version, &correlation, &err), &err);
    assert_int_equal(correlation, 7);
    return body;
}

static void test_versions_are_the_latest_of_both(UNUSED void **state)
{
    struct arena arena = {0};
    struct wire_versions versions;
    struct err err;
    assert_ok(
        wire_versions_read(body_of(&arena, captured_api_versions_0, WIRE_API_VERSIONS, 0),
                           &versions, &err),
        &err);
    assert_int_equal(versions.of[WIRE_FETCH], 12);
    assert_int_equal(versions.of[WIRE_LIST_OFFSETS], 5);
    assert_int_equal(versions.of[WIRE_METADATA], 12);
    assert_int_equal(versions.of[WIRE_OFFSET_COMMIT], 2);
    assert_int_equal(versions.of[WIRE_FIND_COORDINATOR], 2);
    // An old broker: Fetch 0 to 7; one of the future: Fetch from 13 on; Metadata missing.
    struct str old = bytes_of(&arena, "0000"
                                      "00000001"
                                      "000100000007");
    assert_ok(wire_versions_read(old, &versions, &err), &err);
    assert_int_equal(versions.of[WIRE_FETCH], 7);
    assert_int_equal(versions.of[WIRE_METADATA], -1);
    struct str late = bytes_of(&arena, "0000"
                                       "00000001"
                                       "0001000d0014");
    assert_ok(wire_versions_read(late, &versions, &err), &err);
    assert_int_equal(versions.of[WIRE_FETCH], -1);
    struct str refused = bytes_of(&arena, "0023"
                                          "00000000");
    assert_status(wire_versions_read(refused, &versions, &err), ST_RETRY);
    assert_string_equal(err.text, "ApiVersions: UNSUPPORTED_VERSION");
    struct str cut = bytes_of(&arena, "0000"
                                      "00000001"
                                      "0001");
    assert_status(wire_versions_read(cut, &versions, &err), ST_DATA);
    assert_string_equal(err.text, "ApiVersions: more elements are announced than can "
                                  "follow at byte 6 of 8");
    struct str short_header = bytes_of(&arena, "0000");
    int32_t correlation;
    assert_status(wire_response_begin(&short_header, WIRE_FETCH, 4, &correlation, &err),
                  ST_DATA);
    assert_string_equal(err.text,
                        "the header of an answer: more is announced than there is at "
                        "byte 0 of 2");
    arena_release(&arena);
}

// ---- metadata

static void test_metadata_of_all_formats(UNUSED void **state)
{
    static const struct {
        const char *hex;
        int16_t version;
        int32_t epoch;
    } cases[] = {{captured_metadata_4, 4, -1},
                 {captured_metadata_7, 7, 0},
                 {captured_metadata_12, 12, 0}};
    static const uint8_t none[WIRE_TOPIC_ID_BYTES];
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena arena = {0};
        struct wire_metadata metadata;
        struct err err;
        struct str body = body_of(&arena, cases[i].hex, WIRE_METADATA, cases[i].version);
        assert_ok(wire_metadata_read(body, cases[i].version, STR_LITERAL("cap-txn4"),
                                     &arena, &metadata, &err),
                  &err);
        assert_int_equal(metadata.n_brokers, 1);
        assert_int_equal(metadata.brokers[0].id, 1);
        assert_str(metadata.brokers[0].host, "127.0.0.1");
        assert_int_equal(metadata.brokers[0].port, 30944);
        assert_true(metadata.code == 0 && metadata.n_partitions == 1);
        assert_int_equal(metadata.partitions[0].number, 0);
        assert_int_equal(metadata.partitions[0].leader, 1);
        assert_int_equal(metadata.partitions[0].leader_epoch, cases[i].epoch);
        assert_int_equal(memcmp(metadata.topic_id, none, sizeof(none)) != 0,
                         cases[i].version >= 10);
        // Each byte less is an error.
        for (size_t n = 0; n < body.n; n++)
            assert_status(wire_metadata_read((struct str){body.p, n}, cases[i].version,
                                             STR_LITERAL("cap-txn4"), &arena, &metadata,
                                             &err),
                          ST_DATA);
        assert_ok(wire_metadata_read(body, cases[i].version, STR_LITERAL("other"), &arena,
                                     &metadata, &err),
                  &err);
        assert_int_equal(metadata.code, WIRE_UNKNOWN_TOPIC_OR_PARTITION);
        arena_release(&arena);
    }
}

static void test_metadata_requests(UNUSED void **state)
{
    struct buf out = {0};
    wire_metadata_ask(&out, 1, STR_LITERAL("t"));
    assert_hex(&out, "00000001"
                     "000174");
    buf_clear(&out);
    wire_metadata_ask(&out, 4, STR_LITERAL("t"));
    assert_hex(&out, "00000001"
                     "000174"
                     "00");
    buf_clear(&out);
    wire_metadata_ask(&out, 8, STR_LITERAL("t"));
    assert_hex(&out, "00000001"
                     "000174"
                     "00"
                     "00"
                     "00");
    buf_clear(&out);
    wire_metadata_ask(&out, 9, STR_LITERAL("t"));
    assert_hex(&out, "02"
                     "0274"
                     "00"
                     "00"
                     "00"
                     "00"
                     "00");
    buf_clear(&out);
    wire_metadata_ask(&out, 12, STR_LITERAL("t"));
    assert_hex(&out, "02"
                     "00000000000000000000000000000000"
                     "0274"
                     "00"
                     "00"
                     "00"
                     "00");
    buf_release(&out);
}

// ---- fetch

static void test_fetch_requests(UNUSED void **state)
{
    const struct wire_fetch fetch = {STR_LITERAL("t"), 200, 1000};
    const struct wire_fetch_partition partition = {3, 5, 77, 4, 500};
    static const struct {
        int16_t version;
        const char *hex;
    } cases[] = {
        {4, "ffffffff"
            "000000c8"
            "00000001"
            "000003e8"
            "01"
            "00000001"
            "000174"
            "00000001"
            "00000003"
            "000000000000004d"
            "000001f4"},
        {7, "ffffffff"
            "000000c8"
            "00000001"
            "000003e8"
            "01"
            "00000000"
            "ffffffff"
            "00000001"
            "000174"
            "00000001"
            "00000003"
            "000000000000004d"
            "ffffffffffffffff"
            "000001f4"
            "00000000"},
        {11, "ffffffff"
             "000000c8"
             "00000001"
             "000003e8"
             "01"
             "00000000"
             "ffffffff"
             "00000001"
             "000174"
             "00000001"
             "00000003"
             "00000005"
             "000000000000004d"
             "ffffffffffffffff"
             "000001f4"
             "00000000"
             "0000"},
        {12, "ffffffff"
             "000000c8"
             "00000001"
             "000003e8"
             "01"
             "00000000"
             "ffffffff"
             "02"
             "0274"
             "02"
             "00000003"
             "00000005"
             "000000000000004d"
             "00000004"
             "ffffffffffffffff"
             "000001f4"
             "00"
             "00"
             "01"
             "01"
             "00"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf out = {0};
        wire_fetch_begin(&out, cases[i].version, &fetch, 1);
        wire_fetch_add(&out, cases[i].version, &partition);
        wire_fetch_end(&out, cases[i].version);
        assert_hex(&out, cases[i].hex);
        buf_release(&out);
    }
}

static void check_fetched(const char *hex, int16_t version)
{
    struct arena arena = {0};
    struct wire_aborted aborted = {0};
    struct wire_fetched_in in;
    struct wire_fetched fetched;
    struct err err;
    struct str topic = STR_LITERAL("cap-txn4");
    struct str body = body_of(&arena, hex, WIRE_FETCH, version);
    wire_fetched_begin(&in, body, version);
    assert_true(wire_fetched_next(&in, topic, &fetched, &aborted));
    assert_true(in.throttle_ms == 0 && in.code == 0);
    assert_true(fetched.number == 0 && fetched.code == 0);
    assert_true(fetched.last_stable == 4 && fetched.truncated_to == -1);
    assert_int_equal(fetched.records.n, 301); // 73 + 78 + 72 + 78
    assert_int_equal(aborted.n, 1);
    assert_int_equal(aborted.items[0].producer, 0x22);
    assert_int_equal(aborted.items[0].first_offset, 2);
    assert_false(wire_fetched_next(&in, topic, &fetched, &aborted));
    assert_ok(wire_fetched_check(&in, &err), &err);
    for (size_t n = 0; n < body.n; n++) {
        wire_fetched_begin(&in, (struct str){body.p, n}, version);
        while (wire_fetched_next(&in, topic, &fetched, &aborted))
            ;
        assert_status(wire_fetched_check(&in, &err), ST_DATA);
    }
    wire_fetched_begin(&in, body, version);
    assert_false(wire_fetched_next(&in, STR_LITERAL("other"), &fetched, &aborted));
    assert_status(wire_fetched_check(&in, &err), ST_DATA);
    assert_non_null(strstr(err.text, "Fetch: another topic was asked for at byte "));
    wire_aborted_release(&aborted);
    arena_release(&arena);
}

static void test_fetch_of_all_formats(UNUSED void **state)
{
    check_fetched(captured_fetch_4, 4);
    check_fetched(captured_fetch_12, 12);
}

static void test_fetch_out_of_range(UNUSED void **state)
{
    struct arena arena = {0};
    struct wire_aborted aborted = {0};
    struct wire_fetched_in in;
    struct wire_fetched fetched;
    struct err err;
    struct str body = body_of(&arena, captured_fetch_11_out_of_range, WIRE_FETCH, 11);
    wire_fetched_begin(&in, body, 11);
    assert_true(wire_fetched_next(&in, STR_LITERAL("cap-txn4"), &fetched, &aborted));
    assert_int_equal(fetched.code, WIRE_OFFSET_OUT_OF_RANGE);
    assert_int_equal(fetched.last_stable, -1);
    assert_int_equal(fetched.records.n, 0);
    assert_false(wire_fetched_next(&in, STR_LITERAL("cap-txn4"), &fetched, &aborted));
    assert_ok(wire_fetched_check(&in, &err), &err);
    arena_release(&arena);
}

// FetchResponse.json, tag 0 of a partition: epoch 6 ends at offset 66; tag 1, the current
// leader, and a tag that nobody knows are passed.
static void test_fetch_tells_where_the_log_was_cut_back(UNUSED void **state)
{
    struct arena arena = {0};
    struct wire_aborted aborted = {0};
    struct wire_fetched_in in;
    struct wire_fetched fetched;
    struct err err;
    struct str body = bytes_of(&arena, "00000000"
                                       "0000"
                                       "00000000"
                                       "02"
                                       "0274"
                                       "02"
                                       "00000000"
                                       "0000"
                                       "0000000000000064"
                                       "0000000000000064"
                                       "0000000000000000"
                                       "00"
                                       "ffffffff"
                                       "00"
                                       "03"
                                       "000d"
                                       "00000006"
                                       "0000000000000042"
                                       "00"
                                       "0109"
                                       "00000002"
                                       "00000007"
                                       "00"
                                       "0902"
                                       "aabb"
                                       "00"
                                       "00");
    wire_fetched_begin(&in, body, 12);
    assert_true(wire_fetched_next(&in, STR_LITERAL("t"), &fetched, &aborted));
    assert_int_equal(fetched.truncated_to, 0x42);
    assert_false(wire_fetched_next(&in, STR_LITERAL("t"), &fetched, &aborted));
    assert_ok(wire_fetched_check(&in, &err), &err);
    arena_release(&arena);
}

// ---- offsets

static void test_list_offsets(UNUSED void **state)
{
    struct arena arena = {0};
    int16_t code;
    int64_t low = -1;
    struct err err;
    struct str body = body_of(&arena, captured_list_offsets_5, WIRE_LIST_OFFSETS, 5);
    assert_ok(wire_low_read(body, 5, 0, &code, &low, &err), &err);
    assert_true(code == 0 && low == 0);
    assert_ok(wire_low_read(body, 5, 1, &code, &low, &err), &err);
    assert_int_equal(code, WIRE_UNKNOWN_TOPIC_OR_PARTITION);
    for (size_t n = 0; n < body.n; n++)
        assert_status(wire_low_read((struct str){body.p, n}, 5, 0, &code, &low, &err),
                      ST_DATA);
    struct buf out = {0};
    wire_low_ask(&out, 1, STR_LITERAL("t"), 3, 5);
    assert_hex(&out, "ffffffff"
                     "00000001"
                     "000174"
                     "00000001"
                     "00000003"
                     "fffffffffffffffe");
    buf_clear(&out);
    wire_low_ask(&out, 5, STR_LITERAL("t"), 3, 5);
    assert_hex(&out, "ffffffff"
                     "01"
                     "00000001"
                     "000174"
                     "00000001"
                     "00000003"
                     "00000005"
                     "fffffffffffffffe");
    buf_release(&out);
    arena_release(&arena);
}

static void test_coordinator_and_commit(UNUSED void **state)
{
    struct arena arena = {0};
    struct wire_coordinator found;
    struct err err;
    int16_t code;
    struct str body =
        body_of(&arena, captured_find_coordinator_2, WIRE_FIND_COORDINATOR, 2);
    assert_ok(wire_coordinator_read(body, &found, &err), &err);
    assert_true(found.code == 0 && found.id == 1 && found.port == 30944);
    assert_str(found.host, "127.0.0.1");
    for (size_t n = 0; n < body.n; n++)
        assert_status(wire_coordinator_read((struct str){body.p, n}, &found, &err),
                      ST_DATA);
    struct buf out = {0};
    const struct stream_start next[] = {{0, 3}, {1, 4}};
    wire_coordinator_ask(&out, STR_LITERAL("g"));
    assert_hex(&out, "000167"
                     "00");
    buf_clear(&out);
    wire_commit_ask(&out, STR_LITERAL("g"), STR_LITERAL("t"), next, 2);
    assert_hex(&out, "000167"
                     "ffffffff"
                     "0000"
                     "ffffffffffffffff"
                     "00000001"
                     "000174"
                     "00000002"
                     "00000000"
                     "0000000000000003"
                     "0000"
                     "00000001"
                     "0000000000000004"
                     "0000");
    buf_release(&out);
    struct str answer = bytes_of(&arena, "00000001"
                                         "000174"
                                         "00000002"
                                         "000000000000"
                                         "000000010010");
    assert_ok(wire_commit_read(answer, &code, &err), &err);
    assert_int_equal(code, WIRE_NOT_COORDINATOR);
    arena_release(&arena);
}

static void test_errors_have_names(UNUSED void **state)
{
    assert_string_equal(wire_error_name(6).text, "NOT_LEADER_OR_FOLLOWER");
    assert_string_equal(wire_error_name(74).text, "FENCED_LEADER_EPOCH");
    assert_string_equal(wire_error_name(999).text, "error 999");
    assert_string_equal(wire_error_name(-1).text, "error -1");
}

#define CASE(test) cmocka_unit_test(test)

TEST_MAIN(CASE(test_numbers_are_big_endian), CASE(test_varints_have_seven_bits_a_byte),
          CASE(test_texts_and_null), CASE(test_bytes_that_lie_are_told_with_their_place),
          CASE(test_request_headers), CASE(test_versions_are_the_latest_of_both),
          CASE(test_metadata_of_all_formats), CASE(test_metadata_requests),
          CASE(test_fetch_requests), CASE(test_fetch_of_all_formats),
          CASE(test_fetch_out_of_range),
          CASE(test_fetch_tells_where_the_log_was_cut_back), CASE(test_list_offsets),
          CASE(test_coordinator_and_commit), CASE(test_errors_have_names))
