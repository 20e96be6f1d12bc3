// SPDX-License-Identifier: Apache-2.0
#include "engine/upload.h"

#include <inttypes.h>

#include "engine/read_back.h"

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

static enum status check_told(struct storage *storage, struct str path,
                              const struct unit_file *file, bool *ret_same,
                              struct err *err)
{
    struct file_info info;
    struct checksum told;
    TRY(storage->ops->stat(storage, path, &info, err));
    TRY(storage->ops->checksum(storage, path, &told, err));
    *ret_same = info.size == file->bytes && checksum_eq(&told, &file->checksum);
    return ST_OK;
}

static enum status check_bytes(struct storage *storage, struct str path,
                               const struct unit_file *file, bool *ret_same,
                               struct err *err)
{
    int64_t n_bytes;
    struct checksum read;
    TRY(read_back(storage, path, file->bytes, &n_bytes, &read, err));
    *ret_same = n_bytes == file->bytes && checksum_eq(&read, &file->checksum);
    return ST_OK;
}

// What lies there is not what was sent: ST_RETRY, and the next try is a new upload.
static enum status check_file(struct upload *upload, struct storage *storage,
                              enum upload_verify by, const struct unit_file *file,
                              struct err *err)
{
    struct str tmp = path_str(&upload->tmp[upload->n_done]);
    bool is_same = false;
    enum status rc = check_told(storage, tmp, file, &is_same, err);
    if (rc == ST_OK && is_same && by == UPLOAD_VERIFY_READ)
        rc = check_bytes(storage, tmp, file, &is_same, err);
    if (rc == ST_OK && is_same)
        return ST_OK;
    if (rc != ST_OK && rc != ST_NOT_FOUND)
        return rc;
    upload->written = false;
    return err_set(err, ST_RETRY,
                   "%s/%.*s: the storage does not hold the %" PRId64 " bytes sent to it",
                   storage->url, STR_ARGS(tmp), file->bytes);
}

enum status upload_step(struct upload *upload, struct storage *storage, struct env *env,
                        enum upload_verify by, const struct unit *unit,
                        const char *writer, bool *ret_done, struct err *err)
{
    *ret_done = upload->n_done == unit->n_files;
    if (*ret_done)
        return ST_OK;
    const struct unit_file *file = &unit->files[upload->n_done];
    if (!upload->written)
        TRY(write_file(upload, storage, env, file, writer, err));
    TRY(check_file(upload, storage, by, file, err));
    upload->written = false;
    upload->n_done++;
    return ST_OK;
}
