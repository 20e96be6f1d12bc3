// SPDX-License-Identifier: Apache-2.0
#include "wire/kerberos.h"

#include <gssapi/gssapi_ext.h>
#include <gssapi/gssapi_krb5.h>
#include <krb5.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/mem.h"
#include "wire/aside.h"
#include "wire/kerberos_problem.h"

enum {
    MESSAGE_MAX = 64 << 10,
    LAYERS_BYTES = 4, // RFC 4752, 3.3: which of them, and the largest message
    NO_LAYER = 1,
};

#define SERVICE "kafka" // librdkafka's default, and Kafka's

// The thread writes all from `krb5` up to `err`.
struct wire_kerberos {
    struct wire_aside aside;
    char *broker; // "service@host"
    char *principal, *keytab;
    int fd; // an eventfd
    krb5_context krb5;
    krb5_ccache tickets; // of the key table
    gss_name_t to, me;
    gss_cred_id_t credentials;
    gss_ctx_id_t context;
    bool is_established;
    struct buf message;
    enum status rc;
    struct err err;
    bool is_layer_chosen;
};

static void kerberos_free(struct wire_kerberos *k)
{
    OM_uint32 minor;
    if (k->context != GSS_C_NO_CONTEXT)
        gss_delete_sec_context(&minor, &k->context, GSS_C_NO_BUFFER);
    gss_release_cred(&minor, &k->credentials);
    gss_release_name(&minor, &k->to);
    gss_release_name(&minor, &k->me);
    if (k->tickets != NULL)
        krb5_cc_destroy(k->krb5, k->tickets);
    krb5_free_context(k->krb5);
    buf_release(&k->message);
    close(k->fd);
    free(k->broker);
    free(k->principal);
    free(k->keytab);
    free(k);
}

// ---- what the library does

static enum status wrong(const struct wire_kerberos *k, OM_uint32 major, OM_uint32 minor,
                         struct err *err)
{
    return wire_kerberos_problem(major, minor, k->keytab != NULL, err);
}

static enum status name_of(const struct wire_kerberos *k, char *text, gss_OID type,
                           gss_name_t *ret, struct err *err)
{
    OM_uint32 minor;
    gss_buffer_desc bytes = {strlen(text), text};
    OM_uint32 major = gss_import_name(&minor, &bytes, type, ret);
    return GSS_ERROR(major) ? wrong(k, major, minor, err) : ST_OK;
}

// *ret: the library's.
static enum status make_room_for_tickets(struct wire_kerberos *k, char **ret,
                                         struct err *err)
{
    krb5_error_code code = krb5_init_context(&k->krb5);
    if (code == 0)
        code = krb5_cc_new_unique(k->krb5, "MEMORY", NULL, &k->tickets);
    if (code == 0)
        code = krb5_cc_get_full_name(k->krb5, k->tickets, ret);
    return code == 0 ? ST_OK : wire_kerberos_unusable(k->krb5, code, err);
}

static enum status take_credentials(struct wire_kerberos *k,
                                    gss_const_key_value_set_t places, struct err *err)
{
    OM_uint32 minor;
    gss_OID_set_desc kerberos = {1, (gss_OID)(uintptr_t)gss_mech_krb5};
    OM_uint32 major =
        gss_acquire_cred_from(&minor, k->me, GSS_C_INDEFINITE, &kerberos, GSS_C_INITIATE,
                              places, &k->credentials, NULL, NULL);
    return GSS_ERROR(major) ? wrong(k, major, minor, err) : ST_OK;
}

static enum status take_credentials_of_keytab(struct wire_kerberos *k, struct err *err)
{
    char *tickets;
    AUTO(buf_release) struct buf keytab = {0};
    TRY(make_room_for_tickets(k, &tickets, err));
    buf_printf(&keytab, "FILE:%s", k->keytab);
    gss_key_value_element_desc places[] = {{"client_keytab", buf_cstr(&keytab)},
                                           {"ccache", tickets}};
    const gss_key_value_set_desc store = {ARRAY_LEN(places), places};
    enum status rc = take_credentials(k, &store, err);
    krb5_free_string(k->krb5, tickets);
    return rc;
}

// What the broker says, and what follows it.
static enum status step(struct wire_kerberos *k, struct str from_broker, struct buf *out,
                        struct err *err)
{
    const OM_uint32 wanted = GSS_C_MUTUAL_FLAG | GSS_C_SEQUENCE_FLAG | GSS_C_INTEG_FLAG;
    OM_uint32 minor, flags = 0;
    gss_buffer_desc in = {from_broker.n, (void *)(uintptr_t)from_broker.p};
    gss_buffer_desc token = GSS_C_EMPTY_BUFFER;
    bool is_first = k->context == GSS_C_NO_CONTEXT;
    OM_uint32 major = gss_init_sec_context(
        &minor, k->credentials, &k->context, k->to, (gss_OID)(uintptr_t)gss_mech_krb5,
        wanted, 0, GSS_C_NO_CHANNEL_BINDINGS, is_first ? GSS_C_NO_BUFFER : &in, NULL,
        &token, &flags, NULL);
    buf_append(out, token.value, token.length);
    OM_uint32 ignored;
    gss_release_buffer(&ignored, &token);
    if (GSS_ERROR(major))
        return wrong(k, major, minor, err);
    k->is_established = major == GSS_S_COMPLETE;
    if (k->is_established && (flags & GSS_C_MUTUAL_FLAG) == 0)
        return err_set(err, ST_FAIL, "Kerberos: the broker does not prove who it is");
    return ST_OK;
}

