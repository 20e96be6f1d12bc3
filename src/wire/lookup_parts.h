// SPDX-License-Identifier: Apache-2.0
// What the files of a lookup (lookup.h) share.
#ifndef WIRE_LOOKUP_PARTS_H
#define WIRE_LOOKUP_PARTS_H

#include "wire/lookup.h"

enum {
    WIRE_ANY = -1,             // broker
    WIRE_LOOKUP_PAUSE_MS = 50, // before the same is asked again
};

const char *wire_lookup_topic(const struct wire_lookup *lookup);
// When a call that begins now has to end.
int64_t wire_lookup_end(const struct wire_lookup *lookup);
// The end has come, or the owner wants no more.
bool wire_lookup_is_over(const struct wire_lookup *lookup, int64_t end_ms);
// The same request may be answered otherwise in a moment.
bool wire_lookup_passes(int16_t code);
// Asks for Metadata. *ret_code: the topic's.
enum status wire_lookup_look(struct wire_lookup *lookup, int64_t end_ms,
                             struct wire_shape *ret, int16_t *ret_code, struct err *err);
enum status wire_lookup_shape_by(struct wire_lookup *lookup, int64_t end_ms,
                                 struct wire_shape *ret, struct err *err);

#endif
