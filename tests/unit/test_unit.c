// SPDX-License-Identifier: Apache-2.0
// A unit as a value: what it says as JSON is, to the letter, what an entry says of the
// same work, and nothing is read that the program does not make.
#include "test.h"

#include "log/log_entry.h"
#include "log/unit.h"

#define WRITER "11111111-1111-4111-8111-111111111111"
#define OTHER  "22222222-2222-4222-8222-222222222222"
#define TMP    "_tramline/tmp/" WRITER "/" OTHER
#define SUM    "0123456789abcdef0123456789abcdef"
#define SPAN                                                                            \
    "{\"partition\":0,\"first\":100,\"next\":250,\"data\":148,\"skipped\":2,\"gap\":0," \
    "\"ignored\":1,\"rejected\":3,"                                                     \
    "\"last\":{\"offset\":249,\"time_ms\":-1,\"crc32c\":\"9ae0daaf\"}}"
#define NUMBERS   "\"rows\":1480,\"matched\":144,\"first_batch_ms\":5,\"last_batch_ms\":6"
#define FILE_HEAD "{\"kind\":\"data\",\"tmp\":\"" TMP "\""
#define FILE_TAIL "\"rows\":1480,\"bytes\":99999,\"checksum\":\"" SUM "\"}"

// After docs/commit-log.md.
static const char by_hand[] =
    "{\"writer\":\"" WRITER "\",\"dimension\":\"d\","
    "\"partitions\":[" SPAN "]," NUMBERS ",\"files\":[" FILE_HEAD "," FILE_TAIL "]}\n";

static void test_it_reads_and_writes_the_same(UNUSED void **state)
{
    struct unit unit;
    struct err err = {0};
    AUTO(buf_release) struct buf text = {0};
    assert_ok(unit_decode(str_of(by_hand), &unit, &err), &err);
    assert_str(unit.writer, WRITER);
    assert_str(unit.dimension, "d");
    assert_int_equal(unit.n_spans, 1);
    assert_int_equal(unit.spans[0].next, 250);
    assert_int_equal(unit.spans[0].last.crc32c, 0x9ae0daaf);
    assert_int_equal(unit.rows, 1480);
    assert_int_equal(unit.last_batch_ms, 6);
    assert_int_equal(unit.n_files, 1);
    assert_str(unit.files[0].tmp, TMP);
    assert_null(unit.files[0].name.p);
    unit_encode(&unit, &text);
    assert_string_equal(buf_cstr(&text), by_hand);
    unit_release(&unit);
}

// The text is a unit, which is written as the same text, or (`error`) refused with those
// words: false.
static bool is_read(struct buf *text, const char *error, struct unit *ret)
{
    struct err err = {0};
    AUTO(buf_release) struct buf again = {0};
    enum status rc = unit_decode(buf_as_str(text), ret, &err);
    if (error != NULL) {
        assert_status(rc, ST_DATA);
        assert_non_null(strstr(err.text, error));
        return false;
    }
    assert_ok(rc, &err);
    unit_encode(ret, &again);
    assert_string_equal(buf_cstr(&again), buf_cstr(text));
    return true;
}

