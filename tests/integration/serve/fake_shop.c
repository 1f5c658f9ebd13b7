/* The make-believe shop; see fake_shop.h. Called by the server's threads. */
#include "fake_shop.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/rng.h"
#include "base/json.h"
#include "pipeline/publish/sink.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct thing {
    const char *id, *title, *category;
} thing;

static const thing things[] = {
    {"i-1041", "Gooseneck kettle, 0.9 l", "Tea & coffee"},
    {"i-1187", "Sencha, first flush, 100 g", "Tea & coffee"},
    {"i-1203", "Hand grinder with steel burrs", "Tea & coffee"},
    {"i-1220", "Genmaicha, 250 g", "Tea & coffee"},
    {"i-1266", "Pour-over stand in ash", "Tea & coffee"},
    {"i-1302", "Cold brew bottle, 1 l", "Tea & coffee"},
    {"i-2014", "Cast iron skillet, 26 cm", "Kitchen"},
    {"i-2077", "Bread proofing basket", "Kitchen"},
    {"i-2130", "Japanese petty knife, 150 mm", "Kitchen"},
    {"i-2188", "Enamel roasting tin", "Kitchen"},
    {"i-2201", "Beeswax wraps, set of five", "Kitchen"},
    {"i-2245", "Digital scale, 0.1 g", "Kitchen"},
    {"i-3009", "A Field Guide to Mosses", "Books"},
    {"i-3056", "The Tidal Year", "Books"},
    {"i-3101", "Maps of Imaginary Rivers", "Books"},
    {"i-3144", "Bread, Slowly", "Books"},
    {"i-3178", "Letters from the Lighthouse", "Books"},
    {"i-3215", "How Gardens Remember", "Books"},
    {"i-4020", "Copper watering can, 1.5 l", "Garden"},
    {"i-4066", "Heirloom tomato seeds, mix", "Garden"},
    {"i-4103", "Folding pruning saw", "Garden"},
    {"i-4158", "Terracotta pot with saucer", "Garden"},
    {"i-4190", "Jute twine, 100 m", "Garden"},
    {"i-4231", "Bulb planter, long handle", "Garden"},
    {"i-5011", "Down quilt, two season", "Outdoors"},
    {"i-5048", "Titanium mug, 450 ml", "Outdoors"},
    {"i-5093", "Headlamp, 400 lumens", "Outdoors"},
    {"i-5127", "Merino base layer", "Outdoors"},
    {"i-5166", "Packraft repair kit", "Outdoors"},
    {"i-5209", "Trekking poles, carbon", "Outdoors"},
};
#define THINGS_COUNT (sizeof things / sizeof things[0])

/* Shares of a stream that has its troubles; of the dead letters, by reason. */
static const double shares[TW_VERDICT_COUNT] = {.9717, .0224, .0043, .0016};
static const struct {
    tw_reason reason;
    double share;
} troubles[] = {{TW_REASON_MALFORMED, .44},
                {TW_REASON_EMPTY_ID, .23},
                {TW_REASON_FUTURE_TIME, .17},
                {TW_REASON_RATING_RANGE, .09},
                {TW_REASON_BAD_UTF8, .07}};

static const char *const sources[] = {"context", "transitions", "repeat", "trending", "popular"};

static tw_slice text(const char *s) {
    return tw_slice_of(s);
}

/* ---- lists -------------------------------------------------------------------------------------------------------- */

static void fill_item(tw_rng *rng, const thing *one, float score, tw_list_item *item) {
    float left = 1;
    const thing *past = &things[tw_rng_below(rng, THINGS_COUNT)];
    int first = (int)tw_rng_below(rng, 3), count = 1 + (int)tw_rng_below(rng, 3);
    *item = (tw_list_item){text(one->id), text(one->title), text(one->category), score, 0, {{0}}};
    if (first == 2) /* met before: the reason is the item itself */
        past = one;
    for (int r = 0; r < count; r++) {
        float share = r == count - 1 ? left : left * (float)(.5 + .4 * tw_rng_unit(rng));
        item->reasons[item->reasons_count++] =
            (tw_list_reason){sources[(first + r) % 5], share, text(past->id), text(past->title)};
        left -= share;
    }
}

