// SPDX-License-Identifier: Apache-2.0
#include "test.h"

#include <ctype.h>
#include <jansson.h>

#include "csv_fixture.h"
#include "gtfs_fixture.h"

#include "gtfs/extract.h"
#include "memory/storage_mem.h"

#define TRIPS_TEXT "\xEF\xBB\xBFtrip_id,service_id\r\n1,\"a\"\r\n2,b"
#define DATES_TEXT "service_id,date\na,20261129\n"

enum {
    N_TABLES = 3
};

struct fixture {
    struct workplace workplace;
    struct arena arena;
    struct storage *root;
    struct storage *storages[N_TABLES];
    struct schema schemas[N_TABLES];
    struct extract_table tables[N_TABLES];
    struct feed *feed;
    struct extract_settings settings;
    struct feed_manifest manifest;
    struct err err;
};

static struct storage *open_storage(const char *name)
{
    struct mem_tree *tree = mem_tree_open(env_system());
    struct storage *st = storage_mem_open(tree, name);
    mem_tree_unref(tree); // st holds it
    return st;
}

// Its files are of 1970.
static struct storage *open_old_storage(void)
{
    struct mem_tree *tree = mem_tree_open(NULL);
    struct storage *st = storage_mem_open(tree, "/old");
    mem_tree_unref(tree);
    return st;
}

static void setup(struct fixture *f)
{
    static const char *const names[] = {"trips", "calendar_dates", "frequencies"};
    static const char *const schemas[] = {
        "trip_id TEXT NOT NULL, service_id TEXT NOT NULL",
        "service_id TEXT NOT NULL, date TEXT NOT NULL",
        "trip_id TEXT NOT NULL, start_time TEXT"};
    *f = (struct fixture){.settings = {.max_shrink = 50}};
    make_workplace(&f->workplace);
    f->root = open_storage("/root");
    for (size_t i = 0; i < N_TABLES; i++) {
        char path[64];
        snprintf(path, sizeof(path), "/root/%s", names[i]);
        f->storages[i] = open_storage(path);
        f->schemas[i] = schema_of(&f->arena, schemas[i]);
        f->tables[i] =
            (struct extract_table){.name = names[i],
                                   .storage = f->storages[i],
                                   .schema = &f->schemas[i],
                                   .optional = i == 2,
                                   .extension = "csv",
                                   .reading = {.header = true, .may_be_empty = i == 2},
                                   .n_rows_before = -1};
    }
    put_file(&f->workplace, "trips.txt", STR_LITERAL(TRIPS_TEXT));
    put_file(&f->workplace, "calendar_dates.txt", STR_LITERAL(DATES_TEXT));
}

static void teardown(struct fixture *f)
{
    feed_manifest_release(&f->manifest);
    for (size_t i = 0; i < N_TABLES; i++)
        f->storages[i]->ops->close(f->storages[i]);
    f->root->ops->close(f->root);
    arena_release(&f->arena);
    remove_workplace(&f->workplace);
}

static enum status extract(struct fixture *f)
{
    feed_manifest_release(&f->manifest);
    assert_ok(feed_open(f->workplace.directory, NULL, &f->feed, &f->err), &f->err);
    enum status rc = gtfs_extract(f->feed, f->tables, N_TABLES, &f->settings, f->root,
                                  env_system(), &f->manifest, &f->err);
    feed_close(f->feed);
    return rc;
}

static void assert_file(struct storage *st, const char *path, const char *text)
{
    struct buf bytes = {0};
    struct err err;
    assert_ok(storage_read_all(st, str_of(path), 1 << 20, &bytes, &err), &err);
    assert_str(buf_as_str(&bytes), text);
    buf_release(&bytes);
}

static void assert_no_file(struct storage *st, const char *path)
{
    struct file_info info;
    struct err err;
    assert_status(st->ops->stat(st, str_of(path), &info, &err), ST_NOT_FOUND);
}

