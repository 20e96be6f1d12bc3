// SPDX-License-Identifier: Apache-2.0
// What only a local directory has: links, permissions, full disks. Cases that need root
// are skipped without it.
#include "storage/local.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "test.h"

#define PATH(text) STR_LITERAL(text)

struct fixture {
    char *directory;
    struct storage *storage; // its root is directory/r
};

static struct err err;

static int open_fixture(void **state)
{
    struct fixture *fixture = mem_zalloc(sizeof(*fixture));
    const char *tmp = getenv("TMPDIR");
    fixture->directory = mem_printf("%s/tramline-XXXXXX", tmp ? tmp : "/tmp");
    assert_non_null(mkdtemp(fixture->directory));
    AUTO(mem_auto_free) char *root = mem_printf("%s/r", fixture->directory);
    assert_int_equal(mkdir(root, 0755), 0);
    struct storage_config config = {0};
    assert_ok(storage_open(str_of(root), &config, &fixture->storage, &err), &err);
    *state = fixture;
    return 0;
}

static int close_fixture(void **state)
{
    struct fixture *fixture = *state;
    fixture->storage->ops->close(fixture->storage);
    assert_int_equal(local_remove_tree("/", str_of(fixture->directory + 1)), 0);
    free(fixture->directory);
    free(fixture);
    return 0;
}

static char *file_in(const struct fixture *fixture, const char *name)
{
    return mem_printf("%s/%s", fixture->directory, name);
}

static void make_file(const char *path)
{
    FILE *file = fopen(path, "wx");
    assert_non_null(file);
    assert_int_equal(fclose(file), 0);
}

static bool is_there(const char *path)
{
    struct stat info;
    return lstat(path, &info) == 0;
}

static void test_remove_follows_no_link(void **state)
{
    struct fixture *fixture = *state;
    struct storage *st = fixture->storage;
    AUTO(mem_auto_free) char *outside = file_in(fixture, "outside");
    AUTO(mem_auto_free) char *precious = file_in(fixture, "outside/precious");
    AUTO(mem_auto_free) char *deep = file_in(fixture, "r/d/link");
    AUTO(mem_auto_free) char *shallow = file_in(fixture, "r/link");
    assert_int_equal(mkdir(outside, 0755), 0);
    make_file(precious);
    assert_ok(st->ops->mkdir(st, PATH("d"), &err), &err);
    assert_int_equal(symlink(outside, deep), 0);
    assert_int_equal(symlink(outside, shallow), 0);
    assert_ok(st->ops->remove(st, PATH("d"), &err), &err);
    assert_false(is_there(deep));
    assert_status(st->ops->remove(st, PATH("link/precious"), &err), ST_FAIL);
    assert_true(is_there(precious));
    assert_ok(st->ops->remove(st, PATH("link"), &err), &err);
    assert_false(is_there(shallow));
    assert_true(is_there(precious));
}

static void test_links_are_followed_otherwise(void **state)
{
    struct fixture *fixture = *state;
    struct storage *st = fixture->storage;
    AUTO(mem_auto_free) char *link_path = file_in(fixture, "r/link");
    assert_ok(storage_write_bytes(st, PATH("a"), PATH("hello"), &err), &err);
    assert_int_equal(symlink("a", link_path), 0);
    AUTO(buf_release) struct buf buf = {0};
    struct file_info info;
    assert_ok(storage_read_all(st, PATH("link"), 100, &buf, &err), &err);
    assert_str(buf_as_str(&buf), "hello");
    assert_ok(st->ops->stat(st, PATH("link"), &info, &err), &err);
    assert_int_equal(info.size, 5);
}

static void test_rename_by_link_is_exclusive(void **state)
{
    struct fixture *fixture = *state;
    AUTO(mem_auto_free) char *a = file_in(fixture, "a");
    AUTO(mem_auto_free) char *b = file_in(fixture, "b");
    AUTO(mem_auto_free) char *c = file_in(fixture, "c");
    make_file(a);
    make_file(b);
    assert_int_equal(local_rename_by_link(a, b), -1);
    assert_int_equal(errno, EEXIST);
    assert_true(is_there(a));
    assert_int_equal(local_rename_by_link(a, c), 0);
    assert_false(is_there(a));
    assert_true(is_there(c));
    assert_int_equal(local_rename_by_link(a, c), -1);
    assert_int_equal(errno, ENOENT);
}

static enum status read_some_then_fail(UNUSED struct reader *reader, void *p,
                                       size_t capacity, size_t *ret_n, struct err *e)
{
    static int calls;
    if (calls++ > 0)
        return err_set(e, ST_STOP, "asked to stop");
    memset(p, 'x', capacity);
    *ret_n = capacity;
    return ST_OK;
}

