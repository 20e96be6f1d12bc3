// SPDX-License-Identifier: Apache-2.0
// Whom TLS trusts, and who we are in it.
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <sys/stat.h>

#include "base/file.h"
#include "wire/security_parts.h"

// OpenSSL's last word, without its numbers; the queue is empty afterwards.
static const char *last_reason(void)
{
    unsigned long code = ERR_peek_last_error();
    const char *reason = code ? ERR_reason_error_string(code) : NULL;
    ERR_clear_error();
    return reason ? reason : "not right";
}

static enum status wrong_file(const char *option, const char *path, struct err *err)
{
    return err_set(err, ST_USAGE, "option 'kafka.%s': %s: %s", option, path,
                   last_reason());
}

static enum status wrong_pem(const char *option, struct err *err)
{
    return err_set(err, ST_USAGE, "option 'kafka.%s': %s", option, last_reason());
}

// Opened by OpenSSL, a pipe would wait for a writer.
enum status wire_security_check_file(const char *option, const char *path,
                                     struct err *err)
{
    struct stat info;
    const char *why = stat(path, &info) != 0 ? strerror(errno) : file_is_no_file(&info);
    if (why == NULL)
        return ST_OK;
    return err_set(err, ST_USAGE, "option 'kafka.%s': %s: %s", option, path, why);
}

// Without it OpenSSL would ask the terminal.
static int give_password(char *to, int size, UNUSED int for_writing, void *password)
{
    const char *text = password;
    size_t n = text ? strlen(text) : 0;
    if (n > (size_t)size)
        return -1;
    if (n > 0)
        memcpy(to, text, n);
    return (int)n;
}

// ---- certificates as text

// Whether there is one at least, and each was taken.
static bool take_all(SSL_CTX *tls, const char *pem,
                     bool (*take)(SSL_CTX *tls, X509 *certificate, int i))
{
    ERR_clear_error();
    int n = 0;
    bool is_good = true;
    X509 *certificate;
    BIO *bio = BIO_new_mem_buf(pem, -1);
    while (is_good && bio != NULL &&
           (certificate = PEM_read_bio_X509_AUX(bio, NULL, give_password, NULL)) !=
               NULL) {
        is_good = take(tls, certificate, n++);
        X509_free(certificate);
    }
    BIO_free(bio);
    return is_good && n > 0 &&
           ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
}

static bool trust_one(SSL_CTX *tls, X509 *certificate, UNUSED int i)
{
    return X509_STORE_add_cert(SSL_CTX_get_cert_store(tls), certificate) == 1;
}

// The first is ours, those after it lead to its authority.
static bool show_one(SSL_CTX *tls, X509 *certificate, int i)
{
    return (i == 0 ? SSL_CTX_use_certificate(tls, certificate)
                   : SSL_CTX_add1_chain_cert(tls, certificate)) == 1;
}

// ---- whom we trust

static enum status trust_files(SSL_CTX *tls, const char *ca, struct err *err)
{
    struct stat info;
    if (stat(ca, &info) == 0 && S_ISDIR(info.st_mode))
        return SSL_CTX_load_verify_dir(tls, ca) == 1
                   ? ST_OK
                   : wrong_file("ssl.ca.location", ca, err);
    TRY(wire_security_check_file("ssl.ca.location", ca, err));
    if (SSL_CTX_load_verify_file(tls, ca) != 1)
        return wrong_file("ssl.ca.location", ca, err);
    return ST_OK;
}

static enum status trust(SSL_CTX *tls, const struct wire_security_config *config,
                         struct err *err)
{
    if (config->ca != NULL)
        TRY(trust_files(tls, config->ca, err));
    if (config->ca_pem != NULL && !take_all(tls, config->ca_pem, trust_one))
        return wrong_pem("ssl.ca.pem", err);
    ERR_clear_error();
    if (config->ca != NULL || config->ca_pem != NULL)
        return ST_OK;
    return SSL_CTX_set_default_verify_paths(tls) == 1
               ? ST_OK
               : err_set(err, ST_USAGE,
                         "option 'kafka.ssl.ca.location' is missing, and the "
                         "system's certificates cannot be read: %s",
                         last_reason());
}

// ---- who we are

static enum status
take_certificate(SSL_CTX *tls, const struct wire_security_config *config, struct err *err)
{
    if (config->certificate_pem != NULL)
        return take_all(tls, config->certificate_pem, show_one)
                   ? ST_OK
                   : wrong_pem("ssl.certificate.pem", err);
    TRY(wire_security_check_file("ssl.certificate.location", config->certificate, err));
    if (SSL_CTX_use_certificate_chain_file(tls, config->certificate) != 1)
        return wrong_file("ssl.certificate.location", config->certificate, err);
    return ST_OK;
}

static EVP_PKEY *read_key(const struct wire_security_config *config)
{
    BIO *bio = config->key_pem != NULL ? BIO_new_mem_buf(config->key_pem, -1)
                                       : BIO_new_file(config->key, "r");
    EVP_PKEY *key =
        bio == NULL ? NULL
                    : PEM_read_bio_PrivateKey(bio, NULL, give_password,
                                              (void *)(uintptr_t)config->key_password);
    BIO_free(bio);
    return key;
}

