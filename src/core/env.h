// SPDX-License-Identifier: Apache-2.0
// Port: time and chance. The simulator has one of its own; cli has the machine's.
#ifndef CORE_ENV_H
#define CORE_ENV_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct env;

struct env_ops {
    int64_t (*wall_ms)(struct env *env);      // since 1970; may jump
    int64_t (*monotonic_ms)(struct env *env); // never goes back; for waits and intervals
    void (*sleep_ms)(struct env *env, int64_t ms);
    void (*random)(struct env *env, void *ret, size_t n_bytes);
};

struct env {
    const struct env_ops *ops;
};

// The machine's clock and getrandom(2). Any thread.
struct env *env_system(void);

enum {
    UUID_TEXT = 37
};
// A random UUID (RFC 9562, version 4) as text with a final NUL.
void env_uuid(struct env *env, char ret[UUID_TEXT]);
// Whether the text is, to the letter, one that env_uuid makes.
bool env_is_uuid(struct str text);

#endif
