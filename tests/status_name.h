// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_STATUS_NAME_H
#define TESTS_STATUS_NAME_H

#include "base/status.h"

// "OK", "RETRY", ...
static inline const char *status_name(enum status status)
{
    static const char *const names[] = {
        [ST_OK] = "OK",           [ST_RETRY] = "RETRY",
        [ST_UNKNOWN] = "UNKNOWN", [ST_NOT_FOUND] = "NOT_FOUND",
        [ST_EXISTS] = "EXISTS",   [ST_CONFLICT] = "CONFLICT",
        [ST_DATA] = "DATA",       [ST_USAGE] = "USAGE",
        [ST_LIMIT] = "LIMIT",     [ST_STOP] = "STOP",
        [ST_FAIL] = "FAIL",
    };
    return names[status];
}

#endif
