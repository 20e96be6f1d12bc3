// SPDX-License-Identifier: Apache-2.0
#include "testing/test_record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json_put.h"
#include "base/text.h"
#include "core/env.h"
#include "job/plain_rows.h"
#include "job/tables.h"
#include "testing/test_compare.h"
#include "testing/test_reach.h"
#include "testing/test_text.h"

enum {
    ROWS_BYTES = 256 << 10,
    ROWS_BYTES_MAX = 256 << 20 // of the rows of one record, as in a job
};

struct recording {
    struct pipeline *pipeline;
    struct tables tables; // the staged ones, whole
    struct row_format *row_format;
    struct executor *executor;
    struct plain_rows plain;
    struct buf rows;
    struct test_output truth; // what the whole tables give
    struct test_case test;
    struct test_block good, bad; // records by columns, and as they are
    int64_t left;
    size_t n_not_written; // bad records that are not line of text
};

// The records.

static enum status open_query(struct recording *recording, struct err *err)
{
    const struct plan *plan = recording->pipeline->plan;
    TRY(tables_load(recording->pipeline, NULL, true, &recording->tables, err));
    TRY(plain_row_format_open(plan, &recording->row_format, err));
    return tables_executor(recording->pipeline, &recording->tables, recording->row_format,
                           &recording->executor, err);
}

static void close_query(struct recording *recording)
{
    if (recording->executor != NULL)
        recording->executor->ops->close(recording->executor);
    tables_release(&recording->tables);
    if (recording->row_format != NULL)
        recording->row_format->ops->close(recording->row_format);
}

static enum status too_many_rows(struct err *err)
{
    return err_set(err, ST_USAGE,
                   "these records give more than the %d rows that a test may have; "
                   "--limit takes fewer of them",
                   TEST_ROWS_MAX);
}

static enum status keep_rows(struct recording *recording, struct arena *arena,
                             struct err *err)
{
    struct test_output *truth = &recording->truth;
    struct plain_rows *plain = &recording->plain;
    struct str bytes = buf_as_str(&recording->rows);
    while (plain_rows_next(plain, &bytes, arena)) {
        if (truth->n_rows == TEST_ROWS_MAX)
            return too_many_rows(err);
        struct str *cells = arena_array(&truth->arena, plain->schema.n, sizeof(*cells));
        for (size_t c = 0; c < plain->schema.n; c++)
            cells[c] = test_value_text(plain->values[c], &truth->arena);
        MEM_GROW(truth->rows, truth->n_rows, truth->rows_capacity);
        truth->rows[truth->n_rows++] = (struct test_output_row){cells, NULL};
    }
    return ST_OK;
}

static enum status enrich(struct recording *recording, struct batch *batch,
                          struct err *err)
{
    struct executor *executor = recording->executor;
    for (size_t row = 0, limit = ROWS_BYTES; row < batch->n_rows;) {
        struct executor_result result;
        size_t next = row;
        buf_clear(&recording->rows);
        buf_set_limit(&recording->rows, limit);
        enum status rc = executor->ops->run(executor, batch, row, &recording->rows, &next,
                                            &result, err);
        if (rc == ST_LIMIT && limit < ROWS_BYTES_MAX) {
            limit *= 4;
            continue;
        }
        TRY(rc);
        TRY(keep_rows(recording, &batch->arena, err));
        row = next;
    }
    return ST_OK;
}

static void keep_reject(struct recording *recording, struct str reason)
{
    struct test_output *truth = &recording->truth;
    MEM_GROW(truth->rejects, truth->n_rejects, truth->rejects_capacity);
    truth->rejects[truth->n_rejects++] =
        (struct test_reject){arena_str(&truth->arena, reason), NULL};
}

// A line of text that a test can hold.
static bool is_line(struct str value)
{
    return value.n > 0 && str_utf8_valid(value) == value.n && str_trim(value).n > 0 &&
           memchr(value.p, '\n', value.n) == NULL &&
           memchr(value.p, '\r', value.n) == NULL;
}

static void keep_bad(struct recording *recording, const struct record *record,
                     struct str reason)
{
    struct arena *arena = &recording->test.arena;
    if (format_of(&recording->pipeline->plan->stream->format)->schemas != NULL ||
        !is_line(record->value)) {
        recording->n_not_written++;
        return;
    }
    struct test_block *bad = &recording->bad;
    MEM_GROW(bad->rows, bad->n_rows, bad->rows_capacity);
    struct test_row *row = &bad->rows[bad->n_rows++];
    *row = (struct test_row){arena_array(arena, 1, sizeof(*row->cells)), bad->n_rows};
    row->cells[0].text = arena_str(arena, record->value);
    keep_reject(recording, reason);
}

