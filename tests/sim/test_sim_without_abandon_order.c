// SPDX-License-Identifier: Apache-2.0
// test: build release
// wrap: publish_abandon
// A publish is given up without first making sure that it cannot happen any more: the
// simulator must find lost data.
#include "sim/sim_mutant.h"

#include "commit/publish.h"

enum status __wrap_publish_abandon(struct publish *publish, bool *ret, struct err *err);

enum status __wrap_publish_abandon(struct publish *publish, bool *ret, struct err *err)
{
    struct storage *storage = &publish->patience->storage;
    struct path folder = path_writer(str_of(publish->writer));
    enum status rc = storage->ops->remove(storage, path_str(&folder), err);
    *ret = false;
    return rc == ST_NOT_FOUND ? ST_OK : rc;
}

static void test_simulator_finds_it(UNUSED void **state)
{
    // Found often; one of few events is not far from here.
    sim_finds_from(7130, sim_data_is_wrong_unswept);
}

TEST_MAIN(cmocka_unit_test(test_simulator_finds_it))
