// SPDX-License-Identifier: Apache-2.0
#include "job/lookout.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/thread.h"
#include "core/env.h"
#include "http/client.h"
#include "http/url.h"
#include "job/stop.h"
#include "job/survey.h"

enum {
    CONNECT_MS = 5000,
    SLOW_MS = 5000
};

struct lookout {
    // Of the thread.
    struct pipeline *pipeline;
    struct surveyor surveyor;
    struct arena arena;
    struct http *http;
    struct http_url url;
    const char *address; // of /status.json
    int64_t every_ms;
    struct deadline deadline;

    pthread_t thread;
    int fd;
    pthread_mutex_t lock; // of all below
    pthread_cond_t changed;
    bool is_closing;
    bool is_new;
    struct buf json;
    struct err err; // its status: of the look
};

static int64_t clock_ms(void)
{
    return env_system()->ops->monotonic_ms(env_system());
}

static enum status ask_server(struct lookout *lookout, struct buf *ret, struct err *err)
{
    AUTO(http_answer_release) struct http_answer answer = {0};
    const struct http_request request = {
        .method = HTTP_GET,
        .url = lookout->address,
        .login = &lookout->url.login,
        .into_max = LOOKOUT_JSON_MAX,
        .limits = {.connect_ms = CONNECT_MS,
                   .slow_ms = SLOW_MS,
                   .slow_bytes = 1,
                   .whole_ms = LOOKOUT_MS},
        .deadline = &lookout->deadline,
    };
    if (http_send(lookout->http, &request, &answer, err) != HTTP_ANSWERED)
        return err_set(err, ST_FAIL, "%s: %s", lookout->address, answer.why);
    if (answer.code != 200)
        return err_set(err, ST_FAIL,
                       "%s: HTTP %d; is that the address of SET status.listen?",
                       lookout->address, answer.code);
    buf_str(ret, buf_as_str(&answer.body));
    return ST_OK;
}

static enum status look_at_job(struct lookout *lookout, struct buf *ret, struct err *err)
{
    AUTO(survey_release) struct survey survey = {0};
    TRY(surveyor_look(&lookout->surveyor, &survey, err));
    survey_json(&survey, ret);
    return ST_OK;
}

// False: it is to end.
static bool begin_look(struct lookout *lookout)
{
    pthread_mutex_lock(&lookout->lock);
    bool goes_on = !lookout->is_closing;
    if (goes_on)
        deadline_set(&lookout->deadline, clock_ms() + LOOKOUT_MS);
    pthread_mutex_unlock(&lookout->lock);
    return goes_on;
}

static void end_look(struct lookout *lookout, struct buf *json, const struct err *err)
{
    struct timespec until = thread_time_in(lookout->every_ms);
    uint64_t one = 1;
    pthread_mutex_lock(&lookout->lock);
    buf_release(&lookout->json);
    lookout->json = *json;
    lookout->err = *err;
    lookout->is_new = true;
    if (write(lookout->fd, &one, sizeof(one)) < 0) {
        // The counter is full: it is readable already.
    }
    while (!lookout->is_closing &&
           pthread_cond_timedwait(&lookout->changed, &lookout->lock, &until) == 0) {
        // Woken for nothing.
    }
    pthread_mutex_unlock(&lookout->lock);
}

static void *look_on(void *arg)
{
    struct lookout *lookout = arg;
    while (begin_look(lookout)) {
        struct err err = {0};
        struct buf json = {0};
        err.status = lookout->pipeline != NULL ? look_at_job(lookout, &json, &err)
                                               : ask_server(lookout, &json, &err);
        end_look(lookout, &json, &err);
    }
    return NULL;
}

static enum status open_server(struct lookout *lookout, const char *url, struct err *err)
{
    bool is_url = http_url_parse(str_of(url), &lookout->arena, &lookout->url) &&
                  !lookout->url.has_query;
    if (!is_url)
        return err_set(err, ST_USAGE,
                       "'%s' is not an address; write http://host:port, as SET "
                       "status.listen has it",
                       http_url_shown(str_of(url), &lookout->arena));
    struct str base = str_of(lookout->url.shown);
    while (str_ends_with(base, "/"))
        base.n--;
    if (str_ends_with(base, "/status.json"))
        base.n -= strlen("/status.json");
    lookout->address = arena_printf(&lookout->arena, "%.*s/status.json", STR_ARGS(base));
    lookout->http = http_open(&(struct http_config){.proxy = true});
    return ST_OK;
}

static enum status open_job(struct lookout *lookout, struct pipeline *pipeline,
                            struct err *err)
{
    lookout->pipeline = pipeline;
    pipeline->deadline = &lookout->deadline;
    TRY(surveyor_open(pipeline, &lookout->surveyor, err));
    lookout->surveyor.deadline = &lookout->deadline;
    return ST_OK;
}

static void release(struct lookout *lookout)
{
    surveyor_close(&lookout->surveyor);
    http_close(lookout->http);
    if (lookout->fd >= 0)
        close(lookout->fd);
    buf_release(&lookout->json);
    arena_release(&lookout->arena);
    free(lookout);
}

enum status lookout_open(struct pipeline *pipeline, const char *url, int64_t every_ms,
                         struct lookout **ret, struct err *err)
{
    struct lookout *lookout = mem_zalloc(sizeof(*lookout));
    lookout->every_ms = every_ms;
    lookout->fd = -1;
    enum status rc = stop_open_event(&lookout->fd, err);
    if (rc == ST_OK)
        rc = pipeline != NULL ? open_job(lookout, pipeline, err)
                              : open_server(lookout, url, err);
    if (rc != ST_OK) {
        release(lookout);
        return rc;
    }
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&lookout->changed, &attr);
    pthread_condattr_destroy(&attr);
    pthread_mutex_init(&lookout->lock, NULL);
    thread_start(&lookout->thread, look_on, lookout);
    *ret = lookout;
    return ST_OK;
}

int lookout_fd(const struct lookout *lookout)
{
    return lookout->fd;
}

enum status lookout_take(struct lookout *lookout, struct buf *ret, struct err *err)
{
    uint64_t n;
    enum status rc = ST_STOP;
    pthread_mutex_lock(&lookout->lock);
    if (read(lookout->fd, &n, sizeof(n)) > 0 && lookout->is_new) {
        buf_release(ret);
        *ret = lookout->json;
        lookout->json = (struct buf){0};
        lookout->is_new = false;
        *err = lookout->err;
        rc = lookout->err.status;
    }
    pthread_mutex_unlock(&lookout->lock);
    return rc;
}

void lookout_close(struct lookout *lookout)
{
    if (lookout == NULL)
        return;
    pthread_mutex_lock(&lookout->lock);
    lookout->is_closing = true;
    deadline_end(&lookout->deadline);
    pthread_cond_signal(&lookout->changed);
    pthread_mutex_unlock(&lookout->lock);
    pthread_join(lookout->thread, NULL);
    pthread_cond_destroy(&lookout->changed);
    pthread_mutex_destroy(&lookout->lock);
    release(lookout);
}
