// SPDX-License-Identifier: Apache-2.0
#include "storage/webhdfs.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "http/url.h"
#include "storage/path.h"
#include "storage/webhdfs_answer.h"
#include "storage/webhdfs_list.h"

enum {
    DEFAULT_TIMEOUT_MS = 60000,
};

static struct webhdfs *of(struct storage *storage)
{
    return (struct webhdfs *)storage;
}

// Asks for {"boolean": ...}.
static enum status ask_boolean(struct webhdfs *webhdfs, const struct ask *ask, bool *ret,
                               struct err *err)
{
    json_t *root;
    TRY(webhdfs_ask_json(webhdfs, ask, &root, err));
    const json_t *boolean = json_object_get(root, "boolean");
    bool is_boolean = json_is_boolean(boolean);
    *ret = json_is_true(boolean);
    json_decref(root);
    return is_boolean ? ST_OK : webhdfs_odd(webhdfs, ask->path, err);
}

static enum status webhdfs_mkdir(struct storage *storage, struct str path,
                                 struct err *err)
{
    TRY(storage_path_check(storage, path, true, err));
    struct ask ask = {.method = HTTP_PUT,
                      .path = path,
                      .query = "op=MKDIRS&permission=750",
                      .effect = EFFECT_REPEATABLE};
    bool made;
    TRY(ask_boolean(of(storage), &ask, &made, err));
    return made ? ST_OK
                : webhdfs_fail(of(storage), path, ST_FAIL, "the directory was not made",
                               err);
}

static enum status webhdfs_remove(struct storage *storage, struct str path,
                                  struct err *err)
{
    TRY(storage_path_check(storage, path, false, err));
    struct ask ask = {.method = HTTP_DELETE,
                      .path = path,
                      .query = "op=DELETE&recursive=true",
                      .effect = EFFECT_REPEATABLE};
    bool removed;
    TRY(ask_boolean(of(storage), &ask, &removed, err));
    return removed ? ST_OK
                   : webhdfs_fail(of(storage), path, ST_NOT_FOUND, "is not there", err);
}

// Data nodes tell what befell them in an IOException: no room, no other node; or that the
// file was removed while it was written. The name may hold a part, so it is the caller's
// to try again under another.
static enum status write_refused(const struct webhdfs *webhdfs, struct str path,
                                 const struct reply *reply, struct err *err)
{
    const struct refusal *refusal = &reply->refusal;
    if (!refusal_is(refusal, "IOException") && !refusal_is(refusal, "RemoteException") &&
        !refusal_is(refusal, "FileNotFoundException") &&
        !refusal_is(refusal, "LeaseExpiredException"))
        return webhdfs_refused(webhdfs, path, reply, err);
    return webhdfs_fail(webhdfs, path, ST_RETRY, refusal->message, err);
}

// CREATE would make missing directories readable by everybody.
static enum status make_parent(struct storage *storage, struct str path, struct err *err)
{
    struct webhdfs *webhdfs = of(storage);
    struct str parent = storage_path_parent(path);
    if (parent.n == 0 || str_eq(parent, str_of(webhdfs->made)))
        return ST_OK;
    TRY(webhdfs_mkdir(storage, parent, err));
    free(webhdfs->made);
    webhdfs->made = mem_strndup(parent.p, parent.n);
    return ST_OK;
}

static enum status webhdfs_write(struct storage *storage, struct str path,
                                 struct reader *reader, int64_t size_bytes,
                                 struct err *err)
{
    TRY(storage_path_check(storage, path, false, err));
    TRY(make_parent(storage, path, err));
    char query[100];
    snprintf(query, sizeof(query),
             "op=CREATE&overwrite=false&permission=640&blocksize=%lld",
             (long long)CHECKSUM_BLOCK_BYTES);
    struct ask ask = {
        .method = HTTP_PUT,
        .path = path,
        .query = query,
        .effect = EFFECT_ONCE,
        .by_data_node = true,
        .body = reader,
        .body_bytes = size_bytes,
    };
    AUTO(reply_release) struct reply reply = {0};
    TRY(webhdfs_ask(of(storage), &ask, &reply, err));
    if (reply_is_refused(&reply))
        return write_refused(of(storage), path, &reply, err);
    if (reply.answer.code != 201)
        return webhdfs_fail(of(storage), path, ST_UNKNOWN, "no 201 after the upload",
                            err);
    return ST_OK;
}

// A refusal names the thing that is missing or in the way only in its message.
static enum status rename_refused(const struct webhdfs *webhdfs, struct str from,
                                  struct str to, const struct reply *reply,
                                  struct err *err)
{
    const struct refusal *refusal = &reply->refusal;
    if (!refusal_is(refusal, "FileNotFoundException"))
        return webhdfs_refused(webhdfs, to, reply, err);
    if (refusal_says(refusal, "rename source"))
        return webhdfs_fail(webhdfs, from, ST_NOT_FOUND,
                            "is not there, cannot be renamed", err);
    return webhdfs_fail(webhdfs, to, ST_NOT_FOUND,
                        "cannot rename to it: its directory is missing", err);
}

