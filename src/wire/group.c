// SPDX-License-Identifier: Apache-2.0
#include "wire/group.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/thread.h"
#include "core/env.h"

enum {
    IDLE_MS = 500,  // the longest sleep
    PAUSE_MS = 20,  // while something pauses
    LEAVE_MS = 2000 // for the leave's answer
};

struct wire_group {
    pthread_mutex_t mutex; // of all but the thread's fds
    pthread_t thread;
    bool is_ended;
    int wake_fd, owner_fd;
    char *client_id;
    int64_t leave_until_ms;
    struct wire_cluster cluster;
    struct wire_member member;
    struct pollfd *fds;
    size_t n_fds;
};

static int64_t now_ms(void)
{
    struct env *env = env_system();
    return env->ops->monotonic_ms(env);
}

static void wake(int fd)
{
    const uint64_t one = 1;
    ssize_t n = write(fd, &one, sizeof(one));
    (void)n; // a counter that is full wakes, too
}

// ---- the thread, with the lock

static void take(struct wire_group *group, const struct wire_call *call, struct str body,
                 int64_t now)
{
    if (call->api == WIRE_FIND_COORDINATOR)
        wire_member_take_coordinator(&group->member, body, now);
    else if (call->api == WIRE_METADATA && call->tag == WIRE_COUNT_TAG)
        wire_member_take_count(&group->member, body, call->version, now);
    else if (call->api == WIRE_METADATA) // what is wrong with it the stream's own tells
        (void)wire_cluster_take_metadata(&group->cluster, body, call->version, now, NULL);
}

static void work_broker(struct wire_group *group, struct wire_connection *c, int64_t now)
{
    struct buf memory = {0};
    struct wire_call call;
    struct str body;
    for (int i = 0; i < WIRE_CALLS_MAX; i++) {
        wire_connection_work(c, now, group->cluster.client.most_bytes);
        if (!wire_answer(c, &call, &body, now))
            break;
        wire_answer_end(c, &memory, now);
        take(group, &call, body, now);
    }
    buf_release(&memory);
}

static void work(struct wire_group *group)
{
    int64_t now = now_ms();
    struct wire_member *member = &group->member;
    bool was_due = member->due != STREAM_IDLE && !member->is_gathering;
    bool was_problem = member->is_problem_due;
    for (size_t i = 0; i < group->cluster.n; i++)
        work_broker(group, &group->cluster.brokers[i]->connection, now);
    struct err err; // a refusal may be of these connections alone
    if (wire_cluster_work(&group->cluster, now, &err) == ST_FAIL)
        wire_member_refused(member, &err);
    wire_member_work(member, now);
    bool is_due = member->due != STREAM_IDLE && !member->is_gathering;
    if ((is_due && !was_due) || (member->is_problem_due && !was_problem))
        wake(group->owner_fd);
    if (group->leave_until_ms != 0 && (member->is_left || now >= group->leave_until_ms))
        group->is_ended = true;
}

// What the sleep is for; it ends by *ret_ms.
static size_t prepare_sleep(struct wire_group *group, int *ret_ms)
{
    int64_t now = now_ms(), until = now + IDLE_MS;
    size_t n = group->cluster.n + 2;
    if (group->n_fds < n) {
        group->fds = mem_resize(group->fds, n, sizeof(*group->fds));
        group->n_fds = n;
    }
    group->fds[0] = (struct pollfd){.fd = group->wake_fd, .events = POLLIN};
    group->fds[1] = (struct pollfd){.fd = -1};
    if (group->member.coordinator.host != NULL)
        group->fds[1] = wire_connection_wait(&group->member.coordinator, &until);
    for (size_t i = 0; i < group->cluster.n; i++)
        group->fds[i + 2] =
            wire_connection_wait(&group->cluster.brokers[i]->connection, &until);
    int64_t due = wire_member_due_ms(&group->member, now);
    until = due < until ? due : until;
    bool is_pausing = group->cluster.ask_at_ms < until ||
                      group->member.coordinator.state == WIRE_CLOSED;
    if (is_pausing && until > now + PAUSE_MS)
        until = now + PAUSE_MS;
    *ret_ms = until > now ? (int)(until - now) : 0;
    return n;
}

