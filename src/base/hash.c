// SPDX-License-Identifier: Apache-2.0
#include "base/hash.h"

#include <openssl/evp.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/word.h"

static uint64_t mix(uint64_t a, uint64_t b)
{
    __uint128_t product = (__uint128_t)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

// Set once, by hash64_seed. Whoever knows both finds as many keys of one hash as they
// like: a factor of 0 makes all others equal.
static uint64_t secret1 = 0x9E3779B97F4A7C15U, secret2 = 0xC2B2AE3D27D4EB4FU;

void hash64_seed(const uint8_t secret[HASH_SECRET_BYTES])
{
    secret1 = word_load((const char *)secret) | 1; // a factor
    secret2 = word_load((const char *)secret + 8);
}

// Multiply-and-fold over 16 bytes a step: the idea of wyhash, with numbers of our own.
uint64_t hash64(const void *data, size_t n_bytes)
{
    const uint64_t k1 = secret1, k2 = secret2;
    const char *p = data;
    uint64_t h = k1 ^ n_bytes;
    size_t n = n_bytes;
    for (; n > 16; n -= 16, p += 16)
        h = mix(word_load(p) ^ k2, word_load(p + 8) ^ h);
    uint64_t a = 0, b = 0;
    if (n >= 8) {
        a = word_load(p);
        b = word_load(p + n - 8);
    } else {
        a = word_load_some(p, n);
    }
    return mix(mix(a ^ k2, b ^ h), k1);
}

static void must(int ok)
{
    if (!ok)
        abort(); // libcrypto fails here only when memory is out
}

void hex_encode(const uint8_t *p, size_t n_bytes, char *ret)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < n_bytes; i++) {
        ret[2 * i] = digits[p[i] >> 4];
        ret[2 * i + 1] = digits[p[i] & 15];
    }
    ret[2 * n_bytes] = '\0';
}

void sha256_hex(const void *p, size_t n_bytes, char ret[SHA256_HEX])
{
    uint8_t digest[32];
    must(EVP_Digest(p, n_bytes, digest, NULL, EVP_sha256(), NULL));
    hex_encode(digest, sizeof(digest), ret);
}

struct md5 {
    EVP_MD_CTX *context;
};

struct md5 *md5_open(void)
{
    struct md5 *md5 = mem_zalloc(sizeof(*md5));
    md5->context = EVP_MD_CTX_new();
    must(md5->context != NULL && EVP_DigestInit_ex(md5->context, EVP_md5(), NULL));
    return md5;
}

void md5_add(struct md5 *md5, const void *p, size_t n_bytes)
{
    must(EVP_DigestUpdate(md5->context, p, n_bytes));
}

void md5_finish(struct md5 *md5, uint8_t ret[MD5_BYTES])
{
    must(EVP_DigestFinal_ex(md5->context, ret, NULL));
    must(EVP_DigestInit_ex(md5->context, EVP_md5(), NULL));
}

void md5_free(struct md5 *md5)
{
    if (md5 == NULL)
        return;
    EVP_MD_CTX_free(md5->context);
    free(md5);
}
