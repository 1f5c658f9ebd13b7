/* Rounds of runs. What a number stands for is drawn anew wherever it is needed: it depends on the seed and the number alone. */
#include "evaluate/tuning.h"

#include "base/alloc.h"
#include "base/rng.h"
#include "config/tune.h"

#include <inttypes.h>
#include <stdlib.h>

/* A drawn setting moves each key with this chance: most keys stay where they were found to be good (chosen, not measured). */
#define MOVE_CHANCE (1.0 / 3)

static bool may_move(const tw_tuning_ask *ask, int t) {
    return ask->moves[t] && tw_tune_applies(t, ask->config);
}

void tw_tuning_config(const tw_tuning_ask *ask, int number, const tw_config *over, tw_config *ret_config) {
    int movable = 0, moved = 0;
    tw_rng rng = tw_rng_at(ask->seed, 6, (uint64_t)number);
    tw_config_copy(ret_config, over);
    if (number == 0)
        return;
    for (int t = 0; t < tw_tune_count(); t++)
        movable += may_move(ask, t);
    int surely = (int)tw_rng_below(&rng, (uint32_t)movable);
    for (int t = 0; t < tw_tune_count(); t++) {
        if (!may_move(ask, t))
            continue;
        bool moves = tw_rng_unit(&rng) < MOVE_CHANCE;
        double u = tw_rng_unit(&rng);
        if (moves || moved == surely)
            tw_tune_put(t, u, ret_config);
        moved++;
    }
}

/* Rows [from, to) of a file are judged by. */
static tw_evaluation_ask ask_of(const tw_tuning_ask *ask, int file, int64_t from, int64_t to) {
    int64_t every = (to - from) / ask->asks;
    return (tw_evaluation_ask){.path = ask->files[file].path,
                               .asked_from = from,
                               .rows_to = to,
                               .every = every > 1 ? (uint64_t)every : 1,
                               .seed = ask->seed};
}

/* Each of the numbers on each file.   from, to (files)   ret_figures (count, files) out */
static tw_code judge(const tw_tuning_ask *ask, const char *what, const int *numbers, int count, const int64_t *from,
                     const int64_t *to, tw_prequential *ret_figures, tw_err *err) {
    int all = count * ask->files_count;
    tw_config *configs = tw_zalloc((size_t)all * sizeof *configs);
    tw_pool_run *runs = tw_zalloc((size_t)all * sizeof *runs);
    tw_evaluation *evaluations = tw_zalloc((size_t)all * sizeof *evaluations);
    for (int i = 0; i < all; i++) {
        int file = i % ask->files_count;
        tw_tuning_config(ask, numbers[i / ask->files_count], &ask->configs[file], &configs[i]);
        runs[i] = (tw_pool_run){ask_of(ask, file, from[file], to[file]), &configs[i]};
    }
    tw_code code = ask->run(ask->self, what, runs, all, evaluations, err);
    for (int i = 0; i < all; i++) {
        if (code == TW_OK)
            ret_figures[i] = evaluations[i].all;
        tw_config_done(&configs[i]);
    }
    free(configs);
    free(runs);
    free(evaluations);
    return code;
}

static tw_code spans_of(const tw_tuning_ask *ask, double share, int64_t *from, int64_t *to, tw_err *err) {
    for (int file = 0; file < ask->files_count; file++) {
        to[file] = (int64_t)((double)ask->files[file].rows * ask->prefix * share);
        from[file] = to[file] / 2;
        if (to[file] - from[file] < 1)
            return tw_fail(err, TW_E_BAD_FILE, "%s: its %" PRId64 " rows are too few to be judged by",
                           ask->files[file].path, ask->files[file].rows);
    }
    return TW_OK;
}

/* Who takes part: the default, then those that the round before kept. */
static void take_part(const tw_tuning *t, int *numbers) {
    const tw_tuning_round *last = t->rounds_count ? &t->rounds[t->rounds_count - 1] : NULL;
    numbers[0] = 0;
    for (int i = 0; i < t->plan[t->rounds_count].settings; i++)
        numbers[i + 1] = last ? last->order[i] : i + 1;
}

