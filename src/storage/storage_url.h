// SPDX-License-Identifier: Apache-2.0
// Where tables and results live: reading a storage's URL, and opening it. Each kind of
// storage tells of itself (scheme.h).
//
//   data/trips, /data/trips, file:///data/trips   a local directory
//   hdfs://nn1:9870,nn2:9870/data/trips           HDFS by WebHDFS over HTTP
//   hdfss://nn1:9871/data/trips                   the same over TLS
//
// A path is taken as it stands: '%' and '+' are letters like any other. Several name
// nodes stand for one highly available pair. Any thread.
#ifndef STORAGE_STORAGE_URL_H
#define STORAGE_STORAGE_URL_H

#include "core/storage.h"

struct storage_scheme; // storage/scheme.h

struct storage_url {
    const struct storage_scheme *scheme;
    bool is_local;     // a path of this machine
    bool tls;          // https to the servers
    const char *nodes; // "nn1:9870,nn2:9870", ports filled in; "" where there are none
    const char *path;  // absolute, without ".", ".." or a final '/'
    const char *text;  // the whole again, one spelling for one place
};

// Text in `ret` belongs to the arena. A relative path begins at the current directory.
// ST_USAGE: the text names what is wrong and the forms that work.
enum status storage_url_parse(struct str text, struct arena *arena,
                              struct storage_url *ret, struct err *err);

enum storage_auth {
    STORAGE_AUTH_SIMPLE,   // user name in the request
    STORAGE_AUTH_KERBEROS, // SPNEGO with the ticket at hand (kinit, or a client keytab)
};

// Zero is a good configuration. Borrowed for the call, but for `context` and `deadline`.
struct storage_config {
    const char *user; // HDFS user; NULL or "": $HADOOP_USER_NAME, else the local user
    enum storage_auth auth;
    const char *ca_file; // PEM; NULL or "": the system's certificates
    // Delegation tokens instead of a ticket (hdfs_token.h), for STORAGE_AUTH_KERBEROS.
    // NULL or "": none.
    const char *token_file;
    const char *tokens; // the line itself; goes before the file
    int64_t timeout_ms; // longest wait for one answer; 0: a minute
    int64_t retry_ms;   // how long what was refused is tried again; 0: not at all
    // Told each time before what was refused is tried again: why, and how much longer it
    // will be tried. For a line to the user; not while there is a deadline. May be NULL.
    void (*on_retry)(void *context, const struct err *why, int64_t left_ms);
    void *context;
    const struct deadline *deadline; // as in struct storage
};

// Opens the storage whose root is the URL's path, which need not exist. Touches nothing:
// the first call does. The caller closes it by ops->close.
enum status storage_open(struct str url, const struct storage_config *config,
                         struct storage **ret, struct err *err);

#endif
