// SPDX-License-Identifier: Apache-2.0
#include "engine/upload.h"

#include <inttypes.h>

struct spool_reader {
    struct reader reader;
    struct spool_file *file;
    int64_t offset;
};

static enum status read_spool(struct reader *base, void *p, size_t capacity,
                              size_t *ret_n, struct err *err)
{
    struct spool_reader *reader = (struct spool_reader *)base;
    TRY(reader->file->ops->read(reader->file, reader->offset, p, capacity, ret_n, err));
    reader->offset += (int64_t)*ret_n;
    return ST_OK;
}

static enum status write_file(struct upload *upload, struct storage *storage,
                              struct env *env, const struct unit_file *file,
                              const char *writer, struct err *err)
{
    char uuid[UUID_TEXT];
    env_uuid(env, uuid);
    struct path *tmp = &upload->tmp[upload->n_done];
    *tmp = path_tmp(str_of(writer), uuid);
    struct spool_reader reader = {{read_spool}, file->spool, 0};
    TRY(storage->ops->write(storage, path_str(tmp), &reader.reader, file->bytes, err));
    upload->written = true;
    return ST_OK;
}

// What lies there is not what was sent: ST_RETRY, and the next try is a new upload.
static enum status check_file(struct upload *upload, struct storage *storage,
                              const struct unit_file *file, struct err *err)
{
    struct str tmp = path_str(&upload->tmp[upload->n_done]);
    struct file_info info;
    struct checksum sum;
    enum status rc = storage->ops->stat(storage, tmp, &info, err);
    if (rc == ST_OK)
        rc = storage->ops->checksum(storage, tmp, &sum, err);
    if (rc == ST_OK && info.size == file->bytes && checksum_eq(&sum, &file->checksum))
        return ST_OK;
    if (rc != ST_OK && rc != ST_NOT_FOUND)
        return rc;
    upload->written = false;
    return err_set(err, ST_RETRY,
                   "%s/%.*s: the storage does not hold the %" PRId64 " bytes sent to it",
                   storage->url, STR_ARGS(tmp), file->bytes);
}

enum status upload_step(struct upload *upload, struct storage *storage, struct env *env,
                        const struct unit *unit, const char *writer, bool *ret_done,
                        struct err *err)
{
    *ret_done = upload->n_done == unit->n_files;
    if (*ret_done)
        return ST_OK;
    const struct unit_file *file = &unit->files[upload->n_done];
    if (!upload->written)
        TRY(write_file(upload, storage, env, file, writer, err));
    TRY(check_file(upload, storage, file, err));
    upload->written = false;
    upload->n_done++;
    return ST_OK;
}
