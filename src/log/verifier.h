// SPDX-License-Identifier: Apache-2.0
// What verify.c (the log) and verify_files.c (the files) share.
#ifndef LOG_VERIFIER_H
#define LOG_VERIFIER_H

#include "log/letters.h"
#include "log/log_read.h"
#include "log/verify.h"

// A file that an entry names. Texts in the report's arena.
struct named_file {
    int64_t number; // of the entry
    struct entry_file file;
    struct str schema;
    struct file_format format;
    bool is_found; // at its place
};

// A partition as the entries say, one after another.
struct seen_partition {
    int32_t partition;
    int64_t first, next;
    struct str writer;
    struct leader_epoch epoch;
};

struct verifier {
    struct storage *storage;
    const struct verify_options *options;
    struct verify_report *report;
    int64_t end;       // number of the entry to come
    int64_t removable; // entries below it are covered by some snapshot
    char last_checksum[SHA256_HEX];
    struct job_identity job;           // of the first entry
    struct seen_partition *partitions; // rising
    size_t n_partitions, partitions_capacity;
    struct named_file *files; // sorted by name once the log has been read
    size_t n_files, files_capacity;
    struct letters letters;
    size_t n_unnamed; // files of no entry, where that is not a fault
};

void verifier_find(struct verifier *verifier, enum finding_kind kind, const char *fmt,
                   ...) PRINTF_LIKE(3, 4);
void verifier_progress(const struct verifier *verifier, int64_t n_done);
// What is in a directory; nothing when it is not there.
enum status verifier_list(struct verifier *verifier, struct str directory,
                          struct arena *arena, struct file_list *ret, struct err *err);
// verify_files.c: after the log has been read.
enum status verify_files(struct verifier *verifier, struct err *err);

#endif
