// SPDX-License-Identifier: Apache-2.0
#include "codegen/codegen.h"

#include <jansson.h>
#include <stdlib.h>

#include "codegen/model.h"
#include "codegen/runtime.h"
#include "codegen/source.h"

enum {
    LINE_BYTES = 76,    // of a comment's or string literal's line
    LITERAL_MAX = 4000, // bytes that C17 promises for one literal, about
    ARRAY_LINE_ITEMS = 16
};

static void put_struct(struct c_type *type, struct buf *out);

// Bytes of a character that turns the direction of text, which would show code as another
// than it is (U+061C, U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069); else 0.
static size_t turns_text(struct str rest)
{
    const unsigned char *p = (const unsigned char *)rest.p;
    if (rest.n >= 2 && p[0] == 0xD8 && p[1] == 0x9C)
        return 2;
    if (rest.n < 3 || p[0] != 0xE2)
        return 0;
    bool turns = (p[1] == 0x80 && (p[2] == 0x8E || p[2] == 0x8F)) ||
                 (p[1] == 0x80 && p[2] >= 0xAA && p[2] <= 0xAE) ||
                 (p[1] == 0x81 && p[2] >= 0xA6 && p[2] <= 0xA9);
    return turns ? 3 : 0;
}

// A word of a comment: not its end, not the begin of another, no trigraph.
static void put_word(struct str word, struct buf *out)
{
    for (size_t i = 0; i < word.n; i++) {
        char c = word.p[i];
        char before = i ? word.p[i - 1] : ' ';
        if ((before == '*' && c == '/') || (before == '/' && c == '*') ||
            (before == '?' && c == '?'))
            buf_char(out, ' ');
        size_t skipped = turns_text((struct str){word.p + i, word.n - i});
        if (skipped)
            i += skipped - 1;
        else if ((unsigned char)c >= 0x20 && c != 0x7F)
            buf_char(out, c);
    }
    if (word.p[word.n - 1] == '\\') // would go on with the next line
        buf_char(out, '.');
}

// Up to the next blank or control character; what stands before is left out.
static struct str take_word(struct str *text)
{
    while (text->n && (unsigned char)text->p[0] <= ' ')
        *text = (struct str){text->p + 1, text->n - 1};
    struct str word = {text->p, 0};
    while (word.n < text->n && (unsigned char)word.p[word.n] > ' ')
        word.n++;
    *text = (struct str){text->p + word.n, text->n - word.n};
    return word;
}

// Text as a comment of its own, in lines; nothing when it has no word.
static void put_comment(struct str text, const char *indent, struct buf *out)
{
    size_t n_words = 0;
    size_t on_line = 0;
    if (text.n == 0) // and its bytes may be NULL
        return;
    for (struct str w = take_word(&text); w.n > 0; w = take_word(&text)) {
        bool breaks = n_words > 0 && on_line + w.n > LINE_BYTES;
        if (n_words == 0 || breaks) {
            buf_printf(out, "%s%s%s", breaks ? "\n" : "", indent, breaks ? " *" : "/*");
            on_line = 0;
        }
        buf_char(out, ' ');
        put_word(w, out);
        on_line += w.n + 1;
        n_words++;
    }
    buf_text(out, n_words ? " */\n" : "");
}

static const char *unit_of(enum avro_logical logical)
{
    switch (logical) {
    case LOGICAL_DATE:
        return "days since 1970-01-01";
    case LOGICAL_TIME_MILLIS:
        return "ms since midnight";
    case LOGICAL_TIME_MICROS:
        return "microseconds since midnight";
    case LOGICAL_TIMESTAMP_MILLIS:
        return "ms since 1970-01-01T00:00:00Z";
    case LOGICAL_TIMESTAMP_MICROS:
        return "microseconds since 1970-01-01T00:00:00Z";
    case LOGICAL_LOCAL_TIMESTAMP_MILLIS:
        return "ms since 1970-01-01T00:00:00 local time";
    case LOGICAL_LOCAL_TIMESTAMP_MICROS:
        return "microseconds since 1970-01-01T00:00:00 local time";
    case LOGICAL_UUID:
        return "a UUID as text";
    case LOGICAL_DURATION:
        return "months, days, ms: three little-endian uint32_t";
    default:
        return NULL;
    }
}

// What a value of the type means; appends nothing when that is plain.
static void describe_unit(const struct avro_type *type, struct buf *out)
{
    if (type->logical == LOGICAL_DECIMAL)
        buf_printf(out, "decimal(%u, %u): two's complement, big-endian", type->precision,
                   type->scale);
    else if (unit_of(type->logical) != NULL)
        buf_text(out, unit_of(type->logical));
    else if (type->kind == AVRO_BYTES)
        buf_text(out, "bytes");
}

