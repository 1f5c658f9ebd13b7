#include "pipeline/ingest/shop.h"
#include "base/hash.h"
#include "support/test.h"

#include <stdlib.h>

static tw_shop_options options(uint64_t events) {
    tw_shop_options o;
    tw_shop_defaults(&o);
    o.events = events;
    o.end_ms = 1700000000000;
    return o;
}

/* The number behind the last '-' or the first letter; -1 where there is none. */
static long number_of(tw_slice text) {
    char copy[32];
    if (text.size == 0 || text.size >= sizeof copy)
        return -1;
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    const char *dash = strrchr(copy, '-');
    char *end;
    long n = strtol(dash ? dash + 1 : copy + 1, &end, 10);
    return *end ? -1 : n;
}

static uint64_t digest(uint64_t seed) {
    tw_shop_options o = options(3000);
    o.seed = seed;
    tw_shop *shop = tw_shop_create(&o);
    tw_arena *arena = tw_arena_create(4096);
    tw_buf json = {0};
    tw_event e;
    bool broken;
    while (tw_shop_next(shop, arena, &e, &broken)) {
        tw_shop_write_json(&e, &json);
        tw_arena_reset(arena);
    }
    uint64_t h = tw_hash64(tw_buf_slice(&json));
    tw_buf_done(&json);
    tw_shop_free(shop);
    tw_arena_free(arena);
    return h;
}

TEST(the_same_seed_is_the_same_shop_and_another_is_another) {
    ASSERT_TRUE(digest(1) == digest(1));
    ASSERT_TRUE(digest(1) != digest(2));
}

TEST(the_shop_has_what_was_asked_for) {
    tw_shop_options o = options(100000);
    tw_shop *shop = tw_shop_create(&o);
    tw_arena *arena = tw_arena_create(4096);
    tw_event e;
    bool is_broken;
    static uint32_t seen[100000], item_counts[2000];
    uint64_t n = 0, duplicates = 0, broken = 0, late = 0, kinds[TW_KIND_COUNT] = {0};
    int64_t newest_ms = 0;
    while (tw_shop_next(shop, arena, &e, &is_broken)) {
        n++;
        broken += is_broken;
        kinds[e.kind]++;
        long id = number_of(e.event_id), item = number_of(e.item_id);
        ASSERT_TRUE(id >= 0 && id < 100000);
        duplicates += seen[id]++ > 0;
        if (!is_broken) {
            ASSERT_TRUE(item >= 0 && item < 2000);
            item_counts[item]++;
            late += e.event_ms < newest_ms - 60000 && seen[id] == 1;
            newest_ms = e.event_ms > newest_ms ? e.event_ms : newest_ms;
            ASSERT_LE(e.event_ms, o.end_ms);
        }
        tw_arena_reset(arena);
    }
    ASSERT_EQ(n, 100000);
    ASSERT_NEAR((double)duplicates / 1e5, o.duplicates, 0.003);
    ASSERT_NEAR((double)broken / 1e5, o.broken, 0.001);
    ASSERT_NEAR((double)late / 1e5, o.late, 0.004);
    for (int k = 0; k < TW_KIND_ITEM; k++)
        ASSERT_GT(kinds[k], 500);
    ASSERT_GT(newest_ms, o.end_ms - 3600000); /* ends now */
    uint64_t head = 0, tail = 0;
    for (int i = 0; i < 120; i++)
        head += item_counts[i];
    for (int i = 1880; i < 2000; i++)
        tail += item_counts[i];
    ASSERT_GT(head, 4 * tail); /* few items are met often */
    tw_shop_free(shop);
    tw_arena_free(arena);
}

TEST(tastes_shift_when_the_truth_says_so) {
    tw_shop_options o = options(200000);
    o.users = 50;
    o.shift_share = 1;
    tw_shop *shop = tw_shop_create(&o);
    tw_arena *arena = tw_arena_create(4096);
    static uint32_t met[3][50][TW_SHOP_CATEGORIES_MAX];
    tw_event e;
    bool broken;
    for (uint64_t n = 0; tw_shop_next(shop, arena, &e, &broken); n++) {
        long user = number_of(e.user_id), item = number_of(e.item_id);
        int phase = n < tw_shop_shift_at(&o, 0) ? 0 : n < tw_shop_shift_at(&o, 1) ? 1 : 2;
        if (!broken)
            met[phase][user][item % o.categories]++;
        tw_arena_reset(arena);
    }
    int agree = 0;
    for (uint32_t phase = 0; phase < 3; phase++)
        for (uint32_t user = 0; user < 50; user++) {
            uint32_t best = 0;
            for (uint32_t c = 1; c < o.categories; c++)
                best = met[phase][user][c] > met[phase][user][best] ? c : best;
            agree += best == tw_shop_favourite(&o, user, phase);
        }
    ASSERT_GE(agree, 140); /* of 150 */
    tw_shop_free(shop);
    tw_arena_free(arena);
}

/* What a user did since the last purchase: whether an item came again in the same category, and whether a cart came after that. */
typedef struct story {
    uint32_t seen[8];
    int count;
    long category;
    bool comparing, decided;
} story;

static void tell(story *s, const tw_event *e, long item, long category) {
    bool again = false;
    for (int i = 0; i < s->count && i < 8; i++)
        again |= s->seen[i] == (uint32_t)item;
    if (e->kind == TW_KIND_CART)
        s->decided = s->comparing;
    else if (category != s->category)
        s->comparing = s->decided = false;
    else
        s->comparing |= again;
    s->seen[s->count++ % 8] = (uint32_t)item;
    s->category = category;
}

TEST(in_the_funnel_who_compared_and_then_put_into_the_basket_buys_and_others_hardly_do) {
    static story stories[50000];
    tw_shop_options o = options(100000);
    o.users = 50000;
    o.funnel = true;
    o.duplicates = o.late = o.broken = 0;
    tw_shop *shop = tw_shop_create(&o);
    tw_arena *arena = tw_arena_create(4096);
    tw_event e;
    bool broken;
    double asked[2] = {0}, bought[2] = {0};
    while (tw_shop_next(shop, arena, &e, &broken)) {
        long user = number_of(e.user_id), item = number_of(e.item_id);
        story *s = &stories[user];
        asked[s->decided]++;
        bought[s->decided] += e.kind == TW_KIND_PURCHASE;
        if (e.kind == TW_KIND_PURCHASE)
            *s = (story){0};
        else
            tell(s, &e, item, item % o.categories);
        tw_arena_reset(arena);
    }
    ASSERT_GT(asked[true], 1000);
    ASSERT_GT(bought[true] / asked[true] * 100, 20);
    ASSERT_LT(bought[false] / asked[false] * 100, 8);
    tw_shop_free(shop);
    tw_arena_free(arena);
}
