// SPDX-License-Identifier: Apache-2.0
// What `check --live` has looked at, line by line.
#ifndef CLI_CHECK_H
#define CLI_CHECK_H

#include "cli/pipeline.h"

struct checked {
    size_t n_bad;
};

// Prints a line; what is not ST_OK is counted.
void check_tell(struct checked *checked, const char *what, const char *name,
                enum status status, const char *text);

// For a stream in Avro: whether the subject's latest version, the schema that produce
// would write, and the last record of each partition agree with the script.
void check_schemas(struct pipeline *pipeline, struct checked *checked);

#endif
