// SPDX-License-Identifier: Apache-2.0
#include "core/checksum.h"

#include <stdlib.h>

#include "base/mem.h"

enum {
    CHUNK_BYTES = 512,
    PADDED_BYTES = 32
};

struct checksummer {
    struct md5 *block; // over the CRC words of the open block
    struct md5 *file;  // over the digests of the closed blocks
    int64_t block_bytes;
    int64_t block_used; // bytes of the open block
    int64_t n_blocks;
    uint32_t crc; // of the open chunk
    size_t chunk_used;
};

struct checksummer *checksummer_open(int64_t block_bytes)
{
    struct checksummer *sum = mem_zalloc(sizeof(*sum));
    sum->block = md5_open();
    sum->file = md5_open();
    sum->block_bytes = block_bytes;
    return sum;
}

static void close_chunk(struct checksummer *sum)
{
    uint8_t word[4] = {(uint8_t)(sum->crc >> 24), (uint8_t)(sum->crc >> 16),
                       (uint8_t)(sum->crc >> 8), (uint8_t)sum->crc};
    md5_add(sum->block, word, sizeof(word));
    sum->crc = 0;
    sum->chunk_used = 0;
}

static void close_block(struct checksummer *sum)
{
    if (sum->chunk_used)
        close_chunk(sum);
    uint8_t digest[MD5_BYTES];
    md5_finish(sum->block, digest);
    md5_add(sum->file, digest, sizeof(digest));
    sum->block_used = 0;
    sum->n_blocks++;
}

void checksummer_add(struct checksummer *sum, const void *data, size_t n_bytes)
{
    const char *p = data;
    while (n_bytes) {
        size_t n = CHUNK_BYTES - sum->chunk_used;
        if (n > n_bytes)
            n = n_bytes;
        sum->crc = crc32c(sum->crc, p, n);
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

void checksummer_finish(struct checksummer *sum, struct checksum *ret)
{
    static const uint8_t zeros[PADDED_BYTES];
    if (sum->block_used)
        close_block(sum);
    if (sum->n_blocks == 0)
        md5_add(sum->file, zeros, PADDED_BYTES);
    else if (sum->n_blocks == 1)
        md5_add(sum->file, zeros, PADDED_BYTES - MD5_BYTES);
    uint8_t digest[MD5_BYTES];
    md5_finish(sum->file, digest);
    hex_encode(digest, sizeof(digest), ret->hex);
    sum->n_blocks = 0;
}

void checksummer_free(struct checksummer *sum)
{
    if (sum == NULL)
        return;
    md5_free(sum->block);
    md5_free(sum->file);
    free(sum);
}
