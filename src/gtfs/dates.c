// SPDX-License-Identifier: Apache-2.0
#include "gtfs/dates.h"

#include <time.h>

#include "csv/table.h"

enum {
    COLUMNS_MAX = 2,
    DAY_S = 24 * 60 * 60
};

// Takes one row of a file; its columns in the order that was asked for, TEXT or NULL.
typedef void take_row(const struct value *row, struct feed_dates *dates);

static bool is_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

int feed_date_of(struct value value)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t number;
    struct str text = str_trim(value_str(value));
    if (value.kind != VALUE_TEXT || text.n != 8 || !str_to_i64(text, &number))
        return 0;
    int date = (int)number;
    int month = date / 100 % 100, day = date % 100;
    if (date < 10000101 || month < 1 || month > 12)
        return 0;
    int last = days[month - 1] + (month == 2 && is_leap(date / 10000));
    return day >= 1 && day <= last ? date : 0;
}

static void widen(int date, int *from, int *to)
{
    if (date == 0)
        return;
    *from = *from == 0 || date < *from ? date : *from;
    *to = date > *to ? date : *to;
}

static void take_calendar(const struct value *row, struct feed_dates *dates)
{
    widen(feed_date_of(row[0]), &dates->service_from, &dates->service_to);
    widen(feed_date_of(row[1]), &dates->service_from, &dates->service_to);
}

// A date that is taken away from a service covers nothing.
static void take_calendar_date(const struct value *row, struct feed_dates *dates)
{
    bool is_added = row[1].kind == VALUE_TEXT && str_is(str_trim(value_str(row[1])), "1");
    if (is_added)
        widen(feed_date_of(row[0]), &dates->service_from, &dates->service_to);
}

static void take_info(const struct value *row, struct feed_dates *dates)
{
    int from = feed_date_of(row[0]), to = feed_date_of(row[1]);
    dates->info_from = from ? from : dates->info_from;
    dates->info_to = to ? to : dates->info_to;
}

static void take_rows(struct rows *rows, take_row *take, struct feed_dates *dates)
{
    struct batch batch;
    struct err ignored;
    batch_init(&batch, rows->schema->n);
    while (rows->ops->next(rows, &batch, &ignored) == ST_OK && batch.n_rows > 0)
        for (size_t i = 0; i < batch.n_rows; i++)
            take(batch_row(&batch, i), dates);
    batch_release(&batch);
}

static void read_file(struct feed *feed, const char *name, const char *const *columns,
                      take_row *take, struct feed_dates *dates)
{
    struct column wanted[COLUMNS_MAX];
    struct schema schema = {wanted, COLUMNS_MAX};
    for (size_t i = 0; i < COLUMNS_MAX; i++)
        wanted[i] = (struct column){str_of(columns[i]), TYPE_TEXT, true};
    struct csv_table_options options = {
        .header = true, .skip_errors = true, .may_be_empty = true};
    struct feed_member *member;
    struct rows *rows;
    struct err ignored;
    if (!feed_has(feed, name) || feed_member_open(feed, name, &member, &ignored) != ST_OK)
        return;
    if (csv_table_read(&member->reader, name, &schema, &options, &rows, &ignored) ==
        ST_OK) {
        take_rows(rows, take, dates);
        rows->ops->close(rows);
    }
    feed_member_close(member);
}

void feed_dates_read(struct feed *feed, struct feed_dates *ret)
{
    static const char *const calendar[] = {"start_date", "end_date"};
    static const char *const calendar_dates[] = {"date", "exception_type"};
    static const char *const info[] = {"feed_start_date", "feed_end_date"};
    *ret = (struct feed_dates){0};
    read_file(feed, "calendar.txt", calendar, take_calendar, ret);
    read_file(feed, "calendar_dates.txt", calendar_dates, take_calendar_date, ret);
    read_file(feed, "feed_info.txt", info, take_info, ret);
}

static void format_date(int date, struct buf *text)
{
    if (date == 0)
        buf_text(text, "?");
    else
        buf_printf(text, "%04d-%02d-%02d", date / 10000, date / 100 % 100, date % 100);
}

static void format_span(int from, int to, struct buf *text)
{
    format_date(from, text);
    buf_text(text, " to ");
    format_date(to, text);
}

void feed_dates_format(const struct feed_dates *dates, struct buf *text)
{
    bool has_service = dates->service_to != 0;
    bool has_info = dates->info_from != 0 || dates->info_to != 0;
    if (has_service)
        format_span(dates->service_from, dates->service_to, text);
    if (has_info) {
        buf_text(text, has_service ? "; feed_info.txt: " : "feed_info.txt: ");
        format_span(dates->info_from, dates->info_to, text);
    }
    if (!has_service && !has_info)
        buf_text(text, "the feed does not say for which dates it is");
}

static int64_t day_of(int date)
{
    struct tm tm = {.tm_year = date / 10000 - 1900,
                    .tm_mon = date / 100 % 100 - 1,
                    .tm_mday = date % 100};
    return (int64_t)timegm(&tm) / DAY_S;
}

int64_t feed_date_end_ms(int date)
{
    return (day_of(date) + 1) * DAY_S * 1000;
}

void feed_dates_warn(const struct feed_dates *dates, int64_t now_ms, struct buf *text)
{
    bool is_info = dates->info_to != 0 &&
                   (dates->service_to == 0 || dates->info_to < dates->service_to);
    int to = is_info ? dates->info_to : dates->service_to;
    int64_t left = day_of(to) - now_ms / 1000 / DAY_S;
    if (to == 0 || left > FEED_SOON_DAYS)
        return;
    buf_text(text, left < 0 ? "the feed ended on " : "the feed ends on ");
    format_date(to, text);
    if (is_info)
        buf_text(text, " (feed_info.txt)");
    int64_t n = left < 0 ? -left : left;
    if (left == 0)
        buf_text(text, ", today");
    else
        buf_printf(text, left < 0 ? ", %lld day%s ago" : ", in %lld day%s", (long long)n,
                   n == 1 ? "" : "s");
}
