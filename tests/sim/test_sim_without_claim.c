// SPDX-License-Identifier: Apache-2.0
// test: build release
// wrap: publish_entry
// A worker reads on from where the log stands, and cleans up after others, without a
// claim in the log: the simulator must find lost data.
#include "sim/sim_mutant.h"

#include "commit/publish.h"

enum status __real_publish_entry(struct publish *publish, const struct publish_work *work,
                                 enum publish_outcome *ret, struct err *err);
enum status __wrap_publish_entry(struct publish *publish, const struct publish_work *work,
                                 enum publish_outcome *ret, struct err *err);

enum status __wrap_publish_entry(struct publish *publish, const struct publish_work *work,
                                 enum publish_outcome *ret, struct err *err)
{
    if (work->kind != ENTRY_CLAIM)
        return __real_publish_entry(publish, work, ret, err);
    for (size_t i = 0; i < work->n_spans; i++) {
        struct log_partition *partition =
            log_state_find(publish->state, work->spans[i].partition);
        if (partition != NULL)
            snprintf(partition->writer, UUID_TEXT, "%s", publish->writer);
    }
    *ret = PUBLISH_DONE;
    return ST_OK;
}

static void test_simulator_finds_it(UNUSED void **state)
{
    sim_finds_from(250, sim_data_is_wrong); // one is not far from here
}

TEST_MAIN(cmocka_unit_test(test_simulator_finds_it))
