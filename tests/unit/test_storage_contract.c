// SPDX-License-Identifier: Apache-2.0
// What every storage holds to, each case on each of them: local, mem, fault without
// faults, and with TRAMLINE_HDFS=hdfs://127.0.0.1:PORT a real HDFS.
#include "memory/storage_fault.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "core/env.h"
#include "memory/storage_mem.h"
#include "storage/local.h"
#include "storage/storage_url.h"
#include "test.h"

// By `hdfs dfs -checksum` and GETFILECHECKSUM of Hadoop 3.4.2.
#define SUM_EMPTY "70bc8f4b72a86921468bf8e8441dce51"
#define SUM_HELLO "2ebac5fafc444475c9720587791d7412"

struct fixture {
    struct storage *storage;
    char *directory; // local: to be removed at the end
};

static struct err err;

static int close_fixture(void **state)
{
    struct fixture *fixture = *state;
    fixture->storage->ops->close(fixture->storage);
    if (fixture->directory != NULL) {
        assert_int_equal(local_remove_tree("/", str_of(fixture->directory + 1)), 0);
        free(fixture->directory);
    }
    free(fixture);
    return 0;
}

static int open_mem(void **state)
{
    struct fixture *fixture = mem_zalloc(sizeof(*fixture));
    struct mem_tree *tree = mem_tree_open(env_system());
    fixture->storage = storage_mem_open(tree, "/test");
    mem_tree_unref(tree);
    *state = fixture;
    return 0;
}

static int open_fault(void **state)
{
    open_mem(state);
    struct fixture *fixture = *state;
    struct fault_config none = {0};
    fixture->storage = storage_fault_open(fixture->storage, &none);
    return 0;
}

static int open_flat(void **state)
{
    struct fixture *fixture = mem_zalloc(sizeof(*fixture));
    struct mem_tree *tree = mem_tree_open(env_system());
    const struct fault_config none = {0};
    fixture->storage = storage_fault_open(storage_mem_open_flat(tree, "/test"), &none);
    mem_tree_unref(tree);
    *state = fixture;
    return 0;
}

static int open_local(void **state)
{
    struct fixture *fixture = mem_zalloc(sizeof(*fixture));
    const char *tmp = getenv("TMPDIR");
    fixture->directory = mem_printf("%s/tramline-XXXXXX", tmp ? tmp : "/tmp");
    assert_non_null(mkdtemp(fixture->directory));
    AUTO(mem_auto_free) char *root = mem_printf("%s/not/there/yet", fixture->directory);
    struct storage_config config = {0};
    assert_ok(storage_open(str_of(root), &config, &fixture->storage, &err), &err);
    *state = fixture;
    return 0;
}

static int open_hdfs(void **state)
{
    struct fixture *fixture = mem_zalloc(sizeof(*fixture));
    *state = fixture;
    const char *hdfs = getenv("TRAMLINE_HDFS");
    char uuid[UUID_TEXT];
    env_uuid(env_system(), uuid);
    AUTO(mem_auto_free) char *root = mem_printf("%s/contract/%s", hdfs, uuid);
    struct storage_config config = {.timeout_ms = 20000, .retry_ms = 20000};
    assert_ok(storage_open(str_of(root), &config, &fixture->storage, &err), &err);
    return 0;
}

static struct storage *storage_of(void **state)
{
    struct fixture *fixture = *state;
    err = (struct err){0};
    return fixture->storage;
}

#define PATH(text) STR_LITERAL(text)

static void put(struct storage *st, const char *path, const char *bytes)
{
    assert_ok(storage_write_bytes(st, str_of(path), str_of(bytes), &err), &err);
}

// The file holds just that.
static void assert_holds(struct storage *st, const char *path, const char *bytes)
{
    AUTO(buf_release) struct buf buf = {0};
    assert_ok(storage_read_all(st, str_of(path), 1 << 20, &buf, &err), &err);
    assert_str(buf_as_str(&buf), bytes);
}

static void assert_gone(struct storage *st, const char *path)
{
    struct file_info info;
    assert_status(st->ops->stat(st, str_of(path), &info, &err), ST_NOT_FOUND);
}