/* A list of at most top things, each once, from a place that the seed decides. */
static void fill_list(uint64_t seed, int top, tw_slice category, tw_slice skip, tw_list *list, tw_list_item *items) {
    tw_rng rng = tw_rng_at(seed, 1, 2);
    uint32_t start = tw_rng_below(&rng, THINGS_COUNT);
    float score = 4.2f;
    list->items = items;
    for (uint32_t i = 0; i < THINGS_COUNT && list->count < top; i++) {
        const thing *one = &things[(start + 7 * i) % THINGS_COUNT];
        if ((category.size && !tw_slice_equal(category, text(one->category))) || tw_slice_equal(skip, text(one->id)))
            continue;
        fill_item(&rng, one, score, &items[list->count++]);
        score *= .87f + .1f * (float)tw_rng_unit(&rng);
    }
}

static tw_code recommend(void *self, tw_slice user_id, int top, tw_slice category, int wait_ms, tw_buf *out,
                         tw_err *err) {
    fake_shop *shop = self;
    tw_list_item items[THINGS_COUNT];
    pthread_mutex_lock(&shop->lock);
    snprintf(shop->question, sizeof shop->question, "user " TW_SLICE_FMT " top %d category " TW_SLICE_FMT,
             TW_SLICE_ARG(user_id), top, TW_SLICE_ARG(category));
    pthread_mutex_unlock(&shop->lock);
    if (shop->silent)
        return tw_fail(err, TW_E_BUSY, "the engine did not answer within %d ms", wait_ms);
    tw_list list = {.user_id = user_id, .known = user_id.data[0] == 'u', .list_version = 41, .event_ms = INT64_MIN};
    fill_list(tw_hash64(user_id), top, category, (tw_slice){0}, &list, items);
    tw_list_write_json(&list, out);
    return TW_OK;
}

static tw_code profile(void *self, tw_slice user_id, int wait_ms, tw_buf *out, tw_err *err) {
    static const char *const categories[] = {"Tea & coffee", "Kitchen", "Books", "Garden", "Outdoors"};
    fake_shop *shop = self;
    tw_rng rng = tw_rng_at(tw_hash64(user_id), 7, 8);
    if (shop->silent)
        return tw_fail(err, TW_E_BUSY, "the engine did not answer within %d ms", wait_ms);
    if (user_id.data[0] != 'u' || shop->unprofiled)
        return tw_fail(err, TW_E_NOT_FOUND, "no such user");
    int64_t now_ms = tw_clock_wall_ms(&tw_clock_system);
    tw_user_profile p = {.user_id = user_id,
                         .profile_version = 41,
                         .event_ms = now_ms - 61000,
                         .price = 23.5,
                         .price_band = TW_PRICE_MIDDLE,
                         .events = 137,
                         .events_per_day = 4.2,
                         .first_ms = now_ms - 40 * 86400000LL,
                         .last_ms = now_ms - 61000,
                         .segment = TW_SEGMENT_LOYAL,
                         .propensity = NAN,
                         .distance = .18,
                         .moves_count = 1};
    tw_profile_shares *all[] = {&p.categories, &p.interests_short, &p.interests_long};
    uint32_t first = tw_rng_below(&rng, 5);
    for (uint32_t k = 0; k < 3; k++) {
        all[k]->count = 5;
        for (uint32_t i = 0; i < 5; i++)
            all[k]->shares[i] = (tw_profile_share){text(categories[(first + i + (k == 2)) % 5]),
                                                   (float[]){.46f, .24f, .16f, .09f, .05f}[i]};
    }
    p.moves[0] = (tw_profile_move){text(categories[first]), .31f, .46f};
    tw_profile_write_json(&p, out);
    return TW_OK;
}

