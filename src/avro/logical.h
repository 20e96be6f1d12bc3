// SPDX-License-Identifier: Apache-2.0
// Logical types as SQL text, and back (Avro 1.11, "Logical Types").
//
// date 2026-11-22, time 10:00:00.000, timestamp 2026-11-22T10:00:00.000Z, local timestamp
// the same without Z; micros have six digits after the point. Years are 0001 to 9999.
// decimal -12.30 with all digits of its scale; duration P1M2DT3.004S. What has no such
// text has no TEXT value: false. Pure; any thread.
#ifndef AVRO_LOGICAL_H
#define AVRO_LOGICAL_H

#include "avro/schema.h"

enum {
    LOGICAL_TEXT_MAX = 400,  // bytes that any of these functions writes
    DECIMAL_DIGITS_MAX = 300 // of a decimal that has a text
};

// Days, times and timestamps. Returns the length of the text, 0 when there is none.
size_t logical_format_number(enum avro_logical logical, int64_t value,
                             char ret[LOGICAL_TEXT_MAX]);
// Accepts a blank for T, fewer or more digits after the point if the rest is zeros, and
// for timestamps Z or an offset (+05:30).
bool logical_parse_number(enum avro_logical logical, struct str text, int64_t *ret);

// Two's complement, big-endian; no bytes are 0.
size_t logical_format_decimal(struct str bytes, uint32_t scale,
                              char ret[LOGICAL_TEXT_MAX]);
// Appends the shortest bytes, or exactly `size` of them when it is not 0. False: no
// number, more digits after the point than the scale, more in all than the precision.
bool logical_parse_decimal(struct str text, const struct avro_type *type, uint32_t size,
                           struct buf *ret);

size_t logical_format_duration(const uint8_t bytes[AVRO_DURATION_BYTES],
                               char ret[LOGICAL_TEXT_MAX]);
bool logical_parse_duration(struct str text, uint8_t ret[AVRO_DURATION_BYTES]);

// 8-4-4-4-12 hex digits (RFC 9562).
bool logical_is_uuid(struct str text);

#endif
