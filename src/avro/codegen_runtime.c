// SPDX-License-Identifier: Apache-2.0
#include "avro/codegen_runtime.h"

// clang-format off
const char codegen_common[] =
"#ifndef AVRO_GENERATED_COMMON\n"
"#define AVRO_GENERATED_COMMON\n"
"\n"
"/* Text or bytes that somebody else owns: what was decoded, or a literal. */\n"
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
"    AVRO_CUT_OFF,  /* the datum ends too early */\n"
"    AVRO_WRONG,    /* no such enum symbol, union branch, boolean, length; bytes left over */\n"
"    AVRO_TOO_DEEP, /* records within themselves, more than 200 times */\n"
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
"    case AVRO_NO_MEMORY:\n"
"        return \"no memory\";\n"
"    }\n"
"    return \"?\";\n"
"}\n"
"\n"
"/* Grows as it is written to; all zero is an empty one. */\n"
"struct avro_buffer {\n"
"    char *p;\n"
"    size_t n; /* bytes in use */\n"
"    size_t capacity;\n"
"    enum avro_result result; /* the first failure of the last call */\n"
"};\n"
"\n"
"static inline void avro_buffer_release(struct avro_buffer *buffer)\n"
"{\n"
"    free(buffer->p);\n"
"    memset(buffer, 0, sizeof(*buffer));\n"
"}\n"
"\n"
"#endif\n";

struct function {
    const char *name;
    const char *text;
};

