// SPDX-License-Identifier: Apache-2.0
#include "base/cores.h"

#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define GROUPS "/sys/fs/cgroup"

enum {
    PATH_MOST = 4096
};

static bool read_line(const char *path, char *ret, int size)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    bool is_read = fgets(ret, size, file) != NULL;
    fclose(file);
    return is_read;
}

int cores_of_quota(const char *cpu_max)
{
    long long quota, period;
    if (sscanf(cpu_max, "%lld %lld", &quota, &period) != 2 || quota <= 0 || period <= 0)
        return 0; // "max 100000"
    long long cores = (quota - 1) / period + 1;
    return cores < INT_MAX ? (int)cores : INT_MAX;
}

static int by_affinity(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
}

static int least(int cores, const char *group)
{
    char path[PATH_MOST + 64], text[128];
    snprintf(path, sizeof(path), GROUPS "%s/cpu.max", group);
    int quota = read_line(path, text, sizeof(text)) ? cores_of_quota(text) : 0;
    return quota > 0 && quota < cores ? quota : cores;
}

// Of the group and each one around it.
static int by_groups(int cores)
{
    char line[PATH_MOST];
    if (!read_line("/proc/self/cgroup", line, sizeof(line)) ||
        strncmp(line, "0::/", 4) != 0)
        return cores;
    char *group = line + 3;
    group[strcspn(group, "\n")] = '\0';
    for (char *end; (end = strrchr(group, '/')) != NULL; *end = '\0')
        cores = least(cores, group);
    return least(cores, "");
}

int cores_available(void)
{
    int cores = by_groups(by_affinity());
    return cores > 0 ? cores : 1;
}
