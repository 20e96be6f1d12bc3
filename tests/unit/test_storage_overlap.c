// SPDX-License-Identifier: Apache-2.0
// Two places that share files are found, however they are written.
#include "storage/overlap.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "test.h"

static enum storage_overlap overlap(const char *a, const char *b)
{
    struct arena arena = {0};
    struct storage_url a_url, b_url;
    struct err err;
    assert_ok(storage_url_parse(str_of(a), &arena, &a_url, &err), &err);
    assert_ok(storage_url_parse(str_of(b), &arena, &b_url, &err), &err);
    storage_overlap_prepare(&a_url, &arena);
    storage_overlap_prepare(&b_url, &arena);
    enum storage_overlap ret = storage_overlap(&a_url, &b_url);
    arena_release(&arena);
    return ret;
}

// Both ways round.
static void check(const char *a, const char *b, enum storage_overlap expected)
{
    enum storage_overlap other = expected == STORAGE_HOLDS    ? STORAGE_INSIDE
                                 : expected == STORAGE_INSIDE ? STORAGE_HOLDS
                                                              : expected;
    if (overlap(a, b) != expected || overlap(b, a) != other)
        fail_msg("%s and %s: %d and %d", a, b, overlap(a, b), overlap(b, a));
}

static void test_paths_are_compared_by_parts(UNUSED void **state)
{
    check("/data/a", "/data/b", STORAGE_APART);
    check("/data/a", "/data/ab", STORAGE_APART);
    check("/data/a", "/data/a/b", STORAGE_HOLDS);
    check("/data/a", "/data", STORAGE_INSIDE);
    check("/data/a", "/", STORAGE_INSIDE);
    check("/", "/", STORAGE_SAME);
    check("/data/a", "/Data/a", STORAGE_APART);
}

static void test_one_place_has_many_spellings(UNUSED void **state)
{
    check("/data/a", "/data//./a/", STORAGE_SAME);
    check("/data/a", "file:///data/x/../a", STORAGE_SAME);
    check("a", "./b/../a/", STORAGE_SAME);
    check("a", "a/b", STORAGE_HOLDS);
    check("..", "a", STORAGE_HOLDS);
    char *here = getcwd(NULL, 0);
    AUTO(mem_auto_free) char *whole = mem_printf("file://%s/a", here);
    check("a", whole, STORAGE_SAME);
    free(here);
}

static void test_name_nodes_are_compared_by_name(UNUSED void **state)
{
    check("hdfs://nn/a", "hdfs://NN:9870/a/", STORAGE_SAME);
    check("hdfs://nn./a", "hdfs://nn/a", STORAGE_SAME);
    check("hdfs://nn/a", "hdfs://nn:9871/a", STORAGE_APART);
    check("hdfs://nn/a", "hdfss://nn/a/b", STORAGE_HOLDS);
    check("hdfs://nn/a", "hdfss://other/a", STORAGE_APART);
    check("hdfs://n1,n2/a", "hdfs://n2,n1/a", STORAGE_SAME);
    check("hdfs://n1,n2/a/b", "hdfs://n2/a", STORAGE_INSIDE);
    check("hdfs://n1,n2/a", "hdfs://n3,n4/a", STORAGE_APART);
    check("hdfs://localhost:1/a", "hdfs://127.0.0.1:1/a", STORAGE_SAME);
    check("hdfs://[::1]:1/a", "hdfs://localhost:1/a", STORAGE_SAME);
    check("hdfs://localhost:1/a", "hdfs://localhost:2/a", STORAGE_APART);
    check("hdfs://nn/a", "/a", STORAGE_APART);
}

static void test_symbolic_links_are_followed(UNUSED void **state)
{
    char directory[] = "/tmp/tramline-overlap-XXXXXX";
    assert_non_null(mkdtemp(directory));
    AUTO(mem_auto_free) char *link = mem_printf("%s/link", directory);
    AUTO(mem_auto_free) char *data = mem_printf("%s/data", directory);
    AUTO(mem_auto_free) char *below = mem_printf("%s/link/x/y", directory);
    AUTO(mem_auto_free) char *direct = mem_printf("%s/data/x", directory);
    assert_int_equal(symlink("data", link), 0);
    check(link, data, STORAGE_APART); // leads nowhere yet: nothing can be below it
    AUTO(mem_auto_free) char *make = mem_printf("mkdir %s", data);
    assert_int_equal(system(make), 0);
    check(link, data, STORAGE_SAME);
    check(below, direct, STORAGE_INSIDE); // neither is there yet
    check(below, data, STORAGE_INSIDE);
    AUTO(mem_auto_free) char *clean = mem_printf("rm -r %s", directory);
    assert_int_equal(system(clean), 0);
}

TEST_MAIN(cmocka_unit_test(test_paths_are_compared_by_parts),
          cmocka_unit_test(test_one_place_has_many_spellings),
          cmocka_unit_test(test_name_nodes_are_compared_by_name),
          cmocka_unit_test(test_symbolic_links_are_followed))
