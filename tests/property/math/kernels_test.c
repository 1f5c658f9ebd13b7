/* Each build of the kernels against plain loops in double. */
#include "base/rng.h"
#include "math/kernels.h"
#include "support/test.h"

#define D_MAX 512

static void fill(tw_rng *rng, float *x, int n) {
    for (int i = 0; i < n; i++)
        x[i] = (float)tw_rng_normal(rng);
}

#define EACH_BUILD(k)                                        \
    for (int build_ = 0; tw_kernels_names[build_]; build_++) \
        for (const tw_kernels *k = tw_kernels_named(tw_kernels_names[build_]); k; k = NULL)

TEST(every_build_of_dot_agrees_with_a_sum_in_double) {
    EACH_BUILD(k) {
        tw_rng rng = tw_rng_at(tw_test_seed(), 1, 0);
        for (int round = 0; round < 300; round++) {
            static float a[D_MAX], b[D_MAX];
            int D = 4 * (1 + (int)tw_rng_below(&rng, D_MAX / 4));
            double sum = 0, size = 0;
            fill(&rng, a, D);
            fill(&rng, b, D);
            for (int d = 0; d < D; d++) {
                sum += (double)a[d] * (double)b[d];
                size += fabs((double)a[d] * (double)b[d]);
            }
            ASSERT_NEAR(k->dot(a, b, D), sum, 1e-5 * (size + 1));
        }
    }
}

/* Any number of rows, one of them twice, and D that is no whole number of registers. */
TEST(every_build_of_many_dots_agrees_with_sums_in_double) {
    EACH_BUILD(k) {
        tw_rng rng = tw_rng_at(tw_test_seed(), 8, 0);
        for (int round = 0; round < 300; round++) {
            static float rows[11][D_MAX], x[D_MAX];
            const float *pointers[12];
            float scores[13];
            int D = 4 * (1 + (int)tw_rng_below(&rng, D_MAX / 4)), n = (int)tw_rng_below(&rng, 13);
            fill(&rng, x, D_MAX); /* what lies behind D is not read into the sums */
            for (int j = 0; j < 11; j++)
                fill(&rng, rows[j], D_MAX);
            for (int j = 0; j < 12; j++)
                pointers[j] = rows[j % 11];
            scores[n] = 77;
            k->dot_each(pointers, x, scores, n, D);
            for (int j = 0; j < n; j++) {
                double sum = 0, size = 0;
                for (int d = 0; d < D; d++) {
                    sum += (double)pointers[j][d] * (double)x[d];
                    size += fabs((double)pointers[j][d] * (double)x[d]);
                }
                ASSERT_NEAR(scores[j], sum, 1e-5 * (size + 1));
            }
            ASSERT_EQ((int)scores[n], 77);
        }
    }
}

TEST(every_build_of_the_updates_agrees_with_plain_loops) {
    EACH_BUILD(k) {
        tw_rng rng = tw_rng_at(tw_test_seed(), 2, 0);
        for (int round = 0; round < 300; round++) {
            static float x[D_MAX], y[D_MAX], g[D_MAX], y2[D_MAX], g2[D_MAX];
            int D = 4 * (1 + (int)tw_rng_below(&rng, D_MAX / 4));
            float alpha = (float)tw_rng_normal(&rng), beta = (float)tw_rng_normal(&rng);
            fill(&rng, x, D);
            fill(&rng, y, D);
            fill(&rng, g, D);
            memcpy(y2, y, sizeof y);
            memcpy(g2, g, sizeof g);
            float *twice[] = {y2, y2}; /* the second step sees what the first left */
            k->pull_each(twice, (const float[]){alpha, alpha}, (const float[]){beta, beta}, x, g2, 2, D);
            for (int d = 0; d < D; d++) {
                ASSERT_NEAR(g2[d], g[d] + alpha * (2 * y[d] + beta * x[d]), 1e-4);
                ASSERT_NEAR(y2[d], y[d] + 2 * beta * x[d], 1e-4);
            }
            memcpy(y2, y, sizeof y);
            memcpy(g2, g, sizeof g);
            float keep = (float)tw_rng_unit(&rng);
            k->step_each(twice, (const float[]){alpha, alpha}, (const float[]){beta, beta}, keep, x, g2, 2, D);
            for (int d = 0; d < D; d++) {
                float once = keep * y[d] + beta * x[d];
                ASSERT_NEAR(g2[d], g[d] + alpha * (y[d] + once), 1e-4);
                ASSERT_NEAR(y2[d], keep * once + beta * x[d], 1e-4);
            }
            memcpy(y2, y, sizeof y);
            k->axpy(y2, alpha, x, D);
            for (int d = 0; d < D; d++)
                ASSERT_NEAR(y2[d], y[d] + alpha * x[d], 1e-4);
            k->mix(y2, beta, alpha, x, D);
            for (int d = 0; d < D; d++)
                ASSERT_NEAR(y2[d], beta * (y[d] + alpha * x[d]) + alpha * x[d], 1e-4);
        }
    }
}

