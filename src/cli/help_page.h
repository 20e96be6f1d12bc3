// SPDX-License-Identifier: Apache-2.0
// Pages that `tramline help` shows, the same as in docs/: an installed program has them.
// The build makes their text from the files.
#ifndef CLI_HELP_PAGE_H
#define CLI_HELP_PAGE_H

extern const char help_page_sql[]; // docs/sql.md

#endif