static enum status take_key(SSL_CTX *tls, const struct wire_security_config *config,
                            struct err *err)
{
    bool is_text = config->key_pem != NULL;
    const char *option = is_text ? "pem" : "location";
    const char *what = is_text ? "the text" : config->key;
    if (!is_text)
        TRY(wire_security_check_file("ssl.key.location", config->key, err));
    EVP_PKEY *key = read_key(config);
    if (key == NULL)
        return err_set(err, ST_USAGE,
                       "option 'kafka.ssl.key.%s': %s cannot be read: %s; if it has a "
                       "password, kafka.ssl.key.password must be that",
                       option, what, last_reason());
    bool is_its = SSL_CTX_use_PrivateKey(tls, key) == 1 && SSL_CTX_check_private_key(tls);
    EVP_PKEY_free(key);
    ERR_clear_error();
    if (is_its)
        return ST_OK;
    return err_set(err, ST_USAGE,
                   "option 'kafka.ssl.key.%s': %s is not the key of the certificate %s",
                   option, what, config->certificate_pem ? "given" : config->certificate);
}

static enum status take_keystore(SSL_CTX *tls, const struct wire_security_config *config,
                                 struct err *err)
{
    TRY(wire_security_check_file("ssl.keystore.location", config->keystore, err));
    EVP_PKEY *key = NULL;
    X509 *certificate = NULL;
    STACK_OF(X509) *chain = NULL;
    BIO *bio = BIO_new_file(config->keystore, "rb");
    PKCS12 *store = bio != NULL ? d2i_PKCS12_bio(bio, NULL) : NULL;
    const char *password = config->keystore_password ? config->keystore_password : "";
    bool is_read =
        store != NULL && PKCS12_parse(store, password, &key, &certificate, &chain) == 1;
    bool is_taken = is_read && key != NULL && certificate != NULL &&
                    SSL_CTX_use_cert_and_key(tls, certificate, key, chain, 1) == 1;
    sk_X509_pop_free(chain, X509_free);
    X509_free(certificate);
    EVP_PKEY_free(key);
    PKCS12_free(store);
    BIO_free(bio);
    if (is_taken) {
        ERR_clear_error();
        return ST_OK;
    }
    const char *reason = is_read && ERR_peek_last_error() == 0
                             ? "it has no certificate with a key"
                             : last_reason();
    return err_set(err, ST_USAGE,
                   "option 'kafka.ssl.keystore.location': %s cannot be read as PKCS#12: "
                   "%s; kafka.ssl.keystore.password must be its password",
                   config->keystore, reason);
}

static enum status check_once(const char *option, const char *location, const char *pem,
                              struct err *err)
{
    if (location == NULL || pem == NULL)
        return ST_OK;
    return err_set(err, ST_USAGE,
                   "option 'kafka.ssl.%s.pem' cannot stand beside kafka.ssl.%s.location: "
                   "give one of them",
                   option, option);
}

static enum status identify(SSL_CTX *tls, const struct wire_security_config *config,
                            struct err *err)
{
    bool has_certificate = config->certificate != NULL || config->certificate_pem != NULL;
    bool has_key = config->key != NULL || config->key_pem != NULL;
    TRY(check_once("certificate", config->certificate, config->certificate_pem, err));
    TRY(check_once("key", config->key, config->key_pem, err));
    if (config->keystore != NULL && (has_certificate || has_key))
        return err_set(err, ST_USAGE,
                       "option 'kafka.ssl.keystore.location' has certificate and key: "
                       "leave kafka.ssl.certificate.* and kafka.ssl.key.* out");
    if (config->keystore != NULL)
        return take_keystore(tls, config, err);
    if (!has_certificate && !has_key)
        return ST_OK;
    if (!has_certificate || !has_key)
        return err_set(
            err, ST_USAGE,
            "option 'kafka.ssl.%s.location' is missing: a client's certificate "
            "and its key belong together",
            has_key ? "certificate" : "key");
    TRY(take_certificate(tls, config, err));
    return take_key(tls, config, err);
}

static enum status furnish(SSL_CTX *tls, const struct wire_security_config *config,
                           struct err *err)
{
    SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION);
    SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_options(tls, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE |
                              SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                              SSL_MODE_RELEASE_BUFFERS);
    TRY(trust(tls, config, err));
    return identify(tls, config, err);
}

enum status wire_security_tls(const struct wire_security_config *config, SSL_CTX **ret,
                              struct err *err)
{
    ERR_clear_error();
    SSL_CTX *tls = SSL_CTX_new(TLS_client_method());
    if (tls == NULL)
        return err_set(err, ST_FAIL, "TLS cannot be used: %s", last_reason());
    enum status rc = furnish(tls, config, err);
    if (rc == ST_OK)
        *ret = tls;
    else
        SSL_CTX_free(tls);
    return rc;
}
