// SPDX-License-Identifier: Apache-2.0
#include "wire/sasl.h"

#include "base/text.h"

static enum wire_mechanism mechanism_of(const struct wire_sasl *sasl)
{
    return wire_security_mechanism(sasl->security);
}

void wire_sasl_begin(struct wire_sasl *sasl, const struct wire_security *security,
                     const char *host)
{
    *sasl = (struct wire_sasl){.security = security};
    switch (mechanism_of(sasl)) {
    case WIRE_OAUTHBEARER:
        sasl->token = wire_token_begin(security);
        return;
    case WIRE_GSSAPI:
        sasl->kerberos = wire_kerberos_begin(wire_security_kerberos(security), host);
        return;
    case WIRE_SCRAM_SHA_256:
    case WIRE_SCRAM_SHA_512:
        wire_scram_init(&sasl->scram, mechanism_of(sasl) == WIRE_SCRAM_SHA_512, NULL);
        return;
    case WIRE_PLAIN:
    case WIRE_NO_SASL:
        break;
    }
}

void wire_sasl_end(struct wire_sasl *sasl)
{
    wire_token_end(sasl->token);
    wire_kerberos_end(sasl->kerberos);
    wire_scram_release(&sasl->scram);
    *sasl = (struct wire_sasl){0};
}

// RFC 7628, 3.1.
static enum status put_token(struct wire_sasl *sasl, struct buf *out, bool *ret_is_there,
                             struct err *err)
{
    struct str token;
    TRY(wire_token_take(sasl->token, &token, err));
    *ret_is_there = token.p != NULL;
    if (token.p == NULL)
        return ST_OK;
    buf_text(out, "n,,\001auth=Bearer ");
    buf_str(out, token);
    buf_text(out, "\001\001");
    return ST_OK;
}

enum status wire_sasl_first(struct wire_sasl *sasl, struct buf *out, bool *ret_is_there,
                            struct err *err)
{
    *ret_is_there = true;
    switch (mechanism_of(sasl)) {
    case WIRE_OAUTHBEARER:
        return put_token(sasl, out, ret_is_there, err);
    case WIRE_GSSAPI:
        return wire_kerberos_first(sasl->kerberos, out, ret_is_there, err);
    case WIRE_SCRAM_SHA_256:
    case WIRE_SCRAM_SHA_512:
        wire_scram_first(&sasl->scram, wire_security_user(sasl->security), out);
        return ST_OK;
    case WIRE_PLAIN:
    case WIRE_NO_SASL:
        break;
    }
    buf_char(out, '\0');
    buf_str(out, wire_security_user(sasl->security));
    buf_char(out, '\0');
    buf_str(out, wire_security_password(sasl->security));
    return ST_OK;
}

// RFC 7628, 3.2.3: an answer to a token is an error, told in JSON.
static enum status token_refused(struct str from_server, struct err *err)
{
    char visible[512];
    size_t n = text_visible(from_server, visible, sizeof(visible));
    return err_set(err, ST_FAIL, "the broker refuses the token: %.*s", (int)n, visible);
}

enum status wire_sasl_next(struct wire_sasl *sasl, struct str from_server,
                           struct buf *out, bool *ret_is_done, struct err *err)
{
    *ret_is_done = true;
    switch (mechanism_of(sasl)) {
    case WIRE_OAUTHBEARER:
        return from_server.n > 0 ? token_refused(from_server, err) : ST_OK;
    case WIRE_GSSAPI:
        return wire_kerberos_next(sasl->kerberos, from_server, out, ret_is_done, err);
    case WIRE_SCRAM_SHA_256:
    case WIRE_SCRAM_SHA_512:
        *ret_is_done = sasl->n_sent++ > 0;
        if (*ret_is_done)
            return wire_scram_check(&sasl->scram, from_server, err);
        return wire_scram_final(&sasl->scram, wire_security_password(sasl->security),
                                from_server, out, err);
    case WIRE_PLAIN:
    case WIRE_NO_SASL:
        break;
    }
    return ST_OK;
}

int wire_sasl_fd(const struct wire_sasl *sasl)
{
    if (sasl->kerberos != NULL)
        return wire_kerberos_fd(sasl->kerberos);
    return sasl->token != NULL ? wire_token_fd(sasl->token) : -1;
}
