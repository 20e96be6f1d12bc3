// SPDX-License-Identifier: Apache-2.0
#include "avro/logical.h"

#include <stdio.h>

#define SECONDS_OF_DAY INT64_C(86400)

// Proleptic Gregorian calendar, counted from 0000-03-01 in eras of 400 years (after
// H. Hinnant, "chrono-Compatible Low-Level Date Algorithms").
enum {
    DAYS_OF_ERA = 146097,
    DAYS_TO_1970 = 719468
};

struct civil {
    int64_t year;
    unsigned month, day;
};

// For a scale of 1/1000 or 1/1000000 second.
struct unit {
    int64_t of_second;
    int digits;
};

static struct unit unit_of(enum avro_logical logical)
{
    bool micros = logical == LOGICAL_TIME_MICROS || logical == LOGICAL_TIMESTAMP_MICROS ||
                  logical == LOGICAL_LOCAL_TIMESTAMP_MICROS;
    return micros ? (struct unit){1000000, 6} : (struct unit){1000, 3};
}

static bool is_time(enum avro_logical logical)
{
    return logical == LOGICAL_TIME_MILLIS || logical == LOGICAL_TIME_MICROS;
}

static bool is_utc(enum avro_logical logical)
{
    return logical == LOGICAL_TIMESTAMP_MILLIS || logical == LOGICAL_TIMESTAMP_MICROS;
}

static int64_t days_of(struct civil date)
{
    int64_t year = date.month <= 2 ? date.year - 1 : date.year;
    int64_t era = year / 400;
    int64_t year_of_era = year - era * 400;
    int64_t month = date.month > 2 ? date.month - 3 : date.month + 9;
    int64_t day_of_year = (153 * month + 2) / 5 + date.day - 1;
    int64_t day_of_era =
        year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * DAYS_OF_ERA + day_of_era - DAYS_TO_1970;
}

// False outside the years 0001 to 9999.
static bool civil_of(int64_t days, struct civil *ret)
{
    if (days < -719162 || days > 2932896) // 0001-01-01, 9999-12-31
        return false;
    days += DAYS_TO_1970;
    int64_t era = days / DAYS_OF_ERA;
    int64_t day = days - era * DAYS_OF_ERA;
    int64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    int64_t day_of_year = day - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * day_of_year + 2) / 153;
    ret->day = (unsigned)(day_of_year - (153 * month + 2) / 5 + 1);
    ret->month = (unsigned)(month < 10 ? month + 3 : month - 9);
    ret->year = year + era * 400 + (ret->month <= 2);
    return true;
}

static size_t put_digits(char *p, int64_t value, int n)
{
    for (int i = n - 1; i >= 0; i--) {
        p[i] = (char)('0' + value % 10);
        value /= 10;
    }
    return (size_t)n;
}

static size_t put_date(char *p, struct civil date)
{
    put_digits(p, date.year, 4);
    p[4] = '-';
    put_digits(p + 5, date.month, 2);
    p[7] = '-';
    put_digits(p + 8, date.day, 2);
    return 10;
}

// `value` counts units since midnight, less than a day.
static size_t put_time(char *p, int64_t value, struct unit unit)
{
    int64_t seconds = value / unit.of_second;
    put_digits(p, seconds / 3600, 2);
    p[2] = ':';
    put_digits(p + 3, seconds / 60 % 60, 2);
    p[5] = ':';
    put_digits(p + 6, seconds % 60, 2);
    p[8] = '.';
    return 9 + put_digits(p + 9, value % unit.of_second, unit.digits);
}

size_t logical_format_number(enum avro_logical logical, int64_t value,
                             char ret[LOGICAL_TEXT_MAX])
{
    struct unit unit = unit_of(logical);
    int64_t of_day = unit.of_second * SECONDS_OF_DAY;
    struct civil date;
    if (is_time(logical))
        return value < 0 || value >= of_day ? 0 : put_time(ret, value, unit);
    if (logical == LOGICAL_DATE)
        return civil_of(value, &date) ? put_date(ret, date) : 0;
    int64_t days = value / of_day - (value % of_day < 0);
    if (!civil_of(days, &date))
        return 0;
    size_t n = put_date(ret, date);
    ret[n++] = 'T';
    n += put_time(ret + n, value - days * of_day, unit);
    if (is_utc(logical))
        ret[n++] = 'Z';
    return n;
}

// Takes exactly n digits from the front.
static bool take_digits(struct str *text, size_t n, int64_t *ret)
{
    if (text->n < n)
        return false;
    int64_t value = 0;
    for (size_t i = 0; i < n; i++) {
        if (text->p[i] < '0' || text->p[i] > '9')
            return false;
        value = value * 10 + (text->p[i] - '0');
    }
    *text = (struct str){text->p + n, text->n - n};
    *ret = value;
    return true;
}

static bool take_char(struct str *text, char c)
{
    if (text->n == 0 || text->p[0] != c)
        return false;
    *text = (struct str){text->p + 1, text->n - 1};
    return true;
}

