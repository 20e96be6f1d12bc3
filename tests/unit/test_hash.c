// SPDX-License-Identifier: Apache-2.0
// Keys that somebody chose so that all have one hash: with a secret they are as any
// others.
// test: takes 10
#include "base/hash.h"

#include "base/mem.h"
#include "hostile_keys.h"
#include "table/key_index.h"
#include "test.h"

enum {
    KEYS = 10000,
    MASK = (1 << 15) - 1
};

static char keys[KEYS][HOSTILE_KEY_BYTES];

static void make_keys(void)
{
    struct hostile_keys state = {0};
    for (size_t i = 0; i < KEYS; i++)
        hostile_key(&state, keys[i]);
}

static struct str key_at(size_t i)
{
    return (struct str){keys[i], HOSTILE_KEY_BYTES};
}

// How many slots all keys look at on their way into a table of linear probing.
static int64_t count_steps(void)
{
    bool *taken = mem_array(MASK + 1, sizeof(*taken));
    int64_t n_steps = 0;
    for (size_t i = 0; i < KEYS; i++) {
        size_t at = hash64(keys[i], HOSTILE_KEY_BYTES) & MASK;
        for (n_steps++; taken[at]; n_steps++)
            at = (at + 1) & MASK;
        taken[at] = true;
    }
    free(taken);
    return n_steps;
}

static size_t count_in_index(void)
{
    struct key_index index;
    key_index_init(&index);
    for (size_t i = 0; i < KEYS; i++) {
        uint64_t hash = hash64(keys[i], HOSTILE_KEY_BYTES);
        struct key_slot *slot = key_index_add(&index, hash, key_at(i));
        assert_non_null(slot);
        slot->value = (uint32_t)i + 1;
    }
    size_t n = index.n_keys;
    for (size_t i = 0; i < KEYS; i++) {
        uint64_t hash = hash64(keys[i], HOSTILE_KEY_BYTES);
        assert_int_equal(key_index_find(&index, hash, key_at(i)), i + 1);
    }
    key_index_release(&index);
    return n;
}

static void test_a_secret_keeps_chosen_keys_apart(UNUSED void **state)
{
    make_keys();
    for (size_t i = 1; i < KEYS; i++) // the attack is real
        assert_int_equal(hash64(keys[i], HOSTILE_KEY_BYTES),
                         hash64(keys[0], HOSTILE_KEY_BYTES));
    assert_int_equal(count_steps(), (int64_t)KEYS * (KEYS + 1) / 2);
    struct hostile_keys chance = {1};
    for (int i = 0; i < 50; i++) {
        uint64_t words[] = {hostile_chance(&chance), hostile_chance(&chance)};
        uint8_t secret[HASH_SECRET_BYTES];
        memcpy(secret, words, sizeof(secret));
        hash64_seed(secret);
        int64_t n_steps = count_steps();
        if (n_steps > 2 * KEYS)
            fail_msg("secret %d: %d steps", i, (int)n_steps);
        assert_int_equal(count_in_index(), KEYS);
    }
}

// The same bytes have the same hash as long as the secret stays, wherever they lie.
static void test_equal_bytes_hash_equal(UNUSED void **state)
{
    char room[80];
    for (size_t n = 0; n <= 64; n++)
        for (size_t at = 0; at < 8; at++) {
            memset(room, 'x', sizeof(room));
            uint64_t hash = hash64(room, n);
            memset(room + at, 'x', n);
            assert_int_equal(hash64(room + at, n), hash);
        }
}

TEST_MAIN(cmocka_unit_test(test_a_secret_keeps_chosen_keys_apart),
          cmocka_unit_test(test_equal_bytes_hash_equal))
