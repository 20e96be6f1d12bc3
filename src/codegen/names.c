// SPDX-License-Identifier: Apache-2.0
#include "codegen/model.h"

#include <stdlib.h>

#include "base/hash.h"
#include "codegen/runtime.h"

enum {
    SET_SLOTS = 64 // of a new set; a power of two
};

// Words of C17, C23 and C++23, and types, constants and macros of the headers that are
// included (glibc's with all extensions): none can be the name of a member or type.
static const char *const reserved[] = {
    "BIG_ENDIAN",
    "BUFSIZ",
    "BYTE_ORDER",
    "EOF",
    "EXIT_FAILURE",
    "EXIT_SUCCESS",
    "FD_SETSIZE",
    "FILE",
    "LITTLE_ENDIAN",
    "L_ctermid",
    "L_cuserid",
    "L_tmpnam",
    "NFDBITS",
    "NULL",
    "PDP_ENDIAN",
    "P_ALL",
    "P_PGID",
    "P_PID",
    "P_PIDFD",
    "P_tmpdir",
    "RENAME_EXCHANGE",
    "RENAME_NOREPLACE",
    "RENAME_WHITEOUT",
    "SEEK_CUR",
    "SEEK_DATA",
    "SEEK_END",
    "SEEK_HOLE",
    "SEEK_SET",
    "TMP_MAX",
    "WCONTINUED",
    "WEXITED",
    "WNOHANG",
    "WNOWAIT",
    "WSTOPPED",
    "WUNTRACED",
    "alignas",
    "alignof",
    "alloca",
    "and",
    "and_eq",
    "asm",
    "assert",
    "atomic_cancel",
    "atomic_commit",
    "atomic_noexcept",
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
    "complex",
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
    "environ",
    "errno",
    "explicit",
    "export",
    "extern",
    "false",
    "float",
    "for",
    "fpos_t",
    "friend",
    "goto",
    "i386",
    "if",
    "imaginary",
    "import",
    "inline",
    "int",
    "int16_t",
    "int32_t",
    "int64_t",
    "int8_t",
    "intmax_t",
    "intptr_t",
    "ldiv_t",
    "linux",
    "lldiv_t",
    "long",
    "main",
    "max_align_t",
    "module",
    "mutable",
    "namespace",
    "new",
    "noexcept",
    "noreturn",
    "not",
    "not_eq",
    "nullptr",
    "off_t",
    "offsetof",
    "operator",
    "or",
    "or_eq",
    "private",
    "protected",
    "ptrdiff_t",
    "public",
    "reflexpr",
    "register",
    "reinterpret_cast",
    "requires",
    "restrict",
    "return",
    "short",
    "signbit",
    "signed",
    "size_t",
    "sizeof",
    "ssize_t",
    "static",
    "static_assert",
    "static_cast",
    "stderr",
    "stdin",
    "stdout",
    "strdupa",
    "strndupa",
    "struct",
    "switch",
    "synchronized",
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
    "typeof_unqual",
    "uint16_t",
    "uint32_t",
    "uint64_t",
    "uint8_t",
    "uintmax_t",
    "uintptr_t",
    "union",
    "unix",
    "unsigned",
    "using",
    "va_list",
    "virtual",
    "void",
    "volatile",
    "wchar_t",
    "while",
    "xor",
    "xor_eq",
};

static int compare(const void *a, const void *b)
{
    return strcmp(a, *(const char *const *)b);
}

// STOP_MAX: too much like the macros of limits.h, stdint.h and float.h.
static bool is_like_limit(struct str name)
{
    for (size_t i = 0; i < name.n; i++)
        if (name.p[i] >= 'a' && name.p[i] <= 'z')
            return false;
    return str_ends_with(name, "_MAX") || str_ends_with(name, "_MIN") ||
           str_ends_with(name, "_WIDTH");
}

static bool is_reserved(const char *name)
{
    return bsearch(name, reserved, ARRAY_LEN(reserved), sizeof(*reserved), compare) ||
           is_like_limit(str_of(name));
}

// __x and _X belong to the compiler; outside of structs _x does too.
static bool is_compilers(const char *name, bool is_member)
{
    bool is_upper = name[0] == '_' && name[1] >= 'A' && name[1] <= 'Z';
    return name[0] == '_' && (!is_member || name[1] == '_' || is_upper);
}

