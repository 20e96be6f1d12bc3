// SPDX-License-Identifier: Apache-2.0
// test: build release
// As test_sim.c with SET upload.verify = 'read', on a storage whose word for size and
// checksum is always what was sent: files that changed on their way must be found by
// their bytes.
#include "sim/sim_mutant.h"

enum upload_verify sim_upload_verify(void)
{
    return UPLOAD_VERIFY_READ;
}

#define checksum_eq(a, b) (strcmp(#a, "&told") == 0 || checksum_eq(a, b))
#include "work/upload.c"

static void test_files_that_a_storage_lies_about_are_found(UNUSED void **state)
{
    const char *many = getenv("SIM_SEEDS");
    uint64_t usual = getenv("TEST_LONG") ? 20000 : 300;
    static struct sim_world world;
    log_set_level(LOG_ERROR);
    uint64_t to = many ? strtoull(many, NULL, 10) : usual;
    for (uint64_t seed = 1; seed <= to; seed++) {
        if (!sim_world_run(&world, seed, false))
            fail_msg("seed %d: %s", (int)seed, buf_cstr(&world.failure));
        sim_world_release(&world);
    }
}

TEST_MAIN(cmocka_unit_test(test_files_that_a_storage_lies_about_are_found))
