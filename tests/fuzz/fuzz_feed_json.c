// SPDX-License-Identifier: Apache-2.0
// Any bytes as _feed.json, _extract.json and _kept.json, parted by zero bytes: read, or
// refused with a text; what was read is written and read again the same. What is begun is
// finished within the tables' own directories: a file beside them stays as it is.
#include <assert.h>

#include "fuzz_parts.h"

#include "gtfs/manifest.h"
#include "gtfs/swap.h"
#include "memory/storage_mem.h"

const struct fuzz_budget fuzz_budget = {
    .steps = 40000,
    .steps_a_byte = 3000,
    .bytes = 3 << 20,
    .bytes_a_byte = 6000,
    .held = 1 << 20,
    .held_a_byte = 2000,
};

static void put(struct storage *st, const char *path, struct str bytes)
{
    struct err err = {0};
    enum status rc = storage_write_bytes(st, str_of(path), bytes, &err);
    assert(rc == ST_OK);
}

static void check_manifest(struct storage *root)
{
    struct feed_manifest manifest, again;
    struct err err = {0};
    enum status rc = feed_manifest_read(root, &manifest, &err);
    if (rc != ST_OK) {
        assert((rc == ST_DATA || rc == ST_LIMIT) && err.text[0] != '\0');
        return;
    }
    char *text = feed_manifest_text(&manifest);
    rc = root->ops->remove(root, str_of(FEED_MANIFEST_NAME), &err);
    assert(rc == ST_OK);
    put(root, FEED_MANIFEST_NAME, str_of(text));
    rc = feed_manifest_read(root, &again, &err);
    assert(rc == ST_OK && again.n_tables == manifest.n_tables);
    assert(strcmp(again.version, manifest.version) == 0);
    free(text);
    feed_manifest_release(&manifest);
    feed_manifest_release(&again);
}

static void check_swap(struct storage *root, struct storage *trips, struct storage *times,
                       struct env *env)
{
    const struct feed_place places[] = {{"trips", trips}, {"times", times}};
    static const char *const to[] = {"trips.csv", "times.csv"};
    bool found;
    struct err err = {0};
    enum status rc = feed_swap_finish(root, places, ARRAY_LEN(places), env, &found, &err);
    assert(rc == ST_OK || err.text[0] != '\0');
    err = (struct err){0};
    rc = feed_swap_back(root, places, ARRAY_LEN(places), to, env, &err);
    assert(rc == ST_OK || err.text[0] != '\0');
}

static void check_beside(struct storage *top)
{
    AUTO(buf_release) struct buf bytes = {0};
    struct err err = {0};
    enum status rc = storage_read_all(top, STR_LITERAL("beside"), 100, &bytes, &err);
    assert(rc == ST_OK && str_is(buf_as_str(&bytes), "untouched"));
}

static int64_t no_time(UNUSED struct env *env)
{
    return 0;
}

static void no_sleep(UNUSED struct env *env, UNUSED int64_t ms)
{
}

static void no_chance(UNUSED struct env *env, void *ret, size_t n_bytes)
{
    memset(ret, 0, n_bytes);
}

void fuzz_input(const uint8_t *data, size_t size)
{
    static const struct env_ops ops = {no_time, no_time, no_sleep, no_chance};
    struct env env = {.ops = &ops};
    static const char *const names[] = {FEED_MANIFEST_NAME, FEED_SWAP_NAME,
                                        FEED_KEPT_NAME};
    struct mem_tree *tree = mem_tree_open(NULL);
    struct storage *top = storage_mem_open(tree, "/");
    struct storage *root = storage_mem_open(tree, "/feed");
    struct storage *trips = storage_mem_open(tree, "/feed/trips");
    struct storage *times = storage_mem_open(tree, "/feed/times");
    put(top, "beside", STR_LITERAL("untouched"));
    put(trips, "trips.csv", STR_LITERAL("a"));
    put(trips, "_tmp-1", STR_LITERAL("b"));
    put(times, "_kept-1.csv", STR_LITERAL("c"));
    struct str rest = {(const char *)data, size};
    for (size_t i = 0; i < ARRAY_LEN(names) && rest.n > 0; i++) {
        struct str text = fuzz_part(&rest);
        if (text.n > 0)
            put(root, names[i], text);
        free((char *)text.p);
    }
    struct file_info info;
    struct err err;
    if (root->ops->stat(root, str_of(FEED_MANIFEST_NAME), &info, &err) == ST_OK)
        check_manifest(root);
    check_swap(root, trips, times, &env);
    check_beside(top);
    times->ops->close(times);
    trips->ops->close(trips);
    root->ops->close(root);
    top->ops->close(top);
    mem_tree_unref(tree);
}
