// SPDX-License-Identifier: Apache-2.0
// One file on its way into the spool: appended to in pieces, its checksum computed
// beside. Zero is a file that is not there yet. One thread.
#ifndef CORE_SPOOL_WRITER_H
#define CORE_SPOOL_WRITER_H

#include "base/buf.h"
#include "core/checksum.h"
#include "core/file_writer.h"
#include "core/spool.h"

struct spool_writer {
    struct file_output output; // first member: a spool_writer is one
    struct spool_file *file;   // NULL: not begun
    struct checksummer *sum;
    struct buf out; // not in the file yet
    int64_t in_file;
    int64_t rows; // counted by the caller
};

// A file that lies in the spool as a whole.
struct spooled {
    struct spool_file *file;
    int64_t rows, bytes;
    struct checksum checksum;
};

// `kind`: of the checksum, the same for all files of a writer.
enum status spool_writer_begin(struct spool_writer *writer, struct spool *spool,
                               enum checksum_kind kind, struct err *err);
// For who appends to `out` himself: counts that, and moves it into the file once it is
// worth a write.
enum status spool_writer_flush(struct spool_writer *writer, struct err *err);
// Hands the file over; another may begin.
enum status spool_writer_finish(struct spool_writer *writer, struct spooled *ret,
                                struct err *err);
void spool_writer_drop(struct spool_writer *writer); // the file is gone
void spool_writer_release(struct spool_writer *writer);

#endif
