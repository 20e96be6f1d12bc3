// SPDX-License-Identifier: Apache-2.0
#include "base/mem.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void mem_share_heaps(void)
{
    mallopt(M_ARENA_MAX, 2);
}

static void *checked(void *p, size_t n_bytes)
{
    if (LIKELY(p != NULL))
        return p;
    fprintf(stderr, "out of memory: %zu bytes\n", n_bytes);
    abort();
}

void *mem_alloc(size_t n_bytes)
{
    return checked(malloc(n_bytes ? n_bytes : 1), n_bytes);
}

void *mem_zalloc(size_t n_bytes)
{
    return checked(calloc(1, n_bytes ? n_bytes : 1), n_bytes);
}

void *mem_array(size_t count, size_t size)
{
    return checked(calloc(count ? count : 1, size), count); // calloc checks the product
}

void *mem_resize(void *p, size_t count, size_t size)
{
    size_t n_bytes;
    if (__builtin_mul_overflow(count, size, &n_bytes))
        n_bytes = SIZE_MAX;
    return checked(realloc(p, n_bytes ? n_bytes : 1), n_bytes);
}

char *mem_strdup(const char *s)
{
    return mem_strndup(s, strlen(s));
}

char *mem_strndup(const char *s, size_t n)
{
    char *copy = mem_alloc(n + 1);
    if (n)
        memcpy(copy, s, n);
    copy[n] = '\0';
    return copy;
}

char *mem_printf(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (n < 0)
        abort(); // a wrong format string is wrong code
    char *text = mem_alloc((size_t)n + 1);
    vsnprintf(text, (size_t)n + 1, fmt, again);
    va_end(again);
    return text;
}

void mem_auto_free(void *pointer_to_pointer)
{
    free(*(void **)pointer_to_pointer);
}
