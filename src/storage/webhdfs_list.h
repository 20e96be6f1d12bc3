// SPDX-License-Identifier: Apache-2.0
// A directory of HDFS, listed batch by batch (LISTSTATUS_BATCH), with limits for what a
// server may say.
#ifndef STORAGE_WEBHDFS_LIST_H
#define STORAGE_WEBHDFS_LIST_H

#include "storage/webhdfs_ask.h"

// By name, in the arena. Errors: those of webhdfs_ask and of a refusal; ST_FAIL: it is no
// directory, too large, or no list; ST_RETRY: it came too slowly.
enum status webhdfs_list_all(struct webhdfs *webhdfs, struct str path,
                             struct arena *arena, struct file_list *ret, struct err *err);

#endif
