/* Names of fields and kinds, and times in all the forms that shops write. Called by the decoders. */
#include "base/mapping.h"

#include <math.h>

const tw_mapping tw_mapping_plain = {.time_unit = TW_TIME_MS};

static const struct {
    tw_slice name, alias;
} fields[TW_FIELD_COUNT] = {
#define FIELD(name, text, alias) {{text, sizeof text - 1}, {alias, sizeof alias - 1}},
    TW_FIELD_LIST(FIELD)
#undef FIELD
};

void tw_mapping_name(tw_mapping *mapping, tw_field field, tw_slice name) {
    mapping->names[field] = name;
    if (name.size && memchr(name.data, '.', name.size))
        mapping->nested = true;
}

static tw_slice trimmed(const char *at, const char *end) {
    while (at < end && *at == ' ')
        at++;
    while (at < end && end[-1] == ' ')
        end--;
    return (tw_slice){at, (size_t)(end - at)};
}

static tw_code add_kind(tw_mapping *mapping, tw_slice part, tw_err *err) {
    const char *equals = part.size ? memchr(part.data, '=', part.size) : NULL, *end = part.data + part.size;
    tw_slice theirs = equals ? trimmed(part.data, equals) : (tw_slice){0};
    tw_kind kind = equals ? tw_kind_of(trimmed(equals + 1, end)) : TW_KIND_COUNT;
    if (!theirs.size || kind == TW_KIND_COUNT)
        return tw_fail(err, TW_E_CONFIG, "\"" TW_SLICE_FMT "\" is not theirs=ours with a kind of ours",
                       TW_SLICE_ARG(part));
    for (int k = 0; k < mapping->kinds_count; k++)
        if (tw_slice_equal(theirs, mapping->kinds[k].name) && mapping->kinds[k].kind != kind)
            return tw_fail(err, TW_E_CONFIG, "\"" TW_SLICE_FMT "\" stands for two kinds", TW_SLICE_ARG(theirs));
    if (mapping->kinds_count == TW_MAPPED_KINDS_MAX)
        return tw_fail(err, TW_E_CONFIG, "more than %d kinds", TW_MAPPED_KINDS_MAX);
    mapping->kinds[mapping->kinds_count].name = theirs;
    mapping->kinds[mapping->kinds_count++].kind = kind;
    return TW_OK;
}

tw_code tw_mapping_add_kinds(tw_mapping *mapping, tw_slice list, tw_err *err) {
    const char *at = list.data, *end = list.data + list.size;
    while (at < end) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        TW_TRY(add_kind(mapping, trimmed(at, comma ? comma : end), err));
        at = comma ? comma + 1 : end;
    }
    return TW_OK;
}

/* Names are short and mostly unlike: their first letters tell. */
static inline bool is(tw_slice name, tw_slice text) {
    return name.size == text.size && (name.size == 0 || name.data[0] == text.data[0]) && tw_slice_equal(name, text);
}

tw_field tw_mapping_field(const tw_mapping *mapping, tw_slice name) {
    for (int f = 0; f < TW_FIELD_COUNT; f++)
        if (mapping->names[f].size && tw_slice_equal(name, mapping->names[f]))
            return (tw_field)f;
    for (int f = 0; f < TW_FIELD_COUNT; f++)
        if (!mapping->names[f].size && (is(name, fields[f].name) || is(name, fields[f].alias)))
            return (tw_field)f;
    return TW_FIELD_COUNT;
}

tw_slice tw_mapping_name_of(const tw_mapping *mapping, tw_field field) {
    return mapping->names[field].size ? mapping->names[field] : fields[field].alias;
}

bool tw_mapping_leads_to(const tw_mapping *mapping, tw_slice name) {
    for (int f = 0; f < TW_FIELD_COUNT; f++)
        if (mapping->names[f].size > name.size && mapping->names[f].data[name.size] == '.' &&
            memcmp(mapping->names[f].data, name.data, name.size) == 0)
            return true;
    return false;
}

tw_kind tw_mapping_kind(const tw_mapping *mapping, tw_slice name) {
    for (int k = 0; k < mapping->kinds_count; k++)
        if (tw_slice_equal(name, mapping->kinds[k].name))
            return mapping->kinds[k].kind;
    return tw_kind_of(name);
}

static int64_t floor_div(int64_t value, int64_t by) {
    return value / by - (value % by < 0);
}

bool tw_mapping_time(tw_time_unit unit, int64_t value, int64_t *ret_ms) {
    switch (unit) {
    case TW_TIME_S:
        if (value > INT64_MAX / 1000 || value < INT64_MIN / 1000)
            return false;
        *ret_ms = value * 1000;
        return true;
    case TW_TIME_US:
        *ret_ms = floor_div(value, 1000);
        return true;
    case TW_TIME_NS:
        *ret_ms = floor_div(value, 1000000);
        return true;
    case TW_TIME_MS:
        break;
    }
    *ret_ms = value;
    return true;
}

/* Exactly count digits. */
static bool take_digits(const char **at, const char *end, int count, int *ret_value) {
    int value = 0;
    if (end - *at < count)
        return false;
    for (int i = 0; i < count; i++, (*at)++) {
        if (**at < '0' || **at > '9')
            return false;
        value = value * 10 + (**at - '0');
    }
    *ret_value = value;
    return true;
}

