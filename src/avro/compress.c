// SPDX-License-Identifier: Apache-2.0
#include "avro/compress.h"

#include <assert.h>
#include <libdeflate.h>
#include <snappy-c.h>
#include <stdlib.h>
#include <zstd.h>

// The lowest levels: on rows of tables higher ones take several times as long for a few
// percent (docs/performance.md).
enum {
    DEFLATE_LEVEL = 1,
    ZSTD_LEVEL = 1,
    CRC_BYTES = 4,
    ADLER_BYTES = 4, // Python writers leave a part of zlib's checksum behind the block
    ROOM_MIN = 64 << 10
};

static const char *const codec_names[] = {
    [AVRO_CODEC_NULL] = "null",
    [AVRO_CODEC_DEFLATE] = "deflate",
    [AVRO_CODEC_SNAPPY] = "snappy",
    [AVRO_CODEC_ZSTANDARD] = "zstandard",
};

const char *avro_codec_name(enum avro_codec codec)
{
    return codec_names[codec];
}

bool avro_codec_of_name(struct str name, enum avro_codec *ret)
{
    for (size_t i = 0; i < ARRAY_LEN(codec_names); i++) {
        if (str_is(name, codec_names[i])) {
            *ret = (enum avro_codec)i;
            return true;
        }
    }
    return false;
}

void avro_compressor_init(struct avro_compressor *c, enum avro_codec codec)
{
    *c = (struct avro_compressor){.codec = codec};
    if (codec == AVRO_CODEC_DEFLATE) {
        c->state = libdeflate_alloc_compressor(DEFLATE_LEVEL);
        assert(c->state != NULL);
    } else if (codec == AVRO_CODEC_ZSTANDARD) {
        c->state = ZSTD_createCCtx();
        assert(c->state != NULL);
    }
}

void avro_compressor_release(struct avro_compressor *c)
{
    if (c->codec == AVRO_CODEC_DEFLATE)
        libdeflate_free_compressor(c->state);
    else if (c->codec == AVRO_CODEC_ZSTANDARD)
        ZSTD_freeCCtx(c->state);
    *c = (struct avro_compressor){0};
}

static enum status deflate_block(struct libdeflate_compressor *compressor,
                                 struct str plain, struct buf *ret, struct err *err)
{
    size_t bound = libdeflate_deflate_compress_bound(compressor, plain.n);
    char *room = buf_room(ret, bound);
    if (room == NULL)
        return buf_check(ret, "Avro block", err);
    size_t n = libdeflate_deflate_compress(compressor, plain.p, plain.n, room, bound);
    assert(n != 0);
    ret->n += n;
    return ST_OK;
}

static void put_crc(struct str plain, struct buf *ret)
{
    uint32_t crc = libdeflate_crc32(0, plain.p, plain.n);
    for (int shift = 24; shift >= 0; shift -= 8)
        buf_char(ret, (char)(crc >> shift));
}

static enum status snappy_block(struct str plain, struct buf *ret, struct err *err)
{
    size_t n = snappy_max_compressed_length(plain.n);
    char *room = buf_room(ret, n);
    if (room == NULL)
        return buf_check(ret, "Avro block", err);
    snappy_status rc = snappy_compress(plain.p, plain.n, room, &n);
    assert(rc == SNAPPY_OK);
    (void)rc;
    ret->n += n;
    put_crc(plain, ret);
    return ST_OK;
}

static enum status zstd_block(ZSTD_CCtx *context, struct str plain, struct buf *ret,
                              struct err *err)
{
    size_t bound = ZSTD_compressBound(plain.n);
    char *room = buf_room(ret, bound);
    if (room == NULL)
        return buf_check(ret, "Avro block", err);
    size_t n = ZSTD_compressCCtx(context, room, bound, plain.p, plain.n, ZSTD_LEVEL);
    assert(!ZSTD_isError(n));
    ret->n += n;
    return ST_OK;
}

// With room for all that can come of a block none of them fails.
enum status avro_compress(struct avro_compressor *c, struct str plain, struct buf *ret,
                          struct err *err)
{
    switch (c->codec) {
    case AVRO_CODEC_NULL:
        buf_str(ret, plain);
        return buf_check(ret, "Avro block", err);
    case AVRO_CODEC_DEFLATE:
        return deflate_block(c->state, plain, ret, err);
    case AVRO_CODEC_SNAPPY:
        return snappy_block(plain, ret, err);
    case AVRO_CODEC_ZSTANDARD:
        return zstd_block(c->state, plain, ret, err);
    }
    return ST_FAIL;
}

void avro_decompressor_init(struct avro_decompressor *d, enum avro_codec codec)
{
    *d = (struct avro_decompressor){.codec = codec};
    if (codec == AVRO_CODEC_DEFLATE) {
        d->state = libdeflate_alloc_decompressor();
        assert(d->state != NULL);
    } else if (codec == AVRO_CODEC_ZSTANDARD) {
        d->state = ZSTD_createDCtx();
        assert(d->state != NULL);
    }
}

void avro_decompressor_release(struct avro_decompressor *d)
{
    if (d->codec == AVRO_CODEC_DEFLATE)
        libdeflate_free_decompressor(d->state);
    else if (d->codec == AVRO_CODEC_ZSTANDARD)
        ZSTD_freeDCtx(d->state);
    *d = (struct avro_decompressor){0};
}

