// SPDX-License-Identifier: Apache-2.0
// /status.json: docs/operations.md has its schema. A field may be added under the same
// version; one that changes or goes takes a new one.
#ifndef STATUS_JSON_H
#define STATUS_JSON_H

#include "status/verdict.h"

enum {
    STATUS_JSON_VERSION = 1,
    STATUS_JSON_KEYS = 10 // most frequent keys of a table
};

void status_json(const struct look *look, int64_t started_ms, struct buf *ret);

#endif
