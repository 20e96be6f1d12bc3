// SPDX-License-Identifier: Apache-2.0
#include "cli/exit_guard.h"

#include <stdio.h>

#include "base/buf.h"
#include "core/env.h"
#include "job/stop.h"

enum {
    LIMIT_MS = 5000,
    LEAST_MS = 500 // of a stop that has used up its time
};

static int64_t limit_ms(void)
{
    int64_t now_ms = env_system()->ops->monotonic_ms(env_system());
    int64_t ms = deadline_left(stop_farewell(), now_ms, LIMIT_MS);
    return ms > LEAST_MS ? ms : LEAST_MS;
}

void exit_guard_arm(const struct command *command, enum status status,
                    const struct err *err)
{
    bool is_flushed = fflush(stdout) == 0;
    int code = cli_exit_code(status == ST_OK && !is_flushed ? ST_FAIL : status);
    AUTO(buf_release) struct buf words = {0};
    if (status != ST_OK)
        buf_printf(&words, "tramline %s: %s\n", command->name, err->text);
    stop_guard(code, buf_cstr(&words), limit_ms());
}

void exit_guard_disarm(void)
{
    stop_guard_end();
}
