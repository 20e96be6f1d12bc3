// SPDX-License-Identifier: Apache-2.0
#include "wire/decompress.h"

#include <assert.h>
#include <libdeflate.h>
#include <lz4frame.h>
#include <snappy-c.h>
#include <stdlib.h>
#include <zstd.h>
#include <zstd_errors.h>

enum {
    ROOM_MIN = 64 << 10,
    GZIP_SIZE_BYTES = 4,  // the last of a member: the plain bytes, modulo 2^32 (RFC 1952)
    GZIP_BYTES_MIN = 18,  // a member's header and trailer
    GZIP_RATIO = 1032,    // the most that deflate makes of a byte
    SNAPPY_RATIO = 32,    // a copy of 64 bytes takes 2 at least
    XERIAL_HEADER = 16,   // magic and two versions
    XERIAL_LENGTH = 4,    // before each block
    LZ4_RATIO = 255,      // each byte of a length that goes on
    ZSTD_RATIO = 1 << 15, // a block of 128 KB takes 4 at least
    ZSTD_USUAL_RATIO = 8,
    ZSTD_RATIO_GUESSED = 64, // at most
};

static const char xerial_magic[] = {'\x82', 'S', 'N', 'A', 'P', 'P', 'Y', '\0'};

const char *wire_codec_name(unsigned codec)
{
    static const char *const names[] = {"none", "gzip", "snappy", "lz4", "zstd"};
    return codec < ARRAY_LEN(names) ? names[codec] : NULL;
}

void wire_decompressor_release(struct wire_decompressor *d)
{
    libdeflate_free_decompressor(d->gzip);
    LZ4F_freeDecompressionContext(d->lz4);
    ZSTD_freeDCtx(d->zstd);
    *d = (struct wire_decompressor){0};
}

static enum status broken(enum wire_codec codec, const char *why, struct err *err)
{
    return err_set(err, ST_DATA, "%s: %s", wire_codec_name(codec), why);
}

static enum status too_big(enum wire_codec codec, const struct buf *ret, struct err *err)
{
    return err_set(err, ST_LIMIT, "%s: more than %zu bytes", wire_codec_name(codec),
                   ret->limit ? ret->limit : BUF_LIMIT_DEFAULT);
}

// Room for a size that is only claimed.
static enum status claim_room(enum wire_codec codec, struct str bytes, uint64_t claimed,
                              uint64_t ratio, struct buf *ret, struct err *err)
{
    if (claimed / ratio > bytes.n)
        return broken(codec, "so many bytes cannot be made of these", err);
    if (claimed > buf_left(ret) || (claimed > 0 && buf_room(ret, claimed) == NULL))
        return too_big(codec, ret, err);
    return ST_OK;
}

// Room that is there, or as much again; NULL at the limit.
static char *more_room(struct buf *ret, size_t *ret_n)
{
    size_t left = buf_left(ret), wanted = ret->capacity - ret->n;
    if (wanted == 0)
        wanted = ret->n > ROOM_MIN ? ret->n : ROOM_MIN;
    *ret_n = wanted < left ? wanted : left;
    return *ret_n > 0 ? buf_room(ret, *ret_n) : NULL;
}

// ---- gzip: members one after another (RFC 1952)

// The size stands at the very end, which is this member's if it is the last.
static enum status gunzip_member(struct libdeflate_decompressor *d, struct str *rest,
                                 struct buf *ret, struct err *err)
{
    const uint8_t *size = (const uint8_t *)rest->p + rest->n - GZIP_SIZE_BYTES;
    uint64_t claimed = size[0] | (uint64_t)size[1] << 8 | (uint64_t)size[2] << 16 |
                       (uint64_t)size[3] << 24;
    TRY(claim_room(WIRE_GZIP, *rest, claimed, GZIP_RATIO, ret, err));
    size_t n_in, n_out, room = claimed;
    char nothing[1], *to = claimed ? ret->p + ret->n : nothing;
    enum libdeflate_result rc =
        libdeflate_gzip_decompress_ex(d, rest->p, rest->n, to, room, &n_in, &n_out);
    while (rc == LIBDEFLATE_INSUFFICIENT_SPACE) { // of a member that is not the last
        size_t left = buf_left(ret), more = 2 * room > ROOM_MIN ? 2 * room : ROOM_MIN;
        if (room >= left)
            return too_big(WIRE_GZIP, ret, err);
        room = more < left ? more : left;
        to = buf_room(ret, room);
        rc = libdeflate_gzip_decompress_ex(d, rest->p, rest->n, to, room, &n_in, &n_out);
    }
    if (rc != LIBDEFLATE_SUCCESS)
        return broken(WIRE_GZIP, "the bytes are not right", err);
    ret->n += n_out;
    *rest = (struct str){rest->p + n_in, rest->n - n_in};
    return ST_OK;
}

