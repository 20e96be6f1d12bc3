// SPDX-License-Identifier: Apache-2.0
// What a file at a storage holds, by reading it: a server may tell a size and a checksum
// that are not those of its bytes. SET upload.verify = 'read'.
#ifndef LOG_READ_BACK_H
#define LOG_READ_BACK_H

#include "core/storage.h"

// Reads on a little beyond most_bytes at most. Statuses of a read.
enum status read_back(struct storage *storage, struct str path, int64_t most_bytes,
                      enum checksum_kind kind, int64_t *ret_bytes,
                      struct checksum *ret_sum, struct err *err);

#endif
