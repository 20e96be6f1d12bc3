// SPDX-License-Identifier: Apache-2.0
#include "work/unit_builder.h"

#include <assert.h>
#include <inttypes.h>

#include "base/json_put.h"
#include "base/log.h"
#include "base/text.h"
#include "work/dead_letter.h"

enum {
    ROWS_BYTES = 256 << 10,    // of a slice: what the second cache holds beside its copy
    ROWS_BYTES_MAX = 256 << 20 // of the rows of one record
};

void unit_builder_init(struct unit_builder *builder,
                       const struct unit_builder_parts *parts)
{
    *builder = (struct unit_builder){.parts = *parts, .rows = BUF_INIT(ROWS_BYTES)};
    builder->shares = parts->shares != NULL ? parts->shares : &builder->own_shares;
    batch_init(&builder->batch, parts->decoder->schema->n);
    builder->batch.limit = (size_t)parts->job->settings.batch_memory;
}

void unit_builder_begin(struct unit_builder *builder, struct draft *draft)
{
    assert(builder->draft == NULL);
    builder->draft = draft;
}

static int64_t clock_ms(const struct unit_builder *builder)
{
    return builder->parts.env->ops->monotonic_ms(builder->parts.env);
}

// The data file.

// Where its rows come from: the ranges of offsets read, or, for the room they need, the
// longest that they may become.
static void format_note(const struct unit_builder *builder, bool is_longest,
                        struct buf *ret)
{
    const struct unit *unit = &builder->draft->unit;
    json_put_open(ret, NULL, '{');
    json_put_text(ret, "cluster", builder->parts.topic->cluster);
    json_put_text(ret, "topic", builder->parts.topic->name);
    json_put_open(ret, "partitions", '[');
    for (size_t i = 0; i < unit->n_spans; i++) {
        const struct span *span = &unit->spans[i];
        if (span->next == span->first && !is_longest)
            continue;
        json_put_open(ret, NULL, '{');
        json_put_number(ret, "partition", span->partition);
        json_put_number(ret, "first", span->first);
        json_put_number(ret, "next", is_longest ? INT64_MAX : span->next);
        json_put_close(ret, '}');
    }
    json_put_close(ret, ']');
    json_put_close(ret, '}');
}

static enum status begin_data(struct unit_builder *builder, struct err *err)
{
    struct file_writer *writer = builder->parts.writer;
    TRY(spool_writer_begin(&builder->data, builder->parts.spool,
                           builder->parts.job->checksum_kind, err));
    buf_clear(&builder->json);
    format_note(builder, true, &builder->json);
    return writer->ops->begin(writer, &builder->data.output, builder->json.n, err);
}

static enum status write_rows(struct unit_builder *builder, size_t n_rows,
                              struct err *err)
{
    struct file_writer *writer = builder->parts.writer;
    if (n_rows == 0)
        return ST_OK;
    if (builder->data.file == NULL)
        TRY(begin_data(builder, err));
    builder->data.rows += (int64_t)n_rows;
    return writer->ops->rows(writer, buf_as_str(&builder->rows), n_rows, err);
}

static enum status add_file(struct unit_builder *builder, struct spool_writer *writer,
                            enum file_kind kind, struct err *err)
{
    struct spooled made;
    TRY(spool_writer_finish(writer, &made, err));
    const struct entry_file file = {
        .kind = kind, .rows = made.rows, .bytes = made.bytes, .checksum = made.checksum};
    draft_add_file(builder->draft, &file, made.file);
    return ST_OK;
}

static enum status end_data(struct unit_builder *builder, struct err *err)
{
    struct file_writer *writer = builder->parts.writer;
    if (builder->data.file == NULL)
        return ST_OK;
    buf_clear(&builder->json);
    format_note(builder, false, &builder->json);
    TRY(writer->ops->finish(writer, buf_as_str(&builder->json), err));
    return add_file(builder, &builder->data, FILE_DATA, err);
}

// The dead letters.

// Base64 makes of three bytes four.
static enum status letter_too_large(const struct unit_builder *builder,
                                    const struct run *run, const struct record *record,
                                    struct err *err)
{
    return err_set(
        err, ST_DATA,
        "topic '%.*s' partition %" PRId32 " offset %" PRId64
        ": this record of %zu bytes is too large for a dead letter; one has at "
        "most %d MB",
        STR_ARGS(builder->parts.topic->name), run->partition, record->offset,
        record->key.n + record->value.n, BUF_LIMIT_DEFAULT >> 20);
}

