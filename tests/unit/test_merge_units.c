// SPDX-License-Identifier: Apache-2.0
// Which units of a trigger become one entry, and what that says.
#include "test.h"

#include "work/merge_units.h"
#include "work/order_book.h"

#define WRITER "5c0ff5b9-8c8b-4d4c-9b57-0d0a3f3f5a10"

static struct unit a_unit(struct span *spans, size_t n_spans, struct entry_file *files,
                          size_t n_files)
{
    return (struct unit){.writer = STR_LITERAL(WRITER),
                         .dimension = STR_LITERAL("d"),
                         .spans = spans,
                         .n_spans = n_spans,
                         .rows = 10,
                         .matched = 3,
                         .unmatched = 2,
                         .filtered = 4,
                         .first_batch_ms = 50,
                         .last_batch_ms = 60,
                         .files = files,
                         .n_files = n_files};
}

static struct span a_span(int32_t partition, int64_t first, int64_t next)
{
    return (struct span){.partition = partition,
                         .first = first,
                         .next = next,
                         .data = next - first - 1,
                         .skipped = 1,
                         .gap = 1,
                         .ignored = 1,
                         .rejected = 0,
                         .last = {.offset = next - 1, .time_ms = next}};
}

static void test_spans_of_a_partition_become_one(UNUSED void **state)
{
    struct span first[] = {a_span(0, 5, 10), a_span(2, 0, 7)};
    struct span second[] = {a_span(1, 3, 5), a_span(2, 7, 9)};
    struct span third[] = {a_span(0, 10, 20)};
    third[0].last.offset = -1; // nothing was read
    struct entry_file files[] = {{.kind = FILE_DATA, .rows = 10, .bytes = 100}};
    struct unit a = a_unit(first, 2, files, 1), b = a_unit(second, 2, files, 1),
                c = a_unit(third, 1, NULL, 0);
    b.first_batch_ms = 40;
    c.first_batch_ms = c.last_batch_ms = 0;
    const struct unit *units[] = {&a, &b, &c};
    struct unit merged;
    merge_units(units, 3, &merged);
    assert_int_equal(merged.n_spans, 3);
    assert_int_equal(merged.n_files, 2);
    assert_int_equal(merged.rows, 30);
    assert_int_equal(merged.matched, 9);
    assert_int_equal(merged.unmatched, 6);
    assert_int_equal(merged.filtered, 12);
    assert_int_equal(merged.first_batch_ms, 40);
    assert_int_equal(merged.last_batch_ms, 60);
    const struct span *zero = &merged.spans[0], *two = &merged.spans[2];
    assert_int_equal(zero->first, 5);
    assert_int_equal(zero->next, 20);
    assert_int_equal(zero->last.offset, 9);
    assert_int_equal(two->first, 0);
    assert_int_equal(two->next, 9);
    assert_int_equal(two->last.offset, 8);
    for (size_t i = 0; i < merged.n_spans; i++)
        assert_true(span_adds_up(&merged.spans[i]));
    assert_int_equal(two->gap, 2);
    assert_int_equal(two->ignored, 2);
    unit_release(&merged);
}

// One half that does not know why it skipped an offset makes the whole one of those.
static void test_what_was_skipped_stays_known_or_not(UNUSED void **state)
{
    struct span known = a_span(0, 5, 10), all, unknown = a_span(0, 15, 20);
    struct span more = a_span(0, 10, 15);
    known.gap = more.gap = unknown.gap = 0;
    all = known;
    all.control = more.hole = 1;
    span_extend(&all, &more);
    assert_true(all.control == 1 && all.hole == 1);
    assert_true(span_adds_up(&all));
    span_extend(&all, &unknown);
    assert_true(all.control == 0 && all.hole == 0);
    assert_true(span_adds_up(&all));
    assert_int_equal(all.skipped, 3);
}

static void test_units_that_do_not_fit(UNUSED void **state)
{
    struct entry_file dead[] = {{.kind = FILE_DATA}, {.kind = FILE_DEAD}};
    struct unit plain = a_unit(NULL, 0, dead, 1), with_dead = a_unit(NULL, 0, dead, 2);
    struct unit other = plain;
    other.dimension = STR_LITERAL("e");
    assert_true(units_fit(&plain, false, &with_dead));
    assert_true(units_fit(&with_dead, true, &plain));
    assert_false(units_fit(&with_dead, true, &with_dead));
    assert_false(units_fit(&plain, false, &other));
    other = plain;
    other.topic_id = STR_LITERAL("AAAAAAAAAAAAAAAAAAAAAQ");
    assert_false(units_fit(&plain, false, &other));
}

// A book of one trigger: offsets 0 to 30 of partition 0 in three orders.
struct fixture {
    struct order_book book;
    struct span spans[3];
    struct log_partition partition;
    struct log_state state;
};

static void set_up(struct fixture *fix)
{
    *fix = (struct fixture){.partition = {.partition = 0, .next = 0}};
    fix->state.partitions = &fix->partition;
    fix->state.n_partitions = 1;
    for (int i = 0; i < 3; i++) {
        struct order_slot *slot = order_book_add(&fix->book, 0);
        fix->spans[i] = a_span(0, 10 * i, 10 * i + 10);
        slot->unit = a_unit(&fix->spans[i], 1, NULL, 0);
        slot->is_made = true;
    }
}

static void test_a_trigger_is_waited_for(UNUSED void **state)
{
    struct fixture fix;
    struct order_slot *slots[ORDERS_MAX];
    set_up(&fix);
    assert_int_equal(order_book_ready(&fix.book, &fix.state, false, slots), 3);
    fix.book.slots[1]->is_made = false;
    assert_int_equal(order_book_ready(&fix.book, &fix.state, false, slots), 0);
    assert_int_equal(order_book_ready(&fix.book, &fix.state, true, slots), 1);
    assert_ptr_equal(slots[0], fix.book.slots[0]);
    fix.book.slots[1]->is_made = true;
    fix.book.slots[1]->trigger = fix.book.slots[2]->trigger = 1;
    assert_int_equal(order_book_ready(&fix.book, &fix.state, false, slots), 1);
    fix.partition.next = 10;
    assert_int_equal(order_book_ready(&fix.book, &fix.state, false, slots), 2);
    assert_ptr_equal(slots[1], fix.book.slots[2]);
    fix.partition.next = 5;
    assert_int_equal(order_book_ready(&fix.book, &fix.state, false, slots), 0);
    order_book_clear(&fix.book);
}

TEST_MAIN(cmocka_unit_test(test_spans_of_a_partition_become_one),
          cmocka_unit_test(test_what_was_skipped_stays_known_or_not),
          cmocka_unit_test(test_units_that_do_not_fit),
          cmocka_unit_test(test_a_trigger_is_waited_for))
