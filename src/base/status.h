// SPDX-License-Identifier: Apache-2.0
// What a call came to, and the text for a person.
//
// The status says what the caller can do; the text says what happened. A function that
// can fail returns `enum status` and takes `struct err *` last. Each layer may put its
// context in front of the text with err_context(); nobody logs and returns the same
// error.
#ifndef BASE_STATUS_H
#define BASE_STATUS_H

#include "base/attr.h"

#ifdef __clang__
#define STATUS_MUST_BE_CHECKED MUST_USE
#else
#define STATUS_MUST_BE_CHECKED
#endif

enum STATUS_MUST_BE_CHECKED status {
    ST_OK = 0,
    ST_RETRY,     // nothing happened; the same call may succeed later
    ST_UNKNOWN,   // no answer: it may have happened, or may still happen later
    ST_NOT_FOUND, // the thing is not there
    ST_EXISTS,    // the name is taken; nothing happened
    ST_CONFLICT,  // somebody else owns it; drop the work
    ST_DATA,      // the data is wrong (exit code 3)
    ST_USAGE,     // the script or the command line is wrong (exit code 2)
    ST_LIMIT,     // a maximum would be passed
    ST_STOP,      // ended because the caller itself wanted that; never of a port
    ST_FAIL,      // anything that a retry does not heal (exit code 1)
};

enum {
    ERR_TEXT_MAX = 2048
};

// Zero is the empty error. Text longer than the array is cut at its end.
struct err {
    enum status status;
    char text[ERR_TEXT_MAX];
};

// Sets status and text; returns the status, so that `return err_set(...)` reads well.
// `err` may be NULL: then only the status is returned. The text becomes one visible line,
// whatever its arguments hold (text_visible), without logins (text_hide_logins).
enum status err_set(struct err *err, enum status status, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

// Puts "context: " in front of the text; sets the status, mostly what the call below came
// to, and returns it. `err` may be NULL here too.
enum status err_context(struct err *err, enum status status, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

// Returns early with what `call` returned unless it was ST_OK.
#define TRY(call)                           \
    do {                                    \
        enum status try_status_ = (call);   \
        if (UNLIKELY(try_status_ != ST_OK)) \
            return try_status_;             \
    } while (0)

#endif
