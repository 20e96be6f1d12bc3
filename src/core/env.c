// SPDX-License-Identifier: Apache-2.0
#include "core/env.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

static int64_t clock_ms(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int64_t system_wall_ms(UNUSED struct env *env)
{
    return clock_ms(CLOCK_REALTIME);
}

static int64_t system_monotonic_ms(UNUSED struct env *env)
{
    return clock_ms(CLOCK_MONOTONIC);
}

static void system_sleep_ms(UNUSED struct env *env, int64_t ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1000000};
    nanosleep(&t, NULL);
}

static void system_random(UNUSED struct env *env, void *ret, size_t n_bytes)
{
    if (getrandom(ret, n_bytes, 0) != (ssize_t)n_bytes) // whole up to 256 bytes
        abort();
}

static const struct env_ops system_ops = {
    .wall_ms = system_wall_ms,
    .monotonic_ms = system_monotonic_ms,
    .sleep_ms = system_sleep_ms,
    .random = system_random,
};

struct env *env_system(void)
{
    static struct env env = {&system_ops};
    return &env;
}

void env_uuid(struct env *env, char ret[UUID_TEXT])
{
    unsigned char b[16];
    env->ops->random(env, b, sizeof(b));
    b[6] = (b[6] & 0x0F) | 0x40;
    b[8] = (b[8] & 0x3F) | 0x80;
    snprintf(ret, UUID_TEXT,
             "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0],
             b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12],
             b[13], b[14], b[15]);
}

bool env_is_uuid(struct str text)
{
    static const char form[] = "xxxxxxxx-xxxx-4xxx-vxxx-xxxxxxxxxxxx";
    if (text.n != sizeof(form) - 1)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        bool is_hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
        bool is_variant = c == '8' || c == '9' || c == 'a' || c == 'b';
        if (form[i] == 'x' ? !is_hex : form[i] == 'v' ? !is_variant : c != form[i])
            return false;
    }
    return true;
}
