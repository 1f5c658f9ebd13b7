/* How a shop's own records name what an event needs: names of fields, unit of time, names of kinds. Made once from the
 * settings (input.*), read by every decoder. Thread: any, once made. */
#ifndef TW_BASE_MAPPING_H
#define TW_BASE_MAPPING_H

#include "base/err.h"
#include "base/event.h"

/* Units of a time given as a number; the names are the choices of input.time.unit. */
typedef enum tw_time_unit { TW_TIME_MS, TW_TIME_S, TW_TIME_US, TW_TIME_NS } tw_time_unit;

#define TW_MAPPED_KINDS_MAX 64

typedef struct tw_mapping {
    tw_slice names[TW_FIELD_COUNT]; /* the shop's own name, in place of ours; empty: ours. a.b is b inside of a */
    bool nested;                    /* a name reaches into an object */
    tw_time_unit time_unit;
    struct {
        tw_slice name;
        tw_kind kind;
    } kinds[TW_MAPPED_KINDS_MAX]; /* the shop's own names of kinds, beside ours */
    int kinds_count;
} tw_mapping;

/* The names of the schemas, time in milliseconds. */
extern const tw_mapping tw_mapping_plain;

/* Sets the name of a field (borrowed; empty: ours). */
void tw_mapping_name(tw_mapping *mapping, tw_field field, tw_slice name);

/* Adds "theirs=ours,theirs=ours" (borrowed; blanks around names do not count). Errors: TW_E_CONFIG naming the part. */
tw_code tw_mapping_add_kinds(tw_mapping *mapping, tw_slice list, tw_err *err);

/* The field that a name (a path with dots inside nested objects) stands for, or TW_FIELD_COUNT. The
 * shop's names go before ours. */
tw_field tw_mapping_field(const tw_mapping *mapping, tw_slice name);

/* What a field is called, for messages: the shop's name, or that of the CSV files. */
tw_slice tw_mapping_name_of(const tw_mapping *mapping, tw_field field);

/* Some field lies inside of the object of that name. */
bool tw_mapping_leads_to(const tw_mapping *mapping, tw_slice name);

/* The kind of that name, or TW_KIND_COUNT. */
tw_kind tw_mapping_kind(const tw_mapping *mapping, tw_slice name);

/* Event time in milliseconds (rounded down; seconds with a fraction to the nearest) from a number in a unit, or from a text: digits
 * in the mapping's unit, of seconds also a fraction, or a date and time of ISO 8601 (RFC 3339; without an offset it is UTC).
 * false: out of range, or no time. */
bool tw_mapping_time(tw_time_unit unit, int64_t value, int64_t *ret_ms);
bool tw_mapping_time_real(tw_time_unit unit, double value, int64_t *ret_ms);
bool tw_mapping_time_text(const tw_mapping *mapping, tw_slice text, int64_t *ret_ms);

#endif
