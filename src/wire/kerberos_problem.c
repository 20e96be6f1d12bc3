// SPDX-License-Identifier: Apache-2.0
#include "wire/kerberos_problem.h"

#include <gssapi/gssapi_krb5.h>

#include "base/buf.h"

enum {
    TEXT_MAX = 600
};

#define NO_TICKET                                                     \
    "get a ticket by kinit (klist shows it), or give a key table by " \
    "kafka.sasl.kerberos.keytab"
#define NO_KEY                                                \
    "kafka.sasl.kerberos.keytab must hold a key of today of " \
    "kafka.sasl.kerberos.principal (klist -k shows what it holds)"
#define CLOCKS \
    "compare the clocks of this machine, the broker and the key distribution centre"

static const struct {
    krb5_error_code code;
    const char *hint;
} hints[] = {
    {KRB5KDC_ERR_S_PRINCIPAL_UNKNOWN,
     "see kafka.sasl.kerberos.service.name, and by which host the broker is advertised"},
    {KRB5KDC_ERR_C_PRINCIPAL_UNKNOWN, "see kafka.sasl.kerberos.principal"},
    {KRB5KRB_AP_ERR_SKEW, CLOCKS},
    {KRB5_KDCREP_SKEW, CLOCKS},
    {KRB5KRB_AP_ERR_TKT_NYV, CLOCKS},
    {KRB5KRB_AP_ERR_TKT_EXPIRED, NO_TICKET},
    {KRB5KRB_AP_ERR_BAD_INTEGRITY, NO_KEY},
    {KRB5KDC_ERR_PREAUTH_FAILED, NO_KEY},
    {KRB5_KT_NOTFOUND, NO_KEY},
    {KRB5_KDC_UNREACH, "krb5.conf says where it is; does it answer there?"},
    {KRB5_REALM_CANT_RESOLVE, "krb5.conf says where it is; does it answer there?"},
    {KRB5_REALM_UNKNOWN, "krb5.conf must know the realm"},
};

static const char *hint_of(uint32_t major, uint32_t minor, bool has_keytab)
{
    for (size_t i = 0; i < ARRAY_LEN(hints); i++)
        if (hints[i].code == (krb5_error_code)minor)
            return hints[i].hint;
    uint32_t what = GSS_ROUTINE_ERROR(major);
    if (what == GSS_S_NO_CRED || what == GSS_S_CREDENTIALS_EXPIRED)
        return has_keytab ? NO_KEY : NO_TICKET;
    return "see the options kafka.sasl.kerberos.*";
}

// The mechanism's words say more than GSSAPI's.
static void put_words(struct buf *out, uint32_t major, uint32_t minor)
{
    bool is_minor = minor != 0;
    OM_uint32 more = 0, ignored;
    do {
        gss_buffer_desc text = GSS_C_EMPTY_BUFFER;
        if (GSS_ERROR(gss_display_status(&ignored, is_minor ? minor : major,
                                         is_minor ? GSS_C_MECH_CODE : GSS_C_GSS_CODE,
                                         (gss_OID)(uintptr_t)gss_mech_krb5, &more,
                                         &text)))
            return;
        buf_text(out, out->n > 0 ? ": " : "");
        buf_append(out, text.value, text.length);
        gss_release_buffer(&ignored, &text);
    } while (more != 0);
}

enum status wire_kerberos_problem(uint32_t major, uint32_t minor, bool has_keytab,
                                  struct err *err)
{
    AUTO(buf_release) struct buf words = BUF_INIT(TEXT_MAX);
    bool is_of_a_moment = (krb5_error_code)minor == KRB5_KDC_UNREACH ||
                          (krb5_error_code)minor == KRB5_REALM_CANT_RESOLVE;
    put_words(&words, major, minor);
    return err_set(err, is_of_a_moment ? ST_RETRY : ST_FAIL, "Kerberos: %s; %s",
                   words.n > 0 ? buf_cstr(&words) : "not right",
                   hint_of(major, minor, has_keytab));
}

enum status wire_kerberos_unusable(krb5_context krb5, krb5_error_code code,
                                   struct err *err)
{
    const char *words = krb5_get_error_message(krb5, code);
    enum status rc = err_set(err, ST_FAIL, "Kerberos cannot be used: %s", words);
    krb5_free_error_message(krb5, words);
    return rc;
}
