// SPDX-License-Identifier: Apache-2.0
// JSON (RFC 8259) into a buffer, value by value. `name` is that of a member, plain text;
// in an array and at the top it is NULL. Commas come by themselves: nothing is kept but
// the buffer, whose last byte tells whether a value stands before.
#ifndef BASE_JSON_PUT_H
#define BASE_JSON_PUT_H

#include "base/buf.h"

void json_put_open(struct buf *out, const char *name, char bracket); // '{' or '['
void json_put_close(struct buf *out, char bracket);                  // '}' or ']'
void json_put_text(struct buf *out, const char *name, struct str text);
// null where the pointer is NULL.
void json_put_text_or_null(struct buf *out, const char *name, struct str text);
void json_put_base64(struct buf *out, const char *name, struct str bytes); // the same
void json_put_number(struct buf *out, const char *name, int64_t number);
// null where it is negative: unknown.
void json_put_known(struct buf *out, const char *name, int64_t number);
void json_put_real(struct buf *out, const char *name, double real, int places);
// Milliseconds as seconds with three places; null where they are negative.
void json_put_seconds(struct buf *out, const char *name, int64_t ms);
void json_put_bool(struct buf *out, const char *name, bool is);
void json_put_null(struct buf *out, const char *name);
// What is JSON already.
void json_put_raw(struct buf *out, const char *name, struct str json);
// A name that is not plain; its value follows, without one.
void json_put_name(struct buf *out, struct str name);

#endif
