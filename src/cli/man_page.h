// SPDX-License-Identifier: Apache-2.0
// The manual page tramline(1), in man(7)'s language, from the tables of commands and
// options. One thread; written to stdout.
#ifndef CLI_MAN_PAGE_H
#define CLI_MAN_PAGE_H

#include "cli/args.h"

void man_page_print(const struct command *const *commands, size_t n);

#endif
