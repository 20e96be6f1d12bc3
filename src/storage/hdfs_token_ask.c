// SPDX-License-Identifier: Apache-2.0
// Operations of WebHDFS on tokens themselves.
#include <jansson.h>
#include <stdlib.h>

#include "base/mem.h"
#include "core/json.h"
#include "http/url.h"
#include "storage/hdfs_token.h"
#include "storage/webhdfs_ask.h"

// secret: a token in the query, which no text may have; NULL: there is none.
static enum status ask_json(struct str url, const struct storage_config *config,
                            const struct ask *ask, const char *secret, json_t **ret,
                            struct err *err)
{
    struct storage_config signed_in = *config;
    signed_in.token_file = NULL;
    signed_in.tokens = NULL;
    struct storage *storage;
    TRY(storage_open(url, &signed_in, &storage, err));
    struct webhdfs *webhdfs = (struct webhdfs *)storage;
    webhdfs->token.text = secret != NULL ? mem_strdup(secret) : NULL; // to be hidden
    AUTO(reply_release) struct reply reply = {0};
    enum status rc = webhdfs_ask(webhdfs, ask, &reply, err);
    if (rc == ST_OK && reply.refusal.kind != REFUSAL_NONE)
        rc = refusal_status(&reply.refusal, storage->url, REFUSAL_OF_TICKET, err);
    struct str body = buf_as_str(&reply.answer.body);
    if (rc == ST_OK && body.n > 0 && json_check(body, JSON_VALUES_MAX, NULL) == ST_OK)
        *ret = json_loadb(body.p, body.n, 0, NULL);
    storage->ops->close(storage);
    return rc;
}

static enum status check_hdfs(struct str url, struct err *err)
{
    AUTO(arena_release) struct arena arena = {0};
    struct storage_url parsed;
    TRY(storage_url_parse(url, &arena, &parsed, err));
    return parsed.is_local
               ? err_set(err, ST_USAGE, "'%.*s': only HDFS has delegation tokens",
                         STR_ARGS(url))
               : ST_OK;
}

enum status hdfs_token_ask(struct str url, const struct storage_config *config,
                           char **ret_token, struct err *err)
{
    TRY(check_hdfs(url, err));
    json_t *root = NULL;
    struct ask ask = {.query = "op=GETDELEGATIONTOKEN"}; // whoever asks may renew it
    TRY(ask_json(url, config, &ask, NULL, &root, err));
    const json_t *token = json_object_get(json_object_get(root, "Token"), "urlString");
    size_t n = json_string_length(token);
    *ret_token =
        n > 0 && n <= TOKEN_BYTES_MAX ? mem_strdup(json_string_value(token)) : NULL;
    json_decref(root);
    return *ret_token != NULL
               ? ST_OK
               : err_set(err, ST_FAIL,
                         "%.*s: the name node gave no delegation token; is its security "
                         "on (hadoop.security.authentication = kerberos)?",
                         STR_ARGS(url));
}

enum status hdfs_token_renew(struct str url, const struct storage_config *config,
                             const char *token, int64_t *ret_until_ms, struct err *err)
{
    TRY(check_hdfs(url, err));
    AUTO(buf_release) struct buf query = {0};
    buf_text(&query, "op=RENEWDELEGATIONTOKEN&token=");
    http_url_escape(&query, str_of(token), false);
    json_t *root = NULL;
    struct ask ask = {
        .method = HTTP_PUT, .query = buf_cstr(&query), .effect = EFFECT_REPEATABLE};
    TRY(ask_json(url, config, &ask, token, &root, err));
    const json_t *until = json_object_get(root, "long");
    *ret_until_ms = json_integer_value(until);
    bool is_good = json_is_integer(until) && *ret_until_ms > 0;
    json_decref(root);
    return is_good ? ST_OK
                   : err_set(err, ST_FAIL,
                             "%.*s: an answer that WebHDFS does not give to a renewal",
                             STR_ARGS(url));
}
