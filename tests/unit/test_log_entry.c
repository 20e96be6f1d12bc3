// SPDX-License-Identifier: Apache-2.0
#include "test.h"

#include "log/log_entry.h"
#include "log/paths.h"

#define WRITER "11111111-1111-4111-8111-111111111111"
#define OTHER  "22222222-2222-4222-8222-222222222222"
#define PART   "part-00000000000000000007-0.csv"

// Made by hand after docs/commit-log.md; its checksum by sha256sum over these bytes with
// 64 zeros in its place.
static const char by_hand[] =
    "{\"format\":1,"
    "\"checksum\":\"CHECKSUM\","
    "\"prev\":\"00000000000000000000000000000000000000000000000000000000000000aa\","
    "\"number\":7,\"kind\":\"commit\",\"writer\":\"" WRITER "\",\"attempt\":\"" OTHER
    "\","
    "\"worker\":\"host/1/0\",\"time_ms\":1790000000000,"
    "\"job\":{\"cluster\":\"c\",\"topic\":\"stop_times\",\"group\":\"g\",\"name\":\"n\"},"
    "\"plan\":\"p\",\"schema\":\"trip_id TEXT\",\"dimension\":\"d\","
    "\"partitions\":[{\"partition\":0,\"first\":100,\"next\":250,\"data\":148,"
    "\"skipped\":2,\"gap\":0,\"ignored\":1,\"rejected\":3,"
    "\"last\":{\"offset\":249,\"time_ms\":-1,\"crc32c\":\"9ae0daaf\"}}],"
    "\"rows\":1480,\"matched\":144,\"first_batch_ms\":5,\"last_batch_ms\":6,"
    "\"files\":[{\"kind\":\"data\",\"tmp\":\"_tramline/tmp/" WRITER "/" OTHER
    "\",\"name\":\"" PART "\","
    "\"rows\":1480,\"bytes\":99999,\"checksum\":\"0123456789abcdef0123456789abcdef\"}],"
    "\"snapshot\":{\"partitions\":[{\"partition\":0,\"next\":100,\"writer\":\"" WRITER
    "\"}],\"pending\":[5],\"writers\":[\"" WRITER
    "\"]},\"later\":\"unknown fields are ignored\"}\n";

static struct str with_checksum(char *text, const char *checksum)
{
    char *place = strstr(text, "CHECKSUM");
    memmove(place + 64, place + 8, strlen(place + 8) + 1);
    memcpy(place, checksum, 64);
    return str_of(text);
}

static enum status decode_by_hand(const char *checksum, const char *from, const char *to,
                                  struct arena *arena, struct entry *entry,
                                  struct err *err)
{
    char text[4096];
    snprintf(text, sizeof(text), "%s", by_hand);
    char *place = from ? strstr(text, from) : NULL;
    if (place != NULL)
        memcpy(place, to, strlen(to));
    return entry_decode(with_checksum(text, checksum), arena, entry, err);
}

static const char good_checksum[] =
    "c7ccb8f95a20a48c9b3fb99051c8f47952d631e1bfec02f9db44df56940860a4";

static void test_an_entry_made_by_hand_reads(UNUSED void **state)
{
    struct arena arena = {0};
    struct entry entry;
    struct err err = {0};
    assert_ok(decode_by_hand(good_checksum, NULL, NULL, &arena, &entry, &err), &err);
    assert_int_equal(entry.number, 7);
    assert_int_equal(entry.kind, ENTRY_COMMIT);
    assert_int_equal(entry.n_spans, 1);
    assert_int_equal(entry.spans[0].next, 250);
    assert_int_equal(entry.spans[0].last.crc32c, 0x9ae0daaf);
    assert_int_equal(entry.spans[0].last.time_ms, -1);
    assert_str(entry.files[0].name, PART);
    assert_int_equal(entry.snapshot.pending[0], 5);
    assert_int_equal(entry.snapshot.partitions[0].last.offset, -1);
    assert_str(entry.snapshot.writers[0], WRITER);
    arena_release(&arena);
}

static void test_a_changed_byte_shows(UNUSED void **state)
{
    struct arena arena = {0};
    struct entry entry;
    struct err err;
    assert_status(decode_by_hand(good_checksum, "1480", "1481", &arena, &entry, &err),
                  ST_DATA);
    assert_string_equal(err.text, "its checksum is not that of its bytes");
    arena_release(&arena);
}

