// SPDX-License-Identifier: Apache-2.0
#include "wire/security.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/mem.h"
#include "wire/security_parts.h"
#include "wire/tls_socket.h"

const char *wire_mechanism_name(enum wire_mechanism mechanism)
{
    static const char *const names[] = {
        [WIRE_NO_SASL] = "none",
        [WIRE_PLAIN] = "PLAIN",
        [WIRE_SCRAM_SHA_256] = "SCRAM-SHA-256",
        [WIRE_SCRAM_SHA_512] = "SCRAM-SHA-512",
        [WIRE_OAUTHBEARER] = "OAUTHBEARER",
    };
    return names[mechanism];
}

// ---- TLS

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

// Opened by OpenSSL, a pipe would wait for a writer.
static enum status check_file(const char *option, const char *path, struct err *err)
{
    struct stat info;
    const char *why = stat(path, &info) != 0 ? strerror(errno) : file_is_no_file(&info);
    if (why == NULL)
        return ST_OK;
    return err_set(err, ST_USAGE, "option 'kafka.%s': %s: %s", option, path, why);
}

static enum status trust(SSL_CTX *tls, const char *ca, struct err *err)
{
    struct stat info;
    if (ca == NULL)
        return SSL_CTX_set_default_verify_paths(tls) == 1
                   ? ST_OK
                   : err_set(err, ST_USAGE,
                             "option 'kafka.ssl.ca.location' is missing, and the "
                             "system's certificates cannot be read: %s",
                             last_reason());
    if (stat(ca, &info) == 0 && S_ISDIR(info.st_mode))
        return SSL_CTX_load_verify_dir(tls, ca) == 1
                   ? ST_OK
                   : wrong_file("ssl.ca.location", ca, err);
    TRY(check_file("ssl.ca.location", ca, err));
    if (SSL_CTX_load_verify_file(tls, ca) != 1)
        return wrong_file("ssl.ca.location", ca, err);
    return ST_OK;
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

static enum status take_key(SSL_CTX *tls, const struct wire_security_config *config,
                            struct err *err)
{
    if (SSL_CTX_use_PrivateKey_file(tls, config->key, SSL_FILETYPE_PEM) == 1)
        return ST_OK;
    unsigned long code = ERR_peek_last_error();
    bool is_mismatch = ERR_GET_LIB(code) == ERR_LIB_X509;
    if (is_mismatch) {
        ERR_clear_error();
        return err_set(err, ST_USAGE,
                       "option 'kafka.ssl.key.location': %s is not the key of the "
                       "certificate %s",
                       config->key, config->certificate);
    }
    const char *reason = last_reason();
    return err_set(err, ST_USAGE,
                   "option 'kafka.ssl.key.location': %s cannot be read: %s; if it has a "
                   "password, kafka.ssl.key.password must be that",
                   config->key, reason);
}

static enum status identify(SSL_CTX *tls, const struct wire_security_config *config,
                            struct err *err)
{
    if (config->certificate == NULL && config->key == NULL)
        return ST_OK;
    if (config->certificate == NULL || config->key == NULL)
        return err_set(
            err, ST_USAGE,
            "option 'kafka.ssl.%s.location' is missing: a client's certificate "
            "and its key belong together",
            config->key == NULL ? "key" : "certificate");
    TRY(check_file("ssl.certificate.location", config->certificate, err));
    TRY(check_file("ssl.key.location", config->key, err));
    if (SSL_CTX_use_certificate_chain_file(tls, config->certificate) != 1)
        return wrong_file("ssl.certificate.location", config->certificate, err);
    SSL_CTX_set_default_passwd_cb(tls, give_password);
    SSL_CTX_set_default_passwd_cb_userdata(tls, (void *)(uintptr_t)config->key_password);
    enum status rc = take_key(tls, config, err);
    SSL_CTX_set_default_passwd_cb_userdata(tls, NULL);
    return rc;
}

static enum status open_tls(struct wire_security *security,
                            const struct wire_security_config *config, struct err *err)
{
    ERR_clear_error();
    security->tls = SSL_CTX_new(TLS_client_method());
    security->socket = wire_tls_socket();
    if (security->tls == NULL || security->socket == NULL)
        return err_set(err, ST_FAIL, "TLS cannot be used: %s", last_reason());
    SSL_CTX_set_min_proto_version(security->tls, TLS1_2_VERSION);
    SSL_CTX_set_verify(security->tls, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_options(security->tls, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_session_cache_mode(security->tls, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(security->tls, SSL_MODE_ENABLE_PARTIAL_WRITE |
                                        SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                        SSL_MODE_RELEASE_BUFFERS);
    TRY(trust(security->tls, config->ca, err));
    return identify(security->tls, config, err);
}

// ---- SASL

static bool is_scram(enum wire_mechanism mechanism)
{
    return mechanism == WIRE_SCRAM_SHA_256 || mechanism == WIRE_SCRAM_SHA_512;
}

// SASLprep (RFC 4013) leaves printable ASCII as it is, and changes or refuses the rest.
static bool is_prepared(const char *text)
{
    for (; *text != '\0'; text++)
        if (*text < ' ' || *text > '~')
            return false;
    return true;
}

static enum status check_prepared(const char *option, const char *text, struct err *err)
{
    if (is_prepared(text))
        return ST_OK;
    return err_set(err, ST_USAGE,
                   "option 'kafka.sasl.%s': SCRAM of client = 'native' takes printable "
                   "ASCII alone (it has no SASLprep); with other characters write client "
                   "= 'librdkafka'",
                   option);
}

static enum status check_login(const struct wire_security_config *config, struct err *err)
{
    const char *name = wire_mechanism_name(config->mechanism);
    if (config->user == NULL || config->user[0] == '\0')
        return err_set(err, ST_USAGE, "option 'kafka.sasl.username' is missing for %s",
                       name);
    if (config->password == NULL || config->password[0] == '\0')
        return err_set(err, ST_USAGE, "option 'kafka.sasl.password' is missing for %s",
                       name);
    if (!is_scram(config->mechanism))
        return ST_OK;
    TRY(check_prepared("username", config->user, err));
    return check_prepared("password", config->password, err);
}

static enum status check_token(const struct wire_security_config *config, struct err *err)
{
    if ((config->token_file != NULL) != (config->token_command != NULL))
        return ST_OK;
    return err_set(
        err, ST_USAGE,
        "option 'kafka.sasl.mechanism': OAUTHBEARER of client = 'native' takes "
        "its token from one of kafka.sasl.oauthbearer.token.file and "
        "kafka.sasl.oauthbearer.token.command; for OIDC and unsecured tokens "
        "write client = 'librdkafka'");
}

static enum status check_sasl(const struct wire_security_config *config, struct err *err)
{
    switch (config->mechanism) {
    case WIRE_NO_SASL:
        return ST_OK;
    case WIRE_OAUTHBEARER:
        return check_token(config, err);
    case WIRE_PLAIN:
    case WIRE_SCRAM_SHA_256:
    case WIRE_SCRAM_SHA_512:
        break;
    }
    return check_login(config, err);
}

static char *copy(const char *text)
{
    return text != NULL ? mem_strdup(text) : NULL;
}

enum status wire_security_open(const struct wire_security_config *config,
                               struct wire_security **ret, struct err *err)
{
    *ret = NULL;
    TRY(check_sasl(config, err));
    if (!config->has_tls && config->mechanism == WIRE_NO_SASL)
        return ST_OK;
    struct wire_security *security = mem_zalloc(sizeof(*security));
    security->mechanism = config->mechanism;
    security->takes_any_host = config->takes_any_host;
    security->user = copy(config->user);
    security->password = copy(config->password);
    security->token_file = copy(config->token_file);
    security->token_command = copy(config->token_command);
    enum status rc = config->has_tls ? open_tls(security, config, err) : ST_OK;
    if (rc != ST_OK) {
        wire_security_close(security);
        return rc;
    }
    *ret = security;
    return ST_OK;
}

void wire_security_close(struct wire_security *security)
{
    if (security == NULL)
        return;
    if (security->password != NULL)
        OPENSSL_cleanse(security->password, strlen(security->password));
    free(security->user);
    free(security->password);
    free(security->token_file);
    free(security->token_command);
    SSL_CTX_free(security->tls);
    BIO_meth_free(security->socket);
    free(security);
}

enum wire_mechanism wire_security_mechanism(const struct wire_security *security)
{
    return security != NULL ? security->mechanism : WIRE_NO_SASL;
}

bool wire_security_has_tls(const struct wire_security *security)
{
    return security != NULL && security->tls != NULL;
}

struct str wire_security_user(const struct wire_security *security)
{
    return str_of(security->user ? security->user : "");
}

struct str wire_security_password(const struct wire_security *security)
{
    return str_of(security->password ? security->password : "");
}

const char *wire_security_token_file(const struct wire_security *security)
{
    return security->token_file;
}

const char *wire_security_token_command(const struct wire_security *security)
{
    return security->token_command;
}