// Names in a directory, by commas.
static void assert_names(struct fixture *f, struct storage *st, const char *expected)
{
    struct file_list list;
    struct buf names = {0};
    assert_ok(st->ops->list(st, str_of(""), &f->arena, &list, &f->err), &f->err);
    for (size_t i = 0; i < list.n; i++)
        buf_printf(&names, "%s%.*s", i ? "," : "", STR_ARGS(list.items[i].name));
    assert_str(buf_as_str(&names), expected);
    buf_release(&names);
}

static void test_tables_are_staged_byte_for_byte(UNUSED void **state)
{
    struct fixture f;
    setup(&f);
    assert_ok(extract(&f), &f.err);
    assert_file(f.storages[0], "trips.csv", TRIPS_TEXT);
    assert_file(f.storages[1], "calendar_dates.csv", DATES_TEXT);
    assert_names(&f, f.storages[0], "trips.csv");
    assert_no_file(f.storages[2], "frequencies.csv");
    teardown(&f);
}

static void test_the_manifest_says_what_was_staged(UNUSED void **state)
{
    struct fixture f;
    struct feed_manifest read;
    setup(&f);
    assert_ok(extract(&f), &f.err);
    assert_ok(feed_manifest_read(f.root, &read, &f.err), &f.err);
    assert_str(read.source, f.workplace.directory);
    assert_int_equal(read.time_ms, f.manifest.time_ms);
    assert_int_equal(read.n_tables, N_TABLES);
    assert_string_equal(read.version, f.manifest.version);
    const struct feed_table *trips = feed_manifest_find(&read, str_of("trips"));
    assert_true(trips->present);
    assert_int_equal(trips->size, sizeof(TRIPS_TEXT) - 1);
    assert_int_equal(trips->n_rows, 2);
    assert_str(trips->path, "mem:///root/trips/trips.csv");
    struct checksum there;
    assert_ok(
        f.storages[0]->ops->checksum(f.storages[0], str_of("trips.csv"), &there, &f.err),
        &f.err);
    assert_true(checksum_eq(&trips->checksum, &there));
    assert_false(feed_manifest_find(&read, str_of("frequencies"))->present);
    assert_null(feed_manifest_find(&read, str_of("stops")));
    feed_manifest_release(&read);
    teardown(&f);
}

static void test_the_version_changes_with_the_content_alone(UNUSED void **state)
{
    struct fixture f;
    char first[SHA256_HEX];
    setup(&f);
    assert_ok(extract(&f), &f.err);
    memcpy(first, f.manifest.version, sizeof(first));
    assert_ok(extract(&f), &f.err);
    assert_string_equal(f.manifest.version, first);
    put_file(&f.workplace, "calendar_dates.txt", STR_LITERAL("service_id,date\n1,2\n"));
    assert_ok(extract(&f), &f.err);
    assert_string_not_equal(f.manifest.version, first);
    teardown(&f);
}

static void test_a_table_that_left_the_feed_is_removed(UNUSED void **state)
{
    struct fixture f;
    setup(&f);
    put_file(&f.workplace, "frequencies.txt", STR_LITERAL("trip_id,start_time\n1,2\n"));
    assert_ok(extract(&f), &f.err);
    assert_file(f.storages[2], "frequencies.csv", "trip_id,start_time\n1,2\n");
    char path[PATH_MAX];
    place(&f.workplace, "frequencies.txt", path);
    assert_int_equal(unlink(path), 0);
    assert_ok(extract(&f), &f.err);
    assert_no_file(f.storages[2], "frequencies.csv");
    teardown(&f);
}

// Message after the feed's source.
static void assert_refused(struct fixture *f, enum status status, const char *message)
{
    char expected[512];
    assert_status(extract(f), status);
    snprintf(expected, sizeof(expected), "%s: %s", f->workplace.directory, message);
    assert_string_equal(f->err.text, expected);
    assert_no_file(f->storages[0], "trips.csv");
    assert_no_file(f->root, FEED_MANIFEST_NAME);
}

