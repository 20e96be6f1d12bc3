// SPDX-License-Identifier: Apache-2.0
// Bytes as text that other formats can carry. Both append to a buffer and are bounded by
// its limit (base/buf.h).
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/buf.h"

// RFC 4648, section 4: with padding, without line ends.
void text_base64(struct buf *buf, struct str bytes);
// A JSON string with its quotes (RFC 8259). Each byte that is not UTF-8, and NUL, becomes
// U+FFFD.
void text_json(struct buf *buf, struct str text);

#endif