static enum status gunzip(struct wire_decompressor *d, struct str bytes, struct buf *ret,
                          struct err *err)
{
    if (d->gzip == NULL)
        d->gzip = libdeflate_alloc_decompressor();
    assert(d->gzip != NULL);
    do {
        if (bytes.n < GZIP_BYTES_MIN)
            return broken(WIRE_GZIP, "the bytes are cut", err);
        TRY(gunzip_member(d->gzip, &bytes, ret, err));
    } while (bytes.n > 0);
    return ST_OK;
}

// ---- snappy

static enum status unsnap(struct str bytes, struct buf *ret, struct err *err)
{
    size_t n;
    if (snappy_uncompressed_length(bytes.p, bytes.n, &n) != SNAPPY_OK)
        return broken(WIRE_SNAPPY, "a block has no length", err);
    TRY(claim_room(WIRE_SNAPPY, bytes, n, SNAPPY_RATIO, ret, err));
    char nothing[1], *to = n ? ret->p + ret->n : nothing;
    if (snappy_uncompress(bytes.p, bytes.n, to, &n) != SNAPPY_OK)
        return broken(WIRE_SNAPPY, "the bytes are not right", err);
    ret->n += n;
    return ST_OK;
}

static enum status unsnap_xerial(struct str bytes, struct buf *ret, struct err *err)
{
    const uint8_t *p = (const uint8_t *)bytes.p + XERIAL_HEADER;
    const uint8_t *end = (const uint8_t *)bytes.p + bytes.n;
    while (p < end) {
        if (end - p < XERIAL_LENGTH)
            return broken(WIRE_SNAPPY, "the bytes are cut", err);
        size_t n = (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
        p += XERIAL_LENGTH;
        if (n > (size_t)(end - p))
            return broken(WIRE_SNAPPY, "the bytes are cut", err);
        TRY(unsnap((struct str){(const char *)p, n}, ret, err));
        p += n;
    }
    return ST_OK;
}

static enum status unsnap_any(struct str bytes, struct buf *ret, struct err *err)
{
    if (bytes.n >= XERIAL_HEADER &&
        memcmp(bytes.p, xerial_magic, sizeof(xerial_magic)) == 0)
        return unsnap_xerial(bytes, ret, err);
    return unsnap(bytes, ret, err);
}

// ---- lz4: frames (lz4_Frame_format.md)

static enum status unlz4_frames(LZ4F_dctx *context, struct str bytes, struct buf *ret,
                                struct err *err)
{
    size_t hint = 1; // 0 at the end of a frame
    while (bytes.n > 0 || hint != 0) {
        size_t n_out, n_in = bytes.n;
        char *to = more_room(ret, &n_out);
        if (to == NULL)
            return too_big(WIRE_LZ4, ret, err);
        hint = LZ4F_decompress(context, to, &n_out, bytes.p, &n_in, NULL);
        if (LZ4F_isError(hint))
            return broken(WIRE_LZ4, LZ4F_getErrorName(hint), err);
        ret->n += n_out;
        bytes = (struct str){bytes.p + n_in, bytes.n - n_in};
        if (n_in == 0 && n_out == 0 && hint != 0)
            return broken(WIRE_LZ4, "the bytes are cut", err);
    }
    return ST_OK;
}

// The frame's header may announce the size; the first frame's does for all of them.
static enum status unlz4(struct wire_decompressor *d, struct str bytes, struct buf *ret,
                         struct err *err)
{
    LZ4F_dctx *context = d->lz4;
    if (context == NULL &&
        LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION)))
        abort(); // fails only when memory is out
    d->lz4 = context;
    LZ4F_resetDecompressionContext(context);
    LZ4F_frameInfo_t info = {0};
    size_t n_in = bytes.n;
    size_t hint = LZ4F_getFrameInfo(context, &info, bytes.p, &n_in);
    if (LZ4F_isError(hint))
        return broken(WIRE_LZ4, LZ4F_getErrorName(hint), err);
    if (info.contentSize > 0)
        TRY(claim_room(WIRE_LZ4, bytes, info.contentSize, LZ4_RATIO, ret, err));
    bytes = (struct str){bytes.p + n_in, bytes.n - n_in};
    return unlz4_frames(context, bytes, ret, err);
}

