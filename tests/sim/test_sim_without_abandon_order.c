// SPDX-License-Identifier: Apache-2.0
// test: build release
// A publish is given up without first making sure that it cannot happen any more: the
// simulator must find lost data.
#include "sim/sim_mutant.h"

#include "engine/abandon.h"

void abandon_start(struct abandon *abandon)
{
    *abandon = (struct abandon){0};
}

enum status abandon_step(struct abandon *abandon, struct publish *publish,
                         struct err *err)
{
    struct path folder = path_writer(str_of(publish->writer));
    enum status rc =
        publish->storage->ops->remove(publish->storage, path_str(&folder), err);
    if (rc != ST_OK && rc != ST_NOT_FOUND)
        return rc;
    abandon->phase = ABANDON_END;
    return ST_OK;
}

static void test_simulator_finds_it(UNUSED void **state)
{
    sim_finds(sim_data_is_wrong);
}

TEST_MAIN(cmocka_unit_test(test_simulator_finds_it))