// Each after those that it calls.
static const struct function functions[] = {
    {"struct avro_in",
"struct avro_in {\n"
"    const uint8_t *p;\n"
"    const uint8_t *end;\n"
"    int depth; /* of records within themselves */\n"
"};\n"},
    {"left_in(",
"static inline size_t left_in(const struct avro_in *in)\n"
"{\n"
"    return (size_t)(in->end - in->p);\n"
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
    {"grow(",
"/* More room for items, or NULL. */\n"
"static void *grow(void *items, size_t *capacity, size_t size)\n"
"{\n"
"    size_t more = *capacity ? *capacity * 2 : 4;\n"
"    void *grown = more > SIZE_MAX / 2 / size ? NULL : realloc(items, more * size);\n"
"    if (grown != NULL)\n"
"        *capacity = more;\n"
"    return grown;\n"
"}\n"},
    {"write_bytes(",
"static void write_bytes(struct avro_buffer *out, const void *p, size_t n)\n"
"{\n"
"    if (out->capacity - out->n < n) {\n"
"        size_t capacity = out->capacity ? out->capacity : 64;\n"
"        char *grown;\n"
"        while (capacity - out->n < n && capacity <= SIZE_MAX / 2)\n"
"            capacity *= 2;\n"
"        grown = capacity - out->n < n ? NULL : (char *)realloc(out->p, capacity);\n"
"        if (grown == NULL) {\n"
"            out->result = AVRO_NO_MEMORY;\n"
"            return;\n"
"        }\n"
"        out->p = grown;\n"
"        out->capacity = capacity;\n"
"    }\n"
"    if (n != 0)\n"
"        memcpy(out->p + out->n, p, n);\n"
"    out->n += n;\n"
"}\n"},
    {"write_long(",
"static void write_long(struct avro_buffer *out, int64_t value)\n"
"{\n"
"    uint64_t bits = ((uint64_t)value << 1) ^ (value < 0 ? UINT64_MAX : 0);\n"
"    uint8_t bytes[10];\n"
"    size_t n = 0;\n"
"    for (; bits > 0x7F; bits >>= 7)\n"
"        bytes[n++] = (uint8_t)(bits | 0x80);\n"
"    bytes[n++] = (uint8_t)bits;\n"
"    write_bytes(out, bytes, n);\n"
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
    {"show(",
"static void show(struct avro_buffer *out, const char *text)\n"
"{\n"
"    write_bytes(out, text, strlen(text));\n"
"}\n"},
    {"show_long(",
"static void show_long(struct avro_buffer *out, int64_t value)\n"
"{\n"
"    char text[32];\n"
"    snprintf(text, sizeof(text), \"%lld\", (long long)value);\n"
"    show(out, text);\n"
"}\n"},
    {"show_int(",
"static void show_int(struct avro_buffer *out, int32_t value)\n"
"{\n"
"    show_long(out, value);\n"
"}\n"},
    {"show_boolean(",
"static void show_boolean(struct avro_buffer *out, bool value)\n"
"{\n"
"    show(out, value ? \"true\" : \"false\");\n"
"}\n"},
    {"show_real(",
"static void show_real(struct avro_buffer *out, double value, int digits)\n"
"{\n"
"    char text[40];\n"
"    if (!(value - value <= 0)) /* not finite */\n"
"        show(out, value > 0   ? \"\\\"Infinity\\\"\"\n"
"                  : value < 0 ? \"\\\"-Infinity\\\"\"\n"
"                              : \"\\\"NaN\\\"\");\n"
"    else {\n"
"        snprintf(text, sizeof(text), \"%.*g\", digits, value);\n"
"        show(out, text);\n"
"    }\n"
"}\n"},
    {"show_float(",
"static void show_float(struct avro_buffer *out, float value)\n"
"{\n"
"    show_real(out, (double)value, 9);\n"
"}\n"},
    {"show_double(",
"static void show_double(struct avro_buffer *out, double value)\n"
"{\n"
"    show_real(out, value, 17);\n"
"}\n"},
    {"show_string(",
"static void show_string(struct avro_buffer *out, struct avro_str value)\n"
"{\n"
"    size_t i;\n"
"    show(out, \"\\\"\");\n"
"    for (i = 0; i < value.n; i++) {\n"
"        unsigned char c = (unsigned char)value.p[i];\n"
"        char text[8];\n"
"        if (c == '\"' || c == '\\\\')\n"
"            snprintf(text, sizeof(text), \"\\\\%c\", c);\n"
"        else if (c < 0x20)\n"
"            snprintf(text, sizeof(text), \"\\\\u%04x\", c);\n"
"        else\n"
"            snprintf(text, sizeof(text), \"%c\", c);\n"
"        show(out, text);\n"
"    }\n"
"    show(out, \"\\\"\");\n"
"}\n"},
    {"show_octets(",
"/* Each byte as the code point of its value, as Avro's JSON has bytes. */\n"
"static void show_octets(struct avro_buffer *out, const void *p, size_t n)\n"
"{\n"
"    const uint8_t *bytes = (const uint8_t *)p;\n"
"    size_t i;\n"
"    show(out, \"\\\"\");\n"
"    for (i = 0; i < n; i++) {\n"
"        char text[8];\n"
"        snprintf(text, sizeof(text), \"\\\\u%04x\", bytes[i]);\n"
"        show(out, text);\n"
"    }\n"
"    show(out, \"\\\"\");\n"
"}\n"},
    {"show_bytes(",
"static void show_bytes(struct avro_buffer *out, struct avro_str value)\n"
"{\n"
"    show_octets(out, value.p, value.n);\n"
"}\n"},
    {"show_day(",
"/* Days since 1970-01-01, in the Gregorian calendar. */\n"
"static void show_day(struct avro_buffer *out, int64_t days)\n"
"{\n"
"    int64_t from_era = days + 719468; /* since 0000-03-01 */\n"
"    int64_t era = (from_era >= 0 ? from_era : from_era - 146096) / 146097;\n"
"    int64_t day = from_era - era * 146097;\n"
"    int64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;\n"
"    int64_t of_year = day - (365 * year + year / 4 - year / 100);\n"
"    int64_t month = (5 * of_year + 2) / 153;\n"
"    char text[40];\n"
"    day = of_year - (153 * month + 2) / 5 + 1;\n"
"    year += era * 400 + (month >= 10 ? 1 : 0);\n"
"    month += month < 10 ? 3 : -9;\n"
"    snprintf(text, sizeof(text), \"%04lld-%02d-%02d\", (long long)year, (int)month, (int)day);\n"
"    show(out, text);\n"
"}\n"},
    {"show_time(",
"static void show_time(struct avro_buffer *out, int64_t value, int64_t of_second, int digits)\n"
"{\n"
"    char text[60];\n"
"    int64_t seconds = value / of_second;\n"
"    snprintf(text, sizeof(text), \"%02d:%02d:%02d.%0*lld\", (int)(seconds / 3600),\n"
"             (int)(seconds / 60 % 60), (int)(seconds % 60), digits,\n"
"             (long long)(value % of_second));\n"
"    show(out, text);\n"
"}\n"},
    {"show_moment(",
"static void show_moment(struct avro_buffer *out, int64_t value, int64_t of_second, int digits,\n"
"                        const char *zone)\n"
"{\n"
"    int64_t of_day = of_second * 86400;\n"
"    int64_t days = value / of_day - (value % of_day < 0 ? 1 : 0);\n"
"    int64_t rest = value % of_day;\n"
"    show(out, \"\\\"\");\n"
"    show_day(out, days);\n"
"    show(out, \"T\");\n"
"    show_time(out, rest < 0 ? rest + of_day : rest, of_second, digits);\n"
"    show(out, zone);\n"
"    show(out, \"\\\"\");\n"
"}\n"},
    {"show_date(",
"static void show_date(struct avro_buffer *out, int32_t value)\n"
"{\n"
"    show(out, \"\\\"\");\n"
"    show_day(out, value);\n"
"    show(out, \"\\\"\");\n"
"}\n"},
    {"show_time_of_day(",
"static void show_time_of_day(struct avro_buffer *out, int64_t value, int64_t of_second,\n"
"                             int digits)\n"
"{\n"
"    if (value < 0 || value >= of_second * 86400) {\n"
"        show_long(out, value); /* no time of a day */\n"
"        return;\n"
"    }\n"
"    show(out, \"\\\"\");\n"
"    show_time(out, value, of_second, digits);\n"
"    show(out, \"\\\"\");\n"
"}\n"},
    {"show_time_millis(",
"static void show_time_millis(struct avro_buffer *out, int32_t value)\n"
"{\n"
"    show_time_of_day(out, value, 1000, 3);\n"
"}\n"},
    {"show_time_micros(",
"static void show_time_micros(struct avro_buffer *out, int64_t value)\n"
"{\n"
"    show_time_of_day(out, value, 1000000, 6);\n"
"}\n"},
    {"show_timestamp_millis(",
"static void show_timestamp_millis(struct avro_buffer *out, int64_t value)\n"
"{\n"
"    show_moment(out, value, 1000, 3, \"Z\");\n"
"}\n"},
    {"show_timestamp_micros(",
"static void show_timestamp_micros(struct avro_buffer *out, int64_t value)\n"
"{\n"
"    show_moment(out, value, 1000000, 6, \"Z\");\n"
"}\n"},
    {"show_local_timestamp_millis(",
"static void show_local_timestamp_millis(struct avro_buffer *out, int64_t value)\n"
"{\n"
"    show_moment(out, value, 1000, 3, \"\");\n"
"}\n"},
    {"show_local_timestamp_micros(",
"static void show_local_timestamp_micros(struct avro_buffer *out, int64_t value)\n"
"{\n"
"    show_moment(out, value, 1000000, 6, \"\");\n"
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

void codegen_add_functions(struct buf *source, const char *body)
{
    bool wanted[ARRAY_LEN(functions)] = {false};
    for (size_t i = ARRAY_LEN(functions); i-- > 0;) {
        wanted[i] = mentions(body, functions[i].name);
        for (size_t j = i + 1; !wanted[i] && j < ARRAY_LEN(functions); j++)
            wanted[i] = wanted[j] && mentions(functions[j].text, functions[i].name);
    }
    for (size_t i = 0; i < ARRAY_LEN(functions); i++)
        if (wanted[i])
            buf_printf(source, "%s\n", functions[i].text);
}
