/* The rules by which a profile is put into words. Called by the engine. */
#include "base/user_profile.h"

#define DAY_MS 86400000LL
#define SLEEPING_MS (30 * DAY_MS)
#define LOYAL_MS (7 * DAY_MS)
#define NEW_EVENTS 5
#define LOYAL_EVENTS 20

tw_segment tw_segment_of(uint32_t events, int64_t first_ms, int64_t last_ms, int64_t now_ms) {
    if (now_ms - last_ms >= SLEEPING_MS)
        return TW_SEGMENT_SLEEPING;
    if (events < NEW_EVENTS)
        return TW_SEGMENT_NEW;
    return events >= LOYAL_EVENTS && last_ms - first_ms >= LOYAL_MS ? TW_SEGMENT_LOYAL : TW_SEGMENT_ACTIVE;
}

const char *tw_segment_name(tw_segment segment) {
    static const char *const names[] = {"sleeping", "new", "loyal", "active"};
    return names[segment];
}

const char *tw_price_band_name(tw_price_band band) {
    static const char *const names[] = {"low", "middle", "high"};
    return names[band];
}

void tw_profile_shares_pick(const float *shares, uint32_t count, tw_slice (*name)(const void *self, uint32_t i),
                            const void *self, tw_profile_shares *ret_shares) {
    tw_profile_share *picked = ret_shares->shares;
    int n = 0;
    for (uint32_t c = 0; c < count; c++) {
        float share = shares[c];
        if (!(share >= (float)TW_PROFILE_SHARE_LEAST) || (n == TW_PROFILE_SHARES_MAX && share <= picked[n - 1].share))
            continue;
        int place = n < TW_PROFILE_SHARES_MAX ? n++ : n - 1;
        for (; place > 0 && picked[place - 1].share < share; place--)
            picked[place] = picked[place - 1];
        picked[place] = (tw_profile_share){name(self, c), share};
    }
    ret_shares->count = n;
}

static float size_of(const tw_profile_move *move) {
    return move->to > move->from ? move->to - move->from : move->from - move->to;
}

void tw_profile_moves_pick(const float *from, const float *to, uint32_t count,
                           tw_slice (*name)(const void *self, uint32_t i), const void *self, tw_user_profile *profile) {
    tw_profile_move *moves = profile->moves;
    int n = 0;
    for (uint32_t c = 0; c < count; c++) {
        tw_profile_move move = {.from = from[c], .to = to[c]};
        float size = size_of(&move);
        if (!(size >= (float)TW_PROFILE_SHARE_LEAST) || (n == TW_PROFILE_MOVES_MAX && size <= size_of(&moves[n - 1])))
            continue;
        int place = n < TW_PROFILE_MOVES_MAX ? n++ : n - 1;
        for (; place > 0 && size_of(&moves[place - 1]) < size; place--)
            moves[place] = moves[place - 1];
        move.category = name(self, c);
        moves[place] = move;
    }
    profile->moves_count = n;
}
