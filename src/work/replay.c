// SPDX-License-Identifier: Apache-2.0
#include "work/replay.h"

#include <inttypes.h>
#include <stdlib.h>

#include "commit/committer.h"
#include "log/letter_headers.h"
#include "work/unit_builder.h"
#include "work/upload.h"

enum {
    RUN_RECORDS = 1000,
    RUN_BYTES = 16 << 20,
    SCHEMA_WAIT_MS = 200
};
#define SCHEMA_HEADER "__value_schema_id"

// What the headers of a letter are asked of, and nothing else.
struct letter_stream {
    struct stream stream; // first member
    const struct replay_run *run;
    size_t at; // of the run's records where the builder's begin
};

// Letters of one partition, their offsets rising.
struct replay_run {
    struct arena arena;
    struct record records[RUN_RECORDS];
    struct str headers[RUN_RECORDS];
    size_t n, n_bytes;
    int32_t partition;
};

struct replaying {
    const struct replay_parts *parts;
    struct job job;
    struct dead_book book;
    struct engine_status status;
    struct patience patience;
    struct letter_stream stream;
    struct replay_run run;
    struct unit_builder builder;
    struct draft *draft;
    struct letter_range *letters;
    size_t n_letters, letters_capacity;
    int64_t n_records;
    bool *has_partition; // of all that may be
    bool has_more;
};

static void put_headers(struct stream *stream, size_t index, struct buf *json)
{
    const struct letter_stream *letters = (const struct letter_stream *)stream;
    struct str headers = letters->run->headers[letters->at + index];
    if (!str_is(headers, "[]"))
        buf_str(json, headers);
}

static const struct stream_ops letter_stream_ops = {.headers = put_headers};

// Which letters.

static void note_letter(struct replaying *replaying, const struct dead_record *letter)
{
    struct letter_range *last =
        replaying->n_letters ? &replaying->letters[replaying->n_letters - 1] : NULL;
    replaying->n_records++;
    if (last != NULL && last->entry == letter->entry &&
        last->first + last->count == letter->line) {
        last->count++;
        return;
    }
    MEM_GROW(replaying->letters, replaying->n_letters, replaying->letters_capacity);
    replaying->letters[replaying->n_letters++] =
        (struct letter_range){letter->entry, letter->line, 1};
}

static enum status choose(void *context, const struct dead_record *letter,
                          UNUSED struct err *err)
{
    struct replaying *replaying = context;
    replaying->has_more = replaying->n_records == REPLAY_LETTERS_MAX;
    if (replaying->has_more)
        return ST_STOP;
    replaying->has_partition[letter->partition] = true;
    note_letter(replaying, letter);
    return ST_OK;
}

// Through the script.

static struct str keep_bytes(struct arena *arena, struct str bytes)
{
    return bytes.p == NULL ? bytes : arena_str(arena, bytes);
}

static enum status wait_for_schema(struct replaying *replaying, int64_t *waited_ms,
                                   struct err *err)
{
    int64_t most_ms = replaying->job.settings.schema_retry_ms;
    if (*waited_ms >= most_ms)
        return err_set(err, ST_FAIL, "%s", err->text);
    *waited_ms += SCHEMA_WAIT_MS;
    replaying->parts->env->ops->sleep_ms(replaying->parts->env, SCHEMA_WAIT_MS);
    return ST_OK;
}

static enum status other_letters(struct err *err)
{
    return err_set(err, ST_DATA,
                   "the dead letters are not those that were there a moment ago; "
                   "tramline verify tells more");
}

static enum status give_run(struct replaying *replaying, struct err *err)
{
    struct replay_run *from = &replaying->run;
    int64_t waited_ms = 0;
    for (size_t at = 0; at < from->n;) {
        struct run run = {.partition = from->partition,
                          .first = from->records[at].offset,
                          .next = from->records[from->n - 1].offset + 1,
                          .records = from->records,
                          .n = from->n};
        struct span *span = draft_span(replaying->builder.draft, from->partition);
        if (span == NULL)
            return other_letters(err);
        span->first = span->next = run.first; // where a letter stood says nothing here
        span->skipped = 0;
        run.records += at;
        run.n -= at;
        size_t n_used = 0;
        replaying->stream.run = from;
        replaying->stream.at = at;
        enum status rc = unit_builder_run(&replaying->builder, &run, &n_used, err);
        at += n_used;
        if (rc == ST_RETRY)
            rc = wait_for_schema(replaying, &waited_ms, err);
        TRY(rc);
    }
    from->n = from->n_bytes = 0;
    arena_clear(&from->arena);
    return ST_OK;
}

static enum status take_letter(void *context, const struct dead_record *letter,
                               struct err *err)
{
    struct replaying *replaying = context;
    struct replay_run *run = &replaying->run;
    if (replaying->n_records-- == 0)
        return ST_STOP;
    bool fits = run->n > 0 && run->n < RUN_RECORDS && run->n_bytes < RUN_BYTES &&
                run->partition == letter->partition &&
                run->records[run->n - 1].offset < letter->record.offset;
    if (!fits)
        TRY(give_run(replaying, err));
    run->partition = letter->partition;
    run->n_bytes += letter->record.key.n + letter->record.value.n;
    run->headers[run->n] = arena_str(&run->arena, letter->headers);
    run->records[run->n++] = (struct record){
        .offset = letter->record.offset,
        .time_ms = letter->record.time_ms,
        .key = keep_bytes(&run->arena, letter->record.key),
        .value = keep_bytes(&run->arena, letter->record.value),
        .value_schema = letter_header_value(letter->headers, SCHEMA_HEADER, &run->arena),
    };
    return ST_OK;
}