static tw_code past(void *self, tw_slice user_id, int max, int wait_ms, tw_buf *out, tw_err *err) {
    fake_shop *shop = self;
    if (shop->silent)
        return tw_fail(err, TW_E_BUSY, "the engine did not answer within %d ms", wait_ms);
    if (user_id.data[0] != 'u')
        return tw_fail(err, TW_E_NOT_FOUND, "no such user");
    tw_rng rng = tw_rng_at(tw_hash64(user_id), 9, 10);
    uint32_t start = tw_rng_below(&rng, THINGS_COUNT);
    int64_t at_ms = tw_clock_wall_ms(&tw_clock_system) - 61000;
    for (int i = 0; i < max && i < 8; i++) {
        const thing *one = &things[(start + 11 * (uint32_t)i) % THINGS_COUNT];
        tw_buf_printf(out,
                      "%s{\"item_id\":\"%s\",\"title\":\"%s\",\"category\":\"%s\",\"met_ms\":%" PRId64
                      ",\"times\":%d,\"bought\":%s,\"disliked\":false}",
                      i ? "," : "[", one->id, one->title, one->category, at_ms, 1 + i % 3,
                      i % 4 == 2 ? "true" : "false");
        at_ms -= 400000LL * (i + 1) * (i + 1);
    }
    tw_buf_u8(out, ']');
    return TW_OK;
}

static tw_code names(void *self, int wait_ms, int *ret_scorers, tw_buf *out, tw_err *err) {
    fake_shop *shop = self;
    if (shop->silent)
        return tw_fail(err, TW_E_BUSY, "the engine did not answer within %d ms", wait_ms);
    tw_buf_printf(out,
                  "\"scorers\":[\"context\",\"transitions\",\"trending\",\"popular\",\"repeat\"],\"categories\":[%s]",
                  shop->unprofiled ? "" : "\"Tea & coffee\",\"Kitchen\",\"Books\",\"Garden\",\"Outdoors\"");
    *ret_scorers = 5;
    return TW_OK;
}

static tw_code similar(void *self, tw_slice item_id, int top, int wait_ms, tw_buf *out, tw_err *err) {
    fake_shop *shop = self;
    tw_list_item items[THINGS_COUNT];
    const thing *one = NULL;
    pthread_mutex_lock(&shop->lock);
    snprintf(shop->question, sizeof shop->question, "item " TW_SLICE_FMT " top %d", TW_SLICE_ARG(item_id), top);
    pthread_mutex_unlock(&shop->lock);
    if (shop->silent)
        return tw_fail(err, TW_E_BUSY, "the engine did not answer within %d ms", wait_ms);
    for (size_t i = 0; i < THINGS_COUNT; i++)
        if (tw_slice_equal(item_id, text(things[i].id)))
            one = &things[i];
    if (!one)
        return tw_fail(err, TW_E_NOT_FOUND, "no such item");
    tw_list list = {.event_ms = INT64_MIN};
    fill_list(tw_hash64(item_id), top, text(one->category), item_id, &list, items);
    for (int i = 0; i < list.count; i++)
        items[i].reasons_count = 0;
    tw_buf_printf(out,
                  "{\"item_id\":\"%s\",\"title\":\"%s\",\"category\":\"%s\",\"list_version\":41,\"items\":", one->id,
                  one->title, one->category);
    tw_list_write_items_json(&list, out);
    tw_buf_u8(out, '}');
    return TW_OK;
}

/* ---- counters ----------------------------------------------------------------------------------------------------- */

static void make_list(fake_shop *shop, int64_t now_ms) {
    tw_rng rng = tw_rng_at(++shop->lists_made, 3, 4);
    char user[32];
    tw_list_item items[20];
    tw_buf list_json = {0}, *out = &shop->newest[shop->lists_made % 8];
    snprintf(user, sizeof user, "u-%05" PRIu32, tw_rng_below(&rng, 100000));
    int64_t latency_ms = (int64_t)exp(6.4 + .55 * tw_rng_normal(&rng));
    tw_list list = {
        .user_id = text(user), .known = true, .list_version = shop->lists_made, .event_ms = now_ms - latency_ms};
    fill_list(shop->lists_made, 20, (tw_slice){0}, (tw_slice){0}, &list, items);
    tw_list_write_json(&list, &list_json);
    tw_buf_clear(out);
    tw_buf_printf(out, "{\"made_ms\":%" PRId64 ",\"latency_ms\":%" PRId64 ",", now_ms, latency_ms);
    tw_buf_put(out, list_json.data + 1, list_json.size - 1);
    tw_buf_done(&list_json);
}

