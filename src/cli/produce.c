// SPDX-License-Identifier: Apache-2.0
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/exit_guard.h"
#include "cli/json_print.h"
#include "cli/term.h"
#include "core/env.h"
#include "csv/table.h"
#include "gtfs/feed.h"
#include "job/pipeline.h"
#include "job/produce_format.h"
#include "job/stop.h"

enum {
    PIECE_BYTES = 256 << 10
};

// The file to publish: of a storage, or a copy of a feed's member that has no name, so
// that it goes with the process. A copy, since a member is known to be whole at its end
// only.
struct input {
    struct reader reader; // of the copy
    struct storage *storage;
    char *name;            // for messages
    int fd;                // of the copy, else -1
    const char *directory; // in which that lies
    int64_t at;
};

static void input_release(struct input *input)
{
    if (input->storage != NULL)
        input->storage->ops->close(input->storage);
    if (input->fd >= 0)
        close(input->fd);
    free(input->name);
}

static bool is_plain_file(const char *path)
{
    struct stat info;
    struct str name = str_of(path);
    bool is_directory = stat(path, &info) == 0 && S_ISDIR(info.st_mode);
    return !is_directory && memmem(name.p, name.n, "://", 3) == NULL &&
           (str_ends_with(name, ".txt") || str_ends_with(name, ".csv"));
}

// A file that is a link is the user's word; inside its directory no link is followed.
static char *behind_link(const char *path)
{
    struct stat info;
    bool is_link = lstat(path, &info) == 0 && S_ISLNK(info.st_mode);
    char *file = is_link ? realpath(path, NULL) : NULL;
    return file != NULL ? file : mem_strdup(path);
}

static enum status input_of_file(const struct pipeline *pipeline, const char *given,
                                 struct input *ret, struct err *err)
{
    const struct storage_config config = {.deadline = pipeline->deadline};
    AUTO(mem_auto_free) char *path = behind_link(given);
    const char *slash = strrchr(path, '/');
    ret->name = mem_strdup(slash ? slash + 1 : path);
    AUTO(mem_auto_free)
    char *directory =
        slash ? mem_strndup(path, (size_t)(slash + 1 - path)) : mem_strdup("./");
    return storage_open(str_of(directory), &config, &ret->storage, err);
}

static int write_all(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t done = write(fd, p, n);
        if (done < 0 && errno != EINTR)
            return -1;
        p += done > 0 ? done : 0;
        n -= done > 0 ? (size_t)done : 0;
    }
    return 0;
}

static enum status no_copy(const char *directory, struct err *err)
{
    return err_set(err, ST_FAIL,
                   "a temporary file in %s cannot be used: %s; set TMPDIR to another "
                   "place",
                   directory, strerror(errno));
}

static enum status copy_member(struct feed_member *member, struct input *ret,
                               struct err *err)
{
    ret->fd = file_open_temporary(&ret->directory);
    if (ret->fd < 0)
        return no_copy(ret->directory, err);
    AUTO(mem_auto_free) char *piece = mem_alloc(PIECE_BYTES);
    for (size_t n = 1; n > 0;) {
        TRY(member->reader.read(&member->reader, piece, PIECE_BYTES, &n, err));
        if (write_all(ret->fd, piece, n) != 0)
            return no_copy(ret->directory, err);
    }
    return ST_OK;
}

