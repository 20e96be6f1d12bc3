// SPDX-License-Identifier: Apache-2.0
// What the Kerberos library says of a failure, and what to do about it. Threads: any.
#ifndef WIRE_KERBEROS_PROBLEM_H
#define WIRE_KERBEROS_PROBLEM_H

#include <krb5.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

// ST_RETRY where no key distribution centre answers, else ST_FAIL. The codes are
// GSSAPI's.
enum status wire_kerberos_problem(uint32_t major, uint32_t minor, bool has_keytab,
                                  struct err *err);
// ST_FAIL: before anything was tried, e.g. a krb5.conf that cannot be read. The context
// may be NULL.
enum status wire_kerberos_unusable(krb5_context krb5, krb5_error_code code,
                                   struct err *err);

#endif
