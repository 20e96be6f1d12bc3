// SPDX-License-Identifier: Apache-2.0
// What the owner of a stream hears of its partitions beside runs. Threads: one owner.
#ifndef WIRE_EVENTS_H
#define WIRE_EVENTS_H

#include "wire/fetcher.h"

// A gap of which the end is known, behind all that was read, or trouble that was not
// told, whose text goes to `trouble`; false: there is none.
bool wire_event(struct wire_fetcher *fetcher, struct stream_event *ret, char *trouble,
                size_t trouble_bytes);

#endif