static enum status ask_rename(struct webhdfs *webhdfs, struct str from, struct str to,
                              const char *option, enum effect effect, struct reply *reply,
                              struct err *err)
{
    AUTO(buf_release) struct buf query = {0};
    AUTO(mem_auto_free) char *target = storage_path_join(webhdfs->root, to);
    buf_printf(&query, "op=RENAME&renameoptions=%s&destination=", option);
    http_url_escape(&query, str_of(target), true);
    struct ask ask = {
        .method = HTTP_PUT, .path = from, .query = buf_cstr(&query), .effect = effect};
    TRY(webhdfs_ask(webhdfs, &ask, reply, err));
    if (!reply_is_refused(reply) && reply->answer.code != 200)
        return webhdfs_fail(webhdfs, from, ST_UNKNOWN, "no 200 after the renaming", err);
    // A yes has no body. One with a boolean comes from a server that did not look at
    // renameoptions, such as HttpFS.
    if (!reply_is_refused(reply) && reply->answer.body.n > 0)
        return webhdfs_fail(
            webhdfs, from, ST_FAIL,
            "the server does not know renameoptions; give a name node's address", err);
    return ST_OK;
}

static enum status webhdfs_publish(struct storage *storage, struct str from,
                                   struct str to, struct err *err)
{
    TRY(storage_paths_check(storage, from, to, err));
    AUTO(reply_release) struct reply reply = {0};
    TRY(ask_rename(of(storage), from, to, "NONE", EFFECT_ONCE, &reply, err));
    if (!reply_is_refused(&reply))
        return ST_OK;
    // Said of a directory that has the name.
    if (refusal_says(&reply.refusal, "must both be directories"))
        return webhdfs_fail(of(storage), to, ST_EXISTS, "is there already", err);
    return rename_refused(of(storage), from, to, &reply, err);
}

static enum status webhdfs_replace(struct storage *storage, struct str from,
                                   struct str to, struct err *err)
{
    TRY(storage_paths_check(storage, from, to, err));
    AUTO(reply_release) struct reply reply = {0};
    TRY(ask_rename(of(storage), from, to, "OVERWRITE", EFFECT_REPEATABLE, &reply, err));
    if (!reply_is_refused(&reply))
        return ST_OK;
    if (refusal_says(&reply.refusal, "must both be directories"))
        return webhdfs_fail(of(storage), to, ST_FAIL,
                            "is a directory; a file is needed there", err);
    enum status rc = rename_refused(of(storage), from, to, &reply, err);
    if (rc == ST_NOT_FOUND && reply.lost)
        return webhdfs_fail(
            of(storage), from, ST_UNKNOWN,
            "is not there; an earlier try had no answer and may have renamed it", err);
    return rc;
}

static enum status webhdfs_stat(struct storage *storage, struct str path,
                                struct file_info *ret, struct err *err)
{
    TRY(storage_path_check(storage, path, true, err));
    struct ask ask = {.path = path, .query = "op=GETFILESTATUS"};
    json_t *root;
    TRY(webhdfs_ask_json(of(storage), &ask, &root, err));
    bool is_good = webhdfs_read_info(json_object_get(root, "FileStatus"), ret);
    json_decref(root);
    return is_good ? ST_OK : webhdfs_odd(of(storage), path, err);
}

static enum status webhdfs_list(struct storage *storage, struct str path,
                                struct arena *arena, struct file_list *ret,
                                struct err *err)
{
    TRY(storage_path_check(storage, path, true, err));
    return webhdfs_list_all(of(storage), path, arena, ret, err);
}

static enum status webhdfs_checksum(struct storage *storage, struct str path,
                                    struct checksum *ret, struct err *err)
{
    TRY(storage_path_check(storage, path, false, err));
    struct ask ask = {.path = path, .query = "op=GETFILECHECKSUM", .by_data_node = true};
    json_t *root;
    TRY(webhdfs_ask_json(of(storage), &ask, &root, err));
    enum status rc = webhdfs_read_checksum(of(storage), path, root, ret, err);
    json_decref(root);
    return rc;
}

