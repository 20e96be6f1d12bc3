// SPDX-License-Identifier: Apache-2.0
// Bytes as text that other formats can carry, or that a terminal can be shown. What
// appends to a buffer is bounded by its limit (base/buf.h).
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdint.h>

#include "base/buf.h"

// RFC 4648, section 4: with padding, without line ends.
void text_base64(struct buf *buf, struct str bytes);
bool text_base64_decode(struct buf *buf, struct str text); // false: it is none
// A name from outside as UTF-8. Good text stays as it is; each byte that is not UTF-8, or
// NUL, becomes U+FFFD and its two hex digits, and so do the three bytes of U+FFFD itself:
// different names stay different (docs/commit-log.md).
void text_utf8(struct buf *buf, struct str name);
// In quotes, which are written twice within.
void text_quoted(struct buf *out, struct str s, char quote);
// A JSON string with its quotes (RFC 8259). Each byte that is not UTF-8, and NUL, becomes
// U+FFFD; characters that text_visible does not show are escaped.
void text_json(struct buf *buf, struct str text);

// Text that may come from a stranger, for a log or a terminal: one line, in which nothing
// is a control character, an escape sequence, or turns the direction of writing. Those
// and bytes that are not UTF-8 become "\n", "\t", "\r", "\x1b", "\u202e". Writes at most
// `room` bytes, whole characters, and returns how many. What is plain stays as it is; so
// does what was written by this.
enum {
    TEXT_GROWTH = 6 // most bytes that one becomes
};
size_t text_visible(struct str text, char *ret, size_t room);
void text_put_visible(struct buf *buf, struct str text); // all of it

// A time since 1970, of the years to 9999: "2026-11-22T05:00:00.000Z".
enum {
    TEXT_TIME_MAX = 40
};
struct str text_time(int64_t ms, char ret[TEXT_TIME_MAX]);

// In place: "http://me:word@host" becomes "http://***@host", whatever the scheme, also
// one that is mistyped or left out.
void text_hide_logins(char *text);
// The same with a star for each byte: all stays in its place.
void text_star_logins(char *text);

// "1,234,567"; "1 file", "2 files"; "1.2 MB"; "3.4 s". In a ring of static buffers of the
// thread: good for one printf.
const char *text_count(int64_t n);
const char *text_counted(int64_t n, const char *one, const char *many);
const char *text_bytes(int64_t n);
const char *text_seconds(int64_t ms);

#endif
