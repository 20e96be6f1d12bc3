// SPDX-License-Identifier: Apache-2.0
// A file of its own: see tests/sim/test_sim_without_ids.c.
#include "log/log_state.h"

enum status log_state_check_topic(const struct log_state *state, struct str topic,
                                  struct str id, struct err *err)
{
    if (id.n == 0 || state->topic_id[0] == '\0' || str_is(id, state->topic_id))
        return ST_OK;
    return err_set(
        err, ST_DATA,
        "topic '%.*s' was recreated: what was read has the id %.*s, the log is "
        "of one with the id %s; give the result another path, or start over "
        "with tramline init --reset",
        STR_ARGS(topic), STR_ARGS(id), state->topic_id);
}
