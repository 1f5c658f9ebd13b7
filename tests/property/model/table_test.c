/* Rows by the chunk: alone at first, by large pages later. */
#include "model/table.h"
#include "support/test.h"

/* Rows that lie at the edges of chunks and of what is allocated together, for a D. */
static uint32_t edge(int i) {
    return (uint32_t)(i / 3) * TW_TABLE_CHUNK_ROWS + (uint32_t)(i % 3) * (TW_TABLE_CHUNK_ROWS / 2) -
           (i / 3 && i % 3 == 0 ? 1 : 0);
}

TEST(rows_begin_as_zeros_stay_where_they_are_and_do_not_overlap) {
    const int widths[] = {4, 64, 300, 512};
    for (int w = 0; w < 4; w++) {
        enum { EDGES = 60 };
        tw_rows rows;
        float *at[EDGES];
        int D = widths[w];
        tw_rows_init(&rows, D);
        for (int i = 0; i < EDGES; i++) {
            tw_rows_reach(&rows, edge(i));
            at[i] = tw_row(&rows, edge(i));
            ASSERT_EQ((size_t)at[i] % 16, 0);
            for (int d = 0; d < D; d++)
                ASSERT_TRUE(at[i][d] == 0);
            for (int d = 0; d < D; d++)
                at[i][d] = (float)(i + 1);
        }
        for (int i = 0; i < EDGES; i++) {
            ASSERT_TRUE(tw_row(&rows, edge(i)) == at[i]);
            for (int d = 0; d < D; d++)
                ASSERT_TRUE(at[i][d] == (float)(i + 1));
        }
        tw_rows_done(&rows);
        ASSERT_TRUE(!rows.chunks);
    }
}

TEST(the_last_row_of_a_table_may_be_the_first_that_is_asked_for) {
    tw_rows rows;
    tw_rows_init(&rows, 64);
    tw_rows_reach(&rows, 40000);
    tw_row_prefetch(&rows, 40000);
    tw_row(&rows, 40000)[63] = 1;
    ASSERT_TRUE(tw_row(&rows, 39999)[63] == 0);
    tw_rows_done(&rows);
}
