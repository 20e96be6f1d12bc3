// SPDX-License-Identifier: Apache-2.0
// A spool in memory, for tests and the simulator. One thread.
#ifndef MEMORY_SPOOL_MEM_H
#define MEMORY_SPOOL_MEM_H

#include "core/spool.h"

struct spool *spool_mem_open(void);

#endif