TEST(every_build_of_the_product_agrees_with_plain_loops_on_a_matrix_and_its_transpose) {
    EACH_BUILD(k) {
        tw_rng rng = tw_rng_at(tw_test_seed(), 7, 0);
        for (int round = 0; round < 200; round++) {
            static float a[24 * 24], x[24 * 64], y[24 * 64], y2[24 * 64];
            int n = (int)tw_rng_below(&rng, 24), S = (int)tw_rng_below(&rng, 24), turned = round % 2;
            int D = 16 * (1 + (int)tw_rng_below(&rng, 4)), a_row = turned ? 1 : S, a_step = turned ? n : 1;
            fill(&rng, a, n * S);
            fill(&rng, x, S * D);
            fill(&rng, y, 24 * 64);
            memcpy(y2, y, sizeof y);
            k->add_products(y2, a, a_row, a_step, x, n, S, D);
            for (int i = 0; i < 24 * 64; i++) {
                double sum = y[i];
                for (int s = 0; i < n * D && s < S; s++)
                    sum += (double)a[i / D * a_row + s * a_step] * (double)x[s * D + i % D];
                ASSERT_NEAR(y2[i], sum, 1e-4);
            }
        }
    }
}

TEST(every_build_of_the_logarithm_is_within_its_stated_error) {
    EACH_BUILD(k) {
        tw_rng rng = tw_rng_at(tw_test_seed(), 3, 0);
        static float x[1000], y[1000];
        for (int i = 0; i < 1000; i++) {
            x[i] = (float)exp(20 * tw_rng_unit(&rng) - 10);
            y[i] = 1.0f;
        }
        k->add_log(y, 0.5f, x, 1e-6f, 1000);
        for (int i = 0; i < 1000; i++)
            ASSERT_NEAR(y[i], 1.0 + 0.5 * log2((double)(x[i] + 1e-6f)), 1.2e-5);
    }
}

TEST(rows_are_dotted_in_order) {
    static float rows[10 * 8], x[8], scores[10];
    for (int i = 0; i < 80; i++)
        rows[i] = (float)i;
    for (int d = 0; d < 8; d++)
        x[d] = 1;
    EACH_BUILD(k) {
        k->dot_rows(rows, x, scores, 10, 8);
        for (int i = 0; i < 10; i++)
            ASSERT_NEAR(scores[i], 64.0 * i + 28.0, 1e-3);
        const float *each[] = {rows + 72, rows, rows + 16, rows + 8, rows + 72};
        k->dot_each(each, x, scores, 5, 8);
        for (int i = 0; i < 5; i++)
            ASSERT_NEAR(scores[i], 64.0 * (double)(each[i] - rows) / 8 + 28.0, 1e-3);
    }
}

TEST(the_largest_is_found_wherever_it_stands) {
    EACH_BUILD(k) {
        float x[67];
        ASSERT_TRUE(k->most(x, 0) == -INFINITY);
        for (int at = 0; at < 67; at++) {
            for (int i = 0; i < 67; i++)
                x[i] = i == at ? -2.0f : i % 2 ? -3.0f : -INFINITY;
            ASSERT_TRUE(k->most(x, 67) == -2.0f);
        }
    }
}

