// SPDX-License-Identifier: Apache-2.0
#include "wire/host.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "wire/aside.h"

enum {
    PORT_TEXT = 12
};

struct wire_host {
    struct wire_aside aside;
    char *name;
    char port[PORT_TEXT];
    int wake_fd;
    int code;
    struct addrinfo *found;
};

static void host_free(struct wire_host *host)
{
    if (host->found != NULL)
        freeaddrinfo(host->found);
    free(host->name);
    free(host);
}

static void ask(struct wire_host *host, int flags)
{
    const struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = flags};
    struct addrinfo *found = NULL;
    host->code = getaddrinfo(host->name, host->port, &hints, &found);
    host->found = host->code == 0 ? found : NULL;
}

static void *ask_aside(void *arg)
{
    struct wire_host *host = arg;
    ask(host, AI_ADDRCONFIG);
    if (wire_aside_end(&host->aside, host->wake_fd))
        host_free(host);
    return NULL;
}

struct wire_host *wire_host_look_up(const char *name, int32_t port, int wake_fd)
{
    struct wire_host *host = mem_zalloc(sizeof(*host));
    host->name = mem_strdup(name);
    snprintf(host->port, sizeof(host->port), "%" PRId32, port);
    host->wake_fd = wake_fd;
    ask(host, AI_NUMERICHOST); // needs nobody's answer
    host->aside.is_done = host->code != EAI_NONAME;
    if (!host->aside.is_done)
        wire_aside_start(ask_aside, host);
    return host;
}

bool wire_host_take(struct wire_host *host, int *ret_code, struct addrinfo **ret)
{
    if (!wire_aside_is_done(&host->aside))
        return false;
    *ret_code = host->code;
    *ret = host->found;
    host->found = NULL;
    return true;
}

void wire_host_leave(struct wire_host *host)
{
    if (host != NULL && wire_aside_leave(&host->aside))
        host_free(host);
}
