// SPDX-License-Identifier: Apache-2.0
// What an entry says is followed: files are moved by its names, folders removed by its
// writers, offsets added up. So it holds what the program makes and nothing else.
#include <inttypes.h>
#include <stdlib.h>

#include "base/text.h"
#include "core/env.h"
#include "core/format.h"
#include "log/fields.h"
#include "log/log_entry.h"
#include "log/paths.h"

#define LAST_TIME_MS INT64_C(253402300799999) // of the year 9999

static bool is_part(const struct entry *entry, size_t index, struct str name)
{
    for (size_t i = 0; i < n_formats; i++) {
        const struct format_files *files = formats[i]->files;
        if (files == NULL)
            continue;
        struct path flat = path_part(entry->number, index, files->extension, -1);
        struct path day =
            path_part(entry->number, index, files->extension, entry->time_ms);
        if (str_eq(name, path_str(&flat)) || str_eq(name, path_str(&day)))
            return true;
    }
    return false;
}

static enum status check_name(const struct entry *entry, size_t index, struct err *err)
{
    const struct entry_file *file = &entry->files[index];
    if (path_is_made(file->tmp, entry->writer, file->kind == FILE_DEAD))
        return str_eq(file->name, file->tmp)
                   ? ST_OK
                   : wrong_name("name", index, file->name,
                                "its 'tmp', where the file lies for good", err);
    struct path dead = path_dead(entry->number, index);
    if (file->kind == FILE_DEAD && !str_eq(file->name, path_str(&dead)))
        return wrong_name("name", index, file->name,
                          "the name of this entry's dead letters", err);
    if (file->kind == FILE_DATA && !is_part(entry, index, file->name))
        return wrong_name("name", index, file->name, "the name of this entry's data file",
                          err);
    return ST_OK;
}

static enum status check_names(const struct entry *entry, struct err *err)
{
    for (size_t i = 0; i < entry->n_files; i++)
        TRY(check_name(entry, i, err));
    return ST_OK;
}

static enum status check_uuid(struct str text, const char *field, struct err *err)
{
    if (env_is_uuid(text))
        return ST_OK;
    return err_set(err, ST_DATA, "field '%s' is not a UUID", field);
}

static enum status check_progress(const struct snapshot *snapshot, struct err *err)
{
    for (size_t i = 0; i < snapshot->n_partitions; i++) {
        const struct progress *progress = &snapshot->partitions[i];
        if (i > 0)
            TRY(check_order(progress[-1].partition, progress->partition, err));
        if (progress->writer.n > 0)
            TRY(check_uuid(progress->writer, "writer", err));
    }
    return ST_OK;
}

static enum status check_pending(const struct entry *entry, struct err *err)
{
    const struct snapshot *snapshot = &entry->snapshot;
    int64_t before = 0;
    for (size_t i = 0; i < snapshot->n_pending; i++) {
        int64_t number = snapshot->pending[i];
        if (number <= before || number >= entry->number)
            return err_set(err, ST_DATA,
                           "field 'pending' has %" PRId64 " behind %" PRId64
                           ", entries before this one rise",
                           number, before);
        before = number;
    }
    return ST_OK;
}

static int compare_texts(const void *a, const void *b)
{
    return str_compare(*(const struct str *)a, *(const struct str *)b);
}

static bool are_distinct(const struct str *texts, size_t n)
{
    struct str *sorted = mem_array(n + 1, sizeof(*sorted));
    for (size_t i = 0; i < n; i++)
        sorted[i] = texts[i];
    qsort(sorted, n, sizeof(*sorted), compare_texts);
    bool distinct = true;
    for (size_t i = 1; i < n; i++)
        distinct &= !str_eq(sorted[i - 1], sorted[i]);
    free(sorted);
    return distinct;
}

static enum status check_snapshot(const struct entry *entry, struct err *err)
{
    const struct snapshot *snapshot = &entry->snapshot;
    TRY(check_progress(snapshot, err));
    TRY(check_pending(entry, err));
    for (size_t i = 0; i < snapshot->n_writers; i++)
        TRY(check_uuid(snapshot->writers[i], "writers", err));
    if (!are_distinct(snapshot->writers, snapshot->n_writers))
        return err_set(err, ST_DATA, "field 'writers' has one of them twice");
    if (snapshot->script.is_known && snapshot->script.entry >= entry->number)
        return err_set(err, ST_DATA,
                       "field 'script' is of entry %" PRId64 ", not of one before this",
                       snapshot->script.entry);
    return ST_OK;
}

// Its day is a part of names.
static enum status check_time(const struct entry *entry, struct err *err)
{
    if (entry->time_ms <= LAST_TIME_MS)
        return ST_OK;
    return err_set(err, ST_DATA, "field 'time_ms' is not before the year 10000");
}

// A letter is of an entry before, and named once.
static enum status check_letters(const struct entry *entry, struct err *err)
{
    const struct replay *replay = &entry->replay;
    const struct letter_range *before = NULL;
    int64_t n = 0;
    for (size_t i = 0; i < replay->n_letters; i++) {
        const struct letter_range *range = &replay->letters[i];
        bool is_behind = before == NULL || range->entry > before->entry ||
                         (range->entry == before->entry &&
                          range->first >= before->first + before->count);
        if (range->count == 0 || range->entry >= entry->number || !is_behind)
            return err_set(err, ST_DATA,
                           "field 'letters' has %s of entry %" PRId64 " from %" PRId64
                           ", ranges of entries before this one rise "
                           "and have some",
                           text_counted(range->count, "letter", "letters"), range->entry,
                           range->first);
        n += range->count;
        if (n > ENTRY_NUMBER_MAX)
            return err_set(err, ST_DATA, "its letters add up to more than 10^18");
        before = range;
    }
    if (n != replay->records)
        return err_set(err, ST_DATA,
                       "field 'records' is %" PRId64
                       ", and field 'letters' names %" PRId64,
                       replay->records, n);
    return ST_OK;
}

enum status entry_check(const struct entry *entry, int64_t number, struct err *err)
{
    if (entry->number != number)
        return err_set(err, ST_DATA, "says that it is entry %" PRId64, entry->number);
    struct unit unit = entry_unit(entry);
    TRY(unit_check(&unit, err));
    TRY(check_uuid(entry->attempt, "attempt", err));
    TRY(check_time(entry, err));
    TRY(check_names(entry, err));
    TRY(check_letters(entry, err));
    return check_snapshot(entry, err);
}