// Room to go on writing: what is left of the buffer, made larger when that is little.
static char *more_room(struct buf *ret, size_t *ret_n)
{
    size_t wanted = ret->n < ROOM_MIN ? ROOM_MIN : ret->n;
    if (wanted > buf_left(ret))
        wanted = buf_left(ret);
    char *room = wanted ? buf_room(ret, wanted) : NULL;
    *ret_n = wanted;
    return room;
}

static enum status too_long(const struct buf *ret, struct err *err)
{
    return err_set(err, ST_LIMIT, "more than %zu bytes when unpacked", ret->limit);
}

// The block does not tell how long it becomes: tried with more room each time.
static enum libdeflate_result inflate_whole(struct libdeflate_decompressor *decompressor,
                                            struct str bytes, struct buf *ret,
                                            size_t *ret_used)
{
    enum libdeflate_result rc = LIBDEFLATE_INSUFFICIENT_SPACE;
    size_t wanted = 4 * bytes.n > ROOM_MIN ? 4 * bytes.n : ROOM_MIN;
    if (wanted < ret->capacity - ret->n)
        wanted = ret->capacity - ret->n;
    size_t most = buf_left(ret);
    size_t tried = 0;
    for (; rc == LIBDEFLATE_INSUFFICIENT_SPACE && tried < most; wanted *= 2) {
        tried = wanted < most ? wanted : most;
        size_t n = 0;
        rc = libdeflate_deflate_decompress_ex(decompressor, bytes.p, bytes.n,
                                              buf_room(ret, tried), tried, ret_used, &n);
        ret->n += rc == LIBDEFLATE_SUCCESS ? n : 0;
    }
    return rc;
}

static enum status inflate_block(struct libdeflate_decompressor *decompressor,
                                 struct str bytes, struct buf *ret, struct err *err)
{
    size_t used;
    enum libdeflate_result rc = inflate_whole(decompressor, bytes, ret, &used);
    if (rc == LIBDEFLATE_INSUFFICIENT_SPACE)
        return too_long(ret, err);
    if (rc != LIBDEFLATE_SUCCESS)
        return err_set(err, ST_DATA, "deflate: wrong data, or cut off");
    if (bytes.n - used > ADLER_BYTES)
        return err_set(err, ST_DATA, "deflate: %zu bytes left behind the end",
                       bytes.n - used);
    return ST_OK;
}

static enum status check_crc(struct str plain, const char *p, struct err *err)
{
    const uint8_t *bytes = (const uint8_t *)p;
    uint32_t told = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
                    (uint32_t)bytes[2] << 8 | bytes[3];
    uint32_t crc = libdeflate_crc32(0, plain.p, plain.n);
    if (crc == told)
        return ST_OK;
    return err_set(err, ST_DATA, "snappy: the checksum is %08x, but %08x is told", crc,
                   told);
}

static enum status unsnappy_block(struct str bytes, struct buf *ret, struct err *err)
{
    size_t n;
    if (bytes.n < CRC_BYTES ||
        snappy_uncompressed_length(bytes.p, bytes.n - CRC_BYTES, &n) != SNAPPY_OK)
        return err_set(err, ST_DATA, "snappy: wrong data");
    if (n > buf_left(ret))
        return too_long(ret, err);
    char *room = buf_room(ret, n);
    if (room == NULL)
        return too_long(ret, err);
    if (snappy_uncompress(bytes.p, bytes.n - CRC_BYTES, room, &n) != SNAPPY_OK)
        return err_set(err, ST_DATA, "snappy: wrong data");
    ret->n += n;
    return check_crc((struct str){room, n}, bytes.p + bytes.n - CRC_BYTES, err);
}

static enum status unzstd_block(ZSTD_DCtx *context, struct str bytes, struct buf *ret,
                                struct err *err)
{
    ZSTD_DCtx_reset(context, ZSTD_reset_session_only);
    ZSTD_inBuffer in = {bytes.p, bytes.n, 0};
    size_t rc = 1;
    while (rc != 0 || in.pos < in.size) { // frames may follow each other
        ZSTD_outBuffer out = {0};
        out.dst = more_room(ret, &out.size);
        if (out.dst == NULL)
            return too_long(ret, err);
        size_t before = in.pos;
        rc = ZSTD_decompressStream(context, &out, &in);
        if (ZSTD_isError(rc))
            return err_set(err, ST_DATA, "zstandard: wrong data (%s)",
                           ZSTD_getErrorName(rc));
        ret->n += out.pos;
        if (out.pos == 0 && in.pos == before)
            return err_set(err, ST_DATA, "zstandard: cut off");
    }
    return ST_OK;
}

enum status avro_decompress(struct avro_decompressor *d, struct str bytes,
                            struct buf *ret, struct err *err)
{
    assert(ret->limit != 0 && bytes.n <= INT32_MAX);
    switch (d->codec) {
    case AVRO_CODEC_NULL:
        buf_str(ret, bytes);
        return ret->full ? too_long(ret, err) : ST_OK;
    case AVRO_CODEC_DEFLATE:
        return inflate_block(d->state, bytes, ret, err);
    case AVRO_CODEC_SNAPPY:
        return unsnappy_block(bytes, ret, err);
    case AVRO_CODEC_ZSTANDARD:
        return unzstd_block(d->state, bytes, ret, err);
    }
    return ST_FAIL;
}