TEST(every_build_of_the_exponential_is_within_its_stated_error) {
    EACH_BUILD(k) {
        tw_rng rng = tw_rng_at(tw_test_seed(), 4, 0);
        static float x[1003], y[1003];
        double sum = 0;
        for (int i = 0; i < 1000; i++) {
            x[i] = (float)(5.0 - 80.0 * tw_rng_unit(&rng) * tw_rng_unit(&rng));
            sum += exp((double)x[i] - 5.0);
        }
        x[1000] = -INFINITY;
        x[1001] = 5.0f;
        x[1002] = -200.0f;
        float got = k->exp_sum(x, 5.0f, y, 1003);
        ASSERT_NEAR(got / (sum + 1), 1, 1e-5);
        for (int i = 0; i < 1000; i++)
            ASSERT_NEAR(y[i] / exp((double)x[i] - 5.0), 1, 2e-5);
        ASSERT_NEAR(y[1000], 0, 0);
        ASSERT_NEAR(y[1001], 1, 0);
        ASSERT_NEAR(y[1002], 0, 0);
    }
}

/* The blocks hold what to_bytes makes of rows: bounds of all builds rest on the same whole sums, and differ by what floats round. */
TEST(every_build_of_the_bounds_agrees_with_whole_sums) {
    enum { BLOCKS = 3, ROWS = BLOCKS * TW_BLOCK_ROWS };
    static _Alignas(64) uint8_t blocks[ROWS * D_MAX];
    static _Alignas(64) float scale[ROWS], rest[ROWS], bias[ROWS], upper[ROWS];
    static int8_t x[D_MAX];
    float peaks[BLOCKS];
    EACH_BUILD(k) {
        tw_rng rng = tw_rng_at(tw_test_seed(), 5, 0);
        for (int round = 0; round < 60; round++) {
            int D = 4 * (1 + (int)tw_rng_below(&rng, D_MAX / 4));
            for (int i = 0; i < ROWS * D; i++)
                blocks[i] = (uint8_t)(1 + tw_rng_below(&rng, 255));
            for (int d = 0; d < D; d++)
                x[d] = (int8_t)((int)tw_rng_below(&rng, 255) - 127);
            fill(&rng, scale, ROWS);
            fill(&rng, rest, ROWS);
            fill(&rng, bias, ROWS);
            k->bound_rows(blocks, x, scale, rest, bias, 0.5f, 3.0f, 0.75f, upper, peaks, BLOCKS, D);
            for (int row = 0; row < ROWS; row++) {
                int block = row / TW_BLOCK_ROWS, i = row % TW_BLOCK_ROWS;
                int64_t sum = 0;
                for (int d = 0; d < D; d++)
                    sum += (blocks[((block * (D / 4) + d / 4) * TW_BLOCK_ROWS + i) * 4 + d % 4] - 128) * x[d];
                double exact = scale[row] * (0.5 * (double)sum + 3.0) + 0.75 * rest[row] + bias[row];
                ASSERT_NEAR(upper[row], exact, 1e-5 * (fabs(exact) + 1));
                ASSERT_LE(upper[row] > peaks[block], 0);
            }
        }
    }
}

/* For any number of vectors, each of which gets its own peaks. */
TEST(every_build_finds_the_largest_bound_of_each_stretch) {
    enum { STRETCHES = 3, ROWS = STRETCHES * TW_STRETCH_ROWS, BLOCKS = STRETCHES * TW_STRETCH_BLOCKS, VECTORS = 35 };
    static _Alignas(64) uint8_t blocks[ROWS * D_MAX];
    static _Alignas(64) float scale[ROWS], rest[ROWS], bias[ROWS], upper[ROWS];
    static int8_t x[VECTORS][D_MAX];
    float block_peaks[BLOCKS], peaks[VECTORS][STRETCHES];
    EACH_BUILD(k) {
        tw_rng rng = tw_rng_at(tw_test_seed(), 6, 0);
        for (int round = 0; round < 20; round++) {
            int D = 4 * (1 + (int)tw_rng_below(&rng, D_MAX / 4)), count = 1 + (int)tw_rng_below(&rng, VECTORS);
            tw_peaks asked[VECTORS];
            for (int i = 0; i < ROWS * D; i++)
                blocks[i] = (uint8_t)(1 + tw_rng_below(&rng, 255));
            fill(&rng, scale, ROWS);
            fill(&rng, rest, ROWS);
            fill(&rng, bias, ROWS);
            for (int row = 0; row < ROWS; row++) /* what is never shown */
                if (tw_rng_below(&rng, 4) == 0 || row < TW_STRETCH_ROWS)
                    scale[row] = 0, bias[row] = -INFINITY;
            for (int v = 0; v < count; v++) {
                for (int d = 0; d < D; d++)
                    x[v][d] = (int8_t)((int)tw_rng_below(&rng, 255) - 127);
                asked[v] =
                    (tw_peaks){.x = x[v], .alpha = 0.1f * (float)v, .beta = (float)v, .gamma = 1.5f, .peaks = peaks[v]};
            }
            k->peak_rows(blocks, scale, rest, bias, asked, count, STRETCHES, D);
            for (int v = 0; v < count; v++) {
                k->bound_rows(blocks, x[v], scale, rest, bias, asked[v].alpha, asked[v].beta, asked[v].gamma, upper,
                              block_peaks, BLOCKS, D);
                ASSERT_TRUE(peaks[v][0] == -INFINITY);
                for (int s = 1; s < STRETCHES; s++) {
                    float peak = k->most(upper + s * TW_STRETCH_ROWS, TW_STRETCH_ROWS);
                    ASSERT_TRUE(peak == -INFINITY ? peaks[v][s] == peak
                                                  : fabsf(peaks[v][s] - peak) <= 1e-5f * (fabsf(peak) + 1));
                }
            }
        }
    }
}