// Whoever is not of the owner's group reads nothing, under the umask that most have.
static void test_files_are_of_the_group_at_most(void **state)
{
    struct fixture *fixture = *state;
    struct storage *st = fixture->storage;
    AUTO(mem_auto_free) char *file = file_in(fixture, "r/d/a");
    AUTO(mem_auto_free) char *directory = file_in(fixture, "r/d");
    struct stat info;
    mode_t before = umask(022);
    assert_ok(st->ops->mkdir(st, PATH("d"), &err), &err);
    assert_ok(storage_write_bytes(st, PATH("d/a"), PATH("x"), &err), &err);
    umask(before);
    assert_int_equal(stat(file, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0640);
    assert_int_equal(stat(directory, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0750);
}

static void test_failed_write_leaves_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct storage *st = fixture->storage;
    AUTO(mem_auto_free) char *path = file_in(fixture, "r/a");
    struct reader reader = {read_some_then_fail};
    assert_status(st->ops->write(st, PATH("a"), &reader, 1 << 30, &err), ST_STOP);
    assert_false(is_there(path));
    AUTO(mem_auto_free)
    char *text = mem_printf("%s: 5 bytes were promised and 0 came", path);
    struct storage_reader empty;
    assert_ok(storage_write_bytes(st, PATH("empty"), PATH(""), &err), &err);
    storage_reader_init(&empty, st, PATH("empty"), 10);
    assert_status(st->ops->write(st, PATH("a"), &empty.reader, 5, &err), ST_FAIL);
    storage_reader_release(&empty);
    assert_string_equal(err.text, text);
    assert_false(is_there(path));
}

static void test_no_permission_names_the_user(void **state)
{
    struct fixture *fixture = *state;
    struct storage *st = fixture->storage;
    if (geteuid() != 0)
        skip_because("only root becomes another user");
    AUTO(mem_auto_free)
    char *text = mem_printf(
        "%s/r/a: cannot write: Permission denied; give user 'nobody' the right "
        "or choose another path",
        fixture->directory);
    assert_int_equal(chmod(fixture->directory, 0755), 0);
    assert_int_equal(seteuid(65534), 0);
    enum status rc = storage_write_bytes(st, PATH("a"), PATH("x"), &err);
    assert_int_equal(seteuid(0), 0);
    assert_status(rc, ST_FAIL);
    assert_string_equal(err.text, text);
}

static char *own_mount; // of the child

// In a chroot "/" is no mount: then this one may be seen outside, until it goes.
static bool mount_own(const char *path, unsigned long flags)
{
    own_mount = mem_strdup(path);
    return unshare(CLONE_NEWNS) == 0 &&
           (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 ||
            errno == EINVAL) &&
           mount("tmpfs", path, "tmpfs", flags, "size=64k") == 0;
}

// These run in a child with a mount of its own: exit code 0 when all is well, 77 when
// such a mount is not allowed.

static int write_to_full_disk(struct storage *st, const char *root)
{
    if (!mount_own(root, 0))
        return 77;
    static const char bytes[1 << 20];
    struct file_info info;
    AUTO(mem_auto_free)
    char *text =
        mem_printf("%s/a: cannot write: No space left on device; make room there", root);
    enum status rc =
        storage_write_bytes(st, PATH("a"), (struct str){bytes, sizeof(bytes)}, &err);
    if (rc != ST_RETRY || strcmp(err.text, text) != 0)
        return 1;
    if (st->ops->stat(st, PATH("a"), &info, &err) != ST_NOT_FOUND)
        return 2;
    return storage_write_bytes(st, PATH("b"), PATH("fits"), &err) == ST_OK ? 0 : 3;
}

static int write_to_read_only_disk(struct storage *st, const char *root)
{
    if (!mount_own(root, MS_RDONLY))
        return 77;
    AUTO(mem_auto_free)
    char *text = mem_printf("%s/a: cannot write: Read-only file system; mount it for "
                            "writing or choose another path",
                            root);
    enum status rc = storage_write_bytes(st, PATH("a"), PATH("x"), &err);
    return rc == ST_FAIL && strcmp(err.text, text) == 0 ? 0 : 1;
}

static int rename_to_other_disk(struct storage *st, const char *root)
{
    AUTO(mem_auto_free) char *other = mem_printf("%s/d", root);
    if (st->ops->mkdir(st, PATH("d"), &err) != ST_OK ||
        storage_write_bytes(st, PATH("a"), PATH("x"), &err) != ST_OK)
        return 1;
    if (!mount_own(other, 0))
        return 77;
    AUTO(mem_auto_free)
    char *text = mem_printf("%s/d/a: cannot rename to it: Invalid cross-device link; the "
                            "whole directory must lie in one file system",
                            root);
    enum status rc = st->ops->publish(st, PATH("a"), PATH("d/a"), &err);
    return rc == ST_FAIL && strcmp(err.text, text) == 0 ? 0 : 2;
}

static void run_with_mount(const struct fixture *fixture,
                           int (*run)(struct storage *st, const char *root))
{
    AUTO(mem_auto_free) char *root = file_in(fixture, "r");
    pid_t child = fork();
    if (child == 0) {
        int code = run(fixture->storage, root);
        (void)umount2(own_mount, MNT_DETACH);
        _exit(code);
    }
    int how;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFEXITED(how));
    if (WEXITSTATUS(how) == 77)
        skip_because("a mount of its own is not allowed here");
    assert_int_equal(WEXITSTATUS(how), 0);
}

