// SPDX-License-Identifier: Apache-2.0
#include "work/upload.h"

#include <inttypes.h>

#include "log/read_back.h"

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

static enum status check_told(struct storage *storage, struct str path,
                              const struct entry_file *file, bool *ret_same,
                              struct err *err)
{
    struct file_info info;
    struct checksum told;
    TRY(storage->ops->stat(storage, path, &info, err));
    TRY(storage->ops->checksum(storage, path, &told, err));
    enum status rc = checksum_check_kinds(&told, &file->checksum, err);
    if (rc != ST_OK)
        return err_context(err, rc, "%s/%.*s", storage->url, STR_ARGS(path));
    *ret_same = info.size == file->bytes && checksum_eq(&told, &file->checksum);
    return ST_OK;
}

static enum status check_bytes(struct storage *storage, struct str path,
                               const struct entry_file *file, bool *ret_same,
                               struct err *err)
{
    int64_t n_bytes;
    struct checksum read;
    TRY(read_back(storage, path, file->bytes, file->checksum.kind, &n_bytes, &read, err));
    *ret_same = n_bytes == file->bytes && checksum_eq(&read, &file->checksum);
    return ST_OK;
}

// What lies there is not what was sent: ST_RETRY, and the next try is a new upload.
static enum status check_file(struct storage *storage, enum upload_verify by,
                              const struct entry_file *file, struct str path,
                              struct err *err)
{
    bool is_same = false;
    enum status rc = check_told(storage, path, file, &is_same, err);
    if (rc == ST_OK && is_same && by == UPLOAD_VERIFY_READ)
        rc = check_bytes(storage, path, file, &is_same, err);
    if (rc == ST_OK && is_same)
        return ST_OK;
    if (rc != ST_OK && rc != ST_NOT_FOUND)
        return rc;
    return err_set(err, ST_RETRY,
                   "%s/%.*s: the storage does not hold the %" PRId64 " bytes sent to it",
                   storage->url, STR_ARGS(path), file->bytes);
}

struct path upload_name(struct env *env, bool renames, const struct job *job,
                        const struct unit *unit, size_t file)
{
    char uuid[UUID_TEXT];
    env_uuid(env, uuid);
    if (renames)
        return path_tmp(unit->writer, uuid);
    if (unit->files[file].kind == FILE_DEAD)
        return path_dead_made(unit->writer, uuid);
    return path_part_made(unit->writer, uuid, job->extension,
                          job->settings.directory_by_day ? env->ops->wall_ms(env) : -1);
}

static struct path choose_name(const struct patience *patience, const struct job *job,
                               const struct unit *unit, size_t file)
{
    return upload_name(patience->parts.env, patience->storage.renames, job, unit, file);
}

static enum status try_upload(struct patience *patience, const struct job *job,
                              const struct draft *draft, size_t index,
                              const struct path *path, struct err *err)
{
    struct storage *storage = &patience->storage;
    const struct entry_file *file = &draft->unit.files[index];
    struct spool_file *spool = draft->spools[index];
    struct given_file given = {.fd = storage->takes_files ? spool->ops->descriptor(spool)
                                                          : -1};
    const int source = spool->ops->source(spool);
    struct spool_reader reader = {
        .reader = {.read = read_spool,
                   .given = given.fd >= 0 ? &given : NULL,
                   .file = source >= 0 ? &source : NULL},
        .file = spool,
    };
    TRY(storage->ops->write(storage, path_str(path), &reader.reader, file->bytes, err));
    if (given.is_taken && job->settings.upload_verify == UPLOAD_VERIFY_CHECKSUM)
        return ST_OK; // the very bytes whose checksum was made as they were written
    return check_file(storage, job->settings.upload_verify, file, path_str(path), err);
}

enum status upload_file(struct patience *patience, const struct job *job,
                        struct draft *draft, size_t file, struct path *path,
                        struct err *err)
{
    enum status rc;
    bool is_again;
    patience_attempt(patience);
    do {
        rc = try_upload(patience, job, draft, file, path, err);
        is_again = patience_again(patience, &rc, err);
        if (is_again)
            *path = choose_name(patience, job, &draft->unit, file);
    } while (is_again);
    patience_attempt_end(patience);
    if (rc == ST_OK)
        draft_discard_spool(draft, file);
    return rc;
}

enum status upload_draft(struct patience *patience, const struct job *job,
                         struct draft *draft, struct err *err)
{
    struct unit *unit = &draft->unit;
    for (size_t i = 0; i < unit->n_files; i++) {
        struct path path = choose_name(patience, job, unit, i);
        enum status rc = upload_file(patience, job, draft, i, &path, err);
        unit->files[i].tmp = arena_str(&unit->arena, path_str(&path));
        TRY(rc);
    }
    return ST_OK;
}
