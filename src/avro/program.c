// SPDX-License-Identifier: Apache-2.0
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "avro/resolve.h"

enum status compile_error(struct avro_compiler *c, const char *fmt, ...)
{
    char text[ERR_TEXT_MAX];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    if (c->path.n == 0)
        return err_set(c->err, ST_DATA, "%s", text);
    return err_set(c->err, ST_DATA, "field '%.*s': %s", STR_ARGS(buf_as_str(&c->path)),
                   text);
}

static enum status too_large(struct avro_compiler *c)
{
    c->is_spent = true;
    if (c->n_steps > RESOLVE_STEPS_MAX)
        return err_set(c->err, ST_DATA,
                       "the schema is too large: more than %d steps to compare it",
                       RESOLVE_STEPS_MAX);
    if (c->plan->n_ops == OPS_MAX)
        return err_set(c->err, ST_DATA, "the schema is too large: more than %d steps",
                       OPS_MAX);
    return err_set(c->err, ST_DATA,
                   "the schema is too large: more than %d bytes of names in its steps",
                   RESOLVE_MEMORY_MAX);
}

enum status spend(struct avro_compiler *c, size_t n_steps)
{
    c->n_steps += n_steps;
    bool is_spent =
        c->n_steps > RESOLVE_STEPS_MAX || c->plan->arena.n_bytes > RESOLVE_MEMORY_MAX;
    return is_spent ? too_large(c) : ST_OK;
}

// The path as text; that of the op before when it is the same.
static const char *path_text(struct avro_compiler *c)
{
    struct avro_plan *plan = c->plan;
    const char *last = plan->n_ops ? plan->paths[plan->n_ops - 1] : NULL;
    if (last != NULL && str_is(buf_as_str(&c->path), last))
        return last;
    return arena_cstr(&plan->arena, buf_as_str(&c->path));
}

enum status emit(struct avro_compiler *c, struct avro_op op, uint32_t *ret_pc)
{
    struct avro_plan *plan = c->plan;
    if (plan->n_ops == OPS_MAX || plan->arena.n_bytes > RESOLVE_MEMORY_MAX)
        return too_large(c);
    const char *path = path_text(c);
    MEM_GROW(plan->ops, plan->n_ops, c->ops_capacity);
    MEM_GROW(plan->paths, plan->n_ops, c->paths_capacity);
    plan->paths[plan->n_ops] = path;
    plan->ops[plan->n_ops] = op;
    if (ret_pc != NULL)
        *ret_pc = (uint32_t)plan->n_ops;
    plan->n_ops++;
    return ST_OK;
}

uint32_t add_reason(struct avro_compiler *c, const char *text)
{
    struct avro_plan *plan = c->plan;
    MEM_GROW(plan->reasons, plan->n_reasons, c->reasons_capacity);
    plan->reasons[plan->n_reasons] = arena_cstr(&plan->arena, str_of(text));
    return (uint32_t)plan->n_reasons++;
}

enum status emit_reject(struct avro_compiler *c)
{
    // The reason holds its field's path: the op has none.
    size_t length = c->path.n;
    c->path.n = 0;
    struct avro_op op = {.code = OP_REJECT, .arg = add_reason(c, c->err->text)};
    enum status rc = emit(c, op, NULL);
    c->path.n = length;
    return rc;
}

uint32_t add_constant(struct avro_compiler *c, struct value v)
{
    struct avro_plan *plan = c->plan;
    if (v.kind == VALUE_TEXT || v.kind == VALUE_BYTES)
        v.p = arena_str(&plan->arena, value_str(v)).p;
    MEM_GROW(plan->constants, plan->n_constants, c->constants_capacity);
    plan->constants[plan->n_constants] = v;
    return (uint32_t)plan->n_constants++;
}

uint32_t add_targets(struct avro_compiler *c, size_t n)
{
    struct avro_plan *plan = c->plan;
    size_t at = plan->n_targets;
    for (size_t i = 0; i <= n; i++) {
        MEM_GROW(plan->targets, plan->n_targets, c->targets_capacity);
        plan->targets[plan->n_targets++] = i == 0 ? (uint32_t)n : 0;
    }
    return (uint32_t)at;
}

uint32_t add_form(struct avro_compiler *c, struct avro_form form)
{
    struct avro_plan *plan = c->plan;
    MEM_GROW(plan->forms, plan->n_forms, c->forms_capacity);
    plan->forms[plan->n_forms] = form;
    return (uint32_t)plan->n_forms++;
}

uint32_t add_enum(struct avro_compiler *c, struct avro_enum_map map)
{
    struct avro_plan *plan = c->plan;
    MEM_GROW(plan->enums, plan->n_enums, c->enums_capacity);
    plan->enums[plan->n_enums] = map;
    return (uint32_t)plan->n_enums++;
}

size_t path_enter(struct avro_compiler *c, struct str name, const char *suffix)
{
    size_t length = c->path.n;
    if (length != 0 && name.n != 0)
        buf_char(&c->path, '.');
    buf_str(&c->path, name);
    buf_text(&c->path, suffix);
    return length;
}

void path_leave(struct avro_compiler *c, size_t length)
{
    c->path.n = length;
}

void avro_plan_free(struct avro_plan *plan)
{
    if (plan == NULL)
        return;
    free(plan->ops);
    free(plan->paths);
    free(plan->constants);
    free(plan->reasons);
    free(plan->targets);
    free(plan->enums);
    free(plan->forms);
    arena_release(&plan->arena);
    free(plan);
}
