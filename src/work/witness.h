// SPDX-License-Identifier: Apache-2.0
// While reading: records that were read before are looked at again before each unit is
// handed over. As long as one of them is there, all that was read before the look is of
// the same topic. One is enough, of whatever partition, so a partition that does not
// answer holds up nothing while another one does.
#ifndef WORK_WITNESS_H
#define WORK_WITNESS_H

#include "work/probe.h"

enum {
    WITNESSES_MAX = 8
};

struct witness {
    struct progress *known; // of all partitions, as the log had it last
    size_t n_known;
    size_t turn;
};

void witness_keep(struct witness *witness, const struct progress *log, size_t n);
// The records to look at, one after another until one is seen; others each time. They
// must have been read before the unit: of our partitions the newest, of all that the log
// knows some in turn. Returns how many; 0: nothing was ever read.
size_t witness_choose(struct witness *witness, const struct progress *positions, size_t n,
                      struct probe ret[WITNESSES_MAX]);
void witness_release(struct witness *witness);

#endif
