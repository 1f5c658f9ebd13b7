/* The judge on random streams: against a plain list with expiry, and against itself with commits and restarts in between. */
#include "base/alloc.h"
#include "base/rng.h"
#include "pipeline/clean/clean.h"
#include "pipeline/clean/dedup.h"
#include "support/test.h"

#include <stdlib.h>

#define EVENTS 20000

static tw_config config;

static void settings(bool exact) {
    tw_config_init(&config);
    config.dedup_exact = exact;
    config.dedup_window_click_ms = config.dedup_window_purchase_ms = config.dedup_window_review_ms = 25600;
    config.clean_lateness_click_ms = 9000;
    config.clean_lateness_purchase_ms = 20000;
    config.clean_lateness_review_ms = 25600;
}

/* Mostly forward, sometimes back, sometimes a leap; ids from a small set so that they repeat. */
static tw_event draw(tw_rng *rng, int64_t *time_ms, char *user, char *item) {
    *time_ms += tw_rng_below(rng, 40);
    if (tw_rng_below(rng, 2000) == 0)
        *time_ms += tw_rng_below(rng, 200000);
    int64_t event_ms = *time_ms - (tw_rng_below(rng, 4) == 0 ? (int64_t)tw_rng_below(rng, 30000) : 0);
    static const tw_kind kinds[] = {TW_KIND_CLICK, TW_KIND_PURCHASE, TW_KIND_REVIEW, TW_KIND_CART};
    snprintf(user, 16, "u%u", tw_rng_below(rng, 20));
    snprintf(item, 16, "i%u", tw_rng_below(rng, 30));
    tw_event e = {.kind = kinds[tw_rng_below(rng, 4)],
                  .has = TW_HAS_KIND | TW_HAS_TIME | TW_HAS_RATING,
                  .event_ms = event_ms,
                  .user_id = tw_slice_of(user),
                  .item_id = tw_slice_of(item),
                  .event_id = tw_slice_of(item),
                  .rating = tw_rng_below(rng, 7)};
    return e;
}

typedef struct seen {
    char id[40];
    uint64_t bucket;
} seen;

TEST(verdicts_agree_with_a_plain_list_of_ids_and_buckets) {
    for (int exact = 0; exact < 2; exact++) {
        settings(exact);
        tw_rng rng = tw_rng_at(tw_test_seed(), 5, (uint64_t)exact);
        tw_clean *c = tw_clean_create(&config);
        seen *plain = tw_zalloc(EVENTS * sizeof *plain);
        size_t n = 0;
        int64_t time_ms = 1000000, watermark_ms = INT64_MIN;
        uint64_t newest[TW_WINDOW_COUNT] = {0};
        uint64_t verdicts[TW_VERDICT_COUNT] = {0};
        for (int i = 0; i < EVENTS; i++) {
            char user[16], item[16], id[40];
            tw_event e = draw(&rng, &time_ms, user, item);
            tw_reason reason;
            int window = e.kind == TW_KIND_PURCHASE ? 1 : e.kind == TW_KIND_REVIEW ? 2 : 0;
            const int64_t lateness_ms[] = {9000, 20000, 25600};
            tw_verdict expected = TW_VERDICT_APPLIED;
            if (e.rating < 1 || e.rating > 5) {
                expected = TW_VERDICT_DEAD;
            } else if (watermark_ms != INT64_MIN && e.event_ms < watermark_ms - lateness_ms[window]) {
                expected = TW_VERDICT_LATE;
            } else {
                uint64_t bucket = (uint64_t)e.event_ms / 100;
                int64_t now_ms = e.event_ms > watermark_ms ? e.event_ms : watermark_ms;
                if ((uint64_t)now_ms / 100 > newest[window])
                    newest[window] = (uint64_t)now_ms / 100;
                snprintf(id, sizeof id, "%d/%s", (int)e.kind, item);
                size_t at = 0;
                while (at < n && !(strcmp(plain[at].id, id) == 0 && plain[at].bucket + 256 >= newest[window]))
                    at++;
                if (at < n) {
                    expected = TW_VERDICT_DUPLICATE;
                } else {
                    strcpy(plain[n].id, id);
                    /* a duplicate moves the window on, but not the watermark: what comes after it may lie before the window, and is kept as
                     * if it had come just in time */
                    plain[n++].bucket = bucket + 256 < newest[window] ? newest[window] - 256 : bucket;
                    watermark_ms = now_ms;
                }
            }
            ASSERT_EQ(tw_clean_judge(c, &e, TW_REASON_NONE, INT64_MAX / 2, &reason), expected);
            verdicts[expected]++;
            uint64_t sum = 0;
            for (int v = 0; v < TW_VERDICT_COUNT; v++) {
                sum += tw_clean_counters_get(c)->verdicts[v];
                ASSERT_EQ(tw_clean_counters_get(c)->verdicts[v], verdicts[v]);
            }
            ASSERT_EQ(sum, i + 1);
        }
        for (int v = 0; v < TW_VERDICT_COUNT; v++)
            ASSERT_GT(verdicts[v], 100); /* the stream must try them all */
        free(plain);
        tw_clean_free(c);
        tw_config_done(&config);
    }
}

