// SPDX-License-Identifier: Apache-2.0
#include "test.h"

#include <dirent.h>
#include <limits.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "fake_http.h"
#include "gtfs_fixture.h"

#include "gtfs/feed.h"

static void read_member(struct feed *feed, const char *name, struct buf *ret)
{
    struct feed_member *member;
    struct err err;
    assert_ok(feed_member_open(feed, name, &member, &err), &err);
    size_t n;
    do {
        char piece[7];
        assert_ok(member->reader.read(&member->reader, piece, sizeof(piece), &n, &err),
                  &err);
        buf_append(ret, piece, n);
    } while (n > 0);
    assert_int_equal(member->size, ret->n);
    feed_member_close(member);
}

static void assert_member(struct feed *feed, const char *name, const char *text)
{
    struct buf bytes = {0};
    read_member(feed, name, &bytes);
    assert_str(buf_as_str(&bytes), text);
    buf_release(&bytes);
}

static void assert_open_fails(const char *location, enum status status,
                              const char *message)
{
    struct feed *feed;
    struct err err;
    assert_status(feed_open(location, NULL, &feed, &err), status);
    assert_string_equal(err.text, message);
}

static void test_a_directory_is_a_feed(UNUSED void **state)
{
    struct workplace w;
    struct feed *feed;
    struct err err;
    make_workplace(&w);
    put_file(&w, "trips.txt", STR_LITERAL("trip_id\r\n1\r\n"));
    put_file(&w, "agency.txt",
             STR_LITERAL("\xEF\xBB\xBF"
                         "agency_id\n"));
    put_file(&w, "notes.md", STR_LITERAL("no table"));
    assert_ok(feed_open(w.directory, NULL, &feed, &err), &err);
    assert_string_equal(feed_source(feed), w.directory);
    assert_int_equal(feed_count(feed), 2);
    assert_string_equal(feed_name(feed, 0), "agency.txt");
    assert_string_equal(feed_name(feed, 1), "trips.txt");
    assert_true(feed_has(feed, "trips.txt"));
    assert_false(feed_has(feed, "notes.md"));
    assert_member(feed, "trips.txt", "trip_id\r\n1\r\n");
    assert_member(feed, "agency.txt",
                  "\xEF\xBB\xBF"
                  "agency_id\n");
    struct feed_member *member;
    char expected[PATH_MAX];
    assert_status(feed_member_open(feed, "stops.txt", &member, &err), ST_NOT_FOUND);
    snprintf(expected, sizeof(expected),
             "%s: no member stops.txt; there are agency.txt, trips.txt", w.directory);
    assert_string_equal(err.text, expected);
    feed_close(feed);
    remove_workplace(&w);
}

static void test_a_zip_may_hold_its_tables_in_a_folder(UNUSED void **state)
{
    struct workplace w;
    struct feed *feed;
    struct err err;
    char path[PATH_MAX];
    make_workplace(&w);
    put_file(&w, "feed.zip", python_zip());
    place(&w, "feed.zip", path);
    assert_ok(feed_open(path, NULL, &feed, &err), &err);
    assert_string_equal(feed_source(feed), path);
    assert_int_equal(feed_count(feed), 2); // not those of __MACOSX
    assert_member(feed, "calendar_dates.txt", "service_id,date\n");
    struct buf bytes = {0};
    read_member(feed, "trips.txt", &bytes); // the one that is less deep
    assert_int_equal(bytes.n, 20 + 50 * 5);
    assert_true(str_starts_with(buf_as_str(&bytes), "trip_id,service_id\r\n1,a\r\n"));
    buf_release(&bytes);
    feed_close(feed);
    remove_workplace(&w);
}

static void test_equal_names_equally_deep_are_refused(UNUSED void **state)
{
    struct workplace w;
    struct feed *feed;
    struct feed_member *member;
    struct err err;
    char path[PATH_MAX], expected[PATH_MAX + 100];
    make_workplace(&w);
    static const struct zip_file files[] = {{"a/trips.txt", "1"}, {"b/trips.txt", "2"}};
    put_zip(&w, "twins.zip", files, ARRAY_LEN(files));
    place(&w, "twins.zip", path);
    assert_ok(feed_open(path, NULL, &feed, &err), &err);
    assert_status(feed_member_open(feed, "trips.txt", &member, &err), ST_DATA);
    snprintf(expected, sizeof(expected),
             "%s: two files of one name, a/trips.txt and b/trips.txt", path);
    assert_string_equal(err.text, expected);
    feed_close(feed);
    remove_workplace(&w);
}

