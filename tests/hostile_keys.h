// SPDX-License-Identifier: Apache-2.0
// Texts with one and the same hash64, made by somebody who knows its secret numbers:
// those that it has without hash64_seed. Written after src/base/hash.c, not by it.
#ifndef TESTS_HOSTILE_KEYS_H
#define TESTS_HOSTILE_KEYS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum {
    HOSTILE_KEY_BYTES = 24
};

struct hostile_keys {
    uint64_t state; // of chance
};

static inline uint64_t hostile_chance(struct hostile_keys *keys)
{
    uint64_t z = keys->state += 0x9E3779B97F4A7C15U;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9U;
    z = (z ^ z >> 27) * 0x94D049BB133111EBU;
    return z ^ z >> 31;
}

// What hash64 has made of the first 16 of 24 bytes: the other factor of the last step.
static inline uint64_t hostile_middle(const char *key)
{
    uint64_t a, b;
    memcpy(&a, key, 8);
    memcpy(&b, key + 8, 8);
    __uint128_t product = (__uint128_t)(a ^ 0xC2B2AE3D27D4EB4FU) *
                          (b ^ 0x9E3779B97F4A7C15U ^ HOSTILE_KEY_BYTES);
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline bool hostile_is_text(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] <= ' ' || p[i] > '~' || p[i] == '"' || p[i] == ',')
            return false;
    return true;
}

static inline void hostile_key(struct hostile_keys *keys, char ret[HOSTILE_KEY_BYTES])
{
    do {
        for (int i = 0; i < 16; i += 8) {
            uint64_t chance = hostile_chance(keys);
            for (int k = 0; k < 8; k++)
                ret[i + k] = (char)('a' + (chance >> 8 * k & 255) % 26);
        }
        uint64_t last = hostile_middle(ret);
        memcpy(ret + 16, &last, 8);
    } while (!hostile_is_text(ret + 16, 8));
}

#endif