static void cut_batch(struct batch *batch, size_t end)
{
    while (batch->n_rows > 0 && batch->records[batch->n_rows - 1] >= end)
        batch->n_rows--;
    while (batch->n_rejects > 0 && batch->rejects[batch->n_rejects - 1].record >= end)
        batch->n_rejects--;
}

static enum status take(void *context, const struct run *run, size_t from, size_t next,
                        struct batch *batch, struct err *err)
{
    struct recording *recording = context;
    size_t n = next - from;
    if ((int64_t)n > recording->left)
        n = (size_t)recording->left;
    recording->left -= (int64_t)n;
    cut_batch(batch, from + n);
    batch->now_ms = recording->test.now_ms;
    for (size_t i = 0; i < batch->n_rows; i++)
        (void)test_add_values(&recording->good, batch_row(batch, i),
                              &recording->test.arena);
    size_t n_bad = batch->n_rejects;
    for (size_t i = 0; i < n_bad; i++)
        keep_bad(recording, &run->records[batch->rejects[i].record],
                 batch->rejects[i].reason);
    TRY(enrich(recording, batch, err));
    for (size_t i = n_bad; i < batch->n_rejects; i++)
        keep_reject(recording, batch->rejects[i].reason);
    return recording->left == 0 ? ST_STOP : ST_OK;
}

static enum status read_records(struct recording *recording, const struct look_from *from,
                                struct err *err)
{
    const struct plan *plan = recording->pipeline->plan;
    plain_rows_init(&recording->plain, &plan->output);
    enum status rc = open_query(recording, err);
    if (rc == ST_OK)
        rc = look_at_stream(recording->pipeline, from, take, recording, err);
    close_query(recording);
    plain_rows_release(&recording->plain);
    buf_release(&recording->rows);
    TRY(rc);
    if (recording->good.n_rows + recording->bad.n_rows > 0)
        return ST_OK;
    return err_set(err, ST_USAGE, "there is no record to make a test of");
}

// The tables.

static void drop_blocks(struct test_case *test, size_t n)
{
    while (test->n_blocks > n)
        free(test->blocks[--test->n_blocks].rows);
}

static enum status run_test(const struct recording *recording, struct arena *arena,
                            struct test_records *records, struct test_output *ret,
                            struct err *err)
{
    const struct plan *plan = recording->pipeline->plan;
    TRY(test_records_make(&recording->test, plan->stream, arena, records, err));
    return test_run_insert(&recording->test, plan, records, tables_run_natively(plan),
                           ret, err);
}

static bool is_same(const struct recording *recording, const struct test_output *output)
{
    AUTO(test_differences_release) struct test_differences differences = {0};
    test_compare_executors(&recording->test, &recording->pipeline->plan->output, output,
                           &recording->truth, &differences);
    return differences.n == 0;
}

// The smallest choice of rows that gives what the whole tables give.
static enum status find_tables(struct recording *recording, enum test_reach *ret_how,
                               struct arena *arena, struct test_records *records,
                               struct test_output *output, struct err *err)
{
    struct test_case *test = &recording->test;
    size_t n_blocks = test->n_blocks;
    for (*ret_how = REACH_IDS; *ret_how < N_REACHES; (*ret_how)++) {
        enum status rc = test_reach_tables(recording->pipeline, *ret_how, test, err);
        if (rc == ST_OK) {
            test_output_release(output);
            TRY(run_test(recording, arena, records, output, err));
            if (is_same(recording, output))
                return ST_OK;
        } else if (rc != ST_LIMIT) {
            return rc;
        }
        drop_blocks(test, n_blocks);
    }
    return err_set(err, ST_USAGE,
                   "the rows of tables that these records reach cannot be told from "
                   "columns of one name, and a test takes no table of more than %d rows "
                   "whole; write it by hand: tramline cat shows the rows",
                   TEST_ROWS_MAX);
}

// The folder.

