// SPDX-License-Identifier: Apache-2.0
#include "core/checksum.h"

#include <assert.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/crc32c.h"

enum {
    CHUNK_BYTES = 512,
    CHUNKS_BYTES = CRC32C_LANES * CHUNK_BYTES, // that are summed side by side
    WORD_BYTES = 4,
    DIGESTS_MIN = 32 // bytes; what HDFS's buffer for digests begins with
};

struct checksummer {
    enum checksum_kind kind;
    struct md5 *block;  // over the CRC words of the open block
    struct buf first;   // CRC words of the first block, which may yet be overwritten
    struct buf digests; // of the closed blocks behind it
    int64_t block_bytes;
    int64_t block_used; // bytes of the open block
    int64_t n_blocks;
    uint32_t crc; // of the open chunk
    size_t chunk_used;
    uint32_t crc_behind; // of all bytes behind the first block, and how many
    int64_t n_behind;
};

static const struct {
    const char *name;
    size_t n_digits;
} kinds[] = {
    [CHECKSUM_HDFS] = {"md5md5crc32c", 2 * MD5_BYTES},
    [CHECKSUM_CRC32C] = {"crc32c", 2 * WORD_BYTES},
};

const char *checksum_kind_name(enum checksum_kind kind)
{
    return kinds[kind].name;
}

bool checksum_kind_of(struct str name, enum checksum_kind *ret)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (!str_is(name, kinds[i].name))
            continue;
        *ret = (enum checksum_kind)i;
        return true;
    }
    return false;
}

size_t checksum_digits(enum checksum_kind kind)
{
    return kinds[kind].n_digits;
}

enum status checksum_check_kinds(const struct checksum *there,
                                 const struct checksum *wanted, struct err *err)
{
    if (there->kind == wanted->kind)
        return ST_OK;
    return err_set(err, ST_DATA,
                   "the storage tells a checksum of kind %s, which cannot be compared "
                   "with one of kind %s",
                   kinds[there->kind].name, kinds[wanted->kind].name);
}

struct checksummer *checksummer_open(enum checksum_kind kind)
{
    return checksummer_open_blocks(kind, CHECKSUM_BLOCK_BYTES);
}

struct checksummer *checksummer_open_blocks(enum checksum_kind kind, int64_t block_bytes)
{
    struct checksummer *sum = mem_zalloc(sizeof(*sum));
    sum->kind = kind;
    sum->block = md5_open();
    sum->block_bytes = block_bytes;
    return sum;
}

static void put_word(uint32_t crc, uint8_t *ret)
{
    for (int i = 0; i < WORD_BYTES; i++)
        ret[i] = (uint8_t)(crc >> (24 - 8 * i));
}

static void put_chunk(struct checksummer *sum, uint32_t crc)
{
    uint8_t word[WORD_BYTES];
    put_word(crc, word);
    if (sum->n_blocks == 0)
        buf_append(&sum->first, word, sizeof(word));
    else
        md5_add(sum->block, word, sizeof(word));
}

static void close_chunk(struct checksummer *sum)
{
    put_chunk(sum, sum->crc);
    sum->crc = 0;
    sum->chunk_used = 0;
}

static void close_block(struct checksummer *sum)
{
    if (sum->chunk_used)
        close_chunk(sum);
    if (sum->n_blocks != 0) {
        uint8_t digest[MD5_BYTES];
        md5_finish(sum->block, digest);
        buf_append(&sum->digests, digest, sizeof(digest));
    }
    sum->block_used = 0;
    sum->n_blocks++;
}

// Whole chunks side by side, those of the open block's that it has room for; returns how
// many bytes they take.
static size_t add_chunks(struct checksummer *sum, const char *p, size_t n_bytes)
{
    uint32_t words[CRC32C_LANES];
    size_t used = 0;
    for (; n_bytes - used >= CHUNKS_BYTES &&
           sum->block_bytes - sum->block_used > CHUNKS_BYTES;
         used += CHUNKS_BYTES) {
        crc32c_chunks(p + used, CHUNK_BYTES, words);
        for (size_t i = 0; i < CRC32C_LANES; i++)
            put_chunk(sum, words[i]);
        sum->block_used += CHUNKS_BYTES;
    }
    if (sum->kind == CHECKSUM_CRC32C && sum->n_blocks > 0) {
        sum->crc_behind = crc32c(sum->crc_behind, p, used);
        sum->n_behind += (int64_t)used;
    }
    return used;
}

