// SPDX-License-Identifier: Apache-2.0
#define ZLIB_CONST
#include "avro/compress.h"

#include <assert.h>
#include <snappy-c.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

enum {
    DEFLATE_LEVEL = 6,
    ZSTD_LEVEL = 3,
    RAW_WINDOW = -15, // no zlib header
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
        z_stream *stream = mem_zalloc(sizeof(*stream));
        int rc = deflateInit2(stream, DEFLATE_LEVEL, Z_DEFLATED, RAW_WINDOW, 8,
                              Z_DEFAULT_STRATEGY);
        assert(rc == Z_OK);
        (void)rc;
        c->state = stream;
    } else if (codec == AVRO_CODEC_ZSTANDARD) {
        c->state = ZSTD_createCCtx();
        assert(c->state != NULL);
    }
}

void avro_compressor_release(struct avro_compressor *c)
{
    if (c->codec == AVRO_CODEC_DEFLATE && c->state != NULL) {
        deflateEnd(c->state);
        free(c->state);
    } else if (c->codec == AVRO_CODEC_ZSTANDARD) {
        ZSTD_freeCCtx(c->state);
    }
    *c = (struct avro_compressor){0};
}

static enum status deflate_block(z_stream *stream, struct str plain, struct buf *ret,
                                 struct err *err)
{
    deflateReset(stream);
    uLong bound = deflateBound(stream, plain.n);
    char *room = buf_room(ret, bound);
    if (room == NULL)
        return buf_check(ret, "Avro block", err);
    stream->next_in = (const Bytef *)plain.p;
    stream->avail_in = (uInt)plain.n;
    stream->next_out = (Bytef *)room;
    stream->avail_out = (uInt)bound;
    int rc = deflate(stream, Z_FINISH);
    if (rc != Z_STREAM_END)
        return err_set(err, ST_FAIL, "zlib does not compress: %d", rc);
    ret->n += stream->total_out;
    return ST_OK;
}

static void put_crc(struct str plain, struct buf *ret)
{
    uLong crc = crc32(0, (const Bytef *)plain.p, (uInt)plain.n);
    for (int shift = 24; shift >= 0; shift -= 8)
        buf_char(ret, (char)(crc >> shift));
}

static enum status snappy_block(struct str plain, struct buf *ret, struct err *err)
{
    size_t n = snappy_max_compressed_length(plain.n);
    char *room = buf_room(ret, n);
    if (room == NULL)
        return buf_check(ret, "Avro block", err);
    if (snappy_compress(plain.p, plain.n, room, &n) != SNAPPY_OK)
        return err_set(err, ST_FAIL, "snappy does not compress");
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
    if (ZSTD_isError(n))
        return err_set(err, ST_FAIL, "zstd does not compress: %s", ZSTD_getErrorName(n));
    ret->n += n;
    return ST_OK;
}

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
        z_stream *stream = mem_zalloc(sizeof(*stream));
        int rc = inflateInit2(stream, RAW_WINDOW);
        assert(rc == Z_OK);
        (void)rc;
        d->state = stream;
    } else if (codec == AVRO_CODEC_ZSTANDARD) {
        d->state = ZSTD_createDCtx();
        assert(d->state != NULL);
    }
}

void avro_decompressor_release(struct avro_decompressor *d)
{
    if (d->codec == AVRO_CODEC_DEFLATE && d->state != NULL) {
        inflateEnd(d->state);
        free(d->state);
    } else if (d->codec == AVRO_CODEC_ZSTANDARD) {
        ZSTD_freeDCtx(d->state);
    }
    *d = (struct avro_decompressor){0};
}

// Room to go on writing: what is left of the buffer, made larger when that is little.
static char *more_room(struct buf *ret, size_t *ret_n)
{
    size_t limit = ret->limit ? ret->limit : BUF_LIMIT_DEFAULT;
    size_t wanted = ret->n < ROOM_MIN ? ROOM_MIN : ret->n;
    if (wanted > limit - ret->n)
        wanted = limit - ret->n;
    char *room = wanted ? buf_room(ret, wanted) : NULL;
    *ret_n = wanted;
    return room;
}

static enum status too_long(const struct buf *ret, struct err *err)
{
    return err_set(err, ST_LIMIT, "more than %zu bytes when unpacked", ret->limit);
}

static enum status inflate_block(z_stream *stream, struct str bytes, struct buf *ret,
                                 struct err *err)
{
    inflateReset(stream);
    stream->next_in = (const Bytef *)bytes.p;
    stream->avail_in = (uInt)bytes.n;
    int rc = Z_OK;
    while (rc == Z_OK) {
        size_t n;
        char *room = more_room(ret, &n);
        if (room == NULL)
            return too_long(ret, err);
        stream->next_out = (Bytef *)room;
        stream->avail_out = (uInt)n;
        rc = inflate(stream, Z_NO_FLUSH);
        ret->n += n - stream->avail_out;
    }
    if (rc != Z_STREAM_END)
        return err_set(err, ST_DATA, "deflate: %s",
                       rc == Z_BUF_ERROR ? "cut off"
                       : stream->msg     ? stream->msg
                                         : "wrong data");
    if (stream->avail_in > ADLER_BYTES)
        return err_set(err, ST_DATA, "deflate: %u bytes left behind the end",
                       stream->avail_in);
    return ST_OK;
}

static enum status check_crc(struct str plain, const char *p, struct err *err)
{
    const unsigned char *bytes = (const unsigned char *)p;
    uLong told = (uLong)bytes[0] << 24 | (uLong)bytes[1] << 16 | (uLong)bytes[2] << 8 |
                 (uLong)bytes[3];
    uLong crc = crc32(0, (const Bytef *)plain.p, (uInt)plain.n);
    if (crc == told)
        return ST_OK;
    return err_set(err, ST_DATA, "snappy: the checksum is %08lx, but %08lx is told", crc,
                   told);
}

static enum status unsnappy_block(struct str bytes, struct buf *ret, struct err *err)
{
    size_t n;
    if (bytes.n < CRC_BYTES ||
        snappy_uncompressed_length(bytes.p, bytes.n - CRC_BYTES, &n) != SNAPPY_OK)
        return err_set(err, ST_DATA, "snappy: wrong data");
    if (n > ret->limit - ret->n)
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
            return err_set(err, ST_DATA, "zstandard: %s", ZSTD_getErrorName(rc));
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