static void test_what_is_missing_is_named(UNUSED void **state)
{
    struct arena arena = {0};
    struct entry entry;
    struct err err;
    assert_status(
        decode_by_hand(good_checksum, "\"first\"", "\"fIrst\"", &arena, &entry, &err),
        ST_DATA);
    assert_string_equal(err.text, "field 'first' is not a whole number from 0 to 10^18");
    assert_status(decode_by_hand(good_checksum, "\"format\":1", "\"format\":9", &arena,
                                 &entry, &err),
                  ST_DATA);
    assert_string_equal(err.text, "format 9; this version of the program reads format 1");
    assert_status(entry_decode(STR_LITERAL("[]"), &arena, &entry, &err), ST_DATA);
    arena_release(&arena);
}

// Each is changed into something of the same length.
static void test_each_wrong_field_is_named(UNUSED void **state)
{
    static const struct {
        const char *from, *to, *text;
    } cases[] = {
        {"\"writer\":\"", "\"writEr\":\"", "field 'writer' is not a text"},
        {"\"time_ms\":-1", "\"time_ms\":{}", "field 'time_ms' is not a whole number"},
        {"\"partition\":0,\"first\"", "\"partition\":X,\"first\"",
         "it is not JSON: invalid token near 'X'"},
        {"\"files\":[", "\"fIles\":[", "field 'files' is not an array"},
        {"9ae0daaf", "9AE0DAAF", "field 'crc32c' is not hex digits"},
        {"\"kind\":\"data\"", "\"kind\":\"junk\"",
         "field 'kind' is not 'data' or 'dead'"},
        {"\"pending\":[5],\"wri", "\"pending\":[{}],\"wr",
         "field 'pending' is not an array of numbers"},
        {"\"pending\":[5]", "\"pending\":\"x\"", "field 'pending' is not an array"},
        {"\"writers\":[\"" WRITER "\"]",
         "\"writers\":[                                     7]",
         "field 'writers' is not an array of texts"},
        {"\"kind\":\"commit\"", "\"kind\":\"commIt\"",
         "field 'kind' is not 'job', 'claim', 'commit' or 'replay'"},
    };
    struct arena arena = {0};
    struct entry entry;
    struct err err;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_status(decode_by_hand(good_checksum, cases[i].from, cases[i].to, &arena,
                                     &entry, &err),
                      ST_DATA);
        assert_string_equal(err.text, cases[i].text);
    }
    arena_release(&arena);
}

static void test_what_is_written_reads_back(UNUSED void **state)
{
    struct arena arena = {0};
    struct buf first = {0}, second = {0};
    struct entry entry;
    struct err err = {0};
    assert_ok(decode_by_hand(good_checksum, NULL, NULL, &arena, &entry, &err), &err);
    assert_ok(entry_encode(&entry, &first, &err), &err);
    struct entry again;
    assert_ok(entry_decode(buf_as_str(&first), &arena, &again, &err), &err);
    assert_string_equal(again.checksum, entry.checksum);
    assert_ok(entry_encode(&again, &second, &err), &err);
    assert_true(str_eq(buf_as_str(&first), buf_as_str(&second)));
    assert_non_null(strstr(buf_cstr(&first), "\"gap\":0,\"ignored\":1,\"rejected\":3"));
    buf_release(&first);
    buf_release(&second);
    arena_release(&arena);
}

static void test_the_format_of_files_reads_back(UNUSED void **state)
{
    AUTO(arena_release) struct arena arena = {0};
    AUTO(buf_release) struct buf bytes = {0};
    struct file_option options[] = {{STR_LITERAL("header"), STR_LITERAL("false")},
                                    {STR_LITERAL("x"), STR_LITERAL("")}};
    struct entry entry = {.writer = STR_LITERAL(WRITER),
                          .attempt = STR_LITERAL(OTHER),
                          .format = {STR_LITERAL("csv"), options, 2}},
                 again;
    struct err err;
    assert_ok(entry_encode(&entry, &bytes, &err), &err);
    assert_non_null(strstr(buf_cstr(&bytes),
                           "\"files_format\":{\"name\":\"csv\",\"options\":{\"header\":"
                           "\"false\",\"x\":\"\"}}"));
    assert_ok(entry_decode(buf_as_str(&bytes), &arena, &again, &err), &err);
    assert_true(file_format_eq(&again.format, &entry.format));
    entry.format.name = STR_LITERAL("\xFF");
    assert_status(entry_encode(&entry, &bytes, &err), ST_FAIL);
}

static void assert_script(const struct job_script *script)
{
    assert_true(script->is_known);
    assert_str(script->query, "INSERT INTO r\nSELECT 'é'\nFROM s;\n");
    assert_int_equal(script->n_options, 4);
    assert_str(script->options[0].table, "");
    assert_str(script->options[0].name, "commit.rows");
    assert_str(script->options[0].value, "7");
    const struct str table = STR_LITERAL("SET \"x\"");
    assert_str(job_script_find(script, table, STR_LITERAL("path"))->value, "");
    assert_null(
        job_script_find(script, table, STR_LITERAL("registry.password"))->value.p);
    assert_null(job_script_find(script, table, STR_LITERAL("commit.rows")));
}

