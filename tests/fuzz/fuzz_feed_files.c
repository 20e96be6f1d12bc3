// SPDX-License-Identifier: Apache-2.0
// Any bytes as calendar.txt, calendar_dates.txt and feed_info.txt, parted by zero bytes:
// dates that are dates, from before to, and a sentence about them. The first byte is how
// many bytes a read gives.
#include <assert.h>

#include "fuzz_parts.h"

#include "gtfs/dates.h"
#include "gtfs/feed_kind.h"

const struct fuzz_budget fuzz_budget = {
    .steps = 30000,
    .steps_a_byte = 2000,
    .bytes = 20 << 20,
    .bytes_a_byte = 3000,
    .held = 10 << 20,
    .held_a_byte = 1000,
};

struct text_member {
    struct feed_member member;
    struct str rest;
    size_t piece;
};

struct text_feed {
    struct feed feed;
    struct str texts[3];
    size_t piece;
};

static enum status read_text(struct reader *reader, void *p, size_t capacity,
                             size_t *ret_n, UNUSED struct err *err)
{
    struct text_member *member = (struct text_member *)reader;
    size_t n = member->rest.n < member->piece ? member->rest.n : member->piece;
    n = n < capacity ? n : capacity;
    if (n > 0)
        memcpy(p, member->rest.p, n);
    member->rest = (struct str){member->rest.p + n, member->rest.n - n};
    *ret_n = n;
    return ST_OK;
}

static void close_text(struct feed_member *member)
{
    free(member);
}

static enum status open_text(struct feed *feed, const struct feed_entry *entry,
                             struct feed_member **ret, UNUSED struct err *err)
{
    const struct text_feed *texts = (const struct text_feed *)feed;
    struct text_member *member = mem_zalloc(sizeof(*member));
    member->member.reader.read = read_text;
    member->member.close = close_text;
    member->member.size = entry->size;
    member->rest = texts->texts[entry->index];
    member->piece = texts->piece;
    *ret = &member->member;
    return ST_OK;
}

static void check_date(int date)
{
    assert(date == 0 || (date >= 10000101 && date <= 99991231));
}

void fuzz_input(const uint8_t *data, size_t size)
{
    static const struct feed_kind kind = {.open = open_text};
    static const char *const names[] = {"calendar.txt", "calendar_dates.txt",
                                        "feed_info.txt"};
    struct str rest = {(const char *)data, size};
    struct text_feed texts = {.feed = {.kind = &kind, .fd = -1},
                              .piece = 1 + fuzz_byte(&rest)};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        texts.texts[i] = fuzz_part(&rest);
        feed_add(&texts.feed, names[i], i, (int64_t)texts.texts[i].n);
    }
    struct feed_dates dates;
    struct buf text = {0};
    feed_dates_read(&texts.feed, &dates);
    check_date(dates.service_from);
    check_date(dates.service_to);
    check_date(dates.info_from);
    check_date(dates.info_to);
    assert(dates.service_from <= dates.service_to);
    feed_dates_format(&dates, &text);
    assert(text.n > 0);
    feed_dates_warn(&dates, 1796000000000, &text);
    assert(text.n < 200);
    buf_release(&text);
    free(texts.feed.entries);
    arena_release(&texts.feed.arena);
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        free((char *)texts.texts[i].p);
}
