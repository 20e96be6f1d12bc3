// SPDX-License-Identifier: Apache-2.0
#include "wire/tls_socket.h"

#include <errno.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/attr.h"

static int fd_of(BIO *bio)
{
    return (int)(intptr_t)BIO_get_data(bio);
}

static int socket_write(BIO *bio, const char *p, int n)
{
    BIO_clear_retry_flags(bio);
    ssize_t sent = send(fd_of(bio), p, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno == EAGAIN)
        BIO_set_retry_write(bio);
    return (int)sent;
}

static int socket_read(BIO *bio, char *p, int n)
{
    BIO_clear_retry_flags(bio);
    ssize_t got = recv(fd_of(bio), p, (size_t)n, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN)
        BIO_set_retry_read(bio);
    return (int)got;
}

static long socket_control(UNUSED BIO *bio, int command, UNUSED long number,
                           UNUSED void *p)
{
    return command == BIO_CTRL_FLUSH; // nothing is kept back
}

BIO_METHOD *wire_tls_socket(void)
{
    BIO_METHOD *method =
        BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_get_new_index(), "connection");
    if (method == NULL)
        return NULL;
    BIO_meth_set_write(method, socket_write);
    BIO_meth_set_read(method, socket_read);
    BIO_meth_set_ctrl(method, socket_control);
    return method;
}

BIO *wire_tls_socket_bio(BIO_METHOD *method, int fd)
{
    BIO *bio = BIO_new(method);
    if (bio == NULL)
        return NULL;
    BIO_set_data(bio, (void *)(intptr_t)fd);
    BIO_set_init(bio, 1);
    return bio;
}
