// SPDX-License-Identifier: Apache-2.0
// What only a local directory has: links, permissions, full disks. Cases that need root
// are skipped without it.
#include "storage/local.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
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

#define NOT_FOLLOWED(path, verb)                                                        \
    path ": cannot " verb ": a symbolic link is on the way, and inside a directory of " \
         "tables or results none is followed; put the file itself there, or let the "   \
         "whole directory be the link"

// Everything that a storage can be asked, with the link as the thing itself and above it.
static enum status ask(struct storage *st, int op, struct str path)
{
    AUTO(buf_release) struct buf bytes = {0};
    AUTO(arena_release) struct arena arena = {0};
    struct file_info info;
    struct file_list list;
    struct checksum sum;
    switch (op) {
    case 0:
        return storage_read_all(st, path, 100, &bytes, &err);
    case 1:
        return st->ops->stat(st, path, &info, &err);
    case 2:
        return st->ops->checksum(st, path, &sum, &err);
    case 3:
        return st->ops->list(st, path, &arena, &list, &err);
    case 4:
        return st->ops->mkdir(st, path, &err);
    case 5:
        return storage_write_bytes(st, path, PATH("x"), &err);
    case 6:
        return st->ops->publish(st, path, PATH("new"), &err);
    case 7:
        return st->ops->replace(st, path, PATH("new"), &err);
    case 8:
        return st->ops->publish(st, PATH("a"), path, &err);
    case 9:
        return st->ops->replace(st, PATH("a"), path, &err);
    default:
        return st->ops->remove(st, path, &err);
    }
}

enum {
    OPS = 11
};

static void assert_refused(struct storage *st, int op, const char *path)
{
    enum status rc = ask(st, op, str_of(path));
    if (rc == ST_FAIL && strstr(err.text, "a symbolic link is on the way") != NULL)
        return;
    fail_msg("op %d at %s: %s: %s", op, path, status_name(rc), err.text);
}

// A link to a directory outside, one to a file outside, and to one beside it.
static void assert_no_link_is_followed(struct fixture *fixture)
{
    struct storage *st = fixture->storage;
    AUTO(mem_auto_free) char *outside = file_in(fixture, "outside");
    AUTO(mem_auto_free) char *precious = file_in(fixture, "outside/precious");
    AUTO(mem_auto_free) char *link = file_in(fixture, "r/link");
    AUTO(mem_auto_free) char *file = file_in(fixture, "r/file");
    AUTO(mem_auto_free) char *beside = file_in(fixture, "r/beside");
    assert_int_equal(mkdir(outside, 0755), 0);
    make_file(precious);
    assert_ok(storage_write_bytes(st, PATH("a"), PATH("hello"), &err), &err);
    assert_int_equal(symlink(outside, link), 0);
    assert_int_equal(symlink(precious, file), 0);
    assert_int_equal(symlink("a", beside), 0);
    for (int op = 0; op < OPS; op++)
        assert_refused(st, op, "link/precious");
    for (int op = 0; op < 4; op++) // what reads
        assert_refused(st, op, op == 3 ? "link" : "file");
    assert_refused(st, 0, "beside");
    assert_refused(st, 4, "link/new/d");
    assert_refused(st, 5, "link/new");
    assert_refused(st, 6, "file"); // the link would lie in the result
    assert_refused(st, 7, "file");
    assert_status(ask(st, 5, PATH("file")), ST_EXISTS);
    assert_status(ask(st, 8, PATH("file")), ST_EXISTS);
    assert_true(is_there(precious));
    struct stat info;
    assert_int_equal(lstat(outside, &info), 0);
    assert_int_equal(info.st_nlink, 2); // no directory was made there
    assert_ok(ask(st, 10, PATH("file")), &err);
    assert_ok(ask(st, 10, PATH("link")), &err);
    assert_true(is_there(precious));
    assert_false(is_there(link));
}

static void test_no_link_below_the_root_is_followed(void **state)
{
    struct fixture *fixture = *state;
    assert_no_link_is_followed(fixture);
}

