// SPDX-License-Identifier: Apache-2.0
// A record read as far as it can be, for a person: its columns one by one, where a
// decoder makes a row of all of them or none.
#ifndef CORE_PARTIAL_H
#define CORE_PARTIAL_H

#include "core/schema.h"

struct partial_column {
    bool is_read;
    struct value value; // borrows the record, or is in the arena
    struct str bytes;   // not read: what stands there; p == NULL: that is not known
};

struct partial_record {
    struct partial_column *columns; // as many as the decoder's schema has; in the arena
    struct str error;               // why it is no row, in the arena; empty: it is one
    struct str rest; // of the record, from where nothing was read on; p == NULL: nothing
};

#endif