static struct draft *new_draft(const struct replaying *replaying, const char *writer)
{
    AUTO(arena_release) struct arena arena = {0};
    struct progress *partitions =
        arena_array(&arena, ENTRY_PARTITION_MAX, sizeof(*partitions));
    size_t n = 0;
    for (int32_t p = 0; p < ENTRY_PARTITION_MAX; p++)
        if (replaying->has_partition[p])
            partitions[n++] = (struct progress){.partition = p, .last = {.offset = -1}};
    return draft_new(partitions, n, str_of(writer), replaying->job.dimension);
}

static void begin_unit(struct replaying *replaying, const char *writer)
{
    const struct replay_parts *from = replaying->parts;
    replaying->job.settings.on_error = ON_ERROR_DEAD_LETTER;
    replaying->job.settings.on_error_share = 100;
    replaying->job.settings.match_min = 0;
    replaying->stream.stream.ops = &letter_stream_ops;
    struct unit_builder_parts parts = {
        .job = &replaying->job,
        .stream = &replaying->stream.stream,
        .topic = from->topic,
        .decoder = from->decoder,
        .executor = from->executor,
        .writer = from->writer,
        .spool = from->spool,
        .env = from->env,
        .status = &replaying->status,
    };
    unit_builder_init(&replaying->builder, &parts);
    unit_builder_begin(&replaying->builder, new_draft(replaying, writer));
}

// The second time the files are read: the bytes of all letters need not fit in memory.
static enum status enrich(struct replaying *replaying, const struct dead_filter *filter,
                          struct replay_report *ret, struct err *err)
{
    int64_t n_records = replaying->n_records;
    TRY(dead_book_each(&replaying->book, &replaying->patience.storage, filter,
                       take_letter, replaying, err));
    TRY(give_run(replaying, err));
    struct unit *unit = &replaying->builder.draft->unit;
    for (size_t i = 0; i < unit->n_spans; i++) {
        ret->records += unit->spans[i].data;
        ret->ignored += unit->spans[i].ignored;
        ret->rejected += unit->spans[i].rejected;
        unit->spans[i].next = unit->spans[i].first;
    }
    if (ret->records != n_records)
        return other_letters(err);
    TRY(unit_builder_finish(&replaying->builder, &replaying->draft, err));
    ret->rows = unit->rows;
    ret->matched = unit->matched;
    return ST_OK;
}

static enum status publish(struct replaying *replaying, struct committer *committer,
                           struct replay_report *ret, struct err *err)
{
    const struct replay replay = {
        .letters = replaying->letters,
        .n_letters = replaying->n_letters,
        .records = ret->records,
        .ignored = ret->ignored,
        .rejected = ret->rejected,
    };
    TRY(upload_draft(&replaying->patience, &replaying->job, replaying->draft, err));
    enum status rc = committer_replay(committer, &replaying->draft->unit, &replay, err);
    while (rc == ST_OK && committer_tidy_last(committer)) {
        // What is left over goes to the next claim, if it cannot be done now.
    }
    return rc;
}

static enum status replay_all(struct replaying *replaying, struct committer *committer,
                              const struct dead_filter *wanted, struct replay_report *ret,
                              struct err *err)
{
    struct dead_filter filter = *wanted;
    TRY(committer_recover(committer, err));
    committer_begin_replay(committer);
    // The log may have grown since: what came then is for the next replay.
    filter.before = committer_state(committer)->next;
    TRY(dead_book_read(&replaying->patience.storage, &replaying->book, err));
    TRY(dead_book_each(&replaying->book, &replaying->patience.storage, &filter, choose,
                       replaying, err));
    ret->has_more = replaying->has_more;
    if (replaying->n_records == 0)
        return ST_OK;
    begin_unit(replaying, committer_writer(committer));
    enum status rc = enrich(replaying, &filter, ret, err);
    if (rc == ST_OK)
        rc = publish(replaying, committer, ret, err);
    if (rc == ST_OK)
        ret->entry = committer_state(committer)->next - 1;
    unit_builder_release(&replaying->builder);
    return rc;
}

static bool nobody_calls(UNUSED void *context)
{
    return false;
}

static void release(struct replaying *replaying)
{
    draft_free(replaying->draft);
    dead_book_release(&replaying->book);
    arena_release(&replaying->run.arena);
    free(replaying->letters);
    free(replaying->has_partition);
    free(replaying);
}

enum status replay_letters(const struct replay_parts *parts,
                           const struct dead_filter *filter, struct replay_report *ret,
                           struct err *err)
{
    struct replaying *replaying = mem_zalloc(sizeof(*replaying));
    *ret = (struct replay_report){.entry = -1};
    replaying->parts = parts;
    replaying->job = *parts->job;
    replaying->has_partition = mem_zalloc(ENTRY_PARTITION_MAX);
    struct committer *committer = committer_open(&(struct committer_parts){
        .job = &replaying->job,
        .storage = parts->storage,
        .env = parts->env,
        .waiter = parts->waiter,
        .status = &replaying->status,
        .is_called = nobody_calls,
    });
    patience_init(&replaying->patience,
                  &(struct patience_parts){
                      .storage = parts->storage,
                      .env = parts->env,
                      .waiter = parts->waiter,
                      .status = &replaying->status,
                      .limit_ms = replaying->job.settings.storage_retry_ms,
                  });
    enum status rc = replay_all(replaying, committer, filter, ret, err);
    committer_free(committer);
    release(replaying);
    return rc;
}
