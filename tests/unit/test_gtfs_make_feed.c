// SPDX-License-Identifier: Apache-2.0
#include "test.h"

#include "csv_fixture.h"
#include "gtfs_fixture.h"

#include "gtfs/make_feed.h"

static size_t count_lines(const struct workplace *w, const char *name, struct buf *bytes)
{
    char path[PATH_MAX];
    place(w, name, path);
    buf_clear(bytes);
    get_file(path, bytes);
    size_t n = 0;
    for (size_t i = 0; i < bytes->n; i++)
        n += bytes->p[i] == '\n';
    return n;
}

static void test_a_made_feed_has_the_shape_it_promises(UNUSED void **state)
{
    struct workplace w;
    struct err err;
    struct buf bytes = {0};
    make_workplace(&w);
    int64_t n_stop_times = 0;
    assert_ok(gtfs_make_feed(w.directory, 0, &n_stop_times, &err), &err);
    assert_int_equal(count_lines(&w, "trips.txt", &bytes), 1 + MAKE_FEED_TRIPS);
    assert_int_equal(count_lines(&w, "calendar_dates.txt", &bytes), 1 + 90);
    assert_int_equal(count_lines(&w, "frequencies.txt", &bytes), 1 + 96 * 9);
    size_t n = count_lines(&w, "stop_times.txt", &bytes);
    assert_int_equal(n, 1 + n_stop_times);
    assert_in_range(n, MAKE_FEED_TRIPS * 35, MAKE_FEED_TRIPS * 37);
    assert_in_range(bytes.n, 3 << 20, 4 << 20);
    buf_release(&bytes);
    remove_workplace(&w);
}

static void test_the_same_number_gives_the_same_bytes(UNUSED void **state)
{
    struct workplace a, b;
    struct err err;
    struct buf first = {0}, second = {0};
    make_workplace(&a);
    make_workplace(&b);
    int64_t n;
    assert_ok(gtfs_make_feed(a.directory, 300, &n, &err), &err);
    assert_ok(gtfs_make_feed(b.directory, 300, &n, &err), &err);
    count_lines(&a, "stop_times.txt", &first);
    count_lines(&b, "stop_times.txt", &second);
    assert_true(str_eq(buf_as_str(&first), buf_as_str(&second)));
    buf_release(&first);
    buf_release(&second);
    remove_workplace(&a);
    remove_workplace(&b);
}

static void assert_fails(const char *directory, const char *message)
{
    struct err err;
    int64_t n;
    assert_status(gtfs_make_feed(directory, 0, &n, &err), ST_FAIL);
    assert_string_equal(err.text, message);
}

static void test_what_cannot_be_made_is_told(UNUSED void **state)
{
    assert_fails("/proc/no/such",
                 "cannot make the directory /proc/no/such: No such file or directory");
    assert_fails("/dev/null",
                 "cannot write /dev/null/calendar_dates.txt: Not a directory");
}

static void test_a_full_disk_is_told(UNUSED void **state)
{
    struct workplace w;
    make_workplace(&w);
    char *path = mem_printf("%s/calendar_dates.txt", w.directory);
    char *message = mem_printf("cannot write %s: No space left on device", path);
    assert_int_equal(symlink("/dev/full", path), 0);
    assert_fails(w.directory, message);
    free(path);
    free(message);
    remove_workplace(&w);
}

TEST_MAIN(cmocka_unit_test(test_a_made_feed_has_the_shape_it_promises),
          cmocka_unit_test(test_the_same_number_gives_the_same_bytes),
          cmocka_unit_test(test_what_cannot_be_made_is_told),
          cmocka_unit_test(test_a_full_disk_is_told))
