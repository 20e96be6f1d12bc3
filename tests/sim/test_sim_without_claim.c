// SPDX-License-Identifier: Apache-2.0
// test: build release
// A worker reads on from where the log stands, and cleans up after others, without a
// claim in the log: the simulator must find lost data.
#include "sim/sim_mutant.h"

#include "engine/claim.h"

void claim_start(struct claim *claim, struct publish *publish,
                 const struct message *message)
{
    claim->message = message;
    claim->n_spans = message->n_origins;
    claim->spans = mem_resize(claim->spans, claim->n_spans + 1, sizeof(struct span));
    for (size_t i = 0; i < claim->n_spans; i++)
        claim->spans[i] = (struct span){.partition = message->origins[i].partition,
                                        .last = {.offset = -1}};
    publish->kind = ENTRY_JOB; // an empty log needs one all the same
    publish->spans = claim->spans;
    publish->n_spans = claim->n_spans;
    publish->unit = NULL;
    publish_start(publish);
}

bool claim_goes_on(struct claim *claim, struct publish *publish)
{
    for (size_t i = 0; i < claim->message->n_starts; i++) {
        struct log_partition *partition =
            log_state_find(publish->state, claim->message->starts[i].partition);
        snprintf(partition->writer, UUID_TEXT, "%s", publish->writer);
    }
    return false;
}

enum status claim_step(struct claim *claim, struct publish *publish, struct err *err)
{
    if (publish->state->next == 0)
        TRY(publish_step(publish, err));
    if (publish->state->next > 0) {
        claim_goes_on(claim, publish);
        publish->outcome = PUBLISH_DONE;
    }
    return ST_OK;
}

void claim_release(struct claim *claim)
{
    free(claim->spans);
}

static void test_simulator_finds_it(UNUSED void **state)
{
    sim_finds(sim_data_is_wrong);
}

TEST_MAIN(cmocka_unit_test(test_simulator_finds_it))
