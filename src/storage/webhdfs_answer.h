// SPDX-License-Identifier: Apache-2.0
// What an answer to a WebHDFS operation (webhdfs_ask.h) comes to: a refusal, JSON, what
// it says of a file.
//
// Texts begin with the whole place. Any thread.
#ifndef STORAGE_WEBHDFS_ANSWER_H
#define STORAGE_WEBHDFS_ANSWER_H

#include "core/json.h"
#include "storage/webhdfs_ask.h"

// Returns rc. `path`: below the root, as in an ask.
enum status webhdfs_fail(const struct webhdfs *webhdfs, struct str path, enum status rc,
                         const char *what, struct err *err);
// An answer of the right form and the wrong content: ST_FAIL.
enum status webhdfs_odd(const struct webhdfs *webhdfs, struct str path, struct err *err);
bool reply_is_refused(const struct reply *reply);
// What its refusal comes to: refusal_status.
enum status webhdfs_refused(const struct webhdfs *webhdfs, struct str path,
                            const struct reply *reply, struct err *err);

// Asks for what is answered by JSON; *ret is the caller's. Errors: those of webhdfs_ask
// and of a refusal; ST_FAIL: it is no JSON.
enum status webhdfs_ask_json(struct webhdfs *webhdfs, const struct ask *ask, json_t **ret,
                             struct err *err);
// A "FileStatus", of which the name is left out; false: it is none.
bool webhdfs_read_info(const json_t *status, struct file_info *ret);
// The answer to GETFILECHECKSUM. ST_FAIL: it is none, or not of our kind.
enum status webhdfs_read_checksum(const struct webhdfs *webhdfs, struct str path,
                                  const json_t *root, struct checksum *ret,
                                  struct err *err);

#endif
