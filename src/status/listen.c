// SPDX-License-Identifier: Apache-2.0
#include "status/listen.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    BACKLOG = 64 // beyond it a crowd keeps others from connecting at all
};

struct address {
    struct sockaddr_storage socket;
    socklen_t n;
};

static bool parse_port(struct str text, uint16_t *ret)
{
    int64_t port;
    if (text.n == 0 || !isdigit((unsigned char)text.p[0]) || !str_to_i64(text, &port) ||
        port > 65535)
        return false;
    *ret = (uint16_t)port;
    return true;
}

static void set_ipv6(struct address *ret, struct in6_addr host, uint16_t port)
{
    struct sockaddr_in6 socket = {
        .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = host};
    memcpy(&ret->socket, &socket, sizeof(socket));
    ret->n = sizeof(socket);
}

static void set_ipv4(struct address *ret, struct in_addr host, uint16_t port)
{
    struct sockaddr_in socket = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = host};
    memcpy(&ret->socket, &socket, sizeof(socket));
    ret->n = sizeof(socket);
}

static bool parse(struct str text, struct address *ret)
{
    char host[INET6_ADDRSTRLEN + 2];
    const char *colon = text.n > 0 ? memrchr(text.p, ':', text.n) : NULL;
    uint16_t port;
    if (colon == NULL)
        return false;
    size_t n = (size_t)(colon - text.p);
    if (n >= sizeof(host) || !parse_port((struct str){colon + 1, text.n - n - 1}, &port))
        return false;
    memcpy(host, text.p, n);
    host[n] = '\0';
    struct in_addr ipv4;
    struct in6_addr ipv6 = in6addr_any;
    if (strcmp(host, "localhost") == 0)
        snprintf(host, sizeof(host), "127.0.0.1");
    if (n == 0) {
        set_ipv6(ret, ipv6, port);
        return true;
    }
    if (inet_pton(AF_INET, host, &ipv4) == 1) {
        set_ipv4(ret, ipv4, port);
        return true;
    }
    if (host[0] != '[' || host[n - 1] != ']')
        return false;
    host[n - 1] = '\0';
    if (inet_pton(AF_INET6, host + 1, &ipv6) != 1)
        return false;
    set_ipv6(ret, ipv6, port);
    return true;
}

enum status listen_check(struct str text, struct err *err)
{
    struct address address;
    if (parse(text, &address))
        return ST_OK;
    return err_set(err, ST_USAGE,
                   "option 'status.listen' takes an address of this machine and a port, "
                   "such as 127.0.0.1:9187 or [::1]:9187, not '%.*s'",
                   STR_ARGS(text));
}

static const char *why(int number)
{
    switch (number) {
    case EADDRINUSE:
        return "another program listens there";
    case EADDRNOTAVAIL:
        return "this machine does not have that address";
    case EACCES:
        return "ports below 1024 are for root";
    default:
        return strerror(number);
    }
}

static enum status cannot(struct str text, int number, struct err *err)
{
    return err_set(err, ST_FAIL,
                   "cannot listen on status.listen = '%.*s': %s; another port is set by "
                   "SET status.listen",
                   STR_ARGS(text), why(number));
}

static void format_url(int fd, char ret[LISTEN_TEXT])
{
    struct sockaddr_storage socket;
    socklen_t n = sizeof(socket);
    char host[INET6_ADDRSTRLEN] = "";
    getsockname(fd, (struct sockaddr *)&socket, &n);
    if (socket.ss_family == AF_INET6) {
        struct sockaddr_in6 ipv6;
        memcpy(&ipv6, &socket, sizeof(ipv6));
        inet_ntop(AF_INET6, &ipv6.sin6_addr, host, sizeof(host));
        snprintf(ret, LISTEN_TEXT, "http://[%s]:%d/", host, ntohs(ipv6.sin6_port));
        return;
    }
    struct sockaddr_in ipv4;
    memcpy(&ipv4, &socket, sizeof(ipv4));
    inet_ntop(AF_INET, &ipv4.sin_addr, host, sizeof(host));
    snprintf(ret, LISTEN_TEXT, "http://%s:%d/", host, ntohs(ipv4.sin_port));
}

enum status listen_open(struct str text, int *ret_fd, char ret_url[LISTEN_TEXT],
                        struct err *err)
{
    struct address address = {0};
    int on = 1;
    TRY(listen_check(text, err));
    parse(text, &address);
    int fd =
        socket(address.socket.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return cannot(text, errno, err);
    // A run that is started again at once finds connections of the one before.
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, (struct sockaddr *)&address.socket, address.n) != 0 ||
        listen(fd, BACKLOG) != 0) {
        enum status rc = cannot(text, errno, err);
        close(fd);
        return rc;
    }
    format_url(fd, ret_url);
    *ret_fd = fd;
    return ST_OK;
}
