// SPDX-License-Identifier: Apache-2.0
#include "memory/storage_fault.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"

enum {
    PIECE_BYTES = 64 << 10
};

// A call that changes something, as it was made.
struct change {
    enum fault_op op;
    struct str path; // or from
    struct str to;
    struct str bytes;      // create
    struct reader *reader; // write
    int64_t size_bytes;
};

// A call that was given up and may still take effect. Owns its text and bytes.
struct late {
    struct change change; // without a reader
    struct buf bytes;
    uint64_t settle_at; // number of the call before which it is settled; 0: none
};

struct fault_storage {
    struct storage storage;
    struct storage *inner; // owned
    struct fault_config config;
    uint64_t n_calls;
    struct late *late; // oldest first
    size_t n_late;
    size_t late_capacity;
};

static struct fault_storage *of(struct storage *storage)
{
    return (struct fault_storage *)storage;
}

static enum status apply(struct storage *inner, const struct change *change,
                         struct err *err)
{
    const struct storage_ops *ops = inner->ops;
    switch (change->op) {
    case FAULT_WRITE:
        return ops->write(inner, change->path, change->reader, change->size_bytes, err);
    case FAULT_CREATE:
        return ops->create_exclusive(inner, change->path, (struct str){0}, change->bytes,
                                     err);
    case FAULT_PUBLISH:
        return ops->publish(inner, change->path, change->to, err);
    case FAULT_REPLACE:
        return ops->replace(inner, change->path, change->to, err);
    case FAULT_MKDIR:
        return ops->mkdir(inner, change->path, err);
    case FAULT_REMOVE:
        return ops->remove(inner, change->path, err);
    default: // the others change nothing
        abort();
    }
}

static enum status apply_late(struct storage *inner, const struct late *late)
{
    struct err ignored = {0}; // who made the call has long been told ST_UNKNOWN
    if (late->change.op == FAULT_WRITE)
        return storage_write_bytes(inner, late->change.path, buf_as_str(&late->bytes),
                                   &ignored);
    return apply(inner, &late->change, &ignored);
}

static void late_release(struct late *late)
{
    free((char *)late->change.path.p);
    free((char *)late->change.to.p);
    free((char *)late->change.bytes.p);
    buf_release(&late->bytes);
}

enum status storage_fault_settle_one(struct storage *storage, size_t index)
{
    struct fault_storage *fault = of(storage);
    assert(index < fault->n_late);
    struct late late = fault->late[index];
    fault->n_late--;
    memmove(fault->late + index, fault->late + index + 1,
            (fault->n_late - index) * sizeof(late));
    enum status rc = apply_late(fault->inner, &late);
    late_release(&late);
    return rc;
}

void storage_fault_settle(struct storage *storage)
{
    while (of(storage)->n_late > 0)
        (void)storage_fault_settle_one(storage, 0);
}

static void settle_due(struct fault_storage *fault)
{
    for (size_t i = 0; i < fault->n_late;) {
        uint64_t at = fault->late[i].settle_at;
        if (at != 0 && at <= fault->n_calls)
            (void)storage_fault_settle_one(&fault->storage, i);
        else
            i++;
    }
}

// Counts the call and says what shall become of it.
static struct fault begin_call(struct fault_storage *fault, enum fault_op op,
                               struct str path, struct str to)
{
    const struct fault_config *config = &fault->config;
    struct fault_call call = {op, ++fault->n_calls, path, to};
    fault->inner->deadline = fault->storage.deadline;
    settle_due(fault);
    if (config->decide != NULL)
        return config->decide(config->context, &call);
    return config->at == call.number ? config->fault : (struct fault){0};
}

static enum status tell(const struct fault_storage *fault, enum fault_op op,
                        struct str path, enum status rc, const char *what,
                        struct err *err)
{
    return err_set(err, rc, "%s/%.*s: %s: %s (made by a test)", fault->storage.url,
                   STR_ARGS(path), fault_op_name(op), what);
}

static enum status read_all(struct reader *reader, struct buf *ret, struct err *err)
{
    for (;;) {
        size_t n;
        char *room = buf_room(ret, PIECE_BYTES);
        assert(room != NULL); // tests have no such files
        TRY(reader->read(reader, room, PIECE_BYTES, &n, err));
        if (n == 0)
            return ST_OK;
        ret->n += n;
    }
}