static void test_what_is_no_feed_is_told(UNUSED void **state)
{
    struct workplace w;
    char path[PATH_MAX], expected[PATH_MAX + 200];
    make_workplace(&w);
    snprintf(expected, sizeof(expected), "%s: no GTFS table (*.txt) in it", w.directory);
    assert_open_fails(w.directory, ST_DATA, expected);

    put_file(&w, "page.zip", STR_LITERAL("<!DOCTYPE html>\n<html>Please log in</html>"));
    place(&w, "page.zip", path);
    snprintf(
        expected, sizeof(expected),
        "%s: not a zip file that can be read (Unrecognized archive format); it begins "
        "with '<!DOCTYPE html>.<html>Please log'",
        path);
    assert_open_fails(path, ST_DATA, expected);

    static const struct zip_file files[] = {{"x/google_transit.zip", "PK"}};
    put_zip(&w, "outer.zip", files, ARRAY_LEN(files));
    place(&w, "outer.zip", path);
    snprintf(
        expected, sizeof(expected),
        "%s: no GTFS table (*.txt), but the zip x/google_transit.zip: unpack that one "
        "first",
        path);
    assert_open_fails(path, ST_DATA, expected);

    place(&w, "nothing.zip", path);
    snprintf(expected, sizeof(expected),
             "cannot open the feed %s: No such file or directory; a feed is a zip, a "
             "directory or an http(s) URL",
             path);
    assert_open_fails(path, ST_NOT_FOUND, expected);
    assert_open_fails("http://[", ST_USAGE,
                      "the feed's URL is not valid; write http://host/path");
    remove_workplace(&w);
}

