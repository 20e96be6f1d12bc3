// SPDX-License-Identifier: Apache-2.0
// Words to the service manager that started the program: sd_notify(3)'s protocol, which
// is meant to be spoken without its library. Without $NOTIFY_SOCKET nothing is sent.
#ifndef BASE_NOTIFY_H
#define BASE_NOTIFY_H

#include <stdint.h>

#include "base/attr.h"

// "READY=1", "STATUS=...", "STOPPING=1", "WATCHDOG=1"; several, each a line. Never waits,
// never fails: a manager that does not listen is none.
void notify(const char *fmt, ...) PRINTF_LIKE(1, 2);

// How often the manager wants to hear WATCHDOG=1, in ms: half of the time after which it
// takes us for hung. 0: never.
int64_t notify_watchdog_ms(void);

#endif
