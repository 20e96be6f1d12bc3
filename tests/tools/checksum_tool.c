// SPDX-License-Identifier: Apache-2.0
// The checksum of stdin as src/core/checksum.h makes it, for the end to end tests:
//   checksum_tool BLOCK_BYTES [ZEROS]     ZEROS: of so many zero bytes, not of stdin
#include <stdio.h>
#include <stdlib.h>

#include "core/checksum.h"

static void add_zeros(struct checksummer *sum, long long n)
{
    static const char zeros[1 << 16];
    for (; n > (long long)sizeof(zeros); n -= (long long)sizeof(zeros))
        checksummer_add(sum, zeros, sizeof(zeros));
    checksummer_add(sum, zeros, (size_t)n);
}

// In pieces that fit neither chunks nor blocks.
static void add_stdin(struct checksummer *sum)
{
    char piece[1000];
    size_t n;
    while ((n = fread(piece, 1, sizeof(piece), stdin)) > 0)
        checksummer_add(sum, piece, n);
}

int main(int argc, char **argv)
{
    if (argc < 2 || argc > 3) {
        fputs("usage: checksum_tool BLOCK_BYTES [ZEROS]\n", stderr);
        return 2;
    }
    struct checksummer *sum =
        checksummer_open_blocks(CHECKSUM_HDFS, strtoll(argv[1], NULL, 10));
    struct checksum checksum;
    if (argc == 3)
        add_zeros(sum, strtoll(argv[2], NULL, 10));
    else
        add_stdin(sum);
    checksummer_finish(sum, &checksum);
    checksummer_free(sum);
    puts(checksum.hex);
    return 0;
}
