// SPDX-License-Identifier: Apache-2.0
#include "storage/webhdfs.h"

#include <stdlib.h>

#include "base/mem.h"
#include "core/env.h"
#include "core/json.h"
#include "http/url.h"
#include "storage/path.h"
#include "storage/webhdfs_ask.h"

enum {
    DEFAULT_TIMEOUT_MS = 60000,
    NAMES_MAX = 2000000,     // of a directory; HDFS allows 1,048,576 by default
    NAMES_BYTES = 256 << 20, // of all of them
    NAME_MAX_BYTES = 8000,   // HDFS's limit of a path; of a name it is 255 by default
    SLOWEST_NAME_MS = 10
};

static struct webhdfs *of(struct storage *storage)
{
    return (struct webhdfs *)storage;
}

static enum status fail(const struct webhdfs *webhdfs, struct str path, enum status rc,
                        const char *what, struct err *err)
{
    AUTO(mem_auto_free) char *place = webhdfs_place(webhdfs, path);
    return err_set(err, rc, "%s: %s", place, what);
}

static enum status refused(const struct webhdfs *webhdfs, struct str path,
                           const struct reply *reply, struct err *err)
{
    AUTO(mem_auto_free) char *place = webhdfs_place(webhdfs, path);
    enum refusal_of of = webhdfs->by_token   ? REFUSAL_OF_TOKEN
                         : webhdfs->kerberos ? REFUSAL_OF_TICKET
                                             : REFUSAL_OF_NAME;
    return refusal_status(&reply->refusal, place, of, err);
}

static bool is_refused(const struct reply *reply)
{
    return reply->refusal.kind != REFUSAL_NONE;
}

// The answer's JSON, or NULL with ST_FAIL told; the caller owns it.
static json_t *read_json(const struct webhdfs *webhdfs, struct str path,
                         const struct reply *reply, struct err *err)
{
    struct str body = buf_as_str(&reply->answer.body);
    struct err why;
    if (json_check(body, JSON_VALUES_MAX, &why) != ST_OK) {
        (void)fail(webhdfs, path, ST_FAIL, why.text, err);
        return NULL;
    }
    json_t *root = body.n ? json_loadb(body.p, body.n, 0, NULL) : NULL;
    if (root == NULL) {
        AUTO(mem_auto_free) char *place = webhdfs_place(webhdfs, path);
        (void)err_set(
            err, ST_FAIL,
            "%s: HTTP %d with something that is not JSON; is a name node there, "
            "or a proxy between?",
            place, reply->answer.code);
    }
    return root;
}

// An answer of the right form and the wrong content.
static enum status odd_answer(const struct webhdfs *webhdfs, struct str path,
                              struct err *err)
{
    return fail(webhdfs, path, ST_FAIL, "an answer that WebHDFS does not give", err);
}

// Asks for {"boolean": ...}.
static enum status ask_boolean(struct webhdfs *webhdfs, const struct ask *ask, bool *ret,
                               struct err *err)
{
    AUTO(reply_release) struct reply reply = {0};
    TRY(webhdfs_ask(webhdfs, ask, &reply, err));
    if (is_refused(&reply))
        return refused(webhdfs, ask->path, &reply, err);
    json_t *root = read_json(webhdfs, ask->path, &reply, err);
    if (root == NULL)
        return ST_FAIL;
    const json_t *boolean = json_object_get(root, "boolean");
    bool is_boolean = json_is_boolean(boolean);
    *ret = json_is_true(boolean);
    json_decref(root);
    return is_boolean ? ST_OK : odd_answer(webhdfs, ask->path, err);
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
                : fail(of(storage), path, ST_FAIL, "the directory was not made", err);
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
    return removed ? ST_OK : fail(of(storage), path, ST_NOT_FOUND, "is not there", err);
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
        return refused(webhdfs, path, reply, err);
    return fail(webhdfs, path, ST_RETRY, refusal->message, err);
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
    if (is_refused(&reply))
        return write_refused(of(storage), path, &reply, err);
    if (reply.answer.code != 201)
        return fail(of(storage), path, ST_UNKNOWN, "no 201 after the upload", err);
    return ST_OK;
}

