// SPDX-License-Identifier: Apache-2.0
// What --json prints: one value, or one a line. Their schemas: json_schema.h.
#ifndef CLI_JSON_PRINT_H
#define CLI_JSON_PRINT_H

#include "base/json_put.h"
#include "cli/args.h"

// The value with a line end, at once: whoever reads a pipe need not wait.
void json_print(struct buf *json);

// Of a command whose result is text: with --json what `print` prints becomes one object
// with its kind.
typedef enum status text_printer(const struct args *args, struct err *err);
enum status json_print_text(const struct args *args, const char *kind,
                            text_printer *print, struct err *err);

#endif
