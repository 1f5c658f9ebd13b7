/* The search of `tailwater tune`: settings drawn from the ranges of the table of keys, thinned out by successive halving on a prefix of each
 * file, and the one that is left held against the default on what follows the prefix.
 *
 * Setting 0 is the default, the command's own; it takes part in every round beside the drawn ones and wins when none is better. A round
 * learns from the first half of its rows and judges by the second half. Everything depends on the files, the settings and the seed, never
 * on how many runs go on at once. Thread: main. */
#ifndef TW_EVALUATE_TUNING_H
#define TW_EVALUATE_TUNING_H

#include "evaluate/halving.h"
#include "evaluate/pool.h"

typedef struct tw_tuning_file {
    const char *path;
    int64_t rows;
} tw_tuning_file;

/* Runs what is asked; fills what came out (count). tw_pool_evaluate, with what the command shows meanwhile. */
typedef tw_code (*tw_tuning_run_fn)(void *self, const char *what, const tw_pool_run *runs, int count,
                                    tw_evaluation *ret_evaluations, tw_err *err);

struct tw_tuning;

typedef struct tw_tuning_ask {
    const tw_tuning_file *files;
    int files_count;
    const tw_config *config;  /* the default */
    const tw_config *configs; /* (files_count) the same for each file: they may differ in settings that are not tuned */
    const bool *moves;        /* (tw_tune_count()) which settings may be moved */
    int settings;             /* drawn, beside the default */
    int keep;                 /* each round keeps one of so many */
    double prefix;            /* share of each file's rows that the search may see, above 0 and at most 1 */
    int64_t asks;             /* about so many events are asked in a run, a sample by the seed */
    uint64_t seed;
    tw_tuning_run_fn run;
    tw_code (*round_done)(void *self, const struct tw_tuning *tuning, tw_err *err); /* after each round */
    void *self;
} tw_tuning_ask;

typedef struct tw_tuning_round {
    int count, kept; /* settings that took part beside the default, and that were kept */
    int *order;      /* (count) their numbers, best first */
    double *gains;   /* (settings + 1) by number; of those that took part */
    uint64_t asked;  /* of each, on all files */
    int64_t rows;    /* learned by each, of all files */
} tw_tuning_round;

typedef struct tw_tuning {
    const tw_tuning_ask *ask;
    tw_halving_round plan[TW_ROUNDS_MAX];
    tw_tuning_round rounds[TW_ROUNDS_MAX];
    int plan_count, rounds_count;    /* rounds in all, and done so far */
    int best;                        /* number of the one that is left; 0: none is better than the default */
    bool checked;                    /* the best is another one and something follows the prefix: */
    tw_prequential *defaults, *ours; /* (files) the default and the best one on what follows */
    double gain_after;
} tw_tuning;

/* Searches. ret_tuning is to be done in any case. Errors: those of run; TW_E_BAD_FILE (a file too short to be judged by). */
tw_code tw_tuning_search(const tw_tuning_ask *ask, tw_tuning *ret_tuning, tw_err *err);
void tw_tuning_done(tw_tuning *tuning);

/* What a number stands for, over the default or that of a file, to be done: which keys it moves and where to is drawn by seed and number. */
void tw_tuning_config(const tw_tuning_ask *ask, int number, const tw_config *over, tw_config *ret_config);

/* What the last round tried and left, as lines; what came out at the end; and all of it as one JSON object. No break at the end. */
void tw_tuning_text_round(const tw_tuning *tuning, tw_buf *out);
void tw_tuning_text_end(const tw_tuning *tuning, tw_buf *out);
void tw_tuning_json(const tw_tuning *tuning, tw_buf *out);

/* The file of settings that `run` and `evaluate` take, with what was measured on top. */
void tw_tuning_yaml(const tw_tuning *tuning, tw_buf *out);

#endif
