/* SPDX-License-Identifier: Apache-2.0
 * Uses generated code by hand: schema tests/fuzz/schemas/tree.avsc by prefixes a_ and b_,
 * in one program; and stop_time. Exits 0 when all holds. */
#include "a.h"
#include "b.h"
#include "stop_times.h"
#include "trips.h"

#include <stdio.h>

#define HOLDS(condition)                                           \
    do {                                                           \
        if (!(condition)) {                                        \
            printf("line %d: not so: %s\n", __LINE__, #condition); \
            return 1;                                              \
        }                                                          \
    } while (0)

static int is_text(const struct avro_buffer *out, const char *text)
{
    return strcmp(out->p, text) == 0 && out->n == strlen(text);
}

static int a_value_set_by_hand(void)
{
    struct gtfs_stop_time x, y;
    struct avro_buffer out;
    size_t used = 0;
    memset(&out, 0, sizeof(out));
    HOLDS(gtfs_stop_time_init(&x) == AVRO_OK);
    x.trip_id = avro_str_of("t\x1b[31m\xff\"1\"");
    x.arrival_time.has = true;
    x.arrival_time.value = avro_str_of("F\xc3\xaate \xc2\x9b");
    HOLDS(gtfs_stop_time_text(&x, &out) == AVRO_OK);
    HOLDS(is_text(&out,
                  "{\"trip_id\": \"t\\u001b[31m\\ufffd\\\"1\\\"\", \"arrival_time\": "
                  "\"F\xc3\xaate \\u009b\", \"departure_time\": null, \"stop_id\": \"\", "
                  "\"stop_sequence\": null}"));
    out.n = 0;
    HOLDS(gtfs_stop_time_encode(&x, &out) == AVRO_OK);
    HOLDS(gtfs_stop_time_encode(&x, &out) == AVRO_OK); /* appends */
    HOLDS(gtfs_stop_time_decode(out.p, out.n, &y, NULL) ==
          AVRO_WRONG); /* bytes left over */
    HOLDS(gtfs_stop_time_decode(out.p, out.n, &y, &used) == AVRO_OK);
    HOLDS(used == out.n / 2 && y.trip_id.n == x.trip_id.n && !y.stop_sequence.has);
    avro_buffer_release(&out);
    return 0;
}

static int types_are_shared_by_headers_of_one_prefix(void)
{
    struct gtfs_stop_time x;
    struct gtfs_trip y;
    HOLDS(gtfs_stop_time_init(&x) == AVRO_OK && gtfs_trip_init(&y) == AVRO_OK);
    x.arrival_time.has = true;
    HOLDS(!y.headsign.has);
    y.headsign = x.arrival_time; /* both are struct gtfs_optional_string */
    HOLDS(y.headsign.has);
    return 0;
}

static int what_cannot_be_written_is_refused(void)
{
    struct a_node x;
    struct avro_buffer out;
    memset(&out, 0, sizeof(out));
    HOLDS(a_node_init(&x) == AVRO_OK);
    HOLDS(a_node_encode(&x, &out) == AVRO_WRONG &&
          out.n == 0); /* any: a pointer that is NULL */
    HOLDS(a_node_text(&x, &out) == AVRO_OK && strstr(out.p, "\"any\": \"?\"") != NULL);
    x.any.kind = a_node_or_int_or_array_of_array_of_node_or_leaf_int;
    x.any.as.int_ = 5;
    HOLDS(a_node_encode(&x, &out) == AVRO_OK);
    x.left.value = &x; /* within itself, without end */
    x.right.value = &x;
    out.n = 0;
    HOLDS(a_node_encode(&x, &out) == AVRO_TOO_DEEP && out.n == 0);
    HOLDS(a_node_text(&x, &out) == AVRO_TOO_DEEP && out.n == 0);
    avro_buffer_release(&out);
    return 0;
}

static int items_are_taken_from_malloc_and_released(void)
{
    struct b_node x;
    HOLDS(b_node_init(&x) == AVRO_OK);
    x.kids.items = (struct b_node *)calloc(2, sizeof(struct b_node));
    x.kids.n = 2;
    x.left.value = (struct b_node *)calloc(1, sizeof(struct b_node));
    b_node_release(&x);
    HOLDS(x.kids.items == NULL && x.left.value == NULL);
    b_node_release(&x); /* once more does no harm */
    return 0;
}

int main(void)
{
    return a_value_set_by_hand() || what_cannot_be_written_is_refused() ||
           items_are_taken_from_malloc_and_released() ||
           types_are_shared_by_headers_of_one_prefix();
}
