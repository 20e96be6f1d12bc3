// SPDX-License-Identifier: Apache-2.0
// As test_sim.c with workers that prepare their first claim: read the log, make the
// claim's entries and bring them into tmp before anybody gives them partitions. Every
// second seed they do so for all partitions also where several workers share them, so
// that many of these claims are wrong.
// test: takes 30
// test: build release
// test: quick
// wrap: prepared_claim_is_likely publish_takes_prepared
#include "sim/sim_schedules.h"

#include "commit/publish.h"

static bool is_bold;           // of the schedule that runs
static int n_taken, n_refused; // entries that lay ready

bool __real_prepared_claim_is_likely(const struct log_state *log);
bool __wrap_prepared_claim_is_likely(const struct log_state *log);

bool __wrap_prepared_claim_is_likely(const struct log_state *log)
{
    return is_bold || __real_prepared_claim_is_likely(log);
}

bool __real_publish_takes_prepared(struct publish *publish,
                                   const struct entry_maker *maker);
bool __wrap_publish_takes_prepared(struct publish *publish,
                                   const struct entry_maker *maker);

bool __wrap_publish_takes_prepared(struct publish *publish,
                                   const struct entry_maker *maker)
{
    bool is_ready = publish->prepared != NULL && publish->prepared->is_written;
    bool is_taken = __real_publish_takes_prepared(publish, maker);
    n_taken += is_taken;
    n_refused += is_ready && !is_taken;
    return is_taken;
}

bool sim_prepares(uint64_t seed)
{
    is_bold = seed % 2 == 1;
    return true;
}

static void test_every_record_is_there_once(UNUSED void **state)
{
    uint64_t n = sim_run_schedules(1500, 20000);
    print_message("%d prepared entries were taken, %d were not\n", n_taken, n_refused);
    assert_in_range(n_taken, n / 2, INT32_MAX); // else this tries nothing
    assert_in_range(n_refused, n / 2, INT32_MAX);
}

TEST_MAIN(cmocka_unit_test(test_every_record_is_there_once))
