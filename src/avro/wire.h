// SPDX-License-Identifier: Apache-2.0
// Avro's binary numbers: zig-zag varints and little-endian floats (Avro 1.11, "Binary
// Encoding"). Reading never passes the end.
#ifndef AVRO_WIRE_H
#define AVRO_WIRE_H

#include "base/buf.h"

enum {
    WIRE_LONG_MAX = 10 // bytes of the longest varint
};

struct wire {
    const uint8_t *p;
    const uint8_t *end;
};

static inline size_t wire_left(const struct wire *wire)
{
    return (size_t)(wire->end - wire->p);
}

static inline struct wire wire_of(struct str s)
{
    const uint8_t *p = (const uint8_t *)(s.p ? s.p : ""); // no sum with NULL
    return (struct wire){p, p + s.n};
}

// Numbers of more than one byte. False: cut, or longer than 64 bits; wire->p stays.
static inline bool wire_long_slow(struct wire *wire, int64_t *ret)
{
    uint64_t bits = 0;
    const uint8_t *p = wire->p;
    for (unsigned shift = 0; shift < 70; shift += 7) {
        if (p == wire->end)
            return false;
        uint64_t byte = *p++;
        if (shift == 63 && byte > 1)
            return false;
        bits |= (byte & 0x7F) << shift;
        if (byte < 0x80) {
            wire->p = p;
            *ret = (int64_t)(bits >> 1) ^ -(int64_t)(bits & 1);
            return true;
        }
    }
    return false;
}

static inline bool wire_long(struct wire *wire, int64_t *ret)
{
    if (LIKELY(wire->p != wire->end && *wire->p < 0x80)) {
        uint8_t bits = *wire->p++;
        *ret = (bits >> 1) ^ -(bits & 1);
        return true;
    }
    return wire_long_slow(wire, ret);
}

// At most WIRE_LONG_MAX bytes; returns how many.
static inline size_t wire_format_long(int64_t value, char *ret)
{
    uint64_t bits = ((uint64_t)value << 1) ^ (uint64_t)(value >> 63);
    size_t n = 0;
    while (bits >= 0x80) {
        ret[n++] = (char)(bits | 0x80);
        bits >>= 7;
    }
    ret[n++] = (char)bits;
    return n;
}

static inline void wire_put_long(struct buf *buf, int64_t value)
{
    char *room = buf_room(buf, WIRE_LONG_MAX);
    if (LIKELY(room != NULL))
        buf->n += wire_format_long(value, room);
}

static inline void wire_put_bytes(struct buf *buf, struct str s)
{
    wire_put_long(buf, (int64_t)s.n);
    buf_str(buf, s);
}

static inline double wire_double_of(const uint8_t *p)
{
    uint64_t bits = 0;
    for (unsigned i = 0; i < 8; i++)
        bits |= (uint64_t)p[i] << (8 * i);
    double value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

static inline float wire_float_of(const uint8_t *p)
{
    uint32_t bits = 0;
    for (unsigned i = 0; i < 4; i++)
        bits |= (uint32_t)p[i] << (8 * i);
    float value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

static inline void wire_put_double(struct buf *buf, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    for (unsigned i = 0; i < 8; i++)
        buf_char(buf, (char)(bits >> (8 * i)));
}

static inline void wire_put_float(struct buf *buf, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof(bits));
    for (unsigned i = 0; i < 4; i++)
        buf_char(buf, (char)(bits >> (8 * i)));
}

#endif
