// SPDX-License-Identifier: Apache-2.0
// What a feed says of its dates, and when that is worth a warning. The clock stands
// still.
#include "test.h"

#include "gtfs_fixture.h"

#include "gtfs/dates.h"

#define CALENDAR "service_id,monday,start_date,end_date\n"
#define DATES    "service_id,date,exception_type\n"
#define INFO     "feed_publisher_name,feed_start_date,feed_end_date\n"

static void read_dates(const char *calendar, const char *dates, const char *info,
                       struct feed_dates *ret)
{
    struct workplace w;
    struct feed *feed;
    struct err err;
    make_workplace(&w);
    put_file(&w, "agency.txt", str_of("agency_id\n"));
    if (calendar != NULL)
        put_file(&w, "calendar.txt", str_of(calendar));
    if (dates != NULL)
        put_file(&w, "calendar_dates.txt", str_of(dates));
    if (info != NULL)
        put_file(&w, "feed_info.txt", str_of(info));
    assert_ok(feed_open(w.directory, NULL, &feed, &err), &err);
    feed_dates_read(feed, ret);
    feed_close(feed);
    remove_workplace(&w);
}

static void assert_dates(const char *calendar, const char *calendar_dates,
                         const char *info, const char *expected)
{
    struct feed_dates dates;
    struct buf text = {0};
    read_dates(calendar, calendar_dates, info, &dates);
    feed_dates_format(&dates, &text);
    assert_str(buf_as_str(&text), expected);
    buf_release(&text);
}

static void test_dates_are_read_from_three_files(UNUSED void **state)
{
    assert_dates(NULL, NULL, NULL, "the feed does not say for which dates it is");
    assert_dates(CALENDAR "a,1,20261101,20261231\nb,0,20260901,20261130\n", NULL, NULL,
                 "2026-09-01 to 2026-12-31");
    assert_dates(NULL, DATES "a,20261201,1\na,20261101,1\na,20271231,2\n", NULL,
                 "2026-11-01 to 2026-12-01");
    assert_dates(CALENDAR "a,1,20261101,20261231\n", DATES "a,20270101,1\n",
                 INFO "STM,20261101,20270110\n",
                 "2026-11-01 to 2027-01-01; feed_info.txt: 2026-11-01 to 2027-01-10");
    assert_dates(NULL, NULL, INFO "STM,,20270110\n", "feed_info.txt: ? to 2027-01-10");
}

static void test_what_is_no_date_says_nothing(UNUSED void **state)
{
    assert_dates(CALENDAR "a,1,2026-11-01,20261301\nb,1,20260230,00000101\nc,1,,x\n",
                 NULL, NULL, "the feed does not say for which dates it is");
    assert_dates(CALENDAR "a,1, 20240229 ,\"20240301\"\nb,1,\"open\n", NULL, NULL,
                 "2024-02-29 to 2024-03-01");
    assert_dates("\xFF\xFE", "oops\n", "", "the feed does not say for which dates it is");
    assert_dates(NULL, "service_id,date\na,20261201\n", NULL,
                 "the feed does not say for which dates it is");
}

static void assert_warning(const struct feed_dates *dates, int64_t now_s,
                           const char *expected)
{
    struct buf text = {0};
    feed_dates_warn(dates, now_s * 1000, &text);
    assert_str(buf_as_str(&text), expected);
    buf_release(&text);
}

static void test_a_feed_that_ends_soon_is_told(UNUSED void **state)
{
    enum {
        NOW = 1795910400, // 2026-11-29T00:00:00Z
        DAY = 86400
    };
    struct feed_dates dates = {.service_from = 20260101, .service_to = 20261206};
    assert_warning(&dates, NOW - 1, "");
    assert_warning(&dates, NOW, "the feed ends on 2026-12-06, in 7 days");
    assert_warning(&dates, NOW + DAY - 1, "the feed ends on 2026-12-06, in 7 days");
    assert_warning(&dates, NOW + 6 * DAY, "the feed ends on 2026-12-06, in 1 day");
    assert_warning(&dates, NOW + 8 * DAY - 1, "the feed ends on 2026-12-06, today");
    assert_warning(&dates, NOW + 8 * DAY, "the feed ended on 2026-12-06, 1 day ago");
    assert_warning(&dates, NOW + 40 * DAY, "the feed ended on 2026-12-06, 33 days ago");
    dates.info_to = 20261130;
    assert_warning(&dates, NOW, "the feed ends on 2026-11-30 (feed_info.txt), in 1 day");
    dates = (struct feed_dates){.info_to = 20261120};
    assert_warning(&dates, NOW,
                   "the feed ended on 2026-11-20 (feed_info.txt), 9 days ago");
    assert_warning(&(struct feed_dates){0}, NOW, "");
}

TEST_MAIN(cmocka_unit_test(test_dates_are_read_from_three_files),
          cmocka_unit_test(test_what_is_no_date_says_nothing),
          cmocka_unit_test(test_a_feed_that_ends_soon_is_told))
