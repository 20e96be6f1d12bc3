// SPDX-License-Identifier: Apache-2.0
// The bytes of a file in memory, for writers under test. One thread.
#ifndef MEMORY_OUTPUT_MEM_H
#define MEMORY_OUTPUT_MEM_H

#include "core/file_writer.h"

struct memory_output {
    struct file_output output; // first member
    struct buf file;           // its limit is the disk's: ST_LIMIT past it
};

// The file is empty again.
void memory_output_begin(struct memory_output *to);
void memory_output_release(struct memory_output *to);

#endif
