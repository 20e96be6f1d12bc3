// SPDX-License-Identifier: Apache-2.0
#include "storage/storage_url.h"

#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "test.h"

#define FORMS                                                                   \
    "; write /directory, file:///directory, hdfs://namenode:9870/directory or " \
    "hdfss://namenode:9871/directory"

static struct err err;

static void assert_parses(const char *text, const char *url, const char *nodes,
                          const char *path)
{
    struct arena arena = {0};
    struct storage_url parsed;
    assert_ok(storage_url_parse(str_of(text), &arena, &parsed, &err), &err);
    assert_string_equal(parsed.text, url);
    assert_string_equal(parsed.nodes, nodes);
    assert_string_equal(parsed.path, path);
    assert_int_equal(parsed.is_local, nodes[0] == '\0');
    assert_int_equal(parsed.tls, strncmp(url, "hdfss:", 6) == 0);
    // One spelling: it reads as itself.
    assert_ok(storage_url_parse(str_of(url), &arena, &parsed, &err), &err);
    assert_string_equal(parsed.text, url);
    arena_release(&arena);
}

static void assert_refused(struct str text, const char *expected)
{
    struct arena arena = {0};
    struct storage_url parsed;
    assert_status(storage_url_parse(text, &arena, &parsed, &err), ST_USAGE);
    assert_string_equal(err.text, expected);
    arena_release(&arena);
}

static void test_local_paths_have_one_spelling(UNUSED void **state)
{
    assert_parses("/data/trips", "file:///data/trips", "", "/data/trips");
    assert_parses("file:///data/trips/", "file:///data/trips", "", "/data/trips");
    assert_parses("/data//./x/../trips/", "file:///data/trips", "", "/data/trips");
    assert_parses("/../a", "file:///a", "", "/a");
    assert_parses("/a%20b+c:d/\xc3\xa9", "file:///a%20b+c:d/\xc3\xa9", "",
                  "/a%20b+c:d/\xc3\xa9");
}

static void test_relative_path_begins_here(UNUSED void **state)
{
    char *here = getcwd(NULL, 0);
    AUTO(mem_auto_free) char *path = mem_printf("%s/out", here);
    AUTO(mem_auto_free) char *url = mem_printf("file://%s", path);
    assert_parses("out", url, "", path);
    assert_parses("./x/../out/", url, "", path);
    free(here);
}

static void test_hdfs_fills_in_ports(UNUSED void **state)
{
    assert_parses("hdfs://nn:9870/user/x", "hdfs://nn:9870/user/x", "nn:9870", "/user/x");
    assert_parses("hdfs://NN1,nn2:50070//a/./b/", "hdfs://nn1:9870,nn2:50070/a/b",
                  "nn1:9870,nn2:50070", "/a/b");
    assert_parses("hdfss://nn/a", "hdfss://nn:9871/a", "nn:9871", "/a");
    assert_parses("hdfs://[::1]:9870/a", "hdfs://[::1]:9870/a", "[::1]:9870", "/a");
    assert_parses("hdfs://[::1]/a", "hdfs://[::1]:9870/a", "[::1]:9870", "/a");
}

static void test_root_is_empty(UNUSED void **state)
{
    assert_parses("hdfs://nn:9870/", "hdfs://nn:9870", "nn:9870", "");
    assert_parses("hdfs://nn:9870", "hdfs://nn:9870", "nn:9870", "");
}

static void test_wrong_urls_are_refused_with_the_forms(UNUSED void **state)
{
    assert_refused(STR_LITERAL(""), "'': it is empty" FORMS);
    assert_refused(STR_LITERAL("s3://bucket/x"),
                   "'s3://bucket/x': 's3' is not a storage that is known" FORMS);
    assert_refused(
        STR_LITERAL("http://nn:9870/webhdfs/v1/x"),
        "'http://nn:9870/webhdfs/v1/x': 'http' is not a storage that is known" FORMS);
    assert_refused(STR_LITERAL("webhdfs://nn:9870/x"),
                   "'webhdfs://nn:9870/x': write hdfs:// for webhdfs://");
    assert_refused(STR_LITERAL("swebhdfs://nn:9871/x"),
                   "'swebhdfs://nn:9871/x': write hdfss:// for swebhdfs://");
    assert_refused(STR_LITERAL("file:/x"),
                   "'file:/x': it has the wrong number of '/'" FORMS);
    assert_refused(STR_LITERAL("file://host/x"),
                   "'file://host/x': it has the wrong number of '/'" FORMS);
    assert_refused(STR_LITERAL("hdfs:/x"),
                   "'hdfs:/x': it has the wrong number of '/'" FORMS);
    assert_refused(STR_LITERAL("hdfs:///x"), "'hdfs:///x': it names no name node" FORMS);
    assert_refused(STR_LITERAL("hdfs://nn1,,nn2/x"),
                   "'hdfs://nn1,,nn2/x': it names no name node" FORMS);
    assert_refused(STR_LITERAL("hdfs://nn:http/x"),
                   "'hdfs://nn:http/x': 'http' is not a port" FORMS);
    assert_refused(STR_LITERAL("hdfs://nn:70000/x"),
                   "'hdfs://nn:70000/x': '70000' is not a port" FORMS);
    assert_refused(STR_LITERAL("hdfs://n n/x"),
                   "'hdfs://n n/x': 'n n' is not a host name" FORMS);
    assert_refused(STR_LITERAL("~/x"), "'~/x': ~ is not replaced; write ${HOME}");
    assert_refused(STR_LITERAL("/a\0b"),
                   "a path holds control characters or is not UTF-8");
    assert_refused(STR_LITERAL("/a\xff"),
                   "a path holds control characters or is not UTF-8");
}

static void test_password_in_a_url_is_not_shown(UNUSED void **state)
{
    assert_refused(STR_LITERAL("hdfs://ann:secret@nn:9870/x"),
                   "a user cannot stand in a URL (hdfs://***@...); give the user by WITH "
                   "(user = '...')");
}

static void test_a_directory_that_is_gone_is_told(UNUSED void **state)
{
    char directory[] = "/tmp/tramline-url-XXXXXX";
    char here[PATH_MAX];
    struct arena arena = {0};
    struct storage_url parsed;
    assert_non_null(getcwd(here, sizeof(here)));
    assert_non_null(mkdtemp(directory));
    assert_int_equal(chdir(directory), 0);
    assert_int_equal(rmdir(directory), 0);
    enum status status = storage_url_parse(STR_LITERAL("a/b"), &arena, &parsed, &err);
    assert_int_equal(chdir(here), 0);
    assert_status(status, ST_USAGE);
    assert_string_equal(err.text,
                        "'a/b': the current directory is gone; give an absolute path");
    arena_release(&arena);
}

TEST_MAIN(cmocka_unit_test(test_a_directory_that_is_gone_is_told),
          cmocka_unit_test(test_local_paths_have_one_spelling),
          cmocka_unit_test(test_relative_path_begins_here),
          cmocka_unit_test(test_hdfs_fills_in_ports),
          cmocka_unit_test(test_root_is_empty),
          cmocka_unit_test(test_wrong_urls_are_refused_with_the_forms),
          cmocka_unit_test(test_password_in_a_url_is_not_shown))
