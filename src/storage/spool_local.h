// SPDX-License-Identifier: Apache-2.0
// A spool in a local directory. Its files have no names, so that the system frees them
// when the process ends, however it ends; nothing needs to be cleaned up.
//
// Threads: one for the spool; a file may be handed to another thread.
// Errors: ST_FAIL with the directory's name and the reason, such as a full disk.
#ifndef STORAGE_SPOOL_LOCAL_H
#define STORAGE_SPOOL_LOCAL_H

#include "core/spool.h"

// The directory must be there and writable; this is tried at once.
enum status spool_local_open(const char *directory, struct spool **ret, struct err *err);
// In $TMPDIR, /tmp without one.
enum status spool_local_open_temporary(struct spool **ret, struct err *err);

#endif
