// SPDX-License-Identifier: Apache-2.0
// The inside of a security (security.h), and how its TLS is made.
#ifndef WIRE_SECURITY_PARTS_H
#define WIRE_SECURITY_PARTS_H

#include <openssl/ssl.h>

#include "wire/security.h"

struct wire_security {
    enum wire_mechanism mechanism;
    char *user, *password;
    char *token_file, *token_command;
    struct wire_kerberos_config kerberos; // texts of its own
    SSL_CTX *tls;                         // NULL: none
    BIO_METHOD *socket;
    bool takes_any_host;
};

// Reads the files; *ret is the caller's. Errors: as wire_security_open.
enum status wire_security_tls(const struct wire_security_config *config, SSL_CTX **ret,
                              struct err *err);
// Also of files that others read: NULL, or why it cannot be one.
enum status wire_security_check_file(const char *option, const char *path,
                                     struct err *err);

#endif
