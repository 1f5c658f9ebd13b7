/* How often what came next stood among the best ten, by the blend and by each scorer alone, on the events that the blend learns from and before
 * it does. Watched, not used: no part of the state. Called by the blend's learning; engine thread. */
#include "model/internal.h"

#define TOP 10

/* What one scorer alone would order by; of an item that the user never met, a repeat says nothing. */
static const int speaks[TW_SCORERS] = {[TW_BY_CONTEXT] = TW_X_CONTEXT,
                                       [TW_BY_TRANSITIONS] = TW_X_NEXT,
                                       [TW_BY_TRENDING] = TW_X_TRENDING,
                                       [TW_BY_POPULAR] = TW_X_POPULAR,
                                       [TW_BY_REPEAT] = TW_X_REPEAT};

/* Whether fewer than TOP of n others come before the target; of equals half do. */
static bool hits(const float *scores, const float *counts, uint32_t n, uint32_t target) {
    uint32_t before = 0, equal = 0;
    if (counts && !(counts[target] > 0))
        return false;
    for (uint32_t c = 0; c < n; c++) {
        if (c == target || (counts && !(counts[c] > 0)))
            continue;
        before += scores[c] > scores[target];
        equal += scores[c] == scores[target];
    }
    return before + equal / 2 < TOP;
}

void tw_model_count_hits(tw_model *model, uint32_t target) {
    const tw_scoring *s = &model->scoring;
    model->best_ten.asked++;
    if (target >= s->candidates_count)
        return;
    model->best_ten.blend += hits(s->blended, NULL, s->candidates_count, target);
    for (int i = 0; i < TW_SCORERS; i++)
        model->best_ten.by[i] +=
            hits(s->x + speaks[i] * TW_BLEND_CANDIDATES,
                 i == TW_BY_REPEAT ? s->x + TW_X_OWN * TW_BLEND_CANDIDATES : NULL, s->candidates_count, target);
}

tw_best_ten tw_model_best_ten(const tw_model *model) {
    return model->best_ten;
}
