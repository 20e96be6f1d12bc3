// SPDX-License-Identifier: Apache-2.0
// The schemas of what --json prints: schemas/NAME.json for each command, which the build
// embeds, in JSON Schema (draft 2020-12). Beside them lie those of what several print:
// error.json, a line on stderr; log.json, another. "x-lines" says that there is a value a
// line, any number of them.
#ifndef CLI_JSON_SCHEMA_H
#define CLI_JSON_SCHEMA_H

#include <jansson.h>

struct schema_file {
    const char *name; // a command's, or "error"
    const char *text;
};
extern const struct schema_file schema_files[];
extern const size_t n_schema_files;

// The schema of this name, with those of other files to which it refers in its $defs;
// NULL: there is none.
json_t *json_schema(const char *name);
void json_schema_print(const char *name); // which is there

#endif
