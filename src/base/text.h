// SPDX-License-Identifier: Apache-2.0
// Bytes as text that other formats can carry. Both append to a buffer and are bounded by
// its limit (base/buf.h).
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/buf.h"

// RFC 4648, section 4: with padding, without line ends.
void text_base64(struct buf *buf, struct str bytes);
// A name from outside as UTF-8. Good text stays as it is; each byte that is not UTF-8, or
// NUL, becomes U+FFFD and its two hex digits, and so do the three bytes of U+FFFD itself:
// different names stay different (docs/commit-log.md).
void text_utf8(struct buf *buf, struct str name);
// A JSON string with its quotes (RFC 8259). Each byte that is not UTF-8, and NUL, becomes
// U+FFFD.
void text_json(struct buf *buf, struct str text);

#endif
