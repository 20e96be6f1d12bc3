// SPDX-License-Identifier: Apache-2.0
// A storage with one file, "t.csv", whose bytes are given by the test. It can only be
// read.
#ifndef TESTS_BYTES_STORAGE_H
#define TESTS_BYTES_STORAGE_H

#include "core/storage.h"

#define BYTES_FILE STR_LITERAL("t.csv")

struct bytes_storage {
    struct storage storage;
    struct str bytes;
};

static enum status bytes_read(struct storage *storage, struct str path, int64_t offset,
                              size_t size_bytes, struct buf *ret, struct err *err)
{
    struct str bytes = ((struct bytes_storage *)storage)->bytes;
    if (!str_eq(path, BYTES_FILE))
        return err_set(err, ST_NOT_FOUND, "%s/%.*s: not found", storage->url,
                       STR_ARGS(path));
    size_t from = (size_t)offset < bytes.n ? (size_t)offset : bytes.n;
    size_t left = bytes.n - from;
    if (left > 0)
        buf_append(ret, bytes.p + from, size_bytes < left ? size_bytes : left);
    return buf_check(ret, "piece", err);
}

static inline struct bytes_storage bytes_storage(struct str bytes)
{
    static const struct storage_ops ops = {.read = bytes_read};
    static char url[] = "mem:";
    return (struct bytes_storage){{.ops = &ops, .url = url}, bytes};
}

#endif