// In a claim, and in a snapshot with the entry and the hash.
static void test_a_script_reads_back(UNUSED void **state)
{
    AUTO(arena_release) struct arena arena = {0};
    AUTO(buf_release) struct buf bytes = {0};
    const struct str table = STR_LITERAL("SET \"x\"");
    struct script_option options[] = {
        {{0}, STR_LITERAL("commit.rows"), STR_LITERAL("7")},
        {table, STR_LITERAL("path"), STR_LITERAL("")},
        {table, STR_LITERAL("registry.password"), {0}},
        {STR_LITERAL("t"), STR_LITERAL("path"), STR_LITERAL("/t")},
    };
    const struct job_script script = {
        .is_known = true,
        .entry = 2,
        .plan = STR_LITERAL("abc"),
        .query = STR_LITERAL("INSERT INTO r\nSELECT 'é'\nFROM s;\n"),
        .options = options,
        .n_options = ARRAY_LEN(options),
    };
    struct entry entry = {.number = 3,
                          .kind = ENTRY_CLAIM,
                          .writer = STR_LITERAL(WRITER),
                          .attempt = STR_LITERAL(OTHER),
                          .script = script,
                          .has_snapshot = true,
                          .snapshot = {.script = script}},
                 again;
    struct err err;
    memset(entry.prev, 'a', SHA256_HEX - 1);
    assert_ok(entry_encode(&entry, &bytes, &err), &err);
    assert_non_null(
        strstr(buf_cstr(&bytes),
               "\"set\":{\"commit.rows\":\"7\"},\"with\":{\"SET \\\"x\\\"\":{\"path\":"
               "\"\",\"registry.password\":null},\"t\":{\"path\":\"/t\"}}"));
    assert_ok(entry_decode(buf_as_str(&bytes), &arena, &again, &err), &err);
    assert_script(&again.script);
    assert_script(&again.snapshot.script);
    assert_int_equal(again.snapshot.script.entry, 2);
    assert_str(again.snapshot.script.plan, "abc");
    entry.snapshot.script.entry = 3;
    assert_status(entry_encode(&entry, &bytes, &err), ST_FAIL);
    assert_string_equal(err.text, "entry 3 is not published, since nobody could read it: "
                                  "field 'script' is of entry 3, not of one before this");
}

static void test_a_script_has_an_end(UNUSED void **state)
{
    AUTO(buf_release) struct buf bytes = {0};
    struct script_option *options = mem_array(SCRIPT_OPTIONS_MAX + 1, sizeof(*options));
    struct entry entry = {.writer = STR_LITERAL(WRITER), .attempt = STR_LITERAL(OTHER)};
    struct err err;
    for (size_t i = 0; i <= SCRIPT_OPTIONS_MAX; i++)
        options[i].name = str_of(mem_printf("o%zu", i));
    entry.script = (struct job_script){
        .is_known = true, .options = options, .n_options = SCRIPT_OPTIONS_MAX};
    assert_ok(entry_encode(&entry, &bytes, &err), &err);
    entry.script.n_options++;
    assert_status(entry_encode(&entry, &bytes, &err), ST_FAIL);
    assert_string_equal(err.text, "entry 0 is not published, since nobody could read it: "
                                  "field 'script' is not of at most 10000 options");
    for (size_t i = 0; i <= SCRIPT_OPTIONS_MAX; i++)
        free((char *)options[i].name.p);
    free(options);
}