static enum status write_dead(struct unit_builder *builder, const struct run *run,
                              const struct reject *reject, struct err *err)
{
    struct stream *stream = builder->parts.stream;
    if (builder->dead.file == NULL)
        TRY(spool_writer_begin(&builder->dead, builder->parts.spool,
                               builder->parts.job->checksum_kind, err));
    buf_clear(&builder->json);
    stream->ops->headers(stream, reject->record, &builder->json);
    struct dead_letter letter = {
        .topic = builder->parts.topic->name,
        .partition = run->partition,
        .record = &run->records[reject->record],
        .headers = buf_as_str(&builder->json),
        .reason = reject->reason,
    };
    dead_letter_format(&letter, &builder->dead.out);
    if (builder->dead.out.full)
        return letter_too_large(builder, run, letter.record, err);
    builder->dead.rows++;
    return spool_writer_flush(&builder->dead, err);
}

static enum status end_dead(struct unit_builder *builder, struct err *err)
{
    if (builder->dead.file == NULL)
        return ST_OK;
    return add_file(builder, &builder->dead, FILE_DEAD, err);
}

static enum status refuse_record(const struct unit_builder *builder,
                                 const struct run *run, const struct reject *reject,
                                 struct err *err)
{
    return err_set(err, ST_DATA,
                   "topic '%.*s' partition %" PRId32 " offset %" PRId64 ": %.*s; to set "
                   "such records aside and go on: SET on_error = 'dead_letter'",
                   STR_ARGS(builder->parts.topic->name), run->partition,
                   run->records[reject->record].offset, STR_ARGS(reject->reason));
}

static enum status note_rejects(struct unit_builder *builder, const struct run *run,
                                size_t n_records, struct err *err)
{
    const struct batch *batch = &builder->batch;
    struct shares_bad bad = {.n = batch->n_rejects};
    if (bad.n > 0) {
        const struct reject *last = &batch->rejects[bad.n - 1];
        bad.partition = run->partition;
        bad.offset = run->records[last->record].offset;
        bad.reason = last->reason;
    }
    return shares_add_bad(builder->shares, &builder->parts.job->settings,
                          builder->parts.topic->name,
                          n_records - batch->n_ignored - bad.n, &bad, err);
}

static enum status take_rejects(struct unit_builder *builder, const struct run *run,
                                size_t n_records, struct err *err)
{
    const struct batch *batch = &builder->batch;
    if (batch->n_rejects && builder->parts.job->settings.on_error == ON_ERROR_FAIL)
        return refuse_record(builder, run, &batch->rejects[0], err);
    TRY(note_rejects(builder, run, n_records, err));
    for (size_t i = 0; i < batch->n_rejects; i++)
        TRY(write_dead(builder, run, &batch->rejects[i], err));
    return ST_OK;
}

// The rows of a batch are taken: `n_matched` records gave some.
static enum status note_matches(struct unit_builder *builder, size_t n_records,
                                size_t n_matched, struct err *err)
{
    const struct batch *batch = &builder->batch;
    size_t n_good = n_records - batch->n_ignored - batch->n_rejects;
    return shares_add_matches(builder->shares, &builder->parts.job->settings,
                              builder->parts.topic->name, n_matched, n_good - n_matched,
                              err);
}

enum status unit_builder_check_end(struct unit_builder *builder, struct err *err)
{
    return shares_check_end(builder->shares, &builder->parts.job->settings,
                            builder->parts.topic->name, err);
}

// The rows.

// Enriches from `row` on. The rows of one record may need a larger buffer than a slice.
static enum status run_slice(struct unit_builder *builder, size_t row, size_t *ret_next,
                             struct executor_result *ret, struct err *err)
{
    struct executor *executor = builder->parts.executor;
    enum status rc = ST_LIMIT;
    for (size_t limit = ROWS_BYTES; rc == ST_LIMIT && limit <= ROWS_BYTES_MAX;
         limit *= 4) {
        buf_clear(&builder->rows);
        buf_set_limit(&builder->rows, limit);
        rc = executor->ops->run(executor, &builder->batch, row, &builder->rows, ret_next,
                                ret, err);
    }
    if (rc != ST_LIMIT)
        return rc;
    builder->shown.n_rejects[REJECT_TOO_LARGE]++;
    batch_reject(&builder->batch, builder->batch.records[row], str_of(err->text));
    buf_clear(&builder->rows);
    *ret_next = row + 1;
    *ret = (struct executor_result){0};
    return ST_OK;
}

