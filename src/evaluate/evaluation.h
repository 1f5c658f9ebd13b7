/* One prequential run (test, then learn) over one file under one configuration: what `evaluate` prints and draws, and what `tune` judges by.
 *
 * Before each asked event is learned, the whole catalogue is ranked for its user, under the rules of rank.*, and the place of its item is
 * counted. Rows before asked_from are only learned from; a user's first event is not asked. Each row is its own event: nothing is a
 * duplicate, nothing is late. Thread: its owner's; one run a process at a time (metrics are the process's). */
#ifndef TW_EVALUATE_EVALUATION_H
#define TW_EVALUATE_EVALUATION_H

#include "engine/engine.h"
#include "evaluate/lists.h"
#include "pipeline/learn/category_loss.h"
#include "pipeline/learn/prequential.h"

#define TW_LENGTHS 8 /* histories of 1, 2, 3-4, 5-8, 9-16, 17-32, 33-64, more */
extern const char *const tw_length_names[TW_LENGTHS];

#define TW_SLICES \
    45 /* equal parts of the rows that are asked; a multiple of the tenths that a whole file is asked in */
#define TW_TENTHS 9

typedef struct tw_evaluation_ask {
    const char *path;
    const char *state_dir;       /* NULL: nothing is kept */
    int64_t asked_from, rows_to; /* rows [asked_from, rows_to) are asked; those at rows_to and after are left out */
    uint64_t every, seed;        /* one event in so many, a sample that depends on the row and the seed alone */
    bool ablate;                 /* also each scorer alone, and the blend without it; not with learn.model: mf */
    bool profile;                /* also how well profiles foresee the categories of the item */
} tw_evaluation_ask;

/* What came out. Plain bytes: another process of this program can hand them over as they are. */
typedef struct tw_evaluation {
    tw_prequential all, by_length[TW_LENGTHS], by_slice[TW_SLICES];
    int64_t slice_ms[TW_SLICES]; /* event time at which a part begins; INT64_MIN: it has no event */
    tw_prequential young;        /* of events whose item first appeared within a day before */
    tw_prequential without[TW_SCORERS_MAX];
    tw_prequential alone[TW_SCORERS_MAX], alone_by_slice[TW_SCORERS_MAX][TW_SLICES];
    bool profiled; /* profiles were asked */
    tw_category_loss
        category; /* of events whose item has a category with a number: a name that is new cannot be foreseen */
    tw_lists_sums lists;
    uint64_t catalogue; /* items that there were */
    uint64_t ranked;
    int64_t rank_ns; /* of all ranked, without what is asked beside the place */
    double seconds;
    int scorers; /* of which alone and without tell; 0: not asked */
    const char *scorer_names[TW_SCORERS_MAX];
} tw_evaluation;

/* Told how many rows are through; false stops the run. */
typedef struct tw_beat {
    bool (*go_on)(void *self, int64_t rows);
    void *self;
} tw_beat;

/* How many rows a file has: the protocol needs it before the first of them is judged. Errors: those of tw_source_file. */
tw_code tw_evaluation_rows(const char *path, const tw_config *config, int64_t *ret_rows, tw_err *err);

/* The settings of a run from those of the command: a copy in which nothing is forgotten or late. ret_config is to be done. */
void tw_evaluation_config(const tw_config *config, tw_config *ret_config);

/* Runs it. Errors: those of the engine and of the file; TW_E_INTERRUPTED when the beat says so. */
tw_code tw_evaluation_run(const tw_evaluation_ask *ask, const tw_config *config, tw_beat beat,
                          tw_evaluation *ret_evaluation, tw_err *err);

/* The slices as tenths of the file, from the second tenth on (where the first is only learned from). */
tw_prequential tw_evaluation_tenth(const tw_evaluation *e, int tenth);
double tw_evaluation_rank_us(const tw_evaluation *e); /* mean; 0 where nothing was ranked */

/* In which part a row falls: 0 to TW_SLICES - 1. */
int tw_evaluation_slice(const tw_evaluation_ask *ask, int64_t row);
int tw_evaluation_length(uint32_t history); /* which of tw_length_names */

#endif
