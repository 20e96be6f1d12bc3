// SPDX-License-Identifier: Apache-2.0
#include "log/script.h"

struct job_script job_script_copy(struct arena *arena, const struct job_script *script)
{
    struct job_script copy = *script;
    copy.plan = arena_str(arena, script->plan);
    copy.query = arena_str(arena, script->query);
    copy.options = arena_array(arena, script->n_options, sizeof(*copy.options));
    for (size_t i = 0; i < script->n_options; i++) {
        const struct script_option *option = &script->options[i];
        copy.options[i] = (struct script_option){
            .table = arena_str(arena, option->table),
            .name = arena_str(arena, option->name),
        };
        if (option->value.p != NULL)
            copy.options[i].value = arena_str(arena, option->value);
    }
    return copy;
}

const struct script_option *job_script_find(const struct job_script *script,
                                            struct str table, struct str name)
{
    for (size_t i = 0; i < script->n_options; i++)
        if (str_eq(script->options[i].table, table) &&
            str_eq(script->options[i].name, name))
            return &script->options[i];
    return NULL;
}
