// SPDX-License-Identifier: Apache-2.0
// Allocation that never returns NULL: out of memory ends the process (a crash is safe by
// the commit protocol). Sizes that come from outside are checked before they get here.
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

#include "base/attr.h"

// To be called first in main: threads share two heaps instead of having one each, since
// what one thread allocates and another frees (records on their way) would leave
// many heaps half empty: a third more memory, and no speed for it.
void mem_share_heaps(void);

void *mem_alloc(size_t n_bytes) __attribute__((malloc, returns_nonnull)) MUST_USE;
void *mem_zalloc(size_t n_bytes) __attribute__((malloc, returns_nonnull)) MUST_USE;
// count * size with an overflow check; zeroed.
void *mem_array(size_t count, size_t size)
    __attribute__((malloc, returns_nonnull)) MUST_USE;
void *mem_resize(void *p, size_t count, size_t size)
    __attribute__((returns_nonnull)) MUST_USE;
// NUL-terminated copies; the caller frees with free().
char *mem_strdup(const char *s) __attribute__((returns_nonnull)) MUST_USE;
char *mem_strndup(const char *s, size_t n) __attribute__((returns_nonnull)) MUST_USE;
char *mem_printf(const char *fmt, ...) PRINTF_LIKE(1, 2)
    __attribute__((returns_nonnull)) MUST_USE;

// For AUTO(mem_auto_free): frees the pointer that the variable holds.
void mem_auto_free(void *pointer_to_pointer);

// Grows an array so that one more element fits: items, its count and capacity.
#define MEM_GROW(items, count, capacity)                                         \
    do {                                                                         \
        if ((count) >= (capacity)) {                                             \
            (capacity) = (capacity) ? (capacity) * 2 : 8;                        \
            (items) = mem_resize((items), (size_t)(capacity), sizeof(*(items))); \
        }                                                                        \
    } while (0)

#endif
