// SPDX-License-Identifier: Apache-2.0
#include "memory/storage_fault.h"

#include "memory/storage_mem.h"
#include "test.h"

#define PATH(text) STR_LITERAL(text)

static struct err err;

// Two workers on one tree; the first one's calls may fail.
struct world {
    struct mem_tree *tree;
    struct storage *faulty;
    struct storage *other;
};

static struct world world_open(const struct fault_config *config)
{
    struct world world = {.tree = mem_tree_open(NULL)};
    world.other = storage_mem_open(world.tree, "/r");
    world.faulty = storage_fault_open(storage_mem_open(world.tree, "/r"), config);
    assert_ok(storage_write_bytes(world.other, PATH("a"), PATH("0123456789"), &err),
              &err);
    return world;
}

static void world_close(struct world *world)
{
    world->faulty->ops->close(world->faulty);
    world->other->ops->close(world->other);
    mem_tree_unref(world->tree);
}

static bool is_there(const struct world *world, const char *path)
{
    struct file_info info;
    enum status rc = world->other->ops->stat(world->other, str_of(path), &info, &err);
    assert_true(rc == ST_OK || rc == ST_NOT_FOUND);
    return rc == ST_OK;
}

static enum status publish(struct storage *st, const char *from, const char *to)
{
    return st->ops->publish(st, str_of(from), str_of(to), &err);
}

static void assert_holds(const struct world *world, const char *path, const char *bytes)
{
    AUTO(buf_release) struct buf buf = {0};
    assert_ok(storage_read_all(world->other, str_of(path), 100, &buf, &err), &err);
    assert_str(buf_as_str(&buf), bytes);
}

static void test_nth_call_is_refused(UNUSED void **state)
{
    struct fault_config config = {.at = 2, .fault = {.kind = FAULT_REFUSE}};
    struct world world = world_open(&config);
    assert_ok(world.faulty->ops->mkdir(world.faulty, PATH("d"), &err), &err);
    assert_status(publish(world.faulty, "a", "b"), ST_RETRY);
    assert_string_equal(err.text, "mem:///r/a: publish: refused (made by a test)");
    assert_true(is_there(&world, "a"));
    assert_false(is_there(&world, "b"));
    assert_ok(publish(world.faulty, "a", "b"), &err);
    assert_int_equal(storage_fault_n_calls(world.faulty), 3);
    world_close(&world);
}

static void test_lost_answer_has_its_effect(UNUSED void **state)
{
    struct fault_config config = {.at = 1, .fault = {.kind = FAULT_LOSE}};
    struct world world = world_open(&config);
    assert_status(publish(world.faulty, "a", "b"), ST_UNKNOWN);
    assert_string_equal(err.text, "mem:///r/a: publish: no answer (made by a test)");
    assert_true(is_there(&world, "b"));
    world_close(&world);
}

static void test_dropped_call_has_none(UNUSED void **state)
{
    struct fault_config config = {.at = 1, .fault = {.kind = FAULT_DROP}};
    struct world world = world_open(&config);
    assert_status(publish(world.faulty, "a", "b"), ST_UNKNOWN);
    storage_fault_settle(world.faulty);
    assert_false(is_there(&world, "b"));
    world_close(&world);
}

static void test_late_call_waits_until_settled(UNUSED void **state)
{
    struct fault_config config = {.at = 1, .fault = {.kind = FAULT_LATE}};
    struct world world = world_open(&config);
    assert_status(publish(world.faulty, "a", "b"), ST_UNKNOWN);
    assert_int_equal(storage_fault_n_late(world.faulty), 1);
    assert_false(is_there(&world, "b"));
    assert_ok(storage_fault_settle_one(world.faulty, 0), &err);
    assert_int_equal(storage_fault_n_late(world.faulty), 0);
    assert_true(is_there(&world, "b"));
    world_close(&world);
}

static void test_late_call_may_come_too_late(UNUSED void **state)
{
    struct fault_config config = {.at = 1, .fault = {.kind = FAULT_LATE}};
    struct world world = world_open(&config);
    assert_status(publish(world.faulty, "a", "b"), ST_UNKNOWN);
    assert_ok(storage_write_bytes(world.other, PATH("b"), PATH("theirs"), &err), &err);
    assert_status(storage_fault_settle_one(world.faulty, 0), ST_EXISTS);
    assert_holds(&world, "b", "theirs");
    assert_true(is_there(&world, "a"));
    world_close(&world);
}

static void test_late_call_settles_before_a_later_call(UNUSED void **state)
{
    struct fault_config config = {.at = 1,
                                  .fault = {.kind = FAULT_LATE, .settle_after = 2}};
    struct world world = world_open(&config);
    struct file_info info;
    assert_status(publish(world.faulty, "a", "b"), ST_UNKNOWN);
    assert_status(world.faulty->ops->stat(world.faulty, PATH("b"), &info, &err),
                  ST_NOT_FOUND);
    assert_ok(world.faulty->ops->stat(world.faulty, PATH("b"), &info, &err), &err);
    world_close(&world);
}

static void test_late_calls_settle_in_any_order(UNUSED void **state)
{
    struct fault_config config = {.at = 1, .fault = {.kind = FAULT_LATE}};
    struct world world = world_open(&config);
    assert_status(publish(world.faulty, "a", "b"), ST_UNKNOWN);
    config.at = 2;
    storage_fault_set(world.faulty, &config);
    assert_status(world.faulty->ops->remove(world.faulty, PATH("a"), &err), ST_UNKNOWN);
    assert_ok(storage_fault_settle_one(world.faulty, 1), &err); // the removal
    assert_status(storage_fault_settle_one(world.faulty, 0), ST_NOT_FOUND);
    assert_false(is_there(&world, "a"));
    assert_false(is_there(&world, "b"));
    world_close(&world);
}

