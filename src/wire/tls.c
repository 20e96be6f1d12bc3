// SPDX-License-Identifier: Apache-2.0
#include "wire/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "wire/security_parts.h"
#include "wire/tls_socket.h"

struct wire_tls {
    SSL *ssl;
    const char *host;
    bool is_shaken; // the handshake is done
    bool wants_write;
    bool is_refused;
    char date[40]; // from or to which a wrong certificate is valid
    char problem[WIRE_TLS_PROBLEM_TEXT];
};

static bool is_address(const char *host)
{
    struct in6_addr address;
    return inet_pton(AF_INET, host, &address) == 1 ||
           inet_pton(AF_INET6, host, &address) == 1;
}

// RFC 6066: an address is no server name. Nor is what is longer than any name; an address
// may be written so (0127.0.0.1, with as many zeros as one likes).
static bool has_name(const char *host)
{
    return !is_address(host) && strlen(host) <= TLSEXT_MAXLEN_host_name;
}

static bool expect_host(const struct wire_security *security, SSL *ssl, const char *host)
{
    if (has_name(host) && SSL_set_tlsext_host_name(ssl, host) != 1)
        return false;
    if (security->takes_any_host)
        return true;
    if (is_address(host))
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_set1_host(ssl, host) == 1;
}

void wire_tls_free(struct wire_tls *tls)
{
    if (tls == NULL)
        return;
    SSL_free(tls->ssl);
    free(tls);
}

// ---- what went wrong

#define SEE_CA "kafka.ssl.ca.location must be the CA that signed the broker's certificate"
#define SEE_CERTIFICATE                                            \
    "the broker wants a client's certificate that it trusts: see " \
    "kafka.ssl.certificate.location and kafka.ssl.key.location"

static void put_time(const ASN1_TIME *at, char *ret, size_t size)
{
    struct tm tm;
    if (ASN1_TIME_to_tm(at, &tm) != 1 ||
        strftime(ret, size, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
        snprintf(ret, size, "?");
}

// Of the certificate that is wrong, before it is gone.
static int see_certificate(int is_good, X509_STORE_CTX *store)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct wire_tls *tls = SSL_get_app_data(ssl);
    const X509 *certificate = X509_STORE_CTX_get_current_cert(store);
    bool is_early = X509_STORE_CTX_get_error(store) == X509_V_ERR_CERT_NOT_YET_VALID;
    if (!is_good && certificate != NULL)
        put_time(is_early ? X509_get0_notBefore(certificate)
                          : X509_get0_notAfter(certificate),
                 tls->date, sizeof(tls->date));
    return is_good;
}

static void say_date(struct wire_tls *tls, bool is_over)
{
    snprintf(tls->problem, sizeof(tls->problem),
             is_over ? "the broker's certificate, or its authority's, is expired (it was "
                       "valid until %s)"
                     : "the broker's certificate, or its authority's, is not valid yet "
                       "(it is from %s on)",
             tls->date);
}

static void say_certificate(struct wire_tls *tls, long code)
{
    switch (code) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
        say_date(tls, code == X509_V_ERR_CERT_HAS_EXPIRED);
        return;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        snprintf(tls->problem, sizeof(tls->problem),
                 "the broker's certificate does not name the host '%s'; brokers must be "
                 "written, and advertised, by a name that it has",
                 tls->host);
        return;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        snprintf(tls->problem, sizeof(tls->problem),
                 "the broker's certificate is of an unknown authority (%s); " SEE_CA,
                 X509_verify_cert_error_string(code));
        return;
    default:
        snprintf(tls->problem, sizeof(tls->problem),
                 "the broker's certificate is not right: %s; " SEE_CA,
                 X509_verify_cert_error_string(code));
    }
}

