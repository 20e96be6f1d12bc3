// SPDX-License-Identifier: Apache-2.0
#include "job/tokens.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "core/env.h"
#include "job/stop.h"
#include "storage/hdfs_token.h"

enum {
    SECOND_MS = 1000,
    AGAIN_MS = 60000, // after a failure, unless there is less time
    DAY_MS = 24 * 3600 * SECOND_MS,
    LINE_MS = 60000
};

struct kept_token {
    struct str url; // of a table
    struct storage_config config;
    char *storage;
    char *text;                          // NULL: not asked for yet
    int64_t until_ms, whole_ms, look_ms; // since 1970, but for the second
};

static int64_t now_ms(void)
{
    return env_system()->ops->wall_ms(env_system());
}

static bool wants_ticket(const struct table *table)
{
    // A stream lies on no storage, also where its place is a path.
    return table->kind != TABLE_STREAM && options_is(&table->options, "auth", "kerberos");
}

bool tokens_are_wanted(const struct plan *plan)
{
    bool are_wanted = plan->sink != NULL && wants_ticket(plan->sink);
    for (size_t i = 0; i < plan->n_tables; i++)
        are_wanted |= wants_ticket(&plan->tables[i]);
    return are_wanted && options_text(&plan->settings, "storage.token_file").n == 0;
}

static struct kept_token *find(const struct tokens *tokens, const char *storage)
{
    for (size_t i = 0; i < tokens->n; i++)
        if (strcmp(tokens->items[i].storage, storage) == 0)
            return &tokens->items[i];
    return NULL;
}

static enum status add_storage(struct tokens *tokens, const struct table *table,
                               struct err *err)
{
    AUTO(arena_release) struct arena arena = {0};
    struct storage_url url;
    if (!wants_ticket(table))
        return ST_OK;
    struct str path = options_text(&table->options, "path");
    TRY(storage_url_parse(path, &arena, &url, err));
    AUTO(mem_auto_free) char *storage = hdfs_token_storage(&url);
    if (storage == NULL || find(tokens, storage) != NULL)
        return ST_OK;
    MEM_GROW(tokens->items, tokens->n, tokens->capacity);
    tokens->items[tokens->n++] = (struct kept_token){
        .url = path,
        .config = pipeline_storage_config(tokens->pipeline, &table->options),
        .storage = mem_strdup(storage),
    };
    return ST_OK;
}

enum status tokens_open(struct tokens *tokens, const struct pipeline *pipeline,
                        const char *file, struct err *err)
{
    const struct plan *plan = pipeline->plan;
    *tokens = (struct tokens){.pipeline = pipeline, .file = file};
    for (size_t i = 0; i < plan->n_tables; i++)
        TRY(add_storage(tokens, &plan->tables[i], err));
    if (plan->sink != NULL)
        TRY(add_storage(tokens, plan->sink, err));
    if (tokens->n > 0)
        return ST_OK;
    return err_set(err, ST_USAGE,
                   "no table of the script is on HDFS with auth = 'kerberos', so nothing "
                   "needs a delegation token");
}

void tokens_release(struct tokens *tokens)
{
    for (size_t i = 0; i < tokens->n; i++) {
        free(tokens->items[i].storage);
        free(tokens->items[i].text);
    }
    free(tokens->items);
    *tokens = (struct tokens){0};
}

int64_t tokens_pause(int64_t left_ms)
{
    int64_t pause_ms = left_ms / 2 < DAY_MS ? left_ms / 2 : DAY_MS;
    return pause_ms > SECOND_MS ? pause_ms : SECOND_MS;
}

bool tokens_near_end(int64_t whole_ms, int64_t left_ms)
{
    return left_ms < whole_ms - whole_ms / 4;
}

static void is_good_until(struct kept_token *token, int64_t until_ms)
{
    char room[TEXT_TIME_MAX];
    token->until_ms = until_ms;
    token->look_ms = now_ms() + tokens_pause(until_ms - now_ms());
    log_info("the token for %s is good until %.*s", token->storage,
             STR_ARGS(text_time(until_ms, room)));
}

// The first renewal tells how long it is good.
static enum status ask(struct kept_token *token, struct err *err)
{
    char *text;
    int64_t until_ms;
    TRY(hdfs_token_ask(token->url, &token->config, &text, err));
    enum status rc = hdfs_token_renew(token->url, &token->config, text, &until_ms, err);
    if (rc != ST_OK) {
        free(text);
        return rc;
    }
    free(token->text);
    token->text = text;
    token->whole_ms = until_ms - now_ms();
    is_good_until(token, until_ms);
    return ST_OK;
}

static enum status put(int fd, struct str text)
{
    size_t done = 0;
    ssize_t n = 1;
    while (n > 0 && done < text.n) {
        n = write(fd, text.p + done, text.n - done);
        done += n > 0 ? (size_t)n : 0;
    }
    return done == text.n && fsync(fd) == 0 ? ST_OK : ST_FAIL;
}