// Each text that comes from outside, in turn; and what else no reader would take.
static void test_what_nobody_could_read_is_not_written(UNUSED void **state)
{
    const struct str latin1 = STR_LITERAL("caf\xE9");
    struct str writers[] = {STR_LITERAL(WRITER), latin1};
    struct entry_file file = {.tmp = STR_LITERAL("tmp/a"), .name = latin1};
    memset(file.checksum.hex, 'a', CHECKSUM_HEX - 1);
    const struct entry good = {.writer = STR_LITERAL(WRITER),
                               .attempt = STR_LITERAL(OTHER)};
    struct entry entries[12];
    for (size_t i = 0; i < ARRAY_LEN(entries); i++)
        entries[i] = good;
    entries[0].worker = latin1;
    entries[1].job.cluster = latin1;
    entries[2].job.topic = latin1;
    entries[3].job.group = latin1;
    entries[4].job.name = latin1;
    entries[5].plan = latin1;
    entries[6].schema = latin1;
    entries[7].dimension = (struct str){"a\0b", 3};
    entries[8].files = &file;
    entries[8].n_files = 1;
    entries[9].has_snapshot = true;
    entries[9].snapshot = (struct snapshot){.writers = writers, .n_writers = 2};
    entries[10].time_ms = -1; // a clock before 1970
    entries[11].rows = -1;
    static const char *const texts[] = {
        "field 'worker' is not a text",
        "field 'cluster' is not a text",
        "field 'topic' is not a text",
        "field 'group' is not a text",
        "field 'name' is not a text",
        "field 'plan' is not a text",
        "field 'schema' is not a text",
        ("it is not JSON: \\u0000 is not allowed without JSON_ALLOW_NUL near "
         "'\"a\\u0000b\"'"),
        "field 'name' is not a text",
        "field 'writers' is not an array of texts",
        "field 'time_ms' is not a whole number from 0 to 10^18",
        "field 'rows' is not a whole number from 0 to 10^18",
    };
    for (size_t i = 0; i < ARRAY_LEN(entries); i++) {
        struct buf bytes = {0};
        struct err err = {0};
        char text[200];
        snprintf(text, sizeof(text),
                 "entry 0 is not published, since nobody could read it: %s", texts[i]);
        assert_status(entry_encode(&entries[i], &bytes, &err), ST_FAIL);
        assert_string_equal(err.text, text);
        buf_release(&bytes);
    }
}

static void test_an_entry_larger_than_a_reader_takes_is_not_written(UNUSED void **state)
{
    char *schema = mem_alloc(ENTRY_BYTES_MAX);
    memset(schema, 'x', ENTRY_BYTES_MAX);
    struct entry entry = {.schema = {schema, ENTRY_BYTES_MAX}};
    struct buf bytes = {0};
    struct err err = {0};
    assert_status(entry_encode(&entry, &bytes, &err), ST_FAIL);
    assert_string_equal(err.text, "entry 0 is not published, since nobody could read it: "
                                  "it takes 67109213 bytes, and 67108864 are allowed");
    buf_release(&bytes);
    free(schema);
}

static void test_a_text_has_an_end(UNUSED void **state)
{
    AUTO(buf_release) struct buf bytes = {0};
    char *schema = mem_alloc(ENTRY_TEXT_MAX + 1);
    memset(schema, 'x', ENTRY_TEXT_MAX + 1);
    struct entry entry = {.writer = STR_LITERAL(WRITER),
                          .attempt = STR_LITERAL(OTHER),
                          .schema = {schema, ENTRY_TEXT_MAX}};
    struct err err = {0};
    assert_ok(entry_encode(&entry, &bytes, &err), &err);
    entry.schema.n++;
    assert_status(entry_encode(&entry, &bytes, &err), ST_FAIL);
    assert_string_equal(err.text, "entry 0 is not published, since nobody could read it: "
                                  "field 'schema' is not at most 1048576 bytes long");
    free(schema);
}

static void test_names_of_files(UNUSED void **state)
{
    assert_string_equal(path_entry(1234567).text,
                        "_tramline/log/001234/00000000000001234567.json");
    assert_string_equal(path_part(7, 0, "avro", -1).text,
                        "part-00000000000000000007-0.avro");
    assert_string_equal(path_part(7, 0, "csv", 1790000000000).text,
                        "day=2026-09-21/part-00000000000000000007-0.csv");
    assert_string_equal(path_parent(str_of("day=2026-09-21/part")).text,
                        "day=2026-09-21");
    assert_string_equal(path_parent(str_of("part")).text, "");
    int64_t number;
    assert_true(path_number(str_of("part-00000000000000000007-0.csv"), &number));
    assert_int_equal(number, 7);
    assert_false(path_number(str_of("part-7.csv"), &number));
    assert_false(path_number(str_of("part-0000000000000000000x-0.csv"), &number));
}

TEST_MAIN(cmocka_unit_test(test_each_wrong_field_is_named),
          cmocka_unit_test(test_an_entry_made_by_hand_reads),
          cmocka_unit_test(test_a_changed_byte_shows),
          cmocka_unit_test(test_what_is_missing_is_named),
          cmocka_unit_test(test_what_is_written_reads_back),
          cmocka_unit_test(test_the_format_of_files_reads_back),
          cmocka_unit_test(test_a_script_reads_back),
          cmocka_unit_test(test_a_script_has_an_end),
          cmocka_unit_test(test_what_nobody_could_read_is_not_written),
          cmocka_unit_test(test_an_entry_larger_than_a_reader_takes_is_not_written),
          cmocka_unit_test(test_a_text_has_an_end), cmocka_unit_test(test_names_of_files))