static void assert_says(const char *part)
{
    if (strstr(err.text, part) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", err.text, part);
}

static void test_written_file_reads_back(void **state)
{
    struct storage *st = storage_of(state);
    put(st, "a/b/c.txt", "hello");
    assert_holds(st, "a/b/c.txt", "hello");
    struct file_info info;
    assert_ok(st->ops->stat(st, PATH("a/b/c.txt"), &info, &err), &err);
    assert_int_equal(info.size, 5);
    assert_false(info.is_directory);
    int64_t age = env_system()->ops->wall_ms(env_system()) - info.modified_ms;
    assert_in_range(age + 60000, 0, 120000);
}

static void test_promises_are_made(void **state)
{
    struct storage *st = storage_of(state);
    assert_true(st->exclusive);
    assert_true(st->durable);
}

static void test_empty_file_is_a_file(void **state)
{
    struct storage *st = storage_of(state);
    put(st, "empty", "");
    struct file_info info;
    struct checksum sum;
    assert_ok(st->ops->stat(st, PATH("empty"), &info, &err), &err);
    assert_int_equal(info.size, 0);
    assert_holds(st, "empty", "");
    assert_ok(st->ops->checksum(st, PATH("empty"), &sum, &err), &err);
    assert_string_equal(sum.hex, SUM_EMPTY);
}

static void test_write_never_overwrites(void **state)
{
    struct storage *st = storage_of(state);
    put(st, "a", "first");
    assert_status(storage_write_bytes(st, PATH("a"), PATH("second"), &err), ST_EXISTS);
    assert_says("/a: ");
    assert_says("is there already");
    assert_holds(st, "a", "first");
    assert_ok(st->ops->mkdir(st, PATH("d"), &err), &err);
    assert_status(storage_write_bytes(st, PATH("d"), PATH("x"), &err), ST_EXISTS);
}

static void test_write_below_a_file_fails(void **state)
{
    struct storage *st = storage_of(state);
    put(st, "a", "x");
    assert_status(storage_write_bytes(st, PATH("a/b"), PATH("x"), &err), ST_FAIL);
    assert_says("directory is needed there");
    assert_status(st->ops->mkdir(st, PATH("a"), &err), ST_FAIL);
    assert_says("directory is needed there");
    assert_status(st->ops->mkdir(st, PATH("a/b"), &err), ST_FAIL);
    assert_holds(st, "a", "x");
}

struct pattern_reader {
    struct reader reader;
    int64_t left;
    uint32_t state;
    struct checksummer *sum;
};

static enum status read_pattern(struct reader *base, void *p, size_t capacity,
                                size_t *ret_n, UNUSED struct err *e)
{
    struct pattern_reader *reader = (struct pattern_reader *)base;
    size_t n = (int64_t)capacity < reader->left ? capacity : (size_t)reader->left;
    for (size_t i = 0; i < n; i++)
        ((uint8_t *)p)[i] = (uint8_t)((reader->state = reader->state * 69069 + 1) >> 24);
    checksummer_add(reader->sum, p, n);
    reader->left -= (int64_t)n;
    *ret_n = n;
    return ST_OK;
}

static void test_checksum_is_ours_and_that_of_hdfs(void **state)
{
    struct storage *st = storage_of(state);
    struct checksum sum;
    put(st, "hello", "hello");
    assert_ok(st->ops->checksum(st, PATH("hello"), &sum, &err), &err);
    assert_string_equal(sum.hex, SUM_HELLO);

    // More than a block, not a whole chunk at the end.
    struct checksum ours;
    struct pattern_reader reader = {
        {.read = read_pattern}, CHECKSUM_BLOCK_BYTES + 70001, 1, NULL};
    reader.sum = checksummer_open(CHECKSUM_HDFS);
    assert_ok(st->ops->write(st, PATH("big"), &reader.reader, reader.left, &err), &err);
    checksummer_finish(reader.sum, &ours);
    checksummer_free(reader.sum);
    assert_ok(st->ops->checksum(st, PATH("big"), &sum, &err), &err);
    assert_string_equal(sum.hex, ours.hex);
}

static void test_read_gives_pieces(void **state)
{
    struct storage *st = storage_of(state);
    put(st, "f", "0123456789");
    AUTO(buf_release) struct buf buf = {0};
    assert_ok(st->ops->read(st, PATH("f"), 2, 3, &buf, &err), &err);
    assert_str(buf_as_str(&buf), "234");
    assert_ok(st->ops->read(st, PATH("f"), 8, 100, &buf, &err), &err);
    assert_str(buf_as_str(&buf), "23489");
    assert_ok(st->ops->read(st, PATH("f"), 10, 5, &buf, &err), &err);
    assert_ok(st->ops->read(st, PATH("f"), 11, 5, &buf, &err), &err);
    assert_ok(st->ops->read(st, PATH("f"), 3, 0, &buf, &err), &err);
    assert_str(buf_as_str(&buf), "23489");
}

static void test_reader_reads_to_the_end(void **state)
{
    struct storage *st = storage_of(state);
    put(st, "f", "0123456789");
    struct storage_reader reader;
    storage_reader_init(&reader, st, PATH("f"), 5);
    char text[16];
    size_t total = 0;
    for (size_t n = 1; n > 0; total += n)
        assert_ok(reader.reader.read(&reader.reader, text + total, 3, &n, &err), &err);
    storage_reader_release(&reader);
    assert_int_equal(total, 10);
    assert_memory_equal(text, "0123456789", 10);
}

static void test_read_respects_the_buffers_limit(void **state)
{
    struct storage *st = storage_of(state);
    put(st, "f", "0123456789");
    AUTO(buf_release) struct buf buf = BUF_INIT(4);
    assert_status(st->ops->read(st, PATH("f"), 0, 10, &buf, &err), ST_LIMIT);
    AUTO(buf_release) struct buf other = {0};
    assert_status(storage_read_all(st, PATH("f"), 9, &other, &err), ST_LIMIT);
}

static void test_what_is_missing_is_not_found(void **state)
{
    struct storage *st = storage_of(state);
    struct file_info info;
    struct checksum sum;
    struct file_list list;
    AUTO(buf_release) struct buf buf = {0};
    struct arena arena = {0};
    assert_status(st->ops->stat(st, PATH(""), &info, &err), ST_NOT_FOUND);
    assert_status(st->ops->list(st, PATH(""), &arena, &list, &err), ST_NOT_FOUND);
    put(st, "x", "");
    assert_status(st->ops->stat(st, PATH("no"), &info, &err), ST_NOT_FOUND);
    assert_says("/no: ");
    assert_status(st->ops->list(st, PATH("no"), &arena, &list, &err), ST_NOT_FOUND);
    assert_says("/no: ");
    assert_status(st->ops->checksum(st, PATH("no"), &sum, &err), ST_NOT_FOUND);
    assert_says("/no: ");
    assert_status(st->ops->read(st, PATH("no"), 0, 9, &buf, &err), ST_NOT_FOUND);
    assert_says("/no: ");
    assert_status(st->ops->read(st, PATH("no"), 5, 9, &buf, &err), ST_NOT_FOUND);
    assert_status(st->ops->read(st, PATH("no/no"), 5, 9, &buf, &err), ST_NOT_FOUND);
    assert_status(st->ops->remove(st, PATH("no"), &err), ST_NOT_FOUND);
    assert_says("/no: ");
    arena_release(&arena);
}

static void test_directory_is_no_file(void **state)
{
    struct storage *st = storage_of(state);
    struct checksum sum;
    struct file_list list;
    struct arena arena = {0};
    AUTO(buf_release) struct buf buf = {0};
    assert_ok(st->ops->mkdir(st, PATH("d"), &err), &err);
    assert_status(st->ops->read(st, PATH("d"), 0, 9, &buf, &err), ST_FAIL);
    assert_says("a file is needed there");
    assert_status(st->ops->checksum(st, PATH("d"), &sum, &err), ST_FAIL);
    assert_says("a file is needed there");
    put(st, "f", "x");
    assert_status(st->ops->list(st, PATH("f"), &arena, &list, &err), ST_FAIL);
    assert_says("a directory is needed there");
    arena_release(&arena);
}

static void test_list_is_sorted_and_flat(void **state)
{
    struct storage *st = storage_of(state);
    struct arena arena = {0};
    struct file_list list;
    assert_ok(st->ops->mkdir(st, PATH(""), &err), &err);
    assert_ok(st->ops->list(st, PATH(""), &arena, &list, &err), &err);
    assert_int_equal(list.n, 0);
    put(st, "b", "12");
    put(st, "a/x", "1");
    put(st, "B", "1");
    put(st, "a-", "1");
    assert_ok(st->ops->list(st, PATH(""), &arena, &list, &err), &err);
    assert_int_equal(list.n, 4);
    assert_str(list.items[0].name, "B");
    assert_str(list.items[1].name, "a");
    assert_true(list.items[1].is_directory);
    assert_str(list.items[2].name, "a-");
    assert_str(list.items[3].name, "b");
    assert_false(list.items[3].is_directory);
    assert_int_equal(list.items[3].size, 2);
    arena_release(&arena);
}

static void test_names_may_hold_any_letter(void **state)
{
    static const char *const names[] = {"a b",   "é",           "100%",       "a%20b",
                                        "x=1",   "a+b",         "q?",         "h#",
                                        "a&b;c", "'\"<>{}|^~`", "back\\slash"};
    struct storage *st = storage_of(state);
    struct arena arena = {0};
    struct file_list list;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        AUTO(mem_auto_free) char *from = mem_printf("tmp/%s", names[i]);
        AUTO(mem_auto_free) char *to = mem_printf("day=%s/%s", names[i], names[i]);
        AUTO(mem_auto_free) char *directory = mem_printf("day=%s", names[i]);
        put(st, from, names[i]);
        assert_ok(st->ops->mkdir(st, str_of(directory), &err), &err);
        assert_ok(st->ops->publish(st, str_of(from), str_of(to), &err), &err);
        assert_holds(st, to, names[i]);
        assert_ok(st->ops->list(st, str_of(directory), &arena, &list, &err), &err);
        assert_int_equal(list.n, 1);
        assert_str(list.items[0].name, names[i]);
        assert_ok(st->ops->remove(st, str_of(to), &err), &err);
    }
    arena_release(&arena);
}

