// SPDX-License-Identifier: Apache-2.0
// Port: local files on their way to the storage. Written in pieces, read back any number
// of times, gone when the process is gone: a crash never leaves one to be cleaned up.
//
// A spool is used by one thread; a file by one thread at a time, and it may be handed on.
#ifndef CORE_SPOOL_H
#define CORE_SPOOL_H

#include "base/status.h"
#include "base/str.h"

struct spool;
struct spool_file;

struct spool_ops {
    enum status (*create)(struct spool *spool, struct spool_file **ret, struct err *err);
    void (*close)(struct spool *spool); // its files may outlive it
};

struct spool {
    const struct spool_ops *ops;
};

struct spool_file_ops {
    enum status (*append)(struct spool_file *file, struct str bytes, struct err *err);
    // Puts bytes over the first ones of the file, which has as many.
    enum status (*overwrite)(struct spool_file *file, struct str bytes, struct err *err);
    // Up to `capacity` bytes from `offset`; *ret_n == 0 at the end.
    enum status (*read)(struct spool_file *file, int64_t offset, void *p, size_t capacity,
                        size_t *ret_n, struct err *err);
    // Of a file of this machine that is to be given away (core/storage.h); -1: it cannot.
    int (*descriptor)(struct spool_file *file);
    // To be read from, as `read` does, from the file's beginning on; -1: there is none.
    int (*source)(const struct spool_file *file);
    void (*discard)(struct spool_file *file); // frees; the bytes are gone, or given away
};

struct spool_file {
    const struct spool_file_ops *ops;
};

#endif
