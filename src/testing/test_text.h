// SPDX-License-Identifier: Apache-2.0
// The text of a test, cut into blocks, rows and cells. docs/testing-pipelines.md.
//
// Cells stand between commas; blanks around them are for people. A cell in quotes may
// hold all of it, line breaks too. Errors as in test_case.h.
#ifndef TESTING_TEST_TEXT_H
#define TESTING_TEST_TEXT_H

#include "testing/test_case.h"

// Settings and blocks, with comments and headings.
enum status test_text_parse(struct test_case *test, const char *file, struct str text,
                            struct err *err);
// Settings alone.
enum status test_text_settings(struct test_case *test, const char *file, struct str text,
                               struct err *err);
// Column names and rows, or records as they are, of a file of its own: no comments.
enum status test_text_rows(struct test_case *test, struct test_block *block,
                           struct str text, struct err *err);

// A new block at the end.
enum status test_add_block(struct test_case *test, const struct test_block *block,
                           struct err *err);

#endif