static void test_a_feed_that_does_not_fit_touches_nothing(UNUSED void **state)
{
    struct fixture f;
    setup(&f);
    put_file(&f.workplace, "calendar_dates.txt", STR_LITERAL("serviceid,date\n"));
    assert_refused(&f, ST_DATA,
                   "calendar_dates.txt: column service_id is NOT NULL and not in the "
                   "header; the nearest there is 'serviceid'");
    put_file(&f.workplace, "calendar_dates.txt",
             STR_LITERAL("service_id,date\na,1\n,2\n"));
    assert_refused(
        &f, ST_DATA,
        "calendar_dates.txt:3: column service_id is NOT NULL and has no value; "
        "on_error = 'skip' leaves such rows out");
    put_file(&f.workplace, "calendar_dates.txt", STR_LITERAL("\xFF\xFEs\0"));
    assert_refused(&f, ST_DATA,
                   "calendar_dates.txt: the file is UTF-16, not UTF-8; convert it first, "
                   "for example: iconv -f UTF-16 -t UTF-8");
    char path[PATH_MAX];
    place(&f.workplace, "calendar_dates.txt", path);
    assert_int_equal(unlink(path), 0);
    assert_refused(
        &f, ST_NOT_FOUND,
        "no member calendar_dates.txt; a table that a feed may lack is declared "
        "with optional = true");
    teardown(&f);
}

static enum status other_checksum(UNUSED struct storage *st, UNUSED struct str path,
                                  struct checksum *ret, UNUSED struct err *err)
{
    *ret = (struct checksum){0};
    return ST_OK;
}

static void test_bytes_that_arrive_changed_are_not_staged(UNUSED void **state)
{
    struct fixture f;
    setup(&f);
    const struct storage_ops *ops = f.storages[0]->ops;
    struct storage_ops other = *ops;
    other.checksum = other_checksum;
    f.storages[0]->ops = &other;
    assert_status(extract(&f), ST_FAIL);
    f.storages[0]->ops = ops;
    const char *name = f.err.text + strlen("mem:///root/trips/");
    assert_true(str_starts_with(str_of(name), "_tmp-"));
    char expected[512];
    snprintf(expected, sizeof(expected),
             "mem:///root/trips/%.*s: differs from the %d bytes that were sent; run "
             "extract again",
             (int)strcspn(name, ":"), name, (int)strlen(TRIPS_TEXT));
    assert_string_equal(f.err.text, expected);
    assert_no_file(f.storages[0], "trips.csv");
    assert_no_file(f.root, FEED_MANIFEST_NAME);
    teardown(&f);
}

// Where a storage tells another kind of checksum, the manifest has that kind.
static void test_a_storage_may_tell_another_kind_of_checksum(UNUSED void **state)
{
    struct fixture f;
    struct feed_manifest manifest;
    setup(&f);
    for (size_t i = 0; i < 2; i++) {
        f.storages[0]->checksum_kind = i == 0 ? CHECKSUM_CRC32C : CHECKSUM_HDFS;
        assert_ok(extract(&f), &f.err);
        assert_ok(feed_manifest_read(f.root, &manifest, &f.err), &f.err);
        const struct feed_table *trips =
            feed_manifest_find(&manifest, STR_LITERAL("trips"));
        assert_int_equal(trips->checksum.kind, f.storages[0]->checksum_kind);
        assert_int_equal(trips->from.kind, f.storages[0]->checksum_kind);
        assert_int_equal(strlen(trips->checksum.hex), i == 0 ? 8 : 32);
        feed_manifest_release(&manifest);
    }
    const struct storage_ops *ops = f.storages[0]->ops;
    struct storage_ops other = *ops;
    other.checksum = other_checksum;
    f.storages[0]->ops = &other;
    f.storages[0]->checksum_kind = CHECKSUM_CRC32C;
    assert_status(extract(&f), ST_DATA);
    f.storages[0]->ops = ops;
    assert_non_null(strstr(f.err.text,
                           ": the storage tells a checksum of kind md5md5crc32c, which "
                           "cannot be compared with one of kind crc32c"));
    teardown(&f);
}

