// SPDX-License-Identifier: Apache-2.0
// Options of a script checked against their tables: the connector's and its format's
// stand together in one WITH. Inside src/sql.
#ifndef SQL_OPTIONS_H
#define SQL_OPTIONS_H

#include "sql/ast.h"
#include "sql/plan.h"
#include "sql/report.h"

struct with_options {
    struct options options; // of no group after a report
    struct options format;
    struct client_option *client_options;
    size_t n_client_options;
};

// SET name = 'value'.
void options_take_set(struct report *report, const struct script_checks *checks,
                      struct options *settings, const struct statement *statement);
// The WITH of a table or, with its connector fixed, of a materialized view.
// False after a report.
bool options_take_with(struct report *report, const struct script_checks *checks,
                       const struct statement *statement, struct with_options *ret);
// Where the value of an option stands; the statement's name when it is not given.
size_t options_value_place(const struct statement *statement, const char *name);

#endif
