// SPDX-License-Identifier: Apache-2.0
// While reading: records that were read before are looked at again before each unit is
// published. As long as one of them is there, all that was read before the look is of
// the same topic. One is enough, of whatever partition, so a partition that does not
// answer holds up nothing while another one does.
#ifndef WORK_WITNESS_H
#define WORK_WITNESS_H

#include "log/log_entry.h"
#include "work/probe.h"

enum {
    WITNESSES_MAX = 8
};

// The records to look at, one after another until one is seen; others each time, by
// `turn`. `log` is where the log stands before the unit: of the unit's partitions the
// newest, of all some in turn. Returns how many; 0: nothing was ever read.
size_t witness_choose(size_t *turn, const struct unit *unit, const struct progress *log,
                      size_t n, struct probe ret[WITNESSES_MAX]);

#endif