static void test_no_manifest_is_not_found_a_bad_one_is_told(UNUSED void **state)
{
    struct fixture f;
    struct feed_manifest manifest;
    setup(&f);
    assert_status(feed_manifest_read(f.root, &manifest, &f.err), ST_NOT_FOUND);
    assert_ok(storage_write_bytes(f.root, str_of(FEED_MANIFEST_NAME),
                                  str_of("{\"format\": 2}"), &f.err),
              &f.err);
    assert_status(feed_manifest_read(f.root, &manifest, &f.err), ST_DATA);
    assert_string_equal(f.err.text,
                        "mem:///root/_feed.json: not of format 1; run extract again");
    assert_ok(f.root->ops->remove(f.root, str_of(FEED_MANIFEST_NAME), &f.err), &f.err);
    assert_ok(storage_write_bytes(f.root, str_of(FEED_MANIFEST_NAME), str_of("{\n oops"),
                                  &f.err),
              &f.err);
    assert_status(feed_manifest_read(f.root, &manifest, &f.err), ST_DATA);
    assert_string_equal(f.err.text,
                        "mem:///root/_feed.json:2: string or '}' expected near 'oops'; "
                        "run extract again");
    teardown(&f);
}

// A value takes 250 bytes of memory however short its text is.
static void test_a_manifest_is_bounded_before_it_is_read(UNUSED void **state)
{
    static const char *const pieces[] = {"1,", "["};
    static const char *const messages[] = {
        "mem:///root/_feed.json: more than 1000000 values at byte 1999998",
        "mem:///root/_feed.json: more than 500 levels at byte 500"};
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
        struct fixture f;
        struct feed_manifest manifest;
        struct buf text = {0};
        setup(&f);
        buf_text(&text, "[");
        while (text.n < 8 << 20)
            buf_text(&text, pieces[i]);
        assert_ok(storage_write_bytes(f.root, str_of(FEED_MANIFEST_NAME),
                                      buf_as_str(&text), &f.err),
                  &f.err);
        assert_status(feed_manifest_read(f.root, &manifest, &f.err), ST_DATA);
        assert_string_equal(f.err.text, messages[i]);
        buf_release(&text);
        teardown(&f);
    }
}

// The format that others read, by jansson alone.
static void test_the_manifest_is_of_the_documented_form(UNUSED void **state)
{
    struct fixture f;
    struct buf text = {0};
    setup(&f);
    assert_ok(extract(&f), &f.err);
    assert_ok(
        storage_read_all(f.root, str_of(FEED_MANIFEST_NAME), 1 << 20, &text, &f.err),
        &f.err);
    json_t *json = json_loadb(text.p, text.n, 0, NULL);
    const char *name, *path, *checksum, *source;
    int format, present;
    json_int_t time_ms, size;
    assert_int_equal(json_unpack(json, "{s:i, s:s, s:I, s:[{s:s, s:s, s:I, s:s, s:b}]}",
                                 "format", &format, "source", &source, "time_ms",
                                 &time_ms, "tables", "name", &name, "path", &path, "size",
                                 &size, "checksum", &checksum, "present", &present),
                     0);
    assert_int_equal(format, 1);
    assert_string_equal(name, "trips");
    assert_int_equal(strlen(checksum), 32);
    assert_int_equal(present, 1);
    json_decref(json);
    buf_release(&text);
    teardown(&f);
}

static void test_a_table_without_rows_is_refused(UNUSED void **state)
{
    struct fixture f;
    setup(&f);
    put_file(&f.workplace, "calendar_dates.txt", STR_LITERAL("service_id,date\n \n"));
    assert_refused(&f, ST_DATA,
                   "calendar_dates.txt has no rows; if that is right, run extract with "
                   "--force, or declare the table with optional = true");
    put_file(&f.workplace, "calendar_dates.txt", STR_LITERAL(""));
    assert_refused(&f, ST_DATA,
                   "calendar_dates.txt: the file is empty; a header line was expected");
    put_file(&f.workplace, "calendar_dates.txt", STR_LITERAL("service_id,date\n"));
    f.settings.force = true;
    assert_ok(extract(&f), &f.err);
    assert_file(f.storages[1], "calendar_dates.csv", "service_id,date\n");
    teardown(&f);
}

