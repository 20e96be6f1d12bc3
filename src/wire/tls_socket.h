// SPDX-License-Identifier: Apache-2.0
// OpenSSL's way to a socket. Its own would raise SIGPIPE where the other side is gone.
#ifndef WIRE_TLS_SOCKET_H
#define WIRE_TLS_SOCKET_H

#include <openssl/bio.h>

BIO_METHOD *wire_tls_socket(void); // NULL: memory is out
BIO *wire_tls_socket_bio(BIO_METHOD *method, int fd);

#endif