void checksummer_add(struct checksummer *sum, const void *data, size_t n_bytes)
{
    const char *p = data;
    while (n_bytes) {
        size_t used = sum->chunk_used == 0 ? add_chunks(sum, p, n_bytes) : 0;
        p += used;
        n_bytes -= used;
        if (n_bytes == 0)
            return;
        size_t n = CHUNK_BYTES - sum->chunk_used;
        if (n > n_bytes)
            n = n_bytes;
        sum->crc = crc32c(sum->crc, p, n);
        if (sum->kind == CHECKSUM_CRC32C && sum->n_blocks > 0) {
            sum->crc_behind = crc32c(sum->crc_behind, p, n);
            sum->n_behind += (int64_t)n;
        }
        sum->chunk_used += n;
        sum->block_used += (int64_t)n;
        p += n;
        n_bytes -= n;
        if (sum->chunk_used == CHUNK_BYTES)
            close_chunk(sum);
        if (sum->block_used == sum->block_bytes)
            close_block(sum);
    }
}

void checksummer_overwrite(struct checksummer *sum, const void *p, size_t n_bytes)
{
    size_t n_chunks = n_bytes / CHUNK_BYTES;
    assert(n_bytes % CHUNK_BYTES == 0 && n_chunks * WORD_BYTES <= sum->first.n);
    for (size_t i = 0; i < n_chunks; i++)
        put_word(crc32c(0, (const char *)p + i * CHUNK_BYTES, CHUNK_BYTES),
                 (uint8_t *)sum->first.p + i * WORD_BYTES);
}

// HDFS takes the MD5 of its whole buffer, not of the bytes in use: it begins with 32
// bytes and doubles, and what is not in use is zero.
static size_t digests_capacity(int64_t n_blocks)
{
    size_t capacity = DIGESTS_MIN;
    while (capacity / MD5_BYTES < (size_t)n_blocks)
        capacity *= 2;
    return capacity;
}

static void add_zeros(struct md5 *md5, size_t n_bytes)
{
    static const uint8_t zeros[DIGESTS_MIN];
    for (; n_bytes > sizeof(zeros); n_bytes -= sizeof(zeros))
        md5_add(md5, zeros, sizeof(zeros));
    md5_add(md5, zeros, n_bytes);
}

// MD5 over the blocks' digests.
static void digest_file(struct checksummer *sum, uint8_t ret[MD5_BYTES])
{
    size_t left = digests_capacity(sum->n_blocks);
    if (sum->n_blocks != 0) {
        uint8_t digest[MD5_BYTES];
        md5_add(sum->block, sum->first.p, sum->first.n);
        md5_finish(sum->block, digest);
        md5_add(sum->block, digest, sizeof(digest));
        md5_add(sum->block, sum->digests.p, sum->digests.n);
        left -= sizeof(digest) + sum->digests.n;
    }
    add_zeros(sum->block, left);
    md5_finish(sum->block, ret);
}

// The CRC of what n bytes with the CRC `behind` follow. The register is linear: zeros in
// their place move the one in front, which is done as often as it takes.
static uint32_t append_crc(uint32_t front, uint32_t behind, int64_t n_bytes)
{
    static const char zeros[1 << 16];
    for (uint32_t n = 0; n_bytes > 0; n_bytes -= n) {
        n = n_bytes < (int64_t)sizeof(zeros) ? (uint32_t)n_bytes : sizeof(zeros);
        front = ~crc32c(~front, zeros, n);
    }
    return front ^ behind;
}

static uint32_t word_at(const struct buf *words, size_t i)
{
    const uint8_t *p = (const uint8_t *)words->p + i * WORD_BYTES;
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

// The first block's chunks may have been overwritten: their words are put together.
static uint32_t crc_of_file(const struct checksummer *sum, int64_t n_first)
{
    uint32_t crc = 0;
    for (size_t i = 0; i < sum->first.n / WORD_BYTES; i++) {
        int64_t n = n_first < CHUNK_BYTES ? n_first : CHUNK_BYTES;
        crc = append_crc(crc, word_at(&sum->first, i), n);
        n_first -= n;
    }
    return append_crc(crc, sum->crc_behind, sum->n_behind);
}

void checksummer_finish(struct checksummer *sum, struct checksum *ret)
{
    uint8_t digest[MD5_BYTES];
    int64_t n_first = sum->n_blocks > 0 ? sum->block_bytes : sum->block_used;
    if (sum->block_used)
        close_block(sum);
    ret->kind = sum->kind;
    digest_file(sum, digest);
    if (sum->kind == CHECKSUM_CRC32C)
        put_word(crc_of_file(sum, n_first), digest);
    hex_encode(digest, checksum_digits(sum->kind) / 2, ret->hex);
    sum->crc_behind = 0;
    sum->n_behind = 0;
    buf_clear(&sum->first);
    buf_clear(&sum->digests);
    sum->n_blocks = 0;
}

void checksummer_free(struct checksummer *sum)
{
    if (sum == NULL)
        return;
    md5_free(sum->block);
    buf_release(&sum->first);
    buf_release(&sum->digests);
    free(sum);
}