// A sign of life.
static void step(struct unit_builder *builder)
{
    _Atomic int64_t *stepped_ms = builder->parts.stepped_ms;
    if (stepped_ms == NULL)
        board_step(&builder->parts.status->board, clock_ms(builder));
    else
        atomic_store_explicit(stepped_ms, clock_ms(builder), memory_order_relaxed);
}

// Up to *ret_row: all rows, unless the executor was asked to stop.
static enum status take_rows(struct unit_builder *builder, size_t *ret_row,
                             struct err *err)
{
    struct engine_status *status = builder->parts.status;
    size_t row = 0;
    for (size_t before = SIZE_MAX; row < builder->batch.n_rows && row != before;) {
        struct executor_result result;
        before = row;
        TRY(run_slice(builder, row, &row, &result, err));
        step(builder);
        TRY(write_rows(builder, result.n_rows, err));
        builder->draft->unit.rows += (int64_t)result.n_rows;
        builder->draft->unit.matched += (int64_t)result.n_matched;
        builder->shown.n_rows += (int64_t)result.n_rows;
        builder->shown.n_bytes += (int64_t)builder->rows.n;
        builder->shown.n_records[OUTCOME_UNMATCHED] += (int64_t)result.n_unmatched;
        atomic_fetch_add(&status->n_rows, (int64_t)result.n_rows);
        atomic_fetch_add(&status->n_matched, (int64_t)result.n_matched);
    }
    *ret_row = row;
    return ST_OK;
}

// Leaves in the batch what stands before the record of that row: that one's index.
static size_t cut_batch(struct unit_builder *builder, size_t from, size_t row,
                        size_t *n_decoder)
{
    struct batch *batch = &builder->batch;
    size_t next = batch->records[row];
    size_t n_kept = 0, n_of_decoder = 0;
    for (size_t i = 0; i < batch->n_rejects; i++) {
        if (batch->rejects[i].record >= next)
            continue;
        n_of_decoder += i < *n_decoder;
        batch->rejects[n_kept++] = batch->rejects[i];
    }
    batch->n_rejects = n_kept;
    batch->n_rows = row;
    batch->n_ignored = next - from - row - n_of_decoder;
    *n_decoder = n_of_decoder;
    return next;
}

// The batch.

static void start_batch(struct unit_builder *builder)
{
    struct unit *unit = &builder->draft->unit;
    batch_clear(&builder->batch);
    int64_t now_ms = builder->parts.env->ops->wall_ms(builder->parts.env);
    if (now_ms < unit->last_batch_ms) // the clock was set back
        now_ms = unit->last_batch_ms;
    if (unit->first_batch_ms == 0)
        unit->first_batch_ms = now_ms;
    unit->last_batch_ms = now_ms;
    builder->batch.now_ms = now_ms;
}

static void count_batch(struct unit_builder *builder, size_t n_records)
{
    struct engine_status *status = builder->parts.status;
    if (atomic_fetch_add(&status->n_batches, 1) == 0)
        log_debug("the first %zu records are enriched", n_records);
    atomic_fetch_add(&status->n_read, (int64_t)n_records);
    atomic_fetch_add(&status->n_ignored, (int64_t)builder->batch.n_ignored);
    atomic_fetch_add(&status->n_rejected, (int64_t)builder->batch.n_rejects);
}

// For the board.

// The oldest record of the unit in its partition.
static void note_first(struct unit_builder *builder, const struct span *span,
                       const struct record *record)
{
    builder->shown.first = (struct board_mark){-1, -1};
    if (span->data == 0)
        builder->shown.first = (struct board_mark){record->offset, record->time_ms};
}

static void show_reject(struct unit_builder *builder, const struct run *run,
                        size_t n_decoder)
{
    const struct batch *batch = &builder->batch;
    if (batch->n_rejects == 0)
        return;
    const struct reject *last = &batch->rejects[batch->n_rejects - 1];
    const struct record *record = &run->records[last->record];
    board_reject(&builder->parts.status->board,
                 batch->n_rejects > n_decoder ? REJECT_QUERY : REJECT_UNREADABLE,
                 run->partition, record->offset, last->reason, record->value,
                 batch->now_ms);
}

