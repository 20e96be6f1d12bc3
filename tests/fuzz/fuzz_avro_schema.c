// SPDX-License-Identifier: Apache-2.0
// Any bytes as schemas, parted by zero bytes: a schema or ST_DATA with a text. What was
// parsed can be described, read as columns and made into C types.
#include <assert.h>

#include "fuzz_parts.h"

#include "avro/schema.h"
#include "avro/table.h"
#include "codegen/codegen.h"

const struct fuzz_budget fuzz_budget = {
    .steps = 500000, // what each C program begins with takes 350,000
    .steps_a_byte = 3000,
    .bytes = 1 << 20,
    .bytes_a_byte = 5000,
    .held = 600000,
    .held_a_byte = 3000,
};

enum {
    TEXTS_MAX = 4
};

static void check_described(const struct avro_schema *schema)
{
    struct buf text = {0};
    for (size_t i = 0; i < schema->n_types; i++) {
        buf_clear(&text);
        avro_type_describe(schema->types[i], &text);
        assert(text.n > 0);
    }
    buf_release(&text);
}

// As a program of C, and as columns: made, or a text that says why not.
static void check_used(struct str json)
{
    struct arena arena = {0};
    struct schema columns;
    struct err err = {0};
    enum status rc = avro_columns_of(json, &arena, &columns, &err);
    assert(rc == ST_OK || err.text[0] != '\0');
    arena_release(&arena);

    struct buf header = {0}, source = {0};
    char *text = mem_strndup(json.p, json.n);
    rc = avro_codegen(text, "x_", "made.h", &header, &source, &err);
    assert(rc == ST_OK || err.text[0] != '\0');
    assert((rc == ST_OK) == (source.n > 0));
    free(text);
    buf_release(&header);
    buf_release(&source);
}

void fuzz_input(const uint8_t *data, size_t size)
{
    struct str texts[TEXTS_MAX];
    struct str rest = {(const char *)data, size};
    size_t n = 0;
    while (n < TEXTS_MAX && (n == 0 || rest.n > 0))
        texts[n++] = fuzz_part(&rest);
    struct avro_schema *schema;
    struct err err = {0};
    enum status rc = avro_schema_parse(texts, n, &schema, &err);
    assert(rc == ST_OK || (rc == ST_DATA && err.text[0] != '\0'));
    if (rc == ST_OK) {
        rc = avro_schema_check_defaults(schema, &err);
        assert(rc == ST_OK || (rc == ST_DATA && err.text[0] != '\0'));
        check_described(schema);
        avro_schema_free(schema);
    }
    if (n == 1)
        check_used(texts[0]);
    for (size_t i = 0; i < n; i++)
        free((char *)texts[i].p);
}
