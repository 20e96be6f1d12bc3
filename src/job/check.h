// SPDX-License-Identifier: Apache-2.0
// What `check --live` has looked at, line by line: all that `run` would refuse at its
// start, in run's own words, and nothing is changed.
#ifndef JOB_CHECK_H
#define JOB_CHECK_H

#include "core/topic.h"
#include "job/pipeline.h"

struct checked {
    // Told of each thing that was looked at.
    void (*tell)(struct checked *checked, const char *what, const char *name,
                 enum status status, const char *text);
    size_t n_bad;
};

// Tells of one; what is not ST_OK is counted.
void check_tell(struct checked *checked, const char *what, const char *name,
                enum status status, const char *text);

// Tables, views, the join, the stream, the result and its log.
void check_live(struct pipeline *pipeline, struct checked *checked);

// For a stream whose format has schemas: whether the subject's latest version, the schema
// that produce would write, and the last record of each partition agree with the script.
// `topic`: NULL when it could not be opened.
void check_schemas(struct pipeline *pipeline, struct topic *topic,
                   struct checked *checked);

#endif
