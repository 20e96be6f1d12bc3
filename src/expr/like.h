// SPDX-License-Identifier: Apache-2.0
// LIKE: % is any text, _ any character of UTF-8, case counts.
#ifndef EXPR_LIKE_H
#define EXPR_LIKE_H

#include "base/str.h"

// `escape` is one character, or empty. A pattern that ends with it matches nothing.
bool like(struct str text, struct str pattern, struct str escape);

#endif