static void put_field_comment(const struct avro_field *field, struct buf *out)
{
    AUTO(buf_release) struct buf text = {0};
    AUTO(buf_release) struct buf unit = {0};
    size_t null_branch;
    const struct avro_type *type = avro_nullable(field->type, &null_branch);
    describe_unit(type ? type : field->type, &unit);
    buf_printf(&text, "%.*s%s%s", STR_ARGS(field->doc),
               field->doc.n && unit.n ? "; " : "", buf_cstr(&unit));
    put_comment(buf_as_str(&text), "    ", out);
}

static void put_enum(const struct c_type *type, struct buf *out)
{
    put_comment(type->avro->doc, "", out);
    buf_printf(out, "enum %s {\n", type->tag);
    for (size_t i = 0; i < type->avro->n; i++)
        buf_printf(out, "    %s%s\n", type->symbols[i], i + 1 < type->avro->n ? "," : "");
    buf_text(out, "};\n\n");
}

static void put_record_members(const struct c_type *type, struct buf *out)
{
    size_t n = 0;
    for (size_t i = 0; i < type->n_members; i++) {
        const struct c_member *member = &type->members[i];
        if (member->type->shape == SHAPE_NULL)
            continue;
        put_field_comment(member->field, out);
        buf_printf(out, "    %s %s;\n", member->type->c, member->name);
        n++;
    }
    if (n == 0)
        buf_text(out, "    char unused; /* C wants one */\n");
}

static void put_union_members(const struct c_type *type, struct buf *out)
{
    size_t n = 0;
    buf_printf(out, "    enum %s_kind kind;\n", type->tag);
    for (size_t i = 0; i < type->n_members; i++) {
        const struct c_member *member = &type->members[i];
        if (member->type->shape == SHAPE_NULL)
            continue;
        buf_text(out, n++ == 0 ? "    union {\n" : "");
        buf_printf(out, "        %s %s%s;\n", member->type->c,
                   member->by_pointer ? "*" : "", member->name);
    }
    if (n != 0)
        buf_text(out, "    } as;\n");
}

static void put_items_members(const struct c_type *type, struct buf *out)
{
    const struct c_type *item = type->members[0].type;
    if (type->shape == SHAPE_MAP)
        buf_printf(out, "    struct %s_entry *items;\n    size_t n;\n", type->tag);
    else if (item->shape == SHAPE_NULL)
        buf_text(out, "    size_t n; /* nulls */\n");
    else
        buf_printf(out, "    %s *items;\n    size_t n;\n", item->c);
}

static void put_optional_members(const struct c_type *type, struct buf *out)
{
    const struct c_member *member = &type->members[0];
    if (member->by_pointer)
        buf_printf(out, "    %s *value; /* NULL: null */\n", member->type->c);
    else
        buf_printf(out, "    bool has; /* false: null */\n    %s value;\n",
                   member->type->c);
}

static void put_members(const struct c_type *type, struct buf *out)
{
    switch (type->shape) {
    case SHAPE_RECORD:
        put_record_members(type, out);
        break;
    case SHAPE_FIXED:
        buf_printf(out, "    uint8_t bytes[%u];\n",
                   type->avro->size ? type->avro->size : 1);
        break;
    case SHAPE_OPTIONAL:
        put_optional_members(type, out);
        break;
    case SHAPE_UNION:
        put_union_members(type, out);
        break;
    case SHAPE_ARRAY:
    case SHAPE_MAP:
        put_items_members(type, out);
        break;
    default:
        break;
    }
}

// Definitions that must stand before: of members that are not behind a pointer.
static void put_structs_within(const struct c_type *type, struct buf *out)
{
    if (type->shape == SHAPE_ARRAY || type->shape == SHAPE_MAP)
        return;
    for (size_t i = 0; i < type->n_members; i++)
        if (!type->members[i].by_pointer)
            put_struct((struct c_type *)type->members[i].type, out);
}

static void put_union_kinds(const struct c_type *type, struct buf *out)
{
    buf_printf(out, "enum %s_kind {\n", type->tag);
    for (size_t i = 0; i < type->n_members; i++)
        buf_printf(out, "    %s%s\n", type->members[i].constant,
                   i + 1 < type->n_members ? "," : "");
    buf_text(out, "};\n");
}

static bool is_named(const struct c_type *type)
{
    return type->shape == SHAPE_RECORD || type->shape == SHAPE_FIXED;
}

