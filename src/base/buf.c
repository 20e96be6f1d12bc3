// SPDX-License-Identifier: Apache-2.0
#include "base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static size_t limit_of(const struct buf *buf)
{
    return buf->limit ? buf->limit : BUF_LIMIT_DEFAULT;
}

void buf_release(struct buf *buf)
{
    free(buf->p);
    *buf = (struct buf){.limit = buf->limit};
}

void buf_clear(struct buf *buf)
{
    buf->n = 0;
    buf->full = false;
}

static void set_capacity(struct buf *buf, size_t n_bytes)
{
    buf->p = mem_resize(buf->p, n_bytes + 1, 1);
    buf->capacity = n_bytes;
}

void buf_trim(struct buf *buf, size_t n_bytes)
{
    if (buf->capacity > n_bytes + buf->n)
        set_capacity(buf, n_bytes + buf->n);
}

void buf_set_limit(struct buf *buf, size_t limit_bytes)
{
    buf->limit = limit_bytes;
    size_t limit = limit_of(buf);
    buf_trim(buf, limit > buf->n ? limit - buf->n : 0);
}

size_t buf_left(const struct buf *buf)
{
    size_t limit = limit_of(buf);
    return buf->full || limit < buf->n ? 0 : limit - buf->n;
}

bool buf_grow(struct buf *buf, size_t n_bytes)
{
    if (n_bytes > buf_left(buf)) {
        buf->full = true;
        return false;
    }
    size_t limit = limit_of(buf);
    size_t capacity = buf->capacity ? buf->capacity : 64;
    while (capacity < buf->n + n_bytes)
        capacity = capacity > limit / 2 ? limit : 2 * capacity;
    if (capacity > limit)
        capacity = limit;
    if (capacity > buf->capacity)
        set_capacity(buf, capacity);
    return true;
}

void buf_printf(struct buf *buf, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    char *room = n <= 0 ? NULL : buf_room(buf, (size_t)n);
    if (room != NULL) {
        vsnprintf(room, (size_t)n + 1, fmt, again);
        buf->n += (size_t)n;
    }
    va_end(again);
}

void buf_i64(struct buf *buf, int64_t value)
{
    char digits[20];
    size_t i = sizeof(digits);
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do {
        digits[--i] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    if (value < 0)
        digits[--i] = '-';
    buf_append(buf, digits + i, sizeof(digits) - i);
}

void buf_remove_front(struct buf *buf, size_t n_bytes)
{
    assert(n_bytes <= buf->n);
    if (n_bytes && buf->n > n_bytes)
        memmove(buf->p, buf->p + n_bytes, buf->n - n_bytes);
    buf->n -= n_bytes;
}

const char *buf_cstr(struct buf *buf)
{
    if (buf->p == NULL)
        set_capacity(buf, 0);
    buf->p[buf->n] = '\0';
    return buf->p;
}

char *buf_detach(struct buf *buf)
{
    char *text = mem_strndup(buf->p, buf->n);
    buf_release(buf);
    return text;
}

enum status buf_check(const struct buf *buf, const char *what, struct err *err)
{
    if (!buf->full)
        return ST_OK;
    return err_set(err, ST_LIMIT, "%s: more than %zu bytes", what, limit_of(buf));
}
