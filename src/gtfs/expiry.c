// SPDX-License-Identifier: Apache-2.0
#include "gtfs/expiry.h"

#include <stdio.h>

#include "gtfs/dates.h"

void expiry_init(struct expiry *expiry, const struct schema *schema)
{
    bool has_service = schema_find(schema, STR_LITERAL("service_id")) >= 0;
    int end = schema_find(schema, STR_LITERAL("end_date"));
    int date = schema_find(schema, STR_LITERAL("date"));
    int type = schema_find(schema, STR_LITERAL("exception_type"));
    int info = schema_find(schema, STR_LITERAL("feed_end_date"));
    *expiry = (struct expiry){0};
    if (has_service && end >= 0)
        *expiry = (struct expiry){.source = EXPIRY_OF_CALENDAR, .date = end};
    else if (has_service && date >= 0 && type >= 0)
        *expiry = (struct expiry){
            .source = EXPIRY_OF_CALENDAR_DATES, .date = date, .type = type};
    else if (info >= 0)
        *expiry = (struct expiry){.source = EXPIRY_OF_FEED_INFO, .date = info};
}

// A date or a type, which may be declared TEXT or as a number.
static struct value as_text(struct value value, char *text, size_t size)
{
    if (value.kind != VALUE_INT)
        return value;
    snprintf(text, size, "%lld", (long long)value.i);
    return value_text(str_of(text));
}

static bool is_type(struct value value, const char *type)
{
    return value.kind == VALUE_TEXT && str_is(str_trim(value_str(value)), type);
}

static void take_row(struct expiry *expiry, const struct value *row)
{
    char text[24], type_text[24];
    struct value type = {0};
    if (expiry->source == EXPIRY_OF_CALENDAR_DATES) {
        type = as_text(row[expiry->type], type_text, sizeof(type_text));
        expiry->has_removals |= is_type(type, "2");
        if (!is_type(type, "1"))
            return;
    }
    int date = feed_date_of(as_text(row[expiry->date], text, sizeof(text)));
    expiry->to = date > expiry->to ? date : expiry->to;
}

void expiry_take(struct expiry *expiry, const struct batch *batch)
{
    for (size_t i = 0; i < batch->n_rows && expiry->source != EXPIRY_OF_NOTHING; i++)
        take_row(expiry, batch_row(batch, i));
}

// The last day of all tables of these sources; 0: none is known.
static int last_of(const struct expiry *tables, size_t n, bool of_info)
{
    bool has_calendar = false;
    int to = 0;
    for (size_t i = 0; i < n; i++)
        has_calendar |= tables[i].source == EXPIRY_OF_CALENDAR && tables[i].to > 0;
    for (size_t i = 0; i < n; i++) {
        bool is_info = tables[i].source == EXPIRY_OF_FEED_INFO;
        bool is_part = tables[i].has_removals && !has_calendar;
        if (is_info == of_info && !is_part && tables[i].to > to)
            to = tables[i].to;
    }
    return to;
}

void expiry_of_all(const struct expiry *tables, size_t n, int64_t *ret_ms)
{
    int service = last_of(tables, n, false), info = last_of(tables, n, true);
    int limit = info == 0 || (service > 0 && service < info) ? service : info;
    for (size_t i = 0; i < n; i++) {
        bool is_info = tables[i].source == EXPIRY_OF_FEED_INFO;
        int to = tables[i].to < limit ? tables[i].to : limit;
        bool is_known = to > 0 && (is_info ? info : service) > 0;
        ret_ms[i] = is_known ? feed_date_end_ms(to) : -1;
    }
}
