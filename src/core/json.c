// SPDX-License-Identifier: Apache-2.0
#include "core/json.h"

struct counter {
    size_t n_values;
    size_t depth;
    size_t at; // where counting stopped
};

// The quote that ends the string that begins at `at`.
static size_t end_of_string(struct str text, size_t at)
{
    for (at++; at < text.n && text.p[at] != '"'; at++)
        at += text.p[at] == '\\';
    return at;
}

static void count_one(struct counter *c, char sign)
{
    bool opens = sign == '[' || sign == '{';
    bool closes = sign == ']' || sign == '}';
    c->n_values += opens || sign == ',';
    c->depth += opens;
    c->depth -= closes && c->depth > 0;
}

// Up to the end, or to where a limit is passed. What is not JSON counts somehow: the
// parser makes nothing of it behind the place where it breaks.
static void count(struct str text, size_t values_max, struct counter *c)
{
    for (; c->at < text.n; c->at++) {
        if (text.p[c->at] == '"')
            c->at = end_of_string(text, c->at);
        else
            count_one(c, text.p[c->at]);
        if (c->n_values > values_max || c->depth > JSON_DEPTH_MAX)
            return;
    }
}

enum status json_check(struct str text, size_t values_max, struct err *err)
{
    struct counter c = {.n_values = 1};
    count(text, values_max, &c);
    if (c.depth > JSON_DEPTH_MAX)
        return err_set(err, ST_LIMIT, "more than %d levels at byte %zu", JSON_DEPTH_MAX,
                       c.at);
    if (c.n_values > values_max)
        return err_set(err, ST_LIMIT, "more than %zu values at byte %zu", values_max,
                       c.at);
    return ST_OK;
}
