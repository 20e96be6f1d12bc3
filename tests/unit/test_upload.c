// SPDX-License-Identifier: Apache-2.0
// A storage that lies: it tells size and checksum of what was sent, and holds something
// else. By default that stays unseen until verify --deep reads it; with upload.verify =
// 'read' it is seen before the commit.
#include "test.h"

#include "base/log.h"
#include "log/paths.h"
#include "log/verify.h"
#include "memory/spool_mem.h"
#include "memory/storage_mem.h"
#include "sim/sim_job.h"
#include "sim/sim_patience.h"
#include "work/upload.h"

enum lie {
    LIE_NONE,
    LIE_BYTE,  // one is another
    LIE_CUT,   // the last one is missing
    LIE_MORE,  // as many again come behind
    LIE_EMPTY, // nothing is there
    LIE_N
};

// Around a storage in memory. What it was sent last is what it tells of.
struct liar {
    struct storage storage; // first member
    struct storage_ops ops;
    struct storage *inner;
    enum lie lie; // of the next write of a data file
    int n_reads;
    struct buf sent;
    struct str path; // of the last lie
    char path_text[PATH_TEXT];
};

static struct liar *of(struct storage *storage)
{
    return (struct liar *)storage;
}

static bool is_lied_about(const struct liar *liar, struct str path)
{
    return liar->path.n > 0 && str_eq(liar->path, path);
}

static enum status read_all(struct reader *reader, struct buf *ret, struct err *err)
{
    char piece[1000];
    size_t n;
    buf_clear(ret);
    do {
        TRY(reader->read(reader, piece, sizeof(piece), &n, err));
        buf_append(ret, piece, n);
    } while (n > 0);
    return ST_OK;
}

static void spoil(enum lie lie, struct buf *held)
{
    if (lie == LIE_BYTE)
        held->p[held->n / 2] ^= 1;
    if (lie == LIE_CUT)
        held->n--;
    if (lie == LIE_MORE) {
        AUTO(mem_auto_free) char *again = mem_strndup(held->p, held->n);
        buf_append(held, again, held->n);
    }
    if (lie == LIE_EMPTY)
        held->n = 0;
}

// Entries are JSON: they are read back in any case and never lied about here.
static enum status liar_write(struct storage *storage, struct str path,
                              struct reader *reader, UNUSED int64_t size_bytes,
                              struct err *err)
{
    struct liar *liar = of(storage);
    AUTO(buf_release) struct buf held = {0};
    TRY(read_all(reader, &held, err));
    if (liar->lie != LIE_NONE && held.n > 0 && held.p[0] != '{') {
        buf_clear(&liar->sent);
        buf_str(&liar->sent, buf_as_str(&held));
        snprintf(liar->path_text, PATH_TEXT, "%.*s", STR_ARGS(path));
        liar->path = str_of(liar->path_text);
        spoil(liar->lie, &held);
        liar->lie = LIE_NONE;
    }
    return storage_write_bytes(liar->inner, path, buf_as_str(&held), err);
}

static enum status liar_publish(struct storage *storage, struct str from, struct str to,
                                struct err *err)
{
    struct liar *liar = of(storage);
    TRY(liar->inner->ops->publish(liar->inner, from, to, err));
    if (is_lied_about(liar, from)) {
        snprintf(liar->path_text, PATH_TEXT, "%.*s", STR_ARGS(to));
        liar->path = str_of(liar->path_text);
    }
    return ST_OK;
}

static enum status liar_stat(struct storage *storage, struct str path,
                             struct file_info *ret, struct err *err)
{
    struct liar *liar = of(storage);
    TRY(liar->inner->ops->stat(liar->inner, path, ret, err));
    if (is_lied_about(liar, path))
        ret->size = (int64_t)liar->sent.n;
    return ST_OK;
}

static enum status liar_checksum(struct storage *storage, struct str path,
                                 struct checksum *ret, struct err *err)
{
    struct liar *liar = of(storage);
    if (!is_lied_about(liar, path))
        return liar->inner->ops->checksum(liar->inner, path, ret, err);
    struct checksummer *sum = checksummer_open(CHECKSUM_HDFS);
    checksummer_add(sum, liar->sent.p, liar->sent.n);
    checksummer_finish(sum, ret);
    checksummer_free(sum);
    return ST_OK;
}

static enum status liar_read(struct storage *storage, struct str path, int64_t offset,
                             size_t size_bytes, struct buf *ret, struct err *err)
{
    struct liar *liar = of(storage);
    liar->n_reads += !str_ends_with(path, ".json");
    return liar->inner->ops->read(liar->inner, path, offset, size_bytes, ret, err);
}

static enum status liar_list(struct storage *storage, struct str path,
                             struct arena *arena, struct file_list *ret, struct err *err)
{
    struct liar *liar = of(storage);
    return liar->inner->ops->list(liar->inner, path, arena, ret, err);
}

