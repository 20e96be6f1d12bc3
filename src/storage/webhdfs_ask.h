// SPDX-License-Identifier: Apache-2.0
// One WebHDFS operation: which name node, by way of which data node, tried how often.
//
// A name node is asked; where bytes move it sends to a data node (307), which is followed
// by hand, as the bytes must not go to the name node. What surely did not happen is tried
// again until retry_ms have passed: refused connections, a name node that is not the
// active one (then the next), safe mode, 503. What got no answer is tried again if the
// operation's effect allows it.
#ifndef STORAGE_WEBHDFS_ASK_H
#define STORAGE_WEBHDFS_ASK_H

#include "storage/hdfs_token.h"
#include "storage/refusal.h"
#include "storage/storage_url.h"

enum {
    JSON_MAX = 16 << 20 // bytes of an answer that is not a file's bytes
};

struct webhdfs {
    struct storage storage;
    char *root; // path; "" for "/"
    char *made; // the directory below it that was made last, or NULL
    char *user; // "" with Kerberos
    bool tls;
    bool kerberos; // by the ticket at hand
    bool by_token; // then by this one
    struct hdfs_token token;
    char *nodes_text; // "nn1:9870\0nn2:9870"
    const char **nodes;
    size_t n_nodes;
    size_t active;                         // the node that answered last
    bool name_node_known, data_node_known; // one of them has answered before
    struct http *http;
    int64_t timeout_ms; // of one answer
    int64_t retry_ms;
    void (*on_retry)(void *context, const struct err *why, int64_t left_ms);
    void *context;
};

enum effect {
    EFFECT_NONE,
    EFFECT_REPEATABLE, // a lost answer is followed by another try
    EFFECT_ONCE,       // a lost answer is the end: ST_UNKNOWN
};

struct ask {
    enum http_method method;
    struct str path;   // below the root
    const char *query; // "op=RENAME&..."
    enum effect effect;
    bool by_data_node;
    struct reader *body; // of a PUT
    int64_t body_bytes;
    struct buf *into; // GET by a data node: where the bytes are appended
    size_t into_bytes;
};

struct reply {
    struct http_answer answer;
    struct refusal refusal; // its kind is NONE or FINAL; never of a token
    bool lost;              // an earlier try had no answer and may have had its effect
};

void reply_release(struct reply *reply); // also for AUTO

// ST_OK: there is an answer, yes or no. Else ST_RETRY, ST_UNKNOWN, ST_FAIL.
enum status webhdfs_ask(struct webhdfs *webhdfs, const struct ask *ask,
                        struct reply *reply, struct err *err);

// "hdfs://nn:9870/root/path", for the front of a text; the caller frees it.
char *webhdfs_place(const struct webhdfs *webhdfs, struct str path);

#endif