static void test_an_empty_optional_table_is_as_none(UNUSED void **state)
{
    struct fixture f;
    setup(&f);
    put_file(&f.workplace, "frequencies.txt", STR_LITERAL("\xEF\xBB\xBF\r\n \x1A"));
    assert_ok(extract(&f), &f.err);
    assert_no_file(f.storages[2], "frequencies.csv");
    assert_false(feed_manifest_find(&f.manifest, str_of("frequencies"))->present);
    put_file(&f.workplace, "frequencies.txt", STR_LITERAL("trip_id,start_time\n"));
    assert_ok(extract(&f), &f.err);
    assert_file(f.storages[2], "frequencies.csv", "trip_id,start_time\n");
    teardown(&f);
}

static void test_a_table_may_lose_so_many_rows(UNUSED void **state)
{
    static const struct {
        int64_t before;
        int max_shrink;
        bool good; // with two rows
    } cases[] = {
        {-1, 50, true},    {0, 50, true},    {2, 0, true},   {1, 0, true},
        {3, 0, false},     {4, 50, true},    {5, 50, false}, {5, 60, true},
        {100, 98, true},   {101, 98, false}, {3, 33, false}, {3, 34, true},
        {1000, 100, true},
    };
    struct fixture f;
    setup(&f);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        f.tables[0].n_rows_before = cases[i].before;
        f.settings.max_shrink = cases[i].max_shrink;
        f.settings.force = false;
        enum status rc = extract(&f);
        if ((rc == ST_OK) != cases[i].good)
            fail_msg("%d rows before, %d %%: %s", (int)cases[i].before,
                     cases[i].max_shrink, status_name(rc));
        f.settings.force = true;
        assert_ok(extract(&f), &f.err);
    }
    f.settings.force = false;
    f.settings.max_shrink = 50;
    f.tables[0].n_rows_before = 5;
    assert_status(extract(&f), ST_DATA);
    char expected[512];
    snprintf(expected, sizeof(expected),
             "%s: trips.txt has 2 rows, the staged table 5: it lost more than "
             "extract.max_shrink = '50%%'; if that is right, run extract with --force",
             f.workplace.directory);
    assert_string_equal(f.err.text, expected);
    // One that leaves the feed loses all of them.
    f.tables[0].n_rows_before = -1;
    f.tables[2].n_rows_before = 1;
    assert_status(extract(&f), ST_DATA);
    snprintf(expected, sizeof(expected),
             "%s: frequencies.txt has 0 rows, the staged table 1: it lost more than "
             "extract.max_shrink = '50%%'; if that is right, run extract with --force",
             f.workplace.directory);
    assert_string_equal(f.err.text, expected);
    teardown(&f);
}

static void test_old_temporary_files_are_removed(UNUSED void **state)
{
    struct fixture f;
    setup(&f);
    struct storage *st = open_old_storage();
    f.storages[0]->ops->close(f.storages[0]);
    f.storages[0] = st;
    f.tables[0].storage = st;
    static const char *const names[] = {
        "_tmp-01234567-89ab-4cde-8f01-23456789abcd", // of a run that was killed
        "_tmp-01234567-89ab-1cde-8f01-23456789abcd", // of others, and the rest
        "_tmp-mine",
        "_other",
    };
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        assert_ok(storage_write_bytes(st, str_of(names[i]), str_of("x"), &f.err), &f.err);
    assert_ok(extract(&f), &f.err);
    assert_names(&f, st,
                 "_other,_tmp-01234567-89ab-1cde-8f01-23456789abcd,_tmp-mine,trips.csv");
    teardown(&f);
}