static void test_publish_moves(void **state)
{
    struct storage *st = storage_of(state);
    put(st, "tmp/a", "x");
    assert_ok(st->ops->mkdir(st, PATH("log"), &err), &err);
    assert_ok(st->ops->publish(st, PATH("tmp/a"), PATH("log/0"), &err), &err);
    assert_holds(st, "log/0", "x");
    assert_gone(st, "tmp/a");
}

static void test_publish_never_overwrites(void **state)
{
    struct storage *st = storage_of(state);
    put(st, "a", "mine");
    put(st, "b", "yours");
    assert_status(st->ops->publish(st, PATH("a"), PATH("b"), &err), ST_EXISTS);
    assert_says("/b: is there already");
    assert_holds(st, "a", "mine");
    assert_holds(st, "b", "yours");
    assert_ok(st->ops->mkdir(st, PATH("d"), &err), &err);
    assert_status(st->ops->publish(st, PATH("a"), PATH("d"), &err), ST_EXISTS);
    assert_holds(st, "a", "mine");
}

static void test_publish_says_what_is_missing(void **state)
{
    struct storage *st = storage_of(state);
    put(st, "a", "x");
    assert_status(st->ops->publish(st, PATH("no"), PATH("b"), &err), ST_NOT_FOUND);
    assert_says("/no: is not there, cannot be renamed");
    assert_status(st->ops->publish(st, PATH("no"), PATH("a"), &err), ST_NOT_FOUND);
    assert_says("/no: is not there, cannot be renamed");
    assert_status(st->ops->publish(st, PATH("a"), PATH("d/b"), &err), ST_NOT_FOUND);
    assert_says("/d/b: cannot rename to it: its directory is missing");
    put(st, "f", "x");
    assert_status(st->ops->publish(st, PATH("a"), PATH("f/b"), &err), ST_FAIL);
    assert_says("directory is needed there");
    assert_holds(st, "a", "x");
}