static enum status webhdfs_read(struct storage *storage, struct str path, int64_t offset,
                                size_t size_bytes, struct buf *ret, struct err *err)
{
    TRY(storage_path_check(storage, path, false, err));
    char query[96];
    if (size_bytes == 0) // length=0 asks for all
        return ST_OK;
    snprintf(query, sizeof(query), "op=OPEN&offset=%lld&length=%zu", (long long)offset,
             size_bytes);
    struct ask ask = {
        .path = path,
        .query = query,
        .by_data_node = true,
        .into = ret,
        .into_bytes = size_bytes,
    };
    AUTO(reply_release) struct reply reply = {0};
    TRY(webhdfs_ask(of(storage), &ask, &reply, err));
    // So a name node says that the offset is at the file's end or past it.
    if (refusal_says(&reply.refusal, "out of the range"))
        return ST_OK;
    if (reply_is_refused(&reply))
        return webhdfs_refused(of(storage), path, &reply, err);
    return reply.answer.code == 200 ? ST_OK : webhdfs_odd(of(storage), path, err);
}

static void webhdfs_close(struct storage *storage)
{
    struct webhdfs *webhdfs = of(storage);
    http_close(webhdfs->http);
    free(webhdfs->nodes);
    free(webhdfs->nodes_text);
    free(webhdfs->user);
    free(webhdfs->root);
    free(webhdfs->made);
    hdfs_token_release(&webhdfs->token);
    free(storage->url);
    free(webhdfs);
}

static const struct storage_ops webhdfs_ops = {
    .write = webhdfs_write,
    .publish = webhdfs_publish,
    .create_exclusive = storage_create_by_rename,
    .replace = webhdfs_replace,
    .list = webhdfs_list,
    .stat = webhdfs_stat,
    .checksum = webhdfs_checksum,
    .mkdir = webhdfs_mkdir,
    .read = webhdfs_read,
    .remove = webhdfs_remove,
    .close = webhdfs_close,
};

static void set_nodes(struct webhdfs *webhdfs, const char *nodes)
{
    size_t capacity = 0;
    webhdfs->nodes_text = mem_strdup(nodes);
    for (char *next = webhdfs->nodes_text; next != NULL;) {
        const char *node = strsep(&next, ",");
        MEM_GROW(webhdfs->nodes, webhdfs->n_nodes, capacity);
        webhdfs->nodes[webhdfs->n_nodes++] = node;
    }
}

// Proxies of the environment are not used: name nodes and data nodes are talked to
// directly.
static struct http *open_http(const struct storage_config *config)
{
    static const char *const headers[] = {"Content-Type: application/octet-stream", NULL};
    struct http_config http = {
        .ca_file = config->ca_file,
        .headers = headers,
        .kerberos = config->auth == STORAGE_AUTH_KERBEROS && !hdfs_token_is_given(config),
    };
    return http_open(&http);
}

static enum status open_webhdfs(const struct storage_url *url,
                                const struct storage_config *config, struct storage **ret,
                                struct err *err)
{
    char user[USER_NAME_MAX] = "";
    bool kerberos = config->auth == STORAGE_AUTH_KERBEROS;
    if (kerberos && config->user != NULL && config->user[0] != '\0')
        return err_set(err, ST_USAGE,
                       "%s: with auth = 'kerberos' the ticket says who you are; leave "
                       "user = '%s' out",
                       url->text, config->user);
    if (!kerberos)
        storage_user(config->user, user);
    struct hdfs_token token = {0};
    bool by_token = hdfs_token_is_given(config);
    if (by_token && hdfs_token_open(&token, url, config, err) != ST_OK) {
        hdfs_token_release(&token);
        return ST_USAGE;
    }
    struct webhdfs *webhdfs = mem_zalloc(sizeof(*webhdfs));
    webhdfs->storage = (struct storage){
        .ops = &webhdfs_ops,
        .url = mem_strdup(url->text),
        .exclusive = true,
        .durable = true,
        .renames = true,
    };
    webhdfs->root = mem_strdup(url->path);
    webhdfs->user = mem_strdup(user);
    webhdfs->tls = url->tls;
    webhdfs->kerberos = kerberos && !by_token;
    webhdfs->by_token = by_token;
    webhdfs->token = token;
    set_nodes(webhdfs, url->nodes);
    webhdfs->http = open_http(config);
    webhdfs->timeout_ms =
        config->timeout_ms > 0 ? config->timeout_ms : DEFAULT_TIMEOUT_MS;
    webhdfs->retry_ms = config->retry_ms;
    webhdfs->on_retry = config->on_retry;
    webhdfs->context = config->context;
    *ret = &webhdfs->storage;
    return ST_OK;
}

const struct storage_scheme storage_hdfs_scheme = {
    .prefix = "hdfs://",
    .form = "hdfs://namenode:9870/directory",
    .parse = storage_url_hdfs,
    .open = open_webhdfs,
};

const struct storage_scheme storage_hdfss_scheme = {
    .prefix = "hdfss://",
    .form = "hdfss://namenode:9871/directory",
    .parse = storage_url_hdfss,
    .open = open_webhdfs,
};
