// SPDX-License-Identifier: Apache-2.0
#include "job/script_checks.h"

#include "job/pipeline.h"
#include "job/sink.h"
#include "job/stream.h"
#include "job/tables.h"
#include "status/listen.h"
#include "storage/overlap.h"

// Opening a registry checks its addresses and asks nothing.
static enum status check_registry(struct str value, struct err *err)
{
    const struct registry_config config = {.urls = value};
    struct registry *registry;
    TRY(registry_open(&config, &registry, err));
    registry_close(registry);
    return ST_OK;
}

static enum status check_setting(const char *name, struct str value, struct err *err)
{
    return strcmp(name, "status.listen") == 0 ? listen_check(value, err) : ST_OK;
}

// Tables.

static enum status check_table(const struct table *table, struct err *err)
{
    switch (table->kind) {
    case TABLE_SINK:
        return sink_check(table, err);
    case TABLE_STREAM:
        return stream_check(table, err);
    case TABLE_DIMENSION:
        return table_check(table, err);
    }
    return ST_OK;
}

// Places.

// False for what is not a place, or a storage's root: that is told by itself. A stream's
// path is a local one, whatever it looks like.
static bool place_of(const struct options *options, struct arena *arena,
                     struct storage_url *ret)
{
    struct str path = options_text(options, "path");
    bool is_file = connector_of(options)->stream != NULL;
    if (is_file && path.n && path.p[0] != '/')
        path = str_of(arena_printf(arena, "./%.*s", STR_ARGS(path)));
    return storage_url_parse(path, arena, ret, NULL) == ST_OK && ret->path[0] != '\0';
}

static const void *find_place(const struct options *options, struct arena *arena)
{
    struct storage_url *url = arena_zalloc(arena, sizeof(*url));
    if (!place_of(options, arena, url))
        return NULL;
    storage_overlap_prepare(url, arena);
    return url;
}

static const char *compare_places(const void *a, const void *b)
{
    static const char *const words[] = {
        [STORAGE_APART] = NULL,
        [STORAGE_SAME] = "is",
        [STORAGE_HOLDS] = "holds",
        [STORAGE_INSIDE] = "is inside",
    };
    return words[storage_overlap(a, b)];
}

const struct script_checks script_checks = {
    .registry = check_registry,
    .setting = check_setting,
    .table = check_table,
    .place = find_place,
    .compare_places = compare_places,
};
