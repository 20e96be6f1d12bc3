// SPDX-License-Identifier: Apache-2.0
#include "storage/overlap.h"

#include <stdlib.h>

#include "base/mem.h"
#include "storage/scheme.h"

// The path with the symbolic links of what is there replaced; what is not there yet stays
// as it is written.
static char *resolve(const char *path)
{
    AUTO(mem_auto_free) char *there = mem_strdup(path[0] ? path : "/");
    size_t n = strlen(there);
    char *real;
    while ((real = realpath(there, NULL)) == NULL && n > 1) {
        while (n > 1 && there[n - 1] != '/')
            n--;
        n -= n > 1;
        there[n] = '\0';
    }
    const char *rest = path + (n > 1 ? n : 0); // begins with '/', or is empty
    char *ret = mem_printf("%s%s", real && strcmp(real, "/") != 0 ? real : "", rest);
    free(real);
    return ret;
}

// Both without a final '/'; "" is the root.
static enum storage_overlap compare_paths(struct str a, struct str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    if (n > 0 && memcmp(a.p, b.p, n) != 0)
        return STORAGE_APART;
    if (a.n == b.n)
        return STORAGE_SAME;
    const struct str *longer = a.n > b.n ? &a : &b;
    if (longer->p[n] != '/')
        return STORAGE_APART;
    return a.n < b.n ? STORAGE_HOLDS : STORAGE_INSIDE;
}

static struct str host_of(struct str node)
{
    size_t n = node.n;
    while (n > 0 && node.p[n - 1] != ':')
        n--;
    struct str host = {node.p, n ? n - 1 : node.n};
    if (str_ends_with(host, ".")) // a name in full
        host.n--;
    bool is_here = str_is(host, "localhost") || str_is(host, "[::1]");
    return is_here ? STR_LITERAL("127.0.0.1") : host;
}

static struct str port_of(struct str node)
{
    size_t n = node.n;
    while (n > 0 && node.p[n - 1] != ':')
        n--;
    return (struct str){node.p + n, node.n - n};
}

// HTTP and HTTPS of one name node have two ports.
static bool is_same_node(const struct storage_url *a, struct str a_node,
                         const struct storage_url *b, struct str b_node)
{
    return str_eq(host_of(a_node), host_of(b_node)) &&
           (a->tls != b->tls || str_eq(port_of(a_node), port_of(b_node)));
}

static bool share_node(const struct storage_url *a, const struct storage_url *b)
{
    for (struct str rest = str_of(a->nodes); rest.p != NULL;) {
        struct str node = str_cut(&rest, ',');
        for (struct str others = str_of(b->nodes); others.p != NULL;)
            if (is_same_node(a, node, b, str_cut(&others, ',')))
                return true;
    }
    return false;
}

enum storage_overlap storage_overlap(const struct storage_url *a,
                                     const struct storage_url *b)
{
    if (a->scheme->open != b->scheme->open) // of hdfs:// and hdfss:// it is one
        return STORAGE_APART;
    enum storage_overlap ret = compare_paths(str_of(a->path), str_of(b->path));
    bool apart = a->nodes[0] && ret != STORAGE_APART && !share_node(a, b);
    return apart ? STORAGE_APART : ret;
}

void storage_overlap_prepare(struct storage_url *url, struct arena *arena)
{
    if (!url->is_local)
        return;
    AUTO(mem_auto_free) char *path = resolve(url->path);
    url->path = arena_cstr(arena, str_of(path));
}