static enum status read_copy(struct reader *reader, void *p, size_t capacity,
                             size_t *ret_n, struct err *err)
{
    struct input *input = (struct input *)reader;
    ssize_t n;
    do {
        n = pread(input->fd, p, capacity, input->at);
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return no_copy(input->directory, err);
    input->at += n;
    *ret_n = (size_t)n;
    return ST_OK;
}

static enum status input_of_feed(struct feed *feed, const struct table *stream,
                                 struct input *ret, struct err *err)
{
    struct feed_member *member;
    AUTO(mem_auto_free) char *name = mem_printf("%.*s.txt", STR_ARGS(stream->name));
    TRY(feed_member_open(feed, name, &member, err));
    ret->reader.read = read_copy;
    ret->name = mem_printf("%s: %s", feed_source(feed), name);
    enum status status = copy_member(member, ret, err);
    feed_member_close(member);
    return status;
}

static enum status input_open(const struct pipeline *pipeline, const char *path,
                              struct input *ret, struct err *err)
{
    *ret = (struct input){.fd = -1};
    if (is_plain_file(path))
        return input_of_file(pipeline, path, ret, err);
    struct feed *feed;
    TRY(pipeline_feed(pipeline, path, NULL, &feed, err));
    enum status status = input_of_feed(feed, pipeline->plan->stream, ret, err);
    feed_close(feed);
    return status;
}

static enum status input_rows(struct input *input, const struct schema *schema,
                              const struct csv_table_options *options, struct rows **ret,
                              struct err *err)
{
    return input->fd < 0
               ? csv_table_open(input->storage, str_of(input->name), schema, options, ret,
                                err)
               : csv_table_read(&input->reader, input->name, schema, options, ret, err);
}

struct produce {
    struct pipeline *pipeline;
    struct produce_format format;
    struct producer *producer;
    struct rows *rows;
    int64_t rate; // records a second; 0: as fast as it goes
    int key;      // column, -1: none
    int64_t n;
    struct delivery delivery;
    int64_t begun_ms, told_ms, took_ms;
    struct progress_bar bar;
};

enum {
    TELL_MS = 10000 // where no terminal shows how far it is
};

// The option was looked at with the script; the join column is the stream's.
static int key_column(const struct plan *plan)
{
    struct str name = options_text(&plan->stream->options, "key");
    if (name.p == NULL)
        name = plan->join_column;
    int column = name.n ? schema_find(&plan->stream->schema, name) : -1;
    assert(name.n == 0 || column >= 0);
    return column;
}

static void tell(struct produce *produce)
{
    struct env *env = env_system();
    int64_t now = env->ops->monotonic_ms(env);
    progress_show(&produce->bar, produce->n, -1);
    if (term_is_err() || now - produce->told_ms < TELL_MS)
        return;
    produce->told_ms = now;
    log_info("%s sent so far", text_counted(produce->n, "record", "records"));
}

// Keeps to --rate.
static void pace(const struct produce *produce)
{
    if (produce->rate == 0)
        return;
    struct env *env = env_system();
    int64_t due = produce->begun_ms + produce->n * 1000 / produce->rate;
    int64_t now = env->ops->monotonic_ms(env);
    if (due > now)
        env->ops->sleep_ms(env, due - now);
}

static enum status produce_row(struct produce *produce, const struct value *row,
                               struct buf *key, struct buf *value, struct err *err)
{
    struct record_encoder *encoder = produce->format.encoder;
    struct producer *producer = produce->producer;
    buf_clear(value);
    TRY(encoder->ops->encode(encoder, row, value, err));
    struct str key_bytes = {0};
    if (produce->key >= 0 && row[produce->key].kind != VALUE_NULL) {
        buf_clear(key);
        value_format(row[produce->key], key);
        key_bytes = key->n ? buf_as_str(key) : STR_LITERAL("");
    }
    pace(produce);
    TRY(producer->ops->produce(
        producer, &(struct produced){.key = key_bytes, .value = buf_as_str(value)}, err));
    produce->n++;
    if (produce->rate != 0)
        tell(produce); // a batch may take long
    return ST_OK;
}

static enum status produce_rows(struct produce *produce, struct batch *batch,
                                struct err *err)
{
    AUTO(buf_release) struct buf key = {0};
    AUTO(buf_release) struct buf value = {0};
    for (;;) {
        TRY(produce->rows->ops->next(produce->rows, batch, err));
        for (size_t i = 0; i < batch->n_rows; i++) {
            if (stop_is_asked())
                return err_set(err, ST_STOP, "stopped by a signal");
            TRY(produce_row(produce, batch_row(batch, i), &key, &value, err));
        }
        tell(produce);
        if (batch->n_rows == 0)
            return ST_OK;
    }
}

static enum status publish(struct produce *produce, struct err *err)
{
    struct env *env = env_system();
    struct batch batch;
    batch_init(&batch, produce->rows->schema->n);
    produce->begun_ms = produce->told_ms = env->ops->monotonic_ms(env);
    progress_begin(&produce->bar, "produce", "records");
    enum status status = produce_rows(produce, &batch, err);
    struct err flush_err = {0};
    struct producer *producer = produce->producer;
    enum status flushed =
        producer->ops->flush(producer, stop_farewell(), &produce->delivery, &flush_err);
    progress_end(&produce->bar);
    batch_release(&batch);
    produce->took_ms = env->ops->monotonic_ms(env) - produce->begun_ms;
    if (status == ST_OK && flushed != ST_OK) {
        *err = flush_err;
        return flushed;
    }
    return status;
}

static void print_sum(const struct produce *produce)
{
    const struct delivery *delivery = &produce->delivery;
    bool all = delivery->acknowledged == produce->n;
    printf("produced %s in %s, all acknowledged: %s\n",
           text_counted(delivery->acknowledged, "record", "records"),
           text_seconds(produce->took_ms), all ? "yes" : "no");
    if (all)
        return;
    printf("sent were %s; some may be there that are not acknowledged\n",
           text_counted(produce->n - delivery->unsent, "record", "records"));
    if (delivery->unsent > 0)
        printf("not sent were %s\n", text_counted(delivery->unsent, "record", "records"));
}

static void print_json(const struct produce *produce)
{
    const struct options *options = &produce->pipeline->plan->stream->options;
    const struct rows_stats *stats = csv_table_stats(produce->rows);
    AUTO(buf_release) struct buf json = {0};
    json_put_open(&json, NULL, '{');
    json_put_text(&json, "topic", options_text(options, connector_of(options)->place));
    json_put_number(&json, "records", produce->n - produce->delivery.unsent);
    json_put_number(&json, "acknowledged", produce->delivery.acknowledged);
    json_put_number(&json, "unsent", produce->delivery.unsent);
    json_put_seconds(&json, "seconds", produce->took_ms);
    json_put_number(&json, "skipped", (int64_t)stats->n_skipped);
    json_put_number(&json, "short", (int64_t)stats->n_short);
    json_put_number(&json, "tails", (int64_t)stats->n_tails);
    json_put_close(&json, '}');
    json_print(&json);
}

static void tell_skipped(struct rows *rows)
{
    const struct rows_stats *stats = csv_table_stats(rows);
    if (stats->n_tails)
        log_warn("%s empty fields past the last column; they were passed over",
                 text_counted((int64_t)stats->n_tails, "row has", "rows have"));
    if (stats->n_short)
        log_warn("%s; missing columns are NULL",
                 text_counted((int64_t)stats->n_short, "short row", "short rows"));
    if (stats->n_skipped)
        log_warn("%s left out, the first of them:",
                 text_counted((int64_t)stats->n_skipped, "row", "rows"));
    for (size_t i = 0; i < stats->n_messages; i++)
        log_warn("  %s", stats->messages[i]);
}

static const struct connector_admin *admin_of(const struct pipeline *pipeline)
{
    return connector_of(&pipeline->plan->stream->options)->admin;
}

static enum status no_topic(struct err *err)
{
    AUTO(buf_release) struct buf names = {0};
    for (size_t i = 0; i < n_connectors; i++)
        if (connectors[i]->admin != NULL)
            buf_printf(&names, "%s'%s'", names.n ? " or " : "",
                       connectors[i]->options.name);
    return err_set(err, ST_USAGE,
                   "the script has no stream with connector = %s to produce to",
                   buf_cstr(&names));
}

static enum status open_and_publish(const struct args *args, struct produce *produce,
                                    struct input *input, struct err *err)
{
    struct pipeline *pipeline = produce->pipeline;
    produce->key = key_column(pipeline->plan);
    struct csv_table_options options = {
        .header = !args_has(args, "--no-header"),
        .skip_errors = args_has(args, "--skip-errors"),
        .skipping = "--skip-errors",
    };
    TRY(input_rows(input, &pipeline->plan->stream->schema, &options, &produce->rows,
                   err));
    const char *absent = csv_table_stats(produce->rows)->absent;
    if (absent != NULL)
        log_warn("%s has no %s: NULL in every record", input->name, absent);
    TRY(produce_format_open(pipeline, &produce->format, err));
    const struct stream_request request = pipeline_stream(pipeline);
    TRY(admin_of(pipeline)->open_producer(&request, &produce->producer, err));
    enum status rc = publish(produce, err);
    (args_has(args, "--json") ? print_json : print_sum)(produce);
    if (rc == ST_OK)
        tell_skipped(produce->rows);
    return rc;
}

static enum status produce_file(const struct args *args, struct pipeline *pipeline,
                                struct err *err)
{
    if (pipeline->plan->stream == NULL || admin_of(pipeline) == NULL)
        return no_topic(err);
    struct produce produce = {.pipeline = pipeline};
    TRY(args_number(args, "--rate", 1, 0, &produce.rate, err));
    struct input input;
    enum status status = input_open(pipeline, args->positional[0], &input, err);
    if (status == ST_OK)
        status = open_and_publish(args, &produce, &input, err);
    exit_guard_arm(&command_produce, status, err);
    if (produce.producer != NULL)
        produce.producer->ops->close(produce.producer);
    produce_format_close(&produce.format);
    if (produce.rows != NULL)
        produce.rows->ops->close(produce.rows);
    input_release(&input);
    return status;
}

static enum status run(const struct args *args, struct err *err)
{
    struct pipeline pipeline;
    TRY(args_script(args, 1, &pipeline, err));
    enum status status = stop_catch(err);
    pipeline.deadline = stop_waits();
    if (status == ST_OK)
        status = produce_file(args, &pipeline, err);
    pipeline_release(&pipeline);
    return status;
}

static const struct flag flags[] = {
    {"--rate", "N/s", "at most so many records a second"},
    {"--no-header", NULL, "the file has no header line; its fields are the columns"},
    {"--skip-errors", NULL, "leave out rows that cannot be read, and list them"},
    {"--json", NULL, "what was published as one JSON object"},
};

const struct command command_produce = {
    .name = "produce",
    .arguments = "FILE PIPELINE.sql",
    .about = "Publish a GTFS file to the stream's topic",
    .more = "FILE is a .txt or .csv file, or a feed (zip, directory, URL) that has the "
            "stream's\ntable. Columns are found by name; the key is the join column.",
    .flags = flags,
    .n_flags = ARRAY_LEN(flags),
    .n_arguments = 2,
    .run = run,
};