static void test_full_disk_is_retry_and_leaves_nothing(void **state)
{
    run_with_mount(*state, write_to_full_disk);
}

static void test_read_only_disk_is_told(void **state)
{
    run_with_mount(*state, write_to_read_only_disk);
}

static void test_two_file_systems_are_told(void **state)
{
    run_with_mount(*state, rename_to_other_disk);
}

// Without a descriptor left a file cannot be opened, and a directory not synced.
static void test_no_descriptor_left_is_told(void **state)
{
    struct fixture *fixture = *state;
    struct storage *st = fixture->storage;
    AUTO(mem_auto_free)
    char *open_text = mem_printf("%s/r/a: cannot write: Too many open files; raise the "
                                 "limit of open files (ulimit -n)",
                                 fixture->directory);
    AUTO(mem_auto_free)
    char *sync_text = mem_printf("%s/r/c: renamed, but perhaps not yet on the disk: Too "
                                 "many open files",
                                 fixture->directory);
    assert_ok(storage_write_bytes(st, PATH("b"), PATH("x"), &err), &err);
    struct rlimit limit, none;
    struct err sync_err;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = (struct rlimit){3, limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    enum status opened = storage_write_bytes(st, PATH("a"), PATH("x"), &err);
    enum status synced = st->ops->publish(st, PATH("b"), PATH("c"), &sync_err);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_status(opened, ST_RETRY);
    assert_string_equal(err.text, open_text);
    assert_status(synced, ST_UNKNOWN);
    assert_string_equal(sync_err.text, sync_text);
}

static void test_messages_name_path_and_way_out(void **state)
{
    struct fixture *fixture = *state;
    struct storage *st = fixture->storage;
    AUTO(buf_release) struct buf buf = {0};
    AUTO(mem_auto_free)
    char *directory =
        mem_printf("%s/r/d: cannot read: Is a directory; a file is needed there",
                   fixture->directory);
    AUTO(mem_auto_free)
    char *missing = mem_printf("%s/r/no: is not there", fixture->directory);
    AUTO(mem_auto_free)
    char *taken = mem_printf("%s/r/a: is there already", fixture->directory);
    assert_ok(st->ops->mkdir(st, PATH("d"), &err), &err);
    assert_ok(storage_write_bytes(st, PATH("a"), PATH("x"), &err), &err);
    assert_status(st->ops->read(st, PATH("d"), 0, 1, &buf, &err), ST_FAIL);
    assert_string_equal(err.text, directory);
    assert_status(st->ops->read(st, PATH("no"), 0, 1, &buf, &err), ST_NOT_FOUND);
    assert_string_equal(err.text, missing);
    assert_status(storage_write_bytes(st, PATH("a"), PATH("x"), &err), ST_EXISTS);
    assert_string_equal(err.text, taken);
    AUTO(mem_auto_free)
    char *below = mem_printf("%s/r/a/b: cannot look at it: Not a directory; a directory "
                             "is needed there",
                             fixture->directory);
    struct file_info info;
    assert_status(st->ops->stat(st, PATH("a/b"), &info, &err), ST_FAIL);
    assert_string_equal(err.text, below);
}

#define T(name) cmocka_unit_test_setup_teardown(test_##name, open_fixture, close_fixture)

TEST_MAIN(T(remove_follows_no_link), T(links_are_followed_otherwise),
          T(rename_by_link_is_exclusive), T(failed_write_leaves_nothing),
          T(files_are_of_the_group_at_most), T(no_permission_names_the_user),
          T(full_disk_is_retry_and_leaves_nothing), T(read_only_disk_is_told),
          T(two_file_systems_are_told), T(no_descriptor_left_is_told),
          T(messages_name_path_and_way_out))
