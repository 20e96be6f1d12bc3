// SPDX-License-Identifier: Apache-2.0
// Real feeds for tests: $TRAMLINE_DATA, or ../shared/data beside the checkout. A test
// without them is skipped.
#ifndef TESTS_FEEDS_H
#define TESTS_FEEDS_H

#include <limits.h>
#include <unistd.h>

#include "base/buf.h"

// The directory of the feeds, or NULL.
static inline const char *feeds_directory(void)
{
    static char path[PATH_MAX];
    const char *given = getenv("TRAMLINE_DATA");
    snprintf(path, sizeof(path), "%s",
             given ? given : TRAMLINE_SOURCE_DIR "/../shared/data");
    return access(path, R_OK) == 0 ? path : NULL;
}

#define skip_without_feeds()                                                \
    do {                                                                    \
        if (feeds_directory() == NULL) {                                    \
            skip_because("no feeds; TRAMLINE_DATA=<directory> names them"); \
        }                                                                   \
    } while (0)

static inline void feed_path(const char *feed, const char *file, char ret[PATH_MAX])
{
    int n = snprintf(ret, PATH_MAX, "%s/%s/%s", feeds_directory(), feed, file);
    assert_in_range(n, 1, PATH_MAX - 1);
}

static inline void read_feed_file(const char *feed, const char *file, struct buf *ret)
{
    char path[PATH_MAX];
    feed_path(feed, file, path);
    FILE *in = fopen(path, "r");
    if (in == NULL)
        fail_msg("%s cannot be read", path);
    char piece[65536];
    size_t n;
    while ((n = fread(piece, 1, sizeof(piece), in)) > 0)
        buf_append(ret, piece, n);
    fclose(in);
}

#endif