static void count_lists(fake_shop *shop, uint64_t lists) {
    shop->stats.totals.lists += lists;
    for (int b = 0; b < TW_METRIC_BUCKETS; b++) { /* log-normal about 600 ms, by the middle of the bucket */
        double distance = (log(1000 * tw_metric_bucket_edge(b) / 1.41) - 6.4) / .75;
        shop->stats.freshness[b] += (uint64_t)((double)lists * .36 * exp(-.5 * distance * distance));
    }
}

static void move_on(fake_shop *shop, int64_t now_ns) {
    double since_s = (double)(now_ns - shop->counted_ns) / 1e9, at_s = (double)(now_ns - shop->started_ns) / 1e9;
    tw_rng rng = tw_rng_at((uint64_t)now_ns, 5, 6);
    double wave = 1 + .16 * sin(at_s / 23) + .07 * sin(at_s / 5.3) + .025 * tw_rng_normal(&rng);
    double events = shop->speed * since_s * wave;
    tw_totals *totals = &shop->stats.totals;
    for (int v = 0; v < TW_VERDICT_COUNT; v++) {
        double much = v == TW_VERDICT_LATE ? 1 + .8 * sin(at_s / 11) : 1;
        if (v == TW_VERDICT_DEAD && shop->clean)
            much = 0;
        shop->part[v] += events * shares[v] * much;
        uint64_t whole = (uint64_t)shop->part[v];
        shop->part[v] -= (double)whole;
        totals->verdicts[v] += whole;
        totals->consumed += whole;
    }
    uint64_t left = totals->verdicts[TW_VERDICT_DEAD];
    for (size_t i = 0; i < sizeof troubles / sizeof troubles[0]; i++) { /* the first takes what rounding leaves */
        totals->reasons[troubles[i].reason] = (uint64_t)(troubles[i].share * (double)totals->verdicts[TW_VERDICT_DEAD]);
        left -= totals->reasons[troubles[i].reason];
    }
    totals->reasons[troubles[0].reason] += left;
    count_lists(shop, (uint64_t)(events * .035));
    tw_serve_trend *trend = &shop->stats.trend;
    uint64_t asked = (uint64_t)(events / 48);
    trend->hits.asked += asked;
    trend->hits.blend += (uint64_t)((double)asked * (.36 + .03 * sin(at_s / 9)));
    for (int i = 0; i < 5; i++)
        trend->hits.by[i] +=
            (uint64_t)((double)asked * ((double[]){.24, .29, .05, .03, .17}[i] + .02 * sin(at_s / (5 + i))));
    trend->categories = shop->unprofiled ? 0 : 5;
    for (int c = 0; c < 5; c++)
        trend->counts[c] += events * (.2 + .12 * sin(at_s / 17 + 1.3 * c));
    shop->stats.lag = floor(40 + 30 * sin(at_s / 3));
    shop->counted_ns = now_ns;
}

static tw_code stats(void *self, int wait_ms, tw_serve_stats *ret_stats) {
    fake_shop *shop = self;
    (void)wait_ms;
    if (shop->silent)
        return TW_E_BUSY;
    pthread_mutex_lock(&shop->lock);
    if (!shop->empty) {
        move_on(shop, tw_clock_steady_ns(&tw_clock_system));
        shop->stats.users = 184000 + shop->stats.totals.consumed / 900;
        shop->stats.items = 12480;
        shop->stats.users_owed = 300 + shop->stats.totals.consumed % 120;
        shop->stats.watermark_ms = tw_clock_wall_ms(&tw_clock_system) - 240;
        shop->stats.store = (tw_store_stats){.commits = shop->stats.totals.consumed / 24000,
                                             .journal_bytes = 38u << 20,
                                             .map_used_bytes = 1431655765,
                                             .map_max_bytes = 64ull << 30};
    }
    *ret_stats = shop->stats;
    pthread_mutex_unlock(&shop->lock);
    return TW_OK;
}

