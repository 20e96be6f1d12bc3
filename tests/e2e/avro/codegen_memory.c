/* SPDX-License-Identifier: Apache-2.0
 * Generated code, made.c of record x_top, when the n-th allocation fails, for every n: it
 * says so and leaks nothing (the sanitizer looks). A datum in hex on stdin; prints how
 * many allocations each function made. */
#include <stdio.h>
#include <stdlib.h>

static long left; /* allocations that are given; none after them */

static void *give_calloc(size_t n, size_t size)
{
    return left-- > 0 ? calloc(n, size) : NULL;
}

static void *give_realloc(void *p, size_t size)
{
    return left-- > 0 ? realloc(p, size) : NULL;
}

#define calloc  give_calloc
#define realloc give_realloc
#include "made.c"

static int fails(enum avro_result rc)
{
    if (rc != AVRO_OK && rc != AVRO_NO_MEMORY) {
        printf("%s\n", avro_result_text(rc));
        exit(1);
    }
    return rc == AVRO_NO_MEMORY;
}

static long n_of_init(void)
{
    struct x_top x;
    long n = 0;
    while (left = n, fails(x_top_init(&x)))
        n++;
    x_top_release(&x);
    return n;
}

static long n_of_decode(const uint8_t *p, size_t size)
{
    struct x_top x;
    long n = 0;
    while (left = n, fails(x_top_decode(p, size, &x, NULL)))
        n++;
    x_top_release(&x);
    return n;
}

static long n_of_write(const struct x_top *x,
                       enum avro_result (*write)(const struct x_top *,
                                                 struct avro_buffer *))
{
    long n = 0;
    for (;; n++) {
        struct avro_buffer out = {0};
        int failed = (left = n, fails(write(x, &out)));
        if (failed && out.n != 0)
            exit(2);
        avro_buffer_release(&out);
        if (!failed)
            return n;
    }
}

int main(void)
{
    static uint8_t bytes[1 << 16];
    size_t n = 0;
    unsigned value;
    struct x_top x;
    while (n < sizeof(bytes) && scanf("%2x", &value) == 1)
        bytes[n++] = (uint8_t)value;
    printf("%ld %ld", n_of_init(), n_of_decode(bytes, n));
    left = 1000000;
    if (fails(x_top_decode(bytes, n, &x, NULL)))
        return 3;
    printf(" %ld %ld\n", n_of_write(&x, x_top_encode), n_of_write(&x, x_top_text));
    x_top_release(&x);
    return 0;
}
