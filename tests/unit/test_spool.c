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

// Files that were used are written over: none of their bytes is seen again, whatever is
// shorter or longer than they were.
static void check_again(struct spool *spool)
{
    static const char *const texts[] = {"a long one of before", "short", "longer again"};
    struct spool_file *file;
    struct err err = {0};
    char bytes[64];
    size_t n;
    for (size_t round = 0; round < 30; round++) {
        struct str text = str_of(texts[round % ARRAY_LEN(texts)]);
        assert_ok(spool->ops->create(spool, &file, &err), &err);
        assert_ok(file->ops->append(file, text, &err), &err);
        for (size_t at = 0; at <= text.n; at++) {
            assert_ok(file->ops->read(file, (int64_t)at, bytes, sizeof(bytes), &n, &err),
                      &err);
            assert_int_equal(n, text.n - at);
            assert_memory_equal(bytes, text.p + at, n);
        }
        file->ops->discard(file);
    }
    spool->ops->close(spool);
}

// What may have a name elsewhere has its own bytes alone, and keeps them.
static void check_given(struct spool *spool)
{
    struct spool_file *file;
    struct err err = {0};
    char bytes[64];
    assert_ok(spool->ops->create(spool, &file, &err), &err);
    assert_ok(file->ops->append(file, STR_LITERAL("a long one"), &err), &err);
    file->ops->discard(file);
    assert_ok(spool->ops->create(spool, &file, &err), &err);
    assert_ok(file->ops->append(file, STR_LITERAL("given"), &err), &err);
    int fd = dup(file->ops->descriptor(file));
    assert_true(fd >= 0);
    assert_int_equal(lseek(fd, 0, SEEK_END), 5);
    file->ops->discard(file);
    assert_ok(spool->ops->create(spool, &file, &err), &err);
    assert_ok(file->ops->append(file, STR_LITERAL("another"), &err), &err);
    assert_int_equal(pread(fd, bytes, sizeof(bytes), 0), 5);
    assert_memory_equal(bytes, "given", 5);
    file->ops->discard(file);
    close(fd);
    spool->ops->close(spool);
}

// More files than are kept, and one that outlives its spool.
static void check_many(struct spool *spool)
{
    struct spool_file *files[20], *last;
    struct err err = {0};
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < ARRAY_LEN(files); i++) {
            assert_ok(spool->ops->create(spool, &files[i], &err), &err);
            assert_ok(files[i]->ops->append(files[i], STR_LITERAL("x"), &err), &err);
        }
        for (size_t i = 0; i < ARRAY_LEN(files); i++)
            files[i]->ops->discard(files[i]);
    }
    assert_ok(spool->ops->create(spool, &last, &err), &err);
    spool->ops->close(spool);
    last->ops->discard(last);
}

static void test_files_are_written_over(UNUSED void **state)
{
    static void (*const checks[])(struct spool *) = {check_again, check_given,
                                                     check_many};
    char directory[] = "/tmp/tramline-spool-XXXXXX";
    struct spool *spool;
    struct err err = {0};
    assert_non_null(mkdtemp(directory));
    for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
        assert_ok(spool_local_open(directory, &spool, &err), &err);
        checks[i](spool);
    }
    assert_int_equal(rmdir(directory), 0);
    check_again(spool_mem_open());
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

TEST_MAIN(cmocka_unit_test(test_in_memory), cmocka_unit_test(test_files_are_written_over),
          cmocka_unit_test(test_in_a_directory_nothing_is_left),
          cmocka_unit_test(test_no_directory_is_told_at_once))
