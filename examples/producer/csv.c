// SPDX-License-Identifier: Apache-2.0
#include "csv.h"

#include <string.h>

void csv_init(struct csv *csv, char *p, size_t n)
{
    memset(csv, 0, sizeof(*csv));
    csv->at = p;
    csv->end = p + n;
    csv->next_line = 1;
    if (n >= 3 && memcmp(p, "\xEF\xBB\xBF", 3) == 0)
        csv->at += 3;
}

static void take_plain(struct csv *csv, struct csv_field *field)
{
    field->p = csv->at;
    while (csv->at < csv->end && *csv->at != ',' && *csv->at != '\r' && *csv->at != '\n')
        csv->at++;
    field->n = (size_t)(csv->at - field->p);
}

// Behind the quote that opens it; false when none closes it.
static bool take_quoted(struct csv *csv, struct csv_field *field)
{
    char *to = ++csv->at;
    field->p = to;
    field->quoted = true;
    for (; csv->at < csv->end; csv->at++) {
        csv->next_line += *csv->at == '\n';
        if (*csv->at == '"' && (++csv->at == csv->end || *csv->at != '"')) {
            field->n = (size_t)(to - field->p);
            return true;
        }
        *to++ = *csv->at;
    }
    return false;
}

static void take_line_end(struct csv *csv)
{
    if (csv->at < csv->end && *csv->at == '\r')
        csv->at++;
    if (csv->at < csv->end && *csv->at == '\n')
        csv->at++;
    csv->next_line++;
}

bool csv_next(struct csv *csv, const char **ret_wrong)
{
    *ret_wrong = NULL;
    csv->line = csv->next_line;
    csv->n_fields = 0;
    while (csv->at < csv->end) {
        struct csv_field *field = &csv->fields[csv->n_fields++];
        memset(field, 0, sizeof(*field));
        if (*csv->at != '"')
            take_plain(csv, field);
        else if (!take_quoted(csv, field))
            *ret_wrong = "a quote is not closed";
        if (csv->at == csv->end || *csv->at != ',') {
            if (csv->at < csv->end && *csv->at != '\r' && *csv->at != '\n')
                *ret_wrong = "text behind a closing quote";
            take_line_end(csv);
            return true;
        }
        csv->at++;
        if (csv->n_fields == CSV_FIELDS_MAX) {
            *ret_wrong = "too many fields";
            return true;
        }
    }
    return csv->n_fields > 0;
}

int csv_find(const struct csv *csv, const char *name)
{
    for (size_t i = 0; i < csv->n_fields; i++)
        if (csv->fields[i].n == strlen(name) &&
            memcmp(csv->fields[i].p, name, csv->fields[i].n) == 0)
            return (int)i;
    return -1;
}
