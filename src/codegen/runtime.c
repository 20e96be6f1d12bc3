// SPDX-License-Identifier: Apache-2.0
#include "codegen/runtime.h"

#include <assert.h>

// clang-format off
const char codegen_common[] =
"#if !defined(AVRO_GENERATED_COMMON)\n"
"#define AVRO_GENERATED_COMMON 1 /* its version */\n"
"\n"
"/* Bounds of what is decoded: records within themselves, and bytes that one datum may allocate\n"
" * (text and bytes are borrowed and do not count). */\n"
"#ifndef AVRO_DEPTH_MAX\n"
"#define AVRO_DEPTH_MAX 200\n"
"#endif\n"
"#ifndef AVRO_MEMORY_MAX\n"
"#define AVRO_MEMORY_MAX ((size_t)64 << 20)\n"
"#endif\n"
"\n"
"/* Text or bytes that somebody else owns: what was decoded, or a literal. Not ended by a zero\n"
" * byte: printf(\"%.*s\", (int)s.n, s.p). */\n"
"struct avro_str {\n"
"    const char *p;\n"
"    size_t n; /* bytes */\n"
"};\n"
"\n"
"static inline struct avro_str avro_str_of(const char *text)\n"
"{\n"
"    struct avro_str s;\n"
"    s.p = text;\n"
"    s.n = strlen(text);\n"
"    return s;\n"
"}\n"
"\n"
"enum avro_result {\n"
"    AVRO_OK,\n"
"    AVRO_CUT_OFF,   /* the datum ends too early */\n"
"    AVRO_WRONG,     /* no such enum symbol, union branch, boolean, length; bytes left over */\n"
"    AVRO_TOO_DEEP,  /* more than AVRO_DEPTH_MAX */\n"
"    AVRO_TOO_LARGE, /* more than AVRO_MEMORY_MAX */\n"
"    AVRO_NO_MEMORY\n"
"};\n"
"\n"
"static inline const char *avro_result_text(enum avro_result result)\n"
"{\n"
"    switch (result) {\n"
"    case AVRO_OK:\n"
"        return \"good\";\n"
"    case AVRO_CUT_OFF:\n"
"        return \"cut off\";\n"
"    case AVRO_WRONG:\n"
"        return \"wrong data\";\n"
"    case AVRO_TOO_DEEP:\n"
"        return \"too deep\";\n"
"    case AVRO_TOO_LARGE:\n"
"        return \"too large\";\n"
"    case AVRO_NO_MEMORY:\n"
"        return \"no memory\";\n"
"    }\n"
"    return \"?\";\n"
"}\n"
"\n"
"/* Grows as it is written to; all zero is an empty one. Set n to 0 to use it again. */\n"
"struct avro_buffer {\n"
"    char *p;\n"
"    size_t n; /* bytes in use */\n"
"    size_t capacity;\n"
"    enum avro_result result; /* the first failure of the last call */\n"
"    int depth;               /* while it is written to */\n"
"};\n"
"\n"
"static inline void avro_buffer_release(struct avro_buffer *buffer)\n"
"{\n"
"    free(buffer->p);\n"
"    memset(buffer, 0, sizeof(*buffer));\n"
"}\n"
"\n"
"#elif AVRO_GENERATED_COMMON != 1\n"
"#error \"headers made by different versions of tramline codegen: make them again\"\n"
"#endif\n";