static void test_a_link_is_told_with_the_way_out(void **state)
{
    struct fixture *fixture = *state;
    AUTO(mem_auto_free) char *link = file_in(fixture, "r/link");
    assert_int_equal(symlink("elsewhere", link), 0);
    assert_status(ask(fixture->storage, 0, PATH("link/a")), ST_FAIL);
    AUTO(mem_auto_free)
    char *text = mem_printf("%s" NOT_FOLLOWED("/r/link/a", "read"), fixture->directory);
    assert_string_equal(err.text, text);
}

// In a listing it is a file, of whatever name: nothing goes down there.
static void test_a_link_to_a_directory_is_listed_as_none(void **state)
{
    struct fixture *fixture = *state;
    AUTO(arena_release) struct arena arena = {0};
    AUTO(mem_auto_free) char *link = file_in(fixture, "r/day=2026-11-22");
    struct file_list list;
    assert_int_equal(symlink(fixture->directory, link), 0);
    assert_ok(
        fixture->storage->ops->list(fixture->storage, PATH(""), &arena, &list, &err),
        &err);
    assert_int_equal(list.n, 1);
    assert_false(list.items[0].is_directory);
}

// The directory that users name may be a link, or behind one: /data -> /mnt/data.
static void test_the_root_itself_may_be_a_link(void **state)
{
    struct fixture *fixture = *state;
    AUTO(mem_auto_free) char *link = file_in(fixture, "link");
    AUTO(mem_auto_free) char *below = file_in(fixture, "link/new/root");
    assert_int_equal(symlink("r", link), 0);
    const char *const roots[] = {link, below};
    for (size_t i = 0; i < ARRAY_LEN(roots); i++) {
        struct storage_config config = {0};
        struct storage *st;
        assert_ok(storage_open(str_of(roots[i]), &config, &st, &err), &err);
        assert_ok(storage_write_bytes(st, PATH("d/a"), PATH("hello"), &err), &err);
        assert_ok(st->ops->publish(st, PATH("d/a"), PATH("d/b"), &err), &err);
        for (int op = 0; op < 3; op++)
            assert_ok(ask(st, op, PATH("d/b")), &err);
        assert_ok(ask(st, 3, PATH("d")), &err);
        assert_ok(ask(st, 10, PATH("d")), &err);
        st->ops->close(st);
    }
}