static enum status begin(struct wire_kerberos *k, struct err *err)
{
    TRY(name_of(k, k->broker, GSS_C_NT_HOSTBASED_SERVICE, &k->to, err));
    if (k->principal != NULL)
        TRY(name_of(k, k->principal, (gss_OID)(uintptr_t)GSS_KRB5_NT_PRINCIPAL_NAME,
                    &k->me, err));
    if (k->keytab != NULL)
        TRY(take_credentials_of_keytab(k, err));
    else
        TRY(take_credentials(k, GSS_C_NO_CRED_STORE, err));
    return step(k, (struct str){0}, &k->message, err);
}

// ---- two threads

static void *begin_aside(void *arg)
{
    struct wire_kerberos *k = arg;
    k->rc = begin(k, &k->err);
    if (wire_aside_end(&k->aside, k->fd))
        kerberos_free(k);
    return NULL;
}

struct wire_kerberos *wire_kerberos_begin(const struct wire_kerberos_config *config,
                                          const char *host)
{
    AUTO(buf_release) struct buf broker = {0};
    struct wire_kerberos *k = mem_zalloc(sizeof(*k));
    buf_printf(&broker, "%s@%s", config->service ? config->service : SERVICE, host);
    k->broker = buf_detach(&broker);
    k->principal = config->principal ? mem_strdup(config->principal) : NULL;
    k->keytab = config->keytab ? mem_strdup(config->keytab) : NULL;
    k->message = BUF_INIT(MESSAGE_MAX);
    k->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    wire_aside_start(begin_aside, k);
    return k;
}

void wire_kerberos_end(struct wire_kerberos *k)
{
    if (k != NULL && wire_aside_leave(&k->aside))
        kerberos_free(k);
}

int wire_kerberos_fd(const struct wire_kerberos *k)
{
    return k->fd;
}

// ---- the conversation

enum status wire_kerberos_first(struct wire_kerberos *k, struct buf *out,
                                bool *ret_is_there, struct err *err)
{
    *ret_is_there = wire_aside_is_done(&k->aside);
    if (!*ret_is_there)
        return ST_OK;
    if (k->rc != ST_OK) {
        *err = k->err;
        return k->rc;
    }
    TRY(buf_check(&k->message, "Kerberos", err));
    buf_str(out, buf_as_str(&k->message));
    return ST_OK;
}

enum status wire_kerberos_check_layers(struct str offered, struct err *err)
{
    if (offered.n != LAYERS_BYTES)
        return err_set(err, ST_FAIL,
                       "Kerberos: what the broker says of security layers is not right");
    if (((uint8_t)offered.p[0] & NO_LAYER) == 0)
        return err_set(err, ST_FAIL,
                       "Kerberos: the broker wants a security layer of SASL, which "
                       "Kafka's protocol does not have; TLS secures what is sent: see "
                       "kafka.security.protocol");
    return ST_OK;
}

static enum status answer_layers(struct wire_kerberos *k, struct str offered,
                                 struct buf *out, struct err *err)
{
    TRY(wire_kerberos_check_layers(offered, err));
    char chosen[LAYERS_BYTES] = {NO_LAYER};
    OM_uint32 minor;
    gss_buffer_desc in = {sizeof(chosen), chosen}, wrapped = GSS_C_EMPTY_BUFFER;
    OM_uint32 major =
        gss_wrap(&minor, k->context, 0, GSS_C_QOP_DEFAULT, &in, NULL, &wrapped);
    if (GSS_ERROR(major))
        return wrong(k, major, minor, err);
    buf_append(out, wrapped.value, wrapped.length);
    gss_release_buffer(&minor, &wrapped);
    k->is_layer_chosen = true;
    return ST_OK;
}

static enum status choose_no_layer(struct wire_kerberos *k, struct str from_server,
                                   struct buf *out, struct err *err)
{
    OM_uint32 minor;
    gss_buffer_desc in = {from_server.n, (void *)(uintptr_t)from_server.p};
    gss_buffer_desc offered = GSS_C_EMPTY_BUFFER;
    OM_uint32 major = gss_unwrap(&minor, k->context, &in, &offered, NULL, NULL);
    if (GSS_ERROR(major))
        return wrong(k, major, minor, err);
    enum status rc =
        answer_layers(k, (struct str){offered.value, offered.length}, out, err);
    gss_release_buffer(&minor, &offered);
    return rc;
}

enum status wire_kerberos_next(struct wire_kerberos *k, struct str from_server,
                               struct buf *out, bool *ret_is_done, struct err *err)
{
    *ret_is_done = k->is_layer_chosen; // which the broker consents to
    if (*ret_is_done)
        return ST_OK;
    return k->is_established ? choose_no_layer(k, from_server, out, err)
                             : step(k, from_server, out, err);
}