// Each after those that it calls.
static const struct codegen_function io_functions[] = {
    {"struct avro_in",
"struct avro_in {\n"
"    const uint8_t *p;\n"
"    const uint8_t *end;\n"
"    size_t room; /* bytes that may still be allocated */\n"
"    int depth;   /* of records within themselves */\n"
"};\n"},
    {"left_in(",
"static inline size_t left_in(const struct avro_in *in)\n"
"{\n"
"    return (size_t)(in->end - in->p);\n"
"}\n"},
    {"spend(",
"/* Whether so many bytes more may be allocated. */\n"
"static bool spend(struct avro_in *in, size_t n)\n"
"{\n"
"    if (n > in->room)\n"
"        return false;\n"
"    in->room -= n;\n"
"    return true;\n"
"}\n"},
    {"read_wide(",
"static enum avro_result read_wide(struct avro_in *in, int64_t *ret)\n"
"{\n"
"    uint64_t bits = 0;\n"
"    unsigned shift;\n"
"    for (shift = 0; shift < 70; shift += 7) {\n"
"        uint64_t byte;\n"
"        if (in->p == in->end)\n"
"            return AVRO_CUT_OFF;\n"
"        byte = *in->p++;\n"
"        if (shift == 63 && byte > 1)\n"
"            return AVRO_WRONG;\n"
"        bits |= (byte & 0x7F) << shift;\n"
"        if (byte < 0x80) {\n"
"            *ret = (int64_t)(bits >> 1) ^ -(int64_t)(bits & 1);\n"
"            return AVRO_OK;\n"
"        }\n"
"    }\n"
"    return AVRO_WRONG;\n"
"}\n"},
    {"read_long(",
"static inline enum avro_result read_long(struct avro_in *in, int64_t *ret)\n"
"{\n"
"    if (in->p != in->end && *in->p < 0x80) {\n"
"        int64_t bits = *in->p++;\n"
"        *ret = (bits >> 1) ^ -(bits & 1);\n"
"        return AVRO_OK;\n"
"    }\n"
"    return read_wide(in, ret);\n"
"}\n"},
    {"read_int(",
"static inline enum avro_result read_int(struct avro_in *in, int32_t *ret)\n"
"{\n"
"    int64_t wide = 0;\n"
"    enum avro_result rc = read_long(in, &wide);\n"
"    if (rc == AVRO_OK && (wide < INT32_MIN || wide > INT32_MAX))\n"
"        return AVRO_WRONG;\n"
"    *ret = (int32_t)wide;\n"
"    return rc;\n"
"}\n"},
    {"read_boolean(",
"static inline enum avro_result read_boolean(struct avro_in *in, bool *ret)\n"
"{\n"
"    if (in->p == in->end)\n"
"        return AVRO_CUT_OFF;\n"
"    if (*in->p > 1)\n"
"        return AVRO_WRONG;\n"
"    *ret = *in->p++ == 1;\n"
"    return AVRO_OK;\n"
"}\n"},
    {"read_float(",
"static inline enum avro_result read_float(struct avro_in *in, float *ret)\n"
"{\n"
"    uint32_t bits = 0;\n"
"    unsigned i;\n"
"    if (left_in(in) < 4)\n"
"        return AVRO_CUT_OFF;\n"
"    for (i = 0; i < 4; i++)\n"
"        bits |= (uint32_t)*in->p++ << (8 * i);\n"
"    memcpy(ret, &bits, 4);\n"
"    return AVRO_OK;\n"
"}\n"},
    {"read_double(",
"static inline enum avro_result read_double(struct avro_in *in, double *ret)\n"
"{\n"
"    uint64_t bits = 0;\n"
"    unsigned i;\n"
"    if (left_in(in) < 8)\n"
"        return AVRO_CUT_OFF;\n"
"    for (i = 0; i < 8; i++)\n"
"        bits |= (uint64_t)*in->p++ << (8 * i);\n"
"    memcpy(ret, &bits, 8);\n"
"    return AVRO_OK;\n"
"}\n"},
    {"read_string(",
"static inline enum avro_result read_string(struct avro_in *in, struct avro_str *ret)\n"
"{\n"
"    int64_t n = 0;\n"
"    enum avro_result rc = read_long(in, &n);\n"
"    if (rc != AVRO_OK)\n"
"        return rc;\n"
"    if (n < 0)\n"
"        return AVRO_WRONG;\n"
"    if ((uint64_t)n > left_in(in))\n"
"        return AVRO_CUT_OFF;\n"
"    ret->p = (const char *)in->p;\n"
"    ret->n = (size_t)n;\n"
"    in->p += n;\n"
"    return AVRO_OK;\n"
"}\n"},
    {"read_fixed(",
"static inline enum avro_result read_fixed(struct avro_in *in, uint8_t *ret, size_t n)\n"
"{\n"
"    if (left_in(in) < n)\n"
"        return AVRO_CUT_OFF;\n"
"    memcpy(ret, in->p, n);\n"
"    in->p += n;\n"
"    return AVRO_OK;\n"
"}\n"},
    {"read_count(",
"/* Items of the next block of an array or map; 0 behind the last one. */\n"
"static enum avro_result read_count(struct avro_in *in, int64_t *ret)\n"
"{\n"
"    int64_t n_bytes = 0;\n"
"    enum avro_result rc = read_long(in, ret);\n"
"    if (rc != AVRO_OK || *ret >= 0)\n"
"        return rc;\n"
"    if (*ret == INT64_MIN)\n"
"        return AVRO_WRONG;\n"
"    *ret = -*ret;\n"
"    rc = read_long(in, &n_bytes);\n"
"    return rc == AVRO_OK && n_bytes < 0 ? AVRO_WRONG : rc;\n"
"}\n"},
    {"allocate(",
"/* Zeroed memory for one record. */\n"
"static enum avro_result allocate(struct avro_in *in, size_t size, void **ret)\n"
"{\n"
"    if (!spend(in, size))\n"
"        return AVRO_TOO_LARGE;\n"
"    *ret = calloc(1, size);\n"
"    return *ret != NULL ? AVRO_OK : AVRO_NO_MEMORY;\n"
"}\n"},
    {"grow(",
"/* Room for more items of that size, the first time for at most `count`. */\n"
"static enum avro_result grow(struct avro_in *in, void *items, size_t *capacity, size_t size,\n"
"                             int64_t count, void **ret)\n"
"{\n"
"    size_t more = *capacity != 0 ? *capacity : count < 4 ? (size_t)count : 4;\n"
"    if (more > AVRO_MEMORY_MAX / size || !spend(in, more * size))\n"
"        return AVRO_TOO_LARGE;\n"
"    *ret = realloc(items, (*capacity + more) * size);\n"
"    if (*ret == NULL)\n"
"        return AVRO_NO_MEMORY;\n"
"    *capacity += more;\n"
"    return AVRO_OK;\n"
"}\n"},
    {"room_for(",
"/* Whether n more bytes can be written. */\n"
"static bool room_for(struct avro_buffer *out, size_t n)\n"
"{\n"
"    size_t capacity = out->capacity != 0 ? out->capacity : 64;\n"
"    char *grown;\n"
"    if (out->result != AVRO_OK)\n"
"        return false;\n"
"    if (out->capacity - out->n >= n)\n"
"        return true;\n"
"    while (capacity - out->n < n && capacity <= SIZE_MAX / 2)\n"
"        capacity *= 2;\n"
"    grown = capacity - out->n < n ? NULL : (char *)realloc(out->p, capacity);\n"
"    if (grown == NULL) {\n"
"        out->result = AVRO_NO_MEMORY;\n"
"        return false;\n"
"    }\n"
"    out->p = grown;\n"
"    out->capacity = capacity;\n"
"    return true;\n"
"}\n"},
    {"enter(",
"/* Into a record that may hold itself. False: too deep, or something failed before. */\n"
"static bool enter(struct avro_buffer *out)\n"
"{\n"
"    if (out->result == AVRO_OK && out->depth >= AVRO_DEPTH_MAX)\n"
"        out->result = AVRO_TOO_DEEP;\n"
"    if (out->result != AVRO_OK)\n"
"        return false;\n"
"    out->depth++;\n"
"    return true;\n"
"}\n"},
    {"write_bytes(",
"static void write_bytes(struct avro_buffer *out, const void *p, size_t n)\n"
"{\n"
"    if (n == 0 || !room_for(out, n))\n"
"        return;\n"
"    memcpy(out->p + out->n, p, n);\n"
"    out->n += n;\n"
"}\n"},
    {"write_long(",
"static void write_long(struct avro_buffer *out, int64_t value)\n"
"{\n"
"    uint64_t bits = ((uint64_t)value << 1) ^ (value < 0 ? UINT64_MAX : 0);\n"
"    if (!room_for(out, 10))\n"
"        return;\n"
"    for (; bits > 0x7F; bits >>= 7)\n"
"        out->p[out->n++] = (char)(uint8_t)(bits | 0x80);\n"
"    out->p[out->n++] = (char)bits;\n"
"}\n"},
    {"write_int(",
"static void write_int(struct avro_buffer *out, int32_t value)\n"
"{\n"
"    write_long(out, value);\n"
"}\n"},
    {"write_boolean(",
"static void write_boolean(struct avro_buffer *out, bool value)\n"
"{\n"
"    uint8_t byte = value ? 1 : 0;\n"
"    write_bytes(out, &byte, 1);\n"
"}\n"},
    {"write_float(",
"static void write_float(struct avro_buffer *out, float value)\n"
"{\n"
"    uint32_t bits;\n"
"    uint8_t bytes[4];\n"
"    unsigned i;\n"
"    memcpy(&bits, &value, 4);\n"
"    for (i = 0; i < 4; i++)\n"
"        bytes[i] = (uint8_t)(bits >> (8 * i));\n"
"    write_bytes(out, bytes, 4);\n"
"}\n"},
    {"write_double(",
"static void write_double(struct avro_buffer *out, double value)\n"
"{\n"
"    uint64_t bits;\n"
"    uint8_t bytes[8];\n"
"    unsigned i;\n"
"    memcpy(&bits, &value, 8);\n"
"    for (i = 0; i < 8; i++)\n"
"        bytes[i] = (uint8_t)(bits >> (8 * i));\n"
"    write_bytes(out, bytes, 8);\n"
"}\n"},
    {"write_string(",
"static void write_string(struct avro_buffer *out, struct avro_str value)\n"
"{\n"
"    write_long(out, (int64_t)value.n);\n"
"    write_bytes(out, value.p, value.n);\n"
"}\n"},
};
// clang-format on

