// SPDX-License-Identifier: Apache-2.0
#include "storage/local.h"
#include "storage/storage_url.h"
#include "storage/webhdfs.h"

enum status storage_open(struct str url, const struct storage_config *config,
                         struct storage **ret, struct err *err)
{
    struct arena arena = {0};
    struct storage_url parsed;
    enum status rc = storage_url_parse(url, &arena, &parsed, err);
    if (rc == ST_OK && parsed.kind == STORAGE_LOCAL)
        *ret = storage_local_open(&parsed);
    else if (rc == ST_OK)
        rc = storage_webhdfs_open(&parsed, config, ret, err);
    if (rc == ST_OK)
        (*ret)->deadline = config->deadline;
    arena_release(&arena);
    return rc;
}
