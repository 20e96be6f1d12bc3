// SPDX-License-Identifier: Apache-2.0
// Connector 'file': a bounded stream from one local CSV file.
//
// Partition 0 only. A record's offset is the position of its first byte, `next` the
// position after its line end; a line break inside quotes belongs to the record. The
// value is the line without its end; there is no key and no time. Blank lines are passed
// without a record (blank: csv/scanner.h), and so is a byte order mark; the header line
// is an ordinary record, which the decoder ignores. A line that is not CSV (unclosed
// quote, a record above CSV_RECORD_MAX) is a record of one physical line: the decoder
// rejects it and reading goes on.
//
// The end is the file's size when it was opened. After it polls give STREAM_IDLE. A start
// past the end is a STREAM_GAP. Runs have at most 10,000 records and about 1 MB.
#ifndef CSV_FILE_STREAM_H
#define CSV_FILE_STREAM_H

#include "core/stream.h"
#include "core/topic.h"
#include "csv/header.h"

// Over a topic of csv_file_topic_open, which it borrows. `schema`: the file begins with a
// header line, which has the columns of it; NULL: it has none. Errors: ST_FAIL, and
// ST_DATA for what is not text and a header that does not fit.
enum status csv_file_stream_open(struct topic *topic, const struct schema *schema,
                                 struct stream **ret, struct err *err);
// Valid until close; wherever in the file reading begins, it is of the file's front. NULL
// when the stream was opened without a schema, and of any other stream.
const struct csv_header *csv_file_stream_header(const struct stream *stream);
// At most so many records a run (from 1; 10,000 without it), so that files can be closed
// as often as the job wants.
void csv_file_stream_limit(struct stream *stream, size_t run_records);

#endif