// Whether the name stands there as a word of its own: show( is not in text_show(.
static bool mentions(const char *text, const char *name)
{
    for (const char *at = strstr(text, name); at != NULL; at = strstr(at + 1, name)) {
        char before = at == text ? ' ' : at[-1];
        bool is_letter = before == '_' || (before >= 'a' && before <= 'z') ||
                         (before >= 'A' && before <= 'Z') ||
                         (before >= '0' && before <= '9');
        if (!is_letter)
            return true;
    }
    return false;
}

const struct codegen_function *codegen_function(size_t index)
{
    if (index < ARRAY_LEN(io_functions))
        return &io_functions[index];
    index -= ARRAY_LEN(io_functions);
    return index < codegen_n_show_functions ? &codegen_show_functions[index] : NULL;
}

enum {
    FUNCTIONS_MAX = 100
};

void codegen_add_functions(struct buf *source, const char *body)
{
    bool wanted[FUNCTIONS_MAX] = {false};
    size_t n = 0;
    while (codegen_function(n) != NULL)
        n++;
    assert(n <= FUNCTIONS_MAX);
    for (size_t i = n; i-- > 0;) {
        const char *name = codegen_function(i)->name;
        wanted[i] = mentions(body, name);
        for (size_t j = i + 1; !wanted[i] && j < n; j++)
            wanted[i] = wanted[j] && mentions(codegen_function(j)->text, name);
    }
    for (size_t i = 0; i < n; i++)
        if (wanted[i])
            buf_printf(source, "%s\n", codegen_function(i)->text);
}
