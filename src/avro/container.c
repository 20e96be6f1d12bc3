// SPDX-License-Identifier: Apache-2.0
#include "avro/container.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "avro/table.h"
#include "avro/wire.h"

enum {
    PIECE_BYTES = 1 << 20, // asked from the storage at once
    HEAD_BYTES = 2 * WIRE_LONG_MAX
};

enum status avro_container_wrong(const struct avro_container *c, struct err *err,
                                 const char *fmt, ...)
{
    char text[ERR_TEXT_MAX];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    if (c->n_blocks == 0)
        return err_set(err, ST_DATA, "%s: %s", c->path, text);
    return err_set(err, ST_DATA, "%s: block %lld at byte %lld: %s", c->path,
                   (long long)c->n_blocks, (long long)c->block_at, text);
}

static size_t left_of(const struct avro_container *c)
{
    return c->piece.n - c->at;
}

static int64_t position(const struct avro_container *c)
{
    return c->base + (int64_t)c->at;
}

// Has n_bytes at c->at, or all there are until the file's end.
static enum status need(struct avro_container *c, size_t n_bytes, struct err *err)
{
    while (left_of(c) < n_bytes && !c->at_end) {
        buf_remove_front(&c->piece, c->at);
        c->base += (int64_t)c->at;
        c->at = 0;
        size_t before = c->piece.n;
        size_t missing = n_bytes - before;
        size_t wanted = missing > PIECE_BYTES ? missing : PIECE_BYTES;
        TRY(c->storage->ops->read(c->storage, str_of(c->path), c->base + (int64_t)before,
                                  wanted, &c->piece, err));
        c->at_end = c->piece.n - before < wanted;
    }
    return ST_OK;
}

static struct wire wire_here(const struct avro_container *c)
{
    struct str left = {0};
    if (left_of(c) != 0)
        left = (struct str){c->piece.p + c->at, left_of(c)};
    return wire_of(left);
}

static enum status take_long(struct avro_container *c, const char *what, int64_t *ret,
                             struct err *err)
{
    TRY(need(c, WIRE_LONG_MAX, err));
    struct wire wire = wire_here(c);
    size_t left = wire_left(&wire);
    if (left == 0 || !wire_long(&wire, ret))
        return avro_container_wrong(c, err,
                                    left < WIRE_LONG_MAX ? "the file ends in %s"
                                                         : "%s is longer than 64 bits",
                                    what);
    c->at += left - wire_left(&wire);
    return ST_OK;
}

static enum status take_bytes(struct avro_container *c, const char *what, size_t n_bytes,
                              struct str *ret, struct err *err)
{
    TRY(need(c, n_bytes, err));
    if (left_of(c) < n_bytes)
        return avro_container_wrong(c, err, "the file ends in %s", what);
    *ret = (struct str){c->piece.p + c->at, n_bytes};
    c->at += n_bytes;
    return ST_OK;
}

static enum status take_string(struct avro_container *c, struct str *ret, struct err *err)
{
    int64_t n;
    struct str bytes;
    TRY(take_long(c, "the header", &n, err));
    if (n < 0 || n > AVRO_HEADER_MAX)
        return avro_container_wrong(c, err, "%lld is not a length of metadata",
                                    (long long)n);
    TRY(take_bytes(c, "the header", (size_t)n, &bytes, err));
    *ret = arena_str(&c->arena, bytes);
    return ST_OK;
}

static enum status take_pair(struct avro_container *c, struct err *err)
{
    struct avro_pair pair;
    TRY(take_string(c, &pair.key, err));
    TRY(take_string(c, &pair.value, err));
    if (c->arena.n_bytes > AVRO_HEADER_MAX)
        return avro_container_wrong(c, err, "more than %d bytes of metadata",
                                    AVRO_HEADER_MAX);
    MEM_GROW(c->metadata, c->n_metadata, c->metadata_capacity);
    c->metadata[c->n_metadata++] = pair;
    return ST_OK;
}

// A map in blocks, as Avro writes maps.
static enum status take_metadata(struct avro_container *c, struct err *err)
{
    int64_t count, ignored;
    do {
        TRY(take_long(c, "the header", &count, err));
        if (count < 0) {
            TRY(take_long(c, "the header", &ignored, err));
            count = count == INT64_MIN ? INT64_MAX : -count;
        }
        for (int64_t i = 0; i < count; i++)
            TRY(take_pair(c, err));
    } while (count != 0);
    return ST_OK;
}

bool avro_container_get(const struct avro_container *c, struct str key, struct str *ret)
{
    for (size_t i = 0; i < c->n_metadata; i++) {
        if (str_eq(c->metadata[i].key, key)) {
            *ret = c->metadata[i].value;
            return true;
        }
    }
    return false;
}

