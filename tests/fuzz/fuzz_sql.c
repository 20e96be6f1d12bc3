// SPDX-License-Identifier: Apache-2.0
// Any bytes as a script: a plan that SQLite can prepare, or a report that says what is
// wrong; the same each time.
#include <assert.h>

#include "fuzz_parts.h"

#include "sql/plan.h"

const struct fuzz_budget fuzz_budget = {
    .steps = 100000,
    .steps_a_byte = 6000,
    .bytes = 4 << 20,
    .bytes_a_byte = 20000,
    .held = 1 << 20,
    .held_a_byte = 5000,
};

static enum status parse(struct str text, char *ret_hash, struct buf *report)
{
    static const struct variable variables[] = {
        {{"ROOT", 4}, {"/tmp", 4}, false},
        {{"SECRET", 6}, {"s3cret", 6}, true},
    };
    struct script script = {
        .name = STR_LITERAL("p.sql"),
        .text = text,
        .variables = variables,
        .n_variables = ARRAY_LEN(variables),
    };
    struct plan *plan;
    enum status rc = plan_parse(&script, &plan, report);
    assert(rc == ST_OK || (rc == ST_USAGE && report->n > 0));
    ret_hash[0] = '\0';
    if (rc == ST_OK) {
        memcpy(ret_hash, plan->hash, sizeof(plan->hash));
        plan_free(plan);
    }
    return rc;
}

void fuzz_input(const uint8_t *data, size_t size)
{
    struct str text = fuzz_copy((struct str){(const char *)data, size});
    struct buf first = {0}, second = {0};
    char hash[65], again[65];
    enum status rc = parse(text, hash, &first);
    assert(parse(text, again, &second) == rc);
    assert(strcmp(hash, again) == 0 && str_eq(buf_as_str(&first), buf_as_str(&second)));
    buf_release(&first);
    buf_release(&second);
    free((char *)text.p);
}