static void put_struct(struct c_type *type, struct buf *out)
{
    if (type->printed || type->shape == SHAPE_PLAIN || type->shape == SHAPE_NULL ||
        type->shape == SHAPE_ENUM)
        return;
    type->printed = true;
    put_structs_within(type, out);
    // Types made of others may stand in several headers of one prefix.
    if (!is_named(type))
        buf_printf(out, "#ifndef AVRO_HAS_%s\n#define AVRO_HAS_%s\n", type->tag,
                   type->tag);
    if (type->shape == SHAPE_UNION)
        put_union_kinds(type, out);
    if (type->shape == SHAPE_RECORD)
        put_comment(type->avro->doc, "", out);
    buf_printf(out, "struct %s {\n", type->tag);
    put_members(type, out);
    buf_printf(out, "};\n%s\n", is_named(type) ? "" : "#endif\n");
}

static void put_map_entry(const struct c_type *type, struct buf *out)
{
    const struct c_type *value = type->members[0].type;
    buf_printf(out,
               "#ifndef AVRO_HAS_%s_entry\n#define AVRO_HAS_%s_entry\n"
               "struct %s_entry {\n    struct avro_str key;\n",
               type->tag, type->tag, type->tag);
    if (value->shape != SHAPE_NULL)
        buf_printf(out, "    %s value;\n", value->c);
    buf_text(out, "};\n#endif\n\n");
}

static void put_types(const struct c_model *model, struct buf *out)
{
    for (size_t i = 0; i < model->n_types; i++)
        if (model->types[i]->shape == SHAPE_ENUM)
            put_enum(model->types[i], out);
    for (size_t i = 0; i < model->n_types; i++)
        if (model->types[i]->shape == SHAPE_RECORD)
            buf_printf(out, "struct %s;\n", model->types[i]->tag);
    for (size_t i = 0; i < model->n_types; i++)
        if (model->types[i]->shape == SHAPE_MAP)
            buf_printf(out, "struct %s_entry;\n", model->types[i]->tag);
    buf_char(out, '\n');
    for (size_t i = 0; i < model->n_types; i++)
        put_struct(model->types[i], out);
    for (size_t i = 0; i < model->n_types; i++)
        if (model->types[i]->shape == SHAPE_MAP)
            put_map_entry(model->types[i], out);
}

static void put_enum_declarations(const struct c_type *type, struct buf *out)
{
    buf_printf(out,
               "/* The symbol; NULL when x is none. */\n"
               "const char *%s_text(enum %s x);\n"
               "bool %s_of_text(struct avro_str text, enum %s *ret);\n\n",
               type->tag, type->tag, type->tag, type->tag);
}

static void put_record_declarations(const struct c_type *type, struct buf *out)
{
    const char *tag = type->tag;
    buf_printf(
        out,
        "enum avro_result %s_init(struct %s *x);\n"
        "void %s_release(struct %s *x);\n"
        "enum avro_result %s_decode(const void *p, size_t n, struct %s *x,\n"
        "        size_t *ret_used);\n"
        "enum avro_result %s_encode(const struct %s *x, struct avro_buffer *out);\n"
        "enum avro_result %s_text(const struct %s *x, struct avro_buffer *out);\n\n",
        tag, tag, tag, tag, tag, tag, tag, tag, tag, tag);
}

static void put_declarations(const struct c_model *model, struct buf *out)
{
    for (size_t i = 0; i < model->n_types; i++) {
        if (model->types[i]->shape == SHAPE_ENUM)
            put_enum_declarations(model->types[i], out);
        else if (model->types[i]->shape == SHAPE_RECORD)
            put_record_declarations(model->types[i], out);
    }
}

// Of file and record: headers of one name and several prefixes may meet.
static void put_guard_name(const struct c_model *model, const char *header_name,
                           struct buf *out)
{
    buf_text(out, "AVRO_GENERATED_");
    for (const char *p = header_name; *p != '\0'; p++) {
        char upper = *p >= 'a' && *p <= 'z' ? (char)(*p - 'a' + 'A') : *p;
        bool is_letter = (upper >= 'A' && upper <= 'Z') || (*p >= '0' && *p <= '9');
        buf_char(out, is_letter ? upper : '_');
    }
    buf_printf(out, "_%s\n", model->root->tag);
}

static const char how_to_use[] =
    "/* For each record:\n"
    " *\n"
    " * init     sets the schema's defaults, all else to zero, null or empty.\n"
    " * decode   reads one datum of exactly this schema. Text and bytes borrow from p, "
    "which\n"
    " *          must live as long as x. Nothing behind p + n is read. With ret_used "
    "NULL "
    "the\n"
    " *          datum must end with p + n; else *ret_used is its size. What x held "
    "before "
    "is\n"
    " *          not released; after a failure x is empty.\n"
    " * encode   appends one datum; nothing after a failure.\n"
    " * text     appends JSON for a log, with a final zero byte that n does not count.\n"
    " * release  frees what decode and init allocated: items, and records behind "
    "pointers.\n"
    " *          Who fills those by hand takes them from malloc. Text is never freed.\n"
    " *\n"
    " * No function keeps state: threads may use them at once, each with its own "
    "structs. */\n";

