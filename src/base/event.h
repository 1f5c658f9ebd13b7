/* One shop event after decoding, and the raw record it came from.
 *
 * Decoders (CSV, JSON, Avro plan) fill a tw_event; clean judges it; learn reads it. Slices are borrowed from the record's
 * bytes or from the batch arena and die with the batch. */
#ifndef TW_BASE_EVENT_H
#define TW_BASE_EVENT_H

#include "base/slice.h"

/* Kinds of event; the name is the text of `event_type` in files and of the mixed-topic mapping. */
#define TW_KIND_LIST(X)                                                   \
    X(CLICK, "click", "the user looked at the item")                      \
    X(CART, "cart", "the user put the item into the basket")              \
    X(PURCHASE, "purchase", "the user bought the item")                   \
    X(REVIEW, "review", "the user rated the item, 1 to 5")                \
    X(RETURN, "return", "the user gave the item back: undoes a purchase") \
    X(ITEM, "item", "news about an item itself: title, category, price, stock")

typedef enum tw_kind {
#define TW_KIND_ENUM(name, text, doc) TW_KIND_##name,
    TW_KIND_LIST(TW_KIND_ENUM)
#undef TW_KIND_ENUM
        TW_KIND_COUNT
} tw_kind;

const char *tw_kind_name(tw_kind kind);
/* The kind with that name, or TW_KIND_COUNT. */
tw_kind tw_kind_of(tw_slice name);

/* The fields of an event: the name that the schemas give them, and the one of the CSV files where it differs. */
#define TW_FIELD_LIST(X)                \
    X(EVENT_ID, "event_id", "event_id") \
    X(USER_ID, "user_id", "user_id")    \
    X(ITEM_ID, "item_id", "item_id")    \
    X(TIME, "event_ms", "ts_ms")        \
    X(KIND, "kind", "event_type")       \
    X(CATEGORY, "category", "category") \
    X(TITLE, "title", "text_or_title")  \
    X(PRICE, "price", "price")          \
    X(QUANTITY, "quantity", "quantity") \
    X(RATING, "rating", "rating")       \
    X(IN_STOCK, "in_stock", "in_stock") \
    X(RETIRED, "retired", "retired")

typedef enum tw_field {
#define TW_FIELD_ENUM(name, text, alias) TW_FIELD_##name,
    TW_FIELD_LIST(TW_FIELD_ENUM)
#undef TW_FIELD_ENUM
        TW_FIELD_COUNT /* not a field of ours */
} tw_field;

/* Which optional fields an event carries. */
enum {
    TW_HAS_RATING = 1 << 0,
    TW_HAS_PRICE = 1 << 1,
    TW_HAS_QUANTITY = 1 << 2,
    TW_HAS_IN_STOCK = 1 << 3,
    TW_HAS_RETIRED = 1 << 4,
    TW_HAS_TIME = 1 << 5, /* event_ms was given; without it the record's own timestamp is used */
    TW_HAS_KIND = 1 << 6, /* kind was given; without it the input's own kind is used */
};

typedef struct tw_event {
    tw_kind kind;
    uint32_t has;      /* TW_HAS_* */
    int64_t event_ms;  /* event time, milliseconds since 1970 UTC */
    tw_slice event_id; /* empty: the id is user, item, kind and time */
    tw_slice user_id;
    tw_slice item_id;
    tw_slice category; /* several split by '|'; empty: unknown */
    tw_slice title;    /* review text or item title; empty: none */
    double rating;     /* 1 to 5 */
    double price;      /* in the shop's currency, one unit */
    double quantity;   /* pieces */
    bool in_stock, retired;
} tw_event;

/* A record as the source delivered it. */
typedef struct tw_record {
    uint16_t input;       /* index of the input (topic or file) in the source */
    int32_t partition;    /* 0 for files */
    int64_t offset;       /* position in the partition; for files the number of the record from 0 */
    int64_t timestamp_ms; /* the record's own: see appended; -1: none */
    bool appended;        /* timestamp_ms is the broker's append time, not the producer's word */
    tw_slice key;         /* data NULL: no key */
    tw_slice value;       /* data NULL: a tombstone */
    const void *headers;  /* the source's own, for dead letters; NULL: none */
} tw_record;

/* Why a record is a dead letter. The name is the counter's label and the header `tailwater.error.reason`. */
#define TW_REASON_LIST(X)                                                             \
    X(TRUNCATED, "truncated", "the bytes end inside a field")                         \
    X(MALFORMED, "malformed", "the bytes are not CSV, JSON or Avro of this shape")    \
    X(UNKNOWN_SCHEMA, "unknown_schema", "the schema id or fingerprint is not known")  \
    X(TOO_DEEP, "too_deep", "nested deeper than the decoder allows")                  \
    X(OVERSIZED, "oversized", "the record is larger than `ingest.record.max.bytes`")  \
    X(MISSING_FIELD, "missing_field", "a required field is not there")                \
    X(UNKNOWN_TYPE, "unknown_type", "the kind of event is not known")                 \
    X(EMPTY_ID, "empty_id", "user id or item id is empty")                            \
    X(ID_TOO_LONG, "id_too_long", "an id is longer than 1,024 bytes")                 \
    X(BAD_UTF8, "bad_utf8", "a text field is not UTF-8")                              \
    X(NEGATIVE_TIME, "negative_time", "event time is before 1970")                    \
    X(FUTURE_TIME, "future_time", "event time is further ahead than the skew allows") \
    X(NOT_FINITE, "not_finite", "a number is NaN or infinite")                        \
    X(BAD_NUMBER, "bad_number", "a number cannot be read or does not fit")            \
    X(RATING_RANGE, "rating_range", "the rating is not within 1 to 5")                \
    X(NEGATIVE_PRICE, "negative_price", "the price is below zero")                    \
    X(BAD_QUANTITY, "bad_quantity", "the quantity is below zero")

typedef enum tw_reason {
    TW_REASON_NONE,
#define TW_REASON_ENUM(name, text, doc) TW_REASON_##name,
    TW_REASON_LIST(TW_REASON_ENUM)
#undef TW_REASON_ENUM
        TW_REASON_COUNT
} tw_reason;

const char *tw_reason_name(tw_reason reason);

#define TW_ID_SIZE_MAX 1024

#endif
