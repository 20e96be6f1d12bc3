// SPDX-License-Identifier: Apache-2.0
// Decimals of avro/logical.h: two's complement bytes to digits and back, by long division
// and multiplication; at most DECIMAL_DIGITS_MAX digits.
#include "avro/logical.h"

enum {
    MAGNITUDE_MAX = 128 // bytes: more than 300 digits need
};

// Big-endian, without a sign.
struct magnitude {
    uint8_t bytes[MAGNITUDE_MAX];
    size_t n;
};

static void negate(uint8_t *p, size_t n)
{
    unsigned carry = 1;
    for (size_t i = n; i-- > 0;) {
        unsigned sum = (uint8_t)~p[i] + carry;
        p[i] = (uint8_t)sum;
        carry = sum >> 8;
    }
}

static uint32_t divide(struct magnitude *m, uint32_t divisor)
{
    uint64_t rest = 0;
    for (size_t i = 0; i < m->n; i++) {
        rest = rest << 8 | m->bytes[i];
        m->bytes[i] = (uint8_t)(rest / divisor);
        rest %= divisor;
    }
    return (uint32_t)rest;
}

static bool is_zero(const struct magnitude *m)
{
    for (size_t i = 0; i < m->n; i++)
        if (m->bytes[i] != 0)
            return false;
    return true;
}

// Leaves out bytes that only repeat the sign. False when more remain than are handled.
static bool magnitude_of(struct str bytes, bool negative, struct magnitude *ret)
{
    char sign = negative ? (char)0xFF : 0;
    while (bytes.n > 1 && bytes.p[0] == sign)
        bytes = (struct str){bytes.p + 1, bytes.n - 1};
    if (bytes.n >= MAGNITUDE_MAX)
        return false;
    ret->bytes[0] = (uint8_t)sign; // room for -128 to become 128
    if (bytes.n)
        memcpy(ret->bytes + 1, bytes.p, bytes.n);
    ret->n = bytes.n + 1;
    if (negative)
        negate(ret->bytes, ret->n);
    return true;
}

// Digits, the lowest first; at least scale + 1 of them.
static size_t digits_of(struct magnitude *m, uint32_t scale, char *ret)
{
    size_t n = 0;
    while (n <= scale || !is_zero(m)) {
        if (n > DECIMAL_DIGITS_MAX)
            return 0;
        ret[n++] = (char)('0' + divide(m, 10));
    }
    return n;
}

size_t logical_format_decimal(struct str bytes, uint32_t scale,
                              char ret[LOGICAL_TEXT_MAX])
{
    bool negative = bytes.n && ((unsigned char)bytes.p[0] & 0x80);
    struct magnitude m;
    char digits[DECIMAL_DIGITS_MAX + 1];
    if (scale >= DECIMAL_DIGITS_MAX || !magnitude_of(bytes, negative, &m))
        return 0;
    size_t n_digits = digits_of(&m, scale, digits);
    size_t n = 0;
    if (n_digits && negative)
        ret[n++] = '-';
    for (size_t i = n_digits; i-- > 0;) {
        ret[n++] = digits[i];
        if (i == scale && scale != 0)
            ret[n++] = '.';
    }
    return n;
}

static void multiply_add(struct magnitude *m, unsigned digit)
{
    unsigned carry = digit;
    for (size_t i = m->n; i-- > 0;) {
        unsigned sum = m->bytes[i] * 10U + carry;
        m->bytes[i] = (uint8_t)sum;
        carry = sum >> 8;
    }
}

// Reads digits with at most one point; counts those that are significant and those after
// the point.
static bool read_digits(struct str text, uint32_t scale, struct magnitude *m,
                        size_t *ret_significant)
{
    bool point = false;
    size_t n_digits = 0;
    size_t after = 0;
    *ret_significant = 0;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c == '.' && !point && n_digits > 0) {
            point = true;
            continue;
        }
        if (c < '0' || c > '9' || (point && after == scale && c != '0'))
            return false;
        n_digits++;
        if (point && after == scale) // a zero past the scale
            continue;
        after += point;
        *ret_significant += *ret_significant != 0 || c != '0';
        if (*ret_significant > DECIMAL_DIGITS_MAX)
            return false;
        multiply_add(m, (unsigned)(c - '0'));
    }
    for (; after < scale; after++) {
        *ret_significant += *ret_significant != 0;
        multiply_add(m, 0);
    }
    return n_digits > 0 && text.p[text.n - 1] != '.';
}

static void put_number(const struct magnitude *m, uint32_t size, struct buf *ret)
{
    uint8_t sign = m->bytes[0] & 0x80 ? 0xFF : 0;
    size_t from = 0;
    // A byte may go while the next one still shows the sign.
    while (from + 1 < m->n && m->bytes[from] == sign &&
           (m->bytes[from + 1] & 0x80) == (sign & 0x80))
        from++;
    for (size_t n = m->n - from; n < size; n++)
        buf_char(ret, (char)sign);
    buf_append(ret, m->bytes + from, m->n - from);
}

bool logical_parse_decimal(struct str text, const struct avro_type *type, uint32_t size,
                           struct buf *ret)
{
    bool negative = text.n && text.p[0] == '-';
    if (text.n && (text.p[0] == '-' || text.p[0] == '+'))
        text = (struct str){text.p + 1, text.n - 1};
    struct magnitude m = {.n = MAGNITUDE_MAX};
    size_t n_digits;
    if (type->scale > DECIMAL_DIGITS_MAX ||
        !read_digits(text, type->scale, &m, &n_digits) || n_digits > type->precision ||
        n_digits > DECIMAL_DIGITS_MAX)
        return false;
    if (negative)
        negate(m.bytes, m.n);
    put_number(&m, size, ret);
    return true;
}
