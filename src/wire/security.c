// SPDX-License-Identifier: Apache-2.0
#include "wire/security.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

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
        [WIRE_GSSAPI] = "GSSAPI",
    };
    return names[mechanism];
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

static enum status check_kerberos(const struct wire_kerberos_config *config,
                                  struct err *err)
{
    if (config->keytab == NULL)
        return ST_OK;
    return wire_security_check_file("sasl.kerberos.keytab", config->keytab, err);
}

static enum status check_sasl(const struct wire_security_config *config, struct err *err)
{
    switch (config->mechanism) {
    case WIRE_NO_SASL:
        return ST_OK;
    case WIRE_OAUTHBEARER:
        return check_token(config, err);
    case WIRE_GSSAPI:
        return check_kerberos(&config->kerberos, err);
    case WIRE_PLAIN:
    case WIRE_SCRAM_SHA_256:
    case WIRE_SCRAM_SHA_512:
        break;
    }
    return check_login(config, err);
}

static enum status open_tls(struct wire_security *security,
                            const struct wire_security_config *config, struct err *err)
{
    security->socket = wire_tls_socket();
    if (security->socket == NULL)
        return err_set(err, ST_FAIL, "TLS cannot be used: %s", strerror(ENOMEM));
    return wire_security_tls(config, &security->tls, err);
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
    security->kerberos = (struct wire_kerberos_config){
        .service = copy(config->kerberos.service),
        .principal = copy(config->kerberos.principal),
        .keytab = copy(config->kerberos.keytab),
    };
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
    free((char *)(uintptr_t)security->kerberos.service);
    free((char *)(uintptr_t)security->kerberos.principal);
    free((char *)(uintptr_t)security->kerberos.keytab);
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

const struct wire_kerberos_config *
wire_security_kerberos(const struct wire_security *security)
{
    return &security->kerberos;
}
