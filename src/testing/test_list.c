// SPDX-License-Identifier: Apache-2.0
#include <dirent.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "testing/test_suite.h"

enum {
    ENTRIES_MAX = 10000, // of a folder that are looked at
};

static bool is_directory(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static bool exists(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0;
}

static enum status add(struct test_list *list, const char *path, const char *name,
                       struct err *err)
{
    if (list->n == TESTS_MAX)
        return err_set(err, ST_USAGE, "more than %d tests; name some of them", TESTS_MAX);
    for (size_t i = 0; i < list->n; i++)
        if (strcmp(list->items[i].path, path) == 0)
            return ST_OK;
    struct str stem = str_of(name);
    if (str_ends_with(stem, ".test") && stem.n > 5)
        stem.n -= 5;
    MEM_GROW(list->items, list->n, list->capacity);
    list->items[list->n++] = (struct test_found){arena_cstr(&list->arena, stem),
                                                 arena_cstr(&list->arena, str_of(path))};
    return ST_OK;
}

// All below a folder; names begin below `root`.
static enum status find_below(struct test_list *list, const char *path, const char *name,
                              int depth, struct err *err)
{
    if (test_case_is_at(path))
        return add(list, path, name, err);
    if (!is_directory(path) || depth == TESTS_DEPTH_MAX)
        return ST_OK;
    DIR *directory = opendir(path);
    if (directory == NULL)
        return err_set(err, ST_USAGE, "%s: cannot be read as a folder", path);
    enum status rc = ST_OK;
    size_t n = 0;
    for (struct dirent *entry; rc == ST_OK && (entry = readdir(directory)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        if (n++ == ENTRIES_MAX) {
            rc = err_set(err, ST_USAGE, "%s: more than %d entries; name another folder",
                         path, ENTRIES_MAX);
            break;
        }
        char *below = arena_printf(&list->arena, "%s/%s", path, entry->d_name);
        char *below_name = name[0]
                               ? arena_printf(&list->arena, "%s/%s", name, entry->d_name)
                               : arena_cstr(&list->arena, str_of(entry->d_name));
        rc = find_below(list, below, below_name, depth + 1, err);
    }
    closedir(directory);
    return rc;
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL && slash[1] != '\0' ? slash + 1 : path;
}

// A path that the caller names: without slashes at its end.
static enum status find_at(struct test_list *list, const char *path, struct err *err)
{
    char *clean = arena_cstr(&list->arena, str_of(path));
    for (size_t n = strlen(clean); n > 1 && clean[n - 1] == '/'; n--)
        clean[n - 1] = '\0';
    if (!test_case_is_at(clean) && !is_directory(clean))
        return err_set(err, ST_USAGE,
                       "%s is not a test: one is a file NAME.test, or a folder with "
                       "expect.csv or reject.csv",
                       path);
    size_t before = list->n;
    const char *name = test_case_is_at(clean) ? last_part(clean) : "";
    TRY(find_below(list, clean, name, 0, err));
    if (list->n == before)
        return err_set(err, ST_USAGE,
                       "%s has no tests: one is a file NAME.test, or a folder with "
                       "expect.csv or reject.csv",
                       path);
    return ST_OK;
}

static char *default_folder(struct test_list *list, const char *script)
{
    const char *slash = strrchr(script, '/');
    return slash == NULL
               ? arena_cstr(&list->arena, STR_LITERAL("tests"))
               : arena_printf(&list->arena, "%.*s/tests", (int)(slash - script), script);
}

static enum status no_match(const struct test_list *list, const char *word,
                            struct err *err)
{
    const char *names[256];
    size_t n = 0;
    for (; n < list->n && n < ARRAY_LEN(names); n++)
        names[n] = list->items[n].name;
    const char *near = str_nearest(str_of(word), names, n);
    return err_set(err, ST_USAGE, "no test is named '%s'%s%s%s", word,
                   near ? "; did you mean " : ", and there is no such file or folder",
                   near ? near : "", near ? "?" : "");
}

// Leaves those that one of the words names.
static enum status choose(struct test_list *list, const char *const *words, size_t n,
                          struct err *err)
{
    bool *wanted = arena_array(&list->arena, list->n, sizeof(*wanted));
    size_t n_words = 0;
    for (size_t w = 0; w < n; w++) {
        if (exists(words[w]))
            continue;
        size_t n_found = 0;
        n_words++;
        for (size_t i = 0; i < list->n; i++) {
            bool fits = fnmatch(words[w], list->items[i].name, 0) == 0;
            wanted[i] |= fits;
            n_found += fits;
        }
        if (n_found == 0)
            return no_match(list, words[w], err);
    }
    size_t n_kept = 0;
    for (size_t i = 0; i < list->n; i++)
        if (wanted[i] || n_words == 0)
            list->items[n_kept++] = list->items[i];
    list->n = n_kept;
    return ST_OK;
}

static int by_name(const void *a, const void *b)
{
    const struct test_found *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order ? order : strcmp(x->path, y->path);
}

enum status test_list_find(const char *script, const char *const *words, size_t n,
                           struct test_list *ret, struct err *err)
{
    *ret = (struct test_list){0};
    size_t n_paths = 0;
    for (size_t i = 0; i < n; i++) {
        if (!exists(words[i]))
            continue;
        TRY(find_at(ret, words[i], err));
        n_paths++;
    }
    const char *folder = default_folder(ret, script);
    if (n_paths == 0 && !is_directory(folder) && n > 0)
        return no_match(ret, words[0], err);
    if (n_paths == 0 && !is_directory(folder))
        return err_set(err, ST_USAGE,
                       "there is no folder %s, where the tests of %s are looked for; "
                       "name a test or its folder behind the script",
                       folder, script);
    if (n_paths == 0)
        TRY(find_at(ret, folder, err));
    if (ret->n > 0)
        qsort(ret->items, ret->n, sizeof(*ret->items), by_name);
    return choose(ret, words, n, err);
}

void test_list_release(struct test_list *list)
{
    free(list->items);
    arena_release(&list->arena);
    *list = (struct test_list){0};
}
