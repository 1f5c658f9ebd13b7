/* What each scorer says by itself, of all items: for the curves of an evaluation, which show what the blend makes of them. After a scoring,
 * from what that left. Engine thread. */
#include "model/internal.h"

#include <math.h>

/* Below the log-chance of anything met before. */
#define NEVER_MET (-1e6f)

static void alone_repeat(const tw_model *model, const tw_user *u, float *scores) {
    for (uint32_t i = 0; i < model->scoring.n; i++)
        scores[i] = NEVER_MET;
    for (uint32_t place = tw_model_first_repeat(model, u); place < u->past_count; place++)
        scores[u->items[place]] = tw_repeat_score(&model->repeat, u, place, model->scoring.now_ms);
}

bool tw_model_score_alone(tw_model *model, int scorer, float *scores) {
    const tw_scoring *s = &model->scoring;
    if (model->mf || !s->has_context)
        return false;
    const tw_user *u = tw_user_here(&model->users, s->user);
    switch ((tw_scorer)scorer) {
    case TW_BY_CONTEXT:
        memcpy(scores, s->context, s->n * sizeof *scores);
        break;
    case TW_BY_TRANSITIONS:
        memset(scores, 0, s->n * sizeof *scores);
        tw_model_add_transitions(model, scores);
        break;
    case TW_BY_TRENDING:
        memcpy(scores, model->items.popular, s->n * sizeof *scores);
        break;
    case TW_BY_POPULAR:
        for (uint32_t i = 0; i < s->n; i++)
            scores[i] = (float)model->sampler.counts[i];
        break;
    case TW_BY_REPEAT:
        alone_repeat(model, u, scores);
        break;
    case TW_SCORERS:
        return false;
    }
    tw_model_hide(model, u, scores);
    return true;
}
