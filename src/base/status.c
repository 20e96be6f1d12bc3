// SPDX-License-Identifier: Apache-2.0
#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

// Much of a text comes from outside, or is an address.
static void set_text(struct err *err, char *text)
{
    text_hide_logins(text);
    size_t n = text_visible(str_of(text), err->text, sizeof(err->text) - 1);
    err->text[n] = '\0';
}

enum status err_set(struct err *err, enum status status, const char *fmt, ...)
{
    if (err == NULL)
        return status;
    char text[ERR_TEXT_MAX]; // arguments may point into err->text
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    set_text(err, text);
    err->status = status;
    return status;
}

enum status err_context(struct err *err, enum status status, const char *fmt, ...)
{
    if (err == NULL)
        return status;
    char context[ERR_TEXT_MAX];
    va_list args;
    va_start(args, fmt);
    vsnprintf(context, sizeof(context), fmt, args);
    va_end(args);
    char text[2 * ERR_TEXT_MAX];
    snprintf(text, sizeof(text), "%s: %s", context, err->text);
    set_text(err, text);
    err->status = status;
    return status;
}