// The batch's records are those up to where the unit stands now; the first n_decoder of
// its rejects are the decoder's.
static void show_batch(struct unit_builder *builder, const struct span *span,
                       const struct run *run, size_t n_records, size_t n_decoder,
                       int64_t n_matched)
{
    const struct batch *batch = &builder->batch;
    struct board_batch *shown = &builder->shown;
    const struct executor *executor = builder->parts.executor;
    int64_t *n = shown->n_records, *n_rejects = shown->n_rejects;
    n[OUTCOME_IGNORED] = (int64_t)batch->n_ignored;
    n[OUTCOME_REJECTED] = (int64_t)batch->n_rejects;
    n[OUTCOME_MATCHED] = n_matched;
    n[OUTCOME_FILTERED] = (int64_t)n_records - n[OUTCOME_IGNORED] - n[OUTCOME_REJECTED] -
                          n_matched - n[OUTCOME_UNMATCHED];
    builder->draft->unit.unmatched += n[OUTCOME_UNMATCHED];
    builder->draft->unit.filtered += n[OUTCOME_FILTERED];
    n_rejects[REJECT_UNREADABLE] = (int64_t)n_decoder;
    n_rejects[REJECT_QUERY] =
        n[OUTCOME_REJECTED] - (int64_t)n_decoder - n_rejects[REJECT_TOO_LARGE];
    shown->partition = run->partition;
    shown->last = (struct board_mark){span->last.offset, span->last.time_ms};
    shown->next = span->next;
    shown->joins = executor->joins;
    shown->hand = (size_t)builder->parts.hand;
    board_batch(&builder->parts.status->board, shown);
    show_reject(builder, run, n_decoder);
}

// Takes records [from, *ret_next) of the run, at most batch.records of them.
static enum status take_batch(struct unit_builder *builder, const struct run *run,
                              struct span *span, size_t from, size_t *ret_next,
                              struct err *err)
{
    struct decoder *decoder = builder->parts.decoder;
    size_t limit = (size_t)builder->parts.job->settings.batch_records;
    struct run part = *run;
    if (part.n - from > limit)
        part.n = from + limit;
    size_t next = part.n;
    start_batch(builder);
    builder->shown = (struct board_batch){0};
    enum status rc =
        decoder->ops->decode(decoder, &part, from, &builder->batch, &next, err);
    if (rc != ST_OK && rc != ST_RETRY)
        return rc;
    assert(builder->batch.n_rows + builder->batch.n_rejects + builder->batch.n_ignored ==
           next - from);
    size_t n_rejects = builder->batch.n_rejects, row = 0;
    int64_t n_matched_before = builder->draft->unit.matched;
    TRY(take_rows(builder, &row, err));
    bool is_cut = row < builder->batch.n_rows;
    if (is_cut)
        next = cut_batch(builder, from, row, &n_rejects);
    if (next > from) {
        TRY(take_rejects(builder, run, next - from, err));
        TRY(note_matches(builder, next - from,
                         (size_t)(builder->draft->unit.matched - n_matched_before), err));
        note_first(builder, span, &run->records[from]);
        draft_advance(builder->draft, span, run, from, next);
        span->ignored += (int64_t)builder->batch.n_ignored;
        span->rejected += (int64_t)builder->batch.n_rejects;
        count_batch(builder, next - from);
        show_batch(builder, span, run, next - from, n_rejects,
                   builder->draft->unit.matched - n_matched_before);
    }
    *ret_next = next;
    builder->is_cut = is_cut; // not before: what fails is no cut
    return rc;
}

static enum status check_run(const struct unit_builder *builder, const struct run *run,
                             const struct span *span, struct err *err)
{
    int64_t wanted = span ? span->next : -1;
    bool rises = run->first == wanted;
    for (size_t i = 0; rises && i < run->n; i++) {
        rises = run->records[i].offset >= wanted;
        wanted = run->records[i].offset + 1;
    }
    if (rises && run->next >= wanted)
        return ST_OK;
    return err_set(err, ST_FAIL,
                   "topic '%.*s' partition %" PRId32 ": offsets do not follow on %" PRId64
                   ": the client gave [%" PRId64 ", %" PRId64 "); nothing of it is used",
                   STR_ARGS(builder->parts.topic->name), run->partition, wanted,
                   run->first, run->next);
}

