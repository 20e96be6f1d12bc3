// SPDX-License-Identifier: Apache-2.0
#include "memory/spool_mem.h"

#include <assert.h>
#include <stdlib.h>

#include "base/buf.h"

struct mem_file {
    struct spool_file file;
    struct buf bytes;
};

static enum status append(struct spool_file *base, struct str bytes,
                          UNUSED struct err *err)
{
    struct mem_file *file = (struct mem_file *)base;
    buf_str(&file->bytes, bytes);
    assert(!file->bytes.full); // tests have no such files
    return ST_OK;
}

static enum status overwrite(struct spool_file *base, struct str bytes,
                             UNUSED struct err *err)
{
    struct mem_file *file = (struct mem_file *)base;
    assert(bytes.n <= file->bytes.n);
    memcpy(file->bytes.p, bytes.p, bytes.n);
    return ST_OK;
}

static enum status read_at(struct spool_file *base, int64_t offset, void *p,
                           size_t capacity, size_t *ret_n, UNUSED struct err *err)
{
    struct mem_file *file = (struct mem_file *)base;
    size_t left = file->bytes.n - (size_t)offset;
    *ret_n = left < capacity ? left : capacity;
    if (*ret_n)
        memcpy(p, file->bytes.p + offset, *ret_n);
    return ST_OK;
}

static int descriptor(UNUSED struct spool_file *base)
{
    return -1;
}

static int source(UNUSED const struct spool_file *base)
{
    return -1;
}

static void discard(struct spool_file *base)
{
    struct mem_file *file = (struct mem_file *)base;
    buf_release(&file->bytes);
    free(file);
}

static const struct spool_file_ops file_ops = {
    .append = append,
    .overwrite = overwrite,
    .read = read_at,
    .descriptor = descriptor,
    .source = source,
    .discard = discard,
};

static enum status create(UNUSED struct spool *spool, struct spool_file **ret,
                          UNUSED struct err *err)
{
    struct mem_file *file = mem_zalloc(sizeof(*file));
    file->file.ops = &file_ops;
    *ret = &file->file;
    return ST_OK;
}

static void close_spool(struct spool *spool)
{
    free(spool);
}

static const struct spool_ops ops = {
    .create = create,
    .close = close_spool,
};

struct spool *spool_mem_open(void)
{
    struct spool *spool = mem_zalloc(sizeof(*spool));
    spool->ops = &ops;
    return spool;
}
