// SPDX-License-Identifier: Apache-2.0
// A record to be published.
#ifndef CORE_PRODUCED_H
#define CORE_PRODUCED_H

#include "base/str.h"

struct produced_header {
    const char *key;
    struct str value; // p == NULL: none
};

// All borrowed; p == NULL: none.
struct produced {
    struct str key, value;
    const struct produced_header *headers; // in this order
    size_t n_headers;
};

#endif
