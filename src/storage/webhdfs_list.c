// SPDX-License-Identifier: Apache-2.0
#include "storage/webhdfs_list.h"

#include <stdlib.h>

#include "base/mem.h"
#include "core/env.h"
#include "http/url.h"
#include "storage/path.h"
#include "storage/webhdfs_answer.h"

enum {
    NAMES_MAX = 2000000,     // of a directory; HDFS allows 1,048,576 by default
    NAMES_BYTES = 256 << 20, // of all of them
    NAME_MAX_BYTES = 8000,   // HDFS's limit of a path; of a name it is 255 by default
    SLOWEST_NAME_MS = 10
};

// A directory on its way into a list, batch by batch.
struct listing {
    struct webhdfs *webhdfs;
    struct str path;
    struct arena *arena;
    struct file_list list; // items by malloc
    size_t capacity;
    size_t n_bytes; // of the names
    int64_t n_left; // names the server has not told yet
    int64_t began_ms;
};

static int64_t now_ms(void)
{
    return env_system()->ops->monotonic_ms(env_system());
}

static enum status check_name(const struct listing *listing, struct str name,
                              struct err *err)
{
    enum {
        SHOWN = 100
    };
    if (name.n == 0) // the path itself
        return webhdfs_fail(listing->webhdfs, listing->path, ST_FAIL,
                            "is a file; a directory is needed there", err);
    if (name.n <= NAME_MAX_BYTES && storage_name_is_good(name))
        return ST_OK;
    AUTO(mem_auto_free) char *place = webhdfs_place(listing->webhdfs, listing->path);
    return err_set(err, ST_FAIL,
                   "%s: an answer that WebHDFS does not give: a file of the name '%.*s'",
                   place, name.n < SHOWN ? (int)name.n : SHOWN, name.p);
}

static enum status check_size(const struct listing *listing, struct err *err)
{
    if (listing->list.n <= NAMES_MAX && listing->n_bytes <= NAMES_BYTES)
        return ST_OK;
    AUTO(mem_auto_free) char *place = webhdfs_place(listing->webhdfs, listing->path);
    return err_set(
        err, ST_FAIL,
        "%s: more than %d names, or %d bytes of them, in one directory; spread "
        "the files by WITH (directory = 'day')",
        place, NAMES_MAX, NAMES_BYTES);
}

static enum status add_item(struct listing *listing, const json_t *status,
                            struct err *err)
{
    struct file_info info;
    const json_t *name = json_object_get(status, "pathSuffix");
    if (!json_is_string(name) || !webhdfs_read_info(status, &info))
        return webhdfs_odd(listing->webhdfs, listing->path, err);
    struct str text = {json_string_value(name), json_string_length(name)};
    TRY(check_name(listing, text, err));
    listing->n_bytes += text.n;
    info.name = arena_str(listing->arena, text);
    MEM_GROW(listing->list.items, listing->list.n, listing->capacity);
    listing->list.items[listing->list.n++] = info;
    return ST_OK;
}

static enum status add_batch(struct listing *listing, const json_t *root, struct err *err)
{
    const json_t *batch = json_object_get(root, "DirectoryListing");
    const json_t *left = json_object_get(batch, "remainingEntries");
    const json_t *items = json_object_get(
        json_object_get(json_object_get(batch, "partialListing"), "FileStatuses"),
        "FileStatus");
    listing->n_left = json_integer_value(left);
    if (!json_is_integer(left) || !json_is_array(items) || listing->n_left < 0 ||
        (json_array_size(items) == 0 && listing->n_left > 0))
        return webhdfs_odd(listing->webhdfs, listing->path, err);
    for (size_t i = 0; i < json_array_size(items); i++)
        TRY(add_item(listing, json_array_get(items, i), err));
    return check_size(listing, err);
}

static struct str last_name(const struct listing *listing)
{
    return listing->list.n ? listing->list.items[listing->list.n - 1].name
                           : (struct str){0};
}

// Each batch goes on behind the last name of the one before, at a speed that gets
// somewhere; else it could go on for ever.
static enum status check_progress(const struct listing *listing, size_t n_before,
                                  struct err *err)
{
    const struct webhdfs *webhdfs = listing->webhdfs;
    int64_t most_ms = webhdfs->timeout_ms + webhdfs->retry_ms +
                      (int64_t)listing->list.n * SLOWEST_NAME_MS;
    const struct file_info *items = listing->list.items;
    if (n_before > 0 && listing->list.n > n_before &&
        str_compare(last_name(listing), items[n_before - 1].name) <= 0)
        return webhdfs_fail(webhdfs, listing->path, ST_FAIL,
                            "an answer that WebHDFS does not give: the list begins again",
                            err);
    if (listing->n_left == 0 || now_ms() - listing->began_ms <= most_ms)
        return ST_OK;
    AUTO(mem_auto_free) char *place = webhdfs_place(webhdfs, listing->path);
    return err_set(err, ST_RETRY,
                   "%s: only %zu names came within %g s, and more are left", place,
                   listing->list.n, (double)most_ms / 1000);
}

static enum status ask_batch(struct listing *listing, struct err *err)
{
    AUTO(buf_release) struct buf query = {0};
    buf_text(&query, "op=LISTSTATUS_BATCH");
    if (listing->list.n > 0) {
        buf_text(&query, "&startAfter=");
        http_url_escape(&query, last_name(listing), false);
    }
    struct ask ask = {.path = listing->path, .query = buf_cstr(&query)};
    json_t *root;
    TRY(webhdfs_ask_json(listing->webhdfs, &ask, &root, err));
    size_t n_before = listing->list.n;
    enum status rc = add_batch(listing, root, err);
    json_decref(root);
    return rc == ST_OK ? check_progress(listing, n_before, err) : rc;
}

// Of a sorted list.
static enum status check_twins(const struct listing *listing, struct err *err)
{
    const struct file_info *items = listing->list.items;
    for (size_t i = 1; i < listing->list.n; i++)
        if (str_eq(items[i].name, items[i - 1].name))
            return webhdfs_fail(
                listing->webhdfs, listing->path, ST_FAIL,
                "an answer that WebHDFS does not give: a name is listed twice", err);
    return ST_OK;
}

enum status webhdfs_list_all(struct webhdfs *webhdfs, struct str path,
                             struct arena *arena, struct file_list *ret, struct err *err)
{
    struct listing listing = {
        .webhdfs = webhdfs, .path = path, .arena = arena, .began_ms = now_ms()};
    enum status rc;
    do {
        rc = ask_batch(&listing, err);
    } while (rc == ST_OK && listing.n_left > 0);
    file_list_sort(&listing.list);
    if (rc == ST_OK)
        rc = check_twins(&listing, err);
    if (rc == ST_OK)
        file_list_copy(&listing.list, arena, ret);
    free(listing.list.items);
    return rc;
}