static enum status open_codec(struct avro_container *c, struct err *err)
{
    struct str name;
    enum avro_codec codec = AVRO_CODEC_NULL;
    if (avro_container_get(c, str_of("avro.codec"), &name) &&
        !avro_codec_of_name(name, &codec))
        return avro_container_wrong(
            c, err,
            "codec '%.*s' is not known here; null, deflate, snappy "
            "and zstandard are",
            STR_ARGS(name));
    avro_decompressor_init(&c->decompressor, codec);
    return ST_OK;
}

static enum status read_header(struct avro_container *c, struct err *err)
{
    struct str magic;
    struct str sync = {0};
    TRY(need(c, AVRO_MAGIC_BYTES, err));
    if (left_of(c) >= 2 && memcmp(c->piece.p + c->at, "\x1F\x8B", 2) == 0)
        return avro_container_wrong(c, err, "packed by gzip; unpack it first: gunzip");
    if (left_of(c) < AVRO_MAGIC_BYTES ||
        memcmp(c->piece.p + c->at, AVRO_MAGIC, AVRO_MAGIC_BYTES) != 0)
        return avro_container_wrong(c, err,
                                    "no Avro container file: it does not begin "
                                    "with Obj and the byte 1");
    TRY(take_bytes(c, "the header", AVRO_MAGIC_BYTES, &magic, err));
    TRY(take_metadata(c, err));
    TRY(take_bytes(c, "the header", AVRO_SYNC_BYTES, &sync, err));
    memcpy(c->sync, sync.p, AVRO_SYNC_BYTES);
    return open_codec(c, err);
}

enum status avro_container_open(struct storage *storage, struct str path,
                                struct avro_container **ret, struct err *err)
{
    struct avro_container *c = mem_zalloc(sizeof(*c));
    c->storage = storage;
    c->path = mem_strndup(path.p, path.n);
    c->block.limit = AVRO_BLOCK_MAX;
    enum status rc = read_header(c, err);
    if (rc == ST_OK)
        *ret = c;
    else
        avro_container_free(c);
    return rc;
}

// Rows and bytes of the block that begins here.
static enum status take_block_head(struct avro_container *c, int64_t *ret_bytes,
                                   struct err *err)
{
    TRY(take_long(c, "the count of a block", &c->n_rows, err));
    TRY(take_long(c, "the size of a block", ret_bytes, err));
    if (c->n_rows < 0 || c->n_rows > AVRO_BLOCK_MAX)
        return avro_container_wrong(c, err, "%lld is not a count of rows",
                                    (long long)c->n_rows);
    if (*ret_bytes < 0 || *ret_bytes > AVRO_BLOCK_MAX)
        return avro_container_wrong(c, err, "%lld bytes: a block has from 0 to %d",
                                    (long long)*ret_bytes, AVRO_BLOCK_MAX);
    return ST_OK;
}

static enum status check_sync(struct avro_container *c, struct err *err)
{
    struct str sync = {0};
    int64_t at = position(c);
    TRY(take_bytes(c, "a sync marker", AVRO_SYNC_BYTES, &sync, err));
    if (memcmp(sync.p, c->sync, AVRO_SYNC_BYTES) != 0)
        return avro_container_wrong(
            c, err, "the sync marker at byte %lld is not the file's", (long long)at);
    return ST_OK;
}

// Bytes that so many packed ones may become.
static size_t unpacked_limit(size_t n_bytes)
{
    if (n_bytes > AVRO_BLOCK_MAX / AVRO_RATIO_MAX)
        return AVRO_BLOCK_MAX;
    size_t n = n_bytes * AVRO_RATIO_MAX;
    return n < AVRO_UNPACKED_MIN ? AVRO_UNPACKED_MIN : n;
}

enum status avro_container_next(struct avro_container *c, bool *ret, struct err *err)
{
    int64_t n_bytes;
    TRY(need(c, 1, err));
    *ret = left_of(c) != 0;
    if (!*ret)
        return ST_OK;
    c->n_blocks++;
    c->block_at = position(c);
    TRY(take_block_head(c, &n_bytes, err));
    // With its sync marker at once: taking that later could move the bytes.
    TRY(need(c, (size_t)n_bytes + AVRO_SYNC_BYTES, err));
    struct str bytes;
    TRY(take_bytes(c, "a block", (size_t)n_bytes, &bytes, err));
    TRY(check_sync(c, err));
    buf_clear(&c->block);
    struct err why;
    c->block.limit = unpacked_limit(bytes.n);
    enum status rc = avro_decompress(&c->decompressor, bytes, &c->block, &why);
    return rc == ST_OK ? ST_OK : avro_container_wrong(c, err, "%s", why.text);
}

void avro_container_free(struct avro_container *c)
{
    if (c == NULL)
        return;
    avro_decompressor_release(&c->decompressor);
    buf_release(&c->piece);
    buf_release(&c->block);
    arena_release(&c->arena);
    free(c->metadata);
    free(c->path);
    free(c);
}
