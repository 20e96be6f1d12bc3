// SPDX-License-Identifier: Apache-2.0
#include "base/crc32c.h"

#include <stdbool.h>
#include <string.h>

enum {
    LANE_BYTES = 1024, // of a chain of long input
    LONG_BYTES = CRC32C_LANES * LANE_BYTES,
};

static uint32_t by_byte[256];
static uint32_t moved[4][256]; // a byte of the register, moved over LANE_BYTES zeros

static uint32_t add_plain(uint32_t crc, const unsigned char *p, size_t n)
{
    for (; n; n--, p++)
        crc = crc >> 8 ^ by_byte[(crc ^ *p) & 0xFF];
    return crc;
}

static uint32_t move_bit(int bit)
{
    static const unsigned char zeros[LANE_BYTES];
    return add_plain(UINT32_C(1) << bit, zeros, sizeof(zeros));
}

__attribute__((constructor)) static void make_tables(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t crc = i;
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ 0x82F63B78U : crc >> 1;
        by_byte[i] = crc;
    }
    for (int at = 0; at < 4; at++)
        for (int bit = 0; bit < 8; bit++) {
            uint32_t one = move_bit(8 * at + bit);
            for (size_t i = 0; i < 256; i++)
                moved[at][i] ^= i >> bit & 1 ? one : 0;
        }
}

static uint32_t move(uint32_t crc)
{
    return moved[0][crc & 0xFF] ^ moved[1][crc >> 8 & 0xFF] ^ moved[2][crc >> 16 & 0xFF] ^
           moved[3][crc >> 24];
}

uint32_t crc32c_plain(uint32_t crc, const void *p, size_t n_bytes)
{
    return ~add_plain(~crc, p, n_bytes);
}

#if defined(__x86_64__)
static uint64_t load64(const unsigned char *p)
{
    uint64_t word;
    memcpy(&word, p, sizeof(word));
    return word;
}

__attribute__((target("sse4.2"))) static uint32_t
add_fast(uint32_t crc, const unsigned char *p, size_t n)
{
    uint64_t wide = crc;
    for (; n >= 8; n -= 8, p += 8)
        wide = __builtin_ia32_crc32di(wide, load64(p));
    crc = (uint32_t)wide;
    for (; n; n--, p++)
        crc = __builtin_ia32_crc32qi(crc, *p);
    return crc;
}

// lane_bytes: a multiple of 8.
__attribute__((target("sse4.2"))) static void
add_lanes(uint32_t lanes[CRC32C_LANES], const unsigned char *p, size_t lane_bytes)
{
    uint64_t a = lanes[0], b = lanes[1], c = lanes[2], d = lanes[3];
    for (size_t i = 0; i < lane_bytes; i += 8) {
        a = __builtin_ia32_crc32di(a, load64(p + i));
        b = __builtin_ia32_crc32di(b, load64(p + lane_bytes + i));
        c = __builtin_ia32_crc32di(c, load64(p + 2 * lane_bytes + i));
        d = __builtin_ia32_crc32di(d, load64(p + 3 * lane_bytes + i));
    }
    lanes[0] = (uint32_t)a;
    lanes[1] = (uint32_t)b;
    lanes[2] = (uint32_t)c;
    lanes[3] = (uint32_t)d;
}

static bool has_instruction(void)
{
    return __builtin_cpu_supports("sse4.2");
}
#else
#define add_fast add_plain
static void add_lanes(uint32_t lanes[CRC32C_LANES], const unsigned char *p,
                      size_t lane_bytes)
{
    for (size_t i = 0; i < CRC32C_LANES; i++)
        lanes[i] = add_plain(lanes[i], p + i * lane_bytes, lane_bytes);
}

static bool has_instruction(void)
{
    return false;
}
#endif

uint32_t crc32c(uint32_t crc, const void *data, size_t n)
{
    const unsigned char *p = data;
    if (!has_instruction())
        return crc32c_plain(crc, p, n);
    crc = ~crc;
    for (; n >= LONG_BYTES; n -= LONG_BYTES, p += LONG_BYTES) {
        uint32_t lanes[CRC32C_LANES] = {crc};
        add_lanes(lanes, p, LANE_BYTES);
        crc = move(move(move(lanes[0]) ^ lanes[1]) ^ lanes[2]) ^ lanes[3];
    }
    return ~add_fast(crc, p, n);
}

void crc32c_chunks(const void *data, size_t chunk_bytes, uint32_t ret[CRC32C_LANES])
{
    const unsigned char *p = data;
    if (!has_instruction() || chunk_bytes % 8 != 0) {
        for (size_t i = 0; i < CRC32C_LANES; i++)
            ret[i] = crc32c(0, p + i * chunk_bytes, chunk_bytes);
        return;
    }
    for (size_t i = 0; i < CRC32C_LANES; i++)
        ret[i] = UINT32_MAX;
    add_lanes(ret, p, chunk_bytes);
    for (size_t i = 0; i < CRC32C_LANES; i++)
        ret[i] = ~ret[i];
}