static struct str copy_text(struct str s)
{
    return (struct str){mem_strndup(s.p, s.n), s.n};
}

// The call with all that it needs to be made later, and cut if it shall be.
static enum status late_init(struct late *late, const struct change *change,
                             const struct fault *how, struct err *err)
{
    *late = (struct late){.change = *change};
    late->change.reader = NULL;
    if (change->reader != NULL) {
        enum status rc = read_all(change->reader, &late->bytes, err);
        if (rc != ST_OK) {
            buf_release(&late->bytes);
            return rc;
        }
        if (how->cut && (uint64_t)how->cut_bytes < late->bytes.n)
            late->bytes.n = (size_t)how->cut_bytes;
    }
    late->change.path = copy_text(change->path);
    late->change.to = copy_text(change->to);
    late->change.bytes = copy_text(change->bytes);
    return ST_OK;
}

static enum status make_late(struct fault_storage *fault, const struct change *change,
                             const struct fault *how, struct err *err)
{
    struct late late;
    TRY(late_init(&late, change, how, err));
    late.settle_at = how->settle_after ? fault->n_calls + how->settle_after : 0;
    MEM_GROW(fault->late, fault->n_late, fault->late_capacity);
    fault->late[fault->n_late++] = late;
    return ST_OK;
}

static enum status lose(struct fault_storage *fault, const struct change *change,
                        const struct fault *how, struct err *err)
{
    struct late now;
    TRY(late_init(&now, change, how, err));
    (void)apply_late(fault->inner, &now);
    late_release(&now);
    return ST_OK;
}

// A bit of the last byte turns on the way; nobody notices.
static enum status change_byte(struct fault_storage *fault, const struct change *change,
                               struct err *err)
{
    struct late now;
    TRY(late_init(&now, change, &(struct fault){0}, err));
    if (now.bytes.n)
        now.bytes.p[now.bytes.n - 1] ^= 1;
    enum status rc =
        storage_write_bytes(fault->inner, now.change.path, buf_as_str(&now.bytes), err);
    late_release(&now);
    return rc;
}

static enum status make_change(struct fault_storage *fault, const struct change *change,
                               struct err *err)
{
    struct fault how = begin_call(fault, change->op, change->path, change->to);
    switch (how.kind) {
    case FAULT_NONE:
        return apply(fault->inner, change, err);
    case FAULT_REFUSE:
        return tell(fault, change->op, change->path, ST_RETRY, "refused", err);
    case FAULT_FAIL:
        return tell(fault, change->op, change->path, ST_FAIL, "failed", err);
    case FAULT_LOSE:
        TRY(lose(fault, change, &how, err));
        break;
    case FAULT_LATE:
        TRY(make_late(fault, change, &how, err));
        break;
    case FAULT_DROP:
        break;
    case FAULT_CHANGE:
        return change->op == FAULT_WRITE ? change_byte(fault, change, err)
                                         : apply(fault->inner, change, err);
    }
    return tell(fault, change->op, change->path, ST_UNKNOWN, "no answer", err);
}

static enum status fault_write(struct storage *storage, struct str path,
                               struct reader *reader, int64_t size_bytes, struct err *err)
{
    struct change change = {
        .op = FAULT_WRITE, .path = path, .reader = reader, .size_bytes = size_bytes};
    return make_change(of(storage), &change, err);
}

static enum status fault_publish(struct storage *storage, struct str from, struct str to,
                                 struct err *err)
{
    struct change change = {.op = FAULT_PUBLISH, .path = from, .to = to};
    return make_change(of(storage), &change, err);
}

static enum status fault_create(struct storage *storage, struct str path,
                                struct str temporary, struct str bytes, struct err *err)
{
    struct change change = {.op = FAULT_CREATE, .path = path, .bytes = bytes};
    return storage->renames
               ? storage_create_by_rename(storage, path, temporary, bytes, err)
               : make_change(of(storage), &change, err);
}

static enum status fault_replace(struct storage *storage, struct str from, struct str to,
                                 struct err *err)
{
    struct change change = {.op = FAULT_REPLACE, .path = from, .to = to};
    return make_change(of(storage), &change, err);
}

static enum status fault_mkdir(struct storage *storage, struct str path, struct err *err)
{
    struct change change = {.op = FAULT_MKDIR, .path = path};
    return make_change(of(storage), &change, err);
}

