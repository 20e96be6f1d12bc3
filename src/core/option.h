// SPDX-License-Identifier: Apache-2.0
// Options of a script: one table per group (connector, format, SET), and their values.
//
// The tables are the only source: the script's checker, --help, the man page and
// docs/reference.md come from them; each stands with its owner (core/format.h,
// core/connector.h). Reading an option that its table does not have is wrong code and
// asserts.
#ifndef CORE_OPTION_H
#define CORE_OPTION_H

#include "base/arena.h"
#include "base/status.h"

enum option_type {
    OPTION_TEXT,
    OPTION_INT,
    OPTION_BYTES,    // '128MB', '4kB', '1GiB': powers of 1024 either way; kept as bytes
    OPTION_DURATION, // '500ms', '1s', '5min', '2h', '90d'; kept as ms
    OPTION_PERCENT,  // '10%'; kept as a whole number 0..100
    OPTION_BOOLEAN,
    OPTION_CHOICE, // one of the words of `choices`
    OPTION_FORMAT, // a format that the connector takes: whoever sets it has looked
};

enum option_flags {
    OPTION_REQUIRED = 1,  // has no default and must be given
    OPTION_SECRET = 2,    // refused from --set, never printed
    OPTION_BESIDE = 4,    // a file; a relative path begins at the script's directory
    OPTION_READERS = 8,   // a reader of the files must know it: the log tells it
    OPTION_REGISTRY = 16, // addresses of a Schema Registry
};

#define OPTION_KIB INT64_C(1024)
#define OPTION_MIB (OPTION_KIB * 1024)
#define OPTION_GIB (OPTION_MIB * 1024)
#define OPTION_SEC INT64_C(1000)
#define OPTION_DAY (OPTION_SEC * 86400)

struct option_def {
    const char *name;
    enum option_type type;
    const char *default_text; // NULL: none
    int64_t min, max;         // of the kept number; both 0: no bounds
    const char *choices;      // "csv|avro" for OPTION_CHOICE
    unsigned flags;
    const char *help; // one sentence without a final dot
};

struct option_group {
    const char *name;  // "SET", or that of a connector or format
    const char *about; // one sentence
    const struct option_def *defs;
    size_t n;
    // What a value must be beyond its type, without any contact. ST_USAGE. NULL: any.
    enum status (*check)(const char *option, struct str value, struct err *err);
};

extern const struct option_group set_option_group; // of the whole job
const struct option_def *option_find(const struct option_group *group, struct str name);
const char *option_type_name(enum option_type type);

// The text of an OPTION_DURATION to ms.
bool option_duration(struct str text, int64_t *ret);

struct option_value {
    bool given;        // by the script; else the default
    struct str text;   // NUL-terminated; p == NULL: neither given nor a default
    int64_t number;    // for INT, BYTES, DURATION, PERCENT, BOOLEAN; index for CHOICE
    bool from_outside; // some of it came from --set-file or the environment
};

// The values of one group, in its order. Memory belongs to the arena given to init.
struct options {
    const struct option_group *group;
    struct option_value *values;
    struct arena *arena;
};

void options_init(struct options *options, const struct option_group *group,
                  struct arena *arena); // all defaults
// ST_USAGE with a text that names the option, what it takes, and what was given.
enum status options_set(struct options *options, const struct option_def *def,
                        struct str text, struct err *err);
bool options_have(const struct options *options, const char *name); // its table does
bool options_given(const struct options *options, const char *name);
struct str options_text(const struct options *options, const char *name);
int64_t options_number(const struct options *options, const char *name);
bool options_is(const struct options *options, const char *name, const char *text);

// Of a group's `check`: a local file by name. Whether it is there is told when it is
// used; a pipe would be waited for then.
enum status option_check_file(struct str value, struct err *err);

#endif