static enum status write_file(const char *folder, const char *name,
                              const struct buf *text, struct err *err)
{
    AUTO(mem_auto_free) char *path = mem_printf("%s/%s", folder, name);
    TRY(buf_check(text, path, err));
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    size_t done = 0;
    ssize_t n = fd < 0 ? -1 : 1;
    while (n > 0 && done < text->n) {
        n = write(fd, text->p + done, text->n - done);
        done += n > 0 ? (size_t)n : 0;
    }
    int error = errno;
    if (fd >= 0)
        close(fd);
    return n < 0 ? err_set(err, ST_FAIL, "cannot write %s: %s", path, strerror(error))
                 : ST_OK;
}

static void put_cell(const struct test_cell *cell, struct buf *text)
{
    if (cell->text.n > 0 || cell->quoted)
        test_put_cell(cell->text, text);
}

static void put_name(struct str name, struct buf *text)
{
    bool plain = memchr(name.p, '=', name.n) == NULL;
    if (plain)
        test_put_cell(name, text);
    else
        buf_printf(text, "\"%.*s\"", STR_ARGS(name));
}

static void put_names(const struct test_block *block, struct buf *text)
{
    for (size_t c = 0; c < block->n_columns; c++) {
        buf_text(text, c ? "," : "");
        put_name(block->columns[c].text, text);
    }
    buf_char(text, '\n');
}

static void put_block(const struct test_block *block, struct buf *text)
{
    if (block->kind == TEST_TABLE)
        put_names(block, text);
    for (size_t i = 0; i < block->n_rows; i++) {
        const struct test_row *row = &block->rows[i];
        for (size_t c = 0; c < block->n_columns; c++) {
            buf_text(text, c ? "," : "");
            put_cell(&row->cells[c], text);
        }
        if (block->kind == TEST_RAW)
            buf_str(text, row->cells[0].text);
        buf_char(text, '\n');
    }
}

static enum status write_blocks(const struct test_case *test, const char *folder,
                                struct err *err)
{
    for (size_t i = 0; i < test->n_blocks; i++) {
        AUTO(buf_release) struct buf text = {0};
        if (test->blocks[i].n_rows == 0)
            continue;
        put_block(&test->blocks[i], &text);
        TRY(write_file(folder, test->blocks[i].file, &text, err));
    }
    return ST_OK;
}

static enum status write_rows(const struct plan *plan, const struct test_output *output,
                              const char *folder, struct err *err)
{
    AUTO(buf_release) struct buf text = {0};
    for (size_t c = 0; c < plan->output.n; c++) {
        buf_text(&text, c ? "," : "");
        put_name(plan->output.columns[c].name, &text);
    }
    buf_char(&text, '\n');
    for (size_t i = 0; i < output->n_rows; i++) {
        for (size_t c = 0; c < plan->output.n; c++) {
            buf_text(&text, c ? "," : "");
            buf_str(&text, output->rows[i].cells[c]);
        }
        buf_char(&text, '\n');
    }
    return write_file(folder, "expect.csv", &text, err);
}

static enum status write_rejects(const struct test_records *records,
                                 const struct test_output *output, const char *folder,
                                 struct err *err)
{
    AUTO(buf_release) struct buf text = {0};
    buf_text(&text, "record,reason\n");
    for (size_t i = 0; i < output->n_rejects; i++) {
        const struct test_reject *reject = &output->rejects[i];
        buf_printf(&text, "%zu,", (size_t)(reject->record - records->items) + 1);
        test_put_cell(reject->reason, &text);
        buf_char(&text, '\n');
    }
    return output->n_rejects > 0 ? write_file(folder, "reject.csv", &text, err) : ST_OK;
}

static enum status write_settings(const struct test_case *test, const char *folder,
                                  struct err *err)
{
    char time[TEXT_TIME_MAX];
    AUTO(buf_release) struct buf text = {0};
    struct str now = text_time(test->now_ms, time);
    buf_printf(&text, "now = %.*sZ\n", 19, now.p);
    return write_file(folder, "test.conf", &text, err);
}

static enum status write_folder(const struct recording *recording, const char *folder,
                                const struct test_records *records,
                                const struct test_output *output, struct err *err)
{
    const struct plan *plan = recording->pipeline->plan;
    // The first test of a script has no folder of tests yet.
    const char *slash = strrchr(folder, '/');
    AUTO(mem_auto_free)
    char *tests = mem_printf("%.*s", slash ? (int)(slash - folder) : 0, folder);
    bool is_made = tests[0] == '\0' || mkdir(tests, 0777) == 0 || errno == EEXIST;
    if (!is_made || mkdir(folder, 0777) != 0)
        return err_set(err, ST_USAGE, "cannot make the folder %s: %s", folder,
                       strerror(errno));
    TRY(write_settings(&recording->test, folder, err));
    TRY(write_blocks(&recording->test, folder, err));
    TRY(write_rejects(records, output, folder, err));
    return write_rows(plan, output, folder, err); // the last one makes it a test
}