static enum status replace(const char *path, struct str text, struct err *err)
{
    AUTO(mem_auto_free) char *other = mem_printf("%s.new", path);
    unlink(other); // of one that was killed
    int fd = open(other, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    enum status rc = fd >= 0 ? put(fd, text) : ST_FAIL;
    int error = errno;
    if (fd >= 0)
        close(fd);
    if (rc == ST_OK && rename(other, path) == 0)
        return ST_OK;
    error = rc == ST_OK ? errno : error;
    if (fd >= 0)
        unlink(other);
    return err_set(err, ST_FAIL, "%s: the tokens cannot be written: %s", path,
                   strerror(error));
}

static enum status write_file(struct tokens *tokens, struct err *err)
{
    AUTO(buf_release) struct buf line = {0};
    buf_text(&line, "{\"v\":1,\"tokens\":[");
    for (size_t i = 0; i < tokens->n; i++) {
        buf_text(&line, i > 0 ? ",{\"storage\":" : "{\"storage\":");
        text_json(&line, str_of(tokens->items[i].storage));
        buf_text(&line, ",\"token\":");
        text_json(&line, str_of(tokens->items[i].text));
        buf_char(&line, '}');
    }
    buf_text(&line, "]}\n");
    tokens->is_unwritten = true;
    TRY(replace(tokens->file, buf_as_str(&line), err));
    tokens->is_unwritten = false;
    return ST_OK;
}

enum status tokens_ask(struct tokens *tokens, struct err *err)
{
    for (size_t i = 0; i < tokens->n; i++)
        TRY(ask(&tokens->items[i], err));
    return write_file(tokens, err);
}

// Another one where this one cannot be renewed for as long as it was.
static enum status look(struct tokens *tokens, struct kept_token *token, struct err *err)
{
    int64_t until_ms;
    enum status rc =
        hdfs_token_renew(token->url, &token->config, token->text, &until_ms, err);
    if (rc == ST_OK && !tokens_near_end(token->whole_ms, until_ms - now_ms())) {
        is_good_until(token, until_ms);
        return tokens->is_unwritten ? write_file(tokens, err) : ST_OK;
    }
    if (rc == ST_OK)
        token->until_ms = until_ms;   // for as long, if no other one is to be had
    if (rc != ST_OK && rc != ST_FAIL) // nobody has answered
        return rc;
    TRY(ask(token, err));
    return write_file(tokens, err);
}

static enum status look_or_warn(struct tokens *tokens, struct kept_token *token,
                                struct err *err)
{
    enum status rc = look(tokens, token, err);
    int64_t left_ms = token->until_ms - now_ms();
    if (rc == ST_OK || stop_is_asked())
        return ST_OK;
    if (left_ms <= 0)
        return err_context(err, ST_FAIL, "the token for %s is good no more",
                           token->storage);
    int64_t pause_ms = left_ms / 8 < AGAIN_MS ? left_ms / 8 : AGAIN_MS;
    token->look_ms = now_ms() + (pause_ms > SECOND_MS ? pause_ms : SECOND_MS);
    log_warn("the token for %s was not renewed, %s before its end: %s", token->storage,
             text_seconds(left_ms), err->text);
    return ST_OK;
}

static struct kept_token *next_of(const struct tokens *tokens)
{
    struct kept_token *next = &tokens->items[0];
    for (size_t i = 1; i < tokens->n; i++)
        if (tokens->items[i].look_ms < next->look_ms)
            next = &tokens->items[i];
    return next;
}

// In short waits, since the clock of the day may jump.
static void pause_until(int64_t wall_ms)
{
    struct pollfd stop = {.fd = stop_fd(), .events = POLLIN};
    while (!stop_is_asked() && now_ms() < wall_ms) {
        int64_t left_ms = wall_ms - now_ms();
        (void)poll(&stop, 1, (int)(left_ms < SECOND_MS ? left_ms : SECOND_MS));
    }
}

enum status tokens_keep(struct tokens *tokens, struct err *err)
{
    for (size_t i = 0; i < tokens->n; i++)
        tokens->items[i].config.retry_ms = 0; // what fails is tried again here
    while (!stop_is_asked()) {
        struct kept_token *next = next_of(tokens);
        pause_until(next->look_ms);
        if (!stop_is_asked())
            TRY(look_or_warn(tokens, next, err));
    }
    return ST_OK;
}

// Byte by byte: what follows is another's to read.
static enum status read_line(struct buf *line, struct err *err)
{
    struct env *env = env_system();
    int64_t end_ms = env->ops->monotonic_ms(env) + LINE_MS;
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    for (char c = 0; line->n <= TOKENS_BYTES_MAX;) {
        int64_t left_ms = end_ms - env->ops->monotonic_ms(env);
        if (stop_is_asked())
            return ST_STOP;
        if (left_ms <= 0)
            return err_set(err, ST_FAIL, "--token-line: no line came within %d s",
                           LINE_MS / SECOND_MS);
        if (poll(&input, 1, (int)(left_ms < SECOND_MS ? left_ms : SECOND_MS)) <= 0)
            continue;
        ssize_t n = read(STDIN_FILENO, &c, 1);
        if (n == 0 || c == '\n')
            return ST_OK;
        if (n < 0)
            return err_set(err, ST_FAIL, "--token-line: standard input: %s",
                           strerror(errno));
        buf_char(line, c);
    }
    return ST_OK;
}

// Its bytes are what /proc shows.
enum status tokens_take_variable(struct pipeline *pipeline, struct err *err)
{
    char *text = getenv("TRAMLINE_TOKENS");
    if (text == NULL)
        return err_set(err, ST_USAGE,
                       "--token-env: there is no TRAMLINE_TOKENS in the environment");
    pipeline->tokens = arena_cstr(&pipeline->arena, str_of(text));
    memset(text, 0, strlen(text));
    unsetenv("TRAMLINE_TOKENS");
    if (hdfs_tokens_check(str_of(pipeline->tokens), err) != ST_OK)
        return err_context(err, ST_USAGE, "--token-env");
    return ST_OK;
}

enum status tokens_take_line(struct pipeline *pipeline, struct err *err)
{
    AUTO(buf_release) struct buf line = {0};
    TRY(read_line(&line, err));
    if (hdfs_tokens_check(buf_as_str(&line), err) != ST_OK)
        return err_context(err, ST_USAGE, "--token-line");
    pipeline->tokens = arena_cstr(&pipeline->arena, buf_as_str(&line));
    return ST_OK;
}
