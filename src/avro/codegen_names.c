// SPDX-License-Identifier: Apache-2.0
#include "avro/codegen_model.h"

// Words of C17 and C++20 and macros and types of the headers that are included, which
// cannot be the name of a member or type.
static const char *const reserved[] = {
    "EOF",
    "FILE",
    "NULL",
    "alignas",
    "alignof",
    "and",
    "and_eq",
    "asm",
    "assert",
    "auto",
    "bitand",
    "bitor",
    "bool",
    "break",
    "case",
    "catch",
    "char",
    "char16_t",
    "char32_t",
    "char8_t",
    "class",
    "co_await",
    "co_return",
    "co_yield",
    "compl",
    "concept",
    "const",
    "const_cast",
    "consteval",
    "constexpr",
    "constinit",
    "continue",
    "decltype",
    "default",
    "delete",
    "div_t",
    "do",
    "double",
    "dynamic_cast",
    "else",
    "enum",
    "errno",
    "explicit",
    "export",
    "extern",
    "false",
    "float",
    "for",
    "friend",
    "goto",
    "if",
    "inline",
    "int",
    "int16_t",
    "int32_t",
    "int64_t",
    "int8_t",
    "ldiv_t",
    "linux",
    "lldiv_t",
    "long",
    "max_align_t",
    "mutable",
    "namespace",
    "new",
    "noexcept",
    "not",
    "not_eq",
    "nullptr",
    "offsetof",
    "operator",
    "or",
    "or_eq",
    "private",
    "protected",
    "ptrdiff_t",
    "public",
    "register",
    "reinterpret_cast",
    "requires",
    "restrict",
    "return",
    "short",
    "signed",
    "size_t",
    "sizeof",
    "static",
    "static_assert",
    "static_cast",
    "stderr",
    "stdin",
    "stdout",
    "struct",
    "switch",
    "template",
    "this",
    "thread_local",
    "throw",
    "true",
    "try",
    "typedef",
    "typeid",
    "typename",
    "typeof",
    "uint16_t",
    "uint32_t",
    "uint64_t",
    "uint8_t",
    "union",
    "unix",
    "unsigned",
    "using",
    "virtual",
    "void",
    "volatile",
    "wchar_t",
    "while",
    "xor",
    "xor_eq",
};

static bool is_reserved(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(reserved); i++)
        if (strcmp(reserved[i], name) == 0)
            return true;
    return false;
}

static bool is_taken(const char *const *taken, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(taken[i], name) == 0)
            return true;
    return false;
}

const char *c_member_name(struct arena *arena, struct str name, const char **taken,
                          size_t *n_taken)
{
    const char *plain = arena_cstr(arena, name);
    const char *chosen = is_reserved(plain) ? arena_printf(arena, "%s_", plain) : plain;
    for (int i = 2; is_taken(taken, *n_taken, chosen); i++)
        chosen = arena_printf(arena, "%s_%d", plain, i);
    taken[(*n_taken)++] = chosen;
    return chosen;
}

static void take(struct c_model *model, const char *name)
{
    MEM_GROW(model->taken, model->n_taken, model->taken_capacity);
    model->taken[model->n_taken++] = name;
}

static bool is_free(const struct c_model *model, const char *name)
{
    return !is_reserved(name) && !is_taken(model->taken, model->n_taken, name);
}

const char *c_identifier(struct c_model *model, const char *name)
{
    const char *chosen = name;
    for (int i = 2; !is_free(model, chosen); i++)
        chosen = arena_printf(&model->arena, "%s_%d", name, i);
    take(model, chosen);
    return chosen;
}

static const char *const suffixes[] = {"",        "_init", "_release", "_encode",
                                       "_decode", "_text", "_of_text", "_schema",
                                       "_kind",   "_entry"};

static bool tag_is_free(struct c_model *model, const char *tag)
{
    for (size_t i = 0; i < ARRAY_LEN(suffixes); i++)
        if (!is_free(model, arena_printf(&model->arena, "%s%s", tag, suffixes[i])))
            return false;
    return true;
}

const char *c_tag(struct c_model *model, const char *name)
{
    const char *chosen = name;
    if (is_reserved(name))
        chosen = arena_printf(&model->arena, "%s_", name);
    for (int i = 2; !tag_is_free(model, chosen); i++)
        chosen = arena_printf(&model->arena, "%s_%d", name, i);
    for (size_t i = 0; i < ARRAY_LEN(suffixes); i++)
        take(model, arena_printf(&model->arena, "%s%s", chosen, suffixes[i]));
    return chosen;
}
