// SPDX-License-Identifier: Apache-2.0
// JSON from outside. A value takes some 250 bytes of memory however short its text is,
// and the parser recurses: both are bounded before it begins.
#ifndef CORE_JSON_H
#define CORE_JSON_H

#include <jansson.h>

#include "base/status.h"
#include "base/str.h"

enum {
    JSON_DEPTH_MAX = 500,      // arrays and objects within each other
    JSON_VALUES_MAX = 1000000, // of an answer or a file that has no limit of its own
};

// ST_LIMIT with the place: more than `values_max` members of arrays and objects, or too
// deep. Looks at nothing else of what JSON wants.
enum status json_check(struct str text, size_t values_max, struct err *err);

static inline struct str json_as_str(const json_t *json)
{
    return (struct str){json_string_value(json), json_string_length(json)};
}

#endif
