// SPDX-License-Identifier: Apache-2.0
// When tables say that service ends, by the sentences of the GTFS reference that
// gtfs/expiry.h quotes. Expected times: `date -u -d ... +%s`.
#include "test.h"

#include "csv_fixture.h"

#include "csv/decoder.h"
#include "gtfs/expiry.h"

#define CALENDAR "service_id TEXT, monday INT, start_date TEXT, end_date TEXT"
#define DATES    "service_id TEXT, date TEXT, exception_type INT"
#define INFO     "feed_publisher_name TEXT, feed_start_date TEXT, feed_end_date TEXT"

enum {
    TABLES_MAX = 4
};

struct table_text {
    const char *schema;
    const char *rows; // lines by '/'
};

static void take(struct expiry *expiry, const struct table_text *table)
{
    AUTO(arena_release) struct arena arena = {0};
    struct schema schema = schema_of(&arena, table->schema);
    struct decoder *decoder;
    struct batch batch;
    struct err err;
    assert_ok(csv_decoder_open(&schema, NULL, &decoder, &err), &err);
    batch_init(&batch, schema.n);
    expiry_init(expiry, &schema);
    struct str rest = str_of(table->rows);
    while (rest.n > 0) {
        struct record record = {.value = str_cut(&rest, '/')};
        struct run run = {.records = &record, .n = 1};
        size_t next;
        batch_clear(&batch);
        assert_ok(decoder->ops->decode(decoder, &run, 0, &batch, &next, &err), &err);
        assert_int_equal(batch.n_rejects, 0);
        expiry_take(expiry, &batch);
    }
    decoder->ops->close(decoder);
    batch_release(&batch);
}

#define NOV_30  1796083200000 // 2026-12-01T00:00:00Z
#define DEC_05  1796515200000 // 2026-12-06T00:00:00Z
#define DEC_31  1798761600000 // 2027-01-01T00:00:00Z
#define LEAP    1835481600000 // 2028-03-01T00:00:00Z
#define UNKNOWN (-1)

static void test_the_last_day_with_service_is_found(UNUSED void **state)
{
    static const struct {
        struct table_text tables[TABLES_MAX];
        int64_t ms[TABLES_MAX];
    } cases[] = {
        {{{"trip_id TEXT, date TEXT", "a,20261130"}}, {UNKNOWN}},
        {{{CALENDAR, ""}}, {UNKNOWN}},
        {{{CALENDAR, "a,1,20260101,20261130/b,0,20260101,20260601"}}, {NOV_30}},
        {{{CALENDAR, "a,1,20260101,20280229"}}, {LEAP}},
        {{{CALENDAR, "a,1,20260101,20261131/b,1,20260101,/c,1,x,2026-12-31"}}, {UNKNOWN}},
        // Each date of service stands there.
        {{{DATES, "a,20261130,1/a,20261105,1"}}, {NOV_30}},
        // Exceptions of a calendar that is not among the tables.
        {{{DATES, "a,20261130,1/a,20261205,2"}}, {UNKNOWN}},
        {{{DATES, "a,20261130,2"}}, {UNKNOWN}},
        {{{CALENDAR, "a,1,20260101,20261130"}, {DATES, "a,20261205,1/a,20261231,2"}},
         {NOV_30, DEC_05}},
        {{{CALENDAR, "a,1,20260101,20261231"}, {DATES, "a,20261205,1"}},
         {DEC_31, DEC_05}},
        // An empty calendar is none.
        {{{CALENDAR, ""}, {DATES, "a,20261205,1/a,20261231,2"}}, {UNKNOWN, UNKNOWN}},
        // What the feed is for.
        {{{INFO, "STM,20260101,20261205"}}, {DEC_05}},
        {{{INFO, "STM,,"}}, {UNKNOWN}},
        {{{CALENDAR, "a,1,20260101,20261231"}, {INFO, "STM,20260101,20261205"}},
         {DEC_05, DEC_05}},
        {{{CALENDAR, "a,1,20260101,20261130"}, {INFO, "STM,20260101,20261205"}},
         {NOV_30, NOV_30}},
        {{{CALENDAR, "a,1,20260101,20261130"}, {INFO, "STM,,"}}, {NOV_30, UNKNOWN}},
        {{{DATES, "a,20261231,1/a,20261205,2"}, {INFO, "STM,,20261205"}},
         {UNKNOWN, DEC_05}},
        // Of other types.
        {{{"service_id TEXT, end_date INT", "a,20261130"}}, {NOV_30}},
        {{{"service_id TEXT, date BIGINT, exception_type TEXT", "a,20261130, 1 "}},
         {NOV_30}},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct expiry tables[TABLES_MAX] = {0};
        int64_t ms[TABLES_MAX];
        size_t n = 0;
        for (; n < TABLES_MAX && cases[i].tables[n].schema != NULL; n++)
            take(&tables[n], &cases[i].tables[n]);
        expiry_of_all(tables, n, ms);
        for (size_t t = 0; t < n; t++)
            if (ms[t] != cases[i].ms[t])
                fail_msg("case %zu, table %zu: %lld, not %lld", i, t, (long long)ms[t],
                         (long long)cases[i].ms[t]);
    }
}

TEST_MAIN(cmocka_unit_test(test_the_last_day_with_service_is_found))
