// SPDX-License-Identifier: Apache-2.0
// Client of a Schema Registry with Confluent's REST API.
//
// Every call is bounded in time: `timeout_ms` for one answer, each address tried in turn,
// at most REGISTRY_ROUNDS times with growing pauses, until the deadline. What may heal is
// ST_RETRY (refused, timed out, 429, 5xx); 401 and 403 are final, and so is what is no
// registry's answer when no address has a better one. Errors name the address, the path
// and the registry's own words; never the credentials. One thread at a time, but for
// registry_known().
#ifndef REGISTRY_REGISTRY_H
#define REGISTRY_REGISTRY_H

#include "base/arena.h"
#include "base/buf.h"
#include "core/deadline.h"
#include "core/env.h"
#include "core/schema_lookup.h"

enum {
    REGISTRY_ROUNDS = 3,
    REGISTRY_CACHE_MAX = 1000,      // schemas; the one longest unused goes
    REGISTRY_ABSENT_MS = 30000,     // an unknown id is not asked for again so soon
    REGISTRY_DOUBT_MS = 60000,      // after a wait in vain no unknown id is waited for
    REGISTRY_ANSWER_MAX = 16 << 20, // bytes
    REGISTRY_VALUES_MAX = 100000,   // JSON values in an answer
    REGISTRY_CACHE_BYTES = 64 << 20,
};

struct registry_config {
    struct str urls;                 // http://host:port/path, by commas
    struct str user, password;       // basic authentication; or
    struct str token;                // bearer; both may be empty
    struct str ca_file;              // PEM; empty: the system's
    int64_t timeout_ms;              // 0: 10 s
    int rounds;                      // 0: REGISTRY_ROUNDS
    int64_t unknown_wait_ms;         // how long an unknown id is ST_RETRY
    const struct deadline *deadline; // of all its requests and pauses; may be NULL
    struct env *env;                 // NULL: the system's
};

struct registry;

// Checks the addresses and reads nothing yet. ST_USAGE: an address is none.
enum status registry_open(const struct registry_config *config, struct registry **ret,
                          struct err *err);
void registry_close(struct registry *registry);

// The port that a decoder takes; cached by id. It is the registry: close one of the two.
// An id that the registry does not know may only be late: for unknown_wait_ms it is
// ST_RETRY, then ST_NOT_FOUND. Ids that never come would hold a stream up again and
// again, so after such a wait there is none for REGISTRY_DOUBT_MS.
struct schema_lookup *registry_lookup(struct registry *registry);
// What that would give without asking; the texts are copied to the arena. ST_RETRY,
// without a text: it would ask. From any thread, also while one asks.
enum status registry_known(struct registry *registry, const struct schema_key *key,
                           struct arena *arena, struct schema_texts *ret,
                           struct err *err);

struct registry_version {
    int32_t id;
    int32_t version;
    struct schema_texts texts; // in the arena given
};

// ST_NOT_FOUND: there is no such subject.
enum status registry_latest(struct registry *registry, struct str subject,
                            struct arena *arena, struct registry_version *ret,
                            struct err *err);

// The id that the schema has under the subject; ST_NOT_FOUND when it has none.
enum status registry_find(struct registry *registry, struct str subject,
                          struct str schema, int32_t *ret, struct err *err);

// Whether the id is one of a version of the subject; `others` gets the subjects that it
// is of, quoted, by commas.
enum status registry_subjects_of(struct registry *registry, int32_t id,
                                 struct str subject, bool *ret, struct buf *others,
                                 struct err *err);

enum registry_policy {      // the choices of option 'register', in their order
    REGISTER_NEVER,         // the schema must be there
    REGISTER_IF_COMPATIBLE, // asks first, then registers
    REGISTER_ALWAYS,        // registers; the registry may still refuse
};

// Whether a schema that the subject does not have may be registered: the errors of
// registry_id_for, and nothing changes.
enum status registry_check(struct registry *registry, enum registry_policy policy,
                           struct str subject, struct str schema, struct err *err);

// The id to write records with, by that policy. Errors tell the way out; ST_NOT_FOUND: it
// is not there, and never registered.
enum status registry_id_for(struct registry *registry, enum registry_policy policy,
                            struct str subject, struct str schema, int32_t *ret,
                            struct err *err);

// Appends the subject that option 'subject' means: "topic" gives <topic>-value, "record"
// the record's full name, "topic-record" <topic>-<record>, anything else itself.
void registry_subject(struct str option, struct str topic, struct str record,
                      struct buf *ret);

#endif
