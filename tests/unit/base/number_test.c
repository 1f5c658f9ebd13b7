#include "base/number.h"
#include "support/test.h"

TEST(numbers_are_read_whole_or_not_at_all) {
    double x;
    ASSERT_TRUE(tw_number_real(TW_SLICE_LITERAL("2.55"), &x) && x == 2.55);
    ASSERT_TRUE(tw_number_real(TW_SLICE_LITERAL("-0.1e-3"), &x) && x == -0.1e-3);
    ASSERT_TRUE(tw_number_real(TW_SLICE_LITERAL("12345678901234567890.5"), &x) && x == 12345678901234567890.5);
    ASSERT_FALSE(tw_number_real(TW_SLICE_LITERAL("."), &x));
    ASSERT_FALSE(tw_number_real(TW_SLICE_LITERAL("1.2.3"), &x));
    ASSERT_FALSE(tw_number_real(TW_SLICE_LITERAL("1e"), &x));
    ASSERT_FALSE(tw_number_real(TW_SLICE_LITERAL(" 1"), &x));
}
