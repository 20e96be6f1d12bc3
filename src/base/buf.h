// SPDX-License-Identifier: Apache-2.0
// Growable bytes with a maximum. Zero is a valid empty buffer without a limit of its own
// (BUF_LIMIT_DEFAULT applies). Appending past the limit sets `full`, drops what did not
// fit, and stays full: check once, at the end, with buf_check().
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
    size_t capacity; // bytes
    size_t limit;    // bytes; 0 means BUF_LIMIT_DEFAULT
    bool full;       // something did not fit
};

#define BUF_INIT(limit_bytes) ((struct buf){.limit = (limit_bytes)})

void buf_release(struct buf *buf); // also for AUTO
void buf_clear(struct buf *buf);   // keeps the memory
// Slow path of buf_room.
bool buf_grow(struct buf *buf, size_t n_bytes);

// Room for n_bytes at the end, or NULL when the limit would be passed. The caller writes
// there and adds to buf->n itself. n_bytes is at least 1: an empty buffer has no place.
static inline char *buf_room(struct buf *buf, size_t n_bytes)
{
    if (UNLIKELY(buf->capacity - buf->n < n_bytes) && !buf_grow(buf, n_bytes))
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
    buf_append(buf, &c, 1);
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
void buf_i64(struct buf *buf, int64_t value); // decimal
void buf_remove_front(struct buf *buf, size_t n_bytes);
// NUL-terminated view (the NUL is not counted in n); valid until the next append.
const char *buf_cstr(struct buf *buf);
// The bytes, NUL-terminated, as memory that the caller frees; the buffer becomes empty.
char *buf_detach(struct buf *buf);
// ST_LIMIT with "`what`: more than N bytes" when something did not fit.
enum status buf_check(const struct buf *buf, const char *what, struct err *err);

#endif
