/* Schedule, gain and order of successive halving. */
#include "evaluate/halving.h"

#include "base/err.h"

#include <math.h>

int tw_halving_rounds(int settings, int keep, tw_halving_round *rounds) {
    int count = 0;
    TW_ASSERT(settings >= 1 && keep >= 2);
    for (;;) {
        rounds[count++].settings = settings;
        if (settings <= keep || count == TW_ROUNDS_MAX)
            break;
        settings = (settings + keep - 1) / keep;
    }
    for (int i = 0; i < count; i++)
        rounds[i].rows_share = pow(keep, i - (count - 1));
    return count;
}

static double relative(double theirs, double ours) {
    if (ours > 0)
        return theirs / ours - 1;
    return theirs > 0 ? 1 : 0;
}

double tw_halving_gain(const tw_prequential *theirs, const tw_prequential *defaults, int files) {
    double sum = 0;
    for (int i = 0; i < files; i++)
        sum += (relative(tw_prequential_hr10(&theirs[i]), tw_prequential_hr10(&defaults[i])) +
                relative(tw_prequential_ndcg10(&theirs[i]), tw_prequential_ndcg10(&defaults[i]))) /
               2;
    return sum / files;
}

void tw_halving_order(int *order, int count, const double *gains) {
    for (int i = 1; i < count; i++) { /* by insertion: a few dozen at most */
        int moved = order[i], at = i;
        for (; at > 0; at--) {
            int before = order[at - 1];
            if (gains[before] > gains[moved] || (gains[before] == gains[moved] && before < moved))
                break;
            order[at] = before;
        }
        order[at] = moved;
    }
}
