// SPDX-License-Identifier: Apache-2.0
// How many processors this process may use: by its affinity and by the quota of its
// control group and those around it (cgroup v2), rounded up; at least 1.
#ifndef BASE_CORES_H
#define BASE_CORES_H

int cores_available(void);

// By the text of a file cpu.max; 0: it sets no limit.
int cores_of_quota(const char *cpu_max);

#endif
