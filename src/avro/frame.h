// SPDX-License-Identifier: Apache-2.0
// The Confluent wire format: a zero byte, the schema's id in four bytes, big-endian, then
// the datum. Pure; any thread.
#ifndef AVRO_FRAME_H
#define AVRO_FRAME_H

#include "base/buf.h"
#include "core/schema_lookup.h"

enum {
    FRAME_BYTES = 5
};

// False when the value is not framed so.
static inline bool frame_parse(struct str value, int32_t *ret_id, struct str *ret_datum)
{
    const uint8_t *p = (const uint8_t *)value.p;
    if (UNLIKELY(value.n < FRAME_BYTES || p[0] != 0 || p[1] & 0x80))
        return false;
    *ret_id = p[1] << 24 | p[2] << 16 | p[3] << 8 | p[4];
    if (UNLIKELY(*ret_id == 0)) // no registry gives it
        return false;
    *ret_datum = (struct str){value.p + FRAME_BYTES, value.n - FRAME_BYTES};
    return true;
}

// Appends what a value that is not framed so looks like.
void frame_describe(struct str value, struct buf *ret);

#define FRAME_HEADER "__value_schema_id"

// The same in the record's header __value_schema_id, from Confluent 8 on; the value is
// the datum alone. A zero byte and the id, or a byte of 1 and a GUID. False: neither.
bool frame_parse_header(struct str header, struct schema_key *ret);
void frame_describe_header(struct str header, struct buf *ret);

void frame_put(int32_t id, struct buf *ret);

#endif
