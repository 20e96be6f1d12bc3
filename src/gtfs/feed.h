// SPDX-License-Identifier: Apache-2.0
// A GTFS feed: a zip file, a directory, or an http(s) URL of a zip.
//
// feed_open lists the members; feed_member_open streams the bytes of one as they are. A
// zip may hold its tables in a sub folder: of equal names the least deep one counts. What
// a URL gives is downloaded to one temporary file ($TMPDIR) that has no name any more
// once it is open, so that it goes away with the process. Limits below bound all.
// Threads: one at a time for a feed and its members; several members may be open.
// Errors: ST_NOT_FOUND (no such file, member, HTTP 404), ST_RETRY (the network, no time),
// ST_LIMIT, ST_DATA (not a feed). URLs stand in messages without user, password and
// query.
#ifndef GTFS_FEED_H
#define GTFS_FEED_H

#include "core/storage.h"

// Called now and then with the bytes done and expected (-1: not known).
struct feed_progress {
    void (*bytes)(struct feed_progress *progress, const char *what, int64_t done,
                  int64_t total);
};

// Zero is a valid value: all defaults.
struct feed_options {
    int64_t download_bytes; // most that a URL may give; 0: 4 GiB
    int64_t download_ms;    // longest download; 0: 30 minutes
    int64_t member_bytes;   // most that one member may unpack to; 0: 16 GiB
    int64_t member_ratio;   // most times its packed bytes that it may unpack to; 0: 200
    const struct deadline *deadline; // of all that is read; the owner's, NULL: none
    struct feed_progress *progress;  // NULL: tells nobody
};

struct feed;

enum status feed_open(const char *location, const struct feed_options *options,
                      struct feed **ret, struct err *err);
void feed_close(struct feed *feed);

// For messages and _feed.json: absolute path, or URL without its secrets.
const char *feed_source(const struct feed *feed);
// Names of its tables as "trips.txt", sorted.
size_t feed_count(const struct feed *feed);
const char *feed_name(const struct feed *feed, size_t index);
bool feed_has(const struct feed *feed, const char *name);

// Bytes of one member in order; `reader` first, so that it is one.
struct feed_member {
    struct reader reader;
    int64_t size;                              // bytes unpacked, as the feed says
    void (*close)(struct feed_member *member); // for feed_member_close
};

// ST_NOT_FOUND: the feed has no such member (the text lists what it has).
enum status feed_member_open(struct feed *feed, const char *name,
                             struct feed_member **ret, struct err *err);
void feed_member_close(struct feed_member *member);

#endif