// OpenSSL fails here only when memory is out, or for a host that is none: its look-up
// would have failed before.
struct wire_tls *wire_tls_new(const struct wire_security *security, int fd,
                              const char *host)
{
    struct wire_tls *tls = mem_zalloc(sizeof(*tls));
    tls->host = host;
    ERR_clear_error();
    tls->ssl = SSL_new(security->tls);
    BIO *bio = wire_tls_socket_bio(security->socket, fd);
    if (tls->ssl == NULL || bio == NULL || !expect_host(security, tls->ssl, host))
        abort();
    SSL_set_bio(tls->ssl, bio, bio);
    SSL_set_app_data(tls->ssl, tls);
    SSL_set_verify(tls->ssl, SSL_VERIFY_PEER, see_certificate);
    SSL_set_connect_state(tls->ssl);
    return tls;
}

static bool is_about_certificate(int reason)
{
    switch (reason) {
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_NO_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_TLSV1_ALERT_ACCESS_DENIED:
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
        return true;
    default:
        return false;
    }
}

static void say_reason(struct wire_tls *tls, unsigned long code)
{
    int reason = ERR_GET_REASON(code);
    const char *text = ERR_reason_error_string(code);
    const char *hint = "";
    if (is_about_certificate(reason))
        hint = "; " SEE_CERTIFICATE;
    else if (!tls->is_shaken)
        hint = "; is that a port with TLS? See kafka.security.protocol";
    snprintf(tls->problem, sizeof(tls->problem), "TLS: %s%s", text ? text : "failed",
             hint);
}

static enum wire_tls_result fail(struct wire_tls *tls)
{
    long verified = SSL_get_verify_result(tls->ssl);
    unsigned long code = ERR_peek_last_error();
    tls->is_refused = !tls->is_shaken || is_about_certificate(ERR_GET_REASON(code));
    if (!tls->is_shaken && verified != X509_V_OK)
        say_certificate(tls, verified);
    else
        say_reason(tls, code);
    ERR_clear_error();
    return WIRE_TLS_FAILED;
}

// Of a call that gave no bytes.
static enum wire_tls_result result_of(struct wire_tls *tls, int done)
{
    int number = errno;
    tls->wants_write = false;
    switch (SSL_get_error(tls->ssl, done)) {
    case SSL_ERROR_WANT_WRITE:
        tls->wants_write = true;
        return WIRE_TLS_AGAIN;
    case SSL_ERROR_WANT_READ:
        return WIRE_TLS_AGAIN;
    case SSL_ERROR_ZERO_RETURN:
        return WIRE_TLS_END;
    case SSL_ERROR_SYSCALL:
        if (ERR_peek_error() != 0)
            return fail(tls);
        if (number == 0)
            return WIRE_TLS_END;
        snprintf(tls->problem, sizeof(tls->problem), "%s", strerror(number));
        return WIRE_TLS_FAILED;
    default:
        return fail(tls);
    }
}

enum wire_tls_result wire_tls_handshake(struct wire_tls *tls)
{
    ERR_clear_error();
    errno = 0;
    int done = SSL_do_handshake(tls->ssl);
    if (done != 1)
        return result_of(tls, done);
    tls->is_shaken = true;
    tls->wants_write = false;
    return WIRE_TLS_DONE;
}

enum wire_tls_result wire_tls_send(struct wire_tls *tls, const void *p, size_t n,
                                   size_t *ret_n)
{
    ERR_clear_error();
    errno = 0;
    int done = SSL_write_ex(tls->ssl, p, n, ret_n);
    return done == 1 ? WIRE_TLS_DONE : result_of(tls, done);
}

enum wire_tls_result wire_tls_receive(struct wire_tls *tls, void *p, size_t n,
                                      size_t *ret_n)
{
    ERR_clear_error();
    errno = 0;
    int done = SSL_read_ex(tls->ssl, p, n, ret_n);
    return done == 1 ? WIRE_TLS_DONE : result_of(tls, done);
}

bool wire_tls_wants_write(const struct wire_tls *tls)
{
    return tls != NULL && tls->wants_write;
}

bool wire_tls_has_bytes(const struct wire_tls *tls)
{
    return tls != NULL && SSL_pending(tls->ssl) > 0;
}

const char *wire_tls_problem(const struct wire_tls *tls)
{
    return tls->problem;
}

bool wire_tls_is_refused(const struct wire_tls *tls)
{
    return tls->is_refused;
}
