/* Calibration against simulated draws, ADWIN against an oracle that keeps every value, and a shop with planted changes. */
#include "base/rng.h"
#include "drift/adwin.h"
#include "drift/mix.h"
#include "drift/user.h"
#include "support/planted.h"
#include "support/test.h"

#define K 12

/* Steady tastes, from narrow to even, in independent draws: alarms among users whose history has that length. The bound holds from each
 * event on, so events times e^-b is the most that may be expected. */
static double alarms_at(tw_rng *rng, int history, int users, double evidence) {
    double mix[TW_DRIFT_CATEGORIES], alarms = 0;
    for (int k = 0; k < TW_DRIFT_CATEGORIES; k++)
        mix[k] = k < K ? 1.0 / K : 1e-9;
    for (int u = 0; u < users; u++) {
        tw_drift_taste *taste = tw_drift_taste_create();
        double favourite = u % 3 ? u % 3 * 0.4 : 0;
        for (int i = 0; i < history + 50; i++) {
            uint32_t k = tw_rng_unit(rng) < favourite ? (uint32_t)u % K : tw_rng_below(rng, K);
            const tw_drift_taste_common common = {mix, 0, 512, i < history ? 1e9 : evidence};
            if (!tw_drift_taste_add(&taste, &common, (uint8_t)k, (uint32_t)i))
                continue;
            alarms++;
            tw_drift_taste_settle(taste);
        }
        tw_drift_taste_free(taste);
    }
    return alarms;
}

TEST(a_user_s_false_alarms_stay_below_the_bound_at_every_length_of_history) {
    static const int histories[] = {0, 1, 2, 5, 10, 30, 100, 300, 1000};
    tw_rng rng = tw_rng_at(tw_test_seed(), 1, 0);
    for (size_t h = 0; h < sizeof histories / sizeof histories[0]; h++) {
        double expected = 600 * 50 * exp(-5.0), alarms = alarms_at(&rng, histories[h], 600, 5);
        ASSERT_LT(alarms, expected + 5 * sqrt(expected));
    }
}

TEST(a_mix_that_stays_raises_nothing_and_one_that_changes_is_told_once) {
    tw_rng rng = tw_rng_at(tw_test_seed(), 2, 0);
    static tw_mix mix;
    static tw_mix_change change;
    int alarms = 0;
    tw_mix_init(&mix, K, 1e-6);
    for (int i = 0; i < 300000; i++) /* outcomes come in runs, as visits do */
        alarms += tw_mix_add(&mix, (int)(tw_rng_mix(tw_test_seed() + (uint64_t)i / 5) % K), i, &change);
    ASSERT_LE(alarms, 1);
    alarms = 0;
    for (int i = 0; i < 30000; i++)
        alarms += tw_mix_add(&mix, tw_rng_below(&rng, 10) < 3 ? 4 : (int)tw_rng_below(&rng, K), i, &change);
    ASSERT_GE(alarms, 1);
    ASSERT_LE(alarms, 2);
}

/* The same window as values, cut by the same rule: sums are taken anew from the values of each bucket. */
typedef struct oracle {
    double values[6000];
    int sizes[400], buckets, count; /* of the buckets, oldest first */
} oracle;

static void oracle_compress(oracle *o) {
    for (int size = 1; size <= o->count; size *= 2) {
        int of = 0, oldest = -1;
        for (int b = o->buckets - 1; b >= 0; b--)
            if (o->sizes[b] == size) {
                of++;
                oldest = b;
            }
        if (of <= TW_ADWIN_WIDTH)
            return;
        o->sizes[oldest] *= 2;
        memmove(&o->sizes[oldest + 1], &o->sizes[oldest + 2], (size_t)(o->buckets - oldest - 2) * sizeof(int));
        o->buckets--;
    }
}

static bool oracle_disagrees(const oracle *o, double delta, double range, int least) {
    double sum = 0, squares = 0;
    int n = o->count, n0 = 0;
    for (int i = 0; i < n; i++)
        sum += o->values[i];
    for (int i = 0; i < n; i++)
        squares += (o->values[i] - sum / n) * (o->values[i] - sum / n);
    double L = log(2 * log(n > 3 ? n : 3) / delta), v = squares / n;
    for (int b = 0; b < o->buckets; b++) {
        double s0 = 0;
        n0 += o->sizes[b];
        if (n0 < least || n - n0 < least)
            continue;
        for (int i = 0; i < n0; i++)
            s0 += o->values[i];
        double m = 1 / (1.0 / n0 + 1.0 / (n - n0));
        if (fabs(s0 / n0 - (sum - s0) / (n - n0)) > sqrt(2 * v * L / m) + 2 * range * L / (3 * m))
            return true;
    }
    return false;
}

static bool oracle_add(oracle *o, double value, double delta, double range, int least) {
    bool cut = false;
    o->values[o->count++] = value;
    o->sizes[o->buckets++] = 1;
    oracle_compress(o);
    while (oracle_disagrees(o, delta, range, least)) {
        cut = true;
        o->count -= o->sizes[0];
        memmove(o->values, o->values + o->sizes[0], (size_t)o->count * sizeof(double));
        memmove(o->sizes, o->sizes + 1, (size_t)--o->buckets * sizeof(int));
    }
    return cut;
}

TEST(adwin_cuts_where_an_oracle_that_keeps_every_value_cuts) {
    static oracle o;
    static tw_adwin adwin;
    tw_rng rng = tw_rng_at(tw_test_seed(), 3, 0);
    int cuts = 0;
    o = (oracle){0};
    tw_adwin_init(&adwin, 0.01, 1, 8);
    for (int i = 0; i < 3000; i++) {
        double value = (i / 700 % 2 ? 0.7 : 0.3) + 0.2 * (tw_rng_unit(&rng) - 0.5);
        bool cut = tw_adwin_add(&adwin, value, NULL);
        ASSERT_EQ(cut, oracle_add(&o, value, 0.01, 1, 8));
        ASSERT_NEAR(tw_adwin_count(&adwin), o.count, 0);
        cuts += cut;
    }
    ASSERT_GE(cuts, 4);
    tw_adwin_keep(&adwin, 50);
    ASSERT_LE(tw_adwin_count(&adwin), 50);
}

/* The drift table in small: the factor model, whose events are cheap, so that users and population alone are watched. */
TEST(planted_changes_are_noticed_and_little_else) {
    static planted p;
    tw_config config;
    tw_err err;
    tw_config_init(&config);
    config.drift_enabled = true;
    config.learn_model = TW_LEARN_MF;
    config.learn_dim = 8;
    p = (planted){0};
    tw_shop_defaults(&p.shop);
    p.shop.seed = 7;
    p.shop.users = 1000;
    p.shop.events = 620000;
    p.shop.end_ms = 1700000000000;
    p.shop.shifts = 0;
    p.shop.plant_every = 300000;
    p.shop.plant_share = 0.2;
    p.shop.plants_count = 1;
    ASSERT_OK(planted_run(&p, &config, &err));
    printf("  users: planted %llu, noticed %llu, median %u events, false %llu of %llu events\n",
           (unsigned long long)p.user_plants, (unsigned long long)p.user_found, planted_median(&p),
           (unsigned long long)p.user_false, (unsigned long long)p.events);
    ASSERT_GE(p.user_plants, 80);
    ASSERT_GE(p.user_found * 10, p.user_plants * 6);
    ASSERT_LE(p.user_false, 15);
    tw_config_done(&config);
}
