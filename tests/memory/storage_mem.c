// SPDX-License-Identifier: Apache-2.0
#include "memory/storage_mem.h"

#include <assert.h>
#include <stdlib.h>

#include "memory/storage_tree.h"
#include "storage/path.h"

enum {
    PIECE_BYTES = 64 << 10
};

struct mem {
    struct storage storage;
    struct mem_tree *tree; // counted
    char *root;            // "/result"; "" for all of the tree
};

static struct mem_tree *tree_of(const struct storage *storage)
{
    return ((const struct mem *)storage)->tree;
}

// The path in the tree; the caller frees it.
static char *full_path(const struct storage *storage, struct str path)
{
    char *full = storage_path_join(((const struct mem *)storage)->root, path);
    memmove(full, full + 1, strlen(full)); // without the '/' at its front
    return full;
}

// Begins a call: checks the path, makes it one of the tree (the caller frees it), locks.
static enum status begin(struct storage *storage, struct str path, bool root_too,
                         char **ret_full, struct err *err)
{
    TRY(storage_path_check(storage, path, root_too, err));
    *ret_full = full_path(storage, path);
    pthread_mutex_lock(&tree_of(storage)->lock);
    return ST_OK;
}

static enum status end(struct storage *storage, enum status rc)
{
    pthread_mutex_unlock(&tree_of(storage)->lock);
    return rc;
}

// All paths from here on are those in the tree.
static enum status fail(struct str path, enum status rc, const char *what,
                        struct err *err)
{
    return err_set(err, rc, "mem:///%.*s: %s", STR_ARGS(path), what);
}

static enum status find(struct mem_tree *tree, struct str path, struct mem_node **ret,
                        struct err *err)
{
    *ret = mem_node_find(tree->root, path);
    return *ret != NULL ? ST_OK : fail(path, ST_NOT_FOUND, "is not there", err);
}

static enum status find_file(struct mem_tree *tree, struct str path,
                             struct mem_node **ret, struct err *err)
{
    TRY(find(tree, path, ret, err));
    if ((*ret)->is_directory)
        return fail(path, ST_FAIL, "is a directory; a file is needed there", err);
    return ST_OK;
}

static enum status make_directories(struct mem_tree *tree, struct str path,
                                    struct mem_node **ret, struct err *err)
{
    const struct mem_node *node = mem_node_find(tree->root, path);
    bool is_file = node != NULL && !node->is_directory;
    if (is_file || mem_node_file_above(tree->root, path) != NULL)
        return fail(path, ST_FAIL, "is a file; a directory is needed there", err);
    *ret = mem_node_make_directories(tree->root, path, mem_tree_now(tree));
    return ST_OK;
}

