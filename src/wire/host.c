// SPDX-License-Identifier: Apache-2.0
#include "wire/host.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/thread.h"

enum {
    PORT_TEXT = 12
};

// Of two threads, the last of which frees it.
struct wire_host {
    char *name;
    char port[PORT_TEXT];
    pthread_mutex_t mutex; // of what follows
    int wake_fd;
    bool is_answered, is_left;
    int code;
    struct addrinfo *found;
};

static void host_free(struct wire_host *host)
{
    if (host->found != NULL)
        freeaddrinfo(host->found);
    pthread_mutex_destroy(&host->mutex);
    free(host->name);
    free(host);
}

static int ask(struct wire_host *host, int flags, struct addrinfo **ret)
{
    const struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = flags};
    return getaddrinfo(host->name, host->port, &hints, ret);
}

static void *ask_aside(void *arg)
{
    struct wire_host *host = arg;
    struct addrinfo *found = NULL;
    int code = ask(host, AI_ADDRCONFIG, &found);
    const uint64_t one = 1;
    pthread_mutex_lock(&host->mutex);
    host->code = code;
    host->found = code == 0 ? found : NULL;
    host->is_answered = true;
    bool is_left = host->is_left;
    ssize_t n = is_left ? 0 : write(host->wake_fd, &one, sizeof(one));
    (void)n; // a counter that is full wakes, too
    pthread_mutex_unlock(&host->mutex);
    if (is_left)
        host_free(host);
    return NULL;
}

struct wire_host *wire_host_look_up(const char *name, int32_t port, int wake_fd)
{
    struct wire_host *host = mem_zalloc(sizeof(*host));
    host->name = mem_strdup(name);
    snprintf(host->port, sizeof(host->port), "%" PRId32, port);
    host->wake_fd = wake_fd;
    pthread_mutex_init(&host->mutex, NULL);
    host->code = ask(host, AI_NUMERICHOST, &host->found); // needs nobody's answer
    host->is_answered = host->code != EAI_NONAME;
    if (host->is_answered)
        return host;
    pthread_t thread;
    thread_start(&thread, ask_aside, host);
    pthread_detach(thread);
    return host;
}

bool wire_host_take(struct wire_host *host, int *ret_code, struct addrinfo **ret)
{
    pthread_mutex_lock(&host->mutex);
    bool is_answered = host->is_answered;
    if (is_answered) {
        *ret_code = host->code;
        *ret = host->found;
        host->found = NULL;
    }
    pthread_mutex_unlock(&host->mutex);
    return is_answered;
}

void wire_host_leave(struct wire_host *host)
{
    if (host == NULL)
        return;
    pthread_mutex_lock(&host->mutex);
    bool is_answered = host->is_answered;
    host->is_left = true;
    pthread_mutex_unlock(&host->mutex);
    if (is_answered)
        host_free(host);
}
