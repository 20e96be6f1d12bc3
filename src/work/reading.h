// SPDX-License-Identifier: Apache-2.0
// A stream that is read into units: its runs go to a builder, partitions whose next
// record waits for its schema are held back, and a pacer says when the next poll is due.
// Who reads decides what to begin and when a unit ends.
//
// Threads: one, the stream's.
#ifndef WORK_READING_H
#define WORK_READING_H

#include "work/held.h"
#include "work/pacer.h"
#include "work/unit_builder.h"

struct reading {
    struct pacer pacer;
    struct unit_builder builder;
    struct held held;
    bool is_waiting; // as counted
};

void reading_init(struct reading *reading, const struct unit_builder_parts *parts);
void reading_release(struct reading *reading);

void reading_set_waiting(struct reading *reading, bool is_waiting);  // for the numbers
void reading_show_waiting(struct reading *reading, const char *why); // on the board

// Polls, for membership only while the stream is held; else for runs, as the pacer says.
enum status reading_poll_held(struct reading *reading, int64_t timeout_ms,
                              struct stream_event *ret, struct err *err);
enum status reading_poll(struct reading *reading, struct stream_event *ret,
                         struct err *err);
// Takes what such a poll gave. Of a run that was cut (builder.is_cut) the rest is to be
// read again; after a gap the stream is to be started where the unit ends.
enum status reading_take_run(struct reading *reading, const struct run *run,
                             struct err *err);
enum status reading_take_gap(struct reading *reading, const struct stream_gap *gap,
                             struct err *err);
void reading_pace(struct reading *reading); // sets the timers UNIT and HELD

#endif