static enum status liar_mkdir(struct storage *storage, struct str path, struct err *err)
{
    struct liar *liar = of(storage);
    return liar->inner->ops->mkdir(liar->inner, path, err);
}

static enum status liar_remove(struct storage *storage, struct str path, struct err *err)
{
    struct liar *liar = of(storage);
    return liar->inner->ops->remove(liar->inner, path, err);
}

static void liar_open(struct liar *liar)
{
    struct mem_tree *tree = mem_tree_open(NULL);
    *liar = (struct liar){.inner = storage_mem_open(tree, "/r")};
    mem_tree_unref(tree);
    liar->storage = *liar->inner;
    liar->ops = *liar->inner->ops;
    liar->ops.write = liar_write;
    liar->ops.publish = liar_publish;
    liar->ops.stat = liar_stat;
    liar->ops.checksum = liar_checksum;
    liar->ops.read = liar_read;
    liar->ops.list = liar_list;
    liar->ops.mkdir = liar_mkdir;
    liar->ops.remove = liar_remove;
    liar->storage.ops = &liar->ops;
}

static void liar_release(struct liar *liar)
{
    liar->inner->ops->close(liar->inner);
    buf_release(&liar->sent);
}

// One file of a unit, in one piece or several.

struct fixture {
    struct liar liar;
    struct sim_clock clock;
    struct sim_patience sim;
    struct spool *spool;
    struct draft *draft;
};

static void make_draft(struct fixture *fix, size_t n_bytes)
{
    struct err err;
    AUTO(buf_release) struct buf bytes = {0};
    for (size_t i = 0; i < n_bytes; i++)
        buf_char(&bytes, (char)('a' + i % 26));
    struct spool_file *spool;
    assert_ok(fix->spool->ops->create(fix->spool, &spool, &err), &err);
    assert_ok(spool->ops->append(spool, buf_as_str(&bytes), &err), &err);
    struct entry_file file = {.kind = FILE_DATA, .bytes = (int64_t)n_bytes};
    struct checksummer *sum = checksummer_open(CHECKSUM_HDFS);
    checksummer_add(sum, bytes.p, bytes.n);
    checksummer_finish(sum, &file.checksum);
    checksummer_free(sum);
    fix->draft = draft_new(NULL, 0, STR_LITERAL("w"), STR_LITERAL("d"));
    draft_add_file(fix->draft, &file, spool);
}

static void set_up(struct fixture *fix, size_t n_bytes)
{
    *fix = (struct fixture){0};
    liar_open(&fix->liar);
    sim_clock_init(&fix->clock, 1);
    sim_patience_init(&fix->sim, &fix->liar.storage, &fix->clock, 60000);
    fix->spool = spool_mem_open();
    make_draft(fix, n_bytes);
}

static void tear_down(struct fixture *fix)
{
    draft_free(fix->draft);
    fix->spool->ops->close(fix->spool);
    liar_release(&fix->liar);
}

static enum status upload(struct fixture *fix, enum upload_verify by, struct err *err)
{
    struct job job = {.settings.upload_verify = by};
    return upload_draft(&fix->sim.patience, &job, fix->draft, err);
}

static void assert_lie_is_found(enum lie lie, size_t n_bytes)
{
    struct fixture fix;
    struct err err = {0};
    char text[512];
    set_up(&fix, n_bytes);
    fix.liar.lie = lie;
    assert_ok(upload(&fix, UPLOAD_VERIFY_CHECKSUM, &err), &err);
    assert_int_equal(fix.liar.n_reads, 0);
    assert_str(fix.draft->unit.files[0].tmp, fix.liar.path_text);
    draft_free(fix.draft);
    make_draft(&fix, n_bytes);
    fix.liar.lie = lie;
    assert_ok(upload(&fix, UPLOAD_VERIFY_READ, &err), &err); // under another name
    snprintf(text, sizeof(text),
             "mem:///r/%s: the storage does not hold the %zu bytes sent to it",
             fix.liar.path_text, n_bytes);
    assert_string_equal(err.text, text); // of the try before
    assert_false(str_is(fix.draft->unit.files[0].tmp, fix.liar.path_text));
    assert_int_equal(fix.sim.paused_ms, 100);
    tear_down(&fix);
}

static void test_each_lie_is_found_by_reading(UNUSED void **state)
{
    static const size_t sizes[] = {1, 513, (4 << 20) - 1, 4 << 20, (4 << 20) + 1};
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
        for (int lie = LIE_BYTE; lie < LIE_N; lie++)
            assert_lie_is_found((enum lie)lie, sizes[i]);
}

