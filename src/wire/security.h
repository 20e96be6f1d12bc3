// SPDX-License-Identifier: Apache-2.0
// How the connections of an owner are secured: TLS by OpenSSL, from TLS 1.2 on, and SASL.
// Made once, when files are read; the connections borrow it. What it holds of passwords
// is wiped at the end.
//
// Errors: ST_USAGE, by the name of the option, e.g. "option 'kafka.ssl.ca.location':
// /x/ca.pem: ...". No text holds a secret. Threads: one opens and closes it; between the
// two the connections of any thread read it.
#ifndef WIRE_SECURITY_H
#define WIRE_SECURITY_H

#include "base/status.h"
#include "base/str.h"

enum wire_mechanism {
    WIRE_NO_SASL,
    WIRE_PLAIN,         // RFC 4616
    WIRE_SCRAM_SHA_256, // RFC 5802, RFC 7677
    WIRE_SCRAM_SHA_512,
    WIRE_OAUTHBEARER, // RFC 7628, KIP-255
    WIRE_GSSAPI,      // RFC 4752, with Kerberos 5
};

// Who we are by Kerberos (kerberos.h); texts are borrowed.
struct wire_kerberos_config {
    const char *service;   // of the brokers' names; NULL: "kafka"
    const char *principal; // NULL: whoever the tickets or the key table are of
    const char *keytab;    // a file; NULL: the tickets at hand
};

// Texts are borrowed; NULL: not given.
struct wire_security_config {
    bool has_tls;
    enum wire_mechanism mechanism;
    const char *user, *password;
    const char *token_file, *token_command; // one of them, for OAUTHBEARER
    struct wire_kerberos_config kerberos;   // for GSSAPI
    const char *ca, *ca_pem; // a PEM file or a folder of hashed ones; the text; neither:
                             // the system's
    const char *certificate, *key, *key_password; // the client's, PEM files
    const char *certificate_pem, *key_pem;        // or the texts
    const char *keystore, *keystore_password;     // or both in one, PKCS#12 (RFC 7292)
    bool takes_any_host;                          // the certificate need not name it
};

struct wire_security; // NULL: neither TLS nor SASL

// *ret is NULL where nothing is to be secured.
enum status wire_security_open(const struct wire_security_config *config,
                               struct wire_security **ret, struct err *err);
void wire_security_close(struct wire_security *security);

enum wire_mechanism wire_security_mechanism(const struct wire_security *security);
bool wire_security_has_tls(const struct wire_security *security);
const char *wire_mechanism_name(enum wire_mechanism mechanism);

// For sasl.h and token.h; "" where there is none.
struct str wire_security_user(const struct wire_security *security);
struct str wire_security_password(const struct wire_security *security);
const char *wire_security_token_file(const struct wire_security *security);    // or NULL
const char *wire_security_token_command(const struct wire_security *security); // or NULL
const struct wire_kerberos_config *
wire_security_kerberos(const struct wire_security *security);

#endif
