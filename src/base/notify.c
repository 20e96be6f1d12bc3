// SPDX-License-Identifier: Apache-2.0
#include "base/notify.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/str.h"

// An '@' in front stands for a name of Linux's own, which begins with a zero byte.
static bool address_of(const char *name, struct sockaddr_un *ret, socklen_t *ret_bytes)
{
    size_t n = strlen(name);
    if ((name[0] != '/' && name[0] != '@') || n >= sizeof(ret->sun_path))
        return false;
    *ret = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(ret->sun_path, name, n);
    if (name[0] == '@')
        ret->sun_path[0] = '\0';
    *ret_bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
    return true;
}

void notify(const char *fmt, ...)
{
    const char *name = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address;
    socklen_t n_bytes;
    if (name == NULL || !address_of(name, &address, &n_bytes))
        return;
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || n < 0)
        return;
    size_t length = (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1;
    (void)!sendto(fd, text, length, MSG_NOSIGNAL, (struct sockaddr *)&address, n_bytes);
    close(fd);
}

int64_t notify_watchdog_ms(void)
{
    const char *period = getenv("WATCHDOG_USEC"), *whose = getenv("WATCHDOG_PID");
    int64_t us, pid;
    if (period == NULL || !str_to_i64(str_of(period), &us) || us < 2000)
        return 0;
    if (whose != NULL && (!str_to_i64(str_of(whose), &pid) || pid != getpid()))
        return 0;
    return us / 2000;
}