static tw_code drifts(void *self, const char *scope, int max, int wait_ms, tw_buf *out, tw_err *err) {
    fake_shop *shop = self;
    tw_drift_record r = {.subject = "categories",
                         .from = {INT64_MIN, 400, NAN},
                         .to = {INT64_MIN, 9, NAN},
                         .size = .3,
                         .bound = 1e-6,
                         .evidence_count = 2,
                         .evidence = {{text("Books"), .1, .6}, {text("Kitchen"), .5, .1}}};
    if (shop->silent)
        return tw_fail(err, TW_E_BUSY, "the engine did not answer within %d ms", wait_ms);
    int64_t now_ms = tw_clock_wall_ms(&tw_clock_system);
    tw_buf_u8(out, '[');
    for (int i = 0; i < max && i < 12 && !shop->empty; i++) {
        r.scope = scope ? scope : (const char *[]){"user", "population", "model"}[i % 3];
        r.user_id = text(strcmp(r.scope, "user") == 0 ? "u-00007" : "");
        r.number = (uint64_t)(12 - i);
        r.event_ms = now_ms - 20000 * i;
        if (i)
            tw_buf_u8(out, ',');
        tw_drift_write_json(&r, out);
    }
    tw_buf_u8(out, ']');
    return TW_OK;
}

static void newest(void *self, int max, tw_buf *out) {
    fake_shop *shop = self;
    pthread_mutex_lock(&shop->lock);
    int64_t now_ns = tw_clock_steady_ns(&tw_clock_system), now_ms = tw_clock_wall_ms(&tw_clock_system);
    if (!shop->empty && !shop->silent)
        for (int i = 0; i < 8 && shop->listed_ns + 400000000 < now_ns; i++, shop->listed_ns += 400000000)
            make_list(shop, now_ms - (int64_t)((now_ns - shop->listed_ns) / 1000000) % 400);
    tw_buf_u8(out, '[');
    for (uint64_t i = 0; i < 8 && i < shop->lists_made && i < (uint64_t)max; i++) {
        const tw_buf *one = &shop->newest[(shop->lists_made - i) % 8];
        if (i)
            tw_buf_u8(out, ',');
        tw_buf_put(out, one->data, one->size);
    }
    tw_buf_u8(out, ']');
    pthread_mutex_unlock(&shop->lock);
}

static bool ready(void *self) {
    return ((fake_shop *)self)->ready;
}

void fake_shop_init(fake_shop *shop, double speed) {
    memset(shop, 0, sizeof *shop);
    shop->ready = true;
    shop->speed = speed;
    shop->stats.watermark_ms = INT64_MIN;
    shop->started_ns = shop->counted_ns = tw_clock_steady_ns(&tw_clock_system);
    shop->listed_ns = shop->started_ns - 3600000000; /* eight lists are there at once */
    pthread_mutex_init(&shop->lock, NULL);
}

void fake_shop_done(fake_shop *shop) {
    for (int i = 0; i < 8; i++)
        tw_buf_done(&shop->newest[i]);
    pthread_mutex_destroy(&shop->lock);
}

tw_serve_backend fake_shop_backend(fake_shop *shop) {
    return (tw_serve_backend){shop, stats, recommend, similar, profile, past, names, drifts, newest, ready};
}

const char *fake_shop_question(fake_shop *shop) {
    static char copy[sizeof shop->question];
    pthread_mutex_lock(&shop->lock);
    memcpy(copy, shop->question, sizeof copy);
    pthread_mutex_unlock(&shop->lock);
    return copy;
}
