// SPDX-License-Identifier: Apache-2.0
// Publishes dead letters to a topic of the stream's brokers: their keys, values and
// headers as they were, with the time of now. At least once: the log is not told, so
// whoever does it again publishes them again.
//
// Threads: one. A signal ends it (job/stop.h); what was sent by then is waited for.
#ifndef JOB_LETTER_TOPIC_H
#define JOB_LETTER_TOPIC_H

#include "job/pipeline.h"
#include "log/dead_book.h"

struct letter_topic;

struct letter_topic_report {
    int64_t sent, acknowledged;
    int64_t unsent; // there was no time left for them
};

// ST_NOT_FOUND: the brokers have no such topic. ST_USAGE: the stream has no brokers.
enum status letter_topic_open(struct pipeline *pipeline, const char *topic,
                              struct letter_topic **ret, struct err *err);
// Sends all that is wanted and waits until the brokers have it. `ret` is set whatever the
// status. A letter that is too large is logged and left out; then ST_DATA at the end.
enum status letter_topic_publish(struct letter_topic *topic, struct storage *storage,
                                 const struct dead_filter *filter,
                                 struct letter_topic_report *ret, struct err *err);
void letter_topic_close(struct letter_topic *topic);

#endif