static enum status fault_remove(struct storage *storage, struct str path, struct err *err)
{
    struct change change = {.op = FAULT_REMOVE, .path = path};
    return make_change(of(storage), &change, err);
}

// Before a call that changes nothing: ST_OK lets it through.
static enum status begin_look(struct storage *storage, enum fault_op op, struct str path,
                              struct err *err)
{
    struct fault_storage *fault = of(storage);
    switch (begin_call(fault, op, path, (struct str){0}).kind) {
    case FAULT_NONE:
    case FAULT_CHANGE:
        return ST_OK;
    case FAULT_FAIL:
        return tell(fault, op, path, ST_FAIL, "failed", err);
    default:
        return tell(fault, op, path, ST_RETRY, "refused", err);
    }
}

static enum status fault_list(struct storage *storage, struct str path,
                              struct arena *arena, struct file_list *ret, struct err *err)
{
    TRY(begin_look(storage, FAULT_LIST, path, err));
    struct storage *inner = of(storage)->inner;
    return inner->ops->list(inner, path, arena, ret, err);
}

static enum status fault_stat(struct storage *storage, struct str path,
                              struct file_info *ret, struct err *err)
{
    TRY(begin_look(storage, FAULT_STAT, path, err));
    struct storage *inner = of(storage)->inner;
    return inner->ops->stat(inner, path, ret, err);
}

static enum status fault_checksum(struct storage *storage, struct str path,
                                  struct checksum *ret, struct err *err)
{
    TRY(begin_look(storage, FAULT_CHECKSUM, path, err));
    struct storage *inner = of(storage)->inner;
    return inner->ops->checksum(inner, path, ret, err);
}

static enum status fault_read(struct storage *storage, struct str path, int64_t offset,
                              size_t size_bytes, struct buf *ret, struct err *err)
{
    TRY(begin_look(storage, FAULT_READ, path, err));
    struct storage *inner = of(storage)->inner;
    return inner->ops->read(inner, path, offset, size_bytes, ret, err);
}

static void fault_close(struct storage *storage)
{
    struct fault_storage *fault = of(storage);
    for (size_t i = 0; i < fault->n_late; i++)
        late_release(&fault->late[i]);
    free(fault->late);
    fault->inner->ops->close(fault->inner);
    free(storage->url);
    free(fault);
}

static const struct storage_ops fault_ops = {
    .write = fault_write,
    .publish = fault_publish,
    .create_exclusive = fault_create,
    .replace = fault_replace,
    .list = fault_list,
    .stat = fault_stat,
    .checksum = fault_checksum,
    .mkdir = fault_mkdir,
    .read = fault_read,
    .remove = fault_remove,
    .close = fault_close,
};

struct storage *storage_fault_open(struct storage *inner,
                                   const struct fault_config *config)
{
    struct fault_storage *fault = mem_zalloc(sizeof(*fault));
    fault->storage = *inner; // its promises
    fault->storage.ops = &fault_ops;
    fault->storage.url = mem_strdup(inner->url);
    fault->inner = inner;
    fault->config = *config;
    return &fault->storage;
}

void storage_fault_set(struct storage *storage, const struct fault_config *config)
{
    of(storage)->config = *config;
}

uint64_t storage_fault_n_calls(const struct storage *storage)
{
    return ((const struct fault_storage *)storage)->n_calls;
}

size_t storage_fault_n_late(const struct storage *storage)
{
    return ((const struct fault_storage *)storage)->n_late;
}

const char *fault_op_name(enum fault_op op)
{
    static const char *const names[FAULT_N_OPS] = {
        [FAULT_WRITE] = "write",       [FAULT_PUBLISH] = "publish",
        [FAULT_CREATE] = "create",     [FAULT_REPLACE] = "replace",
        [FAULT_LIST] = "list",         [FAULT_STAT] = "stat",
        [FAULT_CHECKSUM] = "checksum", [FAULT_MKDIR] = "mkdir",
        [FAULT_READ] = "read",         [FAULT_REMOVE] = "remove",
    };
    return names[op];
}

const char *fault_kind_name(enum fault_kind kind)
{
    static const char *const names[] = {
        [FAULT_NONE] = "none",     [FAULT_REFUSE] = "refuse", [FAULT_FAIL] = "fail",
        [FAULT_LOSE] = "lose",     [FAULT_DROP] = "drop",     [FAULT_LATE] = "late",
        [FAULT_CHANGE] = "change",
    };
    return names[kind];
}
