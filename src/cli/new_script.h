// SPDX-License-Identifier: Apache-2.0
// A script for a feed: its tables as they were found, the join that fits them, and in
// comments what is for a person to decide. tramline check passes on it.
#ifndef CLI_NEW_SCRIPT_H
#define CLI_NEW_SCRIPT_H

#include "gtfs/feed.h"

struct new_script_names {
    const char *root; // where tables and result go
    const char *topic, *brokers;
};

// Errors: those of the feed.
enum status new_script_write(struct feed *feed, const struct new_script_names *names,
                             struct buf *ret, struct err *err);

#endif