// Why offsets were skipped stands there where it is known, and adds up.
static void test_what_was_skipped_is_accounted_for(UNUSED void **state)
{
    static const char format[] =
        "{\"writer\":\"" WRITER "\",\"dimension\":\"d\",\"partitions\":["
        "{\"partition\":0,\"first\":100,\"next\":250,\"data\":140,\"skipped\":10,"
        "\"gap\":3,%s\"ignored\":0,\"rejected\":0,"
        "\"last\":{\"offset\":249,\"time_ms\":-1,\"crc32c\":\"9ae0daaf\"}}]," NUMBERS
        ",\"files\":[" FILE_HEAD "," FILE_TAIL "]}\n";
    static const struct {
        const char *parts;
        bool is_good;
    } cases[] = {
        {"", true},
        {"\"control\":2,\"aborted\":4,\"hole\":1,", true},
        {"\"control\":0,\"aborted\":0,\"hole\":7,", true},
        {"\"control\":2,\"aborted\":4,\"hole\":2,", false},
        {"\"control\":10,\"aborted\":0,\"hole\":0,", false},
        {"\"control\":-1,\"aborted\":4,\"hole\":4,", false},
        {"\"control\":\"2\",\"aborted\":4,\"hole\":1,", false},
        {"\"control\":1000000000000000000,\"aborted\":1000000000000000000,"
         "\"hole\":1000000000000000000,",
         false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct unit unit;
        AUTO(buf_release) struct buf text = {0};
        buf_printf(&text, format, cases[i].parts);
        if (is_read(&text, cases[i].is_good ? NULL : "", &unit))
            unit_release(&unit);
    }
}

// The kind stands beside a checksum that is not HDFS's; a program that knows none refuses
// such a file by the number of its digits.
static void test_a_checksum_may_have_a_kind(UNUSED void **state)
{
    static const char head[] =
        "{\"writer\":\"" WRITER "\",\"dimension\":\"d\",\"partitions\":[" SPAN
        "]," NUMBERS ",\"files\":[" FILE_HEAD ",\"rows\":1480,\"bytes\":99999,";
    static const struct {
        const char *tail, *error; // NULL: it reads, and writes the same
    } cases[] = {
        {"\"checksum\":\"9ae0daaf\",\"checksum_kind\":\"crc32c\"}]}\n", NULL},
        {"\"checksum\":\"9ae0daaf\"}]}\n", "field 'checksum' is not hex digits"},
        {"\"checksum\":\"" SUM "\",\"checksum_kind\":\"crc32c\"}]}\n",
         "field 'checksum' is not hex digits"},
        {"\"checksum\":\"9ae0daaf\",\"checksum_kind\":\"crc64\"}]}\n",
         "field 'checksum_kind' is not a kind of checksum that this program knows"},
        {"\"checksum\":\"9ae0daaf\",\"checksum_kind\":7}]}\n",
         "field 'checksum_kind' is not a text"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct unit unit;
        AUTO(buf_release) struct buf text = {0};
        buf_printf(&text, "%s%s", head, cases[i].tail);
        if (!is_read(&text, cases[i].error, &unit))
            continue;
        assert_int_equal(unit.files[0].checksum.kind, CHECKSUM_CRC32C);
        unit_release(&unit);
    }
}

// A unit's topic by Kafka's id, and the leader's epoch before `next`: where they are
// known.
static void test_topic_ids_and_epochs(UNUSED void **state)
{
    static const char format[] =
        "{\"writer\":\"" WRITER "\",\"dimension\":\"d\",%s\"partitions\":["
        "{\"partition\":0,\"first\":100,\"next\":250,\"data\":150,\"skipped\":0,"
        "\"gap\":0,\"ignored\":0,\"rejected\":0,"
        "\"last\":{\"offset\":249,\"time_ms\":-1,\"crc32c\":\"9ae0daaf\"}%s}]," NUMBERS
        ",\"files\":[" FILE_HEAD "," FILE_TAIL "]}\n";
    static const struct {
        const char *id, *epoch, *error;
    } cases[] = {
        {"", "", NULL},
        {"\"topic_id\":\"NQ-gbGlzaEFydF8x-_abcA\",", ",\"epoch\":0", NULL},
        {"", ",\"epoch\":2147483647", NULL},
        {"", ",\"epoch\":2147483648",
         "'epoch' is not a whole number from 0 to 2147483647"},
        {"", ",\"epoch\":-1", "field 'epoch' is not a whole number from 0 to 10^18"},
        {"\"topic_id\":\"NQ-gbGlzaEFydF8x-_abc\",", "",
         "field 'topic_id' is not 22 characters of base 64"},
        {"\"topic_id\":\"NQ-gbGlzaEFydF8x+/abcA\",", "",
         "field 'topic_id' is not 22 characters of base 64"},
        {"\"topic_id\":7,", "", "field 'topic_id' is not a text"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct unit unit;
        AUTO(buf_release) struct buf text = {0};
        buf_printf(&text, format, cases[i].id, cases[i].epoch);
        if (!is_read(&text, cases[i].error, &unit))
            continue;
        assert_int_equal(unit.spans[0].epoch.is_known, cases[i].epoch[0] != '\0');
        unit_release(&unit);
    }
}

// An entry has the same fields, its file a name as well.
static void test_an_entry_says_the_same(UNUSED void **state)
{
    struct unit unit;
    struct err err = {0};
    AUTO(buf_release) struct buf text = {0};
    assert_ok(unit_decode(str_of(by_hand), &unit, &err), &err);
    unit.files[0].name = STR_LITERAL("part-00000000000000000007-0.csv");
    struct entry entry = {
        .number = 7,
        .kind = ENTRY_COMMIT,
        .prev = "00000000000000000000000000000000000000000000000000000000000000aa",
        .writer = unit.writer,
        .attempt = STR_LITERAL(OTHER),
        .worker = STR_LITERAL("w"),
        .job = {STR_LITERAL("c"), STR_LITERAL("t"), STR_LITERAL("g"), STR_LITERAL("n")},
        .plan = STR_LITERAL("p"),
        .schema = STR_LITERAL("s"),
        .dimension = unit.dimension,
        .spans = unit.spans,
        .n_spans = unit.n_spans,
        .rows = unit.rows,
        .matched = unit.matched,
        .first_batch_ms = unit.first_batch_ms,
        .last_batch_ms = unit.last_batch_ms,
        .files = unit.files,
        .n_files = unit.n_files,
    };
    assert_ok(entry_encode(&entry, &text, &err), &err);
    assert_non_null(strstr(
        buf_cstr(&text),
        "\"dimension\":\"d\",\"partitions\":[" SPAN "]," NUMBERS ",\"files\":[" FILE_HEAD
        ",\"name\":\"part-00000000000000000007-0.csv\"," FILE_TAIL "]}"));
    unit_release(&unit);
}

static void assert_refused(const char *from, const char *to, const char *why)
{
    char line[2048];
    struct unit unit;
    struct err err = {0};
    const char *place = strstr(by_hand, from);
    assert_non_null(place);
    snprintf(line, sizeof(line), "%.*s%s%s", (int)(place - by_hand), by_hand, to,
             place + strlen(from));
    assert_status(unit_decode(str_of(line), &unit, &err), ST_DATA);
    assert_string_equal(err.text, why);
}

static void test_what_nobody_makes_is_refused(UNUSED void **state)
{
    assert_refused("{\"writer\"", "\"writer\"",
                   "it is not JSON: '[' or '{' expected near '\"writer\"'");
    assert_refused("\"rows\":1480,\"matched\"", "\"rows\":-1,\"matched\"",
                   "field 'rows' is not a whole number from 0 to 10^18");
    assert_refused("\"dimension\":\"d\"", "\"dimension\":1",
                   "field 'dimension' is not a text");
    assert_refused("\"writer\":\"1", "\"writer\":\"g", "field 'writer' is not a UUID");
    assert_refused("\"data\":148", "\"data\":149",
                   "the counts of partition 0 do not add up");
    assert_refused("[" SPAN, "[" SPAN "," SPAN,
                   "field 'partition' has 0 behind 0, partitions rise");
    assert_refused("\"kind\":\"data\"", "\"kind\":\"day\"",
                   "field 'kind' is not 'data' or 'dead'");
    assert_refused("tmp/1", "tmp/../1",
                   "field 'tmp' of file 0 is '_tramline/tmp/../11111111-1111-4111-8111-"
                   "111111111111/22222222-2222-4222-8222-222222222222', not "
                   "_tramline/tmp/, its writer and a UUID");
}

TEST_MAIN(cmocka_unit_test(test_it_reads_and_writes_the_same),
          cmocka_unit_test(test_what_was_skipped_is_accounted_for),
          cmocka_unit_test(test_a_checksum_may_have_a_kind),
          cmocka_unit_test(test_topic_ids_and_epochs),
          cmocka_unit_test(test_an_entry_says_the_same),
          cmocka_unit_test(test_what_nobody_makes_is_refused))
