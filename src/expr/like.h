// SPDX-License-Identifier: Apache-2.0
// LIKE: % is any text, _ any character of UTF-8, case counts.
#ifndef EXPR_LIKE_H
#define EXPR_LIKE_H

#include "base/str.h"

enum {
    LIKE_STEPS_MAX = 10000000 // comparisons: both a record's, they could be its square
};
#define LIKE_TOO_LONG "LIKE: more than 10000000 comparisons"

// `escape` is one character, or empty. A pattern that ends with it matches nothing.
// False: it would take more than LIKE_STEPS_MAX.
bool like(struct str text, struct str pattern, struct str escape, bool *ret);

#endif
