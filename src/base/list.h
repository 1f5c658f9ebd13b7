/* A user's refreshed top-N list on its way out: filled by rank, encoded by publish and serve. Slices are borrowed from the
 * model and die with the next step. */
#ifndef TW_BASE_LIST_H
#define TW_BASE_LIST_H

#include "base/slice.h"

#define TW_REASONS_MAX 4
#define TW_LIST_SIZE_MAX 1000

typedef struct tw_list_reason {
    const char *source;     /* name of a scorer; static */
    float share;            /* of what lifts the item; the shares of all scorers add up to 1, small ones are left out */
    tw_slice because_item;  /* id of the user's own past item that contributed most; empty: none */
    tw_slice because_title; /* its title; empty: unknown */
} tw_list_reason;

typedef struct tw_list_item {
    tw_slice item_id, title, category; /* title and category empty: unknown */
    float score;                       /* comparable within one list only */
    int reasons_count;
    tw_list_reason reasons[TW_REASONS_MAX];
    float propensity; /* of the item at this place, given those before it (rank.explore.share); 0: nothing was drawn */
} tw_list_item;

typedef struct tw_list {
    tw_slice user_id;
    uint32_t task;
    bool known; /* the user had an applied event; else the list is the popular */
    uint64_t
        list_version;    /* records consumed of the task, of the items topic and of the files before them; only grows */
    int64_t event_ms;    /* event time of the user's newest event that the list knows; INT64_MIN: none */
    int64_t produced_ms; /* timestamp of that event's record, for metrics; not written; <= 0: unknown */
    tw_slice topic;      /* position of that event; empty: unknown, or from a file */
    int32_t partition;
    int64_t offset;
    int count;
    tw_list_item *items; /* (count), best first; owned by whoever made the list */
} tw_list;

#endif
