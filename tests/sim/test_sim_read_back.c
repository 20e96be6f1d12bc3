// SPDX-License-Identifier: Apache-2.0
// test: build release
// As test_sim.c with SET upload.verify = 'read', on a storage whose word for size and
// checksum is always what was sent: files that changed on their way must be found by
// their bytes.
#include "sim/sim_schedules.h"

enum upload_verify sim_upload_verify(void)
{
    return UPLOAD_VERIFY_READ;
}

#define checksum_eq(a, b) (strcmp(#a, "&told") == 0 || checksum_eq(a, b))
#include "work/upload.c"

static void test_files_that_a_storage_lies_about_are_found(UNUSED void **state)
{
    sim_run_schedules(300, 20000);
}

TEST_MAIN(cmocka_unit_test(test_files_that_a_storage_lies_about_are_found))
