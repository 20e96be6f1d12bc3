// SPDX-License-Identifier: Apache-2.0
#include "job/staged_check.h"

#include "gtfs/manifest.h"
#include "job/tables.h"

static enum status compare_file(struct storage *storage, const struct table *table,
                                const struct feed_table *staged, bool *ret_same,
                                int64_t *ret_modified_ms, struct err *err)
{
    AUTO(arena_release) struct arena arena = {0};
    struct file_info file;
    *ret_modified_ms = 0;
    enum status rc = tables_find_file(storage, table, &arena, &file, err);
    *ret_same = rc == ST_NOT_FOUND ? !staged->present : false;
    if (rc == ST_NOT_FOUND)
        return ST_OK;
    TRY(rc);
    *ret_modified_ms = file.modified_ms;
    struct checksum sum;
    if (!staged->present || file.size != staged->size)
        return ST_OK;
    TRY(storage->ops->checksum(storage, file.name, &sum, err));
    rc = checksum_check_kinds(&sum, &staged->checksum, err);
    if (rc != ST_OK)
        return err_context(err, rc, "%s/%.*s", storage->url, STR_ARGS(file.name));
    *ret_same = checksum_eq(&sum, &staged->checksum);
    return ST_OK;
}

static enum status compare_table(const struct pipeline *pipeline,
                                 const struct table *table,
                                 const struct feed_manifest *manifest, bool *ret_same,
                                 int64_t *ret_modified_ms, struct err *err)
{
    const struct feed_table *staged = feed_manifest_find(manifest, table->name);
    *ret_same = true;
    if (staged == NULL)
        return ST_OK;
    struct storage *storage;
    TRY(pipeline_storage(pipeline, &table->options, &storage, err));
    enum status rc = compare_file(storage, table, staged, ret_same, ret_modified_ms, err);
    storage->ops->close(storage);
    return rc;
}

static enum status compare_all(const struct pipeline *pipeline,
                               const struct feed_manifest *manifest,
                               struct staged_difference *ret, struct err *err)
{
    const struct plan *plan = pipeline->plan;
    for (size_t i = 0; i < plan->n_tables && ret->table == NULL; i++) {
        bool same = true;
        if (plan->tables[i].kind == TABLE_DIMENSION)
            TRY(compare_table(pipeline, &plan->tables[i], manifest, &same,
                              &ret->modified_ms, err));
        if (!same)
            ret->table = &plan->tables[i];
    }
    return ST_OK;
}

enum status staged_check(const struct pipeline *pipeline, struct staged_difference *ret,
                         struct err *err)
{
    struct storage *root;
    *ret = (struct staged_difference){0};
    TRY(pipeline_feed_root(pipeline, &root, err));
    if (root == NULL)
        return ST_OK;
    struct feed_manifest manifest = {0};
    enum status rc = feed_manifest_read(root, &manifest, err);
    root->ops->close(root);
    if (rc == ST_NOT_FOUND)
        return ST_OK;
    TRY(rc);
    rc = compare_all(pipeline, &manifest, ret, err);
    feed_manifest_release(&manifest);
    return rc;
}
