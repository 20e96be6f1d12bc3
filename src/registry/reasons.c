// SPDX-License-Identifier: Apache-2.0
#include "registry/reasons.h"

#include "avro/plan.h"

// ST_DATA, with the reason: nothing that the writer writes can be read.
static enum status try_reading(const struct schema_texts *writer_texts,
                               struct str reader_text, struct err *err)
{
    static const struct schema no_columns = {0};
    struct avro_schema *writer;
    struct avro_reader *reader;
    struct avro_plan *plan = NULL;
    TRY(avro_schema_parse(writer_texts->items, writer_texts->n, &writer, err));
    enum status rc = avro_reader_open(&no_columns, reader_text, &reader, err);
    if (rc == ST_OK) {
        rc = avro_plan_open(writer, reader, &plan, err);
        avro_reader_free(reader);
    }
    avro_plan_free(plan);
    avro_schema_free(writer);
    return rc;
}

static void add(const char *what, const struct err *err, struct buf *ret)
{
    buf_printf(ret, "%s%s: %s", ret->n ? "; " : "", what, err->text);
}

void reasons_find(const struct schema_texts *old_texts, struct str new_text,
                  struct buf *ret)
{
    const struct schema_texts new_texts = {&new_text, 1};
    struct err err;
    if (try_reading(old_texts, new_text, &err) != ST_OK)
        add("old records read with the new schema", &err, ret);
    // A schema that refers to others cannot be read as one text.
    if (old_texts->n == 1 && try_reading(&new_texts, old_texts->items[0], &err) != ST_OK)
        add("new records read with the old schema", &err, ret);
}