static void test_a_file_is_created_whole_and_never_over_another(void **state)
{
    struct storage *st = storage_of(state);
    assert_ok(st->ops->mkdir(st, PATH("log"), &err), &err);
    assert_ok(
        st->ops->create_exclusive(st, PATH("log/0"), PATH("t1"), PATH("mine"), &err),
        &err);
    assert_holds(st, "log/0", "mine");
    assert_gone(st, "t1");
    assert_status(
        st->ops->create_exclusive(st, PATH("log/0"), PATH("t2"), PATH("yours"), &err),
        ST_EXISTS);
    assert_says("/log/0: is there already");
    assert_holds(st, "log/0", "mine");
    assert_status(
        st->ops->create_exclusive(st, PATH("no/0"), PATH("t3"), PATH("x"), &err),
        ST_NOT_FOUND);
    assert_says("its directory is missing");
    assert_gone(st, "no");
}

static void test_a_storage_that_cannot_rename_says_so(void **state)
{
    struct storage *st = storage_of(state);
    assert_false(st->renames);
    put(st, "a", "x");
    assert_status(st->ops->publish(st, PATH("a"), PATH("b"), &err), ST_USAGE);
    assert_status(st->ops->replace(st, PATH("a"), PATH("b"), &err), ST_USAGE);
    assert_says("/a: this storage cannot rename");
    assert_holds(st, "a", "x");
    assert_gone(st, "b");
}

