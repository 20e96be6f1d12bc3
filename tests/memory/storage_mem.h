// SPDX-License-Identifier: Apache-2.0
// Storage in memory, for tests and the simulator.
//
// The contents are a tree of their own, counted; any number of storages show the same
// one, as several workers see one HDFS. Every call takes effect in one step. A tree may
// be used by several threads, each with a storage of its own. Promises exclusive and
// durable.
#ifndef MEMORY_STORAGE_MEM_H
#define MEMORY_STORAGE_MEM_H

#include "core/env.h"
#include "core/storage.h"

struct mem_tree;

// An empty tree. Its clock for modified_ms is `env`, borrowed for the tree's life; NULL:
// all times are 0.
struct mem_tree *mem_tree_open(struct env *env);
void mem_tree_unref(struct mem_tree *tree); // NULL is fine; frees it with its last user

// A storage on the tree, which it holds while open. `root` is a directory in the tree as
// an absolute path, "/result", which need not exist; its URL is "mem:///result".
struct storage *storage_mem_open(struct mem_tree *tree, const char *root);
// One that cannot rename, as a store of objects.
struct storage *storage_mem_open_flat(struct mem_tree *tree, const char *root);

#endif