static void test_late_write_keeps_its_bytes(UNUSED void **state)
{
    struct fault_config config = {.at = 1, .fault = {.kind = FAULT_LATE}};
    struct world world = world_open(&config);
    char bytes[] = "payload";
    assert_status(storage_write_bytes(world.faulty, PATH("w"), str_of(bytes), &err),
                  ST_UNKNOWN);
    memset(bytes, 'x', strlen(bytes));
    storage_fault_settle(world.faulty);
    assert_holds(&world, "w", "payload");
    world_close(&world);
}

static void test_cut_write_leaves_a_short_file(UNUSED void **state)
{
    struct fault_config config = {
        .at = 1, .fault = {.kind = FAULT_LOSE, .cut = true, .cut_bytes = 3}};
    struct world world = world_open(&config);
    assert_status(storage_write_bytes(world.faulty, PATH("w"), PATH("payload"), &err),
                  ST_UNKNOWN);
    assert_holds(&world, "w", "pay");
    assert_status(storage_write_bytes(world.faulty, PATH("w"), PATH("payload"), &err),
                  ST_EXISTS);
    world_close(&world);
}

static void test_a_byte_changes_on_the_way_unseen(UNUSED void **state)
{
    struct fault_config config = {.at = 1, .fault = {.kind = FAULT_CHANGE}};
    struct world world = world_open(&config);
    assert_ok(storage_write_bytes(world.faulty, PATH("w"), PATH("payload"), &err), &err);
    assert_holds(&world, "w", "payloae"); // 'd' and 'e' are one bit apart
    world_close(&world);
}

static void test_looks_are_only_refused(UNUSED void **state)
{
    for (enum fault_kind kind = FAULT_REFUSE; kind <= FAULT_LATE; kind++) {
        struct fault_config config = {.at = 1, .fault = {.kind = kind}};
        struct world world = world_open(&config);
        struct file_info info;
        assert_status(world.faulty->ops->stat(world.faulty, PATH("a"), &info, &err),
                      kind == FAULT_FAIL ? ST_FAIL : ST_RETRY);
        assert_int_equal(storage_fault_n_late(world.faulty), 0);
        world_close(&world);
    }
}

struct seen {
    char text[200];
};

static struct fault note_call(void *context, const struct fault_call *call)
{
    struct seen *seen = context;
    size_t n = strlen(seen->text);
    snprintf(seen->text + n, sizeof(seen->text) - n, "%llu %s %.*s %.*s;",
             (unsigned long long)call->number, fault_op_name(call->op),
             STR_ARGS(call->path), STR_ARGS(call->to));
    return (struct fault){.kind = call->op == FAULT_REMOVE ? FAULT_FAIL : FAULT_NONE};
}

// What only the storage in memory says in its own words.
static void test_memory_tells_what_it_refuses(UNUSED void **state)
{
    struct fault_config config = {0};
    struct world world = world_open(&config);
    struct storage *st = world.other;
    struct storage_reader reader;
    storage_reader_init(&reader, st, PATH("a"), 10);
    assert_status(st->ops->write(st, PATH("b"), &reader.reader, 20, &err), ST_FAIL);
    assert_string_equal(err.text, "mem:///r/b: 20 bytes were promised and 10 came");
    storage_reader_release(&reader);
    assert_ok(st->ops->mkdir(st, PATH("d"), &err), &err);
    assert_status(st->ops->publish(st, PATH("d"), PATH("d/d"), &err), ST_FAIL);
    assert_string_equal(err.text, "mem:///r/d/d: cannot move a directory into itself");
    world_close(&world);
}

static void test_callback_decides_for_each_call(UNUSED void **state)
{
    struct seen seen = {{0}};
    struct fault_config config = {.decide = note_call, .context = &seen};
    struct world world = world_open(&config);
    assert_ok(publish(world.faulty, "a", "b"), &err);
    assert_status(world.faulty->ops->remove(world.faulty, PATH("b"), &err), ST_FAIL);
    assert_string_equal(err.text, "mem:///r/b: remove: failed (made by a test)");
    assert_true(is_there(&world, "b"));
    assert_string_equal(seen.text, "1 publish a b;2 remove b ;");
    world_close(&world);
}

static void test_closing_drops_what_is_late(UNUSED void **state)
{
    struct fault_config config = {.at = 1, .fault = {.kind = FAULT_LATE}};
    struct world world = world_open(&config);
    assert_status(storage_write_bytes(world.faulty, PATH("w"), PATH("x"), &err),
                  ST_UNKNOWN);
    world_close(&world); // and frees its bytes
}

TEST_MAIN(cmocka_unit_test(test_nth_call_is_refused),
          cmocka_unit_test(test_lost_answer_has_its_effect),
          cmocka_unit_test(test_dropped_call_has_none),
          cmocka_unit_test(test_late_call_waits_until_settled),
          cmocka_unit_test(test_late_call_may_come_too_late),
          cmocka_unit_test(test_late_call_settles_before_a_later_call),
          cmocka_unit_test(test_late_calls_settle_in_any_order),
          cmocka_unit_test(test_late_write_keeps_its_bytes),
          cmocka_unit_test(test_cut_write_leaves_a_short_file),
          cmocka_unit_test(test_a_byte_changes_on_the_way_unseen),
          cmocka_unit_test(test_looks_are_only_refused),
          cmocka_unit_test(test_memory_tells_what_it_refuses),
          cmocka_unit_test(test_callback_decides_for_each_call),
          cmocka_unit_test(test_closing_drops_what_is_late))
