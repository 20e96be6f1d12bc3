// SPDX-License-Identifier: Apache-2.0
// What the files of a fetcher (fetcher.h) share: fetcher.c has what is asked, and when;
// fetcher_answers.c what the answers mean.
#ifndef WIRE_FETCHER_PARTS_H
#define WIRE_FETCHER_PARTS_H

#include "wire/fetcher.h"

// A partition that a Fetch under way asks for.
struct wire_asked {
    size_t partition; // index
    uint32_t token;
    int32_t epoch; // its leader's, as it says; -1: unknown
    bool is_answered;
};

// The topic as a request of that kind names it: by its id or its name.
struct str wire_fetcher_topic(const struct wire_fetcher *fetcher, enum wire_api api);
// A broker answered for the partition with that code: it is asked for again after a
// pause, which grows, and the leaders are looked up anew. The owner is told only once
// errors in a row have begun to look like more than a move.
void wire_fetcher_refuse(struct wire_fetcher *fetcher, struct wire_partition *partition,
                         int16_t code, int64_t now_ms);
void wire_answered_free(struct wire_answered *answered);

#endif
