/* Hits over opportunities by class. Called by learning before the past changes, and by scoring for each newest past item. */
#include "model/repeat.h"

#include <math.h>

/* A class that was never seen behaves like one hit in a hundred (chosen, not measured). */
#define PRIOR_HITS 0.1
#define PRIOR_CHANCES 10.0
/* Old counts fade, so that a class follows the stream: halved at this many chances. */
#define CHANCES_MAX 1e6

void tw_repeat_init(tw_repeat *repeat, const tw_config *config) {
    *repeat = (tw_repeat){.items_max = (uint32_t)config->learn_repeat_items};
}

static int class_of(const tw_user *u, uint32_t place, int64_t now_ms) {
    static const uint8_t place_classes[] = {0, 1, 2, 3, 4, 4, 5, 5, 5, 6, 6, 6, 6, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7};
    static const int64_t time_edges_s[TW_REPEAT_TIMES - 1] = {1, 60, 600, 3600, 86400, 604800, 2419200};
    uint32_t since = u->past_count - 1 - place;
    int by_place = since < sizeof place_classes ? place_classes[since] : TW_REPEAT_PLACES - 1;
    int64_t age_s = now_ms / 1000 - (int64_t)u->times_s[place];
    int by_time = 0;
    while (by_time < TW_REPEAT_TIMES - 1 && age_s >= time_edges_s[by_time])
        by_time++;
    int by_count =
        u->counts[place] < TW_REPEAT_COUNTS ? u->counts[place] - (u->counts[place] > 0) : TW_REPEAT_COUNTS - 1;
    int bought = (u->flags[place] & TW_PAST_BOUGHT) != 0;
    return ((by_place * TW_REPEAT_TIMES + by_time) * TW_REPEAT_COUNTS + by_count) * 2 + bought;
}

static uint32_t first_asked(const tw_repeat *repeat, const tw_user *u) {
    return u->past_count > repeat->items_max ? u->past_count - repeat->items_max : 0;
}

void tw_repeat_learn(tw_repeat *repeat, const tw_user *u, uint32_t target, int64_t now_ms) {
    for (uint32_t place = first_asked(repeat, u); place < u->past_count; place++) {
        int c = class_of(u, place, now_ms);
        repeat->chances[c] += 1;
        repeat->hits[c] += u->items[place] == target;
        if (repeat->chances[c] > CHANCES_MAX) {
            repeat->chances[c] *= 0.5;
            repeat->hits[c] *= 0.5;
        }
    }
}

float tw_repeat_score(const tw_repeat *repeat, const tw_user *u, uint32_t place, int64_t now_ms) {
    int c = class_of(u, place, now_ms);
    return (float)log2((repeat->hits[c] + PRIOR_HITS) / (repeat->chances[c] + PRIOR_CHANCES));
}

void tw_repeat_encode(const tw_repeat *repeat, tw_buf *out) {
    tw_buf_put(out, repeat->hits, sizeof repeat->hits);
    tw_buf_put(out, repeat->chances, sizeof repeat->chances);
}

tw_code tw_repeat_load(tw_repeat *repeat, tw_slice bytes, tw_err *err) {
    if (bytes.size != sizeof repeat->hits + sizeof repeat->chances)
        return tw_fail(err, TW_E_STORE, "the table of repeats is damaged");
    memcpy(repeat->hits, bytes.data, sizeof repeat->hits);
    memcpy(repeat->chances, bytes.data + sizeof repeat->hits, sizeof repeat->chances);
    return TW_OK;
}
