// SPDX-License-Identifier: Apache-2.0
// Any bytes as a feed's zip: its members, each read to its end, or a text.
#include <assert.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz_parts.h"

#include "gtfs/feed.h"

const struct fuzz_budget fuzz_budget = {
    .steps = 30000,
    .steps_a_byte = 1000,
    .bytes = 16 << 20,
    .bytes_a_byte = 1 << 16,
    .held = 8 << 20,
    .held_a_byte = 1 << 12,
};

enum {
    MEMBER_MAX = 1 << 20 // bytes
};

static void read_member(struct feed *feed, const char *name)
{
    struct feed_member *member;
    struct err err = {0};
    enum status rc = feed_member_open(feed, name, &member, &err);
    if (rc == ST_OK) {
        char piece[4096];
        int64_t n_read = 0;
        size_t n = 1;
        while (rc == ST_OK && n > 0) {
            rc = member->reader.read(&member->reader, piece, sizeof(piece), &n, &err);
            n_read += rc == ST_OK ? (int64_t)n : 0;
            assert(n_read <= MEMBER_MAX);
        }
        assert(rc != ST_OK || n_read == member->size);
        feed_member_close(member);
    }
    assert(rc == ST_OK || err.text[0] != '\0');
}

static void read_feed(const char *path)
{
    struct feed_options options = {.member_bytes = MEMBER_MAX};
    struct feed *feed;
    struct err err = {0};
    if (feed_open(path, &options, &feed, &err) != ST_OK) {
        assert(err.text[0] != '\0');
        return;
    }
    for (size_t i = 0; i < feed_count(feed); i++) {
        assert(feed_has(feed, feed_name(feed, i)));
        read_member(feed, feed_name(feed, i));
    }
    feed_close(feed);
}

void fuzz_input(const uint8_t *data, size_t size)
{
    char path[40];
    int fd = memfd_create("feed", MFD_CLOEXEC);
    assert(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    read_feed(path);
    close(fd);
}
