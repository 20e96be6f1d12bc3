// SPDX-License-Identifier: Apache-2.0
// Kafka's protocol as bytes: primitives by the protocol guide, requests by its schemas,
// answers as a real broker gave them (wire_captures.h), and bytes that lie.
#include "test.h"

#include "wire_captures.h"

#include "base/arena.h"
#include "wire/admin.h"
#include "wire/fetch.h"
#include "wire/metadata.h"
#include "wire/offsets.h"
#include "wire/sharing.h"

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
    assert_int_equal(versions.of[WIRE_FETCH_BY_ID], 13);
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
    assert_int_equal(versions.of[WIRE_FETCH_BY_ID], -1);
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

// Behind its end: nothing but the empty section that librdkafka's embedded broker
// doubles.
static void test_metadata_with_bytes_behind_it(UNUSED void **state)
{
    static const struct {
        const char *hex, *more;
        int16_t version;
        enum status status;
    } cases[] = {{captured_metadata_12, "00", 12, ST_OK},
                 {captured_metadata_12, "01", 12, ST_DATA},
                 {captured_metadata_12, "0000", 12, ST_DATA},
                 {captured_metadata_7, "00", 7, ST_DATA}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena arena = {0};
        struct wire_metadata metadata;
        struct err err;
        const char *hex = arena_printf(&arena, "%s%s", cases[i].hex, cases[i].more);
        struct str body = body_of(&arena, hex, WIRE_METADATA, cases[i].version);
        assert_status(wire_metadata_read(body, cases[i].version, STR_LITERAL("cap-txn4"),
                                         &arena, &metadata, &err),
                      cases[i].status);
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

// Replica, wait, least and most bytes, isolation.
#define FETCH_HEAD \
    "ffffffff"     \
    "000000c8"     \
    "00000001"     \
    "000003e8"     \
    "01"
#define NO_SESSION \
    "00000000"     \
    "ffffffff"
// From the number of partitions on.
#define FETCH_TAIL_12  \
    "02"               \
    "00000003"         \
    "00000005"         \
    "000000000000004d" \
    "00000004"         \
    "ffffffffffffffff" \
    "000001f4"         \
    "00"               \
    "00"               \
    "01"               \
    "01"               \
    "00"

static void test_fetch_requests(UNUSED void **state)
{
    struct wire_fetch fetch = {STR_LITERAL("t"), 200, 1000};
    const struct wire_fetch_partition partition = {3, 5, 77, 4, 500};
    static const struct {
        int16_t version;
        const char *hex;
    } cases[] = {
        {4, FETCH_HEAD "00000001"
                       "000174"
                       "00000001"
                       "00000003"
                       "000000000000004d"
                       "000001f4"},
        {7, FETCH_HEAD NO_SESSION "00000001"
                                  "000174"
                                  "00000001"
                                  "00000003"
                                  "000000000000004d"
                                  "ffffffffffffffff"
                                  "000001f4"
                                  "00000000"},
        {11, FETCH_HEAD NO_SESSION "00000001"
                                   "000174"
                                   "00000001"
                                   "00000003"
                                   "00000005"
                                   "000000000000004d"
                                   "ffffffffffffffff"
                                   "000001f4"
                                   "00000000"
                                   "0000"},
        {12, FETCH_HEAD NO_SESSION "02"
                                   "0274" FETCH_TAIL_12},
        // By hand after FetchRequest.json: as 12, with an id of 16 bytes, not a name.
        {13, FETCH_HEAD NO_SESSION "02"
                                   "30313233343536373839616263646566" FETCH_TAIL_12},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf out = {0};
        if (cases[i].version == 13)
            fetch.topic = STR_LITERAL("0123456789abcdef");
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
    const struct stream_start next[] = {{.partition = 0, .offset = 3},
                                        {.partition = 1, .offset = 4}};
    wire_coordinator_ask(&out, STR_LITERAL("g"));
    assert_hex(&out, "000167"
                     "00");
    buf_clear(&out);
    const struct wire_identity nobody = {
        .group = STR_LITERAL("g"), .member = STR_LITERAL(""), .generation = -1};
    wire_commit_ask(&out, &nobody, STR_LITERAL("t"), next, 2);
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

// ---- groups: requests by the message definitions of Kafka 4.1

static const struct wire_identity member = {
    .group = {"g", 1}, .member = {"m", 1}, .instance = {"i", 1}, .generation = 7};

static void test_join_requests(UNUSED void **state)
{
    const struct wire_join join = {.identity = member,
                                   .session_ms = 6000,
                                   .rebalance_ms = 300000,
                                   .protocol = WIRE_RANGE,
                                   .subscription = STR_LITERAL("xyz")};
    struct buf out = {0};
    wire_join_ask(&out, 2, &join);
    assert_hex(&out, "000167"
                     "00001770"
                     "000493e0"
                     "00016d"
                     "0008636f6e73756d6572"
                     "00000001"
                     "000572616e6765"
                     "00000003"
                     "78797a");
    buf_clear(&out);
    wire_join_ask(&out, 5, &join);
    assert_hex(&out, "000167"
                     "00001770"
                     "000493e0"
                     "00016d"
                     "000169"
                     "0008636f6e73756d6572"
                     "00000001"
                     "000572616e6765"
                     "00000003"
                     "78797a");
    buf_clear(&out);
    wire_join_ask(&out, 9, &join);
    assert_hex(&out, "0267"
                     "00001770"
                     "000493e0"
                     "026d"
                     "0269"
                     "09636f6e73756d6572"
                     "02"
                     "0672616e6765"
                     "0478797a"
                     "00"
                     "00"
                     "00");
    buf_release(&out);
}

static void test_sync_requests(UNUSED void **state)
{
    const struct wire_given given = {STR_LITERAL("m"), STR_LITERAL("ab")};
    struct buf out = {0};
    wire_sync_ask(&out, 1, &member, WIRE_RANGE, &given, 1);
    assert_hex(&out, "000167"
                     "00000007"
                     "00016d"
                     "00000001"
                     "00016d"
                     "00000002"
                     "6162");
    buf_clear(&out);
    wire_sync_ask(&out, 5, &member, WIRE_RANGE, NULL, 0);
    assert_hex(&out, "0267"
                     "00000007"
                     "026d"
                     "0269"
                     "09636f6e73756d6572"
                     "0672616e6765"
                     "01"
                     "00");
    buf_release(&out);
}

static void test_small_requests_of_members(UNUSED void **state)
{
    struct buf out = {0};
    wire_heartbeat_ask(&out, 1, &member);
    assert_hex(&out, "000167"
                     "00000007"
                     "00016d");
    buf_clear(&out);
    wire_heartbeat_ask(&out, 4, &member);
    assert_hex(&out, "0267"
                     "00000007"
                     "026d"
                     "0269"
                     "00");
    buf_clear(&out);
    wire_leave_ask(&out, 1, &member);
    assert_hex(&out, "000167"
                     "00016d");
    buf_clear(&out);
    wire_leave_ask(&out, 3, &member);
    assert_hex(&out, "000167"
                     "00000001"
                     "00016d"
                     "000169");
    buf_clear(&out);
    wire_leave_ask(&out, 5, &member);
    assert_hex(&out, "0267"
                     "02"
                     "026d"
                     "0269"
                     "00"
                     "00"
                     "00");
    buf_clear(&out);
    wire_group_ask(&out, 4, STR_LITERAL("g"));
    assert_hex(&out, "00000001"
                     "000167"
                     "00");
    buf_release(&out);
}

static void test_answers_to_members(UNUSED void **state)
{
    static const char joined_9[] = "00000000"
                                   "0000"
                                   "00000003"
                                   "09636f6e73756d6572"
                                   "0672616e6765"
                                   "026d"
                                   "01"
                                   "026d"
                                   "03"
                                   "026d"
                                   "0269"
                                   "0478797a"
                                   "00"
                                   "026e"
                                   "00"
                                   "0141"
                                   "00"
                                   "00";
    static const char cut[] = "00000000"
                              "0000"
                              "00000003"
                              "000572616e6765"
                              "00016d"
                              "00016d"
                              "00000001"
                              "00016d"
                              "00000003"
                              "7879";
    struct arena arena = {0};
    struct wire_joined joined;
    struct wire_group_seen seen;
    AUTO(buf_release) struct buf names = {0};
    struct str bytes;
    struct err err;
    int16_t code;
    // An empty byte string follows the second member's absent instance.
    struct str answer = bytes_of(&arena, joined_9);
    assert_status(wire_join_read(answer, 9, &arena, &joined, &err), ST_DATA);
    answer = bytes_of(&arena, "00000000"
                              "0000"
                              "00000003"
                              "09636f6e73756d6572"
                              "0672616e6765"
                              "026d"
                              "01"
                              "026d"
                              "03"
                              "026d"
                              "0269"
                              "0478797a"
                              "00"
                              "026e"
                              "00"
                              "01"
                              "00"
                              "00");
    assert_ok(wire_join_read(answer, 9, &arena, &joined, &err), &err);
    assert_true(joined.code == 0 && joined.generation == 3 && joined.is_skipped &&
                joined.n == 2);
    assert_str(joined.leader, "m");
    assert_str(joined.members[0].instance, "i");
    assert_str(joined.members[0].subscription, "xyz");
    assert_null(joined.members[1].instance.p);
    assert_status(wire_join_read(bytes_of(&arena, cut), 2, &arena, &joined, &err),
                  ST_DATA);
    answer = bytes_of(&arena, "00000000"
                              "001b"
                              "00000002"
                              "6162");
    assert_ok(wire_sync_read(answer, 3, &code, &bytes, &err), &err);
    assert_int_equal(code, WIRE_REBALANCE_IN_PROGRESS);
    assert_str(bytes, "ab");
    answer = bytes_of(&arena, "00000000"
                              "0019"
                              "00");
    assert_ok(wire_heartbeat_read(answer, 4, &code, &err), &err);
    assert_int_equal(code, WIRE_UNKNOWN_MEMBER_ID);
    answer = bytes_of(&arena, "00000000"
                              "00000001"
                              "0000"
                              "000167"
                              "0006537461626c65"
                              "0008636f6e73756d6572"
                              "000572616e6765"
                              "00000001"
                              "00016d"
                              "ffff"
                              "000163"
                              "000168"
                              "00000000"
                              "00000000"
                              "80000000");
    assert_ok(wire_group_read(answer, 4, &seen, &names, &err), &err);
    assert_true(seen.code == 0 && seen.members == 1);
    assert_str(seen.state, "Stable");
    assert_str(buf_as_str(&names), "c at h");
    arena_release(&arena);
}

// ---- sharing out

// Of each member, the topics with their partitions: "t0:0,1 t1:0".
static void check_shares(const char *const *ids, const char *const *topics, size_t n,
                         const char *const *expected)
{
    struct arena arena = {0};
    struct err err;
    struct wire_sharing sharing;
    struct wire_joined joined = {.n = n};
    joined.members = arena_array(&arena, n, sizeof(*joined.members));
    for (size_t i = 0; i < n; i++) {
        struct buf wish = {0};
        size_t n_topics = strlen(topics[i]);
        wire_out_i16(&wish, 3); // of a newer client: more follows
        wire_out_array(&wish, false, n_topics);
        for (size_t t = 0; t < n_topics; t++)
            wire_out_string(&wish, false, (struct str){topics[i] + t, 1});
        wire_out_bytes(&wish, false, (struct str){0});
        buf_text(&wish, "more");
        joined.members[i].id = str_of(ids[i]);
        if (ids[i][0] == 's') // a static one, by its instance
            joined.members[i].instance = str_of(ids[i]);
        joined.members[i].subscription = arena_str(&arena, buf_as_str(&wish));
        buf_release(&wish);
    }
    assert_ok(wire_sharing_begin(&joined, &arena, &sharing, &err), &err);
    for (size_t t = 0; t < sharing.n_topics; t++) // "3" has three partitions
        sharing.topics[t].n_partitions = sharing.topics[t].name.p[0] - '0';
    const struct wire_given *given = wire_share(&sharing, 3, &arena);
    for (size_t i = 0; i < n; i++) {
        struct buf text = {0};
        struct wire_assignment assignment;
        for (size_t t = 0; t < sharing.n_topics; t++) {
            assert_ok(wire_assignment_read(given[i].assignment, sharing.topics[t].name,
                                           &arena, &assignment, &err),
                      &err);
            assert_int_equal(assignment.n_known, 3);
            for (size_t p = 0; p < assignment.n; p++)
                buf_printf(&text, "%.*s/%d ", STR_ARGS(sharing.topics[t].name),
                           (int)assignment.partitions[p]);
        }
        buf_printf(&text, "of %.*s", STR_ARGS(given[i].member));
        assert_str(buf_as_str(&text), expected[i]);
        buf_release(&text);
    }
    arena_release(&arena);
}

// The example of Kafka's RangeAssignor: two consumers, two topics of three partitions.
static void test_range_is_that_of_kafka(UNUSED void **state)
{
    const char *two[] = {"C1", "C0"}, *both[] = {"3", "3"};
    const char *shares[] = {"3/0 3/1 of C0", "3/2 of C1"};
    check_shares(two, both, 2, shares);
    const char *others[] = {"35", "5"};
    const char *apart[] = {"5/0 5/1 5/2 of C0", "3/0 3/1 3/2 5/3 5/4 of C1"};
    check_shares(two, others, 2, apart);
    const char *four[] = {"b", "a", "s2", "s1"}, *all[] = {"3", "3", "3", "3"};
    const char *statics_first[] = {"3/0 of s1", "3/1 of s2", "3/2 of a", "of b"};
    check_shares(four, all, 4, statics_first);
    const char *gone[] = {"0", "0"}, *nothing[] = {"of C0", "of C1"};
    check_shares(two, gone, 2, nothing);
}

static void test_shares_as_bytes(UNUSED void **state)
{
    struct arena arena = {0};
    struct buf out = {0};
    struct wire_assignment assignment;
    struct err err;
    wire_subscription_put(&out, STR_LITERAL("t"));
    assert_hex(&out, "0000"
                     "00000001"
                     "000174"
                     "ffffffff"); // as librdkafka 2.0 writes it
    buf_release(&out);
    // Of a leader that gives a partition twice, and says nothing of their number.
    struct str bytes = bytes_of(&arena, "0001"
                                        "00000002"
                                        "000174"
                                        "00000003"
                                        "00000005"
                                        "00000002"
                                        "00000005"
                                        "000175"
                                        "00000001"
                                        "00000001"
                                        "ffffffff");
    assert_ok(wire_assignment_read(bytes, STR_LITERAL("t"), &arena, &assignment, &err),
              &err);
    assert_true(assignment.n == 2 && assignment.n_known == -1);
    assert_true(assignment.partitions[0] == 2 && assignment.partitions[1] == 5);
    assert_ok(wire_assignment_read((struct str){"", 0}, STR_LITERAL("t"), &arena,
                                   &assignment, &err),
              &err);
    assert_int_equal(assignment.n, 0);
    for (size_t n = 1; n < bytes.n; n++)
        assert_status(wire_assignment_read((struct str){bytes.p, n}, STR_LITERAL("t"),
                                           &arena, &assignment, &err),
                      ST_DATA);
    arena_release(&arena);
}

static void check_wish(struct str wish, enum status expected, const char *text)
{
    struct arena arena = {0};
    struct wire_joined_member one = {.id = STR_LITERAL("m"), .subscription = wish};
    const struct wire_joined joined = {.members = &one, .n = 1};
    struct wire_sharing sharing;
    struct err err;
    assert_status(wire_sharing_begin(&joined, &arena, &sharing, &err), expected);
    assert_string_equal(err.text, text);
    arena_release(&arena);
}

static void check_gift(const char *hex, const char *text)
{
    struct arena arena = {0};
    struct wire_assignment assignment;
    struct err err;
    assert_status(wire_assignment_read(bytes_of(&arena, hex), STR_LITERAL("t"), &arena,
                                       &assignment, &err),
                  ST_DATA);
    assert_string_equal(err.text, text);
    arena_release(&arena);
}

// A wish of a thousand topics.
static void put_many(struct buf *many, int n)
{
    wire_out_i16(many, 0);
    wire_out_array(many, false, (size_t)n);
    for (int i = 0; i < n; i++) {
        wire_out_i16(many, 4);
        buf_printf(many, "%04d", i);
    }
    wire_out_bytes(many, false, (struct str){0});
}

// Each of whom might want each topic.
static void test_members_beyond_every_group(UNUSED void **state)
{
    enum {
        MEMBERS = 1001
    };
    struct arena arena = {0};
    struct buf all = {0};
    struct wire_joined_member *members = arena_array(&arena, MEMBERS, sizeof(*members));
    struct wire_joined joined = {.members = members, .n = MEMBERS};
    struct wire_sharing sharing;
    struct err err;
    put_many(&all, 1000);
    struct str none = bytes_of(&arena, "000000000000ffffffff");
    for (int i = 0; i < MEMBERS; i++)
        members[i].subscription = i == 0 ? buf_as_str(&all) : none;
    assert_status(wire_sharing_begin(&joined, &arena, &sharing, &err), ST_LIMIT);
    assert_string_equal(err.text, "its members want 1000 topics; at most 999 are shared");
    joined.n = 1000;
    assert_ok(wire_sharing_begin(&joined, &arena, &sharing, &err), &err);
    buf_release(&all);
    arena_release(&arena);
}

static void test_members_and_leaders_that_lie(UNUSED void **state)
{
    struct arena arena = {0};
    struct buf many = {0};
    check_wish(bytes_of(&arena, "ffff"), ST_DATA,
               "a member's subscription: a version below 0 at byte 2 of 2");
    check_gift("ffff", "what the group's leader gives: a version below 0 at byte 2 of 2");
    check_gift("0000"
               "00000001"
               "000174"
               "00000001"
               "ffffffff"
               "ffffffff",
               "what the group's leader gives: a partition below 0 at byte 17 of 21");
    put_many(&many, 1001);
    check_wish(buf_as_str(&many), ST_LIMIT,
               "its members want 1001 topics; at most 1000 are shared");
    buf_release(&many);
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

TEST_MAIN(CASE(test_join_requests), CASE(test_sync_requests),
          CASE(test_small_requests_of_members), CASE(test_answers_to_members),
          CASE(test_range_is_that_of_kafka), CASE(test_shares_as_bytes),
          CASE(test_members_beyond_every_group), CASE(test_members_and_leaders_that_lie),
          CASE(test_numbers_are_big_endian), CASE(test_varints_have_seven_bits_a_byte),
          CASE(test_texts_and_null), CASE(test_bytes_that_lie_are_told_with_their_place),
          CASE(test_request_headers), CASE(test_versions_are_the_latest_of_both),
          CASE(test_metadata_of_all_formats), CASE(test_metadata_with_bytes_behind_it),
          CASE(test_metadata_requests), CASE(test_fetch_requests),
          CASE(test_fetch_of_all_formats), CASE(test_fetch_out_of_range),
          CASE(test_fetch_tells_where_the_log_was_cut_back), CASE(test_list_offsets),
          CASE(test_coordinator_and_commit), CASE(test_errors_have_names))
