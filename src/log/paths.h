// SPDX-License-Identifier: Apache-2.0
// Names of all that stands below a result directory. The only place that knows them.
#ifndef LOG_PATHS_H
#define LOG_PATHS_H

#include "log/log_entry.h"

enum {
    PATH_TEXT = 128
};

// Entries are in buckets, a directory each (bucket.c).
int64_t bucket_of(int64_t number);
int64_t bucket_first(int64_t bucket); // number of its first entry

#define PATH_LOG_ROOT "_tramline" // the log, dead letters, files on their way

// A short path by value, so that it needs no owner.
struct path {
    char text[PATH_TEXT];
};

static inline struct str path_str(const struct path *path)
{
    return str_of(path->text);
}

struct path path_bucket(int64_t bucket);    // _tramline/log/000000
struct path path_entry(int64_t number);     // _tramline/log/000000/<20 digits>.json
struct path path_writer(struct str writer); // _tramline/tmp/<writer>
struct path path_tmp(struct str writer,
                     const char *uuid);              // _tramline/tmp/<writer>/<uuid>
struct path path_dead(int64_t number, size_t index); // _tramline/dead/<N>-<i>.jsonl
// part-<N>-<i>.<ext>; with day_ms >= 0 below day=YYYY-MM-DD (UTC).
struct path path_part(int64_t number, size_t index, const char *extension,
                      int64_t day_ms);
// Of a storage that cannot rename, where the number is not known when the file is
// written: part-<writer>-<uuid>.<ext>, and _tramline/dead/<writer>-<uuid>.jsonl.
struct path path_part_made(struct str writer, const char *uuid, const char *extension,
                           int64_t day_ms);
struct path path_dead_made(struct str writer, const char *uuid);
// Whether a path is one that these make for the writer; of `dead` letters or not.
bool path_is_made(struct str path, struct str writer, bool dead);
struct path path_parent(struct str path); // empty for a name without directory
// The number in "part-<20 digits>-<i>.<ext>" or "<20 digits>-<i>.jsonl"; false when the
// name is not of that form.
bool path_number(struct str name, int64_t *ret);
// Whether a name is, to the letter, one that path_part or path_part_made makes: the
// file's, the directory's.
bool path_is_part(struct str name);
bool path_is_day(struct str name);

#endif
