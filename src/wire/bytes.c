// SPDX-License-Identifier: Apache-2.0
#include "wire/bytes.h"

struct wire_in wire_in_of(struct str bytes)
{
    const uint8_t *p = (const uint8_t *)(bytes.p ? bytes.p : ""); // no sum with NULL
    return (struct wire_in){p, p, p + bytes.n, NULL, 0};
}

void wire_in_fail(struct wire_in *in, const char *wrong)
{
    if (in->wrong != NULL)
        return;
    in->wrong = wrong;
    in->wrong_at = (size_t)(in->p - in->begin);
    in->p = in->end;
}

enum status wire_in_check(const struct wire_in *in, const char *what, struct err *err)
{
    const char *wrong = in->wrong;
    size_t at = in->wrong_at;
    if (wrong == NULL && in->p == in->end)
        return ST_OK;
    if (wrong == NULL) {
        wrong = "bytes are left";
        at = (size_t)(in->p - in->begin);
    }
    return err_set(err, ST_DATA, "%s: %s at byte %zu of %zu", what, wrong, at,
                   (size_t)(in->end - in->begin));
}

struct str wire_in_take(struct wire_in *in, size_t n_bytes)
{
    if (n_bytes > wire_in_left(in)) {
        wire_in_fail(in, "more is announced than there is");
        return (struct str){0};
    }
    struct str bytes = {(const char *)in->p, n_bytes};
    in->p += n_bytes;
    return bytes;
}

static uint64_t big_endian(struct wire_in *in, size_t n_bytes)
{
    const struct str bytes = wire_in_take(in, n_bytes);
    uint64_t value = 0;
    for (size_t i = 0; i < bytes.n; i++)
        value = value << 8 | (uint8_t)bytes.p[i];
    return value;
}

int8_t wire_in_i8(struct wire_in *in)
{
    return (int8_t)big_endian(in, 1);
}

int16_t wire_in_i16(struct wire_in *in)
{
    return (int16_t)big_endian(in, 2);
}

int32_t wire_in_i32(struct wire_in *in)
{
    return (int32_t)big_endian(in, 4);
}

int64_t wire_in_i64(struct wire_in *in)
{
    return (int64_t)big_endian(in, 8);
}

uint32_t wire_in_uvarint(struct wire_in *in)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 35; shift += 7) {
        uint64_t byte = big_endian(in, 1);
        value |= (byte & 0x7F) << shift;
        if (byte < 0x80 && value <= UINT32_MAX)
            return in->wrong == NULL ? (uint32_t)value : 0;
    }
    wire_in_fail(in, "a number is longer than 32 bits");
    return 0;
}

// A length of the flexible versions is one more than it says, 0 is null.
static int64_t length_of(struct wire_in *in, bool flexible, size_t fixed_bytes)
{
    if (flexible)
        return (int64_t)wire_in_uvarint(in) - 1;
    return fixed_bytes == 2 ? wire_in_i16(in) : wire_in_i32(in);
}

static struct str text_of(struct wire_in *in, bool flexible, size_t fixed_bytes)
{
    int64_t n = length_of(in, flexible, fixed_bytes);
    if (n < -1)
        wire_in_fail(in, "a length is negative");
    if (n < 0 || in->wrong != NULL)
        return (struct str){0};
    return wire_in_take(in, (size_t)n);
}

struct str wire_in_string(struct wire_in *in, bool flexible)
{
    return text_of(in, flexible, 2);
}

struct str wire_in_bytes(struct wire_in *in, bool flexible)
{
    return text_of(in, flexible, 4);
}

size_t wire_in_array(struct wire_in *in, bool flexible, size_t element_bytes)
{
    int64_t n = length_of(in, flexible, 4);
    if (n < -1)
        wire_in_fail(in, "a count is negative");
    if (n > 0 && (uint64_t)n > wire_in_left(in) / element_bytes)
        wire_in_fail(in, "more elements are announced than can follow");
    return n > 0 && in->wrong == NULL ? (size_t)n : 0;
}

size_t wire_in_tags(struct wire_in *in, bool flexible)
{
    uint32_t n = flexible ? wire_in_uvarint(in) : 0;
    if (n > wire_in_left(in) / 2) // each has a number and a size
        wire_in_fail(in, "more tagged fields are announced than can follow");
    return in->wrong == NULL ? n : 0;
}

uint32_t wire_in_tag(struct wire_in *in, struct wire_in *ret_field)
{
    uint32_t tag = wire_in_uvarint(in);
    *ret_field = wire_in_of(wire_in_take(in, wire_in_uvarint(in)));
    return tag;
}

void wire_in_skip_tags(struct wire_in *in, bool flexible)
{
    struct wire_in field;
    for (size_t n = wire_in_tags(in, flexible); n > 0; n--)
        wire_in_tag(in, &field);
}

static void out_big_endian(struct buf *out, uint64_t value, size_t n_bytes)
{
    while (n_bytes-- > 0)
        buf_char(out, (char)(value >> (8 * n_bytes)));
}

void wire_out_i8(struct buf *out, int8_t value)
{
    out_big_endian(out, (uint64_t)value, 1);
}

void wire_out_i16(struct buf *out, int16_t value)
{
    out_big_endian(out, (uint64_t)value, 2);
}

void wire_out_i32(struct buf *out, int32_t value)
{
    out_big_endian(out, (uint64_t)value, 4);
}

void wire_out_i64(struct buf *out, int64_t value)
{
    out_big_endian(out, (uint64_t)value, 8);
}

void wire_out_uvarint(struct buf *out, uint32_t value)
{
    for (; value >= 0x80; value >>= 7)
        buf_char(out, (char)(value | 0x80));
    buf_char(out, (char)value);
}

static void out_length(struct buf *out, bool flexible, int64_t n, size_t fixed_bytes)
{
    if (flexible)
        wire_out_uvarint(out, (uint32_t)(n + 1));
    else
        out_big_endian(out, (uint64_t)n, fixed_bytes);
}

void wire_out_string(struct buf *out, bool flexible, struct str s)
{
    out_length(out, flexible, s.p ? (int64_t)s.n : -1, 2);
    buf_str(out, s);
}

void wire_out_bytes(struct buf *out, bool flexible, struct str s)
{
    out_length(out, flexible, s.p ? (int64_t)s.n : -1, 4);
    buf_str(out, s);
}

void wire_out_array(struct buf *out, bool flexible, size_t n)
{
    out_length(out, flexible, (int64_t)n, 4);
}

void wire_out_no_tags(struct buf *out, bool flexible)
{
    if (flexible)
        wire_out_uvarint(out, 0);
}
