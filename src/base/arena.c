// SPDX-License-Identifier: Apache-2.0
#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

enum {
    BLOCK_BYTES = 64 * 1024,
    ALIGNMENT = 16
};

struct arena_block {
    struct arena_block *older;
    size_t used;     // bytes of data[] handed out
    size_t capacity; // bytes
    _Alignas(ALIGNMENT) char data[];
};

#ifdef __SANITIZE_ADDRESS__
enum {
    ONE_PIECE_A_BLOCK = 1
};
#else
enum {
    ONE_PIECE_A_BLOCK = 0
};
#endif

static void add_block(struct arena *arena, size_t n_bytes)
{
    size_t capacity = ONE_PIECE_A_BLOCK || n_bytes > BLOCK_BYTES ? n_bytes : BLOCK_BYTES;
    struct arena_block *block = mem_alloc(sizeof(*block) + capacity);
    block->older = arena->newest;
    block->used = 0;
    block->capacity = capacity;
    arena->newest = block;
}

void *arena_alloc(struct arena *arena, size_t n_bytes)
{
    size_t size = ONE_PIECE_A_BLOCK
                      ? n_bytes
                      : (n_bytes + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    struct arena_block *block = arena->newest;
    if (ONE_PIECE_A_BLOCK || block == NULL || block->capacity - block->used < size) {
        add_block(arena, size);
        block = arena->newest;
    }
    void *p = block->data + block->used;
    block->used += size;
    arena->n_bytes += size;
    return p;
}

void *arena_zalloc(struct arena *arena, size_t n_bytes)
{
    void *p = arena_alloc(arena, n_bytes);
    memset(p, 0, n_bytes);
    return p;
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
    size_t n_bytes;
    if (__builtin_mul_overflow(count, size, &n_bytes))
        abort();
    return arena_zalloc(arena, n_bytes);
}

char *arena_cstr(struct arena *arena, struct str s)
{
    char *copy = arena_alloc(arena, s.n + 1);
    if (s.n)
        memcpy(copy, s.p, s.n);
    copy[s.n] = '\0';
    return copy;
}

struct str arena_str(struct arena *arena, struct str s)
{
    return (struct str){arena_cstr(arena, s), s.n};
}

char *arena_printf(struct arena *arena, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (n < 0)
        abort();
    char *text = arena_alloc(arena, (size_t)n + 1);
    vsnprintf(text, (size_t)n + 1, fmt, again);
    va_end(again);
    return text;
}

static void free_from(struct arena_block *block)
{
    while (block != NULL) {
        struct arena_block *older = block->older;
        free(block);
        block = older;
    }
}

void arena_clear(struct arena *arena)
{
    struct arena_block *keep = arena->newest;
    arena->n_bytes = 0;
    if (keep == NULL)
        return;
    free_from(keep->older);
    keep->older = NULL;
    keep->used = 0;
    if (ONE_PIECE_A_BLOCK || keep->capacity > BLOCK_BYTES) {
        free(keep);
        arena->newest = NULL;
    }
}

void arena_release(struct arena *arena)
{
    free_from(arena->newest);
    *arena = (struct arena){0};
}