static void describe(const struct recording *recording, enum test_reach how,
                     const struct test_output *output, const char *folder,
                     struct buf *ret)
{
    const struct test_case *test = &recording->test;
    buf_printf(ret, "%s: ", folder);
    for (size_t i = 0; i < test->n_blocks; i++)
        if (test->blocks[i].n_rows > 0)
            buf_printf(ret, "%s of %s, ",
                       text_counted((int64_t)test->blocks[i].n_rows, "row", "rows"),
                       test->blocks[i].file);
    buf_printf(ret, "%s expected, %s rejected\n",
               text_counted((int64_t)output->n_rows, "row", "rows"),
               text_counted((int64_t)output->n_rejects, "record", "records"));
    if (how == REACH_ALL)
        buf_text(ret, "The tables are there whole: which rows these records reach cannot "
                      "be told from columns of one name.\n");
    if (recording->n_not_written > 0)
        buf_printf(
            ret, "%s left out: their bytes have no form in a test.\n",
            text_counted((int64_t)recording->n_not_written, "record is", "records are"));
}

static void describe_json(const struct recording *recording, enum test_reach how,
                          const struct test_output *output, const char *folder,
                          struct buf *ret)
{
    const struct test_case *test = &recording->test;
    json_put_open(ret, NULL, '{');
    json_put_text(ret, "path", str_of(folder));
    json_put_open(ret, "files", '[');
    for (size_t i = 0; i < test->n_blocks; i++) {
        if (test->blocks[i].n_rows == 0)
            continue;
        json_put_open(ret, NULL, '{');
        json_put_text(ret, "name", str_of(test->blocks[i].file));
        json_put_number(ret, "rows", (int64_t)test->blocks[i].n_rows);
        json_put_close(ret, '}');
    }
    json_put_close(ret, ']');
    json_put_number(ret, "expected", (int64_t)output->n_rows);
    json_put_number(ret, "rejected", (int64_t)output->n_rejects);
    json_put_number(ret, "left_out", (int64_t)recording->n_not_written);
    json_put_bool(ret, "tables_are_whole", how == REACH_ALL);
    json_put_close(ret, '}');
    buf_char(ret, '\n');
}

// The whole.

static void begin(struct recording *recording)
{
    const struct table *stream = recording->pipeline->plan->stream;
    struct test_case *test = &recording->test;
    struct env *env = env_system();
    test->path = "";
    test->now_ms = env->ops->wall_ms(env) / 1000 * 1000; // as test.conf has it
    recording->good = test_new_block(TEST_TABLE, stream, &test->arena);
    recording->bad = (struct test_block){.kind = TEST_RAW, .name = stream->name};
    recording->bad.file = arena_printf(&test->arena, "%.*s.raw", STR_ARGS(stream->name));
}

static enum status make(struct recording *recording, const char *folder, bool as_json,
                        struct buf *ret, struct err *err)
{
    AUTO(arena_release) struct arena arena = {0};
    AUTO(test_output_release) struct test_output output = {0};
    struct test_records records;
    enum test_reach how;
    TRY(test_add_block(&recording->test, &recording->good, err));
    recording->good = (struct test_block){0};
    TRY(test_add_block(&recording->test, &recording->bad, err));
    recording->bad = (struct test_block){0};
    TRY(find_tables(recording, &how, &arena, &records, &output, err));
    TRY(write_folder(recording, folder, &records, &output, err));
    (as_json ? describe_json : describe)(recording, how, &output, folder, ret);
    return ST_OK;
}

enum status test_record(struct pipeline *pipeline, const struct look_from *from,
                        int64_t limit, const char *folder, bool as_json, struct buf *ret,
                        struct err *err)
{
    struct recording recording = {.pipeline = pipeline, .left = limit};
    if (access(folder, F_OK) == 0)
        return err_set(err, ST_USAGE, "%s is there already and stays as it is", folder);
    begin(&recording);
    enum status rc = read_records(&recording, from, err);
    if (rc == ST_OK)
        rc = make(&recording, folder, as_json, ret, err);
    free(recording.good.rows);
    free(recording.bad.rows);
    test_case_release(&recording.test);
    test_output_release(&recording.truth);
    return rc;
}
