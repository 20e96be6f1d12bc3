// SPDX-License-Identifier: Apache-2.0
#include "test.h"

#include "base/byte_mask.h"
#include "base/mem.h"

static const struct byte_set set = {',', '"', '\r', '\n'};

static uint64_t mask_by_loop(const char *p, size_t n, bool *plain)
{
    uint64_t mask = 0;
    for (size_t i = 0; i < n; i++) {
        mask |= (uint64_t)(strchr(",\"\r\n", p[i]) != NULL && p[i] != '\0') << i;
        *plain = *plain && p[i] > 0;
    }
    return mask;
}

static uint64_t one_by_loop(const char *p, size_t n, bool *printable)
{
    uint64_t mask = 0;
    for (size_t i = 0; i < n; i++) {
        mask |= (uint64_t)(p[i] == ',') << i;
        *printable = *printable && p[i] >= ' ' && p[i] != '"';
    }
    return mask;
}

// Each text in memory of just its size, so that a read outside of it is seen by ASan.
static void check(const char *text, size_t n)
{
    char *exact = mem_alloc(n + (n == 0));
    memcpy(exact, text, n);
    bool plain = true, expected_plain = true;
    uint64_t expected = mask_by_loop(exact, n, &expected_plain);
    assert_true(byte_mask(exact, n, set, &plain) == expected);
    assert_int_equal(plain, expected_plain);
    bool printable = true, expected_printable = true;
    expected = one_by_loop(exact, n, &expected_printable);
    assert_true(byte_mask_one(exact, n, ',', &printable) == expected);
    assert_int_equal(printable, expected_printable);
    free(exact);
}

static void test_every_length_and_place(UNUSED void **state)
{
    static const char bytes[] = {',', '"',    '\r', '\n', '\0',   '\x80', '\xFF',
                                 'a', '\x01', ' ',  '!',  '\x7F', '\x1F'};
    for (size_t n = 0; n <= BYTE_MASK_MAX; n++) {
        char text[BYTE_MASK_MAX];
        memset(text, 'x', sizeof(text));
        check(text, n);
        for (size_t at = 0; at < n; at++) {
            for (size_t i = 0; i < sizeof(bytes); i++) {
                text[at] = bytes[i];
                check(text, n);
            }
            text[at] = 'x';
        }
        memset(text, ',', sizeof(text));
        check(text, n);
    }
}

static void test_plain_is_only_ever_cleared(UNUSED void **state)
{
    bool plain = false;
    assert_true(byte_mask("a,b", 3, set, &plain) == 2);
    assert_false(plain);
}

TEST_MAIN(cmocka_unit_test(test_every_length_and_place),
          cmocka_unit_test(test_plain_is_only_ever_cleared))
