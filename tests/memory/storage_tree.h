// SPDX-License-Identifier: Apache-2.0
// A tree of directories and files in memory: what storage/mem.c shows as a storage. It
// knows nothing of statuses. The caller holds the lock of the tree.
#ifndef MEMORY_STORAGE_TREE_H
#define MEMORY_STORAGE_TREE_H

#include <pthread.h>

#include "core/env.h"
#include "memory/storage_mem.h"

struct mem_node {
    struct str name; // owned
    bool is_directory;
    struct buf bytes; // of a file
    int64_t modified_ms;
    struct mem_node **children; // of a directory, sorted by name; owned
    size_t n_children;
    size_t capacity;
};

struct mem_tree {
    pthread_mutex_t lock; // over all that follows
    unsigned n_users;
    struct env *env; // may be NULL
    struct mem_node *root;
};

int64_t mem_tree_now(const struct mem_tree *tree);

struct mem_node *mem_node_new(struct str name, bool is_directory, int64_t modified_ms);
void mem_node_free(struct mem_node *node); // with all below it

// The node at `path` below `node`, or NULL; "" is `node` itself.
struct mem_node *mem_node_find(struct mem_node *node, struct str path);
// The first file that stands on the way to `path`, or NULL.
struct mem_node *mem_node_file_above(struct mem_node *node, struct str path);
// Makes what is missing of the directories of `path`; no file may stand on the way.
struct mem_node *mem_node_make_directories(struct mem_node *node, struct str path,
                                           int64_t modified_ms);
// The name must be free in the directory.
void mem_node_take_child(struct mem_node *directory, struct mem_node *child);
// The child is the caller's now.
struct mem_node *mem_node_detach(struct mem_node *directory, struct str name);
void mem_node_rename(struct mem_node *node, struct str name);

#endif