static void test_what_of_a_directory_cannot_be_read_is_told(UNUSED void **state)
{
    struct workplace w;
    struct feed *feed;
    struct feed_member *member;
    struct err err;
    char path[PATH_MAX], expected[PATH_MAX + 200];
    make_workplace(&w);
    place(&w, "memory.txt", path);
    assert_int_equal(symlink("/proc/self/mem", path), 0); // nothing is at its address 0
    put_file(&w, "trips.txt", STR_LITERAL("trip_id\n"));
    assert_ok(feed_open(w.directory, NULL, &feed, &err), &err);

    char byte;
    size_t n;
    assert_ok(feed_member_open(feed, "memory.txt", &member, &err), &err);
    assert_status(member->reader.read(&member->reader, &byte, 1, &n, &err), ST_FAIL);
    snprintf(expected, sizeof(expected), "cannot read %s: Input/output error", path);
    assert_string_equal(err.text, expected);
    feed_member_close(member);

    place(&w, "trips.txt", path);
    assert_int_equal(unlink(path), 0);
    assert_status(feed_member_open(feed, "trips.txt", &member, &err), ST_FAIL);
    snprintf(expected, sizeof(expected), "cannot read %s: No such file or directory",
             path);
    assert_string_equal(err.text, expected);
    feed_close(feed);

    struct rlimit limit, none;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = (struct rlimit){3, limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    enum status status = feed_open(w.directory, NULL, &feed, &err);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_status(status, ST_FAIL);
    snprintf(expected, sizeof(expected), "cannot list the feed %s: Too many open files",
             w.directory);
    assert_string_equal(err.text, expected);
    remove_workplace(&w);
}

static void test_a_zip_of_very_many_files_is_refused(UNUSED void **state)
{
    enum {
        N = 10001
    };
    struct workplace w;
    char path[PATH_MAX], expected[PATH_MAX + 200];
    make_workplace(&w);
    struct zip_file *files = mem_array(N, sizeof(*files));
    for (size_t i = 0; i < N; i++)
        files[i] = (struct zip_file){"a.txt", ""};
    put_zip(&w, "many.zip", files, N);
    free(files);
    place(&w, "many.zip", path);
    snprintf(expected, sizeof(expected), "%s: more than 10000 files in it", path);
    assert_open_fails(path, ST_LIMIT, expected);
    remove_workplace(&w);
}

static void test_a_cut_zip_is_refused_not_read_in_part(UNUSED void **state)
{
    struct workplace w;
    char path[PATH_MAX];
    make_workplace(&w);
    struct str zip = python_zip();
    for (size_t n = 0; n < zip.n; n += 7) {
        struct feed *feed;
        struct err err;
        put_file(&w, "cut.zip", (struct str){zip.p, n});
        place(&w, "cut.zip", path);
        assert_status(feed_open(path, NULL, &feed, &err), ST_DATA);
    }
    remove_workplace(&w);
}

// Changes each byte in turn: the tables come out as they were, or there is an error.
static void test_a_changed_byte_never_gives_other_rows(UNUSED void **state)
{
    struct workplace w;
    char path[PATH_MAX];
    make_workplace(&w);
    static const struct zip_file files[] = {
        {"trips.txt", "trip_id,service_id\n1,a\n2,b\n"}};
    put_zip(&w, "good.zip", files, 1);
    place(&w, "good.zip", path);
    struct buf zip = {0};
    get_file(path, &zip);
    size_t n_errors = 0;
    for (size_t i = 0; i < zip.n; i++) {
        zip.p[i] ^= 0x10;
        put_file(&w, "bad.zip", buf_as_str(&zip));
        zip.p[i] ^= 0x10;
        place(&w, "bad.zip", path);
        n_errors += check_unchanged(path, "trips.txt", files[0].text);
    }
    assert_in_range(n_errors, 20, zip.n); // those in the data, at least
    buf_release(&zip);
    remove_workplace(&w);
}

// Whether the feed opens and reading its trips.txt fails with this message.
static bool fails_to_unpack(const char *path, const char *message)
{
    struct feed *feed;
    struct feed_member *member;
    struct err err = {0};
    if (feed_open(path, NULL, &feed, &err) != ST_OK)
        return false;
    char bytes[4096];
    size_t n = 1;
    enum status rc = feed_member_open(feed, "trips.txt", &member, &err);
    if (rc == ST_OK) {
        while (rc == ST_OK && n > 0)
            rc = member->reader.read(&member->reader, bytes, sizeof(bytes), &n, &err);
        feed_member_close(member);
    }
    feed_close(feed);
    return rc == ST_DATA && strcmp(err.text, message) == 0;
}

static void test_a_member_that_does_not_unpack_is_told(UNUSED void **state)
{
    struct workplace w;
    char path[PATH_MAX], broken[PATH_MAX + 200], longer[PATH_MAX + 200];
    make_workplace(&w);
    static const struct zip_file files[] = {
        {"trips.txt", "trip_id,service_id\n1,a\n2,b\n"}};
    put_zip(&w, "feed.zip", files, 1);
    place(&w, "feed.zip", path);
    snprintf(broken, sizeof(broken),
             "%s: trips.txt: cannot be unpacked: ZIP decompression failed (-3)", path);
    snprintf(longer, sizeof(longer),
             "%s: trips.txt: cannot be unpacked: ZIP uncompressed data is wrong size "
             "(read 27, expected 59)",
             path);
    struct buf zip = {0};
    get_file(path, &zip);
    size_t n_broken = 0, n_longer = 0;
    for (size_t i = 0; i < zip.n; i++) {
        zip.p[i] ^= 0x20;
        put_file(&w, "feed.zip", buf_as_str(&zip));
        zip.p[i] ^= 0x20;
        n_broken += fails_to_unpack(path, broken);
        n_longer += fails_to_unpack(path, longer);
    }
    assert_in_range(n_broken, 1, zip.n);
    assert_int_equal(n_longer, 1); // the byte that holds its size
    buf_release(&zip);
    remove_workplace(&w);
}

static void test_a_member_above_the_limit_is_refused(UNUSED void **state)
{
    struct workplace w;
    struct feed *feed;
    struct feed_member *member;
    struct err err;
    char path[PATH_MAX], expected[PATH_MAX + 100];
    make_workplace(&w);
    put_file(&w, "feed.zip", python_zip());
    place(&w, "feed.zip", path);
    struct feed_options options = {.member_bytes = 100};
    assert_ok(feed_open(path, &options, &feed, &err), &err);
    assert_status(feed_member_open(feed, "trips.txt", &member, &err), ST_LIMIT);
    snprintf(expected, sizeof(expected),
             "%s: stm/trips.txt has 270 bytes; at most 100 are read: raise SET "
             "feed.member_size",
             path);
    assert_string_equal(err.text, expected);
    feed_close(feed);
    remove_workplace(&w);
}

static void test_a_deadline_ends_reading(UNUSED void **state)
{
    struct workplace w;
    struct feed *feed;
    struct feed_member *member;
    struct err err;
    struct deadline deadline = {0};
    char path[PATH_MAX], expected[PATH_MAX + 100], piece[100];
    size_t n;
    make_workplace(&w);
    put_file(&w, "feed.zip", python_zip());
    place(&w, "feed.zip", path);
    struct feed_options options = {.deadline = &deadline};
    assert_ok(feed_open(path, &options, &feed, &err), &err);
    assert_ok(feed_member_open(feed, "trips.txt", &member, &err), &err);
    assert_ok(member->reader.read(&member->reader, piece, sizeof(piece), &n, &err), &err);
    deadline_end(&deadline);
    snprintf(expected, sizeof(expected),
             "%s: stm/trips.txt: no time was left after 100 bytes", path);
    assert_status(member->reader.read(&member->reader, piece, 1, &n, &err), ST_RETRY);
    assert_string_equal(err.text, expected);
    feed_member_close(member);
    feed_close(feed);
    snprintf(expected, sizeof(expected), "%s: no time was left to read it", path);
    assert_status(feed_open(path, &options, &feed, &err), ST_RETRY);
    assert_string_equal(err.text, expected);
    remove_workplace(&w);
}

static int count_temporaries(const char *directory)
{
    int n = 0;
    DIR *dir = opendir(directory);
    const struct dirent *entry;
    while ((entry = readdir(dir)) != NULL)
        n += str_starts_with(str_of(entry->d_name), "tramline-");
    closedir(dir);
    return n;
}

struct web {
    struct workplace workplace;
    struct fake_http fake;
    struct buf feed; // the answer that is the feed
};

static void open_web(struct web *web)
{
    struct str zip = python_zip();
    *web = (struct web){0};
    make_workplace(&web->workplace);
    setenv("TMPDIR", web->workplace.directory, 1);
    buf_printf(&web->feed, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", zip.n);
    buf_str(&web->feed, zip);
    fake_http_open(&web->fake);
}

static struct fake_step feed_of(const struct web *web)
{
    return (struct fake_step){.answer = web->feed.p, .n = web->feed.n};
}

static void close_web(struct web *web)
{
    fake_http_stop(&web->fake);
    assert_int_equal(count_temporaries(web->workplace.directory), 0);
    unsetenv("TMPDIR");
    buf_release(&web->feed);
    remove_workplace(&web->workplace);
}

static const char *web_url(struct web *web, const char *path)
{
    static char url[256];
    snprintf(url, sizeof(url), "http://127.0.0.1:%d%s", web->fake.port, path);
    return url;
}

#define REDIRECT(to) "HTTP/1.1 302 Found\r\nLocation: " to "\r\nContent-Length: 0\r\n\r\n"

static void test_a_url_is_downloaded(UNUSED void **state)
{
    static const char *const paths[] = {"/feed.zip", "/moved"};
    struct web web;
    struct feed *feed;
    struct err err;
    open_web(&web);
    const struct fake_step steps[] = {
        feed_of(&web), {.answer = REDIRECT("/feed.zip")}, feed_of(&web)};
    fake_http_start(&web.fake, steps, ARRAY_LEN(steps));
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        assert_ok(feed_open(web_url(&web, paths[i]), NULL, &feed, &err), &err);
        assert_string_equal(feed_source(feed), web_url(&web, paths[i]));
        assert_member(feed, "calendar_dates.txt", "service_id,date\n");
        assert_int_equal(count_temporaries(web.workplace.directory), 0); // has no name
        feed_close(feed);
    }
    close_web(&web);
    assert_string_equal(web.fake.lines[2], "GET /feed.zip");
}

static void test_secrets_of_a_url_are_not_shown(UNUSED void **state)
{
    struct web web;
    struct feed *feed;
    struct err err;
    char url[256];
    open_web(&web);
    const struct fake_step steps[] = {
        feed_of(&web), {.answer = "HTTP/1.1 404 None\r\nContent-Length: 0\r\n\r\n"}};
    fake_http_start(&web.fake, steps, ARRAY_LEN(steps));
    snprintf(url, sizeof(url), "http://me:pass@127.0.0.1:%d/feed.zip?key=secret",
             web.fake.port);
    assert_ok(feed_open(url, NULL, &feed, &err), &err);
    assert_string_equal(feed_source(feed), web_url(&web, "/feed.zip"));
    feed_close(feed);
    snprintf(url, sizeof(url), "http://me:pass@127.0.0.1:%d/none?key=secret",
             web.fake.port);
    assert_status(feed_open(url, NULL, &feed, &err), ST_NOT_FOUND);
    assert_null(strstr(err.text, "secret"));
    assert_null(strstr(err.text, "pass"));
    close_web(&web);
    const char *request = web.fake.heads[0];
    assert_non_null(strstr(request, "GET /feed.zip?key=secret HTTP/1.1\r\n"));
    assert_non_null(strstr(request, "\r\nAuthorization: Basic bWU6cGFzcw==\r\n"));
    assert_non_null(strstr(request, "\r\nUser-Agent: tramline\r\n"));
}

// `form` with the URL for its "%s".
static void expect_url(char expected[512], const char *form, const char *url)
{
    const char *at = strstr(form, "%s");
    snprintf(expected, 512, "%.*s%s%s", (int)(at - form), form, url, at + 2);
}

// A download from a server that does this, whatever comes.
static enum status download(struct fake_step step, const struct feed_options *options,
                            const char *form)
{
    struct web web;
    struct feed *feed;
    struct err err;
    char expected[512];
    open_web(&web);
    if (step.answer == NULL)
        step = feed_of(&web);
    web.fake.repeats = true;
    fake_http_start(&web.fake, &step, 1);
    const char *url = web_url(&web, "/x");
    enum status rc = feed_open(url, options, &feed, &err);
    expect_url(expected, form, url);
    assert_string_equal(err.text, expected);
    close_web(&web);
    return rc;
}

static void test_failed_downloads_are_told(UNUSED void **state)
{
#define NO(code) "HTTP/1.1 " code " x\r\nContent-Length: 0\r\n\r\n"
    static const struct {
        struct fake_step step;
        enum status status;
        const char *form;
    } bad[] = {
        {{.answer = NO("404")}, ST_NOT_FOUND, "cannot download %s: HTTP 404"},
        {{.answer = NO("410")}, ST_NOT_FOUND, "cannot download %s: HTTP 410"},
        {{.answer = NO("503")}, ST_RETRY, "cannot download %s: HTTP 503"},
        {{.answer = NO("429")}, ST_RETRY, "cannot download %s: HTTP 429"},
        {{.answer = NO("403")}, ST_FAIL, "cannot download %s: HTTP 403"},
        {{.answer = NO("204")}, ST_FAIL, "cannot download %s: HTTP 204"},
        {{.answer = REDIRECT("/x")},
         ST_FAIL,
         "cannot download %s: it redirects more than 10 times"},
        {{.answer = REDIRECT("file:///etc/passwd")},
         ST_FAIL,
         "cannot download %s: it redirects to another protocol, which is not followed"},
        {{.answer = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nPK"},
         ST_RETRY,
         "cannot download %s: the connection was closed before the answer was whole"},
        {{.answer = "", .is_silent = true},
         ST_RETRY,
         "cannot download %s: nothing came for 1 s; SET feed.timeout gives it longer"},
    };
    struct feed_options options = {.download_ms = 1000};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_status(download(bad[i].step, &options, bad[i].form), bad[i].status);
    options = (struct feed_options){.download_bytes = 99};
    assert_status(download((struct fake_step){0}, &options,
                           "cannot download %s: the answer is longer than 99 bytes"),
                  ST_LIMIT);
}

static void test_a_download_without_room_is_told(UNUSED void **state)
{
    struct web web;
    struct feed *feed;
    struct err err;
    char expected[512];
    open_web(&web);
    const struct fake_step step = feed_of(&web);
    web.fake.repeats = true;
    fake_http_start(&web.fake, &step, 1);
    const char *url = web_url(&web, "/feed.zip");
    struct rlimit limit, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    small = (struct rlimit){100, limit.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    enum status status = feed_open(url, NULL, &feed, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_status(status, ST_FAIL);
    expect_url(expected,
               "cannot download %s: a temporary file cannot be written: File too large; "
               "set TMPDIR to another place",
               url);
    assert_string_equal(err.text, expected);

    setenv("TMPDIR", "/no/such", 1);
    assert_status(feed_open(url, NULL, &feed, &err), ST_FAIL);
    assert_string_equal(err.text,
                        "cannot make a temporary file in /no/such: No such file or "
                        "directory; set TMPDIR to another place");
    setenv("TMPDIR", web.workplace.directory, 1);
    close_web(&web);
}

TEST_MAIN(cmocka_unit_test(test_a_directory_is_a_feed),
          cmocka_unit_test(test_a_zip_may_hold_its_tables_in_a_folder),
          cmocka_unit_test(test_equal_names_equally_deep_are_refused),
          cmocka_unit_test(test_what_is_no_feed_is_told),
          cmocka_unit_test(test_what_of_a_directory_cannot_be_read_is_told),
          cmocka_unit_test(test_a_zip_of_very_many_files_is_refused),
          cmocka_unit_test(test_a_cut_zip_is_refused_not_read_in_part),
          cmocka_unit_test(test_a_changed_byte_never_gives_other_rows),
          cmocka_unit_test(test_a_member_that_does_not_unpack_is_told),
          cmocka_unit_test(test_a_deadline_ends_reading),
          cmocka_unit_test(test_a_member_above_the_limit_is_refused),
          cmocka_unit_test(test_a_url_is_downloaded),
          cmocka_unit_test(test_secrets_of_a_url_are_not_shown),
          cmocka_unit_test(test_failed_downloads_are_told),
          cmocka_unit_test(test_a_download_without_room_is_told))