// It reads no more than it sent, and some.
static void test_a_file_without_end_is_not_read_to_it(UNUSED void **state)
{
    struct fixture fix;
    struct err err;
    set_up(&fix, 20 << 20);
    deadline_end(&fix.sim.deadline); // one try
    fix.liar.lie = LIE_MORE;
    assert_status(upload(&fix, UPLOAD_VERIFY_READ, &err), ST_FAIL);
    assert_int_equal(fix.liar.n_reads, 6);
    tear_down(&fix);
}

static void test_a_checksum_of_another_kind_is_not_compared(UNUSED void **state)
{
    struct fixture fix;
    struct err err;
    char text[512];
    set_up(&fix, 100);
    fix.liar.inner->checksum_kind = CHECKSUM_CRC32C;
    assert_status(upload(&fix, UPLOAD_VERIFY_CHECKSUM, &err), ST_DATA);
    const char *path = err.text + strlen("mem:///r/");
    snprintf(
        text, sizeof(text),
        "mem:///r/%.*s: the storage tells a checksum of kind crc32c, which cannot be "
        "compared with one of kind md5md5crc32c",
        (int)strcspn(path, ":"), path);
    assert_string_equal(err.text, text);
    tear_down(&fix);
}

// A whole job.

static int64_t n_wrong(struct liar *liar, bool bytes)
{
    struct verify_options options = {.checksums = true, .bytes = bytes};
    struct verify_report report;
    struct err err;
    assert_ok(verify_run(&liar->storage, &options, &report, &err), &err);
    int64_t n = (int64_t)report.n_errors;
    verify_report_release(&report);
    return n;
}

// A storage that tells another kind fits: files are made with the checksum that it tells,
// the log has the kind, and verify compares by it.
static void test_a_job_on_a_storage_of_another_kind(UNUSED void **state)
{
    struct sim_job job;
    struct mem_tree *tree = mem_tree_open(NULL);
    struct storage *storage = storage_mem_open(tree, "/r");
    struct verify_options options = {.checksums = true};
    struct verify_report report;
    struct err err;
    log_set_level(LOG_ERROR);
    sim_job_init(&job, 1);
    job.job.settings.upload_verify = UPLOAD_VERIFY_READ;
    for (int i = 0; i < 20; i++)
        sim_job_record(&job, 0, SIM_ROWS, 2);
    storage->checksum_kind = job.job.checksum_kind = CHECKSUM_CRC32C;
    assert_ok(sim_job_run(&job, storage, &err), &err);
    for (int deep = 0; deep < 2; deep++) {
        options.bytes = deep;
        assert_ok(verify_run(storage, &options, &report, &err), &err);
        assert_int_equal(report.n_errors, 0);
        assert_true(report.n_commits > 0);
        verify_report_release(&report);
    }
    storage->checksum_kind = CHECKSUM_HDFS; // the result is copied elsewhere
    options.bytes = true;
    assert_ok(verify_run(storage, &options, &report, &err), &err);
    assert_int_equal(report.n_errors, 0);
    verify_report_release(&report);
    options.bytes = false;
    assert_ok(verify_run(storage, &options, &report, &err), &err);
    assert_int_equal(report.n_errors, 1);
    assert_string_equal(report.findings[0].text.p,
                        "entry 2: part-00000000000000000002-0.avro: the storage tells a "
                        "checksum of kind md5md5crc32c, which cannot be compared with "
                        "one of kind crc32c; verify --deep reads the file");
    verify_report_release(&report);
    storage->ops->close(storage);
    mem_tree_unref(tree);
}

static void run_job(enum upload_verify by, int64_t n_wrong_deep)
{
    struct sim_job job;
    struct liar liar;
    struct err err;
    log_set_level(LOG_ERROR);
    sim_job_init(&job, 1);
    job.job.settings.upload_verify = by;
    for (int i = 0; i < 20; i++)
        sim_job_record(&job, 0, SIM_ROWS, 2);
    liar_open(&liar);
    liar.lie = LIE_BYTE;
    assert_ok(sim_job_run(&job, &liar.storage, &err), &err);
    assert_int_equal(liar.lie, LIE_NONE);
    assert_int_equal(n_wrong(&liar, false), 0);
    assert_int_equal(n_wrong(&liar, true), n_wrong_deep);
    liar_release(&liar);
}

static void test_a_job_commits_what_it_has_read_back(UNUSED void **state)
{
    run_job(UPLOAD_VERIFY_CHECKSUM, 1);
    run_job(UPLOAD_VERIFY_READ, 0);
}

TEST_MAIN(cmocka_unit_test(test_each_lie_is_found_by_reading),
          cmocka_unit_test(test_a_checksum_of_another_kind_is_not_compared),
          cmocka_unit_test(test_a_job_on_a_storage_of_another_kind),
          cmocka_unit_test(test_a_file_without_end_is_not_read_to_it),
          cmocka_unit_test(test_a_job_commits_what_it_has_read_back))
