// SPDX-License-Identifier: Apache-2.0
// The primitive types of Kafka's protocol, read from bytes that may lie and written into
// a buffer (Kafka protocol guide, "Protocol Primitive Types"; compact types and tagged
// fields: KIP-482).
//
// Reading: what is wrong is kept with its place, the first time; from there on every read
// gives 0, null or an empty array and moves nowhere. So a message is read from top to
// bottom and checked once, with wire_in_check. Nothing is read beyond the end, and a
// count is taken only when so many elements can follow. Writing: see base/buf.h.
//
// `flexible`: the message's version has compact lengths and tagged fields. Slices are
// borrowed from the bytes. Errors: ST_DATA, "what: ... at byte 17 of 40".
#ifndef WIRE_BYTES_H
#define WIRE_BYTES_H

#include "base/buf.h"

struct wire_in {
    const uint8_t *begin, *p, *end;
    const char *wrong; // NULL: nothing yet
    size_t wrong_at;   // bytes from begin
};

struct wire_in wire_in_of(struct str bytes);
void wire_in_fail(struct wire_in *in, const char *wrong);
// Also when bytes are left behind what was read.
enum status wire_in_check(const struct wire_in *in, const char *what, struct err *err);

static inline size_t wire_in_left(const struct wire_in *in)
{
    return (size_t)(in->end - in->p);
}

int8_t wire_in_i8(struct wire_in *in);
int16_t wire_in_i16(struct wire_in *in);
int32_t wire_in_i32(struct wire_in *in);
int64_t wire_in_i64(struct wire_in *in);
uint32_t wire_in_uvarint(struct wire_in *in); // UNSIGNED_VARINT: at most 5 bytes
// n bytes; p == NULL when they are not there.
struct str wire_in_take(struct wire_in *in, size_t n_bytes);
// STRING and NULLABLE_STRING, or their compact twins; p == NULL: null.
struct str wire_in_string(struct wire_in *in, bool flexible);
// NULLABLE_BYTES or COMPACT_NULLABLE_BYTES; p == NULL: null.
struct str wire_in_bytes(struct wire_in *in, bool flexible);
// The length of an ARRAY or COMPACT_ARRAY whose elements have at least so many bytes;
// null counts as empty.
size_t wire_in_array(struct wire_in *in, bool flexible, size_t element_bytes);

// Tagged fields, of which the reader takes those that it knows and skips the rest:
//     for (size_t n = wire_in_tags(&in, flexible); n > 0; n--)
//         switch (wire_in_tag(&in, &field)) ...
size_t wire_in_tags(struct wire_in *in, bool flexible);
uint32_t wire_in_tag(struct wire_in *in, struct wire_in *ret_field);
void wire_in_skip_tags(struct wire_in *in, bool flexible);

void wire_out_i8(struct buf *out, int8_t value);
void wire_out_i16(struct buf *out, int16_t value);
void wire_out_i32(struct buf *out, int32_t value);
void wire_out_i64(struct buf *out, int64_t value);
void wire_out_uvarint(struct buf *out, uint32_t value);
void wire_out_string(struct buf *out, bool flexible, struct str s); // p == NULL: null
void wire_out_bytes(struct buf *out, bool flexible, struct str s);  // p == NULL: null
void wire_out_array(struct buf *out, bool flexible, size_t n);
void wire_out_no_tags(struct buf *out, bool flexible);

#endif
