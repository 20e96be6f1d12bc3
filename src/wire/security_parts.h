// SPDX-License-Identifier: Apache-2.0
// What tls.c takes of a security (security.h).
#ifndef WIRE_SECURITY_PARTS_H
#define WIRE_SECURITY_PARTS_H

#include <openssl/ssl.h>

#include "wire/security.h"

struct wire_security {
    enum wire_mechanism mechanism;
    char *user, *password;
    char *token_file, *token_command;
    SSL_CTX *tls; // NULL: none
    BIO_METHOD *socket;
    bool takes_any_host;
};

#endif