static void note_opened(struct unit_builder *builder)
{
    if (draft_is_empty(builder->draft))
        builder->opened_ms = clock_ms(builder);
}

enum status unit_builder_run(struct unit_builder *builder, const struct run *run,
                             size_t *ret_n_used, struct err *err)
{
    struct span *span = draft_span(builder->draft, run->partition);
    *ret_n_used = 0;
    TRY(check_run(builder, run, span, err));
    TRY(draft_note_topic(builder->draft, run->topic_id, err));
    note_opened(builder);
    while (*ret_n_used < run->n && !builder->is_cut)
        TRY(take_batch(builder, run, span, *ret_n_used, ret_n_used, err));
    if (run->n > 0)
        return ST_OK;
    draft_advance(builder->draft, span, run, 0, 0);
    board_batch(&builder->parts.status->board,
                &(struct board_batch){.partition = run->partition,
                                      .first = {-1, -1},
                                      .last = {-1, -1},
                                      .next = span->next});
    return ST_OK;
}

enum status unit_builder_refuse_gap(struct str topic, const struct stream_gap *gap,
                                    struct err *err)
{
    return err_set(err, ST_DATA,
                   "topic '%.*s' partition %" PRId32 ": offset %" PRId64
                   " is wanted, but the first one there is %" PRId64
                   ": %s left the topic unread; to write that "
                   "into the log and go on: SET on_gap = 'record'",
                   STR_ARGS(topic), gap->partition, gap->wanted, gap->low,
                   text_counted(gap->low - gap->wanted, "offset", "offsets"));
}

enum status unit_builder_gap(struct unit_builder *builder, const struct stream_gap *gap,
                             struct err *err)
{
    struct span *span = draft_span(builder->draft, gap->partition);
    struct str topic = builder->parts.topic->name;
    if (span == NULL || gap->wanted != span->next || gap->low < gap->wanted)
        return err_set(err, ST_DATA,
                       "topic '%.*s' partition %" PRId32 ": offset %" PRId64
                       " is not there, and the first one that is, %" PRId64
                       ", is not after it: was the topic recreated?",
                       STR_ARGS(topic), gap->partition, gap->wanted, gap->low);
    if (builder->parts.job->settings.on_gap == ON_GAP_FAIL)
        return unit_builder_refuse_gap(topic, gap, err);
    TRY(draft_note_topic(builder->draft, (struct str){0}, err)); // asked for by name
    note_opened(builder);
    span->skipped += gap->low - span->next;
    span->gap += gap->low - span->next;
    span->epoch = (struct leader_epoch){0}; // of a batch that is not known
    draft_move(builder->draft, span, gap->low);
    return ST_OK;
}

// The unit.

bool unit_builder_is_due(const struct unit_builder *builder, int64_t now_ms)
{
    const struct job_settings *settings = &builder->parts.job->settings;
    const struct file_writer *writer = builder->parts.writer;
    if (builder->draft == NULL || draft_is_empty(builder->draft))
        return false;
    return now_ms - builder->opened_ms >= settings->commit_interval_ms ||
           writer->ops->bytes(writer) >= settings->commit_bytes ||
           builder->dead.output.bytes >= settings->commit_bytes ||
           builder->draft->unit.rows >= settings->commit_rows;
}

enum status unit_builder_finish(struct unit_builder *builder, struct draft **ret,
                                struct err *err)
{
    TRY(end_data(builder, err));
    TRY(end_dead(builder, err));
    *ret = builder->draft;
    builder->draft = NULL;
    return ST_OK;
}

void unit_builder_drop(struct unit_builder *builder)
{
    struct file_writer *writer = builder->parts.writer;
    if (builder->data.file != NULL)
        writer->ops->abort(writer);
    spool_writer_drop(&builder->data);
    spool_writer_drop(&builder->dead);
    draft_free(builder->draft);
    builder->draft = NULL;
}

void unit_builder_release(struct unit_builder *builder)
{
    unit_builder_drop(builder);
    spool_writer_release(&builder->data);
    spool_writer_release(&builder->dead);
    batch_release(&builder->batch);
    buf_release(&builder->rows);
    buf_release(&builder->json);
    shares_release(&builder->own_shares);
}
