// SPDX-License-Identifier: Apache-2.0
// The header line of a CSV file: which field is which column.
//
// Names are trimmed and compared as they are; a name may stand once; fields without a
// name and names that the schema lacks are left out. A NOT NULL column must be there, and
// of the nullable ones at least one when there is no other. What is absent is told with
// the nearest name: "note_fr, stop_id (the nearest is Stop_Id)". Errors are ST_DATA
// without the file's name: the caller puts it in front. The window is over only after
// that of a file without a header line.
#ifndef CSV_HEADER_H
#define CSV_HEADER_H

#include "core/schema.h"
#include "csv/window.h"

struct csv_header {
    size_t n_fields; // of the header line
    size_t *columns; // for each column of the schema its field, or CSV_NO_FIELD
    size_t n_lines;  // physical lines that were read
    char *absent;    // columns without a field, as text; NULL: none
};

#define CSV_NO_FIELD SIZE_MAX

// Reads the header line from a window that csv_window_begin has prepared, passing blank
// lines before it. Release with csv_header_release.
enum status csv_header_read(struct csv_window *window, const struct schema *schema,
                            struct csv_header *ret, struct err *err);
// The header of a file without one: fields are columns by position.
void csv_header_by_position(const struct schema *schema, struct csv_header *ret);
// Whether the fields are the columns in their order, none besides: it says nothing new.
bool csv_header_is_by_position(const struct schema *schema,
                               const struct csv_header *header);
void csv_header_release(struct csv_header *header);

#endif
