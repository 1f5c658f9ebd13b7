/* How state and store speak of rows without knowing each other.
 *
 * The state's owner (model) names a row by table and dense index. It hands changes to a sink (the store) at a commit, and
 * gets rows back at a start; those that it has forgotten to save memory it takes from a shelf. The engine connects the two. */
#ifndef TW_BASE_ROWS_H
#define TW_BASE_ROWS_H

#include "base/buf.h"
#include "base/err.h"

/* The tables; numbers go to disk. */
typedef enum tw_table {
    TW_TABLE_USER = 1,     /* identity, history, exclusions, embedding */
    TW_TABLE_ITEM = 2,     /* identity, category, price, title, counts */
    TW_TABLE_ITEM_IN = 3,  /* embedding as context */
    TW_TABLE_ITEM_OUT = 4, /* embedding as target, bias */
    TW_TABLE_FOLLOW = 5,   /* followers of an item */
    TW_TABLE_WEIGHT = 6,   /* blender weights, sampler ring, negative pool, population statistics */
    TW_TABLE_TASTE = 7,    /* a user's counts by category and evidence of a change */
    TW_TABLE_DRIFT = 8,    /* detectors of population and model */
    TW_TABLE_COUNT = 9
} tw_table;

/* Where changed rows go at a commit; bytes are copied before the call returns. */
typedef struct tw_row_sink {
    void *self;
    void (*put)(void *self, tw_table table, uint32_t row, tw_slice bytes);
    void (*put_delta)(void *self, tw_table table, uint32_t row, tw_slice bytes); /* a change to the row as last put */
    void (*del)(void *self, tw_table table, uint32_t row);
} tw_row_sink;

/* Where rows lie that memory does not hold: the store, as store.h says of in_place, read and settle. */
typedef struct tw_row_shelf {
    void *self;
    bool (*in_place)(void *self, tw_table table, uint32_t row);
    tw_code (*read)(void *self, tw_table table, uint32_t row, tw_buf *out, tw_err *err);
    tw_code (*settle)(void *self, tw_table table, const uint32_t *rows, size_t count, tw_err *err);
} tw_row_shelf;

#endif