static void put_header(const struct c_model *model, const char *header_name,
                       struct buf *out)
{
    struct buf about = {0};
    buf_text(&about, "Made by tramline codegen from the Avro schema of ");
    avro_type_describe(model->root->avro, &about);
    buf_text(&about, ". Do not edit.");
    put_comment(buf_as_str(&about), "", out);
    buf_text(out, "#ifndef ");
    put_guard_name(model, header_name, out);
    buf_text(out, "#define ");
    put_guard_name(model, header_name, out);
    buf_text(out, "\n#include <stdbool.h>\n#include <stddef.h>\n#include <stdint.h>\n"
                  "#include <stdlib.h>\n#include <string.h>\n\n");
    buf_text(out, codegen_common);
    buf_text(out, "\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n");
    put_types(model, out);
    buf_printf(out, "/* The schema as JSON. */\nextern const char %s_schema[];\n\n",
               model->root->tag);
    buf_text(out, how_to_use);
    put_declarations(model, out);
    buf_text(out, "#ifdef __cplusplus\n}\n#endif\n\n#endif\n");
    buf_release(&about);
}

static void put_literal(const char *text, struct buf *out)
{
    size_t on_line = 0;
    buf_text(out, "\n    \"");
    for (const char *p = text; *p != '\0'; p++) {
        if (on_line >= LINE_BYTES) {
            buf_text(out, "\"\n    \"");
            on_line = 0;
        }
        bool escaped = *p == '"' || *p == '\\' || *p == '?'; // ? for trigraphs
        if (escaped)
            buf_char(out, '\\');
        buf_char(out, *p);
        on_line += escaped ? 2 : 1;
    }
    buf_char(out, '"');
}

static void put_numbers(const char *text, struct buf *out)
{
    buf_text(out, " {");
    for (size_t i = 0; i == 0 || text[i - 1] != '\0'; i++)
        buf_printf(out, "%s%d",
                   i == 0                 ? ""
                   : i % ARRAY_LINE_ITEMS ? ", "
                                          : ",\n    ",
                   text[i]);
    buf_char(out, '}');
}

// In ASCII, so that any compiler reads it alike.
static void put_schema(const struct c_model *model, const char *avsc_json,
                       struct buf *out)
{
    json_t *json = json_loads(avsc_json, JSON_DECODE_ANY, NULL);
    char *text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
    buf_printf(out, "const char %s_schema[] =", model->root->tag);
    if (strlen(text) > LITERAL_MAX)
        put_numbers(text, out);
    else
        put_literal(text, out);
    buf_text(out, ";\n\n");
    free(text);
    json_decref(json);
}

static void put_source(const struct c_model *model, const char *avsc_json,
                       const char *header_name, struct buf *out)
{
    struct buf body = {0};
    codegen_put_functions(model, &body);
    buf_printf(out, "/* Made by tramline codegen. Do not edit. */\n#include \"%s\"\n\n",
               header_name);
    buf_text(out, "#include <stdio.h>\n\n");
    put_schema(model, avsc_json, out);
    codegen_add_functions(out, buf_cstr(&body));
    buf_str(out, buf_as_str(&body));
    buf_release(&body);
    while (out->n >= 2 && out->p[out->n - 1] == '\n' && out->p[out->n - 2] == '\n')
        out->n--;
}

enum status avro_codegen(const char *avsc_json, const char *name_prefix,
                         const char *header_name, struct buf *header, struct buf *source,
                         struct err *err)
{
    if (name_prefix[0] != '\0' && !avro_is_name(str_of(name_prefix)))
        return err_set(err, ST_USAGE,
                       "codegen: no name in C begins with '%s'; a prefix has letters, "
                       "digits and _, and no digit first",
                       name_prefix);
    struct str text = str_of(avsc_json);
    struct avro_schema *schema;
    TRY(avro_schema_parse(&text, 1, &schema, err));
    struct c_model *model = NULL;
    enum status rc = avro_schema_check_defaults(schema, err);
    if (rc == ST_OK && schema->root->kind != AVRO_RECORD)
        rc = err_set(err, ST_DATA, "codegen: the schema is of %s; it must be a record's",
                     avro_kind_name(schema->root->kind));
    if (rc == ST_OK)
        rc = c_model_open(schema, name_prefix, &model, err);
    if (rc == ST_OK) {
        put_header(model, header_name, header);
        put_source(model, avsc_json, header_name, source);
        rc = buf_check(source, "generated code", err);
    }
    c_model_free(model);
    avro_schema_free(schema);
    return rc;
}
