// SPDX-License-Identifier: Apache-2.0
// Delegation tokens: what a name node gives to whoever has a Kerberos ticket, and takes
// from others in its place (Hadoop, "WebHDFS REST API", delegation tokens).
//
// They travel as one line of JSON, for as many storages as a script names:
//   {"v":1,"tokens":[{"storage":"hdfss://nn1:9871,nn2:9871","token":"HAAEdXNlcg..."}]}
// In a file, which nobody but its owner may read, or as a text that the caller has. A
// file is read again when it has become another one; one that cannot be read then leaves
// the token as it was. A token is a secret: no text has it, nor the address that it goes
// to. One thread at a time.
#ifndef STORAGE_HDFS_TOKEN_H
#define STORAGE_HDFS_TOKEN_H

#include <sys/stat.h>

#include "storage/storage_url.h"

enum {
    TOKEN_BYTES_MAX = 4096,
    TOKENS_BYTES_MAX = 64 << 10 // of a line
};

// The token of one storage. Zero: there is none to be had.
struct hdfs_token {
    char *storage; // "hdfss://nn1:9871,nn2:9871"
    char *file;    // NULL: the text did not come from one
    char *text;    // NULL: not read yet
    struct stat seen;
};

// Whether the configuration has tokens.
bool hdfs_token_is_given(const struct storage_config *config);
// Copies what it needs. ST_USAGE: the text is none, or has none for this storage. Reads
// no file.
enum status hdfs_token_open(struct hdfs_token *token, const struct storage_url *url,
                            const struct storage_config *config, struct err *err);
void hdfs_token_release(struct hdfs_token *token);
// Reads the file if it is another one than before. ST_FAIL: there is still no token.
enum status hdfs_token_look(struct hdfs_token *token, struct err *err);
// "; it came from <file>, ...": the way out behind a text that says that it is refused.
const char *hdfs_token_way_out(const struct hdfs_token *token);

// A whole line or file of them: whether it has the form.
enum status hdfs_tokens_check(struct str text, struct err *err);
// "hdfss://nn1:9871,nn2:9871", as it stands in "storage"; the caller frees it. NULL: a
// storage without tokens.
char *hdfs_token_storage(const struct storage_url *url);

// Asked of the name node with the ticket at hand; the configuration's own tokens are not
// looked at. The path of the URL does not matter.
enum status hdfs_token_ask(struct str url, const struct storage_config *config,
                           char **ret_token, struct err *err);
// ST_OK: it is good until then, ms since 1970 by the name node's clock. What is refused
// is final: ask for another one.
enum status hdfs_token_renew(struct str url, const struct storage_config *config,
                             const char *token, int64_t *ret_until_ms, struct err *err);

#endif
