// SPDX-License-Identifier: Apache-2.0
// What the program knows of a kind of storage: how its URLs look, and how it is opened.
// One constant each, which stands with the storage; schemes.c lists them.
#ifndef STORAGE_SCHEME_H
#define STORAGE_SCHEME_H

#include "storage/storage_url.h"

struct storage_scheme {
    const char *prefix; // of its URLs: "hdfs://"
    const char *form;   // one of them, for messages: "hdfs://namenode:9870/directory"
    bool is_local;      // its paths are of this machine
    // `rest` is what stands after the prefix. Sets all of `ret` but the scheme.
    enum status (*parse)(struct str text, struct str rest, struct arena *arena,
                         struct storage_url *ret, struct err *err);
    // Touches nothing.
    enum status (*open)(const struct storage_url *url,
                        const struct storage_config *config, struct storage **ret,
                        struct err *err);
};

// Up to a NULL. The first is that of paths without a scheme.
extern const struct storage_scheme *const storage_schemes[];

// For parse(): "'<text>': <what>; write <all forms>", ST_USAGE.
enum status storage_url_wrong(struct str text, struct str what, struct err *err);
// parse() of the storages that there are.
enum status storage_url_local(struct str text, struct str rest, struct arena *arena,
                              struct storage_url *ret, struct err *err);
enum status storage_url_hdfs(struct str text, struct str rest, struct arena *arena,
                             struct storage_url *ret, struct err *err);
enum status storage_url_hdfss(struct str text, struct str rest, struct arena *arena,
                              struct storage_url *ret, struct err *err);
// Appends the parts of `path` to the absolute path in `ret`, one '/' before each, without
// "." and "..".
void storage_url_append(struct buf *ret, struct str path);

#endif
