// SPDX-License-Identifier: Apache-2.0
#include "memory/storage_tree.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"

struct mem_tree *mem_tree_open(struct env *env)
{
    struct mem_tree *tree = mem_zalloc(sizeof(*tree));
    pthread_mutex_init(&tree->lock, NULL);
    tree->n_users = 1;
    tree->env = env;
    tree->root = mem_node_new(STR_LITERAL(""), true, mem_tree_now(tree));
    return tree;
}

void mem_tree_unref(struct mem_tree *tree)
{
    if (tree == NULL)
        return;
    pthread_mutex_lock(&tree->lock);
    bool is_last = --tree->n_users == 0;
    pthread_mutex_unlock(&tree->lock);
    if (!is_last)
        return;
    mem_node_free(tree->root);
    pthread_mutex_destroy(&tree->lock);
    free(tree);
}

int64_t mem_tree_now(const struct mem_tree *tree)
{
    return tree->env != NULL ? tree->env->ops->wall_ms(tree->env) : 0;
}

struct mem_node *mem_node_new(struct str name, bool is_directory, int64_t modified_ms)
{
    struct mem_node *node = mem_zalloc(sizeof(*node));
    node->name = (struct str){mem_strndup(name.p, name.n), name.n};
    node->is_directory = is_directory;
    node->modified_ms = modified_ms;
    return node;
}

void mem_node_free(struct mem_node *node)
{
    if (node == NULL)
        return;
    for (size_t i = 0; i < node->n_children; i++)
        mem_node_free(node->children[i]);
    free(node->children);
    buf_release(&node->bytes);
    free((char *)node->name.p);
    free(node);
}

// Index of the first child whose name is not below `name`.
static size_t child_index(const struct mem_node *directory, struct str name)
{
    size_t low = 0;
    size_t high = directory->n_children;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (str_compare(directory->children[middle]->name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct mem_node *find_child(const struct mem_node *directory, struct str name)
{
    size_t i = child_index(directory, name);
    if (i == directory->n_children || !str_eq(directory->children[i]->name, name))
        return NULL;
    return directory->children[i];
}

struct mem_node *mem_node_find(struct mem_node *node, struct str path)
{
    if (path.n == 0)
        return node;
    struct str rest = path;
    while (node != NULL && rest.p != NULL)
        node = find_child(node, str_cut(&rest, '/'));
    return node;
}

struct mem_node *mem_node_file_above(struct mem_node *node, struct str path)
{
    struct str rest = path;
    while (node != NULL && node->is_directory && rest.p != NULL)
        node = find_child(node, str_cut(&rest, '/'));
    return rest.p != NULL ? node : NULL;
}

struct mem_node *mem_node_make_directories(struct mem_node *node, struct str path,
                                           int64_t modified_ms)
{
    struct str rest = path;
    while (path.n > 0 && rest.p != NULL) {
        struct str name = str_cut(&rest, '/');
        struct mem_node *child = find_child(node, name);
        if (child == NULL) {
            child = mem_node_new(name, true, modified_ms);
            mem_node_take_child(node, child);
        }
        assert(child->is_directory);
        node = child;
    }
    return node;
}

void mem_node_take_child(struct mem_node *directory, struct mem_node *child)
{
    size_t i = child_index(directory, child->name);
    MEM_GROW(directory->children, directory->n_children, directory->capacity);
    struct mem_node **at = directory->children + i;
    memmove(at + 1, at, (directory->n_children - i) * sizeof(struct mem_node *));
    *at = child;
    directory->n_children++;
}

struct mem_node *mem_node_detach(struct mem_node *directory, struct str name)
{
    size_t i = child_index(directory, name);
    assert(i < directory->n_children && str_eq(directory->children[i]->name, name));
    struct mem_node **at = directory->children + i;
    struct mem_node *child = *at;
    directory->n_children--;
    memmove(at, at + 1, (directory->n_children - i) * sizeof(struct mem_node *));
    return child;
}

void mem_node_rename(struct mem_node *node, struct str name)
{
    char *copy = mem_strndup(name.p, name.n);
    free((char *)node->name.p);
    node->name = (struct str){copy, name.n};
}
