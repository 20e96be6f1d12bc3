// SPDX-License-Identifier: Apache-2.0
// CSV files: a line of names, when wanted, then rows. A note has no place there.
#ifndef CSV_FILE_WRITER_H
#define CSV_FILE_WRITER_H

#include "core/file_writer.h"

// `schema` is borrowed for the writer's life. `header`: files begin with the names.
struct file_writer *csv_file_writer_open(const struct schema *schema, bool header);

#endif
