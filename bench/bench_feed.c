// SPDX-License-Identifier: Apache-2.0
// bench_feed DIRECTORY TRIPS: writes the made feed of the demo, as large as asked for.
#include <stdio.h>
#include <stdlib.h>

#include "gtfs/make_feed.h"

int main(int argc, char **argv)
{
    struct err err = {0};
    if (argc != 3) {
        fputs("usage: bench_feed DIRECTORY TRIPS\n", stderr);
        return 2;
    }
    unsigned n_trips = (unsigned)strtoul(argv[2], NULL, 10);
    int64_t n;
    if (gtfs_make_feed(argv[1], n_trips, &n, &err) != ST_OK) {
        fprintf(stderr, "bench_feed: %s\n", err.text);
        return 1;
    }
    return 0;
}
