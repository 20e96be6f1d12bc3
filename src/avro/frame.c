// SPDX-License-Identifier: Apache-2.0
#include "avro/frame.h"

// Another format by the bytes that it begins with.
static const char *format_of(struct str value)
{
    if (value.p[0] == '{' || value.p[0] == '[')
        return "JSON";
    if (str_starts_with(value, "Obj\x01"))
        return "an Avro container file";
    if (str_starts_with(value, "\xC3\x01"))
        return "Avro's single-object encoding";
    if (value.p[0] == '\x03' && value.n >= 18)
        return "the framing of AWS Glue";
    if (value.p[0] == '\x01' && value.n >= 17)
        return "Confluent framing with a schema GUID";
    if ((unsigned char)value.p[0] >= 0x20 && str_utf8_valid(value) == value.n)
        return "text";
    return NULL;
}

static void describe_zero(struct str value, struct buf *ret)
{
    if (value.n < FRAME_BYTES)
        buf_printf(
            ret,
            "%zu byte%s: too short for Confluent Avro, whose magic byte and schema "
            "id take 5",
            value.n, value.n == 1 ? "" : "s");
    else if (value.p[1] & 0x80)
        buf_text(ret, "the schema id is negative: not Confluent Avro");
    else
        buf_text(ret,
                 "the schema id is 0, which no registry gives: looks like Apicurio's "
                 "framing with an id of 8 bytes, not Confluent Avro");
}

void frame_describe(struct str value, struct buf *ret)
{
    if (value.n == 0) {
        buf_text(ret, "the value is empty: Confluent Avro begins with a zero byte");
        return;
    }
    unsigned char first = (unsigned char)value.p[0];
    if (first == 0) {
        describe_zero(value, ret);
        return;
    }
    buf_printf(ret, "first byte is 0x%02X", first);
    if (first > 0x20 && first < 0x7F)
        buf_printf(ret, " '%c'", first);
    const char *format = format_of(value);
    if (format != NULL)
        buf_printf(ret, ": looks like %s, not Confluent Avro", format);
    else
        buf_text(ret, ": not Confluent Avro, which begins with a zero byte");
}

bool frame_parse_header(struct str header, struct schema_key *ret)
{
    struct str nothing;
    *ret = (struct schema_key){0};
    if (header.n == FRAME_BYTES)
        return frame_parse(header, &ret->id, &nothing);
    if (header.n != 1 + sizeof(ret->guid) || header.p[0] != 1)
        return false;
    memcpy(ret->guid, header.p + 1, sizeof(ret->guid));
    return true;
}

void frame_describe_header(struct str header, struct buf *ret)
{
    buf_printf(ret, "%zu byte%s", header.n, header.n == 1 ? "" : "s");
    if (header.n)
        buf_printf(ret, " that begin%s with 0x%02X", header.n == 1 ? "s" : "",
                   (unsigned char)header.p[0]);
    buf_text(ret,
             ": neither a zero byte and an id above 0 in 4 bytes, nor a byte of 1 and "
             "a GUID in 16");
}

void frame_put(int32_t id, struct buf *ret)
{
    uint32_t bits = (uint32_t)id;
    char bytes[FRAME_BYTES] = {0, (char)(bits >> 24), (char)(bits >> 16),
                               (char)(bits >> 8), (char)bits};
    buf_append(ret, bytes, sizeof(bytes));
}