static enum status mem_mkdir(struct storage *storage, struct str path, struct err *err)
{
    AUTO(mem_auto_free) char *full = NULL;
    struct mem_node *made;
    TRY(begin(storage, path, true, &full, err));
    return end(storage, make_directories(tree_of(storage), str_of(full), &made, err));
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

static enum status add_file(struct mem_tree *tree, struct str path, struct str bytes,
                            struct err *err)
{
    struct mem_node *directory;
    if (mem_node_find(tree->root, path) != NULL)
        return fail(path, ST_EXISTS, "is there already", err);
    TRY(make_directories(tree, storage_path_parent(path), &directory, err));
    struct mem_node *file =
        mem_node_new(storage_path_name(path), false, mem_tree_now(tree));
    buf_str(&file->bytes, bytes); // a copy of just the size
    mem_node_take_child(directory, file);
    return ST_OK;
}

static enum status mem_write(struct storage *storage, struct str path,
                             struct reader *reader, int64_t size_bytes, struct err *err)
{
    AUTO(mem_auto_free) char *full = NULL;
    AUTO(buf_release) struct buf bytes = {0};
    TRY(read_all(reader, &bytes, err));
    if ((int64_t)bytes.n != size_bytes)
        return err_set(err, ST_FAIL, "%s/%.*s: %lld bytes were promised and %zu came",
                       storage->url, STR_ARGS(path), (long long)size_bytes, bytes.n);
    TRY(begin(storage, path, false, &full, err));
    return end(storage,
               add_file(tree_of(storage), str_of(full), buf_as_str(&bytes), err));
}

// Moves a node to `to`, whose name must be free in its directory.
static void move(struct mem_tree *tree, struct str from, struct str to)
{
    struct mem_node *source = mem_node_find(tree->root, storage_path_parent(from));
    struct mem_node *target = mem_node_find(tree->root, storage_path_parent(to));
    struct mem_node *node = mem_node_detach(source, storage_path_name(from));
    mem_node_rename(node, storage_path_name(to));
    mem_node_take_child(target, node);
}

static bool is_inside(struct str path, struct str directory)
{
    return path.n > directory.n && path.p[directory.n] == '/' &&
           memcmp(path.p, directory.p, directory.n) == 0;
}

// What holds for each rename: there is something to move, and a place for it.
static enum status check_rename(const struct mem_tree *tree, struct str from,
                                struct str to, struct err *err)
{
    struct str parent = storage_path_parent(to);
    const struct mem_node *directory = mem_node_find(tree->root, parent);
    if (mem_node_find(tree->root, from) == NULL)
        return fail(from, ST_NOT_FOUND, "is not there, cannot be renamed", err);
    if (directory == NULL)
        return fail(to, ST_NOT_FOUND, "cannot rename to it: its directory is missing",
                    err);
    if (!directory->is_directory)
        return fail(parent, ST_FAIL, "is a file; a directory is needed there", err);
    if (is_inside(to, from))
        return fail(to, ST_FAIL, "cannot move a directory into itself", err);
    return ST_OK;
}

static enum status publish(struct mem_tree *tree, struct str from, struct str to,
                           struct err *err)
{
    TRY(check_rename(tree, from, to, err));
    if (mem_node_find(tree->root, to) != NULL)
        return fail(to, ST_EXISTS, "is there already", err);
    move(tree, from, to);
    return ST_OK;
}

static enum status replace(struct mem_tree *tree, struct str from, struct str to,
                           struct err *err)
{
    struct mem_node *file;
    TRY(check_rename(tree, from, to, err));
    if (str_eq(from, to))
        return ST_OK;
    if (mem_node_find(tree->root, to) != NULL) {
        TRY(find_file(tree, from, &file, err));
        TRY(find_file(tree, to, &file, err));
        struct mem_node *directory = mem_node_find(tree->root, storage_path_parent(to));
        mem_node_free(mem_node_detach(directory, storage_path_name(to)));
    }
    move(tree, from, to);
    return ST_OK;
}

static enum status cannot_rename(const struct storage *storage, struct str from,
                                 struct err *err)
{
    return err_set(err, ST_USAGE, "%s/%.*s: this storage cannot rename", storage->url,
                   STR_ARGS(from));
}

static enum status mem_publish(struct storage *storage, struct str from, struct str to,
                               struct err *err)
{
    if (!storage->renames)
        return cannot_rename(storage, from, err);
    TRY(storage_path_check(storage, to, false, err));
    AUTO(mem_auto_free) char *source = NULL;
    AUTO(mem_auto_free) char *target = full_path(storage, to);
    TRY(begin(storage, from, false, &source, err));
    return end(storage, publish(tree_of(storage), str_of(source), str_of(target), err));
}

static enum status create(struct mem_tree *tree, struct str path, struct str bytes,
                          struct err *err)
{
    const struct mem_node *parent = mem_node_find(tree->root, storage_path_parent(path));
    if (parent == NULL)
        return fail(path, ST_NOT_FOUND, "cannot be made: its directory is missing", err);
    return add_file(tree, path, bytes, err);
}

static enum status mem_create(struct storage *storage, struct str path,
                              struct str temporary, struct str bytes, struct err *err)
{
    AUTO(mem_auto_free) char *full = NULL;
    if (storage->renames)
        return storage_create_by_rename(storage, path, temporary, bytes, err);
    TRY(begin(storage, path, false, &full, err));
    return end(storage, create(tree_of(storage), str_of(full), bytes, err));
}

static enum status mem_replace(struct storage *storage, struct str from, struct str to,
                               struct err *err)
{
    if (!storage->renames)
        return cannot_rename(storage, from, err);
    TRY(storage_path_check(storage, to, false, err));
    AUTO(mem_auto_free) char *source = NULL;
    AUTO(mem_auto_free) char *target = full_path(storage, to);
    TRY(begin(storage, from, false, &source, err));
    return end(storage, replace(tree_of(storage), str_of(source), str_of(target), err));
}

static struct file_info info_of(const struct mem_node *node)
{
    return (struct file_info){
        .is_directory = node->is_directory,
        .size = (int64_t)node->bytes.n,
        .modified_ms = node->modified_ms,
    };
}

static enum status list(struct mem_tree *tree, struct str path, struct arena *arena,
                        struct file_list *ret, struct err *err)
{
    struct mem_node *node;
    TRY(find(tree, path, &node, err));
    if (!node->is_directory)
        return fail(path, ST_FAIL, "is a file; a directory is needed there", err);
    ret->n = node->n_children;
    ret->items = arena_array(arena, ret->n, sizeof(*ret->items));
    for (size_t i = 0; i < ret->n; i++) {
        ret->items[i] = info_of(node->children[i]);
        ret->items[i].name = arena_str(arena, node->children[i]->name);
    }
    return ST_OK;
}

static enum status mem_list(struct storage *storage, struct str path, struct arena *arena,
                            struct file_list *ret, struct err *err)
{
    AUTO(mem_auto_free) char *full = NULL;
    TRY(begin(storage, path, true, &full, err));
    return end(storage, list(tree_of(storage), str_of(full), arena, ret, err));
}

static enum status mem_stat(struct storage *storage, struct str path,
                            struct file_info *ret, struct err *err)
{
    AUTO(mem_auto_free) char *full = NULL;
    struct mem_node *node;
    TRY(begin(storage, path, true, &full, err));
    enum status rc = find(tree_of(storage), str_of(full), &node, err);
    if (rc == ST_OK)
        *ret = info_of(node);
    return end(storage, rc);
}

static enum status mem_checksum(struct storage *storage, struct str path,
                                struct checksum *ret, struct err *err)
{
    AUTO(mem_auto_free) char *full = NULL;
    struct mem_node *node;
    TRY(begin(storage, path, false, &full, err));
    enum status rc = find_file(tree_of(storage), str_of(full), &node, err);
    if (rc == ST_OK) {
        struct checksummer *sum = checksummer_open(storage->checksum_kind);
        checksummer_add(sum, node->bytes.p, node->bytes.n);
        checksummer_finish(sum, ret);
        checksummer_free(sum);
    }
    return end(storage, rc);
}

static enum status mem_read(struct storage *storage, struct str path, int64_t offset,
                            size_t size_bytes, struct buf *ret, struct err *err)
{
    AUTO(mem_auto_free) char *full = NULL;
    struct mem_node *node;
    TRY(begin(storage, path, false, &full, err));
    enum status rc = find_file(tree_of(storage), str_of(full), &node, err);
    if (rc == ST_OK && (uint64_t)offset < node->bytes.n) {
        size_t left = node->bytes.n - (size_t)offset;
        buf_append(ret, node->bytes.p + offset, left < size_bytes ? left : size_bytes);
        rc = buf_check(ret, full, err);
    }
    return end(storage, rc);
}

static enum status remove_node(struct mem_tree *tree, struct str path, struct err *err)
{
    struct mem_node *node;
    TRY(find(tree, path, &node, err));
    struct mem_node *directory = mem_node_find(tree->root, storage_path_parent(path));
    mem_node_free(mem_node_detach(directory, storage_path_name(path)));
    return ST_OK;
}

static enum status mem_remove(struct storage *storage, struct str path, struct err *err)
{
    AUTO(mem_auto_free) char *full = NULL;
    TRY(begin(storage, path, false, &full, err));
    return end(storage, remove_node(tree_of(storage), str_of(full), err));
}

static void mem_close(struct storage *storage)
{
    struct mem *mem = (struct mem *)storage;
    mem_tree_unref(mem->tree);
    free(mem->root);
    free(storage->url);
    free(mem);
}

static const struct storage_ops mem_ops = {
    .write = mem_write,
    .publish = mem_publish,
    .create_exclusive = mem_create,
    .replace = mem_replace,
    .list = mem_list,
    .stat = mem_stat,
    .checksum = mem_checksum,
    .mkdir = mem_mkdir,
    .read = mem_read,
    .remove = mem_remove,
    .close = mem_close,
};

struct storage *storage_mem_open(struct mem_tree *tree, const char *root)
{
    struct mem *mem = mem_zalloc(sizeof(*mem));
    mem->storage = (struct storage){
        .ops = &mem_ops,
        .url = mem_printf("mem://%s", root),
        .exclusive = true,
        .durable = true,
        .renames = true,
    };
    mem->root = mem_strdup(strcmp(root, "/") == 0 ? "" : root);
    mem->tree = tree;
    pthread_mutex_lock(&tree->lock);
    tree->n_users++;
    pthread_mutex_unlock(&tree->lock);
    return &mem->storage;
}

struct storage *storage_mem_open_flat(struct mem_tree *tree, const char *root)
{
    struct storage *storage = storage_mem_open(tree, root);
    storage->renames = false;
    return storage;
}
