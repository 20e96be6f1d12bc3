// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_digest.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/hash.h"

static void add_file(struct sim_world *world, const char *path)
{
    struct buf bytes AUTO(buf_release) = {0};
    struct err err;
    if (storage_read_all(world->view, str_of(path), 1 << 24, &bytes, &err) != ST_OK)
        buf_printf(&world->trace, "%s\n", err.text);
    buf_printf(&world->trace, "%s: %zu bytes\n", path, bytes.n);
    buf_append(&world->trace, bytes.p, bytes.n);
}

static void add_directory(struct sim_world *world, const char *directory)
{
    struct arena arena AUTO(arena_release) = {0};
    struct file_list list;
    struct err err;
    if (world->view->ops->list(world->view, str_of(directory), &arena, &list, &err) !=
        ST_OK)
        return;
    for (size_t i = 0; i < list.n; i++) {
        char path[256];
        snprintf(path, sizeof(path), "%s%s%s", directory, *directory ? "/" : "",
                 list.items[i].name.p);
        if (list.items[i].is_directory)
            add_directory(world, path);
        else
            add_file(world, path);
    }
}

void sim_show_digests(uint64_t n)
{
    static struct sim_world world;
    char digest[SHA256_HEX];
    for (uint64_t seed = 1; seed <= n; seed++) {
        sim_world_run(&world, seed, true);
        add_directory(&world, "");
        sha256_hex(world.trace.p, world.trace.n, digest);
        printf("%" PRIu64 " %s\n", seed, digest);
        sim_world_release(&world);
    }
}