// From here on a system call fails so, in this process and for good.
static void forbid(long call, int error)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)call, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {ARRAY_LEN(code), code};
    assert_int_equal(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    assert_int_equal(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
    assert_int_equal(syscall(call, -1, NULL, NULL, 0), -1);
    assert_int_equal(errno, error);
}

// A storage asks what the kernel has when it is opened.
static void open_again(struct fixture *fixture)
{
    struct storage_config config = {0};
    AUTO(mem_auto_free) char *root = file_in(fixture, "r");
    fixture->storage->ops->close(fixture->storage);
    assert_ok(storage_open(str_of(root), &config, &fixture->storage, &err), &err);
}

// The test in a process of its own, which forbids the call.
static void run_without(long call, int error, CMUnitTestFunction test)
{
    void *state = NULL;
    int status;
    open_fixture(&state);
    fflush(stdout);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        forbid(call, error);
        open_again(state);
        test(&state);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    close_fixture(&state);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

// As in a kernel or a sandbox that has no openat2(2).
static void test_without_openat2_it_is_the_same(UNUSED void **state)
{
    static const int errors[] = {ENOSYS, EPERM};
    const CMUnitTestFunction tests[] = {
        test_no_link_below_the_root_is_followed,
        test_a_link_is_told_with_the_way_out,
        test_a_link_to_a_directory_is_listed_as_none,
        test_the_root_itself_may_be_a_link,
    };
    for (size_t i = 0; i < ARRAY_LEN(errors); i++)
        for (size_t k = 0; k < ARRAY_LEN(tests); k++)
            run_without(SYS_openat2, errors[i], tests[k]);
}

// A directory becomes a link, and a directory again, while files go in and out by its
// name: another process does it as fast as it can.
static void swap_for_ever(const char *directory, const char *aside, const char *outside)
{
    alarm(120); // whatever becomes of the test
    for (;;) {
        rename(directory, aside);
        if (symlink(outside, directory) == 0)
            usleep(20);
        unlink(directory);
        rename(aside, directory);
        usleep(20);
    }
}

static void test_a_directory_swapped_for_a_link_leads_nowhere(void **state)
{
    struct fixture *fixture = *state;
    struct storage *st = fixture->storage;
    AUTO(mem_auto_free) char *outside = file_in(fixture, "outside");
    AUTO(mem_auto_free) char *precious = file_in(fixture, "outside/precious");
    AUTO(mem_auto_free) char *directory = file_in(fixture, "r/d");
    AUTO(mem_auto_free) char *aside = file_in(fixture, "r/aside");
    assert_int_equal(mkdir(outside, 0755), 0);
    make_file(precious);
    assert_ok(st->ops->mkdir(st, PATH("d"), &err), &err);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        swap_for_ever(directory, aside, outside);
    int n_ok = 0, n_refused = 0;
    for (int i = 0; i < 1000; i++) {
        char name[32];
        snprintf(name, sizeof(name), "d/%d", i);
        n_ok += storage_write_bytes(st, str_of(name), PATH("x"), &err) == ST_OK;
        n_ok += st->ops->publish(st, str_of(name), PATH("b"), &err) == ST_OK;
        n_ok += st->ops->replace(st, PATH("b"), str_of(name), &err) == ST_OK;
        n_refused += ask(st, 10, PATH("d/precious")) == ST_FAIL;
        (void)ask(st, 10, str_of(name));
    }
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    print_message("%d went well, %d met the link\n", n_ok, n_refused);
    assert_true(n_ok > 0 && n_refused > 0);
    struct storage_config config = {0};
    struct storage *look;
    AUTO(arena_release) struct arena arena = {0};
    struct file_list list;
    assert_ok(storage_open(str_of(outside), &config, &look, &err), &err);
    assert_ok(look->ops->list(look, PATH(""), &arena, &list, &err), &err);
    assert_int_equal(list.n, 1); // the precious one, and nothing that was written
    look->ops->close(look);
}

static void test_rename_by_link_is_exclusive(void **state)
{
    struct fixture *fixture = *state;
    AUTO(mem_auto_free) char *a = file_in(fixture, "a");
    AUTO(mem_auto_free) char *b = file_in(fixture, "b");
    AUTO(mem_auto_free) char *c = file_in(fixture, "c");
    make_file(a);
    make_file(b);
    assert_int_equal(local_rename_by_link(AT_FDCWD, a, AT_FDCWD, b), -1);
    assert_int_equal(errno, EEXIST);
    assert_true(is_there(a));
    assert_int_equal(local_rename_by_link(AT_FDCWD, a, AT_FDCWD, c), 0);
    assert_false(is_there(a));
    assert_true(is_there(c));
    assert_int_equal(local_rename_by_link(AT_FDCWD, a, AT_FDCWD, c), -1);
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
    struct reader reader = {.read = read_some_then_fail};
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

// A file that is given away.

static int open_given(const struct fixture *fixture, const char *directory)
{
    AUTO(mem_auto_free) char *path = file_in(fixture, directory);
    int fd = open(path, O_TMPFILE | O_RDWR, 0640);
    if (fd < 0)
        skip(); // the file system has none
    assert_int_equal(write(fd, "given", 5), 5);
    return fd;
}

static enum status read_copied(UNUSED struct reader *reader, void *p,
                               UNUSED size_t capacity, size_t *ret_n,
                               UNUSED struct err *e)
{
    static bool is_done;
    *ret_n = is_done ? 0 : 5;
    memcpy(p, "given", *ret_n);
    is_done = !is_done;
    return ST_OK;
}

static void check_given(const struct fixture *fixture, const char *name, ino_t inode,
                        bool is_same)
{
    struct stat info;
    char bytes[8] = "";
    AUTO(mem_auto_free) char *path = file_in(fixture, name);
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    assert_int_equal(read(fd, bytes, sizeof(bytes)), 5);
    assert_string_equal(bytes, "given");
    assert_int_equal(fstat(fd, &info), 0);
    assert_int_equal(info.st_ino == inode, is_same);
    assert_int_equal(info.st_mode & 0777, 0640);
    close(fd);
}

static void test_a_file_that_is_given_gets_the_name(void **state)
{
    struct fixture *fixture = *state;
    struct storage *st = fixture->storage;
    struct stat info;
    struct given_file given = {.fd = open_given(fixture, "")};
    struct reader reader = {.read = read_copied, .given = &given};
    assert_int_equal(fstat(given.fd, &info), 0);
    assert_ok(st->ops->write(st, PATH("d/a"), &reader, 5, &err), &err);
    assert_true(given.is_taken);
    check_given(fixture, "r/d/a", info.st_ino, true);
    given.is_taken = false; // a name that is taken stays what it is
    assert_status(st->ops->write(st, PATH("d/a"), &reader, 5, &err), ST_EXISTS);
    assert_false(given.is_taken);
    close(given.fd);
}

// The group that a directory hands down, other bytes, a file that had a name before: a
// copy is made.
static void test_a_file_that_cannot_be_given_is_copied(void **state)
{
    struct fixture *fixture = *state;
    struct storage *st = fixture->storage;
    struct stat info;
    AUTO(mem_auto_free) char *directory = file_in(fixture, "r/shared");
    struct given_file given = {.fd = open_given(fixture, "")};
    struct reader reader = {.read = read_copied, .given = &given};
    assert_int_equal(fstat(given.fd, &info), 0);
    if (geteuid() != 0)
        skip();
    assert_int_equal(mkdir(directory, 0750), 0);
    assert_int_equal(chown(directory, 0, 12345), 0);
    assert_int_equal(chmod(directory, 02750), 0);
    assert_ok(st->ops->write(st, PATH("shared/a"), &reader, 5, &err), &err);
    assert_false(given.is_taken);
    check_given(fixture, "r/shared/a", info.st_ino, false);
    assert_int_equal(ftruncate(given.fd, 4), 0);
    assert_ok(st->ops->write(st, PATH("b"), &reader, 5, &err), &err);
    assert_false(given.is_taken);
    check_given(fixture, "r/b", info.st_ino, false);
    close(given.fd);
}

static enum status read_without_end(UNUSED struct reader *reader, void *p,
                                    size_t capacity, size_t *ret_n, UNUSED struct err *e)
{
    memset(p, 'x', capacity);
    *ret_n = capacity;
    return ST_OK;
}

static void test_more_than_was_promised_ends_the_write(void **state)
{
    struct fixture *fixture = *state;
    struct storage *st = fixture->storage;
    AUTO(mem_auto_free) char *path = file_in(fixture, "r/a");
    AUTO(mem_auto_free)
    char *text = mem_printf("%s: 1000000 bytes were promised and more came", path);
    struct reader reader = {.read = read_without_end};
    assert_status(st->ops->write(st, PATH("a"), &reader, 1000000, &err), ST_FAIL);
    assert_string_equal(err.text, text);
    assert_false(is_there(path));
}

// What fits one piece is written, read and summed all the same.
static void test_a_deadline_ends_what_is_long(void **state)
{
    struct fixture *fixture = *state;
    struct storage *st = fixture->storage;
    struct deadline deadline = {0};
    struct checksum sum;
    struct buf bytes = {0};
    AUTO(mem_auto_free) char *path = file_in(fixture, "r/long");
    AUTO(mem_auto_free)
    char *text = mem_printf("%s: no time was left after 262144 bytes", path);
    struct reader reader = {.read = read_without_end};
    assert_ok(storage_write_bytes(st, PATH("long"), PATH(""), &err), &err);
    assert_int_equal(truncate(path, 3 << 20), 0);
    st->deadline = &deadline;
    deadline_end(&deadline);
    assert_status(st->ops->checksum(st, PATH("long"), &sum, &err), ST_RETRY);
    assert_string_equal(err.text, text);
    assert_ok(st->ops->read(st, PATH("long"), 0, 1 << 20, &bytes, &err), &err);
    assert_status(st->ops->read(st, PATH("long"), 262144, 1 << 20, &bytes, &err),
                  ST_RETRY);
    assert_string_equal(err.text, text);
    assert_status(st->ops->write(st, PATH("a"), &reader, 1 << 30, &err), ST_RETRY);
    assert_ok(storage_write_bytes(st, PATH("short"), PATH("x"), &err), &err);
    assert_ok(st->ops->checksum(st, PATH("short"), &sum, &err), &err);
    st->deadline = NULL;
    buf_release(&bytes);
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

// In a chroot "/" is not a mount: then this one may be seen outside, until it goes.
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

// Without a descriptor left nothing is opened, and nothing is renamed.
static void test_no_descriptor_left_is_told(void **state)
{
    struct fixture *fixture = *state;
    struct storage *st = fixture->storage;
    AUTO(mem_auto_free)
    char *open_text = mem_printf("%s/r/a: cannot write: Too many open files; raise the "
                                 "limit of open files (ulimit -n)",
                                 fixture->directory);
    AUTO(mem_auto_free)
    char *rename_text = mem_printf("%s/r/b: cannot rename it: Too many open files; raise "
                                   "the limit of open files (ulimit -n)",
                                   fixture->directory);
    assert_ok(storage_write_bytes(st, PATH("b"), PATH("x"), &err), &err);
    struct rlimit limit, none;
    struct err rename_err;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = (struct rlimit){3, limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    enum status opened = storage_write_bytes(st, PATH("a"), PATH("x"), &err);
    enum status renamed = st->ops->publish(st, PATH("b"), PATH("c"), &rename_err);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_status(opened, ST_RETRY);
    assert_string_equal(err.text, open_text);
    assert_status(renamed, ST_RETRY);
    assert_string_equal(rename_err.text, rename_text);
    assert_ok(ask(st, 1, PATH("b")), &err);
}

static void rename_to_a_disk_that_fails(void **state)
{
    struct fixture *fixture = *state;
    AUTO(mem_auto_free) char *file = file_in(fixture, "r/a");
    AUTO(mem_auto_free)
    char *text = mem_printf("%s/r/c: renamed, but perhaps not yet on the disk: "
                            "Input/output error",
                            fixture->directory);
    make_file(file);
    assert_status(ask(fixture->storage, 6, PATH("no")), ST_NOT_FOUND);
    assert_status(
        fixture->storage->ops->publish(fixture->storage, PATH("a"), PATH("c"), &err),
        ST_UNKNOWN);
    assert_string_equal(err.text, text);
}

static void test_a_rename_that_is_not_on_the_disk_is_unknown(UNUSED void **state)
{
    run_without(SYS_fsync, EIO, rename_to_a_disk_that_fails);
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

TEST_MAIN(T(remove_follows_no_link), T(no_link_below_the_root_is_followed),
          T(a_link_is_told_with_the_way_out), T(a_link_to_a_directory_is_listed_as_none),
          T(the_root_itself_may_be_a_link), T(without_openat2_it_is_the_same),
          T(a_directory_swapped_for_a_link_leads_nowhere), T(rename_by_link_is_exclusive),
          T(failed_write_leaves_nothing), T(more_than_was_promised_ends_the_write),
          T(a_deadline_ends_what_is_long), T(files_are_of_the_group_at_most),
          T(no_permission_names_the_user), T(full_disk_is_retry_and_leaves_nothing),
          T(read_only_disk_is_told), T(two_file_systems_are_told),
          T(no_descriptor_left_is_told), T(a_rename_that_is_not_on_the_disk_is_unknown),
          T(messages_name_path_and_way_out), T(a_file_that_is_given_gets_the_name),
          T(a_file_that_cannot_be_given_is_copied))
