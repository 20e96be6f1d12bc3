// SPDX-License-Identifier: Apache-2.0
// A test made of what is there: records of the live stream, the rows of the staged tables
// that they reach, and what the query makes of them now.
//
// Which rows those are is found by columns of one name, and shown by running the test:
// its rows are those that the whole tables give. Where that does not come out the whole
// tables are taken, if they are small. Nothing is committed. One thread.
#ifndef TESTING_TEST_RECORD_H
#define TESTING_TEST_RECORD_H

#include "job/look.h"
#include "testing/test_case.h"

// Makes the folder, which must not be there. `ret` says what is in it, in words or as
// JSON.
enum status test_record(struct pipeline *pipeline, const struct look_from *from,
                        int64_t limit, const char *folder, bool as_json, struct buf *ret,
                        struct err *err);

#endif
