// SPDX-License-Identifier: Apache-2.0
#include "storage/local.h"
#include "storage/scheme.h"
#include "storage/webhdfs.h"

const struct storage_scheme *const storage_schemes[] = {
    &storage_local_scheme,
    &storage_hdfs_scheme,
    &storage_hdfss_scheme,
    NULL,
};

enum status storage_open(struct str url, const struct storage_config *config,
                         struct storage **ret, struct err *err)
{
    AUTO(arena_release) struct arena arena = {0};
    struct storage_url parsed;
    TRY(storage_url_parse(url, &arena, &parsed, err));
    TRY(parsed.scheme->open(&parsed, config, ret, err));
    (*ret)->deadline = config->deadline;
    return ST_OK;
}
