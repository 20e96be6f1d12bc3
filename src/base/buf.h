// SPDX-License-Identifier: Apache-2.0
// Growable bytes with a maximum. Zero is a valid empty buffer without a limit of its own
// (BUF_LIMIT_DEFAULT applies). Appending past the limit sets `full`, drops what did not
// fit, and stays full until it is cleared: check once, at the end, with buf_check().
//
// The limit may change at any time, also to less than the buffer holds: that stays, and
// nothing fits any more until there is room below the limit again.
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/mem.h"
#include "base/status.h"
#include "base/str.h"

enum {
    BUF_LIMIT_DEFAULT = 1 << 30
};

struct buf {
    char *p;
    size_t n;        // bytes in use
    size_t capacity; // bytes; one more is allocated, for buf_cstr
    size_t limit;    // bytes; 0 means BUF_LIMIT_DEFAULT
    bool full;       // something did not fit
};

#define BUF_INIT(limit_bytes) ((struct buf){.limit = (limit_bytes)})

void buf_release(struct buf *buf); // also for AUTO
void buf_clear(struct buf *buf);   // keeps the memory
// Memory beyond the new limit is given back.
void buf_set_limit(struct buf *buf, size_t limit_bytes);
size_t buf_left(const struct buf *buf); // bytes that still fit
// Gives memory back but for n_bytes of room behind the bytes in use.
void buf_trim(struct buf *buf, size_t n_bytes);
// Slow path of buf_room.
bool buf_grow(struct buf *buf, size_t n_bytes);

// Room for n_bytes at the end, or NULL when the limit would be passed. The caller writes
// there and adds to buf->n itself. n_bytes is at least 1: an empty buffer has no place.
static inline char *buf_room(struct buf *buf, size_t n_bytes)
{
    bool is_there = n_bytes <= buf->capacity - buf->n;
    // No limit of its own is 0, and 0 - 1 the largest: memory that is there is within it.
    bool fits = buf->n + n_bytes - 1 <= buf->limit - 1;
    if (UNLIKELY(!(is_there & fits & !buf->full)) && !buf_grow(buf, n_bytes))
        return NULL;
    return buf->p + buf->n;
}

static inline void buf_append(struct buf *buf, const void *p, size_t n_bytes)
{
    char *room = n_bytes ? buf_room(buf, n_bytes) : NULL;
    if (UNLIKELY(room == NULL))
        return;
    memcpy(room, p, n_bytes);
    buf->n += n_bytes;
}

static inline void buf_str(struct buf *buf, struct str s)
{
    buf_append(buf, s.p, s.n);
}

static inline void buf_char(struct buf *buf, char c)
{
    char *room = buf_room(buf, 1);
    if (UNLIKELY(room == NULL))
        return;
    *room = c;
    buf->n++;
}

static inline void buf_text(struct buf *buf, const char *text)
{
    buf_append(buf, text, strlen(text));
}

static inline struct str buf_as_str(const struct buf *buf)
{
    return (struct str){buf->p, buf->n};
}

void buf_printf(struct buf *buf, const char *fmt, ...) PRINTF_LIKE(2, 3);
void buf_i64(struct buf *buf, int64_t value);           // decimal
void buf_remove_front(struct buf *buf, size_t n_bytes); // at most all
// NUL-terminated view (the NUL is not counted in n, nor in the limit); valid until the
// next append.
const char *buf_cstr(struct buf *buf);
// The bytes, NUL-terminated, as memory that the caller frees; the buffer becomes empty.
char *buf_detach(struct buf *buf);
// ST_LIMIT with "`what`: more than N bytes" when something did not fit.
enum status buf_check(const struct buf *buf, const char *what, struct err *err);

#endif