static unsigned days_of_month(int64_t year, int64_t month)
{
    static const unsigned days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

static bool take_date(struct str *text, int64_t *ret)
{
    int64_t year, month, day;
    if (!take_digits(text, 4, &year) || !take_char(text, '-') ||
        !take_digits(text, 2, &month) || !take_char(text, '-') ||
        !take_digits(text, 2, &day))
        return false;
    if (year == 0 || month < 1 || month > 12 || day < 1 ||
        day > days_of_month(year, month))
        return false;
    *ret = days_of((struct civil){year, (unsigned)month, (unsigned)day});
    return true;
}

// Digits after the point, as a count of units; more digits than the unit has must be 0.
static bool take_fraction(struct str *text, struct unit unit, int64_t *ret)
{
    *ret = 0;
    if (!take_char(text, '.'))
        return true;
    int n = 0;
    int64_t digit;
    for (; take_digits(text, 1, &digit); n++) {
        if (n < unit.digits)
            *ret = *ret * 10 + digit;
        else if (digit != 0)
            return false;
    }
    for (int i = n; i < unit.digits; i++)
        *ret *= 10;
    return n > 0;
}

static bool take_time(struct str *text, struct unit unit, int64_t *ret)
{
    int64_t hours, minutes, seconds, fraction;
    if (!take_digits(text, 2, &hours) || !take_char(text, ':') ||
        !take_digits(text, 2, &minutes) || !take_char(text, ':') ||
        !take_digits(text, 2, &seconds) || !take_fraction(text, unit, &fraction))
        return false;
    if (hours > 23 || minutes > 59 || seconds > 59)
        return false;
    *ret = (hours * 3600 + minutes * 60 + seconds) * unit.of_second + fraction;
    return true;
}

// "Z", "+05:30", "-08:00": seconds east of Greenwich.
static bool take_zone(struct str *text, int64_t *ret)
{
    *ret = 0;
    if (take_char(text, 'Z'))
        return true;
    bool west = take_char(text, '-');
    int64_t hours, minutes;
    if ((!west && !take_char(text, '+')) || !take_digits(text, 2, &hours) ||
        !take_char(text, ':') || !take_digits(text, 2, &minutes))
        return false;
    if (hours > 18 || minutes > 59)
        return false;
    *ret = (hours * 3600 + minutes * 60) * (west ? -1 : 1);
    return true;
}

static bool take_timestamp(enum avro_logical logical, struct str *text, int64_t *ret)
{
    struct unit unit = unit_of(logical);
    int64_t days, time;
    int64_t zone = 0;
    if (!take_date(text, &days) || (!take_char(text, 'T') && !take_char(text, ' ')) ||
        !take_time(text, unit, &time))
        return false;
    if (is_utc(logical) && !take_zone(text, &zone))
        return false;
    *ret = (days * SECONDS_OF_DAY - zone) * unit.of_second + time;
    return true;
}

bool logical_parse_number(enum avro_logical logical, struct str text, int64_t *ret)
{
    bool good;
    if (logical == LOGICAL_DATE)
        good = take_date(&text, ret);
    else if (is_time(logical))
        good = take_time(&text, unit_of(logical), ret);
    else
        good = take_timestamp(logical, &text, ret);
    return good && text.n == 0;
}

static uint32_t little_endian(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
           (uint32_t)p[3] << 24;
}

size_t logical_format_duration(const uint8_t bytes[AVRO_DURATION_BYTES],
                               char ret[LOGICAL_TEXT_MAX])
{
    uint32_t months = little_endian(bytes);
    uint32_t days = little_endian(bytes + 4);
    uint32_t millis = little_endian(bytes + 8);
    size_t n = 0;
    ret[n++] = 'P';
    if (months)
        n += (size_t)snprintf(ret + n, 16, "%uM", months);
    if (days)
        n += (size_t)snprintf(ret + n, 16, "%uD", days);
    if (millis || n == 1) {
        n += (size_t)snprintf(ret + n, 16, "T%u", millis / 1000);
        if (millis % 1000)
            n += (size_t)snprintf(ret + n, 16, ".%03u", millis % 1000);
        ret[n++] = 'S';
    }
    return n;
}

// "<digits><unit>" at the front; leaves the text as it is when it is none of that.
static bool take_count(struct str *text, char unit, int64_t *ret)
{
    size_t n = 0;
    while (n < text->n && text->p[n] >= '0' && text->p[n] <= '9')
        n++;
    if (n == 0 || n > 10 || n == text->n || text->p[n] != unit)
        return false;
    take_digits(text, n, ret);
    return take_char(text, unit);
}

static bool take_seconds(struct str *text, int64_t *ret_millis)
{
    int64_t seconds = 0;
    int64_t fraction = 0;
    size_t n = 0;
    while (n < text->n && text->p[n] >= '0' && text->p[n] <= '9')
        n++;
    if (n == 0 || n > 10 || !take_digits(text, n, &seconds) ||
        !take_fraction(text, (struct unit){1000, 3}, &fraction) || !take_char(text, 'S'))
        return false;
    *ret_millis = seconds * 1000 + fraction;
    return true;
}

static void put_little_endian(uint8_t *p, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        p[i] = (uint8_t)(value >> (8 * i));
}

bool logical_parse_duration(struct str text, uint8_t ret[AVRO_DURATION_BYTES])
{
    int64_t counts[3] = {0, 0, 0};
    if (!take_char(&text, 'P') || text.n == 0)
        return false;
    take_count(&text, 'M', &counts[0]);
    take_count(&text, 'D', &counts[1]);
    if (take_char(&text, 'T') && !take_seconds(&text, &counts[2]))
        return false;
    for (size_t i = 0; i < 3; i++) {
        if (counts[i] > UINT32_MAX)
            return false;
        put_little_endian(ret + 4 * i, (uint32_t)counts[i]);
    }
    return text.n == 0;
}

bool logical_is_uuid(struct str text)
{
    if (text.n != 36)
        return false;
    for (size_t i = 0; i < 36; i++) {
        char c = text.p[i];
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        bool hex =
            (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        if (dash ? c != '-' : !hex)
            return false;
    }
    return true;
}
