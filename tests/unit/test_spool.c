// SPDX-License-Identifier: Apache-2.0
#include "test.h"

#include <sys/stat.h>
#include <unistd.h>

#include "memory/spool_mem.h"
#include "storage/spool_local.h"

static void check_contract(struct spool *spool)
{
    struct spool_file *file, *other;
    struct err err = {0};
    char bytes[16];
    size_t n;
    assert_ok(spool->ops->create(spool, &file, &err), &err);
    assert_ok(spool->ops->create(spool, &other, &err), &err);
    assert_ok(file->ops->append(file, STR_LITERAL("hello "), &err), &err);
    assert_ok(other->ops->append(other, STR_LITERAL("other"), &err), &err);
    assert_ok(file->ops->append(file, STR_LITERAL("world"), &err), &err);
    for (int round = 0; round < 2; round++) {
        assert_ok(file->ops->read(file, 0, bytes, 7, &n, &err), &err);
        assert_int_equal(n, 7);
        assert_memory_equal(bytes, "hello w", 7);
        assert_ok(file->ops->read(file, 7, bytes, sizeof(bytes), &n, &err), &err);
        assert_int_equal(n, 4);
        assert_memory_equal(bytes, "orld", 4);
        assert_ok(file->ops->read(file, 11, bytes, sizeof(bytes), &n, &err), &err);
        assert_int_equal(n, 0);
    }
    assert_ok(file->ops->overwrite(file, STR_LITERAL("HE"), &err), &err);
    assert_ok(file->ops->append(file, STR_LITERAL("!"), &err), &err);
    assert_ok(file->ops->read(file, 0, bytes, sizeof(bytes), &n, &err), &err);
    assert_int_equal(n, 12);
    assert_memory_equal(bytes, "HEllo world!", 12);
    other->ops->discard(other);
    spool->ops->close(spool);
    assert_ok(file->ops->read(file, 0, bytes, 1, &n, &err), &err); // outlives it
    assert_int_equal(n, 1);
    file->ops->discard(file);
}

static void test_in_memory(UNUSED void **state)
{
    check_contract(spool_mem_open());
}

static void test_in_a_directory_nothing_is_left(UNUSED void **state)
{
    char directory[] = "/tmp/tramline-spool-XXXXXX";
    struct spool *spool;
    struct err err = {0};
    assert_non_null(mkdtemp(directory));
    assert_ok(spool_local_open(directory, &spool, &err), &err);
    check_contract(spool);
    assert_int_equal(rmdir(directory), 0); // it was empty
}

static void test_no_directory_is_told_at_once(UNUSED void **state)
{
    struct spool *spool;
    struct err err;
    assert_status(spool_local_open("/nowhere/at/all", &spool, &err), ST_FAIL);
    assert_string_equal(err.text,
                        "spool directory /nowhere/at/all: cannot make a file: No "
                        "such file or directory; SET spool = '...' names another "
                        "one");
}

TEST_MAIN(cmocka_unit_test(test_in_memory),
          cmocka_unit_test(test_in_a_directory_nothing_is_left),
          cmocka_unit_test(test_no_directory_is_told_at_once))
