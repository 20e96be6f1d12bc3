// SPDX-License-Identifier: Apache-2.0
// GSSAPI of SASL with Kerberos 5 (RFC 4752), by the system's library: a ticket says who
// we are, the broker proves that it is the one that the ticket is for, and no security
// layer is taken: Kafka has none.
//
// Tickets are those at hand (kinit, KRB5CCNAME; a client's key table,
// KRB5_CLIENT_KTNAME), as for HDFS. With kafka.sasl.kerberos.keytab each conversation
// gets its own from that key table, in memory.
//
// How it works: the first message may want something of a key distribution centre, which
// a thread of its own asks; it is left behind when nobody wants its answer any more. What
// follows asks nobody. Errors: ST_FAIL; ST_RETRY where no centre answers. Threads: the
// connection's owner; the thread's part is inside.
#ifndef WIRE_KERBEROS_H
#define WIRE_KERBEROS_H

#include "base/buf.h"
#include "wire/security.h"

struct wire_kerberos;

// host: of the broker, as brokers are advertised; copied, as is all else.
struct wire_kerberos *wire_kerberos_begin(const struct wire_kerberos_config *config,
                                          const char *host);
void wire_kerberos_end(struct wire_kerberos *kerberos); // NULL is fine
// Can be read when the first message is there.
int wire_kerberos_fd(const struct wire_kerberos *kerberos);

// As wire_sasl_first and wire_sasl_next.
enum status wire_kerberos_first(struct wire_kerberos *kerberos, struct buf *out,
                                bool *ret_is_there, struct err *err);
enum status wire_kerberos_next(struct wire_kerberos *kerberos, struct str from_server,
                               struct buf *out, bool *ret_is_done, struct err *err);

// What a broker says of security layers (RFC 4752, 3.3), unwrapped: four bytes.
enum status wire_kerberos_check_layers(struct str offered, struct err *err);

#endif