static bool take_char(const char **at, const char *end, char c) {
    if (*at == end || **at != c)
        return false;
    (*at)++;
    return true;
}

/* Days from 1970-01-01 in the Gregorian calendar (Hinnant 2013, "chrono-Compatible Low-Level Date Algorithms"). */
static int64_t days_from_civil(int year, int month, int day) {
    int y = year - (month <= 2);
    int era = (y >= 0 ? y : y - 399) / 400;
    int year_of_era = y - era * 400;
    int day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return (int64_t)era * 146097 + day_of_era - 719468;
}

static bool is_date(int year, int month, int day) {
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return month >= 1 && month <= 12 && day >= 1 && day <= lengths[month - 1] + (month == 2 && leap);
}

/* The fraction of a second in milliseconds, further digits cut off. */
static bool take_fraction(const char **at, const char *end, int *ret_ms) {
    int digits = 0;
    *ret_ms = 0;
    if (*at == end || (**at != '.' && **at != ','))
        return true;
    for ((*at)++; *at < end && **at >= '0' && **at <= '9'; (*at)++, digits++)
        if (digits < 3)
            *ret_ms = *ret_ms * 10 + (**at - '0');
    for (int d = digits; d < 3; d++)
        *ret_ms *= 10;
    return digits > 0;
}

/* Z, +hh:mm, +hhmm, +hh, or nothing, which is UTC. */
static bool take_zone(const char **at, const char *end, int *ret_minutes) {
    int hours, minutes = 0;
    *ret_minutes = 0;
    if (*at == end)
        return true;
    if (**at == 'Z' || **at == 'z') {
        (*at)++;
        return true;
    }
    char sign = *(*at)++;
    if ((sign != '+' && sign != '-') || !take_digits(at, end, 2, &hours))
        return false;
    if (*at < end) {
        take_char(at, end, ':');
        if (!take_digits(at, end, 2, &minutes))
            return false;
    }
    *ret_minutes = (hours * 60 + minutes) * (sign == '-' ? -1 : 1);
    return hours < 24 && minutes < 60;
}

static bool iso_time(tw_slice text, int64_t *ret_ms) {
    const char *at = text.data, *end = text.data + text.size;
    int year, month, day, hour = 0, minute = 0, second = 0, ms = 0, zone = 0;
    if (!take_digits(&at, end, 4, &year) || !take_char(&at, end, '-') || !take_digits(&at, end, 2, &month) ||
        !take_char(&at, end, '-') || !take_digits(&at, end, 2, &day) || !is_date(year, month, day))
        return false;
    if (at < end) {
        if (*at != 'T' && *at != 't' && *at != ' ')
            return false;
        at++;
        if (!take_digits(&at, end, 2, &hour) || !take_char(&at, end, ':') || !take_digits(&at, end, 2, &minute))
            return false;
        if (take_char(&at, end, ':') && (!take_digits(&at, end, 2, &second) || !take_fraction(&at, end, &ms)))
            return false;
        if (!take_zone(&at, end, &zone))
            return false;
    }
    if (at != end || hour > 23 || minute > 59 || second > 60) /* 60: a leap second */
        return false;
    *ret_ms = ((days_from_civil(year, month, day) * 24 + hour) * 60 + minute - zone) * 60000 + second * 1000 + ms;
    return true;
}

bool tw_mapping_time_real(tw_time_unit unit, double value, int64_t *ret_ms) {
    double ms = unit == TW_TIME_S    ? round(value * 1000)
                : unit == TW_TIME_US ? floor(value / 1000)
                : unit == TW_TIME_NS ? floor(value / 1000000)
                                     : floor(value);
    if (!(fabs(ms) < 9e15)) /* whole numbers that a double holds; not a number is refused too */
        return false;
    *ret_ms = (int64_t)ms;
    return true;
}

/* What is behind the point of seconds: ".123". */
static bool add_fraction(tw_slice text, bool negative, int64_t *ms) {
    const char *at = text.data, *end = text.data + text.size;
    int fraction;
    if (!take_fraction(&at, end, &fraction) || at != end)
        return false;
    return negative ? !__builtin_sub_overflow(*ms, fraction, ms) : !__builtin_add_overflow(*ms, fraction, ms);
}

bool tw_mapping_time_text(const tw_mapping *mapping, tw_slice text, int64_t *ret_ms) {
    int64_t value = 0;
    bool negative = text.size > 1 && text.data[0] == '-';
    size_t i = negative;
    for (; i < text.size && text.data[i] >= '0' && text.data[i] <= '9'; i++)
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, text.data[i] - '0', &value))
            return false;
    bool fraction = i < text.size && text.data[i] == '.' && mapping->time_unit == TW_TIME_S;
    if (i == negative || (i < text.size && !fraction))
        return iso_time(text, ret_ms);
    int64_t ms;
    if (!tw_mapping_time(mapping->time_unit, negative ? -value : value, &ms) ||
        (fraction && !add_fraction((tw_slice){text.data + i, text.size - i}, negative, &ms)))
        return false;
    *ret_ms = ms;
    return true;
}
