// SPDX-License-Identifier: Apache-2.0
// Rows kept as values: an encoder for the dimensions that steps look rows up in.
//
// A dimension keeps encoded bytes and shares them. What expressions are over must be read
// back: each value is its kind, then a number's 8 bytes or a text's length and bytes.
// Such rows stand in no file.
#ifndef TABLE_VALUE_ENCODER_H
#define TABLE_VALUE_ENCODER_H

#include "core/codec.h"

// `schema` is borrowed for the encoder's life.
void value_encoder_init(struct encoder *encoder, const struct schema *schema);

// Reads n values of a row: ret[places[i]]. Text borrows `bytes`.
void value_decode(const char *bytes, const size_t *places, size_t n, struct value *ret);

#endif
