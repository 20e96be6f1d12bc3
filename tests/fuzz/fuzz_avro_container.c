// SPDX-License-Identifier: Apache-2.0
// Any bytes as a container file: rows, and an end or ST_DATA with a text; wrong rows left
// out, no fewer come.
#include <assert.h>

#include "fuzz_parts.h"

#include "bytes_storage.h"

#include "avro/table.h"

const struct fuzz_budget fuzz_budget = {
    .steps = 300 << 20,
    .steps_a_byte = 2000,
    .bytes = 96 << 20,
    .bytes_a_byte = 20000,
    .held = 48 << 20,
    .held_a_byte = 5000,
};

static size_t read_rows(struct rows *rows, enum status *ret)
{
    struct batch batch;
    struct err err = {0};
    size_t n = 0;
    batch_init(&batch, rows->schema->n);
    do {
        *ret = rows->ops->next(rows, &batch, &err);
        assert(*ret == ST_OK || (*ret == ST_DATA && err.text[0] != '\0'));
        n += *ret == ST_OK ? batch.n_rows : 0;
    } while (*ret == ST_OK && batch.n_rows > 0);
    batch_release(&batch);
    return n;
}

static size_t read_file(struct str bytes, bool skip_errors, enum status *ret)
{
    struct bytes_storage storage = bytes_storage(bytes);
    struct avro_table_options options = {.skip_errors = skip_errors};
    struct rows *rows;
    struct err err = {0};
    size_t n = 0;
    *ret = avro_table_open(&storage.storage, BYTES_FILE, &options, &rows, &err);
    if (*ret == ST_OK) {
        n = read_rows(rows, ret);
        assert(avro_table_stats(rows)->n_rows >= n);
        rows->ops->close(rows);
    } else {
        assert(err.text[0] != '\0');
    }
    return n;
}

void fuzz_input(const uint8_t *data, size_t size)
{
    struct str bytes = fuzz_copy((struct str){(const char *)data, size});
    enum status strict, lenient;
    size_t n = read_file(bytes, false, &strict);
    size_t n_lenient = read_file(bytes, true, &lenient);
    assert(n_lenient >= n);
    assert(strict != ST_OK || (lenient == ST_OK && n == n_lenient));
    free((char *)bytes.p);
}
