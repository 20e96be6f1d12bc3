// SPDX-License-Identifier: Apache-2.0
#include "gtfs/manifest.h"

#include <stdlib.h>

#include "base/text.h"
#include "core/json.h"

enum {
    FORMAT = 1
};

static int compare(const void *a, const void *b)
{
    const struct feed_table *const *x = a;
    const struct feed_table *const *y = b;
    return str_compare((*x)->name, (*y)->name);
}

// The version: hash of the tables in the order of their names.
static void set_version(struct feed_manifest *manifest)
{
    struct buf text = {0};
    const struct feed_table **sorted = mem_array(manifest->n_tables + 1, sizeof(*sorted));
    for (size_t i = 0; i < manifest->n_tables; i++)
        sorted[i] = &manifest->tables[i];
    qsort(sorted, manifest->n_tables, sizeof(struct feed_table *), compare);
    for (size_t i = 0; i < manifest->n_tables; i++)
        buf_printf(&text, "%.*s %lld %s\n", STR_ARGS(sorted[i]->name),
                   (long long)sorted[i]->size,
                   sorted[i]->present ? sorted[i]->checksum.hex : "-");
    sha256_hex(text.p, text.n, manifest->version);
    free(sorted);
    buf_release(&text);
}

static json_t *json_text(struct str text)
{
    AUTO(buf_release) struct buf utf8 = {0};
    text_utf8(&utf8, text);
    return json_string(buf_cstr(&utf8));
}

static json_t *table_json(const struct feed_table *table)
{
    json_t *json =
        json_pack("{s:o, s:o, s:I, s:s, s:b}", "name", json_text(table->name), "path",
                  json_text(table->path), "size", (json_int_t)table->size, "checksum",
                  table->checksum.hex, "present", (int)table->present);
    if (table->checksum.kind != CHECKSUM_HDFS)
        json_object_set_new(json, "checksum_kind",
                            json_string(checksum_kind_name(table->checksum.kind)));
    if (table->n_rows >= 0)
        json_object_set_new(json, "rows", json_integer(table->n_rows));
    if (table->present)
        json_object_set_new(json, "from", json_string(table->from.hex));
    return json;
}

char *feed_manifest_text(struct feed_manifest *manifest)
{
    set_version(manifest);
    json_t *tables = json_array();
    for (size_t i = 0; i < manifest->n_tables; i++)
        json_array_append_new(tables, table_json(&manifest->tables[i]));
    json_t *root = json_pack("{s:i, s:o, s:I, s:o}", "format", FORMAT, "source",
                             json_text(manifest->source), "time_ms",
                             (json_int_t)manifest->time_ms, "tables", tables);
    char *text = json_dumps(root, JSON_INDENT(2));
    json_decref(root);
    return text;
}

static struct str text_of(struct arena *arena, const json_t *object, const char *key)
{
    const json_t *json = json_object_get(object, key);
    struct str text = {json_string_value(json), json_string_length(json)};
    return str_of(arena_cstr(arena, text.p ? text : str_of("")));
}

// Of `kind`, a name; "" is the first one.
static bool take_checksum(struct str hex, struct str kind, struct checksum *ret)
{
    if (kind.n > 0 && !checksum_kind_of(kind, &ret->kind))
        return false;
    if (hex.n > 0 && hex.n != checksum_digits(ret->kind))
        return false;
    memcpy(ret->hex, hex.p, hex.n);
    return true;
}

static bool take_table(struct arena *arena, const json_t *json, struct feed_table *ret)
{
    *ret = (struct feed_table){
        .name = text_of(arena, json, "name"),
        .path = text_of(arena, json, "path"),
        .size = json_integer_value(json_object_get(json, "size")),
        .present = json_is_true(json_object_get(json, "present")),
        .n_rows = -1,
    };
    const json_t *rows = json_object_get(json, "rows");
    if (json_is_integer(rows))
        ret->n_rows = json_integer_value(rows);
    struct str kind = text_of(arena, json, "checksum_kind");
    return take_checksum(text_of(arena, json, "checksum"), kind, &ret->checksum) &&
           take_checksum(text_of(arena, json, "from"), kind, &ret->from) &&
           ret->name.n > 0;
}

static bool take(const json_t *root, struct feed_manifest *ret)
{
    const json_t *tables = json_object_get(root, "tables");
    if (json_integer_value(json_object_get(root, "format")) != FORMAT ||
        !json_is_array(tables))
        return false;
    ret->source = text_of(&ret->arena, root, "source");
    ret->time_ms = json_integer_value(json_object_get(root, "time_ms"));
    ret->n_tables = json_array_size(tables);
    ret->tables = arena_array(&ret->arena, ret->n_tables + 1, sizeof(*ret->tables));
    for (size_t i = 0; i < ret->n_tables; i++)
        if (!take_table(&ret->arena, json_array_get(tables, i), &ret->tables[i]))
            return false;
    return true;
}

static enum status parse(const struct storage *root, struct str text,
                         struct feed_manifest *ret, struct err *err)
{
    json_error_t error;
    if (json_check(text, JSON_VALUES_MAX, err) != ST_OK)
        return err_context(err, ST_DATA, "%s/" FEED_MANIFEST_NAME, root->url);
    json_t *json = json_loadb(text.p, text.n, 0, &error);
    if (json == NULL)
        return err_set(err, ST_DATA,
                       "%s/" FEED_MANIFEST_NAME ":%d: %s; run extract again", root->url,
                       error.line, error.text);
    struct feed_manifest manifest = {0};
    bool is_good = take(json, &manifest);
    json_decref(json);
    if (!is_good) {
        feed_manifest_release(&manifest);
        return err_set(err, ST_DATA,
                       "%s/" FEED_MANIFEST_NAME ": not of format %d; run extract again",
                       root->url, FORMAT);
    }
    set_version(&manifest);
    *ret = manifest;
    return ST_OK;
}

enum status feed_manifest_read(struct storage *root, struct feed_manifest *ret,
                               struct err *err)
{
    AUTO(buf_release) struct buf text = {0};
    TRY(storage_read_all(root, str_of(FEED_MANIFEST_NAME), FEED_MANIFEST_BYTES, &text,
                         err));
    return parse(root, buf_as_str(&text), ret, err);
}

const struct feed_table *feed_manifest_find(const struct feed_manifest *manifest,
                                            struct str name)
{
    for (size_t i = 0; i < manifest->n_tables; i++)
        if (str_eq(manifest->tables[i].name, name))
            return &manifest->tables[i];
    return NULL;
}

void feed_manifest_release(struct feed_manifest *manifest)
{
    arena_release(&manifest->arena);
    *manifest = (struct feed_manifest){0};
}
