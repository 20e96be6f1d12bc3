// SPDX-License-Identifier: Apache-2.0
#include "testing/test_file.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/text_file.h"
#include "testing/test_text.h"

enum {
    FILES_MAX = 200, // of a folder that is a test
};

// 2026-01-01T00:00:00Z: a test that does not say what time it is gives the same rows
// on each day.
static const int64_t default_now_ms = 1767225600000;

static bool is_directory(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static bool is_expected(struct str name)
{
    return str_ends_with(name, ".csv") &&
           (str_is(name, "reject.csv") || str_starts_with(name, "expect."));
}

static bool has_expected(const char *path)
{
    DIR *directory = opendir(path);
    bool found = false;
    for (struct dirent *entry; directory != NULL && !found;) {
        entry = readdir(directory);
        if (entry == NULL)
            break;
        found = is_expected(str_of(entry->d_name));
    }
    if (directory != NULL)
        closedir(directory);
    return found;
}

bool test_case_is_at(const char *path)
{
    if (is_directory(path))
        return has_expected(path);
    return str_ends_with(str_of(path), ".test");
}

static enum status read_rows(struct test_case *test, struct test_block *block,
                             struct err *err)
{
    AUTO(buf_release) struct buf text = {0};
    TRY(text_file_read(block->file, &text, err));
    return test_text_rows(test, block, buf_as_str(&text), err);
}

enum status test_file_rows(struct test_case *test, struct test_block *block,
                           struct str path, struct err *err)
{
    const struct test_block place = *block;
    const char *slash = strrchr(place.file, '/');
    bool is_beside = slash != NULL && path.p[0] != '/';
    AUTO(buf_release) struct buf whole = {0};
    if (is_beside)
        buf_append(&whole, place.file, (size_t)(slash - place.file) + 1);
    buf_str(&whole, path);
    block->file = arena_cstr(&test->arena, buf_as_str(&whole));
    AUTO(buf_release) struct buf text = {0};
    if (text_file_read(block->file, &text, err) != ST_OK) {
        struct err why = *err;
        return test_wrong_block(&place, err, "%s", why.text);
    }
    return test_text_rows(test, block, buf_as_str(&text), err);
}

// "expect.csv", "expect.VIEW.csv", "reject.csv", "TABLE.csv", "STREAM.raw"; false: none
// of the test's.
static bool block_of_file(struct test_case *test, const char *path, const char *file,
                          struct test_block *ret)
{
    struct str name = str_of(file);
    *ret = (struct test_block){
        .file = arena_printf(&test->arena, "%s/%s", path, file),
        .line = 1,
        .column = 1,
    };
    bool is_raw = str_ends_with(name, ".raw");
    if (name.n <= 4 || (!is_raw && !str_ends_with(name, ".csv")))
        return false;
    struct str stem = arena_str(&test->arena, (struct str){name.p, name.n - 4});
    ret->kind = is_raw ? TEST_RAW : TEST_TABLE;
    ret->name = stem;
    if (is_raw)
        return true;
    if (str_is(stem, "reject") || str_is(stem, "expect")) {
        ret->kind = str_is(stem, "reject") ? TEST_REJECT : TEST_EXPECT;
        ret->name = (struct str){0};
    } else if (str_starts_with(stem, "expect.")) {
        ret->kind = TEST_EXPECT;
        ret->name = (struct str){stem.p + 7, stem.n - 7};
    }
    return true;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

struct names {
    char *items[FILES_MAX];
    size_t n;
};

static enum status list(const char *path, struct arena *arena, struct names *ret,
                        struct err *err)
{
    DIR *directory = opendir(path);
    if (directory == NULL)
        return err_set(err, ST_USAGE, "%s: cannot be read as a folder", path);
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        if (ret->n == FILES_MAX) {
            closedir(directory);
            return err_set(err, ST_USAGE, "%s: more than %d files; a test is small", path,
                           FILES_MAX);
        }
        ret->items[ret->n++] = arena_cstr(arena, str_of(entry->d_name));
    }
    closedir(directory);
    qsort(ret->items, ret->n, sizeof(*ret->items), by_name);
    return ST_OK;
}

static enum status read_settings(struct test_case *test, const char *path,
                                 struct err *err)
{
    AUTO(buf_release) struct buf text = {0};
    TRY(text_file_read(path, &text, err));
    return test_text_settings(test, path, buf_as_str(&text), err);
}

static enum status read_part(struct test_case *test, const char *path, const char *name,
                             struct err *err)
{
    struct test_block block;
    if (strcmp(name, "test.conf") == 0)
        return read_settings(test, arena_printf(&test->arena, "%s/test.conf", path), err);
    if (!block_of_file(test, path, name, &block))
        return ST_OK;
    enum status rc = read_rows(test, &block, err);
    if (rc == ST_OK)
        rc = test_add_block(test, &block, err);
    if (rc != ST_OK)
        free(block.rows);
    return rc;
}

static enum status read_folder(struct test_case *test, const char *path, struct err *err)
{
    struct names names = {.n = 0};
    TRY(list(path, &test->arena, &names, err));
    for (size_t i = 0; i < names.n; i++)
        TRY(read_part(test, path, names.items[i], err));
    return ST_OK;
}

static struct test_case new_test(const char *path, const char *name)
{
    struct test_case test = {.now_ms = default_now_ms};
    test.path = arena_cstr(&test.arena, str_of(path));
    test.name = arena_cstr(&test.arena, str_of(name));
    return test;
}

static enum status check_expected(const struct test_case *test, struct err *err)
{
    for (size_t i = 0; i < test->n_blocks; i++)
        if (test->blocks[i].kind == TEST_EXPECT || test->blocks[i].kind == TEST_REJECT)
            return ST_OK;
    return err_set(err, ST_USAGE,
                   "%s:1:1: nothing is expected; write the rows of the result below "
                   "[expect], or only [expect] when there are none",
                   test->path);
}

enum status test_case_read(const char *path, const char *name, struct test_case *ret,
                           struct err *err)
{
    *ret = new_test(path, name);
    if (is_directory(path)) {
        TRY(read_folder(ret, ret->path, err));
        return check_expected(ret, err);
    }
    AUTO(buf_release) struct buf text = {0};
    TRY(text_file_read(path, &text, err));
    TRY(test_text_parse(ret, ret->path, buf_as_str(&text), err));
    return check_expected(ret, err);
}

void test_case_release(struct test_case *test)
{
    for (size_t i = 0; i < test->n_blocks; i++)
        free(test->blocks[i].rows);
    free(test->blocks);
    free(test->variables);
    arena_release(&test->arena);
    *test = (struct test_case){0};
}
