// SPDX-License-Identifier: Apache-2.0
#include "core/storage.h"

static enum status read_bytes(struct reader *reader, void *p, size_t capacity,
                              size_t *ret_n, UNUSED struct err *err)
{
    struct bytes_reader *bytes = (struct bytes_reader *)reader;
    size_t n = bytes->rest.n < capacity ? bytes->rest.n : capacity;
    if (n)
        memcpy(p, bytes->rest.p, n);
    bytes->rest.p += n;
    bytes->rest.n -= n;
    *ret_n = n;
    return ST_OK;
}

struct bytes_reader bytes_reader(struct str bytes)
{
    return (struct bytes_reader){{.read = read_bytes}, bytes};
}

enum status storage_write_bytes(struct storage *storage, struct str path,
                                struct str bytes, struct err *err)
{
    struct bytes_reader reader = bytes_reader(bytes);
    return storage->ops->write(storage, path, &reader.reader, (int64_t)bytes.n, err);
}

enum status storage_create_by_rename(struct storage *storage, struct str path,
                                     struct str temporary, struct str bytes,
                                     struct err *err)
{
    enum status rc = storage_write_bytes(storage, temporary, bytes, err);
    if (rc == ST_UNKNOWN)
        return ST_RETRY; // whatever lies under that name, `path` has not appeared
    TRY(rc);
    return storage->ops->publish(storage, temporary, path, err);
}

enum status storage_read_all(struct storage *storage, struct str path, size_t limit,
                             struct buf *ret, struct err *err)
{
    size_t from = ret->n;
    TRY(storage->ops->read(storage, path, 0, limit + 1, ret, err));
    if (ret->n - from > limit)
        return err_set(err, ST_LIMIT, "%s/%.*s: more than %zu bytes", storage->url,
                       STR_ARGS(path), limit);
    return ST_OK;
}

static enum status read_piece(struct reader *base, void *p, size_t capacity,
                              size_t *ret_n, struct err *err)
{
    struct storage_reader *reader = (struct storage_reader *)base;
    if (reader->piece_at == reader->piece.n && !reader->at_end) {
        buf_clear(&reader->piece);
        reader->piece_at = 0;
        TRY(reader->storage->ops->read(reader->storage, reader->path, reader->offset,
                                       reader->piece_bytes, &reader->piece, err));
        reader->offset += (int64_t)reader->piece.n;
        reader->at_end = reader->piece.n < reader->piece_bytes;
    }
    size_t left = reader->piece.n - reader->piece_at;
    size_t n = left < capacity ? left : capacity;
    if (n)
        memcpy(p, reader->piece.p + reader->piece_at, n);
    reader->piece_at += n;
    *ret_n = n;
    return ST_OK;
}

void storage_reader_init(struct storage_reader *reader, struct storage *storage,
                         struct str path, size_t piece_bytes)
{
    *reader = (struct storage_reader){
        .reader = {.read = read_piece},
        .storage = storage,
        .path = path,
        .piece = BUF_INIT(piece_bytes),
        .piece_bytes = piece_bytes,
    };
}

void storage_reader_release(struct storage_reader *reader)
{
    buf_release(&reader->piece);
}