// A refusal names the thing that is missing or in the way only in its message.
static enum status rename_refused(const struct webhdfs *webhdfs, struct str from,
                                  struct str to, const struct reply *reply,
                                  struct err *err)
{
    const struct refusal *refusal = &reply->refusal;
    if (!refusal_is(refusal, "FileNotFoundException"))
        return refused(webhdfs, to, reply, err);
    if (refusal_says(refusal, "rename source"))
        return fail(webhdfs, from, ST_NOT_FOUND, "is not there, cannot be renamed", err);
    return fail(webhdfs, to, ST_NOT_FOUND,
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
    if (!is_refused(reply) && reply->answer.code != 200)
        return fail(webhdfs, from, ST_UNKNOWN, "no 200 after the renaming", err);
    // A yes has no body. One with a boolean comes from a server that did not look at
    // renameoptions, such as HttpFS.
    if (!is_refused(reply) && reply->answer.body.n > 0)
        return fail(webhdfs, from, ST_FAIL,
                    "the server does not know renameoptions; give a name node's address",
                    err);
    return ST_OK;
}

static enum status webhdfs_publish(struct storage *storage, struct str from,
                                   struct str to, struct err *err)
{
    TRY(storage_paths_check(storage, from, to, err));
    AUTO(reply_release) struct reply reply = {0};
    TRY(ask_rename(of(storage), from, to, "NONE", EFFECT_ONCE, &reply, err));
    if (!is_refused(&reply))
        return ST_OK;
    // Said of a directory that has the name.
    if (refusal_says(&reply.refusal, "must both be directories"))
        return fail(of(storage), to, ST_EXISTS, "is there already", err);
    return rename_refused(of(storage), from, to, &reply, err);
}

static enum status webhdfs_replace(struct storage *storage, struct str from,
                                   struct str to, struct err *err)
{
    TRY(storage_paths_check(storage, from, to, err));
    AUTO(reply_release) struct reply reply = {0};
    TRY(ask_rename(of(storage), from, to, "OVERWRITE", EFFECT_REPEATABLE, &reply, err));
    if (!is_refused(&reply))
        return ST_OK;
    if (refusal_says(&reply.refusal, "must both be directories"))
        return fail(of(storage), to, ST_FAIL, "is a directory; a file is needed there",
                    err);
    enum status rc = rename_refused(of(storage), from, to, &reply, err);
    if (rc == ST_NOT_FOUND && reply.lost)
        return fail(of(storage), from, ST_UNKNOWN,
                    "is not there; an earlier try had no answer and may have renamed it",
                    err);
    return rc;
}

// Reads one "FileStatus"; false when it is none.
static bool read_info(const json_t *status, struct file_info *ret)
{
    const char *type = json_string_value(json_object_get(status, "type"));
    const json_t *length = json_object_get(status, "length");
    const json_t *modified = json_object_get(status, "modificationTime");
    if (type == NULL || !json_is_integer(length) || !json_is_integer(modified) ||
        json_integer_value(length) < 0)
        return false;
    *ret = (struct file_info){
        .is_directory = strcmp(type, "DIRECTORY") == 0,
        .size = json_integer_value(length),
        .modified_ms = json_integer_value(modified),
    };
    return true;
}

static enum status webhdfs_stat(struct storage *storage, struct str path,
                                struct file_info *ret, struct err *err)
{
    TRY(storage_path_check(storage, path, true, err));
    struct ask ask = {.path = path, .query = "op=GETFILESTATUS"};
    AUTO(reply_release) struct reply reply = {0};
    TRY(webhdfs_ask(of(storage), &ask, &reply, err));
    if (is_refused(&reply))
        return refused(of(storage), path, &reply, err);
    json_t *root = read_json(of(storage), path, &reply, err);
    if (root == NULL)
        return ST_FAIL;
    bool is_good = read_info(json_object_get(root, "FileStatus"), ret);
    json_decref(root);
    return is_good ? ST_OK : odd_answer(of(storage), path, err);
}

// A directory on its way into a list, batch by batch.
struct listing {
    struct webhdfs *webhdfs;
    struct str path;
    struct arena *arena;
    struct file_list list; // items by malloc
    size_t capacity;
    size_t n_bytes; // of the names
    int64_t n_left; // names the server has not told yet
    int64_t began_ms;
};

static int64_t now_ms(void)
{
    return env_system()->ops->monotonic_ms(env_system());
}

static enum status check_name(const struct listing *listing, struct str name,
                              struct err *err)
{
    enum {
        SHOWN = 100
    };
    if (name.n == 0) // the path itself
        return fail(listing->webhdfs, listing->path, ST_FAIL,
                    "is a file; a directory is needed there", err);
    if (name.n <= NAME_MAX_BYTES && storage_name_is_good(name))
        return ST_OK;
    AUTO(mem_auto_free) char *place = webhdfs_place(listing->webhdfs, listing->path);
    return err_set(err, ST_FAIL,
                   "%s: an answer that WebHDFS does not give: a file of the name '%.*s'",
                   place, name.n < SHOWN ? (int)name.n : SHOWN, name.p);
}

static enum status check_size(const struct listing *listing, struct err *err)
{
    if (listing->list.n <= NAMES_MAX && listing->n_bytes <= NAMES_BYTES)
        return ST_OK;
    AUTO(mem_auto_free) char *place = webhdfs_place(listing->webhdfs, listing->path);
    return err_set(
        err, ST_FAIL,
        "%s: more than %d names, or %d bytes of them, in one directory; spread "
        "the files by WITH (directory = 'day')",
        place, NAMES_MAX, NAMES_BYTES);
}

static enum status add_item(struct listing *listing, const json_t *status,
                            struct err *err)
{
    struct file_info info;
    const json_t *name = json_object_get(status, "pathSuffix");
    if (!json_is_string(name) || !read_info(status, &info))
        return odd_answer(listing->webhdfs, listing->path, err);
    struct str text = {json_string_value(name), json_string_length(name)};
    TRY(check_name(listing, text, err));
    listing->n_bytes += text.n;
    info.name = arena_str(listing->arena, text);
    MEM_GROW(listing->list.items, listing->list.n, listing->capacity);
    listing->list.items[listing->list.n++] = info;
    return ST_OK;
}

static enum status add_batch(struct listing *listing, const json_t *root, struct err *err)
{
    const json_t *batch = json_object_get(root, "DirectoryListing");
    const json_t *left = json_object_get(batch, "remainingEntries");
    const json_t *items = json_object_get(
        json_object_get(json_object_get(batch, "partialListing"), "FileStatuses"),
        "FileStatus");
    listing->n_left = json_integer_value(left);
    if (!json_is_integer(left) || !json_is_array(items) || listing->n_left < 0 ||
        (json_array_size(items) == 0 && listing->n_left > 0))
        return odd_answer(listing->webhdfs, listing->path, err);
    for (size_t i = 0; i < json_array_size(items); i++)
        TRY(add_item(listing, json_array_get(items, i), err));
    return check_size(listing, err);
}

static struct str last_name(const struct listing *listing)
{
    return listing->list.n ? listing->list.items[listing->list.n - 1].name
                           : (struct str){0};
}

// Each batch goes on behind the last name of the one before, at a speed that gets
// somewhere; else it could go on for ever.
static enum status check_progress(const struct listing *listing, size_t n_before,
                                  struct err *err)
{
    const struct webhdfs *webhdfs = listing->webhdfs;
    int64_t most_ms = webhdfs->timeout_ms + webhdfs->retry_ms +
                      (int64_t)listing->list.n * SLOWEST_NAME_MS;
    const struct file_info *items = listing->list.items;
    if (n_before > 0 && listing->list.n > n_before &&
        str_compare(last_name(listing), items[n_before - 1].name) <= 0)
        return fail(webhdfs, listing->path, ST_FAIL,
                    "an answer that WebHDFS does not give: the list begins again", err);
    if (listing->n_left == 0 || now_ms() - listing->began_ms <= most_ms)
        return ST_OK;
    AUTO(mem_auto_free) char *place = webhdfs_place(webhdfs, listing->path);
    return err_set(err, ST_RETRY,
                   "%s: only %zu names came within %g s, and more are left", place,
                   listing->list.n, (double)most_ms / 1000);
}

static enum status ask_batch(struct listing *listing, struct err *err)
{
    AUTO(buf_release) struct buf query = {0};
    buf_text(&query, "op=LISTSTATUS_BATCH");
    if (listing->list.n > 0) {
        buf_text(&query, "&startAfter=");
        http_url_escape(&query, last_name(listing), false);
    }
    struct ask ask = {.path = listing->path, .query = buf_cstr(&query)};
    AUTO(reply_release) struct reply reply = {0};
    TRY(webhdfs_ask(listing->webhdfs, &ask, &reply, err));
    if (is_refused(&reply))
        return refused(listing->webhdfs, listing->path, &reply, err);
    json_t *root = read_json(listing->webhdfs, listing->path, &reply, err);
    if (root == NULL)
        return ST_FAIL;
    size_t n_before = listing->list.n;
    enum status rc = add_batch(listing, root, err);
    json_decref(root);
    return rc == ST_OK ? check_progress(listing, n_before, err) : rc;
}

// Of a sorted list.
static enum status check_twins(const struct listing *listing, struct err *err)
{
    const struct file_info *items = listing->list.items;
    for (size_t i = 1; i < listing->list.n; i++)
        if (str_eq(items[i].name, items[i - 1].name))
            return fail(listing->webhdfs, listing->path, ST_FAIL,
                        "an answer that WebHDFS does not give: a name is listed twice",
                        err);
    return ST_OK;
}

static enum status webhdfs_list(struct storage *storage, struct str path,
                                struct arena *arena, struct file_list *ret,
                                struct err *err)
{
    TRY(storage_path_check(storage, path, true, err));
    struct listing listing = {
        .webhdfs = of(storage), .path = path, .arena = arena, .began_ms = now_ms()};
    enum status rc;
    do {
        rc = ask_batch(&listing, err);
    } while (rc == ST_OK && listing.n_left > 0);
    file_list_sort(&listing.list);
    if (rc == ST_OK)
        rc = check_twins(&listing, err);
    if (rc == ST_OK)
        file_list_copy(&listing.list, arena, ret);
    free(listing.list.items);
    return rc;
}

// "MD5-of-<n>MD5-of-512CRC32C", n = 0 (one block) or the CRCs of a block of ours; or of
// an empty file "MD5-of-0MD5-of-0CRC32". Then `bytes` are in hex: CRC chunk (4 bytes),
// CRCs a block (8), MD5 (16), and zeros.
static enum status read_checksum(const struct webhdfs *webhdfs, struct str path,
                                 const json_t *root, struct checksum *ret,
                                 struct err *err)
{
    const json_t *sum = json_object_get(root, "FileChecksum");
    const char *algorithm = json_string_value(json_object_get(sum, "algorithm"));
    const char *bytes = json_string_value(json_object_get(sum, "bytes"));
    const size_t md5_at = 24;
    if (algorithm == NULL || bytes == NULL || strlen(bytes) < md5_at + CHECKSUM_HEX - 1)
        return odd_answer(webhdfs, path, err);
    char blocks[64];
    snprintf(blocks, sizeof(blocks), "MD5-of-%lldMD5-of-512CRC32C",
             (long long)CHECKSUM_BLOCK_BYTES / 512);
    if (strcmp(algorithm, "MD5-of-0MD5-of-512CRC32C") != 0 &&
        strcmp(algorithm, blocks) != 0 &&
        strcmp(algorithm, "MD5-of-0MD5-of-0CRC32") != 0) {
        AUTO(mem_auto_free) char *place = webhdfs_place(webhdfs, path);
        return err_set(err, ST_FAIL,
                       "%s: its checksum is '%s', not %s; the data nodes need "
                       "dfs.checksum.type = CRC32C, dfs.bytes-per-checksum = 512 and "
                       "dfs.checksum.combine.mode = MD5MD5CRC",
                       place, algorithm, blocks);
    }
    ret->kind = CHECKSUM_HDFS;
    memcpy(ret->hex, bytes + md5_at, CHECKSUM_HEX - 1);
    ret->hex[CHECKSUM_HEX - 1] = '\0';
    return ST_OK;
}

static enum status webhdfs_checksum(struct storage *storage, struct str path,
                                    struct checksum *ret, struct err *err)
{
    TRY(storage_path_check(storage, path, false, err));
    struct ask ask = {.path = path, .query = "op=GETFILECHECKSUM", .by_data_node = true};
    AUTO(reply_release) struct reply reply = {0};
    TRY(webhdfs_ask(of(storage), &ask, &reply, err));
    if (is_refused(&reply))
        return refused(of(storage), path, &reply, err);
    json_t *root = read_json(of(storage), path, &reply, err);
    if (root == NULL)
        return ST_FAIL;
    enum status rc = read_checksum(of(storage), path, root, ret, err);
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
    if (is_refused(&reply))
        return refused(of(storage), path, &reply, err);
    return reply.answer.code == 200 ? ST_OK : odd_answer(of(storage), path, err);
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
