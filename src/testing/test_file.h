// SPDX-License-Identifier: Apache-2.0
// Files of a test. Errors as in test_case.h.
#ifndef TESTING_TEST_FILE_H
#define TESTING_TEST_FILE_H

#include "testing/test_case.h"

// The rows of a block from the file that its heading names, from the directory of the
// block's own file.
enum status test_file_rows(struct test_case *test, struct test_block *block,
                           struct str path, struct err *err);

#endif