// ---- zstd: frames (RFC 8878)

// At once, so that no window is kept beside the plain bytes, of whichever size the frames
// say that it is. Most clients write frames that do not tell their size: it is guessed by
// what was before.
static size_t zstd_room(const struct wire_decompressor *d, struct str bytes)
{
    unsigned long long told = ZSTD_getFrameContentSize(bytes.p, bytes.n);
    size_t ratio = d->zstd_ratio > 0 ? d->zstd_ratio : ZSTD_USUAL_RATIO;
    if (told == ZSTD_CONTENTSIZE_UNKNOWN || told / ZSTD_RATIO > bytes.n)
        return bytes.n * ratio + ROOM_MIN; // or an error, which is met below
    return told;
}

static enum status zstd_problem(size_t code, const struct buf *ret, struct err *err)
{
    switch (ZSTD_getErrorCode(code)) {
    case ZSTD_error_dstSize_tooSmall:
        return too_big(WIRE_ZSTD, ret, err);
    case ZSTD_error_srcSize_wrong:
        return broken(WIRE_ZSTD, "the bytes are cut", err);
    default:
        return broken(WIRE_ZSTD, ZSTD_getErrorName(code), err);
    }
}

static enum status unzstd(struct wire_decompressor *d, struct str bytes, struct buf *ret,
                          struct err *err)
{
    if (d->zstd == NULL)
        d->zstd = ZSTD_createDCtx();
    assert(d->zstd != NULL);
    if (bytes.n == 0)
        return broken(WIRE_ZSTD, "the bytes are cut", err);
    size_t left = buf_left(ret), room = zstd_room(d, bytes), n;
    for (;; room *= 2) {
        char nothing[1];
        room = room < left ? room : left;
        n = ZSTD_decompressDCtx(d->zstd, room ? buf_room(ret, room) : nothing, room,
                                bytes.p, bytes.n);
        bool is_full =
            ZSTD_isError(n) && ZSTD_getErrorCode(n) == ZSTD_error_dstSize_tooSmall;
        if (!is_full || room == left)
            break;
    }
    if (ZSTD_isError(n))
        return zstd_problem(n, ret, err);
    ret->n += n;
    size_t ratio = n / bytes.n + 1;
    d->zstd_ratio = ratio < ZSTD_RATIO_GUESSED ? ratio : ZSTD_RATIO_GUESSED;
    return ST_OK;
}

enum status wire_decompress(struct wire_decompressor *d, enum wire_codec codec,
                            struct str bytes, struct buf *ret, struct err *err)
{
    switch (codec) {
    case WIRE_GZIP:
        return gunzip(d, bytes, ret, err);
    case WIRE_SNAPPY:
        return unsnap_any(bytes, ret, err);
    case WIRE_LZ4:
        return unlz4(d, bytes, ret, err);
    case WIRE_ZSTD:
        return unzstd(d, bytes, ret, err);
    case WIRE_NONE:
        break;
    }
    buf_str(ret, bytes);
    return ret->full ? too_big(codec, ret, err) : ST_OK;
}