static void test_replace_overwrites(void **state)
{
    struct storage *st = storage_of(state);
    put(st, "old", "old");
    put(st, "new", "new");
    assert_ok(st->ops->replace(st, PATH("new"), PATH("old"), &err), &err);
    assert_holds(st, "old", "new");
    assert_gone(st, "new");
    assert_ok(st->ops->replace(st, PATH("old"), PATH("other"), &err), &err);
    assert_holds(st, "other", "new");
}

static void test_replace_refuses(void **state)
{
    struct storage *st = storage_of(state);
    put(st, "d/x", "x");
    put(st, "a", "a");
    assert_status(st->ops->replace(st, PATH("no"), PATH("a"), &err), ST_NOT_FOUND);
    assert_says("/no: is not there, cannot be renamed");
    assert_status(st->ops->replace(st, PATH("a"), PATH("no/a"), &err), ST_NOT_FOUND);
    assert_says("/no/a: cannot rename to it: its directory is missing");
    assert_status(st->ops->replace(st, PATH("a"), PATH("d"), &err), ST_FAIL);
    assert_says("a file is needed there");
    assert_holds(st, "a", "a");
    assert_holds(st, "d/x", "x");
}

static void test_mkdir_may_be_repeated(void **state)
{
    struct storage *st = storage_of(state);
    struct file_info info;
    assert_ok(st->ops->mkdir(st, PATH("a/b/c"), &err), &err);
    assert_ok(st->ops->mkdir(st, PATH("a/b/c"), &err), &err);
    assert_ok(st->ops->mkdir(st, PATH("a"), &err), &err);
    assert_ok(st->ops->stat(st, PATH("a/b/c"), &info, &err), &err);
    assert_true(info.is_directory);
    assert_ok(st->ops->stat(st, PATH(""), &info, &err), &err);
    assert_true(info.is_directory);
}

static void test_remove_takes_all_below(void **state)
{
    struct storage *st = storage_of(state);
    put(st, "d/e/x", "x");
    put(st, "d/y", "y");
    put(st, "de", "z");
    assert_ok(st->ops->remove(st, PATH("d/y"), &err), &err);
    assert_gone(st, "d/y");
    assert_ok(st->ops->remove(st, PATH("d"), &err), &err);
    assert_gone(st, "d/e/x");
    assert_gone(st, "d");
    assert_holds(st, "de", "z");
}

enum {
    N_PIECES = 800
};

// Gives 50 MB, and half way somebody removes the directory that they go to.
struct robbed_reader {
    struct reader reader;
    struct storage *other;
    int n_pieces;
};

