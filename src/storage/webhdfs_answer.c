// SPDX-License-Identifier: Apache-2.0
#include "storage/webhdfs_answer.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

enum status webhdfs_fail(const struct webhdfs *webhdfs, struct str path, enum status rc,
                         const char *what, struct err *err)
{
    AUTO(mem_auto_free) char *place = webhdfs_place(webhdfs, path);
    return err_set(err, rc, "%s: %s", place, what);
}

enum status webhdfs_refused(const struct webhdfs *webhdfs, struct str path,
                            const struct reply *reply, struct err *err)
{
    AUTO(mem_auto_free) char *place = webhdfs_place(webhdfs, path);
    enum refusal_of of = webhdfs->by_token   ? REFUSAL_OF_TOKEN
                         : webhdfs->kerberos ? REFUSAL_OF_TICKET
                                             : REFUSAL_OF_NAME;
    return refusal_status(&reply->refusal, place, of, err);
}

bool reply_is_refused(const struct reply *reply)
{
    return reply->refusal.kind != REFUSAL_NONE;
}

enum status webhdfs_odd(const struct webhdfs *webhdfs, struct str path, struct err *err)
{
    return webhdfs_fail(webhdfs, path, ST_FAIL, "an answer that WebHDFS does not give",
                        err);
}

static enum status read_json(const struct webhdfs *webhdfs, struct str path,
                             const struct reply *reply, json_t **ret, struct err *err)
{
    struct str body = buf_as_str(&reply->answer.body);
    struct err why;
    if (json_check(body, JSON_VALUES_MAX, &why) != ST_OK)
        return webhdfs_fail(webhdfs, path, ST_FAIL, why.text, err);
    *ret = body.n ? json_loadb(body.p, body.n, 0, NULL) : NULL;
    if (*ret != NULL)
        return ST_OK;
    AUTO(mem_auto_free) char *place = webhdfs_place(webhdfs, path);
    return err_set(err, ST_FAIL,
                   "%s: HTTP %d with something that is not JSON; is a name node there, "
                   "or a proxy between?",
                   place, reply->answer.code);
}

enum status webhdfs_ask_json(struct webhdfs *webhdfs, const struct ask *ask, json_t **ret,
                             struct err *err)
{
    AUTO(reply_release) struct reply reply = {0};
    TRY(webhdfs_ask(webhdfs, ask, &reply, err));
    if (reply_is_refused(&reply))
        return webhdfs_refused(webhdfs, ask->path, &reply, err);
    return read_json(webhdfs, ask->path, &reply, ret, err);
}

bool webhdfs_read_info(const json_t *status, struct file_info *ret)
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

// "MD5-of-<n>MD5-of-512CRC32C", n = 0 (one block) or the CRCs of a block of ours; or of
// an empty file "MD5-of-0MD5-of-0CRC32". Then `bytes` are in hex: CRC chunk (4 bytes),
// CRCs a block (8), MD5 (16), and zeros.
enum status webhdfs_read_checksum(const struct webhdfs *webhdfs, struct str path,
                                  const json_t *root, struct checksum *ret,
                                  struct err *err)
{
    const json_t *sum = json_object_get(root, "FileChecksum");
    const char *algorithm = json_string_value(json_object_get(sum, "algorithm"));
    const char *bytes = json_string_value(json_object_get(sum, "bytes"));
    const size_t md5_at = 24;
    if (algorithm == NULL || bytes == NULL || strlen(bytes) < md5_at + CHECKSUM_HEX - 1)
        return webhdfs_odd(webhdfs, path, err);
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
