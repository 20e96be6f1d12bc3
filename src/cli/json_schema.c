// SPDX-License-Identifier: Apache-2.0
#include "cli/json_schema.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define DEFS "#/$defs/"

static json_t *load(const char *name)
{
    for (size_t i = 0; i < n_schema_files; i++) {
        if (strcmp(schema_files[i].name, name) != 0)
            continue;
        json_t *schema = json_loads(schema_files[i].text, 0, NULL);
        assert(schema != NULL); // the build has read it
        return schema;
    }
    return NULL;
}

static void bundle(json_t *defs, json_t *value);

// Another file's schema comes without its head; its $defs become the root's.
static void add(json_t *defs, const char *name)
{
    json_t *schema = json_object_get(defs, name) == NULL ? load(name) : NULL;
    if (schema == NULL)
        return;
    json_object_set_new(defs, name, schema);
    json_object_update_missing(defs, json_object_get(schema, "$defs"));
    json_object_del(schema, "$defs");
    json_object_del(schema, "$schema");
    bundle(defs, schema);
}

static void bundle(json_t *defs, json_t *value)
{
    const char *key, *ref = json_string_value(json_object_get(value, "$ref"));
    json_t *item;
    size_t i;
    if (ref != NULL && strncmp(ref, DEFS, strlen(DEFS)) == 0)
        add(defs, ref + strlen(DEFS));
    json_object_foreach(value, key, item) bundle(defs, item);
    json_array_foreach(value, i, item) bundle(defs, item);
}

json_t *json_schema(const char *name)
{
    json_t *schema = load(name);
    if (schema == NULL)
        return NULL;
    json_t *defs = json_incref(json_object_get(schema, "$defs"));
    if (defs == NULL)
        defs = json_object();
    json_object_del(schema, "$defs");
    bundle(defs, schema);
    // Its own come last: what they refer to is added while they are walked.
    json_t *own = json_copy(defs);
    bundle(defs, own);
    json_decref(own);
    if (json_object_size(defs) > 0)
        json_object_set(schema, "$defs", defs);
    json_decref(defs);
    return schema;
}

void json_schema_print(const char *name)
{
    json_t *schema = json_schema(name);
    assert(schema != NULL);
    json_dumpf(schema, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(schema);
}
