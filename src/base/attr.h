// SPDX-License-Identifier: Apache-2.0
// Compiler attributes under short names. GCC and Clang only.
#ifndef BASE_ATTR_H
#define BASE_ATTR_H

#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define MUST_USE               __attribute__((warn_unused_result))
#define LIKELY(x)              __builtin_expect(!!(x), 1)
#define UNLIKELY(x)            __builtin_expect(!!(x), 0)
#define UNUSED                 __attribute__((unused))
#define NOINLINE               __attribute__((noinline)) // leaves a hot loop its registers
#define COLD                   __attribute__((cold, noinline))
#define ARRAY_LEN(a)           (sizeof(a) / sizeof((a)[0]))

// Runs `fn(&variable)` when the variable leaves its scope.
#define AUTO(fn) __attribute__((cleanup(fn)))

#endif
