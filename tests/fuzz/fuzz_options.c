// SPDX-License-Identifier: Apache-2.0
// Any bytes as an option's value: two bytes pick one of the tables, the rest is the text.
// It is taken within its bounds, or refused with a text that does not hold a secret.
#include <assert.h>

#include "fuzz_parts.h"

#include "core/connector.h"

const struct fuzz_budget fuzz_budget = {
    .steps = 20000,
    .steps_a_byte = 400,
    .bytes = 150000,
    .bytes_a_byte = 20,
    .held = 150000,
    .held_a_byte = 20,
};

static const struct option_def *pick(struct str *rest, struct options *options,
                                     struct arena *arena)
{
    const struct option_group *group =
        option_group_at(fuzz_byte(rest) % n_option_groups());
    options_init(options, group, arena);
    return group->n ? &group->defs[fuzz_byte(rest) % group->n] : NULL;
}

static void check_taken(const struct options *options, const struct option_def *def,
                        struct str text)
{
    int64_t number = options_number(options, def->name);
    assert(options_given(options, def->name));
    assert(str_eq(options_text(options, def->name), text));
    if (def->min || def->max)
        assert(number >= def->min && number <= def->max);
    if (def->type == OPTION_PERCENT)
        assert(number >= 0 && number <= 100);
    if (def->type == OPTION_BOOLEAN)
        assert(number == 0 || number == 1);
}

void fuzz_input(const uint8_t *data, size_t size)
{
    struct arena arena = {0};
    struct options options;
    struct err err = {0};
    struct str rest = {(const char *)data, size};
    const struct option_def *def = pick(&rest, &options, &arena);
    struct str text = fuzz_copy(rest);
    if (def != NULL) {
        enum status rc = options_set(&options, def, text, &err);
        assert(rc == ST_OK || (rc == ST_USAGE && err.text[0] != '\0'));
        if (rc == ST_OK)
            check_taken(&options, def, text);
        else
            assert(strstr(err.text, def->name) != NULL);
        if (rc != ST_OK && (def->flags & OPTION_SECRET) && text.n > 12)
            assert(memmem(err.text, strlen(err.text), text.p, text.n) == NULL);
    }
    free((char *)text.p);
    arena_release(&arena);
}
