// SPDX-License-Identifier: Apache-2.0
// Any bytes as a datum of generated code: refused, or a record that is written and read
// again the same. The code is made at build time from schemas/*.avsc and from that of the
// end to end tests; the first byte picks one.
#include <assert.h>

#include "fuzz_parts.h"

#include "everything.h"
#include "nothing.h"
#include "tree.h"

const struct fuzz_budget fuzz_budget = {
    .steps = 200 << 20,
    .steps_a_byte = 3000,
    .bytes = 300 << 20,
    .bytes_a_byte = 3000,
    .held = 150 << 20,
    .held_a_byte = 2000,
};

static void check_equal(const struct avro_buffer *a, const struct avro_buffer *b)
{
    assert(a->n == b->n && memcmp(a->p, b->p, a->n) == 0);
}

// One function a type: check_TYPE(p, n).
#define CHECK(type)                                                       \
    static void check_##type(const uint8_t *p, size_t n)                  \
    {                                                                     \
        struct type x, again;                                             \
        struct avro_buffer bytes = {0}, text = {0};                       \
        struct avro_buffer bytes_again = {0}, text_again = {0};           \
        size_t used = 0;                                                  \
        if (type##_decode(p, n, &x, &used) != AVRO_OK)                    \
            return;                                                       \
        assert(used <= n && type##_encode(&x, &bytes) == AVRO_OK);        \
        assert(type##_decode(bytes.p, bytes.n, &again, NULL) == AVRO_OK); \
        assert(type##_encode(&again, &bytes_again) == AVRO_OK);           \
        assert(type##_text(&x, &text) == AVRO_OK);                        \
        assert(type##_text(&again, &text_again) == AVRO_OK);              \
        check_equal(&bytes, &bytes_again);                                \
        check_equal(&text, &text_again);                                  \
        type##_release(&x);                                               \
        type##_release(&again);                                           \
        avro_buffer_release(&bytes);                                      \
        avro_buffer_release(&bytes_again);                                \
        avro_buffer_release(&text);                                       \
        avro_buffer_release(&text_again);                                 \
    }

CHECK(everything_a_b_Everything)
CHECK(nothing_nothing)
CHECK(tree_node)

void fuzz_input(const uint8_t *data, size_t size)
{
    static void (*const checks[])(const uint8_t *, size_t) = {
        check_everything_a_b_Everything, check_nothing_nothing, check_tree_node};
    if (size == 0)
        return;
    size_t n = size - 1;
    uint8_t *copy = malloc(n ? n : 1); // a read past the end is seen
    memcpy(copy, data + 1, n);
    checks[data[0] % (sizeof(checks) / sizeof(checks[0]))](copy, n);
    free(copy);
}
