// SPDX-License-Identifier: Apache-2.0
// Records of a CSV file (RFC 4180) that is in memory, one after the other.
#ifndef CSV_H
#define CSV_H

#include <stdbool.h>
#include <stddef.h>

enum {
    CSV_FIELDS_MAX = 64
};

struct csv_field {
    const char *p;
    size_t n;
    bool quoted; // "" is an empty text, nothing at all is not a value
};

struct csv {
    char *at, *end;
    size_t line; // of the record read last, from 1
    size_t next_line;
    struct csv_field fields[CSV_FIELDS_MAX];
    size_t n_fields;
};

// The bytes are changed: quotes are taken away in place. A byte order mark is left out.
void csv_init(struct csv *csv, char *p, size_t n);

// False behind the last record. *ret_wrong, if not NULL, says what is wrong with it.
bool csv_next(struct csv *csv, const char **ret_wrong);

// The field's index, or -1.
int csv_find(const struct csv *csv, const char *name);

#endif