static void *run(void *arg)
{
    struct wire_group *group = arg;
    uint64_t count;
    pthread_mutex_lock(&group->mutex);
    for (;;) {
        work(group);
        if (group->is_ended)
            break;
        int ms;
        size_t n = prepare_sleep(group, &ms);
        pthread_mutex_unlock(&group->mutex);
        poll(group->fds, n, ms);
        ssize_t got = read(group->wake_fd, &count, sizeof(count));
        (void)got; // nothing to read is fine
        pthread_mutex_lock(&group->mutex);
    }
    pthread_mutex_unlock(&group->mutex);
    return NULL;
}

// Signals are the other threads'.
static void start(struct wire_group *group)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    thread_start(&group->thread, run, group);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

// ---- the stream's calls

enum status wire_group_open(const struct wire_group_config *config,
                            struct wire_group **ret, struct err *err)
{
    struct wire_group *group = mem_zalloc(sizeof(*group));
    int wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (wake_fd < 0) {
        free(group);
        return err_set(err, ST_FAIL,
                       "topic '%s': no file descriptor: %s; raise the limit of open "
                       "files (ulimit -n)",
                       config->topic, strerror(errno));
    }
    pthread_mutex_init(&group->mutex, NULL);
    group->wake_fd = wake_fd;
    group->owner_fd = config->client.wake_fd;
    group->client_id = mem_strndup(config->client.id.p, config->client.id.n);
    struct wire_client client = config->client;
    client.id = str_of(group->client_id);
    client.wake_fd = wake_fd;
    wire_cluster_init(&group->cluster, &client, config->brokers, config->topic);
    group->cluster.refresh_ms = config->refresh_ms;
    wire_member_init(&group->member, &group->cluster, &config->member, now_ms());
    start(group);
    *ret = group;
    return ST_OK;
}

enum status wire_group_look(struct wire_group *group, enum stream_event_kind *ret,
                            int32_t **ret_partitions, size_t *ret_n, struct err *err)
{
    *ret_partitions = NULL;
    *ret_n = 0;
    pthread_mutex_lock(&group->mutex);
    struct wire_member *member = &group->member;
    enum status rc = wire_member_look(member, now_ms(), ret, err);
    if (rc == ST_OK && *ret == STREAM_ASSIGN) {
        *ret_n = member->assignment.n;
        *ret_partitions = mem_array(*ret_n, sizeof(**ret_partitions));
        for (size_t i = 0; i < *ret_n; i++)
            (*ret_partitions)[i] = member->assignment.partitions[i];
    }
    pthread_mutex_unlock(&group->mutex);
    return rc;
}

void wire_group_gave(struct wire_group *group)
{
    pthread_mutex_lock(&group->mutex);
    wire_member_gave(&group->member, now_ms());
    pthread_mutex_unlock(&group->mutex);
    wake(group->wake_fd);
}

bool wire_group_identity(struct wire_group *group, struct arena *arena,
                         struct wire_identity *ret)
{
    pthread_mutex_lock(&group->mutex);
    bool is_in = wire_member_is_in(&group->member);
    *ret = wire_member_identity(&group->member);
    ret->group = arena_str(arena, ret->group);
    ret->member = arena_str(arena, ret->member);
    if (ret->instance.p != NULL)
        ret->instance = arena_str(arena, ret->instance);
    pthread_mutex_unlock(&group->mutex);
    return is_in;
}

void wire_group_close(struct wire_group *group)
{
    if (group == NULL)
        return;
    pthread_mutex_lock(&group->mutex);
    group->leave_until_ms = now_ms() + LEAVE_MS;
    wire_member_leave(&group->member, now_ms());
    pthread_mutex_unlock(&group->mutex);
    wake(group->wake_fd);
    pthread_join(group->thread, NULL);
    wire_member_release(&group->member);
    wire_cluster_release(&group->cluster);
    pthread_mutex_destroy(&group->mutex);
    close(group->wake_fd);
    free(group->client_id);
    free(group->fds);
    free(group);
}