TEST(each_build_that_the_processor_has_was_tried) {
    int here = 0;
    EACH_BUILD(k) {
        ASSERT_STR(k->name, tw_kernels_names[build_]);
        printf("  %s\n", k->name);
        here++;
    }
    ASSERT_GE(here, 1);
    ASSERT_TRUE(tw_kernels_named("plain") != NULL && tw_kernels_named("sse9") == NULL && tw_kernels_named("") == NULL);
}

/* Lives or not, said another way: some step from 0 to count - 1 down from the newest, round the end, meets the code. */
static bool meets(uint64_t code, uint64_t newest, uint64_t count) {
    for (uint64_t step = 0; step < count; step++)
        if ((newest + TW_LINE_CODES - 1 - step) % TW_LINE_CODES + 1 == code)
            return true;
    return false;
}

TEST(every_build_sees_the_same_in_a_line_and_sweeps_it_alike) {
    EACH_BUILD(k) {
        tw_rng rng = tw_rng_at(tw_test_seed(), 9, 0);
        for (int round = 0; round < 3000; round++) {
            uint64_t slots[TW_LINE_SLOTS], swept[TW_LINE_SLOTS], key = tw_rng_next(&rng) >> TW_LINE_KEY_SHIFT;
            uint64_t newest = 1 + tw_rng_below(&rng, TW_LINE_CODES), count = tw_rng_below(&rng, 260);
            for (int i = 0; i < TW_LINE_SLOTS; i++) { /* codes at every edge, the key of some, and in empty slots too */
                const uint64_t codes[] = {0, 1, TW_LINE_CODES, newest, tw_rng_below(&rng, TW_LINE_CODES + 1)};
                uint64_t held = tw_rng_below(&rng, 3) ? tw_rng_next(&rng) >> TW_LINE_KEY_SHIFT : key;
                slots[i] = held << TW_LINE_KEY_SHIFT | (uint64_t)tw_rng_below(&rng, 2) << TW_LINE_CODE_BITS |
                           codes[tw_rng_below(&rng, 5)];
            }
            memcpy(swept, slots, sizeof swept);
            k->sweep(swept, newest, count, TW_LINE_SLOTS);
            unsigned seen = k->look(slots, key, newest, count);
            ASSERT_EQ(seen >> 2 * TW_LINE_SLOTS, 0);
            for (int i = 0; i < TW_LINE_SLOTS; i++) {
                uint64_t code = slots[i] & TW_LINE_CODES;
                bool live = code != 0 && meets(code, newest, count);
                ASSERT_EQ(seen >> i & 1, code != 0 && slots[i] >> TW_LINE_KEY_SHIFT == key);
                ASSERT_EQ(seen >> (TW_LINE_SLOTS + i) & 1, !live);
                ASSERT_EQ(swept[i], live ? slots[i] & ~((uint64_t)1 << TW_LINE_CODE_BITS) : 0);
            }
        }
    }
}
