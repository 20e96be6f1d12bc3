/* SPDX-License-Identifier: Apache-2.0
 * Avro's own C library:
 *   libavro_oracle read FILE                    its rows, one a line, in Avro's JSON
 *   libavro_oracle copy FROM TO CODEC BYTES     the same rows in blocks of BYTES
 */
#include <avro.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void must(int rc)
{
    if (rc == 0)
        return;
    fprintf(stderr, "libavro: %s\n", avro_strerror());
    exit(1);
}

int main(int argc, char **argv)
{
    avro_file_reader_t reader;
    avro_file_writer_t writer;
    avro_schema_t schema;
    avro_value_iface_t *class;
    avro_value_t row;
    int is_copy = argc == 6 && strcmp(argv[1], "copy") == 0;
    if (!is_copy && (argc != 3 || strcmp(argv[1], "read") != 0))
        return 2;
    must(avro_file_reader(argv[2], &reader));
    schema = avro_file_reader_get_writer_schema(reader);
    class = avro_generic_class_from_schema(schema);
    must(avro_generic_value_new(class, &row));
    if (is_copy)
        must(avro_file_writer_create_with_codec(argv[3], schema, &writer, argv[4],
                                                (size_t)atol(argv[5])));
    while (avro_file_reader_read_value(reader, &row) == 0) {
        char *json;
        if (is_copy) {
            must(avro_file_writer_append_value(writer, &row));
        } else {
            must(avro_value_to_json(&row, 1, &json));
            printf("%s\n", json);
            free(json);
        }
        avro_value_reset(&row);
    }
    if (is_copy)
        must(avro_file_writer_close(writer));
    avro_value_decref(&row);
    avro_value_iface_decref(class);
    avro_schema_decref(schema);
    must(avro_file_reader_close(reader));
    return 0;
}