// A conversion that puts each letter in upper case.
static enum status shout(void *context, struct str from, struct str to,
                         struct feed_file *ret, struct err *err)
{
    struct storage *st = context;
    struct buf bytes = {0};
    TRY(st->ops->read(st, from, 0, 1000, &bytes, err));
    for (size_t i = 0; i < bytes.n; i++)
        bytes.p[i] = (char)toupper((unsigned char)bytes.p[i]);
    enum status rc = storage_write_bytes(st, to, buf_as_str(&bytes), err);
    ret->size = (int64_t)bytes.n;
    buf_release(&bytes);
    return rc == ST_OK ? st->ops->checksum(st, to, &ret->checksum, err) : rc;
}

static enum status refuse(UNUSED void *context, UNUSED struct str from,
                          UNUSED struct str to, UNUSED struct feed_file *ret,
                          struct err *err)
{
    return err_set(err, ST_DATA, "not that");
}

static void convert_by(struct extract_table *table,
                       enum status (*convert)(void *context, struct str from,
                                              struct str to, struct feed_file *ret,
                                              struct err *err))
{
    table->extension = "avro";
    table->convert = convert;
    table->context = table->storage;
}

static void test_a_converted_table_replaces_that_of_bytes(UNUSED void **state)
{
    struct fixture f;
    setup(&f);
    assert_ok(extract(&f), &f.err);
    convert_by(&f.tables[0], shout);
    assert_ok(extract(&f), &f.err);
    assert_file(f.storages[0], "trips.avro",
                "\xEF\xBB\xBFTRIP_ID,SERVICE_ID\r\n1,\"A\"\r\n2,B");
    assert_no_file(f.storages[0], "trips.csv");
    assert_int_equal(f.manifest.tables[0].size, strlen(TRIPS_TEXT));
    assert_str(f.manifest.tables[0].path, "mem:///root/trips/trips.avro");
    struct checksum there;
    assert_ok(
        f.storages[0]->ops->checksum(f.storages[0], str_of("trips.avro"), &there, &f.err),
        &f.err);
    assert_true(checksum_eq(&there, &f.manifest.tables[0].checksum));
    teardown(&f);
}

static void test_a_conversion_that_fails_touches_nothing(UNUSED void **state)
{
    struct fixture f;
    setup(&f);
    assert_ok(extract(&f), &f.err);
    convert_by(&f.tables[0], refuse);
    assert_status(extract(&f), ST_DATA);
    assert_string_equal(f.err.text, "not that");
    assert_file(f.storages[0], "trips.csv", TRIPS_TEXT);
    assert_names(&f, f.storages[0], "trips.csv");
    teardown(&f);
}

TEST_MAIN(cmocka_unit_test(test_tables_are_staged_byte_for_byte),
          cmocka_unit_test(test_the_manifest_says_what_was_staged),
          cmocka_unit_test(test_the_version_changes_with_the_content_alone),
          cmocka_unit_test(test_a_table_that_left_the_feed_is_removed),
          cmocka_unit_test(test_a_feed_that_does_not_fit_touches_nothing),
          cmocka_unit_test(test_bytes_that_arrive_changed_are_not_staged),
          cmocka_unit_test(test_a_storage_may_tell_another_kind_of_checksum),
          cmocka_unit_test(test_no_manifest_is_not_found_a_bad_one_is_told),
          cmocka_unit_test(test_a_manifest_is_bounded_before_it_is_read),
          cmocka_unit_test(test_the_manifest_is_of_the_documented_form),
          cmocka_unit_test(test_a_table_without_rows_is_refused),
          cmocka_unit_test(test_an_empty_optional_table_is_as_none),
          cmocka_unit_test(test_a_table_may_lose_so_many_rows),
          cmocka_unit_test(test_old_temporary_files_are_removed),
          cmocka_unit_test(test_a_converted_table_replaces_that_of_bytes),
          cmocka_unit_test(test_a_conversion_that_fails_touches_nothing))
