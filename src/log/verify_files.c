// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <stdlib.h>

#include "base/text.h"
#include "log/paths.h"
#include "log/read_back.h"
#include "log/verifier.h"

static int compare_names(const void *a, const void *b)
{
    const struct named_file *left = a, *right = b;
    return str_compare(left->file.name, right->file.name);
}

static struct named_file *find_name(const struct verifier *verifier, struct str name)
{
    if (verifier->n_files == 0)
        return NULL;
    struct named_file key = {.file.name = name};
    return bsearch(&key, verifier->files, verifier->n_files, sizeof(key), compare_names);
}

// A data or dead letter file that no entry names. It may be of an entry that was removed,
// or of one that came after the log's end was looked up.
static enum status check_unnamed(struct verifier *verifier, struct str path,
                                 struct str name, struct err *err)
{
    int64_t number;
    bool is_ours = path_number(name, &number);
    if (is_ours && number < verifier->report->first_entry)
        return ST_OK;
    bool is_new = false;
    if (is_ours && number >= verifier->end) {
        struct path entry = path_entry(number);
        TRY(log_exists(verifier->storage, path_str(&entry), &is_new, err));
    }
    if (!is_ours && !verifier->storage->renames)
        verifier->n_unnamed++; // of a commit that did not come about, or not yet
    else if (!is_new)
        verifier_find(verifier, FINDING_ERROR,
                      "%.*s is not named by any entry of the log", STR_ARGS(path));
    return ST_OK;
}

static enum status check_listed(struct verifier *verifier, struct str directory,
                                const struct file_info *info, struct err *err)
{
    struct arena arena AUTO(arena_release) = {0};
    struct str path = info->name;
    if (directory.n)
        path = str_of(
            arena_printf(&arena, "%.*s/%.*s", STR_ARGS(directory), STR_ARGS(info->name)));
    struct named_file *named = find_name(verifier, path);
    if (named == NULL)
        return check_unnamed(verifier, path, info->name, err);
    named->is_found = true;
    if (info->size != named->file.bytes)
        verifier_find(verifier, FINDING_ERROR,
                      "entry %" PRId64 ": %.*s has %" PRId64
                      " bytes, the log says %" PRId64,
                      named->number, STR_ARGS(path), info->size, named->file.bytes);
    return ST_OK;
}

// Hive, Spark and others read all files but those whose names begin so.
static bool is_hidden(struct str name)
{
    return str_starts_with(name, "_") || str_starts_with(name, ".");
}

static enum status check_directory(struct verifier *verifier, struct str directory,
                                   struct err *err)
{
    struct arena arena AUTO(arena_release) = {0};
    struct file_list list;
    TRY(verifier_list(verifier, directory, &arena, &list, err));
    for (size_t i = 0; i < list.n; i++)
        if (!list.items[i].is_directory && !is_hidden(list.items[i].name))
            TRY(check_listed(verifier, directory, &list.items[i], err));
    return ST_OK;
}

static enum status check_below(struct verifier *verifier, struct str name,
                               struct err *err)
{
    if (str_starts_with(name, "day="))
        return check_directory(verifier, name, err);
    verifier_find(verifier, FINDING_NOTE,
                  "%.*s is a directory that is not of this result: who reads it too "
                  "reads more than the log says",
                  STR_ARGS(name));
    return ST_OK;
}

static enum status check_directories(struct verifier *verifier, struct err *err)
{
    struct arena arena AUTO(arena_release) = {0};
    struct file_list list;
    TRY(verifier_list(verifier, (struct str){"", 0}, &arena, &list, err));
    for (size_t i = 0; i < list.n; i++)
        if (list.items[i].is_directory && !is_hidden(list.items[i].name))
            TRY(check_below(verifier, list.items[i].name, err));
    return ST_OK;
}

// Listing saw it nowhere. It may have been moved since: look again, there and in tmp.
static enum status check_missing(struct verifier *verifier, struct named_file *named,
                                 struct err *err)
{
    bool is_there = false;
    if (!str_eq(named->file.tmp, named->file.name))
        TRY(log_exists(verifier->storage, named->file.tmp, &is_there, err));
    if (is_there) {
        verifier->report->n_unmoved++;
        verifier_find(verifier, FINDING_NOTE,
                      "entry %" PRId64
                      ": %.*s still lies in tmp; a running worker, or the "
                      "next one that starts, moves it",
                      named->number, STR_ARGS(named->file.name));
        return ST_OK;
    }
    TRY(log_exists(verifier->storage, named->file.name, &is_there, err));
    named->is_found = is_there;
    if (!is_there)
        verifier_find(verifier, FINDING_ERROR,
                      "entry %" PRId64 ": %.*s is missing, and with it %s", named->number,
                      STR_ARGS(named->file.name),
                      text_counted(named->file.rows, "row", "rows"));
    return ST_OK;
}

