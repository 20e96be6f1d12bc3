// SPDX-License-Identifier: Apache-2.0
// What a result holds at the end of a schedule, against the records of its topic.
#ifndef TESTS_SIM_ROWS_H
#define TESTS_SIM_ROWS_H

#include <stdbool.h>

#include "base/buf.h"
#include "core/storage.h"
#include "sim/sim_topic.h"

// Complains of each row that is missing or there twice. `of_letters`: those of dead
// letters are wanted too, since replays have made them.
void sim_rows_check(struct storage *view, const struct sim_topic *topic, bool of_letters,
                    struct buf *failure);

#endif
