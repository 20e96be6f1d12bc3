// SPDX-License-Identifier: Apache-2.0
// The plan of a script for a test: it needs no place, so variables of options that have
// no value get one that names them. A query that uses such a variable is ST_USAGE.
#ifndef TESTING_TEST_PLAN_H
#define TESTING_TEST_PLAN_H

#include "testing/test_case.h"

struct test_script {
    const char *path; // for messages, and where files of schemas are looked for
    struct str text;
    const struct variable *variables; // of the command line; a test's own come first
    size_t n_variables;
    size_t width; // of what is said of its errors
};

// `test` may be NULL: no variables of its own. On failure `report` may have what is
// wrong with the script, ready to print. plan_free when done.
enum status test_plan_open(const struct test_script *script, const struct test_case *test,
                           struct plan **ret, struct buf *report, struct err *err);

#endif