static enum status find_sum(struct verifier *verifier, const struct entry_file *file,
                            struct checksum *ret, struct err *err)
{
    struct storage *storage = verifier->storage;
    int64_t n_bytes;
    if (!verifier->options->bytes)
        return storage->ops->checksum(storage, file->name, ret, err);
    return read_back(storage, file->name, file->bytes, file->checksum.kind, &n_bytes, ret,
                     err);
}

static enum status check_content(struct verifier *verifier,
                                 const struct named_file *named, struct err *err)
{
    struct checksum sum;
    enum status rc = find_sum(verifier, &named->file, &sum, err);
    if (rc != ST_OK && rc != ST_NOT_FOUND)
        return rc;
    struct err why;
    if (rc == ST_OK && checksum_check_kinds(&sum, &named->file.checksum, &why) != ST_OK) {
        verifier_find(verifier, FINDING_ERROR,
                      "entry %" PRId64 ": %.*s: %s; verify --deep reads the file",
                      named->number, STR_ARGS(named->file.name), why.text);
        return ST_OK;
    }
    if (rc == ST_NOT_FOUND || !checksum_eq(&sum, &named->file.checksum))
        verifier_find(verifier, FINDING_ERROR,
                      "entry %" PRId64
                      ": %.*s was changed: its checksum is not the log's",
                      named->number, STR_ARGS(named->file.name));
    return ST_OK;
}

static void check_rows(struct verifier *verifier, const struct named_file *named)
{
    const struct verify_options *options = verifier->options;
    const struct verify_file file = {named->file.name, named->schema, named->format};
    struct err why;
    int64_t rows;
    if (options->count_rows(options->context, &file, &rows, &why) != ST_OK)
        verifier_find(verifier, FINDING_ERROR, "entry %" PRId64 ": %.*s: %s",
                      named->number, STR_ARGS(named->file.name), why.text);
    else if (rows != named->file.rows)
        verifier_find(verifier, FINDING_ERROR,
                      "entry %" PRId64 ": %.*s has %s, the log says %" PRId64,
                      named->number, STR_ARGS(named->file.name),
                      text_counted(rows, "row", "rows"), named->file.rows);
}

static enum status check_named(struct verifier *verifier, struct named_file *named,
                               struct err *err)
{
    if (!named->is_found)
        TRY(check_missing(verifier, named, err));
    if (!named->is_found)
        return ST_OK;
    if (verifier->options->checksums || verifier->options->bytes)
        TRY(check_content(verifier, named, err));
    if (verifier->options->count_rows != NULL && named->file.kind == FILE_DATA)
        check_rows(verifier, named);
    return ST_OK;
}

static bool is_owner(const struct verifier *verifier, struct str writer)
{
    for (size_t i = 0; i < verifier->n_partitions; i++)
        if (str_eq(verifier->partitions[i].writer, writer))
            return true;
    return false;
}

static enum status look_at_tmp(struct verifier *verifier, struct err *err)
{
    struct arena arena AUTO(arena_release) = {0};
    struct file_list list;
    size_t n = 0;
    TRY(verifier_list(verifier, STR_LITERAL("_tramline/tmp"), &arena, &list, err));
    for (size_t i = 0; i < list.n; i++)
        n += !is_owner(verifier, list.items[i].name);
    if (n)
        verifier_find(
            verifier, FINDING_NOTE,
            "_tramline/tmp holds %s of writers that own no partition: "
            "left over, or about to claim; the next claim removes those that it "
            "may, the rest can go when no worker is running",
            text_counted((int64_t)n, "folder", "folders"));
    return ST_OK;
}

static void tell_unnamed(struct verifier *verifier)
{
    if (verifier->n_unnamed > 0)
        verifier_find(verifier, FINDING_NOTE,
                      "no entry names %s: of commits that did not come "
                      "about, or not yet; this storage cannot rename, so whoever reads "
                      "goes by the log",
                      text_counted((int64_t)verifier->n_unnamed, "file", "files"));
}

enum status verify_files(struct verifier *verifier, struct err *err)
{
    if (verifier->n_files)
        qsort(verifier->files, verifier->n_files, sizeof(*verifier->files),
              compare_names);
    TRY(check_directory(verifier, (struct str){"", 0}, err));
    TRY(check_directories(verifier, err));
    TRY(check_directory(verifier, STR_LITERAL("_tramline/dead"), err));
    tell_unnamed(verifier);
    int64_t n_entries = verifier->end - verifier->report->first_entry;
    for (size_t i = 0; i < verifier->n_files; i++) {
        TRY(check_named(verifier, &verifier->files[i], err));
        verifier_progress(verifier, n_entries + (int64_t)i + 1);
    }
    return look_at_tmp(verifier, err);
}