// Where the name stands, or the free slot for it.
static const char **slot_of(const struct name_set *set, const char *name)
{
    size_t at = hash64(name, strlen(name)) & (set->n_slots - 1);
    while (set->slots[at] != NULL && strcmp(set->slots[at], name) != 0)
        at = (at + 1) & (set->n_slots - 1);
    return &set->slots[at];
}

static bool has(const struct name_set *set, const char *name)
{
    return set->n_slots && *slot_of(set, name) != NULL;
}

static void grow_set(struct name_set *set)
{
    struct name_set grown = {.n = set->n};
    grown.n_slots = set->n_slots ? 2 * set->n_slots : SET_SLOTS;
    grown.slots = mem_zalloc(grown.n_slots * sizeof(*grown.slots));
    for (size_t i = 0; i < set->n_slots; i++)
        if (set->slots[i] != NULL)
            *slot_of(&grown, set->slots[i]) = set->slots[i];
    free(set->slots);
    *set = grown;
}

static void take(struct name_set *set, const char *name)
{
    if (2 * set->n >= set->n_slots)
        grow_set(set);
    const char **slot = slot_of(set, name);
    set->n += *slot == NULL;
    *slot = name;
}

void name_set_release(struct name_set *set)
{
    free(set->slots);
    *set = (struct name_set){0};
}

// Without what the languages and libraries keep for themselves.
static const char *usable(struct arena *arena, const char *name, bool is_member)
{
    if (is_compilers(name, is_member))
        return arena_printf(arena, "x%s", name);
    return is_reserved(name) ? arena_printf(arena, "%s_", name) : name;
}

const char *c_member_name(struct arena *arena, struct str name, struct name_set *taken)
{
    const char *plain = usable(arena, arena_cstr(arena, name), true);
    const char *chosen = plain;
    for (int i = 2; has(taken, chosen); i++)
        chosen = arena_printf(arena, "%s_%d", plain, i);
    take(taken, chosen);
    return chosen;
}

const char *c_identifier(struct c_model *model, const char *name)
{
    const char *plain = usable(&model->arena, name, false);
    const char *chosen = plain;
    for (int i = 2; has(&model->identifiers, chosen); i++)
        chosen = arena_printf(&model->arena, "%s_%d", plain, i);
    take(&model->identifiers, chosen);
    return chosen;
}

// What stands beside the type TAG: types, and functions and tables. In C++ a function
// would hide a type of its name.
static const char *const tag_forms[] = {"%s", "%s_kind", "%s_entry"};
static const char *const identifier_forms[] = {
    "%s",      "%s_init",    "%s_release",   "%s_encode", "%s_decode",
    "%s_text", "%s_of_text", "%s_schema",    "get_%s",    "put_%s",
    "text_%s", "free_%s",    "symbols_of_%s"};

static const char *form(struct c_model *model, const char *form_of, const char *tag)
{
    const char *percent = strchr(form_of, '%');
    return arena_printf(&model->arena, "%.*s%s%s", (int)(percent - form_of), form_of, tag,
                        percent + 2);
}

static bool tag_is_free(struct c_model *model, const char *tag)
{
    for (size_t i = 0; i < ARRAY_LEN(tag_forms); i++)
        if (has(&model->tags, form(model, tag_forms[i], tag)))
            return false;
    for (size_t i = 0; i < ARRAY_LEN(identifier_forms); i++)
        if (has(&model->identifiers, form(model, identifier_forms[i], tag)))
            return false;
    return true;
}

const char *c_tag(struct c_model *model, const char *name)
{
    const char *plain = usable(&model->arena, name, false);
    const char *chosen = plain;
    for (int i = 2; !tag_is_free(model, chosen); i++)
        chosen = arena_printf(&model->arena, "%s_%d", plain, i);
    for (size_t i = 0; i < ARRAY_LEN(tag_forms); i++)
        take(&model->tags, form(model, tag_forms[i], chosen));
    for (size_t i = 0; i < ARRAY_LEN(identifier_forms); i++)
        take(&model->identifiers, form(model, identifier_forms[i], chosen));
    return chosen;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '_';
}

void c_take_words(struct c_model *model, const char *text)
{
    for (const char *p = text; *p != '\0';) {
        size_t n = 0;
        while (is_letter(p[n]))
            n++;
        if (n > 0)
            take(&model->identifiers, arena_cstr(&model->arena, (struct str){p, n}));
        p += n ? n : 1;
    }
}
