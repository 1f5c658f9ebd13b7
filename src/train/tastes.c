/* Examples of profiles out of a stream. Called for each event while the training reads. */
#include "train/profile.h"

#include "base/alloc.h"
#include "base/rng.h"

#include <stdlib.h>

void tw_tastes_init(tw_tastes *tastes, const tw_config *config, uint64_t every) {
    *tastes = (tw_tastes){.every = every, .seed = (uint64_t)config->seed, .last_ms = INT64_MIN};
    tw_categories_init(&tastes->categories, (uint32_t)config->profile_categories_max);
}

void tw_tastes_done(tw_tastes *tastes) {
    free(tastes->rows);
    free(tastes->times_ms);
    free(tastes->x);
    free(tastes->scratch);
    tw_categories_done(&tastes->categories);
    *tastes = (tw_tastes){0};
}

static void follow(tw_tastes *tastes, const tw_profile *profiles) {
    for (uint32_t i = tastes->categories.count; i < profiles->categories.count; i++)
        tw_categories_add(&tastes->categories, tw_categories_name(&profiles->categories, i));
    tastes->categories.rest = profiles->categories.rest;
    tastes->prices = profiles->prices;
    tastes->price_mean = profiles->price_mean;
    tastes->price_square = profiles->price_square;
}

void tw_tastes_add(tw_tastes *tastes, tw_model *model, uint32_t task, const tw_event *event) {
    const tw_profile *profiles = tw_model_profiles(model);
    tw_category_shares shares;
    int inputs = profiles->inputs - profiles->D;
    if (event->event_ms > tastes->last_ms)
        tastes->last_ms = event->event_ms;
    tastes->scratch = tw_grow(tastes->scratch, &tastes->scratch_capacity, (size_t)profiles->inputs + 1, sizeof(float));
    if (!tw_model_profile_example(model, task, event, tastes->scratch, &shares))
        return;
    follow(tastes, profiles);
    tw_rng rng = tw_rng_at(tastes->seed, 53, tastes->met++);
    if (tw_rng_next(&rng) % tastes->every)
        return;
    size_t n = tastes->count + 1;
    tastes->rows = tw_grow(tastes->rows, &tastes->rows_capacity, n, sizeof *tastes->rows);
    tastes->times_ms = tw_grow(tastes->times_ms, &tastes->times_capacity, n, sizeof *tastes->times_ms);
    tastes->x = tw_grow(tastes->x, &tastes->x_capacity, tastes->x_size + (size_t)inputs, sizeof *tastes->x);
    memcpy(tastes->x + tastes->x_size, tastes->scratch + profiles->D, (size_t)inputs * sizeof(float));
    tastes->times_ms[tastes->count] = event->event_ms;
    tastes->rows[tastes->count++] = (tw_tastes_example){tastes->x_size, inputs, shares};
    tastes->x_size += (size_t)inputs;
}