static enum status read_robbed(struct reader *base, void *p, size_t capacity,
                               size_t *ret_n, UNUSED struct err *ret)
{
    struct robbed_reader *reader = (struct robbed_reader *)base;
    *ret_n = capacity < 1 << 16 ? capacity : 1 << 16;
    if (reader->n_pieces++ == N_PIECES / 2)
        assert_ok(reader->other->ops->remove(reader->other, PATH("d"), &err), &err);
    if (reader->n_pieces > N_PIECES)
        *ret_n = 0;
    memset(p, 'x', *ret_n);
    return ST_OK;
}

static void test_removed_while_it_is_written_is_no_end(void **state)
{
    struct storage *st = storage_of(state), *other;
    struct storage_config config = {.timeout_ms = 20000, .retry_ms = 20000};
    assert_ok(storage_open(str_of(st->url), &config, &other, &err), &err);
    put(st, "d/y", "y");
    struct robbed_reader reader = {{.read = read_robbed}, other, 0};
    enum status rc =
        st->ops->write(st, PATH("d/e/x"), &reader.reader, N_PIECES << 16, &err);
    assert_true(rc == ST_RETRY || rc == ST_UNKNOWN);
    const char *directory = ((struct fixture *)*state)->directory;
    if (directory != NULL) {
        AUTO(mem_auto_free)
        char *text = mem_printf(
            "%s/not/there/yet/d/e/x: was removed while it was written", directory);
        assert_string_equal(err.text, text);
    }
    assert_gone(st, "d/e/x");
    other->ops->close(other);
}

static void test_paths_stay_inside(void **state)
{
    static const char *const paths[] = {"/a",  "..",   "../a", "a/../b",
                                        "./a", "a//b", "a/"};
    struct storage *st = storage_of(state);
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        struct str path = str_of(paths[i]);
        assert_status(storage_write_bytes(st, path, PATH("x"), &err), ST_DATA);
        assert_status(st->ops->remove(st, path, &err), ST_DATA);
        assert_status(st->ops->publish(st, path, PATH("b"), &err), ST_DATA);
        assert_status(st->ops->replace(st, PATH("b"), path, &err), ST_DATA);
    }
    AUTO(mem_auto_free)
    char *text = mem_printf("%s: 'a/' is not a path inside this directory", st->url);
    assert_string_equal(err.text, text);
    assert_status(st->ops->remove(st, PATH(""), &err), ST_DATA);
    assert_status(storage_write_bytes(st, PATH(""), PATH("x"), &err), ST_DATA);
    assert_status(st->ops->mkdir(st, STR_LITERAL("a\0b"), &err), ST_DATA);
}

#define CASE(on, name) {#on "_" #name, test_##name, open_##on, close_fixture, (void *)0}
#define EACH(name)     CASE(local, name), CASE(mem, name), CASE(fault, name), CASE(hdfs, name)

TEST_MAIN_HDFS("hdfs_*", EACH(written_file_reads_back), EACH(promises_are_made),
               EACH(empty_file_is_a_file), EACH(write_never_overwrites),
               EACH(write_below_a_file_fails), EACH(checksum_is_ours_and_that_of_hdfs),
               EACH(read_gives_pieces), EACH(reader_reads_to_the_end),
               EACH(read_respects_the_buffers_limit), EACH(what_is_missing_is_not_found),
               EACH(directory_is_no_file), EACH(list_is_sorted_and_flat),
               EACH(names_may_hold_any_letter), EACH(publish_moves),
               EACH(publish_never_overwrites), EACH(publish_says_what_is_missing),
               EACH(a_file_is_created_whole_and_never_over_another),
               CASE(flat, a_file_is_created_whole_and_never_over_another),
               CASE(flat, a_storage_that_cannot_rename_says_so),
               CASE(flat, write_never_overwrites), EACH(replace_overwrites),
               EACH(replace_refuses), EACH(mkdir_may_be_repeated),
               EACH(remove_takes_all_below), EACH(paths_stay_inside),
               CASE(local, removed_while_it_is_written_is_no_end),
               CASE(hdfs, removed_while_it_is_written_is_no_end))