/* What a store would hold: the meta of the last commit and the logs in order. */
typedef struct kept {
    tw_buf meta;
    struct {
        tw_clean_window window;
        uint64_t bucket;
        tw_buf bytes;
    } logs[8000];
    size_t logs_count;
} kept;

static void commit(tw_clean *c, kept *k) {
    tw_clean_window window;
    uint64_t bucket;
    tw_slice bytes;
    tw_buf_clear(&k->meta);
    tw_clean_encode_meta(c, &k->meta);
    while (tw_clean_next_change(c, &window, &bucket, &bytes)) {
        ASSERT_LT(k->logs_count, 8000);
        k->logs[k->logs_count].window = window;
        k->logs[k->logs_count].bucket = bucket;
        tw_buf_put(&k->logs[k->logs_count++].bytes, bytes.data, bytes.size);
    }
    size_t left = 0;
    for (size_t i = 0; i < k->logs_count; i++) {
        if (k->logs[i].bucket < tw_clean_drop_below(c, k->logs[i].window)) {
            tw_buf_done(&k->logs[i].bytes);
            continue;
        }
        k->logs[left++] = k->logs[i];
    }
    for (size_t i = left; i < k->logs_count; i++)
        k->logs[i].bytes = (tw_buf){0};
    k->logs_count = left;
}

static tw_clean *restart(tw_clean *c, const kept *k) {
    tw_err err;
    tw_clean_free(c);
    c = tw_clean_create(&config);
    ASSERT_OK(tw_clean_load_meta(c, tw_buf_slice(&k->meta), &err));
    for (size_t i = 0; i < k->logs_count; i++)
        ASSERT_OK(tw_clean_load_log(c, k->logs[i].window, k->logs[i].bucket, tw_buf_slice(&k->logs[i].bytes), &err));
    return c;
}

TEST(any_split_into_commits_and_restarts_leaves_the_same_verdicts_and_digest) {
    static kept k;
    for (int exact = 0; exact < 2; exact++) {
        settings(exact);
        config.dedup_ids_max = 1200; /* forgetting early must survive a restart too */
        tw_rng rng = tw_rng_at(tw_test_seed(), 6, (uint64_t)exact),
               cuts = tw_rng_at(tw_test_seed(), 7, (uint64_t)exact);
        tw_clean *whole = tw_clean_create(&config), *cut = tw_clean_create(&config);
        int64_t time_ms = 1000000;
        memset(&k, 0, sizeof k);
        for (int i = 0; i < EVENTS; i++) {
            char user[16], item[32];
            tw_reason reason, reason2;
            tw_event e = draw(&rng, &time_ms, user, item);
            snprintf(item, sizeof item, "i%u", tw_rng_below(&rng, 3000));
            e.event_id = tw_slice_of(item);
            ASSERT_EQ(tw_clean_judge(whole, &e, TW_REASON_NONE, INT64_MAX / 2, &reason),
                      tw_clean_judge(cut, &e, TW_REASON_NONE, INT64_MAX / 2, &reason2));
            ASSERT_EQ(reason, reason2);
            uint32_t die = tw_rng_below(&cuts, 400);
            if (die < 4)
                commit(cut, &k);
            if (die == 0)
                cut = restart(cut, &k);
        }
        tw_buf a = {0}, b = {0};
        tw_clean_digest(whole, &a);
        tw_clean_digest(cut, &b);
        ASSERT_TRUE(tw_slice_equal(tw_buf_slice(&a), tw_buf_slice(&b)));
        tw_buf_done(&a);
        tw_buf_done(&b);
        for (size_t i = 0; i < k.logs_count; i++)
            tw_buf_done(&k.logs[i].bytes);
        tw_buf_done(&k.meta);
        tw_clean_free(whole);
        tw_clean_free(cut);
        tw_config_done(&config);
    }
}
