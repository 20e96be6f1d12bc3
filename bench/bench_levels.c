// SPDX-License-Identifier: Apache-2.0
// bench_levels FILE: the bytes of a file (an Avro file without a codec, say) in blocks of
// 256 kB, compressed by each library at some levels and back. Which levels src/avro takes
// stands in compress.c; this is what they were chosen by.
#include "bench.h"

#include <libdeflate.h>
#include <snappy-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <zstd.h>

enum {
    BLOCK_BYTES = 256 << 10,
    ROOM_BYTES = 2 * BLOCK_BYTES,
    FILE_BYTES_MAX = 16 << 20
};

enum library {
    DEFLATE,
    ZSTANDARD,
    SNAPPY
};

static const struct trial {
    const char *name;
    enum library library;
    int level;
} trials[] = {
    {"deflate 1", DEFLATE, 1},     {"deflate 3", DEFLATE, 3},
    {"deflate 6", DEFLATE, 6},     {"zstandard 1", ZSTANDARD, 1},
    {"zstandard 3", ZSTANDARD, 3}, {"zstandard 5", ZSTANDARD, 5},
    {"snappy", SNAPPY, 0},
};

static char packed[ROOM_BYTES], plain[ROOM_BYTES];

// What a trial took for the whole file.
struct cost {
    double pack, unpack; // seconds
    size_t bytes;
};

static size_t pack(const struct trial *trial, void *state, const char *p, size_t n)
{
    size_t n_packed = ROOM_BYTES;
    switch (trial->library) {
    case DEFLATE:
        return libdeflate_deflate_compress(state, p, n, packed, ROOM_BYTES);
    case ZSTANDARD:
        return ZSTD_compressCCtx(state, packed, ROOM_BYTES, p, n, trial->level);
    case SNAPPY:
        return snappy_compress(p, n, packed, &n_packed) == SNAPPY_OK ? n_packed : 0;
    }
    return 0;
}

static size_t unpack(const struct trial *trial, void *state, size_t n)
{
    size_t n_plain = ROOM_BYTES;
    switch (trial->library) {
    case DEFLATE:
        (void)libdeflate_deflate_decompress(state, packed, n, plain, ROOM_BYTES,
                                            &n_plain);
        return n_plain;
    case ZSTANDARD:
        return ZSTD_decompressDCtx(state, plain, ROOM_BYTES, packed, n);
    case SNAPPY:
        return snappy_uncompress(packed, n, plain, &n_plain) == SNAPPY_OK ? n_plain : 0;
    }
    return 0;
}

static void run_block(const struct trial *trial, void *packer, void *unpacker,
                      const char *p, size_t n, struct cost *cost)
{
    double start = bench_cpu();
    size_t n_packed = pack(trial, packer, p, n);
    double middle = bench_cpu();
    size_t n_plain = unpack(trial, unpacker, n_packed);
    cost->unpack += bench_cpu() - middle;
    cost->pack += middle - start;
    cost->bytes += n_packed;
    if (n_plain != n || memcmp(plain, p, n) != 0) {
        fprintf(stderr, "bench_levels: %s does not give back what it got\n", trial->name);
        exit(1);
    }
}

static struct cost run_file(const struct trial *trial, const char *p, size_t n)
{
    struct cost cost = {0};
    void *packer = trial->library == DEFLATE
                       ? (void *)libdeflate_alloc_compressor(trial->level)
                       : ZSTD_createCCtx();
    void *unpacker = trial->library == DEFLATE ? (void *)libdeflate_alloc_decompressor()
                                               : ZSTD_createDCtx();
    for (size_t at = 0; at + BLOCK_BYTES <= n; at += BLOCK_BYTES)
        run_block(trial, packer, unpacker, p + at, BLOCK_BYTES, &cost);
    if (trial->library == DEFLATE) {
        libdeflate_free_compressor(packer);
        libdeflate_free_decompressor(unpacker);
    } else {
        ZSTD_freeCCtx(packer);
        ZSTD_freeDCtx(unpacker);
    }
    return cost;
}

static void measure(const struct trial *trial, const char *p, size_t n)
{
    struct cost best = run_file(trial, p, n);
    for (int round = 1; round < BENCH_ROUNDS; round++) {
        struct cost cost = run_file(trial, p, n);
        best.pack = cost.pack < best.pack ? cost.pack : best.pack;
        best.unpack = cost.unpack < best.unpack ? cost.unpack : best.unpack;
    }
    char name[64];
    snprintf(name, sizeof(name), "%s: write", trial->name);
    bench_result("levels", name, (double)n / best.pack / 1e6, "MB/s");
    snprintf(name, sizeof(name), "%s: read", trial->name);
    bench_result("levels", name, (double)n / best.unpack / 1e6, "MB/s");
    snprintf(name, sizeof(name), "%s: smaller", trial->name);
    bench_result("levels", name, (double)n / (double)best.bytes, "x");
}

int main(int argc, char **argv)
{
    FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;
    if (file == NULL) {
        fputs("usage: bench_levels FILE\n", stderr);
        return 2;
    }
    char *bytes = malloc(FILE_BYTES_MAX);
    size_t n = fread(bytes, 1, FILE_BYTES_MAX, file);
    fclose(file);
    n -= n % BLOCK_BYTES;
    for (size_t i = 0; i < ARRAY_LEN(trials) && n != 0; i++)
        measure(&trials[i], bytes, n);
    free(bytes);
    return n == 0;
}
