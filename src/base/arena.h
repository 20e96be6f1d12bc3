// SPDX-License-Identifier: Apache-2.0
// Memory by lifetime: many small pieces, freed together.
//
// Blocks are chained; arena_clear() keeps the newest block for the next round. Under
// AddressSanitizer every piece is a malloc of its own, so that overruns are seen.
// One thread at a time. Never returns NULL. Zero is a valid empty arena.
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/str.h"

struct arena {
    struct arena_block *newest;
    size_t n_bytes; // handed out since the last clear
};

void *arena_alloc(struct arena *arena, size_t n_bytes)
    __attribute__((returns_nonnull)) MUST_USE;
void *arena_zalloc(struct arena *arena, size_t n_bytes)
    __attribute__((returns_nonnull)) MUST_USE;
void *arena_array(struct arena *arena, size_t count, size_t size)
    __attribute__((returns_nonnull)) MUST_USE;           // zeroed
struct str arena_str(struct arena *arena, struct str s); // a copy
char *arena_cstr(struct arena *arena, struct str s);     // a NUL-terminated copy
char *arena_printf(struct arena *arena, const char *fmt, ...) PRINTF_LIKE(2, 3);
void arena_clear(struct arena *arena);
void arena_release(struct arena *arena);

#endif