static tw_code round_of(tw_tuning *t, tw_err *err) {
    const tw_tuning_ask *ask = t->ask;
    const tw_halving_round *plan = &t->plan[t->rounds_count];
    tw_tuning_round *round = &t->rounds[t->rounds_count];
    int files = ask->files_count, count = plan->settings + 1;
    int64_t *spans = tw_zalloc(2 * (size_t)files * sizeof *spans), *to = spans + files;
    int *numbers = tw_zalloc((size_t)count * sizeof *numbers);
    tw_prequential *figures = tw_zalloc((size_t)(count * files) * sizeof *figures);
    tw_code code = spans_of(ask, plan->rows_share, spans, to, err);
    take_part(t, numbers);
    if (code == TW_OK)
        code = judge(ask, "tune", numbers, count, spans, to, figures, err);
    for (int file = 0; code == TW_OK && file < files; file++) {
        round->asked += figures[file].asked;
        round->rows += to[file];
        if (figures[file].asked == 0)
            code = tw_fail(err, TW_E_BAD_FILE, "%s: nothing to ask in the second half of its first %" PRId64 " rows",
                           ask->files[file].path, to[file]);
    }
    if (code == TW_OK) {
        round->count = plan->settings;
        round->order = tw_zalloc((size_t)count * sizeof *round->order);
        round->gains = tw_zalloc((size_t)(ask->settings + 1) * sizeof *round->gains);
        for (int i = 1; i < count; i++) {
            round->order[i - 1] = numbers[i];
            round->gains[numbers[i]] = tw_halving_gain(&figures[i * files], figures, files);
        }
        tw_halving_order(round->order, round->count, round->gains);
        t->rounds_count++;
        bool last = t->rounds_count == t->plan_count;
        round->kept = last ? round->gains[round->order[0]] > 0 : t->plan[t->rounds_count].settings;
        t->best = last && round->kept ? round->order[0] : 0;
    }
    free(spans);
    free(numbers);
    free(figures);
    return code;
}

/* The one that is left against the default, on the rows that no round has seen. */
static tw_code check(tw_tuning *t, tw_err *err) {
    const tw_tuning_ask *ask = t->ask;
    int files = ask->files_count, numbers[2] = {0, t->best};
    int64_t *from = tw_zalloc(2 * (size_t)files * sizeof *from), *to = from + files;
    bool follows = t->best != 0;
    for (int file = 0; file < files; file++) {
        to[file] = ask->files[file].rows;
        from[file] = (int64_t)((double)to[file] * ask->prefix);
        follows &= to[file] > from[file];
    }
    tw_code code = TW_OK;
    if (follows) {
        t->defaults = tw_zalloc(2 * (size_t)files * sizeof *t->defaults);
        t->ours = t->defaults + files;
        code = judge(ask, "check", numbers, 2, from, to, t->defaults, err);
        t->gain_after = tw_halving_gain(t->ours, t->defaults, files);
        t->checked = code == TW_OK;
    }
    free(from);
    return code;
}

tw_code tw_tuning_search(const tw_tuning_ask *ask, tw_tuning *ret_tuning, tw_err *err) {
    *ret_tuning = (tw_tuning){.ask = ask};
    ret_tuning->plan_count = tw_halving_rounds(ask->settings, ask->keep, ret_tuning->plan);
    while (ret_tuning->rounds_count < ret_tuning->plan_count) {
        TW_TRY(round_of(ret_tuning, err));
        TW_TRY(ask->round_done(ask->self, ret_tuning, err));
    }
    return check(ret_tuning, err);
}

void tw_tuning_done(tw_tuning *tuning) {
    for (int i = 0; i < tuning->rounds_count; i++) {
        free(tuning->rounds[i].order);
        free(tuning->rounds[i].gains);
    }
    free(tuning->defaults);
}
